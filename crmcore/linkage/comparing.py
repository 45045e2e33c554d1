"""Make candidate pairs of blocking keys, and compare them in chunks on all cores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from crmcore._base import Progress
from crmcore.linkage.blocking import (
    BlockingKey,
    KeySpace,
    Pairs,
    block_pairs,
    row_bits,
    union,
    unpack,
    without_large_blocks,
)
from crmcore.linkage.scoring import CHUNK, Scorer, spread

__all__ = ["FEW_KEYS", "compare_candidates"]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

FEW_KEYS = 12  # up to here a pair is checked against all earlier keys, and never held


def compare_candidates(
    scorer: Scorer, space: KeySpace, keys: Sequence[BlockingKey], cap: int, least: float, progress: Progress
) -> tuple[int, Rows, Rows, Floats]:
    """Make candidate pairs and compare them: number of pairs, and those at or above `least`.

    Many planned keys find the same pairs over and over: their pairs, few by budget, are gathered and made distinct. A
    few keys of one's own may make any number of pairs: these are compared as they come, a pair under the first key that
    makes it, and memory does not grow with them.
    """
    if len(keys) > FEW_KEYS:
        return _score(scorer, _candidates(space, keys, cap, progress), space.n, least, progress)
    values = [without_large_blocks(space.values(k), cap=cap) for k in keys]

    def parts() -> Iterator[tuple[int, Pairs]]:
        for k, value in enumerate(values):
            for pairs in block_pairs(value, n=space.n, cap=cap):
                for at in range(0, len(pairs), CHUNK):
                    yield k, pairs[at : at + CHUNK]
            progress("compare pairs", k + 1, len(keys))

    bits = row_bits(space.n)

    def work(part: tuple[int, Pairs]) -> tuple[int, Rows, Rows, Floats]:
        k, pairs = part
        lo, hi = unpack(pairs, bits)
        for value in values[:k]:
            left = value[lo]
            fresh = (left != value[hi]) | (left == 0)
            lo, hi = lo[fresh], hi[fresh]
        odds = scorer.odds_at_least(lo, hi, least)
        keep = np.flatnonzero(odds >= least)
        return len(lo), lo[keep], hi[keep], odds[keep]

    found = list(spread(work, parts()))
    if not found:
        return 0, np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    lo, hi, odds = (np.concatenate(column) for column in list(zip(*found, strict=True))[1:])
    return sum(f[0] for f in found), lo, hi, odds


def _candidates(space: KeySpace, keys: Sequence[BlockingKey], cap: int, progress: Progress) -> Pairs:
    """Distinct pairs of all keys, packed."""

    def parts_of(key: BlockingKey) -> list[Pairs]:
        return list(block_pairs(space.values(key), n=space.n, cap=cap))

    parts: list[Pairs] = []
    for i, found in enumerate(spread(parts_of, list(keys)), 1):
        parts += found
        progress("candidate pairs", i, len(keys))
    return union(parts)


def _score(
    scorer: Scorer, candidates: Pairs, n: int, least: float, progress: Progress
) -> tuple[int, Rows, Rows, Floats]:
    """Pairs at or above `least`, compared chunk by chunk."""
    bits = row_bits(n)

    def work(at: int) -> tuple[Rows, Rows, Floats]:
        lo, hi = unpack(candidates[at : at + CHUNK], bits)
        odds = scorer.odds_at_least(lo, hi, least)
        keep = np.flatnonzero(odds >= least)
        return lo[keep], hi[keep], odds[keep]

    parts = []
    for found in spread(work, list(range(0, len(candidates), CHUNK))):
        parts.append(found)
        progress("compare pairs", min(len(parts) * CHUNK, len(candidates)), len(candidates))
    if not parts:
        return 0, np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    lo, hi, odds = (np.concatenate(p) for p in zip(*parts, strict=True))
    return len(candidates), lo, hi, odds
