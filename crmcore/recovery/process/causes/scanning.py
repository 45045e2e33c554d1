"""Change points: from which period on a region of cases fails more, or less, than it did before."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from crmcore.recovery.process.causes.fitting import Fit

__all__ = ["Profile", "bridges", "change_log_p", "profile_of"]

Floats = NDArray[np.float64]


def bridges(expected: Floats, variance: Floats, failures: Floats, /) -> Floats:
    """Score tests of a step at each period of m series, each against its own level.

    Parameters
    ----------
    expected, variance, failures : (m, t)
        Sums of the fitted probabilities p, of p(1 - p), and the failures, by period.

    Returns
    -------
    (m, t)
        z of "from period t on"; NaN at 0 and where one side is empty. With C the failures above expectation from t on
        and v the variances: (C(t) - C v(t)/v) / sqrt(v(t)(1 - v(t)/v)).

    Examples
    --------
    >>> z = bridges(np.full((1, 4), 10.0), np.full((1, 4), 9.0), np.array([[10.0, 10.0, 19.0, 19.0]]))
    >>> z.round(2).tolist()
    [[nan, 1.73, 3.0, 1.73]]
    """
    after = np.cumsum((failures - expected)[:, ::-1], axis=1)[:, ::-1]
    spread = np.cumsum(variance[:, ::-1], axis=1)[:, ::-1]
    share = spread / np.where(spread[:, :1] > 0, spread[:, :1], 1.0)
    error = spread * (1.0 - share)
    known = (error > 1e-9 * np.maximum(spread[:, :1], 1e-300)) & (share > 0) & (share < 1)
    known[:, 0] = False
    return np.where(known, (after - after[:, :1] * share) / np.sqrt(np.where(known, error, 1.0)), np.nan)


def change_log_p(z: Floats, first: Floats, last: Floats, /) -> Floats:
    """Logarithm of the p-value of the largest of many steps looked at.

    Parameters
    ----------
    z : (m,)
        Largest absolute value of a bridge.
    first, last : (m,) shares
        Of the variance before the first and before the last step that was looked at, 0 < first < last < 1.

    Notes
    -----
    Miller & Siegmund (1982), Biometrics 38:1011: p = phi(b)(b - 1/b) log(last(1 - first)/(first(1 - last))) +
    4 phi(b)/b, for the largest of a standardised Brownian bridge on a grid without gaps; between two steps nothing is
    gained, so real grids are a little safer.

    Examples
    --------
    >>> np.exp(change_log_p(np.array([3.0]), np.array([0.1]), np.array([0.9]))).round(4).tolist()
    [0.0578]
    """
    b = np.maximum(np.abs(z), 1.0)
    odds = np.log(last) + np.log1p(-first) - np.log(first) - np.log1p(-last)
    factor = np.maximum(b - 1 / b, 0.0) * np.maximum(odds, 0.0) + 4 / b
    return np.asarray(np.minimum(-0.5 * b**2 - 0.5 * np.log(2 * np.pi) + np.log(factor), 0.0), np.float64)


@attrs.frozen(eq=False)
class Profile:
    """How well each period explains a change.

    Parameters
    ----------
    periods : (t,) positions
        Periods that the change may begin with.
    log_likelihood : (t,)
        Largest over the levels before and after.
    """

    periods: NDArray[np.intp]
    log_likelihood: Floats

    @property
    def weight(self) -> Floats:
        """(t,) shares: the likelihood as a distribution over periods."""
        grown = np.exp(self.log_likelihood - self.log_likelihood.max())
        return np.asarray(grown / grown.sum(), np.float64)

    @property
    def centre(self) -> int:
        """Median period of the distribution."""
        return int(self.periods[np.searchsorted(np.cumsum(self.weight), 0.5)])

    def ends(self, level: float, /) -> tuple[int, int]:
        """First and last period of the smallest set that holds `level` of the distribution."""
        order = np.argsort(-self.weight, kind="stable")
        size = int(np.searchsorted(np.cumsum(self.weight[order]), level)) + 1
        held = self.periods[order[:size]]
        return int(held.min()), int(held.max())


def profile_of(fit: Fit, trials: Floats, failures: Floats, periods: NDArray[np.intp], /) -> Profile:
    """Likelihood of a step at each of some periods within one region.

    Parameters
    ----------
    fit : Fit
        Its logits are the offsets of the region's cases.
    trials : (g, t) counts
        Cases of the region by pattern and period.
    failures : (t,) counts
        By period.
    periods : positions
        Where the step may lie.
    """
    offset = np.log(fit.p) - np.log1p(-fit.p)
    before = np.cumsum(trials, axis=1)[:, periods - 1]
    fell = np.cumsum(failures)[periods - 1]
    one = _level(offset, before, fell)
    two = _level(offset, trials.sum(axis=1, keepdims=True) - before, failures.sum() - fell)
    return Profile(periods, one + two)


def _level(offset: Floats, trials: Floats, failures: Floats) -> Floats:
    """Largest log likelihood of one shift of the logits per column, half a failure and half a success added."""
    shift = np.zeros(trials.shape[1])
    size = trials.sum(axis=0)
    target = failures + 0.5 * (size > 0) * (1 - 2 * failures / np.maximum(size + 1, 1))
    for _ in range(40):
        p = expit(offset[:, None] + shift)
        step = (target - np.sum(trials * p, axis=0)) / np.maximum(np.sum(trials * p * (1 - p), axis=0), 1e-12)
        step = np.clip(step, -2.0, 2.0)
        shift = np.clip(shift + step, -30.0, 30.0)
        if np.abs(step).max() < 1e-8:
            break
    eta = offset[:, None] + shift
    return np.asarray(failures * shift - np.sum(trials * np.logaddexp(0.0, eta), axis=0), np.float64)
