"""Fault trees: how single faults lead to the one event that must not happen, and how likely that is, exactly."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import attrs

from crmcore._base import between, html_table, listed, number_text
from crmcore.documents import Document
from crmcore.errors import BadDocument, OutOfRange, UnknownName
from crmcore.metrics.estimates import frame_of
from crmcore.recovery.process.registers.decisions import Diagram
from crmcore.recovery.process.registers.wiring import below, wiring_faults

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["BasicEvent", "FaultTree", "Gate", "GateKind", "Importance"]

MOST_EVENTS = 300
"""Basic events of one tree: as many steps deep the exact calculation may go."""

_HINT = "name each gate and event once; gates take names of gates and events below them"
_SHARE = between(0.0, 1.0, hint="write 2 % as 0.02")


class GateKind(enum.StrEnum):
    """How the inputs of a gate make its output."""

    ALL = "all"
    ANY = "any"
    AT_LEAST = "at least"


@attrs.frozen
class BasicEvent(Document):
    """A single fault, independent of all other basic events.

    Parameters
    ----------
    name : text
    probability : share
        In the period that the tree speaks of.
    low, high : shares
        What it may be; by default the probability itself.

    Examples
    --------
    >>> BasicEvent("label printer down", 0.01)
    BasicEvent(name='label printer down', probability=0.01, low=0.01, high=0.01)
    """

    name: str
    probability: float = attrs.field(validator=_SHARE)
    low: float = attrs.field(default=attrs.Factory(lambda self: self.probability, takes_self=True), validator=_SHARE)
    high: float = attrs.field(default=attrs.Factory(lambda self: self.probability, takes_self=True), validator=_SHARE)

    def __attrs_post_init__(self) -> None:
        if not self.low <= self.probability <= self.high:
            raise OutOfRange(
                f"probability of {self.name!r}", self.probability, f"{self.low} to {self.high}", "swap its ends"
            )


def _inputs(value: Iterable[str]) -> tuple[str, ...]:
    return listed(value, "inputs", str, what="names", hint="list the names of what feeds the gate: ['a', 'b']")


@attrs.frozen
class Gate(Document):
    """A fault that others below it make.

    Parameters
    ----------
    name : text
    kind : GateKind
    inputs : names
        Gates and basic events.
    at_least : count
        How many inputs it takes; only for `GateKind.AT_LEAST`.

    Examples
    --------
    >>> print(Gate.at_least_of("two of three agents out", 2, ["Ann", "Bob", "Cy"]))
    two of three agents out: at least 2 of Ann, Bob, Cy
    """

    name: str
    kind: GateKind
    inputs: tuple[str, ...] = attrs.field(converter=_inputs)
    at_least: int = 0

    def __attrs_post_init__(self) -> None:
        n = len(self.inputs)
        if not n:
            raise OutOfRange(f"inputs of {self.name!r}", 0, "at least one", _HINT)
        if len(set(self.inputs)) < n:
            raise OutOfRange(f"inputs of {self.name!r}", "a name twice", "each name once", _HINT)
        if self.kind == GateKind.AT_LEAST and not 1 <= self.at_least <= n:
            raise OutOfRange(f"at_least of {self.name!r}", self.at_least, f"1 to {n}", "count its inputs")
        if self.kind != GateKind.AT_LEAST and self.at_least:
            raise OutOfRange(f"at_least of {self.name!r}", self.at_least, "0", "use the kind 'at least'")

    @classmethod
    def all_of(cls, name: str, inputs: Iterable[str], /) -> Gate:
        """Happens where all inputs do (AND)."""
        return cls(name, GateKind.ALL, _inputs(inputs))

    @classmethod
    def any_of(cls, name: str, inputs: Iterable[str], /) -> Gate:
        """Happens where any input does (OR)."""
        return cls(name, GateKind.ANY, _inputs(inputs))

    @classmethod
    def at_least_of(cls, name: str, k: int, inputs: Iterable[str]) -> Gate:
        """Happens where k inputs or more do."""
        return cls(name, GateKind.AT_LEAST, _inputs(inputs), k)

    @property
    def needed(self) -> int:
        """Inputs that must happen."""
        return {GateKind.ALL: len(self.inputs), GateKind.ANY: 1, GateKind.AT_LEAST: self.at_least}[self.kind]

    def __str__(self) -> str:
        how = f"{self.kind} {self.at_least}" if self.kind == GateKind.AT_LEAST else str(self.kind)
        return f"{self.name}: {how} of {', '.join(self.inputs)}"


@attrs.frozen(kw_only=True)
class Importance(Document):
    """What one basic event means for the top event.

    Parameters
    ----------
    event : text
    probability : share
    birnbaum : share
        Probability of the top event if this one is certain, less that if it is impossible.
    criticality : share
        Probability that this event happens and decides, given that the top event happens: birnbaum p / top.
    fussell_vesely : share
        Part of the top event's probability that goes away if this event cannot happen.
    achievement : ratio
        Times as likely as now is the top event if this one is certain (risk achievement worth).
    reduction : ratio
        Times less likely than now is it if this one is impossible (risk reduction worth); infinite where it then
        cannot happen.
    """

    event: str
    probability: float
    birnbaum: float
    criticality: float
    fussell_vesely: float
    achievement: float
    reduction: float


def _gates(value: Iterable[Gate]) -> tuple[Gate, ...]:
    return listed(value, "gates", Gate, what="gates", hint="[Gate.any_of('late', ['a', 'b'])]")


def _events(value: Iterable[BasicEvent]) -> tuple[BasicEvent, ...]:
    return listed(value, "events", BasicEvent, what="basic events", hint="[BasicEvent('a', 0.01)]")


@attrs.frozen(repr=False)
class FaultTree(Document):
    """What leads to the top event.

    Parameters
    ----------
    top : text
        Name of a gate (or of a basic event, for a tree of one).
    gates : tuple of Gate
    events : tuple of BasicEvent
        They and gates may feed several gates: shared faults are counted as what they are, one fault.

    Raises
    ------
    BadDocument
        Names that stand twice, are unknown, feed nothing, or feed themselves: all at once.

    Notes
    -----
    Exact by a binary decision diagram, with shared events: Rauzy (1993), Reliability Engineering and System Safety
    40:203. Adding up products of cut sets, as spreadsheets do, overstates and may pass 1.

    Examples
    --------
    >>> tree = FaultTree("parcel lost", [
    ...     Gate.any_of("parcel lost", ["never sent", "lost on the way"]),
    ...     Gate.all_of("never sent", ["label printer down", "no list by hand"]),
    ... ], [
    ...     BasicEvent("label printer down", 0.05), BasicEvent("no list by hand", 0.2),
    ...     BasicEvent("lost on the way", 0.001),
    ... ])
    >>> round(tree.probability(), 6)
    0.01099
    >>> tree.minimal_cut_sets()
    (('lost on the way',), ('label printer down', 'no list by hand'))
    """

    top: str
    gates: tuple[Gate, ...] = attrs.field(converter=_gates)
    events: tuple[BasicEvent, ...] = attrs.field(converter=_events)

    def __attrs_post_init__(self) -> None:
        problems = list(wiring_faults(self))
        if problems:
            raise BadDocument("fault tree", tuple(problems), _HINT)
        if len(self.events) > MOST_EVENTS:
            raise OutOfRange("events", len(self.events), f"at most {MOST_EVENTS}", "split the tree at a gate")

    def __repr__(self) -> str:
        return f"FaultTree({self.top!r}, {len(self.gates)} gates, {len(self.events)} events)"

    def __str__(self) -> str:
        lines = [f"{self.top}: probability {number_text(self.probability())}"]
        self._write(self.top, 1, lines, set())
        return "\n".join(lines)

    def _write(self, name: str, depth: int, lines: list[str], told: set[str]) -> None:
        gates = {g.name: g for g in self.gates}
        gate = gates.get(name)
        if gate is None:
            return
        again = name in told
        told.add(name)
        how = f"at least {gate.at_least} of" if gate.kind == GateKind.AT_LEAST else f"{gate.kind} of"
        lines.append(f"{'  ' * depth}{how}" + (" (as above)" if again else ""))
        if again:
            return
        chance = {e.name: e.probability for e in self.events}
        for fed in gate.inputs:
            said = f" ({number_text(chance[fed])})" if fed in chance else ""
            lines.append(f"{'  ' * depth}- {fed}{said}")
            self._write(fed, depth + 1, lines, told)

    @cached_property
    def _diagram(self) -> tuple[Diagram, int]:
        """Diagram over the events in the order in which a walk from the top meets them, and its root."""
        gates = {g.name: g for g in self.gates}
        order: dict[str, int] = {}
        made: dict[str, int] = {}
        diagram = Diagram()
        for name in below(self.top, gates):
            gate = gates.get(name)
            if gate is None:
                made[name] = diagram.variable(order.setdefault(name, len(order)))
            else:
                made[name] = diagram.at_least(gate.needed, [made[fed] for fed in gate.inputs])
        diagram.names = tuple(order)
        return diagram, made[self.top]

    def probability(self, given: Mapping[str, float] | None = None, /) -> float:
        """Probability of the top event.

        Parameters
        ----------
        given : event -> share, optional
            Events whose probability is another than written: 1 for one that has happened, 0 for one made impossible.

        Raises
        ------
        UnknownName, OutOfRange

        Examples
        --------
        >>> tree = FaultTree("both", [Gate.all_of("both", ["a", "b"])], [BasicEvent("a", 0.5), BasicEvent("b", 0.1)])
        >>> tree.probability(), tree.probability({"a": 1})
        (0.05, 0.1)
        """
        chance = {e.name: e.probability for e in self.events}
        for name, p in (given or {}).items():
            if name not in chance:
                raise UnknownName("basic event", str(name), tuple(chance))
            if not 0 <= p <= 1:
                raise OutOfRange(f"given[{name!r}]", p, "0 to 1", "write 2 % as 0.02")
            chance[name] = float(p)
        diagram, root = self._diagram
        return diagram.probabilities(chance)[root]

    def bounds(self) -> tuple[float, float]:
        """Probability of the top event with all events at their low ends, and with all at their high ends.

        No gate makes the top event less likely when a fault gets likelier, so nothing between lies outside.
        """
        return (
            self.probability({e.name: e.low for e in self.events}),
            self.probability({e.name: e.high for e in self.events}),
        )

    def minimal_cut_sets(self, /, *, most: int = 10_000) -> tuple[tuple[str, ...], ...]:
        """Smallest sets of events that together make the top event; small sets first, then by name.

        Raises
        ------
        OutOfRange
            More than `most` of them.
        """
        diagram, root = self._diagram
        sets = [tuple(sorted(diagram.names[i] for i in cut)) for cut in diagram.minimal_sets(root, most=most)]
        return tuple(sorted(sets, key=lambda cut: (len(cut), cut)))

    def importance(self) -> tuple[Importance, ...]:
        """What each basic event means for the top event, the most important (Fussell-Vesely) first.

        Examples
        --------
        >>> tree = FaultTree("any", [Gate.any_of("any", ["a", "b"])], [BasicEvent("a", 0.5), BasicEvent("b", 0.1)])
        >>> [(i.event, round(i.birnbaum, 3), round(i.fussell_vesely, 3)) for i in tree.importance()]
        [('a', 0.9, 0.818), ('b', 0.5, 0.091)]
        """
        now = self.probability()
        rows = [self._importance(e, now) for e in self.events]
        return tuple(sorted(rows, key=lambda r: (-r.fussell_vesely, -r.birnbaum, r.event)))

    def _importance(self, event: BasicEvent, now: float) -> Importance:
        sure, never = self.probability({event.name: 1.0}), self.probability({event.name: 0.0})
        nan, infinite = float("nan"), float("inf")
        return Importance(
            event=event.name,
            probability=event.probability,
            birnbaum=sure - never,
            criticality=(sure - never) * event.probability / now if now else nan,
            fussell_vesely=1 - never / now if now else nan,
            achievement=sure / now if now else nan,
            reduction=now / never if never else infinite if now else nan,
        )

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a basic event with its importance."""
        return frame_of([attrs.asdict(row) for row in self.importance()], backend=backend)

    def chart(self) -> Chart:
        """Part of the top event's probability that goes away without each event."""
        from crmcore.recovery.process.registers.charts import fault_tree_picture

        return fault_tree_picture(self)

    def _repr_html_(self) -> str:
        rows = [
            {"event": r.event, "probability": r.probability, "goes away without it": f"{100 * r.fussell_vesely:.1f} %"}
            for r in self.importance()
        ]
        told = f"{self.top}: probability {number_text(self.probability())}"
        return html_table(rows, caption=told) if rows else f"<figure>{escape(told)}</figure>"
