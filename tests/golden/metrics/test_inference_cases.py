"""The shared cases of survey statistics: proportions, two proportions, many tests, means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crmcore.metrics import Counts, adjust, compare, mean, proportion, proportion_of
from crmcore.metrics.exact import fisher_exact
from crmcore.metrics.two_by_two import newcombe_difference, pooled_z

METHODS = {
    "wilson": ("wilson", 1e-9),
    "jeffreys": ("jeffreys", 1e-7),
    "clopper_pearson": ("clopper-pearson", 1e-7),
    "agresti_coull": ("agresti-coull", 1e-9),
    "normal": ("wald", 1e-9),
    "wilson_cc": ("wilson-cc", 1e-9),
}


@pytest.fixture(scope="module")
def cases(data_dir: Path) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = json.loads(
        (data_dir / "survey_stats_cases" / "cases.json").read_text(encoding="utf-8")
    )
    return found


@pytest.mark.parametrize("name", METHODS)
def test_every_interval_of_a_proportion(cases: dict[str, list[dict[str, Any]]], name: str) -> None:
    method, tolerance = METHODS[name]
    for case in cases["proportion"]:
        got = proportion(case["k"], case["n"], level=case["conf"], method=method, small_sample_ok=True)
        assert [got.low, got.high] == pytest.approx(case[name], abs=tolerance), case


def test_two_proportions_by_z_fisher_and_newcombe(cases: dict[str, list[dict[str, Any]]]) -> None:
    for case in cases["two_proportions"]:
        a, b = Counts(case["k1"], case["n1"]), Counts(case["k2"], case["n2"])
        got = compare(a, b, level=case["conf"], small_sample_ok=True)
        four = a.k, a.n, b.k, b.n
        if case["pooled_z"] is not None and np.isfinite(case["pooled_z"]):
            assert float(pooled_z(*four)[0]) == pytest.approx(case["pooled_z"], abs=1e-9)
            assert got.p_value == pytest.approx(case["p_value"], abs=1e-9)
        assert [got.difference.low, got.difference.high] == pytest.approx(case["newcombe_diff"], abs=1e-9)
        assert list(map(float, newcombe_difference(*four, level=case["conf"]))) == [
            got.difference.low,
            got.difference.high,
        ]
        assert float(fisher_exact(*four)) == pytest.approx(case["fisher_p"], abs=1e-9)
        assert a.minus(b, test="fisher exact").p_value == float(fisher_exact(*four))


@pytest.mark.parametrize("method", ["holm", "hochberg", "bonferroni", "benjamini-hochberg"])
def test_adjusted_p_values(cases: dict[str, list[dict[str, Any]]], method: str) -> None:
    for case in cases["multiple"]:
        assert adjust(case["p"], method=method) == pytest.approx(case[method.replace("-", "_")], abs=1e-12)


def test_means_and_top_boxes(cases: dict[str, list[dict[str, Any]]]) -> None:
    for case in cases["mean"]:
        got = mean(case["ces_1_7"], small_sample_ok=True)
        assert got.value == pytest.approx(case["mean"], abs=1e-12)
        assert [got.low, got.high] == pytest.approx(case["t_ci95"], abs=1e-9)
        top = proportion_of(np.array(case["ces_1_7"]) >= 6, small_sample_ok=True)
        assert top.value == pytest.approx(case["top2_box"], abs=1e-12)
        assert [top.low, top.high] == pytest.approx(case["wilson_top2"], abs=1e-9)
