"""The benchmarks of attribution run, at a tiny size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import load
from benchmarks.peers import attribution
from benchmarks.quality import attribution_coverage


@pytest.mark.bench
def test_the_benchmark_of_attribution_runs(tmp_path: Path) -> None:
    attribution.main(["--paths", "2000", "--orders", "1", "--repeats", "1"], tmp_path)
    assert load(tmp_path / "peers-attribution.json")[1][0]["paths"] == 2000


@pytest.mark.bench
def test_the_benchmark_of_its_intervals_runs(tmp_path: Path) -> None:
    attribution_coverage.main(["--sizes", "300", "--worlds", "5", "--draws", "50"], tmp_path)
    assert 0 < load(tmp_path / "quality-attribution-coverage.json")[1][0]["coverage"] <= 1
