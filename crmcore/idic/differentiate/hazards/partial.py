"""Kernels of Cox's partial likelihood with Efron's handling of ties: strata, weights, delayed entry, a ridge.

At an event time with d tied events the j-th of them (j = 0 ... d − 1) faces the risk set less j/d of the tied ones:
Efron (1977), JASA 72:557. With weights each of them counts with the mean weight of the tied ones, as in R's coxph.
"""

from __future__ import annotations

import math

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import NotConverged

__all__ = ["Cohort", "Moments", "fit_cox", "log_likelihood", "risk_sums"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
STEPS = 60
LONGEST = 20.0  # step of a coefficient of a standardised column
REPEATED = 1e12  # condition of the information from which columns repeat each other


@attrs.frozen(eq=False)
class Cohort:
    """Rows and event times in the order that the kernels need; made by `Cohort.of`.

    Attributes
    ----------
    x, weight, event : (n, p), (n,), (n,)
        In the order of the caller.
    group : (k,) stratum of each distinct event time; `time` (k,) itself, ascending within a stratum
    of_event : (e,) position of the event time of each event, in the order of `events` (rows)
    by_time, by_entry : (n,) rows by stratum, then time (entry), ascending
    first, last : (k,) place in `by_time` of the first row still there, and one past the last of the stratum
    first_entry : (k,) place in `by_entry` of the first row that had not yet come
    since, until : (n,) event times that a row is at risk at: `since <= k < until`
    """

    x: Floats
    weight: Floats
    event: NDArray[np.bool_]
    group: Ints
    time: Floats
    events: Ints
    of_event: Ints
    by_time: Ints
    by_entry: Ints
    first: Ints
    last: Ints
    first_entry: Ints
    since: Ints
    until: Ints

    @classmethod
    def of(
        cls, x: Floats, duration: Floats, event: NDArray[np.bool_], entry: Floats, weight: Floats, stratum: Ints, /
    ) -> Cohort:
        """Sort rows once."""
        by_time = np.lexsort((duration, stratum))
        by_entry = np.lexsort((entry, stratum))
        used = event & (weight > 0)
        events = np.flatnonzero(used)
        keys = np.column_stack([stratum[events].astype(np.float64), duration[events]]).reshape(-1, 2)
        found, of_event = np.unique(keys, axis=0, return_inverse=True)
        group, time = found[:, 0].astype(np.int64), found[:, 1]
        n = len(duration)
        first, last, first_entry = (np.zeros(len(time), np.int64) for _ in range(3))
        since, until = np.zeros(n, np.int64), np.zeros(n, np.int64)
        for g in np.unique(stratum):
            rows = np.flatnonzero(stratum[by_time] == g)
            here = np.flatnonzero(group == g)
            begin, end = rows[0], rows[-1] + 1
            first[here] = begin + np.searchsorted(duration[by_time[begin:end]], time[here], side="left")
            last[here] = end
            first_entry[here] = begin + np.searchsorted(entry[by_entry[begin:end]], time[here], side="left")
            mine = by_time[begin:end]
            start = here[0] if len(here) else 0
            since[mine] = start + np.searchsorted(time[here], entry[mine], side="right")
            until[mine] = start + np.searchsorted(time[here], duration[mine], side="right")
        return cls(x, weight, event, group, time, events, of_event.ravel(), by_time, by_entry, first, last, first_entry,
                   since, until)  # fmt: skip


@attrs.frozen(eq=False)
class Moments:
    """Sums over risk sets at one coefficient vector, one entry an event (ties stand one by one).

    Attributes
    ----------
    denominator : (e,) weighted risk of the set that each event faces
    mean : (e, p) its weighted mean of x
    share : (e,) j/d of each tied event
    weight : (e,) mean weight of the tied events
    place : (e,) position of the event time
    """

    denominator: Floats
    mean: Floats
    share: Floats
    weight: Floats
    place: Ints


def risk_sums(cohort: Cohort, risk: Floats, /) -> Moments:
    """Efron's risk sets; `risk` is (n,) exp(xβ)."""
    k = len(cohort.time)
    wr = cohort.weight * risk
    both = np.column_stack([wr, wr[:, None] * cohort.x])
    at_risk = _from_the_end(both[cohort.by_time], cohort.first, cohort.last)
    if (cohort.first_entry < cohort.last).any():  # somebody came late
        at_risk -= _from_the_end(both[cohort.by_entry], cohort.first_entry, cohort.last)
    ties = np.bincount(cohort.of_event, minlength=k)
    tied = _per_time(both[cohort.events], cohort.of_event, k)
    mass = np.bincount(cohort.of_event, weights=cohort.weight[cohort.events], minlength=k)
    place = np.repeat(np.arange(k), ties)
    start = np.concatenate([np.zeros(1, np.int64), np.cumsum(ties)[:-1]]) if k else np.zeros(0, np.int64)
    share = (np.arange(len(place)) - start[place]) / ties[place]
    sums = at_risk[place] - share[:, None] * tied[place]
    with np.errstate(divide="ignore", invalid="ignore"):  # a step too far empties a set: its likelihood is refused
        mean = sums[:, 1:] / sums[:, :1]
    return Moments(sums[:, 0], mean, share, (mass / np.maximum(ties, 1))[place], place)


def _from_the_end(rows: Floats, starts: Ints, ends: Ints) -> Floats:
    """(k, c) sums from `starts` to the end of the stratum: no large early risk can drown the small late ones."""
    out = np.zeros((len(starts), rows.shape[1]))
    for end in np.unique(ends).tolist():
        here = np.flatnonzero((ends == end) & (starts < end))
        if len(here):
            begins, place = np.unique(starts[here], return_inverse=True)
            parts = np.add.reduceat(rows[:end], begins, axis=0)  # rows between one event time and the next
            out[here] = parts[::-1].cumsum(axis=0)[::-1][place]
    return out


def _per_time(rows: Floats, of_event: Ints, k: int) -> Floats:
    """(k, c) sums of the events of each time; every time has one."""
    if not k:
        return np.zeros((0, rows.shape[1]))
    order = np.argsort(of_event, kind="stable")
    found: Floats = np.add.reduceat(rows[order], np.searchsorted(of_event[order], np.arange(k)), axis=0)
    return found


def log_likelihood(cohort: Cohort, beta: Floats, /) -> float:
    """Efron's partial log-likelihood."""
    eta = cohort.x @ beta
    shift = float(eta.max(initial=0.0))
    m = risk_sums(cohort, np.exp(eta - shift))
    events = cohort.events
    if not (m.denominator > 0).all():  # a risk set that has underflown: too far
        return -math.inf
    return float(cohort.weight[events] @ (eta[events] - shift) - m.weight @ np.log(m.denominator))


def _derivatives(cohort: Cohort, beta: Floats) -> tuple[float, Floats, Floats]:
    eta = cohort.x @ beta
    shift = float(eta.max(initial=0.0))
    risk = np.exp(eta - shift)
    m = risk_sums(cohort, risk)
    k, events = len(cohort.time), cohort.events
    if not (m.denominator > 0).all():  # a risk set that has underflown: too far
        return -math.inf, np.zeros(len(beta)), np.zeros((len(beta), len(beta)))
    value = float(cohort.weight[events] @ (eta[events] - shift) - m.weight @ np.log(m.denominator))
    rate = m.weight / m.denominator
    whole = np.concatenate([np.zeros(1), np.bincount(m.place, weights=rate, minlength=k).cumsum()])
    part = np.bincount(m.place, weights=rate * m.share, minlength=k)
    exposure = whole[cohort.until] - whole[np.minimum(cohort.since, cohort.until)]
    exposure[events] -= part[cohort.of_event]
    held = cohort.weight * risk * exposure
    gradient = cohort.x.T @ (np.where(cohort.event, cohort.weight, 0.0) - held)
    information = cohort.x.T @ (cohort.x * held[:, None]) - m.mean.T @ (m.mean * m.weight[:, None])
    return value, gradient, information


def fit_cox(cohort: Cohort, /, *, penalty: float) -> tuple[Floats, Floats, float, int]:
    """Coefficients, inverse information, log-likelihood and steps of Newton's method with halved steps.

    The objective is the log-likelihood − penalty/2 Σ β².

    Raises
    ------
    NotConverged
        Without a penalty where a column tells who leaves first without error, or repeats another.
    """
    p = cohort.x.shape[1]
    beta, size = np.zeros(p), max(float(cohort.weight[cohort.events].sum()), 1.0)
    value, gradient, information = _derivatives(cohort, beta)
    ridge = np.eye(p) * penalty
    step = 0
    hint = "a column ends the risk of all others or repeats one: give a penalty above 0, or drop it"
    while (step := step + 1) <= STEPS:
        slope = gradient - penalty * beta
        if p == 0 or float(np.abs(slope).max()) / size < 1e-11:
            break
        if float(np.linalg.cond(information + ridge)) > REPEATED:
            raise NotConverged("Cox regression", step, float(np.abs(slope).max()), hint)
        move = np.linalg.solve(information + ridge, slope)
        move *= min(1.0, LONGEST / max(float(np.abs(move).max()), 1e-300))
        goal, length = value - penalty / 2 * float(beta @ beta), 1.0
        while True:
            trial = beta + length * move
            now = _derivatives(cohort, trial)  # one pass for value, gradient and information
            if now[0] - penalty / 2 * float(trial @ trial) >= goal - 1e-12 * abs(goal):
                break
            if length < 1e-8:
                trial, now = beta, (value, gradient, information)
                break
            length /= 2
        done = float(np.abs(trial - beta).max()) < 1e-11
        beta, (value, gradient, information) = trial, now
        if done:
            break
    eta = cohort.x @ beta
    slope = gradient - penalty * beta
    if p and (float(np.abs(slope).max()) / size > 1e-6 or (penalty == 0 and float(np.ptp(eta)) > 60)):
        raise NotConverged("Cox regression", step, float(np.abs(slope).max()), hint)
    if p and float(np.linalg.cond(information + ridge)) > REPEATED:
        raise NotConverged("Cox regression", step, float(np.abs(slope).max()), hint)
    covariance = np.linalg.inv(information + ridge) if p else np.zeros((0, 0))
    if not (np.diag(covariance) > 0).all():  # what is left of the information is rounding
        raise NotConverged("Cox regression", step, float(np.abs(slope).max()), hint)
    return beta, np.asarray(covariance, np.float64), value, step
