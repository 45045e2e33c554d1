"""Draws of the parameters from their posterior: Laplace's normal, corrected by the exact likelihood.

Where dropout is hard to see, the likelihood is skew and its normal approximation too narrow on one side. Proposals from
a Student t around the optimum (wider than the normal) are weighted by likelihood / density, once more from a t with the
mean and covariance that these weights give, and resampled (sampling importance resampling: Rubin 1988; adapted as by
Cappe and others 2004). The prior is flat in the log parameters within the reach of the proposals.
"""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.idic.differentiate.buying.model import BuyingModel, Covariance, RepeatBuying
from crmcore.idic.differentiate.buying.purchases import Purchases
from crmcore.idic.differentiate.contracts.fitting import LIMIT, Likelihood

__all__ = ["Posterior", "posterior"]

Floats = NDArray[np.float64]
FREEDOM = 5.0  # of the t: tails heavier than those of any likelihood
WIDER = 1.1
FIRST, SECOND = 200, 600  # proposals
SEEN = 0.04  # information above which a direction counts as seen: a standard error of 5 on the log scale
ROWS = 20_000  # above so many rows the normal is as good, and much faster
NORMAL = 1000


@attrs.frozen(kw_only=True, eq=False)
class Posterior:
    """Draws, and how they were made.

    Attributes
    ----------
    root : (k, d) main axes of the covariance of the log parameters, as long as their standard errors
    u : (n, d) draws in these directions, from the optimum
    method : in words
    """

    root: Floats
    u: Floats
    method: str


def posterior(model: BuyingModel, purchases: Purchases, /, *, seed: int) -> Posterior | None:
    """Draws around the optimum; None where no parameter can be seen.

    With the purchases that the model was fitted to, the exact likelihood corrects them (also at a boundary, where
    directions that cannot be seen are held fixed). With others, above 20,000 distinct rows, or of a pooled model, they
    are normal.
    """
    rng, at = np.random.default_rng(seed), model.vector()
    likelihood = RepeatBuying(model=model.model, k=model.k)._likelihood(purchases)
    rates = 0.0 if purchases.log_rates is None else float(purchases.log_rates.sum())
    own = model.source == "likelihood" and len(purchases) == model.n
    same = own and _close(likelihood(at)[0] + rates, model.log_likelihood)
    if model.covariance is not None and (not same or len(purchases.frequency) > ROWS):
        root = _axes(model.covariance)
        return Posterior(root=root, u=rng.standard_normal((NORMAL, len(at))), method="laplace")
    if not same:
        return None
    if model.covariance is None:
        root, method = _seen(likelihood, at), "posterior of the parameters that can be seen"
    else:
        root, method = _axes(model.covariance), "posterior"
    if not root.shape[1]:
        return None
    # in whitened directions u: theta = at + root u
    d = root.shape[1]
    u, weight = _proposed(likelihood, at, root, np.zeros(d), np.eye(d), n=FIRST, rng=rng)
    middle = weight @ u
    around = (weight[:, None] * (u - middle)).T @ (u - middle)
    spread = np.asarray(np.linalg.cholesky(around + 0.05 * np.eye(d)), np.float64)
    u, weight = _proposed(likelihood, at, root, middle, spread, n=SECOND, rng=rng)
    chosen = np.searchsorted(np.cumsum(weight), (np.arange(len(u)) + rng.random()) / len(u))
    return Posterior(root=root, u=u[np.minimum(chosen, len(u) - 1)], method=method)


def _proposed(
    likelihood: Likelihood, at: Floats, root: Floats, middle: Floats, spread: Floats, *, n: int,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:  # fmt: skip
    """(n, d) proposals in whitened directions, and their weights, which sum to 1."""
    d = len(middle)
    t = rng.standard_normal((n, d)) / np.sqrt(rng.chisquare(FREEDOM, n) / FREEDOM)[:, None] * WIDER
    u = middle + t @ spread.T
    theta = at + u @ root.T
    inside = np.abs(theta - at).max(axis=1) < LIMIT
    logs = np.full(n, -np.inf)
    logs[inside] = [likelihood(row)[0] for row in theta[inside]]
    logs += (FREEDOM + d) / 2 * np.log1p((t**2).sum(axis=1) / WIDER**2 / FREEDOM)
    logs[~np.isfinite(logs)] = -np.inf
    weight = np.exp(logs - logs.max())
    return u, weight / weight.sum()


def _seen(likelihood: Likelihood, at: Floats) -> Floats:
    """(k, d) directions of the log parameters in which the likelihood falls, scaled to their standard errors."""
    h = 1e-4
    bend = np.array([(likelihood(at - h * e)[1] - likelihood(at + h * e)[1]) / (2 * h) for e in np.eye(len(at))])
    inner = np.abs(at) < LIMIT - 1
    if not np.isfinite(bend).all():
        return np.zeros((len(at), 0))
    bend = np.where(inner[:, None] & inner, (bend + bend.T) / 2, 0.0)
    size, way = np.linalg.eigh(bend)
    keep = size > SEEN
    return np.asarray(way[:, keep] / np.sqrt(size[keep]))


def _axes(covariance: Covariance) -> Floats:
    size, way = np.linalg.eigh(np.array(covariance))
    return np.asarray(way * np.sqrt(np.maximum(size, 0.0)), np.float64)


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-7 * max(abs(b), 1.0) + 1e-6
