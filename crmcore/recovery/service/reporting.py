"""How well promises were kept: shares with intervals in which open cases are censored, by whatever cases differ in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table, number_text
from crmcore.calendars.clocks.columns import STATES
from crmcore.calendars.clocks.cycles import ClockState
from crmcore.calendars.clocks.definitions import DEFINITIONS
from crmcore.calendars.clocks.policy import ClockName
from crmcore.documents import Document
from crmcore.errors import EmptyInput, UnknownName
from crmcore.metrics.durations.responses_in_time import Verdict, answered_within
from crmcore.metrics.durations.survival import kaplan_meier
from crmcore.metrics.estimates import Estimate, frame_of
from crmcore.metrics.scalars import share_of
from crmcore.recovery.service.applying import ServiceClocks
from crmcore.tables import TextColumn
from crmcore.zones import local_columns

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["ServiceReport", "ServiceRow", "service_report", "share_within"]

Truths = NDArray[np.bool_]
ALL = "all"
_CANCELLED = STATES.index(ClockState.CANCELLED)


@attrs.frozen(kw_only=True)
class ServiceRow(Document):
    """One clock in one group of cases.

    Parameters
    ----------
    clock : ClockName
    by, group : text
        What groups go by, and which this is; "all" for all together.
    n : count
        Cycles; of a clock that goes on after a reopening, cases.
    kept, late : counts
        Stopped within the target, and after it.
    overdue, pending : counts
        Still open beyond the target (missed for certain), and within it (nobody knows yet).
    unpromised, cancelled : counts
        Without target, and dropped by a merge or a rule: in no share.
    share : Estimate, optional
        Stops within the target, open ones censored (Kaplan-Meier over minutes as a part of the target); None where no
        cycle has a target.
    median : Estimate, optional
        Business minutes by which half have stopped; NaN where fewer than half will have by what is known.
    goal : share, optional
    """

    clock: str
    by: str
    group: str
    n: int
    kept: int
    late: int
    overdue: int
    pending: int
    unpromised: int
    cancelled: int
    share: Estimate | None
    median: Estimate | None
    goal: float | None = None

    @property
    def small(self) -> bool:
        """Whether fewer than 30 cycles stand behind the share: look at the interval, not at the value."""
        return self.share is None or self.share.small

    @property
    def verdict(self) -> Verdict | None:
        """What the interval says about the goal: "kept", "missed" or "undecided"; None without goal or share."""
        if self.goal is None or self.share is None:
            return None
        if self.share.low >= self.goal:
            return Verdict.KEPT
        return Verdict.MISSED if self.share.high < self.goal else Verdict.UNDECIDED

    @property
    def closed_share(self) -> float:
        """Kept over all that stopped: biased towards quick cases, shown for comparison only; NaN where none stopped."""
        return self.kept / (self.kept + self.late) if self.kept + self.late else float("nan")

    def __str__(self) -> str:
        counts = f"{self.kept} kept, {self.late} late, {self.overdue} overdue, {self.pending} pending"
        share = f"{self.share}{' SMALL' if self.small else ''}" if self.share else "nothing promised"
        half = f"; median {number_text(self.median.value)} min" if self.median else ""
        verdict = f"; goal {100 * self.goal:g} %: {self.verdict}" if self.goal is not None and self.share else ""
        whose = "all cases" if self.by == ALL else f"{self.by} {self.group}"
        return f"{self.clock}, {whose}: {share}; {counts}{half}{verdict}"

    def cells(self) -> dict[str, Any]:
        """Plain cells of one row."""
        row: dict[str, Any] = {k: getattr(self, k) for k in _CELLS}
        for name in ("share", "median"):
            found: Estimate | None = getattr(self, name)
            for part in ("value", "low", "high"):
                row[name if part == "value" else f"{name}_{part}"] = getattr(found, part) if found else float("nan")
        verdict = self.verdict
        return {**row, "closed_share": self.closed_share, "small": self.small,
                "goal": self.goal, "verdict": None if verdict is None else str(verdict)}  # fmt: skip


_CELLS = ("clock", "by", "group", "n", "kept", "late", "overdue", "pending", "unpromised", "cancelled")


@attrs.frozen(kw_only=True, repr=False)
class ServiceReport(Document):
    """Service levels of a log at one instant.

    Parameters
    ----------
    rows : tuple of ServiceRow
        Clock by clock; all together first, then groups in the order of their names.
    now : aware datetime
    level : share
        Of the intervals.
    """

    rows: tuple[ServiceRow, ...]
    now: datetime
    level: float

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        clocks = dict.fromkeys(r.clock for r in self.rows)
        return f"ServiceReport({len(self)} rows, clocks {list(clocks)}, at {self.now.isoformat(timespec='minutes')})"

    def of(self, clock: ClockName | str, *, by: str = ALL, group: str = ALL) -> ServiceRow:
        """Row of a clock and a group."""
        fits = [r for r in self.rows if r.clock == clock and r.by == by]
        if not fits:
            known = dict.fromkeys(f"{r.clock} by {r.by}" for r in self.rows)
            raise UnknownName("rows", f"{clock} by {by}", tuple(known))
        for row in fits:
            if row.group == group:
                return row
        raise UnknownName("group", group, tuple(r.group for r in fits))

    def __str__(self) -> str:
        head = f"Service levels at {self.now.isoformat(timespec='minutes')} (open cases censored)"
        return "\n".join([head, *(f"  {row}" for row in self.rows)])

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a clock and group, estimates spread over value, low and high."""
        return frame_of([row.cells() for row in self.rows], backend=backend)

    def _repr_html_(self) -> str:
        rows = [
            {
                "clock": r.clock,
                "group": f"{r.by}: {r.group}" if r.by != ALL else ALL,
                "n": r.n,
                "share kept": _percent(r.share) + (" (small n)" if r.small and r.share else ""),
                "median min": "" if r.median is None else number_text(r.median.value),
                "overdue": r.overdue,
                "pending": r.pending,
            }
            for r in self.rows
        ]
        return html_table(rows, caption=f"Service levels at {self.now.isoformat(timespec='minutes')}")

    def chart(self, clock: ClockName | str, *, by: str | None = None) -> Chart:
        """Shares of one clock as dots with their intervals, small groups marked.

        Parameters
        ----------
        clock : text
        by : text, optional
            What groups go by; None: all together and every group.
        """
        from crmcore.recovery.service.charts import service_chart

        return service_chart(self, str(clock), by)


def _percent(found: Estimate | None) -> str:
    if found is None:
        return ""
    low, value, high = (f"{100 * x:.0f}" for x in (found.low, found.value, found.high))
    return f"{value} % [{low}, {high}]"


# --- counting --------------------------------------------------------------------------------------------------------


def service_report(
    clocks: ServiceClocks, *, by: Iterable[str] = (), goal: float | None = None, level: float = 0.95
) -> ServiceReport:
    """Share of promises kept, with its interval, and the median, for all cases and by group.

    Parameters
    ----------
    clocks : ServiceClocks
    by : texts
        "priority", "promise", "agent" (the owner when the clock stopped), "month" (in which the cycle began, in the
        zone of the policy's calendar), or a fact of the log, such as "team", "channel", "segment". Unknown cells make a
        group "unknown".
    goal : share, optional
        Such as 0.9; rows then say whether their interval lies above it.
    level : share

    Notes
    -----
    An open cycle is censored at its minutes: it counts neither as kept nor as missed. A cycle whose clock goes on after
    a reopening stands for its case once, with all its minutes. Targets may differ between cases: time runs in parts of
    each target, and the share is what has stopped by 1. Small groups (n < 30) are flagged, not hidden.

    Examples
    --------
    >>> from datetime import UTC
    >>> from crmcore.calendars import BusinessCalendar
    >>> from crmcore.calendars.clocks import Targets
    >>> from crmcore.recovery.service import Promise, Scope, ServicePolicy, read_events, service_clocks
    >>> rows = [(str(i), "2026-06-01T09:00Z", "created") for i in range(4)]
    >>> rows += [(str(i), f"2026-06-01T1{i}:00Z", "agent reply") for i in range(3)]
    >>> log = read_events(dict(zip(("case", "time", "activity"), map(list, zip(*rows)), strict=True)), zone="UTC")
    >>> policy = ServicePolicy(BusinessCalendar.always("UTC"), [
    ...     Promise("all", Scope.everything(), Targets(first_response_minutes=120))])
    >>> read = service_clocks(log, policy, now=datetime(2026, 6, 1, 13, tzinfo=UTC), names=["first response"])
    >>> print(service_report(read).rows[0])
    first response, all cases: 0.5 [0.155, 0.942] (95 %, n = 4, kaplan-meier, log-log) SMALL; \
2 kept, 1 late, 1 overdue, 0 pending; median 120 min
    """
    if goal is not None:
        share_of("goal", goal, hint="write 90 % as 0.9")
    rows: list[ServiceRow] = []
    counted = clocks.take(_standing(clocks))
    if not len(counted):
        raise EmptyInput("the clocks", "no clock has started by now: look at creations and at `creation=`")
    groups = {name: _groups(counted, name) for name in dict.fromkeys(by)}
    cells = _Cells.of(counted)
    for place in np.unique(cells.clock).tolist():
        of = np.flatnonzero(cells.clock == place)
        rows.append(_row(cells.take(of), place, (ALL, ALL), goal, level))
        for name, column in groups.items():
            codes = column.codes[of]
            order = np.argsort(codes, kind="stable")
            found, first = np.unique(codes[order], return_index=True)
            parts = dict(zip(found.tolist(), np.split(of[order], first[1:]), strict=True))
            for group, code in sorted((_word(column, c), c) for c in parts):
                rows.append(_row(cells.take(parts[code]), place, (name, group), goal, level))
    return ServiceReport(rows=tuple(rows), now=clocks.now, level=level)


def share_within(
    clocks: ServiceClocks, clock: ClockName | str, *, minutes: float, level: float = 0.95, small_sample_ok: bool = False
) -> Estimate:
    """Share of one clock that stops within so many business minutes, whatever was promised; open ones censored.

    Parameters
    ----------
    clocks : ServiceClocks
    clock : text
    minutes : number
    """
    found = clocks.of(clock)
    found = found.take(_standing(found))
    table = found.table.take(found.table.state != _CANCELLED)
    if not len(table):
        raise EmptyInput(f"the clock {str(clock)!r}", "no cycle of it has started")
    return answered_within(
        table.minutes, ~table.open, minutes, unit="minutes", level=level, small_sample_ok=small_sample_ok
    )


def _standing(clocks: ServiceClocks) -> Truths:
    """Cycles that count: all, but of a clock that goes on after a reopening the last one of each case."""
    table, policy = clocks.table, clocks.policy.clock_policy
    names = list(ClockName)
    carried = np.array([DEFINITIONS[name].carried(policy) for name in names])[table.clock]
    last = np.append((table.case[1:] != table.case[:-1]) | (table.clock[1:] != table.clock[:-1]), True)[: len(table)]
    return np.asarray(~carried | last)


def _word(column: TextColumn, code: int) -> str:
    return "unknown" if code < 0 else column.values[code]


def _groups(clocks: ServiceClocks, name: str) -> TextColumn:
    table = clocks.table
    if name == "month":
        months = local_columns(table.started_at, str(clocks.policy.base.calendar.zone)).date.astype("datetime64[M]")
        values, codes = np.unique(months, return_inverse=True)
        return TextColumn(codes.astype(np.int32), tuple(map(str, values)))
    own = {"priority": lambda: table.priority, "promise": lambda: clocks.promise, "agent": lambda: clocks.owner}
    if name in own:
        return own[name]()
    if name not in clocks.log.facts:
        raise UnknownName("group", name, ("month", *own, *clocks.log.facts))
    return clocks.log.facts[name].take(table.case)


@attrs.frozen(eq=False)
class _Cells:
    """What a row counts of each cycle."""

    clock: NDArray[np.int8]
    minutes: NDArray[np.float64]
    target: NDArray[np.float64]
    open: Truths
    late: Truths
    cancelled: Truths

    @classmethod
    def of(cls, clocks: ServiceClocks) -> _Cells:
        t = clocks.table
        return cls(t.clock, t.minutes, t.target_minutes, t.open, t.breached, t.state == _CANCELLED)

    def take(self, rows: NDArray[np.integer] | Truths) -> _Cells:
        return _Cells(*(getattr(self, f.name)[rows] for f in attrs.fields(_Cells)))


def _row(cells: _Cells, place: int, group: tuple[str, str], goal: float | None, level: float) -> ServiceRow:
    n = len(cells.minutes)
    cells = cells.take(~cells.cancelled)
    promised, late = ~np.isnan(cells.target), cells.late
    share = median = None
    if promised.any():
        parts = _parts(cells.minutes[promised], cells.target[promised], late[promised])
        share = kaplan_meier(parts, ~cells.open[promised]).ended_by(1.0, level=level, small_sample_ok=True)
        share = attrs.evolve(share, rule="stopped within the target, open cases censored")
    if len(cells.minutes):
        median = kaplan_meier(cells.minutes, ~cells.open, unit="minutes").median(level=level, small_sample_ok=True)
    return ServiceRow(
        clock=list(ClockName)[place].value,
        by=group[0],
        group=group[1],
        n=n,
        kept=int((promised & ~cells.open & ~late).sum()),
        late=int((promised & ~cells.open & late).sum()),
        overdue=int((promised & cells.open & late).sum()),
        pending=int((promised & cells.open & ~late).sum()),
        unpromised=int((~promised).sum()),
        cancelled=n - len(cells.minutes),
        share=share,
        median=median,
        goal=goal,
    )


def _parts(minutes: NDArray[np.float64], target: NDArray[np.float64], late: Truths) -> NDArray[np.float64]:
    """Minutes as parts of the target; above 1 exactly where it is broken, whatever a division rounds to."""
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(target > 0, minutes / target, np.where(late, 2.0, 0.0))
    return np.where(late, np.maximum(parts, np.nextafter(1.0, 2.0)), np.minimum(parts, 1.0))
