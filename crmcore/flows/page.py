"""What a report is made of: key figures, headings, text, pictures, tables and notes, in sections, as plain values."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from crmcore._base import number_text
from crmcore.charts import Chart
from crmcore.errors import OutOfRange

if TYPE_CHECKING:
    from crmcore.metrics import Estimate

__all__ = [
    "Block",
    "Figure",
    "Heading",
    "KeyFigure",
    "Note",
    "Report",
    "Section",
    "Share",
    "Table",
    "Text",
    "cell_text",
]


def _words(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(given)


def _rows(given: Iterable[Iterable[object]]) -> tuple[tuple[object, ...], ...]:
    return tuple(tuple(row) for row in given)


@attrs.frozen
class Share:
    """A share as a table cell: drawn as a bar behind its percentage; NaN is written as a dash."""

    value: float


def cell_text(cell: object) -> str:
    """Write a table cell as words.

    Examples
    --------
    >>> cell_text(12900), cell_text(0.125), cell_text(Share(0.125)), cell_text(None), cell_text("web")
    ('12,900', '0.125', '12.5%', '–', 'web')
    """
    if cell is None:
        return "\u2013"
    if isinstance(cell, Share):
        return "\u2013" if math.isnan(cell.value) else f"{cell.value:.1%}"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int):
        return f"{cell:,}".replace("-", "\u2212")
    if isinstance(cell, float):
        return "\u2013" if math.isnan(cell) else number_text(cell).replace("-", "\u2212")
    return short(cell)  # type: ignore[arg-type]


def short(estimate: Estimate) -> str:
    """Write a share with its interval, for a table.

    Examples
    --------
    >>> from crmcore.metrics import proportion
    >>> short(proportion(80, 100))
    '0.800 [0.711, 0.867]'
    """
    if math.isnan(estimate.value):
        return "\u2013"
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


@attrs.frozen
class KeyFigure:
    """One number on top: what it is, the number as text, and a line that says what it rests on."""

    label: str
    value: str
    detail: str = ""


@attrs.frozen
class Heading:
    """Begins a part of a section; it stands in the table of contents."""

    text: str


@attrs.frozen
class Text:
    """A paragraph; words between backticks are set as code."""

    text: str


@attrs.frozen
class Note:
    """What to keep in mind: a caveat, a warning, a way to go on."""

    text: str


@attrs.frozen
class Figure:
    """A picture with a caption and with how to read it."""

    chart: Chart
    caption: str
    reading: str = ""


@attrs.frozen
class Table:
    """Rows of cells under headings; `folded` tables open on a click and are printed open.

    Numbers, shares and estimates stand to the right, words to the left. None is written as a dash.
    """

    headings: tuple[str, ...] = attrs.field(converter=_words)
    rows: tuple[tuple[object, ...], ...] = attrs.field(converter=_rows)
    caption: str = ""
    folded: bool = False

    def __attrs_post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.headings):
                raise OutOfRange(
                    "cells in a row", len(row), f"{len(self.headings)}, one per heading", "pass None for an empty cell"
                )


Block = Heading | Text | Note | Figure | Table


def _key(given: Iterable[KeyFigure]) -> tuple[KeyFigure, ...]:
    return tuple(given)


def _blocks(given: Iterable[Block]) -> tuple[Block, ...]:
    return tuple(given)


@attrs.frozen
class Section:
    """One chapter of a report: what a room found.

    Attributes
    ----------
    title : heading
    lead : the finding in two or three sentences
    key : numbers for the cards on top of the page
    blocks : what follows, in order

    Examples
    --------
    >>> Section("Customers", "Two records are one customer.", blocks=[Text("They share a telephone.")])
    Section('Customers', 1 blocks)
    """

    title: str
    lead: str
    key: tuple[KeyFigure, ...] = attrs.field(default=(), converter=_key, kw_only=True)
    blocks: tuple[Block, ...] = attrs.field(default=(), converter=_blocks, kw_only=True)

    def __repr__(self) -> str:
        return f"Section({self.title!r}, {len(self.blocks)} blocks)"


def _sections(given: Iterable[Section]) -> tuple[Section, ...]:
    return tuple(given)


@attrs.frozen(repr=False)
class Report:
    """A page of sections: one self-contained HTML file, static, without script, for screen, telephone and paper.

    Attributes
    ----------
    title, lead : heading and first paragraph
    sections : chapters, in order
    made : when and from what, in words; stands at the foot

    Examples
    --------
    >>> page = Report("Our customers", "What 3 records say.", [Section("Customers", "Two of them are one person.")])
    >>> html = page.to_html()
    >>> html.startswith("<!doctype html>"), "<script" in html
    (True, False)
    """

    title: str
    lead: str
    sections: tuple[Section, ...] = attrs.field(converter=_sections)
    made: str = ""

    def __repr__(self) -> str:
        return f"Report({self.title!r}, {len(self.sections)} sections)"

    def __str__(self) -> str:
        lines = [self.title, self.lead]
        for section in self.sections:
            lines += ["", section.title, section.lead]
            lines += [f"  {k.label}: {k.value}" + (f" ({k.detail})" if k.detail else "") for k in section.key]
        return "\n".join(lines)

    def plus(self, *sections: Section) -> Report:
        """Report with more sections at its end."""
        return attrs.evolve(self, sections=(*self.sections, *sections))

    def to_html(self) -> str:
        """Write the page; pictures are inline SVG, or text where `vl-convert-python` is not installed."""
        from crmcore.flows.rendering import render

        return render(self)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to a file."""
        target = Path(path)
        target.write_text(self.to_html(), encoding="utf-8")
        return target

    def _repr_html_(self) -> str:
        from html import escape

        rows: Sequence[KeyFigure] = [k for s in self.sections for k in s.key]
        cells = "".join(f"<tr><th>{escape(k.label)}</th><td>{escape(k.value)}</td></tr>" for k in rows[:12])
        return f"<table><caption>{escape(self.title)}</caption><tbody>{cells}</tbody></table>"
