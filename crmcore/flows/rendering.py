"""From a report to one HTML page: every word escaped, pictures inline, no script, nothing fetched."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import attrs

from crmcore.charts import Chart
from crmcore.charts.theme import WIDTH
from crmcore.errors import MissingExtra
from crmcore.flows.page import Block, Figure, Heading, KeyFigure, Note, Report, Section, Share, Table, Text, cell_text
from crmcore.flows.style import STYLE

__all__ = ["render"]

WIDTHS = {"wide": 600, "narrow": 230}  # points of a drawing without its labels: one for desks, one for telephones
SHORT = 18  # letters of a cell that is never broken into lines


def render(report: Report) -> str:
    """Write a report as one HTML document.

    Examples
    --------
    >>> "&lt;b&gt;" in render(Report("<b>", "", []))
    True
    """
    chapters = [(f"s{i}", section) for i, section in enumerate(report.sections, 1)]
    key = [k for section in report.sections for k in section.key]
    body = "\n".join(_section(anchor, section) for anchor, section in chapters)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(report.title)}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none';style-src 'unsafe-inline';img-src data:\">"
        f"<style>{STYLE}</style></head>\n<body><div class=page>\n"
        f"<header><h1>{escape(report.title)}</h1><p class=lead>{_inline(report.lead)}</p>{_cards(key)}</header>\n"
        f"<nav aria-label=Contents><div><b>Contents</b>{_contents(chapters)}</div></nav>\n<main>\n{body}\n</main>\n"
        f"<footer>{_inline(report.made)}</footer>\n</div></body></html>\n"
    )


def _inline(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _anchor(chapter: str, at: int) -> str:
    return f"{chapter}-{at}"


def _contents(chapters: Sequence[tuple[str, Section]]) -> str:
    items = []
    for anchor, section in chapters:
        parts = "".join(
            f'<li><a href="#{_anchor(anchor, at)}">{escape(block.text)}</a></li>'
            for at, block in enumerate(section.blocks)
            if isinstance(block, Heading)
        )
        inner = f"<ol>{parts}</ol>" if parts else ""
        items.append(f'<li><a href="#{anchor}">{escape(section.title)}</a>{inner}</li>')
    return f"<ol>{''.join(items)}</ol>"


def _cards(key: Sequence[KeyFigure]) -> str:
    if not key:
        return ""
    cards = "".join(
        f"<div class=card><dt>{escape(k.label)}</dt><dd><div class=number>{escape(k.value)}</div>"
        f"<div class=detail>{_inline(k.detail)}</div></dd></div>"
        for k in key
    )
    return f"<dl class=cards>{cards}</dl>"


def _section(anchor: str, section: Section) -> str:
    blocks = "\n".join(_block(block, _anchor(anchor, at)) for at, block in enumerate(section.blocks))
    head = f"<h2>{escape(section.title)}</h2><p class=lead>{_inline(section.lead)}</p>"
    return f'<section id="{anchor}">{head}\n{blocks}</section>'


def _block(block: Block, anchor: str) -> str:
    match block:
        case Heading(text):
            return f'<h3 id="{anchor}">{escape(text)}</h3>'
        case Text(text):
            return f"<p>{_inline(text)}</p>"
        case Note(text):
            return f"<p class=note>{_inline(text)}</p>"
        case Figure():
            return _figure(block)
        case Table():
            return _table(block)


def _figure(figure: Figure) -> str:
    try:
        drawn = ((name, _resized(figure.chart, points)) for name, points in WIDTHS.items())
        picture = "".join(f"<div class={name}>{chart.to_svg()}</div>" for name, chart in drawn)
    except MissingExtra:
        picture = f"<pre>{escape(figure.chart.to_text())}</pre>"
    how = f"<p class=reading><b>How to read this:</b> {_inline(figure.reading)}</p>" if figure.reading else ""
    return f"<figure>{picture}<figcaption><p>{_inline(figure.caption)}</p>{how}</figcaption></figure>"


def _resized(chart: Chart, points: int) -> Chart:
    spec = {**chart.spec, "width": points}
    return attrs.evolve(chart, spec=_roomier(spec) if points < WIDTH else spec)


def _roomier(spec: Any) -> Any:
    """Spec with more room beside bars to the left: numbers keep their size when a picture shrinks."""
    if isinstance(spec, Mapping):
        made = {key: _roomier(part) for key, part in spec.items()}
        match made.get("domain"):
            case [int() | float() as low, int() | float() as high] if low < 0:
                made["domain"] = [low - 0.12 * (high - low), high]
        return made
    return [_roomier(part) for part in spec] if isinstance(spec, list) else spec


def _is_number(cell: object) -> bool:
    return cell is not None and not isinstance(cell, str)


def _table(table: Table) -> str:
    right = [any(_is_number(row[c]) for row in table.rows) for c in range(len(table.headings))]
    head = "".join(
        f"<th{' class=num' if r else ''}>{escape(h)}</th>" for h, r in zip(table.headings, right, strict=True)
    )
    body = "".join(
        "<tr>" + "".join(_cell(cell, r) for cell, r in zip(row, right, strict=True)) + "</tr>" for row in table.rows
    )
    caption = f"<p class=caption>{_inline(table.caption)}</p>" if table.caption and not table.folded else ""
    grid = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    inner = f"<div class=table>{caption}<div class=scroll tabindex=0>{grid}</div></div>"
    if not table.folded:
        return inner
    return f"<details><summary>{_inline(table.caption or 'Table')}</summary>{inner}</details>"


def _cell(cell: object, right: bool) -> str:
    words = escape(cell_text(cell))
    if isinstance(cell, Share) and cell.value == cell.value:
        return f'<td class="num bar" style="--at:{100 * min(max(cell.value, 0.0), 1.0):.0f}%">{words}</td>'
    kind = " class=num" if right else " class=short" if len(words) <= SHORT else ""
    return f"<td{kind}>{words}</td>"
