"""Kernels of durations that may still be running: who left when, who was at risk, what survived, how sure."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from crmcore.metrics.intervals import normal_quantile, wilson_interval

__all__ = [
    "BANDS",
    "at_risk",
    "count_ends",
    "first_at_or_below",
    "greenwood",
    "product_limit",
    "restricted_mean",
    "survival_band",
    "totals_at",
]

Floats = NDArray[np.float64]

BANDS = MappingProxyType(
    {
        "log-log": "normal on log(-log S), never leaves [0, 1]",
        "plain": "normal on S, cut to [0, 1]; too narrow in the tails of small samples",
    }
)
"""Transformations of the pointwise interval of a survival curve, by name."""


def totals_at(place: Floats, values: Floats, weights: Floats, /) -> Floats:
    """Total weight of `values` at each of the sorted distinct `place`, among which every value must stand.

    Examples
    --------
    >>> totals_at(np.array([1.0, 2.0, 5.0]), np.array([5.0, 1.0, 5.0]), np.ones(3))
    array([1., 0., 2.])
    """
    return np.asarray(np.bincount(np.searchsorted(place, values), weights, len(place)), np.float64)


def count_ends(durations: Floats, observed: NDArray[np.bool_], /) -> tuple[Floats, Floats, Floats]:
    """Distinct durations, ascending, and how many ended by the event and were censored at each.

    Durations are finite and not negative, so their bits sort as they do; the flag is packed below them, and one sort of
    whole numbers replaces a sort, two look-ups and a permutation.

    Examples
    --------
    >>> count_ends(np.array([2.0, 1.0, 2.0]), np.array([True, False, False]))
    (array([1., 2.]), array([0., 1.]), array([1., 1.]))
    """
    one = np.uint64(1)
    key = (durations + 0.0).view(np.uint64) << one | observed  # + 0.0 turns -0.0 into 0.0
    key.sort()
    time = (key >> one).view(np.float64)
    first = np.flatnonzero(np.concatenate([[True], time[1:] != time[:-1]]))
    bounds = np.append(first, len(key))
    through = np.concatenate([[0], np.cumsum(key & one)])
    events = np.diff(through[bounds]).astype(np.float64)
    return time[first], events, np.diff(bounds) - events


def at_risk(left: Floats, entered: Floats, /) -> Floats:
    """Who could have left at each time: entered before it, left at it or later.

    Parameters
    ----------
    left : (m,) weight
        Who left (by event or censoring) at each time, in the order of time.
    entered : (m,) weight
        Who came under observation at each time; those who were there from the start stand nowhere.

    Examples
    --------
    >>> at_risk(np.array([1.0, 1.0, 2.0]), np.array([1.0, 0.0, 0.0]))
    array([3., 3., 2.])
    """
    # summed from the end, so that rounding of weights stays small where few are left
    risk = np.asarray(np.cumsum(left[::-1])[::-1], np.float64)
    return risk - np.cumsum(entered[::-1])[::-1] if entered.any() else risk


def product_limit(events: Floats, risk: Floats, /) -> Floats:
    """Kaplan-Meier estimate of the share that is left after each time.

    S(t) = ∏ (1 − dⱼ/nⱼ) over event times up to t. Kaplan & Meier (1958), JASA 53:457.

    Examples
    --------
    >>> product_limit(np.array([1.0, 0.0, 1.0]), np.array([4.0, 3.0, 2.0]))
    array([0.75 , 0.75 , 0.375])
    """
    share = np.divide(events, risk, out=np.zeros_like(events), where=events > 0)
    return np.asarray(np.cumprod(np.where(share > 1 - 1e-12, 0.0, 1 - share)), np.float64)


def greenwood(events: Floats, risk: Floats, effective: Floats, /) -> Floats:
    """Variance of log S(t) after each time; infinite once S is 0.

    Σ dⱼ/(nⱼ (nⱼ − dⱼ)): Greenwood (1926). Under sampling weights nⱼ in front is replaced by the effective size
    (Σ w)²/Σ w² of those at risk: Xie & Liu (2005), Statistics in Medicine 24:3089. Without weights both are the same.

    Parameters
    ----------
    events, risk : (m,) weight
        At each time.
    effective : (m,) size
        Effective number at risk; equal to `risk` without weights.

    Examples
    --------
    >>> greenwood(np.array([1.0, 1.0]), np.array([4.0, 2.0]), np.array([4.0, 2.0])).round(4)
    array([0.0833, 0.5833])
    """
    left = risk - events
    none_left = (events > 0) & (left <= 1e-12 * risk)
    safe = (events > 0) & ~none_left
    parts = np.divide(events, effective * left, out=np.zeros_like(events), where=safe)
    return np.cumsum(np.where(none_left, np.inf, parts))


def survival_band(
    survival: Floats, log_variance: Floats, effective: Floats, /, *, level: float, band: str = "log-log"
) -> tuple[Floats, Floats]:
    """Pointwise interval of a survival curve.

    "log-log" is S^exp(±z √V / abs(log S)), V the variance of log S: Kalbfleisch & Prentice (1980), section 1.4.
    "plain" is S ± z S √V. Where nobody has left yet (S = 1) V is 0 and neither says anything: the lower limit is then
    Wilson's for 0 events among those at risk. Where S has reached 0 the upper limit is that of the moment before.

    Parameters
    ----------
    survival, log_variance, effective : (m,)
        In the order of time.
    level : share
        Coverage aimed at, at each time alone.
    band : text
        A name of `BANDS`.

    Examples
    --------
    >>> low, high = survival_band(np.array([0.75, 0.5]), np.array([0.0833, 0.25]), np.array([4.0, 3.0]), level=0.95)
    >>> low.round(4), high.round(4)
    (array([0.1281, 0.0578]), array([0.9605, 0.8449]))
    """
    low, high = np.empty((2, len(survival)))
    begin = int(np.searchsorted(-survival, -1.0, side="right"))
    end = int(np.searchsorted(-survival, 0.0, side="left"))
    alive = np.maximum(effective[:begin], 0.0)
    low[:begin], high[:begin] = wilson_interval(alive, alive, level=level)[0], 1.0
    s, between = survival[begin:end], slice(begin, end)  # S falls, so what lies between 1 and 0 is one stretch
    error = normal_quantile(level) * np.sqrt(log_variance[between])
    if band == "plain":
        low[between], high[between] = np.maximum(s * (1 - error), 0.0), np.minimum(s * (1 + error), 1.0)
    else:
        log_s = np.log(s)
        spread = np.exp(np.minimum(error / -log_s, 700.0))
        np.exp(log_s * spread, out=low[between])
        np.exp(log_s / spread, out=high[between])
    low[end:], high[end:] = 0.0, high[end - 1] if end else 1.0
    return low, high


def first_at_or_below(time: Floats, curve: Floats, share: float, /) -> float:
    """First time at which a falling curve is at or below `share`; infinite where it never is.

    Examples
    --------
    >>> first_at_or_below(np.array([1.0, 4.0]), np.array([0.8, 0.5]), 0.5)
    4.0
    """
    below = curve <= share + 1e-12  # products of shares miss 0.5 by a last bit
    return float(time[int(np.argmax(below))]) if below.any() else np.inf


def restricted_mean(
    time: Floats, survival: Floats, events: Floats, risk: Floats, effective: Floats, /, *, horizon: float
) -> tuple[float, float]:
    """Mean duration up to a horizon, the area under the curve, and its variance.

    Variance Σ Aⱼ² dⱼ/(nⱼ (nⱼ − dⱼ)) with Aⱼ the area from tⱼ to the horizon: Klein & Moeschberger (2003), section 4.5.

    Parameters
    ----------
    time, survival, events, risk, effective : (m,)
        As above, in the order of time.
    horizon : duration
        In the unit of `time`.

    Examples
    --------
    >>> two = np.array([2.0, 1.0])
    >>> restricted_mean(np.array([1.0, 3.0]), np.array([0.5, 0.0]), np.ones(2), two, two, horizon=3.0)
    (2.0, 0.5)
    """
    inside = (time < horizon) & (time > 0)
    at_zero = survival[time <= 0][-1] if (time <= 0).any() else 1.0
    steps = np.concatenate([[0.0], time[inside], [horizon]])
    heights = np.concatenate([[at_zero], survival[inside]])
    areas = heights * np.diff(steps)
    after = np.cumsum(areas[::-1])[::-1][1:]  # area from each time inside to the horizon
    left = (risk - events)[inside]
    safe = (events[inside] > 0) & (left > 0)
    parts = np.divide(events[inside], effective[inside] * left, out=np.zeros_like(left), where=safe)
    return float(areas.sum()), float((after**2 * parts).sum())
