"""Pictures: heat maps of scores and moves, Lorenz curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.charts.chart import Chart, TextLine, written
from crmcore.charts.theme import BLUE

__all__ = ["heat_map"]


def heat_map(
    values: NDArray[Any], *, rows: Sequence[str], columns: Sequence[str], title: str, row_title: str,
    column_title: str, description: str = "", percent: bool = False,
) -> Chart:  # fmt: skip
    """Draw a table of numbers as shaded cells, each with its number; NaN cells stay empty."""
    values = np.asarray(values, np.float64)
    cells: list[dict[str, Any]] = []
    top = float(np.nanmax(values, initial=0.0)) or 1.0
    for r, row in zip(rows, values.tolist(), strict=True):
        for c, value in zip(columns, row, strict=True):
            if not np.isnan(value):
                text = written(value, percent=percent)
                cells.append({"row": r, "column": c, "value": value, "text": text, "dark": value > 0.55 * top})
    x = {
        "field": "column",
        "type": "ordinal",
        "sort": list(columns),
        "title": column_title,
        "axis": {"labelAngle": -35},
    }
    y = {"field": "row", "type": "ordinal", "sort": list(rows), "title": row_title}
    colour = {
        "field": "value", "type": "quantitative", "legend": None,
        "scale": {"range": ["#eef3fb", BLUE], "domain": [0, top]},
    }  # fmt: skip
    ink = {"condition": {"test": "datum.dark", "value": "white"}, "value": "#222"}
    spec = {
        "width": {"step": 52}, "height": {"step": 26}, "encoding": {"x": x, "y": y},
        "layer": [
            {"mark": "rect", "encoding": {"color": colour}},
            {"mark": {"type": "text", "fontSize": 10}, "encoding": {"text": {"field": "text"}, "color": ink}},
        ],
    }  # fmt: skip
    lines = tuple(TextLine(f"{c['row']} / {c['column']}", c["text"], c["value"]) for c in cells)
    return Chart(title, description, spec, tuple(cells), lines)


def lorenz_chart(people: ArrayLike, value: ArrayLike, *, title: str, description: str) -> Chart:
    """Draw share of value against share of customers, the poorest first, beside equality."""
    from crmcore.charts import line

    x, y = np.asarray(people, np.float64), np.asarray(value, np.float64)
    if len(x) > 201:
        keep = np.unique(np.linspace(0, len(x) - 1, 201).astype(np.int64))
        x, y = x[keep], y[keep]
    series = ["value"] * len(x) + ["if all were equal"] * 2
    return line(
        [*x.tolist(), 0.0, 1.0], [*y.tolist(), 0.0, 1.0], series=series, title=title, description=description,
        axis="share of value",
    )  # fmt: skip
