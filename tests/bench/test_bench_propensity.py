"""The benchmarks of propensity run, at a tiny size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import data_dir, load


@pytest.mark.bench
def test_the_benchmarks_of_propensity_run_at_a_tiny_size(tmp_path: Path) -> None:
    if not (data_dir() / "telco_churn").is_dir():
        pytest.skip("no data sets")
    from benchmarks.peers import propensity as peers
    from benchmarks.quality import propensity as quality

    quality.main(["--seeds", "1", "--splits", "1"], tmp_path)
    _, rows = load(tmp_path / "quality-propensity-churn.json")
    assert {row["model"]: row["met"] for row in rows}["logistic"]
    _, rows = load(tmp_path / "quality-propensity-uplift.json")
    assert len(rows) == len(quality.LEARNERS)
    assert peers.run_cox("crmcore")["concordance"] > 0.8
