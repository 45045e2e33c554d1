"""Words to write conditions with."""

from __future__ import annotations

from datetime import timedelta

from crmcore.errors import EmptyInput
from crmcore.rules.nodes import (
    AllOf,
    AnyOf,
    Arithmetic,
    Call,
    Choose,
    Condition,
    EventMeasure,
    Field,
    Literal,
    Measure,
    Now,
    Term,
    YearsSince,
    condition,
    term,
)
from crmcore.rules.sequences import followed_by, preceded_by, switches

__all__ = [
    "all_of",
    "any_of",
    "average",
    "call",
    "choose",
    "count",
    "days_between",
    "days_since",
    "days_since_first",
    "days_until",
    "field",
    "followed_by",
    "largest",
    "latest",
    "not_",
    "now",
    "preceded_by",
    "smallest",
    "switches",
    "total",
    "years_since",
]


def field(name: str) -> Term:
    """A fact by its name; inside `where` a part of the event: kind, time, amount, channel, or an attribute.

    Examples
    --------
    >>> print(field("profit_12m") >= 10_000)
    profit_12m is at least 10,000
    """
    return Field(name)


def now() -> Term:
    """The instant at which the rule is asked, handed in as `now`: no clock is read.

    Examples
    --------
    >>> print(field("due") < now())
    due is before now
    """
    return Now()


def count(
    event: str, *, within_days: float | None = None, before_days: float = 0, where: Condition | None = None
) -> Term:
    """Count events of one kind in the half-open window (now - within_days, now - before_days].

    An event exactly now counts, one exactly `within_days` ago does not, future events never do. An event whose
    `where` is not true is left out. Unknown only where no events were given at all.

    Examples
    --------
    >>> print(count("order", within_days=90) >= 3)
    number of order events within 90 days is at least 3
    """
    return EventMeasure(Measure.COUNT, event, within_days, before_days, where)


def total(
    event: str,
    *,
    of: str = "amount",
    within_days: float | None = None,
    before_days: float = 0,
    where: Condition | None = None,
) -> Term:
    """Add up the amounts (or another numeric part) of events in a window like that of `count`.

    0 where there are no events; unknown where one of them lacks its amount. Totals of money are exact; those of other
    numbers depend in their last digits on the order of the events.

    Examples
    --------
    >>> print(total("order", within_days=365))
    total amount of order events within 365 days
    """
    return EventMeasure(Measure.TOTAL, event, within_days, before_days, where, of)


def average(
    event: str,
    *,
    of: str = "amount",
    within_days: float | None = None,
    before_days: float = 0,
    where: Condition | None = None,
) -> Term:
    """Mean amount of events in a window; unknown where there are none or one lacks its amount."""
    return EventMeasure(Measure.AVERAGE, event, within_days, before_days, where, of)


def largest(
    event: str,
    *,
    of: str = "amount",
    within_days: float | None = None,
    before_days: float = 0,
    where: Condition | None = None,
) -> Term:
    """Largest amount of events in a window; unknown where there are none or one lacks its amount."""
    return EventMeasure(Measure.LARGEST, event, within_days, before_days, where, of)


def smallest(
    event: str,
    *,
    of: str = "amount",
    within_days: float | None = None,
    before_days: float = 0,
    where: Condition | None = None,
) -> Term:
    """Smallest amount of events in a window; unknown where there are none or one lacks its amount."""
    return EventMeasure(Measure.SMALLEST, event, within_days, before_days, where, of)


def latest(
    event: str,
    *,
    of: str,
    within_days: float | None = None,
    before_days: float = 0,
    where: Condition | None = None,
) -> Term:
    """Take a part of the last event in a window: an attribute, the channel, the amount, the time.

    Unknown where there is no event or it lacks the part. Of events at one instant the largest part counts. Attributes
    of an `EventTable` are text: `.as_number()` reads the number that they spell.

    Examples
    --------
    >>> print(latest("survey", of="score", within_days=30).as_number() <= 6)
    the number in score of the last survey event within 30 days is at most 6
    """
    return EventMeasure(Measure.LATEST, event, within_days, before_days, where, of)


def days_since(event: str, *, where: Condition | None = None) -> Term:
    """Days from the last event of a kind to now, with fractions; unknown where there is none.

    Examples
    --------
    >>> print(days_since("service") > 180)
    days since the last service event are more than 180
    """
    return EventMeasure(Measure.DAYS_SINCE_LAST, event, where=where)


def days_since_first(event: str, *, where: Condition | None = None) -> Term:
    """Days from the first event of a kind to now; unknown where there is none."""
    return EventMeasure(Measure.DAYS_SINCE_FIRST, event, where=where)


def days_between(start: object, end: object) -> Term:
    """Days from one instant to another, negative where `end` is earlier.

    Examples
    --------
    >>> print(days_between(field("ordered"), field("delivered")) > 5)
    days from ordered to delivered are more than 5
    """
    return Arithmetic("/", Arithmetic("-", term(end), term(start)), Literal(timedelta(days=1)))


def days_until(moment: Term | str) -> Term:
    """Days from now to an instant, negative once it is past.

    Examples
    --------
    >>> print(days_until("renewal") <= 30)
    days until renewal are at most 30
    """
    return days_between(Now(), Field(moment) if isinstance(moment, str) else moment)


def years_since(moment: Term | str) -> Term:
    """Whole calendar years (UTC) from an instant to now, as ages are counted.

    Examples
    --------
    >>> print(years_since("born") >= 18)
    years since born are at least 18
    """
    return YearsSince(Field(moment) if isinstance(moment, str) else moment)


def choose(when: Condition, then: object, otherwise: object) -> Term:
    """One of two values by a condition; unknown where the condition is.

    Examples
    --------
    >>> print(field("spent") >= choose(field("tier") == "gold", 50, 100))
    spent is at least (50 if tier is "gold", else 100)
    """
    return Choose(condition(when), term(then), term(otherwise))


def call(name: str, *args: object) -> Term:
    """Value of a function that the rule's `Vocabulary` names."""
    return Call(name, tuple(term(a) for a in args))


def all_of(*parts: Condition | Term) -> Condition:
    """All parts hold: the same as `a & b & c`.

    Examples
    --------
    >>> print(all_of(field("age") >= 18, field("country") == "TH"))
    age is at least 18 and country is "TH"
    """
    return AllOf(_some(parts))


def any_of(*parts: Condition | Term) -> Condition:
    """At least one part holds: the same as `a | b | c`.

    Examples
    --------
    >>> print(any_of(field("age") < 18, field("guardian").exists()))
    age is below 18 or guardian is known
    """
    return AnyOf(_some(parts))


def not_(part: Condition | Term) -> Condition:
    """The part is false: the same as `~part`; unknown stays unknown.

    Examples
    --------
    >>> print(not_(field("tier") == "gold"))
    tier is not "gold"
    """
    return ~condition(part)


def _some(parts: tuple[Condition | Term, ...]) -> tuple[Condition, ...]:
    if not parts:
        raise EmptyInput("parts", "name at least one condition")
    return tuple(condition(p) for p in parts)
