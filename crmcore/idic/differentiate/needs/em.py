"""EM for latent classes in log space: one-hot answers and diagonal normal measures, missing cells left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

__all__ = ["Blocks", "Parameters", "climb", "climb_best", "joint", "maximise", "responsibilities"]

Floats = NDArray[np.float64]
TINY = 1e-300
SHORT = 100
"""Steps after which starts are compared."""
LEADERS = 3
"""Starts that go on."""


@attrs.frozen(eq=False)
class Blocks:
    """Distinct rows: `hot` (n, L) one-hot answers, `value` and `seen` (n, D) measures, `weight` (n,) customers."""

    hot: Floats
    starts: tuple[int, ...]
    value: Floats
    seen: Floats
    weight: Floats


@attrs.frozen(eq=False)
class Parameters:
    """Shares (K,), answer probabilities (K, L), means and variances (K, D)."""

    share: Floats
    answer: Floats
    mean: Floats
    variance: Floats


def joint(data: Blocks, p: Parameters, /) -> Floats:
    """Log of class share times density of each row: (n, K)."""
    out = np.log(np.maximum(p.share, TINY)) + data.hot @ np.log(np.maximum(p.answer, TINY)).T
    fixed = np.log(2 * np.pi * p.variance) + p.mean**2 / p.variance
    out -= 0.5 * (data.seen @ fixed.T - 2 * data.value @ (p.mean / p.variance).T + data.value**2 @ (1 / p.variance).T)
    return np.asarray(out, float)


def responsibilities(data: Blocks, p: Parameters, /) -> tuple[Floats, float]:
    """Posterior of each row (n, K), and the log-likelihood of all customers."""
    log = joint(data, p)
    top = log.max(1, keepdims=True)
    dense = np.exp(log - top)
    total = dense.sum(1, keepdims=True)
    return dense / total, float(data.weight @ (top + np.log(total))[:, 0])


def maximise(data: Blocks, r: Floats, /, *, floor: float) -> Parameters:
    """Parameters that are best for these responsibilities; variances stay at `floor` or above."""
    w = r * data.weight[:, None]
    answer = w.T @ data.hot
    for a, b in zip(data.starts[:-1], data.starts[1:], strict=True):
        total = answer[:, a:b].sum(1, keepdims=True)
        answer[:, a:b] = np.where(total > 0, answer[:, a:b] / np.maximum(total, TINY), 1 / (b - a))
    n = np.maximum(w.T @ data.seen, TINY)
    mean = w.T @ data.value / n
    variance = np.maximum(w.T @ data.value**2 / n - mean**2, floor)
    return Parameters(w.sum(0) / w.sum(), answer, mean, variance)


def climb(
    data: Blocks, r: Floats, /, *, floor: float, tolerance: float, most: int
) -> tuple[Parameters, float, int, bool]:
    """EM from responsibilities: parameters, log-likelihood, iterations, whether it converged (Aitken)."""
    p = maximise(data, r, floor=floor)
    r, now = responsibilities(data, p)
    step = np.inf
    for i in range(1, most + 1):
        p = maximise(data, r, floor=floor)
        r, then = responsibilities(data, p)
        gain, now = then - now, then
        rate = gain / step if 0 < gain < step < np.inf else 0.0
        if abs(gain) / (1 - rate) < tolerance and i > 1:
            return p, now, i, True
        step = gain
    return p, now, most, False


def climb_best(
    data: Blocks, begins: Sequence[Floats], /, *, floor: float, tolerance: float, most: int, told: Callable[[int], None]
) -> tuple[Parameters, float, int, bool]:
    """Best of many starts: each climbs a while, the few that lead go on to the end (Biernacki et al. 2003, em-EM)."""
    runs = []
    for done, begin in enumerate(begins, 1):
        runs.append(climb(data, begin, floor=floor, tolerance=tolerance, most=min(SHORT, most)))
        told(done)
    leaders = []
    for run in sorted(runs, key=lambda run: -run[1])[:LEADERS]:
        p, now, steps, converged = run
        if not converged and most > steps:
            r = responsibilities(data, p)[0]
            p, now, more, converged = climb(data, r, floor=floor, tolerance=tolerance, most=most - steps)
            steps += more
        leaders.append((p, now, steps, converged))
    return max(leaders, key=lambda run: run[1])
