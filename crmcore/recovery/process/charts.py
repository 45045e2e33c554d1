"""Pictures of causes: rows and specs only, nothing is computed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore.charts import Chart, dot_interval
from crmcore.charts.chart import TextLine, written
from crmcore.charts.theme import INK, ROW_HEIGHT, WIDTH
from crmcore.errors import EmptyInput

if TYPE_CHECKING:
    from crmcore.recovery.process.causes.findings import Causes
    from crmcore.recovery.process.causes.pareto_table import Pareto

__all__ = ["causes_chart", "pareto_chart"]


def causes_chart(causes: Causes, /) -> Chart:
    """Odds ratios of findings as dots with their intervals; 1 is "no effect"."""
    found = causes.all_findings
    if not found:
        raise EmptyInput("the list of findings", "nothing stood out: there is nothing to draw")
    return dot_interval(
        [str(f.region) for f in found],
        [f.odds_ratio for f in found],
        title="What makes cases fail",
        description=f"{causes.failures:,} failures in {causes.cases:,} cases",
        axis="odds of failure against like cases",
        reference=1.0,
    )


def pareto_chart(table: Pareto, /) -> Chart:
    """Bars of failures, largest first, each with the share that it and those above hold."""
    rows = tuple(
        {
            "label": r.name,
            "failures": r.failures,
            "cumulative": r.cumulative,
            "text": f"{written(r.cumulative, percent=True)}",
        }
        for r in table.rows
    )
    y = {"field": "label", "type": "nominal", "sort": None, "title": None, "axis": {"domain": False}}
    bars = {
        "mark": {"type": "bar", "height": {"band": 0.7}},
        "encoding": {"x": {"field": "failures", "type": "quantitative", "title": "failures", "axis": {"tickCount": 5}}},
    }
    so_far = {
        "mark": {"type": "line", "point": True, "color": INK},
        "encoding": {
            "order": {"field": "cumulative", "type": "quantitative"},
            "x": {
                "field": "cumulative",
                "type": "quantitative",
                "title": "share of all failures so far",
                "scale": {"domain": [0, 1]},
                "axis": {"format": ".0%", "tickCount": 5, "orient": "top", "grid": False},
            },
        },
    }
    spec = {
        "width": WIDTH,
        "height": {"step": ROW_HEIGHT},
        "encoding": {"y": y},
        "resolve": {"scale": {"x": "independent"}},
        "layer": [bars, so_far],
    }
    lines = tuple(TextLine(r.name, f"{r.failures:,.0f}, so far {r.cumulative:.0%}", r.failures) for r in table.rows)
    total = f"{table.total:,.0f} failures"
    return Chart("Which causes hold most failures", total, spec, rows, lines)
