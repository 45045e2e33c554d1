"""What triggers look at: facts and events of customers, prices and stock of items."""

from __future__ import annotations

from typing import Any, Self
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._frames import read_frame
from crmcore.errors import MissingColumn, OutOfRange
from crmcore.rules import FactTable
from crmcore.tables import CustomerIndex, EventTable, TextColumn
from crmcore.tables._door import Door
from crmcore.zones import zone_of

__all__ = ["ItemTable", "Sources"]

Micros = NDArray[np.int64]
FAR = int(np.iinfo(np.int64).max // 4)


@attrs.frozen(eq=False, repr=False)
class ItemTable:
    """Prices or stock of items as they change, in order of item and time.

    Examples
    --------
    >>> prices = ItemTable.from_frame({"item": ["lamp", "lamp"], "time": ["2026-06-01T00:00Z", "2026-06-02T00:00Z"],
    ...                                "value": [40, 30]})
    >>> prices
    ItemTable(2 values of 1 items)
    """

    items: tuple[str, ...]
    item: NDArray[np.int32]  # (m,) position in items
    us: Micros
    value: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.us)

    def __repr__(self) -> str:
        return f"ItemTable({len(self):,} values of {len(self.items):,} items)"

    @classmethod
    def from_frame(cls, frame: Any, *, zone: str | ZoneInfo | None = None) -> Self:
        """Read any frame with the columns item, time and value; all bad rows are one error."""
        door = Door(read_frame(frame), "the items", zone=zone)
        item, times, value = door.text("item"), door.times("time", required=True), door.numbers("value")
        door.required("item", item.codes < 0, "drop the rows")
        door.problem("value", "missing or not finite", np.flatnonzero(~np.isfinite(value)), "drop the rows")
        door.close()
        us = times.astype(np.int64)
        order = np.lexsort((np.arange(len(us)), us, item.codes))
        return cls(item.values, item.codes[order], us[order], value[order])

    def changes(self) -> tuple[NDArray[np.float64], Micros]:
        """Value before each one (NaN: none), and the instant from which the next one holds."""
        same = np.append(self.item[1:] == self.item[:-1], False)
        before = np.append(np.nan, np.where(same[:-1], self.value[:-1], np.nan))[: len(self)]
        until = np.where(same, np.append(self.us[1:], FAR)[: len(self)], FAR)
        return before, until


@attrs.frozen(eq=False)
class Sources:
    """Everything that triggers may ask about one population.

    Parameters
    ----------
    customers : CustomerIndex
    facts : FactTable, optional
        Of these customers in this order: dates, and what rules ask for.
    events : EventTable, optional
        Of any population; customers are found by id.
    prices, stock : ItemTable, optional
    zone : IANA name, or column of names
        Each customer's own clock; with a column, unknown ones have that of `default_zone`.
    default_zone : IANA name
    """

    customers: CustomerIndex
    facts: FactTable | None = None
    events: EventTable | None = None
    prices: ItemTable | None = None
    stock: ItemTable | None = None
    zone: str | TextColumn = "UTC"
    default_zone: str = "UTC"
    _dates: dict[str, NDArray[np.datetime64]] = attrs.field(init=False, factory=dict, repr=False)

    def __attrs_post_init__(self) -> None:
        names = self.zone.values if isinstance(self.zone, TextColumn) else (self.zone,)
        for name in (*names, self.default_zone):
            zone_of(name)
        if isinstance(self.zone, TextColumn) and len(self.zone) != len(self.customers):
            raise OutOfRange("zone", f"{len(self.zone)} rows", f"{len(self.customers)}, one a customer", "see Audience")
        if self.facts is not None and self.facts.customers.ids != self.customers.ids:
            hint = "FactTable(customers, columns) with the same index"
            raise OutOfRange("facts", "facts of other customers", "the customers of these sources", hint)

    @property
    def clocks(self) -> tuple[tuple[str, ...], NDArray[np.intp]]:
        """Zones, and the position of each customer's own among them."""
        if not isinstance(self.zone, TextColumn):
            return (self.zone,), np.zeros(len(self.customers), np.intp)
        codes = self.zone.codes
        return (*self.zone.values, self.default_zone), np.where(codes < 0, len(self.zone.values), codes).astype(np.intp)

    def date(self, name: str) -> NDArray[np.datetime64]:
        """(n,) dates of a fact; NaT where it is unknown."""
        if name in self._dates:
            return self._dates[name]
        known = {} if self.facts is None else self.facts.columns
        if name not in known:
            raise MissingColumn(name, tuple(known), "the facts")
        data = np.broadcast_to(known[name].data, len(self.customers))
        missing = np.isnan(data)
        days = np.where(missing, 0, data).astype(np.int64).view("datetime64[us]").astype("datetime64[D]")
        self._dates[name] = np.where(missing, np.datetime64("NaT", "D"), days)
        return self._dates[name]

    def happened(self, kinds: tuple[str, ...], key: str) -> Happened:
        """Events of some kinds with customer, time, kind and key."""
        if self.events is None:
            raise MissingColumn("events", (), "the sources")
        events = self.events
        known = np.array([kinds.index(v) if v in kinds else -1 for v in events.kind.values] + [-1], np.int8)
        kind = known[events.kind.codes]
        owner = events.customer
        if events.customers is not self.customers and events.customers.ids != self.customers.ids:
            owner = np.append(self.customers.codes(events.customers.ids), np.int32(-1))[owner]
        rows = np.flatnonzero((kind >= 0) & (owner >= 0))
        words = TextColumn.empty(len(rows)) if not key else self.column(key).take(rows)
        return Happened(rows, owner[rows], events.time[rows].astype(np.int64), kind[rows], words)

    def column(self, name: str) -> TextColumn:
        """Attribute of the events, or their reference or channel."""
        assert self.events is not None
        own = {"reference": self.events.reference, "channel": self.events.channel, "touchpoint": self.events.touchpoint}
        if name in self.events.attributes:
            return self.events.attributes[name]
        if name not in own:
            raise MissingColumn(name, (*self.events.attributes, *own), "the events")
        return own[name]


@attrs.frozen(eq=False)
class Happened:
    """Some events, row by row."""

    rows: NDArray[np.intp]  # in the event table
    customer: NDArray[np.int32]
    us: Micros
    kind: NDArray[np.int8]  # position in the kinds that were asked for
    key: TextColumn

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, chosen: NDArray[Any]) -> Happened:
        """Some of them."""
        return Happened(
            self.rows[chosen], self.customer[chosen], self.us[chosen], self.kind[chosen], self.key.take(chosen)
        )

    def of_customers(self, candidates: NDArray[np.intp], n: int) -> Happened:
        """Those of some customers."""
        wanted = np.zeros(n, np.bool_)
        wanted[candidates] = True
        return self.take(np.flatnonzero(wanted[self.customer]))

    def sorted(self) -> Happened:
        """In order of customer, key and time; at one instant as they stand in the kinds."""
        return self.take(np.lexsort((self.kind, self.us, self.key.codes, self.customer)))

    def same_as_next(self) -> NDArray[np.bool_]:
        """Whether the next row is of the same customer and key."""
        same = (self.customer[1:] == self.customer[:-1]) & (self.key.codes[1:] == self.key.codes[:-1])
        return np.append(same, False)[: len(self)]
