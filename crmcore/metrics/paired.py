"""The same customers asked twice, yes or no: before and after, on two channels, by two raters."""

from __future__ import annotations

import math

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import BadRow, BadRows
from crmcore.metrics.columns import pairs_observed
from crmcore.metrics.comparing import Comparison
from crmcore.metrics.estimates import check_level, estimate_of, warn_if_small
from crmcore.metrics.scalars import hold_counts

__all__ = ["PairedCounts", "newcombe_paired"]

Floats = NDArray[np.float64]


def newcombe_paired(
    both: ArrayLike, first_only: ArrayLike, second_only: ArrayLike, neither: ArrayLike, /, *, level: float = 0.95
) -> tuple[Floats, Floats]:
    """Interval of the difference of two shares of the same subjects, first minus second; [-1, 1] without any.

    Parameters
    ----------
    both, first_only, second_only, neither : (m,) counts
        Subjects by their two answers.
    level : share
        In (0, 1).

    Returns
    -------
    low, high : (m,) shares

    Notes
    -----
    Wilson limits of the two shares, combined with their correlation (continuity corrected where positive): Newcombe
    (1998), Statistics in Medicine 17:2635, method 10.

    Examples
    --------
    >>> low, high = newcombe_paired(36, 12, 2, 0)
    >>> float(low.round(4)), float(high.round(4))
    (0.0569, 0.3404)
    """
    from crmcore.metrics.intervals import wilson_interval

    e, f, g, h = np.broadcast_arrays(*(np.asarray(x, np.float64) for x in (both, first_only, second_only, neither)))
    n = e + f + g + h
    safe = np.where(n > 0, n, 1.0)
    p, q = (e + f) / safe, (e + g) / safe
    (lp, up), (lq, uq) = wilson_interval(e + f, n, level=level), wilson_interval(e + g, n, level=level)
    margins = (e + f) * (g + h) * (e + g) * (f + h)
    cross = e * h - f * g
    cross = np.where(cross > 0, np.maximum(cross - n / 2, 0.0), cross)
    phi = np.where(margins > 0, cross / np.sqrt(np.where(margins > 0, margins, 1.0)), 0.0)

    def reach(x: Floats, y: Floats) -> Floats:
        return np.sqrt(np.maximum(x * x - 2 * phi * x * y + y * y, 0.0))

    low, high = p - q - reach(p - lp, uq - q), p - q + reach(up - p, q - lq)
    return np.where(n > 0, low, -1.0), np.where(n > 0, high, 1.0)


@attrs.frozen
class PairedCounts:
    """Subjects by two yes-or-no answers of each, addable.

    Parameters
    ----------
    both, first_only, second_only, neither : counts
        Subjects that said yes twice, only the first time, only the second time, never.

    Examples
    --------
    >>> PairedCounts.of([1, 1, 0, 0, 1], [1, 0, 0, 1, 0])
    PairedCounts(both=1, first_only=2, second_only=1, neither=1)
    >>> print(PairedCounts(36, 12, 2, 0).compare())
    difference 0.2 [0.0569, 0.34] (95 %, n = 50, newcombe paired), p = 0.0129 (mcnemar exact)
    """

    both: int = 0
    first_only: int = 0
    second_only: int = 0
    neither: int = 0

    def __attrs_post_init__(self) -> None:
        hint = "PairedCounts.of(first, second) counts"
        hold_counts(self, "both", "first_only", "second_only", "neither", hint=hint)

    @classmethod
    def of(cls, first: ArrayLike, second: ArrayLike) -> PairedCounts:
        """Count two columns of truths (or 0 and 1): row i of both is one subject; missing answers leave the row out.

        Examples
        --------
        >>> PairedCounts.of([True, False, None], [True, True, False])
        PairedCounts(both=1, first_only=0, second_only=1, neither=0)
        """
        a, b = pairs_observed(first, second)
        wrong = np.flatnonzero(~(np.isin(a, (0, 1)) & np.isin(b, (0, 1))))
        if len(wrong):
            rows = BadRow("first, second", "neither 0 nor 1", tuple(wrong.tolist()))
            raise BadRows("PairedCounts.of", (rows,), "say what counts: PairedCounts.of(before >= 4, after >= 4)")
        cells = np.bincount((2 * a + b).astype(np.intp), minlength=4).tolist()
        return cls(cells[3], cells[2], cells[1], cells[0])

    def __add__(self, other: PairedCounts) -> PairedCounts:
        return PairedCounts(*(x + y for x, y in zip(attrs.astuple(self), attrs.astuple(other), strict=True)))

    @property
    def n(self) -> int:
        """Subjects."""
        return int(self.both + self.first_only + self.second_only + self.neither)

    def compare(self, *, level: float = 0.95, small_sample_ok: bool = False) -> Comparison:
        """First share minus second share of the same subjects, with interval and test.

        Parameters
        ----------
        level : share
            Coverage aimed at.
        small_sample_ok : truth
            Silences `SmallSample`, which warns below 30 subjects.

        Returns
        -------
        Comparison
            `newcombe_paired`, and McNemar's exact test: of the subjects that changed, half should have changed each way
            (McNemar 1947, Psychometrika 12:153). The p-value is NaN where nobody changed.
        """
        from crmcore.metrics.exact import binomial_exact
        from crmcore.metrics.proportions import Counts

        check_level(level)
        warn_if_small(self.n, "the paired comparison", ok=small_sample_ok)
        yes = self.both + self.first_only, self.both + self.second_only
        first, second = (Counts(k, self.n).estimate(level=level, small_sample_ok=True) for k in yes)
        low, high = newcombe_paired(*attrs.astuple(self), level=level)
        changed = self.first_only + self.second_only
        p = float(binomial_exact(self.first_only, changed, 0.5)) if changed else math.nan
        value = (self.first_only - self.second_only) / self.n if self.n else math.nan
        difference = estimate_of(
            value, low, high, level=level, n=self.n, rule="first - second", method="newcombe paired"
        )
        return Comparison(first=first, second=second, difference=difference, p_value=p, test="mcnemar exact")
