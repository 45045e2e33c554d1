"""Service-level clocks of one case: pure functions of its history, a policy and the instant that is asked about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.calendars.clocks.cycles import Clock, Meter, minutes_text, read_clock
from crmcore.calendars.clocks.definitions import DEFINITIONS, ends
from crmcore.calendars.clocks.events import ClockEvent, ClockHistory
from crmcore.calendars.clocks.policy import RESOLUTION, ClockName, ClockPolicy, Standing
from crmcore.calendars.clocks.timeline import Moment, moments, until
from crmcore.errors import NaiveDatetime, UnknownName
from crmcore.tables._cells import micros
from crmcore.zones import MINUTE, from_us, to_us

if TYPE_CHECKING:
    from crmcore.calendars.clocks.explanation import ClockExplanation
    from crmcore.charts import Chart

__all__ = ["CaseClocks", "moments_until", "read_clocks", "read_moments", "rows_frame"]


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
        """One row a cycle, and one with cycle 0 for each clock that has not started."""
        return [row for clock in self.clocks for row in _rows(self.case, clock)]

    def to_frame(self, *, backend: Any = None) -> Any:
        """Rows as a frame of the flavour named, times in UTC; None is a dict of lists."""
        return rows_frame(self.rows(), backend=backend)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values of what was found; history and policy are left out."""
        from crmcore.documents import to_dict

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
        from crmcore.calendars.clocks.explanation import explain_clock

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


def _cell(minutes: float | None) -> str | None:
    return None if minutes is None else minutes_text(minutes)


def _rows(case: str, clock: Clock) -> list[dict[str, Any]]:
    head = {"case": case, "clock": clock.name.value}
    if not clock.cycles:
        none: dict[str, Any] = dict.fromkeys(_CYCLE_CELLS)
        return [{**head, "cycle": 0, **none, "state": clock.state.value, "open": False, "breached": False}]
    cells = (*_CYCLE_CELLS, "open", "breached")
    return [
        {**head, "cycle": c.number, **{name: getattr(c, name) for name in cells}, "state": c.state.value}
        for c in clock.cycles
    ]


_CYCLE_CELLS = (
    "state",
    "started_at",
    "stopped_at",
    "total_minutes",
    "target_minutes",
    "remaining_minutes",
    "due_at",
    "breaches_at",
    "priority",
    "terms",
)


def rows_frame(rows: list[dict[str, Any]], *, backend: Any, names: Iterable[str] | None = None) -> Any:
    """Frame of rows that share their keys; datetimes leave in UTC, whatever offsets they carry."""
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in names or rows[0]}
    for name, cells in columns.items():
        if name.endswith("_at") or name in ("start", "end"):
            columns[name] = micros(cells)
        elif name.endswith("minutes"):
            columns[name] = np.array([np.nan if c is None else c for c in cells], np.float64)
    return write_frame(columns, backend=backend)


# --- reading ---------------------------------------------------------------------------------------------------------


def read_clocks(history: ClockHistory | Iterable[ClockEvent], policy: ClockPolicy, *, now: datetime) -> CaseClocks:
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
    >>> from crmcore.calendars import BusinessCalendar
    >>> from crmcore.calendars.clocks import Targets
    >>> policy = ClockPolicy(BusinessCalendar.always("UTC"), Targets(first_response_minutes=60))
    >>> events = [ClockEvent(datetime(2026, 6, 1, h, tzinfo=UTC), k) for h, k in ((9, "created"), (10, "agent reply"))]
    >>> print(read_clocks(events, policy, now=datetime(2026, 6, 1, 12, tzinfo=UTC))["first response"])
    first response: met, 60 of 60 min
    """
    held = history if isinstance(history, ClockHistory) else ClockHistory.of(history)
    return read_moments(held, moments(held.events, policy), policy, now)


def moments_until(history: ClockHistory, policy: ClockPolicy, now: datetime) -> tuple[Moment, ...]:
    """How the case stood after each event up to `now`."""
    return until(moments(history.events, policy), now.astimezone(UTC))


def read_moments(history: ClockHistory, found: tuple[Moment, ...], policy: ClockPolicy, now: datetime) -> CaseClocks:
    """Clocks of a case from its moments."""
    if now.utcoffset() is None:
        raise NaiveDatetime("now")
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
        remarks=tuple(_told(m, policy) for m in found if m.remark),
        history=history,
        policy=policy,
    )


def _told(moment: Moment, policy: ClockPolicy) -> str:
    at = from_us(to_us(moment.at), policy.calendar.zone)
    return f"{moment.event} at {at.isoformat(timespec='minutes')}: {moment.remark}"


def _by_status(found: tuple[Moment, ...], policy: ClockPolicy, now: datetime, meter: Meter) -> dict[str, float]:
    spent: dict[str, int] = {}
    for moment, end in zip(found, ends(found, now), strict=True):
        if moment.standing not in (Standing.BEFORE, Standing.MERGED):
            calendar = policy.calendar_of(ClockName.ACTIVE_RESOLUTION, moment.terms)
            spent[moment.status] = spent.get(moment.status, 0) + meter.us(calendar, moment.at, end)
    return {status: us / MINUTE for status, us in spent.items()}
