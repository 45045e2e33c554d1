"""Tables of numbers as shaded cells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from crmcore.charts.chart import Chart, TextLine, written
from crmcore.charts.theme import BLUE, INK
from crmcore.errors import OutOfRange

__all__ = ["heat_map"]

LONG = 7  # letters: longer headings beside each other would run into one
DARK = 0.6  # of the deepest shade: above it numbers are white


def heat_map(
    rows: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[float | None]], *, title: str,
    description: str = "", row_title: str = "", column_title: str = "", percent: bool = True,
) -> Chart:  # fmt: skip
    """Draw a table of numbers as shaded cells, each with its number.

    Parameters
    ----------
    rows, columns : headings
        Drawn in their order.
    cells : one sequence a row, of one number a column, 0 or more
        None or NaN is drawn empty: nothing is known there.
    title, description, row_title, column_title : text
    percent : bool
        Write 0.25 as 25%. The deepest shade is then 100 %, and the largest number otherwise.

    Examples
    --------
    >>> print(heat_map(["January"], ["after 0", "after 1"], [[1.0, None]], title="Who came back").to_text())
    Who came back
    January after 0  100%  ████████████████████████████████
    """
    listed: list[dict[str, Any]] = []
    lines: list[TextLine] = []
    for row, values in zip(rows, cells, strict=True):
        if len(values) != len(columns):
            raise OutOfRange("cells of a row", len(values), f"{len(columns)}, one a column", "None is an empty cell")
        for column, given in zip(columns, values, strict=True):
            value = None if given is None or math.isnan(given) else float(given)
            text = "" if value is None else f"{100 * value:.0f}%" if percent else written(value)
            listed.append({"row": row, "column": column, "value": value, "text": text})
            if value is not None:
                lines.append(TextLine(f"{row} {column}", text, value))
    top = 1.0 if percent else max((c["value"] or 0.0 for c in listed), default=1.0) or 1.0
    tilt = -40 if max(map(len, columns), default=0) > LONG else 0
    x = {"field": "column", "type": "ordinal", "sort": list(columns), "title": column_title or None,
         "axis": {"orient": "top", "labelAngle": tilt, "domain": False, "ticks": False}}  # fmt: skip
    y = {"field": "row", "type": "ordinal", "sort": list(rows), "title": row_title or None, "axis": {"domain": False}}
    known = {"transform": [{"filter": "datum.value !== null"}]}
    colour = {"field": "value", "type": "quantitative", "legend": None,
              "scale": {"domain": [0, top], "range": ["#eef4f9", BLUE]}}  # fmt: skip
    ink = {"condition": {"test": f"datum.value > {DARK * top}", "value": "#ffffff"}, "value": INK}
    spec = {
        "width": {"step": 46},
        "height": {"step": 24},
        "encoding": {"x": x, "y": y},
        "layer": [
            {**known, "mark": {"type": "rect", "stroke": "#ffffff"}, "encoding": {"color": colour}},
            {**known, "mark": {"type": "text", "fontSize": 11}, "encoding": {"text": {"field": "text"}, "color": ink}},
        ],
    }
    return Chart(title, description, spec, tuple(listed), tuple(lines))
