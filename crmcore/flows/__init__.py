"""Flows: what joins rooms. `report` writes what was found about a population as one self-contained page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.flows.page import Figure, Heading, KeyFigure, Note, Report, Section, Share, Table, Text
    from crmcore.flows.reporting import report
    from crmcore.flows.sections.identify import identify_section
    from crmcore.flows.sections.measures import Measures

_WHERE = {
    "Figure": ".page",
    "Heading": ".page",
    "KeyFigure": ".page",
    "Measures": ".sections.measures",
    "Note": ".page",
    "Report": ".page",
    "Section": ".page",
    "Share": ".page",
    "Table": ".page",
    "Text": ".page",
    "identify_section": ".sections.identify",
    "report": ".reporting",
}

__all__ = [
    "Figure",
    "Heading",
    "KeyFigure",
    "Measures",
    "Note",
    "Report",
    "Section",
    "Share",
    "Table",
    "Text",
    "identify_section",
    "report",
]
__getattr__ = lazy_names(__name__, _WHERE)
