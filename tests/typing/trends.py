"""Types of trends, as users see them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import assert_type

from crmcore.listening.trends import (
    AspectLink,
    Burst,
    Bursts,
    HourlyCounts,
    Moods,
    PhraseSpread,
    Trend,
    TrendDetector,
    Trends,
    TrendWatch,
    WeeklyProblems,
    find_bursts,
    judge_bursts,
    link_aspects,
    phrase_spread,
    simulated_trends,
    weekly_problems,
)
from crmcore.metrics.comparing import Comparison
from crmcore.metrics.estimates import Estimate
from crmcore.tables import MentionTable

start = datetime(2026, 3, 2, tzinfo=UTC)
counts = HourlyCounts.of(simulated_trends(terms=2, weeks=1, bursts=0, seed=1).counts, terms=["a", "b"], start=start)
assert_type(counts, HourlyCounts)
assert_type(TrendDetector().fit(counts), TrendWatch)
assert_type(TrendDetector().start().update(counts), tuple[TrendWatch, Trends])
assert_type(list(TrendDetector().detect(counts)), list[Trend])

posts = MentionTable.from_frame({"text": ["a", "a"], "time": [start, datetime(2026, 3, 10, tzinfo=UTC)]})
bursts = find_bursts(posts)
assert_type(bursts, Bursts)
assert_type(list(bursts), list[Burst])
assert_type(judge_bursts(bursts, posts, [0.1, 0.2]), Moods)
assert_type(weekly_problems(posts, now=start, complaint=[True, False]), WeeklyProblems)
links = link_aspects(posts, [True, False], aspects={"a": [True, False]}, since=datetime(2026, 3, 9, tzinfo=UTC))
assert_type(links[0], AspectLink)
assert_type(links[0].explained, Estimate)
assert_type(links.trend, Comparison)
assert_type(phrase_spread(posts, "a"), PhraseSpread)
