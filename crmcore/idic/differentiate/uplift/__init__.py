"""Uplift: what a treatment changes for each customer, learnt and judged on randomised experiments.

`UpliftLearner` fits T-, X- and transformed-outcome learners on any propensity recipe; `measure_uplift` gives the Qini
area with its interval beside a named random baseline, uplift by score, and the value of treating the top.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.idic.differentiate.uplift.learners import EffectModel, Learner, TwoModels, UpliftLearner
    from crmcore.idic.differentiate.uplift.measuring import UpliftBin, UpliftReport, measure_uplift

__all__ = ["EffectModel", "Learner", "TwoModels", "UpliftBin", "UpliftLearner", "UpliftReport", "measure_uplift"]

__getattr__ = lazy_names(
    __name__,
    {
        "EffectModel": ".learners",
        "Learner": ".learners",
        "TwoModels": ".learners",
        "UpliftBin": ".measuring",
        "UpliftLearner": ".learners",
        "UpliftReport": ".measuring",
        "measure_uplift": ".measuring",
    },
)
