"""Pictures of corrected shares: rows and specs only, nothing is computed here."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from crmcore.charts import Chart, bar, dot_interval
from crmcore.charts.chart import TextLine, written
from crmcore.charts.theme import GREY, INK, ROW_HEIGHT, WIDTH

if TYPE_CHECKING:
    from crmcore.listening.shares.correcting import CorrectedSentiment
    from crmcore.listening.shares.industry import IndustryIndex
    from crmcore.listening.shares.voice import Voice

__all__ = ["industry_chart", "sentiment_chart", "voice_chart"]

AXIS = "net sentiment: share positive minus share negative"


def sentiment_chart(found: CorrectedSentiment, *, title: str = "") -> Chart:
    """Corrected dots with intervals, the classifier's own level as a hollow dot beside each."""
    shown = (found.total, *(found.brands if len(found.brands) > 1 else ()))
    rows = [{"label": s.name, "value": s.net.value, "low": s.net.low, "high": s.net.high, "raw": s.raw} for s in shown]
    y = {"field": "label", "type": "nominal", "sort": None, "title": None, "axis": {"domain": False}}
    x: dict[str, Any] = {"type": "quantitative", "title": AXIS, "scale": {"zero": True, "nice": True}}
    x["axis"] = {"tickCount": 6}
    layers: list[dict[str, Any]] = [
        {
            "mark": {"type": "rule", "strokeDash": [4, 4], "color": GREY},
            "data": {"values": [{"at": 0}]},
            "encoding": {"x": {"field": "at", "type": "quantitative"}},
        },
        {
            "mark": {"type": "point", "filled": False, "shape": "diamond", "size": 60, "color": GREY},
            "encoding": {"y": y, "x": {**x, "field": "raw"}},
        },
    ]
    if found.corrected:
        layers += [
            {
                "mark": {"type": "rule", "strokeWidth": 2, "color": INK},
                "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}},
            },
            {"mark": {"type": "point"}, "encoding": {"y": y, "x": {**x, "field": "value"}}},
        ]
    else:
        rows = [{"label": r["label"], "raw": r["raw"]} for r in rows]
    spec = {"width": WIDTH, "height": {"step": ROW_HEIGHT}, "layer": layers}
    lines = tuple(TextLine(s.name, _text(s.net.value, s.net.low, s.net.high), s.net.value) for s in shown)
    heading = title or ("Net sentiment, corrected (diamonds: as the classifier has it)" if found.corrected else "")
    about = f"Net sentiment of {found.total.posts} posts, {found.total.labelled} labelled."
    return Chart(heading or "Net sentiment, uncorrected: ranking only", about, spec, tuple(rows), lines)


def _text(value: float, low: float, high: float) -> str:
    if math.isnan(low):
        return written(value)
    return f"{written(value)} [{written(low)}, {written(high)}]"


def industry_chart(found: IndustryIndex, *, title: str = "") -> Chart:
    """The industry above its brands."""
    labels = ["industry", *(b.name for b in found.sentiment.brands)]
    estimates = [found.net, *(b.net for b in found.sentiment.brands)]
    if not found.sentiment.corrected:
        heading = title or "Net sentiment, uncorrected: ranking only"
        return bar(labels, [e.value for e in estimates], title=heading, description=str(found), axis=AXIS)
    heading = title or f"Industry: {found.verdict}"
    return dot_interval(labels, estimates, title=heading, description=str(found), axis=AXIS, reference=0.0)


def voice_chart(found: Voice, *, title: str) -> Chart:
    """Dots with intervals; with several measures each label names its own."""
    single = len(found.measures) == 1
    labels = [r.brand if single else f"{r.brand}, {r.by}" for r in found.rows]
    about = f"Share of voice in {found.posts} posts."
    return dot_interval(labels, [r.share for r in found.rows], title=title, description=about, percent=True)
