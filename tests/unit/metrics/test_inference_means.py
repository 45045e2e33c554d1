"""What means, ratios, designs, quantiles, ranks and rates say, show and refuse."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from crmcore.errors import BadRows, OutOfRange, SmallSample, UnknownName, WrongType
from crmcore.metrics import (
    Exposure,
    Moments,
    compare,
    design,
    difference_in_medians,
    mean,
    median,
    paired_difference,
    proportion_of,
    quantile,
    ranks,
    rate,
    ratio,
    sequential,
)
from crmcore.metrics.comparing import Comparable
from crmcore.metrics.design import linearised_mean
from crmcore.metrics.quantiles import price_bonett_error
from crmcore.metrics.rates import rate_ratio
from crmcore.metrics.ratios import Totals
from crmcore.metrics.skewed import hall_interval, trimmed_mean, winsorised_mean


def test_missing_answers_are_left_out_and_infinite_ones_refused() -> None:
    assert Moments.of([1, None, math.nan, 3]) == Moments.of([1, 3])
    with pytest.raises(BadRows, match=r"infinite in 1 row \[1\][\s\S]*use NaN"):
        mean([1.0, math.inf])
    with pytest.raises(WrongType, match="turn words into numbers"):
        mean(["1", "2"])
    with pytest.raises(OutOfRange, match="pass one column"):
        mean([[1.0, 2.0]])


def test_columns_of_any_library_are_read_with_their_missing_values() -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    wanted = mean([1, 3], small_sample_ok=True)
    for column in (
        pandas.Series([1, None, 3], dtype="Int64"),
        pandas.Series([1, None, 3]),
        polars.Series([1, None, 3]),
        np.array([1, None, 3], object),
    ):
        assert mean(column, small_sample_ok=True) == wanted
        assert mean(column, clusters=["a", "b", "c"], small_sample_ok=True).value == wanted.value
    assert proportion_of(pandas.Series([True, None, False], dtype="boolean"), small_sample_ok=True).n == 2
    with pytest.raises(OutOfRange, match="as of numerators"):
        design.linearised_ratio([1, 2], [1])


def test_moments_count_repeats_and_refuse_weights() -> None:
    assert Moments.of([2, 4], counts=[1, 3]).n == 4
    assert Moments.of([2, 4], counts=[0, 0]) == Moments()
    with pytest.raises(OutOfRange, match=r"survey weights: metrics\.mean\(values, weights=\.\.\.\)"):
        Moments.of([2, 4], counts=[0.5, 1.5])
    with pytest.raises(OutOfRange, match="whole number"):
        Moments(1.5, 0.0, 0.0)  # type: ignore[arg-type]
    with pytest.raises(OutOfRange, match="m2 from 0"):
        Moments(2, 0.0, -1.0)


def test_one_value_has_no_interval_and_none_has_no_mean() -> None:
    one = mean([3.0], small_sample_ok=True)
    assert (one.value, math.isnan(one.low), math.isnan(one.high)) == (3.0, True, True)
    none = mean([], small_sample_ok=True)
    assert (math.isnan(none.value), none.n) == (True, 0)
    assert json.loads(json.dumps(none.to_dict(), allow_nan=False))["low"] is None
    assert math.isnan(compare(Moments(), Moments.of([1.0]), small_sample_ok=True).p_value)
    assert math.isnan(compare(Moments.of([2, 2]), Moments.of([1, 1]), small_sample_ok=True).p_value)
    assert mean([2.0, 2.0, 2.0], method="hall", small_sample_ok=True).width == 0
    assert math.isnan(hall_interval([1.0, 2.0])[0])


def test_small_means_warn_at_the_callers_line() -> None:
    for call in (
        lambda: mean([1, 2]),
        lambda: mean([1, 2], clusters=[1, 2]),
        lambda: Moments.of([1, 2]).estimate(),
        lambda: ratio([1, 2], [1, 2]),
        lambda: median([1, 2]),
        lambda: quantile([1, 2], 0.9),
        lambda: rate(3, 10),
        lambda: paired_difference([1, 2], [1, 3]),
        lambda: proportion_of([1, 0]),
        lambda: difference_in_medians([1, 2], [1, 2]),
        lambda: trimmed_mean([1, 2, 3]),
        lambda: ranks.shift([1, 2], [1, 2]),
    ):
        with pytest.warns(SmallSample, match="small_sample_ok=True") as caught:
            call()
        assert [w.filename for w in caught] == [__file__]


def test_wrong_words_and_levels_are_refused() -> None:
    values = list(range(40))
    with pytest.raises(UnknownName, match="did you mean 'hall'"):
        mean(values, method="halls")
    with pytest.raises(UnknownName, match="mean with a design"):
        mean(values, method="hall", clusters=values)
    with pytest.raises(OutOfRange, match="level = 95"):
        mean(values, level=95)
    with pytest.raises(UnknownName, match="did you mean 'fieller'"):
        ratio(values, values, method="fiellers")
    with pytest.raises(UnknownName, match="did you mean 'wilson'"):
        proportion_of([True] * 40, clusters=values, method="wilsons")
    with pytest.raises(OutOfRange, match="q = 90"):
        quantile(values, 90)
    with pytest.raises(OutOfRange, match=r"share = 0\.5"):
        trimmed_mean(values, share=0.5)
    with pytest.raises(UnknownName, match="price-bonett"):
        difference_in_medians(values, values, method="price")
    with pytest.raises(OutOfRange, match="seed"):
        difference_in_medians(values, values, method="bootstrap")


def test_fieller_leaves_the_ends_open_where_the_denominator_may_be_zero() -> None:
    got = ratio([1.0, 2.0, -1.0, 3.0], [1.0, -2.0, 1.5, 0.5], method="fieller", small_sample_ok=True)
    assert math.isnan(got.low)
    assert math.isnan(got.high)
    assert math.isnan(ratio([1.0], [1.0], method="fieller", small_sample_ok=True).low)
    assert math.isnan(ratio([1.0, 2.0], [0.0, 0.0], small_sample_ok=True).value)


def test_a_ratio_of_totals_is_not_an_average_of_ratios() -> None:
    got = ratio([100, 10], [1, 10], small_sample_ok=True)
    assert got.value == 10.0
    assert "11" not in str(got.value)


def test_answers_of_one_person_count_as_one_person() -> None:
    answers = [1] * 30 + [0] * 30
    people = [i // 5 for i in range(60)]
    alone = proportion_of(answers)
    grouped = proportion_of(answers, clusters=people, small_sample_ok=True)
    assert grouped.value == alone.value
    assert grouped.width > 1.5 * alone.width
    assert "effective n" in grouped.method
    # equal answers within each of 12 people are worth 12 people (Student's t instead of z takes a little more)
    assert float(grouped.method.rpartition("= ")[2]) == pytest.approx(60 * 11 / 59 * (1.96 / 2.201) ** 2, abs=0.02)


def test_a_share_of_all_or_none_keeps_a_sound_interval_with_clusters() -> None:
    got = proportion_of([0] * 60, clusters=[i // 5 for i in range(60)], small_sample_ok=True)
    assert (got.value, got.low) == (0.0, 0.0)
    assert got.high > proportion_of([0] * 60).high


def test_weights_move_the_mean_and_their_spread_costs_precision() -> None:
    values, weights = [1.0, 2.0, 3.0, 4.0] * 10, [1.0, 1.0, 1.0, 5.0] * 10
    got = mean(values, weights=weights)
    assert got.value == pytest.approx(np.average(values, weights=weights))
    assert "design effect" in got.method
    assert linearised_mean([1.0, 2.0, 1.0, 2.0], weights=[1, 1, 9, 9]).design_effect == pytest.approx(
        4 * (1 + 1 + 81 + 81) / 400
    )  # unrelated weights cost what Kish says: n sum(w^2) / sum(w)^2


def test_strata_of_known_size_weigh_their_answers() -> None:
    got = mean(
        [10.0, 12.0, 20.0, 22.0], strata=["small", "small", "large", "large"], population={"small": 10, "large": 90},
        small_sample_ok=True,
    )  # fmt: skip
    assert got.value == pytest.approx(0.1 * 11 + 0.9 * 21)


def test_designs_that_cannot_be_are_refused_with_the_way_out() -> None:
    y = [1.0, 2.0, 3.0, 4.0]
    with pytest.raises(BadRows, match=r"not a number from 0 in 2 rows \[1, 3\]"):
        linearised_mean(y, weights=[1, -1, 1, math.nan])
    with pytest.raises(OutOfRange, match="sum of weights"):
        linearised_mean(y, weights=[0, 0, 0, 0])
    with pytest.raises(OutOfRange, match="shape of clusters"):
        linearised_mean(y, clusters=["a", "b"])
    with pytest.raises(BadRows, match=r"missing in 1 row \[2\]"):
        linearised_mean(y, clusters=["a", "b", None, "b"])
    with pytest.raises(BadRows, match="belongs to one stratum"):
        linearised_mean(y, clusters=["a", "a", "b", "b"], strata=["n", "s", "n", "s"])
    with pytest.raises(OutOfRange, match=r"units in stratum 's'[\s\S]*merge it"):
        linearised_mean(y, strata=["n", "n", "n", "s"])
    with pytest.raises(OutOfRange, match="count customers, not answers"):
        linearised_mean(y, population=3)
    with pytest.raises(OutOfRange, match="a size for each stratum"):
        linearised_mean(y, strata=["n", "n", "s", "s"], population=100)
    with pytest.raises(OutOfRange, match="pass strata= too"):
        linearised_mean(y, population={"n": 100})
    with pytest.raises(UnknownName, match=r"stratum of population 'south'[\s\S]*did you mean 'sout'"):
        linearised_mean(y, strata=["north", "north", "south", "south"], population={"north": 100, "sout": 100})
    with pytest.raises(BadRows, match=r"neither 0 nor 1 in 1 row \[2\] \(such as 7\)[\s\S]*scores >= 9"):
        proportion_of([0, 1, 7])
    assert linearised_mean([math.nan]).n == 0
    assert math.isnan(linearised_mean([3.0]).standard_error)
    assert proportion_of([], clusters=[], small_sample_ok=True).low == 0.0
    assert proportion_of([1, 1], clusters=["a", "a"], small_sample_ok=True).low == 0.0
    assert design.Linearised is type(linearised_mean([1.0, 2.0]))


def test_rows_without_a_value_take_their_weight_and_cluster_with_them() -> None:
    with_hole = linearised_mean([1.0, None, 3.0, 5.0], weights=[1, math.nan, 2, 1], clusters=["a", None, "b", "c"])
    assert with_hole == linearised_mean([1.0, 3.0, 5.0], weights=[1, 2, 1], clusters=["a", "b", "c"])


def test_quantiles_say_what_they_cover_and_leave_open_what_they_cannot_bound() -> None:
    got = median(range(1, 21), small_sample_ok=True)
    assert (got.low, got.high, got.method) == (6, 15, "order statistics, covers 95.9 %")
    few = quantile([1, 2, 3], 0.9, small_sample_ok=True)
    assert few.high == math.inf
    none = median([], small_sample_ok=True)
    assert (math.isnan(none.value), none.low, none.high) == (True, -math.inf, math.inf)
    assert math.isnan(price_bonett_error([1, 2]))


def test_differences_in_medians_agree_between_methods_and_repeat_by_seed() -> None:
    rng = np.random.default_rng(5)
    before, after = rng.lognormal(3, 0.5, 200), rng.lognormal(2.7, 0.5, 201)
    closed = difference_in_medians(after, before)
    drawn = difference_in_medians(after, before, method="bootstrap", seed=1)
    assert drawn == difference_in_medians(after, before, method="bootstrap", seed=1)
    assert closed.difference.value == drawn.difference.value
    assert drawn.difference.width == pytest.approx(closed.difference.width, rel=0.35)
    assert closed.p_value < 0.01
    assert math.isnan(difference_in_medians([], [1.0], method="bootstrap", seed=1, small_sample_ok=True).difference.low)


def test_the_bootstrap_of_a_median_draws_what_resamples_would() -> None:
    from crmcore.metrics.quantiles import _medians

    rng = np.random.default_rng(1)
    for n in (1, 2, 7, 12):
        x = np.sort(rng.normal(size=n))
        slow = np.median(x[rng.integers(0, n, (20_000, n))], axis=1)
        fast = np.concatenate([_medians(x, rng) for _ in range(10)])
        assert fast.mean() == pytest.approx(slow.mean(), abs=0.02)
        assert fast.std() == pytest.approx(slow.std(), abs=0.02)
        assert set(np.round(fast, 9)) <= {round((a + b) / 2, 9) for a in x for b in x}


def test_rank_tests_without_information_say_so() -> None:
    assert math.isnan(ranks.mann_whitney([], [1])[1])
    assert math.isnan(ranks.mann_whitney([1, 1], [1, 1])[1])
    assert math.isnan(ranks.signed_rank([0, 0])[1])
    assert math.isnan(ranks.shift([], [1.0], small_sample_ok=True).difference.value)
    assert math.isnan(ranks.paired_shift([], [], small_sample_ok=True).difference.value)
    short = ranks.shift([1.0, 2.0], [0.0, 5.0], small_sample_ok=True).difference
    assert (short.low, short.high) == (-math.inf, math.inf)


def test_large_rank_tests_make_no_list_of_all_pairs() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(0.3, 1, 30_000), rng.normal(0, 1, 30_000)  # 900 million pairs
    got = ranks.shift(a, b)
    assert got.difference.value == pytest.approx(0.3, abs=0.03)
    assert 0.02 < got.difference.width < 0.05
    assert ranks.paired_shift(b, a).difference.value == pytest.approx(0.3, abs=0.04)


def test_trimmed_and_winsorised_means_ignore_the_one_wild_amount() -> None:
    values = [*range(1, 40), 1e9]
    assert trimmed_mean(values).value == winsorised_mean(values).value == 20.5
    assert mean(values).value > 1e7
    assert math.isnan(trimmed_mean([1.0], small_sample_ok=True).low)
    assert math.isnan(winsorised_mean([], small_sample_ok=True).value)


def test_rates_count_events_and_know_their_unit() -> None:
    got = rate(40, 8000, per=1000, rule="complaints / 1000 orders")
    assert (got.value, got.n, got.rule) == (5.0, 40, "complaints / 1000 orders")
    assert Exposure(40, 8000).estimate(per=1000, rule=got.rule) == got
    assert str(rate(0, 0, small_sample_ok=True)) == "nan [0, inf] (95 %, n = 0, exact)"
    assert rate(50, 10, method="score").width < rate(50, 10).width
    one, other = Exposure(60, 10_000), Exposure(40, 10_000)
    assert compare(one, other).p_value == pytest.approx(0.0569, abs=5e-5)
    assert one.minus(other, test="score").p_value < compare(one, other).p_value
    assert rate_ratio(one, other).value == 1.5
    assert rate_ratio(one, other, method="wilson").width < rate_ratio(one, other).width
    assert rate_ratio(one, Exposure(0, 100), small_sample_ok=True).high == math.inf
    assert math.isnan(rate_ratio(Exposure(), Exposure(), small_sample_ok=True).value)
    assert math.isnan(compare(Exposure(), Exposure(), small_sample_ok=True).p_value)


def test_wrong_rates_say_the_way_out() -> None:
    with pytest.raises(OutOfRange, match=r"sums of amounts: metrics\.ratio"):
        rate(1.5, 10)  # type: ignore[arg-type]
    with pytest.raises(OutOfRange, match="exposure = -1"):
        rate(1, -1)
    with pytest.raises(OutOfRange, match="more than 0 where events were seen"):
        Exposure(3, 0)
    with pytest.raises(OutOfRange, match="per=1000"):
        rate(50, 10, per=0)
    with pytest.raises(UnknownName, match="did you mean 'exact'"):
        rate(50, 10, method="exakt")
    with pytest.raises(UnknownName, match="did you mean 'score'"):
        Exposure(1, 2).minus(Exposure(1, 2), test="scores")
    with pytest.raises(UnknownName, match="interval method"):
        rate_ratio(Exposure(40, 2), Exposure(40, 2), method="exact-ish")


def test_ratios_add_up_compare_and_know_what_they_do_not_know() -> None:
    north, south = Totals.of([40, 0, 30] * 20, [2, 0, 1] * 20), Totals.of([80, 0, 30, None] * 20, [2, 0, 1, 5] * 20)
    assert (north + Totals(), Totals() + north) == (north, north)
    assert compare(south, north).difference.value == pytest.approx(110 / 3 - 70 / 3)
    assert isinstance(north, Comparable)
    assert sequential.compare_anytime(south, north, planned_n=500).difference.value > 0
    assert math.isnan(Totals().estimate(small_sample_ok=True).value)
    assert math.isnan(compare(Totals.of([1, 2], [0, 0]), north, small_sample_ok=True).p_value)
    with pytest.warns(SmallSample, match="the ratio"):
        Totals.of([1, 2], [1, 2]).estimate()
    with pytest.raises(OutOfRange, match="spreads from 0"):
        Totals(2, 1.0, 1.0, -1.0, 0.0, 0.0)
    with pytest.raises(OutOfRange, match="whole number"):
        Totals(0.5)  # type: ignore[arg-type]
