"""Bursts of terms: what is found, what is refused, what is said."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from crmcore.errors import (
    BadRows,
    ConflictingConstraints,
    EmptyInput,
    NaiveDatetime,
    OutOfRange,
    UnknownName,
    WrongType,
)
from crmcore.listening.trends import (
    ALL_POSTS,
    HourlyCounts,
    SimulatedTrends,
    Trend,
    TrendDetector,
    Trends,
    TrendWatch,
    simulated_trends,
)
from crmcore.tables import MentionTable

START = "2026-03-02T00:00Z"  # a Monday
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def counts_of(sim: SimulatedTrends, **options: object) -> HourlyCounts:
    names = [f"t{i:03d}" for i in range(sim.counts.shape[1])]
    return HourlyCounts.of(sim.counts, terms=names, start=START, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def quiet() -> np.ndarray:
    return np.random.default_rng(3).poisson(4.0, (336, 30)).astype(float)


def named(table: np.ndarray, **options: object) -> HourlyCounts:
    names = [f"t{i:03d}" for i in range(table.shape[1])]
    return HourlyCounts.of(table, terms=names, start=START, **options)  # type: ignore[arg-type]


def test_a_planted_burst_is_found_in_its_first_hour_and_told_in_words(quiet: np.ndarray) -> None:
    quiet = quiet.copy()
    quiet[300:306, 7] += 30
    found = TrendDetector(false_alarms=1).detect(named(quiet))
    assert [t.term for t in found] == ["t007"]
    trend = found[0]
    assert trend.alarm_at == datetime(2026, 3, 14, 13, tzinfo=UTC)
    assert trend.began_at == trend.alarm_at - timedelta(hours=1)
    assert trend.lift.low < 34 / 4 < trend.lift.high
    assert trend.false_alarms < 1e-3
    assert 0 < trend.chance < 1e-6
    assert str(found).startswith("1 bursts of 30 terms in 336 hours (0.06 expected by chance)")
    assert "t007: since 2026-03-14 12:00" in str(found)
    assert "<table>" in found._repr_html_()
    assert len(found._repr_html_()) < 6000
    assert repr(found) == "Trends(1 bursts, 30 terms, 336 hours)"
    assert Trends.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert found.chart().rows[0]["label"] == "t007"


def test_a_quiet_stream_raises_nothing_and_still_makes_a_frame(quiet: np.ndarray) -> None:
    found = TrendDetector(false_alarms=0.1).detect(named(quiet))
    assert len(found) == 0
    assert found.to_frame(backend="polars").shape == (0, 14)
    with pytest.raises(EmptyInput, match="nothing was found"):
        found.chart()


def test_hours_one_by_one_through_json_find_what_all_at_once_finds() -> None:
    counts = counts_of(simulated_trends(terms=40, weeks=2, bursts=20, seed=1))
    detector = TrendDetector()
    whole = {(t.term, t.alarm_at): t for t in detector.detect(counts)}
    watch, parts = detector.start(), dict[tuple[str, datetime], Trend]()
    for first in range(0, 336, 31):
        watch, found = watch.update(counts.part(first, first + 31))
        watch = TrendWatch.from_dict(json.loads(json.dumps(watch.to_dict())))
        parts |= {(t.term, t.alarm_at): t for t in found}
    assert len(whole) > 3
    assert parts == whole


def test_bursts_among_the_clusters_do_not_flatten_the_tail() -> None:
    from crmcore.listening.trends.tails import BEYOND, REACH, Tails

    rng = np.random.default_rng(6)
    heights = np.concatenate([rng.exponential(1 / 2.3, 4000), rng.uniform(0, 6, 900)])
    tails = Tails.new()
    tails.grow(50)
    term = rng.integers(0, 50, len(heights))
    near = heights < REACH
    tails.clusters = np.bincount(term[near], minlength=50).astype(float)
    tails.height = np.bincount(term[near], heights[near], 50)
    tails.days = np.full(50, 1000.0)
    tails.settle(tails.band)
    flat = tails.slope.mean()
    far = (heights >= BEYOND) & (heights < BEYOND + REACH)
    tails.bursts = np.bincount(term[far], minlength=50).astype(float)
    tails.settle(tails.band)
    assert tails.slope.mean() == pytest.approx(2.3, rel=0.08)
    assert flat < 2.15 < tails.slope.mean()
    assert tails.per_day.mean() == pytest.approx(4000 / 50_000, rel=0.07)
    often = tails.a_day(np.array([2.0, 3.0, 4.0, 60.0, 300.0] * 10))
    assert np.isnan(often[0])
    assert (np.diff(often[1:5]) < 0).all()


def test_an_update_leaves_the_watch_it_came_from_as_it_was(quiet: np.ndarray) -> None:
    counts = named(quiet)
    watch = TrendDetector().fit(counts.part(0, 200))
    before = json.dumps(watch.to_dict())
    watch.update(counts.part(200, 336))
    assert json.dumps(watch.to_dict()) == before
    assert repr(watch) == "TrendWatch(30 terms, 200 hours read, at most 10 false alarms per 1,000 terms a week)"


def test_an_outage_is_no_silence(quiet: np.ndarray) -> None:
    broken = quiet.copy()
    broken[200:248] = np.nan
    found = TrendDetector(false_alarms=1).detect(named(broken))
    assert len(found) == 0
    watch = TrendDetector().fit(named(broken))
    level = watch.memory.levels.posts / watch.memory.levels.hours
    assert np.all(np.abs(level - 4) < 1)


def test_a_gap_between_two_updates_counts_as_not_watched(quiet: np.ndarray) -> None:
    counts = named(quiet)
    masked = named(quiet, watched=[not 150 <= i < 170 for i in range(336)])
    watch, _ = TrendDetector().start().update(counts.part(0, 150))
    watch, _ = watch.update(counts.part(170, 336))
    assert watch.to_dict() == TrendDetector().fit(masked).to_dict()


def test_hours_cannot_be_read_twice(quiet: np.ndarray) -> None:
    watch = TrendDetector().fit(named(quiet).part(0, 100))
    with pytest.raises(OutOfRange, match=r"2026-03-06 04:00.*or later") as error:
        watch.update(named(quiet).part(90, 120))
    assert "hours are read once" in str(error.value)


def test_a_new_term_that_is_watched_late_does_not_alarm_by_being_new(quiet: np.ndarray) -> None:
    counts = named(quiet)
    watch = TrendDetector(false_alarms=10).fit(counts.part(0, 240))
    wider = np.column_stack([quiet[240:], np.random.default_rng(1).poisson(12.0, 96)])
    names = [*counts.terms, "new"]
    start = datetime(2026, 3, 12, tzinfo=UTC)
    watch, found = watch.update(HourlyCounts.of(wider, terms=names, start=start))
    assert "new" not in [t.term for t in found]
    assert watch.terms[-1] == "new"


def test_a_word_that_nobody_had_used_alarms_when_many_do(quiet: np.ndarray) -> None:
    import attrs

    counts = attrs.evolve(named(quiet), unlisted_are_zero=True)
    watch = TrendDetector(false_alarms=1).fit(counts.part(0, 240))
    new = np.zeros(96)
    new[40:44] = 8
    wider = HourlyCounts.of(
        np.column_stack([quiet[240:], new]), terms=[*counts.terms, "new"], start=datetime(2026, 3, 12, tzinfo=UTC)
    )
    _, found = watch.update(attrs.evolve(wider, unlisted_are_zero=True))
    assert [(t.term, t.alarm_at) for t in found] == [("new", datetime(2026, 3, 13, 17, tzinfo=UTC))]


def test_terms_that_stop_being_counted_are_an_error_unless_absence_means_none(quiet: np.ndarray) -> None:
    watch = TrendDetector().fit(named(quiet).part(0, 100))
    fewer = HourlyCounts.of(quiet[100:, :5], terms=[f"t{i:03d}" for i in range(5)], start="2026-03-06T04:00Z")
    with pytest.raises(ConflictingConstraints, match="watched terms without counts"):
        watch.update(fewer)


def test_a_watch_forgets_terms_that_are_hardly_used_and_goes_on(quiet: np.ndarray) -> None:
    import attrs

    wide = np.column_stack([quiet, np.zeros((336, 24))])
    wide[10, 30:] = 1  # once, long ago
    counts = attrs.evolve(named(wide), unlisted_are_zero=True)
    watch = TrendDetector(false_alarms=1).fit(counts.part(0, 300))
    less = watch.forget(posts_a_week=1)
    assert less.terms == counts.terms[:30]
    assert watch.terms == counts.terms
    assert less.memory.posts.shape == (24, 30)
    again, found = less.update(counts.part(300, 336))
    assert set(again.terms) == set(counts.terms)
    assert len(found) == 0
    assert TrendWatch.from_dict(json.loads(json.dumps(less.to_dict()))).to_dict() == less.to_dict()
    with pytest.raises(OutOfRange, match="posts_a_week"):
        watch.forget(posts_a_week=-1)


def test_another_zone_is_refused(quiet: np.ndarray) -> None:
    watch = TrendDetector().fit(named(quiet).part(0, 100))
    with pytest.raises(ConflictingConstraints, match="Asia/Bangkok"):
        watch.update(named(quiet, zone="Asia/Bangkok").part(100, 120))


def test_a_share_of_false_alarms_can_be_bounded_in_place_of_their_number(quiet: np.ndarray) -> None:
    quiet = quiet.copy()
    quiet[300:306, 7] += 30
    found = TrendDetector(false_share=0.05).detect(named(quiet))
    assert "t007" in [t.term for t in found]
    assert "at most 5 % of the alarms of a day false" in str(found)
    assert np.isnan(found.expected_false)


def test_what_all_terms_share_is_no_trend_of_any(quiet: np.ndarray) -> None:
    usual = np.full((336, 200), 4.0)
    usual[300:312] *= 3
    wide = np.random.default_rng(5).poisson(usual).astype(float)
    assert len(TrendDetector(false_alarms=1).detect(named(wide))) == 0
    total = np.column_stack([wide, wide.sum(axis=1)])
    names = [*(f"t{i:03d}" for i in range(200)), "all"]
    found = TrendDetector(false_alarms=1).detect(HourlyCounts.of(total, terms=names, start=START, alone=["all"]))
    assert [t.term for t in found] == ["all"]


def test_counts_are_checked_at_the_door() -> None:
    good = np.ones((3, 2))
    with pytest.raises(OutOfRange, match="shape of counts"):
        HourlyCounts.of(good, terms=["a"], start=START)
    with pytest.raises(EmptyInput, match="terms"):
        HourlyCounts.of(np.ones((3, 0)), terms=[], start=START)
    bad = good.copy()
    bad[0, 0], bad[1, 1], bad[2, 0] = -1, np.nan, np.inf
    with pytest.raises(BadRows, match="negative, infinite or partly missing") as error:
        HourlyCounts.of(bad, terms=["a", "b"], start=START)
    assert error.value.problems[0].positions == (0, 1, 2)
    with pytest.raises(OutOfRange, match="a whole hour"):
        HourlyCounts.of(good, terms=["a", "b"], start="2026-03-02T00:30Z")
    with pytest.raises(NaiveDatetime):
        HourlyCounts.of(good, terms=["a", "b"], start="2026-03-02T00:00")
    with pytest.raises(ConflictingConstraints, match="contradict each other: a"):
        HourlyCounts.of(good, terms=["a", "a"], start=START)
    with pytest.raises(UnknownName, match="did you mean 'all'"):
        HourlyCounts.of(good, terms=["a", "all"], start=START, alone=["alll"])
    with pytest.raises(UnknownName, match="Bangkok"):
        HourlyCounts.of(good, terms=["a", "b"], start=START, zone="Asia/Bankok")
    with pytest.raises(OutOfRange, match="len\\(watched\\)"):
        HourlyCounts.of(good, terms=["a", "b"], start=START, watched=[True])


def test_sparse_counts_are_read_as_they_are() -> None:
    from scipy.sparse import csr_array

    table = np.array([[0.0, 2.0], [0.0, 0.0], [1.0, 0.0]])
    read = HourlyCounts.of(csr_array(table), terms=["a", "b"], start=START)
    assert read.counts.toarray().tolist() == table.tolist()
    with pytest.raises(BadRows, match="negative") as error:
        HourlyCounts.of(csr_array(-table), terms=["a", "b"], start=START)
    assert error.value.problems[0].positions == (0, 2)
    with pytest.raises(WrongType, match="a matrix of numbers"):
        HourlyCounts.of([["many", "few"]], terms=["a", "b"], start=START)


def test_no_hours_change_nothing() -> None:
    watch = TrendDetector().fit(named(np.ones((30, 2))))
    same, found = watch.update(HourlyCounts.of(np.ones((0, 2)), terms=["t000", "t001"], start="2026-03-03T06:00Z"))
    assert (same.to_dict(), len(found)) == (watch.to_dict(), 0)


def test_a_long_frame_of_counts_is_read_with_silent_hours_as_zero() -> None:
    rows = {"term": ["b", "a", "b"], "time": [f"2026-03-02T0{h}:00Z" for h in (1, 3, 3)], "count": [2, 5, 1]}
    rows["time"] = [datetime.fromisoformat(t) for t in rows["time"]]  # type: ignore[misc, arg-type]
    counts = HourlyCounts.from_frame(rows)
    assert counts.terms == ("a", "b")
    assert counts.counts.toarray().tolist() == [[0, 2], [0, 0], [5, 1]]
    assert repr(counts) == "HourlyCounts(2 terms, 3 hours from 2026-03-02T01)"


def test_people_are_counted_once_an_hour_and_posts_where_nobody_is_named() -> None:
    at = [datetime(2026, 3, 2, 9, m, tzinfo=UTC) for m in (0, 10, 20, 30)]
    posts = MentionTable.from_frame({"text": ["refund now"] * 4, "author": ["x", "x", "y", None], "time": at})
    counts = HourlyCounts.of_mentions(posts, orders=(1,), least_posts=1)
    assert dict(zip(counts.terms, counts.hour(0).tolist(), strict=True)) == {"refund": 3, "now": 3, ALL_POSTS: 4}
    assert counts.unlisted_are_zero


def test_posts_without_a_time_are_left_out_and_posts_all_without_are_refused() -> None:
    posts = MentionTable.from_frame({"text": ["a", "a"], "time": [datetime(2026, 3, 2, tzinfo=UTC), None]})
    assert HourlyCounts.of_mentions(posts, orders=(1,), least_posts=1).counts.sum() == 2
    with pytest.raises(EmptyInput, match="posts with a time"):
        HourlyCounts.of_mentions(MentionTable.from_frame({"text": ["a"]}))


def test_posts_can_be_read_hour_by_hour_and_empty_hours_too() -> None:
    rng = np.random.default_rng(8)
    at = np.sort(rng.uniform(0, 120, 400))
    at = at[(at < 60) | (at > 64)]  # four hours without any post
    texts = rng.choice(["late parcel", "fine", "fine price"], len(at)).tolist()
    posts = MentionTable.from_frame({"text": texts, "time": [MONDAY + timedelta(hours=float(h)) for h in at]})
    things = {"late": np.array(["late" in t for t in texts]), "fine": np.array(["fine" in t for t in texts])}
    end = MONDAY + timedelta(hours=120)
    whole = TrendDetector().fit(HourlyCounts.of_mentions(posts, things=things, start=MONDAY, end=end))
    watch = TrendDetector().start()
    for first in range(0, 120, 4):
        rows = np.flatnonzero((at >= first) & (at < first + 4))
        part = {name: mask[rows] for name, mask in things.items()}
        begin, stop = (MONDAY + timedelta(hours=h) for h in (first, first + 4))
        watch, _ = watch.update(HourlyCounts.of_mentions(posts.take(rows), things=part, start=begin, end=stop))
    assert watch.to_dict() == whole.to_dict()


def test_terms_of_a_watch_are_counted_however_rare() -> None:
    posts = MentionTable.from_frame({"text": ["refund now", "hello"] * 2, "time": [MONDAY] * 4})
    counts = HourlyCounts.of_mentions(posts, orders=(1,), least_posts=3, always=["refund", "gone"])
    assert counts.terms == ("refund", ALL_POSTS)
    assert counts.hour(0).tolist() == [2, 4]


def test_a_wrong_year_does_not_fill_the_memory() -> None:
    at = [datetime(1900, 1, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)]
    with pytest.raises(OutOfRange, match="wrong year"):
        HourlyCounts.of_mentions(MentionTable.from_frame({"text": ["a", "a"], "time": at}))


def test_the_week_begins_on_the_wall_clock_of_the_zone() -> None:
    counts = HourlyCounts.of(np.ones((2, 1)), terms=["a"], start="2026-03-01T17:00Z", zone="Asia/Bangkok")
    assert counts.hours_of_week().tolist() == [0, 1]


def test_recipes_out_of_range_are_refused() -> None:
    for options in ({"false_alarms": 0.0}, {"false_share": 0.9}, {"least_posts": 0}, {"level": 1.0}):
        with pytest.raises(OutOfRange, match=next(iter(options))):
            TrendDetector(**options)  # type: ignore[arg-type]
    assert TrendDetector.from_dict(TrendDetector(false_share=0.1).to_dict()) == TrendDetector(false_share=0.1)


def test_a_simulation_plants_what_it_says() -> None:
    sim = simulated_trends(terms=50, weeks=2, bursts=40, noise="poisson", seed=2)
    assert repr(sim) == "SimulatedTrends(50 terms, 336 hours, 40 bursts)"
    more = [
        (f - 1) * sim.expected[a:b, i].sum()
        for i, a, b, f in zip(sim.term, sim.start, sim.stop, sim.factor, strict=True)
    ]
    assert min(more) >= 10
    assert set(sim.noise) == {"poisson"}
    clean = np.ones(sim.counts.shape, bool)
    for i, a, b in zip(sim.term, sim.start, sim.stop, strict=True):
        clean[a:b, i] = False
    assert sim.counts[clean].sum() == pytest.approx(sim.expected[clean].sum(), rel=0.02)
    with pytest.raises(UnknownName, match="did you mean 'hawkes'"):
        simulated_trends(noise="hawks", seed=1)
    with pytest.raises(EmptyInput):
        simulated_trends(noise=[], seed=1)
    with pytest.raises(OutOfRange, match="least_posts"):
        simulated_trends(terms=1, weeks=1, bursts=1, least_posts=1e9, seed=1)


@pytest.mark.parametrize("noise", ["poisson", "gamma-poisson", "hawkes", "zero-inflated"])
def test_every_noise_keeps_the_mean(noise: str) -> None:
    sim = simulated_trends(terms=60, weeks=4, bursts=0, noise=noise, seed=4)
    assert sim.counts[100:].sum() == pytest.approx(sim.expected[100:].sum(), rel=0.05)
