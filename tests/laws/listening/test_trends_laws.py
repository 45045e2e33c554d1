"""Laws of trends: stream = batch, order never matters, kernels equal their slow twins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from crmcore.listening.trends import ALL_POSTS, HourlyCounts, TrendDetector, link_aspects, merge_trends, weekly_problems
from crmcore.listening.trends.detecting import TrendWatch
from crmcore.listening.trends.levels import common_factor
from crmcore.listening.trends.linking import _cells, _explained
from crmcore.listening.trends.phrases import _decline
from crmcore.listening.trends.reading import first_copies
from crmcore.listening.trends.spreads import window_scores
from crmcore.listening.trends.tails import REACH, truncated_slope
from crmcore.tables import MentionTable

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def counts_of(seed: int, hours: int, terms: int, *, gaps: bool) -> HourlyCounts:
    rng = np.random.default_rng(seed)
    rate = rng.uniform(0.1, 8, terms) * (1 + 0.7 * np.sin(2 * np.pi * np.arange(hours) / 24))[:, None]
    table = rng.poisson(rate).astype(float)
    begin = int(rng.integers(0, hours))
    table[begin : begin + 5, 0] += 40
    if gaps:
        table[rng.random(hours) < 0.05] = np.nan
    return HourlyCounts.of(table, terms=[f"t{i}" for i in range(terms)], start=MONDAY)


@settings(max_examples=8)
@given(seed=st.integers(0, 10**6), cuts=st.lists(st.integers(1, 143), max_size=4, unique=True), gaps=st.booleans())
def test_hours_in_any_pieces_come_to_the_same(seed: int, cuts: list[int], gaps: bool) -> None:
    counts = counts_of(seed, 144, 6, gaps=gaps)
    whole, found = TrendDetector(false_alarms=100).start().update(counts)
    watch, parts = TrendDetector(false_alarms=100).start(), {}
    for a, b in zip([0, *sorted(cuts)], [*sorted(cuts), 144], strict=True):
        watch, more = watch.update(counts.part(a, b))
        watch = TrendWatch.from_dict(watch.to_dict())
        parts |= {(t.term, t.alarm_at): t for t in more}
    assert watch.to_dict() == whole.to_dict()
    assert parts == {(t.term, t.alarm_at): t for t in found}


@settings(max_examples=6)
@given(seed=st.integers(0, 10**6))
def test_the_order_of_the_terms_does_not_matter(seed: int) -> None:
    counts = counts_of(seed, 120, 7, gaps=False)
    order = np.random.default_rng(seed).permutation(7)
    mixed = HourlyCounts.of(
        counts.counts.toarray()[:, order], terms=[counts.terms[i] for i in order.tolist()], start=MONDAY
    )
    detector = TrendDetector(false_alarms=100)
    first, second = (sorted((t.term, t.alarm_at, t.last_at) for t in detector.detect(c)) for c in (counts, mixed))
    assert first == second


@settings(max_examples=5)
@given(seed=st.integers(0, 10**6), days=st.integers(1, 6))
def test_whole_weeks_later_the_same_counts_tell_the_same(seed: int, days: int) -> None:
    counts = counts_of(seed, 24 * (days + 3), 4, gaps=False)
    later = HourlyCounts.of(counts.counts.toarray(), terms=counts.terms, start=MONDAY + timedelta(weeks=5))
    one, two = (TrendDetector(false_alarms=100).detect(c) for c in (counts, later))
    assert [(t.term, t.posts, t.score) for t in one] == [(t.term, t.posts, t.score) for t in two]


@given(
    x=st.lists(st.integers(0, 400), min_size=1, max_size=20),
    mean=st.floats(1e-6, 300),
    beyond=st.floats(1e-4, 5),
)
def test_scores_are_the_mid_p_tail_of_the_negative_binomial(x: list[int], mean: float, beyond: float) -> None:
    posts = np.array(x, float)
    found = window_scores(posts, np.full(len(x), mean), np.full(len(x), beyond))
    law = stats.nbinom(1 / beyond, 1 / (1 + beyond * mean))
    for n, score in zip(x, found.tolist(), strict=True):
        tail = law.sf(n) + law.pmf(n) / 2
        if n <= mean:
            assert score == 0
        elif tail > 1e-280:
            assert score == pytest.approx(-np.log10(tail), rel=1e-6, abs=1e-6)


@given(mean=st.floats(0.5, 200), beyond=st.floats(1e-4, 3))
def test_more_posts_are_never_less_unusual(mean: float, beyond: float) -> None:
    x = np.arange(0.0, 600.0, 7.0)
    found = window_scores(x, np.full(len(x), mean), np.full(len(x), beyond))
    assert (np.diff(found) >= -1e-9).all()


@settings(max_examples=20)
@given(slope=st.floats(0.5, 6.0), seed=st.integers(0, 10**6))
def test_the_slope_of_a_cut_law_is_its_most_likely_one(slope: float, seed: int) -> None:
    heights = np.random.default_rng(seed).exponential(1 / slope, 4000)
    heights = heights[heights < REACH]

    def loss(b: float) -> float:
        return float(b * heights.sum() - len(heights) * np.log(b / -np.expm1(-b * REACH)))

    best = optimize.minimize_scalar(loss, bounds=(0.21, 19.0), method="bounded").x
    assert float(truncated_slope(np.array(heights.mean()))) == pytest.approx(best, rel=0.02, abs=0.02)


@given(factor=st.floats(0.5, 2.0), seed=st.integers(0, 10**6))
def test_what_all_share_is_found_and_one_burst_is_not_shared(factor: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    usual = rng.uniform(2, 10, 300)
    beyond = np.full(300, 0.1)
    posts = rng.poisson(factor * usual).astype(float)
    weight = 1 / (1 + usual * beyond)
    found = common_factor(usual, posts, weight, beyond)
    assert found == pytest.approx(factor, rel=0.12)
    posts[0] += 10_000
    assert common_factor(usual, posts, weight, beyond) == pytest.approx(found, rel=0.02)


texts = st.lists(
    st.tuples(st.sampled_from(["late late parcel", "late", "", "ok app"]), st.integers(0, 3), st.integers(0, 5)),
    min_size=1, max_size=25,
)  # fmt: skip


def table_of(rows: list[tuple[str, int, int]]) -> MentionTable:
    return MentionTable.from_frame(
        {
            "text": [t for t, _, _ in rows],
            "author": [f"a{a}" if a else None for _, a, _ in rows],
            "time": [MONDAY + timedelta(minutes=40 * h) for _, _, h in rows],
        }
    )


@given(rows=texts)
def test_counts_equal_a_loop_over_posts(rows: list[tuple[str, int, int]]) -> None:
    counts = HourlyCounts.of_mentions(table_of(rows), orders=(1,), least_posts=1)
    said: dict[tuple[str, int], set[object]] = {}
    for i, (text, author, place) in enumerate(rows):
        hour = place * 40 // 60
        for word in set(text.split()):
            said.setdefault((word, hour), set()).add(author or -i - 1)
    first = min(place * 40 // 60 for _, _, place in rows)
    for i, term in enumerate(counts.terms):
        for hour in range(len(counts)):
            expected = len(said.get((term, hour + first), ()))
            if term == ALL_POSTS:
                expected = sum(place * 40 // 60 == hour + first for _, _, place in rows)
            assert counts.hour(hour)[i] == expected


@given(rows=texts, seed=st.integers(0, 100))
def test_copies_are_the_same_in_any_order(rows: list[tuple[str, int, int]], seed: int) -> None:
    table = table_of(rows)
    order = np.random.default_rng(seed).permutation(len(rows))
    first = first_copies(table, least_words=1)
    assert (first_copies(table.take(order), least_words=1) == first[order]).all()
    kept = [rows[i][0] for i in np.flatnonzero(first).tolist() if rows[i][0]]
    assert sorted(kept) == sorted({text for text, _, _ in rows if text})


@settings(max_examples=30)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 25), st.booleans(), st.booleans(), st.integers(0, 9)), min_size=2, max_size=60
    )
)
def test_the_three_parts_of_a_change_add_up(rows: list[tuple[int, bool, bool, int]]) -> None:
    author = np.array([a for a, _, _, _ in rows])
    takes, speaks = (np.array([r[k] for r in rows]) for k in (1, 2))
    after = np.array([d >= 5 for _, _, _, d in rows])
    if not after.any() or after.all():
        return
    since, before = _cells(author, after, takes, speaks), _cells(author, ~after, takes, speaks)
    for table, period in ((since, after), (before, ~after)):
        people = {}
        for a, t, s, inside in zip(author.tolist(), takes.tolist(), speaks.tolist(), period.tolist(), strict=True):
            if inside:
                was = people.get(a, (False, False))
                people[a] = (was[0] or t, was[1] or s)
        assert table.tolist() == [
            [sum(v == (t, s) for v in people.values()) for s in (True, False)] for t in (True, False)
        ]
    made, _ = _explained(since, before, level=0.95)
    if not (since.sum(axis=1).all() and before.sum(axis=1).all()):
        return
    p0 = before[0].sum() / before.sum()
    in1, out1 = since[:, 0] / since.sum(axis=1)
    in0, out0 = before[:, 0] / before.sum(axis=1)
    whole = since[:, 0].sum() / since.sum() - before[:, 0].sum() / before.sum()
    assert made.value + p0 * (in1 - in0) + (1 - p0) * (out1 - out0) == pytest.approx(whole, abs=1e-12)
    assert made.low <= made.value <= made.high


@settings(max_examples=25)
@given(fall=st.floats(-0.3, 1.5), start=st.floats(5, 500), n=st.integers(3, 20), seed=st.integers(0, 10**6))
def test_the_fall_of_a_phrase_is_the_most_likely_one(fall: float, start: float, n: int, seed: int) -> None:
    t = np.arange(n, dtype=float)
    y = np.random.default_rng(seed).poisson(start * np.exp(-fall * t)).astype(float)
    if (y > 0).sum() < 3:
        return
    found, error = _decline(y, t, np.ones(n))

    def loss(b: np.ndarray) -> float:
        eta = np.clip(b[0] + b[1] * t, -50, 50)
        return float(np.exp(eta).sum() - y @ eta)

    best = optimize.minimize(
        loss,
        [np.log(y[0] + 0.5), -found],
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-10, "maxiter": 4000},
    )
    assert found == pytest.approx(-best.x[1], abs=1e-4)
    assert error > 0


@settings(max_examples=15)
@given(rows=texts, seed=st.integers(0, 100))
def test_problems_do_not_depend_on_the_order_of_posts(rows: list[tuple[str, int, int]], seed: int) -> None:
    table = table_of(rows)
    order = np.random.default_rng(seed).permutation(len(rows))
    sore = np.array(["late" in text for text, _, _ in rows])
    things = {"late": sore, "parcel": np.array(["parcel" in text for text, _, _ in rows])}
    now = MONDAY + timedelta(hours=4)
    asked = {"now": now, "days": 1 / 12, "least_voices": 1}
    one = weekly_problems(table, complaint=sore, things=things, **asked)  # type: ignore[arg-type]
    mixed = {k: v[order] for k, v in things.items()}
    two = weekly_problems(table.take(order), complaint=sore[order], things=mixed, **asked)  # type: ignore[arg-type]
    assert one == two


def test_links_do_not_depend_on_who_posts_twice() -> None:
    rows = [(i % 40, i % 3 == 0, i % 2 == 0, i % 10) for i in range(200)]
    frame = {
        "text": ["x"] * 200,
        "author": [f"a{a}" for a, _, _, _ in rows],
        "time": [MONDAY + timedelta(days=d) for _, _, _, d in rows],
    }
    one = MentionTable.from_frame(frame)
    twice = MentionTable.from_frame({k: [*v, *v] for k, v in frame.items()})
    trend, of = [t for _, t, _, _ in rows], [s for _, _, s, _ in rows]
    since = MONDAY + timedelta(days=5)
    first = link_aspects(one, trend, aspects={"a": of}, since=since)
    assert link_aspects(twice, trend * 2, aspects={"a": of * 2}, since=since) == first


def test_merging_nothing_is_nothing() -> None:
    quiet = TrendDetector().detect(counts_of(1, 48, 3, gaps=False))
    assert len(merge_trends(quiet, table_of([("a", 1, 1)]))) == 0
