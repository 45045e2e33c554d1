"""How long things last when some have not ended yet: survival, answers in time, cohorts, churn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.metrics.durations.churn import churn_by_period, churn_rate, customer_lifetimes, lapsed_share
    from crmcore.metrics.durations.cohorts import RetentionTable, retention
    from crmcore.metrics.durations.logrank import log_rank, survival_by
    from crmcore.metrics.durations.responses_in_time import answered_within, in_time, waits
    from crmcore.metrics.durations.survival import SurvivalTable, kaplan_meier

__all__ = [
    "RetentionTable",
    "SurvivalTable",
    "answered_within",
    "churn_by_period",
    "churn_rate",
    "customer_lifetimes",
    "in_time",
    "kaplan_meier",
    "lapsed_share",
    "log_rank",
    "retention",
    "survival_by",
    "waits",
]

__getattr__ = lazy_names(
    __name__,
    {
        "RetentionTable": ".cohorts",
        "SurvivalTable": ".survival",
        "answered_within": ".responses_in_time",
        "churn_by_period": ".churn",
        "churn_rate": ".churn",
        "customer_lifetimes": ".churn",
        "in_time": ".responses_in_time",
        "kaplan_meier": ".survival",
        "lapsed_share": ".churn",
        "log_rank": ".logrank",
        "retention": ".cohorts",
        "survival_by": ".logrank",
        "waits": ".responses_in_time",
    },
)
