"""The benchmark of recommendation runs, at a small size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import load
from benchmarks.peers import recommendation


@pytest.mark.bench
def test_the_benchmark_of_recommendation_runs(tmp_path: Path, data_dir: Path) -> None:
    recommendation.main(["--splits", "random 20 %, seed 7", "--limit", "20000", "--turns", "0"], tmp_path)
    rows = load(tmp_path / "peers-recommendation.json")[1]
    assert [r["engine"] for r in rows][-1] == "crmcore"
    assert rows[-1]["NDCG@10"] > rows[0]["NDCG@10"]


@pytest.mark.bench
def test_seconds_are_measured_beside_implicit_or_the_row_says_why_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRMCORE_DATA", str(tmp_path))
    recommendation.main(["--splits", "--turns", "1"], tmp_path)
    rows = load(tmp_path / "peers-recommendation-speed.json")[1]
    assert [r["what"] for r in rows] == ["fit", "top 20 for everybody"]
    assert all(r["orders"] == "seeded" and ("ratio x" in r or r["note"] == "implicit is not installed") for r in rows)
