"""How good ranked lists are, one number a customer: NDCG, recall, average precision, reciprocal rank."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["average_precision", "hits_of", "ndcg", "recall", "reciprocal_rank"]

Codes = NDArray[np.intp]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def hits_of(ranked: Codes, relevant: NDArray[np.int64], /, *, n_items: int) -> Bools:
    """(rows, k) whether each place of each list is relevant.

    Parameters
    ----------
    ranked : (rows, k) codes
        -1 where a list is shorter.
    relevant : sorted row * n_items + item
    """
    keys = np.arange(len(ranked), dtype=np.int64)[:, None] * n_items + ranked
    place = np.minimum(np.searchsorted(relevant, keys), max(len(relevant) - 1, 0))
    found = relevant[place] == keys if len(relevant) else np.zeros(keys.shape, np.bool_)
    return np.asarray((ranked >= 0) & found, np.bool_)


def ndcg(hits: Bools, relevant: NDArray[np.int64], /, *, k: int) -> Floats:
    """(rows,) discounted hits in the first k over those of the best list: Jarvelin & Kekalainen (2002).

    Parameters
    ----------
    hits : (rows, >= k) truths
    relevant : (rows,) counts

    Examples
    --------
    >>> ndcg(np.array([[True, False], [False, True]]), np.array([1, 1]), k=2).round(4).tolist()
    [1.0, 0.6309]
    """
    discount = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate([[0.0], np.cumsum(discount)])[np.minimum(relevant, k)]
    gained = hits[:, :k] @ discount[: hits[:, :k].shape[1]]
    return np.asarray(gained / np.where(ideal > 0, ideal, 1.0), np.float64)


def recall(hits: Bools, relevant: NDArray[np.int64], /, *, k: int) -> Floats:
    """(rows,) hits in the first k over what a list of k could hold, min(k, relevant)."""
    return np.asarray(hits[:, :k].sum(1) / np.maximum(np.minimum(relevant, k), 1), np.float64)


def average_precision(hits: Bools, relevant: NDArray[np.int64], /, *, k: int) -> Floats:
    """(rows,) mean of the precision at each hit in the first k, over min(k, relevant)."""
    found = hits[:, :k]
    precision = np.cumsum(found, 1) / np.arange(1, found.shape[1] + 1)
    return np.asarray((precision * found).sum(1) / np.maximum(np.minimum(relevant, k), 1), np.float64)


def reciprocal_rank(hits: Bools, /, *, k: int) -> Floats:
    """(rows,) one over the place of the first hit in the first k; 0 without one."""
    found = hits[:, :k]
    if not found.shape[1]:
        return np.zeros(len(found))
    return np.where(found.any(1), 1 / (1 + found.argmax(1)), 0.0)
