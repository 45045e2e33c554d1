"""Waterfalls of contributions, and networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crmcore.charts.chart import Chart, TextLine, check_finite, check_same_length, room, written
from crmcore.charts.theme import BLUE, GREY, ORANGE, ROW_HEIGHT, WIDTH
from crmcore.errors import BadRow, BadRows

__all__ = ["network", "waterfall"]


def waterfall(
    labels: Sequence[str],
    steps: Sequence[float],
    *,
    title: str,
    description: str = "",
    start: float = 0.0,
    start_label: str = "start",
    total_label: str = "total",
    axis: str = "",
    threshold: float | None = None,
) -> Chart:
    """How signed contributions lead from a start to a total: the picture of an explanation.

    Parameters
    ----------
    labels, steps : n entries
        What contributed, and how much (finite, signed), in the order of the story. Labels may repeat.
    title, description, axis : text
        What is shown, said in a sentence, and the unit.
    start : number
        Where the sum begins, such as the prior log-odds.
    start_label, total_label : text
        Names of the first and the last bar.
    threshold : number, optional
        A dashed line, such as the score above which two records match.

    Examples
    --------
    >>> chart = waterfall(["phone", "surname"], [8.0, -2.5], title="Match weight", start=-3.0)
    >>> [(row["label"], row["from"], row["to"]) for row in chart.rows]
    [('start', 0.0, -3.0), ('phone', -3.0, 5.0), ('surname', 5.0, 2.5), ('total', 0.0, 2.5)]
    """
    check_same_length("labels", len(labels), steps=steps)
    check_finite("waterfall", step=steps, start=[start])
    rows: list[dict[str, Any]] = [_step(0, start_label, 0.0, float(start), "sum")]
    running = float(start)
    for i, (label, step) in enumerate(zip(labels, steps, strict=True), 1):
        kind = "for" if step > 0 else "against" if step < 0 else "sum"
        rows.append(_step(i, str(label), running, running + float(step), kind))
        running += float(step)
    rows.append(_step(len(rows), total_label, 0.0, running, "sum"))
    for row in rows:
        row["next"] = min(row["row"] + 1, len(rows) - 1)
    names = {str(row["row"]): row["label"] for row in rows}
    words = "{" + ",".join(f"{key}:{_quoted(name)}" for key, name in names.items()) + "}[datum.value]"
    y = {
        "field": "row",
        "type": "ordinal",
        "title": None,
        "axis": {"labelExpr": words, "domain": False, "grid": False, "labelAlign": "right"},
    }
    falls = [row["to"] for row in rows if row["to"] < row["from"]]
    rises = [row["to"] for row in rows if row["to"] >= row["from"]]
    scale = {"domain": room(falls, [*rises, *([] if threshold is None else [threshold])]), "nice": False}
    x = {"field": "from", "type": "quantitative", "title": axis or None, "axis": {"tickCount": 6}, "scale": scale}
    colour = {
        "field": "kind",
        "type": "nominal",
        "scale": {"domain": ["for", "against", "sum"], "range": [BLUE, ORANGE, GREY]},
        "legend": None,
    }
    layers: list[dict[str, Any]] = [
        {
            "transform": [{"filter": "datum.row != datum.next"}],
            "mark": {"type": "rule", "color": GREY, "strokeWidth": 1},
            "encoding": {"y": y, "y2": {"field": "next"}, "x": {**x, "field": "to"}},
        },
        {
            "mark": {"type": "bar", "height": {"band": 0.65}},
            "encoding": {"y": y, "x": x, "x2": {"field": "to"}, "color": colour},
        },
        _number("datum.to >= datum.from", "left", 5, y),
        _number("datum.to < datum.from", "right", -5, y),
    ]
    if threshold is not None:
        check_finite("threshold", threshold=[threshold])
        mark = {"type": "rule", "strokeDash": [4, 4], "strokeWidth": 1.5}
        where = {"x": {"field": "at", "type": "quantitative"}}
        layers.append({"data": {"values": [{"at": float(threshold)}]}, "mark": mark, "encoding": where})
    spec = {"width": WIDTH, "height": {"step": ROW_HEIGHT}, "layer": layers}
    lines = tuple(TextLine(row["label"], row["text"], row["to"] - row["from"]) for row in rows)
    return Chart(title, description, spec, tuple(rows), lines)


def _step(row: int, label: str, before: float, after: float, kind: str) -> dict[str, Any]:
    change = after - before
    text = written(change, sign=kind != "sum")
    return {"row": row, "label": label, "from": before, "to": after, "kind": kind, "text": text}


def _quoted(word: str) -> str:
    import json

    return json.dumps(word)


def _number(test: str, align: str, dx: int, y: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "transform": [{"filter": test}],
        "mark": {"type": "text", "align": align, "dx": dx},
        "encoding": {"y": y, "x": {"field": "to", "type": "quantitative"}, "text": {"field": "text"}},
    }


def network(
    nodes: Sequence[Mapping[str, Any]],
    edges: Sequence[tuple[str, str] | tuple[str, str, float]],
    *,
    title: str,
    description: str = "",
    height: int = 360,
) -> Chart:
    """Points and the lines between them, where the caller says they stand.

    Parameters
    ----------
    nodes : sequence of mappings
        Each with `id`, `x`, `y` (finite); optionally `label` (default: the id), `group` (colour), `size` (area, > 0).
    edges : sequence of tuples
        (id, id) or (id, id, weight); a heavier line is thicker.
    title, description : text
        What is shown, and said in a sentence.
    height : points
        Of the drawing.

    Raises
    ------
    EmptyInput, BadRows
        No nodes; places that are not finite; edges to an id that is no node.

    Examples
    --------
    >>> two = [{"id": "a", "x": 0, "y": 0}, {"id": "b", "x": 1, "y": 1}]
    >>> print(network(two, [("a", "b", 0.9)], title="Links").to_text())
    Links
    a -- b  0.9  ████████████████████████████████
    """
    check_same_length("nodes", len(nodes))
    check_finite("nodes", x=[float(n["x"]) for n in nodes], y=[float(n["y"]) for n in nodes])
    at = {str(n["id"]): (float(n["x"]), float(n["y"])) for n in nodes}
    names = {str(n["id"]): str(n.get("label", n["id"])) for n in nodes}
    lost = tuple(i for i, edge in enumerate(edges) if str(edge[0]) not in at or str(edge[1]) not in at)
    if lost:
        raise BadRows("edges", (BadRow("ends", "not the id of a node", lost),), "pass a node for each end")
    links: list[dict[str, Any]] = []
    for edge in edges:
        a, b, weight = str(edge[0]), str(edge[1]), float(edge[2]) if len(edge) == 3 else 1.0
        links.append({"a": a, "b": b, "x": at[a][0], "y": at[a][1], "x2": at[b][0], "y2": at[b][1], "weight": weight})
    check_finite("edges", weight=[row["weight"] for row in links])
    rows = tuple(
        {
            "id": str(n["id"]),
            "label": names[str(n["id"])],
            "x": float(n["x"]),
            "y": float(n["y"]),
            "group": str(n.get("group", "")),
            "size": float(n.get("size", 1)),
        }
        for n in nodes
    )
    spec = {"width": WIDTH, "height": height, "layer": _network_layers(links, rows)}
    lines = [TextLine(f"{names[r['a']]} -- {names[r['b']]}", written(r["weight"]), r["weight"]) for r in links]
    linked = {end for row in links for end in (row["a"], row["b"])}
    lines += [TextLine(names[node], "") for node in at if node not in linked]
    return Chart(title, description, spec, rows, tuple(lines))


def _network_layers(links: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    def place(field: str) -> dict[str, Any]:
        scale = {"zero": False, "nice": False, "padding": 40}
        return {"field": field, "type": "quantitative", "axis": None, "scale": scale}

    spots: dict[str, Any] = {"x": place("x"), "y": place("y")}
    dots = dict(spots)
    if len({row["size"] for row in rows}) > 1:
        dots["size"] = {"field": "size", "type": "quantitative", "legend": None, "scale": {"range": [60, 500]}}
    if len({row["group"] for row in rows}) > 1:
        dots["color"] = {"field": "group", "type": "nominal", "title": None}
    width: dict[str, Any] = {"value": 1.5}
    if len({row["weight"] for row in links}) > 1:
        scale = {"range": [0.75, 5], "zero": True}
        width = {"field": "weight", "type": "quantitative", "legend": None, "scale": scale}
    ends = {**spots, "x2": {"field": "x2"}, "y2": {"field": "y2"}, "strokeWidth": width}
    lines = {"data": {"values": list(links)}, "mark": {"type": "rule", "color": GREY, "opacity": 0.7}, "encoding": ends}
    return [
        *([lines] if links else []),
        {"mark": {"type": "point", "size": 160, "opacity": 1}, "encoding": dots},
        {"mark": {"type": "text", "dy": -20}, "encoding": {**spots, "text": {"field": "label"}}},
    ]
