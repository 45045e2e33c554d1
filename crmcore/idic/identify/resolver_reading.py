"""What can be asked of a resolver: customers, matches, history. Nothing here writes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs
import numpy as np

from crmcore._base import mask
from crmcore.errors import NaiveDatetime, UnknownName
from crmcore.idic.identify import resolver_history
from crmcore.idic.identify.linkage_rules import Rules
from crmcore.idic.identify.naming import Names
from crmcore.idic.identify.observation import CustomersAsOf, IdentityStep, Match, Observation, Outcome
from crmcore.idic.identify.one_record import RecordNormaliser
from crmcore.idic.identify.plan import PreparationPlan
from crmcore.idic.identify.readers import read_columns
from crmcore.idic.identify.resolver_history import History
from crmcore.idic.identify.schema import Schema
from crmcore.linkage.fields import DEFINITIONS
from crmcore.linkage.incremental import EntityGraph
from crmcore.linkage.model import LinkageModel
from crmcore.stores import EventStore
from crmcore.tables import RecordTable

__all__ = ["REVIEW_BAND", "WEAK_BRIDGE", "ResolverReading"]

REVIEW_BAND = (0.1, 0.6)
"""A best match whose probability lies between these is near the cut (.25 for two records): somebody should look."""
WEAK_BRIDGE = 0.5
"""A customer of three and more records whose parts joined at a lower mean probability than this deserves a look."""
SHOWN = 10  # matches of one observation


class ResolverReading:
    """The questions that a resolver answers."""

    _store: EventStore
    _history: History
    _graph: EntityGraph
    _names: Names
    _normaliser: RecordNormaliser

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
        graph = self._graph
        must, must_not = ([(graph.ids[a], graph.ids[b]) for a, b in pairs] for pairs in graph.decisions())
        for kind, a, b in self._history.waiting:
            (must if kind == "must" else must_not).append((a, b))
        return attrs.evolve(self._history.rules, must_link=sorted(must), must_not_link=sorted(must_not))

    def _entity(self, customer: str) -> int:
        found = self._names.entity.get(customer)
        if found is None:
            raise UnknownName("customer", customer, tuple(list(self._names.entity)[:10_000]))
        return found

    def _raw(self, record_id: str) -> dict[str, object]:
        event = next(self._store.read_all(after=self._history.position_of[record_id] - 1, limit=1))
        data: Mapping[str, Any] = event.data
        return dict(data["record"])

    def _known_source(self, source: str) -> None:
        if source not in self.plan.schema.roles:
            raise UnknownName("source", source, tuple(self.plan.schema.roles))

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
            event_id=self._history.event_of(record),
        )
