"""What weights, several answers of one person, strata and a finite population do to a mean, a ratio or a share."""

from __future__ import annotations

import math
from collections.abc import Mapping

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import BadRow, BadRows, OutOfRange, UnknownName
from crmcore.metrics.columns import cells_of, codes_of, numbers
from crmcore.metrics.estimates import Estimate, check_level, warn_if_small
from crmcore.metrics.scalars import named, real

__all__ = ["Linearised", "Population", "effective_interval", "linearised_mean", "linearised_ratio", "proportion_of"]

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Population = int | Mapping[str, int]
"""Size of the whole that was sampled: customers (units), or customers by stratum."""


@attrs.frozen(kw_only=True)
class Linearised:
    """A weighted mean or ratio with the variance that its sampling design gives it.

    Parameters
    ----------
    value, standard_error : number
        In the unit of the values; the error is NaN where there is one unit only.
    degrees_of_freedom : count
        Sampling units minus strata.
    n, units : counts
        Rows, and what was sampled: clusters where given, else rows.
    effective_n : number
        Rows of a simple random sample that would be worth as much: n / design effect.
    design_effect : number
        Variance over that of a simple random sample of n rows from the same large population (Kish 1965).
    unsampled : share
        What the finite population leaves of the variance: 1 where it is large or unknown, 0 after a census.
    numerator, denominator : totals
        Weighted; with `covariance` ((2, 2), of both) what Fieller's interval needs.
    """

    value: float
    standard_error: float
    degrees_of_freedom: int
    n: int
    units: int
    effective_n: float
    design_effect: float
    unsampled: float
    numerator: float
    denominator: float
    covariance: tuple[tuple[float, float], tuple[float, float]]


@attrs.frozen(kw_only=True)
class _Units:
    """Sampling units of the rows: unit of each row, stratum of each unit, sampled fraction of each stratum."""

    unit: Codes
    stratum: Codes
    sampled: Floats  # units of each stratum
    fraction: Floats

    def covariance(self, scores: Floats, /, *, finite: bool) -> Floats:
        """Covariance of the totals of the rows of `scores` (c, n): between units, within strata."""
        totals = np.stack([np.bincount(self.unit, weights=s, minlength=len(self.stratum)) for s in scores])
        centre = np.stack([np.bincount(self.stratum, weights=t) for t in totals]) / self.sampled
        off = totals - centre[:, self.stratum]
        # one unit alone shows no spread: NaN says so
        lonely = np.where(self.sampled > 1, self.sampled - 1, np.nan)
        factor = self.sampled / lonely * (1 - self.fraction if finite else 1.0)
        spread: Floats = (off * factor[self.stratum]) @ off.T
        return spread


def _units(n: int, clusters: ArrayLike | None, strata: ArrayLike | None, population: Population | None) -> _Units:
    unit = np.arange(n) if clusters is None else codes_of(clusters, n, "clusters")[0]
    k = int(unit.max()) + 1
    names: tuple[str, ...] = ("all",)
    stratum = np.zeros(k, np.intp)
    if strata is not None:
        row, names = codes_of(strata, n, "strata")
        stratum[unit] = row
        torn = np.flatnonzero(stratum[unit] != row)
        if len(torn):
            rows = BadRow("strata", "differs within one cluster", tuple(torn.tolist()))
            raise BadRows("strata", (rows,), "a cluster (a customer) belongs to one stratum")
    sampled = np.bincount(stratum, minlength=len(names)).astype(np.float64)
    if strata is not None and (sampled < 2).any():
        alone = names[int(np.argmin(sampled))]
        raise OutOfRange(f"units in stratum {alone!r}", 1, "2 or more", "merge it with the stratum most like it")
    return _Units(unit=unit, stratum=stratum, sampled=sampled, fraction=_fractions(names, sampled, strata, population))


def _fractions(
    names: tuple[str, ...], sampled: Floats, strata: ArrayLike | None, population: Population | None
) -> Floats:
    if population is None:
        return np.zeros(len(names))
    if isinstance(population, Mapping):
        if strata is None:
            raise OutOfRange("population", "sizes by stratum", "one size", "pass strata= too, or one number")
        for name in names:
            if name not in population:
                raise UnknownName("stratum of population", name, tuple(map(str, population)))
        sizes = np.array([real(f"population of {name}", population[name]) for name in names])
    else:
        if strata is not None:
            hint = "population={'north': 5000, 'south': 800}"
            raise OutOfRange("population", population, "a size for each stratum", hint)
        sizes = np.array([real("population", population)], np.float64)
    for name, size, seen in zip(names, sizes, sampled, strict=True):
        if not size >= seen:
            what = f"population of {name}"
            raise OutOfRange(
                what, float(size), f"{seen:.0f} or more, the sampled units", "count customers, not answers"
            )
    fractions: Floats = sampled / sizes
    return fractions


def _weights(weights: Floats | None, n: int, units: _Units, *, stratified: bool) -> Floats:
    if weights is None:
        # Without weights, a row of a sampled stratum stands for its share of the stratum's population.
        known = stratified and (units.fraction > 0).all()
        return 1 / units.fraction[units.stratum[units.unit]] if known else np.ones(n)
    return weights


def _check_weights(w: Floats, there: NDArray[np.bool_]) -> None:
    wrong = np.flatnonzero(there & ~(np.isfinite(w) & (w >= 0)))
    if len(wrong):
        rows = BadRow("weights", "not a number from 0", tuple(wrong.tolist()), tuple(f"{x:g}" for x in w[wrong[:5]]))
        raise BadRows("weights", (rows,), "weights say how many customers a row stands for")
    if there.any() and not w[there].sum() > 0:
        raise OutOfRange("sum of weights", 0.0, "more than 0", "at least one row must stand for someone")


def linearised_ratio(
    numerators: ArrayLike,
    denominators: ArrayLike,
    /,
    *,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    population: Population | None = None,
) -> Linearised:
    """Ratio of two weighted totals with its design-based variance.

    Parameters
    ----------
    numerators, denominators : (n,) numbers
        Row i of both is one observation; rows where either is NaN are left out.
    weights : (n,) numbers, optional
        Customers a row stands for, from 0. Default 1; with strata and their populations N/n of the stratum.
    clusters : (n,) labels, optional
        What was sampled, when one customer (store, household) gave several rows.
    strata : (n,) labels, optional
        Groups that were sampled separately, at least two sampled units each.
    population : count, or mapping of stratum to count, optional
        Units (clusters where given) of the whole; what was seen of it carries no sampling error.

    Returns
    -------
    Linearised
        NaN where the denominator is 0 or nothing was observed.

    Raises
    ------
    BadRows, OutOfRange, UnknownName
        Negative weights, missing labels, a cluster in two strata, a stratum with one unit, a population smaller than
        its sample.

    Notes
    -----
    R = Σwy / Σwx; V = Σₕ (1 − fₕ) nₕ/(nₕ − 1) Σᵢ (zₕᵢ − z̄ₕ)² with zₕᵢ the unit totals of w (y − R x)/Σwx. Särndal,
    Swensson & Wretman (1992), Model Assisted Survey Sampling, result 5.6.1; Binder (1983), Int. Stat. Review 51:279.

    Examples
    --------
    >>> got = linearised_ratio([4, 0, 3, 5], [2, 1, 1, 2])  # euros, orders
    >>> got.value, round(got.standard_error, 4)
    (2.0, 0.4714)
    """
    y = numbers("numerators", numerators, infinite_ok=False)
    x = numbers("denominators", denominators, infinite_ok=False)
    if len(y) != len(x):
        hint = "row i of both columns is one observation"
        raise OutOfRange("length of denominators", len(x), f"{len(y)}, as of numerators", hint)
    there = ~(np.isnan(y) | np.isnan(x))
    heavy = None if weights is None else numbers("weights", weights)
    part = {
        "weights": heavy,
        "clusters": None if clusters is None else cells_of("clusters", clusters),
        "strata": None if strata is None else cells_of("strata", strata),
    }
    for name, column in part.items():
        if column is not None and column.shape != y.shape:
            raise OutOfRange(f"shape of {name}", column.shape, f"{y.shape}", f"one of {name} a row")
    if heavy is not None:
        _check_weights(heavy, there)
    kept = {k: None if v is None else v[there] for k, v in part.items()}
    n = int(there.sum())
    if n == 0:
        return _nothing()
    units = _units(n, kept["clusters"], kept["strata"], population)
    w = _weights(kept["weights"], n, units, stratified=kept["strata"] is not None)
    return _linearise(y[there], x[there], w, units)


def _linearise(y: Floats, x: Floats, w: Floats, units: _Units) -> Linearised:
    if max(np.abs(y).max(), np.abs(x).max(), np.abs(w).max()) > 1e70:  # a square of their product would overflow
        raise OutOfRange("values", "beyond 1e70", "numbers whose variance can be held", "choose a larger unit")
    n, k = len(y), len(units.stratum)
    top, bottom = float(w @ y), float(w @ x)
    value = top / bottom if bottom else math.nan
    off = y - value * x
    score = (w * off / bottom if bottom else off)[None]
    full = float(units.covariance(score, finite=False)[0, 0])
    finite = float(units.covariance(score, finite=True)[0, 0])
    simple = (
        float(w @ off**2) / float(w.sum()) * n / (n - 1) / n / (bottom / float(w.sum())) ** 2
        if n > 1 and bottom
        else math.nan
    )
    effect = full / simple if simple > 0 else math.nan
    by_unit = np.bincount(units.unit, weights=w)
    kish = float(by_unit.sum() ** 2 / (by_unit @ by_unit))
    cov = units.covariance(np.stack([w * y, w * x]), finite=True)
    return Linearised(
        value=value,
        standard_error=math.sqrt(finite) if finite >= 0 else math.nan,
        degrees_of_freedom=k - len(units.sampled),
        n=n,
        units=k,
        # Equal answers show no variance: Kish's n at its worst, all answers of a unit being one.
        effective_n=n / effect if effect > 0 else kish,
        design_effect=effect,
        unsampled=finite / full if full > 0 else float(1 - units.fraction.min()),
        numerator=top,
        denominator=bottom,
        covariance=((float(cov[0, 0]), float(cov[0, 1])), (float(cov[1, 0]), float(cov[1, 1]))),
    )


def _nothing() -> Linearised:
    nan = math.nan
    return Linearised(
        value=nan, standard_error=nan, degrees_of_freedom=0, n=0, units=0, effective_n=0.0, design_effect=nan,
        unsampled=1.0, numerator=0.0, denominator=0.0, covariance=((nan, nan), (nan, nan)),
    )  # fmt: skip


def linearised_mean(
    values: ArrayLike,
    /,
    *,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    population: Population | None = None,
) -> Linearised:
    """Weighted mean with its design-based variance: `linearised_ratio` with a denominator of 1 a row.

    Examples
    --------
    >>> got = linearised_mean([1, 1, 0, 0, 0, 1], clusters=["ann", "ann", "bob", "bob", "cyd", "dee"])
    >>> got.value, round(got.design_effect, 2), got.degrees_of_freedom
    (0.5, 1.85, 3)
    """
    column = numbers("values", values, infinite_ok=False)
    ones = np.ones(len(column))
    return linearised_ratio(column, ones, weights=weights, clusters=clusters, strata=strata, population=population)


def proportion_of(
    values: ArrayLike,
    /,
    *,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    population: Population | None = None,
    level: float = 0.95,
    method: str = "wilson",
    rule: str = "yes / answers",
    small_sample_ok: bool = False,
) -> Estimate:
    """Share of rows that are true, with weights, several rows of one customer, strata and a finite population.

    Parameters
    ----------
    values : (n,) truths, or 0 and 1
        NaN and None (no answer) are left out.
    weights, clusters, strata, population
        As in `linearised_ratio`; without any of them this is `proportion(k, n)`.
    level : share
        Coverage aimed at.
    method : text
        An interval of `proportion`; with a design it is made from the effective n ("clopper-pearson" is then
        Korn and Graubard's interval).
    rule : text
        What was counted over what.
    small_sample_ok : truth
        Silences `SmallSample`, which warns when fewer than 30 units were sampled.

    Returns
    -------
    Estimate
        Its n counts the answers; effective n stands in the method.

    Notes
    -----
    n* = min(n, p(1 − p)/V) (z/t)² with the linearised variance V and t of its degrees of freedom, then divided by what
    a finite population leaves of the variance. Korn & Graubard (1998), Survey Methodology 24:193; Dean & Pagano (2015),
    J. Survey Statistics and Methodology 3:484, for Wilson's form.

    Examples
    --------
    >>> asked = [1, 1, 1, 0, 0, 1, 1, 1] * 5
    >>> print(proportion_of(asked))
    0.75 [0.598, 0.858] (95 %, n = 40, wilson)
    >>> print(proportion_of(asked, clusters=[i // 4 for i in range(40)], small_sample_ok=True))
    0.75 [0.573, 0.87] (95 %, n = 40, wilson, effective n = 30)
    """
    from crmcore.metrics.intervals import METHODS
    from crmcore.metrics.proportions import proportion

    check_level(level)
    method = named("interval method", method, METHODS)
    column = numbers("values", values, infinite_ok=False)
    there = ~np.isnan(column)
    wrong = np.flatnonzero(there & (column != 0) & (column != 1))
    if len(wrong):
        rows = BadRow("values", "neither 0 nor 1", tuple(wrong.tolist()), tuple(f"{x:g}" for x in column[wrong[:5]]))
        raise BadRows("proportion_of", (rows,), "say what counts: proportion_of(scores >= 9)")
    answered = column[there]
    design = {"weights": weights, "clusters": clusters, "strata": strata}
    if population is None and all(part is None for part in design.values()):
        warn_if_small(len(answered), "the proportion", ok=small_sample_ok)
        k = int(answered.sum())
        return proportion(k, len(answered), level=level, method=method, rule=rule, small_sample_ok=True)
    made = linearised_mean(column, population=population, **design)
    warn_if_small(made.units, "the proportion", ok=small_sample_ok)
    low, high, worth = effective_interval(made, level=level, method=method)
    how = f"{method}, effective n = {worth:.3g}" if math.isfinite(worth) else "census"
    return Estimate(value=made.value, low=low, high=high, level=level, n=made.n, rule=rule, method=how)


def effective_interval(made: Linearised, /, *, level: float, method: str) -> tuple[float, float, float]:
    """Low and high end of a share and the effective n they rest on; `made` is the mean of 0s and 1s.

    Examples
    --------
    >>> low, high, worth = effective_interval(linearised_mean([1, 0] * 50), level=0.95, method="wilson")
    >>> round(low, 3), round(high, 3), round(worth, 1)
    (0.403, 0.597, 97.6)
    """
    from scipy.special import stdtrit

    from crmcore.metrics.intervals import METHODS, normal_quantile

    method = named("interval method", method, METHODS)
    if made.n == 0:
        return 0.0, 1.0, 0.0
    if made.unsampled <= 0:
        return made.value, made.value, math.inf
    if made.degrees_of_freedom < 1:
        return 0.0, 1.0, 1.0
    t = float(stdtrit(made.degrees_of_freedom, (1 + level) / 2))
    worth = min(made.effective_n, made.n) * (normal_quantile(level) / t) ** 2 / made.unsampled
    low, high = METHODS[method](made.value * worth, worth, level=level)
    return float(low), float(high), worth
