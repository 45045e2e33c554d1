"""Expressions as sentences that a business user reads."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import singledispatch

from crmcore.rules.nodes import (
    AllOf,
    AnyOf,
    Arithmetic,
    AsNumber,
    Assumed,
    Between,
    Call,
    Choose,
    Closed,
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
from crmcore.rules.sequences import Follows, Switches
from crmcore.values import Money

__all__ = ["OPPOSITE", "plural", "value_text", "words"]

OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_SAYS = {"==": "", "!=": "not ", "<": "below ", "<=": "at most ", ">": "more than ", ">=": "at least "}
_SAYS_TIME = {**_SAYS, "<": "before ", "<=": "at or before ", ">": "after ", ">=": "at or after "}
_MATCHES = {
    TextTest.CONTAINS: ("contains", "does not contain"),
    TextTest.STARTSWITH: ("starts with", "does not start with"),
    TextTest.ENDSWITH: ("ends with", "does not end with"),
    TextTest.MATCHES: ("matches", "does not match"),
}


def plural(n: float, word: str) -> str:
    """Number with its word.

    Examples
    --------
    >>> plural(1, "day"), plural(2.5, "day")
    ('1 day', '2.5 days')
    """
    return f"{_number(n)} {word}" + ("" if n == 1 else "s")


def _number(value: float) -> str:
    if value == int(value) if abs(value) < 1e15 else False:
        return f"{value:,.0f}"
    return f"{value:,.2f}" if 1000 <= abs(value) < 1e15 else f"{value:.6g}"


def value_text(value: object) -> str:
    """A value for eyes, without a mask.

    Examples
    --------
    >>> value_text(10000.0), value_text(Money(1250, "THB")), value_text(timedelta(hours=36)), value_text(True)
    ('10,000', '12.50 THB', '1.5 days', 'yes')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, Money):
        return f"{value.amount:,} {value.currency}"
    if isinstance(value, datetime):
        at = value.astimezone(UTC)
        return at.date().isoformat() if at.time() == time() else at.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return plural(value / timedelta(days=1), "day")
    if isinstance(value, frozenset):
        return "{" + ", ".join(f'"{v}"' for v in sorted(value)) + "}"
    return f'"{value}"'


def words(node: Node, /) -> str:
    """Sentence of an expression.

    Examples
    --------
    >>> words((Field("age") >= 18) & ~(Field("country") == "TH"))
    'age is at least 18 and country is not "TH"'
    """
    return _words(node)


@singledispatch
def _words(node: Node) -> str:
    raise TypeError(type(node).__name__)  # pragma: no cover - every node has its words


@_words.register
def _(node: Field) -> str:
    return node.name


@_words.register
def _(node: Literal) -> str:
    return value_text(node.value)


@_words.register
def _(node: Now) -> str:
    return "now"


_DAY = Literal(timedelta(days=1)).key()


@_words.register
def _(node: Arithmetic) -> str:
    inner = node.left
    if node.op == "/" and node.right.key() == _DAY and isinstance(inner, Arithmetic) and inner.op == "-":
        if isinstance(inner.right, Now):
            return f"days until {_operand(inner.left)}"
        return f"days from {_operand(inner.right)} to {_operand(inner.left)}"
    return f"{_operand(node.left)} {node.op} {_operand(node.right)}"


def _operand(node: Term) -> str:
    text = words(node)
    bare = isinstance(node, Arithmetic) and text.startswith(("days from ", "days until "))
    return f"({text})" if isinstance(node, Arithmetic | Default) and not bare else text


@_words.register
def _(node: EventMeasure) -> str:
    those = f"{node.event} event"
    filtered = "" if node.where is None else f" (where {words(node.where)})"
    if node.measure is Measure.DAYS_SINCE_LAST:
        return f"days since the last {those}{filtered}"
    if node.measure is Measure.DAYS_SINCE_FIRST:
        return f"days since the first {those}{filtered}"
    if node.measure is Measure.LATEST:
        return f"{node.of} of the last {those}{_window(node)}{filtered}"
    taken = "number" if node.measure is Measure.COUNT else f"{node.measure} {node.of}"
    return f"{taken} of {those}s{_window(node)}{filtered}"


@_words.register
def _(node: Switches) -> str:
    of = "" if node.of == "kind" else f" of {node.of}"
    filtered = "" if node.where is None else f" (where {words(node.where)})"
    return f"number of switches{of} between {' and '.join(node.events)} events{_window(node)}{filtered}"


@_words.register
def _(node: Follows) -> str:
    article = "an" if node.event[:1].lower() in "aeiou" else "a"
    within = "" if node.within_days is None else f" within {plural(node.within_days, 'day')}"
    filtered = "" if node.where is None else f" (where {words(node.where)})"
    return f"{node.side.replace('_', ' ')} {article} {node.event} event{within}{filtered}"


def _window(node: EventMeasure | Switches) -> str:
    if node.within_days is None:
        return f" more than {plural(node.before_days, 'day')} ago" if node.before_days else ""
    if node.before_days:
        return f" from {_number(node.within_days)} to {plural(node.before_days, 'day')} ago"
    return f" within {plural(node.within_days, 'day')}"


@_words.register
def _(node: YearsSince) -> str:
    return f"years since {_operand(node.part)}"


@_words.register
def _(node: Default) -> str:
    return f"{_operand(node.part)}, or {_operand(node.fallback)} where unknown"


@_words.register
def _(node: Choose) -> str:
    return f"({words(node.then)} if {words(node.when)}, else {words(node.otherwise)})"


@_words.register
def _(node: AsNumber) -> str:
    return f"the number in {words(node.part)}"


@_words.register
def _(node: Call) -> str:
    return f"{node.name}({', '.join(words(a) for a in node.args)})"


def _is(node: Term, *, negated: bool = False) -> str:
    """Verb: what is counted in days or years is many."""
    many = words(node).startswith(("days ", "years "))
    return ("are" if many else "is") + (" not" if negated else "")


def _of_time(*sides: Term) -> bool:
    return any(isinstance(s, Now) or (isinstance(s, Literal) and isinstance(s.value, date)) for s in sides)


@_words.register
def _(node: Compare) -> str:
    says = (_SAYS_TIME if _of_time(node.left, node.right) else _SAYS)[node.op]
    return f"{_side(node.left)} {_is(node.left)} {says}{_side(node.right)}"


def _side(node: Term) -> str:
    """Side of a comparison: arithmetic reads well without brackets."""
    return words(node) if isinstance(node, Arithmetic) else _operand(node)


@_words.register
def _(node: Between) -> str:
    return _between(node, negated=False)


def _between(node: Between, *, negated: bool) -> str:
    above = "" if node.closed in (Closed.BOTH, Closed.LEFT) else "above "
    below = "" if node.closed in (Closed.BOTH, Closed.RIGHT) else "below "
    span = f"from {above}{_side(node.low)} to {below}{_side(node.high)}"
    return f"{_side(node.part)} {_is(node.part, negated=negated)} {span}"


@_words.register
def _(node: IsIn) -> str:
    return f"{_operand(node.part)} {_is(node.part)} one of {_listed(node)}"


def _listed(node: IsIn) -> str:
    return ", ".join(words(c) for c in node.choices) or "(nothing)"


def _match(node: TextMatch, *, negated: bool) -> str:
    exactly = " (in this case)" if node.case_sensitive else ""
    return f"{_operand(node.part)} {_MATCHES[node.test][negated]} {value_text(node.text)}{exactly}"


@_words.register
def _(node: TextMatch) -> str:
    return _match(node, negated=False)


@_words.register
def _(node: Has) -> str:
    return f"{_operand(node.part)} has {value_text(node.label)}"


@_words.register
def _(node: IsKnown) -> str:
    return f"{_operand(node.part)} {_is(node.part)} known"


@_words.register
def _(node: IsTrue) -> str:
    return f"{_operand(node.part)} is yes"


@_words.register
def _(node: AllOf) -> str:
    return " and ".join(_part(p) for p in node.parts) or "always"


@_words.register
def _(node: AnyOf) -> str:
    return " or ".join(_part(p) for p in node.parts) or "never"


def _part(node: Condition) -> str:
    return f"({words(node)})" if isinstance(node, AllOf | AnyOf) and len(node.parts) > 1 else words(node)


@_words.register
def _(node: Not) -> str:
    part = node.part
    if isinstance(part, Compare):
        return words(Compare(OPPOSITE[part.op], part.left, part.right))
    if isinstance(part, Between):
        return _between(part, negated=True)
    if isinstance(part, IsIn):
        return f"{_operand(part.part)} {_is(part.part, negated=True)} one of {_listed(part)}"
    if isinstance(part, TextMatch):
        return _match(part, negated=True)
    if isinstance(part, Has):
        return f"{_operand(part.part)} does not have {value_text(part.label)}"
    if isinstance(part, IsKnown):
        return f"{_operand(part.part)} {_is(part.part)} unknown"
    if isinstance(part, IsTrue):
        return f"{_operand(part.part)} is no"
    if isinstance(part, Follows):
        return f"not {words(part)}"
    return f"not ({words(part)})"


@_words.register
def _(node: Assumed) -> str:
    return f"{_part(node.part)} (taken as {'yes' if node.answer else 'no'} where unknown)"
