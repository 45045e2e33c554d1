"""A page of sections: escaped, without script, readable as text."""

from __future__ import annotations

import re
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from crmcore import flows
from crmcore.charts import Chart, bar
from crmcore.errors import MissingExtra, NaiveDatetime, OutOfRange, WrongType
from crmcore.flows import Figure, Heading, KeyFigure, Note, Report, Section, Share, Table, Text
from crmcore.flows.page import cell_text
from crmcore.metrics import proportion

EVIL = '<script>alert("x")</script>&"\''


def page(*blocks: object, key: tuple[KeyFigure, ...] = ()) -> str:
    return Report("Title", "Lead.", [Section("Part", "Found.", key=key, blocks=blocks)]).to_html()


class Tags(HTMLParser):
    """Collects what a browser would see; complains about tags that do not close."""

    VOID = frozenset({"meta", "br", "path", "rect", "line"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def tags(html: str) -> Tags:
    seen = Tags()
    seen.feed(html)
    assert not seen.open
    return seen


EVERYWHERE = (
    Heading(EVIL),
    Text(EVIL),
    Note(EVIL),
    Figure(bar([EVIL], [1.0], title=EVIL, description=EVIL), EVIL, EVIL),
    Table((EVIL,), [(EVIL,)], EVIL),
    Table((EVIL,), [(EVIL,)], EVIL, folded=True),
)


@pytest.mark.parametrize("block", EVERYWHERE, ids=lambda b: type(b).__name__)
def test_whatever_stands_in_a_block_is_escaped(block: object) -> None:
    seen = tags(page(block))
    assert "script" not in seen.names


def test_titles_leads_and_key_figures_are_escaped() -> None:
    section = Section(EVIL, EVIL, key=[KeyFigure(EVIL, EVIL, EVIL)])
    assert "script" not in tags(Report(EVIL, EVIL, [section], made=EVIL).to_html()).names


def test_a_page_has_no_script_no_handler_and_fetches_nothing() -> None:
    seen = tags(page(*EVERYWHERE[3:], key=(KeyFigure("a", "1"),)))
    assert not {"script", "link", "img", "iframe", "object", "embed", "form"} & set(seen.names)
    assert not [name for name, _ in seen.attributes if name.startswith("on")]
    links = [value or "" for name, value in seen.attributes if name in {"src", "href", "xlink:href"}]
    assert all(link.startswith("#") for link in links)
    assert "default-src 'none'" in page()


def test_the_table_of_contents_points_at_every_heading() -> None:
    html = page(Heading("First"), Text("x"), Heading("Second"))
    targets = re.findall(r'<a href="#([^"]+)">', html)
    assert len(targets) == 3
    assert all(html.count(f'id="{target}"') == 1 for target in targets)


def test_a_chart_is_drawn_for_desks_and_for_telephones() -> None:
    html = page(Figure(bar(["web"], [3.0], title="Orders"), "Caption.", "bars are counts."))
    widths = [int(w) for w in re.findall(r'<svg [^>]*?width="(\d+)"', html)]
    assert len(widths) == 2
    assert widths[1] < 360 < 600 <= widths[0]
    assert "How to read this:" in html


def test_where_nothing_can_be_drawn_the_text_twin_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_chart: Chart) -> str:
        raise MissingExtra("rendering a chart", "charts")

    monkeypatch.setattr(Chart, "to_svg", refuse)
    html = page(Figure(bar(["<web>"], [3.0], title="Orders"), "Caption."))
    assert "&lt;web&gt;" in html
    assert "█" in html
    assert "<svg" not in html


def test_code_is_set_as_code_and_nothing_else_is_markup() -> None:
    assert "<p>use <code>a&lt;b</code> and *this*</p>" in page(Text("use `a<b` and *this*"))


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (Share(float("nan")), "–"),
        (Share(0.5), "50.0%"),
        (-2.625, "−2.62"),
        (12345, "12,345"),
        (proportion(80, 100), "0.800 [0.711, 0.867]"),
    ],
)
def test_cells_are_written_for_eyes(cell: object, words: str) -> None:
    assert cell_text(cell) == words


def test_a_table_with_a_short_row_is_refused_at_the_door() -> None:
    with pytest.raises(OutOfRange, match="cells in a row = 1: expected 2, one per heading"):
        Table(("a", "b"), [("x",)])


def test_numbers_stand_right_and_shares_are_bars() -> None:
    html = page(Table(("name", "n", "share"), [("web", 3, Share(0.25)), ("shop", None, None)]))
    assert '<td class="num bar" style="--at:25%">25.0%</td>' in html
    assert "<th class=num>n</th>" in html
    assert "<td class=num>–</td>" in html


def test_a_report_grows_by_sections_and_prints_as_text() -> None:
    one = Report("Title", "Lead.", [Section("Part", "Found.", key=[KeyFigure("Records", "3", "2 sources")])])
    two = one.plus(Section("More", "Also."))
    assert (repr(one), repr(two)) == ("Report('Title', 1 sections)", "Report('Title', 2 sections)")
    assert "  Records: 3 (2 sources)" in str(two)
    assert "<th>Records</th><td>3</td>" in two._repr_html_()


def test_a_report_is_saved_as_utf_8(tmp_path: Path) -> None:
    saved = Report("ลูกค้า", "", []).save(tmp_path / "page.html")
    assert "ลูกค้า" in saved.read_text(encoding="utf-8")


def test_flows_report_refuses_what_is_no_population() -> None:
    with pytest.raises(WrongType, match="subject is a int"):
        flows.report(3)  # type: ignore[arg-type]
    with pytest.raises(NaiveDatetime):
        flows.report(3, now=datetime(2026, 1, 1))  # type: ignore[arg-type]
