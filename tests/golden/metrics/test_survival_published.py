"""Published numbers: remission of leukaemia under 6-MP and placebo.

Data: Freireich et al. (1963), Blood 21:699. Kaplan-Meier, Greenwood and Nelson-Aalen columns as printed in Klein &
Moeschberger (2003), Survival Analysis, 2nd edition, tables 4.1 and 4.2; log-rank as in Kleinbaum & Klein (2012),
Survival Analysis, chapter 2.
"""

from __future__ import annotations

import numpy as np
import pytest

from crmcore.metrics.durations.logrank import log_rank
from crmcore.metrics.durations.survival import SurvivalTable, kaplan_meier

TREATED = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
RELAPSED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
PRINTED = {  # weeks: at risk, S, variance of S, cumulative hazard
    6: (21, 0.857, 0.0058, 0.1429),
    7: (17, 0.807, 0.0076, 0.2017),
    10: (15, 0.753, 0.0093, 0.2683),
    13: (12, 0.690, 0.0114, 0.3517),
    16: (11, 0.627, 0.0130, 0.4426),
    22: (7, 0.538, 0.0164, 0.5854),
    23: (6, 0.448, 0.0181, 0.7521),
}


@pytest.fixture
def treated() -> SurvivalTable:
    return kaplan_meier(TREATED, RELAPSED, unit="weeks")


@pytest.mark.parametrize("week", PRINTED)
def test_tables_4_1_and_4_2_of_klein_and_moeschberger(treated: SurvivalTable, week: int) -> None:
    at = int(np.searchsorted(treated.time, week))
    risk, survival, variance, hazard = PRINTED[week]
    assert treated.at_risk[at] == risk
    assert treated.survival[at] == pytest.approx(survival, abs=5.1e-4)
    assert treated.survival[at] ** 2 * treated.log_variance[at] == pytest.approx(variance, abs=5.1e-5)
    assert treated.cumulative_hazard[at] == pytest.approx(hazard, abs=1.01e-4)


def test_medians_are_23_and_8_weeks(treated: SurvivalTable) -> None:
    placebo = kaplan_meier(PLACEBO, [True] * 21, unit="weeks")
    assert treated.median(small_sample_ok=True).value == 23
    assert placebo.median(small_sample_ok=True).value == 8


def test_log_rank_of_kleinbaum_and_klein(treated: SurvivalTable) -> None:
    got = log_rank({"6-MP": treated, "placebo": kaplan_meier(PLACEBO, [True] * 21, unit="weeks")})
    assert got.statistic == pytest.approx(16.793, abs=5e-4)
    assert got.observed == (9.0, 21.0)
    assert [round(e, 2) for e in got.expected] == [19.25, 10.75]
    assert got.p_value == pytest.approx(4.17e-5, abs=5e-7)
