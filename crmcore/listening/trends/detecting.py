"""Which terms are used more than usual, since when, and how sure that is."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import Progress, between, reporter
from crmcore.documents import Document
from crmcore.errors import ConflictingConstraints, OutOfRange
from crmcore.listening.trends.alarms import Alarms, Raised
from crmcore.listening.trends.stepping import Hour, Memory
from crmcore.metrics.multiplicity import adjust

if TYPE_CHECKING:
    from crmcore.listening.trends.counting import HourlyCounts
    from crmcore.listening.trends.results import Trends

__all__ = ["TrendDetector", "TrendWatch"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

TERM_WEEKS = 1000.0


@attrs.frozen(kw_only=True)
class TrendDetector(Document):
    """Recipe that finds bursts of terms in hourly counts.

    What a term should bring in an hour is its level x the rhythm of the week x what all terms share in that hour; a
    count is judged by its negative-binomial tail over 1, 3, 6 and 24 hours, and the tails are checked against what the
    quiet part of the data really did.

    Parameters
    ----------
    false_alarms : number
        Alarms by chance to put up with, per 1,000 terms a week.
    false_share : share, optional
        In place of `false_alarms`: expected share of false ones among the alarms of a day (Benjamini-Hochberg over the
        terms). In a week without any trend, up to 7 times this share of alarms are still to be expected.
    least_posts : count
        Fewer posts are no trend, however rare.
    level : share
        Coverage of the intervals of lifts.

    Examples
    --------
    >>> from crmcore.listening.trends import HourlyCounts
    >>> usual = np.random.default_rng(1).poisson(4.0, (336, 20))
    >>> usual[300:306, 7] += 30
    >>> counts = HourlyCounts.of(usual, terms=[f"word {i}" for i in range(20)], start="2026-03-02T00:00Z")
    >>> found = TrendDetector().detect(counts)
    >>> [(t.term, t.alarm_at.isoformat()) for t in found]
    [('word 7', '2026-03-14T13:00:00+00:00')]
    """

    false_alarms: float = attrs.field(
        default=10.0, validator=between(1e-6, 5000, hint="alarms by chance per 1,000 terms a week, such as 1 or 10")
    )
    false_share: float | None = attrs.field(
        default=None, validator=attrs.validators.optional(between(1e-6, 0.5, hint="such as 0.05"))
    )
    least_posts: int = attrs.field(default=5, validator=between(1, 1e9, hint="a count of posts"))
    level: float = attrs.field(default=0.95, validator=between(1e-6, 1 - 1e-6, hint="write 95 % as level=0.95"))

    def fit(self, counts: HourlyCounts, /, *, progress: Progress | bool = False) -> TrendWatch:
        """Learn what is usual; bursts among the counts are cut down, so that they do not become it."""
        return self.start(zone=counts.zone).update(counts, progress=progress)[0]

    def detect(self, counts: HourlyCounts, /, *, progress: Progress | bool = False) -> Trends:
        """Find bursts in counts, each hour judged by those before it."""
        return self.start(zone=counts.zone).update(counts, progress=progress)[1]

    def start(self, *, zone: str = "UTC") -> TrendWatch:
        """Begin to watch with nothing read."""
        return TrendWatch(
            detector=self, zone=zone, terms=(), alone=np.zeros(0, bool), next_hour=None, memory=Memory.new(),
            alarms=Alarms.new(),
        )  # fmt: skip

    @property
    def rule(self) -> str:
        """What raises an alarm, in words."""
        if self.false_share is not None:
            return f"at most {100 * self.false_share:g} % of the alarms of a day false"
        return f"at most {self.false_alarms:g} false alarms per 1,000 terms a week"

    def expected_false(self, terms: int, hours: int, /) -> float:
        """Alarms by chance to expect among so many terms in so many hours; NaN under `false_share`."""
        if self.false_share is not None:
            return float("nan")
        return self.false_alarms * terms / TERM_WEEKS * hours / 168


@attrs.frozen
class _Forgetting:
    posts_a_week: float = attrs.field(validator=between(0, 1e9, hint="posts of a term in a week"))


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TrendWatch(Document):
    """All that must be kept to go on watching: a value, saved as JSON.

    `update` returns a new watch; reading hours one by one, or all at once, comes to the same.

    Parameters
    ----------
    detector : TrendDetector
    zone : name
    terms : n names
    alone : (n,) truths
    next_hour : hours since 1970, optional
        The first that was not read yet.
    memory, alarms
        Sums of the past and alarms that are open.
    """

    detector: TrendDetector
    zone: str
    terms: tuple[str, ...]
    alone: NDArray[np.bool_]
    next_hour: int | None
    memory: Memory
    alarms: Alarms

    def __repr__(self) -> str:
        return f"TrendWatch({len(self.terms)} terms, {self.memory.hours} hours read, {self.detector.rule})"

    def update(self, counts: HourlyCounts, /, *, progress: Progress | bool = False) -> tuple[TrendWatch, Trends]:
        """Read the next hours.

        Parameters
        ----------
        counts
            Hours between what was read and the first of these count as not watched. Terms that are new join; those
            that are not listed had no posts where `counts.unlisted_are_zero`, and are an error where not.

        Returns
        -------
        watch, trends
            The watch afterwards; and the alarms that were open before or raised now. One that is still going on comes
            again at the next call, with the same `term` and `alarm_at`.

        Raises
        ------
        OutOfRange
            The counts begin before the next hour.
        ConflictingConstraints
            Counts of another zone, or without a term that is watched.
        """
        from crmcore.listening.trends.results import trends_of

        self._check(counts)
        tell = reporter(progress)
        column, terms, alone = self._columns(counts)
        memory, alarms = copy.deepcopy(self.memory), copy.deepcopy(self.alarms)
        new = len(terms) - len(self.terms)
        if new:
            memory.grow(new, seen=counts.unlisted_are_zero and self.memory.hours > 0)
            alarms.grow(new)
        hours = counts.hours_of_week().tolist()
        first, found = counts.first_hour, list[Raised]()
        for at in range(first if self.next_hour is None else self.next_hour, first):
            memory.skip(at)
        x = np.zeros(len(terms))
        for i, (hour, watched) in enumerate(zip(hours, counts.watched.tolist(), strict=True)):
            if i % 24 == 0:
                tell("hours", i, len(hours))
            if not watched:
                memory.skip(first + i)
                continue
            x = np.zeros(len(terms))
            x[column] = counts.hour(i)
            seen = memory.step(first + i, hour, x, alone=alone, least_posts=self.detector.least_posts)
            hit, a_day = self._alarmed(memory, seen)
            found += alarms.take(first + i, hit, seen, a_day)
        tell("hours", len(hours), len(hours))
        watch = TrendWatch(
            detector=self.detector, zone=self.zone, terms=terms, alone=alone, next_hour=first + len(hours),
            memory=memory, alarms=alarms,
        )  # fmt: skip
        return watch, trends_of([*found, *alarms.open()], terms, self.detector, hours=len(hours))

    def forget(self, *, posts_a_week: float = 1.0) -> TrendWatch:
        """Drop terms that are hardly used any more, so that the memory of a stream stays bounded.

        A term that comes back is treated as one that nobody used so far.

        Parameters
        ----------
        posts_a_week : count
            Terms of a lower level are dropped, unless an alarm is open or they stand alone.
        """
        least = _Forgetting(posts_a_week).posts_a_week
        levels = self.memory.levels
        level = 168 * levels.posts / np.maximum(levels.hours, 1e-9)
        kept = (level >= least) | self.alone | (self.alarms.alarm_at >= 0)
        memory, alarms = copy.deepcopy(self.memory), copy.deepcopy(self.alarms)
        memory.keep(kept)
        alarms.keep(kept)
        terms = tuple(term for term, stays in zip(self.terms, kept.tolist(), strict=True) if stays)
        return attrs.evolve(self, terms=terms, alone=self.alone[kept], memory=memory, alarms=alarms)

    def _alarmed(self, memory: Memory, seen: Hour) -> tuple[Bools, Floats]:
        a_day = memory.caution * memory.tails.a_day(seen.score)
        if memory.young:
            return np.zeros(len(a_day), bool), a_day
        if self.detector.false_share is None:
            return np.asarray(7 * TERM_WEEKS * a_day <= self.detector.false_alarms), a_day
        chance = np.where(np.isnan(a_day), 1.0, -np.expm1(-np.nan_to_num(a_day)))
        return adjust(chance, method="benjamini-hochberg") <= self.detector.false_share, a_day

    def _check(self, counts: HourlyCounts) -> None:
        if counts.zone != self.zone:
            hint = "count in the zone of the watch: its rhythm runs on that wall clock"
            raise ConflictingConstraints("zones", (self.zone, counts.zone), hint)
        if self.next_hour is not None and counts.first_hour < self.next_hour:
            begin, end = (str(hour_at(h)) for h in (counts.first_hour, self.next_hour))
            hint = "hours are read once: leave out those that were, or start again with detector.detect(all)"
            raise OutOfRange("start of counts", begin, f"{end} or later", hint)
        if not counts.unlisted_are_zero:
            missing = sorted(set(self.terms) - set(counts.terms))
            if missing:
                hint = "give them a column of zeros, or count from texts"
                raise ConflictingConstraints("watched terms without counts", tuple(missing[:5]), hint)

    def _columns(self, counts: HourlyCounts) -> tuple[NDArray[np.int64], tuple[str, ...], Bools]:
        """Place of each column among the terms of the watch, which grow, and which stand alone."""
        place = {term: i for i, term in enumerate(self.terms)}
        for term in counts.terms:
            place.setdefault(term, len(place))
        alone = np.append(self.alone, np.zeros(len(place) - len(self.terms), bool))
        for term in counts.alone:
            alone[place[term]] = True
        return np.array([place[t] for t in counts.terms], np.int64), tuple(place), alone


def hour_at(hours: int, /) -> datetime:
    """Aware datetime of an hour since 1970."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
