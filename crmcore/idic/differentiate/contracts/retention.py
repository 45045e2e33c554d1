"""Shifted beta-geometric and beta-discrete-Weibull: how long contracts run.

Each customer has a churn probability of his own, Beta(alpha, beta) among customers. The share alive after renewal t is
S(t) = B(alpha, beta + t^c) / B(alpha, beta); c = 1 is the shifted beta-geometric (Fader and Hardie 2007), c above 1
lets a customer's own churn grow with age, c below 1 shrink (beta-discrete-Weibull, Fader, Hardie and others 2018).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, psi

from crmcore._base import html_table, number_text, one_of
from crmcore.errors import BadDocument, EmptyInput, OutOfRange
from crmcore.idic.differentiate.contracts.counts import ContractCounts
from crmcore.idic.differentiate.contracts.fitting import draws, fit_log
from crmcore.metrics.columns import not_negative, numbers
from crmcore.metrics.estimates import Estimate, check_level, estimate_of

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["ContractModel", "ShiftedBeta"]

Floats = NDArray[np.float64]
_TAIL = 1e-10


@attrs.frozen(kw_only=True)
class ShiftedBeta:
    """Recipe of a contract model.

    Parameters
    ----------
    ageing : {"none", "weibull"}
        "none" is the shifted beta-geometric; "weibull" adds c, the beta-discrete-Weibull.

    Examples
    --------
    >>> high_end = ContractCounts.of([131, 126, 90, 60, 42, 34, 26], survivors=491)
    >>> ShiftedBeta().fit(high_end)
    ContractModel(alpha = 0.668, beta = 3.81, c = 1, n = 1000)
    """

    ageing: str = attrs.field(default="none", validator=one_of(("none", "weibull"), what="ageing"))

    def fit(self, counts: ContractCounts, /) -> ContractModel:
        """Maximum likelihood.

        Raises
        ------
        EmptyInput
            No contract was lost, or none is there: churn cannot be estimated.
        """
        lost, running = counts.columns()
        if lost.sum() <= 0:
            raise EmptyInput(
                "contracts that ended", "wait for the first losses: without them churn is only below a bound"
            )

        def likelihood(theta: Floats) -> tuple[float, Floats]:
            full = theta if self.ageing == "weibull" else np.append(theta, 0.0)
            value, slope = log_likelihood(full, lost, running)
            return value, slope[: len(theta)]

        found = fit_log(likelihood, np.zeros(3 if self.ageing == "weibull" else 2))
        alpha, beta, *rest = np.exp(found.theta).tolist()
        return ContractModel(
            alpha=alpha,
            beta=beta,
            c=rest[0] if rest else 1.0,
            covariance=found.covariance,
            log_likelihood=found.log_likelihood,
            n=counts.n,
        )


def log_likelihood(theta: Floats, lost: Floats, running: Floats, /) -> tuple[float, Floats]:
    """Value and gradient in log (alpha, beta, c)."""
    a, b, c = np.exp(theta)
    t = np.arange(len(lost) + 1, dtype=np.float64)
    u = t**c
    u[0] = 0.0
    log_s = betaln(a, b + u) - betaln(a, b)
    both = psi(a + b + u)
    steep = psi(b + u) - both
    grown = np.where(t > 0, u * np.log(np.where(t > 0, t, 1.0)), 0.0)
    d_log_s = np.stack([psi(a + b) - both, steep - psi(b) + psi(a + b), steep * grown]) * np.array([[a], [b], [c]])
    gap = np.minimum(log_s[1:] - log_s[:-1], -1e-300)
    log_lost = log_s[:-1] + np.log(-np.expm1(gap))
    keep = np.exp(gap)
    d_lost = d_log_s[:, :-1] - keep / -np.expm1(gap) * (d_log_s[:, 1:] - d_log_s[:, :-1])
    value = lost @ log_lost + running @ log_s[1:]
    return float(value), d_lost @ lost + d_log_s[:, 1:] @ running


@attrs.frozen(kw_only=True, repr=False)
class ContractModel:
    """Fitted contract model: plain numbers; c is 1 for the shifted beta-geometric.

    Attributes
    ----------
    alpha, beta, c : positive numbers
    covariance : 2 x 2 or 3 x 3, optional
        Of the log parameters that were fitted; None at a boundary (all customers churn alike).
    """

    alpha: float
    beta: float
    c: float
    covariance: tuple[tuple[float, ...], ...] | None
    log_likelihood: float
    n: int

    def __repr__(self) -> str:
        told = ", ".join(f"{k} = {number_text(getattr(self, k))}" for k in ("alpha", "beta", "c"))
        return f"ContractModel({told}, n = {self.n})"

    def __str__(self) -> str:
        churn = self.alpha / (self.alpha + self.beta)
        first = f"{number_text(100 * churn)} % leave at the first renewal"
        return f"{first}; log-likelihood {self.log_likelihood:.2f}, n = {self.n}"

    def survival(self, renewal: ArrayLike, /) -> Floats:
        """Share of contracts alive after each renewal; renewal 0 is the start.

        Examples
        --------
        >>> even = ContractModel(alpha=1.0, beta=1.0, c=1.0, covariance=None, log_likelihood=0.0, n=9)
        >>> even.survival([0, 1, 2]).round(3)
        array([1.   , 0.5  , 0.333])
        """
        t = numbers("renewal", renewal)
        not_negative("survival", renewal=t)
        return np.asarray(np.exp(self._log_survival(t)))

    def _log_survival(self, t: Floats) -> Floats:
        u = np.where(t > 0, t**self.c, 0.0)
        return np.asarray(betaln(self.alpha, self.beta + u) - betaln(self.alpha, self.beta), np.float64)

    def retention_rate(self, renewal: ArrayLike, /) -> Floats:
        """Share of those alive before renewal t (from 1) who renew: it rises with t, because loyal customers stay."""
        t = numbers("renewal", renewal)
        if not (t >= 1).all():
            raise OutOfRange("renewal", float(t.min()), "1 or more", "the first renewal is 1")
        return np.asarray(np.exp(self._log_survival(t) - self._log_survival(t - 1)))

    def _kept(self, renewals: int, discount: float, horizon: int | None) -> float:
        if horizon is None:
            horizon = min(math.ceil(math.log(_TAIL * discount) / -math.log1p(discount)), 200_000)
        k = np.arange(1, horizon + 1, dtype=np.float64)
        log_s = self._log_survival(renewals + k) - self._log_survival(np.array([float(renewals)]))
        return float(np.exp(log_s - (k - 1) * math.log1p(discount)).sum())

    def expected_remaining(
        self,
        renewals: int,
        /,
        *,
        discount: float,
        horizon: int | None = None,
        level: float = 0.9,
        draws_n: int = 500,
        seed: int = 0,
    ) -> Estimate:
        """Discounted expected number of payments still to come, seen just before the next renewal (DERL).

        Parameters
        ----------
        renewals : count
            Renewals survived so far; 0 is a contract in its first period.
        discount : rate per period
            0.10 a year with yearly contracts is 0.10. Above 0 unless a horizon is given.
        horizon : periods, optional
            Stop after so many; None sums to infinity, up to 1e-10 of a period.
        level, draws_n, seed :
            Interval of the expectation from the Laplace posterior of the parameters.

        Notes
        -----
        sum over k = 1, 2, ... of S(renewals + k) / S(renewals) / (1 + discount)^(k - 1), Fader and Hardie (2010).
        """
        check_level(level)
        _check(renewals, discount, horizon)
        rule = f"discounted payments after renewal {renewals}"
        return self._with_interval(
            lambda m: m._kept(renewals, discount, horizon), level=level, n=draws_n, seed=seed, rule=rule
        )

    def clv(
        self, *, margin: float, discount: float, horizon: int | None = None, level: float = 0.9, seed: int = 0
    ) -> Estimate:
        """Value of a new contract: the first payment now, then one at each renewal that is survived.

        Parameters
        ----------
        margin : money per period
        discount : rate per period
        """
        check_level(level)
        _check(0, discount, horizon)

        def worth(model: ContractModel) -> float:
            return margin * (1.0 + model._kept(0, discount, horizon) / (1.0 + discount))

        return self._with_interval(worth, level=level, n=500, seed=seed, rule="value of a new contract")

    def _with_interval(
        self, of: Callable[[ContractModel], float], *, level: float, n: int, seed: int, rule: str
    ) -> Estimate:
        value, low, high, method = of(self), math.nan, math.nan, "none: parameters at a boundary"
        fitted = [self.alpha, self.beta, self.c][: len(self.covariance or ())]
        drawn = draws(np.log(fitted), self.covariance, n=n, rng=np.random.default_rng(seed)) if fitted else None
        if drawn is not None:
            many = [
                of(attrs.evolve(self, **dict(zip(("alpha", "beta", "c"), row, strict=False))))
                for row in np.exp(drawn).tolist()
            ]
            low, high = np.quantile(many, [(1 - level) / 2, (1 + level) / 2])
            method = "laplace"
        return estimate_of(value, low, high, level=level, n=self.n, rule=rule, method=method)

    def chart(self, *, periods: int = 12) -> Chart:
        """Survival over renewals."""
        from crmcore.idic.differentiate.contracts.charts import survival_chart

        return survival_chart(self, periods=periods)

    def _repr_html_(self) -> str:
        rows = [{"renewal": k, "alive": float(s)} for k, s in enumerate(self.survival(np.arange(6)))]
        return html_table(rows, caption=str(self))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        from crmcore.documents import to_dict

        return {"model": "contract", **to_dict(self)}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> ContractModel:
        """Read what `to_dict` wrote."""
        from crmcore.documents import from_dict

        if document.get("model") != "contract":
            raise BadDocument("ContractModel", ("model: expected 'contract'",), "pass what to_dict wrote")
        return from_dict(cls, {k: v for k, v in document.items() if k != "model"})


def _check(renewals: int, discount: float, horizon: int | None) -> None:
    if not renewals >= 0:
        raise OutOfRange("renewals", renewals, "0 or more", "0 is a contract in its first period")
    if not (discount >= 0 and math.isfinite(discount)):
        raise OutOfRange("discount", discount, "a finite rate per period from 0", "write 10 % as 0.10")
    if horizon is None and discount < 1e-4:
        raise OutOfRange(
            "discount", discount, "0.0001 or more without a horizon", "give horizon=, the sum may be infinite"
        )
    if horizon is not None and horizon < 1:
        raise OutOfRange("horizon", horizon, "1 or more periods", "leave it out for no end")
