"""P-values of many questions at once: what is left of "significant" when twenty segments were looked at."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import BadRow, BadRows
from crmcore.metrics.columns import numbers
from crmcore.metrics.scalars import named

__all__ = ["ADJUSTMENTS", "FAMILY_WISE", "adjust"]

Floats = NDArray[np.float64]


def _bonferroni(p: Floats) -> Floats:
    return p * len(p)


def _holm(p: Floats) -> Floats:
    return np.maximum.accumulate(p * np.arange(len(p), 0, -1))


def _hochberg(p: Floats) -> Floats:
    return _from_the_largest(p * np.arange(len(p), 0, -1))


def _benjamini_hochberg(p: Floats) -> Floats:
    return _from_the_largest(p * len(p) / np.arange(1, len(p) + 1))


def _benjamini_yekutieli(p: Floats) -> Floats:
    return _from_the_largest(p * len(p) / np.arange(1, len(p) + 1) * np.sum(1 / np.arange(1, len(p) + 1)))


def _from_the_largest(p: Floats) -> Floats:
    return np.minimum.accumulate(p[::-1])[::-1]


ADJUSTMENTS: MappingProxyType[str, Callable[[Floats], Floats]] = MappingProxyType(
    {
        "holm": _holm,
        "hochberg": _hochberg,
        "bonferroni": _bonferroni,
        "benjamini-hochberg": _benjamini_hochberg,
        "benjamini-yekutieli": _benjamini_yekutieli,
    }
)
"""Name to rule over p-values in rising order."""

FAMILY_WISE = ("holm", "hochberg", "bonferroni")
"""Methods that bound the chance of even one false alarm; the others bound the share of false alarms."""


def adjust(p_values: ArrayLike, /, *, method: str = "holm") -> Floats:
    """P-values that stay honest when several questions were asked.

    Parameters
    ----------
    p_values : (m,) shares
        In any order; NaN (a question that could not be asked) stays NaN and does not count.
    method : text
        `"holm"` (default; no assumption, never weaker than Bonferroni), `"hochberg"` (independent or positively
        dependent tests) and `"bonferroni"` bound the probability of any false alarm. `"benjamini-hochberg"`
        (independent or positively dependent) and `"benjamini-yekutieli"` (any dependence) bound the expected share of
        false ones among the alarms.

    Returns
    -------
    (m,) shares
        In the order given; compare them with the same threshold as a single p-value.

    Raises
    ------
    BadRows
        Values outside [0, 1].
    UnknownName
        No such method.

    Notes
    -----
    For p₍₁₎ ≤ ... ≤ p₍ₘ₎: Holm (1979) max over j ≤ i of (m − j + 1) p₍ⱼ₎; Hochberg (1988) min over j ≥ i of the same;
    Benjamini & Hochberg (1995) min over j ≥ i of m p₍ⱼ₎/j; Benjamini & Yekutieli (2001) that times Σ 1/j.

    Examples
    --------
    >>> adjust([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    >>> adjust([0.01, 0.04, 0.03], method="benjamini-hochberg")
    array([0.03, 0.04, 0.04])
    """
    method = named("adjustment", method, ADJUSTMENTS)
    p = numbers("p_values", p_values)
    asked = np.flatnonzero(~np.isnan(p))
    wrong = asked[(p[asked] < 0) | (p[asked] > 1)]
    if len(wrong):
        rows = BadRow("p_values", "not within 0 to 1", tuple(wrong.tolist()), tuple(f"{x:g}" for x in p[wrong[:5]]))
        raise BadRows("adjust", (rows,), "pass p-values, not test statistics or percentages")
    out = np.full(len(p), np.nan)
    rising = asked[np.argsort(p[asked])]  # tied values end alike in any order
    if len(rising):
        # A product of rounding must not turn an adjusted value below the raw one.
        out[rising] = np.minimum(np.maximum(ADJUSTMENTS[method](p[rising]), p[rising]), 1.0)
    return out
