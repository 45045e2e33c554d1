"""Harrell's concordance in n log n: whether who leaves first had the higher risk, ties counting half."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["concordance_of", "prefix_counts"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def prefix_counts(ranks: Ints, ends: Ints, query: Ints, /) -> Ints:
    """(q,) how many of `ranks[:ends[i]]` are below `query[i]`: a wavelet matrix, one level a bit.

    Examples
    --------
    >>> prefix_counts(np.array([3, 1, 2, 0]), np.array([2, 4]), np.array([2, 3]))
    array([1, 3])
    """
    top = int(max(ranks.max(initial=0), query.max(initial=0)))
    count = np.zeros(len(query), np.int64)
    low, high, held = np.zeros(len(ends), np.int64), ends.astype(np.int64), ranks
    for bit in reversed(range(max(top.bit_length(), 1))):
        one = (held >> bit) & 1 == 1
        zeros = np.concatenate([np.zeros(1, np.int64), np.cumsum(~one)])
        up = (query >> bit) & 1 == 1
        count += np.where(up, zeros[high] - zeros[low], 0)
        low, high = (np.where(up, zeros[-1] + at - zeros[at], zeros[at]) for at in (low, high))
        held = np.concatenate([held[~one], held[one]])
    return count


def concordance_of(duration: Floats, event: NDArray[np.bool_], risk: Floats, /) -> tuple[float, float, int]:
    """Concordance, its standard error, and how many pairs can be compared; NaN where none can.

    A pair can be compared where one left and the other is known to have stayed longer (seen last at the same time
    counts as longer). The error is the infinitesimal jackknife of the ratio of sums over customers.

    Examples
    --------
    >>> concordance_of(np.array([1.0, 2.0, 3.0]), np.array([True, True, False]), np.array([3.0, 1.0, 2.0]))[::2]
    (0.6666666666666666, 3)
    """
    n = len(duration)
    _, rank = np.unique(risk, return_inverse=True)
    order = np.lexsort((event, -duration))  # the longest first; at one time those seen last before those who left
    position = np.empty(n, np.int64)
    position[order] = np.arange(n)
    left = np.flatnonzero(event)
    # who outlived each who left: everything before the first event of the same time
    change = np.r_[True, (np.diff(duration[order]) != 0) | (event[order][1:] != event[order][:-1])]
    start = np.maximum.accumulate(np.where(change, np.arange(n), 0))
    ends = start[position[left]]
    below = prefix_counts(rank[order], ends, rank[left])
    upto = prefix_counts(rank[order], ends, rank[left] + 1)
    good, all_pairs = np.zeros(n), np.zeros(n)
    good[left] = below + (upto - below) / 2
    all_pairs[left] = ends
    # the same pairs from the side of who stayed
    by_time = left[np.argsort(duration[left], kind="stable")]
    times = duration[by_time]
    before = np.where(event, np.searchsorted(times, duration, "left"), np.searchsorted(times, duration, "right"))
    under = prefix_counts(rank[by_time], before, rank)
    level = prefix_counts(rank[by_time], before, rank + 1) - under
    good += before - under - level / 2
    all_pairs += before
    total = float(all_pairs.sum())
    if total == 0:
        return math.nan, math.nan, 0
    value = float(good.sum()) / total
    error = 2 * math.sqrt(float(np.sum((good - value * all_pairs) ** 2))) / total
    return value, error, round(total / 2)
