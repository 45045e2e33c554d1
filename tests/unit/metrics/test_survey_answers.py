"""What satisfaction, effort, scales, indices and questions with several answers say, show and refuse."""

from __future__ import annotations

import json

import numpy as np
import pytest

from crmcore.errors import BadRows, EmptyInput, MissingColumn, OutOfRange, SmallSample, UnknownName, WrongType
from crmcore.metrics import Counts, compare
from crmcore.metrics.estimate_tables import EstimateTable
from crmcore.metrics.survey.answers import rescale
from crmcore.metrics.survey.indices import IndexItem, IndexResult, SurveyIndex
from crmcore.metrics.survey.multiple_choice import MultiAnswers, MultiCounts, multi_answer
from crmcore.metrics.survey.satisfaction import EffortResult, ces, csat, csat_by, top_box
from crmcore.metrics.survey.scales import ScaleReliability, cronbach_alpha
from crmcore.tables import ResponseTable

# --- satisfaction and effort ---------------------------------------------------------------------------------------


def test_the_scale_and_the_boxes_stand_in_the_rule() -> None:
    assert csat([5] * 40).rule == "answers 4-5 of 1-5 / answers"
    assert csat([5] * 40, top=1).rule == "answers 5 of 1-5 / answers"
    assert csat([7] * 40, scale=(1, 7), as_="mean").rule == "mean of answers 1-7"
    assert csat([5] * 40, rule="calls in May").rule == "calls in May"


def test_a_score_off_the_scale_names_the_scale_that_was_said() -> None:
    with pytest.raises(BadRows, match=r"say the scale that was asked, scale=\(1, 5\)"):
        csat([5, 6, 7])
    with pytest.raises(BadRows, match="not a whole number"):
        csat([4.5] * 30)
    assert csat([4.5] * 30, as_="mean").value == 4.5


def test_boxes_leave_a_point_below_them() -> None:
    for top in (0, 5, 1.5):
        with pytest.raises(OutOfRange, match="1 to 4 points of 1 to 5"):
            csat([5] * 30, top=top)
    with pytest.raises(OutOfRange, match="scale of one to five"):
        csat([5] * 30, scale=(5, 1))
    with pytest.raises(UnknownName, match="did you mean 'mean'"):
        csat([5] * 30, as_="means")


def test_small_n_warns_once_and_is_flagged() -> None:
    with pytest.warns(SmallSample, match="satisfaction score stands on n = 2") as caught:
        assert csat([5, 4, None]).small
    assert len(caught) == 1
    with pytest.warns(SmallSample, match="effort score") as caught:
        ces([7, 6])
    assert len(caught) == 1


def test_nobody_answered_gives_nan() -> None:
    got = csat([None, np.nan], small_sample_ok=True)
    assert np.isnan(got.value)
    assert (got.low, got.high) == (0, 1)


def test_top_boxes_add_up_and_compare() -> None:
    may, june = top_box([5, 4, 2] * 40), top_box([5, 2, 2] * 40)
    assert may + june == Counts(120, 240)
    assert compare(may, june).difference.value == pytest.approx(1 / 3)


def test_effort_reads_as_a_sentence_and_goes_round() -> None:
    got = ces([7] * 20 + [6] * 10 + [3] * 10)
    assert str(got).startswith("mean 5.75 [5.22, 6.28] (95 %, n = 40, t); answers 6-7 of 1-7 / answers: 0.75")
    assert EffortResult.from_dict(json.loads(json.dumps(got.to_dict()))) == got
    assert got.to_frame(backend="polars")["part"].to_list() == ["mean", "top box"]
    assert "mean of answers 1-7" in got._repr_html_()
    assert got.chart().rows[0]["value"] == 5.75


def table() -> ResponseTable:
    rows = [
        {"customer": "a", "question": "csat", "score": 5, "touchpoint": "call"},
        {"customer": "a", "question": "csat", "score": 4, "touchpoint": "call"},
        {"customer": "b", "question": "csat", "score": 1, "touchpoint": "call"},
        {"customer": None, "question": "csat", "score": 5, "touchpoint": "shop"},
        {"customer": "b", "question": "csat", "score": None, "touchpoint": "shop"},
        {"customer": "b", "question": "csat", "score": 4, "touchpoint": None},
        {"customer": "c", "question": "nps", "score": 9, "touchpoint": "shop"},
    ]
    return ResponseTable.from_frame(rows * 20)


def test_touchpoints_are_counted_apart_and_other_scales_are_refused() -> None:
    with pytest.raises(BadRows, match="or name one question="):
        csat_by(table())
    got = csat_by(table(), question="csat")
    assert got.labels == ("call", "shop")
    assert [(e.value, e.n) for e in got.estimates] == [(pytest.approx(2 / 3), 60), (1.0, 20)]
    assert "shop" in str(got)
    assert "few answers" in str(got)
    assert got.percent
    assert csat_by(table(), question="csat", as_="mean")["call"].value == pytest.approx(10 / 3)
    with pytest.raises(UnknownName, match="did you mean 'csat'"):
        csat_by(table(), question="csats")
    with pytest.raises(UnknownName, match="did you mean 'touchpoint'"):
        csat_by(table(), by="touchpoints")
    with pytest.raises(EmptyInput, match="answers with a score and a survey"):
        csat_by(table(), by="survey")


def test_customers_as_units_widen_the_interval_and_anonymous_answers_stand_alone() -> None:
    answers, customers = (csat_by(table(), question="csat", unit=u) for u in ("answer", "customer"))
    assert customers["call"].width > answers["call"].width
    assert customers["shop"].width == pytest.approx(answers["shop"].width, abs=0.03)
    with pytest.raises(UnknownName, match="unit"):
        csat_by(table(), question="csat", unit="person")


def test_a_table_of_estimates_goes_round_and_draws_what_is_known() -> None:
    got = csat_by(table(), question="csat")
    assert EstimateTable.from_dict(json.loads(json.dumps(got.to_dict()))) == got
    assert got.to_frame(backend="pandas")["touchpoint"].tolist() == ["call", "shop"]
    assert len(got.chart().rows) == 2
    assert "<table>" in got._repr_html_()
    with pytest.raises(UnknownName, match="touchpoint"):
        got["mail"]
    none = EstimateTable(labels=("x",), estimates=(csat([], as_="mean", small_sample_ok=True),))
    with pytest.raises(EmptyInput, match="without a finite estimate"):
        none.chart()


def test_rescaling_keeps_the_ends_and_what_is_missing() -> None:
    got = rescale([1, 2, None, 5], (1, 5), (0, 100))
    assert got[[0, 1, 3]].tolist() == [0, 25, 100]
    assert np.isnan(got[2])
    with pytest.raises(BadRows, match=r"pass the scale that was asked; \(1, 5\) was said"):
        rescale([0], (1, 5), (0, 10))
    with pytest.raises(OutOfRange, match="lowest, highest"):
        rescale([1], (1, 5), (10, 0))


# --- scales and indices --------------------------------------------------------------------------------------------


def test_an_item_worded_the_other_way_round_is_named() -> None:
    base = np.array([5, 4, 2, 1, 4, 3, 2, 5] * 5)
    got = cronbach_alpha({"honest": base, "reliable": base, "would leave": 6 - base})
    assert got.reversed == ("would leave",)
    assert "reverse or drop 'would leave'" in str(got)
    assert got.alpha_if_deleted[2] == pytest.approx(1)


def test_respondents_with_a_gap_are_left_out_and_counted() -> None:
    matrix = np.array([[5, 4, 5], [4, 4, 3], [2, 1, 2], [np.nan, 3, 4], [1, 2, 1]])
    got = cronbach_alpha(matrix, names=["a", "b", "c"], small_sample_ok=True)
    assert (got.alpha.n, got.left_out) == (4, 1)
    assert "1 respondents left an item out" in str(got)
    assert got.alpha.value == pytest.approx(cronbach_alpha(matrix[[0, 1, 2, 4]], small_sample_ok=True).alpha.value)


def test_scales_need_two_items_and_two_respondents() -> None:
    with pytest.raises(OutOfRange, match="at least 2"):
        cronbach_alpha({"only": [1, 2, 3]})
    with pytest.raises(EmptyInput, match="answered every item"):
        cronbach_alpha({"a": [1, None, 3], "b": [None, 2, 4]})
    with pytest.raises(OutOfRange, match="columns of one length"):
        cronbach_alpha({"a": [1, 2, 3], "b": [2, 4]})
    with pytest.raises(WrongType, match="a is a column of str"):
        cronbach_alpha({"a": ["often", "never"], "b": [2, 4]})
    with pytest.raises(OutOfRange, match="3, one an item"):
        cronbach_alpha(np.ones((5, 3)), names=["a"])


def test_a_scale_nobody_varies_on_has_no_alpha() -> None:
    got = cronbach_alpha(np.full((40, 3), 4))
    assert np.isnan(got.alpha.value)
    assert np.isnan(got.item_total).all()
    with pytest.raises(EmptyInput, match="varying item"):
        got.chart()


def test_reliability_goes_round_and_shows_its_items() -> None:
    rng = np.random.default_rng(2)
    got = cronbach_alpha(rng.normal(size=(50, 1)) + rng.normal(size=(50, 4)), names=list("abcd"))
    again = ScaleReliability.from_dict(json.loads(json.dumps(got.to_dict())))
    assert str(again) == str(got)
    assert got.to_frame(backend="polars")["item"].to_list() == list("abcd")
    assert len(got.chart().rows) == 4
    assert "Cronbach" in got._repr_html_()


def trust() -> SurveyIndex:
    return SurveyIndex(
        name="trust",
        items=(
            IndexItem("honest"),
            IndexItem("doubts", good="low"),
            IndexItem("visits", scale=(0, 10), beyond="clip", weight=2),
        ),
    )


def test_an_index_mixes_scales_reverses_and_leaves_missing_missing() -> None:
    got = trust().scores(
        {
            "honest": [5, 5, None, None],
            "doubts": [1, 3, 1, None],
            "visits": [99, 5, None, 10],
        }
    )
    assert got[0] == 100
    assert got[1] == pytest.approx(100 * (1 + 0.5 + 2 * 0.5) / 4)
    assert np.isnan(got[2])  # a quarter of the weight is not half
    assert got[3] == 100


def test_an_index_refuses_what_it_cannot_use() -> None:
    with pytest.raises(MissingColumn, match="'visits' in the answers"):
        trust().scores({"honest": [5], "doubts": [1]})
    with pytest.raises(BadRows, match="scale of item 'honest'"):
        trust().scores({"honest": [6], "doubts": [1], "visits": [1]})
    with pytest.raises(OutOfRange, match="each column once"):
        SurveyIndex(name="x", items=(IndexItem("a"), IndexItem("a")))
    with pytest.raises(EmptyInput, match="items of the index 'x'"):
        SurveyIndex(name="x", items=())
    with pytest.raises(OutOfRange, match="share above 0"):
        SurveyIndex(name="x", items=(IndexItem("a"),), at_least=0)
    with pytest.raises(UnknownName, match="did you mean 'high'"):
        IndexItem("a", good="highest")
    with pytest.raises(OutOfRange, match="leave an item out"):
        IndexItem("a", weight=0)
    with pytest.raises(OutOfRange, match="one length"):
        SurveyIndex(name="x", items=(IndexItem("a"), IndexItem("b"))).scores({"a": [1], "b": [1, 2]})


def test_an_evaluated_index_says_mean_alpha_and_who_is_missing() -> None:
    scale = SurveyIndex(name="trust", items=(IndexItem("a"), IndexItem("b")), at_least=1)
    got = scale.evaluate({"a": [5, 4, 2, 1, None] * 10, "b": [5, 3, 2, 2, 4] * 10})
    assert got.missing == 10
    assert got.mean.n == 40
    assert "10 answered too little" in str(got)
    assert "alpha" in str(got)
    again = IndexResult.from_dict(json.loads(json.dumps(got.to_dict())))
    assert str(again) == str(got)
    assert got.to_frame(backend="polars")["part"].to_list() == ["mean", "alpha"]
    assert sum(row["count"] for row in got.chart().rows) == 40
    assert "trust" in got._repr_html_()
    assert SurveyIndex.from_dict(json.loads(json.dumps(scale.to_dict()))) == scale
    single = SurveyIndex(name="one", items=(IndexItem("a"),)).evaluate({"a": [5] * 40})
    assert single.reliability is None
    assert IndexResult.from_dict(json.loads(json.dumps(single.to_dict()))).reliability is None
    with pytest.raises(EmptyInput, match="respondents with an index of trust"):
        scale.evaluate({"a": [None], "b": [None]})


# --- several answers -----------------------------------------------------------------------------------------------

ROWS = [["price", "care"], ["price"], [], None] * 20


def test_the_base_is_who_answered_and_shares_may_pass_the_whole() -> None:
    got = multi_answer([["price", "care"]] * 40 + [["price"]] * 10)
    assert [e.value for e in got.estimates] == [0.8, 1.0]
    assert got.about.startswith("base: 50 respondents who answered, 1.8 answers each, several answers possible")
    assert multi_answer(ROWS)["price"].n == 60


def test_an_option_that_a_row_repeats_counts_once() -> None:
    assert MultiAnswers.of([["price", "price"]]).counts() == MultiCounts(("price",), (1,), 1)


def test_unknown_options_are_named_at_once() -> None:
    with pytest.raises(BadRows) as caught:
        MultiAnswers.of([["price"], ["prize"], ["cares"]], options=["price", "care"])
    assert "in 2 rows [1, 2] (such as cares, prize)" in str(caught.value)
    with pytest.raises(EmptyInput, match="options="):
        MultiAnswers.of([[], None])


def test_text_is_no_list_of_options() -> None:
    with pytest.raises(BadRows, match=r"text instead of a list in 2 rows \[0, 1\] \(such as price, care\)"):
        MultiAnswers.of(["price", "care"])
    with pytest.raises(EmptyInput, match="one column of 0 and 1"):
        MultiAnswers.of_columns({})
    with pytest.raises(OutOfRange, match="one length"):
        MultiAnswers.of_columns({"a": [1, 0], "b": [1]})


def test_a_frame_names_the_items_of_a_scale() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"honest": [1, 2, 3, 4] * 10, "fair": [2, 2, 3, 5] * 10})
    assert cronbach_alpha(frame).items == ("honest", "fair")


def test_columns_of_truths_read_the_same_and_other_numbers_are_refused() -> None:
    columns = {"care": [1, 0, 0, None] * 20, "price": [1, 1, 0, None] * 20}
    assert MultiAnswers.of_columns(columns).counts() == MultiAnswers.of(ROWS).counts()
    with pytest.raises(BadRows, match="write 1 for chosen"):
        MultiAnswers.of_columns({"care": [2, 0]})


def test_counts_of_options_are_checked_and_add_up() -> None:
    with pytest.raises(OutOfRange, match="n counts respondents, not answers"):
        MultiCounts(("a", "b"), (3, 9), 8)
    with pytest.raises(OutOfRange, match="each option once"):
        MultiCounts(("a", "a"), (3, 3), 8)
    with pytest.raises(OutOfRange, match=r"write 75 % as 0\.75"):
        MultiCounts.of_shares({"a": 75}, 100)
    with pytest.raises(OutOfRange, match="options of the other"):
        MultiCounts(("a",), (1,), 2) + MultiCounts(("b",), (1,), 2)
    with pytest.raises(UnknownName, match="option"):
        MultiCounts(("a",), (1,), 2).counts("b")


def test_intervals_that_hold_together_are_wider() -> None:
    counts = MultiAnswers.of(ROWS).counts()
    assert counts.table(together="all")["price"].width > counts.table()["price"].width
    with pytest.raises(UnknownName, match="'each', 'all'"):
        counts.table(together="both")
    with pytest.warns(SmallSample):
        MultiCounts(("a",), (1,), 2).table()


def test_options_of_one_sample_are_compared_as_pairs() -> None:
    rows = [["price"]] * 30 + [["care"]] * 12 + [["price", "care"]] * 40 + [[]] * 18 + [None] * 9
    answers = MultiAnswers.of(rows)
    made = answers.compare_options("price", "care")
    assert made.difference.value == pytest.approx(0.18)
    assert made.difference.n == 100
    assert "mcnemar" in made.test
    assert "paired" in made.difference.method
    mirrored = answers.compare_options("care", "price")
    assert mirrored.difference.low == pytest.approx(-made.difference.high)
    assert mirrored.p_value == pytest.approx(made.p_value)
    # as if the two shares came from two samples: the same gap, told with less certainty
    unpaired = Counts(70, 100).minus(Counts(52, 100))
    assert made.difference.width < unpaired.difference.width
    with pytest.raises(UnknownName, match="did you mean 'price'"):
        answers.compare_options("prices", "care")


def test_options_that_nobody_chose_alone_have_no_test() -> None:
    made = MultiAnswers.of([["a", "b"]] * 40).compare_options("a", "b")
    assert made.difference.value == 0
    assert np.isnan(made.p_value)


def test_all_options_against_one_are_adjusted() -> None:
    answers = MultiAnswers.of([["a"]] * 60 + [["a", "b"]] * 20 + [["c"]] * 20)
    got = answers.compare_all("a")
    assert got.labels == ("b", "c")
    assert got.against == "a"
    assert got.found() == ("b", "c")
    assert all(p >= c.p_value for p, c in zip(got.p_adjusted, got.comparisons, strict=True))
    with pytest.raises(EmptyInput, match="besides the baseline"):
        MultiAnswers.of([["a"]]).compare_all("a")
    with pytest.raises(UnknownName, match="adjustment"):
        answers.compare_all("a", adjust="holms")


def test_answers_of_two_groups_are_compared_option_by_option() -> None:
    answers = MultiAnswers.of(ROWS)
    young, old = answers.take(np.arange(40)).counts(), answers.take(np.arange(40, 80)).counts()
    assert young + old == answers.counts()
    assert young.minus(old).found() == ()
    again = MultiAnswers.from_dict(json.loads(json.dumps(answers.to_dict())))
    assert again.counts() == answers.counts()
    assert len(again) == 80


def test_reprs_and_edges_of_scales_and_options() -> None:
    got = cronbach_alpha({"a": [1, 2, 3, 4] * 10, "b": [2, 2, 3, 5] * 10})
    assert repr(got).startswith("ScaleReliability(2 items, alpha 0.95")
    scale = SurveyIndex(name="x", items=(IndexItem("a"),))
    assert repr(scale.evaluate({"a": [5, 4] * 20})).startswith("IndexResult(x, 87.5 [")
    with pytest.raises(OutOfRange, match="finite numbers"):
        cronbach_alpha({"a": [1, np.inf], "b": [1, 2]})
    with pytest.raises(EmptyInput, match="one column for each question"):
        cronbach_alpha({})
    with pytest.raises(OutOfRange, match="one column an item"):
        cronbach_alpha([1, 2, 3])
    with pytest.raises(EmptyInput, match="answers that could be chosen"):
        MultiCounts((), (), 3)
    with pytest.raises(OutOfRange, match="one an option"):
        MultiCounts(("a", "b"), (1,), 3)
    with pytest.raises(OutOfRange, match="one row a respondent"):
        MultiAnswers(("a",), np.zeros((2, 2), bool), np.ones(2, bool))
    with pytest.raises(OutOfRange, match="options of the other"):
        MultiCounts(("a",), (1,), 2).minus(MultiCounts(("b",), (1,), 2))
    assert repr(csat_by(table(), question="csat")).startswith("EstimateTable(2 of touchpoint: CSAT by touchpoint")
    none = EstimateTable(labels=(), estimates=())
    with pytest.raises(EmptyInput, match="at least one row"):
        none.to_frame()


def test_of_two_camps_the_first_items_is_the_scale() -> None:
    base = np.array([5, 4, 2, 1, 4, 3] * 6)
    assert cronbach_alpha({"trust": base, "doubt": 6 - base}).reversed == ("doubt",)
    assert cronbach_alpha({"doubt": 6 - base, "trust": base, "belief": base}).reversed == ("doubt",)
