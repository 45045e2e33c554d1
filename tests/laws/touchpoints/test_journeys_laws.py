"""Laws of journeys: every fast answer equals its slow twin, and shuffles change nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.touchpoints.journeys import (
    Journeys,
    count_loops,
    follows,
    funnel,
    journeys,
    sankey_flows,
    step_matrix,
    variants,
)
from crmcore.touchpoints.journeys.following import grouped_quantiles
from crmcore.touchpoints.journeys.reading import journey_order

Walk = list[tuple[str, int]]

walk = st.lists(st.tuples(st.sampled_from("abcx"), st.integers(0, 30)), min_size=1, max_size=9).map(
    lambda rows: sorted(rows, key=lambda r: r[1])
)
walks = st.lists(walk, min_size=1, max_size=6)


def _table(found: list[Walk]) -> Journeys:
    padded = [*found, [(s, 10**6 * i) for i, s in enumerate("abcx")]]  # every step is known
    made = Journeys.of([[s for s, _ in w] for w in padded], times_s=[[t for _, t in w] for w in padded])
    return made.take(range(len(found)))


def _deepest(
    rows: Walk, steps: list[str], *, window: Any, gaps: Any, order: str, entry: str, exclude: list[str], until: Any
) -> tuple[int, bool]:
    """Depth and whether a try is live, by trying every chain of rows."""
    best, live = 0, False
    firsts = [i for i, (s, _) in enumerate(rows) if s == steps[0]]
    starts = {"any": firsts, "first": firsts[:1], "last": firsts[-1:]}[entry]

    def extend(first: int, last: int, level: int) -> None:
        nonlocal best, live
        best = max(best, level + 1)
        if level + 1 == len(steps):
            return
        due = float("inf") if window is None else rows[first][1] + window
        due = due if gaps is None else min(due, rows[last][1] + gaps[level])
        blocked = any(s in exclude for s, _ in rows[last:]) or (order == "strict" and last != len(rows) - 1)
        live |= until is not None and due > until and not blocked
        ahead = range(last + 1, len(rows)) if order == "ordered" else range(last + 1, min(last + 2, len(rows)))
        for i in ahead:
            if rows[i][0] in exclude:
                return
            if rows[i][0] == steps[level + 1] and rows[i][1] <= due:
                extend(first, i, level + 1)

    for first in starts:
        extend(first, first, 0)
    return best, live and best < len(steps)


@given(
    found=walks,
    steps=st.sampled_from(["ab", "abc", "aab", "aba"]),
    window=st.one_of(st.none(), st.integers(0, 25)),
    gap=st.one_of(st.none(), st.integers(0, 12)),
    order=st.sampled_from(["ordered", "strict"]),
    entry=st.sampled_from(["any", "first", "last"]),
    exclude=st.sampled_from([[], ["x"]]),
    wait=st.one_of(st.none(), st.integers(0, 20)),
)
def test_funnels_equal_the_search_of_all_chains(
    found: list[Walk], steps: str, window: Any, gap: Any, order: str, entry: str, exclude: list[str], wait: Any
) -> None:
    table, names = _table(found), list(steps)
    gaps = None if gap is None else [gap] * (len(names) - 1)
    if window is None and gap is None:
        wait = None
    until = None if wait is None else max(t for w in found for _, t in w) + wait
    observed = None if until is None else np.datetime64(until, "s")
    slow = [
        _deepest(w, names, window=window, gaps=gaps, order=order, entry=entry, exclude=exclude, until=until)
        for w in found
    ]
    fast = funnel(
        table, names, window_s=window, step_windows_s=gaps, order=order, entry=entry, exclude=exclude,
        observed_until=observed,
    )  # fmt: skip
    assert fast.counts == tuple(sum(d > k for d, _ in slow) for k in range(len(names)))
    assert [s.pending for s in fast.steps] == [sum(d == k + 1 and live for d, live in slow) for k in range(len(names))]
    for s, after in pairwise(fast.steps):
        assert s.reached == s.dropped + s.pending + after.reached


@given(found=walks, window=st.integers(0, 25), exclude=st.sampled_from([[], ["x"]]), first=st.booleans())
def test_any_order_equals_the_best_of_all_windows(
    found: list[Walk], window: int, exclude: list[str], first: bool
) -> None:
    def depth(rows: Walk) -> int:
        opens = [i for i, (s, _) in enumerate(rows) if s in "abc"]
        best = 0
        for i in opens[:1] if first else opens:
            seen = set()
            for s, t in rows[i:]:
                if s in exclude or t > rows[i][1] + window:
                    break
                seen |= {s} & set("abc")
            best = max(best, len(seen))
        return best

    slow = [depth(w) for w in found]
    fast = funnel(_table(found), list("abc"), window_s=window, order="any", exclude=exclude,
                  entry="first" if first else "any")  # fmt: skip
    assert fast.counts == tuple(sum(d > k for d in slow) for k in range(3))


@given(walks)
def test_the_graph_equals_counting_pairs(found: list[Walk]) -> None:
    table = _table(found)
    graph = follows(table, quantiles=(0.1, 0.9))
    gaps: dict[tuple[str, str], list[int]] = defaultdict(list)
    for w in found:
        for (a, s), (b, t) in pairwise(w):
            gaps[a, b].append(t - s)
    assert len(graph) == len(gaps)
    for (a, b), values in gaps.items():
        edge = graph.edge(a, b)
        assert edge["count"] == len(values)
        assert edge["mean_s"] == pytest.approx(np.mean(values), abs=1e-9)
        assert edge["median_s"] == pytest.approx(np.median(values), abs=1e-9)
        assert edge["q90_s"] == pytest.approx(np.quantile(values, 0.9), abs=1e-9)
    starts, ends = Counter(w[0][0] for w in found), Counter(w[-1][0] for w in found)
    assert graph.starts.tolist() == [starts[s] for s in graph.steps]
    assert graph.ends.tolist() == [ends[s] for s in graph.steps]


@given(walks)
def test_variants_loops_and_positions_equal_counting(found: list[Walk]) -> None:
    table = _table(found)
    paths = [tuple(s for s, _ in w) for w in found]
    groups = variants(table)
    assert {groups[i]: int(n) for i, n in enumerate(groups.count)} == Counter(paths)
    assert [groups[int(v)] for v in groups.variant] == paths
    counted = count_loops(table)
    assert counted.self_loops == sum(a == b for p in paths for a, b in pairwise(p))
    assert counted.back_and_forth == sum(a == c != b for p in paths for a, b, c in zip(p, p[1:], p[2:], strict=False))
    assert counted.reworked_rows == sum(len(p) - len(set(p)) for p in paths)
    assert counted.reworked_journeys == sum(len(p) > len(set(p)) for p in paths)
    matrix = step_matrix(table, positions=4).count
    assert matrix.tolist() == [[sum(p[k : k + 1] == (s,) for p in paths) for k in range(4)] for s in table.steps]
    flows = sankey_flows(table, positions=3, most=4)
    for position in (0, 1):
        assert flows.count[flows.position == position].sum() == sum(len(p) > position for p in paths)


@given(walks, st.randoms(use_true_random=False))
def test_shuffled_rows_give_the_same_journeys(found: list[Walk], random: Any) -> None:
    rows = [
        {"customer": f"c{i}", "step": s, "time": f"2026-01-01T00:00:{t:02d}Z"}
        for i, w in enumerate(found)
        for s, t in dict(reversed([(b, a) for b, a in w])).items()
    ]
    rows = list({(r["customer"], r["time"]): r for r in rows}.values())  # without ties
    whole = journeys(rows)
    random.shuffle(rows)
    again = journeys(rows)
    assert [w.steps for w in again] == [w.steps for w in whole]
    assert again.start.tolist() == whole.start.tolist()
    assert again.time.tolist() == whole.time.tolist()


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(-(2**62), 2**62)), max_size=30),
    st.sampled_from(["as they are", "in time order", "in journey order"]),
)
def test_the_order_of_rows_is_by_journey_time_and_row(rows: list[tuple[int, int]], given_in: str) -> None:
    if given_in == "in time order":
        rows = sorted(rows, key=lambda r: r[1])
    if given_in == "in journey order":
        rows = sorted(rows)
    who, when = np.array([r[0] for r in rows], np.int32), np.array([r[1] for r in rows], np.int64)
    assert journey_order(who, when).tolist() == sorted(range(len(rows)), key=lambda i: (*rows[i], i))


@given(
    st.lists(st.tuples(st.integers(0, 3), st.one_of(st.integers(0, 9), st.integers(0, 2**61))), max_size=25),
    st.lists(st.floats(0, 1), max_size=3),
)
def test_quantiles_of_groups_equal_numpy(rows: list[tuple[int, int]], shares: list[float]) -> None:
    group, value = np.array([r[0] for r in rows], np.int64), np.array([r[1] for r in rows], np.int64)
    got = grouped_quantiles(group, value, shares, n_groups=4)
    for g in range(4):
        mine = value[group == g]
        want = np.quantile(mine.astype(float), shares) if len(mine) else np.full(len(shares), np.nan)
        assert got[g] == pytest.approx(want, rel=1e-9, nan_ok=True)


@given(st.lists(st.lists(st.integers(0, 2), max_size=40), max_size=12))
def test_variants_stand_by_count_and_then_by_their_steps(paths: list[list[int]]) -> None:
    words = [["abc"[s] for s in p] for p in paths]
    found = variants(Journeys.of(words))
    count = Counter(map(tuple, words))
    assert [found[i] for i in range(len(found))] == sorted(count, key=lambda p: (-count[p], p))
