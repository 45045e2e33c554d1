"""Journeys: how customers wander between touchpoints, where they loop, hesitate, convert and leave."""

from __future__ import annotations

from crmcore._base import lazy_names

__all__ = [
    "Funnel",
    "FunnelTable",
    "Journey",
    "Journeys",
    "follows",
    "funnel",
    "funnel_by",
    "journeys",
    "loops",
    "sankey_flows",
    "step_matrix",
    "variants",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Funnel": ".funnel_results",
        "FunnelTable": ".funnel_results",
        "Journey": ".table",
        "Journeys": ".table",
        "follows": ".following",
        "funnel": ".funnels",
        "funnel_by": ".funnels",
        "journeys": ".reading",
        "loops": ".following",
        "sankey_flows": ".flows",
        "step_matrix": ".following",
        "variants": ".paths",
    },
)
