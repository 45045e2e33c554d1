"""Decisions of people about customers: merge, split, and taking back; each is an event that survives every re-run."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime

import attrs

from crmcore.errors import NaiveDatetime, OutOfRange, UnknownName
from crmcore.idic.identify import resolver_history
from crmcore.idic.identify.one_record import RecordNormaliser
from crmcore.idic.identify.resolver_history import BEGUN, MERGED, SPLIT, UNDONE, WITHDRAWN, History
from crmcore.idic.identify.resolver_reading import ResolverReading
from crmcore.stores import Event
from crmcore.stores.contract import Redact

__all__ = ["ResolverDeciding"]


class ResolverDeciding(ResolverReading):
    """What people decide, and how events are written."""

    def merge(self, a: str, b: str, *, actor: str, reason: str, now: datetime) -> str:
        """Decide that two customers are one person; returns the event id, which `undo` takes.

        All records of both are bound together, in every later run too; earlier decisions that kept them apart yield.
        The id of the customer with more records lives on; of equals that of the one observed first.
        """
        rows = [self._graph.rows_of(self._entity(c)) for c in (a, b)]
        if a == b:
            raise OutOfRange("b", b, "another customer than a", "name the two customers that are one")
        graph = self._graph
        apart = [(i, j) for i in rows[0] for j in rows[1] if j in graph.must_not(i)]
        chain = sorted((*rows[0], *rows[1]), key=graph.ids.__getitem__)
        plus = [(i, j) for i, j in itertools.pairwise(chain) if j not in graph.must(i)]
        return self._decide(
            MERGED, {"must_link": plus, "withdrawn_must_not_link": apart}, actor, reason, now, {"customers": [a, b]}
        )

    def split(self, customer: str, record_ids: Sequence[str], *, actor: str, reason: str, now: datetime) -> str:
        """Decide that some records of a customer are somebody else's; returns the event id, which `undo` takes.

        None of them will ever be of one customer with those that stay, in every later run too, until it is undone;
        earlier decisions that bound them together yield.

        Raises
        ------
        UnknownName
            A record is not of this customer.
        OutOfRange
            No record, or all of them.
        """
        graph = self._graph
        every = graph.rows_of(self._entity(customer))
        members = {graph.ids[r]: r for r in every}
        for record in record_ids:
            if record not in members:
                raise UnknownName("record of the customer", record, tuple(members))
        go = {members[r] for r in record_ids}
        stay = [r for r in every if r not in go]
        if not go or not stay:
            raise OutOfRange(
                "record_ids", f"{len(go)} of {len(every)} records", "some, but not all", "name those that leave"
            )
        crossing = [(i, j) for i in sorted(go) for j in stay if j in graph.must(i)]
        again = [pair for side in (sorted(go), stay) for pair in self._bound_again(side, crossing)]
        plus = [(i, j) for i in sorted(go) for j in stay if j not in graph.must_not(i)]
        orders = {"must_not_link": plus, "withdrawn_must_link": crossing, "must_link": again}
        return self._decide(SPLIT, orders, actor, reason, now, {"customers": [customer], "records": sorted(record_ids)})

    def _bound_again(self, side: list[int], crossing: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Must-links among records of one side that were bound only through the other side."""
        if not crossing:
            return []
        graph = self._graph
        groups: dict[frozenset[int], list[int]] = {}
        for row in sorted(side, key=graph.ids.__getitem__):
            bound = frozenset(graph.bound(row))
            if len(bound) > 1:
                groups.setdefault(bound, []).append(row)
        return [(i, j) for rows in groups.values() for i, j in itertools.pairwise(rows) if j not in graph.must(i)]

    def undo(self, event_id: str, *, actor: str, reason: str, now: datetime) -> str:
        """Take back a merge, a split, an undo, or the observation of a record; returns the new event's id.

        Raises
        ------
        UnknownName
            No decision or observation has this event id.
        OutOfRange
            It was taken back already.
        """
        history = self._history
        if event_id in history.undone:
            raise OutOfRange(
                "event_id", event_id, "an event that still holds", "it was taken back already; undo that undo"
            )
        orders = history.decisions.get(event_id)
        if orders is not None:
            back = {_OPPOSITE[k]: [(self._graph.row(a), self._graph.row(b)) for a, b in p] for k, p in orders.items()}
            return self._decide(UNDONE, back, actor, reason, now, {"event": event_id})
        record = history.record_of(event_id)
        if record not in self._graph or history.event_of(record) != event_id:
            raise UnknownName("event", event_id, tuple(history.decisions))
        change = self._graph.remove(record)
        renamed = self._names.follow(change, self._graph.ids.__getitem__)
        data = {"record_id": record, "event": event_id, **_moves(renamed.moved, renamed.changes)}
        return self._write([self._event(WITHDRAWN, data, actor, reason, now)])

    def forget(self, customer: str, *, actor: str, reason: str, now: datetime) -> int:
        """Erase a person: raw cells and values of all records leave the store, the records leave the customers.

        That something was observed, when and whose it was stays, without its content; snapshots are dropped, because
        they hold the content too. Interrupted in between, the records are gone when the store is opened again.

        Parameters
        ----------
        customer : id of today
        actor, reason : who, and why; kept, so name no customer in them
        now : aware datetime

        Returns
        -------
        number of events whose payload was erased

        Raises
        ------
        UnknownName
            Nobody has this id now; `became` tells who holds its records.
        """
        history = self._history
        rows = sorted(self._graph.members(self._entity(customer)))
        if now.utcoffset() is None:
            raise NaiveDatetime("now")
        erased = self._store.erase(history.stream, _emptied(frozenset(rows)))
        events = []
        for i, record in enumerate(rows, 1):
            event_id = history.event_of(record)
            renamed = self._names.follow(self._graph.remove(record), self._graph.ids.__getitem__)
            data = {"record_id": record, "event": event_id, **_moves(renamed.moved, renamed.changes)}
            events.append(self._event(WITHDRAWN, data, actor, reason, now, ahead=i))
        self._write(events)
        return erased

    def _decide(
        self,
        kind: str,
        orders: Mapping[str, list[tuple[int, int]]],
        actor: str,
        reason: str,
        now: datetime,
        told: Mapping[str, object],
    ) -> str:
        graph, name = self._graph, self._graph.ids.__getitem__
        renamed = self._names.follow(graph.decide(**{k: v for k, v in orders.items() if v}), name)
        named = {k: [[name(i), name(j)] for i, j in v] for k, v in orders.items() if v}
        data = {**told, "orders": named, **_moves(renamed.moved, renamed.changes)}
        return self._write([self._event(kind, data, actor, reason, now)])

    def _event(
        self, kind: str, data: Mapping[str, object], actor: str, reason: str, now: datetime, *, ahead: int = 1
    ) -> Event:
        number = self._history.version + ahead
        return Event(id=f"{self._history.stream}#{number}", type=kind, time=now, data=data, actor=actor, reason=reason)

    def _write(self, events: list[Event]) -> str:
        """Store events, then remember them; if storing fails, memory goes back to what is stored."""
        history = self._history
        try:
            stored = self._store.append(history.stream, events, expected=history.version)
        except BaseException:
            if history.version:
                self._adopt(resolver_history.load(self._store, history.stream))
            raise
        for event in stored:
            history.remember(event)
        return stored[-1].id

    def _begin(self, now: datetime) -> None:
        if now.utcoffset() is None:
            raise NaiveDatetime("now")
        if not self._history.version:
            self._write([self._event(BEGUN, self._history.beginning(), "", "", now)])

    def _adopt(self, history: History) -> None:
        self._history = history
        self._graph = history.graph
        self._names = history.names
        self._normaliser = RecordNormaliser(attrs.evolve(history.plan, fields=history.model.fields))


_OPPOSITE = {
    "must_link": "withdrawn_must_link",
    "must_not_link": "withdrawn_must_not_link",
    "withdrawn_must_link": "must_link",
    "withdrawn_must_not_link": "must_not_link",
}


def _emptied(records: frozenset[str]) -> Redact:
    """Redaction of the observations of some records: their content goes, what they are called stays."""

    def redact(data: Mapping[str, object]) -> Mapping[str, object]:
        if data.get("record_id") not in records:
            return data
        return {k: v for k, v in data.items() if k not in ("record", "values")}

    return redact


def _moves(moved: Mapping[str, list[str]], changes: Sequence[tuple[object, ...]]) -> dict[str, object]:
    return {"moved": {r: c for c, came in moved.items() for r in came}, "changes": [list(c) for c in changes]}
