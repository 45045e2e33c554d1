"""Laws of propensity: slow twins, order of rows, monotone risk, and a past without a future."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from crmcore.idic.differentiate.propensity import (
    Booster,
    Logistic,
    SwitchingRisk,
    calibrate,
    cut,
    evaluate,
    read_features,
)
from crmcore.idic.differentiate.propensity.booster import BoosterModel
from crmcore.idic.differentiate.propensity.calibration import isotonic
from crmcore.idic.differentiate.propensity.logistic import LogisticModel
from crmcore.idic.differentiate.propensity.newton import fit_logistic
from crmcore.idic.differentiate.propensity.scoring import auc_of, average_precision_of, gain_of, lift_of
from crmcore.tables import EventTable

START = datetime(2026, 1, 1, tzinfo=UTC)
SEEDS = st.integers(0, 10_000)
Floats = NDArray[np.float64]


def mixed(seed: int, n: int) -> tuple[dict[str, list[object]], NDArray[np.bool_]]:
    """A table with numbers, words and gaps, and an outcome that depends on them."""
    rng = np.random.default_rng(seed)
    number, count = rng.normal(size=n).round(2), rng.integers(0, 5, n)
    word = rng.choice(["a", "b", "c"], n)
    happened = rng.random(n) < 1 / (1 + np.exp(-(number - 0.5 * count + (word == "a"))))
    happened[:2] = [True, False]
    gaps = rng.random(n) < 0.1
    table: dict[str, list[object]] = {
        "number": [None if g else float(v) for g, v in zip(gaps, number, strict=True)],
        "count": [int(c) for c in count],
        "word": [None if g else str(w) for g, w in zip(np.roll(gaps, 1), word, strict=True)],
    }
    return table, happened


@given(SEEDS, st.integers(5, 60), st.floats(0.01, 10))
def test_newton_finds_what_a_general_optimiser_finds_within_signs(seed: int, n: int, penalty: float) -> None:
    from scipy.optimize import minimize

    rng = np.random.default_rng(seed)
    p = int(rng.integers(1, 5))
    x, y, w = rng.normal(size=(n, p)), (rng.random(n) < 0.5).astype(float), rng.random(n) + 0.1
    y[:2] = [0, 1]
    signs = rng.integers(-1, 2, p)

    def objective(b: Floats) -> tuple[float, Floats]:
        eta = b[0] + x @ b[1:]
        value = w @ (np.logaddexp(0, eta) - y * eta) + penalty / 2 * b[1:] @ b[1:]
        slope = w * (1 / (1 + np.exp(-eta)) - y)
        return value, np.r_[slope.sum(), x.T @ slope + penalty * b[1:]]

    bounds = [(None, None), *[{-1: (None, 0), 0: (None, None), 1: (0, None)}[int(s)] for s in signs]]
    slow = minimize(objective, np.zeros(p + 1), jac=True, bounds=bounds, method="L-BFGS-B", options={"ftol": 1e-15})
    fast = fit_logistic(x, y, w, penalty=penalty, signs=signs)
    assert objective(fast.coefficients)[0] <= slow.fun + 1e-9
    assert np.allclose(fast.coefficients, slow.x, atol=1e-2)
    assert (fast.coefficients[1:] * signs >= 0).all()


@settings(max_examples=15)
@given(SEEDS, st.sampled_from(["logistic", "booster"]))
def test_the_order_of_rows_changes_nothing(seed: int, kind: str) -> None:
    table, happened = mixed(seed, 80)
    recipe: Logistic | Booster = Logistic(least=2) if kind == "logistic" else Booster(least=2, rounds=30, pairs=2)
    order = np.random.default_rng(seed).permutation(80)
    shuffled = {name: [column[i] for i in order] for name, column in table.items()}
    first = recipe.fit(table, happened).predict(table)
    assert np.allclose(recipe.fit(shuffled, happened[order]).predict(table), first, atol=1e-8)


@settings(max_examples=20)
@given(SEEDS)
def test_a_weight_of_two_is_a_row_twice(seed: int) -> None:
    table, happened = mixed(seed, 60)
    weight = np.random.default_rng(seed).integers(1, 3, 60)
    often = np.repeat(np.arange(60), weight)
    recipe = Logistic(penalty=1.0, knots=0, least=1)
    weighted = recipe.fit(table, happened, weights=weight)
    repeated = recipe.fit({n: [c[i] for i in often] for n, c in table.items()}, happened[often])
    assert np.allclose(weighted.coefficients, repeated.coefficients, atol=1e-7)


@settings(max_examples=12)
@given(SEEDS, st.sampled_from(["logistic", "booster"]))
def test_models_survive_json_and_reasons_add_up(seed: int, kind: str) -> None:
    table, happened = mixed(seed, 70)
    model: LogisticModel | BoosterModel
    if kind == "logistic":
        model = Logistic(penalty=1.0, least=2).fit(table, happened)
    else:
        model = Booster(least=2, rounds=40).fit(table, happened)
    assert type(model).from_dict(model.to_dict()) == model
    assert np.allclose(model.explain(table).probability, model.predict(table))
    new = {"number": [None, 1e300, -1e300], "count": [None, 0, 99], "word": ["never seen", None, "a"]}
    assert np.isfinite(model.predict(new)).all()


@settings(max_examples=25)
@given(SEEDS, st.sampled_from(["logistic", "booster"]), st.floats(0, 5), st.booleans())
def test_risk_of_switching_never_rises_with_evidence_of_loyalty(seed: int, kind: str, more: float, gap: bool) -> None:
    table, happened = mixed(seed, 60)
    recipe: Logistic | Booster = (
        Logistic(penalty=0.1, least=2) if kind == "logistic" else Booster(least=2, rounds=40, pairs=3)
    )
    model = SwitchingRisk(loyalty=["number", "count"], recipe=recipe).fit(table, happened)
    for column in ("number", "count"):
        before = model.predict(table)
        richer = {
            **table,
            column: [(None if gap else more) if v is None else float(v) + more for v in table[column]],  # type: ignore[arg-type]
        }
        assert (model.predict(richer) <= before + 1e-12).all()
        assert (model.relief(table, column=column, more=more) >= -1e-12).all()


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=40))
def test_auc_and_average_precision_equal_their_definitions(rows: list[tuple[bool, int]]) -> None:
    y, p = np.array([r[0] for r in rows], float), np.array([r[1] / 6 for r in rows])
    assume(0 < y.sum() < len(y))
    pairs = [(a > b) + (a == b) / 2 for a, b in product(p[y == 1], p[y == 0])]
    assert auc_of(y, p)[0] == pytest.approx(np.mean(pairs))
    precision = [y[p >= value].mean() for value in p[y == 1]]
    assert average_precision_of(y, p)[0] == pytest.approx(np.mean(precision))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4)), min_size=5, max_size=30), st.floats(0.05, 0.95))
def test_lift_is_that_of_a_random_order_within_ties(rows: list[tuple[bool, int]], share: float) -> None:
    y, p = np.array([r[0] for r in rows], float), np.array([r[1] / 4 for r in rows])
    assume(0 < y.sum() < len(y))
    room, hits = share * len(y), 0.0
    for value in sorted(set(p), reverse=True):
        group = y[p == value]
        part = min(1.0, room / len(group))
        hits, room = hits + part * group.sum(), room - part * len(group)
        if room <= 1e-12:
            break
    value, low, high = lift_of(y, p, share=share, level=0.9)
    assert value == pytest.approx(hits / (share * len(y)) / y.mean())
    assert low <= value + 1e-9
    assert value <= high + 1e-9
    shares, captured = gain_of(y, p)
    assert (np.diff(shares) > 0).all()
    assert (np.diff(captured) >= 0).all()


@given(st.lists(st.tuples(st.integers(0, 8), st.booleans(), st.integers(1, 3)), min_size=1, max_size=25))
def test_isotonic_steps_equal_the_min_max_formula(rows: list[tuple[int, bool, int]]) -> None:
    x, y, w = (np.array([r[i] for r in rows], float) for i in range(3))
    values, fitted = isotonic(x, y, w)
    mass = np.array([w[x == v].sum() for v in values])
    mean = np.array([w[x == v] @ y[x == v] for v in values]) / mass
    k = len(values)
    slow = [
        max(min(mass[a : b + 1] @ mean[a : b + 1] / mass[a : b + 1].sum() for b in range(i, k)) for a in range(i + 1))
        for i in range(k)
    ]
    assert np.allclose(fitted, slow)


@given(SEEDS, st.sampled_from(["platt", "beta", "isotonic"]))
def test_calibration_never_turns_the_order_of_customers(seed: int, method: str) -> None:
    rng = np.random.default_rng(seed)
    p = rng.random(60)
    y = rng.random(60) < p
    assume(0 < y.sum() < 60)
    held = calibrate(y, p, method=method)
    grid = np.linspace(0, 1, 101)
    found = held.apply(grid)
    assert (np.diff(found) >= -1e-12).all()
    assert ((found >= 0) & (found <= 1)).all()
    assert np.array_equal(type(held).from_dict(held.to_dict()).apply(grid), found)


@settings(max_examples=30)
@given(SEEDS, st.integers(0, 60))
def test_a_past_holds_what_had_arrived_and_nothing_else(seed: int, day: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 40))
    who, when, late = rng.integers(0, 9, n), rng.integers(0, 60, n), rng.integers(0, 20, n)
    frame = {
        "customer": [f"c{w}" if w else None for w in who],
        "time": [START + timedelta(days=int(d)) for d in when],
        "kind": [f"kind {w}" for w in who],
        "received": [(START + timedelta(days=int(d + e))).isoformat() for d, e in zip(when, late, strict=True)],
    }
    past = cut(EventTable.from_frame(frame), at=START + timedelta(days=day), arrived="received")
    kept = [i for i in range(n) if when[i] + late[i] <= day]
    assert past.customers.ids == tuple(sorted({f"c{who[i]}" for i in kept if who[i]}))
    assert set(past.table.kind.values) == {f"kind {who[i]}" for i in kept}
    assert past.table.to_frame()["customer"] == [frame["customer"][i] for i in kept]
    assert past.table.kind.to_list() == [frame["kind"][i] for i in kept]
    earlier = past.before(START + timedelta(days=day / 2))
    assert len(earlier) == sum(when[i] + late[i] <= day / 2 for i in kept)


def test_intervals_of_auc_cover_what_they_say() -> None:
    rng = np.random.default_rng(5)
    truth = 0.7602  # of two normals one apart: the normal distribution at 1 / root 2
    hit = 0
    for _ in range(400):
        y = np.repeat([True, False], [40, 80])
        score = rng.normal(size=120) + y
        found = evaluate(y, 1 / (1 + np.exp(-score))).auc
        hit += found.low <= truth <= found.high
    assert 0.92 <= hit / 400 <= 0.98


def test_intervals_of_probabilities_cover_the_true_probability() -> None:
    rng = np.random.default_rng(6)
    at = {"x": [-1.0, 0.0, 1.5]}
    truth = 1 / (1 + np.exp(-(-0.5 + np.array(at["x"]))))
    hits = np.zeros(3)
    for _ in range(200):
        x = rng.normal(size=300)
        y = rng.random(300) < 1 / (1 + np.exp(-(x - 0.5)))
        found = Logistic(penalty=0.0, knots=0).fit({"x": x}, y).predict_interval(at)
        hits += (found.low <= truth) & (truth <= found.high)
    assert ((hits / 200 > 0.91) & (hits / 200 < 0.985)).all()


def test_features_that_were_read_and_the_frame_itself_give_the_same_model() -> None:
    table, happened = mixed(3, 80)
    recipe = Logistic(least=2)
    assert recipe.fit(read_features(table), happened) == recipe.fit(table, happened)


def test_the_error_of_average_precision_is_that_of_leaving_rows_out() -> None:
    rng = np.random.default_rng(8)
    p = rng.random(800).round(2)
    y = (rng.random(800) < p).astype(float)
    value, error = average_precision_of(y, p)
    without = [average_precision_of(np.delete(y, i), np.delete(p, i))[0] for i in range(800)]
    assert error == pytest.approx(np.sqrt(799 / 800 * np.sum((np.array(without) - np.mean(without)) ** 2)), rel=0.02)
    assert value == pytest.approx(np.mean(without), abs=1e-3)
