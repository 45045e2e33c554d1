"""Expressions as frozen data: terms have values, conditions have a truth; operators build them.

Every node has a structural `key()`. Terms override `==` to build a condition, so compare nodes by key, and never put
one where Python needs a plain yes or no: that is an error which names the way out.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NoReturn

import attrs

from crmcore._base import listed
from crmcore.errors import EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.rules.kinds import Kind, Scalar, read_value
from crmcore.values import Money

__all__ = [
    "AllOf",
    "AnyOf",
    "Arithmetic",
    "Assumed",
    "AsNumber",
    "Between",
    "Call",
    "Choose",
    "Closed",
    "Compare",
    "Condition",
    "Default",
    "EventMeasure",
    "Field",
    "Has",
    "IsIn",
    "IsKnown",
    "IsTrue",
    "Literal",
    "Measure",
    "Node",
    "Not",
    "Now",
    "Quantity",
    "Term",
    "TextMatch",
    "TextTest",
    "YearsSince",
    "check_days",
    "check_text",
    "condition",
    "maybe_condition",
    "term",
]

Quantity = int | float | Decimal | str | bool | Money | date | timedelta
"""What may stand in a rule as a constant (a datetime is a date)."""


def _no_truth(what: str) -> NoReturn:
    raise WrongType(
        what,
        "used as a plain yes or no (`and`, `or`, `not`, `if`, `in`, `a < b < c`)",
        "`&`, `|`, `~`, all_of(...), any_of(...), not_(...) or .between(low, high)",
        "bracket each comparison: (field('a') >= 1) & (field('b') < 5); rule.decide(facts, now=now) gives the answer",
    )


def _key(value: object) -> object:
    if isinstance(value, Node):
        return value.key()
    if isinstance(value, tuple):
        return tuple(_key(v) for v in value)
    return (type(value).__name__, value)


class Node:
    """Part of an expression."""

    __slots__ = ()

    def key(self) -> tuple[object, ...]:
        """Structure as nested tuples: equal where two expressions say the same in the same order."""
        fields: tuple[object, ...] = attrs.astuple(self, recurse=False)  # type: ignore[arg-type]
        return (type(self).__name__, *(_key(v) for v in fields))

    def __bool__(self) -> bool:
        _no_truth("an expression of a rule")

    def __str__(self) -> str:
        from crmcore.rules.wording import words

        return words(self)

    def __repr__(self) -> str:
        return f"<{self}>"

    def __and__(self, other: object) -> Condition:
        return AllOf((*_parts(AllOf, self), *_parts(AllOf, other)))

    def __rand__(self, other: object) -> Condition:
        return AllOf((*_parts(AllOf, other), *_parts(AllOf, self)))

    def __or__(self, other: object) -> Condition:
        return AnyOf((*_parts(AnyOf, self), *_parts(AnyOf, other)))

    def __ror__(self, other: object) -> Condition:
        return AnyOf((*_parts(AnyOf, other), *_parts(AnyOf, self)))

    def __invert__(self) -> Condition:
        return Not(condition(self))


def _parts(joiner: type[AllOf] | type[AnyOf], value: object) -> tuple[Condition, ...]:
    """Parts that a chain of one operator collects flat."""
    made = condition(value)
    return made.parts if isinstance(made, joiner) else (made,)


class Condition(Node):
    """What is true, false or unknown about a subject; join with `&`, `|` and `~`."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, bool):
            _no_truth("a condition beside True or False")
        return isinstance(other, Condition) and self.key() == other.key()

    def _no_order(self, _other: object) -> NoReturn:
        _no_truth("a condition beside `<` or `>`")

    __lt__ = __le__ = __gt__ = __ge__ = _no_order

    def __hash__(self) -> int:
        return hash(self.key())

    def if_unknown(self, answer: bool) -> Condition:
        """Take an unknown answer for yes or no.

        Examples
        --------
        >>> print((Field("age") >= 18).if_unknown(False))
        age is at least 18 (taken as no where unknown)
        """
        return Assumed(self, answer)


class Term(Node):
    """What has a value: a field, a constant, a count of events, arithmetic of these."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]  # `==` builds a condition

    def __eq__(self, other: object) -> Condition:  # type: ignore[override]
        return Compare("==", self, term(other))

    def __ne__(self, other: object) -> Condition:  # type: ignore[override]
        return Compare("!=", self, term(other))

    def __lt__(self, other: object) -> Condition:
        return Compare("<", self, term(other))

    def __le__(self, other: object) -> Condition:
        return Compare("<=", self, term(other))

    def __gt__(self, other: object) -> Condition:
        return Compare(">", self, term(other))

    def __ge__(self, other: object) -> Condition:
        return Compare(">=", self, term(other))

    def __add__(self, other: object) -> Term:
        return Arithmetic("+", self, term(other))

    def __radd__(self, other: object) -> Term:
        return Arithmetic("+", term(other), self)

    def __sub__(self, other: object) -> Term:
        return Arithmetic("-", self, term(other))

    def __rsub__(self, other: object) -> Term:
        return Arithmetic("-", term(other), self)

    def __mul__(self, other: object) -> Term:
        return Arithmetic("*", self, term(other))

    def __rmul__(self, other: object) -> Term:
        return Arithmetic("*", term(other), self)

    def __truediv__(self, other: object) -> Term:
        return Arithmetic("/", self, term(other))

    def __rtruediv__(self, other: object) -> Term:
        return Arithmetic("/", term(other), self)

    def __neg__(self) -> Term:
        return Arithmetic("*", self, Literal(-1))

    def between(self, low: object, high: object, *, closed: Closed | str = "both") -> Condition:
        """Whether the value lies from `low` to `high`; `closed` says which ends belong to it.

        Examples
        --------
        >>> print(Field("age").between(18, 65, closed="left"))
        age is from 18 to below 65
        """
        return Between(self, term(low), term(high), closed=closed)

    def isin(self, choices: Iterable[Quantity]) -> Condition:
        """Whether the value is one of a list.

        Examples
        --------
        >>> print(Field("home").isin(["MCO", "JFK"]))
        home is one of "MCO", "JFK"
        """
        return IsIn(self, _choices(choices))

    def contains(self, text: str, *, case_sensitive: bool = False) -> Condition:
        """Whether the text has `text` in it; letter case is ignored (`str.casefold`) unless `case_sensitive`."""
        return TextMatch(self, "contains", text, case_sensitive=case_sensitive)

    def startswith(self, text: str, *, case_sensitive: bool = False) -> Condition:
        """Whether the text begins with `text`; case as in `contains`."""
        return TextMatch(self, "startswith", text, case_sensitive=case_sensitive)

    def endswith(self, text: str, *, case_sensitive: bool = False) -> Condition:
        """Whether the text ends with `text`; case as in `contains`."""
        return TextMatch(self, "endswith", text, case_sensitive=case_sensitive)

    def matches(self, pattern: str, *, case_sensitive: bool = False) -> Condition:
        """Whether a regular expression (`re.search`) is found in the text; case as in `contains`."""
        return TextMatch(self, "matches", pattern, case_sensitive=case_sensitive)

    def has(self, *labels: str) -> Condition:
        """Whether a set of labels holds all of these.

        Examples
        --------
        >>> print(Field("skills").has("refund L2"))
        skills has "refund L2"
        """
        if not labels:
            raise EmptyInput("labels", "name at least one label")
        return AllOf(tuple(Has(self, label) for label in labels)) if len(labels) != 1 else Has(self, labels[0])

    def has_any(self, labels: Iterable[str]) -> Condition:
        """Whether a set of labels holds at least one of these."""
        found = listed(labels, "labels", str, what="labels", hint="write .has_any(['refund L1', 'refund L2'])")
        return AnyOf(tuple(Has(self, label) for label in found))

    def exists(self) -> Condition:
        """Whether the value is known; never itself unknown."""
        return IsKnown(self)

    def is_unknown(self) -> Condition:
        """Whether the value is not known; never itself unknown."""
        return Not(IsKnown(self))

    def is_true(self) -> Condition:
        """Whether a flag is set."""
        return IsTrue(self)

    def default(self, fallback: object) -> Term:
        """Value, or `fallback` where it is unknown."""
        return Default(self, term(fallback))

    def as_number(self) -> Term:
        """Number that a text spells; unknown where it spells none."""
        return AsNumber(self)


def _choices(choices: Iterable[Quantity]) -> tuple[Literal, ...]:
    given: object = choices
    if isinstance(given, str):
        raise WrongType("choices", "one text", "a list of values", f"write .isin([{given!r}]), or == for one value")
    if not isinstance(given, Iterable):
        raise WrongType("choices", f"a {type(given).__name__}", "a list of values", "write .isin(['gold', 'VIP'])")
    if isinstance(choices, set | frozenset):
        choices = sorted(choices, key=lambda v: (type(v).__name__, v))
    return tuple(Literal(c) for c in choices)


def term(value: object) -> Term:
    """Term of a constant; a term stays as it is."""
    if isinstance(value, Term):
        return value
    if isinstance(value, Condition):
        hint = "compare its parts, or join conditions with & and |; 1 < field('x') < 5 is field('x').between(1, 5)"
        raise WrongType("an operand", "a condition", "a field or a constant", hint)
    return Literal(value)  # type: ignore[arg-type]


def condition(value: object) -> Condition:
    """Condition of a flag; a condition stays as it is."""
    if isinstance(value, Condition):
        return value
    if isinstance(value, Literal) and not isinstance(value.value, bool):
        value = value.value
    if isinstance(value, Term):
        return IsTrue(value)
    hint = "bracket each comparison: (field('a') >= 1) & (field('b') < 5)"
    raise WrongType("a part of a condition", f"a {type(value).__name__}", "a condition", hint)


def check_text(_instance: object, attribute: attrs.Attribute[str], value: str) -> None:
    """Validator of a text that is not empty."""
    if not isinstance(value, str):
        raise WrongType(attribute.name, f"a {type(value).__name__}", "text", "write it in quotes")
    if not value:
        raise EmptyInput(attribute.name, "write at least one letter")


# --- terms -----------------------------------------------------------------------------------------------------------


@attrs.frozen(eq=False, repr=False)
class Field(Term):
    """A fact by its name; inside `where` a part of the event."""

    name: str = attrs.field(validator=check_text)


@attrs.frozen(eq=False, repr=False)
class Literal(Term):
    """A constant."""

    value: Quantity
    held: Scalar = attrs.field(init=False)
    kind: Kind = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        if isinstance(self.value, Decimal):
            object.__setattr__(self, "value", float(self.value))
        held, kind = read_value(self.value, "a constant of a rule")
        if held is None or kind is None:
            hint = "ask whether a fact is known with .exists() or .is_unknown()"
            raise OutOfRange("a constant of a rule", self.value, "a known value", hint)
        object.__setattr__(self, "held", held)
        object.__setattr__(self, "kind", kind)

    def key(self) -> tuple[object, ...]:
        """Kind and value: 1 and 1.0 are one constant."""
        return ("Literal", str(self.kind), self.held)


@attrs.frozen(eq=False, repr=False)
class Now(Term):
    """The instant at which a rule is asked: the argument `now`."""


@attrs.frozen(eq=False, repr=False)
class Arithmetic(Term):
    """Sum, difference, product or quotient; unknown where a side is, or the divisor is 0."""

    op: str = attrs.field(validator=attrs.validators.in_("+-*/"))
    left: Term
    right: Term


class Measure(enum.StrEnum):
    """What is taken of the events in a window."""

    COUNT = "count"
    TOTAL = "total"
    AVERAGE = "average"
    LARGEST = "largest"
    SMALLEST = "smallest"
    LATEST = "latest"
    DAYS_SINCE_LAST = "days_since"
    DAYS_SINCE_FIRST = "days_since_first"


def maybe_condition(value: object) -> Condition | None:
    """Condition, or None as it is."""
    return None if value is None else condition(value)


def check_days(_instance: object, attribute: attrs.Attribute[Any], value: float | None) -> None:
    """Validator of a number of days, or None."""
    good = value is None or (isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e6)
    if not good:
        hint = "count days; 48 hours are 2 days"
        raise OutOfRange(attribute.name, value, "0 or more days", hint)


@attrs.frozen(eq=False, repr=False)
class EventMeasure(Term):
    """A measure of the events of one kind in the window (now - within_days, now - before_days]."""

    measure: Measure = attrs.field(converter=Measure)
    event: str = attrs.field(validator=check_text)
    within_days: float | None = attrs.field(default=None, validator=check_days)
    before_days: float = attrs.field(default=0, validator=check_days)
    where: Condition | None = attrs.field(default=None, converter=maybe_condition)
    of: str = attrs.field(default="amount", validator=check_text)

    def __attrs_post_init__(self) -> None:
        if self.within_days is not None and not self.within_days > self.before_days:
            allowed = f"more than before_days = {self.before_days}"
            raise OutOfRange("within_days", self.within_days, allowed, "the window is (now - within, now - before]")


@attrs.frozen(eq=False, repr=False)
class YearsSince(Term):
    """Whole calendar years from an instant to now (UTC), as ages are counted; born 29 February, a year ends 1 March."""

    part: Term = attrs.field(converter=term)


@attrs.frozen(eq=False, repr=False)
class Default(Term):
    """A value, or another where it is unknown."""

    part: Term
    fallback: Term


@attrs.frozen(eq=False, repr=False)
class Choose(Term):
    """One of two values by a condition; unknown where the condition is."""

    when: Condition
    then: Term
    otherwise: Term


@attrs.frozen(eq=False, repr=False)
class AsNumber(Term):
    """Number that a text spells."""

    part: Term


@attrs.frozen(eq=False, repr=False)
class Call(Term):
    """A function of a `Vocabulary`, by name."""

    name: str = attrs.field(validator=check_text)
    args: tuple[Term, ...]


# --- conditions ------------------------------------------------------------------------------------------------------


@attrs.frozen(eq=False, repr=False)
class Compare(Condition):
    """Comparison of two terms; unknown where a side is."""

    op: str = attrs.field(validator=attrs.validators.in_(("==", "!=", "<", "<=", ">", ">=")))
    left: Term
    right: Term


class Closed(enum.StrEnum):
    """Which ends belong to an interval."""

    BOTH = "both"
    LEFT = "left"
    RIGHT = "right"
    NEITHER = "neither"


def _closed(value: Closed | str) -> Closed:
    if value not in tuple(Closed):
        raise UnknownName("closed", str(value), tuple(c.value for c in Closed))
    return Closed(value)


@attrs.frozen(eq=False, repr=False)
class Between(Condition):
    """Whether a value lies in an interval."""

    part: Term
    low: Term
    high: Term
    closed: Closed = attrs.field(default=Closed.BOTH, converter=_closed)

    def halves(self) -> tuple[Compare, Compare]:
        """The two comparisons that it stands for."""
        low = ">=" if self.closed in (Closed.BOTH, Closed.LEFT) else ">"
        high = "<=" if self.closed in (Closed.BOTH, Closed.RIGHT) else "<"
        return Compare(low, self.part, self.low), Compare(high, self.part, self.high)


@attrs.frozen(eq=False, repr=False)
class IsIn(Condition):
    """Whether a value is one of a list; an empty list holds nothing."""

    part: Term
    choices: tuple[Literal, ...]


class TextTest(enum.StrEnum):
    """How a text is matched."""

    CONTAINS = "contains"
    STARTSWITH = "startswith"
    ENDSWITH = "endswith"
    MATCHES = "matches"


@attrs.frozen(eq=False, repr=False)
class TextMatch(Condition):
    """Whether a text matches."""

    part: Term
    test: TextTest = attrs.field(converter=TextTest)
    text: str = attrs.field(validator=check_text)
    case_sensitive: bool = False

    def __attrs_post_init__(self) -> None:
        if self.test is TextTest.MATCHES:
            import re

            try:
                re.compile(self.text)
            except re.error as error:
                hint = f"{error}; write r'...' and escape what is meant literally"
                raise OutOfRange("pattern", self.text, "a regular expression", hint) from None


@attrs.frozen(eq=False, repr=False)
class Has(Condition):
    """Whether a set of labels holds one."""

    part: Term
    label: str = attrs.field(validator=check_text)


@attrs.frozen(eq=False, repr=False)
class IsKnown(Condition):
    """Whether a value is known."""

    part: Term


@attrs.frozen(eq=False, repr=False)
class IsTrue(Condition):
    """Whether a flag is set."""

    part: Term


@attrs.frozen(eq=False, repr=False)
class AllOf(Condition):
    """Whether all parts hold."""

    parts: tuple[Condition, ...]


@attrs.frozen(eq=False, repr=False)
class AnyOf(Condition):
    """Whether at least one part holds."""

    parts: tuple[Condition, ...]


@attrs.frozen(eq=False, repr=False)
class Not(Condition):
    """Whether a part is false."""

    part: Condition

    def __invert__(self) -> Condition:
        return self.part


@attrs.frozen(eq=False, repr=False)
class Assumed(Condition):
    """A part whose unknown answer is taken for yes or no."""

    part: Condition
    answer: bool
