"""Types of survey measures, as users see them."""

from __future__ import annotations

from typing import assert_type

import numpy as np
from numpy.typing import NDArray

from crmcore.metrics import compare
from crmcore.metrics.comparing import Comparison, ComparisonTable
from crmcore.metrics.estimate_tables import EstimateTable
from crmcore.metrics.estimates import Estimate
from crmcore.metrics.survey.multiple_choice import multi_answer
from crmcore.metrics.survey.nps_counts import NpsCounts, nps_interval
from crmcore.metrics.survey.nps_score import NpsResult, nps
from crmcore.metrics.survey.nps_tables import nps_by
from crmcore.metrics.survey.raking import rake
from crmcore.metrics.survey.satisfaction import ces, csat
from crmcore.metrics.survey.scorecards import Scorecard
from crmcore.metrics.survey.weighting import SurveyWeights, post_stratified

assert_type(nps([10, 3]), NpsResult)
assert_type(nps([10, 3]).score, Estimate)
assert_type(nps(NpsCounts(1, 2, 3)).minus(nps(NpsCounts(1, 2, 3))), Comparison)
assert_type(NpsCounts(1) + NpsCounts(2), NpsCounts)
assert_type(compare(NpsCounts(1, 2, 3), NpsCounts(3, 2, 1)), Comparison)
assert_type(nps_interval([1], [2], [3]), tuple[NDArray[np.float64], NDArray[np.float64]])
assert_type(nps_by([10, 3], ["a", "b"]).compared(), ComparisonTable)
assert_type(csat([5, 4]), Estimate)
assert_type(ces([7, 6]).mean, Estimate)
assert_type(multi_answer([["a"], None]), EstimateTable)
assert_type(rake({"a": ["x"]}, {"a": {"x": 1}}), SurveyWeights)
assert_type(post_stratified([1, 0], ["x", "x"], {"x": 1}), Estimate)


def overall(card: Scorecard) -> float | None:
    return card.score({"CSAT": 4}).overall


NpsCounts("1")  # type: ignore[arg-type]
nps([10], 0.9)  # type: ignore[call-arg]
csat([5], scale=5)  # type: ignore[arg-type]
