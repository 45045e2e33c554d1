"""Service-level clocks of one case: pure functions of its history, a policy and the instant that is asked about."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs

from crmcore._base import html_table, number_text
from crmcore.calendars.clock_events import ClockEvent, ClockHistory, event_order
from crmcore.calendars.clock_legs import DEFINITIONS, ClockDefinition, Stretch, cycle_bounds, ends, stretches
from crmcore.calendars.clock_policy import (
    MINUTE_US,
    RESOLUTION,
    ClockName,
    ClockPolicy,
    OnResolution,
    Standing,
)
from crmcore.calendars.clock_timeline import Moment, last_place, moments, step, until
from crmcore.calendars.errors import NoOpening
from crmcore.errors import DuplicateIds, NaiveDatetime, UnknownName

if TYPE_CHECKING:
    from crmcore.calendars.business_time import BusinessTime
    from crmcore.calendars.clock_explaining import ClockExplanation
    from crmcore.charts import Chart

__all__ = ["CaseClocks", "Clock", "ClockCycle", "ClockState", "LiveClocks", "clocks", "evolve"]

_US = timedelta(microseconds=1)


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
        return (round(self.carried_minutes * MINUTE_US) + round(self.minutes * MINUTE_US)) / MINUTE_US

    @property
    def remaining_minutes(self) -> float | None:
        """Target less minutes: below 0 where it is exceeded, None without target."""
        if self.target_minutes is None:
            return None
        return (round(self.target_minutes * MINUTE_US) - round(self.total_minutes * MINUTE_US)) / MINUTE_US


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
        target = "" if cycle.target_minutes is None else f" of {_number(cycle.target_minutes)}"
        still = " and still open" if cycle.breached and cycle.open else ""
        text = f"{self.name}: {self.state}{still}, {_number(cycle.total_minutes)}{target} min"
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


@attrs.frozen(kw_only=True, repr=False)
class CaseClocks:
    """All clocks of one case at one instant.

    `case["first response"]` is one of them, `case["resolution"]` the resolution that bears the target.

    Parameters
    ----------
    case, now : which case, and the instant that was asked about
    status, standing, priority, terms, owner : text
        In force at `now`.
    reopened : count
        Times that the case came back from a resolution.
    clocks : tuple of Clock
        In the order of `ClockName`.
    minutes_by_status : mapping
        Business minutes of the policy's calendar spent in each status, up to `now` or the merge.
    remarks : tuple of text
        Events without effect, each with its reason.
    """

    case: str
    now: datetime
    status: str
    standing: Standing
    priority: str
    terms: str
    owner: str
    reopened: int
    clocks: tuple[Clock, ...]
    minutes_by_status: dict[str, float] = attrs.field(hash=False)
    remarks: tuple[str, ...]
    history: ClockHistory
    policy: ClockPolicy = attrs.field(hash=False)

    def __getitem__(self, name: ClockName | str) -> Clock:
        wanted = self.policy.resolution if name == RESOLUTION else name
        for clock in self.clocks:
            if clock.name == wanted:
                return clock
        raise UnknownName("clock", str(name), (*(n.value for n in ClockName), RESOLUTION))

    def __iter__(self) -> Iterator[Clock]:
        return iter(self.clocks)

    def __repr__(self) -> str:
        late = [c.name.value for c in self.clocks if c.breached]
        of = f"{self.case!r}, " if self.case else ""
        return f"CaseClocks({of}{self.status}, {self.priority}, breached: {', '.join(late) or 'none'})"

    def __str__(self) -> str:
        head = f"case {self.case}: " if self.case else ""
        measured = self.policy.resolution.value
        lines = [
            f"{head}{self.status}, {self.priority}, at {self.now.isoformat(timespec='minutes')} (target: {measured})"
        ]
        lines += [f"  {clock}" for clock in self.clocks]
        return "\n".join([*lines, *(f"  note: {r}" for r in self.remarks)])

    def rows(self) -> list[dict[str, Any]]:
        """One row a cycle, and one for each clock that has not started."""
        return [row for clock in self.clocks for row in _rows(self.case, clock)]

    def to_frame(self, *, backend: Any = None) -> Any:
        """Rows as a frame; see `crmcore.metrics.estimates.frame_of` for `backend`."""
        from crmcore.metrics.estimates import frame_of

        return frame_of(self.rows(), backend=backend)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values of what was found; history and policy are left out."""
        from crmcore._json import to_dict

        skipped = ("history", "policy")
        return {k: to_dict(getattr(self, k)) for k in attrs.fields_dict(CaseClocks) if k not in skipped}

    def chart(self) -> Chart:
        """Bars of the minutes of every clock that has started."""
        from crmcore.charts import bar

        begun = [c for c in self.clocks if c.cycles]
        return bar(
            [c.name.value for c in begun],
            [c.minutes or 0.0 for c in begun],
            title=f"Clocks of case {self.case}".rstrip(),
            description=str(self),
            axis="business minutes",
        )

    def explain(self, name: ClockName | str, *, cycle: int | None = None) -> ClockExplanation:
        """Every counted and every skipped span of a clock with its reason; the counted ones add up to its minutes.

        Parameters
        ----------
        name : text
            A clock, or "resolution".
        cycle : number, optional
            One cycle alone; None: the last one with what it carries.
        """
        from crmcore.calendars.clock_explaining import explain_clock

        return explain_clock(self.history, self.policy, self[name], now=self.now.astimezone(UTC), cycle=cycle)

    def _repr_html_(self) -> str:
        rows = [
            {
                "clock": clock.name.value,
                "state": clock.state.value,
                "minutes": _cell(clock.minutes),
                "target": _cell(clock.target_minutes),
                "due": None if clock.due_at is None else f"{clock.due_at:%Y-%m-%d %H:%M}",
                "cycles": len(clock.cycles),
            }
            for clock in self.clocks
        ]
        return html_table(rows, caption=f"{self.case} {self.status}, {self.priority}".strip())


def _number(minutes: float) -> str:
    return f"{minutes:,.0f}" if minutes == int(minutes) else number_text(minutes)


def _cell(minutes: float | None) -> str | None:
    return None if minutes is None else _number(minutes)


def _rows(case: str, clock: Clock) -> list[dict[str, Any]]:
    skipped = ("carried_minutes", "minutes")
    names = [f.name for f in attrs.fields(ClockCycle) if f.name not in skipped]
    head = {"case": case, "clock": clock.name.value}
    none = {"minutes": None, "remaining_minutes": None, "open": False, "breached": False}
    if not clock.cycles:
        return [{**head, **dict.fromkeys(names), "state": clock.state.value, **none}]
    return [
        {
            **head,
            **{n: getattr(c, n) for n in names},
            "state": c.state.value,
            "minutes": c.total_minutes,
            "remaining_minutes": c.remaining_minutes,
            "open": c.open,
            "breached": c.breached,
        }
        for c in clock.cycles
    ]


# --- reading ---------------------------------------------------------------------------------------------------------


def clocks(history: ClockHistory | Iterable[ClockEvent], policy: ClockPolicy, *, now: datetime) -> CaseClocks:
    """Read all clocks of a case as they stood at `now`.

    Parameters
    ----------
    history : ClockHistory or events
        In any order; events after `now` have not happened yet.
    policy : ClockPolicy
    now : aware datetime

    Returns
    -------
    CaseClocks
        A pure function of the three: nothing is stored, nothing can go stale.

    Notes
    -----
    Acknowledgement: creation to the first receipt or public reply, also automatic. First response: creation to the
    first public reply of a human; no status pauses it; cases that we opened have none. Next response: first
    unanswered customer message after an answer to the next public reply of a human, one cycle a bundle. Update:
    from an answer to the next, while the case is active. Active resolution: while neither paused nor resolved;
    first: creation to the first resolution; total: creation to the last one, everything counted. A customer message
    in a pause or after a resolution opens the case. A priority or other terms replace the target only, and the last
    one decides; a stopped cycle keeps the target that was in force when it stopped. Breached means minutes >
    target.

    Examples
    --------
    >>> from datetime import UTC
    >>> from crmcore.calendars import BusinessCalendar, Targets
    >>> policy = ClockPolicy(BusinessCalendar.always("UTC"), Targets(first_response_minutes=60))
    >>> events = [ClockEvent(datetime(2026, 6, 1, h, tzinfo=UTC), k) for h, k in ((9, "created"), (10, "agent reply"))]
    >>> print(clocks(events, policy, now=datetime(2026, 6, 1, 12, tzinfo=UTC))["first response"])
    first response: met, 60 of 60 min
    """
    if now.utcoffset() is None:
        raise NaiveDatetime("now")
    held = history if isinstance(history, ClockHistory) else ClockHistory.of(history)
    return _read(held, moments(held.events, policy), policy, now)


def moments_until(history: ClockHistory, policy: ClockPolicy, now: datetime) -> tuple[Moment, ...]:
    """How the case stood after each event up to `now`."""
    return until(moments(history.events, policy), now.astimezone(UTC))


def _read(history: ClockHistory, found: tuple[Moment, ...], policy: ClockPolicy, now: datetime) -> CaseClocks:
    shown, now = now, now.astimezone(UTC)  # datetimes of two zones do not compare well around a change of the clock
    found = until(found, now)
    last = found[-1] if found else None
    meter = Meter()
    return CaseClocks(
        case=history.case,
        now=shown,
        status=last.status if last else policy.open_status,
        standing=last.standing if last else Standing.BEFORE,
        priority=last.priority if last else policy.priority,
        terms=last.terms if last else "",
        owner=last.owner if last else "",
        reopened=max(0, abs(last.resolution) - 1) if last else 0,
        clocks=tuple(read_clock(found, d, policy, now=now, meter=meter) for d in DEFINITIONS.values()),
        minutes_by_status=_by_status(found, policy, now, meter),
        remarks=tuple(f"{m.event} at {m.at.isoformat(timespec='minutes')}: {m.remark}" for m in found if m.remark),
        history=history,
        policy=policy,
    )


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
            found = self._known[key] = round(calendar.elapsed_minutes(start, end) * MINUTE_US)
        return found


def _by_status(found: tuple[Moment, ...], policy: ClockPolicy, now: datetime, meter: Meter) -> dict[str, float]:
    spent: dict[str, int] = {}
    for moment, end in zip(found, ends(found, now), strict=True):
        if moment.standing not in (Standing.BEFORE, Standing.MERGED):
            calendar = policy.calendar_of(ClockName.ACTIVE_RESOLUTION, moment.terms)
            spent[moment.status] = spent.get(moment.status, 0) + meter.us(calendar, moment.at, end)
    return {status: us / MINUTE_US for status, us in spent.items()}


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
            minutes=own / MINUTE_US,
            carried_minutes=carried / MINUTE_US,
            target_minutes=None if target is None else target / MINUTE_US,
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
                return held.deadline(stretch.start, minutes=(target - so_far) / MINUTE_US)
            so_far += us
        judge = self.judge
        if self.end is None and not self.definition.counts(judge, self.policy):
            return None
        calendar = self.policy.calendar_of(name, judge.terms)
        try:
            return calendar.deadline(judge.at if self.end else self.now, minutes=(target - so_far) / MINUTE_US)
        except NoOpening:
            return None

    def breach_since(self) -> datetime | None:
        """Instant since which minutes have exceeded whatever target was in force."""
        found: datetime | None = None
        for since, target in self.target_epochs():
            past = None if target is None else self.reached(target + 1)
            if past is None:
                break
            past -= _US
            if found is not None and past >= found:
                break  # met until the later target came
            found = max(past, since)
            if past > since:
                break
        return found

    def target_epochs(self) -> list[tuple[datetime, int | None]]:
        """Since when each target was in force, the one that decides first."""
        epochs: list[tuple[datetime, int | None]] = []
        seen: datetime | None = None
        for moment in reversed(self.found):
            if moment.at > self.judge.at or moment.at == seen:
                continue
            seen = moment.at
            target = self.policy.target_us(moment.priority, moment.terms, self.definition.name)
            if epochs and epochs[-1][1] == target:
                epochs.pop()
            epochs.append((moment.at, target))
        return epochs


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


# --- one event at a time ---------------------------------------------------------------------------------------------


@attrs.frozen(repr=False)
class LiveClocks:
    """A case that is followed event by event; `evolve` makes the next one and leaves this one as it is.

    A newest event costs one step; one that arrives late is put in its place and what follows it is taken again.
    Whatever the order of arrival, what `read` says is what `clocks` says of the whole history.

    Examples
    --------
    >>> from datetime import UTC
    >>> from crmcore.calendars import BusinessCalendar, Targets
    >>> policy = ClockPolicy(BusinessCalendar.always("UTC"), Targets(first_response_minutes=60))
    >>> live = LiveClocks.begin(policy, case="7")
    >>> live = evolve(live, ClockEvent(datetime(2026, 6, 1, 9, tzinfo=UTC), "created", id="e1"))
    >>> live, live.read(now=datetime(2026, 6, 1, 10, 30, tzinfo=UTC))["first response"].state.value
    (LiveClocks('7', 1 event), 'breached')
    """

    policy: ClockPolicy
    case: str = ""
    events: tuple[ClockEvent, ...] = ()
    moments: tuple[Moment, ...] = ()

    def __repr__(self) -> str:
        return f"LiveClocks({self.case!r}, {len(self.events)} event{'' if len(self.events) == 1 else 's'})"

    @classmethod
    def begin(cls, policy: ClockPolicy, *, case: str = "") -> LiveClocks:
        """A case of which nothing is known yet."""
        return cls(policy, case)

    @property
    def history(self) -> ClockHistory:
        """All events so far."""
        return ClockHistory.of(self.events, case=self.case)

    def evolve(self, event: ClockEvent) -> LiveClocks:
        """Next state after an event that has just arrived; see `evolve`."""
        return evolve(self, event)

    def read(self, *, now: datetime, policy: ClockPolicy | None = None) -> CaseClocks:
        """Clocks at `now`; another policy takes the whole history again."""
        if policy is not None and policy != self.policy:
            return clocks(self.history, policy, now=now)
        if now.utcoffset() is None:
            raise NaiveDatetime("now")
        return _read(self.history, self.moments, self.policy, now)


def evolve(state: LiveClocks, event: ClockEvent) -> LiveClocks:
    """Next state of a case after an event has arrived, early or late; an event that is known changes nothing.

    Raises
    ------
    DuplicateIds
        The id of a known event on another content.
    """
    if event.id is not None:
        for i, known in enumerate(state.events):
            if known.id == event.id:
                if known != event:
                    from crmcore.calendars.clock_events import CLASH

                    raise DuplicateIds("the history", 1, (i,), CLASH)
                return state
    place = last_place(state.events, event)
    if place and event_order(state.events[place - 1]) == event_order(event):
        return state
    events = (*state.events[:place], event, *state.events[place:])
    kept = list(state.moments[:place])
    for following in events[place:]:
        kept.append(step(kept[-1] if kept else None, following, state.policy))
    return LiveClocks(state.policy, state.case, events, tuple(kept))
