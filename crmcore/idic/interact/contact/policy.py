"""A contact policy: gates that a message has to pass, as data."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from types import MappingProxyType
from typing import Any

import attrs

from crmcore._base import listed
from crmcore.calendars.contact_times import CalendarCap, ContactTimes, SlidingCap
from crmcore.calendars.contact_walk import CapPeriod, Plan
from crmcore.documents import Document
from crmcore.errors import OutOfRange, UnknownName, WrongType
from crmcore.idic.interact.contact.messages import Message, MessageClass
from crmcore.values.words import word

__all__ = ["CHANNELS", "GATES", "Cap", "ContactPolicy", "Fallback", "Gate", "NoZone"]

CHANNELS = ("email", "sms", "phone", "post", "push", "app", "line", "whatsapp", "messenger", "telegram", "web")
Quiet = tuple[str, str]


class Gate(enum.StrEnum):
    """Why a message has to wait or must not go, in the order in which reasons are told."""

    CHANNEL = "channel"
    CONSENT = "consent"
    EXPIRY = "expiry"
    NO_ZONE = "no zone"
    NOT_YET = "not yet"
    QUIET_HOURS = "quiet hours"
    WEEKDAY = "weekday"
    HOLIDAY = "holiday"
    CAP = "cap"


CLOCK = (Gate.QUIET_HOURS, Gate.WEEKDAY, Gate.HOLIDAY)
GATES: Mapping[str, tuple[Gate, ...]] = MappingProxyType(
    {
        MessageClass.PROMOTIONAL: (Gate.CONSENT, *CLOCK, Gate.CAP),
        MessageClass.TRANSACTIONAL: (Gate.QUIET_HOURS,),
        MessageClass.CRITICAL: (),
    }
)
"""Gates of each class of messages. Every class needs a channel that reaches the contact, and may expire."""


class NoZone(enum.StrEnum):
    """What becomes of a contact whose zone nobody knows, where a gate asks for the clock on the wall."""

    ASSUME = "assume the policy's"
    REFUSE = "refuse"


class Fallback(enum.StrEnum):
    """When a message goes to the next channel of the contact's order."""

    WHEN_REFUSED = "when refused"  # a wait does not change the channel: what the contact prefers is waited for
    SOONEST = "soonest"  # the channel on which it can go first; of equals the preferred one


def _whole(_instance: object, attribute: attrs.Attribute[int], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise OutOfRange(attribute.name, value, "a whole number from 0", "how many slots to keep")


def _classes(value: Iterable[MessageClass | str]) -> tuple[MessageClass, ...]:
    found = listed(value, "kinds", str, what="message classes", hint="write ['promotional']")
    return tuple(word(MessageClass, kind, "message class") for kind in found)


def _names(value: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(listed(value, "channels", str, what="channels", hint="write ['sms', 'line']")))


@attrs.frozen
class Cap(Document):
    """A frequency cap: how many messages, over which channels and classes.

    Parameters
    ----------
    limit : calendars.SlidingCap or calendars.CalendarCap
    channels : names
        That it counts and binds together; () is all of them.
    kinds : message classes
        That it counts and binds; a class counts also where its own gates let it pass.
    keep_free : count
        Slots that only messages of `for_priority` and above may take.
    for_priority : whole number

    Examples
    --------
    >>> print(Cap(SlidingCap(168, 3), keep_free=1))
    at most 3 in any 168 h, 1 kept for priority 1 and above
    """

    limit: SlidingCap | CalendarCap = attrs.field(validator=attrs.validators.instance_of((SlidingCap, CalendarCap)))
    channels: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=_names)
    kinds: tuple[MessageClass, ...] = attrs.field(default=(MessageClass.PROMOTIONAL,), kw_only=True, converter=_classes)
    keep_free: int = attrs.field(default=0, kw_only=True, validator=_whole)
    for_priority: int = attrs.field(default=1, kw_only=True)

    def binds(self, kind: MessageClass, channel: str) -> bool:
        """Whether it counts messages of a class on a channel."""
        return kind in self.kinds and (not self.channels or channel in self.channels)

    def room(self, priority: int) -> int:
        """Most messages before one of this priority has to wait."""
        kept = 0 if priority >= self.for_priority else self.keep_free
        return max(self.limit.max_sends - kept, 0)

    def limit_for(self, priority: int) -> SlidingCap | CalendarCap:
        """The limit that a message of this priority sees."""
        return attrs.evolve(self.limit, max_sends=self.room(priority))

    def numbers(self, priority: int) -> tuple[int, CapPeriod | None, int]:
        """The same limit as the walk takes it."""
        return ContactTimes("UTC", caps=[self.limit_for(priority)]).plan.caps[0]

    def __str__(self) -> str:
        over = f" over {', '.join(self.channels)}" if self.channels else ""
        kept = f", {self.keep_free} kept for priority {self.for_priority} and above" if self.keep_free else ""
        return f"{self.limit}{over}{kept}"


def _caps(value: Iterable[Cap | SlidingCap | CalendarCap]) -> tuple[Cap, ...]:
    given = [value] if isinstance(value, Cap | SlidingCap | CalendarCap) else value
    hint = "write [SlidingCap(168, 3), Cap(CalendarCap('day', 1), channels=['sms'])]; [] is no cap"
    found = listed(given, "caps", (Cap, SlidingCap, CalendarCap), what="caps", hint=hint)
    return tuple(cap if isinstance(cap, Cap) else Cap(cap) for cap in found)


def _zone(value: str) -> str:
    return ContactTimes(value).zone


def _quiet(value: Sequence[str | time] | None) -> Quiet | None:
    return ContactTimes("UTC", quiet_hours=value).quiet_hours


def _weekdays(value: Iterable[str | int] | None) -> tuple[str, ...] | None:
    return ContactTimes("UTC", weekdays=value).weekdays


def _quiet_by_channel(value: Mapping[str, Sequence[str | time] | None]) -> dict[str, Quiet | None]:
    given: object = value
    if not isinstance(given, Mapping):
        hint = "write {'email': None, 'sms': ('20:00', '09:00')}"
        raise WrongType("quiet_by_channel", f"a {type(given).__name__}", "quiet hours by channel", hint)
    return {name: _quiet(hours) for name, hours in value.items()}


def _regions(value: Mapping[str, Iterable[date | str]] | Iterable[date | str]) -> dict[str, tuple[date, ...]]:
    """Holidays of each region; plain dates, or dates with names, are everybody's."""
    flat = not isinstance(value, Mapping) or any(isinstance(key, date) or key[:1].isdigit() for key in value)
    by_region: Mapping[str, Any] = {"": value} if flat else value  # type: ignore[assignment]
    return {region: ContactTimes("UTC", holidays=days).holidays for region, days in by_region.items()}


def _gates(value: Mapping[str, Iterable[Gate | str]]) -> dict[str, tuple[Gate, ...]]:
    found = {kind: value.get(kind, GATES[kind]) for kind in MessageClass}
    odd = [kind for kind in value if kind not in tuple(MessageClass)]
    if odd:
        raise UnknownName("message class", str(odd[0]), tuple(kind.value for kind in MessageClass))
    return {kind.value: tuple(word(Gate, gate, "gate") for gate in gates) for kind, gates in found.items()}


def _no_zone(value: NoZone | str) -> NoZone:
    return word(NoZone, value, "rule for contacts without a zone")


def _fallback(value: Fallback | str) -> Fallback:
    return word(Fallback, value, "fallback")


@attrs.frozen
class Passage:
    """What messages of one class and priority meet on one channel, compiled once."""

    consent: bool
    clock: Plan
    clock_gates: tuple[tuple[Gate, Plan, str], ...]  # each by itself, to tell when it alone lets a message pass
    caps: tuple[tuple[Cap, tuple[int, CapPeriod | None, int], int], ...]  # with the position of what it counts
    counted: tuple[tuple[tuple[str, ...], tuple[MessageClass, ...]], ...]  # channels and classes, each pair once
    needs_zone: bool
    never: bool  # the whole day is quiet, no weekday is allowed, or a cap has no room


@attrs.frozen
class ContactPolicy(Document):
    """When and how a brand writes to its contacts.

    Parameters
    ----------
    zone : IANA name
        Of contacts whose own is unknown, where `no_zone` assumes it.
    quiet_hours : pair of times, optional
        `[start, end)` on the contact's own wall clock; may wrap midnight; equal ends are none.
    quiet_by_channel : mapping of channel to a pair of times or None
        Where a channel differs.
    weekdays : names or ISO numbers, optional
        Allowed local weekdays; None is all.
    holidays : dates, or mapping of region to dates
        Local dates without messages: those of everybody ("") and of the contact's region.
    caps : Cap, calendars.SlidingCap or calendars.CalendarCap
        All must have room.
    gates : mapping of message class to gates
        Where it differs from `GATES`.
    no_zone : NoZone
    fallback : Fallback
    channels : names
        All that there are: a message on another one is a mistake.

    Examples
    --------
    >>> policy = ContactPolicy("Asia/Bangkok", quiet_hours=("21:00", "08:00"), caps=[SlidingCap(168, 3)])
    >>> ContactPolicy.from_dict(policy.to_dict()) == policy
    True
    """

    zone: str = attrs.field(converter=_zone)
    quiet_hours: tuple[str, str] | None = attrs.field(default=None, kw_only=True, converter=_quiet)
    quiet_by_channel: Mapping[str, tuple[str, str] | None] = attrs.field(
        factory=dict, kw_only=True, converter=_quiet_by_channel
    )
    weekdays: tuple[str, ...] | None = attrs.field(default=None, kw_only=True, converter=_weekdays)
    holidays: Mapping[str, tuple[date, ...]] = attrs.field(factory=dict, kw_only=True, converter=_regions)
    caps: tuple[Cap, ...] = attrs.field(default=(), kw_only=True, converter=_caps)
    gates: Mapping[str, tuple[Gate, ...]] = attrs.field(factory=dict, kw_only=True, converter=_gates)
    no_zone: NoZone = attrs.field(default=NoZone.ASSUME, kw_only=True, converter=_no_zone)
    fallback: Fallback = attrs.field(default=Fallback.WHEN_REFUSED, kw_only=True, converter=_fallback)
    channels: tuple[str, ...] = attrs.field(default=CHANNELS, kw_only=True, converter=_names)
    _passages: dict[tuple[str, int, str, str], Passage] = attrs.field(init=False, factory=dict, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        named = [*self.quiet_by_channel, *(name for cap in self.caps for name in cap.channels)]
        for name in named:
            self.check_channel(name)

    def __hash__(self) -> int:
        return hash((self.zone, self.quiet_hours, self.weekdays, self.caps))

    def check_channel(self, name: str) -> None:
        """Refuse a channel that the policy does not know."""
        if name not in self.channels:
            raise UnknownName("channel", str(name), self.channels)

    def check(self, message: Message) -> None:
        """Refuse a message on an unknown channel."""
        for name in message.channels:
            self.check_channel(name)

    def times(self, kind: MessageClass, channel: str, region: str) -> ContactTimes:
        """Rules of the clock for a class of messages on a channel."""
        gates = self.gates[kind]
        quiet = self.quiet_by_channel.get(channel, self.quiet_hours) if Gate.QUIET_HOURS in gates else None
        weekdays = self.weekdays if Gate.WEEKDAY in gates else None
        days = {*self.holidays.get("", ()), *self.holidays.get(region, ())} if Gate.HOLIDAY in gates else ()
        return ContactTimes(self.zone, quiet_hours=quiet, weekdays=weekdays, holidays=sorted(days))

    def passage(self, kind: MessageClass, priority: int, channel: str, region: str) -> Passage:
        """What messages of a class and priority meet on a channel."""
        key = (kind, priority, channel, region)
        found = self._passages.get(key)
        if found is None:
            found = self._passages[key] = self._compile(kind, priority, channel, region)
        return found

    def _compile(self, kind: MessageClass, priority: int, channel: str, region: str) -> Passage:
        gates = self.gates[kind]
        times = self.times(kind, channel, region)
        clock = times.plan
        parts = {
            Gate.QUIET_HOURS: Plan(clock.quiet, (), ()) if clock.quiet else None,
            Gate.WEEKDAY: Plan(None, clock.ahead, ()) if clock.ahead else None,
            Gate.HOLIDAY: Plan(None, (), (), clock.closed) if clock.closed else None,
        }
        bound = [cap for cap in self.caps if Gate.CAP in gates and cap.binds(kind, channel)]
        counted = tuple(dict.fromkeys((cap.channels, cap.kinds) for cap in bound))
        caps = tuple((cap, cap.numbers(priority), counted.index((cap.channels, cap.kinds))) for cap in bound)
        daily = any(numbers[1] is not None for _, numbers, _ in caps)
        told = {
            Gate.QUIET_HOURS: " to ".join(times.quiet_hours or ()),
            Gate.WEEKDAY: f"only {', '.join(times.weekdays or ()) or 'never'}",
            Gate.HOLIDAY: "no messages on holidays",
        }
        separate = tuple((gate, plan, told[gate]) for gate, plan in parts.items() if plan is not None)
        never = bool(times.never_because) or any(numbers[2] == 0 for _, numbers, _ in caps)
        return Passage(Gate.CONSENT in gates, clock, separate, caps, counted, bool(separate) or daily, never)
