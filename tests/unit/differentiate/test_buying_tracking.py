"""Tracking: purchases are counted in the period in which they fell, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from crmcore.errors import EmptyInput, OutOfRange
from crmcore.idic.differentiate.buying import BuyingModel, Purchases, RepeatBuying, track
from crmcore.tables import OrderTable

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def orders() -> OrderTable:
    rng = np.random.default_rng(3)
    who, when = [], []
    for customer in range(200):
        day = int(rng.integers(0, 30))
        while day < 150:
            who.append(f"c{customer}")
            when.append(START + timedelta(days=day, hours=int(rng.integers(24))))
            day += int(rng.integers(1, 60))
    return OrderTable.from_frame({"customer": who, "time": when, "amount": [5] * len(who)}, currency="EUR")


def test_every_repeat_purchase_stands_in_one_period(orders: OrderTable) -> None:
    split, end = START + timedelta(days=70), START + timedelta(days=140)
    seen = Purchases.of_orders(orders, until=split)
    found = track(RepeatBuying(model="nbd").fit(seen), seen, orders, seen_until=split, until=end)
    first = (orders.time.min() - np.datetime64(START.replace(tzinfo=None))) // np.timedelta64(1, "D")
    covered = START + timedelta(days=int(first) + 7 * len(found))
    every = seen.bought_after(orders, since=START, until=covered).sum() - len(seen)
    assert found.actual.sum() == every
    assert (found.expected > 0).all()
    assert "fitted" in str(found)
    assert "foretold" in str(found)
    assert found.to_frame(backend="polars").height == len(found)
    assert len(found.chart().rows) == 2 * len(found)


def test_what_cannot_be_tracked_is_refused(orders: OrderTable) -> None:
    split = START + timedelta(days=70)
    seen = Purchases.of_orders(orders, until=split)
    model: BuyingModel = RepeatBuying(model="nbd").fit(seen)
    with pytest.raises(OutOfRange, match="or later"):
        track(model, seen, orders, seen_until=split, until=START)
    with pytest.raises(EmptyInput, match="read the purchases from orders"):
        track(model, Purchases.of([1], [2], [3]), orders, seen_until=split, until=split)
