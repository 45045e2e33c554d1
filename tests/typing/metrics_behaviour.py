"""Types of behaviour measures, as users see them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import assert_type

import numpy as np
from numpy.typing import NDArray

from crmcore.charts import Chart
from crmcore.metrics import Estimate, ShareTable
from crmcore.metrics.behaviour.acquisition import Cac, cac, cac_by_channel
from crmcore.metrics.behaviour.content import link_purchases
from crmcore.metrics.behaviour.followers import Vanity, VanityFlag, vanity
from crmcore.metrics.behaviour.rollups import RollUp, roll_up
from crmcore.metrics.behaviour.social import engagement_rates, share_of_voice
from crmcore.metrics.behaviour.web import bounce_rate, conversion, time_on_site
from crmcore.metrics.durations.churn import churn_by_period, customer_lifetimes
from crmcore.metrics.durations.cohorts import RetentionTable, retention
from crmcore.metrics.durations.logrank import LogRank, SurvivalTables, survival_by
from crmcore.metrics.durations.responses_in_time import InTime, Verdict, in_time, waits
from crmcore.metrics.durations.survival import SurvivalTable, kaplan_meier
from crmcore.metrics.series import RateSeries

AT = np.array(["2026-03-01", "2026-03-02"], "datetime64[us]")
NOW = datetime(2026, 4, 1, tzinfo=UTC)

table = kaplan_meier([1, 2], [True, False], unit="days")
assert_type(table, SurvivalTable)
assert_type(table + table, SurvivalTable)
assert_type(table.survival, NDArray[np.float64])
assert_type(table.median(small_sample_ok=True), Estimate)
assert_type(table.chart(), Chart)
assert_type(survival_by(["a", "b"], [1, 2], [True, True]), SurvivalTables)
assert_type(survival_by(["a", "b"], [1, 2], [True, True]).log_rank(), LogRank)

assert_type(retention([0, 1], AT, until=NOW), RetentionTable)
assert_type(retention([0, 1], AT, until=NOW).rate(date(2026, 3, 1), 0), Estimate)
assert_type(churn_by_period([0, 1], AT, until=NOW), RateSeries)
assert_type(customer_lifetimes([0, 1], AT, now=NOW, silence_days=9), SurvivalTable)
assert_type(roll_up(AT, zone="UTC") + roll_up(AT, [1, 2], zone="UTC"), RollUp)
assert_type(roll_up(AT, zone="UTC").changed_since(roll_up(AT, zone="UTC")), list[tuple[date, str]])

assert_type(waits(AT, AT, now=NOW), tuple[NDArray[np.float64], NDArray[np.bool_]])
assert_type(in_time([1], [True], 2, target=0.7, small_sample_ok=True), InTime)
assert_type(in_time([1], [True], 2, target=0.7, small_sample_ok=True).verdict, Verdict)
assert_type(conversion(30, 1000), Estimate)
assert_type(bounce_rate([1, 2], session_rule="ga4", small_sample_ok=True), Estimate)
assert_type(engagement_rates([1], {"reach": [9]}, small_sample_ok=True), dict[str, Estimate])
assert_type(share_of_voice(["a", "b"], small_sample_ok=True), ShareTable)
assert_type(vanity(followers=9, engaged=1), Vanity)
assert_type(vanity(followers=9, engaged=1).flag, VanityFlag)
assert_type(cac(1000, paid=20) + cac(1, paid=2), Cac)
assert_type(cac_by_channel({"ads": 1}, paid={"ads": 1}), dict[str, Cac])
assert_type(link_purchases([0], AT[:1], [0], AT[:1]), NDArray[np.int64])

time_on_site([1], session_rule="ga4", last_page="none")  # type: ignore[arg-type]
retention([0], AT, until=NOW, period="fortnight")  # type: ignore[arg-type]
bounce_rate([1])  # type: ignore[call-arg]
