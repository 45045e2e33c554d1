"""Texts that mean the same in other words: how close two are by the words that tell, and groups without chaining."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from crmcore.text.searching import SearchIndex

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["closeness", "stars", "telling"]

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


_FUNCTION = frozenset(
    "a about all also am an and any are as at be been being but by can cannot could did do does doing don't down for "
    "from get got had has have having he her here hers him his how i i'd i'll i'm i've if in into is isn't it it's its "
    "just let let's like may me might my no nor not of off on one only or our out please really s she should so some "
    "such than thank thanks that that's the their them then there these they this those to too up us very want wanted "
    "was we were what when where which while who why will wish with would yes you you'd your".split()
)


def telling(text: str, /) -> str:
    """Text without English function words and the words in which wishes are wrapped; itself where no word is left.

    Examples
    --------
    >>> telling("I wish you would please offer oat milk"), telling("Why not?")
    ('offer oat milk', 'Why not?')
    """
    words = [w for w in text.casefold().replace("\u2019", "'").split() if w.strip(".,;:!?\"()'") not in _FUNCTION]
    return " ".join(words) or text
