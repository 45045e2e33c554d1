"""Charts of propensity models and of their quality."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crmcore.charts import Chart, bar, dot_interval, waterfall
from crmcore.charts.chart import TextLine, written
from crmcore.charts.theme import GREY, WIDTH
from crmcore.errors import EmptyInput
from crmcore.metrics.estimates import Estimate

if TYPE_CHECKING:
    from crmcore.idic.differentiate.propensity.logistic import LogisticModel
    from crmcore.idic.differentiate.propensity.reasons import Reasons
    from crmcore.idic.differentiate.propensity.scores import ReliabilityBin

__all__ = [
    "curve_chart",
    "effects_chart",
    "gain_chart",
    "importance_chart",
    "precision_chart",
    "reasons_chart",
    "reliability_chart",
]

Floats = NDArray[np.float64]


def effects_chart(model: LogisticModel, /, *, top: int, level: float) -> Chart:
    """Strongest coefficients as odds ratios with their intervals."""
    effects = [(n, e) for n, e in model.effects(level=level).items() if n != "(intercept)"][:top]
    if not effects:
        raise EmptyInput("the features of the model", "no column differs between rows: there is nothing to draw")
    ratios = [_ratio(e) for _, e in effects]
    return dot_interval(
        [n for n, _ in effects], ratios, title="Odds ratios", axis="times the odds", reference=1.0,
        description="Right of 1 raises the probability: a standard deviation more, or against the most frequent level.",
    )  # fmt: skip


def _ratio(e: Estimate) -> Estimate:
    value, low, high = (math.exp(min(v, 700.0)) for v in (e.value, e.low, e.high))
    return Estimate(value=value, low=low, high=high, level=e.level, n=e.n, rule="odds ratio", method=e.method)


def importance_chart(importance: Mapping[str, float], /, *, top: int = 15) -> Chart:
    """How much each feature moves the log odds."""
    held = list(importance.items())[:top] or [("(no feature differs)", 0.0)]
    return bar([n for n, _ in held], [v for _, v in held], title="What tells customers apart", axis="log odds (rms)")


def curve_chart(name: str, curve: Mapping[str, float], /) -> Chart:
    """Log odds of every bin of one feature."""
    return bar(list(curve), list(curve.values()), title=f"Effect of {name}", axis="log odds against the average")


def reasons_chart(reasons: Reasons, i: int, /, *, top: int) -> Chart:
    """One row from the average customer to its log odds."""
    held = reasons.row(i, top=top)
    rest = float(reasons.parts[i].sum()) - sum(r.log_odds for r in held)
    labels, steps = [f"{r.feature} {r.value}" for r in held], [r.log_odds for r in held]
    if abs(rest) > 1e-12 or not labels:
        labels, steps = [*labels, "all the rest"], [*steps, rest]
    return waterfall(
        labels, steps, title=f"Reasons of row {i}", start=reasons.base, start_label="average customer",
        total_label="this row", axis="log odds", description=reasons.sentence(i),
    )  # fmt: skip


def reliability_chart(bins: Sequence[ReliabilityBin], /) -> Chart:
    """Predicted against happened, with Wilson intervals and the diagonal on which both agree."""
    rows = tuple(
        {"predicted": b.predicted, "happened": b.happened.value, "low": b.happened.low, "high": b.happened.high,
         "n": b.happened.n} for b in bins
    )  # fmt: skip
    end = min(1.0, 1.05 * max(max(r["predicted"], r["high"]) for r in rows))
    scale = {"domain": [0, end], "nice": False}
    x = {"field": "predicted", "type": "quantitative", "title": "predicted", "scale": scale, "axis": _percent()}
    y = {"type": "quantitative", "title": "happened", "scale": scale, "axis": _percent()}
    layers = [
        line_layer([{"x": 0, "y": 0}, {"x": end, "y": end}]),
        {"mark": {"type": "rule", "strokeWidth": 2},
         "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}}},
        {"mark": {"type": "point"}, "encoding": {"x": x, "y": {**y, "field": "happened"}}},
    ]  # fmt: skip
    lines = tuple(
        TextLine(
            f"predicted {written(b.predicted, percent=True)}",
            f"happened {written(b.happened.value, percent=True)}", b.happened.value,
        ) for b in bins
    )  # fmt: skip
    said = "Dots on the dashed line: as many as predicted. Bars are 95 % intervals of what happened."
    return Chart("Reliability", said, {"width": 320, "height": 320, "layer": layers}, rows, lines)


def gain_chart(shares: Floats, captured: Floats, /, *, lift: bool) -> Chart:
    """Share reached (or lift) by share of customers contacted, the most probable first."""
    at = np.linspace(0, 1, 51)
    reached = np.interp(at, shares, captured)
    if lift:
        at, reached = at[1:], reached[1:] / at[1:]
    rows = tuple({"contacted": float(a), "reached": float(b)} for a, b in zip(at, reached, strict=True))
    name = "lift" if lift else "share of all who act"
    title = "Lift" if lift else "Gain"
    base = [{"x": 0, "y": 1 if lift else 0}, {"x": 1, "y": 1}]
    return curves_chart(
        rows, x="contacted", y="reached", title=title, x_title="customers contacted, most probable first", y_title=name,
        base=base, percent=not lift, description="The dashed line is a random order.",
    )  # fmt: skip


def precision_chart(shares: Floats, captured: Floats, /, *, rate: float) -> Chart:
    """Share of the contacted who act, by the share reached of all who act."""
    at, reached = shares[1:], captured[1:]
    keep = np.unique(np.searchsorted(reached, np.linspace(0.01, 1.0, 100)).clip(0, len(reached) - 1))
    rows = tuple(
        {"reached": float(r), "precision": float(rate * r / a)} for a, r in zip(at[keep], reached[keep], strict=True)
    )
    return curves_chart(
        rows, x="reached", y="precision", title="Precision and recall", x_title="recall: share of all who act",
        y_title="precision: share of the contacted who act", base=[{"x": 0, "y": rate}, {"x": 1, "y": rate}],
        percent=True, description="The dashed line is a random order.",
    )  # fmt: skip


def curves_chart(
    rows: tuple[Mapping[str, Any], ...], /, *, x: str, y: str, title: str, x_title: str, y_title: str,
    base: Sequence[Mapping[str, float]], description: str, percent: bool = False, band: bool = False,
    steps: bool = False, series: str = "", x_percent: bool = True,
) -> Chart:  # fmt: skip
    """A line over x, with a band where rows have low and high, and a dashed line to compare with."""
    x_axis = {"format": ".0%", "tickCount": 5, "grid": False} if x_percent else {"tickCount": 8, "grid": False}
    across = {"field": x, "type": "quantitative", "title": x_title, "axis": x_axis, "scale": {"nice": False}}
    up: dict[str, Any] = {"type": "quantitative", "title": y_title, "axis": _percent() if percent else {"tickCount": 5}}
    mark: dict[str, Any] = {"type": "line", **({"interpolate": "step-after"} if steps else {})}
    colour = {"color": {"field": series, "type": "nominal", "title": None}} if series else {}
    layers: list[dict[str, Any]] = [line_layer(base)] if base else []
    if band:
        area = {"type": "area", "opacity": 0.18, **({"interpolate": "step-after"} if steps else {})}
        ends = {"y": {**up, "field": "low"}, "y2": {"field": "high"}}
        layers.append({"mark": area, "encoding": {"x": across, **ends, **colour}})
    layers.append({"mark": mark, "encoding": {"x": across, "y": {**up, "field": y}, **colour}})
    shown = rows[:: max(1, len(rows) // 20)]
    lines = tuple(
        TextLine(
            f"{r.get(series, '')} {written(r[x], percent=x_percent)}".strip(), written(r[y], percent=percent), r[y]
        )
        for r in shown
    )
    return Chart(title, description, {"width": WIDTH, "height": 260, "layer": layers}, tuple(rows), lines)


def line_layer(points: Sequence[Mapping[str, float]], /) -> dict[str, Any]:
    """A dashed grey line through points."""
    encoding = {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}}
    mark = {"type": "line", "strokeDash": [4, 4], "color": GREY, "strokeWidth": 1}
    return {"data": {"values": list(points)}, "mark": mark, "encoding": encoding}


def _percent() -> dict[str, Any]:
    return {"format": ".0%", "tickCount": 5}
