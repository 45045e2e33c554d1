"""Kernels that judge probabilities by what happened; rows with equal probability are never told apart."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from crmcore.idic.differentiate.propensity.newton import fit_logistic
from crmcore.metrics.intervals import normal_quantile, wilson_interval

__all__ = ["auc_of", "average_precision_of", "gain_of", "lift_of", "logit_interval", "logits_of", "recalibration_of"]

Floats = NDArray[np.float64]
CLOSEST = 1e-15  # probabilities nearer to 0 or 1 are taken as this near, or one surprise would cost infinity


def logits_of(probability: Floats, /) -> Floats:
    """Log odds, finite.

    Examples
    --------
    >>> logits_of(np.array([0.5, 1.0])).round(2).tolist()
    [0.0, 34.54]
    """
    p = np.clip(probability, CLOSEST, 1 - CLOSEST)
    out: Floats = np.log(p) - np.log1p(-p)
    return out


def _mid_ranks(x: Floats) -> Floats:
    _, where, often = np.unique(x, return_inverse=True, return_counts=True)
    last = np.cumsum(often)
    return np.asarray(((last - often + 1 + last) / 2)[where], np.float64)


def auc_of(happened: Floats, probability: Floats, /) -> tuple[float, float]:
    """Area under the ROC curve and its standard error.

    The chance that a row where it happened has the higher probability than one where it did not, ties counting half;
    the error follows DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44:837.

    Examples
    --------
    >>> auc_of(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.4, 0.35, 0.8]))[0]
    0.75
    """
    yes, no = probability[happened == 1], probability[happened == 0]
    m, n = len(yes), len(no)
    ranks = _mid_ranks(np.concatenate([yes, no]))
    above = (ranks[:m] - _mid_ranks(yes)) / n  # share of the other kind that each row beats
    below = 1 - (ranks[m:] - _mid_ranks(no)) / m
    value = float(above.mean())
    spread = [float(np.var(part, ddof=1)) if len(part) > 1 else math.nan for part in (above, below)]
    return value, math.sqrt(spread[0] / m + spread[1] / n)


def logit_interval(value: float, error: float, /, *, n: float, level: float) -> tuple[float, float]:
    """Interval of a share from its standard error, normal on the log odds.

    At 0 and 1, and where nothing varies, the error says nothing: Wilson's interval of `n` observations stands in.

    Examples
    --------
    >>> tuple(round(x, 3) for x in logit_interval(0.8, 0.05, n=100, level=0.95))
    (0.684, 0.881)
    >>> tuple(round(x, 3) for x in logit_interval(1.0, 0.0, n=20, level=0.95))
    (0.839, 1.0)
    """
    if not 1e-12 < value < 1 - 1e-12 or not error > 0:
        low, high = wilson_interval(value * n, n, level=level)
        return float(low), float(high)
    middle = math.log(value / (1 - value))
    half = normal_quantile(level) * error / (value * (1 - value))
    return 1 / (1 + math.exp(half - middle)), 1 / (1 + math.exp(-half - middle))


def gain_of(happened: Floats, probability: Floats, /) -> tuple[Floats, Floats]:
    """Share of rows, from the most probable down, and share of what happened among them; ties move together.

    Examples
    --------
    >>> shares, captured = gain_of(np.array([1.0, 0.0, 1.0, 0.0]), np.array([0.9, 0.2, 0.5, 0.5]))
    >>> shares.tolist(), captured.tolist()
    ([0.0, 0.25, 0.75, 1.0], [0.0, 0.5, 1.0, 1.0])
    """
    _, group, often = np.unique(-probability, return_inverse=True, return_counts=True)
    hits = np.bincount(group, weights=happened)
    rows = np.r_[0.0, np.cumsum(often)] / len(happened)
    return rows, np.r_[0.0, np.cumsum(hits)] / hits.sum()


def average_precision_of(happened: Floats, probability: Floats, /) -> tuple[float, float]:
    """Mean precision over what happened, ties as one threshold, and its standard error.

    With K and R what happened and all rows at or above a threshold, the value is Σ y K/R / Σ y. The error is the
    infinitesimal jackknife: each row's derivative counts its own precision and what it does to those at or below it.

    Examples
    --------
    >>> round(average_precision_of(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.4, 0.35, 0.8]))[0], 4)
    0.8333
    """
    _, group, often = np.unique(-probability, return_inverse=True, return_counts=True)
    hits = np.bincount(group, weights=happened)
    above, hits_above = np.cumsum(often), np.cumsum(hits)
    total = float(hits.sum())
    precision = hits_above / above
    value = float(hits @ precision) / total
    if_hit = np.cumsum((hits / above)[::-1])[::-1]  # over thresholds at or below a row's own
    if_row = np.cumsum((hits * hits_above / above**2)[::-1])[::-1]
    pull = happened * (precision[group] - value + if_hit[group]) - if_row[group]
    return value, math.sqrt(float(pull @ pull)) / total


def lift_of(happened: Floats, probability: Floats, /, *, share: float, level: float) -> tuple[float, float, float]:
    """How many times the overall rate the most probable `share` of rows has, with an interval.

    Rows tied at the line count with the part that fits. The interval takes top and rest as two binomials and is normal
    on the logarithm.

    Examples
    --------
    >>> happened = np.array([1.0] * 5 + [0.0] * 5)
    >>> lift_of(happened, np.linspace(1, 0, 10), share=0.2, level=0.95)[0]
    2.0
    """
    rows, captured = gain_of(happened, probability)
    n, total = len(happened), float(happened.sum())
    hits = float(np.interp(share, rows, captured)) * total
    top, rest = share * n, n - share * n
    p1, overall = hits / top, total / n
    value = p1 / overall
    # d log lift / d p1 and / d p0; half a hit keeps an empty or full cell from looking certain
    q1, q0 = (hits + 0.5) / (top + 1), (total - hits + 0.5) / (rest + 1)
    by_top, by_rest = 1 / q1 - share / overall, -(1 - share) / overall
    half = normal_quantile(level) * math.sqrt(by_top**2 * q1 * (1 - q1) / top + by_rest**2 * q0 * (1 - q0) / rest)
    low = value * math.exp(-half) if p1 > 0 else 0.0
    most = 1 / max(overall, share)  # all that happened in the top, or nothing else in it
    return value, low, min((value if p1 > 0 else q1 / overall) * math.exp(half), most)


def recalibration_of(happened: Floats, probability: Floats, /) -> tuple[tuple[float, float], tuple[float, float]]:
    """Calibration in the large and slope, each with its standard error.

    The intercept of a logistic regression with the log odds as offset (0 = as many happen as were predicted), and the
    slope on the log odds (1 = right, below 1 = too sure of itself): Cox (1958), Biometrika 45:562. NaN where all
    probabilities are equal or tell the outcomes apart without error.
    """
    from crmcore.errors import NotConverged

    logit, ones = logits_of(probability), np.ones(len(happened))
    large = fit_logistic(np.zeros((len(happened), 0)), happened, ones, penalty=0.0, offset=logit)
    intercept = (float(large.coefficients[0]), math.sqrt(float(large.covariance[0, 0])))
    if not intercept[1] < 1e3:  # every probability is 0 or 1
        intercept = (math.nan, math.nan)
    if np.ptp(logit) < 1e-9:
        return intercept, (math.nan, math.nan)
    try:
        found = fit_logistic(logit[:, None], happened, ones, penalty=0.0)
    except NotConverged:
        return intercept, (math.nan, math.nan)
    return intercept, (float(found.coefficients[1]), math.sqrt(float(found.covariance[1, 1])))
