"""Centre and spread of control charts, phase by phase: kernels over arrays."""

from __future__ import annotations

import math

import attrs
import numpy as np
from numpy.typing import NDArray

__all__ = ["EXACT", "PRINTED", "Constants", "Lines", "count_lines", "moving_ranges", "standardised", "xmr_lines"]

Floats = NDArray[np.float64]

FAR = 1e9
"""Distance, in units of sigma, of what differs from values that never vary; finite, so that steps can be taken."""
Bools = NDArray[np.bool_]


@attrs.frozen
class Constants:
    """Factors of a chart of single values: sigma is mR-bar / d2, the upper limit of moving ranges D4 mR-bar."""

    d2: float
    d4: float


EXACT = Constants(2 / math.sqrt(math.pi), 1 + 3 * math.sqrt(math.pi / 2 - 1))
"""Of normal values: d2 = 2/sqrt(pi), D4 = 1 + 3 sqrt(pi/2 - 1); 3/d2 = 2.6587, D4 = 3.2665."""

PRINTED = Constants(1.128, 3.267)
"""As books print them; 3/d2 = 2.66."""


@attrs.frozen(eq=False)
class Lines:
    """Centre and sigma of n points; NaN where a phase has no baseline."""

    centre: Floats
    sigma: Floats


def moving_ranges(values: Floats, phase: NDArray[np.integer], /) -> Floats:
    """(n,) distance of each value from the one before it; NaN for the first of a phase and beside a gap.

    Examples
    --------
    >>> moving_ranges(np.array([3.0, 5.0, 4.0, 9.0]), np.array([0, 0, 1, 1])).tolist()
    [nan, 2.0, nan, 5.0]
    """
    out = np.full(len(values), np.nan)
    out[1:] = np.where(phase[1:] == phase[:-1], np.abs(np.diff(values)), np.nan)
    return out


def xmr_lines(
    values: Floats, ranges: Floats, phase: NDArray[np.integer], baseline: Bools, constants: Constants, /
) -> tuple[Lines, Floats]:
    """Centre and sigma of single values, and the mean moving range, of each point's phase.

    A moving range counts where both of its points are in the baseline.
    """
    used = baseline & ~np.isnan(values)
    both = used & ~np.isnan(ranges) & np.concatenate([np.zeros(min(1, len(used)), bool), used[:-1]])
    centre, mean_range = (_by_phase(column, phase, rows) for column, rows in ((values, used), (ranges, both)))
    return Lines(centre, mean_range / constants.d2), mean_range


def _by_phase(column: Floats, phase: NDArray[np.integer], rows: Bools) -> Floats:
    """(n,) mean over the chosen rows of each row's phase."""
    m = int(phase.max(initial=-1)) + 1
    count = np.bincount(phase[rows], minlength=m)
    total = np.bincount(phase[rows], column[rows], minlength=m)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return np.asarray(mean[phase], np.float64)


def count_lines(
    counts: Floats, size: Floats, phase: NDArray[np.integer], baseline: Bools, /, *, binomial: bool
) -> Lines:
    """Centre and sigma of shares (binomial) or rates (Poisson), each by its own size.

    Parameters
    ----------
    counts, size : (n,)
        Failures and cases (p), or defects and units looked at (u); size 0 is a point without a value.
    """
    used = baseline & (size > 0)
    m = int(phase.max(initial=-1)) + 1
    total = np.bincount(phase[used], size[used], minlength=m)
    found = np.bincount(phase[used], counts[used], minlength=m)
    centre = np.where(total > 0, found / np.where(total > 0, total, 1.0), np.nan)[phase]
    spread = centre * (1 - centre) if binomial else centre
    safe = np.where(size > 0, size, 1.0)
    return Lines(centre, np.where(size > 0, np.sqrt(np.maximum(spread, 0.0) / safe), np.nan))


def standardised(values: Floats, lines: Lines, /) -> Floats:
    """(n,) distances from the centre in units of sigma; where sigma is 0, what differs is `FAR` away.

    Examples
    --------
    >>> standardised(np.array([3.0, 2.0]), Lines(np.array([2.0, 2.0]), np.array([0.5, 0.0]))).tolist()
    [2.0, 0.0]
    """
    away = values - lines.centre
    away = np.where(np.abs(away) <= 1e-12 * np.maximum(np.abs(lines.centre), 1e-300), 0.0, away)
    flat = lines.sigma <= 0
    z = away / np.where(flat, 1.0, lines.sigma)
    return np.asarray(np.where(flat & (away != 0), np.sign(away) * FAR, z), np.float64)
