"""Recognise customers as their records come: one event per record, every decision kept, everything rebuilt by replay."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs
import numpy as np

from crmcore._base import mask
from crmcore.errors import DuplicateIds, EmptyInput, NaiveDatetime, OutOfRange, StoreConflict, UnknownName
from crmcore.idic.identify import resolver_history
from crmcore.idic.identify.ids import assign_ids
from crmcore.idic.identify.normalize import prepare
from crmcore.idic.identify.observation import CustomersAsOf, IdentityStep, Match, Observation, Outcome
from crmcore.idic.identify.one_record import RecordNormaliser
from crmcore.idic.identify.people import People
from crmcore.idic.identify.plan import PreparationPlan
from crmcore.idic.identify.readers import read_columns
from crmcore.idic.identify.resolver_history import BEGUN, DESCRIBED, MERGED, OBSERVED, SPLIT, UNDONE, WITHDRAWN, History
from crmcore.idic.identify.resolving import Rules
from crmcore.idic.identify.roles import Meaning
from crmcore.idic.identify.schema import Schema
from crmcore.idic.identify.source_table import export_records, text_of
from crmcore.linkage.fields import DEFINITIONS, Kind
from crmcore.linkage.incremental import Change, EntityGraph
from crmcore.linkage.model import LinkageModel
from crmcore.linkage.records import Column, Records
from crmcore.stores import Event, EventStore, MemoryStore
from crmcore.tables import RecordTable

__all__ = ["REVIEW_BAND", "WEAK_BRIDGE", "Resolver"]

REVIEW_BAND = (0.1, 0.6)
"""A best match whose probability lies between these is near the cut (.25 for two records): somebody should look."""
WEAK_BRIDGE = 0.5
"""A customer of three and more records whose parts were joined at a lower mean probability than this deserves a look."""
SHOWN = 10  # matches of one observation
BULK = 2_000  # records from which a batch that is as large as what is held is linked anew as a whole
Pairs = list[list[str]]
_USUAL = (
    Kind.GIVEN_NAME, Kind.SURNAME, Kind.BIRTH_DATE, Kind.EMAIL, Kind.PHONE, Kind.STREET, Kind.STREET_NUMBER,
    Kind.POSTCODE, Kind.CITY, Kind.IDENTIFIER, Kind.HANDLE,
)  # fmt: skip


class Resolver:
    """Customers under one linkage model, kept up record by record, with an event store behind them.

    After any sequence of calls the customers are those that `resolve` finds in all records at once under the same model
    and the same decisions. What is acknowledged is stored: a killed process loses nothing.

    Parameters
    ----------
    model : LinkageModel
        From `people.model`, or what is typical of the schema's kinds where None (`LinkageModel.default`).
    schema : Schema
        What each column of each source means. A source that it does not know is inferred from its first records.
    store : EventStore
        A `MemoryStore` where None. It must hold no resolver of this name yet: see `Resolver.open`.
    rules : Rules
        Decisions, one-to-one sources, at most k values, blocked values. Decisions about records to come wait for them.
    plan : PreparationPlan
        How records are normalised (`people.preparation.plan`); by the schema alone where None.
    default_region : ISO 3166 code
        Region of local telephone numbers, where there is no plan.
    stream : text
        Name of this resolver in the store.

    Notes
    -----
    One process writes: a second one that has seen other events gets a `StoreConflict` and opens the store again.
    `Rules.max_profiles` is obeyed as the batch left it (`Resolver.of`): a value found crowded there stays left out.

    Examples
    --------
    >>> from datetime import datetime, UTC
    >>> member = {"member_no": "M1", "name": "Somchai J.", "phone": "081-234-5678"}
    >>> order = {"order_no": "O9", "email": "somchai@example.org", "ship_phone": "+66812345678"}
    >>> schema = Schema.infer({"members": [member], "orders": [order]})
    >>> resolver, now = Resolver(schema=schema, default_region="TH"), datetime(2026, 5, 1, tzinfo=UTC)
    >>> first = resolver.observe(member, source="members", record_id="M1", now=now)
    >>> second = resolver.observe(order, source="orders", record_id="O9", now=now)
    >>> first.outcome.value, second.customer == first.customer, second.matches[0].reasons
    ('new', True, ('phone same (•••78)',))
    """

    def __init__(
        self,
        model: LinkageModel | None = None,
        *,
        schema: Schema | None = None,
        store: EventStore | None = None,
        rules: Rules | None = None,
        plan: PreparationPlan | None = None,
        default_region: str | None = None,
        stream: str = "resolver",
    ) -> None:
        bound = plan.schema if plan is not None else schema or Schema()
        chosen = model or LinkageModel.default({k.value: k for k in _kinds(bound)})
        if plan is None:
            plan = PreparationPlan(
                schema=bound, regions=dict.fromkeys(bound.roles, default_region), fields=dict(chosen.fields)
            )
        self._store = MemoryStore() if store is None else store
        if self._store.version(stream):
            raise StoreConflict(stream, 0, self._store.version(stream))
        self._default_region = default_region
        self._adopt(History.begin(stream, chosen, plan, rules or Rules()))

    def _adopt(self, history: History) -> None:
        self._history = history
        self._graph = history.graph
        self._names = history.names
        self._normaliser = RecordNormaliser(attrs.evolve(history.plan, fields=history.model.fields))

    @classmethod
    def open(cls, store: EventStore, *, stream: str = "resolver") -> Resolver:
        """Restore model, schema, decisions and customers from a store: the newest snapshot, and what came after it.

        Raises
        ------
        EmptyInput
            The store holds no resolver of this name.
        """
        resolver = cls.__new__(cls)
        resolver._store = store
        resolver._default_region = None
        resolver._adopt(resolver_history.load(store, stream))
        return resolver

    @classmethod
    def of(
        cls, people: People, *, now: datetime, store: EventStore | None = None, stream: str = "resolver"
    ) -> Resolver:
        """Go on from a batch: its model, its way of normalising, its records and its customer ids.

        Parameters
        ----------
        people : what `resolve` gave
        now : when its records are taken to have been observed
        store : a new store; a `MemoryStore` where None
        """
        resolver = cls(people.model, store=store, rules=people.rules, plan=people.preparation.plan, stream=stream)
        table = people.table
        raw = [{k: v for k, v in r.items() if v is not None} for r in export_records(table)]
        names = np.array(table.sources, object)[table.source].tolist()
        records = people.model.select(people.linkage.records)
        ids = assign_ids(people.labels, table.record_id, people.previous or None)
        resolver._begin(now)
        resolver._load(records, names, raw, ids.ids, ids.labels.tolist(), now)
        return resolver

    # ---- reading -----------------------------------------------------------------------------------------------

    @property
    def model(self) -> LinkageModel:
        """The model that decides."""
        return self._history.model

    @property
    def plan(self) -> PreparationPlan:
        """How records are normalised."""
        return self._history.plan

    @property
    def schema(self) -> Schema:
        """What each column of each source means."""
        return self._history.plan.schema

    def __len__(self) -> int:
        return len(self._names.of)

    def __repr__(self) -> str:
        return f"Resolver({len(self._graph)} records, {len(self)} customers)"

    def customers(self) -> tuple[str, ...]:
        """Ids of all customers, sorted."""
        return tuple(sorted(self._names.entity))

    def assignments(self) -> dict[str, str]:
        """Record id -> customer id."""
        of = self._names.of
        return {record: of[entity] for record, entity in self._graph.labels().items()}

    def customer_of(self, record_id: str) -> str:
        """Customer of a record.

        Raises
        ------
        UnknownName
            No such record; the nearest is proposed.
        """
        return self._names.of[self._graph.entity(record_id)]

    def customer(self, customer: str) -> dict[str, dict[str, object]]:
        """Raw records of a customer, by record id.

        Raises
        ------
        UnknownName
            Nobody has this id now; `lineage` says what became of it.
        """
        return {r: self._raw(r) for r in sorted(self._graph.members(self._entity(customer)))}

    def lookup(self, record: Mapping[str, object], *, source: str = "records") -> tuple[Match, ...]:
        """Whose record could this be? Nothing is written.

        Parameters
        ----------
        record : column -> cell
        source : where its columns come from; one that the schema knows

        Returns
        -------
        matches at or above the model's floor, most probable first
        """
        self._known_source(source)
        values = self._normaliser.values(source, record)
        found = self._graph.index.match(values)
        return tuple(self._match(values, c.row, c.log_odds) for c in found[:SHOWN])

    def lineage(self, customer: str) -> tuple[IdentityStep, ...]:
        """Every merge and split that named this customer, in the order in which they happened."""
        return tuple(s for s in self._history.steps if customer in (s.customer, s.other))

    def became(self, customer: str) -> tuple[str, ...]:
        """Customers who hold today what this customer once held: itself, whom it was merged into, what was split off.

        Raises
        ------
        UnknownName
            Nobody ever had this id.
        """
        heirs, seen = [customer], {customer}
        for step in self._history.steps:
            gives, takes = (
                (step.customer, step.other) if step.change.value == "merged into" else (step.other, step.customer)
            )
            if gives in seen and takes is not None and takes not in seen:
                seen.add(takes)
                heirs.append(takes)
        live = tuple(c for c in heirs if c in self._names.entity)
        if not live and len(heirs) == 1 and not self.lineage(customer):
            raise UnknownName("customer", customer, tuple(list(self._names.entity)[:10_000]))
        return live

    def as_of(self, time: datetime) -> CustomersAsOf:
        """Who was who at a time, from the events that had happened by then (inclusive)."""
        if time.utcoffset() is None:
            raise NaiveDatetime("time")
        return CustomersAsOf(time, resolver_history.customers_at(self._store, self._history.stream, time))

    def table(self) -> RecordTable:
        """All raw records as one table, by source and record id: what `resolve` takes.

        Passed to `resolve(..., model=resolver.model, schema=resolver.schema, rules=resolver.rules)` it gives the same
        customers at once.
        """
        by_source: dict[str, list[str]] = {}
        for record in sorted(self._graph.labels()):
            by_source.setdefault(self._graph.source(self._graph.row(record)), []).append(record)
        named = {s: [self._raw(r) for r in ids] for s, ids in sorted(by_source.items())}
        raw = read_columns(named)
        ids = np.array([r for s in named for r in by_source[s]], object)
        return attrs.evolve(raw, record_id=ids)

    @property
    def rules(self) -> Rules:
        """The rules given at the start, and every decision that holds now."""
        graph, ids = self._graph, self._graph.ids
        both: list[list[tuple[str, str]]] = [[], []]
        for pairs, held in zip(both, (graph.must, graph.must_not), strict=True):
            for record in graph.labels():
                row = graph.row(record)
                pairs += [(record, ids[o]) for o in held(row) if o > row]
        waiting = self._history.waiting
        return attrs.evolve(
            self._history.rules,
            must_link=sorted(both[0] + [p for kind, *p in waiting if kind == "must"]),  # type: ignore[misc]
            must_not_link=sorted(both[1] + [p for kind, *p in waiting if kind != "must"]),  # type: ignore[misc]
        )

    # ---- observing ---------------------------------------------------------------------------------------------

    def observe(
        self, record: Mapping[str, object], *, source: str = "records", record_id: str | None = None, now: datetime
    ) -> Observation:
        """Take one more record in, and say whose it is.

        Parameters
        ----------
        record : column -> cell
        source : where it comes from
        record_id : its id within the source; the column that the schema names, or a running number, where None
        now : when it was observed

        Returns
        -------
        Observation
            Stored already. The same record again changes nothing and gives the present answer.

        Raises
        ------
        DuplicateIds
            Another record of the source has this id.
        StoreConflict
            Another process has written to this resolver: open it again.
        """
        return self.observe_many(
            [record], source=source, record_ids=None if record_id is None else [record_id], now=now
        )[0]

    def observe_many(
        self,
        records: Any,
        *,
        source: str = "records",
        record_ids: Sequence[str] | None = None,
        now: datetime,
    ) -> list[Observation]:
        """Take several records of one source in; the customers are the same as one by one, customers form once.

        Parameters
        ----------
        records : list of dicts, or any frame
        source, record_ids, now : as in `observe`
        """
        rows = _as_dicts(records)
        if not rows:
            return []
        self._begin(now)
        if source not in self.plan.schema.roles:
            self._describe(source, rows, now)
        ids = self._ids(rows, source, record_ids)
        values = self._values(rows, source)
        again = [i for i, r in enumerate(ids) if r in self._graph]
        other = tuple(i for i in again if self._graph.index.values(self._graph.row(ids[i])) != values[i])
        repeated = () if len(set(ids)) == len(ids) else tuple(i for i, r in enumerate(ids) if r in ids[:i])
        if other or repeated:
            raise DuplicateIds("records observed", len(other + repeated), other + repeated)
        known = set(again)
        fresh = [i for i in range(len(ids)) if i not in known]
        told: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
        if fresh:
            told = self._take(
                [ids[i] for i in fresh], [values[i] for i in fresh], [rows[i] for i in fresh], source, now
            )
        return [self._observation(r, *told.get(r, ((), ()))) for r in ids]

    def _take(
        self,
        ids: list[str],
        values: list[tuple[str | None, ...]],
        raw: list[Mapping[str, object]],
        source: str,
        now: datetime,
    ) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
        """Hold new records, store their events; per record: customers that ended, and what was kept apart."""
        if len(ids) >= BULK and len(ids) >= len(self._graph):
            self._relink(ids, values, raw, source, now)
            return {}
        graph, name = self._graph, self._graph.ids.__getitem__
        change = graph.add_many((r, v, source) for r, v in zip(ids, values, strict=True))
        renamed = self._names.follow(change, name)
        parts, notes = [renamed], self._notes(change)
        orders = self._history.due(ids, graph)
        if orders:
            later = graph.decide(**{k: [(graph.row(a), graph.row(b)) for a, b in p] for k, p in orders.items()})
            parts.append(self._names.follow(later, name))
            notes |= self._notes(later)
        ended = tuple(c[0] for p in parts for c in p.changes if c[1].value == "merged into")
        moved: dict[str, str] = {}
        for p in parts:
            moved.update({r: customer for customer, came in p.moved.items() for r in came})
        own = set(ids)
        events = []
        for record, value, cells in zip(ids, values, raw, strict=True):
            data: dict[str, object] = {
                "record_id": record, "source": source, "record": _plain(cells), "values": list(value), "customer": moved[record],
            }  # fmt: skip
            events.append(Event(id=f"{self._history.stream}:{record}", type=OBSERVED, time=now, data=data))
        extra = {r: c for r, c in moved.items() if r not in own}
        changes = [list(c) for p in parts for c in p.changes]
        if extra or changes or orders:
            tail = {**events[-1].data, "moved": extra, "changes": changes}
            if orders:
                tail["orders"] = {k: [list(pair) for pair in p] for k, p in orders.items()}
            events[-1] = attrs.evolve(events[-1], data=tail)
        self._write(events)
        return {r: (ended if len(ids) == 1 else (), notes.get(graph.entity(r), ())) for r in ids}

    def _notes(self, change: Change) -> dict[int, tuple[str, ...]]:
        """Why somebody should look at an entity."""
        notes: dict[int, tuple[str, ...]] = {}
        for e, mean in change.weakest.items():
            if mean < WEAK_BRIDGE:
                notes[e] = (f"weak bridge: two parts joined at a mean probability of {mean:.2f}",)
        for a, b, why in change.blocked:
            for e in (a, b):
                notes[e] = (*notes.get(e, ()), f"kept apart from a likely match by {why}")
        return notes

    def _relink(
        self,
        ids: list[str],
        values: list[tuple[str | None, ...]],
        raw: Sequence[Mapping[str, object]],
        source: str,
        now: datetime,
    ) -> None:
        """Link everything anew: for a batch as large as what is held this is much faster than record by record."""
        before = self.assignments()
        held = self._graph.records() if len(self._graph) else None
        columns = tuple(
            Column.of(name, kind, [*(held.columns[f].text.to_list() if held else ()), *(v[f] for v in values)])
            for f, (name, kind) in enumerate(self.model.fields.items())
        )
        names = [*(np.array(held.sources, object)[held.source].tolist() if held else ()), *[source] * len(ids)]
        known = tuple(dict.fromkeys(names))
        code = {s: i for i, s in enumerate(known)}
        every = [*(held.ids.tolist() if held else ()), *ids]
        records = Records(np.array(every, object), np.array([code[s] for s in names], np.int32), known, columns)
        must, must_not = self._history.decided(set(every), self._graph)
        graph = EntityGraph.linked(
            self.model, records, limits=self._graph.limits, must_link=must, must_not_link=must_not
        )
        labels = np.fromiter((graph.entity(r) for r in every), np.int64, len(every))
        found = assign_ids(labels, records.ids, before or None)
        customers = [found.ids[c] for c in found.labels.tolist()]
        moved = {r: c for r, c in zip(every, customers, strict=True) if r in before and before[r] != c}
        changes = [
            [e.customer, e.change.value, e.other, e.records]
            for e in found.events
            if e.change.value not in ("new", "kept")
        ]
        self._replace(graph, every, customers)
        self._store_records(ids, values, raw, [source] * len(ids), customers[-len(ids) :], now, moved, changes)

    def _load(
        self,
        records: Records,
        sources: Sequence[str],
        raw: Sequence[Mapping[str, object]],
        customers: Sequence[str],
        labels: Sequence[int],
        now: datetime,
    ) -> None:
        """Hold the records of a batch and its customers."""
        ids = [str(r) for r in records.ids.tolist()]
        must, must_not = self._history.decided(set(ids), self._graph)
        graph = EntityGraph.linked(
            self.model, records, limits=self._graph.limits, must_link=must, must_not_link=must_not
        )
        entity = np.fromiter((graph.entity(r) for r in ids), np.int64, len(ids))
        again = assign_ids(entity, ids, dict(zip(ids, (customers[c] for c in labels), strict=True)))
        named = [again.ids[c] for c in again.labels.tolist()]
        self._replace(graph, ids, named)
        values = list(zip(*(c.text.to_list() for c in records.columns), strict=True))
        self._store_records(ids, values, raw, sources, named, now, {}, [])

    def _replace(self, graph: EntityGraph, ids: Sequence[str], customers: Sequence[str]) -> None:
        self._graph = self._history.graph = graph
        names = type(self._names)()
        for record, customer in zip(ids, customers, strict=True):
            names.set(graph.entity(record), customer)
        self._names = self._history.names = names

    def _store_records(
        self,
        ids: Sequence[str],
        values: Sequence[Sequence[str | None]],
        raw: Sequence[Mapping[str, object]],
        sources: Sequence[str],
        customers: Sequence[str],
        now: datetime,
        moved: Mapping[str, str],
        changes: list[list[object]],
    ) -> None:
        events = []
        for record, value, cells, source, customer in zip(ids, values, raw, sources, customers, strict=True):
            data: dict[str, object] = {
                "record_id": record, "source": source, "record": _plain(cells), "values": list(value), "customer": customer,
            }  # fmt: skip
            events.append(Event(id=f"{self._history.stream}:{record}", type=OBSERVED, time=now, data=data))
        if moved or changes:
            events[-1] = attrs.evolve(events[-1], data={**events[-1].data, "moved": dict(moved), "changes": changes})
        self._write(events)

    # ---- decisions ---------------------------------------------------------------------------------------------

    def merge(self, a: str, b: str, *, actor: str, reason: str, now: datetime) -> str:
        """Decide that two customers are one person; returns the event id, which `undo` takes.

        All records of both are bound together, in every later run too; earlier decisions that kept them apart yield.
        The id of the customer with more records lives on (of equals the smaller).
        """
        rows = [self._graph.rows_of(self._entity(c)) for c in (a, b)]
        if a == b:
            raise OutOfRange("b", b, "another customer than a", "name the two customers that are one")
        graph = self._graph
        apart = [(i, j) for i in rows[0] for j in rows[1] if j in graph.must_not(i)]
        chain = sorted((*rows[0], *rows[1]), key=graph.ids.__getitem__)
        plus = [(i, j) for i, j in zip(chain, chain[1:], strict=False) if j not in graph.must(i)]
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
        return [
            (i, j) for rows in groups.values() for i, j in zip(rows, rows[1:], strict=False) if j not in graph.must(i)
        ]

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
        record = event_id.removeprefix(f"{history.stream}:")
        if record not in self._graph:
            raise UnknownName("event", event_id, tuple(history.decisions))
        change = self._graph.remove(record)
        renamed = self._names.follow(change, self._graph.ids.__getitem__)
        data = {"record_id": record, "event": event_id, **_moves(renamed.moved, renamed.changes)}
        return self._write([self._event(WITHDRAWN, data, actor, reason, now)])

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

    # ---- events ------------------------------------------------------------------------------------------------

    def _event(self, kind: str, data: Mapping[str, object], actor: str, reason: str, now: datetime) -> Event:
        number = self._history.version + 1
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

    def _describe(self, source: str, rows: Sequence[Mapping[str, object]], now: datetime) -> None:
        """Infer what the columns of a new source mean, and keep that."""
        schema = self.plan.schema.bind(read_columns({source: [dict(r) for r in rows]}))
        region = self._default_region or self.plan.region
        plan = attrs.evolve(self.plan, schema=schema, regions={**self.plan.regions, source: region})
        self._history.plan = plan
        self._normaliser = RecordNormaliser(attrs.evolve(plan, fields=self.model.fields))
        self._write([self._event(DESCRIBED, {"source": source, "plan": plan.to_dict()}, "", "", now)])

    def snapshot(self) -> None:
        """Keep the whole state, so that opening again reads only what comes after it."""
        history = self._history
        if not history.version:
            raise EmptyInput("the resolver", "observe a record before taking a snapshot")
        self._store.snapshot(history.stream, history.version, history.state())

    # ---- small parts -------------------------------------------------------------------------------------------

    def _entity(self, customer: str) -> int:
        found = self._names.entity.get(customer)
        if found is None:
            raise UnknownName("customer", customer, tuple(list(self._names.entity)[:10_000]))
        return found

    def _raw(self, record_id: str) -> dict[str, object]:
        event = next(self._store.read_all(after=self._history.position_of[record_id] - 1, limit=1))
        return dict(event.data["record"])  # type: ignore[call-overload]

    def _known_source(self, source: str) -> None:
        if source not in self.plan.schema.roles:
            raise UnknownName("source", source, tuple(self.plan.schema.roles))

    def _ids(self, rows: Sequence[Mapping[str, object]], source: str, given: Sequence[str] | None) -> list[str]:
        if given is not None:
            if len(given) != len(rows):
                raise OutOfRange("record_ids", f"{len(given)} ids", f"{len(rows)}", "give one id per record")
            return [f"{source}:{r}" for r in given]
        column = self.plan.schema.id_column(source)
        if column is None:
            first = self._history.counts.get(source, 0)
            return [f"{source}:{first + i}" for i in range(len(rows))]
        missing = [i for i, r in enumerate(rows) if r.get(column) in (None, "")]
        if missing:
            raise OutOfRange(f"{source}.{column}", "no value", "an id in every record", "or pass record_id=")
        return [f"{source}:{text_of(r[column]) if not isinstance(r[column], str) else r[column]}" for r in rows]

    def _values(self, rows: list[Mapping[str, object]], source: str) -> list[tuple[str | None, ...]]:
        """Normalised values: record by record, or as columns where there are many."""
        if len(rows) < 500:
            return [self._normaliser.values(source, r) for r in rows]
        table = read_columns({source: rows})
        records, _ = prepare(table, self.schema, plan=self._normaliser.plan)
        return list(zip(*(c.text.to_list() for c in records.columns), strict=True))

    def _match(self, values: Sequence[str | None], row: int, log_odds: float) -> Match:
        other = self._graph.index.values(row)
        return Match(
            record_id=self._graph.ids[row],
            customer=self._names.of[self._graph.entity(self._graph.ids[row])],
            p=1.0 / (1.0 + math.exp(-min(max(log_odds, -60.0), 60.0))),
            log_odds=log_odds,
            reasons=self._reasons(values, other),
        )

    def _reasons(self, left: Sequence[str | None], right: Sequence[str | None]) -> tuple[str, ...]:
        """Fields whose agreement speaks for one person, strongest first."""
        scorer = self._graph.index.scorer
        levels = scorer.levels(left, right)
        terms = scorer.terms(left, right, levels)
        said = []
        for f, (name, kind) in enumerate(self.model.fields.items()):
            says = scorer.says(f, levels[f]) + terms[f]
            if levels[f] and says > 0:
                words = DEFINITIONS[kind].levels
                word = words[levels[f] - 1] if levels[f] <= len(words) else "names swapped"
                said.append((-says, f"{name} {word} ({mask(left[f])})"))
        return tuple(text for _, text in sorted(said))

    def _observation(self, record: str, ended: tuple[str, ...], notes: tuple[str, ...]) -> Observation:
        graph = self._graph
        row = graph.row(record)
        near = sorted(graph.near(row).items(), key=lambda x: (-x[1], graph.ids[x[0]]))[:SHOWN]
        values = graph.index.values(row) if near else ()
        matches = tuple(self._match(values, other, odds) for other, odds in near)
        low, high = REVIEW_BAND
        if matches and low <= matches[0].p <= high and graph.row(matches[0].record_id) not in graph.must(row):
            notes = (f"the best match has a probability of {matches[0].p:.2f}, near the cut", *notes)
        alone = len(graph.rows_of(graph.entity(record))) == 1
        outcome = Outcome.REVIEW if notes else Outcome.NEW if alone else Outcome.MATCH
        return Observation(
            record_id=record,
            outcome=outcome,
            customer=self.customer_of(record),
            matches=matches,
            merged=ended,
            review=notes,
            event_id=f"{self._history.stream}:{record}",
        )


_OPPOSITE = {
    "must_link": "withdrawn_must_link",
    "must_not_link": "withdrawn_must_not_link",
    "withdrawn_must_link": "must_link",
    "withdrawn_must_not_link": "must_not_link",
}


def _moves(moved: Mapping[str, list[str]], changes: Sequence[tuple[object, ...]]) -> dict[str, object]:
    return {"moved": {r: c for c, came in moved.items() for r in came}, "changes": [list(c) for c in changes]}


def _plain(record: Mapping[str, object]) -> dict[str, object]:
    """Cells as JSON has them; what JSON does not know becomes the text that matching sees."""
    out: dict[str, object] = {}
    for name, cell in record.items():
        if isinstance(cell, np.generic):
            cell = cell.item()
        if isinstance(cell, float) and not math.isfinite(cell):
            cell = None
        out[str(name)] = cell if cell is None or type(cell) in (str, int, float, bool) else text_of(cell)
    return out


def _as_dicts(records: Any) -> list[Mapping[str, object]]:
    if isinstance(records, list | tuple):
        return list(records)
    return list(export_records(read_columns(records)))


def _kinds(schema: Schema) -> tuple[Kind, ...]:
    """Kinds that the columns of a schema can fill; the usual ones where it knows no column yet."""
    found: set[Kind] = set()
    for roles in schema.roles.values():
        for role in roles.values():
            if role.kind.kind is not None and (role.kind is not Meaning.TEXT or role.chosen):
                found.add(role.kind.kind)
                if role.kind is Meaning.FULL_NAME:
                    found.add(Kind.SURNAME)
                if role.kind in (Meaning.STREET, Meaning.ADDRESS):
                    found.add(Kind.STREET_NUMBER)
    return tuple(k for k in Kind if k in found) or _USUAL
