"""Posts per term per hour: from posts, from a frame of counts, or from a matrix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._frames import read_frame
from crmcore.errors import BadRow, BadRows, ConflictingConstraints, EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.listening.voices.people import authors_of, flags
from crmcore.metrics.columns import instant, instants, numbers, truths
from crmcore.tables import MentionTable
from crmcore.text import TokenBatch, count_terms, tokenize
from crmcore.zones import local_columns, zone_of

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["ALL_POSTS", "HourlyCounts", "read_before", "term_posts"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

ALL_POSTS = "(all posts)"
"""Name under which the number of all posts is watched beside its terms."""

MOST_HOURS = 24 * 366 * 10


@attrs.frozen(eq=False, repr=False, kw_only=True)
class HourlyCounts:
    """How many posts, or people, had each term in each hour; hours follow each other without a gap.

    Parameters
    ----------
    terms : n names
    start : instant
        Begin of the first hour, in UTC.
    counts : (n_hours, n_terms) sparse counts
    watched : (n_hours,) truths
        False where nothing was collected: an outage is no silence.
    zone : name
        On whose wall clock the rhythm of day and week runs.
    alone : names
        Terms that take no part in what all terms share, such as the number of all posts.
    unlisted_are_zero : truth
        Whether a term that is not listed had no posts (counts made of texts), or may not have been counted.

    Examples
    --------
    >>> counts = HourlyCounts.of([[1, 0], [2, 5]], terms=["refund", "app"], start="2026-03-02T08:00Z")
    >>> counts, counts.hour(1)
    (HourlyCounts(2 terms, 2 hours from 2026-03-02T08), array([2., 5.]))
    """

    terms: tuple[str, ...]
    start: np.datetime64
    counts: csr_array
    watched: Bools
    zone: str = "UTC"
    alone: tuple[str, ...] = ()
    unlisted_are_zero: bool = False

    def __attrs_post_init__(self) -> None:
        zone_of(self.zone)
        again = sorted(term for term, n in Counter(self.terms).items() if n > 1)
        if again:
            raise ConflictingConstraints("terms", tuple(again[:5]), "give each term one column")
        for name in self.alone:
            if name not in self.terms:
                raise UnknownName("term", name, self.terms)

    def __len__(self) -> int:
        return len(self.watched)

    def __repr__(self) -> str:
        return f"HourlyCounts({len(self.terms)} terms, {len(self)} hours from {self.start.astype('datetime64[h]')})"

    def hour(self, i: int, /) -> NDArray[np.float64]:
        """(n_terms,) counts of one hour."""
        found = np.zeros(len(self.terms))
        begin, end = self.counts.indptr[i : i + 2]
        found[self.counts.indices[begin:end]] = self.counts.data[begin:end]
        return found

    @property
    def first_hour(self) -> int:
        """Hours from 1970 to the first."""
        return int(self.start.astype("datetime64[h]").astype(np.int64))

    def hours_of_week(self) -> Ints:
        """(n_hours,) hour of the week on the wall clock, 0 = Monday at midnight."""
        at = self.start.astype("datetime64[h]") + np.arange(len(self))
        wall = local_columns(at.astype("datetime64[us]"), self.zone)
        return (wall.weekday.astype(np.int64) - 1) * 24 + wall.minute.astype(np.int64) // 60

    def part(self, first: int, last: int, /) -> HourlyCounts:
        """Hours from `first` up to but without `last`."""
        rows = range(len(self))[first:last]
        begin = rows.start if len(rows) else 0
        return attrs.evolve(
            self,
            start=self.start.astype("datetime64[h]") + begin,
            counts=self.counts[begin : begin + len(rows)].tocsr(),
            watched=self.watched[begin : begin + len(rows)],
        )  # fmt: skip

    @classmethod
    def of(
        cls,
        counts: ArrayLike | csr_array,
        /,
        *,
        terms: Sequence[str],
        start: datetime | np.datetime64 | str,
        zone: str = "UTC",
        watched: ArrayLike | None = None,
        alone: Sequence[str] = (),
    ) -> HourlyCounts:
        """Counts of a matrix with a row an hour and a column a term.

        An hour whose row is all NaN was not watched; in a sparse matrix name such hours in `watched`.

        Raises
        ------
        OutOfRange, BadRows
            Another number of columns than terms; hours with a count that is negative, infinite, or missing while
            others of its hour are there.
        """
        if not len(terms):
            raise EmptyInput("terms", "watch at least one")
        table, seen = _table(counts, len(terms))
        if watched is not None:
            told = truths("watched", watched)
            if len(told) != len(seen):
                raise OutOfRange("len(watched)", len(told), f"{len(seen)}, as counts", "one truth an hour")
            seen &= told
        return cls(
            terms=tuple(terms),
            start=_whole_hour(start),
            counts=table,
            watched=seen,
            zone=zone,
            alone=tuple(alone),
        )

    @classmethod
    def from_frame(
        cls, frame: Any, *, term: str = "term", time: str = "time", count: str = "count", zone: str = "UTC"
    ) -> HourlyCounts:
        """Counts of a long frame: one row a term and hour, hours without a row count 0."""
        read = read_frame(frame)
        codes, names = read.text(term)
        at = instants(time, np.array(read.column(time), object) if len(read) else []).astype("datetime64[h]")
        if not len(read):
            raise EmptyInput("the frame of counts", "pass at least one row")
        value = numbers(count, np.array(read.column(count), object))
        bad = np.flatnonzero((codes < 0) | ~(value >= 0) | ~np.isfinite(value))
        if len(bad):
            problem = BadRow(count, "no term, or no count of 0 or more", tuple(bad.tolist()))
            raise BadRows("the frame of counts", (problem,), "drop these rows or repair them")
        order = np.argsort(np.array(names, object))
        rank = np.empty(len(names), np.int64)
        rank[order] = np.arange(len(names))
        hour = (at - at.min()).astype(np.int64)
        return _made(
            hour, rank[codes], value, tuple(names[i] for i in order.tolist()), at.min(), int(hour.max()) + 1, zone, ()
        )

    @classmethod
    def of_mentions(
        cls,
        mentions: MentionTable,
        /,
        *,
        things: Mapping[str, ArrayLike] | None = None,
        orders: Sequence[int] = (1, 2),
        least_posts: int = 5,
        always: Collection[str] = (),
        zone: str = "UTC",
        start: datetime | None = None,
        end: datetime | None = None,
        batch: TokenBatch | None = None,
    ) -> HourlyCounts:
        """Count the people who use each term in each hour; without authors, posts.

        Who repeats himself within an hour counts once. Posts of unknown time are left out. The number of all posts is
        watched beside the terms, as "(all posts)".

        Parameters
        ----------
        things : (n,) truths by name, optional
            Queries, topics or aspects to watch in place of terms.
        orders : counts
            Lengths of terms in words.
        least_posts : count
            Terms in fewer posts are not counted.
        always : terms
            That are counted however few posts have them: those of a watch (`always=watch.terms`), to which a term that
            is not counted had no posts.
        zone : name
            On whose wall clock the rhythm of day and week runs.
        start, end : aware datetimes, optional
            First hour and the hour after the last; None: those of the posts.
        batch : TokenBatch, optional
            Of the texts, where they were read before; None reads them.
        """
        dated = np.flatnonzero(~np.isnat(mentions.time))
        if not len(dated) and (start is None or end is None):
            raise EmptyInput("posts with a time", "read the times of the posts: MentionTable.from_frame(..., time=...)")
        table = mentions.take(dated)
        if things is None:
            read = tokenize(table.text.to_list()) if batch is None else read_before(batch, mentions).take(dated)
            names, post, term = term_posts(read, orders=orders, least_posts=least_posts, always=always)
        else:
            held = {k: v[dated] for k, v in flags(things, len(mentions)).items()}
            names = tuple(held)
            hits = [np.flatnonzero(v) for v in held.values()]
            post = np.concatenate(hits).astype(np.int64)
            term = np.repeat(np.arange(len(names)), [len(h) for h in hits])
        at = table.time.astype("datetime64[h]")
        first = at.min() if start is None else instant("start", start).astype("datetime64[h]")
        last = at.max() + 1 if end is None else instant("end", end).astype("datetime64[h]")
        span = int((last - first).astype(np.int64))
        hour = (at - first).astype(np.int64)
        inside = (hour >= 0) & (hour < span)
        posts = np.flatnonzero(inside)
        kept = inside[post]
        row = np.concatenate([hour[post[kept]], hour[posts]])
        column = np.concatenate([term[kept], np.full(len(posts), len(names))])
        author = authors_of(table)
        who = np.concatenate([author[post[kept]], len(author) + len(table.author.values) + np.arange(len(posts))])
        once = _once(row, column, who, span, len(names) + 1)
        made = _made(
            row[once], column[once], np.ones(len(once)), (*names, ALL_POSTS), first, max(span, 0), zone, (ALL_POSTS,)
        )
        return attrs.evolve(made, unlisted_are_zero=things is None)


def _table(counts: ArrayLike | csr_array, n: int) -> tuple[csr_array, Bools]:
    """Checked counts, and which hours were watched."""
    from scipy.sparse import csr_array, issparse

    if issparse(counts):
        given: Any = counts  # the stubs of scipy do not narrow
        sparse = csr_array(given.astype(np.float64))
        hours = len(sparse.indptr) - 1
        _shaped((hours, int(given.shape[1])) if given.ndim == 2 else given.shape, n)
        rows = np.repeat(np.arange(hours), np.diff(sparse.indptr))
        _refuse_bad(np.unique(rows[~((sparse.data >= 0) & np.isfinite(sparse.data))]))
        return sparse, np.ones(hours, bool)
    try:
        table = np.asarray(counts, np.float64)
    except (TypeError, ValueError):
        hint = "one number an hour and term; HourlyCounts.from_frame reads long frames"
        raise WrongType("counts", type(counts).__name__, "a matrix of numbers", hint) from None
    _shaped(table.shape, n)
    seen: Bools = np.asarray(~np.isnan(table).all(axis=1))
    _refuse_bad(np.flatnonzero(seen & ~((table >= 0) & np.isfinite(table)).all(axis=1)))
    return csr_array(np.where(seen[:, None], table, 0.0)), seen


def _shaped(shape: tuple[int, ...], n: int) -> None:
    if len(shape) != 2 or shape[1] != n:
        raise OutOfRange("shape of counts", shape, f"(n_hours, {n})", "one row an hour, one column a term")


def _refuse_bad(hours: NDArray[np.integer]) -> None:
    if len(hours):
        hint = "counts are 0 or more; an hour that was not watched is missing for all terms"
        problem = BadRow("counts", "negative, infinite or partly missing", tuple(hours.tolist()))
        raise BadRows("counts", (problem,), hint)


def _whole_hour(start: datetime | np.datetime64 | str) -> np.datetime64:
    when = instant("start", datetime.fromisoformat(start) if isinstance(start, str) else start)
    hour: np.datetime64 = when.astype("datetime64[h]")
    if hour != when:
        raise OutOfRange("start", str(when), "a whole hour", "begin with the hour that is counted first, in UTC")
    return hour


def _once(row: Ints, column: Ints, who: Ints, rows: int, columns: int) -> Ints:
    """Positions of the first of each (hour, term, person)."""
    key = (who * max(rows, 1) + row) * columns + column
    return np.asarray(np.unique(key, return_index=True)[1], np.int64)


def _made(
    row: Ints, column: Ints, value: NDArray[np.float64], terms: tuple[str, ...], start: np.datetime64, hours: int,
    zone: str, alone: tuple[str, ...],
) -> HourlyCounts:  # fmt: skip
    from scipy.sparse import csr_array

    if not 0 < hours <= MOST_HOURS:
        raise OutOfRange(
            "hours from first to last", hours, f"1 to {MOST_HOURS:,}", "a wrong year in a time? pass start="
        )
    counts = csr_array((value, (row, column)), shape=(hours, len(terms)))
    counts.sum_duplicates()
    return HourlyCounts(terms=terms, start=start, counts=counts, watched=np.ones(hours, bool), zone=zone, alone=alone)


def read_before(batch: TokenBatch, mentions: MentionTable, /) -> TokenBatch:
    """Tokens of the texts, if they are of as many."""
    if len(batch) != len(mentions):
        raise OutOfRange("texts of batch", len(batch), f"{len(mentions)}, as mentions", "tokenise the same posts")
    return batch


def term_posts(
    batch: TokenBatch, /, *, orders: Sequence[int] = (1, 2), least_posts: int = 1, always: Collection[str] = ()
) -> tuple[tuple[str, ...], Ints, Ints]:
    """Terms, and which post has which: names, (k,) posts and (k,) terms."""
    found = count_terms(batch.normalised(), orders=orders, least_texts=1 if always else least_posts)
    names, counts = found.terms, found.counts
    if always:
        known, often = frozenset(always), found.texts_with() >= least_posts
        kept = [i for i, term in enumerate(names) if often[i] or term in known]
        names, counts = tuple(names[i] for i in kept), counts[:, kept]
    pairs = counts.tocoo()
    post, term = (index.astype(np.int64) for index in pairs.coords)
    return names, post, term
