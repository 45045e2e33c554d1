"""Whether probabilities hold what they say: rows of similar probability, and what happened among them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["calibration_error", "reliability_groups"]

Floats = NDArray[np.float64]


def reliability_groups(predicted: Floats, /, *, bins: int) -> NDArray[np.int64]:
    """(n,) groups of about equal size in rising order of probability; rows of equal probability stay together.

    Examples
    --------
    >>> reliability_groups(np.array([0.1, 0.9, 0.9, 0.2]), bins=2).tolist()
    [0, 1, 1, 0]
    """
    _, where, often = np.unique(predicted, return_inverse=True, return_counts=True)
    middle = (np.cumsum(often) - often / 2) / len(predicted)
    return np.minimum((middle * bins).astype(np.int64), bins - 1)[where]


def calibration_error(predicted: Floats, happened: Floats, /, *, bins: int = 10) -> float:
    """Mean distance between mean probability and share that happened over `reliability_groups`, weighted by rows.

    Examples
    --------
    >>> calibration_error(np.array([0.75, 0.75, 0.25, 0.25]), np.array([1.0, 1.0, 0.0, 0.0]), bins=2)
    0.25
    """
    _, group = np.unique(reliability_groups(predicted, bins=bins), return_inverse=True)
    return float(np.abs(np.bincount(group, predicted - happened)).sum() / len(predicted))
