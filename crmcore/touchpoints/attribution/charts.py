"""Pictures of credit: dots with intervals, one model or several."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from crmcore.charts import Chart, dot_interval
from crmcore.charts.chart import TextLine, written
from crmcore.charts.theme import PALETTE, ROW_HEIGHT, WIDTH
from crmcore.metrics.estimates import Estimate, estimate_of

if TYPE_CHECKING:
    from crmcore.touchpoints.attribution.attributing import ModelComparison
    from crmcore.touchpoints.attribution.result import Attribution, SpendTable

__all__ = ["comparison_chart", "credit_chart", "return_chart"]


def _shown(e: Estimate) -> Estimate:
    """Estimate whose missing ends are the value."""
    low, high = (e.value if not math.isfinite(v) else v for v in (e.low, e.high))
    return estimate_of(e.value, low, high, level=e.level, n=e.n, rule=e.rule, method=e.method)


def credit_chart(found: Attribution) -> Chart:
    """Dots with intervals, the most credited channel first."""
    order = sorted(range(len(found)), key=lambda i: -found.credit[i].value)
    return dot_interval(
        [found.channels[i] for i in order], [_shown(found.credit[i]) for i in order],
        title=f"Credited conversions, {found.model}", description="; ".join(found.assumptions), axis="conversions",
    )  # fmt: skip


def return_chart(found: SpendTable) -> Chart:
    """Return on spend with intervals."""
    rows = [r for r in found.rows if math.isfinite(r.return_on_spend.value)]
    return dot_interval(
        [r.channel for r in rows], [_shown(r.return_on_spend) for r in rows],
        title=f"Value per money spent, {found.model}",
        description="The dashed line is where a channel earns what it costs", axis="value / cost", reference=1.0,
    )  # fmt: skip


def comparison_chart(found: ModelComparison) -> Chart:
    """Dots with intervals, the models of each channel below each other."""
    models = [r.model for r in found.results]
    rows: list[dict[str, Any]] = []
    lines: list[TextLine] = []
    for c in found.channels:
        for r in found.results:
            e = _shown(r[c])
            rows.append({"channel": c, "model": r.model, "value": e.value, "low": e.low, "high": e.high})
            lines.append(TextLine(f"{c}, {r.model}", written(e.value), max(e.value, 0.0)))
    y = {"field": "channel", "type": "nominal", "sort": list(found.channels), "title": None}
    offset = {"field": "model", "type": "nominal", "sort": models}
    colour = {"field": "model", "type": "nominal", "sort": models, "title": None, "scale": {"range": list(PALETTE)}}
    x = {"field": "value", "type": "quantitative", "title": "credited conversions", "scale": {"zero": True}}
    shared = {"y": y, "yOffset": offset, "color": colour}
    spec = {
        "width": WIDTH,
        "height": {"step": max(ROW_HEIGHT * 0.5, 9), "for": "offset"},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 1.5},
                "encoding": {**shared, "x": {**x, "field": "low"}, "x2": {"field": "high"}},
            },
            {"mark": {"type": "point", "filled": True, "size": 40}, "encoding": {**shared, "x": x}},
        ],
    }  # fmt: skip
    return Chart(
        "Credited conversions by model", "The same journeys, shared by different rules", spec, tuple(rows), tuple(lines)
    )
