"""Attribution: which touchpoints conversions are owed to, exactly, with intervals, and with what is assumed.

`PathCounts` holds paths, `read_paths` reads them from events, `attribute` shares their conversions by one model,
`compare_models` by several, and `credit_by` within customers or segments. `Markov` (orders 1 to 4) is exact: nothing
is simulated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.touchpoints.attribution.attributing import (
        CreditTable,
        ModelComparison,
        attribute,
        compare_models,
        credit_by,
    )
    from crmcore.touchpoints.attribution.games import Coalitions, ShapleyRate
    from crmcore.touchpoints.attribution.lifting import Incrementality, incrementality
    from crmcore.touchpoints.attribution.models import MODELS, Markov, ShareModel, TouchRule
    from crmcore.touchpoints.attribution.ordering import OrderChoice, choose_order
    from crmcore.touchpoints.attribution.paths import PathCounts
    from crmcore.touchpoints.attribution.reading import PathReading, read_paths
    from crmcore.touchpoints.attribution.result import Attribution, SpendTable
    from crmcore.touchpoints.attribution.touching import (
        Counterfactual,
        Decay,
        Edge,
        JourneyMarkov,
        LastNonDirect,
        Linear,
        Position,
        ShapleyShared,
    )

__all__ = [
    "MODELS",
    "Attribution",
    "Coalitions",
    "Counterfactual",
    "CreditTable",
    "Decay",
    "Edge",
    "Incrementality",
    "JourneyMarkov",
    "LastNonDirect",
    "Linear",
    "Markov",
    "ModelComparison",
    "OrderChoice",
    "PathCounts",
    "PathReading",
    "Position",
    "ShapleyRate",
    "ShapleyShared",
    "ShareModel",
    "SpendTable",
    "TouchRule",
    "attribute",
    "choose_order",
    "compare_models",
    "credit_by",
    "incrementality",
    "read_paths",
]

__getattr__ = lazy_names(
    __name__,
    {
        "MODELS": ".models",
        "Attribution": ".result",
        "Coalitions": ".games",
        "Counterfactual": ".touching",
        "CreditTable": ".attributing",
        "Decay": ".touching",
        "Edge": ".touching",
        "Incrementality": ".lifting",
        "JourneyMarkov": ".touching",
        "LastNonDirect": ".touching",
        "Linear": ".touching",
        "Markov": ".models",
        "ModelComparison": ".attributing",
        "OrderChoice": ".ordering",
        "PathCounts": ".paths",
        "PathReading": ".reading",
        "Position": ".touching",
        "ShapleyRate": ".games",
        "ShapleyShared": ".touching",
        "ShareModel": ".models",
        "SpendTable": ".result",
        "TouchRule": ".models",
        "attribute": ".attributing",
        "choose_order": ".ordering",
        "compare_models": ".attributing",
        "credit_by": ".attributing",
        "incrementality": ".lifting",
        "read_paths": ".reading",
    },
)
