"""Sankey: bands, blocks, and what is refused."""

from __future__ import annotations

import pytest

from crmcore.charts import flow_bands
from crmcore.errors import BadRows, EmptyInput

FLOWS = [(0, "ad", "shop", 30.0), (0, "ad", "end", 10.0), (1, "shop", "buy", 12.0)]


def test_blocks_are_as_high_as_what_flows() -> None:
    chart = flow_bands(FLOWS, title="t", columns=["first", "second", "third"])
    tall = {(r["column"], r["block"]): r["to"] - r["from"] for r in chart.rows}
    assert tall[0, "ad"] == pytest.approx(1.0)
    assert tall[1, "shop"] == pytest.approx(0.75)
    assert tall[2, "buy"] == pytest.approx(0.3)
    assert [r["weight"] for r in chart.rows] == [40, 30, 10, 12]


def test_bands_begin_and_end_inside_their_blocks() -> None:
    chart = flow_bands(FLOWS, title="t")
    blocks = {(r["column"], r["block"]): r for r in chart.rows}
    points = chart.to_dict()["layer"][0]["data"]["values"]
    for i, (column, source, target, _) in enumerate(FLOWS):
        mine = [p for p in points if p["flow"] == i]
        for point, block in ((mine[0], blocks[column, source]), (mine[-1], blocks[column + 1, target])):
            assert block["from"] - 1e-9 <= point["low"] < point["high"] <= block["to"] + 1e-9


def test_a_flow_of_nothing_is_refused() -> None:
    with pytest.raises(BadRows, match="leave out"):
        flow_bands([(0, "a", "b", 0.0)], title="t")
    with pytest.raises(EmptyInput):
        flow_bands([], title="t")
