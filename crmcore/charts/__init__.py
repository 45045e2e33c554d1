"""Pictures as plain data: Vega-Lite specs in one house style, with a text twin for every one.

Builders are pure functions from rows to a `Chart`; nothing is rendered before `Chart.save` or a notebook asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.charts.chart import Chart
    from crmcore.charts.crossing import quadrants
    from crmcore.charts.flow import network, waterfall
    from crmcore.charts.plain import bar, dot_interval, histogram, line
    from crmcore.charts.sankey import flow_bands
    from crmcore.charts.shading import heat_map

__all__ = [
    "Chart",
    "bar",
    "dot_interval",
    "flow_bands",
    "heat_map",
    "histogram",
    "line",
    "network",
    "quadrants",
    "waterfall",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Chart": ".chart",
        "bar": ".plain",
        "dot_interval": ".plain",
        "flow_bands": ".sankey",
        "heat_map": ".shading",
        "histogram": ".plain",
        "line": ".plain",
        "network": ".flow",
        "quadrants": ".crossing",
        "waterfall": ".flow",
    },
)
