"""Pictures of a desk."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from crmcore.charts import Chart, bar, heat_map
from crmcore.errors import EmptyInput

if TYPE_CHECKING:
    from crmcore.recovery.employees.covering import Coverage
    from crmcore.recovery.employees.readying import Readiness
    from crmcore.recovery.employees.routing import Routing
    from crmcore.recovery.employees.skills import SkillMatrix

__all__ = ["coverage_chart", "load_chart", "readiness_chart", "skills_chart"]


def load_chart(routing: Routing, /) -> Chart:
    """Share of each agent's capacity that is taken, the fullest first, numbered instead of named."""
    if not len(routing.load):
        raise EmptyInput("the desk", "there is no agent to draw")
    full = sorted((o / c for o, c in zip(routing.load.open_units, routing.capacity, strict=True)), reverse=True)
    said = f"{len(routing.assigned)} of {len(routing)} pieces of work handed out."
    labels = [f"agent {i + 1}" for i in range(len(full))]
    return bar(labels, full, title="How full agents are", description=said, axis="share of capacity", percent=True)


def coverage_chart(found: Coverage, /) -> Chart:
    """Share of slots with somebody missing, by need and hour of the local day."""
    if not len(found):
        raise EmptyInput("the coverage", "look at a span in which somebody is needed")
    hours, bad = found.local_hours(), found.missing > 0
    shown = sorted(set(hours.tolist()))
    rows = [f"{n.skill} {n.level}" for n in found.needs]
    cells: list[list[float | None]] = []
    for i in range(len(found.needs)):
        here = [(found.need == i) & (hours == h) for h in shown]
        cells.append([float(bad[m].mean()) if m.any() else None for m in here])
    said = f"{int(bad.sum())} of {len(found)} slots lack somebody."
    columns = [f"{h:02d}" for h in shown]
    title = f"Where cover is missing ({found.zone})"
    labels = [f"{row} ({i + 1})" if rows.count(row) > 1 else row for i, row in enumerate(rows)]
    return heat_map(labels, columns, cells, title=title, description=said, row_title="skill", column_title="hour")


def readiness_chart(found: Readiness, /) -> Chart:
    """Share of the staff that meets each need."""
    labels = [f"{p.need.skill} {p.need.level}" for p in found.parts]
    shown = [f"{label} ({i + 1})" if labels.count(label) > 1 else label for i, label in enumerate(labels)]
    shares = [p.have / p.staff for p in found.parts]
    title = "Ready" if found.ready else "Not ready"
    return bar(shown, shares, title=f"{title} on {found.on}", axis="share of the staff", percent=True)


def skills_chart(matrix: SkillMatrix, on: date, /) -> Chart:
    """How many agents hold each level of each skill, or a higher one."""
    levels = matrix.levels(on)
    top = int(levels.max(initial=0))
    if not top:
        raise EmptyInput("the skills of that day", "choose a day on which some certificate holds")
    steps = range(1, top + 1)
    cells = [[float((column >= step).sum()) for step in steps] for column in levels.T]
    said = f"Of {len(matrix.agents)} agents, by level."
    columns = [f"{step}" for step in steps]
    title = f"Who holds which skill on {on}"
    return heat_map(
        matrix.skills, columns, cells, title=title, description=said, row_title="skill", column_title="level or higher",
        percent=False,
    )  # fmt: skip
