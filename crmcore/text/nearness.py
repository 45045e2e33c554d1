"""Texts that mean the same in other words: how close two are by the words that tell, and groups without chaining."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from crmcore.text.searching import SearchIndex

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["closeness", "stars"]

Ints = NDArray[np.int64]


def closeness(texts: Sequence[str], /, *, language: str | None = "english") -> csr_array:
    """(n, n) mean of the BM25 scores of two texts for each other, each over the score for itself; 1 on the diagonal.

    Examples
    --------
    >>> close = closeness(["refund visa", "visa refunds", "opening hours"])
    >>> close.toarray().round(2).tolist()
    [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    from scipy.sparse import csr_array, diags_array

    index = SearchIndex.of(texts, language=language)
    scores = index.scores(texts)
    own = scores.diagonal()
    share = diags_array(1 / np.where(own > 0, own, 1.0)) @ scores
    return csr_array((share + share.T) / 2)


def stars(close: csr_array, least: float, /) -> Ints:
    """(n,) centre of each row: itself, or the neighbour of at least this closeness that has most neighbours.

    The row with most close neighbours takes them, then the next that is left (Aslam, Pelekhov and Rus 2004): every row
    is close to its centre, and nothing is chained.

    Examples
    --------
    >>> stars(closeness(["refund visa", "visa refunds", "opening hours"]), 0.5).tolist()
    [0, 0, 2]
    """
    coo = close.tocoo()
    left, right = coo.coords
    near = (coo.data >= least) & (left != right)
    left, right, strength = left[near], right[near], coo.data[near]
    n = close.shape[0]
    total = np.bincount(left, strength, n)
    bounds = np.searchsorted(left[order := np.argsort(left, kind="stable")], np.arange(n + 1))
    star = np.full(n, -1, np.int64)
    for centre in np.argsort(-total, kind="stable"):
        if star[centre] < 0:
            neighbours = right[order[bounds[centre] : bounds[centre + 1]]]
            star[neighbours[star[neighbours] < 0]] = centre
            star[centre] = centre
    return star
