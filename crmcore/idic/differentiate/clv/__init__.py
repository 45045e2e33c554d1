"""What customers are worth: discounted value with two kinds of interval, and how well a model foresaw the holdout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.idic.differentiate.buying.season import SeasonIndex
    from crmcore.idic.differentiate.clv.discounting import continuous_rate, discounted
    from crmcore.idic.differentiate.clv.holdout import HoldoutReport, holdout_report
    from crmcore.idic.differentiate.clv.model import CustomerValueModel
    from crmcore.idic.differentiate.clv.newcomers import NewCustomer
    from crmcore.idic.differentiate.clv.parts import CustomerRows, Timing
    from crmcore.idic.differentiate.clv.simulating import ValueCohort
    from crmcore.idic.differentiate.clv.table import ValueTable

__all__ = [
    "CustomerRows",
    "CustomerValueModel",
    "HoldoutReport",
    "NewCustomer",
    "SeasonIndex",
    "Timing",
    "ValueCohort",
    "ValueTable",
    "continuous_rate",
    "discounted",
    "holdout_report",
]

__getattr__ = lazy_names(
    __name__,
    {
        "CustomerRows": ".parts",
        "CustomerValueModel": ".model",
        "HoldoutReport": ".holdout",
        "NewCustomer": ".newcomers",
        "SeasonIndex": "..buying.season",
        "Timing": ".parts",
        "ValueCohort": ".simulating",
        "ValueTable": ".table",
        "continuous_rate": ".discounting",
        "discounted": ".discounting",
        "holdout_report": ".holdout",
    },
)
