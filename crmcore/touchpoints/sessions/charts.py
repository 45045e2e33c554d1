"""Pictures of sessions: how long they lasted, and where two rules differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmcore.charts import Chart, bar
from crmcore.errors import EmptyInput

if TYPE_CHECKING:
    from crmcore.touchpoints.sessions.result import Sessions

__all__ = ["durations_chart"]

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
