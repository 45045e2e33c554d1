"""What a score is worth: false alarms that scores like it would raise, learned from the quiet part of what was read."""

from __future__ import annotations

from functools import cache

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.documents import Document

__all__ = ["FLOOR", "GAP_HOURS", "Tails", "truncated_slope"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

FLOOR = 2.2  # scores above it belong to a cluster
GAP_HOURS = 24  # quiet hours that end a cluster, and an alarm
REACH = 2.0  # heights above the floor from which the slope is learned; most bursts lie beyond
BEYOND = 2.5  # heights from here to BEYOND + REACH are bursts, nearly all: as many lie hidden among the lower ones
NOMINAL = float(np.log(10))  # slope of a score that is what it says: minus log10 of a tail
FIRST_PER_DAY, FIRST_CLUSTERS = 0.06, 20.0  # before anything was read
SLOPES_DIFFER = 0.12  # relative standard deviation of the slopes of alike terms
OWN_CLUSTERS = 15.0  # weight of the pool in the law of a term
BAND_CLUSTERS = 40.0  # weight of all in the law of a band
BANDS = (1.0, 10.0, 100.0)  # posts a day that part the bands
KEPT_DAYS = 28.0  # half-life


@cache
def _slopes() -> tuple[Floats, Floats]:
    slope = np.geomspace(0.2, 20.0, 400)
    return slope, 1 / slope - REACH / np.expm1(slope * REACH)


def truncated_slope(mean: Floats, /) -> Floats:
    """Slope of an exponential law of which only heights below `REACH` are seen, from their mean.

    The mean of the law cut at T is 1/b - T / (exp(b T) - 1); what lies beyond T, where bursts are, has no say.

    Examples
    --------
    >>> truncated_slope(np.array([0.43])).round(1)
    array([2.2])
    """
    slope, means = _slopes()
    return np.asarray(np.interp(-np.asarray(mean), -means, slope), np.float64)


@attrs.define(eq=False)
class Tails(Document):
    """Clusters of high scores by term.

    Attributes
    ----------
    clusters, height, days : (n,)
        Faded counts of clusters that end within reach, sums of their heights above the floor, and days watched.
    bursts : (n,)
        Faded counts of clusters that reach beyond.
    top : (n,)
        Highest score of the cluster that is open, 0 where none is.
    quiet : (n,) hours
        Since a score was last above the floor.
    band : (n,) codes
        Of terms with alike numbers of posts.
    per_day, slope : (n,)
        Clusters a day, and how steeply their number falls with the height; set at the end of each day.
    """

    clusters: NDArray[np.float64]
    height: NDArray[np.float64]
    days: NDArray[np.float64]
    bursts: NDArray[np.float64]
    top: NDArray[np.float64]
    quiet: NDArray[np.int64]
    band: NDArray[np.int64]
    per_day: NDArray[np.float64]
    slope: NDArray[np.float64]

    @classmethod
    def new(cls) -> Tails:
        """Nothing read, no terms."""
        none, whole = np.zeros(0), np.zeros(0, np.int64)
        return cls(none, none, none, none, none, whole, whole, none, none)

    def keep(self, terms: Bools, /) -> None:
        """Drop all other terms; the law of each that stays is settled anew at the end of the day."""
        for field in attrs.fields(Tails):
            setattr(self, field.name, getattr(self, field.name)[terms])

    def grow(self, n: int, /) -> None:
        """Add n terms, which follow the law of all."""
        for name in ("clusters", "height", "days", "bursts", "top"):
            setattr(self, name, np.append(getattr(self, name), np.zeros(n)))
        self.quiet = np.append(self.quiet, np.zeros(n, np.int64))
        self.band = np.append(self.band, np.zeros(n, np.int64))
        self.settle(self.band)

    def learn(self, scores: Floats, /) -> None:
        """Take the scores of one hour in."""
        high = scores > FLOOR
        self.top = np.where(high, np.maximum(self.top, scores), self.top)
        self.quiet = np.where(high, 0, self.quiet + 1)
        ended = (self.top > 0) & (self.quiet >= GAP_HOURS)
        tall = self.top - FLOOR
        counted = ended & (tall < REACH)
        self.clusters = self.clusters + counted
        self.height = self.height + np.where(counted, tall, 0.0)
        self.bursts = self.bursts + (ended & (tall >= BEYOND) & (tall < BEYOND + REACH))
        self.top = np.where(ended, 0.0, self.top)

    def close_day(self, posts_a_day: Floats, /) -> None:
        """Fade, count the day, and settle the law of each term."""
        kept = 0.5 ** (1 / KEPT_DAYS)
        self.clusters, self.height, self.days = kept * self.clusters, kept * self.height, kept * self.days + 1
        self.bursts = kept * self.bursts
        self.settle(np.searchsorted(np.array(BANDS), posts_a_day).astype(np.int64))

    def settle(self, band: Ints, /) -> None:
        """Law of each term: its own clusters, with those of its band and of all as a prior."""
        self.band = band
        first_mean = 1 / NOMINAL - REACH / np.expm1(NOMINAL * REACH)
        k = FIRST_CLUSTERS + float(self.clusters.sum())
        mean = (FIRST_CLUSTERS * first_mean + float(self.height.sum())) / k
        raw, (mean, share) = mean, self._without_bursts(mean, k)
        often = k * share / (FIRST_CLUSTERS / FIRST_PER_DAY + float(self.days.sum()))
        size = len(BANDS) + 1
        of_band = [np.bincount(band, sums, size) for sums in (self.clusters, self.height, self.days)]
        ratio = mean / max(raw, 1e-9)
        band_mean = (BAND_CLUSTERS * mean + ratio * of_band[1]) / (BAND_CLUSTERS + of_band[0])
        band_often = (BAND_CLUSTERS + share * of_band[0]) / (BAND_CLUSTERS / often + of_band[2])
        own_mean = (OWN_CLUSTERS * band_mean[band] + ratio * self.height) / (OWN_CLUSTERS + self.clusters)
        own_often = (OWN_CLUSTERS + share * self.clusters) / (OWN_CLUSTERS / band_often[band] + self.days)
        self.slope = truncated_slope(own_mean)
        self.per_day = own_often / -np.expm1(-self.slope * REACH)

    def _without_bursts(self, mean: float, k: float, /) -> tuple[float, float]:
        """Mean height of chance clusters, and their share: bursts are taken for spread evenly over the heights."""
        far, clean, share = float(self.bursts.sum()), mean, 1.0
        for _ in range(2):
            slope = float(truncated_slope(np.array(clean)))
            chance = k * share * float(np.exp(-slope * BEYOND))  # clusters that luck alone lifts beyond
            hidden = min(max(far - chance, 0.0), 0.5 * k)
            share = 1 - hidden / k
            clean = min(max((mean * k - hidden * REACH / 2) / (k - hidden), 0.05), mean)
        return clean, share

    def a_day(self, scores: Floats, /) -> Floats:
        """(n,) clusters a day that chance alone lifts to such scores; NaN at or below the floor.

        The slope of a term is not known but by its like: with slopes that vary by a share c around theirs (a gamma
        law), ``exp(-slope h)`` becomes ``(1 + c^2 slope h) ^ (-1 / c^2)``, which falls a little slower.
        """
        part = SLOPES_DIFFER**2
        falling = np.log1p(part * self.slope * np.maximum(scores - FLOOR, 0.0)) / part
        return np.where(scores > FLOOR, self.per_day * np.exp(-falling), np.nan)
