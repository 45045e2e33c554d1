"""Check expressions against a schema: names, kinds, units and closed lists, all faults at once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import singledispatch

import attrs

from crmcore.errors import CurrencyMismatch, nearest
from crmcore.rules.fitting import remedy
from crmcore.rules.kinds import FLAG, NUMBER, TIME, Kind, Sort, combined, comparable
from crmcore.rules.nodes import (
    AllOf,
    AnyOf,
    Arithmetic,
    AsNumber,
    Assumed,
    Between,
    Call,
    Choose,
    Compare,
    Condition,
    Default,
    EventMeasure,
    Field,
    Has,
    IsIn,
    IsKnown,
    IsTrue,
    Literal,
    Measure,
    Node,
    Not,
    Now,
    Term,
    TextMatch,
    YearsSince,
)
from crmcore.rules.schema import Labels, Schema, Text
from crmcore.rules.sequences import Follows, Switches
from crmcore.rules.wording import words

__all__ = ["faults"]


@attrs.define
class _Check:
    schema: Schema
    functions: Mapping[str, Kind]
    problems: list[str] = attrs.field(factory=list)

    def fault(self, node: Node, reason: str) -> None:
        """Keep one fault, once."""
        text = f"`{words(node)}`: {reason}"
        if text not in self.problems:
            self.problems.append(text)

    def unknown(self, node: Node, got: str, known: tuple[str, ...], what: str) -> None:
        """Keep an unknown name, with the nearest."""
        near = nearest(got, known)
        listed = f"known are {', '.join(sorted(known)[:12]) or 'none'}"
        self.fault(node, f"{what}; " + (f"did you mean {near!r}?" if near else listed))

    def pair(self, node: Node, op: str, left: Kind | None, right: Kind | None) -> None:
        """Check that two kinds compare."""
        if left is not None and right is not None:
            reason = comparable(op, left, right)
            if reason is not None:
                self.fault(node, _sentence(reason, left, right))

    def sort(self, node: Node, part: Term, *allowed: Sort) -> None:
        """Check that a term is of one of some sorts."""
        kind = _kind(part, self)
        if kind is not None and kind.sort not in allowed:
            self.fault(node, f"asked of {kind}, expected {' or '.join(allowed)}")

    def closed(self, part: Term, *choices: Term) -> None:
        """Check constants against a closed list."""
        its = self.schema.fields.get(part.name) if isinstance(part, Field) else None
        if not isinstance(its, Text | Labels) or its.allowed is None:
            return
        for choice in choices:
            held = choice.held if isinstance(choice, Literal) else None
            if isinstance(held, str) and held not in its.allowed:
                self.unknown(part, held, its.allowed, f"{held!r} is not allowed")


def _sentence(reason: str, left: Kind, right: Kind) -> str:
    if reason == CurrencyMismatch.__name__:
        reason = f"{left.unit} and {right.unit} are two currencies"
    return f"{reason}; {remedy(left, right)}"


def faults(node: Condition, schema: Schema, functions: Mapping[str, Kind]) -> tuple[str, ...]:
    """Faults of a condition against a schema, in reading order."""
    check = _Check(schema, functions)
    _check(node, check)
    return tuple(check.problems)


# --- kinds of terms --------------------------------------------------------------------------------------------------


@singledispatch
def _kind(node: Term, _check: _Check) -> Kind | None:
    raise TypeError(type(node).__name__)  # pragma: no cover - every term has its kind


@_kind.register
def _(node: Field, check: _Check) -> Kind | None:
    its = check.schema.fields.get(node.name)
    if its is None:
        check.unknown(node, node.name, tuple(check.schema.fields), "no such fact")
        return None
    return its.kind


@_kind.register
def _(node: Literal, _check: _Check) -> Kind | None:
    return node.kind


@_kind.register
def _(_node: Now, _check: _Check) -> Kind | None:
    return TIME


@_kind.register
def _(node: Arithmetic, check: _Check) -> Kind | None:
    left, right = _kind(node.left, check), _kind(node.right, check)
    if left is None or right is None:
        return None
    made = combined(node.op, left, right)
    if isinstance(made, str):
        check.fault(node, _sentence(made, left, right))
        return None
    return made


@_kind.register
def _(node: EventMeasure, check: _Check) -> Kind | None:
    known = check.schema.events
    if node.event not in known:
        check.unknown(node, node.event, tuple(known), f"no events of kind {node.event!r}")
        return None
    inner = _Check(check.schema.event_schema(node.event), check.functions)
    if node.where is not None:
        _check(node.where, inner)
    kind: Kind | None = NUMBER
    if node.measure not in (Measure.COUNT, Measure.DAYS_SINCE_LAST, Measure.DAYS_SINCE_FIRST):
        kind = _kind(Field(node.of), inner)
        added = kind is None or kind.sort in (Sort.NUMBER, Sort.MONEY, Sort.DURATION)
        if node.measure is not Measure.LATEST and not added:
            inner.fault(node, f"{node.measure} of {kind}, expected number, money or duration")
    for problem in inner.problems:
        check.fault(node, problem.replace("no such fact", f"no such part of {node.event!r} events"))
    return kind


@_kind.register
def _(node: Switches, check: _Check) -> Kind | None:
    for event in node.events:
        if _inside(node, event, node.where, check) and node.of != "kind":
            inner = _Check(check.schema.event_schema(event), check.functions)
            _kind(Field(node.of), inner)
            _report(node, event, inner, check)
    return NUMBER


def _inside(node: Node, event: str, where: Condition | None, check: _Check) -> bool:
    """Check a kind of event, and what is asked of its events."""
    known = check.schema.events
    if event not in known:
        check.unknown(node, event, tuple(known), f"no events of kind {event!r}")
        return False
    inner = _Check(check.schema.event_schema(event), check.functions)
    if where is not None:
        _check(where, inner)
    _report(node, event, inner, check)
    return True


def _report(node: Node, event: str, inner: _Check, check: _Check) -> None:
    for problem in inner.problems:
        check.fault(node, problem.replace("no such fact", f"no such part of {event!r} events"))


@_kind.register
def _(node: YearsSince, check: _Check) -> Kind | None:
    check.sort(node, node.part, Sort.TIME)
    return NUMBER


@_kind.register
def _(node: Default, check: _Check) -> Kind | None:
    left, right = _kind(node.part, check), _kind(node.fallback, check)
    check.pair(node, "==", left, right)
    check.closed(node.part, node.fallback)
    return left or right


@_kind.register
def _(node: Choose, check: _Check) -> Kind | None:
    _check(node.when, check)
    left, right = _kind(node.then, check), _kind(node.otherwise, check)
    check.pair(node, "==", left, right)
    return left or right


@_kind.register
def _(node: AsNumber, check: _Check) -> Kind | None:
    check.sort(node, node.part, Sort.TEXT, Sort.NUMBER)
    return NUMBER


@_kind.register
def _(node: Call, check: _Check) -> Kind | None:
    for argument in node.args:
        _kind(argument, check)
    if node.name not in check.functions:
        check.unknown(node, node.name, tuple(check.functions), f"no function {node.name!r} in the vocabulary")
        return None
    return check.functions[node.name]


# --- conditions ------------------------------------------------------------------------------------------------------


@singledispatch
def _check(node: Condition, check: _Check) -> None:
    raise TypeError(type(node).__name__)  # pragma: no cover - every condition has its check


@_check.register
def _(node: Compare, check: _Check) -> None:
    check.pair(node, node.op, _kind(node.left, check), _kind(node.right, check))
    check.closed(node.left, node.right)
    check.closed(node.right, node.left)


@_check.register
def _(node: Between, check: _Check) -> None:
    part = _kind(node.part, check)
    check.pair(node, "<", part, _kind(node.low, check))
    check.pair(node, "<", part, _kind(node.high, check))


@_check.register
def _(node: IsIn, check: _Check) -> None:
    kind = _kind(node.part, check)
    for choice in node.choices:
        check.pair(node, "==", kind, choice.kind)
    check.closed(node.part, *node.choices)


@_check.register
def _(node: TextMatch, check: _Check) -> None:
    check.sort(node, node.part, Sort.TEXT)


@_check.register
def _(node: Has, check: _Check) -> None:
    check.sort(node, node.part, Sort.TAGS)
    check.closed(node.part, Literal(node.label))


@_check.register
def _(node: IsKnown, check: _Check) -> None:
    _kind(node.part, check)


@_check.register
def _(node: IsTrue, check: _Check) -> None:
    kind = _kind(node.part, check)
    if kind is not None and kind is not FLAG:
        check.fault(node, f"asked of {kind}, expected flag")


@_check.register
def _(node: Follows, check: _Check) -> None:
    _inside(node, node.event, node.where, check)


@_check.register
def _(node: AllOf | AnyOf, check: _Check) -> None:
    for part in node.parts:
        _check(part, check)


@_check.register
def _(node: Not | Assumed, check: _Check) -> None:
    _check(node.part, check)
