"""Kinds of values that conditions compute with, and what two kinds make together.

Inside the engine every number, amount, instant, duration and flag is a float: amounts in minor units, instants in
microseconds since 1970 UTC, durations in microseconds, flags 1 or 0. Whole numbers up to 2**53 are exact: amounts up to
90 million million cents, instants to the microsecond from 1685 to 2255. Unknown is None alone and NaN in columns.
"""

from __future__ import annotations

import enum
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

import attrs

from crmcore.errors import CurrencyMismatch, NaiveDatetime, OutOfRange, WrongType
from crmcore.values import Money

__all__ = [
    "DAY_US",
    "DURATION",
    "FLAG",
    "NUMBER",
    "TAGS",
    "TEXT",
    "TIME",
    "Kind",
    "Scalar",
    "Sort",
    "combined",
    "comparable",
    "instant_us",
    "money_kind",
    "read_value",
    "written",
]

DAY_US = 86_400_000_000.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY = date(1970, 1, 1)
_US = timedelta(microseconds=1)

Scalar = float | str | frozenset[str]


class Sort(enum.StrEnum):
    """What a value is."""

    NUMBER = "number"
    MONEY = "money"
    TIME = "time"
    DURATION = "duration"
    TEXT = "text"
    FLAG = "flag"
    TAGS = "tags"


@attrs.frozen
class Kind:
    """Sort of a value with its unit: the currency of money, a unit of a number such as "km"."""

    sort: Sort
    unit: str | None = None

    def __str__(self) -> str:
        return f"{self.sort} ({self.unit})" if self.unit else str(self.sort)


NUMBER = Kind(Sort.NUMBER)
TIME = Kind(Sort.TIME)
DURATION = Kind(Sort.DURATION)
TEXT = Kind(Sort.TEXT)
FLAG = Kind(Sort.FLAG)
TAGS = Kind(Sort.TAGS)


@lru_cache(maxsize=512)
def money_kind(currency: str) -> Kind:
    """Kind of amounts of one currency; the same object each time, so that kinds compare by identity first."""
    return Kind(Sort.MONEY, currency)


def instant_us(value: datetime, name: str) -> float:
    """Microseconds since 1970 UTC of an aware datetime."""
    given: object = value
    if not isinstance(given, datetime):
        hint = "attach the zone: datetime(2026, 6, 1, 9, tzinfo=ZoneInfo('Asia/Bangkok'))"
        raise WrongType(name, f"a {type(given).__name__}", "an aware datetime", hint)
    if value.tzinfo is UTC:
        return float((value - _EPOCH) // _US)
    if value.utcoffset() is None:
        raise NaiveDatetime(name)
    return float((value - _EPOCH) // _US)


def read_value(value: object, name: str) -> tuple[Scalar | None, Kind | None]:
    """Value of a fact as the engine holds it, with its kind; None, NaN, NaT and empty text are unknown.

    Raises
    ------
    WrongType, NaiveDatetime
        A value of no kind that conditions know; a datetime without a zone.

    Examples
    --------
    >>> read_value(Money(1250, "THB"), "spent")
    (1250.0, Kind(sort=<Sort.MONEY: 'money'>, unit='THB'))
    >>> read_value(float("nan"), "age"), read_value("", "tier")
    ((None, Kind(sort=<Sort.NUMBER: 'number'>, unit=None)), (None, Kind(sort=<Sort.TEXT: 'text'>, unit=None)))
    """
    if value is None:
        return None, None
    if isinstance(value, bool):
        return float(value), FLAG
    if isinstance(value, int | float | Decimal):
        return _number(value, name), NUMBER
    if isinstance(value, str):
        return (str(value) or None), TEXT
    if isinstance(value, Money):
        return float(value.amount_minor), money_kind(value.currency)
    if type(value).__name__ == "NAType" or value != value:  # pandas' missing value has no truth; NaT of any library
        return None, None
    if isinstance(value, datetime):
        return instant_us(value, name), TIME
    if isinstance(value, date):
        return float((value - _FIRST_DAY) // _US), TIME  # midnight UTC
    if isinstance(value, timedelta):
        return float(value // _US), DURATION
    if isinstance(value, AbstractSet | list | tuple):
        return _tags(value, name), TAGS
    return _foreign(value, name)


def _number(value: float | Decimal, name: str) -> float | None:
    try:
        number = float(value)
    except OverflowError:
        raise OutOfRange(name, "a number beyond 1e308", "a number that a float can hold", "rescale it") from None
    return None if number != number else number


def _tags(value: AbstractSet[object] | list[object] | tuple[object, ...], name: str) -> frozenset[str]:
    if not all(isinstance(v, str) for v in value):
        raise WrongType(name, "a collection of other things than text", "text labels", "convert each label with str()")
    return frozenset(str(v) for v in value)


def _foreign(value: object, name: str) -> tuple[Scalar | None, Kind | None]:
    """Scalars of numpy, whose instants are in UTC."""
    dtype = getattr(value, "dtype", None)
    if dtype is not None and getattr(value, "ndim", 1) == 0:
        if dtype.kind in "Mm":
            whole = value.astype(f"{dtype.kind}8[us]").astype("int64")  # type: ignore[attr-defined]
            return float(whole), TIME if dtype.kind == "M" else DURATION
        return read_value(value.item(), name)  # type: ignore[attr-defined]
    allowed = "a number, text, bool, Money, date, aware datetime, timedelta or set of labels"
    hint = "give each fact as one plain value, or None where it is not known"
    raise WrongType(name, f"a {type(value).__name__}", allowed, hint)


def written(value: Scalar | None, kind: Kind | None) -> object:
    """Plain Python value of what the engine holds: the way back of `read_value`.

    Examples
    --------
    >>> written(1250.0, money_kind("THB")), written(0.0, TIME).isoformat()
    (Money(amount_minor=1250, currency='THB'), '1970-01-01T00:00:00+00:00')
    """
    if value is None or kind is None or not isinstance(value, float):
        return value
    if kind.sort is Sort.MONEY:
        return Money(round(value), kind.unit or "")
    if kind.sort is Sort.TIME:
        return _EPOCH + timedelta(microseconds=value)
    if kind.sort is Sort.DURATION:
        return timedelta(microseconds=value)
    return bool(value) if kind.sort is Sort.FLAG else value


_PRODUCTS = {
    ("+", Sort.TIME, Sort.DURATION): TIME,
    ("+", Sort.DURATION, Sort.TIME): TIME,
    ("-", Sort.TIME, Sort.DURATION): TIME,
    ("-", Sort.TIME, Sort.TIME): DURATION,
    ("*", Sort.DURATION, Sort.NUMBER): DURATION,
    ("*", Sort.NUMBER, Sort.DURATION): DURATION,
    ("/", Sort.DURATION, Sort.NUMBER): DURATION,
    ("/", Sort.DURATION, Sort.DURATION): NUMBER,
    ("/", Sort.MONEY, Sort.MONEY): NUMBER,
}


@lru_cache(maxsize=4096)
def combined(op: str, left: Kind, right: Kind) -> Kind | str:
    """Kind of `left op right`, or a sentence that says why there is none.

    Examples
    --------
    >>> str(combined("-", TIME, TIME)), combined("+", NUMBER, TEXT)
    ('duration', 'a number + text has no meaning')
    """
    if left.sort is right.sort is Sort.NUMBER:
        return _units(op, left, right)
    if left.sort is right.sort is Sort.MONEY and left.unit != right.unit:
        return CurrencyMismatch.__name__
    made = _PRODUCTS.get((op, left.sort, right.sort))
    if made is not None:
        return made
    if op in "+-" and left.sort is right.sort and left.sort in (Sort.MONEY, Sort.DURATION):
        return left
    if op in "*/" and left.sort is Sort.MONEY and right.sort is Sort.NUMBER:
        return left
    if op == "*" and left.sort is Sort.NUMBER and right.sort is Sort.MONEY:
        return right
    return f"{_article(left)} {op} {right} has no meaning"


def _units(op: str, left: Kind, right: Kind) -> Kind | str:
    """Numbers without a unit go with any."""
    if op in "+-":
        if left.unit and right.unit and left.unit != right.unit:
            return f"{left.unit} {op} {right.unit} has no meaning"
        return left if left.unit else right
    if op == "*":
        return Kind(Sort.NUMBER, " ".join(sorted(u for u in (left.unit, right.unit) if u)) or None)
    if left.unit == right.unit:
        return NUMBER
    return Kind(Sort.NUMBER, f"{left.unit or 1} per {right.unit}") if right.unit else left


def _article(kind: Kind) -> str:
    return f"{kind}" if kind.sort in (Sort.TEXT, Sort.MONEY, Sort.TAGS, Sort.TIME) else f"a {kind}"


def comparable(op: str, left: Kind, right: Kind) -> str | None:
    """None where two kinds compare, else the reason why they do not."""
    if left.sort is not right.sort:
        return f"{_article(left)} does not compare with {_article(right)}"
    if left.unit and right.unit and left.unit != right.unit:
        return CurrencyMismatch.__name__ if left.sort is Sort.MONEY else f"{left.unit} are not {right.unit}"
    if op not in ("==", "!=") and left.sort in (Sort.TEXT, Sort.FLAG, Sort.TAGS):
        return f"{left.sort} has no order"
    return None
