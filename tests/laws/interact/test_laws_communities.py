"""Communities against slow twins: brute force for votes and matchings, plain loops for networks."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations, product
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.idic.interact import communities
from crmcore.idic.interact.communities import Community, Vote
from crmcore.idic.interact.communities.ambassadors import _nearest_above
from crmcore.idic.interact.communities.ballots import instant_runoff, pairwise_wins, schulze_winners
from crmcore.idic.interact.communities.matching import Matching, blocking_pairs, stable_match

AT = datetime(2026, 5, 1, tzinfo=UTC)
OPTIONS = "abcd"
BALLOTS = st.lists(
    st.permutations(OPTIONS).flatmap(lambda p: st.integers(1, 4).map(lambda k: tuple(p[:k]))), min_size=1, max_size=9
)


@st.composite
def threads(draw: st.DrawFn) -> list[dict[str, Any]]:
    n = draw(st.integers(1, 14))
    rows = []
    for i in range(n):
        to = draw(st.one_of(st.none(), st.integers(0, i - 1).map(str))) if i else None
        author = draw(st.sampled_from(["ann", "ben", "cyd", "us", None]))
        rows.append({"id": str(i), "author": author, "at": AT + timedelta(hours=i), "reply_to": to})
    return rows


def as_chat(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "messages": [
            {"id": r["id"], "timestamp": r["at"].isoformat(), "author": {"id": r["author"]}}
            | ({"reference": {"messageId": r["reply_to"]}} if r["reply_to"] else {})
            for r in rows
        ],
        "members": [{"id": "zoe"}],
    }


def as_forum(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    nodes = {
        r["id"]: {"id": r["id"], "author": r["author"], "created_at": r["at"].isoformat(), "replies": []} for r in rows
    }
    for r in rows:
        if r["reply_to"]:
            nodes[r["reply_to"]]["replies"].append(nodes[r["id"]])
    return [nodes[r["id"]] for r in rows if not r["reply_to"]]


@given(threads(), st.randoms(use_true_random=False))
def test_chat_forum_and_shuffled_frame_give_the_same_health(rows: list[dict[str, Any]], random: Any) -> None:
    now = AT + timedelta(days=3)
    chat = communities.from_chat(as_chat(rows), staff=["us"])
    forum = communities.from_forum(as_forum(rows), members=["zoe"], staff=["us"])
    mixed = list(rows)
    random.shuffle(mixed)
    frame = Community.from_frame(mixed, members=["zoe"], staff=["us"])
    said = [communities.health(c, now=now).to_dict() for c in (chat, forum, frame)]
    assert said[0] == said[1] == said[2]


@given(threads())
def test_density_and_reciprocity_are_those_of_plain_loops(rows: list[dict[str, Any]]) -> None:
    who = {r["id"]: r["author"] for r in rows}
    pairs = {(r["author"], who[r["reply_to"]]) for r in rows if r["reply_to"]}
    pairs = {(a, b) for a, b in pairs if a and b and a != b}
    found = Community.from_frame(rows, members=["zoe"])
    n = len({*filter(None, who.values()), "zoe"})
    graph = found.graph()
    assert len(graph.source) == len(pairs)
    if n > 1:
        assert np.isclose(graph.density, len(pairs) / (n * (n - 1)))
    if pairs:
        assert np.isclose(graph.reciprocity, sum((b, a) in pairs for a, b in pairs) / len(pairs))


@given(threads(), st.data())
def test_the_nearest_marked_post_above_is_found_by_walking_up(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    to = np.array([int(r["reply_to"]) if r["reply_to"] else -1 for r in rows])
    marked = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))))
    for i, found in enumerate(_nearest_above(to, marked).tolist()):
        at = int(to[i])
        while at >= 0 and not marked[at]:
            at = int(to[at])
        assert found == at


def runoff_twin(ballots: list[tuple[str, ...]]) -> str:
    """Written again from the rule: last of the options in line goes, by votes now, before, ..., place."""
    left, past = list(OPTIONS), []
    while True:
        votes = Counter(next(o for o in b if o in left) for b in ballots if set(b) & set(left))
        past.insert(0, votes)
        line = sorted(left, key=lambda o: ([v[o] for v in past], -OPTIONS.index(o)))
        leader = sorted(left, key=lambda o: (-votes[o], OPTIONS.index(o)))[0]
        if len(left) == 1 or votes[leader] > sum(votes.values()) / 2:
            return leader
        left.remove(line[0])


@given(BALLOTS)
def test_instant_runoff_is_the_rule_written_again(ballots: list[tuple[str, ...]]) -> None:
    assert instant_runoff(ballots, OPTIONS)[0] == runoff_twin(ballots)


def strongest(wins: np.ndarray[Any, Any], a: int, b: int) -> int:
    """Strength of the strongest path, over all simple paths."""
    others, best = [i for i in range(len(wins)) if i not in (a, b)], 0
    for k in range(len(others) + 1):
        for middle in permutations(others, k):
            path = [a, *middle, b]
            steps = [(wins[x, y], wins[y, x]) for x, y in pairwise(path)]
            if all(x > y for x, y in steps):
                best = max(best, min(int(x) for x, _ in steps))
    return best


@given(BALLOTS)
def test_schulze_is_all_simple_paths_and_elects_a_condorcet_winner(ballots: list[tuple[str, ...]]) -> None:
    wins = pairwise_wins(ballots, OPTIONS)
    every = range(4)
    want = [a for a in every if all(strongest(wins, a, b) >= strongest(wins, b, a) for b in every if b != a)]
    assert schulze_winners(wins) == want
    condorcet = [a for a in every if all(wins[a, b] > wins[b, a] for b in every if b != a)]
    assert not condorcet or want == condorcet


@st.composite
def wishes(draw: st.DrawFn) -> tuple[dict[str, list[str]], dict[str, list[str]], dict[str, int]]:
    seekers, hosts = ["s1", "s2", "s3"], ["m1", "m2"]

    def some(names: list[str]) -> list[str]:
        return list(draw(st.permutations(names)))[: draw(st.integers(0, len(names)))]

    return (
        {s: some(hosts) for s in seekers},
        {h: some(seekers) for h in hosts},
        {h: draw(st.integers(0, 3)) for h in hosts},
    )


def all_stable(seekers: Any, hosts: Any, places: dict[str, int]) -> list[dict[str, str]]:
    found = []
    for choice in product(*([None, *hosts] for _ in seekers)):
        pairs = tuple((s, h) for s, h in zip(seekers, choice, strict=True) if h)
        fits = all(h in seekers[s] and s in hosts[h] for s, h in pairs)
        if fits and all(sum(h == x for _, x in pairs) <= places[h] for h in hosts):
            made = Matching(pairs=pairs, unmatched={}, free={}, proposed_by="seekers")  # type: ignore[arg-type]
            if not blocking_pairs(made, seekers, hosts, places=places):
                found.append(dict(pairs))
    return found


@settings(max_examples=200)
@given(wishes())
def test_matching_is_the_best_stable_one_for_who_proposes(case: Any) -> None:
    seekers, hosts, places = case
    stable = all_stable(seekers, hosts, places)
    best = stable_match(seekers, hosts, places=places)
    worst = stable_match(seekers, hosts, places=places, proposed_by="hosts")
    assert dict(best.pairs) in stable
    assert dict(worst.pairs) in stable

    def rank(s: str, made: dict[str, str]) -> int:
        return seekers[s].index(made[s]) if s in made else 9

    for s in seekers:
        assert rank(s, dict(best.pairs)) == min(rank(s, m) for m in stable)
        assert rank(s, dict(worst.pairs)) == max(rank(s, m) for m in stable)
    assert set(best.unmatched) == set(worst.unmatched)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y", "z"]), st.integers(0, 5)), max_size=12),
    st.randoms(use_true_random=False),
)
def test_a_poll_counts_everybody_once_in_any_order(sent: list[tuple[str, str, int]], random: Any) -> None:
    poll = communities.Poll(question="?", options=["x", "y"])
    votes = [Vote(who, what, AT + timedelta(hours=h), str(i)) for i, (who, what, h) in enumerate(sent)]
    first = poll.count(votes)
    random.shuffle(votes)
    assert poll.count(votes) == first
    assert first.n == len({v.voter for v in votes if v.choice != "z"})
    assert first.n + len(first.rejected) == len(votes)
