"""Connected components of links in a data frame: large-star and small-star (Kiveris and others 2014).

Each round hangs every node on the smallest node that it sees, first its larger neighbours, then its smaller ones and
itself; rounds grow with the logarithm of the widest component, and no node ever holds all its neighbours in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from crmcore.graphs import connected_parts
from crmcore.spark import functions as sf

__all__ = ["collected", "stars"]

ROUNDS = 50


def collected(spark: Any, links: Any) -> Any:
    """Components (rank, component) of links (lo, hi) that fit into the driver, each named by its least node."""
    import pyarrow as pa

    table = links.toArrow()
    lo, hi = (np.asarray(table.column(c).to_numpy()) for c in ("lo", "hi"))
    nodes, at = np.unique(np.concatenate([lo, hi]), return_inverse=True)
    label = connected_parts(len(nodes), at[: len(lo)], at[len(lo) :]) if len(lo) else np.zeros(0, np.int64)
    least = nodes[np.unique(label, return_index=True)[1]] if len(lo) else nodes
    made = {"rank": pa.array(nodes, pa.int64()), "component": pa.array(least[label], pa.int64())}
    return spark.createDataFrame(pa.table(made))


def stars(links: Any, keep: Callable[[str, Any], Any]) -> Any:
    """Components (rank, component) of links (lo, hi) of any number.

    Parameters
    ----------
    links : Spark data frame
    keep : writes the frame of a round under a name and gives it back, so that plans stay short
    """
    now = keep("links", links.select(sf.col("hi").alias("u"), sf.col("lo").alias("v")).distinct())
    state = _state(now)
    for number in range(ROUNDS):
        now = keep(f"round{number}", _small_star(_large_star(now)))
        before, state = state, _state(now)
        if state == before:
            break
    roots = now.select("v").distinct().select(sf.col("v").alias("rank"), sf.col("v").alias("component"))
    return now.select(sf.col("u").alias("rank"), sf.col("v").alias("component")).unionByName(roots)


def _large_star(links: Any) -> Any:
    """Hang the larger neighbours of each node on the smallest of it and its neighbours."""
    both = links.unionByName(links.select(sf.col("v").alias("u"), sf.col("u").alias("v")))
    least = both.groupBy("u").agg(sf.least(sf.min("v"), sf.col("u")).alias("m"))
    return both.where("v > u").join(least, "u").select(sf.col("v").alias("u"), sf.col("m").alias("v")).distinct()


def _small_star(links: Any) -> Any:
    """Hang each node and its smaller neighbours on the smallest of these; links go down, u > v."""
    least = links.groupBy("u").agg(sf.min("v").alias("m"))
    others = links.join(least, "u").where("v != m").select(sf.col("v").alias("u"), sf.col("m").alias("v"))
    return others.unionByName(least.select("u", sf.col("m").alias("v"))).distinct()


def _state(links: Any) -> tuple[int, str]:
    row = links.select(sf.count(sf.lit(1)), sf.sum(sf.xxhash64("u", "v").cast("decimal(20,0)"))).collect()[0]
    return int(row[0]), str(row[1])
