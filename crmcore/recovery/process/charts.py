"""Pictures of causes and of control charts: rows and specs only, nothing is computed here."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

import attrs

from crmcore._base import number_text
from crmcore.charts import Chart, dot_interval
from crmcore.charts.chart import TextLine, written
from crmcore.charts.theme import GREY, ORANGE, ROW_HEIGHT, WIDTH
from crmcore.errors import EmptyInput
from crmcore.recovery.process.causes.pareto_table import REST

if TYPE_CHECKING:
    from crmcore.recovery.process.causes.findings import Causes
    from crmcore.recovery.process.causes.pareto_table import Pareto
    from crmcore.recovery.process.control.control_charts import ControlChart
    from crmcore.recovery.process.control.cusum_chart import Cusum

__all__ = ["causes_chart", "control_chart_picture", "cusum_picture", "pareto_chart"]


_ROUND_ODDS = (0.001, 0.01, 0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 20, 50, 100, 1000)


def causes_chart(causes: Causes, /) -> Chart:
    """Odds ratios of findings as dots with their intervals on a logarithmic axis; 1 is "no effect"."""
    found = causes.all_findings
    if not found:
        raise EmptyInput("the list of findings", "nothing stood out: there is nothing to draw")
    odds = [f.odds_ratio for f in found]
    made = dot_interval(
        [str(f.region) for f in found],
        odds,
        title="What makes cases fail",
        description=f"{causes.failures:,} failures in {causes.cases:,} cases",
        axis="odds of failure against like cases",
        reference=1.0,
    )
    ends = [1.0, *(e.low for e in odds), *(e.high for e in odds)]
    scale: dict[str, Any] = {"type": "log", "domain": [min(ends) * 0.8, max(ends) * 1.25], "nice": False}
    shown = [x for x in _ROUND_ODDS if scale["domain"][0] <= x <= scale["domain"][1]]
    spec: dict[str, Any] = copy.deepcopy(dict(made.spec))
    for layer in spec["layer"]:
        layer["encoding"]["x"]["scale"] = scale
        layer["encoding"]["x"]["axis"] = {"values": shown}
    return attrs.evolve(made, spec=spec)


def pareto_chart(table: Pareto, /) -> Chart:
    """Bars of failures, largest first, each with the share that it and those above hold; the rest pale."""
    rows = tuple(
        {
            "label": r.name,
            "failures": r.failures,
            "cumulative": r.cumulative,
            "text": f"{r.failures:,.0f}, so far {written(r.cumulative, percent=True)}",
            "rest": r.name == REST,
        }
        for r in table.rows
    )
    top = max(r.failures for r in table.rows)
    x = {
        "field": "failures",
        "type": "quantitative",
        "title": "failures",
        "axis": {"tickCount": 5},
        "scale": {"domain": [0, 1.35 * max(top, 1e-9)], "nice": False},
    }
    pale = {"condition": {"test": "datum.rest", "value": 0.35}, "value": 1}
    spec = {
        "width": WIDTH,
        "height": {"step": ROW_HEIGHT},
        "encoding": {
            "y": {"field": "label", "type": "nominal", "sort": None, "title": None, "axis": {"domain": False}},
            "x": x,
        },
        "layer": [
            {"mark": {"type": "bar", "height": {"band": 0.7}}, "encoding": {"opacity": pale}},
            {"mark": {"type": "text", "align": "left", "dx": 5}, "encoding": {"text": {"field": "text"}}},
        ],
    }
    lines = tuple(TextLine(r.name, f"{r.failures:,.0f}, so far {r.cumulative:.0%}", r.failures) for r in table.rows)
    return Chart("Which causes hold most failures", f"{table.total:,.0f} failures", spec, rows, lines)


_POINT: dict[str, Any] = {"field": "point", "type": "quantitative", "title": "point", "axis": {"grid": False}}
_TITLES = {
    "xmr": "Single values and their natural limits",
    "p": "Share of failures",
    "u": "Events per unit",
    "c": "Events per period",
}


def control_chart_picture(made: ControlChart, /) -> Chart:
    """Points joined in order of time, centre and limits as steps, points that break a rule in another colour."""
    rows = tuple(
        {
            "point": i + 1,
            "label": made.labels[i],
            "value": _cell(made.values[i]),
            "centre": _cell(made.centre[i]),
            "lower": _cell(made.lower[i]),
            "upper": _cell(made.upper[i]),
            "phase": made.phase[i],
            "rules": "; ".join(made.rules_at(i)),
        }
        for i in range(len(made))
    )
    share = made.kind == "p"
    y = {
        "type": "quantitative",
        "title": None,
        "scale": {"zero": False},
        "axis": {"tickCount": 5, **({"format": ".0%"} if share else {})},
    }
    limit = {"type": "line", "interpolate": "step", "color": GREY, "strokeWidth": 1.5}
    by_phase = {"detail": {"field": "phase"}}
    layers: list[dict[str, Any]] = [
        {
            "mark": {**limit, **({} if name == "centre" else {"strokeDash": [5, 4]})},
            "encoding": {"x": _POINT, "y": {"field": name, **y}, **by_phase},
        }
        for name in ("centre", "lower", "upper")
    ]
    layers.append(
        {
            "mark": {"type": "line", "point": {"size": 30} if len(made) <= 100 else False},
            "encoding": {"x": _POINT, "y": {"field": "value", **y}, **by_phase},
        }
    )
    layers.append(
        {
            "transform": [{"filter": "datum.rules != ''"}],
            "mark": {"type": "point", "color": ORANGE, "size": 110},
            "encoding": {
                "x": _POINT,
                "y": {"field": "value", **y},
                "tooltip": [{"field": "label"}, {"field": "value"}, {"field": "rules"}],
            },
        }
    )
    spec = {"width": WIDTH, "height": 240, "layer": layers}
    lines = tuple(_line(str(r["label"]), made.values[i], str(r["rules"])) for i, r in enumerate(rows))
    said = f"{len(made.signals)} signals in {len(made)} points; limits at 3 sigma from {made.spread}"
    return Chart(_TITLES[made.kind], said, spec, rows, lines)


def cusum_picture(made: Cusum, /) -> Chart:
    """Both sums in units of sigma, the lower one downwards, with their thresholds and the points of signals."""
    at = {d.position for d in made.drifts}
    rows = tuple(
        {
            "point": i + 1,
            "label": made.labels[i],
            "sum": _cell(sign * column[i]),
            "side": side,
            "drift": i in at and bool(column[i] > made.threshold),
        }
        for side, sign, column in (("above", 1.0, made.above), ("below", -1.0, made.below))
        for i in range(len(made.values))
    )
    y = {"field": "sum", "type": "quantitative", "title": "sum, in sigma", "axis": {"tickCount": 5}}
    colour = {"field": "side", "type": "nominal", "title": None, "sort": ["above", "below"]}
    edges = [{"at": made.threshold}, {"at": -made.threshold}]
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": edges},
            "mark": {"type": "rule", "strokeDash": [5, 4], "color": GREY},
            "encoding": {"y": {"field": "at", "type": "quantitative"}},
        },
        {"mark": {"type": "line"}, "encoding": {"x": _POINT, "y": y, "color": colour}},
        {
            "transform": [{"filter": "datum.drift"}],
            "mark": {"type": "point", "color": ORANGE, "size": 110},
            "encoding": {"x": _POINT, "y": y},
        },
    ]
    spec = {"width": WIDTH, "height": 240, "layer": layers}
    lines = tuple(
        _line(made.labels[i], made.above[i] - made.below[i], "drift" if i in at else "")
        for i in range(len(made.values))
    )
    said = f"target {number_text(made.target)}, {len(made.drifts)} drifts in {len(made.values)} points"
    return Chart("Cumulative sums against the target", said, spec, rows, lines)


def _cell(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _line(label: str, value: float, note: str) -> TextLine:
    shown = "-" if math.isnan(value) else number_text(float(value))
    return TextLine(label, f"{shown} !" if note else shown, abs(float(value)))
