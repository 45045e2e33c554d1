"""Forests equal a walk up and down the parents."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from crmcore.errors import BadRows
from crmcore.graphs import Forest, tree_credit

# Parents before children, then shuffled: never a ring.
TREES = st.lists(st.integers(-1, 12), max_size=14).flatmap(
    lambda raw: st.permutations(range(len(raw))).map(lambda order: shuffled(raw, order))
)


def shuffled(raw: list[int], order: list[int]) -> list[int]:
    parent = [-1 if i == 0 or p < 0 else p % i for i, p in enumerate(raw)]
    moved = [-1] * len(raw)
    for i, p in enumerate(parent):
        moved[order[i]] = -1 if p < 0 else order[p]
    return moved


def up(parent: list[int], row: int) -> list[int]:
    path = [row]
    while parent[path[-1]] >= 0:
        path.append(parent[path[-1]])
    return path


@given(TREES)
def test_root_depth_size_and_rows_below_are_those_of_a_walk(parent: list[int]) -> None:
    forest = Forest.of(np.array(parent, np.int64))
    paths = [up(parent, row) for row in range(len(parent))]
    for row, path in enumerate(paths):
        below = [other for other, p in enumerate(paths) if row in p]
        assert forest.root[row] == path[-1]
        assert forest.depth[row] == len(path) - 1
        assert forest.size[row] == len(below)
        assert sorted(forest.below(row).tolist()) == sorted(set(below) - {row})
        assert forest.height()[row] == max(len(paths[other]) for other in below) - len(path)


@given(TREES)
def test_a_row_stands_before_those_below_it_and_they_stand_together(parent: list[int]) -> None:
    forest = Forest.of(np.array(parent, np.int64))
    assert sorted(forest.order.tolist()) == list(range(len(parent)))
    rows, group = forest.trees(forest.roots)
    assert forest.roots[group].tolist() == forest.root[rows].tolist()
    for row, above in enumerate(parent):
        assert above < 0 or forest.place[above] < forest.place[row] < forest.place[above] + forest.size[above]


@given(TREES, st.data())
def test_sums_and_credit_are_those_of_a_recursion(parent: list[int], data: st.DataObject) -> None:
    own = np.array(data.draw(st.lists(st.integers(0, 9), min_size=len(parent), max_size=len(parent))), np.float64)
    forest, children = Forest.of(np.array(parent, np.int64)), [
        [c for c, p in enumerate(parent) if p == row] for row in range(len(parent))
    ]  # fmt: skip

    def total(row: int) -> float:
        return own[row] + sum(total(c) for c in children[row])

    def credit(row: int) -> float:
        return sum(0.5 * (own[c] + credit(c)) for c in children[row])

    rows = range(len(parent))
    assert forest.summed(own).tolist() == [total(row) for row in rows]
    assert tree_credit(np.array(parent, np.int64), own, decay=0.5).tolist() == [credit(row) for row in rows]


@given(TREES)
def test_virality_is_the_mean_distance_of_two_rows(parent: list[int]) -> None:
    forest = Forest.of(np.array(parent, np.int64))

    def distance(a: int, b: int) -> int:
        one, two = up(parent, a), up(parent, b)
        meet = next(x for x in one if x in two)
        return one.index(meet) + two.index(meet)

    for root, value in zip(forest.roots.tolist(), forest.virality().tolist(), strict=True):
        rows = np.flatnonzero(forest.root == root).tolist()
        pairs = [distance(a, b) for a in rows for b in rows if a != b]
        assert np.isnan(value) if not pairs else value == pytest.approx(np.mean(pairs))


@given(st.integers(1, 6), TREES)
def test_a_ring_is_refused_whatever_hangs_beside_it(length: int, parent: list[int]) -> None:
    n = len(parent)
    ring = [n + (i + 1) % length for i in range(length)]
    with pytest.raises(BadRows, match="refer in a circle"):
        Forest.of(np.array([*parent, *ring], np.int64))
