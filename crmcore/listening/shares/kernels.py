"""Kernels of corrected means: slopes that leave one out, and what is known of brands from few labelled posts.

Post i has a score f_i; labelled ones also have the truth y_i. What the score leaves, r = y − λf, differs between brands
in its mean δ_b, and δ_b is what few labels must tell.
"""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

__all__ = ["PRIOR_SCALE", "BrandPosterior", "brand_posterior", "leave_one_out_slopes", "mixture_quantile"]

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

PRIOR_SCALE = 12**-0.5
"""Prior standard deviation between brands of what the score leaves: that of a uniform error within half a point of net
sentiment in either direction. It is a statement about scores in [-1, 1], not a fit to any brands."""

STEEPEST = 4.0  # slope between brands beyond which a score says nothing
TRUSTED = 8.0  # posts for which the pooled variance counts beside a brand's own
SHARES = np.linspace(0.0, 1.0, 9)
SCALES = np.geomspace(0.1, 4.0, 24)


def leave_one_out_slopes(f: Floats, y: Floats, /) -> Floats:
    """(k,) slope of y on f without each pair in turn, held within 0 to 2; 0 where f does not vary.

    Examples
    --------
    >>> leave_one_out_slopes(np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.0, 1.0, 2.0, 6.0])).round(2)
    array([2.  , 1.86, 2.  , 1.  ])
    """
    k = len(f)
    off_f, off_y = f - f.mean(), y - y.mean()
    grow = k / (k - 1)
    both = off_f @ off_y - grow * off_f * off_y
    alone = off_f @ off_f - grow * off_f * off_f
    slope = np.divide(both, alone, out=np.zeros(k), where=alone > 1e-12 * max(float(off_f @ off_f), 1e-300))
    held: Floats = np.clip(slope, 0.0, 2.0)
    return held


@attrs.frozen(eq=False, kw_only=True)
class BrandPosterior:
    """What is known of the means of G brands: normal given each of q pairs (share θ, scale τ), which are weighed.

    Attributes
    ----------
    base : (G,) numbers
        λ times the mean score of each brand.
    weight : (q,) shares
    mean, own : (q, G) numbers
        Mean of the rest, and its variance given the common mean.
    reach : (q, G) shares
        How far an error of the common mean reaches into each brand.
    common : (q,) numbers
        Variance of the common mean.
    freedom : count
        Degrees of freedom of the variance within brands.
    transfer, scale : numbers
        Posterior means of θ and τ.
    """

    base: Floats
    weight: Floats
    mean: Floats
    own: Floats
    reach: Floats
    common: Floats
    freedom: int
    transfer: float
    scale: float

    def contrasts(self, weights: Floats, /, *, level: float) -> tuple[Floats, Floats, Floats]:
        """Value, low and high (m,) of weighted sums of brands, weights (m, G)."""
        mean = self.mean @ weights.T
        variance = self.own @ (weights**2).T + (self.reach @ weights.T) ** 2 * self.common[:, None]
        base = weights @ self.base
        error = np.sqrt(variance)
        tail = (1 - level) / 2
        low, high = (mixture_quantile(p, self.weight, mean, error, freedom=self.freedom) for p in (tail, 1 - tail))
        return base + self.weight @ mean, base + low, base + high


def mixture_quantile(p: float, weight: Floats, mean: Floats, error: Floats, /, *, freedom: int) -> Floats:
    """(m,) quantiles of mixtures of Student's t: (q,) weights of (q, m) centres and scales; by bisection.

    Examples
    --------
    >>> mixture_quantile(0.5, np.array([0.5, 0.5]), np.array([[-1.0], [3.0]]), np.ones((2, 1)), freedom=50).round(6)
    array([1.])
    """
    from scipy.special import stdtr, stdtrit

    far = abs(float(stdtrit(freedom, min(p, 1 - p)))) + 1.0
    low, high = (mean - far * error).min(axis=0), (mean + far * error).max(axis=0)
    safe = np.where(error > 0, error, 1e-300)
    for _ in range(50):
        middle = (low + high) / 2
        below = weight @ stdtr(freedom, np.clip((middle - mean) / safe, -1e6, 1e6)) < p
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    found: Floats = (low + high) / 2
    return found


def brand_posterior(
    f: Floats, brand: Codes, f_labelled: Floats, y: Floats, brand_labelled: Codes, /, *, brands: int, finite: bool
) -> BrandPosterior:
    """What few labels tell of the mean of y in each brand.

    Parameters
    ----------
    f, brand : (n,) scores and codes
        Of all posts; every brand has at least one.
    f_labelled, y, brand_labelled : (k,) scores, truths and codes
        Of the labelled ones, k at least 2 more than their brands.
    brands : count
    finite : truth
        Whether the mean of just these posts is meant; else that of the process they come from.

    Notes
    -----
    δ_b ~ N(μ + γ(f̄_b − f̄), τ² + γ² var f / N_b) with γ = θ(κ − λ), κ = var y / cov(f, y): at θ = 0 what the score
    leaves has nothing to do with it (prediction-powered), at θ = 1 the score means the same of every opinion and brands
    differ in opinions (adjusted counts). θ uniform on [0, 1], μ flat, τ² exponential with mean 1/12; integrated on a
    grid. The variance within brands is each brand's own, weighed with the pooled one of 8 posts.
    """
    n_b = np.bincount(brand, minlength=brands).astype(np.float64)
    k_b = np.bincount(brand_labelled, minlength=brands).astype(np.float64)
    f_b = np.bincount(brand, weights=f, minlength=brands) / n_b
    slope, steep = _slopes(f_labelled, y)
    r = y - slope * f_labelled
    seen = k_b > 0
    r_b = np.bincount(brand_labelled, weights=r, minlength=brands) / np.maximum(k_b, 1)
    squares = np.bincount(brand_labelled, weights=(r - r_b[brand_labelled]) ** 2, minlength=brands)
    freedom = len(y) - int(seen.sum())
    within = (squares + TRUSTED * squares.sum() / freedom) / (np.maximum(k_b - 1, 0) + TRUSTED)
    noise = np.where(seen, within / np.maximum(k_b, 1), np.inf)
    theta, tau = (grid.ravel() for grid in np.meshgrid(SHARES, PRIOR_SCALE * SCALES, indexing="ij"))
    turn = (theta * (steep - slope))[:, None]
    drawn = turn * (f_b - f.mean())
    prior = tau[:, None] ** 2 + turn**2 * f.var() / n_b
    precision = 1 / (prior + np.where(seen, noise, np.inf))
    common = 1 / precision.sum(axis=1)
    mu = (precision * (r_b - drawn)).sum(axis=1) * common
    off = r_b - drawn - mu[:, None]
    log = 0.5 * np.log(common) + 0.5 * np.log(precision, out=np.zeros_like(precision), where=seen).sum(axis=1)
    log += -0.5 * (precision * off**2).sum(axis=1) + 2 * np.log(tau) - (tau / PRIOR_SCALE) ** 2
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    pull = prior / (prior + noise)
    done = k_b / n_b if finite else np.zeros(brands)
    left = 1 - done
    mean = done * r_b + left * (pull * r_b + (1 - pull) * (drawn + mu[:, None]))
    rest = left * within / n_b if finite else slope**2 * f.var() / n_b
    return BrandPosterior(
        base=slope * f_b, weight=weight, mean=mean, own=left**2 * (1 - pull) * prior + rest, reach=left * (1 - pull),
        common=common, freedom=freedom, transfer=float(weight @ theta), scale=float(weight @ tau),
    )  # fmt: skip


def _slopes(f: Floats, y: Floats) -> tuple[float, float]:
    """Slope of y on f, and the steeper one by which brands differ where f means the same in each of them."""
    slope = float(leave_one_out_slopes(f, y).mean())
    spread, together = float(np.var(y)), float(np.mean((f - f.mean()) * (y - y.mean())))
    return slope, max(slope, min(spread / together, STEEPEST)) if together > 1e-9 else slope
