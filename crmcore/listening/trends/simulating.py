"""Counts of terms with planted bursts and known noise, to see what a detector finds and what it cries wolf at."""

from __future__ import annotations

import enum
from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import between
from crmcore.errors import EmptyInput, OutOfRange, UnknownName

__all__ = ["Noise", "SimulatedTrends", "simulated_trends"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DAY, WEEK = 24, 168
DISPERSION = 8.0  # shape of the gamma that multiplies each hour
REPLY_HOURS = 2.0  # mean time from a post to its answers in a cascade
SILENT = 0.3  # share of hours in which a zero-inflated term is not collected


class Noise(enum.StrEnum):
    """How counts vary around what is expected of them."""

    POISSON = "poisson"
    GAMMA = "gamma-poisson"  # each hour has a lucky factor of its own
    HAWKES = "hawkes"  # posts beget posts: 20 to 50 % of them are answers to others
    ZEROS = "zero-inflated"  # 30 % of the hours are empty for no reason, the others gamma-poisson


@attrs.frozen(eq=False, repr=False, kw_only=True)
class SimulatedTrends:
    """Counts with the truth behind them."""

    counts: Ints  # (n_hours, n_terms)
    expected: Floats  # (n_hours, n_terms) without bursts
    term: Ints  # (n_bursts,)
    start: Ints  # (n_bursts,) hour
    stop: Ints  # (n_bursts,) first hour after
    factor: Floats  # (n_bursts,) how many times the usual
    noise: tuple[str, ...]  # (n_terms,)

    def __repr__(self) -> str:
        hours, terms = self.counts.shape
        return f"SimulatedTrends({terms} terms, {hours} hours, {len(self.term)} bursts)"


@attrs.frozen
class _Scale:
    terms: int = attrs.field(validator=between(1, 1_000_000, hint="a count of terms"))
    weeks: float = attrs.field(validator=between(1 / 7, 520, hint="8 weeks are usual"))
    bursts: int = attrs.field(validator=between(0, 10_000_000, hint="a count of bursts"))


def simulated_trends(
    *,
    terms: int = 1000,
    weeks: float = 8,
    bursts: int = 300,
    least_posts: float = 10.0,
    noise: str | Sequence[str] = tuple(Noise),
    seed: int | np.random.Generator,
) -> SimulatedTrends:
    """Draw hourly counts of terms that share a rhythm, drift, vary, and now and then burst.

    Parameters
    ----------
    terms : count
        Of 0.1 to 40 posts an hour, as many below 2 as above.
    weeks : duration
    bursts : count
        At any time, of any term: 2 to 10 times the usual, for 3 to 24 hours.
    least_posts : count
        Bursts that would bring fewer posts beyond the usual are drawn again: nobody would call them a trend.
    noise : "poisson", "gamma-poisson", "hawkes", "zero-inflated", or several
        Several are dealt out to the terms in turn.
    seed : int or generator

    Examples
    --------
    >>> simulated_trends(terms=10, weeks=1, bursts=2, seed=1)
    SimulatedTrends(10 terms, 168 hours, 2 bursts)
    """
    scale = _Scale(terms, weeks, bursts)
    kinds = _kinds(noise)
    rng = np.random.default_rng(seed)
    hours = round(scale.weeks * WEEK)
    rate = _rhythms(rng, hours, terms) * np.exp(rng.uniform(np.log(0.1), np.log(40), terms)) * _drift(rng, hours, terms)
    term, start, length, factor = _bursts(rng, rate, bursts, least_posts)
    lifted = rate.copy()
    for i, begin, long, times in zip(term.tolist(), start.tolist(), length.tolist(), factor.tolist(), strict=True):
        lifted[begin : begin + long, i] = np.maximum(
            lifted[begin : begin + long, i], times * rate[begin : begin + long, i]
        )
    kind = tuple(str(kinds[i % len(kinds)]) for i in range(terms))
    counts = np.empty((hours, terms), np.int64)
    for name, child in zip(Noise, rng.spawn(len(Noise)), strict=True):
        here = np.flatnonzero(np.array(kind) == name)
        counts[:, here] = _drawn(child, lifted[:, here], name)
    return SimulatedTrends(
        counts=counts, expected=rate, term=term, start=start, stop=start + length, factor=factor, noise=kind
    )


def _kinds(noise: str | Sequence[str]) -> tuple[Noise, ...]:
    named = (noise,) if isinstance(noise, str) else tuple(noise)
    if not named:
        raise EmptyInput("noise", "name at least one kind")
    known = tuple(str(kind) for kind in Noise)
    for name in named:
        if name not in known:
            raise UnknownName("noise", str(name), known)
    return tuple(Noise(name) for name in named)


def _bursts(rng: np.random.Generator, rate: Floats, bursts: int, least_posts: float) -> tuple[Ints, Ints, Ints, Floats]:
    """Term, first hour, hours and factor of each burst."""
    hours, terms = rate.shape
    so_far = np.concatenate([np.zeros((1, terms)), rate.cumsum(axis=0)])
    term, start, length = (np.zeros(bursts, np.int64) for _ in range(3))
    factor = np.ones(bursts)
    small = np.arange(bursts)
    for _ in range(1000):
        term[small] = rng.integers(0, terms, len(small))
        length[small] = np.minimum(rng.integers(3, 25, len(small)), hours)
        start[small] = rng.integers(0, hours - length[small] + 1)
        factor[small] = rng.uniform(2.0, 10.0, len(small))
        more = (factor - 1) * (so_far[start + length, term] - so_far[start, term])
        small = np.flatnonzero(more < least_posts)
        if not len(small):
            return term, start, length, factor
    hint = "no term brings that many: lower it, or simulate more terms"
    raise OutOfRange("least_posts", least_posts, "posts that bursts of these terms can bring", hint)


def _rhythms(rng: np.random.Generator, hours: int, terms: int) -> Floats:
    """(n_hours, n_terms) factor of each hour of the week: one rhythm for all, and what each term has of its own."""
    hour = np.arange(hours)[:, None]
    phase = rng.normal(0.0, 1.0, terms)
    own = rng.uniform(0.4, 0.9, terms)
    daily = np.exp(own * np.sin(2 * np.pi * (hour - 9 - phase) / DAY))
    weekend = np.where(hour % WEEK >= 5 * DAY, rng.uniform(0.5, 1.0, terms), 1.0)
    return np.asarray(daily * weekend, np.float64)


def _drift(rng: np.random.Generator, hours: int, terms: int) -> Floats:
    """(n_hours, n_terms) slow wandering of the level: 5 % a day."""
    days = hours // DAY + 2
    steps = np.cumsum(rng.normal(0.0, 0.05, (days, terms)), axis=0)
    at = np.arange(hours) / DAY
    low = at.astype(np.int64)
    part = (at - low)[:, None]
    return np.asarray(np.exp((1 - part) * steps[low] + part * steps[low + 1]), np.float64)


def _drawn(rng: np.random.Generator, rate: Floats, noise: Noise) -> Ints:
    if noise is Noise.HAWKES:
        return _cascades(rng, rate)
    if noise in (Noise.GAMMA, Noise.ZEROS):
        rate = rate * rng.gamma(DISPERSION, 1 / DISPERSION, rate.shape)
    if noise is Noise.ZEROS:
        rate = rate * (rng.random(rate.shape) >= SILENT) / (1 - SILENT)
    return np.asarray(rng.poisson(rate), np.int64)


def _cascades(rng: np.random.Generator, rate: Floats) -> Ints:
    """Posts that come by themselves and the answers that they beget, which beget answers in turn."""
    hours, terms = rate.shape
    heirs: Floats = np.asarray(rng.uniform(0.2, 0.5, terms), np.float64)
    born: Ints = np.asarray(rng.poisson(rate * (1 - heirs)), np.int64)
    found = born.copy()
    hour, term = np.nonzero(born)
    number = born[hour, term]
    at = np.repeat(hour + 0.0, number) + rng.random(int(number.sum()))
    of = np.repeat(term, number)
    while len(at):
        children = rng.poisson(heirs[of])
        at, of = np.repeat(at, children), np.repeat(of, children)
        at = at + rng.exponential(REPLY_HOURS, len(at))
        inside = at < hours
        at, of = at[inside], of[inside]
        np.add.at(found, (at.astype(np.int64), of), 1)
    return np.asarray(found, np.int64)
