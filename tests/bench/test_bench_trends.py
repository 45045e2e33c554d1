"""The benchmark of trends runs, at a tiny size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import load
from benchmarks.quality import trends


@pytest.mark.bench
def test_the_benchmark_of_planted_bursts_runs(tmp_path: Path) -> None:
    trends.main(["--terms", "24", "--seeds", "1", "--parts", "simulated"], tmp_path)
    rows = load(tmp_path / "quality-trends.json")[1]
    assert {r["method"] for r in rows} >= {"crmcore", "knows the truth", "EWMA"}
    assert rows[-1]["verdict"] in ("met", "not met")


@pytest.mark.bench
def test_the_benchmark_of_real_posts_runs(tmp_path: Path, data_dir: Path) -> None:
    assert data_dir
    trends.main(["--parts", "airline"], tmp_path)
    bursts = [r["burst"] for r in load(tmp_path / "quality-trends-airline.json")[1]]
    assert "on hold" in bursts
