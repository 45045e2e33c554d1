"""The benchmark of service-level clocks runs, at a tiny size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import load
from benchmarks.speed import clocks


@pytest.mark.bench
def test_the_benchmark_of_clocks_runs(tmp_path: Path) -> None:
    clocks.main(["--sizes", "2000", "--repeats", "1"], tmp_path)
    row = load(tmp_path / "speed-calendars-clocks.json")[1][0]
    assert row["events"] == 2000
    assert row["cycles"] > 400
    assert row["single histories per s"] > 0
