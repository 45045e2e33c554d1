"""Audiences and past sends as columns: what `Contact` and `Send` are for one person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import listed
from crmcore._frames import read_frame
from crmcore.errors import OutOfRange
from crmcore.idic.interact.contact.messages import Contact, MessageClass, Send
from crmcore.tables import CustomerIndex, EventTable, TextColumn
from crmcore.tables._door import Door
from crmcore.zones import as_instants, zone_of

__all__ = ["Audience", "SendTable"]

KINDS = tuple(MessageClass)


@attrs.frozen(eq=False, repr=False)
class Audience:
    """Contacts of a population; row i is customer i of the index.

    Examples
    --------
    >>> audience = Audience.from_frame({"customer": ["a", "b"], "channels": ["line; email", "email"],
    ...                                 "zone": ["Asia/Bangkok", None]})
    >>> audience, audience[0].channels
    (Audience(2 contacts on email, line), ('line', 'email'))
    """

    customers: CustomerIndex
    channels: tuple[str, ...]
    order: NDArray[np.int8]
    """(n, k) positions in `channels`, preferred ones first; -1 fills up."""
    reach: NDArray[np.bool_]
    """(n, c) whether there is an address on a channel that works."""
    zone: TextColumn
    region: TextColumn
    contacts: tuple[Contact, ...] = ()

    def __len__(self) -> int:
        return len(self.customers)

    def __repr__(self) -> str:
        return f"Audience({len(self):,} contacts on {', '.join(self.channels) or 'no channel'})"

    def __getitem__(self, row: int) -> Contact:
        if self.contacts:
            return self.contacts[row]
        order = [self.channels[c] for c in self.order[row] if c >= 0]
        held = [name for name in order if self.reach[row, self.channels.index(name)]]
        blocked = [name for name in order if name not in held]
        return Contact(
            self.customers[row],
            held,
            zone=self.zone[row],
            prefers=order,
            blocked=blocked,
            region=self.region[row] or "",
        )

    @classmethod
    def of(cls, contacts: Iterable[Contact]) -> Self:
        """Columns of contacts, in the order of their ids."""
        given = listed(contacts, "contacts", Contact, what="contacts", hint="Contact(id, channels)")
        people = tuple(sorted(given, key=lambda c: c.id))
        index = CustomerIndex(tuple(c.id for c in people))
        names = tuple(sorted({name for c in people for name in c.order}))
        place = {name: i for i, name in enumerate(names)}
        order = np.full((len(people), max((len(c.order) for c in people), default=0)), -1, np.int8)
        reach = np.zeros((len(people), len(names)), np.bool_)
        for i, c in enumerate(people):
            order[i, : len(c.order)] = [place[name] for name in c.order]
            reach[i, [place[name] for name in c.channels if name not in c.blocked]] = True
        zone, region = (TextColumn.of(cells) for cells in ([c.zone for c in people], [c.region for c in people]))
        return cls(index, names, order, reach, zone, region, people)

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        customer: str = "customer",
        channels: str = "channels",
        zone: str = "zone",
        blocked: str = "blocked",
        region: str = "region",
        customers: CustomerIndex | None = None,
    ) -> Self:
        """Read contacts from any frame; arguments are names of columns.

        Parameters
        ----------
        frame
            One row a customer.
        channels, blocked
            Text such as "line; email": channels with an address, preferred ones first, and those that do not work.
        zone, region
            May be missing, wholly or here and there.
        customers : CustomerIndex, optional
            Population that each row belongs to; None makes one of the frame. Whoever has no row has no channel.

        Raises
        ------
        MissingColumn, BadRows
            What cannot be read, all bad rows at once: repeated customers, unknown zones.
        """
        door = Door(read_frame(frame), "the audience")
        code, index = door.customers(customer, customers)
        door.required(customer, code < 0, "drop the rows")
        seen = np.unique(code, return_index=True)[1]
        again = np.setdiff1d(np.flatnonzero(code >= 0), seen)
        door.problem(customer, "repeated", again, "one row a customer")
        listed_, stopped = door.text(channels), door.optional_text(blocked, "blocked")
        where, lives = door.optional_text(zone, "zone"), door.optional_text(region, "region")
        odd = [i for i, value in enumerate(where.values) if not _is_zone(value)]
        door.problem(zone, "no time zone", np.flatnonzero(np.isin(where.codes, odd)), "IANA names: Asia/Bangkok")
        door.close()
        row = np.full(len(index), -1)
        row[code] = np.arange(len(code))
        names, order, reach = _orders(listed_.take(row), stopped.take(row), row)
        return cls(index, names, order, reach, _by_row(where, row), _by_row(lives, row))


def _is_zone(name: str) -> bool:
    try:
        zone_of(name)
    except LookupError:
        return False
    return True


def _by_row(column: TextColumn, row: NDArray[np.intp]) -> TextColumn:
    return TextColumn(np.where(row < 0, -1, column.codes[row]).astype(np.int32), column.values)


def _split(text: str) -> list[str]:
    return [part for part in (piece.strip() for piece in text.replace(",", ";").split(";")) if part]


def _orders(
    listed: TextColumn, stopped: TextColumn, row: NDArray[np.intp]
) -> tuple[tuple[str, ...], NDArray[np.int8], NDArray[np.bool_]]:
    """Channels, the order of each customer, and where each can be reached: worked out once for each distinct text."""
    lists, stops = [_split(v) for v in listed.values], [_split(v) for v in stopped.values]
    names = tuple(sorted({name for part in (*lists, *stops) for name in part}))
    place = {name: i for i, name in enumerate(names)}
    orders = np.full((len(lists) + 1, max(map(len, lists), default=0)), -1, np.int8)
    reach = np.zeros((len(lists) + 1, len(names)), np.bool_)
    for i, part in enumerate(lists):
        codes = [place[name] for name in dict.fromkeys(part)]
        orders[i, : len(codes)] = codes
        reach[i, codes] = True
    works = np.ones((len(stops) + 1, len(names)), np.bool_)
    for i, part in enumerate(stops):
        works[i, [place[name] for name in part]] = False
    first = np.where(row < 0, -1, listed.codes)
    second = np.where(row < 0, -1, stopped.codes)
    return names, orders[first], reach[first] & works[second]


@attrs.frozen(eq=False, repr=False)
class SendTable:
    """What was sent before, customer by customer, sorted by time within each.

    Examples
    --------
    >>> sends = SendTable.from_frame({"customer": ["b", "a"], "time": ["2026-06-01T09:00Z", "2026-06-02T09:00Z"]})
    >>> sends, sends.of(0)[0].at.isoformat()
    (SendTable(2 sends to 2 customers), '2026-06-02T09:00:00+00:00')
    """

    customers: CustomerIndex
    us: NDArray[np.int64]
    """(m,) microseconds since 1970."""
    offsets: NDArray[np.int64]
    """(n + 1,) where each customer's sends begin in `us`, and where the last ones end."""
    channel: TextColumn
    kind: NDArray[np.int8]
    """(m,) position in `MessageClass`."""

    def __len__(self) -> int:
        return len(self.us)

    def __repr__(self) -> str:
        return f"SendTable({len(self):,} sends to {len(self.customers):,} customers)"

    def of(self, code: int) -> tuple[Send, ...]:
        """Sends of one customer."""
        from crmcore.zones import from_us

        rows = range(int(self.offsets[code]), int(self.offsets[code + 1]))
        return tuple(
            Send(from_us(int(self.us[i]), "UTC"), self.channel[i] or "email", KINDS[self.kind[i]]) for i in rows
        )

    @classmethod
    def of_codes(
        cls,
        customers: CustomerIndex,
        customer: ArrayLike,
        at: ArrayLike,
        *,
        channel: TextColumn | None = None,
        kind: ArrayLike | None = None,
    ) -> Self:
        """Columns of sends to customers of an index, in any order.

        Parameters
        ----------
        customers : CustomerIndex
        customer : (m,) codes
            -1 is somebody else, and left out.
        at : (m,) datetime64 in UTC
        channel : TextColumn, optional
            None is "email" everywhere.
        kind : (m,) positions in `MessageClass`, optional
            None is promotional everywhere.
        """
        code = np.asarray(customer, np.int64)
        us = as_instants(at, "at").astype(np.int64)
        if len(us) != len(code):
            raise OutOfRange("at", f"{len(us)} instants", f"{len(code)}, one a send", "give each send its instant")
        on = TextColumn(np.zeros(len(code), np.int32), ("email",)) if channel is None else channel
        kinds = np.zeros(len(code), np.int8) if kind is None else np.asarray(kind, np.int8)
        step = np.diff(code)
        if len(code) and ((step < 0).any() or (np.diff(us)[step == 0] < 0).any() or code[0] < 0):
            order = np.lexsort((us, code))
            order = order[code[order] >= 0]
            code, us, on, kinds = code[order], us[order], on.take(order), kinds[order]
        offsets = np.concatenate([[0], np.cumsum(np.bincount(code, minlength=len(customers)))])
        return cls(customers, us, offsets, on, kinds)

    @classmethod
    def from_frame(
        cls, frame: Any, *, customers: CustomerIndex | None = None, zone: str | ZoneInfo | None = None
    ) -> Self:
        """Read sends from any frame with the columns customer and time; channel and kind may be there."""
        door = Door(read_frame(frame), "the sends", zone=zone)
        column = door.text("customer")
        door.required("customer", column.codes < 0, "drop the rows")
        times = door.times("time", required=True)
        on = door.optional_text("channel", "channel")
        kinds = door.words("kind", "kind", [kind.value for kind in KINDS])
        door.close()
        index = CustomerIndex.of(column.values) if customers is None else customers
        code = np.append(index.codes(column.values), np.int32(-1))[column.codes]
        to = np.array([*(KINDS.index(MessageClass(v)) for v in kinds.values), 0], np.int8)
        return cls.of_codes(index, code, times, channel=_with_default(on), kind=to[kinds.codes])

    @classmethod
    def from_events(cls, events: EventTable, *, kinds: Sequence[str] = ("message",)) -> Self:
        """Sends among the events of customers: outbound ones of some kinds, all of them promotional."""
        known = np.array([value in kinds for value in events.kind.values] + [False])
        rows = np.flatnonzero(known[events.kind.codes] & events.direction.equals("outbound") & (events.customer >= 0))
        return cls.of_codes(
            events.customers, events.customer[rows], events.time[rows], channel=_with_default(events.channel.take(rows))
        )


def _with_default(channel: TextColumn) -> TextColumn:
    """Sends without a channel went by e-mail."""
    values = channel.values if "email" in channel.values else (*channel.values, "email")
    codes = np.where(channel.codes < 0, values.index("email"), channel.codes).astype(np.int32)
    return TextColumn(codes, values)
