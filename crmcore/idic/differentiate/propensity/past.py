"""What was known at an instant: a table cut by arrival, with nothing of the future in it, names and words included."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, TypeVar

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import check_aware
from crmcore.errors import BadRow, BadRows, MissingColumn, OutOfRange, WrongType
from crmcore.metrics.columns import instant
from crmcore.tables import CustomerIndex, EventTable, OrderTable, TextColumn

__all__ = ["Past", "arrivals", "cut"]

Instants = NDArray[np.datetime64]
T = TypeVar("T", OrderTable, EventTable)


@attrs.frozen(eq=False, repr=False)
class Past(Generic[T]):
    """What was known at `at`: rows that had arrived by then, of customers who had been seen by then.

    Codes, the index of customers and the dictionaries of words are made anew, so that not even a name, a count of
    customers or an unused word tells what came later. Nothing leads from here back to the whole table.

    Attributes
    ----------
    table : OrderTable or EventTable
        Rows that had arrived by `at`.
    at : aware datetime
    """

    table: T
    at: datetime
    _arrived: str | None = None

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        return f"Past({len(self.table)} rows, {len(self.customers)} customers, at {self.at:%Y-%m-%d %H:%M})"

    @property
    def customers(self) -> CustomerIndex:
        """Customers who had been seen by `at`, in the order of their ids."""
        return self.table.customers

    def before(self, at: datetime, /) -> Past[T]:
        """What was known still earlier.

        Raises
        ------
        OutOfRange
            Later than `at`: the past does not know it.
        """
        check_aware(at, "at")
        if at > self.at:
            raise OutOfRange("at", f"{at:%Y-%m-%d %H:%M}", f"at most {self.at:%Y-%m-%d %H:%M}", "it was not known yet")
        return cut(self.table, at=at, arrived=self._arrived)

    def days_since(self, times: Instants, /) -> NDArray[np.float64]:
        """(n,) days from each instant to `at`."""
        return (instant("at", self.at) - times) / np.timedelta64(1, "D")


def arrivals(table: T, arrived: str | None, /) -> Instants:
    """(n,) instants at which rows became known: their own time, or that of an attribute, whichever is later.

    Raises
    ------
    MissingColumn, BadRows
        No such attribute; text that spells no instant with its zone.
    """
    if arrived is None:
        return table.time
    if arrived not in table.attributes:
        raise MissingColumn(arrived, tuple(table.attributes), "the attributes")
    column = table.attributes[arrived]
    read = np.full(len(column.values) + 1, np.datetime64("NaT"), "datetime64[us]")
    for i, word in enumerate(column.values):
        try:
            found = datetime.fromisoformat(word)
        except ValueError:
            continue
        if found.utcoffset() is not None:
            read[i] = instant(arrived, found)
    known = read[column.codes]
    bad = np.isnat(known) & (column.codes >= 0)
    if bad.any():
        problem = BadRow(arrived, "no instant with its zone", tuple(np.flatnonzero(bad).tolist()))
        raise BadRows("the table", (problem,), "write 2026-03-01T09:00+07:00")
    return np.where(np.isnat(known), table.time, np.maximum(known, table.time))


def cut(table: T, /, *, at: datetime, arrived: str | None = None) -> Past[T]:
    """Cut a table at an instant.

    Parameters
    ----------
    table : OrderTable or EventTable
    at : aware datetime
        Rows that arrived later are left out.
    arrived : name of an attribute, optional
        Where the instant of arrival stands; None says that rows were known when they happened.

    Examples
    --------
    >>> from datetime import UTC
    >>> orders = OrderTable.from_frame(
    ...     {"customer": ["a", "b"], "time": ["2026-01-01", "2026-02-01"], "amount": [5, 7]}, currency="EUR", zone="UTC"
    ... )
    >>> cut(orders, at=datetime(2026, 1, 15, tzinfo=UTC)).customers.ids
    ('a',)
    """
    check_table(table)
    check_aware(at, "at")
    rows = np.flatnonzero(arrivals(table, arrived) <= instant("at", at))
    held = table.take(rows)
    used = np.unique(held.customer[held.customer >= 0])
    ids = [table.customers.ids[i] for i in used.tolist()]
    order = np.argsort(np.array(ids, object), kind="stable") if ids else np.empty(0, np.int64)
    to = np.full(len(table.customers) + 1, -1, np.int32)  # -1, nobody known, stays
    to[used[order]] = np.arange(len(ids), dtype=np.int32)
    fresh: dict[str, Any] = {
        field.name: value.compact()
        for field in attrs.fields(type(held))
        if isinstance(value := getattr(held, field.name), TextColumn)
    }
    attributes = {name: column.compact() for name, column in held.attributes.items()}
    index = CustomerIndex(tuple(ids[i] for i in order.tolist()))
    made = attrs.evolve(held, customer=to[held.customer], customers=index, attributes=attributes, **fresh)
    return Past(made, at, arrived)


def check_table(table: object) -> None:
    """Refuse what is no table of orders or events."""
    if not isinstance(table, OrderTable | EventTable):
        hint = "read it first: OrderTable.from_frame(frame, currency='THB')"
        raise WrongType("table", f"a {type(table).__name__}", "an OrderTable or an EventTable", hint)
