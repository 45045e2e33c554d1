"""Likelihood of NBD, BG/NBD, MBG/NBD and their Erlang-k forms, with gradient, in log parameters and log space.

A customer buys at rate lambda ~ Gamma(r, alpha); gaps are sums of k exponential stages (k = 1: exponential). After
each repeat purchase (and, "modified", also after the first) one leaves with probability p ~ Beta(a, b). With x repeat
purchases, the last at t, watched until T:

L = C alpha^r / Gamma(r) [ A1 sum_{j<k} (T - t)^j / j! Gamma(r + kx + j) / (alpha + T)^(r + kx + j)
                         + A2 Gamma(r + kx) / (alpha + t)^(r + kx) ],      C = prod gap^(k-1) / Gamma(k)^x

BG: A1 = B(a, b + x) / B(a, b), A2 = B(a + 1, b + x - 1) / B(a, b) for x > 0 (Fader, Hardie and Lee 2005). MBG: b + x
+ 1 and b + x, for all x (Batislam and others 2007). Erlang: Reutterer, Platzer and Schroeder (2021). NBD: 1 and 0.
"""

from __future__ import annotations

import math

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, gammaln, psi

from crmcore.idic.differentiate.buying.purchases import Purchases

__all__ = ["Sample", "log_likelihood"]

Floats = NDArray[np.float64]
DROPOUTS = ("none", "repeat", "any")


@attrs.frozen(kw_only=True, eq=False)
class Sample:
    """Rows of purchases by distinct frequency, so that gamma functions are computed once for each."""

    x: Floats  # (d,) distinct frequencies
    code: NDArray[np.int64]  # (m,) position of each row's frequency
    t: Floats
    end: Floats
    weight: Floats
    constant: float  # log of C without the factor that k multiplies
    gaps: float

    @classmethod
    def of(cls, purchases: Purchases, /) -> Sample:
        """Sample of purchases."""
        x, code = np.unique(purchases.frequency, return_inverse=True)
        return cls(
            x=x, code=code, t=np.asarray(purchases.recency), end=np.asarray(purchases.age),
            weight=np.asarray(purchases.weight), constant=purchases.repeats, gaps=float(purchases.log_gaps.sum()),
        )  # fmt: skip

    @classmethod
    def each(cls, x: Floats, t: Floats, end: Floats, /) -> Sample:
        """Customers one by one, each with parameters of his own."""
        return cls(x=x, code=np.arange(len(x)), t=t, end=end, weight=np.ones(len(x)), constant=0.0, gaps=0.0)


def log_likelihood(theta: Floats, sample: Sample, /, *, dropout: str, k: int) -> tuple[float, Floats]:
    """Value and gradient in log r, log alpha and, with dropout, log a, log b."""
    constant = (k - 1) * sample.gaps - sample.constant * math.lgamma(k)
    if k == 1 and dropout != "none":
        r, alpha, a, b = np.exp(theta).tolist()
        value, slope = _summed_likelihood(r, alpha, a, b, sample, modified=dropout == "any")
        return value + constant, slope
    logs, slopes = row_likelihood(*np.exp(theta).tolist(), sample=sample, dropout=dropout, k=k)
    return float(sample.weight @ logs) + constant, slopes @ sample.weight


def _summed_likelihood(
    r: float, alpha: float, a: float, b: float, sample: Sample, /, *, modified: bool
) -> tuple[float, Floats]:
    """As the sum of `row_likelihood` at k = 1: chances of being there are summed by frequency before any slope."""
    x, code, w, more = sample.x, sample.code, sample.weight, float(modified)
    shape = r + x
    above, last = alpha + sample.end, alpha + sample.t
    log_end, log_last = np.log(above), np.log(last)
    stay, slopes_stay = _beta(a, b, x + more, 0)
    gone, slopes_gone = _beta(a, b, x - 1.0 + more, 1)
    gone = np.where(x + more > 0, gone, -np.inf)
    rows = shape[code]
    odds = (gone - stay)[code] + rows * (log_end - log_last)
    fade = np.exp(-np.abs(odds))
    there = np.where(odds < 0, 1.0, fade) / (1.0 + fade)
    in_, out = w * there, w - w * there
    by_in, by_out = (np.bincount(code, c, len(x)) for c in (in_, out))
    mass, log_alpha = by_in + by_out, math.log(alpha)
    logs = np.maximum(odds, 0.0) + np.log1p(fade) - rows * log_end
    value = float(w @ logs) + float(mass @ (gammaln(shape) + stay))
    total = float(mass.sum())
    value += total * (r * log_alpha - math.lgamma(r))
    d_r = mass @ psi(shape) - in_ @ log_end - out @ log_last + total * (log_alpha - float(psi(r)))
    d_alpha = total * r / alpha - rows @ (in_ / above + out / last)
    d_a, d_b = (by_in @ slopes_stay[i] + by_out @ slopes_gone[i] for i in (0, 1))
    return value, np.array([d_r * r, d_alpha * alpha, d_a * a, d_b * b])


def row_likelihood(
    r: float, alpha: float | Floats, a: float | Floats = 1.0, b: float | Floats = 1.0, /, *, sample: Sample,
    dropout: str, k: int,
) -> tuple[Floats, Floats]:  # fmt: skip
    """(m,) log-likelihood of each row without its constant, and (2 or 4, m) slopes in log parameters.

    alpha, a and b may differ between rows; then each row is its own frequency: `Sample.each`.
    """
    x, code, t, end = sample.x, sample.code, sample.t, sample.end
    shape = r + k * x
    log_end, log_last = np.log(alpha + end), np.log(alpha + t)
    log_alpha = np.log(alpha)
    base = r * log_alpha - gammaln(r)
    stages = _stages(sample, shape, log_end, k)
    first, share = _summed(stages)
    d_shape = np.zeros(len(code))
    d_alpha = np.zeros(len(code))
    for j in range(k):
        d_shape += share[j] * (psi(shape + j)[code] - log_end)
        d_alpha -= share[j] * (shape + j)[code] / (alpha + end)
    d_r = d_shape - psi(r) + log_alpha
    d_a = d_alpha + r / alpha
    if dropout == "none":
        return base + first, np.stack([d_r * r, d_a * alpha])
    more = 1 if dropout == "any" else 0
    stay, slopes_stay = _beta(a, b, x * 1.0 + more, 0)
    gone, slopes_gone = _beta(a, b, x - 1.0 + more, 1)
    gone = np.where(x + more > 0, gone, -np.inf)
    second = gone[code] + gammaln(shape)[code] - shape[code] * log_last
    first = first + stay[code]
    top = np.maximum(first, second)
    total = top + np.log(np.exp(first - top) + np.exp(second - top))
    p = np.exp(first - total)  # probability of being alive
    q = 1.0 - p
    out_r = psi(shape)[code] - log_last - psi(r) + log_alpha
    out_a = r / alpha - shape[code] / (alpha + t)
    slopes = np.stack(
        [(p * d_r + q * out_r) * r, (p * d_a + q * out_a) * alpha, np.empty(len(code)), np.empty(len(code))]
    )
    for i, scale in ((0, a), (1, b)):
        slopes[2 + i] = (p * slopes_stay[i][code] + q * slopes_gone[i][code]) * scale
    return base + total, slopes


def _stages(sample: Sample, shape: Floats, log_end: Floats, k: int) -> Floats:
    """(k, m) log terms of the silence since the last purchase."""
    code = sample.code
    if k == 1:
        return (gammaln(shape)[code] - shape[code] * log_end)[None]
    with np.errstate(divide="ignore"):
        silence = np.log(np.maximum(sample.end - sample.t, 0.0))
    return np.stack(
        [
            (j * silence if j else 0.0) - math.lgamma(j + 1) + gammaln(shape + j)[code] - (shape + j)[code] * log_end
            for j in range(k)
        ]
    )


def _summed(terms: Floats) -> tuple[Floats, Floats]:
    """Log of the sum over the first axis, and the share of each term."""
    if len(terms) == 1:
        return terms[0], np.ones((1, terms.shape[1]))
    top = terms.max(axis=0)
    total = top + np.log(np.exp(terms - top).sum(axis=0))
    return total, np.exp(terms - total)


def _beta(a: float | Floats, b: float | Floats, plus_b: Floats, plus_a: int) -> tuple[Floats, tuple[Floats, Floats]]:
    """Log of B(a + plus_a, b + plus_b) / B(a, b) at each distinct frequency, and slopes in a and b."""
    b_ = np.maximum(b + plus_b, 1e-300)
    value = np.asarray(betaln(a + plus_a, b_) - betaln(a, b), np.float64)
    both, before = psi(a + plus_a + b_), psi(a + b)
    return value, (psi(a + plus_a) - both - psi(a) + before, psi(b_) - both - psi(b) + before)
