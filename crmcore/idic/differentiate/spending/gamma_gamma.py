"""Gamma-Gamma: expected spend per order of each customer (Fader and Hardie 2013, note 025).

Orders of a customer are Gamma(p, v); v differs between customers as Gamma(q, gamma). With x orders of mean z
the density of z is  Gamma(px+q) / (Gamma(px) Gamma(q)) * gamma^q z^(px-1) x^(px) / (gamma + x z)^(px+q), and the
expected mean spend of this customer is  p (gamma + x z) / (p x + q - 1).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, number_text, one_of
from crmcore.errors import BadDocument, EmptyInput
from crmcore.idic.differentiate.spending.dependence import Dependence, spend_dependence
from crmcore.idic.differentiate.spending.likelihood import Sample, maximise
from crmcore.metrics.columns import numbers, refuse, same_length
from crmcore.metrics.estimates import Estimate, frame_of
from crmcore.metrics.wald import standard_errors, wald_estimates

__all__ = ["GammaGamma", "GammaGammaModel"]

Floats = NDArray[np.float64]
NAMES = ("p", "q", "gamma")


@attrs.frozen(kw_only=True)
class GammaGamma:
    """Recipe of the spend model.

    Parameters
    ----------
    dependence : {"independent", "power"}
        "power" lets spend grow as frequency to a power, estimated by regression of the logarithms; the model then
        describes spend / frequency**power.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = rng.integers(1, 6, 2000)
    >>> z = rng.gamma(6 * x, 1 / (rng.gamma(4, 1 / 15, 2000) * x))
    >>> model = GammaGamma().fit(x, z)
    >>> 27 < model.mean_spend < 33    # the truth is 6 * 15 / (4 - 1) = 30
    True
    """

    dependence: str = attrs.field(
        default="independent", validator=one_of(("independent", "power"), what="dependence of spend on frequency")
    )

    def fit(
        self, frequency: ArrayLike, mean_spend: ArrayLike, /, *, weights: ArrayLike | None = None
    ) -> GammaGammaModel:
        """Maximum likelihood.

        Parameters
        ----------
        frequency : (n,) counts
            Repeat orders; rows of 0 say nothing about spend and are left out (counted in `left_out`).
        mean_spend : (n,) money
            Mean of those orders. Rows with frequency above 0 and a mean of 0 or below (orders returned in full) lie
            outside a model of positive spend: they are left out and counted.
        weights : (n,) customers, optional
            That each row stands for.

        Raises
        ------
        BadRows
            NaN, infinite or negative frequencies and weights, spend that is not finite where frequency is above 0.
        EmptyInput
            No row with a positive frequency and a positive mean.
        """
        x, z = numbers("frequency", frequency), numbers("mean_spend", mean_spend)
        w = np.ones(len(x)) if weights is None else numbers("weights", weights)
        same_length("GammaGamma.fit", frequency=x, mean_spend=z, weights=w)
        refuse(
            "GammaGamma.fit",
            "frequency counts repeat orders, from 0; mean_spend is their mean, in one currency",
            frequency=(~(np.isfinite(x) & (x >= 0)), "not a finite count from 0"),
            weights=(~(np.isfinite(w) & (w >= 0)), "not a finite number from 0"),
            mean_spend=((x > 0) & ~np.isfinite(z), "not finite"),
        )
        keep = (x > 0) & (z > 0) & (w > 0)
        if not keep.any():
            raise EmptyInput("the spend of repeat customers", "pass customers with at least one repeat order above 0")
        left_out = round(float(w[~keep].sum()))
        x, z, w = x[keep], z[keep], w[keep]
        test = spend_dependence(x, z, w)
        power = test.slope if self.dependence == "power" and math.isfinite(test.slope) else 0.0
        level = z / x**power if power else z
        scale = float(np.average(level, weights=w))
        centre = float(np.average(z, weights=w))
        found = maximise(Sample.of(x, level / scale, w))
        theta = found.parameters * np.array([1.0, 1.0, scale])
        loglik = found.log_likelihood - float(w.sum()) * math.log(scale) - power * float(np.sum(w * np.log(x)))
        return GammaGammaModel(
            p=float(theta[0]),
            q=float(theta[1]),
            gamma=float(theta[2]),
            covariance=None if found.covariance is None else tuple(map(tuple, found.covariance.tolist())),
            log_likelihood=loglik,
            n=round(float(w.sum())),
            left_out=left_out,
            observed_mean=centre,
            observed_error=math.sqrt(float(np.average((z - centre) ** 2, weights=w)) / float(w.sum())),
            power=power,
            log_frequency=float(np.average(np.log(x), weights=w)),
            dependence=test,
            boundary=found.boundary,
        )


@attrs.frozen(kw_only=True, repr=False)
class GammaGammaModel:
    """Fitted spend model: plain numbers.

    Attributes
    ----------
    p, q, gamma : positive numbers
        Shape of orders, shape and rate (money) of the mixing distribution.
    covariance : 3 x 3, optional
        Of (log p, log q, log gamma); None at a boundary.
    observed_mean : money
        Mean over customers of their mean spend: what stands in for the population mean when q <= 1.
    observed_error : money
        Standard error of `observed_mean`: how well spend is known where the parameters cannot say it.
    left_out : count
        Customers without a repeat order or with a mean of 0 or below.
    power : number
        Spend grows as frequency to this power; 0 unless asked for.
    """

    p: float
    q: float
    gamma: float
    covariance: tuple[tuple[float, ...], ...] | None
    log_likelihood: float
    n: int
    left_out: int
    observed_mean: float
    power: float
    log_frequency: float
    dependence: Dependence
    boundary: bool
    observed_error: float = 0.0

    def __repr__(self) -> str:
        numbers_ = ", ".join(f"{k} = {number_text(getattr(self, k))}" for k in NAMES)
        return f"GammaGammaModel({numbers_}, n = {self.n})"

    def __str__(self) -> str:
        return f"Gamma-Gamma of {self.n} repeat customers; " + "; ".join(self.notes)

    @property
    def infinite_mean(self) -> bool:
        """Whether q <= 1: the tail is so heavy that the population mean does not exist."""
        return self.q <= 1.0

    @property
    def mean_spend(self) -> float:
        """Expected spend per order of a customer of whom nothing is known: p gamma / (q - 1).

        Where q <= 1 this mean is infinite and the observed mean over customers is returned (see `notes`).
        """
        if self.infinite_mean:
            return self.observed_mean
        mean = self.p * self.gamma / (self.q - 1.0)
        return mean * math.exp(self.power * self.log_frequency)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know, in words."""
        said = [f"mean spend {number_text(self.mean_spend)}", self.dependence.note]
        if self.infinite_mean:
            said.append("q <= 1: the model's population mean is infinite; the observed mean over customers stands in")
        if self.boundary:
            said.append("the optimum lies at a boundary (spend hardly varies, or few customers): no standard errors")
        if self.left_out:
            said.append(f"{self.left_out} customers without positive repeat spend were left out of the fit")
        return tuple(said)

    def vector(self) -> Floats:
        """(3,) log p, log q, log gamma: the scale of `covariance`."""
        return np.log([self.p, self.q, self.gamma])

    def with_vector(self, vector: Floats, /) -> GammaGammaModel:
        """The same model at other (log) parameters."""
        p, q, gamma = np.exp(vector).tolist()
        return attrs.evolve(self, p=p, q=q, gamma=gamma)

    def expected(self, frequency: ArrayLike, mean_spend: ArrayLike, /) -> Floats:
        """Expected spend per order of each customer, given what was seen.

        Customers without positive repeat spend get `mean_spend`; where p x + q <= 1 the posterior mean does not
        exist either and the customer's own mean is returned.

        Examples
        --------
        >>> truth = GammaGamma().fit([1, 2, 3, 4], [10.0, 12, 9, 11]).with_vector(np.log([6.25, 3.74, 15.44]))
        >>> truth.expected([2, 1], [22.35, 11.77]).round(2).tolist()
        [24.66, 18.92]
        """
        x, z = numbers("frequency", frequency), numbers("mean_spend", mean_spend)
        same_length("expected", frequency=x, mean_spend=z)
        seen = (x > 0) & (z > 0)
        out = np.full(len(x), self.mean_spend)
        xs, zs = x[seen], z[seen]
        lift = xs**self.power
        below = self.p * xs + self.q - 1.0
        mean = self.p * (self.gamma + xs * zs / lift) / np.where(below > 0, below, 1.0) * lift
        out[seen] = np.where(below > 1e-9, mean, zs)
        return out

    def draw(self, frequency: ArrayLike, mean_spend: ArrayLike, /, *, rng: np.random.Generator) -> Floats:
        """One draw of each customer's true mean spend from its posterior: p / v, v ~ Gamma(px+q, gamma+xz)."""
        x, z = numbers("frequency", frequency), numbers("mean_spend", mean_spend)
        seen = (x > 0) & (z > 0)
        lift = np.where(seen, np.where(seen, x, 1.0) ** self.power, math.exp(self.power * self.log_frequency))
        shape = np.where(seen, self.p * x, 0.0) + self.q
        rate = self.gamma + np.where(seen, x * z, 0.0) / lift
        return np.asarray(self.p * rate / rng.gamma(shape) * lift)

    def parameters_table(self, *, level: float = 0.95) -> tuple[Estimate, ...]:
        """p, q and gamma with log-normal Wald intervals; NaN ends at a boundary."""
        return wald_estimates({k: getattr(self, k) for k in NAMES}, self.covariance, n=self.n, level=level)

    @property
    def standard_errors(self) -> dict[str, float]:
        """Of p, q and gamma on their own scale (delta method); NaN at a boundary."""
        return standard_errors({k: getattr(self, k) for k in NAMES}, self.covariance)

    def to_frame(self, *, level: float = 0.95, backend: Any = None) -> Any:
        """Parameters with intervals, one a row."""
        return frame_of([attrs.asdict(e) for e in self.parameters_table(level=level)], backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"parameter": e.rule, "value": e.value, "low": e.low, "high": e.high} for e in self.parameters_table()]
        return html_table(rows, caption=str(self))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        from crmcore.documents import to_dict

        return {"model": "gamma-gamma", **to_dict(self)}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> GammaGammaModel:
        """Read what `to_dict` wrote."""
        from crmcore.documents import from_dict

        if document.get("model") != "gamma-gamma":
            raise BadDocument("GammaGammaModel", ("model: expected 'gamma-gamma'",), "pass what to_dict wrote")
        return from_dict(cls, {k: v for k, v in document.items() if k != "model"})
