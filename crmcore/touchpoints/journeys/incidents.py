"""Days in which journeys went otherwise: which step came more or less often, for whom, and from when to when."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np

from crmcore._base import Progress
from crmcore.errors import OutOfRange
from crmcore.metrics.incidents import Incidents, find_incidents
from crmcore.tables import TextColumn
from crmcore.touchpoints.journeys.table import Journeys

__all__ = ["step_incidents"]

DAY_US = 86_400_000_000


def step_incidents(
    journeys: Journeys, /, *, by: TextColumn | None = None, least: int = 20, progress: Progress | bool = False,
    **settings: Any,
) -> Incidents:  # fmt: skip
    """Find windows of days in which steps came more or less often than around them.

    One series a step, and one a step and segment: journeys begun on a day (UTC) that hold the step, of all that were
    begun on it. All series are one family, so looking at many steps does not make more false alarms.

    Parameters
    ----------
    journeys : Journeys
    by : (m,) text, optional
        Segment of each journey, such as its platform; see `Journeys.labels`.
    least : count
        Series with fewer journeys that hold the step are left out.
    settings
        Of `crmcore.metrics.incidents.find_incidents`: `alarms_a_year`, `longest`, `around`, `seed` and others.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> day = np.sort(rng.integers(0, 90, 6000))
    >>> fails = (day >= 40) & (day < 50) & (rng.random(6000) < 0.5)
    >>> walks = Journeys.of(
    ...     [["look", "error"] if f else ["look", "buy"] for f in fails],
    ...     times_s=[[86_400 * d, 86_400 * d + 9] for d in day],
    ... )
    >>> print(step_incidents(walks, longest=30))
    1 incidents in 90 days of 2 series; clean days give 0.5 a year
      1970-02-10 to 1970-02-19: more error, 45.2% for 0.0%; also buy
    """
    first = journeys.first_us // DAY_US
    origin = int(first.min())
    day = (first - origin).astype(np.int64)
    days = int(day.max()) + 1
    segments: list[tuple[str, Any]] = [("", np.ones(len(journeys), np.bool_))]
    if by is not None:
        if len(by) != len(journeys):
            raise OutOfRange("len(by)", len(by), f"{len(journeys)}, one a journey", "use journeys.labels(column)")
        segments += [(f" ({v})", by.equals(v)) for v in by.values]
    series = {}
    for s, name in enumerate(journeys.steps):
        holds = np.zeros(len(journeys), np.bool_)
        holds[journeys.journey[journeys.step == s]] = True
        for suffix, here in segments:
            won, tried = np.bincount(day[holds & here], minlength=days), np.bincount(day[here], minlength=days)
            if least <= won.sum() < tried.sum():
                series[f"{name}{suffix}"] = (won, tried)
    return find_incidents(series, start=date(1970, 1, 1) + timedelta(days=origin), progress=progress, **settings)
