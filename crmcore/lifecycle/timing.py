"""Time without a scheduler: what falls due is computed, and everything fires at the instant at which it fell due.

Time always passes first: a command given at 10:00 meets the case as the timers up to 10:00 have left it. So it does not
matter when, how often or in which portions somebody asks: the events are the same, with the same instants.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import attrs

from crmcore._base import check_aware
from crmcore.errors import NaiveDatetime, UnknownName
from crmcore.lifecycle.case import Case, evolve
from crmcore.lifecycle.commands import Command, choose, stream
from crmcore.lifecycle.workflow import CLOCK, ENTRY, FIRST_ENTRY, OPENED, Timer, instant_of
from crmcore.stores import Event

if TYPE_CHECKING:
    from crmcore.lifecycle.workflow import Workflow
    from crmcore.rules import Facts

__all__ = ["Advanced", "Calendar", "Due", "advance", "due", "open_timers", "workflow_of"]

LAPSED = "timer lapsed"


class Calendar(Protocol):
    """Business time, such as `crmcore.calendars.BusinessCalendar`: the instant at which so many minutes have passed."""

    def deadline(self, start: datetime, *, minutes: int) -> datetime:
        """Earliest instant from `start` on by which `minutes` of business time have passed."""
        ...


@attrs.frozen
class Due:
    """One timer of one case, and when it falls due.

    Parameters
    ----------
    due_at : aware datetime
        The exact instant, which also dates the event.
    case_id, timer, command : text
        Which timer of which case, and what it sends.
    count : count
        1 for the first time, 2 and more for repeats.
    occurrence : text
        Id of the event, the same whoever computes it: a store keeps it once.
    """

    due_at: datetime = attrs.field(repr=datetime.isoformat)
    case_id: str
    timer: str
    command: str
    count: int
    occurrence: str = attrs.field(repr=False)
    key: str = attrs.field(repr=False)  # under which the case remembers that it fired

    def __str__(self) -> str:
        return f"{self.due_at.isoformat()} {self.case_id}: {self.timer} sends {self.command}"


@attrs.frozen
class Advanced:
    """What time alone did to a case."""

    case: Case
    events: tuple[Event, ...]


def _start(timer: Timer, case: Case) -> datetime | None:
    if timer.start == ENTRY:
        return case.since
    if timer.start == OPENED:
        return case.opened_at
    if timer.start == FIRST_ENTRY:
        return min(case.entries[s] for s in timer.states if s in case.entries)
    return instant_of(case.data.get(timer.start))


def _span(timer: Timer, start: datetime, count: int, calendars: Mapping[str, Calendar]) -> datetime:
    if timer.calendar is None:
        return start + timedelta(minutes=timer.minutes * count)
    if timer.calendar not in calendars:
        raise UnknownName("calendar", timer.calendar, tuple(calendars))
    return calendars[timer.calendar].deadline(start, minutes=timer.minutes * count).astimezone(UTC)


def _key(timer: Timer, start: datetime) -> str:
    """Name under which a case remembers that a timer fired; without "@" it is forgotten when the state is left."""
    return timer.name if timer.start == ENTRY else f"{timer.name}@{start.isoformat()}"


_Next = tuple[datetime, str, int, datetime, Timer]  # when, the timer's name (which breaks ties), which time, from when


def _next(timer: Timer, case: Case, calendars: Mapping[str, Calendar]) -> _Next | None:
    start = _start(timer, case)
    if start is None:
        return None
    count = 1
    if case.fired:
        count = case.fired.get(_key(timer, start), 0) + 1
        if count > timer.repeats + 1:
            return None
    at = _span(timer, start, count, calendars)
    if at < case.at:
        # It came to be due while the case stood elsewhere, or through the last event: once, now, for all times missed.
        while count <= timer.repeats and _span(timer, start, count + 1, calendars) <= case.at:
            count += 1
        at = case.at
    return at, timer.name, count, start, timer


def _due(case: Case, following: _Next) -> Due:
    at, name, count, start, timer = following
    occurrence = f"{stream(case.id)}/{name}@{start.isoformat()}#{count}"
    return Due(at, case.id, name, timer.command, count, occurrence, _key(timer, start))


def open_timers(flow: Workflow, case: Case, *, calendars: Mapping[str, Calendar] | None = None) -> tuple[Due, ...]:
    """Timers that run for a case as it stands, each with its next instant, soonest first, ties by name.

    Parameters
    ----------
    flow : Workflow
        The definition on which the case runs.
    case : Case
        As it stands.
    calendars : name -> Calendar
        Those that the timers name.

    Raises
    ------
    UnknownName
        A timer names a calendar that is not among `calendars`.

    Examples
    --------
    >>> from crmcore.lifecycle import open_case
    >>> from crmcore.lifecycle.examples import complaint
    >>> case = open_case(complaint(), "k7", at=datetime(2026, 5, 4, 9, tzinfo=UTC)).case
    >>> print(open_timers(complaint(), case)[0])
    2026-05-05T09:00:00+00:00 k7: overdue sends escalate
    """
    timers = flow.timers_of(case.state)
    if not timers:
        return ()
    found = [n for t in timers if (n := _next(t, case, calendars or {})) is not None]
    return tuple(_due(case, n) for n in sorted(found, key=lambda n: n[:2]))


def advance(
    flow: Workflow,
    case: Case,
    until: datetime,
    *,
    facts: Facts | Mapping[str, object] | None = None,
    calendars: Mapping[str, Calendar] | None = None,
) -> Advanced:
    """Let time pass: fire everything that falls due up to an instant (inclusive), in its order.

    Parameters
    ----------
    flow, case
        The definition, and the case as it stands.
    until : aware datetime
        Usually now. Events are dated with the instant at which they fell due, however late this is called.
    facts : Facts or mapping
        What guards may ask for beside the fields of the case. They are those of the call, not of the due instant.
    calendars : name -> Calendar
        Those that the timers name.

    Returns
    -------
    Advanced
        The case afterwards and the events, none if nothing was due. A timer whose command is refused (its guard does
        not hold) leaves an event "timer lapsed" with the reasons and is not tried again.

    Examples
    --------
    >>> from crmcore.lifecycle import open_case
    >>> from crmcore.lifecycle.examples import complaint
    >>> case = open_case(complaint(), "k7", at=datetime(2026, 5, 4, 9, tzinfo=UTC)).case
    >>> [(e.type, e.time.isoformat()) for e in advance(complaint(), case, datetime(2026, 6, 1, tzinfo=UTC)).events]
    [('escalated', '2026-05-05T09:00:00+00:00')]
    """
    if until.tzinfo is not UTC and until.utcoffset() is None:
        raise NaiveDatetime("until")
    events: list[Event] = []
    while timers := flow.timers_of(case.state):
        found = [n for t in timers if (n := _next(t, case, calendars or {})) is not None and n[0] <= until]
        if not found:
            break
        event = _fire(flow, case, _due(case, min(found, key=lambda n: n[:2])), facts)
        events.append(event)
        case = evolve(case, event)
    return Advanced(case, tuple(events))


def _fire(flow: Workflow, case: Case, first: Due, facts: Facts | Mapping[str, object] | None) -> Event:
    command = Command(first.command, actor=CLOCK, at=first.due_at, id=first.occurrence)
    choice = choose(flow, case, command, facts)
    data: dict[str, object] = {"command": first.command, "from": case.state, "timer": [first.key, first.count]}
    if choice.transition is None:
        data["refused"] = list(choice.reasons)
    else:
        if choice.transition.target is not None:
            data["to"] = choice.transition.target
        if choice.transition.sets:
            data["set"] = dict(choice.transition.sets)
    return Event(
        id=first.occurrence,
        type=LAPSED if choice.transition is None else choice.transition.emits,
        time=first.due_at,
        data=data,
        stream=stream(case.id),
        actor=CLOCK,
        reason=f"timer {first.timer}",
    )


def due(
    cases: Iterable[Case],
    now: datetime,
    *,
    workflows: Iterable[Workflow],
    calendars: Mapping[str, Calendar] | None = None,
) -> tuple[Due, ...]:
    """What is due over many cases, each with the exact instant at which it fell due; order: instant, case, timer.

    Firing one may bring about the next: `advance` goes on until nothing more is due.

    Parameters
    ----------
    cases : iterable of Case
        Running or ended; the order does not matter.
    now : aware datetime
        What falls due by then (inclusive).
    workflows : iterable of Workflow
        Every version that a case is pinned to.
    calendars : name -> Calendar
        Those that the timers name.

    Raises
    ------
    UnknownName
        A case runs on a workflow or a version that is not among `workflows`.

    Examples
    --------
    >>> from crmcore.lifecycle import open_case
    >>> from crmcore.lifecycle.examples import complaint
    >>> case = open_case(complaint(), "k7", at=datetime(2026, 5, 4, 9, tzinfo=UTC)).case
    >>> print(*due([case], datetime(2026, 5, 5, 9, tzinfo=UTC), workflows=[complaint()]))
    2026-05-05T09:00:00+00:00 k7: overdue sends escalate
    """
    check_aware(now, "now")
    known = {(w.name, w.version): w for w in workflows}
    found: list[Due] = []
    for case in cases:
        flow = workflow_of(case, known)
        found.extend(d for d in open_timers(flow, case, calendars=calendars) if d.due_at <= now)
    found.sort(key=lambda d: (d.due_at, d.case_id, d.timer))
    return tuple(found)


def workflow_of(case: Case, known: Mapping[tuple[str, int], Workflow]) -> Workflow:
    """Definition that a case is pinned to."""
    flow = known.get((case.workflow, case.pinned))
    if flow is None:
        titles = tuple(f"{name} {version}" for name, version in known)
        raise UnknownName("workflow", f"{case.workflow} {case.pinned}", titles)
    return flow
