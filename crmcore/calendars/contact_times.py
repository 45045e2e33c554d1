"""When a contact may be written to: quiet hours, weekdays and frequency caps, with the next allowed instant.

The calendar part of a contact policy. A decision walks from change to change of the rules (the end of quiet hours, a
midnight, an expiring send), never from minute to minute; consent and priorities are laid over it elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table
from crmcore.calendars.contact_walk import CapPeriod, ContactReason, Plan, first_reason, next_us
from crmcore.calendars.errors import BadWindows
from crmcore.calendars.windows import MIDNIGHT, WEEKDAYS, clock_text, clock_us, read_date, weekdays_of
from crmcore.documents import Document
from crmcore.errors import OutOfRange, UnknownName, WrongType
from crmcore.zones import MINUTE, NAT, as_instants, from_us, to_us, zone_of

if TYPE_CHECKING:
    from crmcore.calendars.contact_columns import ContactDecisions

__all__ = [
    "CalendarCap",
    "CapPeriod",
    "ContactDecision",
    "ContactReason",
    "ContactTimes",
    "SlidingCap",
]

HOUR = 60 * MINUTE


def _count(_instance: Any, attribute: Any, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        raise OutOfRange(attribute.name, value, "a whole number from 0", "0 forbids every send, 1 allows one a period")


def _hours(_instance: Any, attribute: Any, value: Any) -> None:
    if not isinstance(value, float) or not 0 < value <= 24 * 366 * 100:  # NaN fails too
        raise OutOfRange(attribute.name, value, "more than 0 hours, at most a century", "168 hours are a week")


def _number(value: float) -> float:
    return float(value) if isinstance(value, int | float | np.number) and not isinstance(value, bool) else value


def _period(value: CapPeriod | str) -> CapPeriod:
    if value not in tuple(CapPeriod):
        raise UnknownName("cap period", str(value), tuple(p.value for p in CapPeriod))
    return CapPeriod(value)


@attrs.frozen
class SlidingCap:
    """At most `max_sends` in the last `hours` of real time: sends h with at - hours < h <= at count.

    Examples
    --------
    >>> print(SlidingCap(hours=168, max_sends=3))
    at most 3 in any 168 h
    """

    hours: float = attrs.field(validator=_hours, converter=_number)
    max_sends: int = attrs.field(validator=_count)

    def __str__(self) -> str:
        return f"at most {self.max_sends} in any {self.hours:g} h"


@attrs.frozen
class CalendarCap:
    """At most `max_sends` in one local day, ISO week or month of the contact.

    Examples
    --------
    >>> print(CalendarCap("day", max_sends=1))
    at most 1 a day
    """

    period: CapPeriod = attrs.field(converter=_period)
    max_sends: int = attrs.field(validator=_count)

    def __str__(self) -> str:
        return f"at most {self.max_sends} a {self.period}"


Cap = SlidingCap | CalendarCap


def _zone(value: str) -> str:
    return str(zone_of(value))


def _quiet(value: Sequence[str | time] | None) -> tuple[str, str] | None:
    """Canonical quiet hours in whole minutes; equal ends are none."""
    if value is None:
        return None
    pair = isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2
    ends = [clock_us(part) for part in value] if pair else [None]
    read = [us for us in ends if us is not None]
    if len(read) != 2 or any(us % MINUTE for us in read):
        raise BadWindows(
            "quiet_hours",
            (f"{value!r}: expected two times of the day in whole minutes",),
            'write quiet hours as ("21:00", "08:00"); None, or two equal times, are no quiet hours',
        )
    return None if read[0] == read[1] else (clock_text(read[0]), clock_text(read[1]))


def _days(value: Iterable[str | int] | None) -> tuple[str, ...] | None:
    """Short weekday names in order; None is every day."""
    return None if value is None else weekdays_of(value)


def _caps(value: Iterable[Cap]) -> tuple[Cap, ...]:
    given: object = value
    if isinstance(given, Cap):
        return (given,)
    caps = tuple(value) if isinstance(given, Iterable) else (given,)
    odd = [type(cap).__name__ for cap in caps if not isinstance(cap, Cap)]
    if odd:
        hint = "write [SlidingCap(hours=168, max_sends=3), CalendarCap('day', max_sends=1)]; [] is no cap"
        raise WrongType("caps", ", ".join(odd), "SlidingCap or CalendarCap", hint)
    return caps  # type: ignore[return-value]  # all of them are caps


_EPOCH_DAY = date(1970, 1, 1).toordinal()


def _holidays(value: Iterable[date | str]) -> tuple[date, ...]:
    """Dates in order, each once."""
    given: object = value
    listed = [given] if isinstance(given, str | date) else list(given) if isinstance(given, Iterable) else [given]
    read = [read_date(day) for day in listed]
    odd = [f"{day!r}: expected a date" for day, found in zip(listed, read, strict=True) if found is None]
    if odd:
        raise BadWindows("holidays", tuple(odd), 'write dates, or ISO text: ["2026-04-13"]')
    return tuple(sorted({day for day in read if day is not None}))


@attrs.frozen(kw_only=True)
class ContactDecision:
    """Whether a contact may be written to at one instant; if not, why, on what evidence, and when it may."""

    at: datetime
    zone: str
    reason: ContactReason | None
    """First rule that blocks, None where it is allowed."""
    cap: SlidingCap | CalendarCap | None
    """Cap that is full, where the reason is one."""
    evidence: tuple[datetime, ...]
    """Sends that fill the cap, oldest first."""
    next_allowed_at: datetime | None
    """First instant at + k whole minutes that passes every rule; None where none ever does."""
    never_because: str = ""

    @property
    def allowed(self) -> bool:
        """Whether it is allowed now."""
        return self.reason is None

    def __str__(self) -> str:
        if self.reason is None:
            return f"allowed at {_clock(self.at)} ({self.zone})"
        if self.next_allowed_at is None:
            return f"never allowed: {self.never_because}"
        why = self.reason.replace("_", " ")
        if self.cap is not None:
            why = f"{self.cap}; sent {', '.join(map(_clock, self.evidence))}"
        return f"not at {_clock(self.at)} ({self.zone}): {why}; next {_clock(self.next_allowed_at)}"

    def _repr_html_(self) -> str:
        row = {
            "at": _clock(self.at),
            "allowed": "yes" if self.allowed else "no",
            "reason": self.reason,
            "cap": self.cap,
            "sends counted": len(self.evidence) if self.cap else None,
            "next allowed": _clock(self.next_allowed_at) if self.next_allowed_at else self.never_because or None,
        }
        return html_table([row], caption=f"contact time in {self.zone}")


def _clock(at: datetime) -> str:
    return f"{at:%a %Y-%m-%d %H:%M}"


def _plan(times: ContactTimes) -> Plan:
    quiet = None
    if times.quiet_hours is not None:
        start, end = (clock_us(part) or 0 for part in times.quiet_hours)
        quiet = (start, end if end > start else end + MIDNIGHT)
    ahead: tuple[int, ...] = ()
    if times.weekdays is not None and len(times.weekdays) < 7:
        allowed = [WEEKDAYS.index(day) for day in times.weekdays]
        ahead = tuple(min(((a - day) % 7 for a in allowed), default=7) for day in range(7))
    caps = tuple(
        (round(cap.hours * HOUR), None, cap.max_sends)
        if isinstance(cap, SlidingCap)
        else (0, cap.period, cap.max_sends)
        for cap in times.caps
    )
    return Plan(quiet, ahead, caps, tuple(day.toordinal() - _EPOCH_DAY for day in times.holidays))


@attrs.frozen
class ContactTimes(Document):
    """Rules of the clock and the calendar for writing to contacts, each on the contact's own wall clock.

    Parameters
    ----------
    zone : IANA name
        Zone of contacts whose own is not given in the call.
    quiet_hours : pair of times, optional
        `[start, end)` in whole minutes; may wrap midnight; equal ends are none. Hours that a clock change skips are
        skipped with them.
    weekdays : names or ISO numbers, optional
        Local weekdays on which sends are allowed; None is all.
    caps : SlidingCap or CalendarCap
        All must have room.
    holidays : dates, optional
        Local dates without sends; a mapping of dates to names will do.

    Examples
    --------
    >>> from crmcore.calendars import local
    >>> times = ContactTimes("Asia/Bangkok", quiet_hours=("21:00", "08:00"), caps=[SlidingCap(24, 1)])
    >>> print(times.decide(local(2026, 6, 2, 22, 15, zone="Asia/Bangkok"), []))
    not at Tue 2026-06-02 22:15 (Asia/Bangkok): quiet hours; next Wed 2026-06-03 08:00
    """

    zone: str = attrs.field(converter=_zone)
    quiet_hours: tuple[str, str] | None = attrs.field(default=None, converter=_quiet)
    weekdays: tuple[str, ...] | None = attrs.field(default=None, converter=_days)
    caps: tuple[SlidingCap | CalendarCap, ...] = attrs.field(default=(), converter=_caps)
    holidays: tuple[date, ...] = attrs.field(default=(), converter=_holidays)
    plan: Plan = attrs.field(init=False, eq=False, repr=False, default=attrs.Factory(_plan, takes_self=True))
    """The same rules as numbers."""

    @property
    def never_because(self) -> str:
        """Why no instant can ever pass, empty where some can."""
        if self.quiet_hours == ("00:00", "24:00"):
            return "quiet hours cover the whole day"
        if self.weekdays == ():
            return "no weekday is allowed"
        empty = next((cap for cap in self.caps if cap.max_sends == 0), None)
        return f"a cap of {empty} has no room" if empty else ""

    def decide(
        self, at: datetime, history: Sequence[datetime] | NDArray[np.datetime64], *, zone: str | None = None
    ) -> ContactDecision:
        """Decide about one contact at one instant.

        Parameters
        ----------
        at : aware datetime
        history : aware datetimes, or datetime64 in UTC
            Earlier sends in any order; those later than the instant asked about do not count for it.
        zone : IANA name, optional
            The contact's own; None takes the zone of these rules.

        Returns
        -------
        ContactDecision
            The first reason in the order quiet hours, weekday, holiday, cap; the next instant assumes no further sends.
        """
        us = to_us(at)
        name = self.zone if zone is None else str(zone_of(zone))
        sends = _sends(history)
        reason, cap, evidence = first_reason(self.plan, us, sends, name)
        if reason is None:
            shown = from_us(us, name)
            return ContactDecision(
                at=shown, zone=name, reason=None, cap=None, evidence=(), next_allowed_at=shown, never_because=""
            )
        never = self.never_because
        return ContactDecision(
            at=from_us(us, name),
            zone=name,
            reason=reason,
            cap=None if cap is None else self.caps[cap],
            evidence=tuple(from_us(send, name) for send in evidence),
            next_allowed_at=None if never else from_us(next_us(self.plan, us, sends, name), name),
            never_because=never,
        )

    def decide_all(
        self,
        at: ArrayLike,
        sends: ArrayLike = (),
        offsets: ArrayLike | None = None,
        *,
        zones: Sequence[str] | None = None,
        zone_codes: ArrayLike | None = None,
    ) -> ContactDecisions:
        """Decide about many contacts at once, equal to `decide` row by row.

        Parameters
        ----------
        at : datetime64 in UTC, one or (n,)
        sends : (m,) datetime64 in UTC
            Earlier sends of all contacts, contact by contact; sorted within a contact, or they are sorted here.
        offsets : (n + 1,) positions, optional
            Contact i's sends are `sends[offsets[i]:offsets[i + 1]]`; without it nobody was written to.
        zones : (z,) IANA names, optional
            Without it every contact lives in the zone of these rules.
        zone_codes : (n,) codes, optional
            Position in `zones` of each contact's own.

        Examples
        --------
        >>> times = ContactTimes("Asia/Bangkok", caps=[SlidingCap(24, 1)])
        >>> now = np.datetime64("2026-06-02T08:00")
        >>> rows = times.decide_all(now, np.array(["2026-06-02T07:00"], "datetime64[us]"), [0, 1, 1])
        >>> rows.allowed, rows.next_allowed.astype("datetime64[m]")
        (array([False,  True]), array(['2026-06-03T07:00', '2026-06-02T08:00'], dtype='datetime64[m]'))
        """
        from crmcore.calendars.contact_columns import decide_columns

        listed = [zones] if isinstance(zones, str) else zones
        names = (self.zone,) if listed is None else tuple(str(zone_of(zone)) for zone in listed)
        if len(names) != 1 and zone_codes is None:
            hint = "say which zone each contact lives in: zone_codes="
            raise OutOfRange("zones", f"{len(names)} without zone_codes", "one zone, or a code for each contact", hint)
        return decide_columns(self, at, sends, offsets, zones=names, zone_codes=zone_codes)


def _sends(history: Sequence[datetime] | NDArray[np.datetime64]) -> list[int]:
    if isinstance(history, np.ndarray):
        us = as_instants(history, "history").astype(np.int64)
        return sorted(us[us != NAT].tolist())
    given: object = history
    if not isinstance(given, Iterable):
        raise WrongType("history", f"a {type(given).__name__}", "a list of earlier sends", "[] where there were none")
    return sorted(to_us(send, "history") for send in history)
