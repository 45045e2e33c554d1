"""The best of many texts by the columns that score them, without scoring all."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["Column", "best_of", "held_in", "top_of", "total_of"]

Floats = NDArray[np.float64]
Texts = NDArray[np.int32]
Column = tuple[Texts, Floats]  # texts that hold something, ascending, and what it adds to each: above 0; never empty
SAFE = 1 - 1e-9  # bounds are sums in another order than scores and may differ in the last digits
FEW = 4096  # texts that are read in one go
STOP = 0.5  # of the least score: what others add below it is worth no more whole columns


def total_of(columns: Sequence[Column], n: int, /) -> Floats:
    """(n,) score of every text, which adds up in the order of columns: the slow twin of `top_of`.

    Examples
    --------
    >>> total_of([(np.array([2], np.int32), np.array([3.0])), (np.array([0, 2], np.int32), np.array([1.0, 1.0]))], 3)
    array([1., 0., 4.])
    """
    found = np.zeros(n)
    for text, part in columns:
        found[text] += part
    return found


def held_in(column: Column, texts: Texts, /) -> Floats:
    """What a column adds to some texts, 0 where they do not hold it."""
    held, part = column
    at = held.searchsorted(texts)
    found: Floats = part.take(at, mode="clip") * (held.take(at, mode="clip") == texts)
    return found


def best_of(score: Floats, limit: int, /) -> NDArray[np.intp]:
    """Positions of the highest scores, highest first; equal scores in the order of positions.

    Examples
    --------
    >>> best_of(np.array([1.0, 3.0, 3.0, 2.0]), 2).tolist()
    [1, 2]
    """
    able = np.flatnonzero(score >= _least(score, limit)) if limit < len(score) else np.arange(len(score))
    return able[np.argsort(-score[able], kind="stable")][:limit]


def _least(score: Floats, limit: int) -> float:
    """Lowest of the highest scores."""
    return float(np.partition(score, len(score) - limit)[len(score) - limit])


def _distinct(texts: Texts) -> Texts:
    """Each text once, ascending; several times faster than `numpy.unique` on a few thousand."""
    texts = np.sort(texts)
    return texts[np.concatenate([[True], texts[1:] != texts[:-1]])] if len(texts) else texts


def top_of(
    columns: Sequence[Column], n: int, limit: int, /, *, factor: Floats | None = None
) -> tuple[NDArray[np.int32], Floats]:
    """Texts of the highest scores and these, highest first; equal scores in the order of texts, none of score 0.

    Columns are read in their order, best from short to long, until what the others can add at most lifts no further
    text among the first; then only texts that may still be there are completed (MaxScore: Turtle and Flood 1995). The
    result is that of `total_of`, to the last bit: nothing is rounded, and each text adds up in the order of columns.

    Parameters
    ----------
    columns : sequence of (texts, parts)
    n : count
        Of all texts.
    limit : count
    factor : (n,) numbers above 0, optional
        What the score of each text is multiplied by.

    Examples
    --------
    >>> rare, common = (np.array([2], np.int32), np.array([3.0])), (np.array([0, 2], np.int32), np.array([1.0, 1.0]))
    >>> top_of([rare, common], 3, 1)
    (array([2], dtype=int32), array([4.]))
    """
    short = int(np.cumsum([len(text) for text, _ in columns]).searchsorted(FEW, "right"))
    text = np.concatenate([np.empty(0, np.int32), *(text for text, _ in columns[:short])])
    part = np.concatenate([np.empty(0), *(part for _, part in columns[:short])])
    found = np.bincount(text, part, n).astype(np.float64, copy=False)  # counts where there is no part
    long, most = columns[short:], 1.0 if factor is None else float(factor.max(initial=0.0))
    rest = [*itertools.accumulate((most * float(part.max()) for _, part in long[::-1]), initial=0.0)][::-1]

    def weighed(texts: Texts) -> Floats:
        score: Floats = found[texts] if factor is None else found[texts] * factor[texts]
        return score

    first, least, read, fresh = np.empty(0, np.int32), 0.0, 0, [text]
    while True:
        if not 0 < least < rest[read]:  # else no end is near
            text, fresh = np.concatenate(fresh), []
            first = _distinct(np.concatenate([first, text[weighed(text) > least]]))
            if len(first) >= limit:
                score = weighed(first)
                least = _least(score, limit)
                first = first[score >= least]
        if read == len(long) or rest[read] < least * STOP:
            break
        text, part = long[read]
        found[text] += part
        fresh.append(text)
        read += 1
    enough = max(least * SAFE - rest[read], np.finfo(np.float64).tiny)
    able = np.flatnonzero((found if factor is None else found * factor) >= enough).astype(np.int32)
    for (text, part), others in zip(long[read:], rest[read + 1 :], strict=True):
        if len(able) * 8 < len(text):
            found[able] += held_in((text, part), able)
        else:
            found[text] += part
        score = weighed(able)
        least = max(least, _least(score, limit)) if limit < len(able) else least
        able = able[score >= least * SAFE - others]
    score = weighed(able)
    best = best_of(score, limit)
    return able[best], score[best]
