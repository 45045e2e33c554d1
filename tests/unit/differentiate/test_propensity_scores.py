"""Quality of probabilities: what is said, drawn and refused."""

from __future__ import annotations

import numpy as np
import pytest

from crmcore.errors import BadRows, EmptyInput, OutOfRange, SmallSample, UnknownName
from crmcore.idic.differentiate.propensity import Scores, evaluate


def held() -> Scores:
    rng = np.random.default_rng(0)
    p = rng.random(500)
    return evaluate(rng.random(500) < p, p)


def test_scores_are_printed_with_their_intervals() -> None:
    lines = str(held()).splitlines()
    names = ["rate", "AUC", "Brier", "log-loss", "calibration intercept", "calibration slope"]
    assert [line.split(":")[0] for line in lines] == [*names, "lift of the top 10 %", "average precision"]
    assert all("(95 %, n = 500, " in line for line in lines)
    assert repr(held()).startswith("Scores(n = 500, auc 0.8")
    assert len(held()._repr_html_()) < 6000


def test_true_probabilities_are_calibrated_and_flattened_ones_are_not() -> None:
    rng = np.random.default_rng(1)
    p = rng.random(2000)
    happened = rng.random(2000) < p
    assert evaluate(happened, p).calibrated
    flat = evaluate(happened, 0.5 + 0.3 * (p - 0.5))
    assert flat.slope.low > 1
    assert not flat.calibrated
    assert evaluate(happened, np.clip(p + 0.2, 0, 1)).intercept.high < 0


def test_guessing_has_no_skill_and_no_lift() -> None:
    found = evaluate([1, 0] * 20, [0.5] * 40)
    assert (found.auc.value, found.lift.value, found.skill) == (0.5, pytest.approx(1.0), 0.0)
    assert np.isnan(found.slope.value)
    assert len(found.reliability) == 1


def test_perfect_and_perfectly_wrong_predictions_are_no_error() -> None:
    perfect = evaluate([1, 0] * 20, [1.0, 0.0] * 20).auc
    assert (perfect.value, perfect.high) == (1, 1)
    assert 0.8 < perfect.low < 0.9  # twenty customers do not prove that none will ever rank wrong
    wrong = evaluate([1, 0] * 20, [0.0, 1.0] * 20)
    assert (wrong.auc.value, wrong.brier.value) == (0, 1)
    assert wrong.log_loss.value == pytest.approx(34.54, abs=0.01)


def test_bins_hold_all_rows_and_keep_equal_probabilities_together() -> None:
    found = evaluate([1, 0, 0, 1] * 25, [0.2, 0.2, 0.2, 0.7] * 25, bins=10)
    assert sum(b.happened.n for b in found.reliability) == 100
    assert [(b.low, b.high) for b in found.reliability] == [(0.2, 0.2), (0.7, 0.7)]
    assert found.calibration_error == pytest.approx(0.75 * abs(0.2 - 1 / 3) + 0.25 * 0.3)


def test_scores_survive_json_and_leave_as_frames() -> None:
    assert Scores.from_dict(held().to_dict()) == held()
    assert held().to_frame(backend="polars").columns == ["score", "value", "low", "high", "level", "n", "method"]
    assert len(held().reliability_table(backend="polars")) == 10


@pytest.mark.parametrize("which", ["reliability", "gain", "lift", "precision"])
def test_charts_are_drawn_by_name(which: str) -> None:
    assert len(held().chart(which).rows) >= 10
    with pytest.raises(UnknownName, match="did you mean 'gain'"):
        held().chart("gains")


def test_bad_probabilities_and_outcomes_are_refused() -> None:
    with pytest.raises(BadRows, match=r"not from 0 to 1 in 2 rows \[1, 2\]"):
        evaluate([1, 0, 1], [0.5, 1.5, np.nan])
    with pytest.raises(OutOfRange, match="neither ranking nor lift has a meaning"):
        evaluate([1, 1], [0.5, 0.5])
    with pytest.raises(OutOfRange, match=r"len\(probability\) = 1"):
        evaluate([1, 0], [0.5])
    with pytest.raises(EmptyInput):
        evaluate([], [])
    with pytest.raises(OutOfRange, match="as top=0"):
        evaluate([1, 0], [0.5, 0.5], top=10)
    with pytest.warns(SmallSample, match="small_sample_ok=True"):
        evaluate([1, 0], [0.5, 0.6])


def test_ranks_are_those_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(2)
    p = rng.random(300).round(1)
    y = rng.random(300) < p
    found = evaluate(y, p)
    assert found.auc.value == pytest.approx(metrics.roc_auc_score(y, p))
    assert found.average_precision.value == pytest.approx(metrics.average_precision_score(y, p))
    assert found.brier.value == pytest.approx(metrics.brier_score_loss(y, p))
