"""Escalations: who must know before, at and after a breach, at instants that follow from the history alone.

No scheduler runs and nothing is stored. An escalation fires at the first instant at which its condition holds,
judged by what had happened by then; so the windows (00:00, 08:00] and (08:00, 24:00] list what (00:00, 24:00]
lists, each once.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from crmcore._base import Progress, reporter
from crmcore.calendars.clocks.columns import clock_columns
from crmcore.calendars.clocks.cycles import MICROSECOND, Meter
from crmcore.calendars.clocks.definitions import DEFINITIONS, ClockDefinition, Stretch, stretches
from crmcore.calendars.clocks.event_table import ClockEventTable
from crmcore.calendars.clocks.events import ClockEvent, ClockHistory
from crmcore.calendars.clocks.policy import (
    RESOLUTION,
    RESOLUTIONS,
    ClockName,
    ClockPolicy,
    clocks_named,
)
from crmcore.calendars.clocks.reading import moments_until
from crmcore.calendars.clocks.timeline import Moment
from crmcore.calendars.errors import NoOpening
from crmcore.errors import DuplicateIds, OutOfRange
from crmcore.values.words import word
from crmcore.zones import MINUTE, to_us

if TYPE_CHECKING:
    from crmcore.calendars.business_time import BusinessTime

__all__ = [
    "Counting",
    "DueEscalation",
    "Escalation",
    "FiringHours",
    "When",
    "escalations_between",
    "escalation_schedule",
]


class When(enum.StrEnum):
    """On which side of the breach."""

    BEFORE = "before"
    AT = "at"
    AFTER = "after"


class Counting(enum.StrEnum):
    """How the minutes before and after a breach are counted."""

    BUSINESS = "business"  # by the calendar of the clock, and only while it runs
    WALL = "wall"  # by the clock on the wall


class FiringHours(enum.StrEnum):
    """When an escalation may reach people."""

    OPENING = "opening hours"  # what falls due in closed hours waits for the next opening
    ANY = "any time"


def _clock(value: ClockName | str) -> str:
    return value if value == RESOLUTION else word(ClockName, value, "clock").value


def _when(value: When | str) -> When:
    return word(When, value, "side of the breach")


def _counting(value: Counting | str) -> Counting:
    return word(Counting, value, "counting")


def _hours(value: FiringHours | str) -> FiringHours:
    return word(FiringHours, value, "hours")


@attrs.frozen(kw_only=True)
class Escalation:
    """What fires around the breach of a clock.

    Parameters
    ----------
    clock : text
        A clock that has targets, or "resolution".
    when : When
        "before", "at" or "after" the breach.
    minutes : number
        Before or after it; 0 at it.
    counting : Counting
        "business" minutes of the clock, or "wall" minutes.
    level : count
        1 for the agent, 2 for the team leader ...: what it means is yours.
    hours : FiringHours
        "opening hours" moves what falls into closed hours to the next opening: nobody is reminded at midnight.
    name : text
        Tells escalations apart; made of the other fields where it is not given.

    Raises
    ------
    UnknownName, OutOfRange
        A word outside its list; minutes that do not fit `when`.

    Examples
    --------
    >>> Escalation(clock="first response", when="before", minutes=15).name
    'first response: 15 business minutes before the breach, level 1'
    """

    clock: str = attrs.field(converter=_clock)
    when: When = attrs.field(default=When.AT, converter=_when)
    minutes: float = 0.0
    counting: Counting = attrs.field(default=Counting.BUSINESS, converter=_counting)
    level: int = 1
    hours: FiringHours = attrs.field(default=FiringHours.OPENING, converter=_hours)
    name: str = ""

    def __attrs_post_init__(self) -> None:
        fits = self.minutes == 0 if self.when is When.AT else 0 < self.minutes < math.inf
        if not fits:
            allowed = "0" if self.when is When.AT else "minutes above 0"
            raise OutOfRange("minutes", self.minutes, f"{allowed} for when={self.when.value!r}", "at the breach is 0")
        if self.clock in (ClockName.CUSTOMER_WAITING, ClockName.AGENT_WORK):
            raise OutOfRange("clock", self.clock, "a clock that has targets", "these two are measured only")
        if not self.name:
            gap = f"{self.minutes:g} {self.counting} minutes " if self.minutes else ""
            told = f"{self.clock}: {gap}{self.when} the breach, level {self.level}"
            object.__setattr__(self, "name", told)


@attrs.frozen(kw_only=True)
class DueEscalation:
    """One firing of an escalation.

    Parameters
    ----------
    fires_at : datetime
    case : text
    escalation : Escalation
    cycle : count
        Of the clock.
    """

    fires_at: datetime
    case: str
    escalation: Escalation
    cycle: int

    @property
    def key(self) -> str:
        """The same for the same firing wherever it is computed: a key for whoever delivers it once."""
        return f"{self.case}|{self.escalation.name}|{self.cycle}"

    def __str__(self) -> str:
        of = f"case {self.case}, " if self.case else ""
        return f"{self.fires_at.isoformat(timespec='minutes')}  {of}{self.escalation.name}"

    def row(self) -> dict[str, Any]:
        """Plain cells."""
        e = self.escalation
        return {
            "fires_at": self.fires_at,
            "case": self.case,
            "escalation": e.name,
            "clock": e.clock,
            "level": e.level,
            "cycle": self.cycle,
        }


Histories = ClockHistory | ClockEventTable | Iterable[ClockHistory]


def escalations_between(
    histories: Histories,
    escalations: Iterable[Escalation],
    policy: ClockPolicy,
    *,
    since: datetime,
    until: datetime,
    progress: Progress | bool = False,
) -> tuple[DueEscalation, ...]:
    """Escalations that fire in (since, until], in the order of their instants, then case, level and name.

    Parameters
    ----------
    histories : ClockHistory, several of them, or a ClockEventTable
        Events after `until` have not happened yet.
    escalations : several Escalation
        Of distinct names.
    policy : ClockPolicy
    since, until : aware datetime
        Take the end of the last window as `since` of the next: nothing fires twice, nothing is lost.
    progress : callable or truth
        Follows the cases.

    Notes
    -----
    An event of the very instant comes first: an answer at the due instant meets the target, and nothing fires. An event
    that arrives after its window was read cannot call back what has fired; it changes later windows only.

    Examples
    --------
    >>> from crmcore.calendars import BusinessCalendar
    >>> from crmcore.calendars.clocks import Targets
    >>> policy = ClockPolicy(BusinessCalendar.always("UTC"), Targets(first_response_minutes=60))
    >>> nine = datetime(2026, 6, 1, 9, tzinfo=UTC)
    >>> case = ClockHistory.of([ClockEvent(nine, "created")], case="7")
    >>> late = Escalation(clock="first response")
    >>> for due in escalations_between(case, [late], policy, since=nine, until=datetime(2026, 6, 1, 12, tzinfo=UTC)):
    ...     print(due)
    2026-06-01T10:00+00:00  case 7, first response: at the breach, level 1
    """
    if to_us(until, "until") < to_us(since, "since"):
        raise OutOfRange("until", until.isoformat(), f"not before since = {since.isoformat()}", "swap them")
    listed = _distinct(escalations)
    found = []
    cases = _histories(histories, listed, policy, since=since, until=until)
    report = reporter(progress)
    for i, history in enumerate(cases):
        found += [d for d in _fired(history, listed, policy, until.astimezone(UTC)) if d.fires_at > since]
        report("escalations", i + 1, len(cases))
    return tuple(sorted(found, key=lambda d: (d.fires_at, d.case, d.escalation.level, d.escalation.name, d.cycle)))


def escalation_schedule(
    history: ClockHistory | Iterable[ClockEvent],
    escalations: Iterable[Escalation],
    policy: ClockPolicy,
    *,
    until: datetime,
) -> tuple[DueEscalation, ...]:
    """All that has fired for one case, and all that will fire by `until` if nothing more happens.

    Examples
    --------
    >>> from crmcore.calendars import BusinessCalendar
    >>> from crmcore.calendars.clocks import Targets
    >>> policy = ClockPolicy(BusinessCalendar.always("UTC"), Targets(resolution_minutes=240))
    >>> plan = [Escalation(clock="resolution", when="before", minutes=30), Escalation(clock="resolution", level=2)]
    >>> case = [ClockEvent(datetime(2026, 6, 1, 9, tzinfo=UTC), "created")]
    >>> [d.fires_at.hour * 100 + d.fires_at.minute for d in escalation_schedule(
    ...     case, plan, policy, until=datetime(2026, 6, 2, tzinfo=UTC))]
    [1230, 1300]
    """
    held = history if isinstance(history, ClockHistory) else ClockHistory.of(history)
    since = held[0].at - timedelta(days=1) if len(held) else until
    return escalations_between(held, escalations, policy, since=min(since, until), until=until)


def _distinct(escalations: Iterable[Escalation]) -> list[Escalation]:
    listed = list(escalations)
    names = [e.name for e in listed]
    again = tuple(i for i, name in enumerate(names) if name in names[:i])
    if again:
        raise DuplicateIds("escalations", len(again), again, "give each a name of its own: Escalation(name='...')")
    return listed


def _histories(
    histories: Histories, escalations: list[Escalation], policy: ClockPolicy, *, since: datetime, until: datetime
) -> list[ClockHistory]:
    """Histories to look at; of a table those alone whose clocks were open in the window."""
    if isinstance(histories, ClockHistory):
        return [histories]
    if not isinstance(histories, ClockEventTable):
        return list(histories)
    names = {name for e in escalations if (name := _bearer(e, policy)) is not None}
    if not names:
        return []
    read = clock_columns(histories, policy, now=until, names=sorted(names))
    began = np.datetime64(to_us(since), "us")
    keep = np.zeros(len(histories.cases), bool)
    keep[read.case[read.open | (read.stopped_at > began)]] = True
    return [h for h in histories.take(keep[histories.case]).histories() if len(h)]


# --- when one fires --------------------------------------------------------------------------------------------------


@attrs.frozen(eq=False)
class _Leg:
    """A stretch during which a cycle is open, with the minutes and the target at its start."""

    stretch: Stretch
    start: datetime
    end: datetime  # exclusive: what happens then has its own leg
    us: int
    target: int | None
    calendar: BusinessTime

    def reached(self, wanted: int) -> datetime | None:
        """First instant of the leg at which minutes are at least `wanted`."""
        if self.us >= wanted:
            return self.start
        return self._after(wanted - self.us) if self.stretch.counted else None

    def exceeded(self, wanted: int) -> datetime | None:
        """Instant of the leg after which minutes are more than `wanted`."""
        if self.us > wanted:
            return self.start
        after = self._after(wanted - self.us + 1) if self.stretch.counted else None
        return None if after is None else after - MICROSECOND

    def _after(self, us: int) -> datetime | None:
        try:
            return self.calendar.deadline(self.start, minutes=us / MINUTE)
        except NoOpening:
            return None


def _fired(
    history: ClockHistory, escalations: list[Escalation], policy: ClockPolicy, until: datetime
) -> Iterator[DueEscalation]:
    """Firings up to `until`, each once a cycle; once a case where a reopened one goes on."""
    found = moments_until(history, policy, until)
    meter = Meter()
    runs: dict[ClockName, list[list[_Leg]]] = {}
    for escalation in escalations:
        name = _bearer(escalation, policy)
        if name is None or not found:
            continue
        if name not in runs:
            parts = list(stretches(found, DEFINITIONS[name], policy, now=until))
            runs[name] = list(_runs(parts, found[-1], DEFINITIONS[name], policy, meter))
        for run in runs[name]:
            fired = _first_firing(run, escalation)
            if fired is not None:
                at, cycle = fired
                yield DueEscalation(fires_at=at, case=history.case, escalation=escalation, cycle=cycle)


def _bearer(escalation: Escalation, policy: ClockPolicy) -> ClockName | None:
    """Clock that an escalation watches; None for a resolution that bears no target."""
    if escalation.clock == RESOLUTION:
        return policy.resolution
    name = clocks_named(escalation.clock)[0]
    return None if name in RESOLUTIONS and name is not policy.resolution else name


def _runs(
    parts: list[Stretch], last: Moment, definition: ClockDefinition, policy: ClockPolicy, meter: Meter
) -> Iterator[list[_Leg]]:
    """Legs of each cycle, or of all cycles together where a reopened case goes on."""
    carried = definition.carried(policy)
    run: list[_Leg] = []
    cycle, us = 0, 0
    for part in parts:
        if part.cycle != cycle and not carried:
            yield run
            run, us = [], 0
        cycle = part.cycle
        calendar = policy.calendar_of(definition.name, part.moment.terms)
        target = policy.target_us(part.moment.priority, part.moment.terms, definition.name)
        end = part.end + MICROSECOND if part.moment is last else part.end  # the end of the window belongs to it
        if not part.gap:
            if run and run[-1].start == part.start:
                run.pop()  # events of one instant: what the last of them leaves is what holds
            run.append(_Leg(part, part.start, end, us, target, calendar))
        if part.counted:
            us += meter.us(calendar, part.start, part.end)
    yield run


def _first_firing(run: list[_Leg], escalation: Escalation) -> tuple[datetime, int] | None:
    """First instant at which the condition holds, and the cycle of that instant."""
    for leg, at in _candidates(run, escalation):
        if leg.start <= at < leg.end:
            return _within_hours(run, leg, at, escalation)
    return None


def _candidates(run: list[_Leg], escalation: Escalation) -> Iterator[tuple[_Leg, datetime]]:
    """Of each leg, the instant at which the condition would come to hold if the leg lasted so long."""
    gap_us = round(escalation.minutes * MINUTE)
    gap = timedelta(microseconds=gap_us)
    breached_at: datetime | None = None
    for leg in run:
        if leg.target is None:
            breached_at = None
            continue
        at: datetime | None
        if escalation.when is When.BEFORE and escalation.counting is Counting.WALL:
            due = leg.reached(leg.target)
            at = None if due is None else max(leg.start, due - gap)
        elif escalation.when is When.BEFORE:
            at = leg.reached(max(0, leg.target - gap_us))
        elif escalation.counting is Counting.BUSINESS:
            at = leg.exceeded(leg.target + gap_us)
        else:
            since = leg.exceeded(leg.target)
            if leg.us <= leg.target:
                breached_at = since if since is not None and since < leg.end else None  # else another event came first
            elif breached_at is None:
                breached_at = since
            at = None if breached_at is None else max(leg.start, breached_at + gap)
        if at is not None:
            yield leg, at


def _within_hours(run: list[_Leg], leg: _Leg, at: datetime, escalation: Escalation) -> tuple[datetime, int] | None:
    """Instant moved to the next opening, unless the clock stops before that."""
    if escalation.hours is FiringHours.ANY:
        return at, leg.stretch.cycle
    try:
        at = leg.calendar.next_opening(at)
    except NoOpening:
        return None
    for later in run:
        if later.start <= at < later.end:
            return at, later.stretch.cycle
    return None
