"""Repeat buying: how often, and until when. NBD, BG/NBD, MBG/NBD, their Erlang-k forms, and Pareto/NBD.

`Purchases` reads orders, `choose_model` fits the models and says why it took which, `forecast` gives every customer an
expectation with an interval, and `simulate_cohort` draws cohorts whose truth is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.idic.differentiate.buying.calendar import CalendarChoice, choose_calendar
    from crmcore.idic.differentiate.buying.choosing import ModelChoice, choose_model
    from crmcore.idic.differentiate.buying.covariates import CovariateModel, fit_covariates
    from crmcore.idic.differentiate.buying.model import MODELS, BuyingModel, RepeatBuying
    from crmcore.idic.differentiate.buying.pooling import PooledModels, pool_segments
    from crmcore.idic.differentiate.buying.predicting import Forecast, ForecastCheck, forecast
    from crmcore.idic.differentiate.buying.purchases import UNITS, Purchases
    from crmcore.idic.differentiate.buying.season import SeasonIndex
    from crmcore.idic.differentiate.buying.simulating import Cohort, simulate_cohort
    from crmcore.idic.differentiate.buying.tracking import Tracking, track
    from crmcore.idic.differentiate.buying.updating import TimeSplit, split_orders, with_later_orders

__all__ = [
    "MODELS",
    "UNITS",
    "BuyingModel",
    "CalendarChoice",
    "Cohort",
    "CovariateModel",
    "Forecast",
    "ForecastCheck",
    "ModelChoice",
    "PooledModels",
    "Purchases",
    "RepeatBuying",
    "SeasonIndex",
    "TimeSplit",
    "Tracking",
    "choose_calendar",
    "choose_model",
    "fit_covariates",
    "forecast",
    "pool_segments",
    "simulate_cohort",
    "split_orders",
    "track",
    "with_later_orders",
]

__getattr__ = lazy_names(
    __name__,
    {
        "MODELS": ".model",
        "UNITS": ".purchases",
        "BuyingModel": ".model",
        "CalendarChoice": ".calendar",
        "Cohort": ".simulating",
        "CovariateModel": ".covariates",
        "Forecast": ".predicting",
        "ForecastCheck": ".predicting",
        "ModelChoice": ".choosing",
        "PooledModels": ".pooling",
        "Purchases": ".purchases",
        "RepeatBuying": ".model",
        "SeasonIndex": ".season",
        "choose_calendar": ".calendar",
        "choose_model": ".choosing",
        "fit_covariates": ".covariates",
        "forecast": ".predicting",
        "pool_segments": ".pooling",
        "simulate_cohort": ".simulating",
        "TimeSplit": ".updating",
        "Tracking": ".tracking",
        "split_orders": ".updating",
        "track": ".tracking",
        "with_later_orders": ".updating",
    },
)
