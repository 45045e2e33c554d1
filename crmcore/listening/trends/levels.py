"""How many posts of each term an hour should bring: level x rhythm of all x rhythm of its own x what all share now."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.documents import Document

__all__ = ["DAY", "WEEK", "YOUNG_HOURS", "Levels", "Usual", "common_factor"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

DAY, WEEK = 24, 168
SHAPE = 0.5  # posts that the level of a term is worth before any was read: new terms lean on the pool
SHOCK = 25.0  # weight of "nothing special" in the common factor: it moves by about 20 % without evidence
CLOCK_HOURS = 20.0  # posts before an hour of the day departs from the mean of all
PROFILE_POSTS = 200.0  # posts before an hour of the week departs from the same hour of all days
OWN_POSTS = 20.0  # posts before a term has an hour of the day of its own; five times as many for a weekday
OWN_VISITS = 2.0  # and visits of that hour or weekday: one odd day makes no rhythm
HOURS_DIFFER, WEEKDAYS_DIFFER = 0.05, 0.03  # relative variance between the rhythms of terms: 22 and 17 %
KEPT_CLOCK, KEPT_PROFILE, KEPT_DAY, KEPT_WEEKDAY = 0.95, 0.8, 0.97, 0.995  # a visit later
MEMORY = (0.5, 30.0)  # days
YOUNG_HOURS = 72
DRIFT = (0.005, 0.15)  # relative standard deviation of a level's change in a day
BY_TERM = ("day_posts", "day_hours", "weekday_posts", "weekday_hours", "surprise", "surprise_weight")
WHITE = 50.0  # evidence before the drift is believed to be another than 5 %


@attrs.frozen(eq=False)
class Usual:
    """What is expected of n terms in one hour."""

    level: Floats  # (n,) posts in an hour of factor 1
    shape: Floats  # (n,) factor of this hour of the week for each term
    own: Floats  # (n,) the part of `shape` that is the term's own

    @property
    def posts(self) -> Floats:
        """(n,) posts before the common factor."""
        return np.maximum(self.level * self.shape, 1e-9)


@attrs.define(eq=False)
class Levels(Document):
    """Sums from which levels and rhythms follow; all fade, so that what is old weighs less.

    Attributes
    ----------
    posts, hours : (n,)
        Faded posts (unusual ones cut down) and hours times factors; their quotient is the level.
    memory : (n,) days
        Time constant of the fading: long where posts are few, short where the level drifts faster than it is noisy.
    worth : (n,)
        Posts of a usual hour, those of a noisy term counted as fewer.
    day_posts, day_hours : (24, n)
        Of the rhythm of a term by the hour of the day.
    weekday_posts, weekday_hours : (7, n)
    clock_posts, clock_hours : (24,)
        Of all terms by the hour of the day.
    profile_posts, profile_hours : (168,)
        Of all terms by the hour of the week, from Monday.
    log_drift : number
        Logarithm of the drift of levels in a day.
    surprise, surprise_weight : (2, n)
        Standardised errors of the last two days, and their weights.
    unseen_hours : number
        `hours` of a term that never occurred.
    """

    posts: NDArray[np.float64]
    hours: NDArray[np.float64]
    memory: NDArray[np.float64]
    worth: NDArray[np.float64]
    day_posts: NDArray[np.float64]
    day_hours: NDArray[np.float64]
    weekday_posts: NDArray[np.float64]
    weekday_hours: NDArray[np.float64]
    clock_posts: NDArray[np.float64]
    clock_hours: NDArray[np.float64]
    profile_posts: NDArray[np.float64]
    profile_hours: NDArray[np.float64]
    log_drift: float
    surprise: NDArray[np.float64]
    surprise_weight: NDArray[np.float64]
    unseen_hours: float

    @classmethod
    def new(cls) -> Levels:
        """Nothing read, no terms."""
        none, days, week = np.zeros(0), np.zeros((DAY, 0)), np.zeros((7, 0))
        return cls(
            none, none, none, none, days, days, week, week, np.zeros(DAY), np.zeros(DAY), np.zeros(WEEK),
            np.zeros(WEEK), float(np.log(0.05)), np.zeros((2, 0)), np.zeros((2, 0)), 0.0,
        )  # fmt: skip

    def pooled(self) -> float:
        """Posts an hour of the mean term."""
        hours = float(self.hours.sum())
        return max(float(self.posts.sum()) / hours, 1e-6) if hours > 0 else 0.0

    def usual(self, hour: int, first: Floats, /) -> Usual:
        """Expectation for an hour of the week; `first` holds the counts, which set the pool before any other did."""
        pooled = self.pooled() or max(float(first.mean()), 1e-3)
        level = (SHAPE + self.posts) / (SHAPE / pooled + self.hours)
        day, weekday = hour % DAY, hour // DAY
        clock = (CLOCK_HOURS + self.clock_posts) / (CLOCK_HOURS + self.clock_hours)
        week = (PROFILE_POSTS * np.tile(clock, 7) + self.profile_posts) / (PROFILE_POSTS + self.profile_hours)
        few, fewer = self._leaning()
        days = (few + self.day_posts) / (few + self.day_hours)
        weekdays = (fewer + self.weekday_posts) / (fewer + self.weekday_hours)
        # Rhythms have the mean 1: level and rhythm would else drift apart for ever, one up and one down.
        own = days[day] / days.mean(axis=0) * weekdays[weekday] / weekdays.mean(axis=0)
        profile = week[hour] / week.mean()
        return Usual(level, profile * own, own)

    def _leaning(self) -> tuple[Floats, Floats]:
        """(n,) posts by which an hour of the day, and a weekday, of a term lean on the rhythm of all."""
        return OWN_POSTS + OWN_VISITS * self.worth, 5 * OWN_POSTS + OWN_VISITS * DAY * self.worth

    def doubt(self, hour: int, windows: Sequence[int], /) -> Floats:
        """(k, n) relative variance of what is expected of each window: level and rhythm are not known for sure.

        Of a level, one over the posts behind it; of a rhythm, what terms differ by, as far as it was not learned yet.
        What is wrong with the hours of a day evens out over all 24.
        """
        few, fewer = self._leaning()
        level = 1 / (SHAPE + self.posts) + WEEKDAYS_DIFFER * fewer / (fewer + self.weekday_posts[hour // DAY])
        of_hour = HOURS_DIFFER * few / (few + self.day_posts[hour % DAY])
        part = 1 - np.array(windows) / DAY
        return np.asarray(level + part[:, None] * of_hour, np.float64)

    def learn(
        self, hour: int, /, *, usual: Usual, posts: Floats, weight: Floats, noise: Floats, here: Floats, common: Floats,
        age: int,
    ) -> None:  # fmt: skip
        """Take one hour in.

        Parameters
        ----------
        posts : (n,) counts
            Those far above the expected cut down.
        weight : (n,) shares
            Below 1 while a term bursts.
        noise : (n,) shares
            Information of a post against a Poisson one; few of many posts of a noisy term.
        here : (n,) shares
            Chance that the term was collected.
        common : (n,) factors
        age : hours
            Read so far: levels come first, then the rhythm of all, then those of each term; nothing is forgotten yet.
        """
        day, weekday = hour % DAY, hour // DAY
        lived = usual.shape * common * here
        if age >= YOUNG_HOURS:
            kept = np.exp(-1 / (DAY * self.memory))
            self.posts, self.hours = self.posts * kept, self.hours * kept
            self.unseen_hours *= float(np.exp(-1 / (DAY * MEMORY[1])))
        self.posts = self.posts + weight * posts
        self.hours = self.hours + weight * lived
        self.unseen_hours += float(np.median(lived)) if len(lived) else 0.0
        if age < DAY:
            return  # levels are those of one part of the day yet
        w = weight * noise
        all_posts, all_hours = float(w @ posts), float(w @ (usual.level * usual.own * here))
        profile = usual.level * usual.shape / usual.own * common * here
        for sums, at, kept_part, value in (
            (self.clock_posts, day, KEPT_CLOCK, all_posts), (self.clock_hours, day, KEPT_CLOCK, all_hours),
            (self.profile_posts, hour, KEPT_PROFILE, all_posts), (self.profile_hours, hour, KEPT_PROFILE, all_hours),
        ):  # fmt: skip
            sums[at] = sums[at] * kept_part + value
        if age < YOUNG_HOURS:
            return  # a burst of the first days would pass for a rhythm
        for table, at, kept_part, column in (
            (self.day_posts, day, KEPT_DAY, w * posts), (self.day_hours, day, KEPT_DAY, w * profile),
            (self.weekday_posts, weekday, KEPT_WEEKDAY, w * posts),
            (self.weekday_hours, weekday, KEPT_WEEKDAY, w * profile),
        ):  # fmt: skip
            table[at] = table[at] * kept_part + column

    def close_day(self, error: Floats, weight: Floats, spread: Floats, /, *, judge: bool) -> None:
        """Set memories anew at the end of a day.

        Errors of a level that is followed too slowly point the same way two days later; of one that is followed too
        fast, the other way: the drift moves until they do neither. A level with noise sigma a day and drift q a day is
        best followed with a memory of sigma / q days (the steady state of a Kalman filter).

        Parameters
        ----------
        error, weight : (n,) numbers
            Standardised errors of the day, bursts 0, and their information.
        spread : (n,) numbers
            Relative variance of one hour beyond Poisson.
        judge : truth
            Whether enough days passed to judge the drift.
        """
        error = np.where(self.memory <= MEMORY[0] * 1.2, 0.0, error)
        before, before_weight = self.surprise[1], self.surprise_weight[1]
        if judge:
            same = float((error * before * np.sqrt(weight * before_weight)).sum())
            size = float(np.sqrt((error**2 * weight).sum() * (before**2 * before_weight).sum())) + WHITE
            self.log_drift = float(np.clip(self.log_drift + 0.3 * same / size, np.log(DRIFT[0]), np.log(DRIFT[1])))
        self.surprise = np.stack([error, self.surprise[0]])
        self.surprise_weight = np.stack([weight, self.surprise_weight[0]])
        daily = np.maximum(DAY * (SHAPE + self.posts) / (SHAPE / (self.pooled() or 1.0) + self.hours), 1e-3)
        self.worth = daily / (DAY + daily * spread)
        self.memory = np.clip(np.sqrt(1 / daily + spread / DAY) / np.exp(self.log_drift), *MEMORY)

    def keep(self, terms: Bools, /) -> None:
        """Drop all other terms."""
        for name in ("posts", "hours", "memory", "worth", *BY_TERM):
            setattr(self, name, getattr(self, name)[..., terms])

    def grow(self, n: int, /, *, seen: bool) -> None:
        """Add n terms: ones that would have been counted had they occurred (`seen`), or ones watched from now on."""
        self.posts = np.append(self.posts, np.zeros(n))
        self.hours = np.append(self.hours, np.full(n, self.unseen_hours if seen else 0.0))
        self.memory = np.append(self.memory, np.full(n, MEMORY[1] if seen else 7.0))
        self.worth = np.append(self.worth, np.zeros(n))
        for name in BY_TERM:
            table = getattr(self, name)
            setattr(self, name, np.concatenate([table, np.zeros((len(table), n))], axis=1))


def common_factor(expected: Floats, posts: Floats, information: Floats, spread: Floats, /) -> float:
    """Factor by which all terms stand above or below their usual in one hour.

    Counts beyond two standard deviations are cut down to that, so that a burst is no common cause; with few terms
    there is little evidence and the factor stays near 1.

    Parameters
    ----------
    expected, posts : (n,) counts
    information : (n,) numbers
        Weight of a post of each term.
    spread : (n,) numbers
        Relative variance beyond Poisson.

    Examples
    --------
    >>> usual = np.full(400, 5.0)
    >>> round(common_factor(usual, 2 * usual, np.ones(400), np.full(400, 0.2)), 2)
    1.99
    """
    factor = 1.0
    for _ in range(4):
        mean = factor * expected
        most = mean + 2 * np.sqrt(mean + spread * mean**2) + 0.5
        factor = (SHOCK + float(information @ np.minimum(posts, most))) / (SHOCK + float(information @ expected))
    return factor
