"""Pictures of trends: rows and specs only, nothing is computed here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmcore._base import number_text
from crmcore.charts import Chart
from crmcore.charts.chart import TextLine
from crmcore.charts.theme import ROW_HEIGHT, WIDTH
from crmcore.errors import EmptyInput

if TYPE_CHECKING:
    from crmcore.listening.trends.results import Trends

__all__ = ["trends_chart"]

Y: dict[str, Any] = {"field": "label", "type": "nominal", "sort": None, "title": None, "axis": {"domain": False}}


def trends_chart(found: Trends, *, limit: int) -> Chart:
    """Bars from begin to end of the surest bursts, with how many times the usual was reached."""
    shown = sorted(found.trends[:limit], key=lambda t: (t.began_at, t.term))
    if not shown:
        raise EmptyInput("the trends", "nothing was found, so there is nothing to draw")
    often = [t.term for t in shown]
    rows = tuple(
        {
            "label": t.term if often.count(t.term) == 1 else f"{t.term}, {t.began_at:%d %b %H:%M}",
            "began_at": t.began_at.isoformat(),
            "last_at": t.last_at.isoformat(),
            "alarm_at": t.alarm_at.isoformat(),
            "lift": t.lift.value,
            "text": f"{number_text(t.lift.value)}x",
        }
        for t in shown
    )
    x: dict[str, Any] = {"type": "temporal", "title": None, "axis": {"tickCount": 6}}
    spec = {
        "width": WIDTH,
        "height": {"step": ROW_HEIGHT},
        "layer": [
            {
                "mark": {"type": "bar", "height": {"band": 0.6}},
                "encoding": {"y": Y, "x": {**x, "field": "began_at"}, "x2": {"field": "last_at"}},
            },
            {
                "mark": {"type": "tick", "thickness": 2, "color": "white"},
                "encoding": {"y": Y, "x": {**x, "field": "alarm_at"}},
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 5},
                "encoding": {"y": Y, "x": {**x, "field": "last_at"}, "text": {"field": "text"}},
            },
        ],
    }
    lines = tuple(
        TextLine(str(r["label"]), f"{r['text']} from {t.began_at:%Y-%m-%d %H:%M}", t.lift.value)
        for r, t in zip(rows, shown, strict=True)
    )
    about = f"The surest {len(shown)} of {len(found)} bursts; white marks are alarms, numbers are posts over the usual."
    return Chart("Terms used more than usual", about, spec, rows, lines)
