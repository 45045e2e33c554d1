"""Survey measures against published numbers and the shared cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crmcore.metrics import compare
from crmcore.metrics.survey.nps_counts import NpsCounts, nps_standard_error
from crmcore.metrics.survey.nps_score import nps
from crmcore.metrics.survey.satisfaction import ces
from crmcore.metrics.survey.scales import alpha_interval, cronbach_alpha

EXACT = {"rel": 0, "abs": 1e-9}


@pytest.fixture(scope="module")
def cases(data_dir: Path) -> dict[str, list[dict[str, Any]]]:
    place = data_dir / "survey_stats_cases" / "cases.json"
    if not place.is_file():
        pytest.skip("no data set survey_stats_cases: set CRMCORE_DATA to the folder of the data sets")
    found: dict[str, list[dict[str, Any]]] = json.loads(place.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("method", ["wald", "adjusted-wald", "mover-wilson"])
def test_every_case_of_a_score_is_exact(cases: dict[str, list[dict[str, Any]]], method: str) -> None:
    for case in cases["nps"]:
        counts = NpsCounts(case["promoters"], case["passives"], case["detractors"])
        got = nps(counts, level=case["conf"], method=method, small_sample_ok=True)
        want = case[method.replace("-", "_")]
        assert got.score.value == pytest.approx(case["nps"], **EXACT)
        assert got.standard_error == pytest.approx(case["se_points"], **EXACT)
        assert [got.score.low, got.score.high] == pytest.approx(want, **EXACT)


def test_every_case_of_two_scores_is_exact(cases: dict[str, list[dict[str, Any]]]) -> None:
    for case in cases["two_nps"]:
        made = compare(NpsCounts(*case["a"]), NpsCounts(*case["b"]), small_sample_ok=True)
        assert made.difference.value == pytest.approx(case["diff_points"], **EXACT)
        assert made.p_value == pytest.approx(case["p_value"], **EXACT)
        errors = [float(nps_standard_error(*case[side])) for side in "ab"]
        assert made.difference.value / np.hypot(*errors) == pytest.approx(case["z"], **EXACT)


def test_every_case_of_effort_is_exact(cases: dict[str, list[dict[str, Any]]]) -> None:
    for case in cases["mean"]:
        got = ces(case["ces_1_7"], small_sample_ok=True)
        assert got.mean.value == pytest.approx(case["mean"], **EXACT)
        assert [got.mean.low, got.mean.high] == pytest.approx(case["t_ci95"], **EXACT)
        assert got.top_box.value == pytest.approx(case["top2_box"], **EXACT)
        assert [got.top_box.low, got.top_box.high] == pytest.approx(case["wilson_top2"], **EXACT)


# Chatterjee & Price (1977), Regression Analysis by Example, section 3.7: attitude of clerical employees in 30
# departments; rating, complaints, privileges, learning, raises, critical, advance. Also `datasets::attitude` of R.
ATTITUDE = np.array(
    """
    43 51 30 39 61 92 45  63 64 51 54 63 73 47  71 70 68 69 76 86 48  61 63 45 47 54 84 35  81 78 56 66 71 83 47
    43 55 49 44 54 49 34  58 67 42 56 66 68 35  71 75 50 55 70 66 41  72 82 72 67 71 83 31  67 61 45 47 62 80 41
    64 53 53 58 58 67 34  67 60 47 39 59 74 41  69 62 57 42 55 63 25  68 83 83 45 59 77 35  77 77 54 72 79 77 46
    81 90 50 72 60 54 36  74 85 64 69 79 79 63  65 60 65 75 55 80 60  65 70 46 57 75 85 46  50 58 68 54 64 78 52
    50 40 33 34 43 64 33  64 61 52 62 66 80 41  53 66 52 50 63 80 37  40 37 42 58 50 57 49  63 54 42 48 66 75 33
    66 77 66 63 88 76 72  78 75 58 74 80 78 49  48 57 44 45 51 83 38  85 85 71 71 77 74 55  82 82 39 59 64 78 39
    """.split(),
    float,
).reshape(30, 7)
NAMES = ("rating", "complaints", "privileges", "learning", "raises", "critical", "advance")


def test_alpha_of_the_attitude_data_is_that_of_the_psych_package() -> None:
    # `psych::alpha(attitude)` of R: raw alpha and "reliability if an item is dropped"
    got = cronbach_alpha(ATTITUDE, names=NAMES)
    assert got.alpha.value == pytest.approx(0.843, abs=5e-4)
    assert got.alpha_if_deleted.round(3).tolist() == [0.810, 0.797, 0.828, 0.803, 0.795, 0.864, 0.840]


def test_interval_of_alpha_is_that_of_the_psych_package() -> None:
    # help page of `psych::alpha`: alpha.ci(.74, 100, n.var = 4) gives 0.65 0.74 0.81 (Feldt)
    low, high = alpha_interval(0.74, 100, 4)
    assert (round(float(low), 2), round(float(high), 2)) == (0.65, 0.81)


def test_alpha_and_interval_of_a_right_or_wrong_test_are_those_of_pingouin() -> None:
    # Zaiontz, Real Statistics Using Excel, "Cronbach's alpha" (11 questions, right = 1), rows with gaps left out;
    # `pingouin.cronbach_alpha(..., nan_policy="listwise")` documents 0.8016949 [0.581, 0.933]; its interval counts all
    # 12 respondents, ours the 9 that alpha stands on
    rows = "11111111111 11111111010 11101101100 11111000100 11110010000 11111000000 01011000010 11100000000 10010000000"
    matrix = np.array([[int(c) for c in row] for row in rows.split()], float)
    got = cronbach_alpha(matrix, small_sample_ok=True)
    assert got.alpha.value == pytest.approx(0.8016949, abs=1e-7)
    low, high = alpha_interval(got.alpha.value, 12, 11)
    assert (round(float(low), 3), round(float(high), 3)) == (0.581, 0.933)
    assert got.alpha.n == 9
    assert got.alpha.width > high - low
