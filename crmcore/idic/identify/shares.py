"""Shares with intervals, as the view reports them."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

import attrs

from crmcore.errors import OutOfRange

__all__ = ["Share", "share"]


@attrs.frozen(kw_only=True)
class Share:
    """A share with its interval; `value` is NaN where nothing was counted.

    Examples
    --------
    >>> print(share(80, 100))
    0.8 [0.711, 0.867] (95 %, n = 100, wilson)
    """

    value: float
    low: float
    high: float
    level: float
    n: int
    method: str

    def __str__(self) -> str:
        span = f"[{self.low:.3g}, {self.high:.3g}]"
        return f"{self.value:.3g} {span} ({100 * self.level:g} %, n = {self.n}, {self.method})"


def share(hits: int, of: int, *, level: float = 0.95, options: int = 2) -> Share:
    """Share with its score interval.

    Two options: Wilson, JASA 22 (1927) 209-212. More: Goodman, Technometrics 7 (1965) 247-254, intervals that hold for
    all k shares together, in Wilson's form with the level raised to 1 - (1 - level) / k.

    Parameters
    ----------
    hits, of : counts
        With `of` 0 nothing is known: the value is NaN and the interval 0 to 1.
    options : count
        How many answers were possible.
    """
    if not 0 <= hits <= of:
        raise OutOfRange("hits", hits, f"0 to {of}", "count hits among the same rows as the total")
    method = "wilson" if options <= 2 else "goodman"
    if of == 0:
        return Share(value=float("nan"), low=0.0, high=1.0, level=level, n=0, method=method)
    z = NormalDist().inv_cdf(1 - (1 - level) / 2 / (1 if options <= 2 else options))
    p, shrink = hits / of, z * z / of
    centre = (p + shrink / 2) / (1 + shrink)
    half = z / (1 + shrink) * sqrt(p * (1 - p) / of + shrink / of / 4)
    low = 0.0 if hits == 0 else centre - half  # rounding would leave 1e-17
    high = 1.0 if hits == of else centre + half
    return Share(value=p, low=low, high=high, level=level, n=of, method=method)
