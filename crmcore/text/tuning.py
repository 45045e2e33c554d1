"""What held-out texts decide: the temperature of logits and the strength of a penalty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore.text.logistic import log_softmax

__all__ = ["deal_folds", "loss_at", "step_to_best", "temperature_of"]

Floats = NDArray[np.float64]


def deal_folds(y: NDArray[np.int64], folds: int, /) -> NDArray[np.int64]:
    """(n,) fold of each row: labels are dealt out in turn, so that every fold has its share of each."""
    order = np.argsort(y, kind="stable")
    fold = np.empty(len(y), np.int64)
    fold[order] = np.arange(len(y)) % folds
    return fold


def loss_at(z: Floats, y: NDArray[np.int64], /, *, temperature: float, weight: Floats | None = None) -> float:
    """Mean log loss of logits z / temperature."""
    every = -log_softmax(z / temperature)[np.arange(len(y)), y]
    return float(np.average(every, weights=weight))


def temperature_of(z: Floats, y: NDArray[np.int64], /, *, weight: Floats | None = None) -> float:
    """Number that logits are divided by for the smallest log loss, between 0.08 and 12."""
    from scipy.optimize import minimize_scalar

    best: Any = minimize_scalar(
        lambda log_t: loss_at(z, y, temperature=float(np.exp(log_t)), weight=weight), bounds=(-2.5, 2.5),
        method="bounded",
    )  # fmt: skip
    return float(np.exp(best.x))


def step_to_best(loss: Callable[[float], float], grid: tuple[float, ...], start: int, /) -> float:
    """Walk along a grid from a place to where no neighbour is better; each place is tried once.

    Examples
    --------
    >>> step_to_best(lambda x: (x - 2.9) ** 2, (0.1, 0.3, 1.0, 3.0, 10.0), 1)
    3.0
    """
    seen = {start: loss(grid[start])}
    at = start
    while True:
        for near in (at - 1, at + 1):
            if 0 <= near < len(grid) and near not in seen:
                seen[near] = loss(grid[near])
        best = min(seen, key=lambda i: (seen[i], i))
        if best == at:
            return grid[at]
        at = best
