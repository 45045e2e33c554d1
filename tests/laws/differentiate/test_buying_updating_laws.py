"""Carrying purchases on equals reading everything again; a split sees nothing of what comes later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import DuplicateIds, EmptyInput, OutOfRange
from crmcore.idic.differentiate.buying import Purchases, split_orders, with_later_orders
from crmcore.tables import CustomerIndex, OrderTable

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
line = st.tuples(st.sampled_from("abcdefg"), st.integers(0, 39), st.integers(0, 23), st.integers(-3, 9))


def day(n: int) -> datetime:
    return BEGIN + timedelta(days=n)


def table(lines: list[tuple[str, int, int, int]], currency: str = "EUR") -> OrderTable:
    return OrderTable.from_frame(
        {"customer": [c for c, *_ in lines], "time": [day(d) + timedelta(hours=h) for _, d, h, _ in lines],
         "amount": [a for *_, a in lines]},
        currency=currency, zone="UTC",
    )  # fmt: skip


def facts(p: Purchases) -> dict[str, tuple[float, ...]]:
    assert p.customers is not None
    cells = zip(p.frequency[p.row], p.recency[p.row], p.age[p.row], np.nan_to_num(p.spend, nan=-1), strict=True)
    return {c: tuple(float(v) for v in row) for c, row in zip(p.customers.ids, cells, strict=True)}


@given(st.lists(line, min_size=1, max_size=60), st.integers(1, 39), st.sampled_from(["day", "week", "month"]))
@settings(max_examples=120, deadline=None)
def test_carried_on_equals_read_again(lines: list[tuple[str, int, int, int]], at: int, unit: str) -> None:
    lines = [("a", 0, 0, 5), *lines, ("a", 0, 0, 20)]
    early = Purchases.of_orders(table([row for row in lines if row[1] < at]), until=day(at), unit=unit)
    carried = with_later_orders(early, table(lines), since=day(at), until=day(45))
    again = Purchases.of_orders(table(lines), until=day(45), unit=unit)
    got, want = facts(carried), facts(again)
    assert carried.log_gaps.sum() == pytest.approx(again.log_gaps.sum(), abs=1e-9)
    assert got.keys() == want.keys()
    for who, row in want.items():
        assert got[who] == pytest.approx(row, abs=1e-9)


@given(st.lists(line, max_size=60), st.integers(1, 39))
@settings(max_examples=60, deadline=None)
def test_a_split_sees_nothing_later_and_counts_days_by_hand(lines: list[tuple[str, int, int, int]], at: int) -> None:
    lines = [("a", 0, 0, 25), *lines]
    split = split_orders(table(lines), at=day(at), until=day(40))
    alone = Purchases.of_orders(table([row for row in lines if row[1] < at]), until=day(at))
    assert facts(split.seen) == facts(alone)
    assert split.horizon == pytest.approx((40 - at) / 7)
    assert split.seen.customers is not None
    for who, later in zip(split.seen.customers.ids, split.later.tolist(), strict=True):
        days = {d for c, d, _, _ in lines if c == who and d >= at}
        amounts = [[a for c, e, _, a in lines if c == who and e == d] for d in days]
        assert later == sum(sum(a) > 0 or (sum(a) == 0 and min(a) >= 0) for a in amounts)


def test_a_cohort_stays_what_it_is_and_ends_lie_between_days() -> None:
    lines = [("a", 0, 0, 5), ("b", 20, 0, 5), ("a", 21, 0, 7)]
    early = Purchases.of_orders(table(lines), until=day(10))
    assert list(facts(with_later_orders(early, table(lines), since=day(10), until=day(30), newcomers=False))) == ["a"]
    with pytest.raises(OutOfRange, match="midnight"):
        split_orders(table(lines), at=day(10) + timedelta(hours=1), until=day(30))
    with pytest.raises(OutOfRange, match="later than"):
        with_later_orders(early, table(lines), since=day(10), until=day(10))
    with pytest.raises(EmptyInput, match="ids"):
        with_later_orders(Purchases.of([0], [0], [9]), table(lines), since=day(10), until=day(30))


@pytest.mark.parametrize("currency", ["JPY", "EUR", "KWD"])
def test_spend_is_in_major_units_of_any_currency(currency: str) -> None:
    seen = Purchases.of_orders(table([("a", 0, 0, 500), ("a", 9, 0, 700)], currency))
    assert seen.spend.tolist() == [700.0]


def test_ids_stay_with_their_rows_in_any_order() -> None:
    seen = Purchases.of([1, 2, 3], [1, 2, 3], [9, 9, 9], spend=[1, 2, 3], customers=CustomerIndex(("z", "b", "a")))
    want = {"z": (1, 1, 9, 1), "b": (2, 2, 9, 2), "a": (3, 3, 9, 3)}
    assert facts(seen) == want
    assert facts(Purchases.from_dict(seen.to_dict())) == want
    assert facts(seen.take([2, 0])) == {"a": want["a"], "z": want["z"]}
    with pytest.raises(DuplicateIds):
        seen.take([0, 0])
    with pytest.raises(OutOfRange, match="keeps the order"):
        Purchases.of([1, 2], [1, 2], [9, 9], customers=CustomerIndex.of(["a", "a"]))


def test_orders_whose_index_is_not_sorted_keep_their_customers() -> None:
    orders = table([("a", 0, 0, 5), ("b", 3, 0, 5), ("b", 9, 0, 6)])
    turned = attrs.evolve(orders, customer=1 - orders.customer, customers=CustomerIndex(("b", "a")))
    assert facts(Purchases.of_orders(turned, until=day(20))) == facts(Purchases.of_orders(orders, until=day(20)))
