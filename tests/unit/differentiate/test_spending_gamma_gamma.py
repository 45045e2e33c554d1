"""Gamma-Gamma: gradient, weights, boundaries, dependence, bad input."""

from __future__ import annotations

import numpy as np
import pytest

from crmcore.errors import BadRows, CrmError, EmptyInput, OutOfRange, UnknownName
from crmcore.idic.differentiate.spending import GammaGamma, GammaGammaModel, contribution
from crmcore.idic.differentiate.spending.likelihood import Sample, log_likelihood


def _world(n: int, seed: int, *, p: float = 6.0, q: float = 4.0, gamma: float = 15.0):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    x = rng.integers(1, 7, n).astype(float)
    return x, rng.gamma(p * x, 1 / (rng.gamma(q, 1 / gamma, n) * x))


def test_gradient_and_hessian_equal_differences() -> None:
    x, z = _world(50, 1)
    sample, theta = Sample.of(x, z, np.linspace(0.5, 2, 50)), np.array([0.3, 0.7, -0.2])
    _, slope, bend = log_likelihood(theta, sample)
    h = 1e-6
    for i, e in enumerate(np.eye(3)):
        up, down = log_likelihood(theta + h * e, sample), log_likelihood(theta - h * e, sample)
        assert slope[i] == pytest.approx((up[0] - down[0]) / (2 * h), rel=1e-5, abs=1e-5)
        assert bend[i] == pytest.approx((up[1] - down[1]) / (2 * h), rel=1e-5, abs=1e-4)


def test_weights_equal_repeated_rows() -> None:
    x, z = _world(200, 2)
    w = np.random.default_rng(3).integers(1, 4, 200)
    merged, long = GammaGamma().fit(x, z, weights=w), GammaGamma().fit(np.repeat(x, w), np.repeat(z, w))
    assert merged.vector() == pytest.approx(long.vector(), abs=1e-6)
    assert merged.log_likelihood == pytest.approx(long.log_likelihood)
    assert np.array(merged.covariance) == pytest.approx(np.array(long.covariance), rel=1e-4)


def test_known_parameters_lie_in_their_intervals() -> None:
    hits = 0
    for seed in range(20):
        model = GammaGamma().fit(*_world(800, seed))
        hits += sum(e.low <= t <= e.high for e, t in zip(model.parameters_table(), (6, 4, 15), strict=True))
    assert 52 <= hits <= 60  # 95 % of 60 is 57


def test_the_unit_of_money_does_not_matter() -> None:
    x, z = _world(300, 5)
    one, cents = GammaGamma().fit(x, z), GammaGamma().fit(x, 1e6 * z)
    assert cents.p == pytest.approx(one.p, rel=1e-5)
    assert cents.gamma == pytest.approx(1e6 * one.gamma, rel=1e-5)


def test_a_heavy_tail_is_flagged_and_still_finite() -> None:
    x, z = _world(3000, 7, q=0.7)
    model = GammaGamma().fit(x, z)
    assert model.infinite_mean
    assert "infinite" in str(model)
    assert model.mean_spend == model.observed_mean
    assert np.isfinite(model.expected(x, z)).all()
    assert (model.expected(x, z) > 0).all()


@pytest.mark.parametrize("z", [[5.0, 5.0, 5.0], [5.0], [1e-9, 1e9]])
def test_degenerate_spend_gives_finite_numbers(z: list[float]) -> None:
    model = GammaGamma().fit(np.arange(1, len(z) + 1), z)
    assert np.isfinite(model.expected([0, 1, 100000], [0.0, z[0], z[0]])).all()


def test_zero_and_returned_spend_is_left_out_and_counted() -> None:
    x, z = _world(100, 8)
    model = GammaGamma().fit(np.append(x, [0, 2, 3]), np.append(z, [np.nan, 0.0, -4.0]))
    assert (model.n, model.left_out) == (100, 3)
    assert model.expected([0], [np.nan])[0] == model.mean_spend


def test_dependence_is_found_and_modelled() -> None:
    x, z = _world(3000, 9)
    plain = GammaGamma().fit(x, z)
    assert "stands" in plain.dependence.note or abs(plain.dependence.correlation.value) < 0.1
    power = GammaGamma(dependence="power").fit(x, z * x**0.6)
    assert power.power == pytest.approx(0.6, abs=0.1)
    assert power.log_likelihood > GammaGamma().fit(x, z * x**0.6).log_likelihood + 50
    assert "consider" in GammaGamma().fit(x, z * x**0.6).dependence.note


def test_posterior_draws_have_the_expected_mean() -> None:
    model = GammaGamma().fit(*_world(1000, 10))
    drawn = model.draw(np.full(40000, 3.0), np.full(40000, 25.0), rng=np.random.default_rng(1))
    assert drawn.mean() == pytest.approx(model.expected([3], [25.0])[0], rel=0.01)


def test_json_round_trip() -> None:
    for model in (GammaGamma().fit(*_world(100, 11)), GammaGamma().fit([1], [5.0])):
        assert repr(GammaGammaModel.from_dict(model.to_dict())) == repr(model)


def test_bad_input_is_named_by_row() -> None:
    with pytest.raises(BadRows, match=r"frequency: not a finite count from 0 in 1 row \[1\]"):
        GammaGamma().fit([1, -1], [5.0, 5.0])
    with pytest.raises(BadRows, match="mean_spend: not finite"):
        GammaGamma().fit([1, 2], [5.0, np.inf])
    with pytest.raises(EmptyInput, match="repeat customers"):
        GammaGamma().fit([0, 0], [0.0, 0.0])
    with pytest.raises(OutOfRange):
        GammaGamma().fit([1, 2], [5.0])
    with pytest.raises(UnknownName, match="power"):
        GammaGamma(dependence="powr")


def test_contribution_may_be_negative_and_refuses_percent() -> None:
    assert contribution([10.0], margin=-0.1, cost_per_order=1).tolist() == [-2.0]
    for wrong in ({"margin": 30}, {"cost_per_order": -1}, {"margin": [0.1, 0.2, 0.3]}):
        with pytest.raises(CrmError):
            contribution([1.0, 2.0], **wrong)  # type: ignore[arg-type]


def test_html_is_small_and_frame_has_the_parameters() -> None:
    model = GammaGamma().fit(*_world(100, 12))
    assert "<script" not in model._repr_html_()
    assert len(model._repr_html_()) < 6000
    assert len(model.to_frame()) == 3


def test_a_95_percent_interval_of_a_parameter_is_1_96_standard_errors_wide() -> None:
    rng = np.random.default_rng(3)
    x = rng.integers(1, 8, 3000)
    model = GammaGamma().fit(x, rng.gamma(6.0 * x, 1 / (rng.gamma(4, 1 / 15, 3000) * x)))
    assert model.covariance is not None
    row = model.parameters_table(level=0.95)[0]
    assert np.log(row.high / row.value) == pytest.approx(1.959964 * np.sqrt(model.covariance[0][0]), rel=1e-6)
