"""Ready to go live? Software works only with people who have the context, the support and the skill for it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

import attrs

from crmcore._base import html_table, listed, mask
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import DuplicateIds, EmptyInput, OutOfRange
from crmcore.metrics.scalars import above, count_of, text_of
from crmcore.recovery.employees.checks import check_kind
from crmcore.recovery.employees.skills import SkillMatrix, day_of

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Readiness", "ReadinessNeed", "ReadinessPart", "check_readiness"]


@attrs.frozen(kw_only=True)
class ReadinessNeed(Document):
    """What staff must have before something goes live, kept as a skill with a level: training taken, context read,
    practised on a case that is not real, somebody named to ask.

    Parameters
    ----------
    skill : text
    level : whole number from 1
    at_least : share above 0
        Of the staff that must have it; 1 is everybody.
    why : text
        Such as "training", "context", "support", "understanding".
    """

    skill: str
    level: int = 1
    at_least: float = 1.0
    why: str = "training"

    def __attrs_post_init__(self) -> None:
        text_of("skill", self.skill, hint="as in the skill matrix")
        object.__setattr__(self, "level", count_of("level", self.level, least=1, hint="levels count from 1"))
        share = above("at_least", self.at_least, hint="write 90 % as 0.9", allowed="a share above 0, at most 1")
        if share > 1:
            raise OutOfRange("at_least", self.at_least, "a share above 0, at most 1", "write 90 % as 0.9")


@attrs.frozen(kw_only=True)
class ReadinessPart(Document):
    """One need and who meets it.

    Parameters
    ----------
    need : ReadinessNeed
    have : count
    staff : count
    required : count
        at_least x staff, rounded up.
    lacking : tuple of agent and reason
        By agent; agents are masked in every repr.
    """

    need: ReadinessNeed
    have: int
    staff: int
    required: int
    lacking: tuple[tuple[str, str], ...] = attrs.field(repr=lambda rows: f"<{len(rows)} agents>")

    @property
    def met(self) -> bool:
        """Whether enough of the staff have it."""
        return self.have >= self.required

    @property
    def names(self) -> tuple[str, ...]:
        """Agents who lack it."""
        return tuple(name for name, _ in self.lacking)


@attrs.frozen(kw_only=True, repr=False)
class Readiness(Document):
    """Whether staff are ready on a day.

    All of the staff are looked at, so shares are facts of that day and have no interval.
    """

    on: date
    parts: tuple[ReadinessPart, ...]

    @property
    def ready(self) -> bool:
        """Whether every need is met."""
        return all(part.met for part in self.parts)

    @property
    def lacking(self) -> tuple[str, ...]:
        """Agents who lack something in a part that is not met, by name."""
        return tuple(sorted({name for part in self.parts if not part.met for name in part.names}))

    def __repr__(self) -> str:
        met = sum(part.met for part in self.parts)
        return f"Readiness({'ready' if self.ready else 'not ready'}, {met} of {len(self.parts)} needs met)"

    def __str__(self) -> str:
        lines = [f"{'ready' if self.ready else 'not ready'} on {self.on}"]
        for part in self.parts:
            mark = "met" if part.met else "not met"
            wanted = f"{part.need.skill} level {part.need.level} ({part.need.why})"
            lines.append(f"  {mark}: {wanted}: {part.have} of {part.staff}, {part.required} required")
            lines += [f"    {mask(name)} {reason}" for name, reason in part.lacking[:10]]
            lines += [f"    ... {len(part.lacking) - 10} more"] if len(part.lacking) > 10 else []
        return "\n".join(lines)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an agent who lacks something: agent, skill, level, why, reason, blocks (the need is not met)."""
        rows = [
            (name, p.need.skill, p.need.level, p.need.why, reason, not p.met)
            for p in self.parts
            for name, reason in p.lacking
        ]
        names = ("agent", "skill", "level", "why", "reason", "blocks")
        return write_frame({n: [row[i] for row in rows] for i, n in enumerate(names)}, backend=backend)

    def _repr_html_(self) -> str:
        rows = [
            {"need": p.need.skill, "why": p.need.why, "have": f"{p.have} of {p.staff}", "required": p.required,
             "": "met" if p.met else "not met"}
            for p in self.parts
        ]  # fmt: skip
        return html_table(rows, caption=repr(self))

    def chart(self) -> Chart:
        """Share of the staff that meets each need."""
        from crmcore.recovery.employees.charts import readiness_chart

        return readiness_chart(self)


def check_readiness(
    skills: SkillMatrix, needs: Iterable[ReadinessNeed], *, staff: Iterable[str], on: date | str
) -> Readiness:
    """Check before going live who has what it takes, and name who has not.

    Parameters
    ----------
    skills : SkillMatrix
    needs : needs
    staff : texts
        Everybody who will work with it; who has no certificate at all lacks everything.
    on : date, or ISO text
        Day of going live: what has ended by then, or begins later, does not count.

    Examples
    --------
    >>> from crmcore.recovery.employees import Certificate, SkillMatrix
    >>> staff = ["ann", "bob", "cho", "dao", "eve", "fay"]
    >>> matrix = SkillMatrix.of([Certificate(agent=name, skill="new desk") for name in staff[:4]])
    >>> found = check_readiness(matrix, [ReadinessNeed(skill="new desk")], staff=staff, on="2026-07-01")
    >>> found, found.lacking
    (Readiness(not ready, 0 of 1 needs met), ('eve', 'fay'))
    """
    check_kind("skills", skills, SkillMatrix, hint="SkillMatrix.of([Certificate(...)])")
    wanted = listed(needs, "needs", ReadinessNeed, what="needs", hint='[ReadinessNeed(skill="new desk")]')
    people = listed(staff, "staff", str, what="texts", hint="everybody who will work with it")
    day = day_of(on)
    if not wanted:
        raise EmptyInput("needs", "say what staff must have before they start")
    if not people:
        raise EmptyInput("staff", "name everybody who will work with it: nobody is never ready")
    again = tuple(i for i, name in enumerate(people) if name in people[:i])
    if again:
        raise DuplicateIds("staff", len(again), again, "name everybody once")
    return Readiness(on=day, parts=tuple(_part(skills, need, sorted(people), day) for need in wanted))


def _part(skills: SkillMatrix, need: ReadinessNeed, staff: list[str], day: date) -> ReadinessPart:
    told = [(name, skills.lacking(name, {need.skill: need.level}, on=day)) for name in staff]
    lacking = tuple((name, reasons[0]) for name, reasons in told if reasons)
    required = math.ceil(need.at_least * len(staff) - 1e-9)
    return ReadinessPart(
        need=need, have=len(staff) - len(lacking), staff=len(staff), required=required, lacking=lacking
    )
