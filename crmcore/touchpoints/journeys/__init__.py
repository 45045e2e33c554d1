"""Journeys: how customers wander between touchpoints, where they loop, hesitate, convert and leave.

`journeys` reads events into `Journeys`; every other function takes these. Depth is one module further in: `tries`
(what makes a try at a funnel), `states`, `hesitating`, `simplifying` (merges one by one), `orders`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.touchpoints.journeys.flows import sankey_flows
    from crmcore.touchpoints.journeys.following import FollowsGraph, count_loops, follows, step_matrix
    from crmcore.touchpoints.journeys.funnel_results import Funnel, FunnelTable
    from crmcore.touchpoints.journeys.funnels import funnel, funnel_by
    from crmcore.touchpoints.journeys.hesitating import hesitation_rule, hesitations
    from crmcore.touchpoints.journeys.loops import StateLoops, state_loops
    from crmcore.touchpoints.journeys.orders import markov_order
    from crmcore.touchpoints.journeys.paths import VariantTable, variants
    from crmcore.touchpoints.journeys.reading import journeys
    from crmcore.touchpoints.journeys.simplifying import complexity, merged, redundancies, simplify
    from crmcore.touchpoints.journeys.states import in_states, loop_backs, phases
    from crmcore.touchpoints.journeys.stitching import IdentityMap, stitch
    from crmcore.touchpoints.journeys.table import Journey, Journeys

__all__ = [
    "FollowsGraph",
    "Funnel",
    "FunnelTable",
    "IdentityMap",
    "Journey",
    "Journeys",
    "StateLoops",
    "VariantTable",
    "complexity",
    "count_loops",
    "follows",
    "funnel",
    "funnel_by",
    "hesitation_rule",
    "hesitations",
    "in_states",
    "journeys",
    "loop_backs",
    "markov_order",
    "merged",
    "phases",
    "redundancies",
    "sankey_flows",
    "simplify",
    "state_loops",
    "step_matrix",
    "stitch",
    "variants",
]

__getattr__ = lazy_names(
    __name__,
    {
        "FollowsGraph": ".following",
        "Funnel": ".funnel_results",
        "FunnelTable": ".funnel_results",
        "IdentityMap": ".stitching",
        "Journey": ".table",
        "Journeys": ".table",
        "StateLoops": ".loops",
        "VariantTable": ".paths",
        "complexity": ".simplifying",
        "count_loops": ".following",
        "follows": ".following",
        "funnel": ".funnels",
        "funnel_by": ".funnels",
        "hesitation_rule": ".hesitating",
        "hesitations": ".hesitating",
        "in_states": ".states",
        "journeys": ".reading",
        "loop_backs": ".states",
        "markov_order": ".orders",
        "merged": ".simplifying",
        "phases": ".states",
        "redundancies": ".simplifying",
        "sankey_flows": ".flows",
        "simplify": ".simplifying",
        "state_loops": ".loops",
        "step_matrix": ".following",
        "stitch": ".stitching",
        "variants": ".paths",
    },
)
