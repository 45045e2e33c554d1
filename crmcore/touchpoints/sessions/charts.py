"""Pictures of sessions: how long they lasted, and where two rules differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmcore.charts import Chart, bar
from crmcore.errors import EmptyInput

if TYPE_CHECKING:
    from crmcore.touchpoints.sessions.comparing import RuleComparison, RuleTable
    from crmcore.touchpoints.sessions.result import Sessions

__all__ = ["bounce_chart", "difference_chart", "durations_chart"]

_EDGES_S = (0.0, 10.0, 60.0, 180.0, 600.0, 1800.0)
_LABELS = ("one moment", "up to 10 s", "10 s to 1 min", "1 to 3 min", "3 to 10 min", "10 to 30 min", "over 30 min")


def durations_chart(sessions: Sessions) -> Chart:
    """Share of sessions by how long they lasted, from the first to the last event that counts."""
    if not len(sessions):
        raise EmptyInput("the sessions", "draw at least one session")
    place = np.searchsorted(_EDGES_S, sessions.duration_s, side="left")
    shares = np.bincount(place, minlength=len(_LABELS)) / len(sessions)
    return bar(
        _LABELS,
        shares.tolist(),
        title="How long sessions last",
        description=f"Share of {len(sessions):,} sessions under the rule {sessions.rule.name}",
        percent=True,
    )


def difference_chart(found: RuleComparison) -> Chart:
    """Cuts that only one rule makes, by reason."""
    why = found.why()
    if not why:
        raise EmptyInput("differences", "both rules cut this log alike: there is nothing to draw")
    a, b = found.names
    return bar(
        list(why), [float(x + y) for x, y in why.values()], title=f"Cuts that only {a} or only {b} makes",
        description=f"{len(found.first):,} sessions under {a}, {len(found.second):,} under {b}",
    )  # fmt: skip


def bounce_chart(table: RuleTable) -> Chart:
    """Bounce rate of one log under each rule."""
    from crmcore.charts import dot_interval

    told = {name: s.bounce_rate(small_sample_ok=True) for name, s in table.sessions.items() if len(s)}
    rates = {name: e for name, e in told.items() if not np.isnan(e.value)}  # a rule may judge no session of this log
    if not rates:
        raise EmptyInput("the sessions", "draw at least one session")
    return dot_interval(
        list(rates), list(rates.values()), title="One log, one bounce rate for each rule", percent=True,
        description="Share of sessions that are a bounce, by the rule that cut and judged them",
    )  # fmt: skip
