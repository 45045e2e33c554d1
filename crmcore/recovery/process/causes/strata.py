"""One odds ratio over strata of a suspected confounder: Mantel and Haenszel, with a test that the strata agree."""

from __future__ import annotations

import math
from html import escape

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.documents import Document
from crmcore.errors import BadRow, BadRows, EmptyInput
from crmcore.metrics.columns import numbers
from crmcore.metrics.estimates import Estimate, check_level
from crmcore.metrics.intervals import normal_quantile

__all__ = ["StratifiedOdds", "mantel_haenszel"]

Floats = NDArray[np.float64]


@attrs.frozen(kw_only=True)
class StratifiedOdds(Document):
    """Odds of failure inside a region over those outside, strata of another attribute held apart.

    Parameters
    ----------
    odds_ratio : Estimate
        Mantel-Haenszel, with the interval of Robins, Breslow and Greenland.
    crude : Estimate
        The same without strata.
    chi2, p_value : number, share
        Cochran-Mantel-Haenszel test of an odds ratio of 1 in all strata, one degree of freedom, no correction.
    unequal_chi2, unequal_p : number, share
        Breslow-Day test that the strata share one odds ratio, with Tarone's correction.
    strata : count
        Strata that can say something: cases inside and outside, failed and not.
    """

    odds_ratio: Estimate
    crude: Estimate
    chi2: float
    p_value: float
    unequal_chi2: float
    unequal_p: float
    strata: int

    def __str__(self) -> str:
        return f"odds ratio {self.odds_ratio} over {self.strata} strata; crude {self.crude}"

    def _repr_html_(self) -> str:
        return f"<figure>{escape(str(self))}</figure>"


def mantel_haenszel(
    failures: ArrayLike,
    trials: ArrayLike,
    other_failures: ArrayLike,
    other_trials: ArrayLike,
    /,
    *,
    level: float = 0.95,
) -> StratifiedOdds:
    """Odds ratio of a region against the rest, freed of what the strata explain.

    Parameters
    ----------
    failures, trials : (s,) counts
        Of the region in each stratum.
    other_failures, other_trials : (s,) counts
        Of the other cases in the same strata.
    level : share
        In (0, 1).

    Returns
    -------
    StratifiedOdds
        NaN where no stratum can say anything.

    Raises
    ------
    BadRows, EmptyInput

    Notes
    -----
    With a, b failed and sound inside, c, d outside, N all: OR = sum(ad/N) / sum(bc/N); Mantel & Haenszel (1959),
    Journal of the National Cancer Institute 22:719. Variance of its logarithm: Robins, Breslow & Greenland (1986),
    Biometrics 42:311. Equality of strata: Breslow & Day (1980), corrected by Tarone (1985), Biometrika 72:91.

    Examples
    --------
    >>> print(mantel_haenszel([8, 40], [100, 100], [9, 81], [110, 200]).odds_ratio)
    0.979 [0.631, 1.52] (95 %, n = 510, mantel-haenszel)
    """
    check_level(level)
    a, b, c, d = _cells(failures, trials, other_failures, other_trials)
    n = a + b + c + d
    useful = ((a + b) * (c + d) * (a + c) * (b + d)) > 0
    crude = _crude(a, b, c, d, level)
    a, b, c, d, n = (x[useful] for x in (a, b, c, d, n))
    up, down = float(np.sum(a * d / n)), float(np.sum(b * c / n))
    chi2 = _cmh(a, b, c, d, n)
    if up > 0 and down > 0:
        ratio = up / down
        half = normal_quantile(level) * math.sqrt(_log_variance(a, b, c, d, n))
        low, high = ratio * math.exp(-half), ratio * math.exp(half)
        unequal = _tarone(a, b, c, d, ratio)
    else:
        ratio = math.inf if up > 0 else 0.0 if down > 0 else math.nan
        low, high, unequal = 0.0, math.inf, math.nan
    value = Estimate(
        value=ratio, low=low, high=high, level=level, n=int(n.sum()), rule="odds inside / outside, strata held apart",
        method="mantel-haenszel",
    )  # fmt: skip
    return StratifiedOdds(
        odds_ratio=value,
        crude=crude,
        chi2=chi2,
        p_value=_chi2_p(chi2, 1),
        unequal_chi2=unequal,
        unequal_p=_chi2_p(unequal, len(n) - 1),
        strata=len(n),
    )


def _cells(*columns: ArrayLike) -> list[Floats]:
    names = ("failures", "trials", "other_failures", "other_trials")
    k, n, j, m = (numbers(name, x) for name, x in zip(names, columns, strict=True))
    if not len(k) or len({len(k), len(n), len(j), len(m)}) > 1:
        raise EmptyInput("the table of strata", "give four columns of one length, a stratum a row")
    problems = [
        BadRow(name, "failures below zero, above the cases, or not finite", tuple(np.flatnonzero(bad).tolist()))
        for name, few, all_ in (("failures", k, n), ("other_failures", j, m))
        if (bad := ~((few >= 0) & (few <= all_) & np.isfinite(all_))).any()
    ]
    if problems:
        raise BadRows("strata", tuple(problems), "count failures among the cases of each stratum")
    return [k, n - k, j, m - j]


def _crude(a: Floats, b: Floats, c: Floats, d: Floats, level: float) -> Estimate:
    from crmcore.metrics.two_by_two import odds_ratio_interval

    k, n, j, m = a.sum(), (a + b).sum(), c.sum(), (c + d).sum()
    value, low, high = (float(x) for x in odds_ratio_interval(k, n, j, m, level=level))
    return Estimate(
        value=value, low=low, high=high, level=level, n=int(n + m), rule="odds inside / outside", method="gart"
    )


def _log_variance(a: Floats, b: Floats, c: Floats, d: Floats, n: Floats) -> float:
    p, q, r, s = (a + d) / n, (b + c) / n, a * d / n, b * c / n
    up, down = r.sum(), s.sum()
    return float(np.sum(p * r) / (2 * up**2) + np.sum(p * s + q * r) / (2 * up * down) + np.sum(q * s) / (2 * down**2))


def _cmh(a: Floats, b: Floats, c: Floats, d: Floats, n: Floats) -> float:
    many = n > 1
    a, b, c, d, n = (x[many] for x in (a, b, c, d, n))
    if not len(n):
        return math.nan
    expected = (a + b) * (a + c) / n
    variance = (a + b) * (c + d) * (a + c) * (b + d) / (n**2 * (n - 1))
    return float((a - expected).sum() ** 2 / variance.sum())


def _tarone(a: Floats, b: Floats, c: Floats, d: Floats, ratio: float) -> float:
    """Sum over strata of (a - fitted)^2 / variance at the common odds ratio, less Tarone's term."""
    if len(a) < 2:
        return math.nan
    inside, failed, n = a + b, a + c, a + b + c + d
    if abs(ratio - 1) < 1e-12:
        fitted = inside * failed / n
    else:
        half = n - inside - failed + ratio * (inside + failed)
        root = np.sqrt(half**2 - 4 * ratio * (ratio - 1) * inside * failed)
        fitted = (half - root) / (2 * (ratio - 1))
    cells = fitted, inside - fitted, failed - fitted, n - inside - failed + fitted
    variance = 1 / sum(1 / np.maximum(x, 1e-12) for x in cells)
    return float(np.sum((a - fitted) ** 2 / variance) - np.sum(a - fitted) ** 2 / np.sum(variance))


def _chi2_p(chi2: float, degrees: int) -> float:
    from scipy.special import chdtrc

    return float(chdtrc(degrees, max(chi2, 0.0))) if degrees > 0 and not math.isnan(chi2) else math.nan
