"""Bands that flow from one column of blocks to the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crmcore.charts.chart import Chart, TextLine, check_finite, check_same_length, written
from crmcore.charts.theme import INK, WIDTH
from crmcore.errors import BadRow, BadRows

__all__ = ["flow_bands"]

_POINTS = 12  # of the curve of a band: smooth to the eye, and small
_BLOCK = 0.06  # width of a block, in columns
_GAP = 0.03  # between blocks, of the height


def flow_bands(
    flows: Sequence[tuple[int, str, str, float]],
    *,
    title: str,
    description: str = "",
    columns: Sequence[str] = (),
    height: int = 320,
) -> Chart:
    """How much flows from block to block, column by column; a band is as thick as what flows.

    Parameters
    ----------
    flows : sequence of (column, source, target, weight)
        From a block in `column` (from 0) to one in the next; weights above 0. What a block receives and what it hands
        on may differ; it is as high as the larger of the two.
    title, description : text
        What is shown, and said in a sentence.
    columns : texts
        Names of the columns from the left.
    height : points

    Raises
    ------
    EmptyInput, BadRows
        No flows; weights that are not finite or not above 0; columns below 0.

    Examples
    --------
    >>> print(flow_bands([(0, "ad", "shop", 30), (0, "ad", "left", 10)], title="From the ad").to_text())
    From the ad
    1: ad -> shop  30  ████████████████████████████████
    1: ad -> left  10  ██████████▋
    """
    check_same_length("flows", len(flows))
    check_finite("flows", weight=[float(f[3]) for f in flows])
    bad = tuple(i for i, f in enumerate(flows) if f[3] <= 0 or f[0] < 0)
    if bad:
        hint = "leave out what does not flow"
        raise BadRows("flows", (BadRow("flow", "a weight not above 0, or a column below 0", bad),), hint)
    blocks = _blocks(flows)
    bands = _bands(flows, blocks)
    rows = tuple(
        {"column": c, "block": name, "weight": b["weight"], "from": b["low"], "to": b["high"]}
        for (c, name), b in blocks.items()
    )
    spec = {"width": max(WIDTH, 130 * (1 + max(c for c, _ in blocks))), "height": height}
    spec["layer"] = _layers(bands, rows, columns)  # type: ignore[assignment]
    lines = tuple(TextLine(f"{c + 1}: {a} -> {b}", written(float(w)), float(w)) for c, a, b, w in flows)
    return Chart(title, description, spec, rows, lines)


Block = dict[str, float]


def _blocks(flows: Sequence[tuple[int, str, str, float]]) -> dict[tuple[int, str], Block]:
    """Place and height of every block, the heaviest of a column on top."""
    given: dict[tuple[int, str], float] = {}
    taken: dict[tuple[int, str], float] = {}
    for c, a, b, w in flows:
        given[c, a] = given.get((c, a), 0.0) + w
        taken[c + 1, b] = taken.get((c + 1, b), 0.0) + w
    weight = {key: max(given.get(key, 0.0), taken.get(key, 0.0)) for key in sorted({*given, *taken})}
    by_column: dict[int, list[tuple[int, str]]] = {}
    for key in weight:
        by_column.setdefault(key[0], []).append(key)
    most = max(sum(weight[k] for k in keys) for keys in by_column.values())
    made: dict[tuple[int, str], Block] = {}
    for keys in by_column.values():
        top = 1.0
        for key in sorted(keys, key=lambda k: (-weight[k], k[1])):
            tall = weight[key] / most
            made[key] = {"weight": weight[key], "high": top, "low": top - tall, "out": top, "in": top}
            top -= tall + _GAP
    return made


def _bands(flows: Sequence[tuple[int, str, str, float]], blocks: dict[tuple[int, str], Block]) -> list[dict[str, Any]]:
    """Points of every band: its upper and lower edge along a smooth step (3t² - 2t³)."""
    most = max(b["weight"] / (b["high"] - b["low"]) for b in blocks.values())
    made: list[dict[str, Any]] = []
    ends: dict[int, list[float]] = {}
    order = sorted(range(len(flows)), key=lambda i: (flows[i][0], -blocks[flows[i][0] + 1, flows[i][2]]["high"]))
    for i in order:  # bands leave a block in the order of the blocks that they go to
        block = blocks[flows[i][0], flows[i][1]]
        ends[i] = [block["out"]]
        block["out"] -= flows[i][3] / most
    for i in sorted(range(len(flows)), key=lambda i: (flows[i][0], -blocks[flows[i][0], flows[i][1]]["high"])):
        block = blocks[flows[i][0] + 1, flows[i][2]]
        ends[i].append(block["in"])
        block["in"] -= flows[i][3] / most
    for i, (c, source, target, w) in enumerate(flows):
        left, right = ends[i]
        for p in range(_POINTS + 1):
            t = p / _POINTS
            y = left + (right - left) * (3 * t * t - 2 * t**3)
            x = c + _BLOCK + t * (1 - _BLOCK)
            made.append({"flow": i, "block": source, "to": target, "x": x, "high": y, "low": y - w / most})
    return made


def _layers(
    bands: list[dict[str, Any]], rows: Sequence[dict[str, Any]], columns: Sequence[str]
) -> list[dict[str, Any]]:
    last = max(row["column"] for row in rows)
    x = {
        "type": "quantitative",
        "axis": None,
        "scale": {"domain": [0, last + 0.75], "nice": False, "zero": False},
    }
    y = {"type": "quantitative", "axis": None, "scale": {"zero": False, "nice": False}}
    colour = {"field": "block", "type": "nominal", "legend": None, "sort": None}
    body = [{**r, "x": r["column"], "x2": r["column"] + _BLOCK, "middle": (r["from"] + r["to"]) / 2} for r in rows]
    for r in body:
        r["text"] = f"{r['block']}  {written(r['weight'])}"
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": bands},
            "mark": {"type": "area", "opacity": 0.35, "line": False},
            "encoding": {
                "x": {**x, "field": "x"},
                "y": {**y, "field": "high"},
                "y2": {"field": "low"},
                "color": colour,
                "detail": {"field": "flow"},
            },
        },
        {
            "data": {"values": body},
            "mark": {"type": "rect", "opacity": 1},
            "encoding": {
                "x": {**x, "field": "x"},
                "x2": {"field": "x2"},
                "y": {**y, "field": "from"},
                "y2": {"field": "to"},
                "color": colour,
            },
        },
        {
            "data": {"values": body},
            "mark": {"type": "text", "align": "left", "dx": 3, "color": INK},
            "encoding": {"x": {**x, "field": "x2"}, "y": {**y, "field": "middle"}, "text": {"field": "text"}},
        },
    ]
    if columns:
        heads = [{"x": i, "name": name} for i, name in enumerate(columns[: last + 1])]
        layers.append(
            {
                "data": {"values": heads},
                "mark": {"type": "text", "align": "left", "baseline": "bottom", "fontWeight": 600},
                "encoding": {
                    "x": {**x, "field": "x"},
                    "y": {**y, "datum": 1.04},
                    "text": {"field": "name"},
                },
            }
        )
    return layers
