"""Value of customers: discounting, both kinds of interval on simulated truth, holdout report, season."""

from __future__ import annotations

import json
import math
from datetime import date
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import gammaln, hyp2f1

from crmcore.errors import BadRows, CrmError, EmptyInput, OutOfRange, UnknownName
from crmcore.idic.differentiate.clv import (
    CustomerRows,
    CustomerValueModel,
    SeasonIndex,
    continuous_rate,
    discounted,
    holdout_report,
)
from crmcore.idic.differentiate.spending import GammaGamma

TRUTH = np.log([0.8, 6.0, 0.7, 9.0])


@attrs.frozen
class Pareto:
    """Reference Pareto/NBD, from the published formulas (Fader, Hardie 2005)."""

    theta: tuple[float, ...]
    covariance: Any = None

    @property
    def parameters(self) -> dict[str, float]:
        return dict(zip(("r", "alpha", "s", "beta"), np.exp(self.theta).tolist(), strict=True))

    def vector(self) -> Any:
        return np.array(self.theta)

    def with_vector(self, vector: Any, /) -> Pareto:
        return Pareto(tuple(vector), self.covariance)

    def _a0(self, x: Any, t: Any, age: Any) -> Any:
        r, a, s, b = np.exp(self.theta)
        top, other = (a, s + 1) if a >= b else (b, r + x)
        power, gap = r + s + x, abs(a - b)

        def part(u: Any) -> Any:
            return hyp2f1(power, other, power + 1, gap / (top + u)) / (top + u) ** power

        return part(t) - part(age)

    def log_likelihood(self, x: Any, t: Any, age: Any) -> float:
        r, a, s, b = np.exp(self.theta)
        inner = 1 / ((a + age) ** (r + x) * (b + age) ** s) + s / (r + s + x) * self._a0(x, t, age)
        head = gammaln(r + x) - gammaln(r) + r * np.log(a) + s * np.log(b)
        return float(np.sum(head + np.log(np.maximum(inner, 1e-300))))

    def p_alive(self, x: Any, t: Any, age: Any, /) -> Any:
        r, a, s, b = np.exp(self.theta)
        return 1 / (1 + s / (r + s + x) * (a + age) ** (r + x) * (b + age) ** s * self._a0(x, t, age))

    def expected(self, x: Any, t: Any, age: Any, /, *, horizon: float) -> Any:
        r, a, s, b = np.exp(self.theta)
        run = (b + age) / (s - 1) * (1 - ((b + age) / (b + age + horizon)) ** (s - 1))
        return self.p_alive(x, t, age) * (r + x) / (a + age) * run

    @classmethod
    def fit(cls, x: Any, t: Any, age: Any) -> Pareto:
        found = minimize(lambda th: -cls(tuple(th)).log_likelihood(x, t, age), TRUTH, method="BFGS")
        theta, h, k = found.x, 1e-3, 4
        eye = h * np.eye(k)

        def f(th: Any) -> float:
            return -cls(tuple(th)).log_likelihood(x, t, age)

        bend = [
            [
                (f(theta + i + j) - f(theta + i - j) - f(theta - i + j) + f(theta - i - j)) / (4 * h * h)
                for j in eye
            ]
            for i in eye
        ]  # fmt: skip
        return cls(tuple(theta), np.linalg.inv(bend))


def _cohort(n: int, seed: int, *, until: float = 50.0, more: float = 30.0) -> tuple[CustomerRows, Any, Any]:
    """Rows, orders in the next 30 units, and whether alive at the end of observation."""
    rng = np.random.default_rng(seed)
    r, a, s, b = np.exp(TRUTH)
    rate, life = rng.gamma(r, 1 / a, n), rng.exponential(1 / rng.gamma(s, 1 / b, n))
    x = rng.poisson(rate * np.minimum(life, until))
    last = np.where(x > 0, np.minimum(life, until) * rng.random(n) ** (1 / np.maximum(x, 1)), 0.0)
    later = rng.poisson(rate * np.clip(life - until, 0, more))
    v = rng.gamma(4.0, 1 / 15.0, n)
    z = rng.gamma(6.0 * np.maximum(x, 1), 1 / (v * np.maximum(x, 1)))
    return CustomerRows.of(x, last, np.full(n, until), mean_spend=z * (x > 0), unit_days=7), later, life > until


def _fitted(rows: CustomerRows) -> CustomerValueModel:
    spend = GammaGamma().fit(rows.frequency, rows.mean_spend)
    return CustomerValueModel(timing=Pareto.fit(rows.frequency, rows.recency, rows.age), spend=spend)


def test_discounted_residual_orders_equal_the_published_ones(data_dir: Path) -> None:
    said = json.loads((data_dir / "clv_truth" / "truth.json").read_text())["paretonbd_cdnow"]
    told = said["dert"]
    model = Pareto(tuple(np.log([said["published"][k] for k in ("r", "alpha", "s", "beta")])))
    x, t = np.array(told["x"], float), np.array(told["t_x"], float)
    age = np.full(6, float(told["T"]))
    found = discounted(lambda h: model.expected(x, t, age, horizon=h), horizon=math.inf, rate=0.0027)
    assert found == pytest.approx(told["DERT"], rel=1e-5)


@pytest.mark.parametrize(("rate", "horizon"), [(0.1, 5.0), (0.01, 300.0), (3.0, 7.0)])
def test_discounting_equals_the_closed_form(rate: float, horizon: float) -> None:
    found = discounted(lambda h: np.array([2 * h]), horizon=horizon, rate=rate)[0]
    assert found == pytest.approx(2 * (1 - math.exp(-rate * horizon)) / rate)
    assert discounted(lambda h: np.array([2 * h]), horizon=horizon, rate=0.0)[0] == 2 * horizon


def test_the_rate_is_converted_to_the_unit() -> None:
    assert continuous_rate(0.10, unit_days=365.25) == pytest.approx(math.log(1.1))
    with pytest.raises(OutOfRange, match="without a discount"):
        discounted(lambda h: np.array([h]), horizon=math.inf, rate=0.0)


@pytest.mark.slow
def test_intervals_of_the_expectation_cover_the_expectation_at_the_true_parameters() -> None:
    hits: dict[str, list[float]] = {name: [] for name in ("expected", "p_alive", "spend", "clv")}
    picks = slice(0, 200)
    for seed in range(60):
        rows, _, _ = _cohort(600, seed)
        model = _fitted(rows)
        few = attrs.evolve(
            rows, **{k: getattr(rows, k)[picks] for k in ("frequency", "recency", "age", "mean_spend", "weights")}
        )
        table = model.value(few, horizon_days=210, seed=1)
        true = CustomerValueModel(timing=Pareto(tuple(TRUTH)), spend=model.spend.with_vector(np.log([6.0, 4.0, 15.0])))
        right = true.value(few, horizon_days=210)
        for name, seen in hits.items():
            seen.append(np.mean((table[name + "_low"] <= right[name]) & (right[name] <= table[name + "_high"])))
    for name, seen in hits.items():  # 60 cohorts: the coverage of one is all but 0 or 1, so that 3 errors are .12
        assert 0.80 <= np.mean(seen) <= 0.99, (name, np.mean(seen))


def test_predictive_intervals_cover_what_happens() -> None:
    rows, later, _ = _cohort(4000, 3)
    table = _fitted(rows).value(rows, horizon_days=210, kind="predictive", seed=2)
    inside = (table["expected_low"] <= later) & (later <= table["expected_high"])
    assert 0.89 <= inside.mean() <= 0.99  # counts are whole: an interval of at least 90 % holds more
    assert (table["clv_high"] >= table["clv_low"]).all()


def test_predictive_is_wider_and_merged_rows_give_the_same_point() -> None:
    rows, _, _ = _cohort(300, 4)
    model = _fitted(rows)
    narrow, wide = (model.value(rows, horizon_days=210, kind=k) for k in ("expectation", "predictive"))
    assert wide.total.width > narrow.total.width
    twice = attrs.evolve(rows, weights=rows.weights * 2)
    assert model.value(twice, horizon_days=210).total.value == pytest.approx(2 * narrow.total.value)
    again = model.value(rows, horizon_days=210)
    assert np.array_equal(again["clv_low"], narrow["clv_low"])


def test_an_unknown_covariance_is_said() -> None:
    rows, _, _ = _cohort(300, 5)
    model = _fitted(rows)
    fixed = attrs.evolve(model, timing=Pareto(tuple(TRUTH)))
    assert "held fixed" in fixed.value(rows, horizon_days=70).total.method


def test_ways_out_name_nobody() -> None:
    rows, _, _ = _cohort(300, 6)
    model = _fitted(rows)
    table = model.value(rows, horizon_days=math.inf)
    assert len(table.to_frame()) == len(table) == 300
    assert "are worth" in str(table)
    assert len(table._repr_html_()) < 6000
    assert sum(row["value"] for row in table.chart().rows) == pytest.approx(1.0)
    with pytest.raises(UnknownName, match="predictive"):
        model.value(rows, horizon_days=7, kind="predictiv")
    with pytest.raises(OutOfRange, match="finite"):
        model.value(rows, horizon_days=math.inf, kind="predictive")


def test_rows_that_contradict_themselves_are_named() -> None:
    with pytest.raises(BadRows, match=r"contradicts age or frequency in 2 rows \[0, 2\]"):
        CustomerRows.of([1, 1, 0], [9, 2, 1], [5, 5, 5], mean_spend=[1, 1, 1], unit_days=7)
    for wrong in ({"unit_days": 0.0}, {"mean_spend": [math.nan]}, {"weights": [-1.0]}):
        with pytest.raises(CrmError):
            CustomerRows.of([1], [1], [5], **({"mean_spend": [1.0], "unit_days": 7.0} | wrong))  # type: ignore[arg-type]
    with pytest.raises(EmptyInput):
        CustomerRows.of([], [], [], mean_spend=[], unit_days=7)


def test_holdout_errors_equal_their_definitions() -> None:
    rng = np.random.default_rng(7)
    e, a = rng.gamma(2.0, size=400), rng.poisson(2.0, 400)
    report = holdout_report(e, a)
    assert report.mean_absolute_error.value == pytest.approx(np.abs(e - a).mean())
    assert report.root_mean_square_error.value == pytest.approx(np.sqrt(((e - a) ** 2).mean()))
    assert report.total_error.value == pytest.approx(e.sum() / a.sum() - 1)
    assert all(x.low < x.value < x.high for x in report._all())
    assert math.isnan(holdout_report([1.0], [0.0]).total_error.value)


def test_season_is_found_in_past_years_and_never_in_later_ones() -> None:
    rng = np.random.default_rng(8)
    all_days = np.arange("2018-01-01", "2021-01-01", dtype="datetime64[D]")
    rate = np.where(np.arange(len(all_days)) % 365 > 330, 300, 100)
    log = np.repeat(all_days, rng.poisson(rate))
    split = date(2020, 6, 1)
    index = SeasonIndex.from_orders(log, until=split)
    assert 2.2 < index.weeks[50] / index.weeks[20] < 3.5
    assert index == SeasonIndex.from_orders(log[log < np.datetime64(split)], until=split)
    with pytest.raises(EmptyInput, match="whole years"):
        SeasonIndex.from_orders(log, until=date(2018, 9, 1))
    assert index.exposure(["2020-11-25"], ["2020-12-20"])[0] > 1.8 * 25
