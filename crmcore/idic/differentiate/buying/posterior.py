"""Draws of the parameters from their posterior: Laplace's normal, corrected by the exact likelihood.

Where dropout is hard to see, the likelihood is skew, bent and flat towards one side, and its normal approximation wrong
by far. Proposals from Student's t around the optimum are weighted by likelihood x prior / density; new ones are drawn
from a t with the mean and covariance that the weights give, and so on, all proposals together weighted by the mixture
that they come from (adaptive multiple importance sampling: Cornuet and others 2012), until enough of them count. While
few do, the weights are tempered, so that one lucky proposal does not become the centre of the next. The draws are
resampled from the weights.

The likelihood alone does not end: with ever larger shape parameters it comes to a plateau. The prior is therefore weak,
but proper: the logarithm of each shape (r, s, a, b) is normal around 0 with deviation 2, which holds coefficients of
variation between customers from 0.14 to 7; the logarithm of lifetimes at risk, s/beta x mean age, likewise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
STAGE, STAGES = 200, 8  # proposals, and how often at most
ENOUGH = 250.0  # effective proposals to stop at
TEMPERED = 60.0  # effective proposals that a new centre must rest on
DRAWS = 600
SPREAD = 2.0  # of the prior of a log shape
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
    u, weight = _weighted(lambda theta: likelihood(theta)[0] + log_prior(model, purchases, theta), at, root, rng)
    chosen = np.searchsorted(np.cumsum(weight), (np.arange(DRAWS) + rng.random()) / DRAWS)
    return Posterior(root=root, u=u[np.minimum(chosen, len(u) - 1)], method=method)


def log_prior(model: BuyingModel, purchases: Purchases, theta: Floats, /) -> float:
    """Logarithm of the weak prior of log parameters, but for a constant."""
    shapes = [theta[0], *(theta[2:3] if model.model == "pareto" else theta[2:4])]
    if model.model == "pareto":
        age = float(np.average(purchases.age, weights=purchases.weight))
        shapes.append(theta[2] - theta[3] + np.log(max(age, 1e-12)))
    return -float(np.square(shapes).sum()) / (2 * SPREAD**2)


def _weighted(
    log_density: Callable[[Floats], float], at: Floats, root: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """(n, d) proposals in whitened directions u, where theta = at + root u, and their weights, which sum to 1."""
    d = root.shape[1]
    middle, spread = np.zeros(d), np.eye(d)
    us, logs, proposals = np.empty((0, d)), np.empty(0), list[tuple[Floats, Floats]]()
    weight = np.empty(0)
    for _ in range(STAGES):
        proposals.append((middle, spread))
        t = rng.standard_normal((STAGE, d)) / np.sqrt(rng.chisquare(FREEDOM, STAGE) / FREEDOM)[:, None]
        u = middle + t @ spread.T
        theta = at + u @ root.T
        new = np.full(STAGE, -np.inf)
        inside = np.abs(u @ root.T).max(axis=1) < LIMIT
        new[inside] = [log_density(row) for row in theta[inside]]
        us, logs = np.concatenate([us, u]), np.concatenate([logs, np.where(np.isfinite(new), new, -np.inf)])
        excess = logs - _log_mixture(us, proposals)
        weight = _normal_weights(excess)
        if len(proposals) > 1 and _effective(weight) >= ENOUGH:
            break
        soft, heat = weight, 1.0
        while _effective(soft) < TEMPERED and heat > 0.01:
            heat *= 0.8
            soft = _normal_weights(heat * excess)
        middle = soft @ us
        around = (soft[:, None] * (us - middle)).T @ (us - middle)
        spread = WIDER * np.asarray(np.linalg.cholesky(around + 0.01 * np.eye(d)), np.float64)
    return us, weight


def _log_mixture(u: Floats, proposals: Sequence[tuple[Floats, Floats]]) -> Floats:
    """(n,) log density of the mixture of Student's t that all proposals come from, but for a constant."""
    d = u.shape[1]
    parts = []
    for middle, spread in proposals:
        t = np.linalg.solve(spread, (u - middle).T)
        size = np.log(np.diag(spread)).sum()
        parts.append(-size - (FREEDOM + d) / 2 * np.log1p((t**2).sum(axis=0) / FREEDOM))
    return np.asarray(np.logaddexp.reduce(parts, axis=0) - np.log(len(parts)), np.float64)


def _normal_weights(logs: Floats) -> Floats:
    weight = np.exp(logs - logs.max()) if np.isfinite(logs.max()) else np.ones(len(logs))
    return np.asarray(weight / weight.sum(), np.float64)


def _effective(weight: Floats) -> float:
    return float(1 / (weight**2).sum())


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
