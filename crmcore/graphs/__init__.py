"""Graphs and chains: absorbing Markov chains, weighted networks, walks, forests.

`ChainCounts` counts moves and adds up, `AbsorbingChain` says how long, how often and where it ends; `Graph` holds named
nodes, and `walk_shares` says where a walk from one of them spends its time. `Forest` reads what hangs below what:
depth, size, sums and credit up the trees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.graphs.chains import AbsorbingChain, ChainCounts, chain_value, posterior_intervals
    from crmcore.graphs.forests import Forest, tree_credit
    from crmcore.graphs.networks import Graph, connected_parts

__all__ = [
    "AbsorbingChain",
    "ChainCounts",
    "Forest",
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
        "Forest": ".forests",
        "Graph": ".networks",
        "chain_value": ".chains",
        "connected_parts": ".networks",
        "posterior_intervals": ".chains",
        "tree_credit": ".forests",
    },
)
