"""Row of the feature list that forecasts of repeat purchases own, on the log of CDNOW."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crmcore.idic.differentiate.buying import (
    Purchases,
    choose_calendar,
    choose_model,
    forecast,
    pool_segments,
    split_orders,
)
from crmcore.tables import OrderTable


@pytest.fixture(scope="module")
def cdnow(data_dir: Path) -> OrderTable:
    with gzip.open(data_dir / "cdnow" / "sample_log.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    return OrderTable.from_frame(
        {"customer": [r["customer_id"] for r in rows], "time": [r["date"] for r in rows],
         "amount": [r["value"] for r in rows]},
        currency="USD", zone="UTC",
    )  # fmt: skip


def test_row_020_a_time_split_is_calibrated_in_the_second_half_with_its_error(cdnow: OrderTable) -> None:
    split, end = datetime(1997, 10, 1, tzinfo=UTC), datetime(1998, 7, 1, tzinfo=UTC)
    seen = Purchases.of_orders(cdnow, until=split)
    choice = choose_model(seen)
    check = forecast(choice.model, seen, horizon=39).against(seen.bought_after(cdnow, since=split, until=end))
    assert check.actual_total == pytest.approx(1882, abs=1)
    assert check.error.low < check.error.value < check.error.high
    assert check.error.value < 0.7855  # BG/NBD at its maximum likelihood
    assert abs(check.total_off) < 0.2
    expected = [r["expected"] for r in check.by_frequency]
    assert expected == sorted(expected)


def test_row_020_the_future_cannot_leak(cdnow: OrderTable) -> None:
    split = datetime(1997, 10, 1, tzinfo=UTC)
    early = cdnow.take(cdnow.time < split.replace(tzinfo=None))
    assert Purchases.of_orders(early, until=split).to_dict() == Purchases.of_orders(cdnow, until=split).to_dict()


def test_row_020_two_years_of_a_log_have_a_season_that_betters_error_and_total(data_dir: Path) -> None:
    with gzip.open(data_dir / "apparel_simulated" / "apparelTrans.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    orders = OrderTable.from_frame(
        {k: [r[c] for r in rows] for k, c in (("customer", "Id"), ("time", "Date"), ("amount", "Price"))},
        currency="EUR", zone="UTC",
    )  # fmt: skip
    at, until = datetime(2007, 1, 1, tzinfo=UTC), datetime(2010, 12, 21, tzinfo=UTC)
    season = choose_calendar(orders, until=at)
    assert season.whole_years >= 1
    seen = split_orders(orders, at=at, until=until, calendar=season.calendar)
    check = forecast(choose_model(seen.seen).model, seen.seen, horizon=seen.horizon).against(seen.later)
    assert check.error.value < 2.0  # Pareto/NBD of CLVTools: 2.040, and 2.007 with covariates
    assert abs(check.total_off) < 0.1


def test_row_020_nine_months_have_no_calendar_unless_somebody_vouches_for_it(cdnow: OrderTable) -> None:
    split, end = datetime(1997, 10, 1, tzinfo=UTC), datetime(1998, 7, 1, tzinfo=UTC)
    assert choose_calendar(cdnow, until=split).calendar is None
    vouched = choose_calendar(cdnow, until=split, short_ok=True)
    seen = split_orders(cdnow, at=split, until=end, calendar=vouched.calendar)
    check = forecast(choose_model(seen.seen).model, seen.seen, horizon=seen.horizon).against(seen.later)
    assert abs(check.total_off) < 0.1


def test_row_020_segments_of_a_log_are_pooled_and_say_how_far(cdnow: OrderTable) -> None:
    seen = Purchases.of_orders(cdnow, until=datetime(1997, 10, 1, tzinfo=UTC))
    assert seen.customers is not None
    found = pool_segments(seen, [f"digit {i[-1]}" for i in seen.customers.ids], model="mbg")
    assert len(found.models) == 10
    assert max(found.own.values()) < 0.5  # the last digit of an id tells next to nothing
    assert "10 segments of 2,357 customers by MBG/NBD" in str(found)
