"""Money later is worth less: rates converted in the open, and expected orders discounted in continuous time."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from crmcore.errors import OutOfRange

__all__ = ["continuous_rate", "discounted"]

Floats = NDArray[np.float64]
DAYS_A_YEAR = 365.25


def continuous_rate(annual_discount: float, /, *, unit_days: float) -> float:
    """Continuous rate per time unit of a yearly discount: ln(1 + annual) x unit_days / 365.25.

    Examples
    --------
    >>> round(continuous_rate(0.15, unit_days=7), 4)
    0.0027
    """
    if not 0 <= annual_discount < math.inf:
        raise OutOfRange("annual_discount", annual_discount, "a finite rate from 0", "write 10 % a year as 0.10")
    return math.log1p(annual_discount) * unit_days / DAYS_A_YEAR


def discounted(expected: Callable[[float], Floats], /, *, horizon: float, rate: float, nodes: int = 16) -> Floats:
    """Discounted expected orders over a horizon, from the expected orders E(t) up to each time t.

    Parameters
    ----------
    expected : callable
        E(t), one value a customer; smooth, rising, with a falling slope.
    horizon : time units
        `inf` needs a rate above 0; then the sum stops at 40 / rate, where what is left is below e^-40 of the value of
        an undying customer.
    rate : per time unit
        Continuous.
    nodes : count
        Gauss-Legendre nodes in each of the pieces, whose ends double.

    Notes
    -----
    By parts, without a derivative: exp(-d h) E(h) + d times the integral of exp(-d t) E(t) from 0 to h.

    Examples
    --------
    >>> steady = lambda t: np.array([2.0 * t])
    >>> float(discounted(steady, horizon=np.inf, rate=0.1)[0].round(6))    # 2 a unit for ever: 2 / 0.1
    20.0
    """
    if rate == 0.0:
        if not math.isfinite(horizon):
            raise OutOfRange("horizon", horizon, "finite without a discount", "give annual_discount, or an end")
        return expected(horizon)
    end = min(horizon, 40.0 / rate)
    pieces = max(1, math.ceil(rate * end / 2))
    edges = np.linspace(0.0, end, pieces + 1)
    x, w = np.polynomial.legendre.leggauss(nodes)
    total = math.exp(-rate * end) * expected(end)
    for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        for node, weight in zip(x.tolist(), w.tolist(), strict=True):
            t = (a + b) / 2 + (b - a) / 2 * node
            total = total + rate * weight * (b - a) / 2 * math.exp(-rate * t) * expected(t)
    return total
