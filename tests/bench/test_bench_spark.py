"""The benchmark of Spark runs, at a tiny size, where Spark does."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import load


@pytest.mark.bench
def test_the_benchmark_of_spark_runs_and_finds_the_same_pairs(tmp_path: Path) -> None:
    pytest.importorskip("pyspark")
    pytest.importorskip("psutil")
    from benchmarks.speed import spark

    engines = "crmcore, one machine;crmcore, Spark"
    spark.main(["--sizes", "500", "--engines", engines], tmp_path)
    rows = load(tmp_path / "speed-spark.json")[1]
    assert len({(row["pairs"], row["entities"]) for row in rows}) == 1
