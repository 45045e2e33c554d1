"""Suspicious reviews: copies, bursts and reviewers that only praise or only damn, each with its reason."""

from __future__ import annotations

import enum
from typing import ClassVar

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange, UnknownName
from crmcore.listening.cleaning.evidence import WeighedSignals
from crmcore.metrics.columns import numbers
from crmcore.metrics.multiplicity import adjust
from crmcore.tables import MentionTable
from crmcore.text.duplicates import DuplicateFinder

__all__ = ["ReviewSignal", "ReviewWeights", "SuspiciousReviews", "suspicious_reviews"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
DAY = np.timedelta64(86_400_000_000, "us")


class ReviewSignal(enum.StrEnum):
    """What makes a review suspicious."""

    COPIES = "copies"  # near-duplicates with one extreme rating by several authors
    BURST = "burst"  # many reviews of one extreme rating of one subject within a day
    EXTREME = "extreme"  # its author gives only extreme ratings, often
    TOGETHER = "together"  # its author rates the same subjects as another, alike and on the same days
    NEWCOMER = "newcomer"  # the only review of its author, inside a burst


@attrs.frozen(kw_only=True)
class ReviewWeights(Document):
    """What each signal adds, and from what on it speaks; from a sum of 1 a review is suspicious.

    Parameters
    ----------
    copies, copies_from : weight, count
        Of near-duplicates.
    burst, burst_from, false_share : weight, count, share
        Of reviews within a day; days are tested against the subject's own rate on its other days, and this share of
        the bursts found may be false (Benjamini and Hochberg).
    extreme, extreme_from : weight, count
        Reviews of one author.
    together, together_from : weight, count
        Subjects that two authors share.
    newcomer : weight
    least_words : count
        Shorter reviews are never taken for copies.
    """

    copies: float = 1.0
    copies_from: int = 3
    burst: float = 0.6
    burst_from: int = 5
    false_share: float = 0.01
    extreme: float = 0.4
    extreme_from: int = 5
    together: float = 0.7
    together_from: int = 3
    newcomer: float = 0.4
    least_words: int = 4


@attrs.frozen(kw_only=True, eq=False, repr=False)
class SuspiciousReviews(WeighedSignals):
    """Signals of n reviews, in the order of `ReviewSignal`; see `WeighedSignals`."""

    signals: ClassVar[type[enum.StrEnum]] = ReviewSignal
    row: ClassVar[str] = "review"
    flag: ClassVar[str] = "suspicious"

    @property
    def suspicious(self) -> Bools:
        """(n,) whether the signals are enough."""
        return self.flagged


def suspicious_reviews(
    reviews: MentionTable, /, *, rating: ArrayLike | str = "rating", subject: str | None = None,
    lowest: float = 1.0, highest: float = 5.0, weights: ReviewWeights | None = None,
) -> SuspiciousReviews:  # fmt: skip
    """Flag reviews that friends, enemies or machines may have written.

    Parameters
    ----------
    reviews : MentionTable
        Authors and times count where they are known.
    rating : (n,) numbers, or the attribute that holds them
        NaN = no rating.
    subject : name of an attribute, optional
        What is reviewed, such as "product"; None: all reviews are of one subject.
    lowest, highest : numbers
        The extreme ratings.
    weights : ReviewWeights, optional
        Other weights than those to begin with.

    Notes
    -----
    A burst is a day of a subject on which one extreme rating came so often as a Poisson count at the mean rate of the
    other days of that subject hardly would, among all days and subjects at `false_share`. A flag is a reason to look,
    never a proof. Authors come together by subject, rating and UTC day; a day with more than 50 such reviews of a
    subject says nothing about two of them.

    Examples
    --------
    >>> praise = "Best blender that I ever bought, works great"
    >>> rows = [{"text": praise, "author": f"@r{i}", "rating": 5} for i in range(4)]
    >>> rows += [{"text": "Broke after two days, no answer from the shop", "author": "@x", "rating": 1}]
    >>> found = suspicious_reviews(MentionTable.from_frame(rows))
    >>> found.suspicious.tolist(), [str(s) for s, _ in found.why(0)]
    ([True, True, True, True, False], ['copies'])
    """
    chosen = weights or ReviewWeights()
    if isinstance(rating, str):
        if rating not in reviews.attributes:
            raise UnknownName("attribute", rating, tuple(reviews.attributes))
        rating = [np.nan if v is None else float(v) for v in reviews.attributes[rating].to_list()]
    stars = numbers("rating", rating)
    n = len(reviews)
    if len(stars) != n:
        raise OutOfRange("len(rating)", len(stars), f"{n}, as reviews", "one rating a review, NaN for none")
    if not n:
        raise EmptyInput("reviews", "pass some")
    if not lowest < highest:
        raise OutOfRange("lowest", lowest, f"below highest, {highest}", "lowest=1, highest=5")
    if subject is not None and subject not in reviews.attributes:
        raise UnknownName("attribute", subject, tuple(reviews.attributes))
    of = np.zeros(n, np.int64) if subject is None else reviews.attributes[subject].codes.astype(np.int64)
    extreme = (stars <= lowest) | (stars >= highest)
    author = np.where(reviews.author.codes >= 0, reviews.author.codes, -1 - np.arange(n)).astype(np.int64)
    duplicates = DuplicateFinder(least_words=chosen.least_words).find(reviews.text.to_list())
    burst = _bursts(of, stars, extreme, reviews.time, chosen)
    _, place, written = np.unique(author, return_inverse=True, return_counts=True)
    often = written[place]
    always = np.bincount(place, ~extreme)[place] == 0
    named = reviews.author.codes >= 0
    weight = np.stack(
        [
            chosen.copies * _copies(duplicates.first, stars, extreme, author, chosen.copies_from),
            chosen.burst * burst,
            chosen.extreme * (named & always & (often >= chosen.extreme_from)),
            chosen.together * _together(author, named, of, stars, extreme, reviews.time, chosen.together_from),
            chosen.newcomer * (burst & named & (often == 1)),
        ],
        axis=1,
    )
    return SuspiciousReviews(weight=np.asarray(weight, np.float64), duplicates=duplicates)


def _copies(first: Ints, stars: Floats, extreme: Bools, author: Ints, least: int) -> Bools:
    """(n,) whether so many authors gave this text with this extreme rating."""
    found = np.zeros(len(first), bool)
    rows = np.flatnonzero(extreme)
    if len(rows):
        _, group = np.unique(np.stack([first[rows], stars[rows]]), axis=1, return_inverse=True)
        pair = np.unique(np.stack([group.ravel(), author[rows]]), axis=1)
        found[rows] = np.bincount(pair[0])[group.ravel()] >= least
    return found


def _bursts(of: Ints, stars: Floats, extreme: Bools, time: NDArray[np.datetime64], weights: ReviewWeights) -> Bools:
    """(n,) whether a review came on a day with many of its extreme rating."""
    from scipy.special import pdtrc

    found = np.zeros(len(of), bool)
    rows = np.flatnonzero(extreme & ~np.isnat(time) & (of >= 0))
    if not len(rows):
        return found
    day = (time[rows] - time[rows].min()) // DAY
    cells, at, count = np.unique(
        np.stack([of[rows], stars[rows], day]), axis=1, return_inverse=True, return_counts=True
    )
    groups, group = np.unique(cells[:2], axis=1, return_inverse=True)
    group = group.ravel()
    every = np.flatnonzero(~np.isnat(time) & (of >= 0))
    days = ((time[every] - time[rows].min()) // DAY).astype(np.int64)
    low, high = np.full(int(of.max()) + 1, days.max()), np.full(int(of.max()) + 1, days.min())
    np.minimum.at(low, of[every], days)
    np.maximum.at(high, of[every], days)
    span = np.maximum(high - low + 1, 1)[groups[0].astype(np.int64)]  # days a subject was reviewed, by group
    rest = np.bincount(group, count)[group] - count
    tail = pdtrc(count - 1, (rest + 0.5) / np.maximum(span[group] - 1, 1))
    silent = min(max(int(span.sum()) - len(tail), 0), 1_000_000)  # days without any were looked at as well
    q = adjust(np.concatenate([tail, np.ones(silent)]), method="benjamini-hochberg")[: len(tail)]
    hot = (count >= weights.burst_from) & (q <= weights.false_share)
    found[rows] = hot[at.ravel()]
    return found


def _together(
    author: Ints, named: Bools, of: Ints, stars: Floats, extreme: Bools, time: NDArray[np.datetime64], least: int
) -> Bools:
    """(n,) whether the author of an extreme review rates so many subjects like one other author within a day."""
    from scipy.sparse import csr_array

    found = np.zeros(len(author), bool)
    rows = np.flatnonzero(named & extreme & (of >= 0) & ~np.isnat(time))
    if len(np.unique(of[rows])) < least:
        return found
    day = (time[rows] - time[rows].min()) // DAY
    who, inverse = np.unique(author[rows], return_inverse=True)
    cells = np.stack([of[rows], stars[rows], day.astype(np.int64)])
    _, cell, size = np.unique(cells, axis=1, return_inverse=True, return_counts=True)
    small = size[cell.ravel()] <= 50  # a day of hundreds of reviews says nothing about two of them
    at = np.unique(np.stack([inverse[small], cell.ravel()[small]]), axis=1)
    grid = csr_array((np.ones(at.shape[1], np.int32), (at[0], at[1])), shape=(len(who), len(size)))
    shared = (grid @ grid.T).tocsr()
    shared.setdiag(0)
    close = np.asarray(shared.max(axis=1).todense()).ravel() >= least
    found[rows] = close[inverse]
    return found
