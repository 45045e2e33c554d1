"""Laws of survey measures: shuffle, shards, units, object = column, slow twins."""

from __future__ import annotations

import json
import math
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crmcore.metrics import compare_many
from crmcore.metrics.survey.answers import rescale, segment_codes
from crmcore.metrics.survey.indices import IndexItem, SurveyIndex
from crmcore.metrics.survey.multiple_choice import MultiAnswers
from crmcore.metrics.survey.nps_counts import NpsCounts, nps_interval, nps_standard_error
from crmcore.metrics.survey.nps_over_time import nps_trend
from crmcore.metrics.survey.nps_score import nps
from crmcore.metrics.survey.nps_tables import nps_by
from crmcore.metrics.survey.raking import rake
from crmcore.metrics.survey.satisfaction import top_box
from crmcore.metrics.survey.scales import cronbach_alpha
from crmcore.metrics.survey.scorecards import Scorecard, SubScore
from crmcore.metrics.survey.weighting import post_stratified, post_stratify

SCORES = st.lists(st.one_of(st.none(), st.integers(0, 10)), max_size=60)
COUNT = st.integers(0, 300)
COUNTS = st.tuples(COUNT, COUNT, COUNT)
CLOSED = st.sampled_from(["mover-wilson", "adjusted-wald", "wald"])
LEVEL = st.sampled_from([0.8, 0.9, 0.95, 0.99])
RANDOM = st.randoms(use_true_random=False)


@given(SCORES, SCORES)
def test_scores_of_two_shards_add_up_to_those_of_the_whole(a: list[int | None], b: list[int | None]) -> None:
    assert NpsCounts.of(a) + NpsCounts.of(b) == NpsCounts.of(a + b)
    assert top_box(_five(a)) + top_box(_five(b)) == top_box(_five(a + b))


def _five(scores: list[int | None]) -> list[int | None]:
    return [None if s is None else s % 5 + 1 for s in scores]


@given(SCORES, RANDOM)
def test_the_order_of_answers_changes_nothing(scores: list[int | None], random: Random) -> None:
    shuffled = scores.copy()
    random.shuffle(shuffled)
    first, second = (nps(s, small_sample_ok=True) for s in (scores, shuffled))
    assert str(first) == str(second)


@given(COUNTS, CLOSED, LEVEL)
def test_promoters_mirror_detractors(counts: tuple[int, int, int], method: str, level: float) -> None:
    low, high = nps_interval(*counts, level=level, method=method)
    mirrored_low, mirrored_high = nps_interval(*counts[::-1], level=level, method=method)
    assert low == pytest.approx(-mirrored_high, abs=1e-9)
    assert high == pytest.approx(-mirrored_low, abs=1e-9)


@given(COUNTS, LEVEL)
def test_the_default_interval_holds_the_score_and_stays_on_the_scale(
    counts: tuple[int, int, int], level: float
) -> None:
    low, high = (float(end) for end in nps_interval(*counts, level=level))
    assert -100 - 1e-9 <= low <= high <= 100 + 1e-9
    if sum(counts):
        assert low - 1e-9 <= NpsCounts(*counts).score <= high + 1e-9


@given(COUNTS, CLOSED)
def test_a_higher_level_contains_a_lower_one(counts: tuple[int, int, int], method: str) -> None:
    inner, outer = (nps_interval(*counts, level=level, method=method) for level in (0.8, 0.95))
    assert outer[0] <= inner[0] + 1e-9
    assert inner[1] <= outer[1] + 1e-9


@given(st.lists(COUNTS, min_size=1, max_size=6), CLOSED, LEVEL)
def test_a_column_of_scores_is_its_scores_one_by_one(
    rows: list[tuple[int, int, int]], method: str, level: float
) -> None:
    low, high = nps_interval(*np.array(rows).T, level=level, method=method)
    for i, row in enumerate(rows):
        assert (low[i], high[i]) == tuple(map(float, nps_interval(*row, level=level, method=method)))


def slow_interval(p_: int, q_: int, d_: int, z: float) -> tuple[float, float]:
    """The formula of MOVER-Wilson, in scalars, from shares."""

    def wilson(k: int, n: int) -> tuple[float, float]:
        middle, root = k + z * z / 2, z * math.sqrt(k * (n - k) / n + z * z / 4)
        return (middle - root) / (n + z * z), (middle + root) / (n + z * z)

    n = p_ + q_ + d_
    p, d = p_ / n, d_ / n
    (lp, up), (ld, ud) = wilson(p_, n), wilson(d_, n)
    phi = -math.sqrt(p * d / ((1 - p) * (1 - d))) if 0 < p < 1 and 0 < d < 1 else 0.0
    below = (p - lp) ** 2 - 2 * phi * (p - lp) * (ud - d) + (ud - d) ** 2
    above = (up - p) ** 2 - 2 * phi * (up - p) * (d - ld) + (d - ld) ** 2
    return 100 * (p - d - math.sqrt(max(below, 0))), 100 * (p - d + math.sqrt(max(above, 0)))


@given(COUNTS)
def test_the_kernel_is_its_slow_twin(counts: tuple[int, int, int]) -> None:
    assume(sum(counts))
    low, high = nps_interval(*counts)
    assert (float(low), float(high)) == pytest.approx(slow_interval(*counts, 1.959963984540054), abs=1e-6)


@given(COUNTS)
def test_the_standard_error_is_that_of_answers_of_minus_one_zero_and_one(counts: tuple[int, int, int]) -> None:
    assume(sum(counts))
    answers = np.repeat([1, 0, -1], counts)
    assert float(nps_standard_error(*counts)) == pytest.approx(100 * answers.std() / math.sqrt(len(answers)), abs=1e-7)


@given(COUNTS, COUNTS)
def test_a_difference_turns_round_with_its_groups(a: tuple[int, int, int], b: tuple[int, int, int]) -> None:
    assume(sum(a) and sum(b))
    there, back = NpsCounts(*a).minus(NpsCounts(*b)), NpsCounts(*b).minus(NpsCounts(*a))
    assert there.difference.value == pytest.approx(-back.difference.value)
    assert there.difference.low == pytest.approx(-back.difference.high)
    assert there.p_value == pytest.approx(back.p_value, nan_ok=True)


@given(st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 10)), st.sampled_from("abc")), min_size=1), RANDOM)
def test_segments_count_as_if_each_were_alone_in_any_order(rows: list[tuple[int | None, str]], random: Random) -> None:
    scores, segments = zip(*rows, strict=True)
    table = nps_by(list(scores), list(segments))
    for label in table.labels:
        assert table.segment(label) == NpsCounts.of([s for s, x in rows if x == label])
    shuffled = list(rows)
    random.shuffle(shuffled)
    again = nps_by([s for s, _ in shuffled], [x for _, x in shuffled])
    assert again.labels == table.labels
    assert (again.counts == table.counts).all()
    assert (again.low == table.low).all()


@given(
    st.lists(COUNTS, min_size=2, max_size=6),
    st.sampled_from([None, "0", "1"]),
    st.sampled_from(["holm", "bonferroni", "benjamini-hochberg"]),
)
def test_comparing_a_table_is_comparing_its_segments(
    rows: list[tuple[int, int, int]], baseline: str | None, adjust: str
) -> None:
    scores = np.repeat(np.tile([10, 8, 3], len(rows)), np.array(rows).ravel())
    codes = np.repeat(np.arange(len(rows)), np.array(rows).sum(axis=1))
    assume(len(codes))
    labels = [str(i) for i in range(len(rows))]
    table = nps_by(scores, codes, labels=labels)
    groups = {label: NpsCounts(*row) for label, row in zip(labels, rows, strict=True)}
    assert str(table.compared(baseline=baseline, adjust=adjust)) == str(
        compare_many(groups, baseline=baseline, adjust=adjust)
    )


@given(st.lists(st.integers(-2, 40), min_size=1, max_size=50))
def test_codes_of_segments_are_a_bijection_of_what_is_there(codes: list[int]) -> None:
    got, labels = segment_codes(np.array(codes), n=len(codes))
    assert [labels[c] if c >= 0 else None for c in got.tolist()] == [str(c) if c >= 0 else None for c in codes]
    assert list(labels) == sorted(labels, key=int)


@given(st.lists(st.tuples(st.integers(0, 10), st.integers(0, 700)), min_size=1, max_size=40))
def test_periods_share_out_all_answers(rows: list[tuple[int, int]]) -> None:
    days = np.datetime64("2024-01-01") + np.array([d for _, d in rows])
    scores = [s for s, _ in rows]
    for period in ("day", "week", "month", "quarter", "year"):
        trend = nps_trend(scores, days.astype("datetime64[us]"), period=period)
        assert trend.table.total == NpsCounts.of(scores)
        assert list(trend.table.labels) == sorted(trend.table.labels)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=30))
def test_rescaling_there_and_back_is_the_same(scores: list[int]) -> None:
    assert rescale(rescale(scores, (1, 5), (0, 100)), (0, 100), (1, 5)) == pytest.approx(scores)


MATRIX = st.integers(2, 5).flatmap(
    lambda k: st.lists(st.lists(st.integers(1, 7), min_size=k, max_size=k), min_size=3, max_size=25)
)


@given(MATRIX)
def test_alpha_is_its_textbook_formula_and_knows_no_units(rows: list[list[int]]) -> None:
    matrix = np.array(rows, float)
    total = matrix.sum(axis=1).var(ddof=1)
    assume(total > 1e-9)
    k = matrix.shape[1]
    want = k / (k - 1) * (1 - matrix.var(axis=0, ddof=1).sum() / total)
    got = cronbach_alpha(matrix, small_sample_ok=True)
    assert got.alpha.value == pytest.approx(want, abs=1e-9)
    assert got.alpha.low <= got.alpha.value + 1e-9
    other = cronbach_alpha(3 + 10 * matrix, small_sample_ok=True)
    assert other.alpha.value == pytest.approx(want, abs=1e-9)
    assert other.item_total == pytest.approx(got.item_total, nan_ok=True, abs=1e-7)
    for i in range(k):
        rest = np.delete(matrix, i, axis=1).sum(axis=1)
        if matrix[:, i].std() > 0 and rest.std() > 1e-9:
            assert got.item_total[i] == pytest.approx(np.corrcoef(matrix[:, i], rest)[0, 1], abs=1e-9)


ANSWER = st.one_of(st.none(), st.integers(1, 5))


@given(st.lists(st.tuples(ANSWER, ANSWER, ANSWER), min_size=1, max_size=20))
def test_an_index_stays_on_its_scale_and_reversing_all_mirrors_it(
    rows: list[tuple[int | None, int | None, int | None]],
) -> None:
    columns = {name: list(column) for name, column in zip("abc", zip(*rows, strict=True), strict=True)}
    high = SurveyIndex(name="x", items=tuple(IndexItem(n) for n in "abc")).scores(columns)
    low = SurveyIndex(name="x", items=tuple(IndexItem(n, good="low") for n in "abc")).scores(columns)
    known = ~np.isnan(high)
    assert ((high[known] >= 0) & (high[known] <= 100)).all()
    assert low == pytest.approx(100 - high, nan_ok=True)
    assert (known == [sum(v is not None for v in row) >= 2 for row in rows]).all()


@given(st.lists(st.tuples(ANSWER, ANSWER, ANSWER), min_size=1, max_size=20))
def test_one_customer_scores_as_in_the_column(rows: list[tuple[int | None, int | None, int | None]]) -> None:
    card = Scorecard(
        name="x",
        parts=(SubScore("p", (IndexItem("a"), IndexItem("b", good="low"))), SubScore("q", (IndexItem("c"),), weight=3)),
    )
    columns = {name: list(column) for name, column in zip("abc", zip(*rows, strict=True), strict=True)}
    table = card.scores(columns)
    for i, row in enumerate(rows):
        alone = card.score(dict(zip("abc", row, strict=True)))
        assert table[i] == alone
        assert json.loads(json.dumps(alone.to_dict()))["scores"] == dict(alone.scores)


CELLS = st.lists(st.sampled_from("xyz"), min_size=6, max_size=60).filter(lambda c: set(c) == set("xyz"))
SHARES = st.fixed_dictionaries({c: st.floats(0.05, 1) for c in "xyz"})


@given(CELLS, SHARES, RANDOM)
def test_weights_meet_their_targets_and_follow_their_rows(
    cells: list[str], shares: dict[str, float], random: Random
) -> None:
    got = post_stratify(cells, shares).weights
    total = sum(shares.values())
    for cell in "xyz":
        there = np.array([c == cell for c in cells])
        assert got[there].sum() / got.sum() == pytest.approx(shares[cell] / total)
    order = list(range(len(cells)))
    random.shuffle(order)
    again = post_stratify([cells[i] for i in order], shares).weights
    assert (again == got[order]).all()
    assert rake({"t": cells}, {"t": shares}).weights == pytest.approx(got)


@given(CELLS, SHARES, st.floats(1, 3))
def test_a_bound_on_weights_always_holds(cells: list[str], shares: dict[str, float], largest: float) -> None:
    got = rake({"t": cells}, {"t": shares}, largest=largest)
    assert got.weights.max() <= largest * (1 + 1e-9)
    assert got.weights.mean() == pytest.approx(1)
    assert (got.weights > 0).all()


@given(st.integers(2, 30), st.integers(2, 30), st.integers(0, 10**6))
def test_post_stratifying_to_the_samples_own_mix_changes_no_mean(a: int, b: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=a + b)
    cells = ["x"] * a + ["y"] * b
    got = post_stratified(values, cells, {"x": a, "y": b}, small_sample_ok=True)
    assert got.value == pytest.approx(values.mean())


CHOICES = st.lists(st.one_of(st.none(), st.lists(st.sampled_from("abc"), max_size=4)), min_size=1, max_size=30)


@given(CHOICES, CHOICES)
def test_chosen_options_of_two_shards_add_up(first: list[list[str] | None], second: list[list[str] | None]) -> None:
    parts = [MultiAnswers.of(rows, options="abc").counts() for rows in (first, second, first + second)]
    assert parts[0] + parts[1] == parts[2]
