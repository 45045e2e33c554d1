"""One hour of counts through all that a watch knows: expect, score, decide, learn."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.documents import Document
from crmcore.listening.trends.levels import DAY, WEEK, YOUNG_HOURS, Levels, Usual, common_factor
from crmcore.listening.trends.spreads import WINDOWS, Spreads, window_scores
from crmcore.listening.trends.tails import Tails

__all__ = ["Hour", "Memory"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

UNUSUAL = 5.0  # scores above it teach little: a burst must not become the usual
PATIENCE_HOURS = 48  # after which the unusual is the new usual
DISTRUST = 0.1  # weight of an unusual hour
HANDICAP = 0.5 * np.log10(DAY / np.array(WINDOWS))[:, None]
"""Short windows are looked at more often: 24 hours of one against one of 24. A full log10(24 / hours) would let each
raise as many alarms by chance as any other; half of it keeps the first hour quick."""
YOUNG_SPREAD = 1.0  # before the rhythm is known a rush hour looks like a burst: cut only what is four times the usual
EARLY_CAUTION = 4.0  # of the first week: spreads and rhythms of single terms are hardly known
CUT = 3.0  # standard deviations beyond which a count teaches no more


@attrs.frozen(eq=False)
class Hour:
    """What one hour showed: the most unusual window of each term."""

    score: Floats  # (n,) -log10 of the tail of the most unusual window, less its handicap
    window: Ints  # (n,) hours of that window
    posts: Floats  # (n,) in the window
    expected: Floats  # (n,) in the window
    beyond: Floats  # (n,) relative variance beyond Poisson


@attrs.define(eq=False)
class Memory(Document):
    """All that is kept between two hours, for n terms.

    Attributes
    ----------
    levels, spreads, tails
    posts, mean : (24, n)
        The last 24 hours, by hour since 1970 modulo 24.
    unusual : (n,) hours
        For how long a term has been unusual.
    hours : count
        Read so far.
    """

    levels: Levels
    spreads: Spreads
    tails: Tails
    posts: NDArray[np.float64]
    mean: NDArray[np.float64]
    unusual: NDArray[np.int64]
    hours: int

    @classmethod
    def new(cls) -> Memory:
        """Nothing read, no terms."""
        none = np.zeros((DAY, 0))
        return cls(Levels.new(), Spreads.new(), Tails.new(), none, none, np.zeros(0, np.int64), 0)

    def grow(self, n: int, /, *, seen: bool) -> None:
        """Add n terms."""
        self.levels.grow(n, seen=seen)
        self.spreads.grow(n)
        self.tails.grow(n)
        none = np.zeros((DAY, n))
        self.posts = np.concatenate([self.posts, none], axis=1)
        self.mean = np.concatenate([self.mean, none], axis=1)
        self.unusual = np.append(self.unusual, np.zeros(n, np.int64))

    def keep(self, terms: Bools, /) -> None:
        """Drop all other terms."""
        self.levels.keep(terms)
        self.spreads.keep(terms)
        self.tails.keep(terms)
        self.posts, self.mean, self.unusual = self.posts[:, terms], self.mean[:, terms], self.unusual[terms]

    @property
    def young(self) -> bool:
        """Whether too little was read to raise an alarm."""
        return self.hours < YOUNG_HOURS

    @property
    def caution(self) -> float:
        """How many times the alarms that chance is believed to raise are counted: more while little is known of it."""
        return EARLY_CAUTION if self.hours < WEEK else 1.0

    def skip(self, at: int, /) -> None:
        """Pass an hour in which nothing was collected."""
        self.posts[at % DAY] = self.mean[at % DAY] = 0.0

    def step(self, at: int, hour: int, x: Floats, /, *, alone: Bools, least_posts: float) -> Hour:
        """Read one hour.

        Parameters
        ----------
        at : hours since 1970
        hour : hour of the week
            On the wall clock, from Monday.
        x : (n,) counts
        alone : (n,) truths
            Terms that take no part in what all share.
        least_posts : count
            Windows with fewer score 0.
        """
        usual = self.levels.usual(hour, x)
        own = self.spreads.own()
        beyond = self.spreads.beyond(0, usual.posts, own[0])
        common, here, mean = self._now(usual.posts, beyond, x, alone)
        self.posts[at % DAY], self.mean[at % DAY] = x, mean
        sums, means, wide = self._windows(at, own)
        doubt = self.levels.doubt(hour, WINDOWS)
        unsure = wide + doubt
        high = (sums >= least_posts) & (sums > means + np.sqrt(means + unsure * means**2))
        tails = window_scores(np.where(high, sums, 0.0), means, unsure)  # what lies lower is never an alarm
        scores = np.maximum(tails - HANDICAP, 0.0)
        best = scores.argmax(axis=0)
        pick = (best, np.arange(len(best)))
        found = Hour(scores[pick], np.array(WINDOWS)[best], sums[pick], means[pick], unsure[pick])
        self._learn(at, hour, x, found, usual, common, here, sums, means, wide, doubt)
        return found

    def _now(self, usual: Floats, beyond: Floats, x: Floats, alone: Bools) -> tuple[Floats, Floats, Floats]:
        """Common factor, chance of being collected, and expected posts of each term."""
        here = 1 - self.spreads.gone(usual, beyond, x)
        information = np.where(alone, 0.0, here / (1 + usual * beyond))
        common = np.where(alone, 1.0, common_factor(usual, x, information, beyond))
        mean = usual * common
        gone = self.spreads.gone(mean, beyond, x)
        if not self.young:
            self.spreads.learn_empty(mean, beyond, gone)
        return common, 1 - gone, mean * (1 - gone)

    def _windows(self, at: int, own: Floats) -> tuple[Floats, Floats, Floats]:
        """Posts, expected posts and spread of each window, (4, n) each.

        A window of few lived hours strays as those hours do: its spread is at least that of independent hours.
        """
        back = (at - np.arange(DAY)) % DAY
        posts, mean = self.posts[back], self.mean[back]
        cuts = [0, *WINDOWS[:-1]]
        sums, means, squares = (np.add.reduceat(t, cuts, axis=0).cumsum(axis=0) for t in (posts, mean, mean**2))
        wide = np.empty_like(means)
        a, b = self.spreads.pool[0]
        for k in range(len(WINDOWS)):
            alone = own[0] * (a / np.maximum(means[k], 1e-9) + b * squares[k] / np.maximum(means[k], 1e-9) ** 2)
            wide[k] = np.maximum(self.spreads.beyond(k, means[k], own[k]), alone)
        return sums, means, wide

    def _learn(
        self, at: int, hour: int, x: Floats, found: Hour, usual: Usual, common: Floats, here: Floats,
        sums: Floats, means: Floats, wide: Floats, doubt: Floats,
    ) -> None:  # fmt: skip
        strange = (found.score > UNUSUAL) & (not self.young)
        self.unusual = np.where(strange, self.unusual + 1, 0)
        weight = np.where(strange & (self.unusual < PATIENCE_HOURS), DISTRUST, 1.0)
        mean, beyond = means[0], wide[0]
        whole = usual.posts * common
        loose = beyond + (YOUNG_SPREAD if self.young else 0.0)
        cut = np.minimum(x, mean + CUT * np.sqrt(mean + loose * mean**2) + 0.5)
        if not self.young:
            for k, length in enumerate(WINDOWS):
                if (at + 1) % length == 0:
                    self.spreads.learn(k, posts=sums[k], mean=means[k], beyond=wide[k], doubt=doubt[k], weight=weight)
            self.tails.learn(found.score)
        if (at + 1) % DAY == 0:
            self._close_day(found, sums[-1], means[-1], wide[-1], beyond)
        self.levels.learn(
            hour, usual=usual, posts=cut, weight=weight, noise=1 / (1 + whole * beyond), here=here, common=common,
            age=self.hours,
        )  # fmt: skip
        self.hours += 1

    def _close_day(self, found: Hour, posts: Floats, mean: Floats, wide: Floats, beyond: Floats) -> None:
        variance = mean + wide * mean**2 + 1e-12
        error = np.where(found.score > UNUSUAL, 0.0, np.clip((posts - mean) / np.sqrt(variance), -2.5, 2.5))
        weight = np.where(mean > 1e-6, mean**2 / variance, 0.0)
        self.levels.close_day(error, weight, beyond, judge=self.hours >= YOUNG_HOURS + DAY)
        if not self.young:
            self.tails.close_day(DAY * self.levels.posts / np.maximum(self.levels.hours, 1e-9))
