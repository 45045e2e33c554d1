"""Spend so heavy-tailed that its population mean does not exist."""

from __future__ import annotations

import numpy as np
import pytest

from crmcore.idic.differentiate.spending import GammaGamma


def test_a_mean_that_does_not_exist_is_said_and_replaced_by_the_observed_one() -> None:
    rng = np.random.default_rng(2)
    x = 1.0 + rng.poisson(1.5, 3000)
    z = rng.gamma(3.0 * x) * 5.0 / rng.gamma(0.7, size=3000) / x
    model = GammaGamma().fit(x, z)
    assert model.q == pytest.approx(0.7, abs=0.08)
    assert model.infinite_mean
    assert model.mean_spend == model.observed_mean == pytest.approx(z.mean())
    assert model.observed_error == pytest.approx(z.std() / np.sqrt(3000))
    assert any("q <= 1" in note for note in model.notes)
    found = model.expected([0, 1, 5], [0, 10, 10])
    assert found[0] == model.observed_mean
    assert np.isfinite(found).all()
    assert abs(found[2] - 10) < abs(found[1] - 10)


def test_the_error_of_the_observed_mean_comes_back_from_json_and_old_files_are_read() -> None:
    model = GammaGamma().fit([1, 2, 3, 4], [10.0, 12, 9, 11])
    document = model.to_dict()
    assert type(model).from_dict(document).observed_error == model.observed_error
    del document["observed_error"]
    assert type(model).from_dict(document).observed_error == 0.0
