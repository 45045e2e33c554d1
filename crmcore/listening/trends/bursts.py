"""One burst, not its many terms: trends that share their posts are one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import Progress, between, html_table
from crmcore.documents import Document
from crmcore.listening.trends.counting import ALL_POSTS, HourlyCounts
from crmcore.listening.trends.detecting import TrendDetector
from crmcore.listening.trends.reading import Holders
from crmcore.listening.trends.results import Trend, Trends
from crmcore.listening.voices.people import authors_of
from crmcore.metrics.columns import instant
from crmcore.metrics.estimates import frame_of
from crmcore.tables import MentionTable
from crmcore.text import TokenBatch, tokenize

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Burst", "Bursts", "find_bursts", "merge_trends"]

Bools = NDArray[np.bool_]


@attrs.frozen(kw_only=True)
class Burst(Document):
    """What people suddenly speak about.

    Parameters
    ----------
    name : text
        The term that is surest.
    terms : texts
        All terms of the burst, the surest first.
    trend : Trend
        Of the term that gave its name.
    began_at, alarm_at, last_at : instants
        Earliest begin and alarm of its terms, and the last unusual hour.
    people : count
        Authors; posts where nobody is named.
    rows : positions
        Posts of the burst in the mentions that were read.
    ongoing : truth
    """

    name: str
    terms: tuple[str, ...]
    trend: Trend
    began_at: datetime
    alarm_at: datetime
    last_at: datetime
    people: int
    rows: tuple[int, ...] = attrs.field(repr=lambda rows: f"({len(rows)} posts)")
    ongoing: bool

    @property
    def posts(self) -> int:
        """Number of posts."""
        return len(self.rows)

    def __str__(self) -> str:
        others = (
            f" (also {', '.join(self.terms[1:5])}{', ...' if len(self.terms) > 5 else ''})" if self.terms[1:] else ""
        )
        since = self.began_at.strftime("%Y-%m-%d %H:%M")
        state = ", still going on" if self.ongoing else ""
        return f"{self.name}{others}: since {since}, {self.posts} posts of {self.people} people{state}"


@attrs.frozen(kw_only=True, repr=False)
class Bursts(Document):
    """Bursts, the surest first, and the trends that they are made of."""

    bursts: tuple[Burst, ...]
    trends: Trends

    def __len__(self) -> int:
        return len(self.bursts)

    def __iter__(self) -> Iterator[Burst]:
        return iter(self.bursts)

    def __getitem__(self, i: int) -> Burst:
        return self.bursts[i]

    def __repr__(self) -> str:
        return f"Bursts({len(self)} bursts of {len(self.trends)} trends)"

    def __str__(self) -> str:
        head = f"{len(self)} bursts; {self.trends.rule}"
        return "\n".join([head, *(f"  {b}" for b in self.bursts)])

    def to_frame(self, backend: Any = None) -> Any:
        """One row a burst."""
        columns = ("name", "began_at", "alarm_at", "last_at", "people", "posts", "ongoing")
        if not self.bursts:
            from crmcore._frames import write_frame

            return write_frame({c: [] for c in (*columns, "terms", "lift")}, backend=backend)
        rows = [
            {**{c: getattr(b, c) for c in columns}, "terms": ", ".join(b.terms), "lift": b.trend.lift.value}
            for b in self.bursts
        ]
        return frame_of(rows, backend=backend)

    def _repr_html_(self) -> str:
        rows = [
            {
                "burst": b.name[:40], "also": ", ".join(b.terms[1:4])[:80],
                "since": b.began_at.strftime("%Y-%m-%d %H:%M"), "posts": b.posts, "people": b.people,
            }
            for b in self.bursts
        ]  # fmt: skip
        return html_table(rows, caption=f"{len(self)} bursts; {self.trends.rule}", limit=12)

    def chart(self, *, limit: int = 15) -> Chart:
        """When each of the surest bursts was unusual."""
        from crmcore.listening.trends.charts import trends_chart

        named = tuple(
            attrs.evolve(b.trend, began_at=b.began_at, alarm_at=b.alarm_at, last_at=b.last_at) for b in self.bursts
        )
        return trends_chart(attrs.evolve(self.trends, trends=named), limit=limit)


@attrs.frozen
class _Merging:
    overlap: float = attrs.field(validator=between(0.01, 1, hint="share of the posts of the smaller trend"))


def merge_trends(
    trends: Trends,
    mentions: MentionTable,
    /,
    *,
    things: Mapping[str, ArrayLike] | None = None,
    overlap: float = 0.5,
    batch: TokenBatch | None = None,
) -> Bursts:
    """Join trends that overlap in time and share their posts.

    The surest trend leads a burst; a later one joins the first leader with whom it shares enough.

    Parameters
    ----------
    trends
        Found in these mentions.
    things : (n,) truths by name, optional
        What was watched in place of terms.
    overlap : share
        Of the posts of the smaller of two trends that must be posts of the larger too, beyond what chance would have
        them share: ``(part - c) / (1 - c)``, where c is the share of the larger among all posts of its time. The number
        of all posts stays by itself.
    batch : TokenBatch, optional
        Of the texts, where they were read before.
    """
    least = _Merging(overlap).overlap
    found = trends.trends
    held = _rows(found, mentions, Holders(mentions, things, batch=batch)) if found else []
    groups = list[list[int]]()
    joined = _joined(found, held, mentions.time, least)
    for i in range(len(found)):
        home = next((group for group in groups if joined[group[0], i]), None)
        if home is None:
            groups.append([i])
        else:
            home.append(i)
    author = authors_of(mentions)
    bursts = []
    for group in groups:
        rows = np.flatnonzero(np.any([held[i] for i in group], axis=0))
        bursts.append(_burst([found[i] for i in group], rows, len(np.unique(author[rows]))))
    return Bursts(bursts=tuple(bursts), trends=trends)


def _joined(found: Sequence[Trend], held: Sequence[Bools], time: NDArray[np.datetime64], least: float) -> Bools:
    """(k, k) truths: pairs of trends that overlap in time and share more posts than chance would have them share."""
    from scipy.sparse import csr_array

    if not found:
        return np.zeros((0, 0), bool)
    posts = csr_array(np.array(held, np.int64))
    shared = (posts @ posts.T).toarray()
    size = np.array([h.sum() for h in held])
    begin, end = (instants_of([getattr(t, name) for t in found]) for name in ("began_at", "last_at"))
    around = np.array([((time >= b) & (time < e)).sum() for b, e in zip(begin, end, strict=True)])
    large = np.where(size[:, None] >= size, size[:, None] / around[:, None], size / around)
    by_chance = np.minimum(large, 1 - 1e-9)
    part = shared / np.maximum(np.minimum(size[:, None], size), 1)
    alone = np.array([t.term == ALL_POSTS for t in found])
    together = (begin[:, None] < end) & (begin < end[:, None]) & ~alone[:, None] & ~alone
    return np.asarray(together & ((part - by_chance) / (1 - by_chance) >= least))


def instants_of(moments: Sequence[datetime], /) -> NDArray[np.datetime64]:
    """(n,) instants of aware datetimes."""
    return np.array([instant("time", m) for m in moments], "datetime64[us]")


def _rows(found: Sequence[Trend], mentions: MentionTable, holders: Holders) -> list[Bools]:
    """Posts of each trend: those with the term from its begin to its last unusual hour."""
    time = mentions.time
    return [
        np.asarray(holders.of(t.term) & (time >= instant("t", t.began_at)) & (time < instant("t", t.last_at)))
        for t in found
    ]


def _burst(members: Sequence[Trend], rows: NDArray[np.intp], people: int) -> Burst:
    first = members[0]
    return Burst(
        name=first.term,
        terms=tuple(dict.fromkeys(t.term for t in members)),
        trend=first,
        began_at=min(t.began_at for t in members),
        alarm_at=min(t.alarm_at for t in members),
        last_at=max(t.last_at for t in members),
        people=people,
        rows=tuple(rows.tolist()),
        ongoing=any(t.ongoing for t in members),
    )


def find_bursts(
    mentions: MentionTable,
    /,
    *,
    detector: TrendDetector | None = None,
    things: Mapping[str, ArrayLike] | None = None,
    orders: Sequence[int] = (1, 2),
    least_posts: int = 5,
    zone: str = "UTC",
    overlap: float = 0.5,
    batch: TokenBatch | None = None,
    progress: Progress | bool = False,
) -> Bursts:
    """Find what people suddenly speak about: count, detect, merge.

    Parameters
    ----------
    mentions
    detector
        None is `TrendDetector()`: 10 false alarms per 1,000 terms a week.
    things, orders, least_posts, zone
        What is counted; see `HourlyCounts.of_mentions`.
    overlap : share
        See `merge_trends`.
    batch : TokenBatch, optional
        Of the texts, where they were read before.

    Examples
    --------
    >>> from datetime import UTC, datetime, timedelta
    >>> start = datetime(2026, 3, 2, tzinfo=UTC)
    >>> rng = np.random.default_rng(1)
    >>> hours = [*np.sort(rng.integers(0, 240, 1500)).tolist(), *[200] * 30]
    >>> texts = [f"parcel {i % 7}" for i in range(1500)] + ["app crashed again"] * 30
    >>> posts = MentionTable.from_frame({"text": texts, "time": [start + timedelta(hours=h) for h in hours]})
    >>> print(find_bursts(posts).bursts[0].terms)
    ('again', 'app', 'app crashed', 'crashed', 'crashed again')
    """
    read = tokenize(mentions.text.to_list()) if batch is None else batch
    counts = HourlyCounts.of_mentions(
        mentions, things=things, orders=orders, least_posts=least_posts, zone=zone, batch=read
    )
    trends = (detector or TrendDetector()).detect(counts, progress=progress)
    return merge_trends(trends, mentions, things=things, overlap=overlap, batch=read)
