"""Expressions compiled to closures over the facts of one subject."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import singledispatch
from typing import Any, NoReturn

from crmcore.errors import CurrencyMismatch, NaiveDatetime, WrongType
from crmcore.rules.facts import Event, Facts
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
    combined,
    comparable,
    instant_us,
    money_kind,
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
    Measure,
    Node,
    Not,
    Now,
    Term,
    TextMatch,
    TextTest,
    YearsSince,
)
from crmcore.rules.vocabulary import Vocabulary
from crmcore.rules.wording import words

__all__ = [
    "Ask",
    "Row",
    "Value",
    "ask_of",
    "combined_kind",
    "misfit",
    "number_in",
    "row_of",
    "text_test",
    "value_of",
    "wrong_part",
    "years_between",
]

Value = tuple[Scalar | None, Kind | None]

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}  # fmt: skip


class Row:
    """What closures read: fields and events of one subject, and the instant of the question."""

    __slots__ = ("currency", "events", "fields", "now")

    def __init__(
        self, fields: Mapping[str, object], events: tuple[Event, ...] | None, now: float, currency: str | None
    ) -> None:
        self.fields = fields
        self.events = events
        self.now = now
        self.currency = currency


Ask = Callable[[Row], bool | None]
Read = Callable[[Row], Value]


def row_of(facts: Facts | Mapping[str, object], now: datetime) -> Row:
    """Row of facts; a plain mapping holds fields and knows no events."""
    if now.tzinfo is None:
        raise NaiveDatetime("now")
    if isinstance(facts, Facts):
        return Row(facts.fields, facts.events, instant_us(now, "now"), facts.currency)
    return Row(Facts(facts).fields, None, instant_us(now, "now"), None)


def ask_of(node: Condition, vocabulary: Vocabulary) -> Ask:
    """Closure that answers a condition: True, False or None for unknown."""
    return _ask(node, vocabulary)


def value_of(node: Term, vocabulary: Vocabulary) -> Read:
    """Closure that reads a term: its value, None where unknown, and its kind where that is known."""
    return _read(node, vocabulary)


def misfit(node: Node, reason: str, left: Kind, right: Kind) -> NoReturn:
    """Raise what two kinds that do not go together are."""
    if reason == CurrencyMismatch.__name__:
        raise CurrencyMismatch(left.unit or "", right.unit or "")
    raise WrongType(f"`{words(node)}`", reason, "both sides of one kind", remedy(left, right))


def combined_kind(node: Arithmetic, left: Kind, right: Kind) -> Kind:
    """Kind of an arithmetic term; raises where it has none."""
    made = combined(node.op, left, right)
    return misfit(node, made, left, right) if isinstance(made, str) else made


def remedy(left: Kind, right: Kind) -> str:
    """Way out of a pair of kinds."""
    sorts = {left.sort, right.sort}
    if Sort.MONEY in sorts:
        return f"write amounts as Money.of('100', {left.unit or right.unit or 'THB'!r})"
    if Sort.TEXT in sorts and Sort.NUMBER in sorts:
        return "text that spells a number: field(...).as_number()"
    if Sort.TIME in sorts and Sort.NUMBER in sorts:
        return "count days: days_until(field) or days_between(start, end)"
    if Sort.DURATION in sorts:
        return "write durations as timedelta(days=30)"
    if left.sort is right.sort is Sort.TEXT:
        return "text goes with ==, .isin([...]), .contains(...)"
    return "compare like with like, or describe the fields in a Schema to find this when the rule is made"


def wrong_part(node: Node, got: Kind, allowed: str) -> NoReturn:
    """Raise what a value of the wrong kind is."""
    raise WrongType(f"`{words(node)}`", f"asked of {got}", allowed, remedy(got, got))


# --- terms -----------------------------------------------------------------------------------------------------------


@singledispatch
def _read(node: Term, _vocabulary: Vocabulary) -> Read:
    raise NotImplementedError(type(node).__name__)  # pragma: no cover - every term has its reader


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
        _same_kind(node, ka, kb)
        return (b, kb if ka is None else ka) if a is None else (a, ka)

    return read


def _same_kind(node: Node, left: Kind | None, right: Kind | None) -> None:
    if left is not right and left is not None and right is not None:
        reason = comparable("==", left, right)
        if reason is not None:
            misfit(node, reason, left, right)


@_read.register
def _(node: Choose, vocabulary: Vocabulary) -> Read:
    when = _ask(node.when, vocabulary)
    then, otherwise = _read(node.then, vocabulary), _read(node.otherwise, vocabulary)

    def read(row: Row) -> Value:
        answer, (a, ka), (b, kb) = when(row), then(row), otherwise(row)
        _same_kind(node, ka, kb)
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


def number_in(text: str) -> float | None:
    """Number that a text spells, None where it spells none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value == value else None


@_read.register
def _(node: YearsSince, vocabulary: Vocabulary) -> Read:
    part = _read(node.part, vocabulary)

    def read(row: Row) -> Value:
        value, kind = part(row)
        if kind is not None and kind.sort is not Sort.TIME:
            wrong_part(node, kind, "a date or an instant")
        return (years_between(value, row.now) if isinstance(value, float) else None), NUMBER

    return read


def years_between(start_us: float, end_us: float) -> float | None:
    """Whole calendar years between two instants; None outside the years 1 to 9999."""
    try:
        a, b = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=t) for t in (start_us, end_us))
    except OverflowError:
        return None
    before = (b.month, b.day, b.time()) < (a.month, a.day, a.time())
    return float(b.year - a.year - before)


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
    fold = _FOLDS[node.measure]

    def read(row: Row) -> Value:
        if row.events is None:
            return None, _KINDS.get(node.measure)
        last = row.now - before
        first = float("-inf") if within is None else row.now - within * DAY_US
        found = []
        for happened in row.events:
            if happened.kind == event:
                at = instant_us(happened.time, "event.time")
                if first < at <= last and (where is None or where(_event_row(happened, row)) is True):
                    found.append((at, happened))
        return fold(node, found, row)

    return read


def _event_row(event: Event, row: Row) -> Row:
    fields = {**event.attributes, "kind": event.kind, "time": event.time, "amount": event.amount}
    return Row(fields, row.events, row.now, row.currency)


Found = list[tuple[float, Event]]
_KINDS = {Measure.COUNT: NUMBER, Measure.DAYS_SINCE_LAST: NUMBER, Measure.DAYS_SINCE_FIRST: NUMBER}


def _counted(_node: EventMeasure, found: Found, _row: Row) -> Value:
    return float(len(found)), NUMBER


def _since_last(_node: EventMeasure, found: Found, row: Row) -> Value:
    return ((row.now - max(at for at, _ in found)) / DAY_US if found else None), NUMBER


def _since_first(_node: EventMeasure, found: Found, row: Row) -> Value:
    return ((row.now - min(at for at, _ in found)) / DAY_US if found else None), NUMBER


def _folded(node: EventMeasure, found: Found, row: Row) -> Value:
    """Total, average, largest or smallest of one part of the events."""
    kind = money_kind(row.currency) if row.currency and node.of == "amount" else None
    values: list[float] = []
    missing = False
    for _, event in found:
        value, its = read_value(event.amount if node.of == "amount" else event.attributes.get(node.of), node.of)
        if its is not None and its.sort is Sort.TEXT:  # events of frames carry attributes as text
            value, its = (None if value is None else number_in(str(value))), NUMBER
        if its is not None and its.sort not in (Sort.NUMBER, Sort.MONEY, Sort.DURATION):
            wrong_part(node, its, "numbers, money or durations")
        _same_kind(node, kind, its)
        kind = its if kind is None else kind
        missing |= value is None
        values.append(0.0 if value is None else value)  # type: ignore[arg-type]
    if missing or (not values and node.measure is not Measure.TOTAL):
        return None, kind
    if node.measure is Measure.TOTAL:
        return float(sum(values)), kind
    if node.measure is Measure.AVERAGE:
        return sum(values) / len(values), kind
    return (max(values) if node.measure is Measure.LARGEST else min(values)), kind


_FOLDS = {
    Measure.COUNT: _counted,
    Measure.DAYS_SINCE_LAST: _since_last,
    Measure.DAYS_SINCE_FIRST: _since_first,
    Measure.TOTAL: _folded,
    Measure.AVERAGE: _folded,
    Measure.LARGEST: _folded,
    Measure.SMALLEST: _folded,
}


# --- conditions ------------------------------------------------------------------------------------------------------


@singledispatch
def _ask(node: Condition, _vocabulary: Vocabulary) -> Ask:
    raise NotImplementedError(type(node).__name__)  # pragma: no cover - every condition has its closure


@_ask.register
def _(node: Compare, vocabulary: Vocabulary) -> Ask:
    left, right, op = _read(node.left, vocabulary), _read(node.right, vocabulary), node.op
    test = _OPERATORS[op]
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
                _same_kind(node, kind, other)
        return None if value is None else value in held

    return ask


def text_test(node: TextMatch) -> Callable[[str], bool]:
    """Predicate of one text."""
    import re

    if node.test is TextTest.MATCHES:
        search = re.compile(node.text, 0 if node.case_sensitive else re.IGNORECASE).search
        return lambda text: search(text) is not None
    wanted = node.text if node.case_sensitive else node.text.casefold()
    test = {
        TextTest.CONTAINS: str.__contains__,
        TextTest.STARTSWITH: str.startswith,
        TextTest.ENDSWITH: str.endswith,
    }[node.test]
    if node.case_sensitive:
        return lambda text: test(text, wanted)
    return lambda text: test(text.casefold(), wanted)


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
