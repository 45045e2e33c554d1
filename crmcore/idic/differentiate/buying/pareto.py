"""Likelihood of Pareto/NBD with gradient, by quadrature over the unseen time of leaving (Schmittlein and others 1987).

L = Gamma(r + x) / Gamma(r) alpha^r beta^s [ (alpha + T)^-(r+x) (beta + T)^-s
                                          + s int_t^T (alpha + u)^-(r+x) (beta + u)^-(s+1) du ]

The integrand falls like a power; in w = log(1 + (u - t) / c), with c the mean scale of the two powers at t, it is
smooth, and 32 Gauss-Legendre nodes give it to 1e-12, with no hypergeometric function that could overflow.
"""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, psi

from crmcore.idic.differentiate.buying.purchases import Purchases

__all__ = ["Sample", "alive_terms", "log_likelihood", "row_likelihood"]

Floats = NDArray[np.float64]
NODES, WEIGHTS = np.polynomial.legendre.leggauss(32)
NODES, WEIGHTS = (NODES + 1) / 2, WEIGHTS / 2
FADED = 45.0  # the integrand is followed until it fell by exp(-45)


@attrs.frozen(kw_only=True, eq=False)
class Sample:
    """Rows of purchases."""

    x: Floats
    t: Floats
    end: Floats
    weight: Floats

    @classmethod
    def of(cls, purchases: Purchases, /) -> Sample:
        """Sample of purchases."""
        return cls(
            x=np.asarray(purchases.frequency), t=np.asarray(purchases.recency), end=np.asarray(purchases.age),
            weight=np.asarray(purchases.weight),
        )  # fmt: skip


def alive_terms(
    r: float, alpha: float | Floats, s: float, beta: float | Floats, x: Floats, t: Floats, end: Floats, /
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Logs of the two terms in brackets, and weighted nodes for gradients; alpha and beta may differ between rows.

    Returns log of "still there", log of "gone unseen" (-inf where nothing is unseen), and three means over the time of
    leaving: of log(alpha + u) and log(beta + u), stacked, of 1 / (alpha + u), and of 1 / (beta + u).
    """
    p1, p2 = r + x, s + 1.0
    a, b = (np.broadcast_to(np.asarray(c, np.float64), x.shape) for c in (alpha, beta))
    there = -p1 * np.log(a + end) - s * np.log(b + end)
    scale = (p1 + p2) / (p1 / (a + t) + p2 / (b + t))
    span = np.minimum(np.log1p((end - t) / scale), FADED / np.maximum(p1 + p2 - 1.0, 1e-6))
    w = span[:, None] * NODES
    u = t[:, None] + scale[:, None] * np.expm1(w)
    at_a, at_b = a[:, None] + u, b[:, None] + u
    log_a, log_b = np.log(at_a), np.log(at_b)
    terms = -p1[:, None] * log_a - p2 * log_b + w
    top = terms.max(axis=1)
    cells = np.exp(terms - top[:, None]) * WEIGHTS
    total = cells.sum(axis=1)
    with np.errstate(divide="ignore"):
        gone = np.log(s) + top + np.log(total * scale * span)
    cells /= total[:, None]
    means = np.stack([(cells * c).sum(axis=1) for c in (log_a, log_b, 1.0 / at_a, 1.0 / at_b)])
    return there, gone, means[:2], means[2], means[3]


def row_likelihood(
    r: float, alpha: float | Floats, s: float, beta: float | Floats, rows: Sample, /
) -> tuple[Floats, Floats]:
    """(m,) log-likelihood of each row, and (4, m) slopes in log r, log alpha, log s, log beta."""
    x, t, end = rows.x, rows.t, rows.end
    there, gone, logs, over_a, over_b = alive_terms(r, alpha, s, beta, x, t, end)
    total = np.logaddexp(there, gone)
    p, q = np.exp(there - total), np.exp(gone - total)
    value = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta) + total
    log_a, log_b = np.log(alpha + end), np.log(beta + end)
    d_r = psi(r + x) - psi(r) + np.log(alpha) - p * log_a - q * logs[0]
    d_alpha = r / alpha - (r + x) * (p / (alpha + end) + q * over_a)
    d_s = np.log(beta) - p * log_b + q * (1.0 / s - logs[1])
    d_beta = s / beta - p * s / (beta + end) - q * (s + 1.0) * over_b
    return np.asarray(value, np.float64), np.stack([d_r * r, d_alpha * alpha, d_s * s, d_beta * beta])


def log_likelihood(theta: Floats, rows: Sample, /) -> tuple[float, Floats]:
    """Value and gradient in log r, log alpha, log s, log beta."""
    r, alpha, s, beta = np.exp(theta).tolist()
    value, slopes = row_likelihood(r, alpha, s, beta, rows)
    return float(rows.weight @ value), np.asarray(slopes @ rows.weight, np.float64)
