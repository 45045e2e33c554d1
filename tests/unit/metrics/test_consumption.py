"""Forecasts of consumption: sentences, edges, and the trigger that they feed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from crmcore.errors import BadRows, EmptyInput, OutOfRange
from crmcore.idic.interact.contact.triggers import Birthday, Sources, fire
from crmcore.metrics.consumption import ConsumptionForecast, forecast_consumption
from crmcore.rules import FactTable
from crmcore.tables import CustomerIndex

START = np.datetime64("2026-01-01", "us")
NOW = datetime(2026, 5, 1, tzinfo=UTC)


def days(*numbers: float) -> np.ndarray:
    return START + (np.array(numbers) * 86_400_000_000).astype("timedelta64[us]")


def bought(**given: object) -> ConsumptionForecast:
    names = ["ann"] * 4 + ["ben"] * 4 + ["cyd"]
    at = days(0, 30, 60, 90, 0, 10, 20, 110, 100)
    amounts = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 9.0, 3.0, 1.0]
    return forecast_consumption(names, at, amounts, **{"unit": "kg", "now": NOW, **given})  # type: ignore[arg-type]


def test_who_uses_three_times_as_much_runs_out_in_a_third_of_the_time() -> None:
    got = bought()
    assert got.names == ("ann", "ben", "cyd")
    assert got.n.tolist() == [3, 3, 0]
    assert got.rate == pytest.approx([1 / 30, 11 / 110, got.usual_rate], rel=0.25)
    assert (got.rate_low < got.rate).all()
    assert (got.runs_out_low < got.runs_out).all()
    assert (got.runs_out > np.datetime64("2026-05-01")).all()  # not bought again by now: it lasted until now
    assert np.diff(got.rate[[0, 2, 1]] > 0).sum() == 0


def test_one_purchase_is_forecast_from_the_others_with_a_wider_interval() -> None:
    got = bought(now=datetime(2026, 4, 12, tzinfo=UTC))
    width = (got.rate_high / got.rate_low)[[0, 2]]
    assert width[1] > width[0]


def test_a_forecast_says_what_it_is_and_names_nobody() -> None:
    got = bought()
    assert repr(got) == "ConsumptionForecast(3 supplies, kg)"
    assert str(got).startswith("3 supplies, usually 0.0")
    assert "ann" not in repr(got) + str(got) + got._repr_html_()
    assert len(got._repr_html_()) < 6000
    assert len(got.to_frame()) == 3
    again = ConsumptionForecast.from_dict(got.to_dict())
    assert again.to_dict() == got.to_dict()


def test_bad_rows_are_all_named_at_once_and_units_are_not_mixed() -> None:
    when = days(0, 1, 2, 3)
    when[1] = np.datetime64("NaT")
    with pytest.raises(BadRows, match=r"(?s)at: no time in 1 row.*amounts: not a finite number from 0 in 2 rows"):
        forecast_consumption(["a"] * 4, when, [1, 1, np.nan, -1], unit="kg", now=NOW)
    with pytest.raises(OutOfRange, match=r"(?s)g, kg.*one unit.*convert first"):
        forecast_consumption(["a"] * 2, days(0, 1), [1, 1], unit=["kg", "g"], now=NOW)
    with pytest.raises(EmptyInput, match="bought or read twice"):
        forecast_consumption(["a", "b"], days(0, 1), [1, 1], unit="kg", now=NOW)
    with pytest.raises(BadRows, match=r"(?s)below an earlier reading.*replaced"):
        forecast_consumption(["a"] * 3, days(0, 1, 2), [5, 7, 6], unit="km", now=NOW, due={})


def test_a_purchase_of_nothing_is_counted_and_left_out() -> None:
    names, at, amounts = ["a"] * 4, days(0, 10, 15, 20), [1.0, 1.0, 0.0, 1.0]
    got = forecast_consumption(names, at, amounts, unit="kg", now=NOW)
    same = forecast_consumption(["a"] * 3, days(0, 10, 20), [1, 1, 1], unit="kg", now=NOW)
    assert (got.zeros, got.n.tolist()) == (1, [2])
    assert (got.rate == same.rate).all()


def test_a_meter_is_due_when_it_has_gone_on_so_far_and_at_once_when_it_has() -> None:
    names, at, km = (
        ["ann"] * 5 + ["ben"] * 3,
        days(0, 20, 40, 60, 80, 0, 40, 80),
        [0, 200, 200, 600, 800, 0, 4000, 8000],
    )
    got = forecast_consumption(names, at, km, unit="km", now=NOW, due={"ann": 1000, "ben": 7000})
    assert got.rate == pytest.approx([10, 100], rel=0.35)
    assert days(85)[0] < got.runs_out[0] < days(130)[0]
    assert got.runs_out[1] == days(80)[0]
    assert np.isnat(forecast_consumption(names, at, km, unit="km", now=NOW, due={}).runs_out).all()


def test_a_trigger_writes_a_week_before_a_supply_runs_out() -> None:
    got, people = bought(), CustomerIndex.of(["ann", "ben", "zoe"])
    facts = FactTable(people, {"runs out": got.dates(people.ids).astype("datetime64[D]")})
    found = fire(Birthday("refill", date="runs out", days_before=7, at="09:00"), Sources(people, facts),
                 since=NOW - timedelta(days=30), until=NOW + timedelta(days=300))  # fmt: skip
    frame = found.to_frame()
    assert sorted(frame["customer"]) == ["ann", "ben"]
    told = dict(zip(frame["customer"], frame["at"], strict=True))
    assert told["ann"].date() == got.dates(["ann"])[0].item().date() - timedelta(days=7)
    assert (got.dates(["ann"], low=True) < got.dates(["ann"])).all()
