"""Graphs and chains: absorbing Markov chains, weighted networks, walks, and credit up a tree.

`ChainCounts` counts moves and adds up, `AbsorbingChain` says how long, how often and where it ends; `Graph` holds named
nodes, and `walk_shares` says where a walk from one of them spends its time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.graphs.chains import AbsorbingChain, ChainCounts, chain_value, posterior_intervals
    from crmcore.graphs.networks import Graph, connected_parts, tree_credit

__all__ = [
    "AbsorbingChain",
    "ChainCounts",
    "Graph",
    "chain_value",
    "connected_parts",
    "posterior_intervals",
    "tree_credit",
]

__getattr__ = lazy_names(
    __name__,
    {
        "AbsorbingChain": ".chains",
        "ChainCounts": ".chains",
        "Graph": ".networks",
        "chain_value": ".chains",
        "connected_parts": ".networks",
        "posterior_intervals": ".chains",
        "tree_credit": ".networks",
    },
)
