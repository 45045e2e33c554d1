"""How long a control chart runs until it signals: without reason (false alarms) and after a shift."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from crmcore.errors import OutOfRange

__all__ = ["cusum_run_length", "cusum_threshold", "shewhart_run_length"]

NODES = 80
"""Points of Gauss and Legendre: h = 5 is right to ten digits from 40 on."""


def shewhart_run_length(shift: float = 0.0, /, *, limit: float = 3.0) -> float:
    """Points until one lies outside the limits, on average.

    Parameters
    ----------
    shift : number
        Of the mean, in units of sigma.
    limit : number
        Distance of the limits.

    Examples
    --------
    >>> round(shewhart_run_length(), 1), round(shewhart_run_length(1.0), 1)
    (370.4, 43.9)
    """
    from scipy.special import ndtr

    if not (math.isfinite(shift) and limit > 0):
        raise OutOfRange("limit", limit, "above 0, and a finite shift", "limits are usually 3 sigma away")
    return float(1.0 / (ndtr(-limit - shift) + ndtr(-limit + shift)))


def cusum_run_length(
    shift: float = 0.0, /, *, slack: float = 0.5, threshold: float = 5.0, sides: int = 2, head_start: float = 0.0
) -> float:
    """Points until a cumulative sum passes its threshold, on average.

    Parameters
    ----------
    shift : number
        Of the mean of the values, in units of sigma.
    slack, threshold : numbers
        k and h of the sum, in units of sigma.
    sides : count
        1 looks above only, 2 on both sides.
    head_start : number
        Where the sums begin: half of the threshold answers faster to what is wrong from the start.

    Returns
    -------
    points

    Notes
    -----
    The integral equation L(z) = 1 + L(0) F(k - z - shift) + int_0^h L(y) f(y + k - z - shift) dy at the nodes of Gauss
    and Legendre: Goel & Wu (1971), Technometrics 13:221. Two sides: 1/L = 1/L+ + 1/L-, exact without a head start
    (Kemp 1961) and with one by Lucas & Crosier (1982), Technometrics 24:199.

    Examples
    --------
    >>> round(cusum_run_length(threshold=4.0), 1), round(cusum_run_length(1.0, threshold=5.0), 2)
    (167.7, 10.38)
    """
    _check(slack, threshold, head_start)
    if sides not in (1, 2):
        raise OutOfRange("sides", sides, "1 or 2", "look above alone, or above and below")
    up0, up = _one_side(shift, slack, threshold, head_start)
    if sides == 1:
        return up
    down0, down = _one_side(-shift, slack, threshold, head_start)
    if head_start == 0:
        return 1.0 / (1.0 / up0 + 1.0 / down0)
    return (up * down0 + down * up0 - up0 * down0) / (up0 + down0)


def _check(slack: float, threshold: float, head_start: float) -> None:
    if not 0 <= slack < math.inf:
        raise OutOfRange("slack", slack, "0 or more", "half the shift to be found, in units of sigma: 0.5")
    if not 0 < threshold < math.inf:
        raise OutOfRange("threshold", threshold, "above 0", "4 or 5, in units of sigma")
    if not 0 <= head_start < threshold:
        raise OutOfRange("head_start", head_start, "from 0 to below the threshold", "half of the threshold is usual")


def _one_side(shift: float, slack: float, threshold: float, head_start: float) -> tuple[float, float]:
    """Run length of the upper sum from 0 and from a head start."""
    from scipy.special import ndtr

    x, w = np.polynomial.legendre.leggauss(NODES)
    y, w = threshold * (x + 1) / 2, threshold * w / 2
    starts = np.concatenate([[0.0, head_start], y])
    density = np.exp(-0.5 * (y[None] + slack - starts[:, None] - shift) ** 2) / math.sqrt(2 * math.pi) * w[None]
    stay = ndtr(slack - starts - shift)
    matrix = np.eye(NODES + 2)
    matrix[:, 0] -= stay
    matrix[:, 2:] -= density
    found = np.linalg.solve(matrix, np.ones(NODES + 2))
    return float(found[0]), float(found[1])


def cusum_threshold(run_length: float, /, *, slack: float = 0.5, sides: int = 2) -> float:
    """Threshold that lets a steady process run so many points until a false alarm.

    Parameters
    ----------
    run_length : points
        From 2 to a million.
    slack, sides
        As in `cusum_run_length`.

    Examples
    --------
    >>> round(cusum_threshold(465.4), 2), round(cusum_threshold(370.4), 2)
    (5.0, 4.77)
    """
    from scipy.optimize import brentq

    if not 2 <= run_length <= 1e6:
        raise OutOfRange("run_length", run_length, "2 to 1,000,000 points", "370 is what 3 sigma limits have")

    def away(threshold: float) -> float:
        return math.log(cusum_run_length(slack=slack, threshold=threshold, sides=sides) / run_length)

    low, high = 1e-6, 1.0
    while away(high) < 0 and high < 1e3:
        high *= 2
    if away(low) > 0 or away(high) < 0:
        raise OutOfRange("run_length", run_length, "a length that this slack can have", "choose a longer one")
    found: Any = brentq(away, low, high, xtol=1e-10)
    return float(found)
