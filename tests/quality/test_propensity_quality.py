"""Scores on public sets that may rise and never fall: churn, uplift, coverage of the Qini interval."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality import propensity as bench
from crmcore.idic.differentiate.propensity import Booster, Logistic, cross_validate, read_features
from crmcore.idic.differentiate.uplift import UpliftLearner, measure_uplift


def test_churn_is_ranked_sharp_and_calibrated(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRMCORE_DATA", str(data_dir))
    columns, left = bench.telco()
    found = cross_validate(Logistic(), read_features(columns), outcome=left, seed=0)
    assert found.mean_auc >= bench.AUC_BAR
    assert found.scores.brier.value <= bench.BRIER_BAR
    assert found.scores.calibrated
    assert found.scores.lift.value >= 2.8


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_the_booster_reaches_the_same_bars_on_every_seed(
    seed: int, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRMCORE_DATA", str(data_dir))
    columns, left = bench.telco()
    found = cross_validate(Booster(), read_features(columns), outcome=left, seed=seed)
    assert found.mean_auc >= bench.AUC_BAR
    assert found.scores.brier.value <= bench.BRIER_BAR
    assert found.scores.calibrated


def test_whom_a_letter_moves_is_found_better_than_by_chance(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRMCORE_DATA", str(data_dir))
    columns, visit, mail = bench.hillstrom()
    report = bench.judged(UpliftLearner(), read_features(columns), visit, mail, split=0, resamples=60)
    assert report.area.value >= bench.QINI_BAR
    assert report.area.low > report.random.high / 2
    assert report.p_value < 0.05


def test_the_bootstrap_of_the_qini_area_covers_the_true_area() -> None:
    """Uplift 0.4 x of customers ranked by x, uniform on 0 to 1: the true area is 0.4 / 12 · share treated."""
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(100):
        x, t = rng.random(800), rng.random(800) < 0.5
        y = rng.random(800) < 0.2 + 0.4 * x * t
        found = measure_uplift(x, y, treated=t, seed=rng, resamples=100).area
        truth = 0.5 * (0.4 / 12)
        hits += found.low <= truth <= found.high
    assert 0.87 <= hits / 100 <= 0.99
