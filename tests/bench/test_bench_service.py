"""The benchmark of a desk in bulk runs, at a tiny size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import load


@pytest.mark.bench
def test_the_benchmark_of_a_desk_in_bulk_runs_and_stores_its_rows(tmp_path: Path) -> None:
    from benchmarks.speed import service

    service.main(["--cases", "50", "--repeats", "1"], tmp_path)
    _, rows = load(tmp_path / "speed-recovery-service.json")
    assert [(row["cases"], row["events"]) for row in rows] == [(50, 500)]
    assert rows[0]["events per s"] > 0
