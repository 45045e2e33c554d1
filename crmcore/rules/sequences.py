"""What happened in which order: one event after another, and switches from one state to the other and back.

`followed_by` and `preceded_by` are conditions on an event, so they stand in a `where`; `switches` is a term.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any, NoReturn

import attrs

from crmcore._base import listed
from crmcore.errors import EmptyInput, OutOfRange, WrongType
from crmcore.rules.nodes import Condition, Term, check_days, check_text, maybe_condition

__all__ = ["Follows", "Side", "Switches", "followed_by", "misplaced", "preceded_by", "switches"]


class Side(enum.StrEnum):
    """Whether the other event comes after this one or before it."""

    AFTER = "followed_by"
    BEFORE = "preceded_by"


@attrs.frozen(eq=False, repr=False)
class Follows(Condition):
    """Whether another event of the same subject comes after this one, or before it, by `now`."""

    side: Side = attrs.field(converter=Side)
    event: str = attrs.field(validator=check_text)
    within_days: float | None = attrs.field(default=None, validator=check_days)
    where: Condition | None = attrs.field(default=None, converter=maybe_condition)

    def __attrs_post_init__(self) -> None:
        if self.within_days == 0:
            hint = "the other event is strictly later or earlier; None is any time"
            raise OutOfRange("within_days", self.within_days, "more than 0 days", hint)


def _kinds(value: Iterable[str]) -> tuple[str, ...]:
    found: tuple[str, ...] = listed(
        value, "events", str, what="kinds of events", hint="switches('explore', 'evaluate')"
    )
    return tuple(dict.fromkeys(found))


@attrs.frozen(eq=False, repr=False)
class Switches(Term):
    """How often the state changes from one event of some kinds to the next, in a window like that of a count."""

    events: tuple[str, ...] = attrs.field(converter=_kinds)
    of: str = attrs.field(default="kind", validator=check_text)
    within_days: float | None = attrs.field(default=None, validator=check_days)
    before_days: float = attrs.field(default=0, validator=check_days)
    where: Condition | None = attrs.field(default=None, converter=maybe_condition)

    def __attrs_post_init__(self) -> None:
        if not self.events or "" in self.events:
            raise EmptyInput("events", "name the kinds: switches('explore', 'evaluate')")
        if self.of == "kind" and len(self.events) < 2:
            hint = "name two kinds at least, or the part that changes: switches('view', of='stage')"
            raise OutOfRange("events", self.events, "kinds to switch between", hint)
        if self.within_days is not None and not self.within_days > self.before_days:
            allowed = f"more than before_days = {self.before_days}"
            raise OutOfRange("within_days", self.within_days, allowed, "the window is (now - within, now - before]")


def misplaced(node: Follows) -> NoReturn:
    """Refuse a condition on an event that stands outside a `where`."""
    example = f"count('view', where={node.side}({node.event!r}, within_days=7)) >= 1"
    raise WrongType(f"{node.side}(...)", "asked of a customer", "asked of an event, in where=", f"write {example}")


def followed_by(event: str, *, within_days: float | None = None, where: Condition | None = None) -> Condition:
    """Whether an event is followed by one of another kind: "A, then B within n days"; stands in a `where`.

    B is strictly later than A, at most `within_days` later (None = at any time), and not later than `now`. Its own
    `where` says which B count, and may ask in turn what follows: A, then B, then C.

    Examples
    --------
    >>> from crmcore.rules.making import count
    >>> print(count("view", within_days=30, where=followed_by("order", within_days=7)) >= 2)
    number of view events within 30 days (where followed by an order event within 7 days) is at least 2
    """
    return Follows(Side.AFTER, event, within_days, where)


def preceded_by(event: str, *, within_days: float | None = None, where: Condition | None = None) -> Condition:
    """Whether an event comes after one of another kind, at most `within_days` later; stands in a `where`.

    Examples
    --------
    >>> from crmcore.rules.making import total
    >>> print(total("order", where=preceded_by("advert", within_days=1)) > 0)
    total amount of order events (where preceded by an advert event within 1 day) is more than 0
    """
    return Follows(Side.BEFORE, event, within_days, where)


def switches(
    *events: str,
    of: str = "kind",
    within_days: float | None = None,
    before_days: float = 0,
    where: Condition | None = None,
) -> Term:
    """Count how often a subject goes from one kind of event to another and back, in a window like that of `count`.

    Other kinds in between do not matter. With `of`, the state is that part of the events (such as a stage) in place of
    their kind; events without it are passed over. Events at one instant come in the order of their states' letters.
    Unknown only where no events were given at all.

    Examples
    --------
    >>> print(switches("explore", "evaluate", within_days=2) >= 3)
    number of switches between explore and evaluate events within 2 days is at least 3
    >>> print(switches("view", of="stage") >= 3)
    number of switches of stage between view events is at least 3
    """
    made: Any = Switches(events, of, within_days, before_days, where)
    return made  # type: ignore[no-any-return]
