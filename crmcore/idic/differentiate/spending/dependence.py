"""Whether customers who buy more often also spend more per order, which Gamma-Gamma assumes they do not."""

from __future__ import annotations

import math
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.metrics.estimates import Estimate, estimate_of
from crmcore.metrics.intervals import fisher_interval

__all__ = ["Dependence", "spend_dependence"]

Floats = NDArray[np.float64]


@attrs.frozen(kw_only=True)
class Dependence:
    """Correlation of log frequency with log mean spend, the slope between them, and a note in words.

    Attributes
    ----------
    correlation : Estimate
        Weighted Pearson correlation of the logarithms, with Fisher's interval.
    slope : number
        Change of log spend per unit of log frequency; spend grows as frequency to this power.
    note : text
        What it means for the model.
    """

    correlation: Estimate
    slope: float
    note: str

    def __str__(self) -> str:
        return f"{self.correlation}: {self.note}"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row: the correlation with its interval."""
        return self.correlation.to_frame(backend=backend)


def spend_dependence(frequency: Floats, mean_spend: Floats, weights: Floats, /, *, level: float = 0.95) -> Dependence:
    """Test of independence between order frequency and spend per order.

    Parameters
    ----------
    frequency, mean_spend, weights : (n,) columns
        Positive repeat counts, positive mean spend, customers that each row stands for.
    level : share
        Of the interval.

    Returns
    -------
    Dependence
        NaN where one of both does not vary or fewer than 4 customers are there.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.repeat([1.0, 2.0, 4.0, 8.0], 10)
    >>> z = 10 * x**0.5
    >>> round(spend_dependence(x, z, np.ones(40)).slope, 2)
    0.5
    """
    n = float(weights.sum())
    a, b = np.log(frequency), np.log(mean_spend)
    a, b = a - np.average(a, weights=weights), b - np.average(b, weights=weights)
    vab, vaa, vbb = (float(np.sum(weights * x)) for x in (a * b, a * a, b * b))
    if n < 4 or vaa <= 1e-12 * n or vbb <= 1e-12 * n:
        r, low, high, slope = (math.nan,) * 4
        note = "independence cannot be tested: frequency or spend does not vary, or fewer than 4 customers are there"
    else:
        r, slope = float(np.clip(vab / math.sqrt(vaa * vbb), -1.0, 1.0)), vab / vaa
        low, high = fisher_interval(r, n, level=level)
        note = _words(r, low, high)
    rule = "correlation of log frequency and log mean spend"
    return Dependence(
        correlation=estimate_of(r, low, high, level=level, n=n, rule=rule, method="fisher"), slope=slope, note=note
    )


def _words(r: float, low: float, high: float) -> str:
    if low <= 0.0 <= high:
        return "no dependence of spend on frequency is seen: Gamma-Gamma's assumption stands"
    more = "more" if r > 0 else "less"
    if abs(r) < 0.1:
        return f"frequent customers spend slightly {more} per order; the effect is small"
    return f"frequent customers spend {more} per order: consider GammaGamma(dependence='power')"
