"""Bars, dots with intervals, histograms, lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from crmcore._base import number_text
from crmcore.charts.chart import Chart, TextLine, check_finite, check_same_length, room, written
from crmcore.charts.theme import GREY, INK, ROW_HEIGHT, WIDTH
from crmcore.errors import BadRow, BadRows, EmptyInput, OutOfRange

__all__ = ["HasInterval", "bar", "dot_interval", "histogram", "line"]


class HasInterval(Protocol):
    """An estimate, such as `crmcore.metrics.Estimate`."""

    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


def _labels(labels: Sequence[str], *, title: str = "") -> dict[str, Any]:
    """Vertical axis of words in the order given, repeated words kept apart by the caller."""
    return {"field": "label", "type": "nominal", "sort": None, "title": title or None, "axis": {"domain": False}}


def _distinct(labels: Sequence[str]) -> list[str]:
    """Labels as text; a repeated one is refused, because its marks would be drawn over each other."""
    words = [str(label) for label in labels]
    seen: set[str] = set()
    again = tuple(i for i, word in enumerate(words) if word in seen or seen.add(word))  # type: ignore[func-returns-value]
    if again:
        raise BadRows("labels", (BadRow("label", "repeated", again),), "add what tells them apart to the label")
    return words


def bar(
    labels: Sequence[str],
    values: Sequence[float],
    *,
    title: str,
    description: str = "",
    axis: str = "",
    percent: bool = False,
) -> Chart:
    """Horizontal bars from zero, one a label, in the order given, with the number at the end of each.

    Parameters
    ----------
    labels, values : n entries
        Distinct words; finite numbers.
    title, description, axis : text
        What is shown, said in a sentence, and the unit.
    percent : truth
        Write shares as percentages.

    Raises
    ------
    EmptyInput, OutOfRange, BadRows
        No rows, columns of two lengths, repeated labels, numbers that are not finite.

    Examples
    --------
    >>> bar(["web", "shop"], [0.3, 0.7], title="Share of orders", percent=True).rows[1]["text"]
    '70%'
    """
    check_same_length("labels", len(labels), values=values)
    check_finite("values", value=values)
    words = _distinct(labels)
    rows: tuple[dict[str, Any], ...] = tuple(
        {"label": w, "value": float(v), "text": written(float(v), percent=percent)}
        for w, v in zip(words, values, strict=True)
    )
    scale = {"domain": room([float(v) for v in values if v < 0], [float(v) for v in values if v >= 0]), "nice": False}
    x = {
        "field": "value",
        "type": "quantitative",
        "title": axis or None,
        "axis": _number_axis(percent),
        "scale": scale,
    }
    negative = any(row["value"] < 0 for row in rows)
    spec = {
        "width": WIDTH,
        "height": {"step": ROW_HEIGHT},
        "encoding": {"y": _labels(words), "x": x},
        "layer": [
            {"mark": {"type": "bar", "height": {"band": 0.7}}},
            _end_text("datum.value >= 0", "left", 5),
            *([_end_text("datum.value < 0", "right", -5)] if negative else []),
        ],
    }
    lines = tuple(TextLine(row["label"], row["text"], row["value"]) for row in rows)
    return Chart(title, description, spec, rows, lines)


def _number_axis(percent: bool) -> dict[str, Any]:
    return {"format": ".0%", "tickCount": 5} if percent else {"tickCount": 5}


def _end_text(test: str, align: str, dx: int) -> dict[str, Any]:
    return {
        "transform": [{"filter": test}],
        "mark": {"type": "text", "align": align, "dx": dx},
        "encoding": {"text": {"field": "text"}},
    }


def dot_interval(
    labels: Sequence[str],
    estimates: Sequence[HasInterval],
    *,
    title: str,
    description: str = "",
    axis: str = "",
    percent: bool = False,
    reference: float | None = None,
) -> Chart:
    """Estimates as dots with their intervals, one a label, in the order given.

    Parameters
    ----------
    labels, estimates : n entries
        Distinct words; values with `value`, `low` and `high`, all finite.
    title, description, axis : text
        What is shown, said in a sentence, and the unit.
    percent : truth
        Write shares as percentages.
    reference : number, optional
        A dashed line, such as the target or the value of all together.

    Raises
    ------
    EmptyInput, OutOfRange, BadRows
        As for `bar`.

    Examples
    --------
    >>> from crmcore.metrics import proportion
    >>> print(dot_interval(["web"], [proportion(30, 1000)], title="Conversion", percent=True).to_text())
    Conversion
    web  3% [2.11%, 4.25%]  ████████████████████████████████
    """
    check_same_length("labels", len(labels), estimates=estimates)
    columns = {part: [float(getattr(e, part)) for e in estimates] for part in ("value", "low", "high")}
    check_finite("estimates", **columns)
    words = _distinct(labels)
    rows = tuple(
        {"label": w, "value": v, "low": low, "high": high, "text": written(v, percent=percent)}
        for w, v, low, high in zip(words, *columns.values(), strict=True)
    )
    x = {
        "field": "value",
        "type": "quantitative",
        "scale": {"zero": False, "nice": True},
        "title": axis or None,
        "axis": _number_axis(percent),
    }
    mark_line = {"mark": {"type": "rule", "strokeDash": [4, 4], "color": GREY}, "data": {"values": [{"at": reference}]}}
    layers: list[dict[str, Any]] = [
        {
            "mark": {"type": "rule", "strokeWidth": 2, "color": INK},
            "encoding": {"y": _labels(words), "x": {**x, "field": "low"}, "x2": {"field": "high"}},
        },
        {"mark": {"type": "point"}, "encoding": {"y": _labels(words), "x": x}},
        {
            "mark": {"type": "text", "dy": -11},
            "encoding": {"y": _labels(words), "x": x, "text": {"field": "text"}},
        },
    ]
    if reference is not None:
        check_finite("reference", reference=[reference])
        layers.insert(0, {**mark_line, "encoding": {"x": {"field": "at", "type": "quantitative"}}})
    spec = {"width": WIDTH, "height": {"step": ROW_HEIGHT + 10}, "layer": layers}
    lines = tuple(
        TextLine(
            r["label"],
            f"{r['text']} [{written(r['low'], percent=percent)}, {written(r['high'], percent=percent)}]",
            r["value"],
        )
        for r in rows
    )
    return Chart(title, description, spec, rows, lines)


def histogram(
    values: ArrayLike, *, title: str, description: str = "", axis: str = "", bins: int | None = None
) -> Chart:
    """How often values fall into bins of equal width.

    Parameters
    ----------
    values : (n,) numbers
        NaN is missing and left out; at least one value must be finite.
    title, description, axis : text
        What is shown, said in a sentence, and the unit.
    bins : count, optional
        Number of bins; None follows Freedman & Diaconis and Sturges (numpy's "auto"), between 5 and 60.

    Examples
    --------
    >>> [row["count"] for row in histogram([1, 1, 2, 5], bins=2, title="Orders a customer").rows]
    [3, 1]
    """
    column = np.asarray(values, np.float64).ravel()
    column = column[np.isfinite(column)]
    if column.size == 0:
        raise EmptyInput("values", "draw at least one finite value")
    if bins is None:
        bins = int(np.clip(len(np.histogram_bin_edges(column, "auto")) - 1, 5, 60))
    counts, edges = np.histogram(column, bins)
    rows = tuple(
        {"start": float(a), "end": float(b), "count": int(c)}
        for a, b, c in zip(edges[:-1], edges[1:], counts, strict=True)
    )
    spec = {
        "width": WIDTH,
        "height": 220,
        "mark": {"type": "bar", "binSpacing": 1},
        "encoding": {
            "x": {
                "field": "start",
                "type": "quantitative",
                "bin": {"binned": True},
                "title": axis or None,
                "axis": {"tickCount": 8, "grid": False},
            },
            "x2": {"field": "end"},
            "y": {
                "field": "count",
                "type": "quantitative",
                "title": "count",
                "axis": {"tickCount": 5, "tickMinStep": 1},
            },
        },
    }
    lines = tuple(
        TextLine(f"{number_text(r['start'])} to {number_text(r['end'])}", f"{r['count']:,}", float(r["count"]))
        for r in rows
    )
    return Chart(title, description, spec, rows, lines)


def line(
    x: Sequence[float] | Sequence[date] | Sequence[datetime],
    y: Sequence[float],
    *,
    title: str,
    description: str = "",
    axis: str = "",
    series: Sequence[str] | None = None,
    low: Sequence[float] | None = None,
    high: Sequence[float] | None = None,
    percent: bool = False,
) -> Chart:
    """Lines over numbers or dates, one a series, with a band where low and high are given.

    Parameters
    ----------
    x, y : n entries
        Numbers or dates; finite numbers. Rows are drawn by x within each series.
    title, description, axis : text
        What is shown, said in a sentence, and the unit of y.
    series : n entries, optional
        Name of the line that a row belongs to.
    low, high : n entries, optional
        The band around each y.
    percent : truth
        Write shares as percentages.

    Examples
    --------
    >>> line([1, 2, 3], [5, 7, 6], title="Orders a week").rows[0]
    {'x': 1.0, 'y': 5.0, 'series': ''}
    """
    n = len(x)
    if (low is None) != (high is None):
        raise OutOfRange("low, high", "one of them", "both or none", "pass both ends of the band")
    names = [""] * n if series is None else [str(s) for s in series]
    check_same_length("x", n, y=y, series=names)
    check_finite("y", y=y)
    dated = isinstance(x[0], date)
    places = [v.isoformat() if isinstance(v, date) else float(v) for v in x]
    rows = [{"x": a, "y": float(b), "series": s} for a, b, s in zip(places, y, names, strict=True)]
    layers: list[dict[str, Any]] = [{"mark": {"type": "line", "point": {"size": 30} if n <= 60 else False}}]
    y_axis = {"type": "quantitative", "title": axis or None, "axis": _number_axis(percent), "scale": {"zero": False}}
    if low is not None and high is not None:
        check_same_length("x", n, low=low, high=high)
        check_finite("band", low=low, high=high)
        for row, a, b in zip(rows, low, high, strict=True):
            row |= {"low": float(a), "high": float(b)}
        band = {"y": {"field": "low", **y_axis}, "y2": {"field": "high"}}
        layers.insert(0, {"mark": {"type": "area", "opacity": 0.18}, "encoding": band})
        often = Counter(names)
        for row in rows:  # the band of a single point would have no width
            row["alone"] = often[str(row["series"])] == 1
        if any(row["alone"] for row in rows):
            rule: dict[str, Any] = {"mark": {"type": "rule", "strokeWidth": 2}, "encoding": band}
            layers.insert(1, {"transform": [{"filter": "datum.alone"}], **rule})
    layers[-1]["encoding"] = {"y": {"field": "y", **y_axis}}
    ticks = min(8, max(len(set(places)), 2)) if dated else 8  # of two months, no ticks at weeks
    x_axis = {"grid": False, "tickCount": ticks, "labelOverlap": True}
    shared: dict[str, Any] = {
        "x": {"field": "x", "type": "temporal" if dated else "quantitative", "title": None, "axis": x_axis}
    }
    if not dated:
        shared["x"]["scale"] = {"zero": False, "nice": False}
    if series is not None:
        order = sorted(set(names))
        shared["color"] = {"field": "series", "type": "nominal", "title": None, "sort": order}
    spec = {"width": WIDTH, "height": 240, "encoding": shared, "layer": layers}
    lines = tuple(
        TextLine(f"{r['series']} {_place(r['x'])}".strip(), written(r["y"], percent=percent), r["y"])  # type: ignore[arg-type]
        for r in sorted(rows, key=lambda r: (r["series"], r["x"]))
    )
    return Chart(title, description, spec, tuple(rows), lines)


def _place(x: object) -> str:
    return number_text(x) if isinstance(x, float) else str(x)[:16].replace("T", " ")
