"""How our pictures look: one palette, one type size, one set of colours for light and dark pages."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

__all__ = ["BLUE", "CONFIG", "DARK_STYLE", "GREY", "INK", "ORANGE", "PALETTE", "QUIET", "ROW_HEIGHT", "SCHEMA", "WIDTH"]

SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
WIDTH, ROW_HEIGHT = 440, 26  # points

INK, QUIET, RULE, PAPER = "#243140", "#56616d", "#e3e6ea", "#fdfdfd"
BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#8a939c"
PALETTE = (BLUE, "#e69f00", "#009e73", "#cc79a7", "#56b4e9", ORANGE, "#7f6bb3", GREY)
"""Okabe & Ito's colours, told apart with every common colour blindness; the strongest first, black left out."""

FONT = "Helvetica, Arial, 'Liberation Sans', 'Noto Sans', 'Noto Sans Thai', sans-serif"

CONFIG: dict[str, Any] = {
    "background": PAPER,
    "font": FONT,
    "padding": 12,
    "title": {"anchor": "start", "fontSize": 15, "fontWeight": 600, "color": INK, "offset": 12, "frame": "bounds"},
    "axis": {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelColor": INK,
        "titleColor": QUIET,
        "gridColor": RULE,
        "domainColor": RULE,
        "tickColor": RULE,
        "labelLimit": 300,
        "titlePadding": 10,
        "labelPadding": 5,
    },
    "axisX": {"labelFlush": False},
    "axisY": {"ticks": False},
    "legend": {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "labelColor": INK,
        "titleColor": QUIET,
        "labelLimit": 220,
        "symbolOpacity": 1,
    },
    "text": {"fontSize": 12, "color": INK},
    "view": {"stroke": None},
    "range": {"category": list(PALETTE)},
    "bar": {"color": BLUE},
    "line": {"color": BLUE, "strokeWidth": 2, "strokeJoin": "round"},
    "point": {"color": BLUE, "filled": True, "size": 80, "opacity": 1},
    "rule": {"color": INK},
}

DARK = MappingProxyType({INK: "#e6e9ed", QUIET: "#b3bbc4", RULE: "#3b444e", PAPER: "#14181d", BLUE: "#4aa3dc"})
# A style rule outranks the colours that a renderer writes as attributes, so one file serves both kinds of page.
DARK_STYLE = (
    "@media(prefers-color-scheme:dark){"
    + "".join(
        f'.crm-chart [{part}="{light}"]{{{part}:{dark}}}' for light, dark in DARK.items() for part in ("fill", "stroke")
    )
    + "}"
)
