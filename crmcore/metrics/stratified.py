"""Two groups compared within strata: what the strata explain is held apart."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.metrics.columns import codes_of, numbers, same_length, truths
from crmcore.metrics.comparing import Comparison
from crmcore.metrics.estimates import check_level, estimate_of, warn_if_small
from crmcore.metrics.intervals import normal_quantile
from crmcore.tables import TextColumn

__all__ = ["strata_of", "stratified_difference"]

Floats = NDArray[np.float64]


def stratified_difference(
    values: ArrayLike,
    inside: ArrayLike,
    /,
    strata: TextColumn | ArrayLike | None = None,
    *,
    level: float = 0.95,
    small_sample_ok: bool = False,
) -> Comparison:
    """Mean of those inside a group minus that of the others, like compared with like.

    Parameters
    ----------
    values : (n,) numbers
        Scores, amounts, or 0 and 1; NaN leaves the row out.
    inside : (n,) truths
        Whether a row belongs to the group.
    strata : (n,) labels, optional
        What a row is like: only rows of one stratum are compared. None is one stratum.
    level : share
        Coverage aimed at.
    small_sample_ok : truth
        Silences `SmallSample`, which warns when either side has fewer than 30 rows that can be compared.

    Returns
    -------
    Comparison
        n counts the rows of strata that hold both sides; the rest says nothing. NaN where no stratum does.

    Notes
    -----
    d = Σ w d_h / Σ w with w = n₁n₂/n in stratum h, and the variance of Σ w d_h over all ways of dealing the rows of
    each stratum to the two sides, Σ n₁n₂/(n(n − 1)) Σ(x − x̄)²: Mantel (1963), Journal of the American Statistical
    Association 58:690. For 0 and 1 this is the test of Cochran, Mantel and Haenszel without correction. The interval
    uses the same variance, so it leaves out 0 exactly where p < 1 − level.

    Examples
    --------
    >>> scores, severe = [1, 2, 1, 2, 5, 4, 5, 4] * 10, ["high"] * 4 + ["low"] * 4
    >>> inside = [True, True, True, False, True, False, False, False] * 10
    >>> print(stratified_difference(scores, inside, severe * 10).difference)
    0 [-0.256, 0.256] (95 %, n = 80, stratified)
    """
    check_level(level)
    x, member = numbers("values", values, infinite_ok=False), truths("inside", inside)
    n = same_length("stratified_difference", values=x, inside=member)
    code = np.zeros(n, np.intp) if strata is None else codes_of(strata, n, "strata")[0]

    there = ~np.isnan(x)
    x, member, code = x[there], member[there], code[there]
    size = int(code.max(initial=-1)) + 1

    def total(weights: Floats) -> Floats:
        summed: Floats = np.bincount(code, weights=weights, minlength=size).astype(np.float64)
        return summed

    first, all_ = total(member.astype(np.float64)), total(np.ones(len(x)))
    second = all_ - first
    useful = (first > 0) & (second > 0)
    safe = np.where(useful, all_, 2.0)
    centre = np.where(all_ > 0, total(x) / np.maximum(all_, 1), 0.0)
    off = x - centre[code]
    weight = np.where(useful, first * second / safe, 0.0)
    ours = total(np.where(member, off, 0.0)) / np.maximum(first, 1)  # deviations: no cancellation
    others = total(np.where(member, 0.0, off)) / np.maximum(second, 1)
    all_weight = float(weight.sum())
    share = weight / all_weight if all_weight else weight
    gap = float(share @ (ours - others)) if all_weight else math.nan
    spread = float(np.sum(share * share * total(off * off) * safe / (first * second + ~useful) / (safe - 1) * useful))
    error = math.sqrt(spread) if all_weight else math.nan
    sides = int(first[useful].sum()), int(second[useful].sum())
    warn_if_small(min(sides), "the smaller side", ok=small_sample_ok)
    z = gap / error if error > 0 else None
    reach = normal_quantile(level) * error
    means = [float(share @ (centre + part)) if all_weight else math.nan for part in (ours, others)]
    method = "stratified" if strata is not None else "permutation"
    one, two = (
        estimate_of(m, math.nan, math.nan, level=level, n=k, rule="mean, strata weighted alike", method="none")
        for m, k in zip(means, sides, strict=True)
    )
    rule = "first - second, within strata" if strata is not None else "first - second"
    difference = estimate_of(gap, gap - reach, gap + reach, level=level, n=sum(sides), rule=rule, method=method)
    p = math.nan if math.isnan(gap) else 1.0 if error == 0 else math.erfc(abs(gap / error) / math.sqrt(2))
    return Comparison(first=one, second=two, difference=difference, p_value=p, test="mantel z", statistic=z)


def strata_of(*columns: ArrayLike, n: int) -> NDArray[np.int64]:
    """One label for each combination of several columns.

    Examples
    --------
    >>> strata_of(["low", "low", "high"], ["ours", "ours", "ours"], n=3).tolist()
    [0, 0, 1]
    """
    label = np.zeros(n, np.int64)
    for i, column in enumerate(columns):
        code, words = codes_of(column, n, f"strata[{i}]")
        label = np.unique(label * (len(words) + 1) + code + 1, return_inverse=True)[1].astype(np.int64)
    seen: dict[int, int] = {}
    return np.array([seen.setdefault(x, len(seen)) for x in label.tolist()], np.int64)
