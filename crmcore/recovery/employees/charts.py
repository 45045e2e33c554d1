"""Pictures of staff and queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore.charts import Chart, line

if TYPE_CHECKING:
    from crmcore.recovery.employees.needing import StaffNeeded

__all__ = ["needed_chart"]


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
    return line(
        x, y, title=f"{best.agents} agents are needed", description=said, axis="share", series=series, percent=True
    )
