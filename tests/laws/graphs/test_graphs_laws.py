"""Laws of chains and walks, each beside a slow twin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.graphs import ChainCounts, Graph


@st.composite
def chains(draw: st.DrawFn) -> ChainCounts:
    s = draw(st.integers(2, 5))
    cells = draw(st.lists(st.integers(0, 5), min_size=s * s, max_size=s * s))
    counts = np.array(cells, float).reshape(s, s)
    counts = np.hstack([counts, np.full((s, 1), 1.0)])  # every state can end
    counts = np.vstack([counts, np.zeros((1, s + 1))])
    return ChainCounts(states=[f"s{i}" for i in range(s + 1)], counts=counts, starts=[1.0, *[0.5] * (s - 1), 0.0])


@given(chains())
@settings(max_examples=80, deadline=None)
def test_visits_steps_and_ends_equal_the_sum_over_time(counts: ChainCounts) -> None:
    chain = counts.chain()
    mass, visits = np.eye(len(chain.transient)), np.zeros((len(chain.transient),) * 2)
    for _ in range(4000):
        visits += mass
        mass = mass @ chain.inner
    assert chain.visits == pytest.approx(visits, abs=1e-8)
    assert chain.end_shares.sum(axis=1) == pytest.approx(np.ones(len(visits)))


@given(chains(), st.integers(0, 3))
@settings(max_examples=80, deadline=None)
def test_removal_equals_the_chain_without_the_state(counts: ChainCounts, which: int) -> None:
    chain = counts.chain()
    i = which % len(chain.transient)
    keep = [k for k in range(len(chain.transient)) if k != i]
    inner = np.eye(len(keep)) - chain.inner[np.ix_(keep, keep)]
    left = chain.start[keep] @ np.linalg.solve(inner, chain.outer[keep, 0]) if keep else 0.0
    assert chain.without(chain.transient[i], chain.absorbing[0]) == pytest.approx(1 - left / float(chain.start @ chain.end_shares[:, 0]), abs=1e-9)  # noqa: E501  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(1, 9)), min_size=1, max_size=15))
@settings(max_examples=80, deadline=None)
def test_walk_shares_sum_to_one_and_solve_their_equation(edges: list[tuple[int, int, int]]) -> None:
    graph = Graph.of([f"n{a}" for a, _, _ in edges], [f"n{b}" for _, b, _ in edges], [w for *_, w in edges])
    share = graph.walk_shares(graph.nodes[0], restart=0.2)
    n = len(graph)
    step = np.zeros((n, n))
    step[graph.source, graph.target] = graph.weight
    out = step.sum(axis=1)
    first = np.eye(n)[0]
    step = np.where(out[:, None] > 0, step / np.maximum(out, 1)[:, None], first)
    assert share.sum() == pytest.approx(1)
    assert share == pytest.approx(np.linalg.solve(np.eye(n) - 0.8 * step.T, 0.2 * first), abs=1e-9)
