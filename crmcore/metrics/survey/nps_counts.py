"""Net Promoter Score: counts that add up and can be compared, and intervals over whole columns."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import BadRow, BadRows, WrongType
from crmcore.metrics.estimates import Estimate, check_level, warn_if_small
from crmcore.metrics.intervals import normal_quantile, wilson_interval
from crmcore.metrics.scalars import hold_counts, named, seeded
from crmcore.metrics.survey.answers import on_scale

if TYPE_CHECKING:
    from crmcore.metrics.comparing import Comparison

__all__ = ["NPS_METHODS", "NPS_RULE", "NpsCounts", "nps_difference", "nps_groups", "nps_interval", "nps_standard_error"]

Floats = NDArray[np.float64]
DRAWS = 10_000  # the ends of a 95 % percentile interval then wander by about 0.7 % of its width
LOWEST_PROMOTER, HIGHEST_DETRACTOR = 9, 6
HINT = (
    "NPS is asked from 0 to 10: counts of answers are NpsCounts(50, 30, 20); carry other scales over first, "
    "metrics.survey.rescale(scores, (1, 5), (0, 10)).round()"
)
_COUNT_HINT = "count answers of 9-10, 7-8 and 0-6: NpsCounts.of(scores)"
NPS_RULE = "% promoters (9-10) - % detractors (0-6)"


def _shares(promoters: ArrayLike, passives: ArrayLike, detractors: ArrayLike) -> tuple[Floats, Floats, Floats]:
    try:
        columns = [np.asarray(c, np.float64) for c in (promoters, passives, detractors)]
    except (TypeError, ValueError, OverflowError):
        raise WrongType("counts", "not numbers", "counts of promoters, passives, detractors", _COUNT_HINT) from None
    p, q, d = np.broadcast_arrays(*columns)
    wrong = (p < 0) | (q < 0) | (d < 0) | np.isinf(p + q + d)
    if wrong.any():
        rows = tuple(np.flatnonzero(wrong).tolist())
        raise BadRows("nps", (BadRow("counts", "negative or infinite", rows),), _COUNT_HINT)
    n = p + q + d
    safe = np.where(n > 0, n, 1.0)
    return p / safe, d / safe, n


def nps_standard_error(promoters: ArrayLike, passives: ArrayLike, detractors: ArrayLike, /) -> Floats:
    """Standard error of each Net Promoter Score, in points.

    Parameters
    ----------
    promoters, passives, detractors : (m,) counts
        0 or more; weighted counts need not be whole.

    Returns
    -------
    (m,) points
        100 √(v/n), where one answer of −1, 0 or 1 has the variance v = (P + D)/n − ((P − D)/n)²; NaN without answers.

    Examples
    --------
    >>> nps_standard_error([50, 5], [30, 3], [20, 2]).round(2)
    array([ 7.81, 24.7 ])
    """
    p, d, n = _shares(promoters, passives, detractors)
    with np.errstate(divide="ignore", invalid="ignore"):
        error: Floats = np.where(n > 0, 100 * np.sqrt(np.maximum(p + d - (p - d) ** 2, 0) / n), np.nan)
    return error


def _mover(p: Floats, d: Floats, n: Floats, level: float) -> tuple[Floats, Floats]:
    low_p, high_p = wilson_interval(p * n, n, level=level)
    low_d, high_d = wilson_interval(d * n, n, level=level)
    inside = (p > 0) & (p < 1) & (d > 0) & (d < 1)
    rest = np.where(inside, (1 - p) * (1 - d), 1.0)
    phi = np.where(inside, -np.sqrt(np.maximum(p * d, 0) / rest), 0.0)
    below = (p - low_p) ** 2 - 2 * phi * (p - low_p) * (high_d - d) + (high_d - d) ** 2
    above = (high_p - p) ** 2 - 2 * phi * (high_p - p) * (d - low_d) + (d - low_d) ** 2
    return p - d - np.sqrt(np.maximum(below, 0)), p - d + np.sqrt(np.maximum(above, 0))


def _adjusted_wald(p: Floats, d: Floats, n: Floats, level: float) -> tuple[Floats, Floats]:
    more = n + 3
    return _wald((p * n + 0.75) / more, (d * n + 0.75) / more, more, level)


def _wald(p: Floats, d: Floats, n: Floats, level: float) -> tuple[Floats, Floats]:
    variance = np.maximum(p + d - (p - d) ** 2, 0)
    half = normal_quantile(level) * np.sqrt(variance / np.where(n > 0, n, 1.0))
    return p - d - half, p - d + half


_CLOSED: MappingProxyType[str, Callable[[Floats, Floats, Floats, float], tuple[Floats, Floats]]] = MappingProxyType(
    {"mover-wilson": _mover, "adjusted-wald": _adjusted_wald, "wald": _wald}
)
NPS_METHODS = (*_CLOSED, "bootstrap")


def nps_interval(
    promoters: ArrayLike,
    passives: ArrayLike,
    detractors: ArrayLike,
    /,
    *,
    level: float = 0.95,
    method: str = "mover-wilson",
    seed: int | np.random.Generator | None = None,
) -> tuple[Floats, Floats]:
    """Intervals of many Net Promoter Scores at once, in points.

    Parameters
    ----------
    promoters, passives, detractors : (m,) counts
        0 or more; weighted counts need not be whole. Without answers the interval is −100 to 100.
    level : share
        Coverage aimed at, in (0, 1).
    method : text
        `"mover-wilson"` (default), `"adjusted-wald"`, `"wald"`, or `"bootstrap"` (percentiles of 10,000 multinomial
        draws, whose cost does not grow with the number of answers; needs `seed`; counts are rounded).
    seed : whole number or Generator
        Only for the bootstrap.

    Returns
    -------
    low, high : (m,) points
        Not clipped: the Wald intervals of small samples may pass ±100.

    Notes
    -----
    With shares p of promoters and d of detractors among n answers:

    - MOVER-Wilson: p − d − √((p−l)² − 2φ(p−l)(u′−d) + (u′−d)²), mirrored above, where l, u and l′, u′ are Wilson limits
      of p and d, and φ = −√(pd/((1−p)(1−d))) is their correlation in one multinomial sample, 0 where a share is 0 or 1:
      Newcombe (1998), Statistics in Medicine 17:2635, method 10, for a difference within one sample. It is the default:
      with 80 or 95 % promoters its 95 % intervals of 10 to 400 answers cover 93 % and more, where Wald falls to 40 %.
      Over all shares the least coverage is 86 % for 10 answers (nobody passive), 91.8 % for 20, 93 % from 50 on.
    - adjusted Wald: 3/4 is added to promoters and detractors and 3 to n, then Wald: Rocks (2016), The American
      Statistician 70:365.
    - Wald: p − d ± z √((p + d − (p − d)²)/n).

    Examples
    --------
    >>> low, high = nps_interval([50, 5], [30, 3], [20, 2])
    >>> low.round(1), high.round(1)
    (array([ 14. , -19.7]), array([44.2, 65.7]))
    """
    check_level(level)
    method = named("NPS interval method", method, NPS_METHODS)
    p, d, n = _shares(promoters, passives, detractors)
    low, high = _drawn(p, d, n, level, seed) if method == "bootstrap" else _CLOSED[method](p, d, n, level)
    return np.where(n > 0, 100 * low, -100.0), np.where(n > 0, 100 * high, 100.0)


def _drawn(
    p: Floats, d: Floats, n: Floats, level: float, seed: int | np.random.Generator | None
) -> tuple[Floats, Floats]:
    rng = seeded(seed)
    ends = np.empty((2, p.size))
    tails = [(1 - level) / 2, (1 + level) / 2]
    for i, (share_p, share_d, size) in enumerate(zip(p.ravel(), d.ravel(), n.ravel(), strict=True)):
        answers = round(size)
        happy = rng.binomial(answers, share_p, DRAWS)
        among_others = min(share_d / (1 - share_p), 1.0) if share_p < 1 else 0.0
        gap = happy - rng.binomial(answers - happy, among_others)
        ends[:, i] = np.quantile(gap, tails) / max(answers, 1)
    return ends[0].reshape(p.shape), ends[1].reshape(p.shape)


def nps_groups(scores: ArrayLike, /) -> NDArray[np.int8]:
    """Group of each answer: 2 promoter (9-10), 1 passive (7-8), 0 detractor (0-6), −1 not answered.

    Raises
    ------
    BadRows
        Scores that are not whole numbers from 0 to 10, all of them at once.

    Examples
    --------
    >>> nps_groups([10, 7, 0, None])
    array([ 2,  1,  0, -1], dtype=int8)
    """
    column = on_scale(scores, (0, 10), whole=True, hint=HINT)
    group = (column > HIGHEST_DETRACTOR).astype(np.int8) + (column >= LOWEST_PROMOTER)
    group[np.isnan(column)] = -1
    return group


def nps_difference(first: Estimate, second: Estimate, /, *, errors: tuple[float, float]) -> Comparison:
    """Difference of two independent scores, first minus second, in points.

    Parameters
    ----------
    first, second : Estimate
        Scores in points with intervals at one level.
    errors : points
        Standard error of each score.

    Returns
    -------
    Comparison
        Interval "mover", from the limits of each score, see `comparing.mover`: with MOVER-Wilson limits it holds where
        normal theory does not; −200 to 200 where a group is empty.
        Test "unpooled z": d / √(error₁² + error₂²), two-sided; NaN where both errors are 0 or a group is empty.
    """
    from scipy.special import ndtr

    from crmcore.metrics.comparing import Comparison, mover

    difference = mover(first, second, method=f"mover of {first.method}")
    if not (first.n and second.n):
        difference = attrs.evolve(difference, low=-200.0, high=200.0)
    error = math.hypot(*errors)
    z = difference.value / error if error > 0 else None
    p_value = math.nan if z is None else 2 * float(ndtr(-abs(z)))
    return Comparison(
        first=first, second=second, difference=difference, p_value=p_value, test="unpooled z", statistic=z
    )


@attrs.frozen
class NpsCounts:
    """Promoters (9-10), passives (7-8) and detractors (0-6): shards, days and stores add up before they are estimated.

    Examples
    --------
    >>> NpsCounts.of([10, 9, 8, 3, None]) + NpsCounts(promoters=1)
    NpsCounts(promoters=3, passives=1, detractors=1)
    >>> print(NpsCounts(50, 30, 20).estimate())
    30 [14, 44.2] (95 %, n = 100, mover-wilson)
    """

    promoters: int = 0
    passives: int = 0
    detractors: int = 0

    def __attrs_post_init__(self) -> None:
        hint = "weighted answers: metrics.nps(..., weights=)"
        hold_counts(self, "promoters", "passives", "detractors", hint=hint)

    def __add__(self, other: NpsCounts) -> NpsCounts:
        return NpsCounts(
            self.promoters + other.promoters, self.passives + other.passives, self.detractors + other.detractors
        )

    @property
    def n(self) -> int:
        """Answers counted."""
        return self.promoters + self.passives + self.detractors

    @property
    def score(self) -> float:
        """Net Promoter Score in points, −100 to 100; NaN without answers."""
        return 100 * (self.promoters - self.detractors) / self.n if self.n else math.nan

    @property
    def answer_variance(self) -> float:
        """Variance of one answer that counts −1, 0 or 1: (P + D)/n − ((P − D)/n)², see `nps_standard_error`."""
        return self.n * float(nps_standard_error(*attrs.astuple(self)) / 100) ** 2 if self.n else math.nan

    @classmethod
    def of(cls, scores: ArrayLike) -> NpsCounts:
        """Count answers to "how likely are you to recommend us?" from 0 to 10; None and NaN are not answered.

        Raises
        ------
        BadRows
            Scores that are not whole numbers from 0 to 10, all of them at once.
        """
        return cls.of_groups(nps_groups(scores))

    @classmethod
    def of_groups(cls, groups: NDArray[np.integer]) -> NpsCounts:
        """Count what `nps_groups` found."""
        counts = np.bincount(groups + 1, minlength=4).tolist()
        return cls(promoters=counts[3], passives=counts[2], detractors=counts[1])

    def estimate(
        self,
        *,
        level: float = 0.95,
        method: str = "mover-wilson",
        seed: int | np.random.Generator | None = None,
        rule: str = NPS_RULE,
        small_sample_ok: bool = False,
    ) -> Estimate:
        """The score in points with its interval; see `nps_interval` for the methods."""
        warn_if_small(self.n, "the Net Promoter Score", ok=small_sample_ok)
        method = named("NPS interval method", method, NPS_METHODS)
        low, high = nps_interval(*attrs.astuple(self), level=level, method=method, seed=seed)
        ends = {"low": float(low), "high": float(high)}
        return Estimate(value=self.score, **ends, level=level, n=self.n, rule=rule, method=method)

    def minus(self, other: NpsCounts, /, *, level: float = 0.95) -> Comparison:
        """Difference of two independent scores in points: MOVER interval, z test with unpooled variances.

        See `nps_difference` for formulas and sources.

        Examples
        --------
        >>> print(NpsCounts(60, 30, 10).minus(NpsCounts(50, 30, 20)))
        difference 20 [-0.293, 39.8] (95 %, n = 200, mover of mover-wilson), p = 0.0521 (unpooled z)
        """
        first, second = (c.estimate(level=level, small_sample_ok=True) for c in (self, other))
        mine, theirs = (float(nps_standard_error(*attrs.astuple(c))) for c in (self, other))
        return nps_difference(first, second, errors=(mine, theirs))
