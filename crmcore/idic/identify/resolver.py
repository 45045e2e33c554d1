"""Recognise customers as their records come: one event per record, all of it rebuilt by replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs
import numpy as np

from crmcore.errors import DuplicateIds, EmptyInput, OutOfRange, StoreConflict
from crmcore.idic.identify import resolver_history
from crmcore.idic.identify.ids import assign_ids
from crmcore.idic.identify.linkage_rules import Rules
from crmcore.idic.identify.naming import Names
from crmcore.idic.identify.normalize import prepare
from crmcore.idic.identify.observation import Observation
from crmcore.idic.identify.one_record import RecordNormaliser
from crmcore.idic.identify.people import People
from crmcore.idic.identify.plan import PreparationPlan
from crmcore.idic.identify.readers import read_columns
from crmcore.idic.identify.resolver_decisions import ResolverDeciding
from crmcore.idic.identify.resolver_history import DESCRIBED, OBSERVED, History
from crmcore.idic.identify.resolver_reading import REVIEW_BAND, WEAK_BRIDGE
from crmcore.idic.identify.resolver_records import as_dicts, kinds_of, plain
from crmcore.idic.identify.schema import Schema
from crmcore.idic.identify.source_table import export_records, text_of
from crmcore.linkage.incremental import Change, EntityGraph
from crmcore.linkage.model import LinkageModel
from crmcore.linkage.records import Column, Records
from crmcore.stores import Event, EventStore, MemoryStore

__all__ = ["REVIEW_BAND", "WEAK_BRIDGE", "Resolver"]

BULK = 2_000  # records from which a batch that is as large as what is held is linked anew as a whole


class Resolver(ResolverDeciding):
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
        chosen = model or LinkageModel.default({k.value: k for k in kinds_of(bound)})
        if plan is None:
            plan = PreparationPlan(
                schema=bound, regions=dict.fromkeys(bound.roles, default_region), fields=dict(chosen.fields)
            )
        self._store = MemoryStore() if store is None else store
        if self._store.version(stream):
            raise StoreConflict(stream, 0, self._store.version(stream))
        self._default_region = default_region
        self._adopt(History.begin(stream, chosen, plan, rules or Rules()))

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
        plan = _without_crowded(people)
        resolver = cls(people.model, store=store, rules=people.rules, plan=plan, stream=stream)
        table = people.table
        raw = [{k: v for k, v in r.items() if v is not None} for r in export_records(table)]
        names = np.array(table.sources, object)[table.source].tolist()
        records = people.model.select(people.linkage.records)
        ids = assign_ids(people.labels, table.record_id, people.previous or None)
        resolver._begin(now)
        resolver._load(records, names, raw, ids.ids, ids.labels.tolist(), now)
        return resolver

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
        rows = as_dicts(records)
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
        events = self._observed(ids, values, raw, [source] * len(ids), [moved[r] for r in ids], now)
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
        names = Names()
        for record, customer in zip(ids, customers, strict=True):
            names.give(graph.entity(record), customer)
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
        changes: Sequence[Sequence[object]],
    ) -> None:
        events = self._observed(ids, values, raw, sources, customers, now)
        if moved or changes:
            tail = {**events[-1].data, "moved": dict(moved), "changes": [list(c) for c in changes]}
            events[-1] = attrs.evolve(events[-1], data=tail)
        self._write(events)

    def _observed(
        self,
        ids: Sequence[str],
        values: Sequence[Sequence[str | None]],
        raw: Sequence[Mapping[str, object]],
        sources: Sequence[str],
        customers: Sequence[str],
        now: datetime,
    ) -> list[Event]:
        """One event per record: the raw record, its normal form, and whose it was found to be."""
        return [
            Event(
                id=self._history.event_of(record),
                type=OBSERVED,
                time=now,
                data={
                    "record_id": record,
                    "source": source,
                    "record": plain(cells),
                    "values": list(value),
                    "customer": customer,
                },
            )
            for record, value, cells, source, customer in zip(ids, values, raw, sources, customers, strict=True)
        ]

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


def _without_crowded(people: People) -> PreparationPlan:
    """The batch's plan, with the values blocked that the batch found to be shared by too many profiles."""
    plan = people.preparation.plan
    if not people.rules.max_profiles:
        return plan
    before, _ = prepare(people.table, people.schema, plan=plan)
    after = {c.name: c for c in people.linkage.records.columns}
    for column in before.columns:
        if column.name in people.rules.max_profiles and column.name in after:
            gone = np.unique(column.codes[(column.codes >= 0) & (after[column.name].codes < 0)])
            plan = plan.with_values_blocked(column.name, [column.values[i] for i in gone.tolist()])
    return plan
