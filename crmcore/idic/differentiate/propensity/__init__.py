"""Propensity: who will act, leave or answer, how sure that is, why, and a back-test that cannot see the future.

`Logistic` and `Booster` are recipes for mixed tables; `cross_validate` and `evaluate` judge probabilities, `calibrate`
mends them. `Predictor`, `FactsPredictor`, `backtest` and `check_leaks` work on logs of orders and events, and
`SwitchingRisk` never rises with evidence of loyalty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.idic.differentiate.propensity.backtesting import BacktestReport, backtest
    from crmcore.idic.differentiate.propensity.booster import Booster, BoosterModel
    from crmcore.idic.differentiate.propensity.calibration import Calibration, calibrate
    from crmcore.idic.differentiate.propensity.crossing import (
        CrossValidation,
        ProbabilityModel,
        Recipe,
        cross_validate,
    )
    from crmcore.idic.differentiate.propensity.features import Features, read_features
    from crmcore.idic.differentiate.propensity.leaks import LeakFound, LeakReport, check_leaks
    from crmcore.idic.differentiate.propensity.logistic import Logistic, LogisticModel
    from crmcore.idic.differentiate.propensity.past import Past, cut
    from crmcore.idic.differentiate.propensity.predictors import ActivityFacts, FactsPredictor, Predictor
    from crmcore.idic.differentiate.propensity.reasons import Reasons
    from crmcore.idic.differentiate.propensity.scores import Scores, evaluate
    from crmcore.idic.differentiate.propensity.switching import SwitchingRisk
    from crmcore.idic.differentiate.propensity.targets import Acts, Target

__all__ = [
    "ActivityFacts",
    "Acts",
    "BacktestReport",
    "Booster",
    "BoosterModel",
    "Calibration",
    "CrossValidation",
    "FactsPredictor",
    "Features",
    "LeakFound",
    "LeakReport",
    "Logistic",
    "LogisticModel",
    "Past",
    "Predictor",
    "ProbabilityModel",
    "Reasons",
    "Recipe",
    "Scores",
    "SwitchingRisk",
    "Target",
    "backtest",
    "calibrate",
    "check_leaks",
    "cross_validate",
    "cut",
    "evaluate",
    "read_features",
]

__getattr__ = lazy_names(
    __name__,
    {
        "ActivityFacts": ".predictors",
        "Acts": ".targets",
        "BacktestReport": ".backtesting",
        "Booster": ".booster",
        "BoosterModel": ".booster",
        "Calibration": ".calibration",
        "CrossValidation": ".crossing",
        "FactsPredictor": ".predictors",
        "Features": ".features",
        "LeakFound": ".leaks",
        "LeakReport": ".leaks",
        "Logistic": ".logistic",
        "LogisticModel": ".logistic",
        "Past": ".past",
        "Predictor": ".predictors",
        "ProbabilityModel": ".crossing",
        "Reasons": ".reasons",
        "Recipe": ".crossing",
        "Scores": ".scores",
        "SwitchingRisk": ".switching",
        "Target": ".targets",
        "backtest": ".backtesting",
        "calibrate": ".calibration",
        "check_leaks": ".leaks",
        "cross_validate": ".crossing",
        "cut": ".past",
        "evaluate": ".scores",
        "read_features": ".features",
    },
)
