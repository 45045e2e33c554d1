"""Small segments lean on all customers: empirical Bayes on the log parameters of each segment.

The estimate of segment j is normal around its truth with the covariance V_j of its fit; truths are normal around those
of all customers, with covariance T = tau^2 V, where V is that of the fit of a segment of average size: what is hard to
see in every segment varies as little as can be told. tau has the largest marginal likelihood, and the truth of j is

m_j = m + W_j (fit_j - m),   W_j = T (T + V_j)^-1

(Efron and Morris 1973; Fay and Herriot 1979). Segments without a covariance, or without a fit, get m.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import Progress, html_table, number_text, reporter
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.idic.differentiate.buying.model import BuyingModel, RepeatBuying
from crmcore.idic.differentiate.buying.purchases import Purchases
from crmcore.metrics.estimates import frame_of

__all__ = ["PooledModels", "pool_segments"]

Floats = NDArray[np.float64]
TAUS = np.concatenate([[0.0], np.geomspace(0.05, 20.0, 60)])


@attrs.frozen(kw_only=True, repr=False)
class PooledModels(Document):
    """One model a segment, each drawn towards that of all customers as far as its own evidence is thin.

    Attributes
    ----------
    overall : BuyingModel
        Of all customers.
    models : segment -> BuyingModel
        After pooling; their log-likelihood is that of the segment at these parameters.
    own : segment -> share
        How much of its own fit a segment keeps: 0 is all customers, 1 itself (mean over the parameters).
    spread : tau; 0 says that segments differ no more than by chance
    """

    overall: BuyingModel
    models: Mapping[str, BuyingModel]
    own: Mapping[str, float]
    spread: float

    def __str__(self) -> str:
        head = f"{len(self.models)} segments of {self.overall.n:,} customers by {self.overall.title}"
        if self.spread == 0.0:
            return f"{head}: they differ no more than by chance, and all get one model"
        small, large = min(self.own, key=self.own.__getitem__), max(self.own, key=self.own.__getitem__)
        told = [
            f"{name} ({self.models[name].n:,} customers) keeps {self.own[name]:.0%} of its own fit"
            for name in dict.fromkeys((large, small))
        ]
        return f"{head}: they differ; " + ", ".join(told)

    def __repr__(self) -> str:
        return f"PooledModels({len(self.models)} segments, spread {number_text(self.spread)})"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a segment: segment, customers, own, and its parameters."""
        return frame_of(
            [{"segment": k, "customers": m.n, "own": self.own[k], **m.parameters} for k, m in self.models.items()],
            backend=backend,
        )

    def _repr_html_(self) -> str:
        rows = [{"segment": k, "customers": m.n, "keeps": f"{self.own[k]:.0%}"} for k, m in self.models.items()]
        return html_table(rows[:40], caption=str(self))


def pool_segments(
    purchases: Purchases, segments: Sequence[str], /, *, model: str = "bg", k: int = 1,
    progress: Progress | bool = False,
) -> PooledModels:  # fmt: skip
    """Fit each segment, and draw it towards all customers by what its evidence is worth.

    Parameters
    ----------
    purchases : Purchases
    segments : (n,) names
        Of each customer's segment, in the order of `purchases`; at least two different ones.
    model, k
        As of `RepeatBuying`.
    progress : callable or bool

    Examples
    --------
    >>> from crmcore.idic.differentiate.buying import simulate_cohort
    >>> truth = BuyingModel(
    ...     model="nbd", k=1, theta=tuple(np.log([0.8, 9.0])), covariance=None, log_likelihood=0.0, n=1, unit="week"
    ... )
    >>> seen = simulate_cohort(truth, 400, age=52, ahead=1, seed=3).purchases
    >>> print(pool_segments(seen, ["north", "south", "east", "west"] * 100, model="nbd"))
    4 segments of 400 customers by NBD: they differ no more than by chance, and all get one model
    """
    names = np.asarray(segments, object)
    if len(names) != len(purchases):
        raise OutOfRange("len(segments)", len(names), f"{len(purchases)}, one a customer", "name each one's segment")
    odd = [i for i, s in enumerate(names) if not isinstance(s, str)]
    if odd:
        raise OutOfRange("segments", f"no text in rows {odd[:5]}", "a name for every customer", "call them 'unknown'")
    parts = sorted(set(names.tolist()))
    if len(parts) < 2:
        raise EmptyInput("segments to pool", "name at least two, or fit RepeatBuying to all customers")
    recipe, tell = RepeatBuying(model=model, k=k), reporter(progress)
    overall = recipe.fit(purchases)
    fits, rows = {}, {}
    for i, name in enumerate(parts):
        rows[name] = purchases.take(names == name)
        fits[name] = recipe.fit(rows[name])
        tell("segments", i + 1, len(parts))
    middle, sound = overall.vector(), [n for n in parts if fits[n].covariance is not None]
    if overall.covariance is None or not sound:
        tau, unit = 0.0, np.zeros((len(middle), len(middle)))
    else:
        unit = np.array(overall.covariance) * len(parts)
        off = [(fits[n].vector() - middle, np.array(fits[n].covariance)) for n in sound]
        tau = float(TAUS[int(np.argmax([sum(_log_density(d, v + t**2 * unit) for d, v in off) for t in TAUS]))])
    models, own = {}, {}
    for name in parts:
        models[name], own[name] = _pooled(recipe, overall, fits[name], rows[name], tau**2 * unit)
    return PooledModels(overall=overall, models=models, own=own, spread=tau)


def _pooled(
    recipe: RepeatBuying, overall: BuyingModel, fit: BuyingModel, rows: Purchases, spread: Floats
) -> tuple[BuyingModel, float]:
    """A segment's model at pooled parameters, with their posterior covariance, and the share that is its own."""
    middle = overall.vector()
    theta, covariance, share = middle, overall.covariance, 0.0
    if fit.covariance is not None and spread.any():
        keep = np.linalg.solve((spread + np.array(fit.covariance)).T, spread.T).T
        theta, share = middle + keep @ (fit.vector() - middle), float(np.trace(keep)) / len(middle)
        inner = keep @ np.array(fit.covariance)
        covariance = tuple(map(tuple, ((inner + inner.T) / 2).tolist()))
    likelihood = recipe._likelihood(rows)(theta)[0]
    if rows.log_rates is not None:
        likelihood += float(rows.log_rates.sum())
    return attrs.evolve(
        fit, theta=tuple(theta.tolist()), covariance=covariance, log_likelihood=likelihood, source="pooled"
    ), share


def _log_density(d: Floats, covariance: Floats) -> float:
    return float(-np.linalg.slogdet(covariance)[1] - d @ np.linalg.solve(covariance, d)) / 2
