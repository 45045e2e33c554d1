"""The cycles of a clock: how long each ran, against which target, and since when it is late."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import attrs

from crmcore._base import number_text
from crmcore.calendars.clocks.definitions import ClockDefinition, Stretch, cycle_bounds, stretches
from crmcore.calendars.clocks.policy import ClockName, ClockPolicy, OnResolution, Standing
from crmcore.calendars.clocks.timeline import Moment
from crmcore.calendars.errors import NoOpening
from crmcore.zones import MINUTE

if TYPE_CHECKING:
    from crmcore.calendars.business_time import BusinessTime

__all__ = ["Clock", "ClockCycle", "ClockState", "Meter", "minutes_text", "read_clock"]

MICROSECOND = timedelta(microseconds=1)


class ClockState(enum.StrEnum):
    """How a clock stands."""

    NOT_STARTED = "not started"
    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"  # also while it still runs: see `open`
    CANCELLED = "cancelled"


@attrs.frozen(kw_only=True)
class ClockCycle:
    """One run of a clock, from what started it to what stopped it.

    Parameters
    ----------
    number : count
        1, 2, 3 ...: bundles of messages, updates, or resolutions of a reopened case.
    started_at, stopped_at : datetime
        `stopped_at` None: it has not stopped.
    minutes : business minutes
        Counted in this cycle.
    carried_minutes : business minutes
        Counted in the cycles before, where a reopened case goes on.
    target_minutes : business minutes, optional
        In force when the cycle stopped, or now; None: nothing was promised.
    state : ClockState
        "breached" where carried and own minutes exceed the target; equal is met.
    due_at : datetime, optional
        When they reached the target, or will without further events; None without target and while paused.
    breaches_at : datetime, optional
        The instant after which they exceed it (the next opening where the target ends at a close) or, where a stricter
        target came later, the instant of that. None where it is met, paused, or never due.
    """

    number: int
    started_at: datetime
    stopped_at: datetime | None
    minutes: float
    carried_minutes: float
    target_minutes: float | None
    state: ClockState
    due_at: datetime | None
    breaches_at: datetime | None
    priority: str
    terms: str

    @property
    def open(self) -> bool:
        """Whether it has not stopped, running or paused."""
        return self.stopped_at is None

    @property
    def breached(self) -> bool:
        """Whether the target was exceeded."""
        return self.state is ClockState.BREACHED

    @property
    def total_minutes(self) -> float:
        """Carried and own minutes: what is held against the target."""
        return (round(self.carried_minutes * MINUTE) + round(self.minutes * MINUTE)) / MINUTE

    @property
    def remaining_minutes(self) -> float | None:
        """Target less minutes: below 0 where it is exceeded, None without target."""
        if self.target_minutes is None:
            return None
        return (round(self.target_minutes * MINUTE) - round(self.total_minutes * MINUTE)) / MINUTE


@attrs.frozen
class Clock:
    """One clock of a case with all its cycles; what it says of itself is said of the last cycle.

    Parameters
    ----------
    name : ClockName
    cycles : tuple of ClockCycle
        In order; none where the clock has not started.
    """

    name: ClockName
    cycles: tuple[ClockCycle, ...] = ()

    def __str__(self) -> str:
        if not self.cycles:
            return f"{self.name}: not started"
        cycle = self.cycles[-1]
        target = "" if cycle.target_minutes is None else f" of {minutes_text(cycle.target_minutes)}"
        still = " and still open" if cycle.breached and cycle.open else ""
        text = f"{self.name}: {self.state}{still}, {minutes_text(cycle.total_minutes)}{target} min"
        if cycle.breached and cycle.breaches_at is not None:
            text += f", since {cycle.breaches_at:%Y-%m-%d %H:%M}"
        elif cycle.state is ClockState.RUNNING and cycle.due_at is not None:
            text += f", due {cycle.due_at:%Y-%m-%d %H:%M}"
        late = sum(c.breached for c in self.cycles)
        return text + (f" ({len(self.cycles)} cycles, {late} breached)" if len(self.cycles) > 1 else "")

    @property
    def state(self) -> ClockState:
        """State of the last cycle."""
        return self.cycles[-1].state if self.cycles else ClockState.NOT_STARTED

    @property
    def open(self) -> bool:
        """Whether the last cycle has not stopped."""
        return bool(self.cycles) and self.cycles[-1].open

    @property
    def breached(self) -> bool:
        """Whether any cycle exceeded its target."""
        return any(c.breached for c in self.cycles)

    @property
    def minutes(self) -> float | None:
        """Minutes of the last cycle with what it carries; None where the clock has not started."""
        return self.cycles[-1].total_minutes if self.cycles else None

    @property
    def target_minutes(self) -> float | None:
        """Target of the last cycle."""
        return self.cycles[-1].target_minutes if self.cycles else None

    @property
    def due_at(self) -> datetime | None:
        """When the target of the last cycle is or was reached."""
        return self.cycles[-1].due_at if self.cycles else None

    @property
    def breaches_at(self) -> datetime | None:
        """When the last cycle exceeds or exceeded its target."""
        return self.cycles[-1].breaches_at if self.cycles else None

    @property
    def remaining_minutes(self) -> float | None:
        """Target less minutes of the last cycle."""
        return self.cycles[-1].remaining_minutes if self.cycles else None


def minutes_text(minutes: float) -> str:
    """Minutes for eyes."""
    return f"{minutes:,.0f}" if minutes == int(minutes) else number_text(minutes)


class Meter:
    """Business time between instants, each asked for once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, datetime, datetime], int] = {}

    def us(self, calendar: BusinessTime, start: datetime, end: datetime) -> int:
        """Whole microseconds."""
        if start == end:
            return 0
        key = (id(calendar), start, end)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = round(calendar.elapsed_minutes(start, end) * MINUTE)
        return found


def read_clock(
    found: tuple[Moment, ...], definition: ClockDefinition, policy: ClockPolicy, *, now: datetime, meter: Meter
) -> Clock:
    """Read one clock from the moments of a case up to `now`."""
    parts = [(s, _counted_us(s, definition.name, policy, meter)) for s in stretches(found, definition, policy, now=now)]
    carried = definition.carried(policy)
    cycles = []
    for number, (first, end) in enumerate(cycle_bounds(found, definition), start=1):
        mine = [(s, us) for s, us in parts if s.cycle == number]
        held = [(s, us) for s, us in parts if s.cycle <= number] if carried else mine
        own = sum(us for s, us in mine if not s.gap)
        run = _Run(found, definition, policy, held, end, now)
        cycles.append(run.cycle(number, first.at, own, sum(us for _, us in held) - own))
    return Clock(definition.name, tuple(cycles))


@attrs.frozen(eq=False)
class _Run:
    """What one cycle is judged by: the stretches that count towards its target, and what ended it."""

    found: tuple[Moment, ...]
    definition: ClockDefinition
    policy: ClockPolicy
    held: list[tuple[Stretch, int]]
    end: Moment | None
    now: datetime

    @property
    def judge(self) -> Moment:
        """Moment whose priority and terms decide: that of the stop, else the present one."""
        return self.end or self.found[-1]

    def cycle(self, number: int, started_at: datetime, own: int, carried: int) -> ClockCycle:
        judge = self.judge
        target = self.policy.target_us(judge.priority, judge.terms, self.definition.name)
        state = _state(self.definition, self.policy, self.end, judge, own + carried, target)
        running = target is not None and state in (ClockState.BREACHED, ClockState.RUNNING)
        return ClockCycle(
            number=number,
            started_at=started_at,
            stopped_at=self.end.at if self.end else None,
            minutes=own / MINUTE,
            carried_minutes=carried / MINUTE,
            target_minutes=None if target is None else target / MINUTE,
            state=state,
            due_at=None if target is None else self.reached(target),
            breaches_at=self.breach_since() if running else None,
            priority=judge.priority,
            terms=judge.terms,
        )

    def reached(self, target: int) -> datetime | None:
        """Instant at which minutes reach a target; past the last event as if the clock ran on."""
        name, so_far = self.definition.name, 0
        for stretch, us in self.held:
            if so_far + us >= target:
                held = self.policy.calendar_of(name, stretch.moment.terms)
                return held.deadline(stretch.start, minutes=(target - so_far) / MINUTE)
            so_far += us
        judge = self.judge
        if self.end is None and not self.definition.counts(judge, self.policy):
            return None
        calendar = self.policy.calendar_of(name, judge.terms)
        try:
            return calendar.deadline(judge.at if self.end else self.now, minutes=(target - so_far) / MINUTE)
        except NoOpening:
            return None

    def breach_since(self) -> datetime | None:
        """Instant since which minutes have exceeded whatever target was in force."""
        found: datetime | None = None
        for since, target in self.target_epochs():
            past = None if target is None else self.reached(target + 1)
            if past is None:
                break
            past -= MICROSECOND
            if found is not None and past >= found:
                break  # met until the later target came
            found = max(past, since)
            if past > since:
                break
        return found

    def target_epochs(self) -> list[tuple[datetime, int | None]]:
        """Since when each target was in force, the one that decides first; between two cycles that of the stop is."""
        targets: dict[datetime, int | None] = {}  # of one instant the last one holds
        stop: Moment | None = None
        for moment in self.found:
            if moment.at > self.judge.at:
                break
            stop = (stop or moment) if self.definition.leg(moment) < 0 else None
            held = stop or moment
            targets[moment.at] = self.policy.target_us(held.priority, held.terms, self.definition.name)
        epochs: list[tuple[datetime, int | None]] = []
        for since, target in targets.items():
            if not epochs or epochs[-1][1] != target:
                epochs.append((since, target))
        return epochs[::-1]


def _counted_us(stretch: Stretch, name: ClockName, policy: ClockPolicy, meter: Meter) -> int:
    if not stretch.counted:
        return 0
    return meter.us(policy.calendar_of(name, stretch.moment.terms), stretch.start, stretch.end)


def _state(
    definition: ClockDefinition, policy: ClockPolicy, end: Moment | None, judge: Moment, us: int, target: int | None
) -> ClockState:
    if target is not None and us > target:
        return ClockState.BREACHED
    if end is None:
        return ClockState.RUNNING if definition.counts(judge, policy) else ClockState.PAUSED
    if end.standing is Standing.MERGED:
        return ClockState.CANCELLED
    waits = definition.name in (ClockName.FIRST_RESPONSE, ClockName.NEXT_RESPONSE)
    dropped = waits and policy.unanswered is OnResolution.CANCEL and not end.event.answers
    return ClockState.CANCELLED if dropped else ClockState.MET
