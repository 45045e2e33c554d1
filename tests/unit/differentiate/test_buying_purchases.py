"""Reading purchases, choosing a model, forecasting: what is counted, what is left out, what is refused."""

# ruff: noqa: E501  (rows read best as lines)

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from crmcore.errors import BadDocument, BadRows, EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.idic.differentiate.buying import (
    BuyingModel,
    ModelChoice,
    Purchases,
    RepeatBuying,
    choose_model,
    forecast,
    simulate_cohort,
)
from crmcore.tables import OrderTable


def orders(rows: list[tuple[str | None, str, float]]) -> OrderTable:
    who, when, amount = zip(*rows, strict=True)
    return OrderTable.from_frame(
        {"customer": list(who), "time": list(when), "amount": list(amount)}, currency="EUR", zone="UTC"
    )


LOG = [
    ("zoe", "2026-01-05", 20.0), ("zoe", "2026-01-05T15:00", 5.0), ("zoe", "2026-01-19", 30.0), ("zoe", "2026-02-02", 10.0),
    ("ben", "2026-01-12", 50.0), ("ben", "2026-01-20", 40.0), ("ben", "2026-01-20", -40.0), (None, "2026-01-12", 9.0),
    ("cyd", "2026-01-26", 0.0), ("zoe", "2026-03-30", 99.0),
]  # fmt: skip


def test_days_are_purchases_and_returns_take_them_back() -> None:
    seen = Purchases.of_orders(orders(LOG), until=datetime(2026, 2, 9, tzinfo=UTC))
    frame = seen.to_frame(backend="polars").sort("customer")
    assert frame["customer"].to_list() == ["ben", "cyd", "zoe"]
    assert frame["frequency"].to_list() == [0, 0, 2]
    assert frame["recency"].to_list() == [0, 0, 4]
    assert frame["age"].round(4).to_list() == [round(27 / 7, 4), round(13 / 7, 4), round(34 / 7, 4)]
    assert frame["spend"].to_list() == [None, None, 20.0]
    assert seen.left_out == {"orders of nobody known": 1, "orders after the end": 1, "days without a net purchase": 1}
    assert "left out" in str(seen)


def test_a_later_end_is_more_silence() -> None:
    early = Purchases.of_orders(orders(LOG))
    late = Purchases.of_orders(orders(LOG), until=datetime(2027, 1, 1, tzinfo=UTC))
    assert late.age.max() > early.age.max()
    assert late.repeats == early.repeats


def test_a_cohort_by_birth_and_other_units() -> None:
    born = (datetime(2026, 1, 10, tzinfo=UTC), datetime(2026, 1, 20, tzinfo=UTC))
    seen = Purchases.of_orders(orders(LOG), until=datetime(2026, 2, 9, tzinfo=UTC), born=born, unit="day")
    assert seen.customers is not None
    assert seen.customers.ids == ("ben",)
    assert seen.age.tolist() == [27]
    assert seen.left_out["customers born outside"] == 2
    with pytest.raises(UnknownName, match="fortnight"):
        Purchases.of_orders(orders(LOG), unit="fortnight")
    with pytest.raises(EmptyInput, match="born"):
        Purchases.of_orders(orders(LOG), born=(born[0], born[0]))


def test_what_came_later_is_counted_by_day_and_customer() -> None:
    seen = Purchases.of_orders(orders(LOG), until=datetime(2026, 1, 15, tzinfo=UTC))
    came = seen.bought_after(
        orders(LOG), since=datetime(2026, 1, 15, tzinfo=UTC), until=datetime(2026, 4, 1, tzinfo=UTC)
    )
    assert seen.customers is not None
    assert dict(zip(seen.customers.ids, came.tolist(), strict=True)) == {"zoe": 3, "ben": 0}
    with pytest.raises(OutOfRange, match="turn"):
        seen.bought_after(orders(LOG), since=datetime(2026, 4, 1, tzinfo=UTC), until=datetime(2026, 1, 15, tzinfo=UTC))


def test_equal_customers_are_one_row_and_json_keeps_all() -> None:
    seen = Purchases.of([1, 0, 1], [3, 0, 3], [9, 9, 9], spend=[5, None, 7])
    assert (len(seen), len(seen.frequency)) == (3, 2)
    again = Purchases.from_dict(seen.to_dict())
    assert again.to_dict() == seen.to_dict()
    assert len(seen.take([True, False, True])) == 2
    with pytest.raises(BadDocument):
        Purchases.from_dict({"unit": "week"})


def test_all_rows_that_contradict_themselves_are_named_at_once() -> None:
    with pytest.raises(BadRows) as caught:
        Purchases.of([-1, 1, 0, 2, 1.5, 1], [0, 99, 5, 0, 1, np.nan], [9, 9, 9, 9, 9, 9])
    told = str(caught.value)
    for part in (
        "no whole number from 0 in 2 rows [0, 4]",
        "after the end",
        "nothing was bought again",
        "time of the first",
        "recency",
    ):
        assert part in told


def test_what_is_no_log_is_refused() -> None:
    with pytest.raises(WrongType, match="OrderTable"):
        Purchases.of_orders([1, 2])  # type: ignore[arg-type]
    with pytest.raises(EmptyInput, match="before the end"):
        Purchases.of_orders(orders(LOG), until=datetime(2020, 1, 1, tzinfo=UTC))
    with pytest.raises(EmptyInput):
        Purchases.of([], [], [])
    with pytest.raises(OutOfRange, match="rows"):
        Purchases.of([1, 2], [1], [3, 4])


@pytest.fixture(scope="module")
def seen() -> Purchases:
    truth = BuyingModel(
        model="bg",
        k=1,
        theta=tuple(np.log([0.8, 6.0, 0.8, 2.5])),
        covariance=None,
        log_likelihood=0.0,
        n=1,
        unit="week",
    )
    return simulate_cohort(truth, 800, age=39, ahead=1, seed=1).purchases


@pytest.mark.parametrize("name", ["nbd", "bg", "mbg", "pareto"])
def test_models_read_and_write_themselves_and_say_what_they_are(seen: Purchases, name: str) -> None:
    found = RepeatBuying(model=name).fit(seen)
    assert BuyingModel.from_dict(found.to_dict()) == found
    assert found.title in str(found)
    assert all(e.low < e.value < e.high for e in found.parameters_table()) or found.boundary
    assert len(found._repr_html_()) < 6000
    assert found.aic < found.bic
    with pytest.raises(BadDocument):
        BuyingModel.from_dict({**found.to_dict(), "model": "bgg"})


def test_recipes_that_do_not_exist_are_refused() -> None:
    with pytest.raises(UnknownName, match="bg"):
        RepeatBuying(model="bgnbd")
    with pytest.raises(OutOfRange, match="expected 1"):
        RepeatBuying(model="pareto", k=2)
    with pytest.raises(OutOfRange):
        RepeatBuying(k=0)


def test_a_choice_gives_its_reasons(seen: Purchases) -> None:
    choice = choose_model(seen)
    assert choice.reasons
    assert choice.candidates[0].aic == min(m.aic for m in choice.candidates)
    assert ModelChoice.from_dict(choice.to_dict()) == choice
    assert choice.to_frame(backend="pandas").shape[0] == len(choice.candidates)
    with pytest.raises(UnknownName):
        choose_model(seen, models=["arima"])


def test_where_no_dropout_can_be_seen_nbd_says_so() -> None:
    rng = np.random.default_rng(2)
    x = rng.poisson(rng.gamma(2, 4, 500))
    t = np.where(x > 0, 39 * rng.beta(x + 1e-9, 1), 0)
    choice = choose_model(Purchases.of(x, np.where(x > 0, np.maximum(t, 0.01), 0), np.full(500, 39.0)))
    assert choice.model.model == "nbd"
    assert any("no dropout can be seen" in r for r in choice.reasons)


def test_one_customer_and_equal_customers_still_get_a_model() -> None:
    for rows in (
        ([1], [3.0], [9.0]),
        ([0], [0.0], [9.0]),
        ([2] * 50, [4.0] * 50, [9.0] * 50),
        ([0] * 9, [0] * 9, [0] * 9),
    ):
        made = Purchases.of(*rows)
        assert np.isfinite(forecast(choose_model(made).model, made, horizon=10).expected).all()


def test_forecasts_have_intervals_and_are_checked(seen: Purchases) -> None:
    found = forecast(RepeatBuying(model="bg").fit(seen), seen, horizon=20)
    assert ((found.expected_low <= found.expected) & (found.expected <= found.expected_high)).all()
    assert ((found.p_alive_low <= found.p_alive + 1e-12) & (found.p_alive <= found.p_alive_high + 1e-12)).all()
    assert found.total.low < found.total.value < found.total.high
    check = found.against(np.full(800, 1.0))
    assert check.actual_total == 800
    assert "mean absolute error" in str(check)
    assert check.to_frame(backend="polars").height == len(check.by_frequency)
    assert len(found.chart().rows) > 0
    assert len(check.chart().rows) > 0
    with pytest.raises(OutOfRange):
        found.against([1, 2])
    with pytest.raises(OutOfRange, match="week"):
        forecast(found.model, Purchases.of([1], [1], [2], unit="day"), horizon=3)
    with pytest.raises(OutOfRange):
        found.model.expected([1], [1], [2], horizon=-1)


def test_customers_do_not_show_in_what_is_printed() -> None:
    made = Purchases.of_orders(orders(LOG))
    told = repr(made) + str(made) + made._repr_html_() + repr(forecast(choose_model(made).model, made, horizon=4))
    assert "zoe" not in told


def test_packed_and_plain_sorts_merge_alike() -> None:
    from crmcore.idic.differentiate.buying.days import sorted_rows

    rng = np.random.default_rng(7)
    x = rng.integers(0, 4, 500).astype(float)
    t = np.where(x > 0, rng.integers(1, 60, 500), 0) / 7
    age = (t * 7 + rng.integers(0, 40, 500)) / 7
    assert sorted_rows(x, t, age, 7.0).tolist() == np.lexsort((age, t, x)).tolist()
    assert (
        sorted_rows(x, t + 1e-3 * (x > 0), age + 1, 7.0).tolist()
        == np.lexsort((age + 1, t + 1e-3 * (x > 0), x)).tolist()
    )
