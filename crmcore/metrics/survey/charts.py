"""Pictures of survey results: stacked answers beside their score, and radars of sub-scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from crmcore.charts.chart import Chart, TextLine, check_finite, check_same_length, written
from crmcore.charts.theme import BLUE, GREY, INK, ORANGE, ROW_HEIGHT, WIDTH
from crmcore.errors import OutOfRange
from crmcore.metrics.estimates import Estimate

__all__ = ["radar", "stacked_answers"]

NPS_COLOURS = {"detractors": ORANGE, "passives": GREY, "promoters": BLUE}
RADIUS = 150


def stacked_answers(
    labels: Sequence[str],
    shares: Sequence[Mapping[str, float]],
    scores: Sequence[Estimate],
    *,
    title: str,
    description: str = "",
    axis: str = "NPS in points",
) -> Chart:
    """Draw one bar a label, stacked from its groups of answers to 100 %, and its score with the interval beside it.

    Parameters
    ----------
    labels, shares, scores : n entries
        Distinct words; group to share, in the order of stacking and the same groups in every entry; finite scores.
    title, description, axis : text
        What is shown, said in a sentence, and the unit of the score.

    Examples
    --------
    >>> from crmcore.metrics.survey.nps_counts import NpsCounts
    >>> parts = {"detractors": 0.2, "passives": 0.3, "promoters": 0.5}
    >>> print(stacked_answers(["all"], [parts], [NpsCounts(50, 30, 20).estimate()], title="NPS").to_text())
    NPS
    all  30 [14, 44.2]  20% detractors, 30% passives, 50% promoters
    """
    check_same_length("labels", len(labels), shares=shares, scores=scores)
    for part in ("value", "low", "high"):
        check_finite(f"scores.{part}", **{part: [float(getattr(s, part)) for s in scores]})
    rows: list[dict[str, Any]] = []
    for label, parts, score in zip(labels, shares, scores, strict=True):
        ends = {"value": score.value, "low": score.low, "high": score.high, "n": score.n}
        for place, (answer, share) in enumerate(parts.items()):
            text = f"{share:.0%}" if share >= 0.1 else ""  # narrower parts have no room for it
            row = {"label": str(label), "answer": answer, "place": place, "share": float(share), "text": text}
            rows.append({**row, **ends, "score": written(score.value, sign=True)})
    groups = list(shares[0])
    colours = [NPS_COLOURS.get(g, GREY) for g in groups]
    bars, dots = _stack(groups, colours), _scores(axis, first=groups[0])
    spec = {"hconcat": [bars, dots], "spacing": 24}
    lines = tuple(
        TextLine(
            str(label),
            f"{written(s.value)} [{written(s.low)}, {written(s.high)}]  "
            + ", ".join(f"{written(share, percent=True)} {answer}" for answer, share in parts.items()),
        )
        for label, parts, s in zip(labels, shares, scores, strict=True)
    )
    return Chart(title, description, spec, tuple(rows), lines)


def _y(*, shown: bool) -> dict[str, Any]:
    axis: dict[str, Any] | None = {"domain": False} if shown else None
    return {"field": "label", "type": "nominal", "sort": None, "title": None, "axis": axis}


def _stack(groups: Sequence[str], colours: Sequence[str]) -> dict[str, Any]:
    x = {"field": "share", "type": "quantitative", "stack": "zero", "title": None, "axis": {"format": ".0%"}}
    colour = {"field": "answer", "type": "nominal", "title": None, "scale": {"domain": groups, "range": colours}}
    order = {"field": "place", "type": "quantitative"}
    middle = {**x, "bandPosition": 0.5}
    return {
        "width": WIDTH // 2,
        "height": {"step": ROW_HEIGHT + 10},
        "encoding": {"y": _y(shown=True), "order": order},
        "layer": [
            {
                "mark": {"type": "bar", "height": {"band": 0.6}},
                "encoding": {
                    "x": {**x, "scale": {"domain": [0, 1]}},
                    "color": {**colour, "legend": {"orient": "bottom"}},
                },
            },
            {
                "mark": {"type": "text", "color": "white"},
                "encoding": {"x": middle, "detail": {"field": "answer"}, "text": {"field": "text"}},
            },
        ],
    }


def _scores(axis: str, *, first: str) -> dict[str, Any]:
    x = {"type": "quantitative", "title": axis, "scale": {"zero": False, "nice": True}, "axis": {"tickCount": 5}}
    return {
        "transform": [{"filter": {"field": "answer", "equal": first}}],
        "width": WIDTH // 2,
        "height": {"step": ROW_HEIGHT + 10},
        "encoding": {"y": _y(shown=False)},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 2, "color": INK},
                "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}},
            },
            {"mark": {"type": "point"}, "encoding": {"x": {**x, "field": "value"}}},
            {
                "mark": {"type": "text", "dy": -11},
                "encoding": {"x": {**x, "field": "value"}, "text": {"field": "score"}},
            },
        ],
    }


def radar(
    labels: Sequence[str], values: Sequence[float], *, title: str, description: str = "", top: float = 1.0
) -> Chart:
    """Draw sub-scores on the spokes of a wheel, the first upwards, then clockwise.

    Parameters
    ----------
    labels, values : n entries, at least three
        Distinct words; numbers from 0 to `top`, NaN where the sub-score is missing: its spoke stays without a point and
        the outline is open there.
    title, description : text
        What is shown, and said in a sentence.
    top : number
        Value at the rim.

    Examples
    --------
    >>> chart = radar(["care", "trust", "value"], [1.0, 0.5, float("nan")], title="Health")
    >>> [(row["label"], round(row["x"], 2), round(row["y"], 2)) for row in chart.rows if row["part"] == "value"]
    [('care', 0.0, 1.0), ('trust', 0.43, -0.25)]
    >>> print(chart.to_text())
    Health
    care        1  ████████████████████████████████
    trust     0.5  ████████████████
    value  (none)
    """
    check_same_length("labels", len(labels), values=values)
    if len(labels) < 3:
        raise OutOfRange("labels", len(labels), "at least 3 spokes", "draw one or two scores as bars")
    off = [v for v in values if not (math.isnan(v) or 0 <= v <= top)]
    if off:
        raise OutOfRange("values", off[:5], f"0 to {top:g}, or NaN", "scale the sub-scores first")
    angles = [2 * math.pi * i / len(labels) for i in range(len(labels))]
    rows: list[dict[str, Any]] = []
    for i, (label, value, angle) in enumerate(zip(labels, values, angles, strict=True)):
        x, y = math.sin(angle), math.cos(angle)
        text = f"{label} (missing)" if math.isnan(value) else f"{label} {written(value)}"
        side = "centre" if abs(x) < 0.1 else "right" if x > 0 else "left"
        spoke = {"part": "spoke", "label": str(label), "order": i, "text": text, "side": side}
        rows.append({**spoke, "x": 1.06 * x, "y": 1.1 * y, "x2": x, "y2": y})
        if not math.isnan(value):
            at = value / top
            rows.append(
                {"part": "value", "label": str(label), "order": i, "value": float(value), "x": at * x, "y": at * y}
            )
    rows += _rims(angles)
    lines = tuple(
        TextLine(str(label), "(none)" if math.isnan(v) else written(v), v)
        for label, v in zip(labels, values, strict=True)
    )
    spec = {"width": 2 * RADIUS, "height": 2 * RADIUS, "layer": _radar_layers(rows)}
    return Chart(title, description, spec, tuple(rows), lines)


def _rims(angles: Sequence[float]) -> list[dict[str, Any]]:
    """Polygons at a quarter, half, three quarters and the whole, closed by their first point."""
    return [
        {"part": "rim", "ring": ring, "order": i, "x": ring * math.sin(angle), "y": ring * math.cos(angle)}
        for ring in (0.25, 0.5, 0.75, 1.0)
        for i, angle in enumerate([*angles, angles[0]])
    ]


def _edges(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, float]]:
    """Lines between neighbouring spokes that both have a value; a missing one leaves the outline open."""
    spokes = sum(row["part"] == "spoke" for row in rows)
    at = {row["order"]: row for row in rows if row["part"] == "value"}
    pairs = ((i, (i + 1) % spokes) for i in range(spokes))
    return [
        {"x": at[i]["x"], "y": at[i]["y"], "x2": at[j]["x"], "y2": at[j]["y"]} for i, j in pairs if i in at and j in at
    ]


def _radar_layers(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    def place(field: str) -> dict[str, Any]:
        return {"field": field, "type": "quantitative", "axis": None, "scale": {"domain": [-1.25, 1.25]}}

    spots: dict[str, Any] = {"x": place("x"), "y": place("y")}
    ends = {**spots, "x2": {"field": "x2"}, "y2": {"field": "y2"}}
    centre = {"x": {**place("x2")}, "y": {**place("y2")}, "x2": {"datum": 0}, "y2": {"datum": 0}}

    def only(part: str) -> list[dict[str, Any]]:
        return [{"filter": {"field": "part", "equal": part}}]

    sides = {"left": "right", "centre": "center", "right": "left"}
    thin = {"type": "line", "color": GREY, "strokeWidth": 0.7, "opacity": 0.6, "point": False}
    order = {"field": "order", "type": "quantitative"}
    texts: list[dict[str, Any]] = [
        {
            "transform": [*only("spoke"), {"filter": {"field": "side", "equal": side}}],
            "mark": {"type": "text", "align": align},
            "encoding": {**spots, "text": {"field": "text"}},
        }
        for side, align in sides.items()
    ]
    return [
        {
            "transform": only("rim"),
            "mark": thin,
            "encoding": {**spots, "order": order, "detail": {"field": "ring", "type": "nominal"}},
        },
        {
            "transform": only("spoke"),
            "mark": {"type": "rule", "color": GREY, "strokeWidth": 0.7, "opacity": 0.6},
            "encoding": centre,
        },
        {
            "data": {"values": _edges(rows)},
            "mark": {"type": "rule", "color": BLUE, "strokeWidth": 2},
            "encoding": ends,
        },
        {"transform": only("value"), "mark": {"type": "point"}, "encoding": spots},
        *texts,
    ]
