"""Pictures of business time: the days of an explanation, hour by hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from crmcore._base import number_text
from crmcore.charts import Chart
from crmcore.charts.chart import TextLine
from crmcore.charts.theme import BLUE, PALETTE, ROW_HEIGHT, WIDTH
from crmcore.errors import EmptyInput

if TYPE_CHECKING:
    from crmcore.calendars.explanation import TimeExplanation, TimeSpan

__all__ = ["explanation_chart"]

MOST_DAYS = 40


def explanation_chart(why: TimeExplanation, /) -> Chart:
    """One row a local day, hours across: what counted in blue, what was skipped by its reason.

    Days beyond the first forty are left out and said so. An hour that the clock shows twice is drawn over itself.
    """
    rows = [row for span in why.spans for row in _days(span)]
    if not rows:
        raise EmptyInput("the explanation", "explain more than 0 minutes to draw them")
    days = sorted({row["day"] for row in rows})
    shown = [row for row in rows if row["day"] in days[:MOST_DAYS]]
    reasons = list(dict.fromkeys(row["reason"] for row in shown))
    skipped = [colour for colour in PALETTE if colour != BLUE]
    colours = {r: BLUE if r == "open" else skipped[i % len(skipped)] for i, r in enumerate(sorted(reasons))}
    spec: dict[str, Any] = {
        "width": WIDTH,
        "height": {"step": ROW_HEIGHT},
        "mark": {"type": "bar", "height": {"band": 0.7}},
        "encoding": {
            "y": {"field": "label", "type": "nominal", "sort": None, "title": None, "axis": {"domain": False}},
            "x": {
                "field": "from",
                "type": "quantitative",
                "title": "hour of the local day",
                "scale": {"domain": [0, 24], "nice": False},
                "axis": {"values": list(range(0, 25, 3))},
            },
            "x2": {"field": "to"},
            "color": {
                "field": "reason",
                "type": "nominal",
                "title": None,
                "scale": {"domain": list(colours), "range": list(colours.values())},
            },
        },
    }
    left = f"; {len(days) - MOST_DAYS} more days are not drawn" if len(days) > MOST_DAYS else ""
    lines = tuple(
        TextLine(f"{span.start:%a %Y-%m-%d %H:%M} {span.reason}", f"{number_text(span.minutes)} min", span.minutes)
        for span in why.spans
        if span.minutes
    )
    title = f"{number_text(why.counted_minutes)} business minutes in {why.calendar}"
    return Chart(title, f"{why._headline()}{left}", spec, tuple(shown), lines)


def _days(span: TimeSpan) -> Iterator[dict[str, Any]]:
    """Pieces of a span by local day, in hours of the wall clock."""
    at = span.start
    end = at + (span.end - at)  # in the offset of the start, which holds for the whole span
    while at < end:
        since = at.replace(hour=0, minute=0, second=0, microsecond=0)
        until = min(end, since + timedelta(days=1))
        yield {
            "day": at.date().isoformat(),
            "label": f"{at:%a %d %b}",
            "from": (at - since).total_seconds() / 3600,
            "to": (until - since).total_seconds() / 3600,
            "reason": span.reason.value,
            "detail": span.detail,
        }
        at = until
