"""What Net Promoter Scores say, show and refuse."""

from __future__ import annotations

import json
import pickle
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest

from crmcore.errors import BadRows, EmptyInput, NaiveDatetime, OutOfRange, SmallSample, UnknownName, WrongType
from crmcore.metrics import compare, compare_many
from crmcore.metrics.survey.nps_counts import NpsCounts, nps_groups, nps_interval, nps_standard_error
from crmcore.metrics.survey.nps_over_time import NpsTrend, nps_trend
from crmcore.metrics.survey.nps_score import NpsResult, nps
from crmcore.metrics.survey.nps_tables import NpsTable, nps_by
from crmcore.tables.columns import TextColumn


def test_the_borders_of_the_three_groups_are_six_and_nine() -> None:
    assert nps_groups(list(range(11))).tolist() == [0] * 7 + [1] * 2 + [2] * 2


def test_scores_off_the_scale_are_named_at_once_with_the_way_out() -> None:
    with pytest.raises(BadRows) as caught:
        NpsCounts.of([10, 11, 7.5, None, -1])
    said = str(caught.value)
    assert "not on the scale 0 to 10 in 2 rows [1, 4] (such as 11, -1)" in said
    assert "not a whole number in 1 row [2] (such as 7.5)" in said
    assert "metrics.survey.rescale(scores, (1, 5), (0, 10))" in said
    assert str(pickle.loads(pickle.dumps(caught.value))) == said


def test_words_and_matrices_are_no_scores() -> None:
    with pytest.raises(WrongType, match="turn words into numbers"):
        nps(["ten", "nine"])
    with pytest.raises(OutOfRange, match="one column"):
        nps([[10, 9], [8, 7]])


def test_not_answered_is_neither_passive_nor_counted() -> None:
    got = nps([10, 9, None, float("nan"), 3], small_sample_ok=True)
    assert got.counts == NpsCounts(2, 0, 1)
    assert got.not_answered == 2
    assert got.score.n == 3
    assert got.score.value == pytest.approx(100 / 3)


def test_few_answers_warn_and_can_be_accepted() -> None:
    with pytest.warns(SmallSample, match=r"Net Promoter Score stands on n = 3"):
        nps([10, 9, 3])
    with pytest.warns(SmallSample):
        NpsCounts(1, 1, 1).estimate()


def test_no_answers_give_nan_and_the_whole_range() -> None:
    got = nps([None, None], small_sample_ok=True)
    assert np.isnan(got.score.value)
    assert (got.score.low, got.score.high) == (-100, 100)
    assert NpsResult.from_dict(json.loads(json.dumps(got.to_dict()))).score.n == 0


def test_wald_is_not_clipped_at_a_hundred() -> None:
    _, high = nps_interval(19, 1, 0, method="wald")
    assert high > 100


def test_an_unknown_method_proposes_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'mover-wilson'"):
        nps(NpsCounts(50, 30, 20), method="mover")


def test_the_bootstrap_needs_a_seed_and_repeats_with_it() -> None:
    with pytest.raises(OutOfRange, match="seed=1"):
        nps(NpsCounts(50, 30, 20), method="bootstrap")
    first, again = (nps(NpsCounts(50, 30, 20), method="bootstrap", seed=4).score for _ in range(2))
    assert first == again
    assert (first.low, first.high) == pytest.approx((14, 45), abs=2.5)


def test_bootstrap_of_a_single_group_is_its_score() -> None:
    low, high = nps_interval([10, 0, 0], [0, 0, 4], [0, 5, 0], method="bootstrap", seed=1)
    assert low.tolist() == high.tolist() == [100, -100, 0]


def test_counts_are_whole_and_not_negative() -> None:
    with pytest.raises(OutOfRange, match=r"detractors = -1: expected a whole number from 0"):
        NpsCounts(1, 1, -1)
    with pytest.raises(OutOfRange, match="weights="):
        NpsCounts(1.5, 1, 1)


def test_the_result_reads_as_a_sentence_and_goes_round() -> None:
    got = nps(NpsCounts(50, 30, 20))
    assert str(got) == (
        "NPS 30 [14, 44.2] (95 %, n = 100, mover-wilson): 50 % promoters, 30 % passives, 20 % detractors"
    )
    assert NpsResult.from_dict(json.loads(json.dumps(got.to_dict()))) == got
    frame = got.to_frame(backend="polars")
    assert frame["part"].to_list() == ["score", "promoters", "passives", "detractors"]
    html = nps(NpsCounts(5, 3, 2), rule="<b>", small_sample_ok=True)._repr_html_()
    assert "few answers" in html
    assert "&lt;b&gt;" in html
    assert "<script" not in html


def test_the_chart_stacks_the_three_groups_to_the_whole_and_carries_the_interval() -> None:
    chart = nps(NpsCounts(50, 30, 20)).chart()
    assert [row["answer"] for row in chart.rows] == ["detractors", "passives", "promoters"]
    assert sum(row["share"] for row in chart.rows) == pytest.approx(1)
    assert {row["low"] for row in chart.rows} == {nps(NpsCounts(50, 30, 20)).score.low}
    assert "30 [14, 44.2]" in chart.to_text()
    assert chart.to_svg().startswith("<svg")


def test_equal_weights_change_nothing_but_the_degrees_of_freedom() -> None:
    scores = [10] * 500 + [8] * 300 + [3] * 200
    plain, equal = nps(scores), nps(scores, weights=[2.5] * 1000)
    assert equal.score.value == pytest.approx(plain.score.value)
    assert equal.standard_error == pytest.approx(plain.standard_error, rel=1e-3)
    assert (equal.score.low, equal.score.high) == pytest.approx((plain.score.low, plain.score.high), abs=0.05)


def test_weights_move_the_score_and_cost_precision() -> None:
    scores = [10] * 50 + [3] * 50
    got = nps(scores, weights=[3] * 50 + [1] * 50)
    assert got.score.value == pytest.approx(50)
    assert got.promoters.value == pytest.approx(0.75)
    assert got.effective_n < 100
    assert "effective n" in got.score.method


def test_repeated_answers_of_a_customer_are_worth_one() -> None:
    rng = np.random.default_rng(5)
    person = rng.choice([10, 8, 3], 100)
    once = nps(person)
    ten = nps(np.repeat(person, 10), clusters=np.repeat(np.arange(100), 10))
    assert ten.score.value == pytest.approx(once.score.value)
    assert ten.score.n == 1000
    assert ten.effective_n == pytest.approx(100, rel=0.06)


def test_a_census_has_no_sampling_error_and_a_too_small_population_is_refused() -> None:
    got = nps(NpsCounts(50, 30, 20), population=100)
    assert got.score.low == got.score.high == got.score.value
    assert nps(NpsCounts(50, 30, 20), population=120).score.width < nps(NpsCounts(50, 30, 20)).score.width
    with pytest.raises(OutOfRange, match=r"100 \(the answers\) or more"):
        nps(NpsCounts(50, 30, 20), population=99)
    assert NpsResult.from_dict(json.loads(json.dumps(got.to_dict()))) == got


def test_counts_cannot_be_weighted_and_columns_must_match() -> None:
    with pytest.raises(OutOfRange, match="pass the scores instead"):
        nps(NpsCounts(50, 30, 20), weights=[1.0] * 100)
    with pytest.raises(OutOfRange, match=r"len\(weights\)"):
        nps([10] * 40, weights=[1.0] * 39)


def test_difference_test_and_interval_agree_with_the_textbook() -> None:
    made = compare(NpsCounts(60, 30, 10), NpsCounts(50, 30, 20))
    first, second = (float(nps_standard_error(*c)) for c in ((60, 30, 10), (50, 30, 20)))
    assert made.difference.value == 20
    assert made.test == "unpooled z"
    assert made.difference.method == "mover of mover-wilson"
    assert made.p_value == pytest.approx(2 * (1 - _phi(20 / np.hypot(first, second))))
    weighted = nps(NpsCounts(60, 30, 10)).minus(nps(NpsCounts(50, 30, 20)))
    assert weighted == made


def _phi(z: float) -> float:
    from scipy.stats import norm

    return float(norm.cdf(z))


def test_scores_without_spread_have_a_difference_but_no_p_value() -> None:
    made = NpsCounts(10, 0, 0).minus(NpsCounts(0, 10, 0))
    assert made.difference.value == 100
    assert np.isnan(made.p_value)
    assert made.difference.low < 100 < made.difference.high
    empty = NpsCounts().minus(NpsCounts(1, 0, 0))
    assert (empty.difference.low, empty.difference.high) == (-200, 200)


def test_results_at_two_levels_are_not_subtracted() -> None:
    with pytest.raises(OutOfRange, match="estimate both at one level"):
        nps(NpsCounts(60, 30, 10)).minus(nps(NpsCounts(50, 30, 20), level=0.9))


def test_segments_are_compared_with_the_rest_and_adjusted() -> None:
    groups = {"a": NpsCounts(60, 30, 10), "b": NpsCounts(50, 30, 20), "c": NpsCounts(10, 30, 60)}
    assert compare_many(groups).found() == ("a", "b", "c")
    assert compare_many({k: groups[k] for k in "ab"}).found() == ()


def test_a_table_by_segment_counts_once_and_flags_the_small() -> None:
    table = nps_by([10, 9, 3, 10, None, 8], ["web", "web", "shop", None, "shop", "web"])
    assert table.labels == ("shop", "web")
    assert table.segment("web") == NpsCounts(2, 1, 0)
    assert table.segment("shop") == NpsCounts(0, 0, 1)
    assert table.elsewhere == NpsCounts(1, 0, 0)
    assert table.total == NpsCounts(3, 1, 1)
    assert "few answers" in str(table)
    assert table["shop"].value == -100
    with pytest.raises(UnknownName, match="did you mean 'shop'"):
        table["shops"]
    assert table.to_frame(backend="pandas")["n"].tolist() == [1, 3]
    again = NpsTable.from_dict(json.loads(json.dumps(table.to_dict())))
    assert (again.counts == table.counts).all()
    assert str(again) == str(table)
    assert "<table>" in table._repr_html_()


def test_words_codes_and_columns_give_one_table() -> None:
    scores, words = [10, 9, 3, 8], ["web", "web", "shop", None]
    by_words = nps_by(scores, words)
    by_codes = nps_by(scores, np.array([1, 1, 0, -1]), labels=["shop", "web"])
    by_column = nps_by(scores, TextColumn.of(words))
    for other in (by_codes, by_column):
        assert other.labels == by_words.labels
        assert (other.counts == by_words.counts).all()
        assert other.elsewhere == by_words.elsewhere


def test_labels_set_the_order_and_may_be_empty() -> None:
    table = nps_by([10, 3], ["b", "a"], labels=["c", "b", "a"])
    assert table.labels == ("c", "b", "a")
    assert table.n.tolist() == [0, 1, 1]
    assert np.isnan(table["c"].value)
    assert len(table.chart().rows) == 6
    with pytest.raises(BadRows, match="name every segment in labels"):
        nps_by([10, 3], ["b", "a"], labels=["a"])
    with pytest.raises(BadRows, match="name every code in labels"):
        nps_by([10, 3], [0, 1], labels=["a"])


def test_sparse_codes_are_labelled_by_their_number() -> None:
    table = nps_by([10, 3, 7], np.array([5_000_000_000, 7, -3]))
    assert table.labels == ("7", "5000000000")
    assert table.n.tolist() == [1, 1]
    assert table.elsewhere == NpsCounts(0, 1, 0)


def test_segments_need_one_row_an_answer_and_somebody_in_them() -> None:
    with pytest.raises(OutOfRange, match="3, one an answer"):
        nps_by([10, 3, 7], ["a", "b"])
    with pytest.raises(EmptyInput, match="at least one answer must be in a segment"):
        nps_by([10, 3], [None, None])


def test_periods_follow_the_calendar_of_the_zone() -> None:
    scores, at = [10, 3], np.array(["2026-01-31T16:59:59", "2026-01-31T17:00:00"], "datetime64[us]")
    assert nps_trend(scores, at).table.labels == ("2026-01-01",)
    assert nps_trend(scores, at, zone="Asia/Bangkok").table.labels == ("2026-01-01", "2026-02-01")
    with pytest.raises(UnknownName, match="unknown time zone 'Asia/Nowhere'"):
        nps_trend(scores, at, zone="Asia/Nowhere")


@pytest.mark.parametrize(
    ("period", "labels"),
    [
        ("day", ("2025-12-28", "2025-12-29", "2026-01-04", "2026-04-01")),
        ("week", ("2025-12-22", "2025-12-29", "2026-03-30")),
        ("month", ("2025-12-01", "2026-01-01", "2026-04-01")),
        ("quarter", ("2025-10-01", "2026-01-01", "2026-04-01")),
        ("year", ("2025-01-01", "2026-01-01")),
    ],
)
def test_each_period_is_labelled_by_its_first_day(period: str, labels: tuple[str, ...]) -> None:
    days = np.array(["2025-12-28", "2025-12-29", "2026-01-04", "2026-04-01"], "datetime64[us]")
    assert nps_trend([10, 9, 8, 7], days, period=period).table.labels == labels


def test_times_may_be_aware_datetimes_and_naive_ones_are_refused() -> None:
    bangkok = timezone(timedelta(hours=7))
    at = [datetime(2026, 2, 1, 3, tzinfo=bangkok), datetime(2026, 2, 1, 8, tzinfo=bangkok), None]
    assert nps_trend([10, 9, 8], at).table.labels == ("2026-01-01", "2026-02-01")
    with pytest.raises(NaiveDatetime, match="times is a naive datetime"):
        nps_trend([10], [datetime(2026, 2, 1)])
    with pytest.raises(BadRows, match="no time in 1 row"):
        nps_trend([10], ["yesterday"])


def test_truths_are_no_scores_of_a_scale_to_ten() -> None:
    with pytest.raises(WrongType, match="pass the scores themselves"):
        nps([True, False])


def test_a_missing_cell_among_words_is_in_no_segment() -> None:
    assert nps_by([10, 3, 8], ["a", float("nan"), "b"]).labels == ("a", "b")


def test_a_planted_trend_is_found_and_no_trend_is_not() -> None:
    rng = np.random.default_rng(8)
    months = np.array([f"2026-{m:02}-15" for m in range(1, 13)], "datetime64[us]").repeat(300)
    rise = np.where(rng.random(3600) < 0.3 + 0.03 * np.arange(12).repeat(300), 10, 5)
    trend = nps_trend(rise, months)
    assert trend.slope.value == pytest.approx(6, abs=1)
    assert trend.slope.low > 0
    flat = nps_trend(rng.choice([10, 8, 3], 3600), months)
    assert flat.slope.low < 0 < flat.slope.high
    assert len(trend.changes().labels) == 11
    again = NpsTrend.from_dict(json.loads(json.dumps(trend.to_dict())))
    assert str(again) == str(trend)
    assert len(trend.chart().rows) == 12


def test_answers_without_a_time_are_in_no_period() -> None:
    trend = nps_trend([10, 9], np.array(["2026-01-01", "NaT"], "datetime64[us]"))
    assert trend.table.elsewhere == NpsCounts(1, 0, 0)
    assert np.isnan(trend.slope.value)
    with pytest.raises(EmptyInput, match="single period"):
        trend.changes()
    with pytest.raises(EmptyInput, match="answers with a time"):
        nps_trend([10], np.array(["NaT"], "datetime64[us]"))
    with pytest.raises(UnknownName, match="did you mean 'month'"):
        nps_trend([10], np.array(["2026-01-01"], "datetime64[us]"), period="months")


def test_reprs_and_empty_tables_say_what_is_held() -> None:
    table = nps_by([10, 3], ["a", "b"])
    assert repr(table) == "NpsTable(2 segments, n = 2)"
    with pytest.raises(UnknownName, match="segment"):
        table.segment("c")
    with pytest.raises(UnknownName, match="baseline"):
        table.compared(baseline="c")
    with pytest.raises(UnknownName, match="did you mean 'holm'"):
        table.compared(adjust="holmes")
    with pytest.raises(EmptyInput, match="one group alone"):
        nps_by([10], ["a"]).compared()
    with pytest.raises(EmptyInput, match="segments that have answers"):
        nps_by([None], ["a"]).chart()
    trend = nps_trend([10, 9] * 40, np.array(["2026-01-01", "2026-02-01"] * 40, "datetime64[us]"))
    assert repr(trend).startswith("NpsTrend(2 months, slope 0 points a month)")
    assert len(trend.to_frame(backend="polars")) == 2
    assert "<table>" in trend._repr_html_()
    with pytest.raises(OutOfRange, match=r"len\(times\)"):
        nps_trend([10], np.array(["2026-01-01"] * 2, "datetime64[us]"))


def test_weights_without_an_answer_give_nan() -> None:
    got = nps([None, None], weights=[1, 2], small_sample_ok=True)
    assert np.isnan(got.score.value)
    assert (got.score.low, got.score.high) == (-100, 100)
