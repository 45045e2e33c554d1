"""How far counts stray from what is expected: beyond Poisson by window, shrunk to the pool; and hours that are empty
for no reason.
"""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.documents import Document

__all__ = ["WINDOWS", "Spreads", "window_scores"]

Floats = NDArray[np.float64]

WINDOWS = (1, 3, 6, 24)
"""Lengths in hours over which counts are added up."""

OWN = 3.0  # weight of the pool in a term's own spread
FIRST = (0.05, 0.05)  # spread before anything was read: variance = M + 0.05 M + 0.05 M^2
KEPT_WEEKS = 4.0  # half-life
CUT = 4.0  # standard deviations beyond which a count is cut down
LEAST = 1e-4
KNOWN = 0.002  # no expectation is known to better than the root of this, 4.5 %
ZERO_HOURS = 30.0  # weight of the pool in a term's share of empty hours


def _pool(sums: Floats) -> tuple[float, float]:
    """Parts a, b >= 0 of the variance M + a M + b M^2 by weighed least squares."""
    m2, m3, m4, e1, e2 = (sums + 2 * np.array([1.0, 0.0, 1.0, *FIRST])).tolist()
    det = m2 * m4 - m3 * m3
    a, b = ((e1 * m4 - e2 * m3) / det, (m2 * e2 - m3 * e1) / det) if det > 1e-9 * m2 * m4 else (0.0, e2 / m4)
    if a < 0:
        a, b = 0.0, e2 / m4
    elif b < 0:
        a, b = e1 / m2, 0.0
    return max(a, LEAST), max(b, KNOWN)


@attrs.define(eq=False)
class Spreads(Document):
    """Sums from which spreads follow.

    Attributes
    ----------
    sums : (4, 5)
        Of the pool, by window: of M^2, M^3, M^4, excess x M, excess x M^2, weighed.
    pool : (4, 2)
        Variance of a sum with mean M is M + a M + b M^2: cascades show in a, luck of the hour in b.
    own_excess, own_weight : (4, n)
        Their quotient is by how much a term strays more or less than the pool.
    empty, lived : (n,)
        Faded hours that were empty for no reason, and all.
    """

    sums: NDArray[np.float64]
    pool: NDArray[np.float64]
    own_excess: NDArray[np.float64]
    own_weight: NDArray[np.float64]
    empty: NDArray[np.float64]
    lived: NDArray[np.float64]

    @classmethod
    def new(cls) -> Spreads:
        """Nothing read, no terms."""
        k = len(WINDOWS)
        none = np.zeros((k, 0))
        return cls(np.zeros((k, 5)), np.tile(FIRST, (k, 1)), none, none, np.zeros(0), np.zeros(0))

    def own(self) -> Floats:
        """(4, n) factor of each term on the spread of the pool."""
        return np.asarray(np.maximum((OWN + self.own_excess) / (OWN + self.own_weight), 0.05), np.float64)

    def beyond(self, window: int, mean: Floats, factor: Floats, /) -> Floats:
        """(n,) relative variance beyond Poisson of sums over a window, by number of the window."""
        a, b = self.pool[window]
        return np.asarray(np.maximum(factor * (a / np.maximum(mean, 1e-9) + b), LEAST), np.float64)

    def gone(self, mean: Floats, beyond: Floats, posts: Floats, /) -> Floats:
        """(n,) chance that an hour without posts is one in which the term was not collected."""
        share = self._empty_share()
        by_luck = (1 + beyond * mean) ** (-1 / beyond)
        return np.where(posts == 0, share / (share + (1 - share) * by_luck), 0.0)

    def _empty_share(self) -> Floats:
        pooled = (float(self.empty.sum()) + 2) / (float(self.lived.sum()) + 100)
        return np.asarray((self.empty + ZERO_HOURS * pooled) / (self.lived + ZERO_HOURS), np.float64)

    def learn_empty(self, mean: Floats, beyond: Floats, gone: Floats, /) -> None:
        """Count an hour; one that is likely empty by luck says little."""
        kept = 0.5 ** (1 / (7 * 24 * KEPT_WEEKS))
        telling = 1 - (1 + beyond * mean) ** (-1 / beyond)
        self.empty = kept * self.empty + telling * gone
        self.lived = kept * self.lived + telling

    def learn(
        self, window: int, /, *, posts: Floats, mean: Floats, beyond: Floats, doubt: Floats, weight: Floats
    ) -> None:
        """Take a whole window in; counts beyond four standard deviations are cut down: a burst is no spread."""
        kept = 0.5 ** (WINDOWS[window] / (7 * 24 * KEPT_WEEKS))
        variance = mean + beyond * mean**2
        cut = np.minimum(posts, mean + CUT * np.sqrt(variance) + 0.5)
        excess = (cut - mean) ** 2 - mean - doubt * mean**2
        w = np.where(mean > 1e-6, weight / (mean + 2 * variance**2 + 1e-12), 0.0)
        a, b = self.pool[window]
        of_pool = a * mean + b * mean**2
        powers = [w * mean**2, w * mean**3, w * mean**4, w * excess * mean, w * excess * mean**2]
        self.sums[window] = kept * self.sums[window] + np.array([float(p.sum()) for p in powers])
        self.own_excess[window] = kept * self.own_excess[window] + w * excess * of_pool
        self.own_weight[window] = kept * self.own_weight[window] + w * of_pool**2
        self.pool[window] = _pool(self.sums[window])

    def keep(self, terms: NDArray[np.bool_], /) -> None:
        """Drop all other terms."""
        for name in ("own_excess", "own_weight", "empty", "lived"):
            setattr(self, name, getattr(self, name)[..., terms])

    def grow(self, n: int, /) -> None:
        """Add n terms."""
        none = np.zeros((len(WINDOWS), n))
        self.own_excess = np.concatenate([self.own_excess, none], axis=1)
        self.own_weight = np.concatenate([self.own_weight, none], axis=1)
        self.empty, self.lived = np.append(self.empty, np.zeros(n)), np.append(self.lived, np.zeros(n))


def window_scores(posts: Floats, mean: Floats, beyond: Floats, /) -> Floats:
    """-log10 of the upper negative-binomial tail of each count; 0 where it is not above the mean.

    The mid-p tail P(X > x) + P(X = x) / 2 is taken: of counts of few posts the full tail would be too cautious.

    Parameters
    ----------
    posts, mean : (..., n) counts
    beyond : (..., n) numbers
        Relative variance beyond Poisson: the variance is ``mean + beyond * mean ** 2``.

    Examples
    --------
    >>> window_scores(np.array([3.0, 12.0]), np.array([3.0, 3.0]), np.array([0.1, 0.1])).round(2)
    array([0.  , 3.26])
    """
    from scipy.special import betainc, betaln

    found = np.zeros(posts.shape)
    above = posts > mean
    x, m, r = posts[above], mean[above], 1 / beyond[above]
    share = m / (r + m)
    tail = betainc(x, r, share)
    point = np.exp(x * np.log(share) - r * np.log1p(m / r) - betaln(x, r)) / x
    tail = np.maximum(tail - point / 2, tail / 2)  # a point is no more than its tail: nothing is lost by cancelling
    found[above] = -np.log10(np.maximum(tail, 1e-300))
    return found
