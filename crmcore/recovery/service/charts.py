"""Pictures of service levels: rows and specs only, nothing is computed here."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from crmcore.charts import Chart, dot_interval
from crmcore.errors import EmptyInput

if TYPE_CHECKING:
    from crmcore.recovery.service.reporting import ServiceReport

__all__ = ["service_chart"]


def service_chart(report: ServiceReport, clock: str, by: str | None, /) -> Chart:
    """Shares kept as dots with their intervals; the line is the goal, or the share of all."""
    rows = [r for r in report.rows if r.clock == clock and (by is None or r.by == by)]
    drawn = [(r, r.share) for r in rows if r.share is not None and math.isfinite(r.share.low + r.share.high)]
    if not drawn:
        raise EmptyInput(
            f"the rows of {clock!r}", "draw a clock that has targets, by something that the report went by"
        )
    first = drawn[0][0]
    whole = [r.share.value for r in report.rows if r.clock == clock and r.by == "all" and r.share is not None]
    return dot_interval(
        [
            (r.group if r.by in ("all", by) else f"{r.by} {r.group}") + (" (small n)" if r.small else "")
            for r, _ in drawn
        ],
        [share for _, share in drawn],
        title=f"Promises kept: {clock}",
        description=f"Share within the target, open cases censored, {100 * report.level:g} % intervals",
        axis="share kept",
        percent=True,
        reference=first.goal if first.goal is not None else (whole[0] if whole else None),
    )
