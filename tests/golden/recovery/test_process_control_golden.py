"""Control charts against published examples."""

from __future__ import annotations

import numpy as np
import pytest

from crmcore.recovery.process.control import (
    c_chart,
    cusum,
    cusum_run_length,
    p_chart,
    shewhart_run_length,
    u_chart,
    xmr,
)

# Montgomery, Introduction to Statistical Quality Control, 6th ed. (2009)
ORANGE_JUICE = [
    12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22, 8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12, 7, 13, 9, 6,
]  # fmt: skip
# NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.3.1: defects of 25 wafers
WAFERS = [16, 14, 28, 16, 12, 20, 10, 12, 10, 17, 19, 17, 14, 16, 15, 13, 14, 16, 11, 20, 11, 19, 16, 31, 13]
DYED_CLOTH = [14, 12, 20, 11, 7, 10, 21, 16, 19, 23], [10.0, 8.0, 13.0, 10.0, 9.5, 10.0, 12.0, 10.5, 12.0, 12.5]
# Montgomery, table of the cumulative sum: 20 points at mean 10, then 10 at mean 11, sigma 1
SHIFTED = [
    9.45, 7.99, 9.29, 11.66, 12.16, 10.18, 8.04, 11.46, 9.20, 10.34, 9.03, 11.47, 10.51, 9.40, 10.08, 9.37, 10.62,
    10.31, 8.52, 10.84, 10.90, 9.33, 12.29, 11.50, 10.60, 11.08, 10.38, 11.62, 11.31, 10.52,
]  # fmt: skip
# NIST/SEMATECH e-Handbook, 6.3.2.2: flow rates of ten batches
FLOW = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]


def test_xmr_of_the_flow_rates_of_the_nist_handbook() -> None:
    made = xmr(FLOW, constants="printed", small_sample_ok=True)
    assert made.centre[0] == pytest.approx(50.81, abs=1e-6)
    assert made.range_centre[0] == pytest.approx(1.8778, abs=5e-5)
    assert (made.lower[0], made.upper[0]) == (pytest.approx(45.8159, abs=1e-4), pytest.approx(55.8041, abs=1e-4))
    assert made.upper[0] == pytest.approx(50.81 + 3 * (16.9 / 9) / 1.128, abs=1e-6)
    assert made.range_upper[0] == pytest.approx(3.267 * 16.9 / 9, abs=1e-6)
    assert made.stable


def test_p_chart_of_the_orange_juice_cans_of_montgomery() -> None:
    made = p_chart(ORANGE_JUICE, [50] * 30)
    p = 347 / 1500
    assert made.centre[0] == pytest.approx(p, abs=1e-12)
    assert (made.lower[0], made.upper[0]) == (pytest.approx(0.0524, abs=5e-5), pytest.approx(0.4102, abs=5e-5))
    assert made.upper[0] == pytest.approx(p + 3 * np.sqrt(p * (1 - p) / 50), abs=1e-6)
    assert [s.position + 1 for s in made.signals if s.rule == "beyond 3 sigma"] == [15, 23]


def test_p_chart_with_the_two_explained_samples_left_out_of_the_limits() -> None:
    made = p_chart(ORANGE_JUICE, [50] * 30, baseline=[i not in (14, 22) for i in range(30)])
    assert made.centre[0] == pytest.approx(301 / 1400, abs=1e-12)
    assert (made.lower[0], made.upper[0]) == (pytest.approx(0.0407, abs=5e-5), pytest.approx(0.3893, abs=5e-5))
    assert 20 in [s.position for s in made.signals if s.rule == "beyond 3 sigma"]


def test_c_chart_of_the_wafers_of_the_nist_handbook() -> None:
    made = c_chart(WAFERS)
    assert (made.lower[0], made.centre[0], made.upper[0]) == (
        pytest.approx(4, abs=1e-6),
        pytest.approx(16, abs=1e-6),
        pytest.approx(28, abs=1e-6),
    )
    # wafer 3 lies on the limit, not beyond it
    assert [s.position + 1 for s in made.signals if s.rule == "beyond 3 sigma"] == [24]


def test_u_chart_of_the_dyed_cloth_of_montgomery() -> None:
    made = u_chart(*DYED_CLOTH, small_sample_ok=True)
    assert made.centre[0] == pytest.approx(153 / 107.5, abs=1e-6)
    # the book rounds the centre to 1.42 before it computes limits
    assert made.upper.tolist() == pytest.approx([2.55, 2.68, 2.41, 2.55, 2.58, 2.55, 2.45, 2.52, 2.45, 2.43], abs=0.01)
    assert made.lower.tolist() == pytest.approx([0.29, 0.16, 0.43, 0.29, 0.26, 0.29, 0.39, 0.32, 0.39, 0.41], abs=0.01)
    assert made.upper[1] == pytest.approx(153 / 107.5 + 3 * np.sqrt(153 / 107.5 / 8), abs=1e-6)
    assert made.stable


def test_cusum_of_montgomery_signals_at_point_29_and_began_after_22() -> None:
    made = cusum(SHIFTED, target=10, sigma=1)
    assert made.above.round(2).tolist()[:5] == [0.0, 0.0, 0.0, 1.16, 2.82]
    assert made.below.round(2).tolist()[:5] == [0.05, 1.56, 1.77, 0.0, 0.0]
    assert made.above[28] == pytest.approx(5.28, abs=1e-9)
    (drift,) = made.drifts
    assert (drift.position + 1, drift.began + 1, drift.side) == (29, 23, "above")
    assert drift.level == pytest.approx(10.5 + 5.28 / 7, abs=1e-9)


# Lucas & Crosier (1982), Technometrics 24:199; printed with up to three digits
RUN_LENGTHS = {
    4.0: [168, 74.2, 26.6, 13.3, 8.38, 4.75, 3.34, 2.62, 2.19, 1.71],
    5.0: [465, 139, 38.0, 17.0, 10.4, 5.75, 4.01, 3.11, 2.57, 2.01],
}


@pytest.mark.parametrize("threshold", RUN_LENGTHS)
def test_run_lengths_of_lucas_and_crosier(threshold: float) -> None:
    for shift, printed in zip((0, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4), RUN_LENGTHS[threshold], strict=True):
        assert cusum_run_length(shift, threshold=threshold) == pytest.approx(printed, rel=4e-3)


def test_three_sigma_limits_run_370_points() -> None:
    assert shewhart_run_length() == pytest.approx(370.398, abs=1e-3)
    assert shewhart_run_length(1) == pytest.approx(43.895, abs=1e-3)
