"""Quality measured on labelled samples: precision, recall, F; simple samples and samples by stratum."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.metrics.columns import truths
from crmcore.metrics.estimates import Estimate, check_level, warn_if_small
from crmcore.metrics.scalars import above, hold_counts

__all__ = [
    "Confusion",
    "Stratum",
    "fbeta",
    "precision",
    "recall",
    "stratified_recall",
    "stratified_share",
    "stratified_total",
]

DRAWS = 4000  # bootstrap replicates; the ends of a 95 % interval then wander by about 1 % of its width


@attrs.frozen
class Confusion:
    """Counts of a yes/no decision against the truth, addable over shards.

    Examples
    --------
    >>> Confusion.of([True, True, False, True], [True, False, True, True]) + Confusion(tn=96)
    Confusion(tp=2, fp=1, fn=1, tn=96)
    """

    tp: int = 0
    fp: int = 0
    fn: int = 0
    tn: int = 0

    def __attrs_post_init__(self) -> None:
        hold_counts(self, "tp", "fp", "fn", "tn", hint="pass counts of a simple random sample")

    def __add__(self, other: Confusion) -> Confusion:
        return Confusion(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.tn + other.tn)

    @classmethod
    def of(cls, truth: ArrayLike, predicted: ArrayLike) -> Confusion:
        """Count from two columns of truth values of the same length."""
        true, said = truths("truth", truth), truths("predicted", predicted)
        if true.shape != said.shape:
            raise OutOfRange(
                "predicted", said.shape, f"the shape of truth {true.shape}", "pass one value a row in each"
            )
        cells = np.bincount((2 * true + said).ravel(), minlength=4)
        return cls(tp=int(cells[3]), fp=int(cells[1]), fn=int(cells[2]), tn=int(cells[0]))


def _share(k: int, n: int, rule: str, level: float, ok: bool) -> Estimate:
    from crmcore.metrics.intervals import wilson_interval

    warn_if_small(n, rule, ok=ok, stacklevel=4)
    low, high = wilson_interval(k, n, level=level)
    value = k / n if n else math.nan
    return Estimate(value=value, low=float(low), high=float(high), level=level, n=n, rule=rule, method="wilson")


def _check_confusion(counts: object) -> None:
    if not isinstance(counts, Confusion):
        hint = "count first: Confusion.of(truth, predicted)"
        raise WrongType("counts", type(counts).__name__, "a Confusion", hint)


def precision(counts: Confusion, *, level: float = 0.95, small_sample_ok: bool = False) -> Estimate:
    """Share of "yes" answers that are right, with Wilson's interval; NaN where nothing was answered "yes".

    Examples
    --------
    >>> print(precision(Confusion(tp=90, fp=10, fn=20, tn=880)))
    0.9 [0.826, 0.945] (95 %, n = 100, wilson)
    """
    _check_confusion(counts)
    return _share(counts.tp, counts.tp + counts.fp, "tp / (tp + fp)", level, small_sample_ok)


def recall(counts: Confusion, *, level: float = 0.95, small_sample_ok: bool = False) -> Estimate:
    """Share of true cases that were found, with Wilson's interval; NaN where there is none.

    Examples
    --------
    >>> print(recall(Confusion(tp=90, fp=10, fn=20, tn=880)))
    0.818 [0.736, 0.879] (95 %, n = 110, wilson)
    """
    _check_confusion(counts)
    return _share(counts.tp, counts.tp + counts.fn, "tp / (tp + fn)", level, small_sample_ok)


def fbeta(counts: Confusion, *, beta: float = 1.0, level: float = 0.95, small_sample_ok: bool = False) -> Estimate:
    """F measure: the harmonic mean of precision and recall, recall counting beta² times.

    Parameters
    ----------
    counts : Confusion
        Of a simple random sample; true negatives do not enter.
    beta : number
        Above 0; 1 weighs both alike, 2 cares more for recall, 0.5 more for precision.
    level : share
        Coverage aimed at.
    small_sample_ok : truth
        Silences `SmallSample`, which warns when tp + fp + fn is below 30.

    Returns
    -------
    Estimate
        F = (1+β²) tp / ((1+β²) tp + β² fn + fp). At beta = 1, F is 2J/(1+J) of the share J = tp/(tp + fp + fn), so the
        interval is Wilson's of J carried over. Otherwise the delta method on logit F, variance
        1/tp + (β⁴ fn + fp)/(β² fn + fp)², with half a count added to each cell.

    Examples
    --------
    >>> print(fbeta(Confusion(tp=90, fp=10, fn=20)))
    0.857 [0.799, 0.9] (95 %, n = 120, wilson)
    """
    from crmcore.metrics.intervals import normal_quantile, wilson_interval

    _check_confusion(counts)
    above("beta", beta, allowed="a number above 0", hint="1 weighs precision and recall alike")
    check_level(level)
    n = counts.tp + counts.fp + counts.fn
    warn_if_small(n, "the F measure", ok=small_sample_ok)
    weight = beta * beta
    hits = (1 + weight) * counts.tp
    value = hits / (hits + weight * counts.fn + counts.fp) if n else math.nan
    if beta == 1:
        ends = [float(2 * end / (1 + end)) for end in wilson_interval(counts.tp, n, level=level)]
        method = "wilson"
    else:
        tp, fp, fn = counts.tp + 0.5, counts.fp + 0.5, counts.fn + 0.5
        missed = weight * fn + fp
        middle = math.log((1 + weight) * tp / missed)
        half = normal_quantile(level) * math.sqrt(1 / tp + (weight * weight * fn + fp) / missed**2)
        ends = [1 / (1 + math.exp(-(middle + side * half))) for side in (-1, 1)] if n else [0.0, 1.0]
        ends = [min(ends[0], value), max(ends[1], value)] if n else ends
        method = "logit"
    rule = f"F{beta:g} over tp + fp + fn"
    return Estimate(value=value, low=ends[0], high=ends[1], level=level, n=n, rule=rule, method=method)


@attrs.frozen(kw_only=True)
class Stratum:
    """One part of a population, sampled on its own: k of n labelled items are true; the part holds `population` items.

    `predicted` says whether the decision for this part is "yes" (such as: pairs above the threshold).
    """

    population: int
    n: int
    k: int
    predicted: bool = True

    def __attrs_post_init__(self) -> None:
        hold_counts(self, "population", "n", "k", hint="count the items of the part")
        if not 1 <= self.n <= self.population:
            raise OutOfRange(
                "n", self.n, f"1 to population = {self.population}", "label at least one item of each part"
            )
        if not 0 <= self.k <= self.n:
            raise OutOfRange("k", self.k, f"0 to n = {self.n}", "k counts the true ones among the n labelled")


def _moments(strata: Sequence[Stratum]) -> tuple[float, float]:
    """Estimated true items over all strata, and the variance of that estimate."""
    total = variance = 0.0
    for s in strata:
        p = s.k / s.n
        total += s.population * p
        if s.n < s.population:
            # The smoothed share keeps a part with 0 or all true among few labels from pretending to be certain.
            smooth = (s.k + 0.5) / (s.n + 1)
            spread = smooth * (1 - smooth) / s.n
            variance += s.population**2 * (1 - s.n / s.population) * spread
    return total, variance


def stratified_total(
    strata: Sequence[Stratum],
    *,
    level: float = 0.95,
    method: str = "normal",
    seed: int | np.random.Generator | None = None,
    small_sample_ok: bool = False,
) -> Estimate:
    """Number of true items in a population that was sampled part by part.

    Parameters
    ----------
    strata : sequence of Stratum
        Disjoint parts that make up the population.
    level : share
        Coverage aimed at.
    method : text
        `"normal"` (default) or `"bootstrap"` (percentiles of 4000 resamples within the parts; needs `seed`).
    seed : whole number or Generator
        Only for the bootstrap.
    small_sample_ok : truth
        Silences `SmallSample`, which warns when fewer than 30 items are labelled.

    Returns
    -------
    Estimate
        Σ N k/n. Normal: ± z √(Σ N² (1 − n/N) p̃(1 − p̃)/n) with p̃ = (k + ½)/(n + 1): Cochran, Sampling Techniques (1977),
        section 5.4, shares smoothed so that a part without misses does not count as certain.

    Examples
    --------
    >>> parts = [Stratum(population=1000, n=50, k=45), Stratum(population=5000, n=100, k=2, predicted=False)]
    >>> print(stratified_total(parts))
    1,000 [828, 1,172] (95 %, n = 150, normal, 2 strata)
    """
    value, low, high, n = _total(strata, level=level, method=method, seed=seed)
    warn_if_small(n, "the total", ok=small_sample_ok)
    top = float(sum(s.population for s in strata))
    how = f"{method}, {len(strata)} strata"
    ends = {"low": max(low, 0.0), "high": min(high, top)}
    return Estimate(value=value, **ends, level=level, n=n, rule="true items in the population", method=how)


def stratified_share(
    strata: Sequence[Stratum],
    *,
    level: float = 0.95,
    method: str = "normal",
    seed: int | np.random.Generator | None = None,
    small_sample_ok: bool = False,
) -> Estimate:
    """Share of true items in a population that was sampled part by part: precision, when only "yes" parts are passed.

    Parameters as for `stratified_total`, which it divides by the size of the population.

    Examples
    --------
    >>> print(stratified_share([Stratum(population=900, n=60, k=57), Stratum(population=100, n=40, k=20)]))
    0.905 [0.852, 0.958] (95 %, n = 100, normal, 2 strata)
    """
    value, low, high, n = _total(strata, level=level, method=method, seed=seed)
    warn_if_small(n, "the share", ok=small_sample_ok)
    size = sum(s.population for s in strata)
    ends = {"low": max(low / size, 0.0), "high": min(high / size, 1.0)}
    how = f"{method}, {len(strata)} strata"
    return Estimate(value=value / size, **ends, level=level, n=n, rule="true / population", method=how)


def _total(
    strata: Sequence[Stratum], *, level: float, method: str, seed: int | np.random.Generator | None
) -> tuple[float, float, float, int]:
    from crmcore.metrics.intervals import normal_quantile

    check_level(level)
    if not strata:
        raise EmptyInput("strata", "pass at least one Stratum(population=, n=, k=)")
    value, variance = _moments(strata)
    n = sum(s.n for s in strata)
    if method == "normal":
        half = normal_quantile(level) * math.sqrt(variance)
        return value, value - half, value + half, n
    if method != "bootstrap":
        raise UnknownName("interval method", method, ("normal", "bootstrap"))
    totals = _bootstrap(strata, seed)
    low, high = np.quantile(totals, [(1 - level) / 2, (1 + level) / 2])
    return value, float(low), float(high), n


def _bootstrap(strata: Sequence[Stratum], seed: int | np.random.Generator | None) -> NDArray[np.float64]:
    if seed is None:
        raise OutOfRange("seed", None, "a whole number or a numpy Generator", "method='bootstrap', seed=1")
    rng = np.random.default_rng(seed)
    size = np.array([s.population for s in strata], float)
    n = np.array([s.n for s in strata])
    k = np.array([s.k for s in strata])
    draws: NDArray[Any] = rng.binomial(n, k / n, size=(DRAWS, len(strata)))
    # Resampling n with replacement ignores that a large part of a stratum was seen: shrink around the estimate.
    shrink = np.sqrt(1 - n / size)
    spread: NDArray[np.float64] = (k / n + (draws / n - k / n) * shrink) @ size
    return spread


def stratified_recall(strata: Sequence[Stratum], *, level: float = 0.95, small_sample_ok: bool = False) -> Estimate:
    """Share of all true items that lie in the "yes" parts, from a sample labelled part by part.

    Parameters
    ----------
    strata : sequence of Stratum
        Parts with `predicted=True` and `predicted=False` that make up the population.
    level : share
        Coverage aimed at.
    small_sample_ok : truth
        Silences `SmallSample`, which warns when fewer than 30 items are labelled.

    Returns
    -------
    Estimate
        A/(A + B) for the estimated true items A in "yes" parts and B in "no" parts; interval by the delta method on
        log(A/B), variance V(A)/A² + V(B)/B². NaN and [0, 1] where no true item was seen; where one side saw none, its
        end of the range is kept open.

    Examples
    --------
    >>> parts = [Stratum(population=1000, n=50, k=45), Stratum(population=5000, n=100, k=2, predicted=False)]
    >>> print(stratified_recall(parts))
    0.9 [0.665, 0.976] (95 %, n = 150, logit, 2 strata)
    """
    from crmcore.metrics.intervals import normal_quantile

    if not strata:
        raise EmptyInput("strata", "pass at least one Stratum(population=, n=, k=)")
    n = sum(s.n for s in strata)
    warn_if_small(n, "recall", ok=small_sample_ok)
    found, var_found = _moments([s for s in strata if s.predicted])
    lost, var_lost = _moments([s for s in strata if not s.predicted])
    z = normal_quantile(level)
    value = found / (found + lost) if found + lost else math.nan
    if found and lost:
        half = z * math.sqrt(var_found / found**2 + var_lost / lost**2)
        low, high = (1 / (1 + lost / found * math.exp(-side * half)) for side in (-1, 1))
    else:
        # One side saw no true item: bound it by its own normal limit instead of a logarithm of zero.
        worst_lost, worst_found = lost + z * math.sqrt(var_lost), found + z * math.sqrt(var_found)
        low = found / (found + worst_lost) if found else 0.0
        high = worst_found / (worst_found + lost) if lost and worst_found else 1.0
    how = f"logit, {len(strata)} strata"
    return Estimate(value=value, low=low, high=high, level=level, n=n, rule="found / true", method=how)
