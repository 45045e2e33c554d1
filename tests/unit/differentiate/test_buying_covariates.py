"""Covariates of Pareto/NBD: planted effects are found, noise is not, and bad columns are refused."""

from __future__ import annotations

import numpy as np
import pytest

from crmcore.errors import EmptyInput, MissingColumn, OutOfRange
from crmcore.idic.differentiate.buying import BuyingModel, CovariateModel, Purchases, fit_covariates, simulate_cohort


def cohort(alpha: float, n: int, seed: int) -> Purchases:
    truth = BuyingModel(
        model="pareto", k=1, theta=tuple(np.log([0.9, alpha, 0.7, 15.0])), covariance=None, log_likelihood=0.0, n=1,
        unit="week",
    )  # fmt: skip
    return simulate_cohort(truth, n, age=52, ahead=1, seed=seed).purchases


@pytest.fixture(scope="module")
def mixed() -> tuple[Purchases, dict[str, np.ndarray]]:
    slow, fast = cohort(12.0, 900, 1), cohort(12.0 / np.exp(0.8), 900, 2)
    parts = [[getattr(p, k)[p.row] for p in (slow, fast)] for k in ("frequency", "recency", "age")]
    seen = Purchases.of(*(np.concatenate(c) for c in parts))
    return seen, {"fast": np.repeat([0.0, 1.0], 900), "coin": np.arange(1800) % 2}


def test_a_planted_effect_is_found_and_a_coin_tells_nothing(mixed: tuple[Purchases, dict[str, np.ndarray]]) -> None:
    model = fit_covariates(*mixed)
    found = {e.rule: e for e in model.coefficients(level=0.99)}
    assert found["trans fast"].low < 0.8 < found["trans fast"].high
    assert found["trans fast"].low > 0.3
    assert found["trans coin"].low < 0 < found["trans coin"].high
    assert model.p_value < 1e-6
    assert CovariateModel.from_dict(model.to_dict()) == model
    assert "Pareto/NBD of 1,800 customers with fast, coin" in str(model)


def test_forecasts_follow_the_covariates(mixed: tuple[Purchases, dict[str, np.ndarray]]) -> None:
    seen, covariates = mixed
    model = fit_covariates(seen, covariates)
    ahead, alive = model.expected(seen, covariates, horizon=26), model.p_alive(seen, covariates)
    assert ((alive > 0) & (alive <= 1)).all()
    same = (seen.frequency[seen.row] == 0) & (covariates["coin"] == 0)
    assert ahead[same & (covariates["fast"] == 1)].mean() != ahead[same & (covariates["fast"] == 0)].mean()
    with pytest.raises(MissingColumn, match="coin"):
        model.expected(seen, {"fast": covariates["fast"]}, horizon=26)
    with pytest.raises(OutOfRange):
        model.expected(seen, covariates, horizon=0)


def test_columns_that_tell_nothing_are_refused(mixed: tuple[Purchases, dict[str, np.ndarray]]) -> None:
    seen, _ = mixed
    with pytest.raises(EmptyInput):
        fit_covariates(seen, {})
    with pytest.raises(OutOfRange, match="same for all"):
        fit_covariates(seen, {"one": np.ones(1800)})
    with pytest.raises(OutOfRange, match="one a customer"):
        fit_covariates(seen, {"few": [0.0, 1.0]})
    with pytest.raises(OutOfRange, match="one a customer"):
        fit_covariates(seen, {"gap": np.where(np.arange(1800) == 3, np.nan, np.arange(1800) % 2)})
