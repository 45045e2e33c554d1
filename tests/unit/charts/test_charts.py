"""Every builder draws, prints, saves and refuses."""

from __future__ import annotations

import json
import sys
import xml.dom.minidom
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from crmcore import charts
from crmcore.charts import Chart, bar, dot_interval, histogram, line, network, waterfall
from crmcore.errors import BadRows, EmptyInput, MissingExtra, OutOfRange, UnknownName
from crmcore.metrics import proportion

DAYS = [date(2026, 1, 1) + timedelta(i) for i in range(4)]
NODES = [{"id": "a", "x": 0, "y": 0, "label": "<Anna>", "group": "g"}, {"id": "b", "x": 1, "y": 1, "size": 3}]
ALL: dict[str, Callable[[], Chart]] = {
    "bar": lambda: bar(["web & <shop>", "ร้านค้า"], [12900, -3], title="Orders", axis="a year"),
    "dot_interval": lambda: dot_interval(
        ["web", "shop"], [proportion(30, 1000), proportion(80, 1000)], title="Conversion", percent=True, reference=0.05
    ),
    "histogram": lambda: histogram([1, 2, 2, 3, float("nan")], title="Days"),
    "line": lambda: line(DAYS, [1, 3, 2, 4], low=[0, 2, 1, 3], high=[2, 4, 3, 5], series=[*"aabb"], title="Week"),
    "waterfall": lambda: waterfall(["phone", 'sur"name'], [8, -2.5], start=-3, title="Weight", threshold=1),
    "network": lambda: network(NODES, [("a", "b", 0.5)], title="Links"),
}
MARKS = {"bar": 2, "dot_interval": 2, "histogram": 5, "line": 4, "waterfall": 4, "network": 2}


@pytest.mark.parametrize("name", ALL)
def test_every_picture_renders_to_well_formed_svg_without_script(name: str) -> None:
    svg = ALL[name]().to_svg()
    xml.dom.minidom.parseString(svg)
    assert "<script" not in svg
    assert "prefers-color-scheme:dark" in svg
    assert "NaN" not in svg
    assert "undefined" not in svg


@pytest.mark.parametrize("name", ALL)
def test_every_picture_has_as_many_rows_and_lines_as_it_draws(name: str) -> None:
    chart = ALL[name]()
    assert len(chart.rows) == MARKS[name]
    assert len({tuple(row) for row in chart.rows}) == 1, "rows share their keys"
    assert chart.to_text().splitlines()[0] == chart.title
    assert len(chart.to_text().splitlines()) >= len(chart.lines)


@pytest.mark.parametrize("name", ALL)
def test_every_spec_is_plain_json_of_vega_lite_5(name: str) -> None:
    spec = ALL[name]().to_dict()
    assert json.loads(json.dumps(spec, allow_nan=False)) == spec
    assert spec["$schema"].endswith("/vega-lite/v5.json")
    assert spec["data"]["values"] == [dict(row) for row in ALL[name]().rows]


def test_changing_a_copy_of_the_spec_leaves_the_theme_alone() -> None:
    ALL["bar"]().to_dict()["config"]["axis"].clear()
    assert ALL["bar"]().to_dict()["config"]["axis"]


def test_pictures_are_saved_by_ending(tmp_path: Path) -> None:
    chart = ALL["waterfall"]()
    assert chart.save(tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert chart.save(tmp_path / "a.svg").read_text().startswith("<svg")
    assert json.loads(chart.save(tmp_path / "a.json").read_text()) == chart.to_dict()
    page = chart.save(tmp_path / "a.html").read_text()
    assert "<svg" in page
    assert "<script" not in page
    assert "src=" not in page
    with pytest.raises(UnknownName, match=r"file ending '\.pdf'"):
        chart.save(tmp_path / "a.pdf")


def test_without_the_renderer_html_falls_back_to_text_and_svg_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    chart = ALL["bar"]()
    with pytest.raises(MissingExtra, match=r"pip install 'crmcore\[charts\]'"):
        chart.save(tmp_path / "a.svg")
    page = chart.save(tmp_path / "a.html").read_text()
    assert "<pre>Orders" in page
    assert "web &amp; &lt;shop&gt;" in page


def test_notebooks_get_the_spec_and_the_text() -> None:
    bundle = ALL["bar"]()._repr_mimebundle_()
    assert set(bundle) == {"application/vnd.vegalite.v5+json", "text/plain"}
    assert repr(ALL["bar"]()) == "Chart('Orders', 2 rows)"
    assert str(ALL["bar"]()) == bundle["text/plain"]


def test_a_waterfall_runs_from_start_to_total() -> None:
    rows = waterfall(["a", "b", "c"], [2.0, 0.0, -5.0], start=1.0, title="t").rows
    assert [row["to"] for row in rows] == [1.0, 3.0, 3.0, -2.0, -2.0]
    assert [row["kind"] for row in rows] == ["sum", "for", "sum", "against", "sum"]
    assert [row["text"] for row in rows] == ["1", "+2", "0", "\u22125", "\u22122"]


def test_numbers_in_pictures_have_thousands_separators_and_room() -> None:
    chart = bar(["a", "b"], [1234567, -1], title="t")
    assert [row["text"] for row in chart.rows] == ["1,234,567", "\u22121"]
    low, high = chart.spec["encoding"]["x"]["scale"]["domain"]
    assert low < -1
    assert high > 1234567


def test_rows_that_cannot_be_drawn_are_named_at_once() -> None:
    with pytest.raises(BadRows, match=r"not a finite number in 2 rows \[1, 2\]"):
        bar(["a", "b", "c"], [1, float("nan"), float("inf")], title="t")
    with pytest.raises(BadRows, match=r"repeated in 1 row \[2\]"):
        bar(["a", "b", "a"], [1, 2, 3], title="t")
    with pytest.raises(EmptyInput):
        bar([], [], title="t")
    with pytest.raises(EmptyInput):
        histogram([float("nan")], title="t")
    with pytest.raises(OutOfRange, match=r"len\(y\) = 1"):
        line([1, 2], [1], title="t")
    with pytest.raises(OutOfRange, match="pass both"):
        line([1, 2], [1, 2], low=[0, 0], title="t")
    with pytest.raises(BadRows, match=r"not the id of a node in 1 row \[0\]"):
        network(NODES, [("a", "c")], title="t")
    with pytest.raises(BadRows):
        network([{"id": "a", "x": float("nan"), "y": 0}], [], title="t")


def test_bars_of_nothing_still_draw() -> None:
    assert "<svg" in bar(["a"], [0], title="t").to_svg()
    assert "<svg" in waterfall(["a"], [0.0], title="t").to_svg()
    assert "<svg" in network([{"id": "alone", "x": 0, "y": 0}], [], title="t").to_svg()
    assert "<svg" in histogram([5], title="t").to_svg()
    assert "<svg" in line([1], [1], title="t").to_svg()


def test_the_table_of_contents_is_whole() -> None:
    assert all(getattr(charts, name).__name__ == name for name in charts.__all__)
