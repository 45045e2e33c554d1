"""Rows of the feature list that estimates and charts own."""

from __future__ import annotations

import pytest

from crmcore.charts import dot_interval
from crmcore.metrics import proportion, share_table
from crmcore.metrics.labelled import Confusion, fbeta


def test_row_011_recognition_rate_of_a_touchpoint_has_a_wilson_interval() -> None:
    rate = proportion(80, 100, rule="linked visits / visits")
    assert (rate.value, round(rate.low, 3), round(rate.high, 3)) == (0.8, 0.711, 0.867)


def test_row_143_share_of_voice_has_simultaneous_intervals() -> None:
    table = share_table({"ours": 30, "rival a": 50, "rival b": 20})
    assert [e.value for e in table.estimates] == [0.3, 0.5, 0.2]


def test_row_149_chart_rows_are_tidy_and_carry_intervals() -> None:
    rows = dot_interval(["web", "shop"], [proportion(30, 1000), proportion(80, 1000)], title="Conversion").rows
    assert all({"label", "value", "low", "high"} <= set(row) for row in rows)
    assert all(row["low"] <= row["value"] <= row["high"] for row in rows)


def test_row_153_accuracy_on_a_labelled_sample_is_f1_with_an_interval() -> None:
    f1 = fbeta(Confusion(tp=90, fp=10, fn=20, tn=880))
    assert f1.value == pytest.approx(180 / 210)
    assert f1.low < f1.value < f1.high
