"""Points on two axes that two cuts divide into four named fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crmcore._base import number_text
from crmcore.charts.chart import Chart, TextLine, check_finite, check_same_length
from crmcore.charts.plain import HasInterval
from crmcore.charts.theme import GREY, INK, QUIET, WIDTH

__all__ = ["quadrants"]


def quadrants(
    labels: Sequence[str],
    x: Sequence[HasInterval],
    y: Sequence[HasInterval],
    *,
    cuts: tuple[float, float],
    names: tuple[str, str, str, str],
    title: str,
    description: str = "",
    axes: tuple[str, str] = ("", ""),
) -> Chart:
    """Draw labelled points with their intervals, and the four fields between two cuts.

    Parameters
    ----------
    labels, x, y : n entries
        Words, and values with `value`, `low` and `high`, all finite.
    cuts : (x, y)
        Where the fields meet.
    names : four texts
        Top left, top right, bottom left, bottom right.
    title, description : text
    axes : (x, y)
        What they show.

    Raises
    ------
    EmptyInput, OutOfRange, BadRows
        No rows, columns of two lengths, numbers that are not finite.

    Examples
    --------
    >>> from crmcore.metrics import proportion
    >>> good, bad = proportion(80, 100), proportion(30, 100)
    >>> names = ("concentrate", "keep up", "later", "overkill")
    >>> chart = quadrants(["app", "shop"], [good, bad], [good, good], cuts=(0.5, 0.5), names=names, title="To do")
    >>> [(row["label"], row["field"]) for row in chart.rows]
    [('app', 'keep up'), ('shop', 'concentrate')]
    """
    check_same_length("labels", len(labels), x=x, y=y)
    ends = {
        f"{axis}_{end}": [float(getattr(e, end)) for e in side]
        for axis, side in (("x", x), ("y", y))
        for end in ("value", "low", "high")
    }
    check_finite("quadrants", **ends, cuts=list(cuts))
    rows: list[dict[str, Any]] = []
    for i, label in enumerate(labels):
        row: dict[str, Any] = {"label": str(label), **{name: column[i] for name, column in ends.items()}}
        row["field"] = names[(0 if row["y_value"] >= cuts[1] else 2) + (row["x_value"] >= cuts[0])]
        rows.append(row)
    span_x = _span([*ends["x_low"], *ends["x_high"], cuts[0]])
    span_y = _span([*ends["y_low"], *ends["y_high"], cuts[1]])
    at_x = {
        "field": "x_value",
        "type": "quantitative",
        "title": axes[0] or None,
        "scale": {"domain": span_x, "nice": False},
    }
    at_y = {
        "field": "y_value",
        "type": "quantitative",
        "title": axes[1] or None,
        "scale": {"domain": span_y, "nice": False},
    }
    right = span_x[0] + 0.7 * (span_x[1] - span_x[0])  # a label further right is written to the left of its point
    spec = {
        "width": WIDTH,
        "height": 320,
        "layer": [
            *_cut_lines(cuts, at_x, at_y),
            *_field_names(names, span_x, span_y, at_x, at_y),
            _interval({"x": {**at_x, "field": "x_low"}, "x2": {"field": "x_high"}, "y": at_y}),
            _interval({"y": {**at_y, "field": "y_low"}, "y2": {"field": "y_high"}, "x": at_x}),
            {"mark": {"type": "point"}, "encoding": {"x": at_x, "y": at_y}},
            _words(f"datum.x_value <= {right}", "left", 8, at_x, at_y),
            _words(f"datum.x_value > {right}", "right", -8, at_x, at_y),
        ],
    }  # fmt: skip
    lines = tuple(
        TextLine(r["label"], f"{r['field']} ({number_text(r['x_value'])}, {number_text(r['y_value'])})") for r in rows
    )
    return Chart(title, description, spec, tuple(rows), lines)


def _span(values: Sequence[float]) -> list[float]:
    low, high = min(values), max(values)
    room = (high - low) * 0.08 or max(abs(high), 1.0) * 0.1
    return [low - room, high + room]


def _cut_lines(cuts: tuple[float, float], at_x: dict[str, Any], at_y: dict[str, Any]) -> list[dict[str, Any]]:
    rule = {"type": "rule", "strokeDash": [4, 4], "color": GREY}
    return [
        {"data": {"values": [{"at": cut}]}, "mark": rule, "encoding": {axis: {**at, "field": "at"}}}
        for axis, cut, at in zip(("x", "y"), cuts, (at_x, at_y), strict=True)
    ]


def _field_names(
    names: Sequence[str], x: Sequence[float], y: Sequence[float], x_axis: dict[str, Any], y_axis: dict[str, Any]
) -> list[dict[str, Any]]:
    """Names of the fields in the four corners of the picture."""
    corners = [
        (x[0], y[1], "left", "top"),
        (x[1], y[1], "right", "top"),
        (x[0], y[0], "left", "bottom"),
        (x[1], y[0], "right", "bottom"),
    ]
    return [
        {
            "data": {"values": [{"x": at_x, "y": at_y, "name": name}]},
            "mark": {
                "type": "text", "align": align, "baseline": base, "color": QUIET, "fontStyle": "italic",
                "dx": 4 if align == "left" else -4, "dy": 4 if base == "top" else -4,
            },
            "encoding": {"x": {**x_axis, "field": "x"}, "y": {**y_axis, "field": "y"}, "text": {"field": "name"}},
        }
        for name, (at_x, at_y, align, base) in zip(names, corners, strict=True)
    ]  # fmt: skip


def _words(test: str, align: str, dx: int, at_x: dict[str, Any], at_y: dict[str, Any]) -> dict[str, Any]:
    return {
        "transform": [{"filter": test}],
        "mark": {"type": "text", "dx": dx, "dy": -8, "align": align},
        "encoding": {"x": at_x, "y": at_y, "text": {"field": "label"}},
    }


def _interval(encoding: dict[str, Any]) -> dict[str, Any]:
    return {"mark": {"type": "rule", "strokeWidth": 1, "color": INK, "opacity": 0.55}, "encoding": encoding}
