"""The benchmark of cases runs, at a tiny size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import load


@pytest.mark.bench
def test_the_benchmark_of_cases_runs_and_stores_its_rows(tmp_path: Path) -> None:
    from benchmarks.speed import cases

    cases.main(["--cases", "20", "--repeats", "1"], tmp_path)
    _, rows = load(tmp_path / "speed-cases.json")
    assert {row["measure"] for row in rows} >= {"live: messages and commands, wall", "Triage.table"}
    assert all(row["median"] > 0 for row in rows)
