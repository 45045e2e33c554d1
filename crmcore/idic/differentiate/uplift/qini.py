"""Kernels of the Qini curve: how much more happens as more customers are treated, the most movable first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Ordered", "area_of", "curve_of", "order_by"]

Floats = NDArray[np.float64]


class Ordered:
    """Rows from the highest score down, ties as one group; made once, used for every resample.

    Attributes
    ----------
    group : (n,) group of each row, 0 the highest score
    k : count of groups
    """

    __slots__ = ("group", "k")

    def __init__(self, group: NDArray[np.int64], k: int) -> None:
        self.group, self.k = group, k


def order_by(score: Floats, /) -> Ordered:
    """Group rows by score, the highest first."""
    values, where = np.unique(-score, return_inverse=True)
    return Ordered(where.astype(np.int64), len(values))


def curve_of(ordered: Ordered, outcome: Floats, treated: NDArray[np.bool_], weight: Floats, /) -> tuple[Floats, Floats]:
    """Share treated (k + 1,) and gain a customer (k + 1,): Radcliffe (2007), (Y_t − Y_c · N_t / N_c) / n.

    Before the first customer who was not treated there is nothing to compare with: the gain is 0 there.

    Examples
    --------
    >>> held = order_by(np.array([2.0, 2.0, 1.0, 1.0]))
    >>> curve_of(held, np.array([1.0, 0.0, 1.0, 1.0]), np.array([True, False, True, False]), np.ones(4))[1].tolist()
    [0.0, 0.25, 0.25]
    """
    sums = [
        np.bincount(ordered.group, weights=w, minlength=ordered.k).cumsum()
        for w in (weight * treated, weight * ~treated, weight * treated * outcome, weight * ~treated * outcome)
    ]
    n_t, n_c, y_t, y_c = sums
    total = float(weight.sum())
    gain = np.where(n_c > 0, y_t - y_c * n_t / np.where(n_c > 0, n_c, 1.0), 0.0) / total
    return np.concatenate([[0.0], (n_t + n_c) / total]), np.concatenate([[0.0], gain])


def area_of(share: Floats, gain: Floats, /) -> float:
    """Area between a curve and the straight line to its end: what targeting adds, a customer; 0 is a random order.

    Examples
    --------
    >>> round(area_of(np.array([0.0, 0.5, 1.0]), np.array([0.0, 0.2, 0.2])), 3)
    0.05
    """
    middle = (gain[1:] + gain[:-1]) / 2
    return float(np.diff(share) @ middle - gain[-1] / 2)
