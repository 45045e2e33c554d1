"""Clustering equals its short reference, obeys its constraints and does not see the order of its input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.linkage.agglomerate import agglomerate, probability
from crmcore.linkage.cluster import Clustering, Constraints, Cuts, cluster, crowded_values, refine

TIED = [-3.0, -1.0, -1.0, 0.0, 0.5, 0.5, 2.0, 2.0, 6.0]  # few values, so that means tie often
CUTS = [Cuts.constant(0.25), Cuts.constant(0.5), Cuts.steps({2: 0.6, 3: 0.4, 5: 0.2}), Cuts.steps({2: 0.1, 4: 0.6})]


def reference(p: np.ndarray, cuts: Cuts, allowed: Any = lambda a, b: True, groups: Any = None) -> list[int]:
    """Average linkage as one would say it."""
    groups = [[i] for i in range(len(p))] if groups is None else [sorted(g) for g in groups]
    while True:
        groups.sort(key=min)
        best = None
        for x, a in enumerate(groups):
            for b in groups[x + 1 :]:
                mean = sum(p[i, j] for i in a for j in b) / (len(a) * len(b))
                if mean >= cuts.at(len(a) + len(b)) and allowed(a, b) and (best is None or mean > best[0]):
                    best = (mean, a, b)
        if best is None:
            return [min(g) for i in range(len(p)) for g in groups if i in g]
        groups.remove(best[2])
        best[1].extend(best[2])


def symmetric(values: list[float], k: int) -> np.ndarray:
    x = np.zeros((k, k))
    x[np.triu_indices(k, 1)] = values
    return x + x.T


@st.composite
def components(draw: st.DrawFn, largest: int = 8) -> np.ndarray:
    k = draw(st.integers(2, largest))
    odds = st.one_of(st.sampled_from(TIED), st.floats(-6, 6))
    return symmetric(draw(st.lists(odds, min_size=k * (k - 1) // 2, max_size=k * (k - 1) // 2)), k)


@st.composite
def problems(draw: st.DrawFn) -> tuple[int, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Records, sparse scored pairs, and a rank."""
    n = draw(st.integers(1, 14))
    i, j = np.triu_indices(n, 1)
    kept = np.array(draw(st.lists(st.booleans(), min_size=len(i), max_size=len(i))), bool)
    odds = draw(st.lists(st.sampled_from(TIED), min_size=int(kept.sum()), max_size=int(kept.sum())))
    rank = np.array(draw(st.permutations(range(n))), np.int64) * 3 + 5
    return n, i[kept], j[kept], np.array(odds, float), rank


def dense_score(n: int, seed: int) -> tuple[np.ndarray, Any]:
    x = np.random.default_rng(seed).choice(TIED, (n, n))
    x = np.triu(x, 1) + np.triu(x, 1).T
    return x, lambda lo, hi: x[lo, hi]


def same(a: Clustering, b: Clustering) -> None:
    np.testing.assert_array_equal(a.labels, b.labels)
    for left, right in ((a.bridges, b.bridges), (a.blocked, b.blocked)):
        for name in ("cluster", "left", "right", "left_size", "right_size", "mean", "reason"):
            np.testing.assert_array_equal(getattr(left, name), getattr(right, name))
    assert a.raised == b.raised


@settings(deadline=None)
@given(components(), st.sampled_from(CUTS))
def test_kernel_equals_the_reference_ties_included(x: np.ndarray, cuts: Cuts) -> None:
    p = probability(x)
    assert agglomerate(p[None], cuts).group[0].tolist() == reference(p, cuts)


@settings(deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(CUTS), st.integers(3, 6))
def test_a_batch_equals_its_components_one_by_one(seed: int, cuts: Cuts, k: int) -> None:
    rng = np.random.default_rng(seed)
    p = np.stack([probability(symmetric(rng.choice(TIED, k * (k - 1) // 2).tolist(), k)) for _ in range(7)])
    barred = np.stack([symmetric(rng.choice([0, 0, 0, 1], k * (k - 1) // 2).tolist(), k) for _ in range(7)])
    whole = agglomerate(p, cuts, barred=barred.astype(np.uint32))
    for i in range(7):
        alone = agglomerate(p[i : i + 1], cuts, barred=barred[i : i + 1].astype(np.uint32))
        np.testing.assert_array_equal(whole.group[i], alone.group[0])
        np.testing.assert_array_equal(whole.weakest[i], alone.weakest[0])
        np.testing.assert_array_equal(whole.blocked[1:, whole.blocked[0] == i], alone.blocked[1:])


@settings(deadline=None)
@given(components(), st.sampled_from(CUTS), st.data())
def test_refine_equals_the_reference_under_every_kind_of_order(x: np.ndarray, cuts: Cuts, data: st.DataObject) -> None:
    k, p = len(x), probability(x)
    cell = st.integers(0, k - 1)
    pairs = data.draw(st.lists(st.tuples(cell, cell).filter(lambda t: t[0] != t[1]), max_size=3))
    must = data.draw(st.lists(st.tuples(cell, cell).filter(lambda t: t[0] != t[1]), max_size=1))
    must_not = [q for q in pairs if set(q) not in [set(m) for m in must]]
    source = np.array(data.draw(st.lists(st.integers(0, 2), min_size=k, max_size=k)))
    value = np.array(data.draw(st.lists(st.integers(-1, 3), min_size=k, max_size=k)))
    most = data.draw(st.integers(1, 3))
    orders = Constraints(
        must_link=must, must_not_link=must_not, source=source, one_to_one=(0,), max_values={"phone": (value, most)}
    )

    def allowed(a: list[int], b: list[int]) -> bool:
        if any((i in a and j in b) or (i in b and j in a) for i, j in must_not):
            return False
        if any(source[i] == 0 for i in a) and any(source[i] == 0 for i in b):
            return False
        of_a, of_b = ({int(value[i]) for i in g if value[i] >= 0} for g in (a, b))
        return not (of_a and of_b and len(of_a | of_b) > most)

    groups = [list(m) for m in must] + [[i] for i in range(k) if not any(i in m for m in must)]
    expected = reference(p, cuts, allowed, groups)
    got = refine(p, cuts, among=orders.among(np.arange(k)))
    first = {label: i for i, label in reversed(list(enumerate(got.tolist())))}
    assert [first[label] for label in got.tolist()] == expected

    i, j = np.triu_indices(k, 1)
    batch = cluster(k, i, j, x[i, j], rank=np.arange(k), cuts=cuts, floor=-9.0, constraints=orders)
    np.testing.assert_array_equal(batch.labels, got)


@settings(deadline=None)
@given(problems(), st.integers(0, 2**32), st.booleans())
def test_neither_the_order_of_rows_nor_of_pairs_matters(problem: Any, seed: int, scored: bool) -> None:
    n, lo, hi, odds, rank = problem
    rng = np.random.default_rng(seed)
    x, score = dense_score(n, seed)
    orders = Constraints(must_not_link=[(0, n - 1)] if n > 1 else (), source=np.arange(n) % 3, one_to_one=(1,))
    one = cluster(n, lo, hi, odds, rank=rank, score=score if scored else None, constraints=orders, max_component=5)

    moved, pairs = rng.permutation(n), rng.permutation(len(lo))  # row i goes to moved[i]
    back = np.argsort(moved)
    a, b = np.minimum(moved[lo], moved[hi])[pairs], np.maximum(moved[lo], moved[hi])[pairs]
    orders2 = Constraints(must_not_link=moved[orders.must_not_link], source=(np.arange(n) % 3)[back], one_to_one=(1,))
    two = cluster(
        n, a, b, odds[pairs], rank=rank[back], score=(lambda i, j: x[back[i], back[j]]) if scored else None,
        constraints=orders2, max_component=5,
    )  # fmt: skip
    np.testing.assert_array_equal(one.labels, two.labels[moved])
    np.testing.assert_array_equal(moved[one.bridges.left], two.bridges.left)
    np.testing.assert_array_equal(one.bridges.mean, two.bridges.mean)
    np.testing.assert_array_equal(moved[one.blocked.right], two.blocked.right)
    assert [(int(moved[r.record]), r.size, r.parts, r.floor) for r in one.raised] == [
        (r.record, r.size, r.parts, r.floor) for r in two.raised
    ]


@settings(deadline=None)
@given(problems(), st.integers(0, 2**32))
def test_every_component_gets_what_refine_gives_it(problem: Any, seed: int) -> None:
    n, lo, hi, odds, rank = problem
    x, score = dense_score(n, seed)
    result = cluster(n, lo, hi, odds, rank=rank, score=score)
    x[lo, hi] = x[hi, lo] = odds
    linked = cluster(n, lo, hi, odds, rank=rank, score=lambda i, j: np.full(len(i), 60.0), cuts=Cuts.constant(0.0))
    for component in range(linked.n_clusters):
        rows = np.flatnonzero(linked.labels == component)
        rows = rows[np.argsort(rank[rows])]
        if len(rows) == 2:
            continue
        got = result.labels[rows]
        np.testing.assert_array_equal(_dense(got), refine(probability(x[np.ix_(rows, rows)]), Cuts()))


def _dense(labels: np.ndarray) -> np.ndarray:
    seen: dict[int, int] = {}
    return np.array([seen.setdefault(int(v), len(seen)) for v in labels])


@settings(deadline=None)
@given(problems(), st.integers(0, 2**32))
def test_records_added_one_by_one_end_in_the_clusters_of_the_batch(problem: Any, seed: int) -> None:
    n, lo, hi, odds, rank = problem
    rng = np.random.default_rng(seed)
    x, score = dense_score(n, seed)
    x[lo, hi] = x[hi, lo] = odds
    source = rng.integers(0, 3, n)
    orders = Constraints(must_link=[(0, n - 1)], source=source, one_to_one=(0,), max_values={"id": (source, 2)})
    links = [(i, j) for i, j, o in zip(lo.tolist(), hi.tolist(), odds.tolist(), strict=True) if o >= -2.0] + [
        (0, n - 1)
    ]

    home: dict[int, frozenset[int]] = {}
    entity: dict[int, tuple[int, ...]] = {}
    for new in rng.permutation(n).tolist():
        touched = {new} | {i for pair in links if new in pair for i in pair if i in home}
        component = frozenset().union({new}, *(home[i] for i in touched if i in home))
        members = np.array(sorted(component, key=lambda i: rank[i]))
        labels = refine(probability(x[np.ix_(members, members)]), Cuts(), among=orders.among(members))
        for i, label in zip(members.tolist(), labels.tolist(), strict=True):
            home[i] = component
            entity[i] = tuple(members[labels == label].tolist())

    batch = cluster(n, lo, hi, odds, rank=rank, score=score, constraints=orders)
    for i in range(n):
        assert set(entity[i]) == set(np.flatnonzero(batch.labels == batch.labels[i]).tolist())


@settings(deadline=None)
@given(problems(), st.data())
def test_orders_hold_whatever_the_evidence(problem: Any, data: st.DataObject) -> None:
    n, lo, hi, odds, rank = problem
    row = st.integers(0, n - 1)
    must = data.draw(st.lists(st.tuples(row, row), max_size=3))
    source = np.array(data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)))
    values = np.array(data.draw(st.lists(st.integers(-1, 4), min_size=n, max_size=n)))
    most = data.draw(st.integers(1, 3))
    apart = cluster(n, lo, hi, odds, rank=rank, constraints=Constraints(must_link=must), cuts=Cuts.constant(1.0)).labels
    must_not = [(i, j) for i, j in data.draw(st.lists(st.tuples(row, row), max_size=4)) if apart[i] != apart[j]]
    rules = {"source": source, "one_to_one": (0, 1), "max_values": {"phone": (values, most)}}

    found = cluster(n, lo, hi, odds, rank=rank, constraints=Constraints(must_link=must, must_not_link=must_not))
    assert all(found.labels[i] == found.labels[j] for i, j in must)
    assert all(found.labels[i] != found.labels[j] for i, j in must_not)

    ruled = cluster(n, lo, hi, odds, rank=rank, constraints=Constraints(must_not_link=must_not, **rules))
    assert all(ruled.labels[i] != ruled.labels[j] for i, j in must_not)
    for label in range(ruled.n_clusters):
        mine = ruled.labels == label
        assert (np.bincount(source[mine], minlength=3)[:2] <= 1).all()
        assert len(set(values[mine & (values >= 0)].tolist())) <= most
    assert (ruled.blocked.mean >= Cuts().at(2)).all()
    assert all(ruled.blocked.reason)


@settings(deadline=None)
@given(problems(), st.sampled_from([2, 3, 5]))
def test_components_stay_within_their_limit(problem: Any, most: int) -> None:
    n, lo, hi, odds, rank = problem
    result = cluster(n, lo, hi, odds + 15.0, rank=rank, max_component=most)
    assert result.sizes.max() <= most
    free = cluster(n, lo, hi, odds + 15.0, rank=rank)
    assert bool(result.raised) == any(c > most for c in _component_sizes(n, lo, hi))
    if not result.raised:
        same(result, free)


def _component_sizes(n: int, lo: np.ndarray, hi: np.ndarray) -> list[int]:
    group = list(range(n))
    for i, j in zip(lo.tolist(), hi.tolist(), strict=True):
        old, new = group[j], group[i]
        group = [new if g == old else g for g in group]
    return [group.count(g) for g in set(group)]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(-1, 4)), max_size=40), st.integers(1, 4))
def test_crowded_values_are_those_held_by_more_entities_than_allowed(rows: list[tuple[int, int]], most: int) -> None:
    labels, codes = (np.array([r[i] for r in rows], np.int64) for i in (0, 1))
    held: dict[int, set[int]] = {}
    for label, code in rows:
        if code >= 0:
            held.setdefault(code, set()).add(label)
    assert crowded_values(labels, codes, most).tolist() == sorted(c for c, e in held.items() if len(e) > most)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(components(largest=45), st.sampled_from(CUTS))
def test_large_components_equal_the_reference(x: np.ndarray, cuts: Cuts) -> None:
    p = probability(x)
    assert agglomerate(p[None], cuts).group[0].tolist() == reference(p, cuts)
