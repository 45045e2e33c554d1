"""Who can do what: levels of skill, certificates that end, and what a task asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table, listed, mask
from crmcore._frames import Coded, read_frame, write_frame
from crmcore.calendars.windows import read_date
from crmcore.documents import Document
from crmcore.errors import OutOfRange, WrongType, nearest
from crmcore.metrics.scalars import count_of, entries, text_of
from crmcore.tables._door import Door, codes, frozen, integers

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Certificate", "SkillMatrix", "Task", "day_of", "needs_of"]

Days = NDArray[np.datetime64]
Levels = NDArray[np.int64]


def day_of(day: object, name: str = "on", /) -> date:
    """A date, from a date or ISO text; an instant is refused, because its date depends on a zone."""
    read = read_date(day) if not hasattr(day, "hour") else None
    if read is None:
        kind = f"a {type(day).__name__}"
        raise WrongType(name, kind, "a date, or ISO text", f"such as {name}='2026-06-01'; calendar.local_date(now)")
    return read


def needs_of(needs: Mapping[str, int], /) -> Mapping[str, int]:
    """Required level by skill, in the order of the names; levels count from 1."""
    found = {
        text_of("skill", skill, hint="name each skill"): count_of(
            f"level of {skill!r}", level, least=1, hint="levels count from 1; leave out what is not needed"
        )
        for skill, level in entries("needs", needs, hint='needs={"refund": 2}').items()
    }
    return MappingProxyType(dict(sorted(found.items())))


def _days(value: Any) -> Days:
    return frozen(np.asarray(value, "datetime64[D]"))


def _day(value: object) -> date | None:
    return None if value is None else day_of(value, "day")


@attrs.frozen(kw_only=True)
class Certificate(Document):
    """Somebody holds a level of a skill, perhaps until a date.

    Parameters
    ----------
    agent : text
        Masked in every repr.
    skill : text
    level : whole number from 1
    since : date, optional
        First day on which it holds; None is ever.
    expires : date, optional
        Last day on which it holds; None is never.
    """

    agent: str = attrs.field(repr=lambda name: repr(mask(name)))
    skill: str
    level: int = 1
    since: date | None = attrs.field(default=None, converter=_day)
    expires: date | None = attrs.field(default=None, converter=_day)

    def __attrs_post_init__(self) -> None:
        text_of("agent", self.agent, hint="whose certificate it is")
        text_of("skill", self.skill, hint="such as 'refund'")
        level = count_of("level", self.level, least=1, hint="levels count from 1; who has none needs no certificate")
        object.__setattr__(self, "level", level)
        if self.since and self.expires and self.expires < self.since:
            hint = "expires is the last day on which it holds"
            raise OutOfRange("expires", str(self.expires), f"a day from {self.since} on", hint)


@attrs.frozen
class Task(Document):
    """A kind of work and the levels of skill that it needs.

    Examples
    --------
    >>> Task("refund", {"refund": 2, "thai": 1}).needs["refund"]
    2
    """

    name: str
    needs: Mapping[str, int] = attrs.field(factory=dict, converter=needs_of, hash=False)


@attrs.frozen(eq=False, repr=False)
class SkillMatrix:
    """Certificates as columns; row i of every column is the same certificate.

    Where somebody holds several of one skill, the highest that is valid on the day counts.

    Parameters
    ----------
    agents, skills : texts
        In sorted order; skills that nobody holds may be listed.
    agent, skill : (m,) codes
    level : (m,) whole numbers from 1
    since, expires : (m,) datetime64[D]
        First and last day; NaT is open.

    Examples
    --------
    >>> matrix = SkillMatrix.of([Certificate(agent="dao", skill="refund", level=2, expires="2026-06-30")])
    >>> matrix, matrix.levels("2026-06-30").tolist(), matrix.levels("2026-07-01").tolist()
    (SkillMatrix(1 agent, 1 skill, 1 certificate), [[2]], [[0]])
    """

    agents: tuple[str, ...]
    skills: tuple[str, ...]
    agent: NDArray[np.int32] = attrs.field(converter=codes)
    skill: NDArray[np.int32] = attrs.field(converter=codes)
    level: Levels = attrs.field(converter=integers)
    since: Days = attrs.field(converter=_days)
    expires: Days = attrs.field(converter=_days)

    @classmethod
    def of(
        cls, certificates: Iterable[Certificate], *, agents: Iterable[str] = (), skills: Iterable[str] = ()
    ) -> SkillMatrix:
        """Matrix of certificates; `agents` and `skills` name those that may have none."""
        held = listed(certificates, "certificates", Certificate, what="certificates", hint="[Certificate(...)]")
        people = tuple(sorted({*_texts("agents", agents), *(c.agent for c in held)}))
        known = tuple(sorted({*_texts("skills", skills), *(c.skill for c in held)}))
        who, what = ({name: i for i, name in enumerate(names)} for names in (people, known))
        return cls(
            people, known, [who[c.agent] for c in held], [what[c.skill] for c in held], [c.level for c in held],
            np.array([c.since for c in held], "datetime64[D]"), np.array([c.expires for c in held], "datetime64[D]"),
        )  # fmt: skip

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        agent: str = "agent",
        skill: str = "skill",
        level: str | None = "level",
        since: str | None = "since",
        expires: str | None = "expires",
        agents: Iterable[str] = (),
        skills: Iterable[str] = (),
    ) -> SkillMatrix:
        """Read certificates from a frame, one row each; a frame without levels has level 1 everywhere.

        Raises
        ------
        MissingColumn, BadRows
            Every row without agent or skill, with a level that is no whole number from 1, with a day that is none or
            that ends before it begins.
        """
        door = Door(read_frame(frame), "the skill frame")
        who, what = door.text(agent), door.text(skill)
        door.required(agent, who.codes < 0, "say whose certificate it is")
        door.required(skill, what.codes < 0, "say what it certifies")
        levels = [1] * len(door)
        if door.has(level, "level"):
            cells = door.frame.column(str(level))
            levels = [int(c) if _is_level(c) else 0 for c in cells]  # type: ignore[call-overload]
            odd = [i for i, x in enumerate(levels) if x == 0]
            door.problem(str(level), "no whole number from 1", odd, "levels count from 1; drop rows of no skill")
        days = []
        for name, default in ((since, "since"), (expires, "expires")):
            cells = door.frame.column(str(name)) if door.has(name, default) else [None] * len(door)
            read = [None if c is None else read_date(c) for c in cells]
            odd = [i for i, (c, d) in enumerate(zip(cells, read, strict=True)) if c is not None and d is None]
            door.problem(str(name), "no date", odd, "write dates, or ISO text such as 2026-06-01")
            days.append(np.array(read, "datetime64[D]"))
        if len(door):
            backwards = np.flatnonzero(days[1] < days[0])
            door.problem(str(expires), "before the first day", backwards, "expires is the last day on which it holds")
        door.close()
        people = tuple(sorted({*_texts("agents", agents), *who.values}))
        known = tuple(sorted({*_texts("skills", skills), *what.values}))
        return cls(people, known, _coded(who, people), _coded(what, known), levels, *days)

    def __len__(self) -> int:
        return len(self.level)

    def __getitem__(self, i: int) -> Certificate:
        return Certificate(
            agent=self.agents[self.agent[i]], skill=self.skills[self.skill[i]], level=int(self.level[i]),
            since=self.since[i].item(), expires=self.expires[i].item(),
        )  # fmt: skip

    def __repr__(self) -> str:
        counts = ((len(self.agents), "agent"), (len(self.skills), "skill"), (len(self), "certificate"))
        return f"SkillMatrix({', '.join(f'{n} {what}' + 's' * (n != 1) for n, what in counts)})"

    def valid(self, on: date | str, /) -> NDArray[np.bool_]:
        """(m,) which certificates hold on a day, its first and last day included."""
        day = np.datetime64(day_of(on), "D")
        return ~(self.since > day) & ~(self.expires < day)

    def levels(self, on: date | str, /) -> Levels:
        """(agents, skills) highest level that is valid on a day; 0 is none."""
        held = self.valid(on)
        out = np.zeros((len(self.agents), len(self.skills)), np.int64)
        np.maximum.at(out, (self.agent[held], self.skill[held]), self.level[held])
        return out

    def level_of(self, agent: str, skill: str, *, on: date | str) -> int:
        """Level of one agent in one skill on a day; 0 where the agent or the skill is not known."""
        if agent not in self.agents or skill not in self.skills:
            return 0
        mine = (self.agent == self.agents.index(agent)) & (self.skill == self.skills.index(skill)) & self.valid(on)
        return int(self.level[mine].max(initial=0))

    def lacking(self, agent: str, needs: Mapping[str, int], *, on: date | str) -> tuple[str, ...]:
        """Why an agent may not do what needs these levels on a day; nothing where the agent may.

        Examples
        --------
        >>> matrix = SkillMatrix.of([Certificate(agent="dao", skill="refund", level=2, expires="2026-06-30")])
        >>> matrix.lacking("dao", {"refund": 2}, on="2026-07-01")
        ('needs refund level 2, the certificate ended on 2026-06-30',)
        >>> matrix.lacking("dao", {"refunds": 1}, on="2026-07-01")
        ("needs refunds level 1, which nobody is known to hold (did you mean 'refund'?)",)
        """
        day = day_of(on)
        return tuple(
            self._reason(agent, skill, level, day)
            for skill, level in needs_of(needs).items()
            if self.level_of(agent, skill, on=day) < level
        )

    def _reason(self, agent: str, skill: str, level: int, day: date) -> str:
        wanted = f"needs {skill} level {level}"
        if skill not in self.skills:
            near = nearest(skill, self.skills)
            return f"{wanted}, which nobody is known to hold" + (f" (did you mean {near!r}?)" if near else "")
        own = [c for c in self._of(agent, skill) if c.level >= level]
        ended = [c.expires for c in own if c.expires is not None and c.expires < day]
        begins = [c.since for c in own if c.since is not None and c.since > day]
        if begins:
            return f"{wanted}, the certificate begins on {min(begins)}"
        if ended:
            return f"{wanted}, the certificate ended on {max(ended)}"
        return f"{wanted}, has {self.level_of(agent, skill, on=day) or 'none'}"

    def _of(self, agent: str, skill: str) -> list[Certificate]:
        if agent not in self.agents:
            return []
        mine = (self.agent == self.agents.index(agent)) & (self.skill == self.skills.index(skill))
        return [self[i] for i in np.flatnonzero(mine).tolist()]

    def expiring(self, *, on: date | str, within_days: int = 30) -> tuple[Certificate, ...]:
        """Certificates that are valid on a day and end within so many days, the first to end first.

        A certificate that a later one of the same or a higher level replaces without a gap is left out.
        """
        day = np.datetime64(day_of(on), "D")
        last = day + np.timedelta64(count_of("within_days", within_days, hint="whole days"), "D")
        soon = np.flatnonzero(self.valid(on) & (self.expires <= last))  # NaT is never soon
        kept = [self[i] for i in soon.tolist() if not self._replaced(i)]
        return tuple(sorted(kept, key=lambda c: (c.expires or date.max, c.agent, c.skill, c.level)))

    def _replaced(self, i: int) -> bool:
        after = self.expires[i] + np.timedelta64(1, "D")
        same = (self.agent == self.agent[i]) & (self.skill == self.skill[i]) & (self.level >= self.level[i])
        return bool((same & ~(self.since > after) & ~(self.expires <= self.expires[i])).any())

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a certificate: agent, skill, level, since, expires."""
        columns = {
            "agent": Coded(self.agent, self.agents), "skill": Coded(self.skill, self.skills), "level": self.level,
            "since": self.since.tolist(), "expires": self.expires.tolist(),
        }  # fmt: skip
        return write_frame(columns, backend=backend)

    def wide_frame(self, *, on: date | str, backend: Any = None) -> Any:
        """The matrix on a day: one row an agent, one column a skill, each cell the level that is valid; 0 is none."""
        levels = self.levels(on)
        columns: dict[str, Any] = {"agent": list(self.agents)}
        for k, skill in enumerate(self.skills):
            columns[skill if skill not in columns else f"{skill} (skill)"] = levels[:, k]
        return write_frame(columns, backend=backend)

    def chart(self, *, on: date | str) -> Chart:
        """How many agents hold each level of each skill, or a higher one, on a day."""
        from crmcore.recovery.employees.charts import skills_chart

        return skills_chart(self, day_of(on))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "agents": list(self.agents), "skills": list(self.skills),
            "certificates": [self[i].to_dict() for i in range(len(self))],
        }  # fmt: skip

    @classmethod
    def from_dict(cls, document: object, /) -> SkillMatrix:
        """Read what `to_dict` wrote."""
        read = _MatrixDocument.from_dict(document)
        return cls.of(read.certificates, agents=read.agents, skills=read.skills)

    def _repr_html_(self) -> str:
        held = np.bincount(self.skill, minlength=len(self.skills))
        rows = [{"skill": name, "certificates": int(n)} for name, n in zip(self.skills, held, strict=True)]
        return html_table(rows, caption=repr(self))


@attrs.frozen
class _MatrixDocument(Document):
    agents: tuple[str, ...]
    skills: tuple[str, ...]
    certificates: tuple[Certificate, ...]


def _texts(name: str, values: Iterable[str]) -> tuple[str, ...]:
    return listed(values, name, str, what="texts", hint="one text each")


def _coded(column: Any, names: tuple[str, ...]) -> NDArray[np.int64]:
    places = {name: i for i, name in enumerate(names)}
    to = np.array([places[v] for v in column.values], np.int64)
    return to[column.codes] if len(to) else np.zeros(0, np.int64)


def _is_level(cell: object) -> bool:
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return False
    return cell >= 1 and float(cell).is_integer()
