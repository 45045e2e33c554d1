"""Logistic model of a few regions of cases, fitted on patterns of membership, and tests of further regions given it."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from crmcore.errors import NotConverged

__all__ = ["Fit", "Patterns", "conditional_scores", "fit_patterns", "saddlepoint_z", "totals"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
ROUNDS = 200
SETTLED = 1e-9


def totals(code: NDArray[np.integer], weight: Floats | None, size: int, /) -> Floats:
    """Sum of weights, or count, of the rows of each code.

    Examples
    --------
    >>> totals(np.array([0, 2, 0]), None, 3).tolist()
    [2.0, 0.0, 1.0]
    """
    return np.bincount(code, weight, minlength=size).astype(np.float64, copy=False)


@attrs.frozen(eq=False)
class Patterns:
    """Cases grouped by the regions that they belong to: rows of one pattern cannot be told apart by the model.

    Parameters
    ----------
    code : (n,) positions
        Pattern of each row.
    member : (g, s) truth
        Which of s regions a pattern lies in.
    trials, failures : (g,) counts
        Cases of each pattern, and how many of them failed.
    """

    code: NDArray[np.int32]
    member: Bools
    trials: Floats
    failures: Floats

    @classmethod
    def of(cls, masks: Sequence[Bools], trials: Floats, failures: Floats, /) -> Patterns:
        """Group n rows by s masks; without masks there is one pattern.

        Examples
        --------
        >>> made = Patterns.of([np.array([True, False, True])], np.ones(3), np.array([1.0, 0.0, 0.0]))
        >>> made.member.tolist(), made.trials.tolist(), made.failures.tolist()
        ([[False], [True]], [1.0, 2.0], [0.0, 1.0])
        """
        code = np.zeros(len(trials), np.int64)
        member = np.zeros((1, 0), bool)
        for mask in masks:
            packed = 2 * code + mask
            used = np.flatnonzero(np.bincount(packed, minlength=2 * len(member)))
            member = np.column_stack([member[used // 2], (used % 2).astype(bool)])
            to = np.zeros(int(used[-1]) + 1, np.int64)
            to[used] = np.arange(len(used))
            code = to[packed]
        g = len(member)
        return cls(code.astype(np.int32), member, totals(code, trials, g), totals(code, failures, g))

    @property
    def design(self) -> Floats:
        """(g, 1 + s) columns of the model: one, and a column a region."""
        return np.column_stack([np.ones(len(self.member)), self.member]).astype(np.float64)


@attrs.frozen(eq=False)
class Fit:
    """Fitted model of patterns.

    Parameters
    ----------
    patterns : Patterns
    coefficients : (1 + s,) logits
        Of no region, and what each region adds.
    covariance : (1 + s, 1 + s)
        Inverse of the Fisher information.
    p : (g,) shares
        Fitted probability of failure of each pattern.
    """

    patterns: Patterns
    coefficients: Floats
    covariance: Floats
    p: Floats

    @property
    def weight(self) -> Floats:
        """(g,) variance of the failures of one case of each pattern."""
        return self.p * (1.0 - self.p)

    @property
    def rest(self) -> Floats:
        """(1 + s,) score of the model's own columns; zero but for the bias correction."""
        found = self.patterns
        return np.asarray(found.design.T @ (found.failures - found.trials * self.p), np.float64)


def fit_patterns(patterns: Patterns, /) -> Fit:
    """Logistic regression of failures on regions, bias-reduced, so that a region without any failure has an estimate.

    Parameters
    ----------
    patterns : Patterns

    Returns
    -------
    Fit

    Raises
    ------
    NotConverged
        The regions determine each other.

    Notes
    -----
    Firth (1993), Biometrika 80:27: the score is X'(k - n p + h(1/2 - p)) with h the leverages; for a single intercept
    this adds half a failure and half a success.

    Examples
    --------
    >>> none = Patterns(np.zeros(3, np.int32), np.zeros((1, 0), bool), np.array([3.0]), np.array([0.0]))
    >>> fit_patterns(none).p.round(6).tolist()
    [0.125]
    """
    x, n, k = patterns.design, patterns.trials, patterns.failures
    share = (k.sum() + 0.5) / (n.sum() + 1.0)
    b = np.zeros(x.shape[1])
    b[0] = np.log(share / (1.0 - share))
    value, score, covariance = _penalised(x, n, k, b)
    for _ in range(ROUNDS):
        step = covariance @ score
        step *= min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-300))
        ahead = _penalised(x, n, k, b + step)
        for _half in range(30):
            if ahead[0] >= value - 1e-10 * abs(value):
                break
            step = step / 2
            ahead = _penalised(x, n, k, b + step)
        b = b + step
        value, score, covariance = ahead
        if float(np.abs(step).max()) < SETTLED:
            return Fit(patterns, b, covariance, expit(x @ b))
    raise NotConverged(
        "the model of causes", ROUNDS, float(np.abs(score).max()), "leave out attributes that repeat each other"
    )


def _penalised(x: Floats, n: Floats, k: Floats, b: Floats) -> tuple[float, Floats, Floats]:
    """Penalised log likelihood, its score, and the inverse information."""
    eta = x @ b
    p = expit(eta)
    w = n * p * (1.0 - p)
    information = x.T @ (w[:, None] * x)
    sign, log_determinant = np.linalg.slogdet(information)
    if sign <= 0 or not np.isfinite(log_determinant):
        raise NotConverged("the model of causes", 0, np.inf, "leave out attributes that repeat each other")
    covariance = np.linalg.inv(information)
    leverage = w * np.einsum("gi,ij,gj->g", x, covariance, x)
    value = float(np.sum(k * eta - n * np.logaddexp(0.0, eta))) + 0.5 * float(log_determinant)
    score = x.T @ (k - n * p + leverage * (0.5 - p))
    return value, np.asarray(score, np.float64), np.asarray(covariance, np.float64)


def conditional_scores(
    fit: Fit, failures: Floats, expected: Floats, variance: Floats, shared: Floats, /
) -> tuple[Floats, Floats]:
    """Score tests of m regions, each added to the model alone, without refitting it.

    Parameters
    ----------
    fit : Fit
    failures, expected, variance : (m,)
        Failures in each region, sum of the fitted probabilities, sum of their weights p(1 - p).
    shared : (1 + s, m)
        The same weights summed over the cases that a region shares with each column of the model.

    Returns
    -------
    z : (m,)
        U/sqrt(V), V = v - b' H^-1 b; NaN where the model already holds the region.
    left : (m,) shares
        V/v: how much of a region the model does not hold already.

    Notes
    -----
    Rao's score with nuisance parameters: Cox & Hinkley (1974), Theoretical Statistics, section 9.3.
    """
    moved = fit.covariance @ shared
    v = variance - np.einsum("sm,sm->m", shared, moved)
    left = v / np.where(variance > 0, variance, 1.0)
    known = left > 1e-7
    u = failures - expected - fit.rest @ moved
    z = np.where(known, u / np.sqrt(np.where(known, v, 1.0)), np.nan)
    return z, np.where(known, left, 0.0)


def saddlepoint_z(fit: Fit, trials: Floats, failures: Floats, /) -> Floats:
    """Standard normal deviates of score tests that stay true in the far tail of small regions and rare failures.

    Parameters
    ----------
    fit : Fit
        Of g patterns.
    trials : (m, g) counts
        Cases of each region in each pattern.
    failures : (m,) counts
        In each region.

    Returns
    -------
    (m,)
        Signed; 2 Phi(-abs z) is the p-value of the two sides. NaN where the model already holds the region.

    Notes
    -----
    Barndorff-Nielsen's w + log(v/w)/w at the saddle point of the score's cumulants: Dey, Schmidt, Abecasis & Lee
    (2017), American Journal of Human Genetics 101:37, there for variants; here a region of cases. The statistic is
    moved half a case towards zero, which makes the tail of a small region the one that counts give.
    """
    x, p, w = fit.patterns.design, fit.p, fit.weight
    shared = trials @ (w[:, None] * x)  # (m, 1 + s)
    beta = shared @ fit.covariance
    held = beta @ x.T  # (m, g) what the model already says of each pattern
    variance = trials @ w
    v = variance - np.einsum("ms,ms->m", beta, shared)
    left = v / np.where(variance > 0, variance, 1.0)
    known = left > 1e-7
    u = failures - trials @ p - beta @ fit.rest
    smaller = np.minimum(variance, fit.patterns.trials @ w - variance)  # of the region and all other cases
    step = np.minimum(v / np.where(smaller > 0, smaller, 1.0), 1.0)
    u = np.sign(u) * np.maximum(np.abs(u) - 0.5 * np.where(known, step, 0.0), 0.0)
    count = np.concatenate([trials, np.maximum(fit.patterns.trials - trials, 0.0)], axis=1)
    weight = np.concatenate([1.0 - held, -held], axis=1)
    share = np.concatenate([p, p])
    z = u / np.sqrt(np.where(known, v, 1.0))
    far = known & (np.abs(z) > 0.5)  # at the centre the formula is 0/0 and the normal is right
    z[far] = _deviates(u[far], z[far], count[far], weight[far], share)
    return np.where(known, z, np.nan)


def _deviates(u: Floats, z: Floats, count: Floats, weight: Floats, share: Floats) -> Floats:
    """Barndorff-Nielsen deviates; u (m,), the rest by group (m, 2g)."""
    if not len(u):
        return z
    t = _saddlepoints(u, count, weight, share)
    tilted = expit(np.log(share / (1 - share)) + t[:, None] * weight)
    up = t[:, None] * weight
    grown = np.logaddexp(np.log1p(-share), np.log(share) + up) - up * share
    k = np.einsum("mg,mg->m", count, grown)
    bend = np.einsum("mg,mg->m", count, weight**2 * tilted * (1 - tilted))
    w = np.sign(t) * np.sqrt(2 * np.maximum(t * u - k, 0.0))
    v = t * np.sqrt(np.maximum(bend, 0.0))
    sound = (np.abs(w) > 1e-3) & (v * w > 0)
    return np.where(sound, w + np.log(np.where(sound, v / np.where(sound, w, 1.0), 1.0)) / np.where(sound, w, 1.0), z)


def _saddlepoints(u: Floats, count: Floats, weight: Floats, share: Floats) -> Floats:
    """Solve K'(t) = u by bisection on a bracket that grows; K' rises with t."""
    logit = np.log(share / (1 - share))

    def slope(t: Floats) -> Floats:
        return np.asarray(np.einsum("mg,mg->m", count, weight * (expit(logit + t[:, None] * weight) - share)))

    sign = np.sign(u)
    far = np.full(len(u), 0.5)
    for _ in range(60):
        short = (sign * slope(sign * far) < np.abs(u)) & (far < 1e6)
        if not short.any():
            break
        far[short] *= 2
    low, high = np.zeros(len(u)), far
    for _ in range(36):  # to one part in 10^10 of the bracket
        middle = (low + high) / 2
        below = sign * slope(sign * middle) < np.abs(u)
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray(sign * (low + high) / 2, np.float64)
