"""Pictures of durations, cohorts and days: rows and specs only, nothing is computed here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from crmcore._base import number_text
from crmcore.charts import Chart
from crmcore.charts.chart import TextLine, written
from crmcore.charts.theme import WIDTH

if TYPE_CHECKING:
    from crmcore.metrics.durations.survival import SurvivalTable

__all__ = ["survival_chart"]

POINTS = 400  # of one curve: more cannot be told apart on 440 points


def survival_chart(
    tables: Mapping[str, SurvivalTable], *, level: float, band: str, title: str, until: float | None = None
) -> Chart:
    """Step curves with bands, one a label, each from 1 at 0 to the last time seen, or to `until`."""
    rows: list[dict[str, Any]] = []
    lines: list[TextLine] = []
    for label, table in tables.items():
        columns = table.columns(level=level, band=band)
        steps = np.flatnonzero(columns["events"] > 0)
        kept = np.append(steps, len(table) - 1)
        if until is not None:  # the curve goes on past the end of the picture: hold its last step there
            kept = kept[columns["time"][kept] <= until]
        if len(kept) > POINTS:
            kept = kept[np.linspace(0, len(kept) - 1, POINTS).astype(int)]
        kept = np.unique(kept)
        rows.append({"x": 0.0, "y": 1.0, "low": 1.0, "high": 1.0, "at_risk": float(table.at_risk[0]), "series": label})
        names = {"x": "time", "y": "survival", "low": "low", "high": "high", "at_risk": "at_risk"}
        rows += [{new: float(columns[old][i]) for new, old in names.items()} | {"series": label} for i in kept]
        if until is not None and rows[-1]["x"] < until < columns["time"][-1]:
            rows.append({**rows[-1], "x": float(until)})
        for i in kept[np.unique(np.linspace(0, len(kept) - 1, min(len(kept), 12)).astype(int))]:
            share = float(columns["survival"][i])
            lines.append(
                TextLine(
                    f"{label} {number_text(float(columns['time'][i]))}".strip(), written(share, percent=True), share
                )
            )
    unit = next(iter(tables.values())).unit
    shared: dict[str, Any] = {
        "x": {"field": "x", "type": "quantitative", "title": unit or None, "axis": {"grid": False, "tickCount": 8}}
    }
    if len(tables) > 1:
        shared["color"] = {"field": "series", "type": "nominal", "title": None, "sort": list(tables)}
    y = {"type": "quantitative", "title": None, "axis": {"format": ".0%", "tickCount": 5}, "scale": {"domain": [0, 1]}}
    area = {
        "mark": {"type": "area", "opacity": 0.18, "interpolate": "step-after"},
        "encoding": {"y": {"field": "low", **y}, "y2": {"field": "high"}},
    }
    curve = {"mark": {"type": "line", "interpolate": "step-after"}, "encoding": {"y": {"field": "y", **y}}}
    spec = {"width": WIDTH, "height": 240, "encoding": shared, "layer": [area, curve]}
    said = "; ".join(f"{label} {table!r}".strip() for label, table in tables.items())
    return Chart(title, f"Kaplan-Meier, {100 * level:g} % {band} bands. {said}", spec, tuple(rows), tuple(lines))
