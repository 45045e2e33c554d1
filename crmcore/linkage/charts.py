"""Pictures of linkage: explanation waterfalls, weights, sizes, scores and thresholds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from crmcore.charts import Chart, waterfall

if TYPE_CHECKING:
    from crmcore.linkage.explanation import Explanation

__all__ = ["explanation_chart"]

NATS_PER_BIT = math.log(2.0)


def explanation_chart(why: Explanation, /) -> Chart:
    """Waterfall of an explanation, in bits, strongest field first."""
    labels = [f"{b.field}: {b.agreement}" for b in why.ranked]
    steps = [b.bits for b in why.ranked]
    if why.n_judgements:
        labels.append(f"{why.n_judgements} judgements")
        steps.append(why.judgements / NATS_PER_BIT)
    cut = why.verdict.cut
    needed = math.log2(cut / (1 - cut)) if 0 < cut < 1 else None
    return waterfall(
        labels,
        steps,
        title=f"{why.left} and {why.right}",
        description=f"Evidence that both records are one: {why.verdict}. {why.likeliest}.",
        start=why.start / NATS_PER_BIT,
        start_label="before any field",
        total_label="together",
        axis="log-odds in bits; the dashed line is what a pair needs",
        threshold=needed,
    )
