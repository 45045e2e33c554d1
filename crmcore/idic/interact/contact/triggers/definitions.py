"""The triggers: one definition each, as data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import time
from typing import Any

import attrs

from crmcore._base import between, listed
from crmcore.calendars import LeapDay, Recurrence, Yearly
from crmcore.documents import to_dict
from crmcore.errors import BadDocument, EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.rules import Rule
from crmcore.values.words import word

__all__ = [
    "Abandoned",
    "BackInStock",
    "Birthday",
    "Maintenance",
    "NearlyOut",
    "PriceDrop",
    "Silence",
    "Trigger",
    "trigger_from_dict",
]


def _name(_instance: object, attribute: attrs.Attribute[str], value: object) -> None:
    if not isinstance(value, str):
        raise WrongType(attribute.name, f"a {type(value).__name__}", "text", "name the trigger")
    if not value.strip():
        raise EmptyInput(attribute.name, "name the trigger: what fired is known by it")


def _rule(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and not isinstance(value, Rule):
        raise WrongType(attribute.name, f"a {type(value).__name__}", "a Rule or None", "Rule('vip', field('x') > 1)")


def _clock(value: str | time) -> str:
    return Recurrence(Yearly("2000-01-01", leap_day="28 Feb"), at=value, zone="UTC").at


def _leap(value: LeapDay | str) -> LeapDay:
    return word(LeapDay, value, "leap day policy")


def _kinds(value: str | Iterable[str]) -> tuple[str, ...]:
    given = (value,) if isinstance(value, str) else value
    return listed(given, "kinds", str, what="kinds of events", hint="write ['order']")


def _positive(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
        raise OutOfRange(attribute.name, value, "a number above 0", "leave it out where there is no such limit")


_days = between(0, 36_500, hint="days; 0 is on the day itself, or no pause")


@attrs.frozen(eq=False, kw_only=True)
class Trigger:
    """What all triggers have.

    Parameters
    ----------
    name : text
        What fired is known by it.
    message : id of a message, optional
        What is to be sent.
    when : Rule, optional
        Over the facts of the customer; unknown is no.
    pause_days : days
        After it fired for a customer (and an item or key) it does not fire again for so long.
    """

    name: str = attrs.field(kw_only=False, validator=_name)
    message: str | None = None
    when: Rule | None = attrs.field(default=None, validator=_rule)
    pause_days: float = attrs.field(default=0.0, validator=_days)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `trigger_from_dict` reads them."""
        fields = attrs.asdict(self, recurse=False)
        rule = fields.pop("when")
        plain = {name: to_dict(value) for name, value in fields.items()}
        return {"type": type(self).__name__, **plain, "when": None if rule is None else rule.to_dict()}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trigger) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((type(self), self.name))


@attrs.frozen(eq=False, kw_only=True)
class Birthday(Trigger):
    """Every year on a date of the customer, at a time of the customer's own clock.

    Parameters
    ----------
    date : name of a fact
        A date; unknown is nobody's turn.
    at : local time
    leap_day : LeapDay
        Where 29 February goes in a common year.
    days_before : days
        So much earlier than the date.
    """

    date: str = "born"
    at: str = attrs.field(default="09:00", converter=_clock)
    leap_day: LeapDay = attrs.field(default=LeapDay.FEB_28, converter=_leap)
    days_before: int = attrs.field(default=0, validator=_days)


@attrs.frozen(eq=False, kw_only=True)
class Maintenance(Trigger):
    """So long after a service, or after so much use, whichever comes first; a service in between starts anew.

    Parameters
    ----------
    months : whole number, optional
        On the date of the service so many months later (the last of the month where it has no such day), at local `at`.
    usage : number, optional
        At the first reading that is so much above the one of the service.
    service, reading : kinds of events
        A service is a reading too.
    meter : attribute
        Of both kinds of events: the number that counts up, such as "km".
    key : attribute, "" for one thing a customer
        What is serviced: a licence plate, a serial number.
    """

    months: int | None = attrs.field(default=None, validator=_positive)
    usage: float | None = attrs.field(default=None, validator=_positive)
    service: str = "service"
    reading: str = "reading"
    meter: str = "km"
    key: str = ""
    at: str = attrs.field(default="09:00", converter=_clock)

    def __attrs_post_init__(self) -> None:
        if self.months is None and self.usage is None:
            raise EmptyInput("months and usage", "say after how many months, after how much use, or both")


@attrs.frozen(eq=False, kw_only=True)
class _Wished(Trigger):
    """On an item that a customer has on the list.

    Parameters
    ----------
    wish, unwish : kinds of events
        By which an item comes on the list and leaves it.
    item : attribute, or "reference"
        Where such an event names the item.
    """

    wish: str = "favourite"
    unwish: str = "unfavourite"
    item: str = "reference"


@attrs.frozen(eq=False, kw_only=True)
class PriceDrop(_Wished):
    """A favourite gets cheaper by at least a share; a price that was not known before is no drop."""

    at_least: float = attrs.field(default=0.0, validator=between(0, 1, hint="0.1 is ten per cent"))


@attrs.frozen(eq=False, kw_only=True)
class BackInStock(_Wished):
    """A favourite that had run out is there again."""


@attrs.frozen(eq=False, kw_only=True)
class NearlyOut(_Wished):
    """A favourite gets scarce: once each time that stock falls to the threshold, to all who want it by then or later.

    Parameters
    ----------
    threshold : number
        Stock from 1 to this is nearly out.
    offer : text, optional
        What to offer with it, such as "10 % off".
    """

    threshold: float = attrs.field(default=5, validator=_positive)
    offer: str | None = None


@attrs.frozen(eq=False, kw_only=True)
class Abandoned(Trigger):
    """Something begun, and neither continued nor done for some hours: a cart, a form, a booking.

    Parameters
    ----------
    start, done : kinds of events
    key : attribute, "reference", or "" for one thing a customer
        What keeps several of them apart.
    after_hours : hours
        Since the last start; whatever happens at that very instant still counts.
    """

    start: tuple[str, ...] = attrs.field(default=("add to cart",), converter=_kinds)
    done: tuple[str, ...] = attrs.field(default=("order",), converter=_kinds)
    key: str = ""
    after_hours: float = attrs.field(default=1.0, validator=_positive)


@attrs.frozen(eq=False, kw_only=True)
class Silence(Trigger):
    """Nothing of some kinds for so many days since the last; whoever never did is no case of it."""

    kinds: tuple[str, ...] = attrs.field(default=("order",), converter=_kinds)
    after_days: float = attrs.field(default=90.0, validator=_positive)


TRIGGERS: Mapping[str, type[Trigger]] = {
    kind.__name__: kind for kind in (Abandoned, BackInStock, Birthday, Maintenance, NearlyOut, PriceDrop, Silence)
}


def trigger_from_dict(document: Mapping[str, object]) -> Trigger:
    """Read what a trigger's `to_dict` wrote.

    Raises
    ------
    UnknownName, BadDocument
        No such type of trigger; fields that are unknown or of another type.

    Examples
    --------
    >>> trigger = Silence("quiet", after_days=60)
    >>> trigger_from_dict(trigger.to_dict()) == trigger
    True
    """
    fields = dict(document)
    kind = fields.pop("type", None)
    if kind not in TRIGGERS:
        raise UnknownName("trigger", str(kind), tuple(TRIGGERS))
    rule: Any = fields.pop("when", None)
    known = attrs.fields_dict(TRIGGERS[str(kind)])
    unknown = sorted(set(fields) - set(known))
    if unknown:
        raise BadDocument(str(kind), (f"unknown fields {unknown}",), "write it with to_dict")
    read: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    return TRIGGERS[str(kind)](**read, when=None if rule is None else Rule.from_dict(rule))
