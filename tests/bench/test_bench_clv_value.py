"""The benchmarks of spend and value run, at a tiny size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import load
from benchmarks.peers import clv_spend as peers
from benchmarks.quality import clv as quality


@pytest.mark.bench
def test_the_benchmark_of_spend_beside_lifetimes_runs(tmp_path: Path) -> None:
    peers.main(["--sizes", "2000", "--repeats", "1"], tmp_path)
    assert len(load(tmp_path / "peers-clv-spend.json")[1]) == 1


@pytest.mark.bench
def test_the_benchmark_of_intervals_of_value_runs(tmp_path: Path) -> None:
    quality.main(["--customers", "300", "--cohorts", "2", "--predictive", "1", "--only", "NBD, even"], tmp_path)
    rows = load(tmp_path / "quality-clv-value.json")[1]
    assert {r["group"] for r in rows} == {"all", "0 repeats", "1 repeat", "2 or more"}
