"""Pictures of queues and staff plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import number_text
from crmcore.charts import Chart, line
from crmcore.errors import EmptyInput

if TYPE_CHECKING:
    from crmcore.recovery.employees.queues.calls import DayProfile
    from crmcore.recovery.employees.queues.needing import StaffNeeded
    from crmcore.recovery.employees.queues.planning import DayPlan
    from crmcore.recovery.employees.queues.simulating import BacklogRuns

__all__ = ["backlog_chart", "needed_chart", "plan_chart", "profile_chart"]


def needed_chart(needed: StaffNeeded, /) -> Chart:
    """Shares by number of agents: answered in time, giving up, and how busy agents are."""
    shown = {
        f"answered within {needed.targets.within_s:g} s": "service_level",
        "busy time of agents": "occupancy",
        "give up": "abandoned",
    }
    if needed.best.patience_s is None:
        del shown["give up"]
    x = [m.agents for _ in shown for m in needed.measures]
    y = [getattr(m, name) for name in shown.values() for m in needed.measures]
    series = [words for words in shown for _ in needed.measures]
    best = needed.best
    said = f"{best.agents} agents answer {100 * best.service_level:.1f} % within {best.within_s:g} s."
    title = f"By number of agents: {best.agents} are needed"
    return line(x, y, title=title, description=said, axis="share", series=series, percent=True)


def profile_chart(profile: DayProfile, /) -> Chart:
    """Mean arrivals by hour of the day, with Student's interval over days where there are several."""
    hours = [i * profile.interval_minutes / 60 for i in range(profile.counts.shape[1])]
    found = profile.estimates()
    title = f"Arrivals by hour of the day ({profile.zone})"
    said = f"Means over {len(profile.counts)} days, every {profile.interval_minutes} minutes."
    if len(profile.counts) < 2:
        return line(hours, [e.value for e in found], title=title, description=said, axis="arrivals")
    low, high = [e.low for e in found], [e.high for e in found]
    return line(hours, [e.value for e in found], title=title, description=said, axis="arrivals", low=low, high=high)


def plan_chart(plan: DayPlan, /) -> Chart:
    """Agents of each interval beside the load that they carry."""
    if not len(plan):
        raise EmptyInput("the plan", "plan at least one interval")
    hours = [i * plan.interval_minutes / 60 for i in range(len(plan))]
    parts = {"scheduled": plan.scheduled, "agents": plan.agents, "load (erlangs)": plan.load}
    if not plan.shrinkage:
        del parts["scheduled"]
    x = [h for _ in parts for h in hours]
    y = [float(v) for column in parts.values() for v in column]
    series = [name for name in parts for _ in hours]
    said = f"{number_text(plan.hours)} hours on the roster."
    title = f"Agents by hours from {plan.labels[0]} on"
    return line(x, y, title=title, description=said, axis="agents", series=series)


def backlog_chart(runs: BacklogRuns, /) -> Chart:
    """Open cases over time, with the span over runs."""
    found = runs.over_time()
    hours = [(i + 1) * runs.interval_minutes / 60 for i in range(len(found))]
    said = f"Mean of {len(runs)} runs; the band holds {100 * runs.level:g} % of them."
    low, high = [e.low for e in found], [e.high for e in found]
    y, title = [e.value for e in found], "Open cases by hours from the start"
    return line(hours, y, title=title, description=said, axis="cases", low=low, high=high)
