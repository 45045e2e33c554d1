"""Laws of loops, memory, hesitation, repeated steps and stitching, each against a slow twin."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.rules import FactTable
from crmcore.tables import CustomerIndex, EventTable
from crmcore.touchpoints.journeys import (
    IdentityMap,
    Journeys,
    hesitation_rule,
    hesitations,
    journeys,
    markov_order,
    redundancies,
    state_loops,
    stitch,
)
from crmcore.touchpoints.journeys.loops import fundamental_matrix

STATES = ("evaluate", "explore", "purchase", "trigger")

walk = st.lists(st.tuples(st.sampled_from(STATES), st.integers(0, 40)), min_size=1, max_size=9).map(
    lambda rows: sorted(rows, key=lambda r: r[1])
)
walks = st.lists(walk, min_size=1, max_size=6)


def _table(found: list[list[tuple[str, int]]], unit_s: int = 1) -> Journeys:
    padded = [*found, [(s, i) for i, s in enumerate(STATES)]]
    made = Journeys.of([[s for s, _ in w] for w in padded], times_s=[[t * unit_s for _, t in w] for w in padded])
    return made.take(range(len(found)))


@given(walks)
def test_loops_equal_walking_along_each_journey(found: list[list[tuple[str, int]]]) -> None:
    got = state_loops(_table(found))
    moves: Counter[tuple[str, str]] = Counter()
    bought: Counter[str] = Counter()
    left: Counter[str] = Counter()
    switches, rounds = [], Counter[tuple[int, str]]()
    for w in found:
        words = [s for s, _ in w]
        if "purchase" in words:
            words = words[: words.index("purchase") + 1]
        runs = [s for i, s in enumerate(words) if i == 0 or words[i - 1] != s]
        between = [s for s in runs if s in ("explore", "evaluate")]
        switches.append(sum(a != b for a, b in pairwise(between)))
        seen = 0
        for a, b in pairwise([*runs, None]):
            if a == "purchase":
                continue
            assert a is not None
            outcome = "leave" if b is None else "buy" if b == "purchase" else "wander"
            left[a] += b is None
            bought[a] += b == "purchase"
            if outcome == "wander":
                moves[a, str(b)] += 1
            if a == "evaluate":
                seen += 1
                rounds[seen, outcome] += 1
    names = got.states
    assert got.moves.tolist() == [[moves[a, b] for b in names] for a in names]
    assert got.bought.tolist() == [bought[s] for s in names]
    assert got.left.tolist() == [left[s] for s in names]
    assert got.switches.tolist() == switches
    for r in got.rounds:
        shares = [rounds[r.number, o] / r.journeys for o in ("buy", "leave", "wander")]
        assert [r.buy.value, r.leave.value, r.wander.value] == pytest.approx(shares)
        assert r.exit_hazard + r.wander.value == pytest.approx(1)
    assert (got.expected_returns >= -1e-12).all()
    assert ((got.goal_chance >= -1e-12) & (got.goal_chance <= 1 + 1e-12)).all()


def test_the_fundamental_matrix_equals_simulation_within_one_percent() -> None:
    moves = np.array([[0.0, 0.6, 0.1], [0.5, 0.0, 0.2], [0.3, 0.3, 0.0]])
    rng = np.random.default_rng(7)
    walkers = 200_000
    state, count = np.zeros(walkers, np.int64), np.zeros(3)
    steps = np.cumsum(moves, axis=1)
    while len(state):
        count += np.bincount(state, minlength=3)
        draw = rng.random(len(state))[:, None]
        next_state = (draw >= steps[state]).sum(axis=1)
        state = next_state[next_state < 3]
    assert count / walkers == pytest.approx(fundamental_matrix(moves)[0], rel=0.01)


@given(walks, st.integers(1, 4), st.integers(1, 30))
def test_hesitation_equals_asking_at_every_instant(
    found: list[list[tuple[str, int]]], at_least: int, hours: int
) -> None:
    table = _table(found, unit_s=3600)
    got = hesitations(table, at_least=at_least, within_hours=hours)
    want = []
    for j, w in enumerate(found):
        part = sorted([(t, s) for s, t in w if s in ("explore", "evaluate")])

        def count(low: float, high: float, part: list[tuple[int, str]] = part) -> int:
            inside = [s for t, s in part if low <= t <= high]
            return sum(a != b for a, b in pairwise(inside))

        for now in sorted({t for t, _ in part}):
            tiny = 1e-6
            if count(now - hours + tiny, now) >= at_least > count(now - hours, now - tiny):
                want.append((j, now * 3_600_000_000, count(now - hours + tiny, now)))
    assert list(zip(got.journey.tolist(), got.time.tolist(), got.switches.tolist(), strict=True)) == want


@given(walks)
def test_the_rule_holds_where_the_pass_triggers(found: list[list[tuple[str, int]]]) -> None:
    table = _table(found, unit_s=3600)
    got = hesitations(table)
    index = CustomerIndex.of([f"{i}" for i in range(len(found))])
    rows: dict[str, list[Any]] = {"customer": [], "kind": [], "time": []}
    for i, w in enumerate(found):
        for s, t in w:
            rows["customer"].append(f"{i}")
            rows["kind"].append(s)
            rows["time"].append(np.datetime64(t, "h").astype("datetime64[us]").item().isoformat() + "+00:00")
    events = EventTable.from_frame(rows, customers=index)
    facts = FactTable(index, events=events)
    first = {int(j): int(t) for j, t in reversed(list(zip(got.journey, got.time, strict=True)))}
    for hour in range(41):
        now = np.datetime64(hour, "h").astype("datetime64[us]").item()
        mask = _rule_mask(facts, now.replace(tzinfo=UTC))
        for j in range(len(found)):
            if mask[j]:
                assert first[j] <= hour * 3_600_000_000
            if first.get(j) == hour * 3_600_000_000:
                assert mask[j]


def _rule_mask(facts: FactTable, now: Any) -> list[bool]:
    found: list[bool] = hesitation_rule().mask(facts, now=now).true.tolist()
    return found


@given(walks, st.sampled_from(["direct", "journey"]), st.sampled_from(["end", "start"]))
def test_repeated_steps_equal_walking(found: list[list[tuple[str, int]]], scope: str, times: str) -> None:
    got = redundancies(_table(found, unit_s=60), scope=scope, times=times)
    count: Counter[str] = Counter()
    minutes: Counter[str] = Counter()
    for w in found:
        for i, (s, t) in enumerate(w):
            before = [x for x, _ in (w[i - 1 : i] if scope == "direct" else w[:i])] if i else []
            if s in before:
                count[s] += 1
                minutes[s] += t - w[i - 1][1] if times == "end" else (w[i + 1][1] - t if i + 1 < len(w) else 0)
    assert {s.step: s.count for s in got.steps} == dict(count)
    assert {s.step: s.minutes for s in got.steps} == pytest.approx({s: float(minutes[s]) for s in count})


@given(walks)
def test_the_order_test_equals_the_formula(found: list[list[tuple[str, int]]]) -> None:
    if len(found) < 2:
        return
    got = markov_order(_table(found), seed=1, folds=2)
    triples: Counter[tuple[str, str, str]] = Counter()
    for w in found:
        words = ["^^", "^", *[s for s, _ in w], "$"]
        triples.update(zip(words, words[1:], words[2:], strict=False))
    ab: Counter[tuple[str, str]] = Counter()
    bc: Counter[tuple[str, str]] = Counter()
    b: Counter[str] = Counter()
    for (x, y, z), n in triples.items():
        ab[x, y] += n
        bc[y, z] += n
        b[y] += n
    statistic = 2 * sum(n * math.log(n * b[y] / (ab[x, y] * bc[y, z])) for (x, y, z), n in triples.items())
    freedom = sum((sum(k[1] == y for k in ab) - 1) * (sum(k[0] == y for k in bc) - 1) for y in b)
    assert got[2].statistic == pytest.approx(statistic, abs=1e-9)
    assert got[2].freedom == freedom


links = st.lists(st.tuples(st.sampled_from("vwx"), st.sampled_from("ABC"), st.integers(0, 20)), max_size=6)
clicks = st.lists(
    st.tuples(st.sampled_from(["v", "w", "x", None]), st.sampled_from(["A", "D", None, None]), st.integers(0, 20)),
    min_size=1, max_size=8,
)  # fmt: skip


def _stamp(second: int) -> str:
    return f"2026-01-01T00:00:{second:02d}Z"


@given(links, clicks, st.sampled_from(["in turn", "first", "last", "nobody"]), st.booleans(), st.randoms())
def test_stitching_equals_looking_up_each_event(
    links: list[tuple[str, str, int]], clicks: list[Any], shared: str, retroactive: bool, random: Any
) -> None:
    def owner(visitor: Any, customer: Any, second: int) -> Any:
        if customer is not None:
            return customer
        mine = sorted((t, c) for v, c, t in links if v == visitor)
        seen = [c for t, c in mine if t <= second]
        every = [c for _, c in mine]
        usable = every if retroactive else seen
        if visitor is None:
            return None
        if not usable or (shared == "nobody" and len(set(every)) > 1):
            return f"visitor {visitor}"
        if shared == "in turn":
            return seen[-1] if seen else every[0]
        return usable[-1] if shared == "last" else every[0]

    random.shuffle(links)
    table = IdentityMap.from_frame(
        {"visitor": [v for v, _, _ in links], "customer": [c for _, c, _ in links],
         "time": [_stamp(t) for _, _, t in links]}
    )  # fmt: skip
    events = {
        "visitor": [v for v, _, _ in clicks],
        "customer": [c for _, c, _ in clicks],
        "time": [_stamp(t) for _, _, t in clicks],
        "step": ["view"] * len(clicks),
    }
    plain = journeys(events, grain="visitor").to_frame()
    got = stitch(events, table, shared=shared, retroactive=retroactive).to_list()
    assert got == [owner(*c) for c in clicks]
    assert journeys(events, grain="visitor").to_frame() == plain
