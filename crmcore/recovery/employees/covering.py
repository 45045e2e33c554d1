"""Where nobody with a skill is on duty: required against there, skill by skill and hour by hour."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table, listed
from crmcore._frames import Coded, write_frame
from crmcore.calendars.calendar import BusinessCalendar
from crmcore.calendars.errors import NoClosing, NoOpening
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.metrics.columns import held, instant
from crmcore.metrics.scalars import above, count_of, text_of
from crmcore.recovery.employees.checks import check_kind
from crmcore.recovery.employees.desk import Desk
from crmcore.recovery.employees.people import duty_us
from crmcore.zones import DAY, MINUTE, from_us, instants_of_local, offsets_of, to_us

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["CoverNeed", "Coverage", "coverage"]

Ints = NDArray[np.int64]
MOST_SLOTS = 1_000_000


@attrs.frozen(kw_only=True)
class CoverNeed(Document):
    """So many agents with a level of a skill must be there while a calendar is open.

    Parameters
    ----------
    skill : text
    level : whole number from 1
    agents : count from 1
    hours : BusinessCalendar
        When they are needed.
    """

    skill: str
    level: int = 1
    agents: int = 1
    hours: BusinessCalendar

    def __attrs_post_init__(self) -> None:
        text_of("skill", self.skill, hint="such as 'refund'")
        for name in ("level", "agents"):
            object.__setattr__(self, name, count_of(name, getattr(self, name), least=1, hint=f"{name} count from 1"))
        check_kind("hours", self.hours, BusinessCalendar, hint="BusinessCalendar.always('UTC') is always")


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Coverage(Document):
    """Required and present agents; row i of every column is the same need and slot of time.

    Parameters
    ----------
    needs : tuple of CoverNeed
    need : (n,) codes into needs
    start : (n,) datetime64[us] in UTC
        Of the slot; slots in which nobody is needed are left out.
    required, there : (n,) counts
    step_minutes : minutes
    zone : IANA name
        In which hours are shown.
    """

    needs: tuple[CoverNeed, ...]
    need: Ints = attrs.field(converter=held)
    start: NDArray[np.datetime64] = attrs.field(converter=held)
    required: Ints = attrs.field(converter=held)
    there: Ints = attrs.field(converter=held)
    step_minutes: float
    zone: str

    def __len__(self) -> int:
        return len(self.need)

    @property
    def missing(self) -> Ints:
        """(n,) agents that are missing."""
        return np.asarray(np.maximum(self.required - self.there, 0), np.int64)

    @property
    def gaps(self) -> Coverage:
        """Only the slots with somebody missing."""
        bad = self.missing > 0
        return attrs.evolve(
            self, need=self.need[bad], start=self.start[bad], required=self.required[bad], there=self.there[bad]
        )

    def __repr__(self) -> str:
        return f"Coverage({len(self)} slots, {int((self.missing > 0).sum())} with gaps)"

    def __str__(self) -> str:
        gaps = self.gaps
        lines = [f"{len(gaps)} of {len(self)} slots of {self.step_minutes:g} min lack somebody"]
        for i in range(min(len(gaps), 20)):
            need = self.needs[gaps.need[i]]
            at = from_us(int(gaps.start[i].astype(np.int64)), self.zone)
            lines.append(f"  {at:%a %Y-%m-%d %H:%M}  {need.skill} level {need.level}: {gaps.there[i]} of {need.agents}")
        return "\n".join(lines + ([f"  ... {len(gaps) - 20} more"] if len(gaps) > 20 else []))

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a need and slot: skill, level, start, required, there, missing."""
        levels = np.array([n.level for n in self.needs], np.int64)
        columns: dict[str, Any] = {
            "skill": Coded(self.need, [n.skill for n in self.needs]), "level": levels[self.need], "start": self.start,
            "required": self.required, "there": self.there, "missing": self.missing,
        }  # fmt: skip
        return write_frame(columns, backend=backend)

    def _repr_html_(self) -> str:
        missing = self.missing
        rows = [
            {"skill": n.skill, "level": n.level, "slots": int((self.need == i).sum()),
             "with gaps": int(((self.need == i) & (missing > 0)).sum())}
            for i, n in enumerate(self.needs)
        ]  # fmt: skip
        return html_table(rows, caption=repr(self))

    def chart(self) -> Chart:
        """Share of slots with somebody missing, by skill and hour of the local day."""
        from crmcore.recovery.employees.charts import coverage_chart

        return coverage_chart(self)

    def local_hours(self) -> Ints:
        """(n,) hour of the local day in which each slot starts."""
        local = self.start.astype(np.int64) + offsets_of(self.start, self.zone)
        return local // (60 * MINUTE) % 24


def coverage(
    desk: Desk, needs: Iterable[CoverNeed], *, since: datetime, until: datetime, step_minutes: float = 60
) -> Coverage:
    """Count who is on duty with each skill that is needed, in every slot of time.

    An agent counts in a slot who is on duty during all of its needed time (breaks and absences count against it) and
    whose certificate holds on its local date. One agent may count for several needs at once: this asks whether a
    customer could be served at all, not whether all could.

    Parameters
    ----------
    desk : Desk
    needs : needs
    since, until : aware datetimes
        Slots count from `since` on; the last is cut at `until`.
    step_minutes : minutes

    Examples
    --------
    >>> from crmcore.calendars import BusinessCalendar, local
    >>> from crmcore.recovery.employees import Agent, Certificate, Desk, SkillMatrix
    >>> morning = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "12:00")]})
    >>> day = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "14:00")]})
    >>> desk = Desk(
    ...     zone="Asia/Bangkok",
    ...     agents=[Agent(id="dao", hours=morning)],
    ...     skills=SkillMatrix.of([Certificate(agent="dao", skill="refund", level=2)]),
    ... )
    >>> since, until = (local(2026, 6, 1, h, zone="Asia/Bangkok") for h in (0, 23))
    >>> print(coverage(desk, [CoverNeed(skill="refund", level=2, hours=day)], since=since, until=until))
    2 of 5 slots of 60 min lack somebody
      Mon 2026-06-01 12:00  refund level 2: 0 of 1
      Mon 2026-06-01 13:00  refund level 2: 0 of 1
    """
    check_kind("desk", desk, Desk, hint='Desk(zone="Asia/Bangkok", agents=[...])')
    wanted = listed(needs, "needs", CoverNeed, what="needs", hint='[CoverNeed(skill="refund", hours=calendar)]')
    low, high = (int(instant(name, at).astype(np.int64)) for name, at in (("since", since), ("until", until)))
    step = round(above("step_minutes", step_minutes, hint="60 is an hour") * MINUTE)
    if high <= low:
        raise OutOfRange("until", str(until), f"an instant after {since}", "give the span to look at")
    if (high - low) // step > MOST_SLOTS:
        hint = "look at a shorter span, or in longer steps"
        raise OutOfRange("step_minutes", step_minutes, f"at most {MOST_SLOTS:,} slots", hint)
    if not wanted:
        raise EmptyInput("needs", 'say what must be there: [CoverNeed(skill="refund", hours=calendar)]')
    columns: list[tuple[Ints, Ints, Ints]] = []
    pieces: dict[BusinessCalendar, tuple[Ints, Ints, Ints]] = {}
    for need in wanted:
        if need.hours not in pieces:
            pieces[need.hours] = _pieces(need.hours, low, high, step=step, zone=desk.zone)
        columns.append(_counted(desk, need, *pieces[need.hours], low=low, step=step))
    size = [len(starts) for starts, _, _ in columns]
    return Coverage(
        needs=wanted,
        need=np.repeat(np.arange(len(wanted)), size),
        start=np.concatenate([starts for starts, _, _ in columns]).astype("datetime64[us]"),
        required=np.concatenate([required for _, required, _ in columns]),
        there=np.concatenate([there for _, _, there in columns]),
        step_minutes=step / MINUTE,
        zone=desk.zone,
    )


def _pieces(hours: BusinessCalendar, low: int, high: int, *, step: int, zone: str) -> tuple[Ints, Ints, Ints]:
    """Open time cut at the slots and at local midnights: starts, ends, and the slot of each piece."""
    cuts: list[int] = []
    at = low
    while at < high:
        try:
            opened = to_us(hours.next_opening(from_us(at, "UTC")))
        except NoOpening:
            break
        try:
            closed = to_us(hours.next_closing(from_us(opened, "UTC")))
        except NoClosing:
            closed = high
        if opened >= high:
            break
        cuts += [max(opened, low), min(closed, high)]
        at = closed
    opens, closes = np.array(cuts[::2], np.int64), np.array(cuts[1::2], np.int64)
    edges = np.unique(np.concatenate([np.arange(low, high, step), _midnights(low, high, zone)]))
    first, last = np.searchsorted(edges, opens, side="right") - 1, np.searchsorted(edges, closes, side="left") - 1
    often = last - first + 1
    row = np.repeat(np.arange(len(opens)), often)
    cell = first[row] + np.arange(len(row)) - np.repeat(np.cumsum(often) - often, often)
    starts = np.maximum(opens[row], edges[cell])
    ends = np.minimum(closes[row], np.append(edges, high)[cell + 1])
    return starts, ends, (edges[cell] - low) // step


def _midnights(low: int, high: int, zone: str) -> Ints:
    """First instants of local dates between two instants: a certificate may end at each."""
    days = np.arange(low // DAY - 1, high // DAY + 2).astype("datetime64[D]").astype("datetime64[us]")
    found = instants_of_local(days, zone, gap="first instant").astype(np.int64)
    return found[(found > low) & (found < high)]


def _counted(
    desk: Desk, need: CoverNeed, starts: Ints, ends: Ints, slot: Ints, *, low: int, step: int
) -> tuple[Ints, Ints, Ints]:
    """Starts of the needed slots, required and present agents."""
    slots, first = np.unique(slot, return_index=True)
    there = np.zeros(len(slots), np.int64)
    begins, finishes = starts.astype("datetime64[us]"), ends.astype("datetime64[us]")
    days = (starts + offsets_of(begins, desk.zone)) // DAY if len(starts) else starts
    for agent in desk.agents:
        if len(slots) and agent.id in desk.skills.agents:
            ok = (duty_us(agent, begins, finishes) == ends - starts) & _holds(desk, agent.id, need, days)
            there += np.logical_and.reduceat(ok, first)
    return low + slots * step, np.full(len(slots), need.agents, np.int64), there


def _holds(desk: Desk, agent: str, need: CoverNeed, days: Ints) -> NDArray[np.bool_]:
    """Whether some certificate of the agent holds on each day."""
    skills = desk.skills
    if need.skill not in skills.skills:
        return np.zeros(len(days), np.bool_)
    mine = (skills.agent == skills.agents.index(agent)) & (skills.skill == skills.skills.index(need.skill))
    out = np.zeros(len(days), np.bool_)
    dates = days.astype("datetime64[D]")
    for i in np.flatnonzero(mine & (skills.level >= need.level)).tolist():
        out |= ~(skills.since[i] > dates) & ~(skills.expires[i] < dates)
    return out
