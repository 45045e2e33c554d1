"""Pictures of trends: rows and specs only, nothing is computed here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from crmcore._base import number_text
from crmcore.charts import Chart, dot_interval
from crmcore.charts.chart import TextLine
from crmcore.charts.theme import ROW_HEIGHT, WIDTH
from crmcore.errors import EmptyInput

if TYPE_CHECKING:
    from crmcore.listening.trends.moods import Moods
    from crmcore.listening.trends.problems import WeeklyProblems
    from crmcore.listening.trends.results import Trends

__all__ = ["moods_chart", "problems_chart", "trends_chart"]

Y: dict[str, Any] = {"field": "label", "type": "nominal", "sort": None, "title": None, "axis": {"domain": False}}


def trends_chart(found: Trends, *, limit: int) -> Chart:
    """Bars from begin to end of the surest bursts, with how many times the usual was reached."""
    shown = sorted(found.trends[:limit], key=lambda t: (t.began_at, t.term))
    if not shown:
        raise EmptyInput("the trends", "nothing was found, so there is nothing to draw")
    labels = distinct([t.term for t in shown], [f"{t.began_at:%d %b %H:%M}" for t in shown])
    rows = tuple(
        {
            "label": label,
            "began_at": t.began_at.isoformat(),
            "last_at": t.last_at.isoformat(),
            "alarm_at": t.alarm_at.isoformat(),
            "lift": t.lift.value,
            "text": "new" if t.rare else f"{number_text(t.lift.value)}x",
        }
        for label, t in zip(labels, shown, strict=True)
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


def moods_chart(found: Moods, *, limit: int) -> Chart:
    """Net sentiment in each burst with its interval; labels name the verdict."""
    shown = [m for m in found if math.isfinite(m.test.first.low + m.test.first.high)][:limit]
    if not shown:
        raise EmptyInput("the bursts", "none has an interval to draw")
    labels = distinct(
        [f"{m.burst.name} ({m.verdict})" for m in shown], [f"{m.burst.began_at:%d %b %H:%M}" for m in shown]
    )
    title = "Net sentiment of the voices in each burst"
    return dot_interval(
        labels, [m.test.first for m in shown], title=title, description=repr(found), axis="net sentiment", reference=0.0
    )


def problems_chart(found: WeeklyProblems) -> Chart:
    """Shares of the voices with intervals; labels name the change."""
    if not len(found):
        raise EmptyInput("the problems", "nothing was found, so there is nothing to draw")
    title = f"Complaints since {found.since:%d %B %Y}"
    return dot_interval(
        [f"{p.name} ({p.change})" for p in found], [p.share for p in found], title=title,
        description=f"Share of {found.people} people who complained of each.", axis="share of people", percent=True,
    )  # fmt: skip


def distinct(labels: Sequence[str], more: Sequence[str], /) -> list[str]:
    """Labels that repeat, told apart by what is added."""
    return [a if labels.count(a) == 1 else f"{a}, {b}" for a, b in zip(labels, more, strict=True)]
