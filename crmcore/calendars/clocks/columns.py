"""Service-level clocks of all cases at once: the columnar twin of `read_clocks`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.calendars.clocks.cycles import ClockState
from crmcore.calendars.clocks.event_table import ClockEventTable, words_at
from crmcore.calendars.clocks.policy import (
    RESOLUTIONS,
    ClockName,
    ClockPolicy,
    OnReopen,
    OnResolution,
    clocks_named,
)
from crmcore.calendars.clocks.rows import CaseRows, case_rows
from crmcore.calendars.errors import NoOpening
from crmcore.tables import TextColumn
from crmcore.zones import MINUTE, NAT, from_us, to_us

if TYPE_CHECKING:
    from crmcore.calendars.business_time import BusinessTime

__all__ = ["ClockTable", "clock_columns"]

Truths = NDArray[np.bool_]
Places = NDArray[np.int64]

NAMES = tuple(ClockName)
STATES = tuple(ClockState)
_PLACE = {state: np.int8(i) for i, state in enumerate(STATES)}
NO_TARGET = -1


@attrs.frozen(eq=False, repr=False, kw_only=True)
class ClockTable:
    """One row a cycle of a clock of a case; row i of every column is the same cycle.

    Rows are in the order of cases, clocks and cycles. A clock that has not started has no row.
    """

    case: NDArray[np.int32]  # (n,) code into cases
    clock: NDArray[np.int8]  # (n,) place in ClockName
    cycle: NDArray[np.int32]  # (n,) from 1
    started_at: NDArray[np.datetime64]  # (n,) datetime64[us], UTC
    stopped_at: NDArray[np.datetime64]  # (n,) NaT = open
    minutes: NDArray[np.float64]  # (n,) business minutes, with what a reopened case carries
    target_minutes: NDArray[np.float64]  # (n,) NaN = nothing promised
    due_at: NDArray[np.datetime64]  # (n,) when minutes reach the target; NaT without target and while paused
    state: NDArray[np.int8]  # (n,) place in ClockState
    priority: TextColumn
    cases: tuple[str, ...]
    now: datetime
    backend: str | None = None

    def __len__(self) -> int:
        return len(self.case)

    def __repr__(self) -> str:
        late = int(self.breached.sum())
        return (
            f"ClockTable({len(self)} cycles of {len(self.cases)} cases, {late} breached, {int(self.open.sum())} open)"
        )

    @property
    def open(self) -> Truths:
        """(n,) whether the cycle has not stopped, running or paused: its minutes are censored."""
        return np.isnat(self.stopped_at)

    @property
    def breached(self) -> Truths:
        """(n,) whether minutes exceed the target, stopped or not."""
        return np.asarray(self.state == _PLACE[ClockState.BREACHED])

    def of(self, clock: ClockName | str) -> ClockTable:
        """Rows of one clock; "resolution" takes those of any resolution that was read."""
        return self.take(np.isin(self.clock, [NAMES.index(name) for name in clocks_named(clock)]))

    def take(self, rows: NDArray[np.integer] | Truths) -> ClockTable:
        """Select rows by position or mask; cases are shared."""
        columns = {k: getattr(self, k)[rows] for k in _COLUMNS}
        return attrs.evolve(self, **columns, priority=self.priority.take(rows))

    def to_frame(self, *, backend: Any = None) -> Any:
        """Write one row per cycle, in the flavour that was read unless `backend` names another."""
        return write_frame(
            {
                "case": words_at(self.cases, self.case),
                "clock": words_at([n.value for n in NAMES], self.clock),
                "cycle": self.cycle,
                "started_at": self.started_at,
                "stopped_at": self.stopped_at,
                "minutes": self.minutes,
                "target_minutes": self.target_minutes,
                "due_at": self.due_at,
                "state": words_at([s.value for s in STATES], self.state),
                "open": self.open,
                "breached": self.breached,
                "priority": self.priority.to_list(),
            },
            backend=backend or self.backend,
        )

    def _summary(self) -> list[dict[str, object]]:
        out: list[dict[str, object]] = []
        for place in np.unique(self.clock).tolist():
            rows = self.clock == place
            states = {s.value: int((rows & (self.state == i)).sum()) for i, s in enumerate(STATES) if i}
            out.append({"clock": NAMES[place].value, "cycles": int(rows.sum()), **states})
        return out

    def __str__(self) -> str:
        lines = [repr(self)]
        for row in self._summary():
            counts = ", ".join(f"{v} {k}" for k, v in row.items() if k not in ("clock", "cycles") and v)
            lines.append(f"  {row['clock']}: {row['cycles']} cycles ({counts})")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return html_table(self._summary(), caption=f"Clocks at {self.now.isoformat(timespec='minutes')}")


_COLUMNS = ("case", "clock", "cycle", "started_at", "stopped_at", "minutes", "target_minutes", "due_at", "state")


# --- cycles ----------------------------------------------------------------------------------------------------------


@attrs.frozen(eq=False)
class _Shape:
    """One clock over rows: where it runs, where cycles begin, and which of the running rows count."""

    runs: Truths
    begins: Truths
    counts: Truths
    carries: bool = False
    gaps: bool = False


def _acknowledgement(rows: CaseRows, _policy: ClockPolicy) -> _Shape:
    return _once(rows, rows.acknowledges)


def _first_response(rows: CaseRows, _policy: ClockPolicy) -> _Shape:
    return _once(rows, rows.answer | rows.drops)


def _once(rows: CaseRows, stops: Truths) -> _Shape:
    """Clock that runs from the creation by somebody else to the first event of a sort."""
    begins = np.zeros(len(rows), bool)
    begins[rows.born] = True
    begins &= ~rows.by_agent
    done = np.cumsum(stops)
    none_yet: Truths = done - (done - stops)[rows.first] == 0
    runs = rows.live & ~rows.by_agent & none_yet
    return _Shape(runs, begins, runs)


def _next_response(rows: CaseRows, _policy: ClockPolicy) -> _Shape:
    return _Shape(rows.waiting, rows.waiting & ~rows.before(rows.waiting), rows.waiting)


def _update(rows: CaseRows, _policy: ClockPolicy) -> _Shape:
    runs = rows.live & rows.replied & ~rows.resolved
    return _Shape(runs, runs & (rows.answer | ~rows.before(runs)), rows.active)


def _resolution(rows: CaseRows) -> tuple[Truths, Truths]:
    """Where a resolution clock runs, and where its cycles begin."""
    runs = rows.live & ~rows.resolved
    begins = runs & rows.before(rows.resolved)
    begins[rows.born] = True
    return runs, begins


def _first_resolution(rows: CaseRows, _policy: ClockPolicy) -> _Shape:
    runs, begins = _resolution(rows)
    only = rows.number == 1
    return _Shape(runs & only, begins & only, runs & only)


def _total_resolution(rows: CaseRows, _policy: ClockPolicy) -> _Shape:
    runs, begins = _resolution(rows)
    return _Shape(runs, begins, runs, carries=True, gaps=True)


def _active_resolution(rows: CaseRows, _policy: ClockPolicy) -> _Shape:
    return _Shape(*_resolution(rows), rows.active, carries=True)


def _customer_waiting(rows: CaseRows, _policy: ClockPolicy) -> _Shape:
    waits = np.where(rows.active, rows.agents_turn, ~rows.waits_for_customer)
    return _Shape(*_resolution(rows), waits, carries=True)


def _agent_work(rows: CaseRows, _policy: ClockPolicy) -> _Shape:
    return _Shape(*_resolution(rows), rows.active & rows.agents_turn, carries=True)


_SHAPES: Mapping[ClockName, Callable[[CaseRows, ClockPolicy], _Shape]] = {
    ClockName.ACKNOWLEDGEMENT: _acknowledgement,
    ClockName.FIRST_RESPONSE: _first_response,
    ClockName.NEXT_RESPONSE: _next_response,
    ClockName.UPDATE: _update,
    ClockName.FIRST_RESOLUTION: _first_resolution,
    ClockName.TOTAL_RESOLUTION: _total_resolution,
    ClockName.ACTIVE_RESOLUTION: _active_resolution,
    ClockName.CUSTOMER_WAITING: _customer_waiting,
    ClockName.AGENT_WORK: _agent_work,
}


class _Batch:
    """Rows of one reading with what all its clocks share: words, calendars, and business time by calendar."""

    def __init__(self, table: ClockEventTable, policy: ClockPolicy, now: int) -> None:
        self.rows = case_rows(table, policy, now=now)
        self.policy = policy
        self.now = now
        self.words = table.to.values
        self._spans: dict[int, Places] = {}

    def priority(self, code: int) -> str:
        return self.policy.priority if code < 0 else self.words[code]

    def terms(self, code: int) -> str:
        return self.words[code] if code >= 0 and self.words[code] in self.policy.terms else ""

    def calendars(self, name: ClockName, terms: NDArray[np.int32]) -> Iterator[tuple[BusinessTime, Truths | slice]]:
        """Calendars that count a clock, each with the rows that it counts."""
        if not self.policy.terms:
            yield self.policy.calendar_of(name), slice(None)
            return
        for code in np.unique(terms).tolist():
            yield self.policy.calendar_of(name, self.terms(code)), terms == code

    def elapsed(self, name: ClockName) -> Places:
        """(n,) business microseconds of every row."""
        out = np.zeros(len(self.rows), np.int64)
        for calendar, rows in self.calendars(name, self.rows.terms):
            if id(calendar) not in self._spans:
                starts, ends = self.rows.start.view("datetime64[us]"), self.rows.end.view("datetime64[us]")
                self._spans[id(calendar)] = calendar.elapsed_us(starts, ends) if len(starts) else out
            out[rows] = self._spans[id(calendar)][rows]
        return out

    def deadlines(self, name: ClockName, starts: Places, us: Places, terms: NDArray[np.int32]) -> Places:
        """Instants at which `us` more business time has passed; NaT where a calendar never opens so long."""
        out = np.full(len(starts), NAT, np.int64)
        for calendar, rows in self.calendars(name, terms):
            out[rows] = _deadlines(calendar, starts[rows], us[rows])
        return out

    def targets(self, name: ClockName, judge: Places) -> Places:
        """(m,) target in microseconds at each of some rows, NO_TARGET where nothing is promised."""
        pair = np.stack((self.rows.priority[judge], self.rows.terms[judge]), axis=1)
        key = (pair[:, 0].astype(np.int64) + 1) * (len(self.words) + 1) + pair[:, 1] + 1
        _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
        found = [self.policy.target_us(self.priority(p), self.terms(t), name) for p, t in pair[first].tolist()]
        return np.array([NO_TARGET if us is None else us for us in found], np.int64)[inverse]


def _deadlines(calendar: BusinessTime, starts: Places, us: Places) -> Places:
    try:
        return calendar.deadlines(starts.view("datetime64[us]"), us / MINUTE).astype(np.int64)
    except NoOpening:  # some calendar closes for good: the rows that it can still promise are few and taken one by one
        return np.fromiter(
            (_deadline(calendar, a, m) for a, m in zip(starts.tolist(), us.tolist(), strict=True)), np.int64
        )


def _deadline(calendar: BusinessTime, start: int, us: int) -> int:
    try:
        return to_us(calendar.deadline(from_us(start, calendar.zone), minutes=us / MINUTE))
    except NoOpening:
        return NAT


def _stops(shape: _Shape, rows: CaseRows, begins: Places) -> Places:
    """Row whose event stopped each cycle, -1 where it is open."""
    heads = rows.first == np.arange(len(rows))
    bounds = np.flatnonzero(shape.begins | ~shape.runs | heads)
    following = np.append(bounds, len(rows))[np.searchsorted(bounds, begins, side="right")]
    stop = np.where(following > rows.last[begins], -1, following)
    return np.where(shape.runs[begins], stop, begins)  # ended by the very event that began it


def _states(
    name: ClockName, batch: _Batch, shape: _Shape, stop: Places, judge: Places, us: Places, target: Places
) -> NDArray[np.int8]:
    rows = batch.rows
    running = np.where(shape.counts[judge], _PLACE[ClockState.RUNNING], _PLACE[ClockState.PAUSED])
    dropped = rows.merges[judge]
    if name in (ClockName.FIRST_RESPONSE, ClockName.NEXT_RESPONSE) and batch.policy.unanswered is OnResolution.CANCEL:
        dropped = dropped | ~rows.answer[judge]
    stopped = np.where(dropped, _PLACE[ClockState.CANCELLED], _PLACE[ClockState.MET])
    state = np.where(stop < 0, running, stopped)
    return np.where((target >= 0) & (us > target), _PLACE[ClockState.BREACHED], state).astype(np.int8)


def _read(name: ClockName, batch: _Batch) -> dict[str, Any]:
    """All cycles of one clock, as columns."""
    rows, policy = batch.rows, batch.policy
    shape = _SHAPES[name](rows, policy)
    begins = np.flatnonzero(shape.begins)
    stop = _stops(shape, rows, begins)
    judge = np.where(stop < 0, rows.last[begins], stop)
    carried = shape.carries and policy.on_reopen is OnReopen.RESUME
    counted = shape.runs & shape.counts
    if carried and shape.gaps:
        counted = counted | (rows.resolved & (rows.number < rows.number[rows.last]))
    us = np.where(counted, batch.elapsed(name), 0)
    through = np.cumsum(us)
    before = through - us
    order = np.cumsum(shape.begins)
    base = begins
    if carried:
        born = np.zeros(rows.n_cases, np.int64)
        born[rows.case[rows.born]] = rows.born
        base = born[rows.case[begins]]
    until = np.where(stop < 0, through[rows.last[begins]], before[judge])
    total = until - before[base]
    target = batch.targets(name, judge)
    state = _states(name, batch, shape, stop, judge, total, target)
    due = _due(name, batch, shape, (base, stop, judge), (through, before), total, target)
    return {
        "case": rows.case[begins],
        "clock": np.full(len(begins), NAMES.index(name), np.int8),
        "cycle": (order[begins] - (order - shape.begins)[rows.first[begins]]).astype(np.int32),
        "started_at": rows.start[begins].view("datetime64[us]"),
        "stopped_at": np.where(stop < 0, NAT, rows.start[judge]).view("datetime64[us]"),
        "minutes": total / MINUTE,
        "target_minutes": np.where(target < 0, np.nan, target / MINUTE),
        "due_at": due.view("datetime64[us]"),
        "state": state,
        "priority": rows.priority[judge],
    }


def _due(
    name: ClockName,
    batch: _Batch,
    shape: _Shape,
    places: tuple[Places, Places, Places],
    sums: tuple[Places, Places],
    total: Places,
    target: Places,
) -> Places:
    """When counted minutes reach the target: in the past by search in the running sum, else as if the clock ran on."""
    rows = batch.rows
    (base, stop, judge), (through, before) = places, sums
    due = np.full(len(base), NAT, np.int64)
    end = np.where(stop < 0, judge, judge - 1)
    asked = np.flatnonzero(target >= 0)
    at = np.searchsorted(through, before[base[asked]] + target[asked], side="left")
    at = np.maximum(at, base[asked])
    inside = at <= end[asked]
    past, where = asked[inside], at[inside]
    rest = target[past] - (before[where] - before[base[past]])
    due[past] = batch.deadlines(name, rows.start[where], rest, rows.terms[where])
    future = asked[~inside]
    future = future[(stop[future] >= 0) | shape.counts[judge[future]]]
    begin = np.where(stop[future] < 0, batch.now, rows.start[judge[future]])
    due[future] = batch.deadlines(name, begin, target[future] - total[future], rows.terms[judge[future]])
    return due


def clock_columns(
    table: ClockEventTable, policy: ClockPolicy, *, now: datetime, names: Iterable[ClockName | str] | None = None
) -> ClockTable:
    """Read the clocks of all cases as they stood at `now`: the same as `read_clocks` case by case.

    Parameters
    ----------
    table : ClockEventTable
        Events of any cases, in any order.
    policy : ClockPolicy
    now : aware datetime
        Later events have not happened yet.
    names : clocks, optional
        None: the four response clocks and the resolution that bears the target.

    Returns
    -------
    ClockTable
        One row a cycle; open ones are censored, and say so.

    Examples
    --------
    >>> from datetime import UTC
    >>> from crmcore.calendars import BusinessCalendar
    >>> from crmcore.calendars.clocks import Targets
    >>> log = {"case": ["7", "7", "8"], "activity": ["created", "agent reply", "created"],
    ...        "time": ["2026-06-01T09:00Z", "2026-06-01T10:01Z", "2026-06-01T09:00Z"]}
    >>> policy = ClockPolicy(BusinessCalendar.always("UTC"), Targets(first_response_minutes=60))
    >>> read = clock_columns(ClockEventTable.from_frame(log), policy, now=datetime(2026, 6, 1, 10, tzinfo=UTC))
    >>> read.of("first response").to_frame()["minutes"], read.of("first response").breached.tolist()
    ([60.0, 60.0], [False, False])
    """
    usual = [n for n in NAMES[:7] if n not in RESOLUTIONS or n is policy.resolution]
    wanted = dict.fromkeys(usual if names is None else (n for name in names for n in clocks_named(name)))
    batch = _Batch(table, policy, to_us(now, "now"))
    parts = [_read(name, batch) for name in wanted]
    columns = {k: np.concatenate([p[k] for p in parts]) for k in (*_COLUMNS, "priority")}
    order = np.lexsort((columns["cycle"], columns["clock"], columns["case"]))
    codes = columns.pop("priority")[order]
    words = dict.fromkeys((*batch.words, policy.priority))
    place = list(words).index(policy.priority)
    return ClockTable(
        **{k: v[order] for k, v in columns.items()},
        priority=TextColumn(np.where(codes < 0, place, codes).astype(np.int32), tuple(words)).compact(),
        cases=table.cases,
        now=now,
        backend=table.backend,
    )
