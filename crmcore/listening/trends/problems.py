"""What people complained of most in the past week, and whether that is more than in the week before."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import between, check_aware, html_table, number_text
from crmcore.documents import Document
from crmcore.errors import OutOfRange
from crmcore.listening.trends.reading import Holders, first_copies, net_scores
from crmcore.listening.voices.comparing import discussion_points
from crmcore.listening.voices.people import authors_of, flag, flags
from crmcore.metrics.columns import instant
from crmcore.metrics.comparing import Comparison, compare, p_text
from crmcore.metrics.estimates import Estimate, frame_of
from crmcore.metrics.multiplicity import adjust
from crmcore.metrics.proportions import Counts
from crmcore.metrics.scalars import nan_alike
from crmcore.protocols import SentimentAnalyzer
from crmcore.tables import MentionTable

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Change", "Problem", "WeeklyProblems", "weekly_problems"]

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


class Change(enum.StrEnum):
    """How a problem stands against the period before."""

    NEW = "new"  # for sure more, and nobody spoke of it before
    RISING = "rising"
    STEADY = "steady"  # no sure change
    FALLING = "falling"


@attrs.frozen(kw_only=True)
class Problem(Document):
    """One thing that people complain of.

    Parameters
    ----------
    name : text
    voices, voices_before : counts
        People who complained of it in the period, and in the one before.
    share : Estimate
        Of all people who posted in the period.
    test : Comparison
        Share of the period minus that of the one before.
    p_adjusted : probability
        Benjamini-Hochberg over all problems that were looked at.
    change : Change
    """

    name: str
    voices: int
    voices_before: int
    share: Estimate
    test: Comparison
    p_adjusted: float = attrs.field(eq=nan_alike)
    change: Change

    def __str__(self) -> str:
        p = "no test" if math.isnan(self.p_adjusted) else p_text(self.p_adjusted)
        return f"{self.name}: {self.voices} voices, {self.voices_before} the period before ({self.change}, {p})"


@attrs.frozen(kw_only=True, repr=False)
class WeeklyProblems(Document):
    """Problems of a period, most voices first.

    Parameters
    ----------
    problems
    since, until : instants
        The period; that before is as long and ends where it begins.
    people, people_before : counts
        Who posted at all.
    complaints, copies, undated, outside : counts
        Posts of both periods that complain; posts left out because they repeat another word for word, have no time, or
        lie in neither period.
    looked_at : count
        Things that were compared.
    """

    problems: tuple[Problem, ...]
    since: datetime
    until: datetime
    people: int
    people_before: int
    complaints: int
    copies: int
    undated: int
    outside: int
    looked_at: int

    def __len__(self) -> int:
        return len(self.problems)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.problems)

    def __getitem__(self, i: int) -> Problem:
        return self.problems[i]

    def __repr__(self) -> str:
        return f"WeeklyProblems({len(self)} problems, {self.people} people)"

    def __str__(self) -> str:
        head = f"{self.since:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M}: {self.people} people"
        return "\n".join([head, *(f"  {p}" for p in self.problems)])

    def to_frame(self, backend: Any = None) -> Any:
        """One row a problem."""
        names = ("name", "voices", "voices_before", "share", "low", "high", "difference", "p_adjusted", "change")
        if not self.problems:
            from crmcore._frames import write_frame

            return write_frame({c: [] for c in names}, backend=backend)
        cells = [
            (p.name, p.voices, p.voices_before, p.share.value, p.share.low, p.share.high, p.test.difference.value,
             p.p_adjusted, str(p.change))
            for p in self.problems
        ]  # fmt: skip
        return frame_of([dict(zip(names, row, strict=True)) for row in cells], backend=backend)

    def _repr_html_(self) -> str:
        rows = [
            {
                "problem": p.name[:60], "voices": p.voices, "before": p.voices_before,
                "share": f"{number_text(100 * p.share.value)} %", "change": str(p.change),
            }
            for p in self.problems
        ]  # fmt: skip
        return html_table(rows, caption=f"problems since {self.since:%Y-%m-%d}", limit=15)

    def chart(self) -> Chart:
        """Share of the people who complain of each, with intervals, this period and the one before."""
        from crmcore.listening.trends.charts import problems_chart

        return problems_chart(self)


@attrs.frozen
class _Asked:
    days: float = attrs.field(validator=between(1 / 24, 366, hint="length of the period in days, 7 is a week"))
    limit: int = attrs.field(validator=between(1, 10_000, hint="how many problems to list"))
    least_odds: float = attrs.field(validator=between(1, 1e6, hint="3: three times as likely in complaints"))
    least_voices: int = attrs.field(validator=between(1, 1e9, hint="people that a problem needs"))
    false_share: float = attrs.field(validator=between(1e-6, 0.5, hint="such as 0.05"))


def weekly_problems(
    mentions: MentionTable,
    /,
    *,
    now: datetime,
    sentiment: SentimentAnalyzer | ArrayLike | None = None,
    complaint: ArrayLike | None = None,
    things: Mapping[str, ArrayLike] | None = None,
    orders: Sequence[int] = (1, 2),
    days: float = 7.0,
    limit: int = 10,
    least_odds: float = 3.0,
    least_voices: int = 3,
    false_share: float = 0.05,
    level: float = 0.95,
) -> WeeklyProblems:
    """Rank what people complained of in the past week, with the change against the week before.

    A post belongs to the week in which it was written, however late it was collected: run again when late posts have
    come. Whoever repeats himself is one voice; a text of five words or more that was posted before word for word does
    not count.

    Parameters
    ----------
    mentions
    now : aware datetime
        End of the week, exclusive.
    sentiment
        An analyzer, its (n, 3) probabilities, or (n,) net scores: posts below 0 complain. Complaints are not quite the
        same as negative posts: `complaint` is better where a trained classifier is at hand.
    complaint : (n,) truths
        In place of `sentiment`.
    things : (n,) truths by name, optional
        Topics, aspects or reasons. None takes the terms that mark complaints off from other posts (log odds,
        Benjamini-Hochberg at `false_share`, and at least `least_odds`); a term that is part of a longer one with nearly
        the same voices is left out.
    days : duration
        Of the period.
    limit : count
        Problems to list.
    least_odds : ratio
        Of the odds of a term in complaints to those in other posts; only where `things` is None.
    least_voices : count
        In the period.
    false_share : share
        Of the changes that are called new, rising or falling and may be none.
    level : share
        Of intervals.

    Examples
    --------
    >>> from datetime import UTC
    >>> now = datetime(2026, 3, 16, tzinfo=UTC)
    >>> texts = [f"late parcel {i}" for i in range(30)] + [f"late parcel again {i}" for i in range(5)]
    >>> texts += [f"fine {i}" for i in range(60)]
    >>> ago = [2] * 30 + [9] * 5 + [3, 10] * 30
    >>> time = [now - timedelta(days=d) for d in ago]
    >>> posts = MentionTable.from_frame({"text": texts, "time": time, "author": list(range(95))})
    >>> sore = [t.startswith("late") for t in texts]
    >>> print(weekly_problems(posts, now=now, complaint=sore, things={"late parcels": sore})[0])
    late parcels: 30 voices, 5 the period before (rising, p = 0.0005)
    """
    asked = _Asked(days, limit, least_odds, least_voices, false_share)
    check_aware(now, "now")
    n = len(mentions)
    sore = _sore(mentions, sentiment, complaint)
    since = now - timedelta(days=asked.days)
    end, begin, first = (instant("now", t) for t in (now, since, since - timedelta(days=asked.days)))
    time = mentions.time
    both = (time >= first) & (time < end)
    kept = both & first_copies(mentions)
    week, before = kept & (time >= begin), kept & (time < begin)
    author = authors_of(mentions)
    held = flags(things, n) if things is not None else _marks(mentions, kept, sore, orders, asked)
    problems = _problems(held, author, week, before, sore, asked, level)
    return WeeklyProblems(
        problems=tuple(problems[: asked.limit]), since=since, until=now, people=len(np.unique(author[week])),
        people_before=len(np.unique(author[before])), complaints=int((kept & sore).sum()),
        copies=int((both & ~kept).sum()), undated=int(np.isnat(time).sum()),
        outside=int((~both & ~np.isnat(time)).sum()), looked_at=len(held),
    )  # fmt: skip


def _sore(
    mentions: MentionTable, sentiment: SentimentAnalyzer | ArrayLike | None, complaint: ArrayLike | None
) -> Bools:
    """(n,) truths: posts that complain, as told or below 0."""
    if complaint is not None and sentiment is None:
        return flag("complaint", complaint, len(mentions))
    if sentiment is not None and complaint is None:
        return np.asarray(np.nan_to_num(net_scores(sentiment, mentions)) < 0)
    raise OutOfRange("sentiment, complaint", "both or none", "one of them", "complaint=mask, or sentiment=analyzer")


def _problems(
    held: Mapping[str, Bools], author: Ints, week: Bools, before: Bools, sore: Bools, asked: _Asked, level: float
) -> list[Problem]:
    people = [len(np.unique(author[period])) for period in (week, before)]
    tests = dict[str, tuple[Counts, Counts, Comparison]]()
    for name in held:
        now_, then = (
            Counts(len(np.unique(author[period & sore & held[name]])), of)
            for period, of in zip((week, before), people, strict=True)
        )
        if now_.k + then.k:
            tests[name] = (now_, then, compare(now_, then, level=level, small_sample_ok=True))
    p = np.array([t.p_value for _, _, t in tests.values()], np.float64)
    chances = adjust(p, method="benjamini-hochberg") if len(p) else p
    found = [
        Problem(
            name=name, voices=now_.k, voices_before=then.k, share=test.first, test=test, p_adjusted=chance,
            change=_change(now_, then, test, chance, asked.false_share),
        )
        for (name, (now_, then, test)), chance in zip(tests.items(), chances.tolist(), strict=True)
        if now_.k >= asked.least_voices
    ]  # fmt: skip
    return sorted(found, key=lambda problem: (-problem.voices, problem.name))


def _change(now_: Counts, then: Counts, test: Comparison, p: float, threshold: float) -> Change:
    if not p <= threshold:
        return Change.STEADY
    if test.difference.value < 0:
        return Change.FALLING
    return Change.NEW if then.k == 0 and now_.k else Change.RISING


def _marks(mentions: MentionTable, kept: Bools, sore: Bools, orders: Sequence[int], asked: _Asked) -> dict[str, Bools]:
    """Posts that hold each term that marks complaints."""
    rows = np.flatnonzero(kept)
    if not sore[rows].any() or sore[rows].all():
        return {}
    table = mentions.take(rows)
    found = discussion_points(
        table, sore[rows], orders=orders, least_voices=asked.least_voices, false_share=asked.false_share
    )
    least = max(math.log(asked.least_odds), 1e-12)
    voices = dict(zip(found.term, found.first.tolist(), strict=True))
    wanted = [t for t, odds in zip(found.term, found.log_odds.tolist(), strict=True) if odds >= least]
    holders, held = Holders(table), dict[str, Bools]()
    for name in _longest(wanted, voices):
        held[name] = np.zeros(len(mentions), bool)
        held[name][rows] = holders.of(name)
    return held


def _longest(wanted: Sequence[str], voices: Mapping[str, float]) -> list[str]:
    """Leave out terms that are part of a longer one with at least four fifths of their voices."""
    whole = set[str]()
    for long in wanted:
        words = long.split(" ")
        for size in range(1, len(words)):
            for i in range(len(words) - size + 1):
                part = " ".join(words[i : i + size])
                if voices.get(part, math.inf) * 0.8 <= voices[long]:
                    whole.add(part)
    return sorted(set(wanted) - whole)
