"""Early access: who may buy or read before the public, by tier, and from when exactly."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

import attrs

from crmcore._base import aware, check_aware
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange, WrongType

__all__ = ["Access", "EarlyAccess"]


@attrs.frozen(kw_only=True)
class Access(Document):
    """Whether somebody may, from when they may, and why."""

    allowed: bool
    opens_at: datetime
    because: str

    def __bool__(self) -> bool:
        return self.allowed

    def __str__(self) -> str:
        return f"{'may' if self.allowed else 'not yet'}: {self.because}"


def _hours(value: Mapping[str, float]) -> Mapping[str, float]:
    given: object = value
    if not isinstance(given, Mapping):
        raise WrongType("hours_before", f"a {type(value).__name__}", "a mapping of tier to hours", "{'gold': 24}")
    for tier, hours in given.items():
        if isinstance(hours, bool) or not isinstance(hours, int | float) or not 0 <= hours < 1e5:
            raise OutOfRange(f"hours_before[{tier!r}]", hours, "0 or more hours", "the public waits, nobody else does")
    return MappingProxyType(dict(given))


def _name(_instance: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not isinstance(value, str) or not value.strip():
        raise EmptyInput(attribute.name, "name what opens")


@attrs.frozen(kw_only=True)
class EarlyAccess(Document):
    """A window that opens to some tiers before the public.

    Parameters
    ----------
    name : text
    opens_at : aware datetime
        For the public: from this instant on, itself included.
    hours_before : mapping of tier to hours
        Head start; a tier that is not named waits with the public.
    closes_at : aware datetime, optional
        For everybody; itself excluded.

    Examples
    --------
    >>> from crmcore.calendars import local
    >>> launch = local(2026, 6, 6, 10, zone="Asia/Bangkok")
    >>> shoes = EarlyAccess(name="summer shoes", opens_at=launch, hours_before={"gold": 24})
    >>> day_before = launch - timedelta(hours=24)
    >>> print(shoes.decide("gold", now=day_before))
    may: gold buys 24 hours before the public
    >>> print(shoes.decide("none", now=day_before))
    not yet: summer shoes opens to none at 2026-06-06T10:00+07:00
    """

    name: str = attrs.field(validator=_name)
    opens_at: datetime = attrs.field(validator=aware)
    hours_before: Mapping[str, float] = attrs.field(factory=dict, converter=_hours)
    closes_at: datetime | None = attrs.field(default=None, validator=aware)

    def __attrs_post_init__(self) -> None:
        if self.closes_at is not None and self.closes_at <= self.opens_at:
            raise OutOfRange(
                "closes_at", self.closes_at.isoformat(), f"after {self.opens_at.isoformat()}", "leave it out"
            )

    def decide(self, tier: str, *, now: datetime) -> Access:
        """Whether a customer of a tier may now; "" or any tier that is not named is the public."""
        check_aware(now, "now")
        hours = self.hours_before.get(tier, 0)
        opens = self.opens_at - timedelta(hours=hours)
        if self.closes_at is not None and now >= self.closes_at:
            because = f"{self.name} closed at {self.closes_at.isoformat(timespec='minutes')}"
            return Access(allowed=False, opens_at=opens, because=because)
        if now < opens:
            who = tier or "the public"
            because = f"{self.name} opens to {who} at {opens.isoformat(timespec='minutes')}"
            return Access(allowed=False, opens_at=opens, because=because)
        early = now < self.opens_at
        because = f"{tier} buys {hours:g} hours before the public" if early else f"{self.name} is open to all"
        return Access(allowed=True, opens_at=opens, because=because)
