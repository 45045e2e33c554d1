"""Chains, networks and trees: numbers by hand, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from crmcore.errors import BadDocument, BadRows, EmptyInput, OutOfRange, UnknownName
from crmcore.graphs import AbsorbingChain, ChainCounts, Graph, connected_parts, tree_credit


def test_a_walk_on_five_points_ends_as_kemeny_and_snell_say() -> None:
    # Finite Markov Chains, 1960, random walk on 0 ... 4 with absorbing ends: N of the three inner points, steps 3 4 3
    counts = np.zeros((5, 5))
    for i in (1, 2, 3):
        counts[i, i - 1] = counts[i, i + 1] = 1
    chain = ChainCounts(states=[f"s{i}" for i in range(5)], counts=counts, starts=[0, 0, 1, 0, 0]).chain()
    assert chain.absorbing == ("s0", "s4")
    assert chain.visits == pytest.approx(np.array([[1.5, 1, 0.5], [1, 2, 1], [0.5, 1, 1.5]]))
    assert [chain.steps(s) for s in chain.transient] == pytest.approx([3, 4, 3])
    assert chain.steps_variance("s2") == pytest.approx(8)
    assert chain.ends("s1") == pytest.approx({"s0": 0.75, "s4": 0.25})
    assert chain.exit_hazard("s2") == pytest.approx(0.5)
    assert chain.from_start() == pytest.approx({"s0": 0.5, "s4": 0.5})
    assert chain.reaches("s1") == pytest.approx(2 / 3)


def test_counts_add_up_whatever_the_order_of_states() -> None:
    a = ChainCounts(states=["x", "y"], counts=[[0, 2], [1, 0]], starts=[1, 0])
    b = ChainCounts(states=["y", "z"], counts=[[0, 3], [0, 0]], starts=[2, 0])
    both = a + b
    assert both.states == ("x", "y", "z")
    assert both.counts.tolist() == [[0, 2, 0], [1, 0, 3], [0, 0, 0]]
    assert ChainCounts.from_dict(both.to_dict()) == both
    with pytest.raises(BadDocument, match="starts: missing"):
        ChainCounts.from_dict({"states": [], "counts": []})


def test_paths_are_counted_with_an_end_of_their_own() -> None:
    counts = ChainCounts.of_paths([0, 2, 3, 3], [0, 1, 0], ["look", "buy"], end="gone", weights=[2, 1, 1])
    assert counts.states == ("look", "buy", "gone")
    assert counts.counts.tolist() == [[0, 2, 1], [0, 0, 2], [0, 0, 0]]
    assert counts.starts.tolist() == [3, 0, 0]


def test_walks_that_never_end_are_named() -> None:
    ring = ChainCounts(states=["a", "b", "c"], counts=[[0, 1, 0], [1, 0, 0], [0, 0, 0]], starts=[1, 0, 0])
    with pytest.raises(OutOfRange, match=r"\['a', 'b'\]"):
        ring.chain()
    with pytest.raises(EmptyInput, match="name the states"):
        ChainCounts(states=["a", "b"], counts=[[0, 1], [1, 0]], starts=[1, 0]).chain()
    with pytest.raises(UnknownName):
        ring.chain(absorbing=["z"])
    with pytest.raises(OutOfRange, match="sum to 1"):
        AbsorbingChain(transient=("a",), absorbing=("b",), inner=[[0.5]], outer=[[0.4]], start=[1.0])
    with pytest.raises(OutOfRange, match="counts"):
        ChainCounts(states=["a"], counts=[[-1]], starts=[0])


def test_removal_is_what_walks_lose_without_a_state() -> None:
    counts = ChainCounts.of_paths([0, 3, 5], [0, 1, 2, 0, 2], ["ad", "mail", "buy"], end="gone")
    assert counts.chain(absorbing=["buy", "gone"]).without("mail", "buy") == pytest.approx(0.5)


def test_posterior_draws_are_shares_around_the_counts() -> None:
    counts = ChainCounts(states=["a", "b", "gone"], counts=[[50, 30, 20], [10, 70, 20], [0, 0, 5]], starts=[1, 0, 0])
    drawn = counts.draws(2000, rng=np.random.default_rng(1))
    assert drawn.sum(axis=2) == pytest.approx(np.ones((2000, 3)))
    assert drawn[:, 0].mean(axis=0) == pytest.approx([0.5, 0.3, 0.2], abs=0.01)
    assert (drawn[:, 2, 2] == 1).all()


def test_a_graph_knows_degrees_density_and_parts() -> None:
    graph = Graph.of(["a", "b", "a", "c"], ["b", "a", "b", "d"], [1, 2, 3, 1], nodes=["lonely"])
    assert (len(graph), graph.density, graph.reciprocity) == (5, 3 / 20, 2 / 3)
    assert graph.degrees()[1].tolist() == [0, 4, 2, 1, 0]
    assert graph.parts().tolist() == [0, 1, 1, 2, 2]
    assert "lonely" not in repr(graph)
    with pytest.raises(BadRows):
        Graph.of(["a", ""], ["b", "c"], [1, -1])


def test_connected_parts_are_numbered_by_their_first_node() -> None:
    assert connected_parts(5, np.array([4, 1]), np.array([0, 2])).tolist() == [0, 1, 1, 2, 0]


def test_trees_credit_upwards_and_refuse_circles() -> None:
    assert tree_credit([-1, 0, 0, 1], np.array([0.0, 10, 20, 40]), decay=0.5).tolist() == [25, 20, 0, 0]
    with pytest.raises(BadRows, match="circle"):
        tree_credit([1, 0], np.ones(2), decay=0.5)
    with pytest.raises(BadRows, match="no such row"):
        tree_credit([5, -1], np.ones(2), decay=0.5)
