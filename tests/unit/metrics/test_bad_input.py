"""Whatever is handed to a metric ends in a result or in a house error with the way out: no bare error, no warning."""

from __future__ import annotations

import datetime as dt
import json
import math
import pickle
import warnings
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from crmcore.errors import BadRows, CrmError, CrmWarning, EmptyInput, NaiveDatetime, OutOfRange, UnknownName, WrongType
from crmcore.metrics import (
    Comparison,
    Counts,
    Exposure,
    Moments,
    adjust,
    ces,
    compare,
    compare_many,
    conversion,
    csat,
    labelled,
    mean,
    median,
    nps,
    power,
    proportion,
    proportion_of,
    proportions,
    quantile,
    rate,
    rates,
    ratio,
    sequential,
    share_table,
)
from crmcore.metrics.assignment import sample_ratio
from crmcore.metrics.behaviour import (
    active_followers,
    adoption,
    bounce_rate,
    cac,
    cac_by_channel,
    click_value,
    content_effect,
    content_types,
    engagement_rate,
    engagement_rates,
    interactions,
    link_purchases,
    roll_up,
    share_of_voice,
    spread,
    traffic,
    vanity,
)
from crmcore.metrics.columns import cells_of, numbers, people, same_people, truths, whole
from crmcore.metrics.durations import (
    churn_by_period,
    customer_lifetimes,
    in_time,
    kaplan_meier,
    lapsed_share,
    retention,
    survival_by,
    waits,
)
from crmcore.metrics.intervals import wilson_interval
from crmcore.metrics.scalars import count_of, entries, real
from crmcore.metrics.series import RateSeries
from crmcore.metrics.survey import (
    IndexItem,
    MultiCounts,
    NpsCounts,
    SurveyIndex,
    audience_index,
    cronbach_alpha,
    csat_by,
    multi_answer,
    nps_by,
    post_stratify,
    rake,
    representativeness,
    response_bias,
)
from crmcore.metrics.survey.nps_counts import nps_interval
from crmcore.tables import TextColumn

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = dt.datetime(2026, 3, 15, tzinfo=dt.UTC)
TIMES: Any = [dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=i) for i in range(40)]
SCORES: Any = [1.0 + i % 5 for i in range(40)]
TRUE = [bool(i % 3) for i in range(40)]
WHO: Any = [f"p{i % 13}" for i in range(40)]
WORDS: Any = ["a", "b"] * 20

SCALARS: dict[str, Callable[[Any], object]] = {
    "level": lambda x: mean(SCORES, level=x),
    "k": lambda x: proportion(x, 100),
    "n": lambda x: proportion(0, x),
    "events": lambda x: rate(x, 100),
    "exposure": lambda x: rate(1, x),
    "per": lambda x: rate(1, 100, per=x),
    "population": lambda x: nps([9] * 40, population=x),
    "population of a mean": lambda x: mean(SCORES, population=x),
    "promoters": lambda x: NpsCounts(x, 1, 1),
    "moments": lambda x: Moments(3, x, 1.0),
    "top": lambda x: csat(SCORES, top=x),
    "scale": lambda x: ces(SCORES, scale=x),
    "scale end": lambda x: csat(SCORES, scale=(1, x)),
    "share": lambda x: quantile(SCORES, x),
    "spend": lambda x: cac(x, paid=2),
    "paid": lambda x: cac(10, paid=x),
    "spend by channel": lambda x: cac_by_channel(x, paid={"a": 1}),
    "clicks": lambda x: click_value(x, [1.0]),
    "limit": lambda x: vanity(followers=10, engaged=1, limit=x),
    "within days": lambda x: active_followers(TIMES, now=NOW, within_days=x),
    "silence": lambda x: lapsed_share(WHO, TIMES, now=NOW, silence_days=x),
    "hours": lambda x: in_time(SCORES, TRUE, x, target=0.5),
    "target": lambda x: in_time(SCORES, TRUE, 2, target=x),
    "customers": lambda x: interactions(WHO, SCORES, n_customers=x),
    "draws": lambda x: spread(WHO, TIMES, seed=1, draws=x),
    "seed": lambda x: spread(WHO, TIMES, seed=x, draws=100),
    "engaged": lambda x: bounce_rate(
        SCORES, session_rule="30 min", bounce="not engaged", duration_s=SCORES, engaged_s=x
    ),
    "session rule": lambda x: bounce_rate(SCORES, session_rule=x),
    "base name": lambda x: engagement_rate(1, 10, per=x),
    "bases": lambda x: engagement_rates(SCORES, x),
    "groups": lambda x: compare_many(x),
    "table": lambda x: share_table(x),
    "arms": lambda x: sample_ratio(x),
    "sample": lambda x: representativeness(x, {"a": 1, "b": 1}, skew_ok=True),
    "traits": lambda x: rake(x, {"w": {"a": 1, "b": 1}}),
    "cells": lambda x: post_stratify(WORDS, x),
    "largest": lambda x: rake({"w": WORDS}, {"w": {"a": 1, "b": 1}}, largest=x),
    "audience": lambda x: audience_index(x, 0.5),
    "ratio of shares": lambda x: proportions.risk_ratio(x, Counts(1, 9)),
    "ratio of rates": lambda x: rates.rate_ratio(Exposure(1, 9), x),
    "planned": lambda x: sequential.confidence_sequence(Counts(3, 100), planned_n=x),
    "planned, two": lambda x: sequential.compare_anytime(Counts(3, 100), Counts(4, 100), planned_n=x),
    "question": lambda x: power.sample_size(x),
    "effect of question": lambda x: power.minimum_detectable_effect(x, n=100),
    "confusion": lambda x: labelled.precision(x),
    "method": lambda x: proportion(1, 100, method=x),
    "adjustment": lambda x: compare_many({"a": Counts(1, 9), "b": Counts(2, 9)}, adjust=x),
    "baseline": lambda x: compare_many({"a": Counts(1, 9), "b": Counts(2, 9)}, baseline=x),
    "rule": lambda x: retention(WHO, TIMES, until=NOW, rule=x),
    "zone": lambda x: roll_up(TIMES, zone=x),
    "kernel": lambda x: nps_interval(x, 1, 1),
}
ODD: list[Any] = [
    "x",
    None,
    math.nan,
    math.inf,
    -1,
    1.5,
    10**400,
    [],
    {},
    b"x",
    dt.datetime(2026, 1, 1),
    np.datetime64("NaT"),
]

COLUMNS: dict[str, Callable[[Any], object]] = {
    "mean": mean,
    "weights": lambda x: mean(SCORES, weights=x),
    "clusters": lambda x: mean(SCORES, clusters=x),
    "strata": lambda x: mean(SCORES, strata=x),
    "median": median,
    "ratio": lambda x: ratio(SCORES, x),
    "share": proportion_of,
    "p-values": adjust,
    "nps": nps,
    "nps weights": lambda x: nps([9] * 40, weights=x),
    "segments": lambda x: nps_by([9] * 40, x),
    "csat": csat,
    "ces": ces,
    "several": multi_answer,
    "silent": lambda x: response_bias({"a": SCORES}, x),
    "trait": lambda x: response_bias({"a": x}, TRUE),
    "durations": lambda x: kaplan_meier(x, TRUE),
    "observed": lambda x: kaplan_meier(SCORES, x),
    "survival groups": lambda x: survival_by(x, SCORES, TRUE),
    "customers": lambda x: retention(x, TIMES, until=NOW),
    "times": lambda x: retention(WHO, x, until=NOW),
    "opened": lambda x: waits(x, TIMES, now=NOW),
    "viewers": lambda x: link_purchases(x, TIMES, WHO, TIMES),
    "brands": share_of_voice,
    "sources": traffic,
    "key events": lambda x: bounce_rate(
        SCORES, session_rule="30 min", bounce="not engaged", duration_s=SCORES, key_events=x
    ),
    "values": lambda x: roll_up(TIMES, x, zone="UTC"),
    "order values": lambda x: click_value(100, x),
    "truth": lambda x: labelled.Confusion.of(x, TRUE),
}
ODD_COLUMNS = {
    "empty": [],
    "short": SCORES[:-1],
    "text": ["x"] * 40,
    "one text": ["x", *SCORES[1:]],
    "missing": [None, *SCORES[1:]],
    "all missing": [None] * 40,
    "infinite": [math.inf, *SCORES[1:]],
    "negative": [-1, *SCORES[1:]],
    "huge": [10**400, *SCORES[1:]],
    "matrix": np.ones((40, 2)),
    "one number": 3,
    "one word": "hello",
    "nothing": None,
    "mapping": {"a": 1},
    "set": {1, 2},
    "ragged": [[1, 2], [3]],
    "naive": [dt.datetime(2026, 1, 1)] * 40,
    "no time": [np.datetime64("NaT")] * 40,
    "spans": [dt.timedelta(1)] * 40,
    "complex": np.ones(40, complex),
    "bytes": [b"x"] * 40,
}


def _ends_well(call: Callable[[Any], object], given: object) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", CrmWarning)
        try:
            said = str(call(given))
        except CrmError as error:
            said = str(error) if "hint: " in str(error) else ""
            again = pickle.loads(pickle.dumps(error))
            said = said if str(again) == said else ""
    assert said


@pytest.mark.parametrize("odd", ODD, ids=lambda x: type(x).__name__ + str(x)[:5])
@pytest.mark.parametrize("what", list(SCALARS))
def test_an_odd_argument_ends_in_a_house_error(what: str, odd: object) -> None:
    _ends_well(SCALARS[what], odd)


@pytest.mark.parametrize("odd", list(ODD_COLUMNS))
@pytest.mark.parametrize("what", list(COLUMNS))
def test_an_odd_column_ends_in_a_house_error(what: str, odd: str) -> None:
    _ends_well(COLUMNS[what], ODD_COLUMNS[odd])


def test_text_and_dates_where_a_number_belongs_are_named() -> None:
    with pytest.raises(WrongType, match=r"k is str: expected a number"):
        proportion("3", 100)  # type: ignore[arg-type]
    with pytest.raises(WrongType, match=r"level is str: [\s\S]*level=0\.95"):
        mean(SCORES, level="95 %")  # type: ignore[arg-type]
    with pytest.raises(WrongType, match=r"groups is list: expected a mapping"):
        compare_many([Counts(1, 9), Counts(2, 9)])  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match="unknown interval method 'None'"):
        proportion(3, 100, method=None)  # type: ignore[arg-type]
    with pytest.raises(WrongType, match="values is a column of dates"):
        numbers("values", np.array(["2026-01-01"], "datetime64[D]"))


def test_all_rows_that_are_no_numbers_are_named_at_once() -> None:
    with pytest.raises(BadRows, match=r"scores: no number in 2 rows \[1, 3\]"):
        nps([9, "ten", 8, "nine"])  # type: ignore[arg-type]
    with pytest.raises(BadRows, match=r"not within 0 to n in 2 rows \[0, 2\]"):
        wilson_interval([5, 1, -1], [4, 4, 4])


def test_counts_are_held_as_plain_whole_numbers() -> None:
    made = Counts(np.int64(3), 100.0)  # type: ignore[arg-type]
    assert repr(made) == "Counts(k=3, n=100)"
    assert json.dumps(NpsCounts(np.int32(1), True, 0).estimate(small_sample_ok=True).to_dict())  # type: ignore[arg-type]
    with pytest.raises(OutOfRange, match="n = inf: expected"):
        Counts(1, math.inf)  # type: ignore[arg-type]


def test_a_missing_label_is_never_the_word_nan_or_none() -> None:
    with pytest.raises(BadRows, match=r"source: missing in 1 row \[1\]"):
        traffic(["web", math.nan, "shop"])  # type: ignore[arg-type]
    with pytest.raises(BadRows, match=r"groups: missing in 1 row \[1\]"):
        survival_by(["a", None, "b"], [1, 2, 3], [True] * 3)  # type: ignore[arg-type]
    towns: Any = ["x", math.nan, "y", "x"]
    gaps = response_bias({"town": towns}, [True, True, False, False]).gaps
    assert [g.trait for g in gaps] == ["town: x", "town: y"]


def test_words_are_no_truths() -> None:
    with pytest.raises(WrongType, match="predicted is a column of str"):
        labelled.Confusion.of([True, False], ["yes", "no"])
    with pytest.raises(CrmError, match="answered"):
        response_bias({"a": [1, 2]}, ["no", "yes"])
    with pytest.raises(BadRows, match=r"answered: neither 0 nor 1 in 1 row \[0\]"):
        response_bias({"a": [1, 2]}, [math.nan, 1])
    with pytest.raises(BadRows, match="key_events"):
        bounce_rate([1, 1], session_rule="x", bounce="not engaged", duration_s=[1, 1], key_events=[math.nan, 0])


def test_decimals_and_series_of_any_library_are_columns() -> None:
    pandas, polars, arrow = (pytest.importorskip(x) for x in ("pandas", "polars", "pyarrow"))
    wanted = str(mean(SCORES))
    columns: tuple[Any, ...] = (
        tuple(SCORES),
        [Decimal(str(x)) for x in SCORES],
        np.array(SCORES, np.float32),
        pandas.Series(SCORES, index=range(5, 45)),
        pandas.Series(SCORES).convert_dtypes(),
        polars.Series(SCORES),
        arrow.array(SCORES),
        arrow.chunked_array([SCORES]),
    )
    for column in columns:
        assert str(mean(column)) == wanted
    few: dict[str, Any] = {"small_sample_ok": True}
    categories: tuple[Any, ...] = (
        pandas.Series(WORDS, dtype="category"),
        polars.Series(WORDS, dtype=polars.Categorical),
        TextColumn.of(WORDS),
    )
    for words in categories:
        assert str(traffic(words)) == str(traffic(WORDS))
        assert str(mean(SCORES, clusters=words, **few)) == str(mean(SCORES, clusters=WORDS, **few))
    chosen = [["price", "care"], ["price"], None, []]
    for rows in (polars.Series(chosen), arrow.array(chosen), pandas.Series(chosen)):
        assert str(multi_answer(rows, small_sample_ok=True)) == str(multi_answer(chosen, small_sample_ok=True))
    assert str(share_table(pandas.Series(WORDS).value_counts())) == str(share_table({"a": 20, "b": 20}))
    for frame in (
        pandas.DataFrame({"years": SCORES}),
        polars.DataFrame({"years": SCORES}),
        arrow.table({"years": SCORES}),
    ):
        assert str(response_bias(frame, TRUE)) == str(response_bias({"years": SCORES}, TRUE))


def test_customers_may_be_names() -> None:
    codes = np.unique(WHO, return_inverse=True)[1]
    for call in (
        lambda who: retention(who, TIMES, until=NOW),
        lambda who: lapsed_share(who, TIMES, now=NOW, silence_days=30, small_sample_ok=True),
        lambda who: churn_by_period(who, TIMES, until=NOW),
        lambda who: customer_lifetimes(who, TIMES, now=NOW, silence_days=30),
        lambda who: interactions(who, SCORES, n_customers=20, small_sample_ok=True),
        lambda who: adoption(who, TIMES, n_users=20, since=TIMES[0], until=TIMES[-1], small_sample_ok=True),
        lambda who: link_purchases(who, TIMES, who, TIMES).tolist(),
        lambda who: content_types(WORDS, who, TIMES, who, TIMES),
    ):
        assert str(call(WHO)) == str(call(codes)) == str(call(TextColumn.of(WHO)))
    with pytest.raises(WrongType, match="names beside joined"):
        retention(WHO, TIMES, until=NOW, joined=TIMES)


def test_one_person_has_one_code_in_views_purchases_and_controls() -> None:
    seen: Any
    bought: Any
    seen, bought = [TIMES[0]] * 3, [TIMES[0] + dt.timedelta(hours=1)] * 2
    got = content_effect(
        ["ann", "bob", "cyd"], seen, ["bob", "eve"], bought,
        control_person=["dan", "eve", "ann"], control_time=seen, small_sample_ok=True,
    )  # fmt: skip
    assert (got.linked, got.uplift.first.n, got.uplift.second.n) == (1, 3, 2)
    assert got.uplift.second.value == 0.5


def test_naive_datetimes_and_unknown_zones_say_the_way_out() -> None:
    naive: Any = [t.replace(tzinfo=None) for t in TIMES]
    with pytest.raises(NaiveDatetime, match=r"time is a naive datetime[\s\S]*ZoneInfo"):
        roll_up(naive, zone="UTC")
    with pytest.raises(CrmError, match="Mars/Base"):
        roll_up(TIMES, zone="Mars/Base")


def test_the_doors_read_what_they_say() -> None:
    assert real("x", np.float32(0.5)) == 0.5
    assert real("x", np.array(2)) == 2.0
    assert count_of("n", Decimal(3)) == 3
    assert count_of("n", 2**53 + 1) == 2**53 + 1
    with pytest.raises(OutOfRange, match=r"below 2\*\*63"):
        count_of("n", 2**63 + 2**20)
    assert entries("x", {"a": 1}, hint="") == {"a": 1}
    assert people("who", [2.0, -1.0]).tolist() == [2, -1]
    with pytest.raises(BadRows, match=r"below -1 in 1 row \[0\]"):
        people("who", [-2, 0])
    assert [c.tolist() for c in same_people(a=np.array(["x", None], object), b=["y", "x"])] == [[0, -1], [1, 0]]
    assert whole("n", np.array([1, 2], np.uint8)).dtype == np.int64
    with pytest.raises(BadRows, match="not a whole number"):
        whole("n", np.array([2**63], np.uint64))
    assert truths("t", [1, 0, True]).tolist() == [True, False, True]
    assert cells_of("w", range(3)).tolist() == [0, 1, 2]


def test_a_comparison_tells_its_statistic() -> None:
    made = compare(Counts(19, 20), Counts(49, 60), small_sample_ok=True)
    assert made.statistic == pytest.approx(1.4462030521243743, abs=1e-12)  # statsmodels proportions_ztest
    assert compare(Counts(19, 20), Counts(49, 60), test="fisher exact", small_sample_ok=True).statistic is None
    assert compare(Counts(0, 40), Counts(0, 40)).statistic is None
    scores = compare(NpsCounts(2, 6, 12), NpsCounts(47, 6, 7), small_sample_ok=True)
    assert scores.statistic == pytest.approx(-6.725382459813658, abs=1e-12)
    for one in (made, scores):
        assert Comparison.from_dict(json.loads(json.dumps(one.to_dict()))) == one
    assert NpsCounts(53, 25, 2).answer_variance == pytest.approx(0.28109375, abs=1e-12)


def test_conversion_of_nobody_is_not_a_number() -> None:
    made = conversion(0, 0, small_sample_ok=True)
    assert math.isnan(made.value)
    assert (made.low, made.high) == (0.0, 1.0)


def test_results_with_columns_and_missing_numbers_equal_what_is_read_back() -> None:
    made: tuple[Any, ...] = (
        nps_by([9, 3] * 20, WORDS),
        rake({"w": WORDS}, {"w": {"a": 1, "b": 3}}),
        representativeness({"a": 20, "b": 20}, {"a": 1, "b": 3}, skew_ok=True),
        cronbach_alpha({"x": SCORES, "y": SCORES[::-1]}),
        share_table({"a": 20, "b": 20}),
        proportion(0, 0, small_sample_ok=True),
        compare(Counts(0, 0), Counts(1, 40), small_sample_ok=True),
    )
    for one in made:
        assert pickle.loads(pickle.dumps(one)) == one
        assert type(one).from_dict(json.loads(json.dumps(one.to_dict(), allow_nan=False))) == one
    assert nps_by([9, 3] * 20, WORDS) != nps_by([9, 4, 9, 8] * 10, WORDS)
    with pytest.raises(ValueError, match="read-only"):
        made[0].counts[0, 0] = 7


def test_one_period_is_drawn_with_its_interval_and_none_says_so() -> None:
    one = churn_by_period(WHO, TIMES, until=NOW)
    assert len(one.starts) == 1
    assert [row["alone"] for row in one.chart().rows] == [True]
    assert "rule" in str(one.chart().spec)
    with pytest.raises(EmptyInput, match="draw at least one row"):
        RateSeries(number=[0], k=[0], n=[0], rule="k / n").chart()


@pytest.mark.parametrize("name", ["clopper_pearson", "Clopper-Pearson", "clopper pearson"])
def test_names_are_read_however_they_are_joined(name: str) -> None:
    assert proportion(3, 100, method=name) == proportion(3, 100, method="clopper-pearson")
    assert proportion_of(TRUE, method=name) == proportion_of(TRUE, method="clopper-pearson")
    assert adjust([0.1, 0.2], method="benjamini_hochberg").tolist() == [0.2, 0.2]
    assert nps([9] * 40, method="adjusted_wald").score.method == "adjusted-wald"
    assert nps_by([9] * 40, WORDS, method="Mover_Wilson").method == "mover-wilson"
    assert compare(Counts(1, 40), Counts(4, 40), test="fisher_exact").test == "fisher exact"
    assert proportion(3, 100, method="normal").high == proportion(3, 100, method="wald").high


def test_two_results_are_subtracted_and_the_error_says_so() -> None:
    a, b = nps([9] * 40), nps([9] * 30 + [3] * 10)
    assert a.minus(b).difference.value == 50.0
    with pytest.raises(WrongType, match=r"a is NpsResult[\s\S]*first\.minus\(second\)"):
        compare(a, b)  # type: ignore[type-var]
    with pytest.raises(BadRows, match=r"NpsCounts\(50, 30, 20\)"):
        nps((50, 30, 20))


def test_what_results_are_asked_is_checked_too() -> None:
    table = kaplan_meier(SCORES, TRUE)
    for call in (
        lambda: table.survival_at("3"),  # type: ignore[arg-type]
        lambda: table.restricted_mean([2]),  # type: ignore[arg-type]
        lambda: MultiCounts.of_shares({"a": "75 %"}, 400),  # type: ignore[dict-item]
        lambda: MultiCounts.of_shares({"a": 0.75}, "400"),  # type: ignore[arg-type]
        lambda: csat_by({"score": [1]}),  # type: ignore[arg-type]
        lambda: SurveyIndex(name="x", items=(IndexItem("x"),), at_least="half"),  # type: ignore[arg-type]
        lambda: cronbach_alpha({"a": ["1", "2"], "b": [1, 2]}),
    ):
        with pytest.raises(WrongType, match="hint: "):
            call()


def test_values_whose_squares_overflow_are_refused_before_they_do() -> None:
    with pytest.raises(OutOfRange, match=r"beyond 1e150[\s\S]*larger unit"):
        mean([1e200] * 40)
    with pytest.raises(OutOfRange, match=r"beyond 1e70[\s\S]*larger unit"):
        ratio([1e300] * 40, [1e-300] * 40)


def test_labels_may_be_numbers() -> None:
    assert str(share_table({1: 20, 2: 20})).startswith("1  0.5")  # type: ignore[dict-item]
    assert compare_many({1: Counts(1, 40), 2: Counts(3, 40)}).labels == ("1", "2")  # type: ignore[dict-item]
