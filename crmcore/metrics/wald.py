"""Wald intervals of fitted parameters, from a covariance on the scale on which they were fitted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from crmcore.metrics.estimates import Estimate, check_level, estimate_of
from crmcore.metrics.intervals import normal_quantile

__all__ = ["standard_errors", "wald_estimates"]

Covariance = Sequence[Sequence[float]]


def wald_estimates(
    values: Mapping[str, float], covariance: Covariance | None, /, *, n: int, level: float, log_scale: bool = True
) -> tuple[Estimate, ...]:
    """Parameters with Wald intervals; NaN ends where there is no covariance.

    Parameters
    ----------
    values : name -> value
    covariance : rows in the order of `values`, or None
        Of the logarithms of the parameters, or of themselves.
    n : customers that were fitted
    level : coverage
    log_scale : truth
        value exp(-+ z se), for positive parameters; else value -+ z se.

    Examples
    --------
    >>> print(wald_estimates({"r": 2.0}, ((0.01,),), n=50, level=0.9)[0])
    2 [1.7, 2.36] (90 %, n = 50, wald, log scale)
    """
    check_level(level)
    z, out = normal_quantile(level), []
    for i, (name, value) in enumerate(values.items()):
        half = z * (math.nan if covariance is None else math.sqrt(max(covariance[i][i], 0.0)))
        if log_scale:
            ends, method = (value * math.exp(-half), value * math.exp(half)), "wald, log scale"
        else:
            ends, method = (value - half, value + half), "wald"
        out.append(estimate_of(value, *ends, level=level, n=n, rule=name, method=method))
    return tuple(out)


def standard_errors(values: Mapping[str, float], covariance: Covariance | None, /) -> dict[str, float]:
    """Of parameters on their own scale, from a covariance of their logarithms (delta method); NaN without one.

    Examples
    --------
    >>> standard_errors({"r": 2.0}, ((0.01,),))
    {'r': 0.2}
    """
    if covariance is None:
        return dict.fromkeys(values, math.nan)
    return {k: v * math.sqrt(max(covariance[i][i], 0.0)) for i, (k, v) in enumerate(values.items())}
