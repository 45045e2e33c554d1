"""What a resolver remembers, and how it comes back from its events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs
import numpy as np

from crmcore.errors import EmptyInput
from crmcore.idic.identify.ids import Change
from crmcore.idic.identify.linkage_rules import Rules
from crmcore.idic.identify.naming import Names
from crmcore.idic.identify.observation import IdentityStep
from crmcore.idic.identify.plan import PreparationPlan
from crmcore.idic.identify.resolver_snapshot import (
    pack_array,
    pack_records,
    pack_texts,
    unpack_array,
    unpack_records,
    unpack_texts,
)
from crmcore.linkage.incremental import EntityGraph, Limits
from crmcore.linkage.model import LinkageModel
from crmcore.linkage.records import Column, Records
from crmcore.stores import Event, EventStore

__all__ = [
    "BEGUN",
    "DESCRIBED",
    "MERGED",
    "OBSERVED",
    "SPLIT",
    "UNDONE",
    "WITHDRAWN",
    "History",
    "customers_at",
    "load",
]

BEGUN = "resolver begun"
DESCRIBED = "source described"
OBSERVED = "record observed"
WITHDRAWN = "record withdrawn"
MERGED = "customers merged"
SPLIT = "customer split"
UNDONE = "decision undone"
FORMAT = "crmcore resolver 1"
Pairs = list[tuple[str, str]]


@attrs.define(eq=False, repr=False)
class History:
    """State that follows from the events of one resolver."""

    stream: str
    model: LinkageModel
    plan: PreparationPlan
    rules: Rules
    graph: EntityGraph
    names: Names = attrs.field(factory=Names)
    version: int = 0
    position: int = 0
    position_of: dict[str, int] = attrs.field(factory=dict)  # record id -> position of its event
    counts: dict[str, int] = attrs.field(factory=dict)  # records a source has ever sent
    steps: list[IdentityStep] = attrs.field(factory=list)
    decisions: dict[str, dict[str, Pairs]] = attrs.field(factory=dict)  # event id -> orders
    undone: set[str] = attrs.field(factory=set)
    waiting: list[tuple[str, str, str]] = attrs.field(factory=list)  # (must | must not, record, record) to come

    @classmethod
    def begin(cls, stream: str, model: LinkageModel, plan: PreparationPlan, rules: Rules) -> History:
        """State before the first event."""
        graph = EntityGraph(model, limits=_limits(rules))
        waiting = [("must", a, b) for a, b in rules.must_link] + [("must not", a, b) for a, b in rules.must_not_link]
        return cls(stream, model, plan, rules, graph, waiting=waiting)

    def beginning(self) -> dict[str, object]:
        """Payload of the first event."""
        return {
            "format": FORMAT,
            "model": self.model.to_dict(),
            "plan": self.plan.to_dict(),
            "rules": _rules_dict(self.rules),
        }

    def event_of(self, record: str) -> str:
        """Id of the event by which a record is held, or will be: one that was taken back is never used again."""
        found, again = f"{self.stream}:{record}", 0
        while found in self.undone:
            again += 1
            found = f"{self.stream}#again {again}:{record}"
        return found

    def record_of(self, event_id: str) -> str:
        """Record whose observation has this event id; the inverse of `event_of`."""
        again = f"{self.stream}#again "
        if event_id.startswith(again):
            return event_id.removeprefix(again).partition(":")[2]
        return event_id.removeprefix(f"{self.stream}:")

    def due(self, ids: Sequence[str], graph: EntityGraph) -> dict[str, Pairs]:
        """Decisions that waited for these records and can be made now."""
        if not self.waiting:
            return {}
        orders: dict[str, Pairs] = {}
        for kind, a, b in [w for w in self.waiting if w[1] in graph and w[2] in graph]:
            orders.setdefault("must_link" if kind == "must" else "must_not_link", []).append((a, b))
        self.waiting = [w for w in self.waiting if not (w[1] in graph and w[2] in graph)]
        return orders

    def decided(self, ids: set[str], graph: EntityGraph) -> tuple[Pairs, Pairs]:
        """Must-links and must-not-links among records: those of the graph, and those that waited for these."""
        must, must_not = _decisions(graph)
        for kind, a, b in self.waiting:
            if a in ids and b in ids:
                (must if kind == "must" else must_not).append((a, b))
        self.waiting = [w for w in self.waiting if not (w[1] in ids and w[2] in ids)]
        return must, must_not

    def remember(self, event: Event) -> None:
        """Take over what is neither record nor decision: positions, steps, what can be undone."""
        data: Mapping[str, Any] = event.data
        self.version, self.position = event.version, event.position
        if event.type == OBSERVED:
            self.position_of[data["record_id"]] = event.position
            self.counts[data["source"]] = self.counts.get(data["source"], 0) + 1
        elif event.type == WITHDRAWN:
            self.position_of.pop(data["record_id"], None)
            self.undone.add(data["event"])
        elif event.type in (MERGED, SPLIT, UNDONE):
            self.decisions[event.id] = {k: [(a, b) for a, b in p] for k, p in data["orders"].items()}
            if event.type == UNDONE:
                self.undone.add(data["event"])
        for customer, change, other, n in data.get("changes", ()):
            self.steps.append(
                IdentityStep(
                    customer=customer, change=Change(change), other=other, records=n, time=event.time,
                    event_id=event.id, actor=event.actor, reason=event.reason,
                )
            )  # fmt: skip

    def state(self) -> dict[str, object]:
        """JSON-ready snapshot."""
        graph = self.graph
        records, (lo, hi, odds), labels = graph.state()
        ids = records.ids.tolist()
        must, must_not = _decisions(graph)
        customers = [self.names.of[graph.entity(r)] for r in ids]
        return {
            **self.beginning(),
            "position": self.position,
            "records": pack_records(records),
            "pairs": [pack_array(lo), pack_array(hi), pack_array(odds)],
            "labels": pack_array(labels),
            "customers": pack_texts(customers),
            "positions": pack_array(np.array([self.position_of[r] for r in ids], np.int64)),
            "must_link": [list(p) for p in must],
            "must_not_link": [list(p) for p in must_not],
            "counts": dict(self.counts),
            "steps": [
                [s.customer, s.change.value, s.other, s.records, s.time.isoformat(), s.event_id, s.actor, s.reason]
                for s in self.steps
            ],
            "decisions": {e: {k: [list(p) for p in v] for k, v in o.items()} for e, o in self.decisions.items()},
            "undone": sorted(self.undone),
            "waiting": [list(w) for w in self.waiting],
        }


def load(store: EventStore, stream: str) -> History:
    """Rebuild a resolver's state from its newest snapshot and the events after it."""
    snapshot = store.latest_snapshot(stream)
    customer_of: dict[str, str] = {}
    if snapshot is None:
        history = None
        after = 0
    else:
        history, customer_of = _restored(stream, snapshot.state)
        history.version = snapshot.version
        after = history.position
    fresh: dict[str, tuple[list[str | None], str]] = {}
    gone: list[str] = []
    orders: list[dict[str, Pairs]] = []
    for event in _events(store, stream, after):
        data: Mapping[str, Any] = event.data
        if event.type == BEGUN:
            history = _begun(stream, data)
        if history is None:
            break
        if event.type == DESCRIBED:
            history.plan = PreparationPlan.from_dict(data["plan"])
        elif event.type == OBSERVED and "values" in data:  # its content may have been erased
            fresh[data["record_id"]] = (data["values"], data["source"])
            customer_of[data["record_id"]] = data["customer"]
        elif event.type == WITHDRAWN:
            if fresh.pop(data["record_id"], None) is None and data["record_id"] in history.graph:
                gone.append(data["record_id"])
            customer_of.pop(data["record_id"], None)
            orders.append({"dropped": [(data["record_id"], "")]})
        if "orders" in data:
            orders.append({k: [(a, b) for a, b in p] for k, p in data["orders"].items()})
        customer_of.update(data.get("moved", {}))
        history.remember(event)
    if history is None:
        raise EmptyInput(f"stream {stream!r}", "no resolver was kept there; make one with Resolver(...)")
    _apply(history, fresh, gone, orders)
    history.waiting = [w for w in history.waiting if not (w[1] in history.graph and w[2] in history.graph)]
    for record, entity in history.graph.labels().items():
        history.names.give(entity, customer_of[record])
    return history


def _apply(
    history: History,
    fresh: Mapping[str, tuple[list[str | None], str]],
    gone: Sequence[str],
    orders: Sequence[dict[str, Pairs]],
) -> None:
    """Bring the graph up to the events read; which way is faster depends on how many they are."""
    must, must_not = (set(map(_both, p)) for p in _decisions(history.graph))
    for order in orders:
        for record, _ in order.get("dropped", ()):
            must = {p for p in must if record not in p}
            must_not = {p for p in must_not if record not in p}
        must |= set(map(_both, order.get("must_link", ())))
        must -= set(map(_both, order.get("withdrawn_must_link", ())))
        must_not |= set(map(_both, order.get("must_not_link", ())))
        must_not -= set(map(_both, order.get("withdrawn_must_not_link", ())))
    graph = history.graph
    if len(fresh) > 2_000 and len(fresh) > len(graph) // 4:
        history.graph = _linked(history, fresh, set(gone), must, must_not)
        return
    for record in gone:
        graph.remove(record)
    graph.add_many((r, v, s) for r, (v, s) in fresh.items())
    had = tuple(set(map(_both, p)) for p in _decisions(graph))
    rows = {
        "must_link": must - had[0],
        "withdrawn_must_link": had[0] - must,
        "must_not_link": must_not - had[1],
        "withdrawn_must_not_link": had[1] - must_not,
    }
    graph.decide(**{k: [(graph.row(a), graph.row(b)) for a, b in sorted(p)] for k, p in rows.items() if p})


def _linked(
    history: History,
    fresh: Mapping[str, tuple[list[str | None], str]],
    gone: set[str],
    must: set[tuple[str, str]],
    must_not: set[tuple[str, str]],
) -> EntityGraph:
    held = history.graph.records() if len(history.graph) else None
    old = [i for i, r in enumerate(held.ids.tolist()) if r not in gone] if held else []
    ids = [*(held.ids[i] for i in old), *fresh] if held else list(fresh)
    source = [*(held.sources[held.source[i]] for i in old)] if held else []
    source += [s for _, s in fresh.values()]
    known = tuple(dict.fromkeys(source))
    code = {s: i for i, s in enumerate(known)}
    columns = []
    for f, (name, kind) in enumerate(history.model.fields.items()):
        cells = held.columns[f].text.to_list() if held else []
        columns.append(Column.of(name, kind, [*(cells[i] for i in old), *(v[f] for v, _ in fresh.values())]))
    records = Records(np.array(ids, object), np.array([code[s] for s in source], np.int32), known, tuple(columns))
    return EntityGraph.linked(
        history.model, records, limits=history.graph.limits, must_link=sorted(must), must_not_link=sorted(must_not)
    )


def customers_at(store: EventStore, stream: str, time: datetime) -> dict[str, str]:
    """Customer of every record, from the events that had happened by a time."""
    found: dict[str, str] = {}
    for event in _events(store, stream, 0):
        if event.time <= time:
            data: Mapping[str, Any] = event.data
            if event.type == OBSERVED:
                found[data["record_id"]] = data["customer"]
            elif event.type == WITHDRAWN:
                found.pop(data["record_id"], None)
            found.update({r: c for r, c in data.get("moved", {}).items() if r in found})
    return found


def _events(store: EventStore, stream: str, after: int) -> Iterator[Event]:
    return (e for e in store.read_all(after=after) if e.stream == stream)


def _begun(stream: str, data: Mapping[str, Any]) -> History:
    model, plan = LinkageModel.from_dict(data["model"]), PreparationPlan.from_dict(data["plan"])
    return History.begin(stream, model, plan, _rules_of(data["rules"]))


def _restored(stream: str, state: Mapping[str, Any]) -> tuple[History, dict[str, str]]:
    history = _begun(stream, state)
    records = unpack_records(state["records"])
    lo, hi, odds = (unpack_array(p) for p in state["pairs"])
    history.graph = EntityGraph.restore(
        history.model, records, (lo, hi, odds), unpack_array(state["labels"]), limits=history.graph.limits,
        must_link=[(a, b) for a, b in state["must_link"]], must_not_link=[(a, b) for a, b in state["must_not_link"]],
    )  # fmt: skip
    ids = records.ids.tolist()
    history.position = state["position"]
    history.position_of = dict(zip(ids, unpack_array(state["positions"]).tolist(), strict=True))
    history.counts = dict(state["counts"])
    history.steps = [
        IdentityStep(
            customer=c,
            change=Change(what),
            other=o,
            records=n,
            time=datetime.fromisoformat(t),
            event_id=e,
            actor=a,
            reason=r,
        )
        for c, what, o, n, t, e, a, r in state["steps"]
    ]
    history.decisions = {e: {k: [(a, b) for a, b in v] for k, v in o.items()} for e, o in state["decisions"].items()}
    history.undone = set(state["undone"])
    history.waiting = [(kind, a, b) for kind, a, b in state["waiting"]]
    return history, dict(zip(ids, unpack_texts(state["customers"]), strict=True))


def _decisions(graph: EntityGraph) -> tuple[Pairs, Pairs]:
    """Decisions that hold, as pairs of record ids."""
    must, must_not = graph.decisions()
    ids = graph.ids
    return [(ids[a], ids[b]) for a, b in must], [(ids[a], ids[b]) for a, b in must_not]


def _both(pair: tuple[str, str]) -> tuple[str, str]:
    a, b = pair
    return (a, b) if a <= b else (b, a)


def _limits(rules: Rules) -> Limits:
    return Limits(one_to_one=rules.one_to_one, max_values=rules.max_values)


def _rules_dict(rules: Rules) -> dict[str, object]:
    return {
        "must_link": [list(p) for p in rules.must_link],
        "must_not_link": [list(p) for p in rules.must_not_link],
        "one_to_one": list(rules.one_to_one),
        "max_values": dict(rules.max_values),
        "max_profiles": dict(rules.max_profiles),
        "blocked_values": {k: sorted(map(str, v)) for k, v in rules.blocked_values.items()},
    }


def _rules_of(data: Mapping[str, Any]) -> Rules:
    return Rules(**data)
