"""Who works here: hours, absences, capacity, grade."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import check_aware, listed, mask
from crmcore.calendars.calendar import BusinessCalendar
from crmcore.documents import Document
from crmcore.errors import DuplicateIds, OutOfRange
from crmcore.metrics.scalars import above, text_of
from crmcore.recovery.employees.checks import check_kind
from crmcore.zones import to_us

__all__ = ["Absence", "Agent", "duty_us", "unique_agents"]


@attrs.frozen
class Absence(Document):
    """Time away from work, [start, end)."""

    start: datetime
    end: datetime

    def __attrs_post_init__(self) -> None:
        check_aware(self.start, "start")
        check_aware(self.end, "end")
        if not self.end > self.start:
            raise OutOfRange("end", str(self.end), f"an instant after {self.start}", "the first instant back at work")


def _absences(items: Iterable[Absence]) -> tuple[Absence, ...]:
    return listed(items, "away", Absence, what="absences", hint="away=[Absence(start, end)]")


@attrs.frozen(kw_only=True)
class Agent(Document):
    """An employee who takes work: `Agent(id='d•••')`.

    Parameters
    ----------
    id : text
        Masked in every repr.
    hours : BusinessCalendar, optional
        When on duty; None is always.
    away : absences
        Illness, leave, training; whatever takes out of `hours`.
    capacity : units above 0
        Work that may be open at once; a case has one unit unless it says otherwise.
    grade : text
        What `Empowerment` knows: "agent", "supervisor".
    team : text

    Examples
    --------
    >>> Agent(id="dao", capacity=3)
    Agent(id='d•••', hours=None, away=(), capacity=3.0, grade='', team='')
    """

    id: str = attrs.field(repr=lambda name: repr(mask(name)))
    hours: BusinessCalendar | None = None
    away: tuple[Absence, ...] = attrs.field(default=(), converter=_absences)
    capacity: float = 5.0
    grade: str = ""
    team: str = ""

    def __attrs_post_init__(self) -> None:
        text_of("id", self.id, hint="the name by which rosters know this agent")
        hint = 'BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "17:00")]}); None is always on duty'
        check_kind("hours", self.hours, BusinessCalendar, hint=hint, optional=True)
        hint = "units of work that may be open at once; leave an agent who takes none off the desk"
        object.__setattr__(self, "capacity", above("capacity", self.capacity, hint=hint))

    def away_until(self, at: datetime) -> datetime | None:
        """End of the absence that holds at an instant; None where there is none."""
        ends = [a.end for a in self.away if a.start <= at < a.end]
        return max(ends, key=lambda end: end.timestamp()) if ends else None

    def on_duty(self, at: datetime) -> bool:
        """Whether the agent works at an instant.

        Examples
        --------
        >>> from datetime import UTC, datetime
        >>> Agent(id="dao").on_duty(datetime(2026, 6, 1, tzinfo=UTC))
        True
        """
        return self.away_until(at) is None and (self.hours is None or self.hours.is_open(at))


def unique_agents(agents: Iterable[Agent], /) -> tuple[Agent, ...]:
    """Agents in the order of their ids; one id twice is refused."""
    found = listed(agents, "agents", Agent, what="agents", hint='agents=[Agent(id="dao")]')
    seen: set[str] = set()
    again = tuple(i for i, a in enumerate(found) if a.id in seen or seen.add(a.id))  # type: ignore[func-returns-value]
    if again:
        raise DuplicateIds("agents", len(again), again, "give each agent an id of their own")
    return tuple(sorted(found, key=lambda a: a.id))


def duty_us(agent: Agent, starts: NDArray[np.datetime64], ends: NDArray[np.datetime64], /) -> NDArray[np.int64]:
    """Microseconds on duty within each span [start, end), absences taken out.

    Parameters
    ----------
    starts, ends : (n,) datetime64[us] in UTC
        Ends from their starts on.
    """
    low, high = starts.astype("datetime64[us]"), ends.astype("datetime64[us]")

    def worked(a: NDArray[np.datetime64], b: NDArray[np.datetime64]) -> NDArray[np.int64]:
        if agent.hours is None:
            return (b - a).astype(np.int64)
        return agent.hours.elapsed_us(a, b)

    total = worked(low, high) if len(low) else np.zeros(0, np.int64)
    for since, until in _united(agent.away):
        a = np.clip(low.astype(np.int64), since, until).astype("datetime64[us]")
        b = np.clip(high.astype(np.int64), since, until).astype("datetime64[us]")
        if len(low):
            total = total - worked(a, b)
    return total


def _united(away: Iterable[Absence]) -> list[tuple[int, int]]:
    """Absences in microseconds, those that overlap as one."""
    out: list[tuple[int, int]] = []
    for since, until in sorted((to_us(a.start), to_us(a.end)) for a in away):
        if out and since <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], until))
        else:
            out.append((since, until))
    return out
