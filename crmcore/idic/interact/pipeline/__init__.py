"""Sales pipeline: stages and deals, learned probabilities, scored forecasts with intervals, one view of a deal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.idic.interact.pipeline.backtesting import DealHistory, PipelineBacktest, StageMove, backtest_chances
    from crmcore.idic.interact.pipeline.deals import Deal, Pipeline, Stage
    from crmcore.idic.interact.pipeline.forecasting import Forecast, forecast
    from crmcore.idic.interact.pipeline.learning import PastDeal, StageChances, learn_chances
    from crmcore.idic.interact.pipeline.preparing import Preparation, Symptom, prepare_visit
    from crmcore.idic.interact.pipeline.scoring import ForecastScore, score_forecast
    from crmcore.idic.interact.pipeline.viewing import DealView, deal_view

__all__ = [
    "Deal",
    "DealHistory",
    "DealView",
    "Forecast",
    "ForecastScore",
    "PastDeal",
    "Pipeline",
    "PipelineBacktest",
    "Preparation",
    "Stage",
    "StageChances",
    "StageMove",
    "Symptom",
    "backtest_chances",
    "deal_view",
    "forecast",
    "learn_chances",
    "prepare_visit",
    "score_forecast",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Deal": ".deals",
        "DealHistory": ".backtesting",
        "DealView": ".viewing",
        "Forecast": ".forecasting",
        "ForecastScore": ".scoring",
        "PastDeal": ".learning",
        "Pipeline": ".deals",
        "PipelineBacktest": ".backtesting",
        "Preparation": ".preparing",
        "Stage": ".deals",
        "StageChances": ".learning",
        "StageMove": ".backtesting",
        "Symptom": ".preparing",
        "backtest_chances": ".backtesting",
        "deal_view": ".viewing",
        "forecast": ".forecasting",
        "learn_chances": ".learning",
        "prepare_visit": ".preparing",
        "score_forecast": ".scoring",
    },
)
