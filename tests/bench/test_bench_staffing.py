"""The benchmark of staff and queues runs, at a tiny size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import load


@pytest.mark.bench
def test_the_benchmark_of_staffing_runs_at_a_tiny_size(tmp_path: Path) -> None:
    from benchmarks.speed import staffing

    staffing.main(["--size", "300", "--repeats", "1"], tmp_path)
    rows = load(tmp_path / "speed-staffing.json")[1]
    assert {row["what"] for row in rows} >= {"work handed out", "simulated cases", "single queues (Erlang A)"}
    assert all(row["a second"] > 0 for row in rows)
