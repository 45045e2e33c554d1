"""The benchmark of durations, cohorts and days runs, and all engines find the same median."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import load


@pytest.mark.bench
def test_the_benchmark_of_behaviour_measures_runs_and_engines_agree(tmp_path: Path) -> None:
    pytest.importorskip("lifelines", reason="lifelines is not installed: python -m pip install --group bench")
    from benchmarks.speed import metrics_behaviour

    metrics_behaviour.main(["--scale", "0.002", "--repeats", "1"], tmp_path)
    rows = load(tmp_path / "speed-metrics-behaviour.json")[1]
    assert {r["engine"] for r in rows} == {"crmcore", *metrics_behaviour.PEERS, *metrics_behaviour.PEERS.values()}
    medians = [r["answer"] for r in rows if r["work"] == metrics_behaviour.KAPLAN_MEIER]
    assert medians == pytest.approx([medians[0]] * 4)
    assert all(r["wall s"] > 0 for r in rows)
