"""Measures of a graph equal what sets of pairs and a search say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.graphs import Graph, connected_parts
from crmcore.graphs.networks import _by_first

EDGES = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), st.integers(1, 9)), max_size=25)


def graph_of(edges: list[tuple[int, int, int]]) -> Graph:
    names = [f"n{i}" for i in range(8)]
    return Graph.of([names[a] for a, *_ in edges], [names[b] for _, b, _ in edges], [w for *_, w in edges], nodes=names)


@given(EDGES)
def test_density_and_reciprocity_are_counts_of_pairs(edges: list[tuple[int, int, int]]) -> None:
    graph, pairs = graph_of(edges), {(a, b) for a, b, _ in edges if a != b}
    assert graph.density == pytest.approx(len(pairs) / 56)
    answered = sum((b, a) in pairs for a, b in pairs)
    assert graph.reciprocity == pytest.approx(answered / len(pairs)) if pairs else math.isnan(graph.reciprocity)


@st.composite
def few_nodes(draw: st.DrawFn) -> tuple[int, list[tuple[int, int]]]:
    """Up to a hundred edges, also parallel ones, between some of a few or of many nodes."""
    n = draw(st.integers(1, 40))
    node = st.integers(0, n - 1)
    return n, draw(st.lists(st.tuples(node, node), max_size=draw(st.sampled_from([5, 30, 100]))))


@given(few_nodes())
def test_parts_are_what_a_search_reaches_numbered_by_their_first_node(drawn: tuple[int, list[tuple[int, int]]]) -> None:
    n, edges = drawn
    part: dict[int, int] = {}
    for first in range(n):
        todo, number = [first] if first not in part else [], len(set(part.values()))
        while todo:
            node = todo.pop()
            if node not in part:
                part[node] = number
                todo += [b for a, b in edges if a == node] + [a for a, b in edges if b == node]
    a, b = np.array(edges, np.int64).reshape(-1, 2).T
    assert connected_parts(n, a, b).tolist() == [part[i] for i in range(n)]


def test_many_edges_between_few_nodes_are_asked_in_two_steps() -> None:
    rng = np.random.default_rng(3)
    home = rng.integers(0, 30, 500)  # edges stay within the home of their first node
    members = [np.flatnonzero(home == h) for h in range(30)]
    a = np.sort(rng.integers(0, 500, 6000))
    b = np.array([rng.choice(members[home[x]]) for x in a])
    found = connected_parts(500, a, b)
    first = np.unique(home, return_index=True)[1]
    assert found.max() == 29
    np.testing.assert_array_equal(found, np.argsort(np.argsort(first))[home])


def test_parts_are_numbered_anew_where_scipy_would_number_them_otherwise() -> None:
    assert _by_first(np.array([2, 0, 2, 1])).tolist() == [0, 1, 0, 2]
    assert _by_first(np.zeros(0, np.int64)).tolist() == []


@given(EDGES, st.sampled_from([0.01, 0.15, 1.0]))
def test_a_walk_with_few_restarts_ends_where_its_equation_does(
    edges: list[tuple[int, int, int]], restart: float
) -> None:
    graph, first = graph_of(edges), np.arange(8) / 28
    step = np.zeros((8, 8))
    step[graph.source, graph.target] = graph.weight
    out = step.sum(axis=1, keepdims=True)
    step = np.where(out > 0, step / np.where(out > 0, out, 1), first)
    want = np.linalg.solve(np.eye(8) - (1 - restart) * step.T, restart * first)
    np.testing.assert_allclose(graph.walk_shares(np.arange(8)), graph.walk_shares(first), atol=1e-12)
    np.testing.assert_allclose(graph.walk_shares(first, restart=restart), want, atol=1e-9)
