"""Types of propensity, hazards and uplift, as users see them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import assert_type

import numpy as np
from numpy.typing import NDArray

from crmcore.charts import Chart
from crmcore.idic.differentiate.hazards import Cox, CoxModel, Curves, DiscreteHazard, DiscreteHazardModel
from crmcore.idic.differentiate.propensity import (
    BacktestReport,
    Booster,
    BoosterModel,
    Calibration,
    CrossValidation,
    FactsPredictor,
    LeakReport,
    Logistic,
    LogisticModel,
    Past,
    Reasons,
    Recipe,
    Scores,
    backtest,
    calibrate,
    check_leaks,
    cross_validate,
    cut,
    evaluate,
)
from crmcore.idic.differentiate.uplift import EffectModel, TwoModels, UpliftLearner, UpliftReport, measure_uplift
from crmcore.metrics import Estimate
from crmcore.tables import OrderTable

AT = datetime(2026, 6, 2, tzinfo=UTC)
TABLE = {"x": [1.0, 2.0]}

recipe: Recipe = Logistic()
recipe = Booster()
model = Logistic().fit(TABLE, [0, 1])
assert_type(model, LogisticModel)
assert_type(model.predict(TABLE), NDArray[np.float64])
assert_type(model.explain(TABLE), Reasons)
assert_type(model.effects(), dict[str, Estimate])
assert_type(model.chart(), Chart)
assert_type(Booster().fit(TABLE, "x"), BoosterModel)
assert_type(cross_validate(Booster(), TABLE, outcome="x", seed=1), CrossValidation)
assert_type(evaluate([0, 1], [0.1, 0.9]), Scores)
assert_type(evaluate([0, 1], [0.1, 0.9]).auc, Estimate)
assert_type(calibrate([0, 1], [0.1, 0.9]), Calibration)


def of_orders(orders: OrderTable) -> None:
    predictor: FactsPredictor[OrderTable] = FactsPredictor()
    assert_type(cut(orders, at=AT), Past[OrderTable])
    assert_type(cut(orders, at=AT).table, OrderTable)
    assert_type(backtest(predictor, orders, cutoffs=[AT], horizon_days=30), BacktestReport)
    assert_type(check_leaks(predictor, orders, cutoffs=[AT], horizon_days=30, seed=1), LeakReport)


cox = Cox().fit(TABLE, duration="x", event=[0, 1])
assert_type(cox, CoxModel)
assert_type(cox.curves(TABLE, [1]), Curves)
assert_type(DiscreteHazard().fit(TABLE, duration="x", event=[0, 1]), DiscreteHazardModel)
assert_type(UpliftLearner().fit(TABLE, "x", treated=[0, 1]), TwoModels | EffectModel)
assert_type(measure_uplift([1.0, 2.0], [0, 1], treated=[0, 1], seed=1), UpliftReport)
