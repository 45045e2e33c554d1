"""Covariates: planted effects are found, noise is not, and bad columns are refused."""

from __future__ import annotations

import numpy as np
import pytest

from crmcore.errors import EmptyInput, MissingColumn, OutOfRange, UnknownName
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


def geometric(model: str, n: int, *, seed: int) -> tuple[Purchases, dict[str, np.ndarray]]:
    """Two groups: the second buys exp(0.6) times as often, and its odds of leaving are exp(1) times as high."""
    parts = []
    for i, (buys, leaves) in enumerate(((0.0, 0.0), (0.6, 1.0))):
        at = np.log([0.8, 8.0, 0.9, 3.0]) + np.array([0.0, -buys, leaves / 2, -leaves / 2])
        truth = BuyingModel(
            model=model, k=1, theta=tuple(at), covariance=None, log_likelihood=0.0, n=1, unit="week"
        )  # fmt: skip
        seen = simulate_cohort(truth, n, age=60, ahead=1, seed=seed + i).purchases
        parts.append([getattr(seen, k)[seen.row] for k in ("frequency", "recency", "age")])
    return Purchases.of(*(np.concatenate(c) for c in zip(*parts, strict=True))), {"club": np.repeat([0.0, 1.0], n)}


@pytest.mark.parametrize("name", ["bg", "mbg"])
def test_planted_effects_on_buying_and_leaving_are_found(name: str) -> None:
    seen, covariates = geometric(name, 2500, seed=5)
    model = fit_covariates(seen, covariates, model=name)
    found = {e.rule: e for e in model.coefficients(level=0.99)}
    assert found["trans club"].low < 0.6 < found["trans club"].high
    assert found["trans club"].low > 0.2
    assert found["life club"].low < 1.0 < found["life club"].high
    assert found["life club"].low > 0
    assert model.p_value < 1e-6
    assert str(model).startswith({"bg": "BG/NBD of 5,000", "mbg": "MBG/NBD of 5,000"}[name])
    assert CovariateModel.from_dict(model.to_dict()) == model
    assert list(model.parameters) == ["r", "alpha", "a", "b", "trans club", "life club"]


@pytest.mark.parametrize("name", ["bg", "mbg", "pareto"])
def test_a_customer_with_covariates_is_one_of_a_model_with_his_parameters(name: str) -> None:
    seen, _ = geometric("mbg", 150, seed=9)
    rng = np.random.default_rng(2)
    z = {"one": rng.integers(0, 2, len(seen)).astype(float), "two": rng.normal(size=len(seen))}
    model = fit_covariates(seen, z, model=name)
    ahead, alive = model.expected(seen, z, horizon=20), model.p_alive(seen, z)
    for i in (0, 7, 160, 299):
        shift = [sum(model.parameters[f"{part} {k}"] * z[k][i] for k in z) for part in ("trans", "life")]
        moves = [0, -shift[0], 0, -shift[1]] if name == "pareto" else [0, -shift[0], shift[1] / 2, -shift[1] / 2]
        own = BuyingModel(
            model=name, k=1, theta=tuple(np.array(model.theta[:4]) + moves), covariance=None, log_likelihood=0.0,
            n=1, unit="week",
        )  # fmt: skip
        row = [[float(c[seen.row[i]])] for c in (seen.frequency, seen.recency, seen.age)]
        assert ahead[i] == pytest.approx(own.expected(*row, horizon=20)[0], rel=1e-9)
        assert alive[i] == pytest.approx(own.p_alive(*row)[0], rel=1e-9)


def test_the_order_of_customers_and_the_unit_of_a_covariate_do_not_matter() -> None:
    seen, covariates = geometric("bg", 250, seed=21)
    model = fit_covariates(seen, covariates, model="bg")
    turned = np.random.default_rng(1).permutation(len(seen))
    other = fit_covariates(seen.take(turned), {"club": covariates["club"][turned] * 10}, model="bg")
    assert other.log_likelihood == pytest.approx(model.log_likelihood, abs=1e-6)
    assert other.parameters["life club"] * 10 == pytest.approx(model.parameters["life club"], abs=1e-3)


def test_a_model_that_takes_no_covariates_and_purchases_of_another_time_are_refused() -> None:
    seen, covariates = geometric("bg", 100, seed=3)
    with pytest.raises(UnknownName, match="model with covariates"):
        fit_covariates(seen, covariates, model="nbd")
    model = fit_covariates(seen, covariates, model="bg")
    days = Purchases.of([1], [2], [3], unit="day")
    with pytest.raises(OutOfRange, match="read the purchases in that time"):
        model.expected(days, {"club": [1.0]}, horizon=3)
