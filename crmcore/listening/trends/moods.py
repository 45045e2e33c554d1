"""Crisis or praise: a burst, and whether those who speak in it feel otherwise than people did before."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import between, html_table, number_text
from crmcore.documents import Document
from crmcore.listening.trends.bursts import Burst, Bursts
from crmcore.listening.trends.reading import Holders, net_scores
from crmcore.listening.voices.people import authors_of, mean_by_author
from crmcore.metrics.columns import instant
from crmcore.metrics.comparing import Comparison, p_text
from crmcore.metrics.estimates import Estimate, frame_of
from crmcore.metrics.means import Moments
from crmcore.metrics.multiplicity import adjust
from crmcore.metrics.proportions import Counts
from crmcore.metrics.ranks import mann_whitney
from crmcore.metrics.scalars import nan_alike
from crmcore.protocols import SentimentAnalyzer
from crmcore.tables import MentionTable
from crmcore.text import TokenBatch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crmcore.charts import Chart

__all__ = ["Mood", "Moods", "Verdict", "judge_bursts"]

Floats = NDArray[np.float64]

FEWEST = 10
"""Voices that must have used the term before for these to be the yardstick; else all posts before are."""


class Verdict(enum.StrEnum):
    """What a burst is."""

    CRISIS = "crisis"  # negative, and more so than before
    PRAISE = "praise"  # positive, and more so than before
    MORE_COMPLAINTS = "more complaints"  # negative as before, but more of it
    MORE_PRAISE = "more praise"  # positive as before, but more of it
    MIXED = "mixed"  # neither negative nor positive for sure


FIRST = (Verdict.CRISIS, Verdict.MORE_COMPLAINTS, Verdict.PRAISE, Verdict.MORE_PRAISE, Verdict.MIXED)


@attrs.frozen(kw_only=True)
class Mood(Document):
    """A burst with its sentiment.

    Parameters
    ----------
    burst : Burst
    verdict : Verdict
    test : Comparison
        Net sentiment of the voices in the burst minus that of those before.
    p_adjusted : probability
        Benjamini-Hochberg over the bursts that were judged; NaN where nothing can be said.
    negative, positive : Estimate
        Shares of the voices in the burst whose net sentiment is below, above 0.
    compared_with : words
        "the same term before" or "all posts before"; "nothing" where there was none.
    """

    burst: Burst
    verdict: Verdict
    test: Comparison
    p_adjusted: float = attrs.field(eq=nan_alike)
    negative: Estimate
    positive: Estimate
    compared_with: str

    def __str__(self) -> str:
        told = f"{self.burst.name}: {self.verdict}, {round(100 * self.negative.value)} % negative and "
        told += f"{round(100 * self.positive.value)} % positive of {self.negative.n} voices; net "
        told += f"{number_text(self.test.first.value)}"
        if self.compared_with == "nothing" or math.isnan(self.p_adjusted):
            return f"{told}, no comparison with before"
        return (
            f"{told} against {number_text(self.test.second.value)} of {self.compared_with} ({p_text(self.p_adjusted)})"
        )


@attrs.frozen(kw_only=True, repr=False)
class Moods(Document):
    """Bursts with their sentiment: crises first, then what is more complained of, the surest first within each."""

    moods: tuple[Mood, ...]

    def __len__(self) -> int:
        return len(self.moods)

    def __iter__(self) -> Iterator[Mood]:
        return iter(self.moods)

    def __getitem__(self, i: int) -> Mood:
        return self.moods[i]

    def __repr__(self) -> str:
        crises = sum(m.verdict is Verdict.CRISIS for m in self.moods)
        praise = sum(m.verdict is Verdict.PRAISE for m in self.moods)
        return f"Moods({len(self)} bursts, {crises} crises, {praise} praise)"

    def __str__(self) -> str:
        return "\n".join(str(m) for m in self.moods) or "no bursts"

    def of(self, verdict: Verdict | str, /) -> tuple[Mood, ...]:
        """Those of one verdict."""
        wanted = Verdict(verdict)
        return tuple(m for m in self.moods if m.verdict is wanted)

    def to_frame(self, backend: Any = None) -> Any:
        """One row a burst."""
        names = (
            "name",
            "verdict",
            "began_at",
            "last_at",
            "posts",
            "people",
            "net",
            "before",
            "difference",
            "low",
            "high",
        )
        if not self.moods:
            from crmcore._frames import write_frame

            return write_frame({c: [] for c in (*names, "p_adjusted", "negative", "positive")}, backend=backend)
        rows = [
            {
                "name": m.burst.name, "verdict": str(m.verdict), "began_at": m.burst.began_at,
                "last_at": m.burst.last_at, "posts": m.burst.posts, "people": m.burst.people,
                "net": m.test.first.value, "before": m.test.second.value, "difference": m.test.difference.value,
                "low": m.test.difference.low, "high": m.test.difference.high, "p_adjusted": m.p_adjusted,
                "negative": m.negative.value, "positive": m.positive.value,
            }
            for m in self.moods
        ]  # fmt: skip
        return frame_of(rows, backend=backend)

    def _repr_html_(self) -> str:
        rows = [
            {
                "burst": m.burst.name[:40], "verdict": str(m.verdict),
                "since": m.burst.began_at.strftime("%Y-%m-%d %H:%M"), "people": m.burst.people,
                "net": m.test.first.value, "before": m.test.second.value,
            }
            for m in self.moods
        ]  # fmt: skip
        return html_table(rows, caption=f"{len(self)} bursts by what people feel", limit=12)

    def chart(self, *, limit: int = 15) -> Chart:
        """Net sentiment in each burst with its interval."""
        from crmcore.listening.trends.charts import moods_chart

        return moods_chart(self, limit=limit)


@attrs.frozen
class _Judging:
    before_days: float = attrs.field(validator=between(1 / 24, 3660, hint="days before the burst to compare with"))
    least_voices: int = attrs.field(validator=between(2, 1e9, hint="people that make a crisis"))
    level: float = attrs.field(validator=between(1e-6, 1 - 1e-6, hint="write 95 % as level=0.95"))


def judge_bursts(
    bursts: Bursts,
    mentions: MentionTable,
    sentiment: SentimentAnalyzer | ArrayLike,
    /,
    *,
    things: Mapping[str, ArrayLike] | None = None,
    before_days: float = 28.0,
    least_voices: int = 10,
    level: float = 0.95,
    batch: TokenBatch | None = None,
) -> Moods:
    """Tell crises and praise among bursts.

    A burst is a crisis where net sentiment in it is below 0 and below that of before, both for sure; praise the other
    way round. Each author counts once, with the mean of his posts.

    Parameters
    ----------
    bursts
        Found in these mentions.
    sentiment
        An analyzer, its (n, 3) probabilities, or (n,) net scores. Its level may be off (see `shares`), a shift less so.
    things : (n,) truths by name, optional
        What was watched in place of terms.
    before_days : duration
        How far back to compare: with posts of the term that names the burst, or all where fewer
        than 10 voices used it.
    least_voices : count
        Fewer people make neither crisis nor praise.
    level : share
        Of the intervals; a shift is sure where its adjusted p-value is at most 1 - level.
    batch : TokenBatch, optional
        Of the texts, where they were read before.
    """
    asked = _Judging(before_days, least_voices, level)
    net = net_scores(sentiment, mentions)
    holders, author = Holders(mentions, things, batch=batch), authors_of(mentions)
    parts = [_compared(b, mentions, net, author, holders, asked) for b in bursts]
    p = adjust([test.p_value for test, _, _ in parts], method="benjamini-hochberg") if parts else np.empty(0)
    moods = []
    for burst, (test, inside, how), chance in zip(bursts, parts, p.tolist(), strict=True):
        k = len(inside)
        shares = [
            Counts(int((inside * sign > 0).sum()), k).estimate(level=level, small_sample_ok=True) for sign in (-1, 1)
        ]
        moods.append(
            Mood(
                burst=burst, verdict=_verdict(test, chance, asked), test=test, p_adjusted=chance,
                negative=shares[0], positive=shares[1], compared_with=how,
            )
        )  # fmt: skip
    return Moods(moods=tuple(sorted(moods, key=lambda m: FIRST.index(m.verdict))))


def _compared(
    burst: Burst, mentions: MentionTable, net: Floats, author: NDArray[np.int64], holders: Holders, asked: _Judging
) -> tuple[Comparison, Floats, str]:
    """Test, net sentiment of the voices in the burst, and what they were compared with."""
    inside = mean_by_author(net, author, burst.rows)
    begin = instant("began_at", burst.began_at)
    since = instant("began_at", burst.began_at - timedelta(days=asked.before_days))
    earlier = (mentions.time >= since) & (mentions.time < begin)
    before, how = mean_by_author(net, author, holders.of(burst.name) & earlier), "the same term before"
    if len(before) < FEWEST:
        before, how = mean_by_author(net, author, earlier), "all posts before"
    if not len(before):
        how = "nothing"
    test = Moments.of(inside).minus(Moments.of(before), level=asked.level)
    if math.isnan(test.p_value) and len(inside) > 1 and len(before) > 1:  # nobody differs from his group
        _, p, _ = mann_whitney(inside, before)
        test = attrs.evolve(test, p_value=1.0 if math.isnan(p) else p, test="rank sum")
    return test, inside, how


def _verdict(test: Comparison, p: float, asked: _Judging) -> Verdict:
    sign = -1 if test.first.high < 0 else 1 if test.first.low > 0 else 0
    if sign == 0:
        return Verdict.MIXED
    enough = test.first.n >= asked.least_voices
    shifted = enough and p <= 1 - asked.level and sign * test.difference.value > 0
    if sign < 0:
        return Verdict.CRISIS if shifted else Verdict.MORE_COMPLAINTS
    return Verdict.PRAISE if shifted else Verdict.MORE_PRAISE
