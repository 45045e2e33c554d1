"""BG/NBD, MBG/NBD and Pareto/NBD where what is known of customers moves how often they buy and how soon they leave."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, number_text
from crmcore.documents import Document
from crmcore.errors import EmptyInput, MissingColumn, OutOfRange, UnknownName
from crmcore.idic.differentiate.buying import erlang, forecasting, pareto
from crmcore.idic.differentiate.buying.model import DROPOUT, NAMES, TITLES, RepeatBuying
from crmcore.idic.differentiate.buying.purchases import Purchases
from crmcore.idic.differentiate.buying.season import SeasonIndex
from crmcore.idic.differentiate.contracts.fitting import fit_log
from crmcore.metrics.columns import numbers
from crmcore.metrics.estimates import Estimate, frame_of
from crmcore.metrics.wald import wald_estimates

__all__ = ["CovariateModel", "fit_covariates"]

Floats = NDArray[np.float64]
MOVABLE = ("bg", "mbg", "pareto")


@attrs.frozen(kw_only=True, repr=False)
class CovariateModel(Document):
    """A repeat-buying model with static covariates; plain numbers.

    A customer with covariates z buys at the rate of alpha exp(-trans z). Under Pareto/NBD he leaves at that of beta
    exp(-life z); under BG/NBD and MBG/NBD with probability Beta(a exp(life z / 2), b exp(-life z / 2)), whose odds
    a / b are exp(life z) times as high. Above 0, a coefficient means buying more often, or leaving sooner (Fader and
    Hardie 2007, note 019; their two coefficients on a and b are one here, so that it can be read).

    Attributes
    ----------
    names : covariates
    model : {"bg", "mbg", "pareto"}
    theta : log r, log alpha, log s (or a), log beta (or b), then the coefficients on buying, then those on leaving
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
    model: str = "pareto"
    calendar: SeasonIndex | None = None

    @property
    def title(self) -> str:
        """Name as the literature writes it."""
        return TITLES[self.model]

    @property
    def base(self) -> tuple[str, ...]:
        """Names of the parameters without covariates."""
        return NAMES[self.model]

    @property
    def parameters(self) -> Mapping[str, float]:
        """Of a customer whose covariates are all 0, and the coefficients."""
        base = dict(zip(self.base, np.exp(self.theta[:4]).tolist(), strict=True))
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
        every = wald_estimates(self.parameters, self.covariance, n=self.n, level=level, log_scale=False)
        return every[len(self.base) :]

    def __str__(self) -> str:
        told = "; ".join(f"{e.rule} {e}" for e in self.coefficients())
        gain = f"log-likelihood {self.log_likelihood:,.2f}, {self.without:,.2f} without (p {self.p_value:.2g})"
        return f"{self.title} of {self.n:,} customers with {', '.join(self.names)}: {gain}; {told}"

    def __repr__(self) -> str:
        told = ", ".join(f"{k} = {number_text(v)}" for k, v in self.parameters.items())
        return f"CovariateModel({told})"

    def _rows(
        self, purchases: Purchases, covariates: Mapping[str, ArrayLike]
    ) -> tuple[forecasting.Values, Floats, Floats, Floats]:
        """Parameters of each customer, and frequency, recency and age."""
        if (purchases.unit, purchases.calendar) != (self.unit, self.calendar):
            got, allowed = ((c.unit, str(c.calendar or "no calendar")) for c in (purchases, self))
            raise OutOfRange("unit, calendar", got, f"{allowed}, as the model", "read the purchases in that time")
        z = _matrix(covariates, self.names, len(purchases))
        x, t, end = (c[purchases.row] for c in (purchases.frequency, purchases.recency, purchases.age))
        return _moved(np.array(self.theta), z, self.model), x, t, end

    def expected(self, purchases: Purchases, covariates: Mapping[str, ArrayLike], /, *, horizon: float) -> Floats:
        """(n,) purchases expected of each customer in the next `horizon` units."""
        if not 0 < horizon < math.inf:
            raise OutOfRange("horizon", horizon, "a finite number above 0", "in the unit of the model")
        p, x, t, end = self._rows(purchases, covariates)
        return forecasting.expected(self.model, 1, p, x, t, end, purchases.ahead(horizon))

    def p_alive(self, purchases: Purchases, covariates: Mapping[str, ArrayLike], /) -> Floats:
        """(n,) probability that each customer has not left."""
        p, x, t, end = self._rows(purchases, covariates)
        return forecasting.p_alive(self.model, 1, p, x, t, end, 0.0)

    def to_frame(self, *, backend: Any = None) -> Any:
        """Coefficients with intervals, one a row."""
        return frame_of([attrs.asdict(e) for e in self.coefficients()], backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"coefficient": e.rule, "value": e.value, "low": e.low, "high": e.high} for e in self.coefficients()]
        return html_table(rows, caption=repr(self))


def fit_covariates(
    purchases: Purchases, covariates: Mapping[str, ArrayLike], /, *, model: str = "pareto"
) -> CovariateModel:
    """Fit a model with static covariates by maximum likelihood.

    Parameters
    ----------
    purchases : Purchases
    covariates : name -> (n,) numbers
        Of each customer, in the order of `purchases`; 0 and 1 for yes and no, none missing.
    model : {"bg", "mbg", "pareto"}

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
    if model not in MOVABLE:
        raise UnknownName("model with covariates", model, MOVABLE)
    names = tuple(covariates)
    if not names:
        raise EmptyInput("covariates", "without any, use RepeatBuying(model='pareto')")
    z = _matrix(covariates, names, len(purchases))
    flat = [n for n, column in zip(names, z.T, strict=True) if column.std() == 0]
    if flat:
        raise OutOfRange(f"covariate {flat[0]!r}", "the same for all", "one that varies", "leave it out")
    base = RepeatBuying(model=model).fit(purchases)
    likelihood = _likelihood(model, purchases, z)
    found = fit_log(likelihood, np.concatenate([np.array(base.theta), np.zeros(2 * len(names))]))
    rates = 0.0 if purchases.log_rates is None else float(purchases.log_rates.sum())
    return CovariateModel(
        names=names, theta=tuple(found.theta.tolist()), covariance=found.covariance,
        log_likelihood=found.log_likelihood + rates, without=base.log_likelihood, n=len(purchases),
        unit=purchases.unit, model=model, calendar=purchases.calendar,
    )  # fmt: skip


def _likelihood(model: str, purchases: Purchases, z: Floats) -> Callable[[Floats], tuple[float, Floats]]:
    """Value and gradient in the log parameters and the coefficients."""
    x, t, end = (c[purchases.row] for c in (purchases.frequency, purchases.recency, purchases.age))
    rows = pareto.Sample(x=x, t=t, end=end, weight=np.ones(len(x)))
    sample = erlang.Sample.each(x, t, end)

    def pareto_rows(theta: Floats) -> tuple[float, Floats]:
        r, alpha, s, beta = _moved(theta, z, model)
        value, slopes = pareto.row_likelihood(r, alpha, s, beta, rows)
        return float(value.sum()), np.concatenate([slopes.sum(axis=1), -z.T @ slopes[1], -z.T @ slopes[3]])

    def geometric_rows(theta: Floats) -> tuple[float, Floats]:
        r, alpha, a, b = _moved(theta, z, model)
        value, slopes = erlang.row_likelihood(r, alpha, a, b, sample=sample, dropout=DROPOUT[model], k=1)
        life = z.T @ (slopes[2] - slopes[3]) / 2
        return float(value.sum()), np.concatenate([slopes.sum(axis=1), -z.T @ slopes[1], life])

    return pareto_rows if model == "pareto" else geometric_rows


def _moved(theta: Floats, z: Floats, model: str) -> forecasting.Values:
    """Parameters of each customer."""
    k = z.shape[1]
    r, alpha, third, fourth = np.exp(theta[:4]).tolist()
    buys, leaves = np.exp(-z @ theta[4 : 4 + k]), np.exp(-z @ theta[4 + k :])
    if model == "pareto":
        return r, alpha * buys, third, fourth * leaves
    return r, alpha * buys, third / np.sqrt(leaves), fourth * np.sqrt(leaves)


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
