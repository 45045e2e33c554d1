"""A desk: its people, what they can and may do, its promises; and how loaded each of them is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table, listed, mask
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import BadRow, BadRows, DuplicateIds, OutOfRange, UnknownName
from crmcore.metrics.columns import held, instant
from crmcore.recovery.employees.checks import check_kind
from crmcore.recovery.employees.limits import Empowerment
from crmcore.recovery.employees.people import Agent, duty_us, unique_agents
from crmcore.recovery.employees.skills import SkillMatrix, Task
from crmcore.recovery.employees.supporting import SupportNeeds, SupportRule
from crmcore.recovery.employees.work import ResponseTargets, Work
from crmcore.zones import NAT, zone_of

__all__ = ["Desk", "DeskLoad"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def _zone(zone: str) -> str:
    return str(zone_of(zone))


def _tasks(tasks: Iterable[Task]) -> tuple[Task, ...]:
    found = listed(tasks, "tasks", Task, what="tasks", hint='tasks=[Task("refund", {"refund": 2})]')
    again = tuple(i for i, t in enumerate(found) if t.name in {x.name for x in found[:i]})
    if again:
        raise DuplicateIds("tasks", len(again), again, "give each task its own name")
    return found


@attrs.frozen(kw_only=True, repr=False)
class Desk(Document):
    """Who takes work, and by which rules; ids of agents are in its JSON.

    Parameters
    ----------
    zone : IANA name
        Whose date decides whether a certificate holds; never guessed.
    agents : agents
        Kept in the order of their ids.
    skills : SkillMatrix
    tasks : tasks
        Kinds of work with the skills that they need.
    limits : Empowerment, optional
        None: what work asks to decide is not looked at.
    targets : ResponseTargets, optional
    support : SupportRule, optional

    Examples
    --------
    >>> Desk(zone="Asia/Bangkok", agents=[Agent(id="dao"), Agent(id="ann")])
    Desk(2 agents, 0 skills, 0 tasks)
    """

    zone: str = attrs.field(converter=_zone)
    agents: tuple[Agent, ...] = attrs.field(converter=unique_agents)
    skills: SkillMatrix = attrs.field(factory=lambda: SkillMatrix.of([]))
    tasks: tuple[Task, ...] = attrs.field(default=(), converter=_tasks)
    limits: Empowerment | None = None
    targets: ResponseTargets | None = None
    support: SupportRule | None = None

    def __attrs_post_init__(self) -> None:
        check_kind("skills", self.skills, SkillMatrix, hint="SkillMatrix.of([Certificate(...)])")
        for name, kind in (("limits", Empowerment), ("targets", ResponseTargets), ("support", SupportRule)):
            check_kind(name, getattr(self, name), kind, hint="leave it out for none", optional=True)

    def __repr__(self) -> str:
        return f"Desk({len(self.agents)} agents, {len(self.skills.skills)} skills, {len(self.tasks)} tasks)"

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the agents, in order."""
        return tuple(a.id for a in self.agents)

    def _repr_html_(self) -> str:
        rows = [{"task": t.name, "needs": ", ".join(f"{s} {n}" for s, n in t.needs.items())} for t in self.tasks]
        return html_table(rows, caption=repr(self))

    def needs(self, work: Work, /) -> Mapping[str, int]:
        """Levels that work needs: those of its task and its own, the higher where both name a skill.

        Raises
        ------
        UnknownName
            A task that the desk does not know.
        """
        if not work.task:
            return work.needs
        task = next((t for t in self.tasks if t.name == work.task), None)
        if task is None:
            raise UnknownName("task", work.task, tuple(t.name for t in self.tasks))
        both = {**task.needs}
        for skill, level in work.needs.items():
            both[skill] = max(level, both.get(skill, 0))
        return MappingProxyType(dict(sorted(both.items())))

    def duty_hours(self, *, since: datetime, until: datetime) -> dict[str, float]:
        """Hours on duty of each agent in [since, until), absences taken out, by id.

        Examples
        --------
        >>> from crmcore.calendars import BusinessCalendar, local
        >>> day = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "12:00"), ("13:00", "17:00")]})
        >>> desk = Desk(zone="Asia/Bangkok", agents=[Agent(id="dao", hours=day)])
        >>> monday, next_monday = (local(2026, 6, d, zone="Asia/Bangkok") for d in (1, 8))
        >>> desk.duty_hours(since=monday, until=next_monday)
        {'dao': 35.0}
        """
        low, high = (np.array([instant(name, at)]) for name, at in (("since", since), ("until", until)))
        if not high[0] > low[0]:
            raise OutOfRange("until", str(until), f"an instant after {since}", "give the span to look at")
        return {a.id: int(duty_us(a, low, high)[0]) / 3_600_000_000 for a in self.agents}

    def load(
        self,
        *,
        open_units: Mapping[str, float] | None = None,
        taken: Mapping[str, int] | None = None,
        last_taken: Mapping[str, datetime] | None = None,
        support: SupportNeeds | None = None,
    ) -> DeskLoad:
        """What agents have on their hands now; whoever is not named has nothing.

        Parameters
        ----------
        open_units : mapping of agent to units
            Work that is open.
        taken : mapping of agent to count
            Work taken in the period over which the desk wants to be fair, such as today.
        last_taken : mapping of agent to aware datetime
        support : SupportNeeds, optional
            Who rests, and who gets no further hard case.

        Raises
        ------
        BadRows
            Agents that are not on this desk (masked), negative units or counts.
        """
        n = len(self.agents)
        units, counts = self._column("open_units", open_units or {}), self._column("taken", taken or {})
        last = np.full(n, NAT)
        for name, at in (last_taken or {}).items():
            last[self._place("last_taken", name)] = int(instant("last_taken", at).astype(np.int64))
        resting, hard, stop = np.full(n, NAT), np.zeros(n, np.int64), np.zeros(n, np.bool_)
        if support is not None:
            rows = {name: i for i, name in enumerate(support.agents)}
            for i, name in enumerate(self.ids):
                if name in rows:
                    row = rows[name]
                    resting[i] = int(support.resting_until[row].astype(np.int64))
                    hard[i], stop[i] = support.hard_count[row], support.no_more_hard[row]
        return DeskLoad(self.ids, units, counts.astype(np.int64), last, resting, hard, stop)

    def _place(self, where: str, name: str) -> int:
        try:
            return self.ids.index(name)
        except ValueError:
            problem = BadRow(where, f"not one of the {len(self.agents)} agents of this desk", (0,), (mask(name),))
            raise BadRows("the load of the desk", (problem,), "name agents as on the desk, or add them to it") from None

    def _column(self, where: str, values: Mapping[str, float]) -> Floats:
        column = np.zeros(len(self.agents))
        unknown = [i for i, name in enumerate(values) if name not in self.ids]
        bad = [i for i, x in enumerate(values.values()) if not (isinstance(x, int | float) and 0 <= x < np.inf)]
        names = [mask(name) for name in values]
        problems = [
            BadRow(where, reason, tuple(rows), tuple(names[i] for i in rows[:5]))
            for reason, rows in (("not on this desk", unknown), ("no number from 0", bad))
            if rows
        ]
        if problems:
            raise BadRows("the load of the desk", tuple(problems), "name agents as on the desk, with numbers from 0")
        for name, value in values.items():
            column[self.ids.index(name)] = value
        return column


@attrs.frozen(eq=False, repr=False)
class DeskLoad(Document):
    """What each agent of a desk has on their hands; row i of every column is the same agent.

    Parameters
    ----------
    agents : texts
    open_units : (n,) units
    taken : (n,) counts
    last_taken, resting_until : (n,) microseconds since 1970 in UTC
        The smallest int64 where there is none.
    hard_lately : (n,) counts
    no_more_hard : (n,) truths
    """

    agents: tuple[str, ...]
    open_units: Floats = attrs.field(converter=held)
    taken: Ints = attrs.field(converter=held)
    last_taken: Ints = attrs.field(converter=held)
    resting_until: Ints = attrs.field(converter=held)
    hard_lately: Ints = attrs.field(converter=held)
    no_more_hard: NDArray[np.bool_] = attrs.field(converter=held)

    def __len__(self) -> int:
        return len(self.agents)

    def __repr__(self) -> str:
        return f"DeskLoad({len(self)} agents, {self.open_units.sum():g} units open, {int(self.taken.sum())} taken)"

    def done(self, agent: str, *, units: float = 1.0) -> DeskLoad:
        """Load after an agent has closed work.

        Raises
        ------
        UnknownName, OutOfRange
            Not on the desk (masked); more units than are open.
        """
        if agent not in self.agents:
            raise UnknownName("agent of the desk", mask(agent), tuple(mask(a) for a in self.agents[:5]))
        i = self.agents.index(agent)
        if not 0 < units <= self.open_units[i] + 1e-9:
            hint = "close what was taken, once"
            raise OutOfRange("units", units, f"more than 0, at most the {self.open_units[i]:g} that are open", hint)
        left = np.array(self.open_units)
        left[i] = max(left[i] - units, 0.0)
        return attrs.evolve(self, open_units=left)

    def gini(self, capacity: Iterable[float] | None = None, /) -> float:
        """How unequal open units are spread (relative to capacity where given): 0 is equal, near 1 one has all.

        Notes
        -----
        ``G = Σᵢ Σⱼ abs(xᵢ − xⱼ) / (2 n Σ x)``; 0 where nobody has anything.
        """
        x = self.open_units if capacity is None else self.open_units / np.array(list(capacity), np.float64)
        total = float(x.sum())
        if not total:
            return 0.0
        n = len(x)
        return float((2 * np.arange(1, n + 1) - n - 1) @ np.sort(x) / (n * total))

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an agent: agent, open_units, taken, last_taken, resting_until, hard_lately, no_more_hard."""
        columns: dict[str, Any] = {
            "agent": list(self.agents), "open_units": self.open_units, "taken": self.taken,
            "last_taken": self.last_taken.astype("datetime64[us]"),
            "resting_until": self.resting_until.astype("datetime64[us]"),
            "hard_lately": self.hard_lately, "no_more_hard": self.no_more_hard,
        }  # fmt: skip
        return write_frame(columns, backend=backend)

    def _repr_html_(self) -> str:
        rows = [
            {"": "units open", "total": f"{self.open_units.sum():g}", "most": f"{self.open_units.max(initial=0):g}"}
        ]
        return html_table(rows, caption=repr(self))
