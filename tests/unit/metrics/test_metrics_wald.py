"""Wald intervals and standard errors of parameters: by their definition, on both scales, and without a covariance."""

from __future__ import annotations

import math

import pytest

from crmcore.errors import OutOfRange
from crmcore.metrics.wald import standard_errors, wald_estimates

COVARIANCE = ((0.04, 0.0), (0.0, 0.25))


def test_ends_are_the_value_times_or_plus_the_error() -> None:
    logs = wald_estimates({"r": 2.0, "alpha": 3.0}, COVARIANCE, n=9, level=0.95)
    assert [e.rule for e in logs] == ["r", "alpha"]
    assert logs[1].high == pytest.approx(3.0 * math.exp(1.959964 * 0.5))
    assert logs[1].low == pytest.approx(3.0 * math.exp(-1.959964 * 0.5))
    assert logs[0].method == "wald, log scale"
    plain = wald_estimates({"r": -2.0, "alpha": 3.0}, COVARIANCE, n=9, level=0.95, log_scale=False)
    assert plain[0].low == pytest.approx(-2.0 - 1.959964 * 0.2)
    assert plain[0].method == "wald"
    assert plain[0].n == 9


def test_without_a_covariance_ends_and_errors_are_missing() -> None:
    found = wald_estimates({"r": 2.0}, None, n=9, level=0.9)[0]
    assert found.value == 2.0
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert math.isnan(standard_errors({"r": 2.0}, None)["r"])


def test_errors_on_their_own_scale_are_those_of_the_logarithm_times_the_value() -> None:
    assert standard_errors({"r": 2.0, "alpha": 3.0}, COVARIANCE) == {
        "r": pytest.approx(0.4),
        "alpha": pytest.approx(1.5),
    }


def test_a_level_that_is_none_is_refused() -> None:
    with pytest.raises(OutOfRange):
        wald_estimates({"r": 2.0}, None, n=9, level=1.5)
