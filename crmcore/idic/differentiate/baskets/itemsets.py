"""Exact frequent item sets: one bit a basket, depth first, no candidate is counted twice."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["frequent_sets"]

Codes = NDArray[np.intp]
Bits = NDArray[np.uint8]


def frequent_sets(
    basket: Codes, item: Codes, /, *, n_baskets: int, n_items: int, least: int, longest: int
) -> dict[tuple[int, ...], int]:
    """Every set of items that stands together in at least `least` baskets.

    Parameters
    ----------
    basket, item : (n,) codes
        Row i says that the basket holds the item; repeated rows count once.
    n_baskets, n_items : counts
    least : count of baskets, from 1
    longest : count of items in a set

    Returns
    -------
    sorted item codes to count of baskets

    Examples
    --------
    >>> frequent_sets(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), n_baskets=2, n_items=2, least=2, longest=2)
    {(0,): 2, (0, 1): 2, (1,): 2}
    """
    pairs = np.unique(item.astype(np.int64) * n_baskets + basket)
    items, baskets = pairs // n_baskets, pairs % n_baskets
    support = np.bincount(items, minlength=n_items)
    kept = np.flatnonzero(support >= least)
    bits = np.zeros((len(kept), (n_baskets + 7) // 8), np.uint8)
    row = np.full(n_items, -1)
    row[kept] = np.arange(len(kept))
    held = row[items] >= 0
    where = row[items[held]], baskets[held]
    np.bitwise_or.at(bits, (where[0], where[1] // 8), (1 << (where[1] % 8)).astype(np.uint8))
    return dict(_grow((), kept, bits, support[kept], least, longest))


def _grow(
    prefix: tuple[int, ...], items: Codes, bits: Bits, counts: NDArray[np.int64], least: int, longest: int
) -> Iterator[tuple[tuple[int, ...], int]]:
    for i in range(len(items)):
        found = (*prefix, int(items[i]))
        yield found, int(counts[i])
        if len(found) < longest and i + 1 < len(items):
            joint = bits[i + 1 :] & bits[i]
            n = np.bitwise_count(joint).sum(1, dtype=np.int64)
            enough = n >= least
            yield from _grow(found, items[i + 1 :][enough], joint[enough], n[enough], least, longest)
