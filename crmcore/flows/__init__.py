"""Flows: what joins rooms. `report` writes what was found about a population as one self-contained page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.flows.page import Figure, Heading, KeyFigure, Note, Report, Section, Share, Table, Text
    from crmcore.flows.reporting import brand_chapters, report
    from crmcore.flows.sections.chapter import Chapter, Check
    from crmcore.flows.sections.identify import identify_section

_WHERE = {
    "Chapter": ".sections.chapter",
    "Check": ".sections.chapter",
    "Figure": ".page",
    "Heading": ".page",
    "KeyFigure": ".page",
    "Note": ".page",
    "Report": ".page",
    "Section": ".page",
    "Share": ".page",
    "Table": ".page",
    "Text": ".page",
    "brand_chapters": ".reporting",
    "identify_section": ".sections.identify",
    "report": ".reporting",
}

__all__ = [
    "Chapter",
    "Check",
    "Figure",
    "Heading",
    "KeyFigure",
    "Note",
    "Report",
    "Section",
    "Share",
    "Table",
    "Text",
    "brand_chapters",
    "identify_section",
    "report",
]
__getattr__ = lazy_names(__name__, _WHERE)
