"""The best k of many columns, the same whatever the block of rows: ties by position, nothing that is masked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["best_of", "sorted_by"]

Codes = NDArray[np.intp]
SPARE = 8  # beyond k, so that rounding of single precision decides nothing at the edge


def best_of(scores: NDArray[np.floating], k: int, /) -> Codes:
    """(rows, k) columns of the largest finite scores, best first; -1 where fewer are finite.

    Examples
    --------
    >>> best_of(np.array([[1.0, 3.0, 3.0, -np.inf]]), 4).tolist()
    [[1, 2, 0, -1]]
    """
    n = scores.shape[1]
    k = min(k, n)
    if k < n:
        top = np.argpartition(scores, n - k, axis=1)[:, n - k :]
        least = np.take_along_axis(scores, top, 1).min(1, keepdims=True, initial=np.inf)
        for row in np.flatnonzero(((scores >= least) & np.isfinite(scores)).sum(1) > k).tolist():
            top[row] = np.argsort(-scores[row], kind="stable")[:k]  # ties at the edge go by position
        top.sort(axis=1)
    else:
        top = np.tile(np.arange(n), (len(scores), 1))
    found = np.take_along_axis(scores, top, 1)
    order = np.argsort(-found, axis=1, kind="stable")
    top = np.take_along_axis(top, order, 1)
    return np.where(np.isfinite(np.take_along_axis(found, order, 1)), top, -1)


def sorted_by(target: Codes, scores: NDArray[np.float64], k: int, /) -> tuple[Codes, NDArray[np.float64]]:
    """Chosen columns again in the order of better scores, ties by position; the first k of them."""
    key = np.where(target >= 0, scores, -np.inf)
    order = np.lexsort((np.where(target >= 0, target, np.iinfo(np.intp).max), -key), axis=1)[:, :k]
    return np.take_along_axis(target, order, 1), np.take_along_axis(scores, order, 1)
