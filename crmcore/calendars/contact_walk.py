"""The walk from change to change behind contact times: whole numbers of microseconds, one contact at a time."""

from __future__ import annotations

import enum
from bisect import bisect_right
from datetime import date

import attrs

from crmcore.zones import DAY, MINUTE, stretch_at

__all__ = [
    "CapPeriod",
    "ContactReason",
    "Plan",
    "blocked_until",
    "cap_block",
    "count_in_period",
    "evidence_of",
    "first_reason",
    "in_quiet",
    "next_us",
    "period_end",
    "period_start",
]

_EPOCH_DAY = date(1970, 1, 1).toordinal()


class ContactReason(enum.StrEnum):
    """Why a contact has to wait, in the order in which the rules are asked."""

    QUIET_HOURS = "quiet_hours"
    WEEKDAY = "weekday"
    HOLIDAY = "holiday"
    CAP = "cap"


class CapPeriod(enum.StrEnum):
    """Stretch of local dates in which a calendar cap counts; a week is an ISO week, Monday to Sunday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@attrs.frozen
class Plan:
    """The rules as numbers."""

    quiet: tuple[int, int] | None  # microseconds since local midnight; the end past 24:00 where it wraps
    ahead: tuple[int, ...]  # by weekday, Monday 0: days until an allowed one; () where every day is
    caps: tuple[tuple[int, CapPeriod | None, int], ...]  # sliding length or 0, period, most sends
    closed: tuple[int, ...] = ()  # local dates without sends, in days since 1970, rising


def period_start(day: int, period: CapPeriod) -> int:
    """First local day of the period that holds a day, both counted from 1970-01-01."""
    if period is CapPeriod.DAY:
        return day
    if period is CapPeriod.WEEK:
        return day - (day + 3) % 7
    return day + 1 - date.fromordinal(day + _EPOCH_DAY).day


def period_end(day: int, period: CapPeriod) -> int:
    """First local day after the period that holds a day."""
    if period is CapPeriod.DAY:
        return day + 1
    if period is CapPeriod.WEEK:
        return day + 7 - (day + 3) % 7
    return period_start(period_start(day, period) + 31, period)


def cap_block(
    length: int,
    period: CapPeriod | None,
    most: int,
    us: int,
    sends: list[int],
    zone: str,
    stretch: tuple[int, int, int],
) -> tuple[int, int] | None:
    """Position of the oldest send that fills a cap and the instant before which it stays full; None where it has room.

    Sends later than the instant do not count. A full cap of no sends stays full for ever.
    """
    held = bisect_right(sends, us)
    if most == 0:
        return held, us
    if held < most:
        return None
    oldest = held - most
    if period is None:
        until = sends[oldest] + length
        return (oldest, until) if until > us else None
    start, end, offset = stretch
    day = (us + offset) // DAY
    first = period_start(day, period) * DAY - offset
    one_offset = first - 2 * DAY >= start  # a clock may go back by a day, into dates that it had shown before
    full = sends[oldest] >= first if one_offset else count_in_period(sends[:held], day, period, zone) >= most
    return (oldest, min(period_end(day, period) * DAY - offset, end)) if full else None


def count_in_period(sends: list[int], day: int, period: CapPeriod, zone: str) -> int:
    """How many sends fall on local dates of a period; it may have two parts where a clock went back over midnight."""
    wanted, count = period_start(day, period), 0
    for send in reversed(sends):
        local_day = (send + stretch_at(zone, send)[2]) // DAY
        if local_day < wanted - 3:
            break
        count += period_start(local_day, period) == wanted
    return count


def first_reason(
    plan: Plan, us: int, sends: list[int], zone: str
) -> tuple[ContactReason | None, int | None, list[int]]:
    """First rule that blocks at an instant, which cap where it is one, and the sends that fill it."""
    stretch = stretch_at(zone, us)
    day, clock = divmod(us + stretch[2], DAY)
    if plan.quiet is not None and in_quiet(plan.quiet, clock):
        return ContactReason.QUIET_HOURS, None, []
    if plan.ahead and plan.ahead[(day + 3) % 7]:
        return ContactReason.WEEKDAY, None, []
    if plan.closed and day in plan.closed:
        return ContactReason.HOLIDAY, None, []
    for i, (length, period, most) in enumerate(plan.caps):
        block = cap_block(length, period, most, us, sends, zone, stretch)
        if block is not None:
            held = bisect_right(sends, us)
            return ContactReason.CAP, i, evidence_of(sends[:held], length, period, us, day, zone)
    return None, None, []


def evidence_of(sends: list[int], length: int, period: CapPeriod | None, us: int, day: int, zone: str) -> list[int]:
    """All sends that count against a cap now."""
    if period is None:
        return sends[bisect_right(sends, us - length) :]
    wanted = period_start(day, period)
    near = sends[bisect_right(sends, (wanted - 2) * DAY) :]
    return [s for s in near if period_start((s + stretch_at(zone, s)[2]) // DAY, period) == wanted]


def in_quiet(quiet: tuple[int, int], clock: int) -> bool:
    """Whether a time of the day, in microseconds, lies in quiet hours."""
    start, end = quiet
    return start <= clock < end or clock < end - DAY


def next_us(plan: Plan, at: int, sends: list[int], zone: str) -> int:
    """First at + k minutes that passes every rule: jump to the latest instant before which some rule surely blocks."""
    us = at
    while True:
        until = blocked_until(plan, us, sends, zone)
        if until <= us:
            return us
        us = at + -(-(until - at) // MINUTE) * MINUTE


def blocked_until(
    plan: Plan, us: int, sends: list[int], zone: str, *, stretch: tuple[int, int, int] | None = None
) -> int:
    """Instant before which a rule that blocks now surely goes on blocking; `us` itself where none blocks."""
    if stretch is None:
        stretch = stretch_at(zone, us)
    end, offset = stretch[1], stretch[2]
    day, clock = divmod(us + offset, DAY)
    until = us
    if plan.quiet is not None and in_quiet(plan.quiet, clock):
        over = plan.quiet[1] - DAY if clock < plan.quiet[1] - DAY else plan.quiet[1]
        until = min(us + over - clock, end)
    if plan.ahead and (days := plan.ahead[(day + 3) % 7]):
        until = max(until, min(us + days * DAY - clock, end))
    if plan.closed and day in plan.closed:
        until = max(until, min(us + DAY - clock, end))
    for length, period, most in plan.caps:
        block = cap_block(length, period, most, us, sends, zone, stretch)
        if block is not None:
            until = max(until, block[1])
    return until
