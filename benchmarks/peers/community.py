"""Who answers whom against networkx: `python -m benchmarks.peers.community --sizes 1000000`.

Both read one pandas frame of posts (ids and authors are text) and measure the same directed, weighted graph of replies:
density, reciprocity, weight in and out of every member, connected parts, and the share of a walk with restarts
(PageRank), both to the same change at which it stands still. networkx reads the frame through pandas joins and sums.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import RESULTS, Meter, Row, Table, answer, in_turns, middle, number, say, spread

BAR = 20.0
ENGINES = ("crmcore", "networkx")
MEASURES = ("density", "reciprocity", "weight in and out", "connected parts", "walk with restarts")
READ, ALL, WHOLE = "graph from the frame", "all measures", "frame to all measures"
DAY_US = 86_400_000_000


def frame(posts: int, *, seed: int = 11) -> Any:
    """Posts in the order of time: one member for ten of them, heavy tails of who writes and of what is answered.

    Nine of ten posts answer an earlier one; three of ten of those by whoever was answered there.
    """
    import pandas as pd

    rng, row = np.random.default_rng(seed), np.arange(posts)
    busy = np.arange(1, max(posts // 10, 2) + 1) ** -0.8
    author = rng.choice(len(busy), posts, p=busy / busy.sum())
    back = 1 + np.minimum(5 * rng.pareto(0.8, posts), posts).astype(np.int64)
    parent = np.where(rng.random(posts) < 0.9, np.maximum(row - back, -1), -1)
    above = np.where(parent >= 0, parent[parent], -1)
    author = np.where((above >= 0) & (rng.random(posts) < 0.3), author[above], author)
    ids = np.array([f"p{i:07d}" for i in row], object)
    return pd.DataFrame(
        {
            "id": ids,
            "author": [f"m{a:06d}" for a in author],
            "at": np.datetime64("2026-01-01", "us") + np.sort(rng.integers(0, 300 * DAY_US, posts)),
            "reply_to": np.where(parent >= 0, ids[parent], None),
        }
    )


def ours(posts: Any) -> tuple[Callable[[], Any], dict[str, Callable[[Any], Any]]]:
    """How to make the graph, and each measure of it."""
    from crmcore.idic.interact.communities import Community

    return lambda: Community.from_frame(posts).graph(), {
        "density": lambda graph: graph.density,
        "reciprocity": lambda graph: graph.reciprocity,
        "weight in and out": lambda graph: graph.degrees(),
        "connected parts": lambda graph: graph.parts(),
        "walk with restarts": lambda graph: graph.walk_shares(np.ones(len(graph))),
    }


def theirs(posts: Any) -> tuple[Callable[[], Any], dict[str, Callable[[Any], Any]]]:
    """The same with networkx."""
    import networkx as nx
    import pandas as pd

    from crmcore.graphs.networks import CLOSE, STEPS

    def read() -> Any:
        answered = posts["reply_to"].map(posts.set_index("id")["author"])
        pairs = pd.DataFrame({"a": posts["author"], "b": answered}).dropna()
        pairs = pairs[pairs["a"] != pairs["b"]].groupby(["a", "b"]).size().reset_index(name="weight")
        graph = nx.DiGraph()
        graph.add_nodes_from(posts["author"].unique())
        graph.add_weighted_edges_from(zip(*(pairs[c].tolist() for c in ("a", "b", "weight")), strict=True))
        return graph

    return read, {
        "density": nx.density,
        "reciprocity": nx.overall_reciprocity,
        "weight in and out": lambda graph: (dict(graph.in_degree(weight="weight")), dict(graph.out_degree(weight="weight"))),  # noqa: E501
        "connected parts": lambda graph: list(nx.weakly_connected_components(graph)),
        "walk with restarts": lambda graph: nx.pagerank(graph, tol=CLOSE / len(graph), max_iter=STEPS),
    }  # fmt: skip


def measure(engine: str, size: int) -> None:
    """One run in a fresh process; a tiny community goes first, so that imports are not measured."""
    made = ours if engine == "crmcore" else theirs
    read, measures = made(frame(1000))
    tiny = read()
    for work in measures.values():
        work(tiny)
    read, measures = made(frame(size))
    cost: dict[str, tuple[float, float]] = {}
    found: dict[str, Any] = {}
    with Meter() as meter:
        graph = read()
    cost[READ] = meter.cost.wall_s, meter.cost.cpu_s
    peak = meter.cost.peak_mb
    for name, work in measures.items():
        with Meter() as meter:
            found[name] = work(graph)
        cost[name] = meter.cost.wall_s, meter.cost.cpu_s
    cost[ALL] = tuple(np.sum([cost[m] for m in MEASURES], axis=0).tolist())  # type: ignore[assignment]
    cost[WHOLE] = tuple(np.add(cost[READ], cost[ALL]).tolist())  # type: ignore[assignment]
    answer({"wall_s": cost[WHOLE][0], "peak_mb": peak, "cost": cost, "found": told(found)})


def told(found: dict[str, Any]) -> list[float]:
    """Few numbers that differ where measures do."""
    (came, went), parts, share = found["weight in and out"], found["connected parts"], found["walk with restarts"]
    if isinstance(came, dict):
        came, went, share = (np.array(list(x.values())) for x in (came, went, share))
        sizes = np.array([len(part) for part in parts])
    else:
        sizes = np.bincount(parts)
    return [found["density"], found["reciprocity"], *(float(np.square(x).sum()) for x in (came, went, sizes, share))]


def compare(runs: dict[str, list[Row]], size: int) -> list[Row]:
    """One row a task."""
    told_by = [np.array(r["found"]) for engine in ENGINES for r in runs[engine]]
    same = all(np.allclose(told_by[0], x, rtol=1e-9, atol=1e-12) for x in told_by)
    rows = []
    for task in (*MEASURES, ALL, READ, WHOLE):
        timed = {e: [{"wall": r["cost"][task][0], "cpu": r["cost"][task][1]} for r in runs[e]] for e in ENGINES}
        wall, cpu = ({e: middle(timed[e], field) for e in ENGINES} for field in ("wall", "cpu"))
        ratio = wall["networkx"] / wall["crmcore"]
        judged = task in (*MEASURES, ALL)
        rows.append(
            {
                "task": task, "posts": size, "crmcore s": wall["crmcore"], "networkx s": wall["networkx"],
                "times faster": ratio, "times less CPU": cpu["networkx"] / max(cpu["crmcore"], 1e-9),
                "bar": f"{BAR:g}x" if judged else "",
                "verdict": ("met" if ratio >= BAR else "missed") if judged else "",
                "same answer": "yes" if same else "no", "range s": spread(timed["crmcore"], "wall"),
            }
        )  # fmt: skip
        say(f"  {task}: {number(ratio)}x networkx")
    return rows


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Run both in turns and store one row a task and size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", nargs=2, metavar=("ENGINE", "POSTS"))
    given = parser.parse_args(arguments)
    if given.child:
        measure(given.child[0], int(given.child[1]))
        return
    rows: list[Row] = []
    for size in given.sizes:
        say(f"{size:,} posts")
        plan = {engine: (engine, str(size)) for engine in ENGINES}
        rows += compare(in_turns("benchmarks.peers.community", plan, repeats=given.repeats), size)
    Table(
        name="peers-community", section="peers", title="Communities: measures of who answers whom", order=61,
        about="One pandas frame of posts with heavy tails, one member for ten posts; walks to the same accuracy. The "
        "bar is on measures of a graph that stands; reading the frame is told beside it. Medians of the runs.",
        rows=rows, key=("task", "posts"),
    ).save(folder)  # fmt: skip


if __name__ == "__main__":
    main()
