"""Pictures of journeys: the map of what follows what, the Sankey of the first steps, the funnel, the variants."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crmcore.charts import Chart, bar, dot_interval, flow_bands
from crmcore.charts.chart import TextLine
from crmcore.charts.theme import BLUE, INK, ORANGE
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.touchpoints.journeys.flows import SankeyFlows

if TYPE_CHECKING:
    from crmcore.touchpoints.journeys.following import FollowsGraph
    from crmcore.touchpoints.journeys.funnel_results import Funnel
    from crmcore.touchpoints.journeys.paths import VariantTable

__all__ = ["funnel_chart", "graph_chart", "sankey_chart", "variants_chart"]


def graph_chart(graph: FollowsGraph, /, *, edges: int) -> Chart:
    """Arrows between steps, early ones on the left; a thicker arrow is taken more often, an orange one leads back."""
    if edges < 1:
        raise OutOfRange("edges", edges, "1 or more", "fifteen edges are readable")
    drawn = [i for i in range(len(graph)) if graph.source[i] != graph.target[i]][:edges]
    if not drawn:
        raise EmptyInput("the graph without two steps in a row", "journeys of two different steps at least")
    used = {int(s) for i in drawn for s in (graph.source[i], graph.target[i])}
    order = _in_order(graph, used)
    at = {s: _spot(place, len(order)) for place, s in enumerate(order)}
    nodes = [
        {
            "x": x,
            "y": y,
            "step": graph.steps[s],
            "rows": int(graph.rows[s]),
            "text": f"{graph.steps[s]} {graph.rows[s]:,}",
        }
        for s, (x, y) in at.items()
    ]
    lines: list[dict[str, Any]] = []
    heads: list[dict[str, Any]] = []
    for i in drawn:
        a, b = int(graph.source[i]), int(graph.target[i])
        way = "onward" if order.index(a) < order.index(b) else "back"
        points, head = _arc(at[a], at[b])
        times = int(graph.count[i])
        lines += [{"edge": i, "x": x, "y": y, "n": n, "times": times, "way": way} for n, (x, y) in enumerate(points)]
        heads.append({**head, "times": times, "way": way, "text": f"{times:,}"})
    text = tuple(
        TextLine(f"{graph.steps[graph.source[i]]} -> {graph.steps[graph.target[i]]}", f"{graph.count[i]:,}",
                 float(graph.count[i]))
        for i in drawn
    )  # fmt: skip
    apart = {"scale": {"size": "independent"}}
    spec = {"width": 600, "height": 420, "layer": _graph_layers(nodes, lines, heads), "resolve": apart}
    return Chart("Journeys: what follows what", str(graph), spec, tuple(nodes), text)


def _spot(place: int, n: int) -> tuple[float, float]:
    """Place on an ellipse: the first step at the left, the last at the right, above and below in turns."""
    across = 2 * place / max(n - 1, 1) - 1
    side = 1 if place % 2 else -1
    depth = 0.8 if place // 2 % 2 else 1.0  # neighbours on one side stand on two levels, so that their names have room
    return across, side * depth * math.sqrt(max(1 - across * across, 0.0))


def _arc(a: tuple[float, float], b: tuple[float, float]) -> tuple[list[tuple[float, float]], dict[str, float]]:
    """Points of a bow from a to b that bends to its right, so that the way back is another line; and its arrow head."""
    bend = 0.14
    mx, my = (a[0] + b[0]) / 2 + bend * (b[1] - a[1]), (a[1] + b[1]) / 2 - bend * (b[0] - a[0])

    def point(t: float) -> tuple[float, float]:
        u = 1 - t
        return u * u * a[0] + 2 * u * t * mx + t * t * b[0], u * u * a[1] + 2 * u * t * my + t * t * b[1]

    x, y = point(0.62)
    before, after = point(0.6), point(0.64)
    turn = math.degrees(math.atan2((after[0] - before[0]) * 600 / 2.8, (after[1] - before[1]) * 420 / 2.5))
    return [point(t / 16) for t in range(17)], {"x": x, "y": y, "angle": turn}


def _graph_layers(
    nodes: list[dict[str, Any]], lines: list[dict[str, Any]], heads: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    place = {
        "x": {"field": "x", "type": "quantitative", "axis": None, "scale": {"domain": [-1.4, 1.4], "nice": False}},
        "y": {"field": "y", "type": "quantitative", "axis": None, "scale": {"domain": [-1.2, 1.3], "nice": False}},
    }
    colour = {
        "field": "way",
        "type": "nominal",
        "title": None,
        "scale": {"domain": ["onward", "back"], "range": [BLUE, ORANGE]},
        "legend": {"orient": "bottom", "symbolType": "circle"},
    }
    thick = {"field": "times", "type": "quantitative", "legend": None, "scale": {"range": [0.75, 6], "zero": True}}
    angle = {"field": "angle", "type": "quantitative", "scale": None}
    return [
        {
            "data": {"values": lines},
            "mark": {"type": "trail", "opacity": 0.45},
            "encoding": {**place, "detail": {"field": "edge"}, "order": {"field": "n"}, "size": thick,
                         "color": colour},
        },
        {
            "data": {"values": heads},
            "mark": {"type": "point", "shape": "triangle", "filled": True, "size": 90, "opacity": 1},
            "encoding": {**place, "angle": angle, "color": colour},
        },
        {
            "data": {"values": heads},
            "mark": {"type": "text", "dx": 9, "dy": -8, "fontSize": 10},
            "encoding": {**place, "text": {"field": "text"}},
        },
        {
            "mark": {"type": "point", "filled": True, "opacity": 1, "color": INK},
            "encoding": {**place, "size": {"field": "rows", "type": "quantitative", "legend": None,
                                           "scale": {"range": [60, 420], "zero": True}}},
        },
        {
            "transform": [{"filter": "datum.y >= 0"}],
            "mark": {"type": "text", "dy": -18, "fontWeight": 600},
            "encoding": {**place, "text": {"field": "text"}},
        },
        {
            "transform": [{"filter": "datum.y < 0"}],
            "mark": {"type": "text", "dy": 19, "fontWeight": 600},
            "encoding": {**place, "text": {"field": "text"}},
        },
    ]  # fmt: skip


def _in_order(graph: FollowsGraph, used: set[int]) -> list[int]:
    """Steps from early to late; neighbours change places while more go from the later one to the earlier one."""
    late, moves = _lateness(graph), graph.matrix()
    order = sorted(used, key=lambda s: (late[s], s))
    for _ in order:
        for i in range(len(order) - 1):
            a, b = order[i], order[i + 1]
            if moves[b, a] > moves[a, b]:
                order[i], order[i + 1] = b, a
    return order


def _lateness(graph: FollowsGraph) -> NDArray[np.float64]:
    """How late each step tends to come: ends less beginnings per row, half its own and half of what leads there."""
    own = (graph.ends - graph.starts) / np.maximum(graph.rows, 1)
    moves = graph.matrix().astype(np.float64)
    into = moves / np.maximum(moves.sum(axis=0), 1)
    late = own.astype(np.float64)
    for _ in range(20):
        late = 0.5 * own + 0.5 * (late @ into)
    return late


def sankey_chart(flows: SankeyFlows, /) -> Chart:
    """Bands from position to position."""
    rows = [(int(c), flows.names[a], flows.names[b], float(n)) for c, a, b, n in
            zip(flows.position, flows.source, flows.target, flows.count, strict=True)]  # fmt: skip
    if not rows:
        raise EmptyInput("the flows", "journeys of at least one step have flows")
    heads = [f"step {i + 1}" for i in range(int(flows.position.max()) + 2)]
    return flow_bands(rows, title="Journeys, step by step", description=str(flows), columns=heads)


def funnel_chart(funnel: Funnel, /) -> Chart:
    """Share of those who entered that reach each step, with its interval."""
    drawn = [s for s in funnel.steps if s.overall.n]
    if not drawn:
        raise EmptyInput("the funnel", "nobody has entered it and had the time to convert")
    labels = [f"{i + 1}. {s.step}" for i, s in enumerate(drawn)]
    return dot_interval(labels, [s.overall for s in drawn], title="Funnel", description=str(funnel), percent=True,
                        axis=f"share of {drawn[0].overall.n:,} journeys that entered")  # fmt: skip


def variants_chart(table: VariantTable, /, *, top: int) -> Chart:
    """Journeys of each of the most frequent paths."""
    if not len(table):
        raise EmptyInput("the variants", "give at least one journey")
    shown = range(min(top, len(table)))
    labels = [f"{i + 1}. {_short(table[i])}" for i in shown]
    return bar(labels, [float(table.count[i]) for i in shown], title="The most frequent journeys",
               description=str(table), axis="journeys")  # fmt: skip


def _short(path: tuple[str, ...]) -> str:
    return " > ".join(path) if len(path) <= 4 else " > ".join([*path[:2], "...", *path[-1:]]) + f" ({len(path)})"
