"""A picture as data: what it shows, the rows drawn, a Vega-Lite spec, and ways to look at it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import attrs

from crmcore._base import number_text
from crmcore.charts.theme import CONFIG, DARK_STYLE, SCHEMA
from crmcore.errors import BadRow, BadRows, EmptyInput, MissingExtra, OutOfRange, UnknownName

__all__ = ["Chart", "TextLine", "check_finite", "check_same_length", "room", "written"]

MIME = "application/vnd.vegalite.v5+json"
FORMATS = (".svg", ".png", ".html", ".json")
VEGA_LITE = "5.20"
BAR_WIDTH = 32


@attrs.frozen
class TextLine:
    """One line of a chart's text twin: a label, the number as text, and a bar of `length` (NaN: no bar)."""

    label: str
    value: str
    length: float = float("nan")


@attrs.frozen(repr=False)
class Chart:
    """One picture: shown by JupyterLab as it is, saved as SVG, PNG, HTML or JSON, printed as text.

    Parameters
    ----------
    title, description : text
        What the picture shows; the description is read out by screen readers.
    spec : mapping
        Vega-Lite v5 without data and theme.
    rows : sequence of mappings
        The rows drawn.
    lines : sequence of TextLine
        The same picture for a terminal.

    Examples
    --------
    >>> from crmcore.charts import bar
    >>> chart = bar(["web", "shop"], [30, 12], title="Orders by channel")
    >>> chart, chart.rows[0]
    (Chart('Orders by channel', 2 rows), {'label': 'web', 'value': 30.0, 'text': '30'})
    >>> print(chart.to_text())
    Orders by channel
    web   30  ████████████████████████████████
    shop  12  ████████████▊
    """

    title: str
    description: str
    spec: Mapping[str, Any]
    rows: tuple[Mapping[str, Any], ...]
    lines: tuple[TextLine, ...]

    def __repr__(self) -> str:
        return f"Chart({self.title!r}, {len(self.rows)} rows)"

    def __str__(self) -> str:
        return self.to_text()

    def to_dict(self) -> dict[str, Any]:
        """The whole Vega-Lite v5 spec, data and theme included; Altair and the Vega editor read it."""
        named = {"title": {"text": _wrapped(self.title)}, "description": self.description or self.title}
        # A round trip through JSON keeps callers from changing the theme through the copy they got.
        whole = {"$schema": SCHEMA, **named, "data": {"values": list(self.rows)}, **self.spec, "config": CONFIG}
        plain: dict[str, Any] = json.loads(json.dumps(whole))
        return plain

    def to_text(self, *, width: int = BAR_WIDTH) -> str:
        """Title, labels, numbers and bars of block characters, for terminals and where nothing can be rendered."""
        wide = max((len(line.label) for line in self.lines), default=0)
        number = max((len(line.value) for line in self.lines), default=0)
        top = max((abs(line.length) for line in self.lines if line.length == line.length), default=0.0)
        body = [
            f"{line.label:{wide}}  {line.value:>{number}}  {_blocks(line.length, top, width)}".rstrip()
            for line in self.lines
        ]
        return "\n".join([self.title, *body])

    def to_svg(self) -> str:
        """Render to SVG text that follows the reader's light or dark preference.

        Raises
        ------
        MissingExtra
            `vl-convert-python` is not installed (`pip install 'crmcore[charts]'`).
        """
        svg = str(_renderer("vegalite_to_svg")(self.to_dict(), vl_version=VEGA_LITE))
        label = escape(self.description or self.title, quote=True)
        head, _, body = svg.partition(">")
        head = re.sub(r' class="[^"]*"', "", head)
        return f'{head} class="crm-chart" role="img" aria-label="{label}"><style>{DARK_STYLE}</style>{body}'

    def to_html(self) -> str:
        """A whole page: the picture as inline SVG (as text where it cannot be rendered) and the numbers; no script."""
        text = f"<pre>{escape(self.to_text())}</pre>"
        try:
            picture = f"<figure>{self.to_svg()}</figure><details><summary>As text</summary>{text}</details>"
        except MissingExtra:
            picture = f"<figure>{text}</figure>"
        return (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(self.title)}</title>'
            '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
            "<style>body{font-family:sans-serif;margin:2rem}svg{max-width:100%;height:auto}</style></head>"
            f"<body>{picture}<p>{escape(self.description)}</p></body></html>\n"
        )

    def save(self, path: str | os.PathLike[str], *, scale: float = 2.0) -> Path:
        """Write the picture; the ending of the name decides the format.

        Parameters
        ----------
        path : path
            Ends in .svg, .png, .html or .json.
        scale : number
            Pixels per point of a .png.

        Raises
        ------
        UnknownName
            Another ending.
        MissingExtra
            .svg and .png need `vl-convert-python` (`pip install 'crmcore[charts]'`); .html falls back to text.
        """
        target = Path(path)
        if target.suffix == ".png":
            png = _renderer("vegalite_to_png")(self.to_dict(), vl_version=VEGA_LITE, scale=scale)
            target.write_bytes(png)
        elif target.suffix == ".svg":
            target.write_text(self.to_svg(), encoding="utf-8")
        elif target.suffix == ".html":
            target.write_text(self.to_html(), encoding="utf-8")
        elif target.suffix == ".json":
            target.write_text(json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        else:
            raise UnknownName("file ending", target.suffix, FORMATS)
        return target

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {MIME: self.to_dict(), "text/plain": self.to_text()}


def _renderer(name: str) -> Callable[..., Any]:
    try:
        import vl_convert
    except ImportError:
        raise MissingExtra("rendering a chart", "charts") from None
    function: Callable[..., Any] = getattr(vl_convert, name)
    return function


def room(left: Sequence[float], right: Sequence[float], *, share: float = 0.14) -> list[float]:
    """Range of an axis that holds zero, and the numbers written to the left and to the right of bar ends."""
    low, high = min(0.0, *left, *right), max(0.0, *left, *right)
    more = share * ((high - low) or 1.0)
    return [min([low, *(end - more for end in left)]), max([high, *(end + more for end in right)])]


def written(value: float, *, percent: bool = False, sign: bool = False) -> str:
    """Write a number as it stands in a picture: 3.1, 12,900, 4.2%, −7."""
    text = f"{number_text(100 * value)}%" if percent else number_text(value)
    return ("+" if sign and value > 0 else "") + text.replace("-", "\u2212")


def _wrapped(title: str, width: int = 60) -> list[str]:
    import textwrap

    return textwrap.wrap(title, width) or [""]


def _blocks(length: float, top: float, width: int) -> str:
    if not (length == length and top > 0):
        return ""
    eighths = round(abs(length) / top * width * 8)
    full, part = divmod(eighths, 8)
    mark = "░" if length < 0 else "█"
    return mark * full + (" ▏▎▍▌▋▊▉"[part] if part and length > 0 else "")


def check_same_length(what: str, n: int, **columns: Sequence[object]) -> None:
    """Refuse columns that do not have n entries, and an empty chart."""
    if n == 0:
        raise EmptyInput(what, "draw at least one row")
    for name, column in columns.items():
        if len(column) != n:
            raise OutOfRange(f"len({name})", len(column), f"{n}, as {what}", "pass one entry a row")


def check_finite(where: str, **columns: Sequence[float]) -> None:
    """Refuse rows with NaN or infinite numbers, all at once."""
    import math

    problems = []
    for name, column in columns.items():
        bad = tuple(i for i, v in enumerate(column) if not math.isfinite(v))
        if bad:
            problems.append(BadRow(name, "not a finite number", bad))
    if problems:
        raise BadRows(where, tuple(problems), "drop these rows or say in the description that they are missing")
