"""Trends: what the library promises, in the words of the field."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from crmcore.listening.trends import (
    Bursts,
    Change,
    HourlyCounts,
    Moods,
    TrendDetector,
    Verdict,
    WeeklyProblems,
    find_bursts,
    judge_bursts,
    link_aspects,
    phrase_spread,
    simulated_trends,
    weekly_problems,
)
from crmcore.tables import MentionTable

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def stream(rng: np.random.Generator, days: int, a_day: int) -> tuple[list[str], list[datetime]]:
    """Posts about parcels at random times."""
    n = days * a_day
    when = [MONDAY + timedelta(minutes=float(m)) for m in np.sort(rng.uniform(0, days * 1440, n))]
    words = np.array(["parcel", "price", "shop", "staff", "delivery", "app"])
    return [" ".join(rng.choice(words, 2, replace=False)) for _ in range(n)], when


def test_row_139_a_rising_lifestyle_raises_what_people_expect_of_an_aspect() -> None:
    rng = np.random.default_rng(1)
    n, since = 1200, MONDAY + timedelta(days=14)
    time = [MONDAY + timedelta(days=float(d)) for d in rng.uniform(0, 28, n)]
    late = np.array([t >= since for t in time])
    vegan = rng.random(n) < np.where(late, 0.3, 0.05)
    ingredients = rng.random(n) < np.where(vegan, 0.6, 0.1)
    price = rng.random(n) < 0.2
    posts = MentionTable.from_frame({"text": ["x"] * n, "author": list(range(n)), "time": time})
    found = link_aspects(posts, vegan, aspects={"price": price, "ingredients": ingredients}, since=since)
    assert [(link.aspect, link.verdict) for link in found] == [("ingredients", "raises"), ("price", "no link")]
    first = found[0]
    assert first.explained.low < (0.3 - 0.05) * (0.6 - 0.1) < first.explained.high
    assert first.over_time.difference.value > 0.08
    assert first.with_trend.difference.low > 0.3
    assert type(found).from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_row_141_a_planted_burst_of_ten_posts_an_hour_is_found_within_one_and_false_alarms_stay_at_the_goal() -> None:
    sim = simulated_trends(terms=300, weeks=4, bursts=90, seed=7)
    names = [f"t{i}" for i in range(300)]
    found = TrendDetector(false_alarms=10).detect(HourlyCounts.of(sim.counts, terms=names, start=MONDAY))
    hours = [(t, round((t.alarm_at - MONDAY) / timedelta(hours=1)) - 1, names.index(t.term)) for t in found]
    near = np.zeros((len(sim.counts) + 48, 300), bool)
    for i, a, b in zip(sim.term, sim.start, sim.stop, strict=True):
        near[a : b + 24, i] = True
    false = sum(not near[h, i] for _, h, i in hours)
    assert false <= 2 * found.expected_false
    extra = [
        (f - 1) * sim.expected[a:b, i].mean()
        for i, a, b, f in zip(sim.term, sim.start, sim.stop, sim.factor, strict=True)
    ]
    late = (sim.start >= 168) & (np.array(extra) >= 10)  # an hour: enough to be seen in the first
    delays = [
        min((h - a for _, h, j in hours if j == i and a <= h < b), default=np.inf)
        for i, a, b in zip(sim.term[late], sim.start[late], sim.stop[late], strict=True)
    ]
    assert np.isfinite(delays).mean() >= 0.9
    assert np.median(delays) <= 1


def test_row_141_an_interest_that_nobody_had_before_is_seen_as_it_emerges() -> None:
    texts, when = stream(np.random.default_rng(2), 10, 150)
    begin = MONDAY + timedelta(days=9, hours=12)
    texts += ["oat milk latte please", "why no oat milk", "oat milk?"] * 4
    when += [begin + timedelta(minutes=10 * i) for i in range(12)]
    posts = MentionTable.from_frame({"text": texts, "time": when, "author": list(range(len(texts)))})
    found = find_bursts(posts)
    assert "oat milk" in found[0].terms
    assert found[0].alarm_at - begin <= timedelta(hours=2)
    assert found[0].people == 12
    assert Bursts.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def week_of_complaints() -> dict[str, list[object]]:
    """Three weeks: late parcels double in the last, broken lids stay, of copies and repeats there are some."""
    now = MONDAY + timedelta(days=21)
    rows: list[tuple[str, str, datetime]] = []
    for name, last, before in (("late parcel", 40, 12), ("broken lid", 20, 20), ("slow app", 0, 15)):
        rows += [
            (f"{name} again, story {i}", f"{name} {i}", now - timedelta(days=1, hours=i % 100)) for i in range(last)
        ]
        rows += [(f"{name} tale {i}", f"{name} b{i}", now - timedelta(days=9, hours=i % 100)) for i in range(before)]
    rows += [(f"nice day {i}", f"happy {i}", now - timedelta(days=1 + i % 13)) for i in range(300)]
    rows += [("late parcel again, story 0", f"bot {i}", now - timedelta(hours=2 + i)) for i in range(30)]  # copies
    rows += [(f"broken lid again {i}", "broken lid 0", now - timedelta(hours=3 + i)) for i in range(25)]  # one voice
    rows += [("late parcel of long ago", f"old {i}", now - timedelta(days=16)) for i in range(5)]
    rows += [("late parcel from the future", "f", now + timedelta(hours=1))]
    text, author, time = (list(column) for column in zip(*rows, strict=True))
    return {"text": text, "author": author, "time": time, "mention_id": [f"m{i}" for i in range(len(rows))]}


def test_row_142_problems_of_the_past_week_are_ranked_with_their_change() -> None:
    now = MONDAY + timedelta(days=21)
    frame = week_of_complaints()
    posts = MentionTable.from_frame(frame)
    sore = [not str(t).startswith("nice") for t in frame["text"]]
    things = {name: [name in str(t) for t in frame["text"]] for name in ("late parcel", "broken lid", "slow app")}
    found = weekly_problems(posts, now=now, complaint=sore, things=things)
    assert [(p.name, p.voices, p.voices_before) for p in found] == [("late parcel", 40, 12), ("broken lid", 20, 20)]
    assert [p.change for p in found] == [Change.RISING, Change.STEADY]
    assert (found.copies, found.outside) == (30, 6)
    assert WeeklyProblems.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_row_142_late_posts_go_to_the_week_in_which_they_were_written() -> None:
    now = MONDAY + timedelta(days=21)
    frame = week_of_complaints()
    sore = [not str(t).startswith("nice") for t in frame["text"]]
    early = [i for i in range(len(sore)) if i % 3]  # a third is collected late, in any order
    order = [*early, *[i for i in range(len(sore)) if not i % 3]]
    whole = weekly_problems(MentionTable.from_frame(frame), now=now, complaint=sore)
    shuffled = MentionTable.from_frame({k: [v[i] for i in order] for k, v in frame.items()})
    again = weekly_problems(shuffled, now=now, complaint=[sore[i] for i in order])
    assert again == whole
    assert "late parcel" in [p.name for p in whole]


def test_row_142_without_a_list_of_things_the_terms_of_complaints_are_found() -> None:
    frame = week_of_complaints()
    net = [0.5 if str(t).startswith("nice") else -0.5 for t in frame["text"]]
    found = weekly_problems(MentionTable.from_frame(frame), now=MONDAY + timedelta(days=21), sentiment=net)
    names = [p.name for p in found]
    assert "late parcel" in names
    assert "nice" not in names
    assert "late" not in names  # part of "late parcel", said by the same people


@pytest.mark.parametrize(("negative", "verdict"), [(0.8, Verdict.CRISIS), (0.2, Verdict.PRAISE), (0.5, Verdict.MIXED)])
def test_row_145_a_spike_is_a_crisis_or_praise_by_what_people_feel(negative: float, verdict: Verdict) -> None:
    rng = np.random.default_rng(3)
    texts, when = stream(rng, 12, 120)
    net = rng.choice([-0.7, 0.0, 0.7], len(texts))
    begin = MONDAY + timedelta(days=11)
    spike = 100
    texts += [f"recall number{i}" for i in range(spike)]
    when += [begin + timedelta(minutes=2 * i) for i in range(spike)]
    inside = np.where(np.arange(spike) < round(negative * spike), -0.7, 0.7)
    posts = MentionTable.from_frame({"text": texts, "time": when, "author": list(range(len(texts)))})
    found = judge_bursts(find_bursts(posts), posts, np.concatenate([net, inside]))
    (mood,) = [m for m in found if m.burst.name == "recall"]
    assert mood.verdict is verdict
    assert mood.negative.value == pytest.approx(negative, abs=0.02)
    assert Moods.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_row_145_more_of_the_usual_complaints_is_no_shift() -> None:
    rng = np.random.default_rng(4)
    texts, when = stream(rng, 12, 120)
    sore = rng.random(len(texts)) < 0.8
    begin = MONDAY + timedelta(days=11)
    texts += ["parcel"] * 120
    when += [begin + timedelta(minutes=i) for i in range(120)]
    net = np.where(np.concatenate([sore, rng.random(120) < 0.8]), -0.7, 0.7)
    posts = MentionTable.from_frame({"text": texts, "time": when, "author": list(range(len(texts)))})
    found = judge_bursts(find_bursts(posts), posts, net)
    assert "parcel" in [m.burst.name for m in found.of(Verdict.MORE_COMPLAINTS)]
    assert not found.of("crisis")


def test_row_162_a_slogan_is_measured_by_repeats_per_person_and_its_half_life() -> None:
    rng = np.random.default_rng(5)
    days = rng.exponential(2.0 / np.log(2), 600)
    days = days[days < 20]
    n = len(days)
    posts = MentionTable.from_frame(
        {
            "text": ["JUST do it!!", "they say: Just do it"] * (n // 2) + ["just do it"] * (n % 2),
            "author": [f"a{i % (n // 2)}" for i in range(n)],
            "time": [MONDAY + timedelta(days=float(d)) for d in days],
        }
    )
    found = phrase_spread(posts, "Just do it", until=MONDAY + timedelta(days=20))
    assert found.uses == n
    assert found.people == n // 2
    assert found.repeats.value == pytest.approx(2, abs=0.01)
    assert found.repeaters.value == pytest.approx(1, abs=0.01)
    assert found.half_life_days.low < 2.0 < found.half_life_days.high
    assert found.half_life_days.value == pytest.approx(2.0, rel=0.15)
