"""What estimates say, show and refuse."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import crmcore.metrics as metrics
from crmcore.errors import EmptyInput, OutOfRange, SmallSample, UnknownName
from crmcore.metrics import Comparison, Counts, Estimate, compare, proportion, share_table
from crmcore.metrics.intervals import wilson_interval
from crmcore.metrics.labelled import (
    Confusion,
    Stratum,
    fbeta,
    precision,
    recall,
    stratified_recall,
    stratified_share,
    stratified_total,
)


def test_an_estimate_prints_value_interval_level_n_and_method() -> None:
    assert str(proportion(30, 1000)) == "0.03 [0.0211, 0.0425] (95 %, n = 1000, wilson)"


@pytest.mark.parametrize("backend", ["polars", "pandas", "pyarrow", None])
def test_an_estimate_becomes_a_frame_of_the_readers_kind(backend: str | None) -> None:
    frame = proportion(30, 1000, rule="orders / visits").to_frame(backend=backend)
    assert type(frame).__module__.startswith(backend or "polars")
    columns = frame.column_names if backend == "pyarrow" else list(frame.columns)
    assert columns == ["value", "low", "high", "level", "n", "rule", "method"]


def test_html_is_small_static_and_escaped() -> None:
    html = proportion(3, 10, rule="<b>a</b> / b", small_sample_ok=True)._repr_html_()
    assert "&lt;b&gt;" in html
    assert "few observations" in html
    assert "<script" not in html
    assert len(html) < 6000


def test_few_observations_warn_once_at_the_callers_line_and_can_be_accepted() -> None:
    with pytest.warns(SmallSample, match=r"n = 29 \(< 30\)[\s\S]*small_sample_ok=True") as caught:
        small = proportion(3, 29)
    assert [w.filename for w in caught] == [__file__]
    assert small.small
    assert not proportion(3, 30).small
    with pytest.warns(SmallSample) as caught:
        Counts(1, 5).estimate()
    assert caught[0].filename == __file__
    with pytest.warns(SmallSample) as caught:
        precision(Confusion(tp=3, fp=1))
    assert caught[0].filename == __file__


def test_no_trials_say_nothing_but_do_not_fail() -> None:
    nothing = proportion(0, 0, small_sample_ok=True)
    assert str(nothing) == "nan [0, 1] (95 %, n = 0, wilson)"
    assert json.loads(json.dumps(nothing.to_dict(), allow_nan=False))["value"] is None
    assert Estimate.from_dict(nothing.to_dict()).value != nothing.value
    for method in metrics.intervals.METHODS:
        low, high = metrics.intervals.METHODS[method]([0, 1], [0, 2])
        assert (low[0], high[0]) == (0.0, 1.0)
    assert str(fbeta(Confusion(), small_sample_ok=True)).startswith("nan [0, 1]")
    assert str(fbeta(Confusion(), beta=2, small_sample_ok=True)).startswith("nan [0, 1]")
    assert compare(Counts(), Counts(1, 2), small_sample_ok=True).difference.low == -1.0


def test_wrong_calls_say_the_way_out() -> None:
    with pytest.raises(OutOfRange, match=r"k = 5: expected 0 to n = 4"):
        proportion(5, 4)
    with pytest.raises(OutOfRange, match=r"k = 0\.5: expected a whole number[\s\S]*weights=\.\.\."):
        proportion(0.5, 1)  # type: ignore[arg-type]
    with pytest.raises(OutOfRange, match=r"level = 95: [\s\S]*level=0\.95"):
        proportion(50, 100, level=95)
    with pytest.raises(UnknownName, match=r"did you mean 'wilson'\?"):
        proportion(50, 100, method="wilsen")
    with pytest.raises(EmptyInput, match="fewer than two labels"):
        share_table({"a": 4})
    with pytest.raises(OutOfRange, match=r"counts\['b'\]"):
        share_table({"a": 4, "b": -1})
    with pytest.raises(UnknownName, match="did you mean 'ours'"):
        share_table({"ours": 40, "theirs": 40})["our"]
    with pytest.raises(OutOfRange, match="beta"):
        fbeta(Confusion(tp=40), beta=0)
    with pytest.raises(OutOfRange, match="seed"):
        stratified_total([Stratum(population=100, n=50, k=2)], method="bootstrap")
    with pytest.raises(UnknownName, match="interval method"):
        stratified_total([Stratum(population=100, n=50, k=2)], method="exact")
    with pytest.raises(OutOfRange, match="1 to population = 10"):
        Stratum(population=10, n=11, k=2)
    with pytest.raises(OutOfRange, match="shape of truth"):
        Confusion.of([True], [True, False])
    for empty in (stratified_recall, stratified_share, stratified_total):
        with pytest.raises(EmptyInput):
            empty([])


def test_kernels_leave_their_input_alone_and_broadcast() -> None:
    k = np.array([1, 2, 3])
    low, high = wilson_interval(k, 10)
    assert low.shape == high.shape == (3,)
    assert k.tolist() == [1, 2, 3]


def test_a_comparison_round_trips_and_draws() -> None:
    got = compare(Counts(56, 70), Counts(48, 80))
    assert Comparison.from_dict(json.loads(json.dumps(got.to_dict()))) == got
    assert pickle.loads(pickle.dumps(got)) == got
    assert got.to_frame(backend="polars").shape == (3, 8)
    assert got.p_value == pytest.approx(0.00805, abs=5e-6)
    assert len(got.chart().rows) == 2
    assert "difference 0.2" in got._repr_html_()


def test_labelled_quality_has_hand_values() -> None:
    c = Confusion(tp=90, fp=10, fn=20, tn=880)
    assert (precision(c).value, round(recall(c).value, 4)) == (0.9, 0.8182)
    assert fbeta(c).value == pytest.approx(2 * 0.9 * (90 / 110) / (0.9 + 90 / 110))
    assert fbeta(c, beta=2).value == pytest.approx(5 * 90 / (5 * 90 + 4 * 20 + 10))
    parts = [Stratum(population=1000, n=50, k=45), Stratum(population=5000, n=100, k=2, predicted=False)]
    assert stratified_recall(parts).value == 900 / 1000
    assert stratified_total(parts).value == 1000
    assert stratified_share(parts[:1]).value == 0.9


def test_recall_keeps_its_end_open_where_one_side_saw_nothing() -> None:
    none_lost = stratified_recall(
        [Stratum(population=100, n=50, k=45), Stratum(population=5000, n=100, k=0, predicted=False)]
    )
    assert none_lost.value == none_lost.high == 1.0
    assert none_lost.low < 0.8
    nothing = stratified_recall([Stratum(population=100, n=50, k=0)])
    assert str(nothing).startswith("nan [0, 1]")


def test_shares_show_as_text_table_frame_and_picture() -> None:
    table = share_table({"ours": 30, "rival": 70})
    assert repr(table) == "ShareTable(2 labels, n = 100)"
    assert str(table).splitlines()[0] == f"ours   {table['ours']}"
    assert table.to_frame(backend="polars")["label"].to_list() == ["ours", "rival"]
    assert "goodman" in table._repr_html_()
    assert [row["label"] for row in table.chart().rows] == ["ours", "rival"]


def test_the_table_of_contents_is_sorted_lazy_and_complete() -> None:
    assert sorted(metrics.__all__) == metrics.__all__
    assert all(getattr(metrics, name).__name__.removeprefix("crmcore.metrics.") == name for name in metrics.__all__)
    code = (
        "import sys, crmcore.metrics; assert 'numpy' not in sys.modules; crmcore.metrics.proportion(30, 100);"
        " print([m for m in ('scipy.stats', 'pandas', 'polars', 'narwhals', 'crmcore.charts') if m in sys.modules])"
    )
    root = Path(__file__).parents[3]
    out = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
