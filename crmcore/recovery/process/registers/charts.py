"""Pictures of registers: rows and specs only, nothing is computed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore.charts import Chart, bar
from crmcore.charts.chart import TextLine
from crmcore.charts.theme import GREY, ROW_HEIGHT, WIDTH
from crmcore.errors import EmptyInput

if TYPE_CHECKING:
    from crmcore.recovery.process.registers.fault_trees import FaultTree
    from crmcore.recovery.process.registers.fmea import Fmea

__all__ = ["fault_tree_picture", "fmea_picture"]

MOST = 25
"""Bars of one picture: the worst come first, so that what is left out is small."""


def fault_tree_picture(tree: FaultTree, /) -> Chart:
    """Part of the top event's probability that goes away without each basic event."""
    rows = [r for r in tree.importance() if r.fussell_vesely == r.fussell_vesely][:MOST]
    if not rows:
        raise EmptyInput("the list of events", "the top event cannot happen: there is nothing to draw")
    return bar(
        [r.event for r in rows],
        [max(r.fussell_vesely, 0.0) for r in rows],
        title=f"What would go away of '{tree.top}'",
        description="part of the probability of the top event without each basic event",
        percent=True,
    )


def fmea_picture(register: Fmea, /) -> Chart:
    """Risk priority numbers now as bars, with a tick where each stood at first."""
    modes = register.ranked()[:MOST]
    if not modes:
        raise EmptyInput("the register", "add failure modes first")
    rows = tuple(
        {"label": m.name, "rpn": m.rpn, "first": m.first.rpn, "text": str(m.rpn), "moved": m.gain != 0} for m in modes
    )
    top = max(max(r.rpn for r in m.ratings) for m in modes)
    x = {
        "field": "rpn",
        "type": "quantitative",
        "title": "risk priority number; tick: at first",
        "scale": {"domain": [0, 1.15 * top], "nice": False},
        "axis": {"tickCount": 5},
    }
    y = {"field": "label", "type": "nominal", "sort": None, "title": None, "axis": {"domain": False}}
    spec = {
        "width": WIDTH,
        "height": {"step": ROW_HEIGHT},
        "encoding": {"y": y},
        "layer": [
            {"mark": {"type": "bar", "height": {"band": 0.7}}, "encoding": {"x": x}},
            {
                "transform": [{"filter": "datum.moved"}],
                "mark": {"type": "tick", "thickness": 3, "color": GREY},
                "encoding": {"x": {**x, "field": "first"}},
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 5},
                "encoding": {"x": x, "text": {"field": "text"}},
            },
        ],
    }
    lines = tuple(TextLine(m.name, f"{m.rpn} (at first {m.first.rpn})", float(m.rpn)) for m in modes)
    return Chart(f"Failure modes of {register.name}", f"{len(register)} failure modes", spec, rows, lines)
