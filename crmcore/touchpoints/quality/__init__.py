"""How good touchpoints are, and which deserves attention next.

`touchpoint_scorecard` asks the five questions of a good touchpoint; `touchpoint_quality` multiplies what customers
felt, how many it reaches and how far it brings them, shrunk where little is known; `importance_performance` sorts
touchpoints into quadrants and says how sure it is; `recognition_rates` tells at which of them customers are recognised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.touchpoints.quality.criteria import CRITERIA, touchpoint_scorecard
    from crmcore.touchpoints.quality.derived import derived_importance
    from crmcore.touchpoints.quality.priorities import Priorities, Priority, importance_performance
    from crmcore.touchpoints.quality.recognising import recognition_rates
    from crmcore.touchpoints.quality.scoring import QualityTable, TouchpointQuality, advances, touchpoint_quality

_WHERE = {
    ".criteria": ("CRITERIA", "touchpoint_scorecard"),
    ".derived": ("derived_importance",),
    ".priorities": ("Priorities", "Priority", "importance_performance"),
    ".recognising": ("recognition_rates",),
    ".scoring": ("QualityTable", "TouchpointQuality", "advances", "touchpoint_quality"),
}

__all__ = [
    "CRITERIA",
    "Priorities",
    "Priority",
    "QualityTable",
    "TouchpointQuality",
    "advances",
    "derived_importance",
    "importance_performance",
    "recognition_rates",
    "touchpoint_quality",
    "touchpoint_scorecard",
]

__getattr__ = lazy_names(__name__, {name: module for module, names in _WHERE.items() for name in names})
