"""Measures of a graph equal what sets of pairs and a search say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.graphs import Graph

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


@given(EDGES)
def test_parts_are_what_a_search_reaches_numbered_by_their_first_node(edges: list[tuple[int, int, int]]) -> None:
    part: dict[int, int] = {}
    for first in range(8):
        todo, number = [first] if first not in part else [], len(set(part.values()))
        while todo:
            node = todo.pop()
            if node not in part:
                part[node] = number
                todo += [b for a, b, _ in edges if a == node] + [a for a, b, _ in edges if b == node]
    assert graph_of(edges).parts().tolist() == [part[i] for i in range(8)]


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
