"""Cut points of one measure: a score is a function of the value, so equal values cannot get different scores."""

from __future__ import annotations

import enum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import OutOfRange
from crmcore.metrics.columns import numbers
from crmcore.metrics.scalars import count_of
from crmcore.values.words import word

__all__ = ["Ties", "cut_points", "score_values", "ties_of"]

Floats = NDArray[np.float64]
Scores = NDArray[np.int16]


class Ties(enum.StrEnum):
    """Where a group of equal values stands among the ranks that it covers."""

    UPPER = "upper"  # all get the score of the best rank that the group covers
    LOWER = "lower"  # all get the score of the worst
    MID = "mid"  # all get the score of the middle


def ties_of(ties: Ties | str) -> Ties:
    """Tie policy by its word."""
    return word(Ties, ties, "tie policy")


def cut_points(values: ArrayLike, /, *, bins: int = 5, ties: Ties | str = Ties.MID) -> Floats:
    """Lowest value of each score from 2 up, for scores of about equal size.

    A group of equal values covers the ranks lo ... hi of n (counted from 0); its score is 1 + floor(bins * rank / n)
    at the rank that the tie policy names: hi, lo or (lo + hi) / 2. Without ties the three agree.

    Parameters
    ----------
    values : (n,) numbers
        More is better; NaN is missing and left out.
    bins : count
        Scores 1 (worst) to `bins` (best); 2 or more.
    ties : Ties
        `"upper"`, `"lower"` or `"mid"`.

    Returns
    -------
    (bins - 1,) numbers
        Ascending; inf where no value reaches the score.

    Examples
    --------
    >>> cut_points([1, 1, 1, 1, 1, 1, 2, 3, 4, 9], bins=5).tolist()
    [1.0, 2.0, 2.0, 4.0]
    """
    policy, n_bins = ties_of(ties), count_of("bins", bins, least=2, hint="5 is usual")
    column = numbers("values", values, infinite_ok=False)
    found, count = np.unique(column[~np.isnan(column)], return_counts=True)
    edges = np.full(n_bins - 1, np.inf)
    if not len(found):
        return edges
    high = np.cumsum(count) - 1
    low = high - count + 1
    twice = {Ties.UPPER: 2 * high, Ties.LOWER: 2 * low, Ties.MID: low + high}[policy]
    score = 1 + n_bins * twice // (2 * int(count.sum()))  # whole numbers: no rounding at the lines
    first = np.searchsorted(score, np.arange(2, n_bins + 1))
    there = first < len(found)
    edges[there] = found[first[there]]
    return edges


def score_values(values: ArrayLike, cuts: ArrayLike, /) -> Scores:
    """Score values by cut points: 1 + the number of cut points that a value reaches; 0 where it is missing.

    Parameters
    ----------
    values : (n,) numbers
        NaN is missing.
    cuts : (bins - 1,) numbers
        Ascending.

    Returns
    -------
    (n,) scores

    Examples
    --------
    >>> score_values([1, 2, 2, 7, None], [2, 5]).tolist()
    [1, 2, 2, 3, 0]
    """
    column, edges = numbers("values", values), numbers("cuts", cuts)
    if np.isnan(edges).any() or (edges[1:] < edges[:-1]).any():
        raise OutOfRange("cuts", edges.tolist(), "ascending numbers", "sort them from the lowest to the highest")
    made: Scores = np.where(np.isnan(column), 0, 1 + np.searchsorted(edges, column, side="right")).astype(np.int16)
    return made
