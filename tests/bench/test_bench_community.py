"""Measures of who answers whom equal those of networkx, and their benchmark runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.common import load
from benchmarks.peers import community as peers


@pytest.mark.bench
@pytest.mark.parametrize("seed", range(3))
def test_every_measure_equals_that_of_networkx(seed: int) -> None:
    nx = pytest.importorskip("networkx")
    posts = peers.frame(3000, seed=seed)
    (read, ours), (read_theirs, theirs) = peers.ours(posts), peers.theirs(posts)
    graph, other = read(), read_theirs()
    node = {name: i for i, name in enumerate(graph.nodes)}

    def by_node(told: dict[str, float]) -> np.ndarray:
        return np.array([told[name] for name in graph.nodes], np.float64)

    for name in ("density", "reciprocity"):
        assert ours[name](graph) == pytest.approx(theirs[name](other), abs=1e-9)
    for mine, yours in zip(ours["weight in and out"](graph), theirs["weight in and out"](other), strict=True):
        np.testing.assert_allclose(mine, by_node(yours), atol=1e-9)
    np.testing.assert_allclose(
        ours["walk with restarts"](graph), by_node(theirs["walk with restarts"](other)), atol=1e-9
    )
    mine = ours["connected parts"](graph)
    yours = sorted(theirs["connected parts"](other), key=lambda part: min(node[x] for x in part))
    assert [sorted(node[x] for x in part) for part in yours] == [
        np.flatnonzero(mine == k).tolist() for k in range(mine.max() + 1)
    ]
    start = {graph.nodes[0]: 1.0}
    told = nx.pagerank(other, personalization=start, dangling=start, tol=1e-14, max_iter=2000)
    np.testing.assert_allclose(graph.walk_shares(graph.nodes[0]), by_node(told), atol=1e-9)


@pytest.mark.bench
def test_the_benchmark_of_communities_runs(tmp_path: Path) -> None:
    pytest.importorskip("networkx")
    peers.main(["--sizes", "2000", "--repeats", "1"], tmp_path)
    rows = load(tmp_path / "peers-community.json")[1]
    assert {r["task"] for r in rows} >= {*peers.MEASURES, peers.ALL}
    assert all(r["same answer"] == "yes" for r in rows)
