"""Bursts merged and judged, problems, links and phrases: edges, errors and words."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from crmcore.errors import BadRows, EmptyInput, NaiveDatetime, OutOfRange, UnknownName
from crmcore.listening.trends import (
    ALL_POSTS,
    AspectLinks,
    Bursts,
    Change,
    Moods,
    PhraseSpread,
    Verdict,
    find_bursts,
    judge_bursts,
    link_aspects,
    phrase_spread,
    weekly_problems,
)
from crmcore.listening.trends.reading import first_copies, net_scores
from crmcore.tables import MentionTable

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def chatter(extra: list[tuple[str, datetime]], *, days: int = 9, a_day: int = 100, seed: int = 1) -> MentionTable:
    rng = np.random.default_rng(seed)
    n = days * a_day
    words = np.array(["parcel", "price", "shop", "staff", "delivery", "app"])
    rows = [
        (" ".join(rng.choice(words, 2, replace=False)), MONDAY + timedelta(minutes=float(m)))
        for m in np.sort(rng.uniform(0, days * 1440, n))
    ]
    rows += extra
    return MentionTable.from_frame(
        {"text": [t for t, _ in rows], "time": [w for _, w in rows], "author": [f"p{i}" for i in range(len(rows))]}
    )


def spike(words: str, n: int, begin: datetime) -> list[tuple[str, datetime]]:
    return [(f"{words} {i}", begin + timedelta(minutes=i)) for i in range(n)]


class Tiny:
    """Analyzer of two words."""

    def probabilities(self, texts: object, /) -> np.ndarray:
        rows = [
            [np.nan] * 3 if t is None else [0.8, 0.1, 0.1] if "recall" in t else [0.2, 0.3, 0.5] for t in list(texts)
        ]  # type: ignore[call-overload]
        return np.array(rows)


@pytest.fixture(scope="module")
def posts() -> MentionTable:
    return chatter(spike("toaster recall", 60, MONDAY + timedelta(days=8)))


@pytest.fixture(scope="module")
def bursts(posts: MentionTable) -> Bursts:
    return find_bursts(posts)


def test_terms_of_one_burst_are_one_and_the_number_of_all_posts_stays_by_itself(bursts: Bursts) -> None:
    first = next(b for b in bursts if "recall" in b.terms)
    assert {"recall", "toaster", "toaster recall"} <= set(first.terms)
    assert ALL_POSTS not in first.terms
    assert first.posts == first.people == 60
    assert str(first).startswith("recall (also toaster, toaster recall)")
    assert "p0" not in repr(first)
    assert "(60 posts)" in repr(first)


def test_two_bursts_at_one_time_stay_two() -> None:
    begin = MONDAY + timedelta(days=8)
    posts = chatter([*spike("toaster recall", 40, begin), *spike("summer sale", 40, begin)])
    names = [b.terms for b in find_bursts(posts)]
    assert any("recall" in t and "sale" not in t for t in names)
    assert any("sale" in t and "recall" not in t for t in names)


def test_things_can_be_watched_in_place_of_terms(posts: MentionTable) -> None:
    texts = [t or "" for t in posts.text.to_list()]
    things = {"safety": ["recall" in t for t in texts], "price": ["price" in t for t in texts]}
    found = find_bursts(posts, things=things)
    assert "safety" in [b.name for b in found]
    moods = judge_bursts(found, posts, Tiny(), things=things)
    (mood,) = [m for m in moods if m.burst.name == "safety"]
    assert mood.verdict is Verdict.CRISIS
    assert mood.compared_with == "all posts before"


def test_a_crisis_is_told_with_its_test(posts: MentionTable, bursts: Bursts) -> None:
    moods = judge_bursts(bursts, posts, Tiny())
    first = next(m for m in moods if m.burst.name == "recall")
    assert str(first) == (
        "recall: crisis, 100 % negative and 0 % positive of 60 voices; net -0.7 against 0.3 of all posts before "
        "(p < 0.0001)"
    )
    assert moods.of("crisis") == moods.of(Verdict.CRISIS)
    assert first in moods.of("crisis")
    assert "crises" in repr(moods)
    assert len(moods._repr_html_()) < 6000
    assert moods.to_frame(backend="polars")["verdict"][0] == "crisis"
    assert moods.chart().rows[0]["label"].endswith("(crisis)")


def test_few_voices_make_no_crisis(posts: MentionTable, bursts: Bursts) -> None:
    moods = judge_bursts(bursts, posts, Tiny(), least_voices=100)
    assert not moods.of("crisis")
    assert next(m for m in moods if m.burst.name == "recall").verdict is Verdict.MORE_COMPLAINTS


def test_without_bursts_there_is_nothing_to_judge() -> None:
    posts = chatter([], days=2)
    found = find_bursts(posts)
    moods = judge_bursts(found, posts, Tiny())
    assert (len(found), len(moods), str(moods)) == (0, 0, "no bursts")
    assert moods.to_frame(backend="pandas").shape == (0, 14)
    assert found.to_frame(backend="pandas").shape == (0, 9)
    assert Moods.from_dict(moods.to_dict()) == moods
    with pytest.raises(EmptyInput):
        moods.chart()


def test_sentiment_is_checked_at_the_door(posts: MentionTable, bursts: Bursts) -> None:
    n = len(posts)
    with pytest.raises(OutOfRange, match="shape of sentiment"):
        judge_bursts(bursts, posts, np.zeros(n + 1))
    with pytest.raises(UnknownName, match="sentiment plug-in"):
        judge_bursts(bursts, posts, "vader")
    with pytest.raises(BadRows, match="beyond -1 to 1"):
        judge_bursts(bursts, posts, np.full(n, 3.0))
    with pytest.raises(OutOfRange, match="before_days"):
        judge_bursts(bursts, posts, np.zeros(n), before_days=0)
    assert np.isnan(net_scores(Tiny(), MentionTable.from_frame({"text": [None, "recall"]}))).tolist() == [True, False]


def test_a_text_counts_once_whatever_links_handles_and_marks_stand_around_it() -> None:
    texts = [
        "It is late again today!",
        "it is late AGAIN today https://a.bc/d @shop",
        "RT @x: it is late again today",
        "it is late again and again",
        None,
        None,
        "!!",
    ]
    time = [MONDAY + timedelta(hours=h) for h in (3, 2, 1, 0, 0, 0, 0)]
    table = MentionTable.from_frame({"text": texts, "time": time})
    assert first_copies(table).tolist() == [False, False, True, True, True, True, True]
    assert first_copies(MentionTable.from_frame({"text": ["So slow!", "so slow"]})).all()


def test_problems_need_one_kind_of_complaint_and_an_aware_end(posts: MentionTable) -> None:
    now = MONDAY + timedelta(days=9)
    with pytest.raises(OutOfRange, match="sentiment, complaint"):
        weekly_problems(posts, now=now)
    with pytest.raises(OutOfRange, match="both or none"):
        weekly_problems(posts, now=now, sentiment=Tiny(), complaint=[True] * len(posts))
    with pytest.raises(NaiveDatetime):
        weekly_problems(posts, now=datetime(2026, 3, 9), sentiment=Tiny())
    with pytest.raises(OutOfRange, match="days"):
        weekly_problems(posts, now=now, sentiment=Tiny(), days=-1)
    with pytest.raises(OutOfRange, match="length of complaint"):
        weekly_problems(posts, now=now, complaint=[True])


def test_a_problem_that_nobody_had_is_new(posts: MentionTable) -> None:
    found = weekly_problems(posts, now=MONDAY + timedelta(days=9), days=4, sentiment=Tiny())
    assert found[0].name == "toaster recall"
    assert found[0].change is Change.NEW
    assert str(found[0]).startswith("toaster recall: 60 voices, 0 the period before (new, p")
    assert "60" in found._repr_html_()
    assert found.chart().rows[0]["label"] == "toaster recall (new)"
    assert repr(found).startswith("WeeklyProblems(1 problems")


def test_a_week_without_complaints_has_no_problems(posts: MentionTable) -> None:
    found = weekly_problems(posts, now=MONDAY + timedelta(days=9), complaint=[False] * len(posts))
    assert len(found) == 0
    assert found.to_frame(backend="polars").shape == (0, 9)
    with pytest.raises(EmptyInput):
        found.chart()
    nobody = weekly_problems(MentionTable.from_frame({"text": []}), now=MONDAY, complaint=[])
    assert (len(nobody), nobody.people) == (0, 0)


def test_a_link_is_told_in_points_with_its_interval() -> None:
    rng = np.random.default_rng(2)
    n, since = 800, MONDAY + timedelta(days=10)
    time = [MONDAY + timedelta(days=float(d)) for d in rng.uniform(0, 20, n)]
    part = rng.random(n) < np.array([0.4 if t >= since else 0.1 for t in time])
    taste = rng.random(n) < np.where(part, 0.1, 0.5)
    posts = MentionTable.from_frame({"text": ["x"] * n, "time": time})
    found = link_aspects(posts, part, aspects={"taste": taste}, since=since)
    assert found[0].verdict == "lowers"
    assert str(found).splitlines()[1].startswith("  taste: lowers, -")
    assert "(p < 0.0001)" in str(found)
    assert found.chart().rows[0]["label"] == "taste"
    assert "lowers" in found._repr_html_()
    assert found.to_frame(backend="polars")["verdict"].to_list() == ["lowers"]
    assert AspectLinks.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_a_trend_in_which_nobody_takes_part_links_to_nothing() -> None:
    time = [MONDAY + timedelta(days=d) for d in range(10)]
    posts = MentionTable.from_frame({"text": ["x"] * 10, "time": time})
    found = link_aspects(posts, [False] * 10, aspects={"a": [True] * 10}, since=MONDAY + timedelta(days=5))
    assert found[0].verdict == "no link"
    assert math.isnan(found[0].explained.value)
    assert "no test" in str(found[0])
    for since, name in ((MONDAY, "posts before the trend"), (MONDAY + timedelta(days=30), "posts since")):
        with pytest.raises(EmptyInput, match=name):
            link_aspects(posts, [False] * 10, aspects={"a": [True] * 10}, since=since)


def test_a_phrase_is_found_in_any_spelling_but_not_across_texts_or_marks() -> None:
    texts = ["JUST do it", "just do, it", "do it just", "Just  do it just do it", None]
    posts = MentionTable.from_frame({"text": texts, "author": ["a", "b", "c", "a", "d"], "time": [MONDAY] * 5})
    found = phrase_spread(posts, "Just do it")
    assert (found.uses, found.people, found.repeats.value, found.repeaters.value) == (2, 1, 2.0, 1.0)
    assert math.isnan(found.half_life_days.value)
    assert str(found).splitlines()[0] == "'Just do it': 2 uses by 1 people since 2026-03-02 00:00"
    assert PhraseSpread.from_dict(json.loads(json.dumps(found.to_dict()))).to_dict() == found.to_dict()


def test_a_phrase_that_does_not_fade_has_no_end() -> None:
    days = [d for d in range(8) for _ in range(10)]
    posts = MentionTable.from_frame({"text": ["go on"] * 80, "time": [MONDAY + timedelta(days=d) for d in days]})
    found = phrase_spread(posts, "go on", until=MONDAY + timedelta(days=8))
    assert found.half_life_days.high == math.inf
    assert found.counts == (10,) * 8
    assert len(found.to_frame(backend="polars")) == 8
    assert found.chart().rows[0]["y"] == 10


def test_a_phrase_that_nobody_used_is_an_error() -> None:
    posts = MentionTable.from_frame({"text": ["go on"], "time": [MONDAY]})
    with pytest.raises(EmptyInput, match="nobody used it"):
        phrase_spread(posts, "stop")
    with pytest.raises(EmptyInput, match="at least one word"):
        phrase_spread(posts, "  ")
    with pytest.raises(EmptyInput, match="nobody used it"):
        phrase_spread(MentionTable.from_frame({"text": ["go on"]}), "go on")
    with pytest.raises(OutOfRange, match="period_hours"):
        phrase_spread(posts, "go on", period_hours=0)
