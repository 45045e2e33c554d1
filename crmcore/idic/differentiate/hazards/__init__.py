"""Hazards: when customers leave, what multiplies that, and curves of single customers with intervals.

`Cox` is Cox regression with Efron's ties, strata, weights and delayed entry; `DiscreteHazard` turns any propensity
recipe into a hazard by whole periods. Kaplan-Meier and log-rank live in `crmcore.metrics.durations`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.idic.differentiate.hazards.concordance import concordance_of
    from crmcore.idic.differentiate.hazards.cox import Cox, CoxModel
    from crmcore.idic.differentiate.hazards.curves import Curves
    from crmcore.idic.differentiate.hazards.discrete import DiscreteHazard, DiscreteHazardModel
    from crmcore.idic.differentiate.hazards.proportionality import Proportionality

__all__ = [
    "Cox",
    "CoxModel",
    "Curves",
    "DiscreteHazard",
    "DiscreteHazardModel",
    "Proportionality",
    "concordance_of",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Cox": ".cox",
        "CoxModel": ".cox",
        "Curves": ".curves",
        "DiscreteHazard": ".discrete",
        "DiscreteHazardModel": ".discrete",
        "Proportionality": ".proportionality",
        "concordance_of": ".concordance",
    },
)
