"""Waiting lines in formulas: the stationary M/M/n queue (Erlang C) and M/M/n+M queue (Erlang A), in log space.

Both are one calculation. With offered load a = λ/μ, n agents and leaving rate θ of those who wait (0 in Erlang C):

- E = Σ_{k<n} aᵏ/k! ÷ aⁿ⁻¹/(n−1)!, the inverse of Erlang's B for n − 1 agents;
- J(t) = exp(λH(t) − nμt) Σⱼ xʲ / Π_{i≤j} (nμ + iθ), with x = λe^(−θt) and H(t) = (1 − e^(−θt))/θ, the weight of
  offered waits above t;
- P(V > t) = λJ(t) / (E + λJ(0)), where V is the wait of somebody who never gives up.

Palm (1957), Research on telephone traffic carried by full availability groups; Zeltyn & Mandelbaum (2005), Queueing
Systems 51:361. All sums have positive terms only, so nothing cancels, and no agent number or load overflows.
"""

from __future__ import annotations

import math

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import OutOfRange
from crmcore.recovery.employees.queues.errors import UnstableQueue

__all__ = ["QueueColumns", "erlang_b", "log_inverse_b", "queue_columns"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_TERMS = 5_000_000
SMALLEST = 1e-280


@attrs.frozen(eq=False)
class QueueColumns:
    """Measures of many queues, one row each; times in the unit of the rates."""

    waiting: Floats
    """Share that does not get an agent at once."""
    in_time: Floats
    """Share of all who come that gets an agent within the target."""
    abandoned: Floats
    """Share of all who come that leaves before it gets an agent."""
    mean_wait: Floats
    """Mean wait of all who come, until an agent takes them or they leave."""
    mean_wait_answered: Floats
    """Mean wait of those who get an agent."""
    occupancy: Floats
    """Share of the agents' time that is spent with customers."""


def log_inverse_b(agents: Ints, load: Floats, /) -> Floats:
    """Logarithm of 1/B(n, a), Erlang's loss formula turned over.

    Parameters
    ----------
    agents : (m,) whole numbers from 0
    load : (m,) erlangs above 0

    Notes
    -----
    1/B = eᵃ Q(n + 1, a) n!/aⁿ, with Q the regularised upper incomplete gamma function; where Q underflows (load far
    above the agents) the terms n(n−1).../aʲ fall, and are added up.
    """
    from scipy.special import gammaincc, gammaln

    n = agents.astype(np.float64)
    upper = gammaincc(n + 1, load)
    fits = upper > SMALLEST
    with np.errstate(divide="ignore"):
        found = load + np.log(upper) + gammaln(n + 1) - n * np.log(load)
    for i in np.flatnonzero(~fits):
        term = total = 1.0
        left = n[i]
        while left > 0 and term > 1e-18 * total:
            term *= left / load[i]
            total += term
            left -= 1
        found[i] = math.log(total)
    return np.asarray(np.maximum(found, 0.0), np.float64)


def erlang_b(agents: int, load: float, /) -> float:
    """Share of arrivals lost where nobody can wait: Erlang's B(n, a).

    Parameters
    ----------
    agents : count from 0
    load : erlangs above 0
        Arrivals a time unit times the mean handling time in that unit.

    Examples
    --------
    >>> round(erlang_b(10, 5.0), 6)
    0.018385
    """
    if not (isinstance(agents, int | np.integer) and not isinstance(agents, bool) and agents >= 0):
        raise OutOfRange("agents", agents, "a whole number from 0", "count the agents on duty")
    if not 0 < load < math.inf:
        raise OutOfRange("load", load, "more than 0 erlangs", "arrivals an hour times mean handling time in hours")
    return float(np.exp(-log_inverse_b(np.array([agents]), np.array([float(load)]))[0]))


def queue_columns(agents: Ints, arrivals: Floats, handling: Floats, leaving: Floats, within: Floats, /) -> QueueColumns:
    """Measures of many queues in the long run.

    Parameters
    ----------
    agents : (m,) whole numbers from 1
    arrivals : (m,) a time unit, above 0
    handling : (m,) mean time units an agent is busy with one customer, above 0
    leaving : (m,) 1 / mean patience, from 0; 0 where nobody leaves
    within : (m,) time units, from 0

    Raises
    ------
    UnstableQueue
        A row where nobody leaves and the load reaches the agents.
    """
    agents, arrivals, handling, leaving, within = np.broadcast_arrays(agents, arrivals, handling, leaving, within)
    arrivals = np.maximum(arrivals, SMALLEST)  # nobody in the age of the world, and still a logarithm
    served = agents / handling
    load = arrivals * handling
    for i in np.flatnonzero((leaving == 0) & (load >= agents)):
        raise UnstableQueue(int(agents[i]), float(load[i]))
    log_e = log_inverse_b(agents - 1, load)
    whole = np.array([_sums(*row) for row in zip(arrivals, served, leaving, strict=True)]).reshape(-1, 3)
    faded = arrivals * np.exp(-leaving * within)
    late = np.array([_sums(*row)[0] for row in zip(faded, served, leaving, strict=True)])
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.where(leaving > 0, -np.expm1(-leaving * within) / leaving, within)
    drift = arrivals * reach - served * within
    log_j = whole[:, 0] + np.log(arrivals)
    log_all = np.logaddexp(log_e, log_j)
    waiting = np.exp(log_j - log_all)
    mean_wait = np.exp(log_j - log_all) * whole[:, 1] / arrivals
    gone = leaving * mean_wait
    log_density = np.log(arrivals) - log_all  # of waits just above 0
    density = np.exp(log_density)
    later = np.exp(drift + late + np.log(arrivals) - log_all)
    # λ ∫₀ᵀ e^(−θx) v(x) dx = v(T) − v(0) + nμ P(0 < V ≤ T), because v' = (λe^(−θx) − nμ) v
    rise = np.where(
        drift < 1, density * np.expm1(np.minimum(drift, 1)), np.exp(log_density + np.maximum(drift, 1)) - density
    )
    soon = (rise + served * (waiting - later)) / arrivals
    answered = np.maximum(1 - gone, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        of_answered = waiting * whole[:, 2] * served / arrivals / answered
    in_time = np.clip(np.exp(log_e - log_all) + soon, 0.0, answered)
    busy = np.minimum(load * answered / agents, 1.0)
    return QueueColumns(waiting, in_time, np.minimum(gone, 1.0), mean_wait, of_answered, busy)


def _sums(x: float, c: float, leaving: float) -> tuple[float, float, float]:
    """Log of S = Σ tⱼ, and the means of j and of Σ_{i=1..j} 1/(c + iθ) under tⱼ/S; tⱼ = xʲ / Π_{i≤j} (c + iθ)."""
    from scipy.special import digamma, gammaln

    if leaving == 0:
        gap = c - x
        return -math.log(gap), x / gap, x / gap / c
    if x == 0:
        return -math.log(c), 0.0, 0.0
    peak = max(0.0, (x - c) / leaving)
    width = 12 * math.sqrt(c / leaving + peak) + 60  # beyond it terms are below e^(-45) of the largest
    if x < c:
        width = min(width, 45 / max(math.log(c) - math.log(x), 1e-300) + 60)
    if width > MOST_TERMS:
        hint = "people who wait so much longer than they are served never leave: leave patience out (Erlang C)"
        raise OutOfRange("patience", float(1 / leaving), "at most some million times the handling time", hint)
    first = max(0, int(peak - width))
    rates = c + leaving * np.arange(first + 1, int(peak + width) + 1)
    logs = np.concatenate(([0.0], np.cumsum(math.log(x) - np.log(rates))))
    top = float(logs.max())
    weights = np.exp(logs - top)
    total = float(weights.sum())
    waits = np.concatenate(([0.0], np.cumsum(1 / rates)))
    mean = first + float(weights @ np.arange(len(weights))) / total
    log_s, skipped = top + math.log(total) - math.log(c), 0.0
    if first:
        s = c / leaving
        log_s += first * math.log(x / leaving) - float(gammaln(s + first + 1) - gammaln(s + 1))
        skipped = float(digamma(s + first + 1) - digamma(s + 1)) / leaving
    return log_s, mean, skipped + float(weights @ waits) / total
