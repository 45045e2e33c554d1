"""One door from orders to value; new customers; simulated cohorts; JSON."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import attrs
import numpy as np
import pytest

from crmcore.documents import dumps, loads
from crmcore.errors import BadDocument, BadRows, CrmError, EmptyInput, OutOfRange, WrongType
from crmcore.idic.differentiate.buying import BuyingModel, Purchases, RepeatBuying
from crmcore.idic.differentiate.clv import (
    CustomerRows,
    CustomerValueModel,
    HoldoutReport,
    NewCustomer,
    ValueTable,
    holdout_report,
)
from crmcore.idic.differentiate.spending import GammaGamma
from crmcore.tables import OrderTable

UNTIL = datetime(2025, 1, 1, tzinfo=UTC)


def _truth(model: str = "bg", k: int = 1, **more: Any) -> CustomerValueModel:
    theta = {"nbd": (0.385, 12.0), "bg": (0.6, 4.4, 0.8, 2.4), "mbg": (0.6, 6.2, 0.9, 1.6), "pareto": (0.6, 8, 0.7, 9)}
    timing = BuyingModel(
        model=model, k=k, theta=tuple(np.log(theta[model]).tolist()), covariance=None, log_likelihood=0.0, n=1,
        unit="week",
    )  # fmt: skip
    spend = GammaGamma().fit([1, 2, 3, 4], [10.0, 12, 9, 11]).with_vector(np.log([6.25, 3.74, 15.44]))
    return CustomerValueModel(timing=timing, spend=attrs.evolve(spend, observed_error=0.0), **more)


def _orders(n: int = 150, seed: int = 1) -> dict[str, Any]:
    """Columns of a log of two years: customers who buy at their own rate and spend at their own level."""
    rng = np.random.default_rng(seed)
    rate, level = rng.gamma(0.9, 1 / 60.0, n), 15 * 6 / rng.gamma(4.0, size=n)
    count = 1 + rng.poisson(rate * 500)
    who = np.repeat(np.arange(n), count)
    day = rng.integers(0, 730, len(who))
    amount = np.round(rng.gamma(6.0, level[who] / 6.0), 2) + 0.01
    time = np.datetime64("2023-01-01") + day
    return {"customer": [f"c{i}" for i in who.tolist()], "time": time, "amount": amount}


@pytest.fixture(scope="module")
def fitted() -> CustomerValueModel:
    """Model of the log."""
    return CustomerValueModel.fit(_orders(), until=UNTIL, currency="THB", zone="UTC", margin=0.4, cost_per_order=2.0)


def test_the_door_equals_the_parts_joined_by_hand(fitted: CustomerValueModel) -> None:
    orders = OrderTable.from_frame(_orders(), currency="THB", zone="UTC")
    seen = Purchases.of_orders(orders, until=UNTIL)
    by_hand = CustomerValueModel(
        timing=fitted.timing, spend=GammaGamma().fit(seen.frequency[seen.row], seen.spend), margin=0.4,
        cost_per_order=2.0,
    ).value(CustomerRows.of_purchases(seen), horizon_days=365)  # fmt: skip
    table = fitted.value(orders, horizon_days=365)
    for name, column in by_hand.columns.items():
        assert np.array_equal(table[name], column), name
    assert np.array_equal(fitted.value(_orders_table(), horizon_days=365)["clv"], table["clv"])


def _orders_table() -> OrderTable:
    frame = _orders()
    order = np.random.default_rng(3).permutation(len(frame["customer"]))
    shuffled = {k: [v[i] for i in order.tolist()] for k, v in frame.items()}
    return OrderTable.from_frame(shuffled, currency="THB", zone="UTC")


def test_the_report_says_what_was_chosen_and_why(fitted: CustomerValueModel) -> None:
    told = fitted.report()
    assert told.startswith(f"Timing: {fitted.title}")
    assert "Spend: Gamma-Gamma of" in told
    assert "40 % of spend stays, less 2 THB to serve an order" in told
    assert all(reason in told for reason in fitted.reasons)
    assert len(fitted._repr_html_()) < 6000
    stages: list[str] = []
    CustomerValueModel.fit(_orders(60), currency="THB", zone="UTC", progress=lambda s, *_: stages.append(s))
    assert {"models", "spend"} <= set(stages)


def test_values_know_their_customers_but_never_show_them(fitted: CustomerValueModel) -> None:
    table = fitted.value(_orders_table(), horizon_days=365)
    assert table.customers is not None
    assert "c1" in table.customers
    assert "c1" in list(table.to_frame()["customer"])
    for shown in (repr(table), str(table), table._repr_html_(), repr(fitted), fitted.report()):
        assert "c1'" not in shown
        assert "'c" not in shown
    assert table.currency == "THB"
    assert table.orders.low < table.orders.value < table.orders.high
    assert [set(row) >= {"low", "high"} for row in table.interval_chart().rows] == [True] * 10


def test_several_currencies_and_logs_without_returns_to_the_shop_are_refused() -> None:
    frame = {**_orders(20), "currency": ["THB"] * 5 + ["EUR"] * (len(_orders(20)["customer"]) - 5)}
    with pytest.raises(CrmError, match="EUR"):
        CustomerValueModel.fit(frame, zone="UTC")
    once = {"customer": ["a", "b"], "time": ["2024-01-01", "2024-02-01"], "amount": [5, 7]}
    with pytest.raises(EmptyInput, match="repeat"):
        CustomerValueModel.fit(once, currency="THB", zone="UTC")
    with pytest.raises(OutOfRange, match="margin"):
        _truth(margin=1.2)
    with pytest.raises(OutOfRange, match="cost_per_order"):
        _truth(cost_per_order=-1.0)


def test_rows_in_another_unit_than_the_model_are_refused() -> None:
    rows = CustomerRows.of([1], [5], [9], mean_spend=[3], unit_days=1)
    with pytest.raises(OutOfRange, match="the week of the timing model"):
        _truth().value(rows, horizon_days=70)


def test_cost_to_serve_comes_off_every_order_and_may_leave_less_than_nothing() -> None:
    cohort = _truth().simulate(200, age_days=270, ahead_days=70, seed=4)
    plain, dear = (_truth(margin=0.3, cost_per_order=c).value(cohort.rows, horizon_days=365) for c in (0.0, 8.0))
    orders = plain["clv"] / (plain["spend"] * 0.3)
    assert dear["clv"] == pytest.approx(plain["clv"] - 8.0 * orders)
    assert (dear["clv"] < 0).any()
    lucky = _truth(margin=0.3, cost_per_order=8.0).value(cohort.rows, horizon_days=365, kind="predictive")
    assert (lucky["clv_low"] < 0).any()


@pytest.mark.parametrize("model", ["nbd", "bg", "mbg", "pareto"])
def test_a_new_customer_orders_as_the_timing_model_expects_of_one(model: str) -> None:
    truth = _truth(model)
    found = truth.new_customer(horizon_days=364, annual_discount=0.0)
    assert isinstance(truth.timing, BuyingModel)
    assert found.orders.value == pytest.approx(truth.timing.expected_new([52.0])[0])
    assert found.value.value == pytest.approx(found.orders.value * truth.spend.mean_spend)
    won = truth.new_customer(horizon_days=364, annual_discount=0.0, acquisition_cost=10.0)
    assert won.value.value == pytest.approx((1 + found.orders.value) * truth.spend.mean_spend - 10.0)
    near, far = (truth.new_customer(horizon_days=h).orders.value for h in (36_500, math.inf))
    assert near < far


def test_a_new_customer_for_ever_equals_the_closed_form_of_steady_buyers() -> None:
    rate = math.log(1.1) * 7 / 365.25
    assert _truth("nbd").new_customer(horizon_days=math.inf).orders.value == pytest.approx(
        0.385 / 12.0 / rate, rel=1e-6
    )


def test_a_new_customer_has_intervals_and_three_ways_out(fitted: CustomerValueModel) -> None:
    found = fitted.new_customer(acquisition_cost=5.0)
    for estimate in (found.spend, found.value):
        assert estimate.low < estimate.value < estimate.high
    assert "a new customer is worth" in str(found)
    assert len(found.to_frame()) == 3
    assert "less the cost to win" in found._repr_html_()
    assert NewCustomer.from_dict(json.loads(dumps(found))) == found
    assert fitted.new_customer(acquisition_cost=5.0) == found
    for wrong in (
        {"horizon_days": 0.0},
        {"acquisition_cost": -1.0},
        {"horizon_days": math.inf, "annual_discount": 0.0},
    ):
        with pytest.raises(OutOfRange):
            fitted.new_customer(**wrong)


@pytest.mark.parametrize(("model", "k"), [("nbd", 1), ("bg", 1), ("mbg", 1), ("pareto", 1), ("mbg", 2), ("bg", 3)])
def test_what_is_drawn_has_the_mean_that_is_expected(model: str, k: int) -> None:
    from crmcore.idic.differentiate.clv.happening import drawn_orders

    truth, rng = _truth(model, k), np.random.default_rng(5)
    x, t, end = np.array([0.0, 1, 4, 9]), np.array([0.0, 12, 30, 21]), np.full(4, 38.9)
    rows = CustomerRows.of(x, t, end, mean_spend=np.full(4, 9.0), unit_days=7)
    expected, alive = truth.timing.expected(x, t, end, horizon=39.0), truth.timing.p_alive(x, t, end)
    many = 20_000
    orders = drawn_orders(
        truth.timing, rows, theta=np.tile(truth.timing.vector(), (many, 1)), p_alive=np.tile(alive, (many, 1)),
        expected=np.tile(expected, (many, 1)), horizon=39.0, rng=rng,
    )  # fmt: skip
    error = orders.std(axis=0) / math.sqrt(many)
    assert np.all(np.abs(orders.mean(axis=0) - expected) < 4.5 * error + 1e-9)


def test_what_is_drawn_of_unknown_timing_models_keeps_their_mean() -> None:
    from crmcore.idic.differentiate.clv.happening import drawn_orders

    class Foreign:
        parameters = {"r": 0.5}

    rows = CustomerRows.of([3.0], [20.0], [30.0], mean_spend=[5.0], unit_days=7)
    p, e = np.full((20_000, 1), 0.5), np.full((20_000, 1), 2.0)
    drawn = drawn_orders(
        Foreign(), rows, theta=p, p_alive=p, expected=e, horizon=10.0, rng=np.random.default_rng(1)  # type: ignore[arg-type]
    )  # fmt: skip
    assert drawn.mean() == pytest.approx(2.0, abs=0.1)
    assert (drawn == 0).mean() > 0.5


def test_equal_customers_get_equal_intervals_however_they_are_passed() -> None:
    cohort = _truth().simulate(80, age_days=270, ahead_days=70, seed=6)
    rows = cohort.rows
    twice = rows.take(np.concatenate([np.arange(80), np.arange(80)[::-1]]))
    for kind in ("expectation", "predictive"):
        once, both = (_truth().value(r, horizon_days=270, kind=kind, seed=2) for r in (rows, twice))
        for name, column in once.columns.items():
            assert np.array_equal(both[name][:80], column), (kind, name)
            assert np.array_equal(both[name][80:][::-1], column), (kind, name)
        assert both.total.value == pytest.approx(2 * once.total.value)


def test_a_simulated_cohort_gives_its_model_back() -> None:
    truth = _truth()
    cohort = truth.simulate(4000, age_days=273, ahead_days=273, seed=7)
    again = GammaGamma().fit(cohort.rows.frequency, cohort.rows.mean_spend)
    assert again.mean_spend == pytest.approx(truth.spend.mean_spend, rel=0.1)
    table = truth.value(cohort.rows, horizon_days=273, annual_discount=0.0, kind="predictive")
    assert table.total.low < cohort.later_spend.sum() < table.total.high
    assert len(cohort.to_frame()) == len(cohort) == 4000
    assert "still there" in repr(cohort)
    seen = truth.simulate(50, age_days=273, ahead_days=273, seed=7).to_frame()
    assert seen.equals(truth.simulate(50, age_days=273, ahead_days=273, seed=7).to_frame())
    with pytest.raises(OutOfRange, match="age_days"):
        truth.simulate(5, age_days=0, ahead_days=1, seed=1)


def test_models_tables_and_reports_come_back_from_json(fitted: CustomerValueModel) -> None:
    again = CustomerValueModel.from_dict(json.loads(json.dumps(fitted.to_dict())))
    assert again == fitted
    table = fitted.value(_orders_table(), horizon_days=365)
    back = loads(ValueTable, dumps(table))
    assert back.customers == table.customers
    assert all(np.array_equal(back[k], table[k]) for k in table.columns)
    assert back.total == table.total
    report = holdout_report([1.0, 2.0], [1, 3])
    assert HoldoutReport.from_dict(report.to_dict()) == report
    with pytest.raises(BadDocument, match="timing: missing"):
        CustomerValueModel.from_dict({})
    with pytest.raises(BadDocument, match="colour"):
        CustomerValueModel.from_dict({**fitted.to_dict(), "colour": 1})


def test_a_foreign_timing_model_is_valued_but_not_saved() -> None:
    @attrs.frozen
    class Steady:
        parameters = {"rate": 0.1}
        covariance = None

        def vector(self) -> Any:
            return np.log([0.1])

        def with_vector(self, _vector: Any, /) -> Any:
            return self

        def expected(self, x: Any, _t: Any, _age: Any, /, *, horizon: float) -> Any:
            return np.full(len(x), 0.1 * horizon)

        def p_alive(self, x: Any, _t: Any, _age: Any, /) -> Any:
            return np.ones(len(x))

    model = CustomerValueModel(timing=Steady(), spend=_truth().spend)
    rows = CustomerRows.of([1], [5], [9], mean_spend=[3], unit_days=1)
    assert model.value(rows, horizon_days=10, annual_discount=0.0)["expected"] == pytest.approx(1.0)
    for refused in (model.to_dict, model.new_customer, lambda: model.simulate(5, age_days=1, ahead_days=1, seed=1)):
        with pytest.raises(WrongType, match="BuyingModel"):
            refused()


def test_where_spend_hardly_varies_the_observed_mean_says_how_well_it_is_known() -> None:
    rng = np.random.default_rng(9)
    x = rng.integers(1, 5, 60).astype(float)
    spend = GammaGamma().fit(x, 10.0 + rng.normal(0, 1.0, 60) / np.sqrt(x))
    at_edge = attrs.evolve(spend, covariance=None)
    rows = CustomerRows.of([0, 2], [0, 5], [9, 9], mean_spend=[0, 10], unit_days=7)
    table = CustomerValueModel(timing=_truth().timing, spend=at_edge).value(rows, horizon_days=70)
    assert (table["spend_low"] < table["spend"]).all()
    heavy = attrs.evolve(
        spend.with_vector(np.log([2.0, 0.9, 5.0])), covariance=((0.01, 0, 0), (0, 0.01, 0), (0, 0, 0.01))
    )
    assert heavy.infinite_mean
    wide = CustomerValueModel(timing=_truth().timing, spend=heavy).value(rows, horizon_days=70)
    assert np.isfinite(wide["clv_high"]).all()
    assert (wide["spend_high"] > wide["spend_low"]).all()


def test_hostile_rows_give_finite_ends() -> None:
    model = CustomerValueModel(
        timing=RepeatBuying(model="nbd").fit(Purchases.of([2, 0], [3, 0], [5, 5])), spend=_truth().spend
    )
    rows = CustomerRows.of([0, 1e5, 1], [0, 1e5, 1e-6], [1e5, 1e5, 1e5], mean_spend=[0, 1e9, 1e-9], unit_days=7)
    for kind in ("expectation", "predictive"):
        table = model.value(rows, horizon_days=365, kind=kind)
        assert all(np.isfinite(c).all() for c in table.columns.values()), kind
    with pytest.raises(BadRows):
        CustomerValueModel.fit({"customer": ["a"], "time": ["never"], "amount": [1]}, currency="THB", zone="UTC")
