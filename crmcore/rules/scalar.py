"""Expressions compiled to closures over the facts of one subject."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import singledispatch
from itertools import pairwise
from typing import Any

from crmcore.rules.event_facts import Found, folded, part_of, unknown_kind
from crmcore.rules.facts import Event, Facts
from crmcore.rules.fitting import combined_kind, misfit, number_in, same_kind, text_test, wrong_part, years_between
from crmcore.rules.kinds import (
    DAY_US,
    FLAG,
    NUMBER,
    TAGS,
    TEXT,
    TIME,
    Kind,
    Scalar,
    Sort,
    comparable,
    instant_us,
    read_value,
)
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
    Not,
    Now,
    Term,
    TextMatch,
    YearsSince,
)
from crmcore.rules.sequences import Follows, Side, Switches, misplaced
from crmcore.rules.vocabulary import Vocabulary

__all__ = ["OPERATORS", "Ask", "Row", "Value", "ask_of", "row_of", "value_of"]

Value = tuple[Scalar | None, Kind | None]

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}  # fmt: skip


class Row:
    """What closures read: fields and events of one subject, and the instant of the question."""

    __slots__ = ("at", "currency", "events", "fields", "now")

    def __init__(
        self,
        fields: Mapping[str, object],
        events: tuple[Event, ...] | None,
        now: float,
        currency: str | None,
        at: float | None = None,
    ) -> None:
        self.at = at  # instant of the event that `where` asks about
        self.fields = fields
        self.events = events
        self.now = now
        self.currency = currency


Ask = Callable[[Row], bool | None]
Read = Callable[[Row], Value]


def row_of(facts: Facts | Mapping[str, object], now: datetime) -> Row:
    """Row of facts; a plain mapping holds fields and knows no events."""
    at = instant_us(now, "now")
    if isinstance(facts, Facts):
        return Row(facts.fields, facts.events, at, facts.currency)
    return Row(Facts(facts).fields, None, at, None)


def ask_of(node: Condition, vocabulary: Vocabulary) -> Ask:
    """Closure that answers a condition: True, False or None for unknown."""
    return _ask(node, vocabulary)


def value_of(node: Term, vocabulary: Vocabulary) -> Read:
    """Closure that reads a term: its value, None where unknown, and its kind where that is known."""
    return _read(node, vocabulary)


# --- terms -----------------------------------------------------------------------------------------------------------


@singledispatch
def _read(node: Term, _vocabulary: Vocabulary) -> Read:
    raise TypeError(type(node).__name__)  # pragma: no cover - every term has its reader


@_read.register
def _(node: Field, _vocabulary: Vocabulary) -> Read:
    name = node.name

    def read(row: Row) -> Value:
        value = row.fields.get(name)
        if type(value) is float and value == value:
            return value, NUMBER
        return read_value(value, name)

    return read


@_read.register
def _(node: Literal, _vocabulary: Vocabulary) -> Read:
    held: Value = (node.held, node.kind)
    return lambda _row: held


@_read.register
def _(_node: Now, _vocabulary: Vocabulary) -> Read:
    return lambda row: (row.now, TIME)


_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


@_read.register
def _(node: Arithmetic, vocabulary: Vocabulary) -> Read:
    left, right, op = _read(node.left, vocabulary), _read(node.right, vocabulary), node.op
    work, divides = _ARITHMETIC[op], op == "/"

    def read(row: Row) -> Value:
        (a, ka), (b, kb) = left(row), right(row)
        kind = None if ka is None or kb is None else combined_kind(node, ka, kb)
        if a is None or b is None or (divides and b == 0):
            return None, kind
        made = work(a, b)  # type: ignore[arg-type]  # text never gets here: it combines with nothing
        return (made if made == made else None), kind

    return read


@_read.register
def _(node: Default, vocabulary: Vocabulary) -> Read:
    part, fallback = _read(node.part, vocabulary), _read(node.fallback, vocabulary)

    def read(row: Row) -> Value:
        (a, ka), (b, kb) = part(row), fallback(row)
        same_kind(node, ka, kb)
        return (b, kb if ka is None else ka) if a is None else (a, ka)

    return read


@_read.register
def _(node: Choose, vocabulary: Vocabulary) -> Read:
    when = _ask(node.when, vocabulary)
    then, otherwise = _read(node.then, vocabulary), _read(node.otherwise, vocabulary)

    def read(row: Row) -> Value:
        answer, (a, ka), (b, kb) = when(row), then(row), otherwise(row)
        same_kind(node, ka, kb)
        kind = kb if ka is None else ka
        return (None, kind) if answer is None else ((a if answer else b), kind)

    return read


@_read.register
def _(node: AsNumber, vocabulary: Vocabulary) -> Read:
    part = _read(node.part, vocabulary)

    def read(row: Row) -> Value:
        value, kind = part(row)
        if kind is not None and kind.sort is Sort.NUMBER:
            return value, kind
        if kind is not None and kind.sort is not Sort.TEXT:
            wrong_part(node, kind, "text or a number")
        return (None if value is None else number_in(str(value))), NUMBER

    return read


@_read.register
def _(node: YearsSince, vocabulary: Vocabulary) -> Read:
    part = _read(node.part, vocabulary)

    def read(row: Row) -> Value:
        value, kind = part(row)
        if kind is not None and kind.sort is not Sort.TIME:
            wrong_part(node, kind, "a date or an instant")
        return (years_between(value, row.now) if isinstance(value, float) else None), NUMBER

    return read


@_read.register
def _(node: Call, vocabulary: Vocabulary) -> Read:
    function = vocabulary[node.name]
    parts = [_read(a, vocabulary) for a in node.args]

    def read(row: Row) -> Value:
        values = [part(row)[0] for part in parts]
        if any(v is None for v in values):
            return None, function.kind
        return function.value(values), function.kind

    return read


# --- events ----------------------------------------------------------------------------------------------------------


@_read.register
def _(node: EventMeasure, vocabulary: Vocabulary) -> Read:
    event, within, before = node.event, node.within_days, node.before_days * DAY_US
    where = None if node.where is None else _ask(node.where, vocabulary)

    def read(row: Row) -> Value:
        if row.events is None:
            return None, unknown_kind(node.measure)
        last = row.now - before
        first = float("-inf") if within is None else row.now - within * DAY_US
        found = _chosen(row, (event,), first, last, where)
        return folded(node, found, now=row.now, currency=row.currency)

    return read


@_read.register
def _(node: Switches, vocabulary: Vocabulary) -> Read:
    within, before = node.within_days, node.before_days * DAY_US
    where = None if node.where is None else _ask(node.where, vocabulary)

    def read(row: Row) -> Value:
        if row.events is None:
            return None, NUMBER
        first = float("-inf") if within is None else row.now - within * DAY_US
        states = []
        for at, happened in _chosen(row, node.events, first, row.now - before, where):
            state = read_value(part_of(happened, node.of), node.of)[0]
            if state is not None:
                states.append((at, str(state)))
        ordered = [state for _, state in sorted(states)]
        return float(sum(a != b for a, b in pairwise(ordered))), NUMBER

    return read


def _chosen(row: Row, kinds: tuple[str, ...], first: float, last: float, where: Ask | None) -> Found:
    """Events of some kinds with first < time <= last of which `where` is true."""
    found: Found = []
    for happened in row.events or ():
        if happened.kind in kinds:
            at = instant_us(happened.time, "event.time")
            if first < at <= last and (where is None or where(_event_row(happened, at, row)) is True):
                found.append((at, happened))
    return found


def _event_row(event: Event, at: float, row: Row) -> Row:
    fields = {**event.attributes, "kind": event.kind, "time": event.time, "amount": event.amount}
    return Row(fields, row.events, row.now, row.currency, at)


# --- conditions ------------------------------------------------------------------------------------------------------


@singledispatch
def _ask(node: Condition, _vocabulary: Vocabulary) -> Ask:
    raise TypeError(type(node).__name__)  # pragma: no cover - every condition has its closure


@_ask.register
def _(node: Compare, vocabulary: Vocabulary) -> Ask:
    left, right, op = _read(node.left, vocabulary), _read(node.right, vocabulary), node.op
    test = OPERATORS[op]
    if isinstance(node.left, Field) and isinstance(node.right, Literal) and node.right.kind is NUMBER:
        return _field_and_number(node, node.left.name, node.right, test)

    def ask(row: Row) -> bool | None:
        (a, ka), (b, kb) = left(row), right(row)
        if ka is not None and kb is not None:
            reason = comparable(op, ka, kb)
            if reason is not None:
                misfit(node, reason, ka, kb)
        return None if a is None or b is None else test(a, b)

    return ask


def _field_and_number(node: Compare, name: str, right: Literal, test: Callable[[Any, Any], bool]) -> Ask:
    """The commonest comparison, without detours."""
    limit = right.held

    def ask(row: Row) -> bool | None:
        value = row.fields.get(name)
        if type(value) is int and -(2**53) < value < 2**53:
            return test(value, limit)
        if type(value) is float:
            return test(value, limit) if value == value else None
        held, kind = read_value(value, name)
        if kind is not None:
            reason = comparable(node.op, kind, NUMBER)
            if reason is not None:
                misfit(node, reason, kind, NUMBER)
        return None if held is None else test(held, limit)

    return ask


@_ask.register
def _(node: Between, vocabulary: Vocabulary) -> Ask:
    return _ask(AllOf(node.halves()), vocabulary)


@_ask.register
def _(node: IsIn, vocabulary: Vocabulary) -> Ask:
    part = _read(node.part, vocabulary)
    kinds = {c.kind for c in node.choices}
    held = frozenset(c.held for c in node.choices)

    def ask(row: Row) -> bool | None:
        value, kind = part(row)
        if kind is not None:
            for other in kinds:
                same_kind(node, kind, other)
        return None if value is None else value in held

    return ask


@_ask.register
def _(node: TextMatch, vocabulary: Vocabulary) -> Ask:
    part, test = _read(node.part, vocabulary), text_test(node)

    def ask(row: Row) -> bool | None:
        value, kind = part(row)
        if kind is not None and kind is not TEXT:
            wrong_part(node, kind, "text")
        return None if value is None else test(str(value))

    return ask


@_ask.register
def _(node: Has, vocabulary: Vocabulary) -> Ask:
    part, label = _read(node.part, vocabulary), node.label

    def ask(row: Row) -> bool | None:
        value, kind = part(row)
        if kind is not None and kind is not TAGS:
            wrong_part(node, kind, "a set of labels")
        return None if value is None else label in value  # type: ignore[operator]

    return ask


@_ask.register
def _(node: IsKnown, vocabulary: Vocabulary) -> Ask:
    part = _read(node.part, vocabulary)
    return lambda row: part(row)[0] is not None


@_ask.register
def _(node: IsTrue, vocabulary: Vocabulary) -> Ask:
    part = _read(node.part, vocabulary)

    def ask(row: Row) -> bool | None:
        value, kind = part(row)
        if kind is not None and kind is not FLAG:
            wrong_part(node, kind, "a flag")
        return None if value is None else value == 1

    return ask


@_ask.register
def _(node: AllOf, vocabulary: Vocabulary) -> Ask:
    parts = tuple(_ask(p, vocabulary) for p in node.parts)

    def ask(row: Row) -> bool | None:
        found: bool | None = True
        for part in parts:
            answer = part(row)
            if answer is False:
                return False
            if answer is None:
                found = None
        return found

    return ask


@_ask.register
def _(node: AnyOf, vocabulary: Vocabulary) -> Ask:
    parts = tuple(_ask(p, vocabulary) for p in node.parts)

    def ask(row: Row) -> bool | None:
        found: bool | None = False
        for part in parts:
            answer = part(row)
            if answer is True:
                return True
            if answer is None:
                found = None
        return found

    return ask


@_ask.register
def _(node: Not, vocabulary: Vocabulary) -> Ask:
    part = _ask(node.part, vocabulary)

    def ask(row: Row) -> bool | None:
        answer = part(row)
        return None if answer is None else not answer

    return ask


@_ask.register
def _(node: Assumed, vocabulary: Vocabulary) -> Ask:
    part, answer_if_unknown = _ask(node.part, vocabulary), node.answer

    def ask(row: Row) -> bool | None:
        answer = part(row)
        return answer_if_unknown if answer is None else answer

    return ask


@_ask.register
def _(node: Follows, vocabulary: Vocabulary) -> Ask:
    where = None if node.where is None else _ask(node.where, vocabulary)
    within = float("inf") if node.within_days is None else node.within_days * DAY_US
    sign = 1 if node.side is Side.AFTER else -1

    def ask(row: Row) -> bool | None:
        here = row.at
        if here is None:
            misplaced(node)
        found = _chosen(row, (node.event,), float("-inf"), row.now, where)
        return any(0 < sign * (at - here) <= within for at, _ in found)

    return ask
