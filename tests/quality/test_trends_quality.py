"""Trends against planted truth: recall, promises kept, crises told from mere noise. Floors may rise, never fall."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from crmcore.listening.trends import HourlyCounts, TrendDetector, find_bursts, judge_bursts, simulated_trends
from crmcore.listening.trends.linking import _explained
from crmcore.tables import MentionTable

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def meets(begin: datetime, end: datetime, first: int, last: int) -> bool:
    """Whether two stretches of time overlap, one in hours since the start."""
    return begin < MONDAY + timedelta(hours=last) and end > MONDAY + timedelta(hours=first)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("noise", "floor"), [("poisson", 0.88), ("gamma-poisson", 0.84), ("zero-inflated", 0.82), ("hawkes", 0.72)]
)
def test_planted_bursts_are_found_and_the_promise_is_kept(noise: str, floor: float) -> None:
    sim = simulated_trends(terms=400, weeks=8, bursts=120, noise=noise, seed=11)
    names = [f"t{i}" for i in range(400)]
    found = TrendDetector(false_alarms=10).detect(HourlyCounts.of(sim.counts, terms=names, start=MONDAY))
    near = np.zeros((len(sim.counts) + 48, 400), bool)
    for i, a, b in zip(sim.term, sim.start, sim.stop, strict=True):
        near[a : b + 24, i] = True
    at = [(round((t.alarm_at - MONDAY) / timedelta(hours=1)) - 1, int(t.term[1:])) for t in found]
    false = sum(h >= 336 and not near[h, i] for h, i in at)
    promised = 10 * 0.4 * 6
    assert promised / 2.5 <= false <= 2 * promised
    late = sim.start >= 336
    delay = [
        min((h - a for h, j in at if j == i and a <= h < b), default=np.inf)
        for i, a, b in zip(sim.term[late], sim.start[late], sim.stop[late], strict=True)
    ]
    # A burst inside a longer alarm that began before it has no alarm of its own.
    inside = [
        any(t.term == f"t{i}" and meets(t.alarm_at, t.last_at, a, b) for t in found)
        for i, a, b in zip(sim.term[late].tolist(), sim.start[late].tolist(), sim.stop[late].tolist(), strict=True)
    ]
    assert np.mean(inside) >= floor
    assert np.median([d for d in delay if np.isfinite(d)]) <= 1


@pytest.mark.parametrize(
    ("n", "m", "grown", "was", "inside", "outside"),
    [
        (500, 500, 0.3, 0.1, 0.6, 0.1),
        (500, 500, 0.1, 0.1, 0.6, 0.1),
        (500, 500, 0.3, 0.1, 0.2, 0.2),
        (120, 400, 0.2, 0.02, 0.5, 0.2),
    ],
)
def test_what_a_trend_explains_lies_in_its_interval(
    n: int, m: int, grown: float, was: float, inside: float, outside: float
) -> None:
    rng = np.random.default_rng(3)

    def voices(size: int, share: float) -> np.ndarray:
        takes = rng.random(size) < share
        speaks = rng.random(size) < np.where(takes, inside, outside)
        return np.array([[(a & b).sum() for b in (speaks, ~speaks)] for a in (takes, ~takes)])

    truth = (grown - was) * (inside - outside)
    made = [_explained(voices(n, grown), voices(m, was), level=0.95) for _ in range(800)]
    assert 0.92 <= np.mean([e.low <= truth <= e.high for e, _ in made]) <= 0.98
    if truth == 0:
        assert np.mean([p < 0.05 for _, p in made]) <= 0.075


def test_crises_of_brands_are_told_and_hardly_any_is_false() -> None:
    rng = np.random.default_rng(5)
    brands, days = 8, 28
    rows: list[tuple[str, float, float]] = []
    crises, praised = [], []
    for brand in range(brands):
        mood = rng.uniform(-0.4, 0.3)
        hours = np.arange(days * 24)
        rate = rng.uniform(2, 8) * np.exp(0.6 * np.sin(2 * np.pi * (hours - 9) / 24)) * rng.gamma(8, 1 / 8, len(hours))
        shift = np.zeros(len(hours))
        begin = int(rng.integers(14 * 24, 26 * 24))
        kind = ("crisis", "praise", "more")[brand % 3]
        rate[begin : begin + 12] *= 6
        shift[begin : begin + 12] = {"crisis": -0.6, "praise": 0.6, "more": 0.0}[kind]
        (crises if kind == "crisis" else praised if kind == "praise" else []).append((f"brand{brand}", begin))
        for hour, n in enumerate(rng.poisson(rate).tolist()):
            net = np.clip(rng.normal(mood + shift[hour], 0.5, n), -1, 1)
            rows += [(f"brand{brand}", hour + u, s) for u, s in zip(rng.random(n), net, strict=True)]
    posts = MentionTable.from_frame(
        {
            "text": [name for name, _, _ in rows],
            "time": [MONDAY + timedelta(hours=float(h)) for _, h, _ in rows],
            "author": list(range(len(rows))),
        }
    )
    things = {f"brand{b}": [name == f"brand{b}" for name, _, _ in rows] for b in range(brands)}
    net = np.array([s for _, _, s in rows])
    # Few brands share little, and all posts are those of the brands.
    bursts = find_bursts(posts, things=things, detector=TrendDetector(false_alarms=100))
    moods = [m for m in judge_bursts(bursts, posts, net, things=things) if m.burst.name in things]
    told = [(m.burst.name, m.burst.began_at, m.burst.last_at) for m in moods if m.verdict == "crisis"]
    liked = [(m.burst.name, m.burst.began_at, m.burst.last_at) for m in moods if m.verdict == "praise"]

    def hits(found: list[tuple[str, datetime, datetime]], planted: list[tuple[str, int]]) -> int:
        return sum(any(of == name and meets(a, b, h, h + 12) for of, a, b in found) for name, h in planted)

    assert hits(told, crises) == len(crises)
    assert hits(liked, praised) >= len(praised) - 1
    assert len(told) - hits(told, crises) <= brands * days / 56  # one a brand in 8 weeks
