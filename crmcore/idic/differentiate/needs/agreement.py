"""How well two groupings of the same customers agree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from crmcore.errors import EmptyInput, OutOfRange

__all__ = ["adjusted_rand"]


def adjusted_rand(one: Sequence[int] | Sequence[str], other: Sequence[int] | Sequence[str], /) -> float:
    """Share of pairs treated alike, corrected for chance: 1 is the same grouping, 0 is chance (Hubert, Arabie 1985).

    Parameters
    ----------
    one, other : (n,) labels
        Row i of both is the same customer; what the labels are called does not matter.

    Examples
    --------
    >>> adjusted_rand([0, 0, 1, 1], ["b", "b", "a", "a"])
    1.0
    """
    if len(one) != len(other):
        raise OutOfRange("other", f"{len(other)} entries", f"{len(one)}, as one", "row i of both is the same customer")
    if not len(one):
        raise EmptyInput("labels", "pass one label a customer")
    a, b = (np.unique(np.asarray(column), return_inverse=True)[1] for column in (one, other))
    cells = np.unique(a.astype(np.int64) * (int(b.max()) + 1) + b, return_counts=True)[1]

    def pairs(counts: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> float:
        return float((counts * (counts - 1.0) / 2).sum())

    both, left, right = pairs(cells), pairs(np.bincount(a)), pairs(np.bincount(b))
    total = len(a) * (len(a) - 1) / 2
    chance = left * right / total if total else 0.0
    most = (left + right) / 2
    return 1.0 if most == chance else (both - chance) / (most - chance)
