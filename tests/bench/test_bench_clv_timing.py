"""The benchmarks of repeat buying run, at a tiny size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import load
from benchmarks.peers import clv_timing as peers
from benchmarks.quality import clv_timing as quality


@pytest.mark.bench
def test_the_benchmark_beside_lifetimes_runs(tmp_path: Path) -> None:
    peers.main(["--small", "--repeats", "1"], tmp_path)
    assert len(load(tmp_path / "peers-clv-timing.json")[1]) == 2


@pytest.mark.bench
def test_the_benchmark_of_intervals_and_splits_runs(tmp_path: Path) -> None:
    quality.main(["--customers", "300", "--cohorts", "3"], tmp_path)
    assert load(tmp_path / "quality-clv-coverage.json")[1]
