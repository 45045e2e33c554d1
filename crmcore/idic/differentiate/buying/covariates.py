"""Pareto/NBD where what is known of customers moves how often they buy and how soon they leave."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, number_text
from crmcore.documents import Document
from crmcore.errors import EmptyInput, MissingColumn, OutOfRange
from crmcore.idic.differentiate.buying import forecasting, pareto
from crmcore.idic.differentiate.buying.model import RepeatBuying
from crmcore.idic.differentiate.buying.purchases import Purchases
from crmcore.idic.differentiate.contracts.fitting import fit_log
from crmcore.metrics.columns import numbers
from crmcore.metrics.estimates import Estimate, check_level, estimate_of, frame_of
from crmcore.metrics.intervals import normal_quantile

__all__ = ["CovariateModel", "fit_covariates"]

Floats = NDArray[np.float64]


@attrs.frozen(kw_only=True, repr=False)
class CovariateModel(Document):
    """Pareto/NBD with static covariates; plain numbers.

    A customer with covariates z buys at the rate of alpha exp(-trans z) and leaves at that of beta exp(-life z): above
    0, a coefficient means buying more often, or leaving sooner (Fader and Hardie 2007, note 019).

    Attributes
    ----------
    names : covariates
    theta : log r, log alpha, log s, log beta, then the coefficients on buying, then those on leaving
    covariance : of theta; None at a boundary
    log_likelihood, without : with the covariates, and without any
    """

    names: tuple[str, ...]
    theta: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...] | None
    log_likelihood: float
    without: float
    n: int
    unit: str

    @property
    def parameters(self) -> Mapping[str, float]:
        """r, alpha, s, beta of a customer whose covariates are all 0, and the coefficients."""
        base = dict(zip(("r", "alpha", "s", "beta"), np.exp(self.theta[:4]).tolist(), strict=True))
        k = len(self.names)
        trans = {f"trans {n}": v for n, v in zip(self.names, self.theta[4 : 4 + k], strict=True)}
        life = {f"life {n}": v for n, v in zip(self.names, self.theta[4 + k :], strict=True)}
        return {**base, **trans, **life}

    @property
    def p_value(self) -> float:
        """Likelihood-ratio test against the model without covariates: chi-squared with 2 degrees a covariate."""
        from scipy.special import chdtrc

        return float(chdtrc(2 * len(self.names), max(2 * (self.log_likelihood - self.without), 0.0)))

    def coefficients(self, *, level: float = 0.95) -> tuple[Estimate, ...]:
        """Coefficients with Wald intervals: first on buying, then on leaving; NaN ends at a boundary."""
        check_level(level)
        z, out = normal_quantile(level), []
        for i, (name, value) in enumerate(list(self.parameters.items())[4:], start=4):
            se = math.nan if self.covariance is None else math.sqrt(max(self.covariance[i][i], 0.0))
            out.append(
                estimate_of(value, value - z * se, value + z * se, level=level, n=self.n, rule=name, method="wald")
            )
        return tuple(out)

    def __str__(self) -> str:
        told = "; ".join(f"{e.rule} {e}" for e in self.coefficients())
        gain = f"log-likelihood {self.log_likelihood:,.2f}, {self.without:,.2f} without (p {self.p_value:.2g})"
        return f"Pareto/NBD of {self.n:,} customers with {', '.join(self.names)}: {gain}; {told}"

    def __repr__(self) -> str:
        told = ", ".join(f"{k} = {number_text(v)}" for k, v in self.parameters.items())
        return f"CovariateModel({told})"

    def _rates(self, covariates: Mapping[str, ArrayLike], n: int) -> tuple[float, Floats, float, Floats]:
        z = _matrix(covariates, self.names, n)
        r, alpha, s, beta = np.exp(self.theta[:4]).tolist()
        k = len(self.names)
        return (
            r, alpha * np.exp(-z @ np.array(self.theta[4 : 4 + k])), s,
            beta * np.exp(-z @ np.array(self.theta[4 + k :])),
        )  # fmt: skip

    def expected(self, purchases: Purchases, covariates: Mapping[str, ArrayLike], /, *, horizon: float) -> Floats:
        """(n,) purchases expected of each customer in the next `horizon` units."""
        if not 0 < horizon < math.inf:
            raise OutOfRange("horizon", horizon, "a finite number above 0", "in the unit of the model")
        r, alpha, s, beta = self._rates(covariates, len(purchases))
        x, t, end = (c[purchases.row] for c in (purchases.frequency, purchases.recency, purchases.age))
        now = forecasting.pareto_alive(r, alpha, s, beta, x, t, end)
        return now * (r + x) / (alpha + end) * forecasting.time_alive(s, beta + end, horizon)

    def p_alive(self, purchases: Purchases, covariates: Mapping[str, ArrayLike], /) -> Floats:
        """(n,) probability that each customer has not left."""
        r, alpha, s, beta = self._rates(covariates, len(purchases))
        x, t, end = (c[purchases.row] for c in (purchases.frequency, purchases.recency, purchases.age))
        return forecasting.pareto_alive(r, alpha, s, beta, x, t, end)

    def to_frame(self, *, backend: Any = None) -> Any:
        """Coefficients with intervals, one a row."""
        return frame_of([attrs.asdict(e) for e in self.coefficients()], backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"coefficient": e.rule, "value": e.value, "low": e.low, "high": e.high} for e in self.coefficients()]
        return html_table(rows, caption=repr(self))


def fit_covariates(purchases: Purchases, covariates: Mapping[str, ArrayLike], /) -> CovariateModel:
    """Fit Pareto/NBD with static covariates by maximum likelihood.

    Parameters
    ----------
    purchases : Purchases
    covariates : name -> (n,) numbers
        Of each customer, in the order of `purchases`; 0 and 1 for yes and no, none missing.

    Raises
    ------
    EmptyInput, OutOfRange
        No covariates; one that is the same for all, missing, or of another length.

    Examples
    --------
    >>> from crmcore.idic.differentiate.buying import BuyingModel, simulate_cohort
    >>> truth = BuyingModel(
    ...     model="pareto", k=1, theta=tuple(np.log([0.8, 9.0, 0.7, 12.0])), covariance=None, log_likelihood=0.0,
    ...     n=1, unit="week",
    ... )
    >>> seen = simulate_cohort(truth, 600, age=52, ahead=1, seed=1).purchases
    >>> model = fit_covariates(seen, {"coin": np.arange(600) % 2})
    >>> model.p_value > 0.01    # a coin tells nothing
    True
    """
    names = tuple(covariates)
    if not names:
        raise EmptyInput("covariates", "without any, use RepeatBuying(model='pareto')")
    z = _matrix(covariates, names, len(purchases))
    flat = [n for n, column in zip(names, z.T, strict=True) if column.std() == 0]
    if flat:
        raise OutOfRange(f"covariate {flat[0]!r}", "the same for all", "one that varies", "leave it out")
    base = RepeatBuying(model="pareto").fit(purchases)
    r = purchases.row
    rows = pareto.Sample(
        x=purchases.frequency[r], t=purchases.recency[r], end=purchases.age[r], weight=np.ones(len(purchases))
    )
    k = len(names)

    def likelihood(theta: Floats) -> tuple[float, Floats]:
        shape, alpha, s, beta = np.exp(theta[:4]).tolist()
        buys, leaves = np.exp(-z @ theta[4 : 4 + k]), np.exp(-z @ theta[4 + k :])
        value, slopes = pareto.row_likelihood(shape, alpha * buys, s, beta * leaves, rows)
        return float(value.sum()), np.concatenate([slopes.sum(axis=1), -z.T @ slopes[1], -z.T @ slopes[3]])

    found = fit_log(likelihood, np.concatenate([np.array(base.theta), np.zeros(2 * k)]))
    return CovariateModel(
        names=names, theta=tuple(found.theta.tolist()), covariance=found.covariance,
        log_likelihood=found.log_likelihood, without=base.log_likelihood, n=len(purchases), unit=purchases.unit,
    )  # fmt: skip


def _matrix(covariates: Mapping[str, ArrayLike], names: tuple[str, ...], n: int) -> Floats:
    columns = []
    for name in names:
        if name not in covariates:
            raise MissingColumn(name, tuple(covariates), "the covariates")
        column = numbers(name, covariates[name], infinite_ok=False)
        if len(column) != n or np.isnan(column).any():
            raise OutOfRange(
                f"covariate {name!r}", f"{len(column)} values", f"{n} known ones, one a customer", "fill gaps"
            )
        columns.append(column)
    return np.stack(columns, axis=1)
