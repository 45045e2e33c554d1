"""The benchmark of journeys runs, at a tiny size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import load
from benchmarks.peers import journeys


@pytest.mark.bench
def test_the_benchmark_of_journeys_runs(tmp_path: Path) -> None:
    pytest.importorskip("pm4py")
    journeys.main(["--sizes", "5000", "--repeats", "1"], tmp_path)
    rows = load(tmp_path / "peers-journeys.json")[1]
    assert {r["task"] for r in rows} == {"graph", "variants"}
    assert all(r["same answer"] == "yes" for r in rows)


@pytest.mark.bench
def test_the_benchmark_of_incidents_runs(tmp_path: Path, data_dir: Path) -> None:
    from benchmarks.quality import incidents

    incidents.main([], tmp_path)
    rows = load(tmp_path / "quality-incidents.json")[1]
    assert [r["story"] for r in rows] == ["viral article", "checkout bug on mobile", "payment incident", "none"]
