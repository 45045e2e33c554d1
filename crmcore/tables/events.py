"""Interactions of customers with the brand, on every channel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._frames import MISSING_WORDS, read_frame, write_frame
from crmcore.tables._cells import amounts_out, attribute_columns, cell_map, ids_out, micros, money, one_currency, when
from crmcore.tables._door import NO_AMOUNT, Door, codes, instants, integers, same_length, text_map
from crmcore.tables.columns import CustomerIndex, TextColumn
from crmcore.values import Direction, Interaction

__all__ = ["EventTable"]


@attrs.frozen(eq=False, repr=False)
class EventTable:
    """Every interaction on every channel; row i of every column is the same interaction.

    A customer code of -1 is a visitor whom nobody knows; an amount of `NO_AMOUNT` is none; -1 in a text column is
    missing. One table has one currency.

    Examples
    --------
    >>> events = EventTable.from_frame({
    ...     "customer": ["c1", None], "time": ["2026-03-01T09:00+07:00", "2026-03-01T03:00Z"],
    ...     "channel": ["line", "web"], "direction": ["inbound", None], "page": [None, "/sale"],
    ... })
    >>> events, events[0].time.isoformat(), events[1].attributes
    (EventTable(2 events, 1 customers, attributes ['page']), '2026-03-01T02:00:00+00:00', {'page': '/sale'})
    """

    customer: NDArray[np.int32] = attrs.field(converter=codes)  # (n,) code into customers, -1 = unknown
    time: NDArray[np.datetime64] = attrs.field(converter=instants)  # (n,) datetime64[us], UTC
    channel: TextColumn  # such as "line", "store", "web"
    touchpoint: TextColumn  # where on the channel
    kind: TextColumn  # what happened: "view", "question", "purchase"
    direction: TextColumn  # "inbound", "outbound"
    reference: TextColumn  # order, case, thread or campaign that it belongs to
    amount_minor: NDArray[np.int64] = attrs.field(converter=integers)  # (n,) minor units, NO_AMOUNT = none
    currency: str | None
    attributes: Mapping[str, TextColumn] = attrs.field(converter=text_map)
    customers: CustomerIndex
    backend: str | None = None  # flavour of the frame that was read

    def __attrs_post_init__(self) -> None:
        columns = {"customer": self.customer, "amount_minor": self.amount_minor, **self._text(), **self.attributes}
        same_length("EventTable", len(self), columns)

    def _text(self) -> dict[str, TextColumn]:
        return {
            "channel": self.channel,
            "touchpoint": self.touchpoint,
            "kind": self.kind,
            "direction": self.direction,
            "reference": self.reference,
        }

    def __len__(self) -> int:
        return len(self.time)

    def __repr__(self) -> str:
        known = f"{len(self)} events, {len(self.customers)} customers"
        return f"EventTable({known}, attributes {list(self.attributes)})"

    def __getitem__(self, row: int) -> Interaction:
        code = self.customer[row]
        time = when(self.time, row)
        assert time is not None  # the door refuses events without time
        direction = self.direction[row]
        return Interaction(
            customer=self.customers[code] if code >= 0 else None,
            time=time,
            channel=self.channel[row],
            touchpoint=self.touchpoint[row],
            kind=self.kind[row],
            direction=None if direction is None else Direction(direction),
            reference=self.reference[row],
            amount=money(self.amount_minor, row, self.currency),
            attributes=cell_map(self.attributes, row),
        )

    @property
    def has_amount(self) -> NDArray[np.bool_]:
        """(n,) whether a row carries an amount."""
        mask: NDArray[np.bool_] = self.amount_minor != NO_AMOUNT
        return mask

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        customer: str = "customer",
        time: str = "time",
        channel: str = "channel",
        touchpoint: str = "touchpoint",
        kind: str = "kind",
        direction: str = "direction",
        reference: str = "reference",
        amount: str = "amount",
        amount_minor: str = "amount_minor",
        currency: str | None = None,
        currency_column: str = "currency",
        attributes: Sequence[str] | None = None,
        customers: CustomerIndex | None = None,
        zone: str | ZoneInfo | None = None,
        missing: Iterable[str] = MISSING_WORDS,
    ) -> EventTable:
        """Read events; arguments that are not explained below are names of columns.

        `customer` and `time` must be there; the others may be absent under their default name.

        Parameters
        ----------
        frame
            Any frame, a dict of columns, or a list of dicts.
        amount, amount_minor
            Columns in major units (12.5) or minor units (1250); one of them, `amount_minor` first.
        currency
            Currency of all amounts, such as "THB"; None reads `currency_column`, which must hold one.
        attributes
            Further columns to keep as text; None keeps all the rest.
        customers
            Index to share; None makes one from this frame.
        zone
            Zone in which times without offset were written; without it they are refused.
        missing
            Text that means "missing", in exactly this spelling.

        Raises
        ------
        MissingColumn, NaiveDatetime, CurrencyMismatch, BadRows
            What cannot be read, all bad rows at once.
        """
        door = Door(read_frame(frame, missing=missing), "EventTable", zone=zone)
        code, index = door.customers(customer, customers)
        unit = door.currency(currency, currency_column)
        made = cls(
            customer=code,
            time=door.times(time, required=True),
            channel=door.optional_text(channel, "channel"),
            touchpoint=door.optional_text(touchpoint, "touchpoint"),
            kind=door.optional_text(kind, "kind"),
            direction=door.words(direction, "direction", [d.value for d in Direction]),
            reference=door.optional_text(reference, "reference"),
            amount_minor=door.amounts(amount, amount_minor, unit),
            currency=unit,
            attributes=door.rest(attributes),  # after the others: what they did not use
            customers=index,
            backend=door.frame.backend,
        )
        door.close()
        return made

    @classmethod
    def of(cls, values: Iterable[Interaction], *, customers: CustomerIndex | None = None) -> EventTable:
        """Build a table from interactions."""
        rows = list(values)
        ids = [row.customer for row in rows]
        index = CustomerIndex.of(ids) if customers is None else customers.extended(ids)
        return cls(
            customer=index.codes(ids),
            time=micros(row.time for row in rows),
            channel=TextColumn.of([row.channel for row in rows]),
            touchpoint=TextColumn.of([row.touchpoint for row in rows]),
            kind=TextColumn.of([row.kind for row in rows]),
            direction=TextColumn.of([row.direction and row.direction.value for row in rows]),
            reference=TextColumn.of([row.reference for row in rows]),
            amount_minor=np.array([NO_AMOUNT if r.amount is None else r.amount.amount_minor for r in rows], np.int64),
            currency=one_currency(row.amount for row in rows),
            attributes=attribute_columns([row.attributes for row in rows]),
            customers=index,
        )

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> EventTable:
        """Select rows by position or mask; index and dictionaries are shared."""
        return EventTable(
            customer=self.customer[rows],
            time=self.time[rows],
            channel=self.channel.take(rows),
            touchpoint=self.touchpoint.take(rows),
            kind=self.kind.take(rows),
            direction=self.direction.take(rows),
            reference=self.reference.take(rows),
            amount_minor=self.amount_minor[rows],
            currency=self.currency,
            attributes={name: c.take(rows) for name, c in self.attributes.items()},
            customers=self.customers,
            backend=self.backend,
        )

    def to_frame(self, backend: Any = None) -> Any:
        """Write one row per event, in the flavour that was read unless `backend` names another."""
        return write_frame(
            {
                "customer": ids_out(self.customer, self.customers),
                "time": self.time,
                **{name: c.to_list() for name, c in self._text().items()},
                **amounts_out(self.amount_minor, self.currency),
                **{name: c.to_list() for name, c in self.attributes.items()},
            },
            backend=backend or self.backend,
        )
