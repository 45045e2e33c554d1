"""Row of the feature list that forecasts of repeat purchases own, on the log of CDNOW."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crmcore.idic.differentiate.buying import Purchases, choose_model, forecast
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
