"""Lists that are not ten times the same thing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["spread_out"]

Codes = NDArray[np.intp]
Floats = NDArray[np.float64]


def spread_out(
    target: Codes, scores: Floats, k: int, variety: float, like: Mapping[str, str] | Any, items: tuple[str, ...], /
) -> tuple[Codes, Floats]:
    """(rows, k) choice from ranked candidates by maximal marginal relevance; ties go to the better ranked."""
    out, kept = np.full((len(target), k), -1, np.intp), np.zeros((len(target), k))
    for row in range(len(target)):
        held = target[row][target[row] >= 0]
        if not len(held):
            continue
        value = scores[row, : len(held)]
        span = value[0] - value[-1]
        relevance = (value - value[-1]) / span if span > 0 else np.ones(len(held))
        alike = likeness(held, like, items)
        chosen = [0]
        while len(chosen) < min(k, len(held)):
            gain = (1 - variety) * relevance - variety * alike[:, chosen].max(1)
            gain[chosen] = -np.inf
            chosen.append(int(gain.argmax()))
        out[row, : len(chosen)], kept[row, : len(chosen)] = held[chosen], value[chosen]
    return out, kept


def likeness(target: Codes, like: Mapping[str, str] | Any, items: tuple[str, ...], /) -> Floats:
    """(n, n) likeness in 0..1: one category, or the cosine of what leads to two items; 0 where neither is known."""
    if isinstance(like, Mapping):
        words = [like.get(items[t]) for t in target.tolist()]
        return np.array([[float(a is not None and a == b) for b in words] for a in words])
    if not hasattr(like, "vectors"):
        return np.zeros((len(target), len(target)))
    rows = like.vectors(target)
    length = np.sqrt((rows * rows).sum(1))
    unit = rows / np.maximum(length, 1e-300)[:, None]
    made: Floats = np.clip(unit @ unit.T, 0.0, 1.0)
    return made
