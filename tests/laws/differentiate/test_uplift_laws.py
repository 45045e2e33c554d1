"""Laws of uplift: the curve by its definition, ties and order, a score that says nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crmcore.idic.differentiate.uplift import UpliftLearner, measure_uplift
from crmcore.idic.differentiate.uplift.qini import area_of, curve_of, order_by
from crmcore.idic.differentiate.uplift.ridge import fit_ridge

SEEDS = st.integers(0, 10_000)
ROWS = st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.booleans()), min_size=2, max_size=40)


@given(ROWS)
def test_the_curve_is_that_of_the_definition_and_ties_move_together(rows: list[tuple[int, bool, bool]]) -> None:
    score, y, t = (np.array([r[i] for r in rows]) for i in range(3))
    t = t.astype(bool)
    share, gain = curve_of(order_by(score.astype(float)), y.astype(float), t, np.ones(len(y)))
    slow = [(0.0, 0.0)]
    for value in sorted(set(score.tolist()), reverse=True):
        top = score >= value
        n_t, n_c = int((top & t).sum()), int((top & ~t).sum())
        up = y[top & t].sum() - y[top & ~t].sum() * n_t / n_c if n_c else 0.0
        slow.append((top.mean(), up / len(y)))
    assert np.allclose(np.column_stack([share, gain]), slow)


@given(ROWS, SEEDS)
def test_order_of_rows_and_scale_of_scores_change_nothing(rows: list[tuple[int, bool, bool]], seed: int) -> None:
    score, y, t = (np.array([r[i] for r in rows]) for i in range(3))
    order = np.random.default_rng(seed).permutation(len(y))
    one = np.ones(len(y))
    first = area_of(*curve_of(order_by(score.astype(float)), y.astype(float), t.astype(bool), one))
    other = area_of(*curve_of(order_by(3.0 * score[order] - 7), y[order].astype(float), t[order].astype(bool), one))
    assert abs(first - other) < 1e-12


@given(ROWS)
def test_a_score_that_says_nothing_has_no_area(rows: list[tuple[int, bool, bool]]) -> None:
    y, t = np.array([r[1] for r in rows], float), np.array([r[2] for r in rows])
    assert abs(area_of(*curve_of(order_by(np.zeros(len(y))), y, t, np.ones(len(y))))) < 1e-12


@settings(max_examples=20)
@given(SEEDS, st.sampled_from([0.1, 0.25, 0.5, 1.0]))
def test_the_value_of_a_policy_is_the_difference_of_means_in_the_top(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    score, y, t = rng.permutation(40).astype(float), rng.random(40), rng.random(40) < 0.5
    top = np.argsort(-score)[: int(40 * share)]
    assume(1 < t.sum() < 39)
    assume(2 <= t[top].sum() <= len(top) - 2)
    report = measure_uplift(score, y, treated=t, seed=1, resamples=2)
    found = report.policy(share, value=3.0, cost=0.2)
    assert abs(found.value - share * (3 * (y[top][t[top]].mean() - y[top][~t[top]].mean()) - 0.2)) < 1e-9
    assert found.low <= found.value <= found.high


@given(SEEDS)
def test_ridge_solves_its_normal_equations(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(5, 40)), int(rng.integers(1, 4))
    x, y, w = rng.normal(size=(n, p)), rng.normal(size=n), rng.random(n) + 0.1
    beta, penalty = fit_ridge(x, y, w)
    gap = y - beta[0] - x @ beta[1:]
    assert abs(w @ gap) < 1e-8
    assert np.allclose(x.T @ (w * gap), penalty * beta[1:], atol=1e-7)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("learner", ["t", "x", "transformed"])
def test_every_learner_finds_who_can_be_moved(seed: int, learner: str) -> None:
    rng = np.random.default_rng(seed)
    n = 6000
    x, t = rng.normal(size=n), rng.random(n) < 0.5
    chance = 0.3 + 0.3 * (t & (x > 0))
    y = rng.random(n) < chance
    model = UpliftLearner(learner=learner).fit({"x": x, "noise": rng.normal(size=n)}, y, treated=t)
    found = model.predict({"x": [-1.5, 1.5], "noise": [0.0, 0.0]})
    assert found[1] - found[0] > 0.1
