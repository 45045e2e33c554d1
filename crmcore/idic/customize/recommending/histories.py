"""What each customer bought: pairs of customer and item with times, baskets beside them, returns taken off."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import check_aware
from crmcore.errors import EmptyInput, MissingColumn, OutOfRange, WrongType
from crmcore.tables import CustomerIndex, OrderTable

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["Histories", "as_micros"]

Codes = NDArray[np.intp]
Floats = NDArray[np.float64]
DAY_US = 86_400_000_000


def as_micros(moment: datetime | np.datetime64, name: str) -> np.datetime64:
    """Instant of the columns, from an aware datetime or one of their own."""
    if isinstance(moment, np.datetime64):
        made: np.datetime64 = moment.astype("datetime64[us]")
        return made
    check_aware(moment, name)
    from crmcore.tables._cells import micros

    return np.datetime64(micros([moment])[0])


@attrs.frozen(eq=False, repr=False)
class Histories:
    """Who bought what, as sorted pairs of customer and item; made by `Histories.of(orders)`.

    Attributes
    ----------
    customers : every customer of the orders, with or without a history
    items : sorted; the catalogue that can be recommended
    starts : (customers + 1,) where the pairs of each customer begin
    item, baskets, age_days, first_age_days : (pairs,)
        Code of the item, baskets that held it, days from the last and from the first of them to `now`.
    basket, basket_item, basket_age_days, basket_customer : (lines,), (lines,), (baskets,), (baskets,)
        Lines without repeats, by basket (orders of one customer at one instant, or of one order id).
    now : instant
        The last order unless stated; ages are counted back from it.
    left_out : lines that do not count, by reason
    """

    customers: CustomerIndex
    items: tuple[str, ...]
    starts: Codes
    item: Codes
    baskets: NDArray[np.int64]
    age_days: Floats
    first_age_days: Floats
    basket: Codes
    basket_item: Codes
    basket_age_days: Floats
    basket_customer: Codes
    now: np.datetime64
    left_out: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.item)

    def __repr__(self) -> str:
        return f"Histories({len(self.customers)} customers, {len(self.items)} items, {len(self)} pairs)"

    @cached_property
    def customer(self) -> Codes:
        """(pairs,) code of the customer."""
        return np.repeat(np.arange(len(self.customers)), np.diff(self.starts))

    @cached_property
    def buyers(self) -> NDArray[np.int64]:
        """(items,) customers who bought each item."""
        return np.bincount(self.item, minlength=len(self.items))

    @cached_property
    def position(self) -> Mapping[str, int]:
        """Code of each item."""
        return {name: i for i, name in enumerate(self.items)}

    @classmethod
    def of(
        cls, orders: OrderTable, *, now: datetime | np.datetime64 | None = None, min_buyers: int = 2
    ) -> Histories:  # fmt: skip
        """Read order lines.

        Parameters
        ----------
        orders : table
            With products. Lines of unknown customers, without product, after `now`, and of items with too few buyers
            are left out and counted. A negative quantity is a return: a pair whose pieces sum to zero or less is no
            purchase.
        now : aware datetime, optional
            Orders after it are not known yet; None is the time of the last order.
        min_buyers : count, from 1
            An item that one customer alone bought tells nothing about others, and much about that one.

        Raises
        ------
        WrongType, MissingColumn, EmptyInput, OutOfRange

        Examples
        --------
        >>> orders = OrderTable.from_frame({
        ...     "customer": ["a", "a", "b", "b"], "product": ["tea", "pot", "tea", "pot"], "quantity": [1, 1, 2, -1],
        ...     "amount": [3, 9, 6, -9], "time": ["2026-03-01T10:00Z"] * 4}, currency="EUR")
        >>> found = Histories.of(orders, min_buyers=1)
        >>> found, dict(found.left_out)
        (Histories(2 customers, 2 items, 3 pairs), {'returned': 1})
        """
        _check_table(orders)
        if min_buyers < 1:
            raise OutOfRange("min_buyers", min_buyers, "1 or more", "2 is usual")
        if not orders.product.values:
            raise MissingColumn("product", ("customer", "time", "amount"), "the orders")
        if not len(orders):
            raise EmptyInput("the orders", "pass at least one order of a known customer")
        end = orders.time.max() if now is None else as_micros(now, "now")
        return _read(orders, end, min_buyers)

    def matrix(self, values: NDArray[np.floating] | None = None) -> csr_matrix:
        """(customers, items) matrix of the pairs; ones unless values are given."""
        from scipy.sparse import csr_matrix

        data = np.ones(len(self), np.float32) if values is None else values.astype(np.float32)
        return csr_matrix((data, self.item, self.starts), shape=(len(self.customers), len(self.items)))

    def basket_matrix(self) -> csr_matrix:
        """(baskets, items) matrix of ones."""
        from scipy.sparse import csr_matrix

        shape = (len(self.basket_age_days), len(self.items))
        return csr_matrix((np.ones(len(self.basket), np.float32), (self.basket, self.basket_item)), shape=shape)

    def only(self, lines: NDArray[np.bool_], /, *, days_earlier: float = 0.0) -> Histories:
        """Histories of some lines, as they were so many days before; customers and catalogue stay."""
        basket = self.basket[lines]
        age = self.basket_age_days[basket] - days_earlier
        now = self.now - np.timedelta64(round(days_earlier * DAY_US), "us")
        who = self.basket_customer[basket].astype(np.int64)
        return _build(self.customers, self.items, who, self.basket_item[lines], age, basket, now, {})

    @property
    def keys(self) -> NDArray[np.int64]:
        """(pairs,) customer * items + item, sorted."""
        made: NDArray[np.int64] = self.customer * np.int64(len(self.items)) + self.item
        return made


def _check_table(orders: object) -> None:
    if not isinstance(orders, OrderTable):
        hint = "read a frame first: OrderTable.from_frame(frame, product='item', currency='EUR')"
        raise WrongType("orders", f"a {type(orders).__name__}", "an OrderTable", hint)


def _read(orders: OrderTable, end: np.datetime64, min_buyers: int) -> Histories:
    customer, product = orders.customer.astype(np.int64), orders.product.codes.astype(np.int64)
    quantity, left = orders.quantity, {}
    use = np.ones(len(orders), np.bool_)
    faults = {"unknown customer": customer < 0, "no product": product < 0, "after now": orders.time > end}
    for reason, bad in faults.items():
        left[reason] = int((use & bad).sum())
        use &= ~bad
    names, rank = np.unique(np.array(orders.product.values, dtype=object), return_inverse=True)
    n = max(len(names), 1)
    item = np.where(product >= 0, rank[product], 0)
    pair, line = np.unique(customer[use] * n + item[use], return_inverse=True)
    net = np.bincount(line, weights=quantity[use], minlength=len(pair))
    bought = use.copy()
    bought[use] = (quantity[use] > 0) & (net[line] > 0)
    left["returned"] = int((net <= 0).sum())
    kept_pairs = pair[net > 0]
    enough = np.bincount(kept_pairs % n, minlength=n) >= min_buyers
    left["of items with few buyers"] = int((bought & ~enough[item]).sum())
    bought &= enough[item]
    if not bought.any():
        hint = f"lower min_buyers ({min_buyers}), or pass purchases of known customers: left out {_told(left)}"
        raise EmptyInput("what customers bought", hint)
    code = np.cumsum(enough) - 1
    return _pairs(orders, bought, code[item], tuple(names[enough].tolist()), end, {k: v for k, v in left.items() if v})


def _pairs(
    orders: OrderTable, rows: NDArray[np.bool_], item: Codes, items: tuple[str, ...], end: np.datetime64,
    left: Mapping[str, int],
) -> Histories:  # fmt: skip
    who, what = orders.customer[rows].astype(np.int64), item[rows]
    age = (end - orders.time[rows]).astype(np.int64) / DAY_US
    order = orders.order_id.codes[rows].astype(np.int64)
    instant = np.unique(orders.time[rows], return_inverse=True)[1] + len(orders.order_id.values)
    visit = np.where(order >= 0, order, instant)  # an order id, else all that a customer bought at one instant
    _, basket = np.unique(who * (visit.max() + 1) + visit, return_inverse=True)
    return _build(orders.customers, items, who, what, age, basket, end, left)


def _build(
    customers: CustomerIndex, items: tuple[str, ...], who: Codes, what: Codes, age: Floats, basket: Codes,
    end: np.datetime64, left: Mapping[str, int],
) -> Histories:  # fmt: skip
    n = len(items)
    _, basket = np.unique(basket, return_inverse=True)
    cells, first = np.unique(basket * n + what, return_index=True)
    basket_age, buyer = np.full(basket.max(initial=-1) + 1, np.inf), np.zeros(basket.max(initial=-1) + 1, np.intp)
    np.minimum.at(basket_age, basket, age)
    buyer[basket] = who
    pair, line = np.unique(who[first] * n + what[first], return_inverse=True)
    last, oldest = np.full(len(pair), np.inf), np.zeros(len(pair))
    np.minimum.at(last, line, age[first])
    np.maximum.at(oldest, line, age[first])
    starts = np.searchsorted(pair // n, np.arange(len(customers) + 1))
    return Histories(
        customers=customers, items=items, starts=starts, item=pair % n, baskets=np.bincount(line, minlength=len(pair)),
        age_days=last, first_age_days=oldest, basket=cells // n, basket_item=cells % n, basket_age_days=basket_age,
        basket_customer=buyer, now=end, left_out=left,
    )  # fmt: skip


def _told(left: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in left.items() if count) or "nothing"
