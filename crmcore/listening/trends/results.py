"""What a detector found: one row a burst of a term."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs

from crmcore._base import html_table, number_text
from crmcore.documents import Document
from crmcore.listening.trends.alarms import Raised
from crmcore.listening.trends.detecting import TERM_WEEKS, TrendDetector, hour_at
from crmcore.metrics.estimates import Estimate, frame_of
from crmcore.metrics.scalars import nan_alike

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Trend", "Trends", "trends_of"]


RARE = 0.05
"""Expected posts in the window of a term that was hardly used before: its lift would be thousands."""


@attrs.frozen(kw_only=True)
class Trend(Document):
    """A term that was used more than usual.

    Parameters
    ----------
    term : text
    began_at : instant
        Begin of the window that raised the alarm.
    alarm_at : instant
        End of the hour with which the alarm was raised: known from here on.
    peak_at : instant
        End of the strongest hour.
    last_at : instant
        End of the last hour that was still unusual.
    window_hours : duration
        Length of the strongest window, which ends at `peak_at`.
    posts, expected : counts
        In that window.
    lift : Estimate
        Posts / expected posts.
    score : number
        -log10 of the probability of so many posts in such a window, less a handicap of short windows, which are many.
    false_alarms : number
        Per 1,000 terms a week that chance lifts as high.
    ongoing : truth
        Whether it may still be going on: fewer than 24 quiet hours passed.
    """

    term: str
    began_at: datetime
    alarm_at: datetime
    peak_at: datetime
    last_at: datetime
    window_hours: int
    posts: int
    expected: float
    lift: Estimate
    score: float
    false_alarms: float
    ongoing: bool

    @property
    def chance(self) -> float:
        """Probability that one term has a day like this by chance."""
        return -math.expm1(-self.false_alarms / TERM_WEEKS / 7)

    @property
    def rare(self) -> bool:
        """Whether it was hardly used before, so that a ratio to what was expected tells nothing."""
        return self.expected < RARE

    def __str__(self) -> str:
        since = self.began_at.strftime("%Y-%m-%d %H:%M")
        span = f"[{number_text(self.lift.low)}, {number_text(self.lift.high)}]"
        times = f"{number_text(self.lift.value)} {span} times the usual"
        if self.rare:
            times = "hardly used before"
        state = ", still going on" if self.ongoing else ""
        hours = f"{self.window_hours} hour" + ("s" if self.window_hours > 1 else "")
        return f"{self.term}: since {since}, {self.posts} posts in {hours}, {times}{state}"


@attrs.frozen(kw_only=True, repr=False)
class Trends(Document):
    """Trends, the surest first.

    Parameters
    ----------
    trends : trends
    terms, hours : counts
        What was watched.
    rule : text
        What raised an alarm.
    expected_false : number
        Alarms by chance to expect among these; NaN where the rule bounds their share.
    """

    trends: tuple[Trend, ...]
    terms: int
    hours: int
    rule: str
    expected_false: float = attrs.field(eq=nan_alike)

    def __len__(self) -> int:
        return len(self.trends)

    def __iter__(self) -> Iterator[Trend]:
        return iter(self.trends)

    def __getitem__(self, i: int) -> Trend:
        return self.trends[i]

    def __repr__(self) -> str:
        return f"Trends({len(self)} bursts, {self.terms} terms, {self.hours} hours)"

    def __str__(self) -> str:
        chance = "" if math.isnan(self.expected_false) else f" ({number_text(self.expected_false)} expected by chance)"
        head = f"{len(self)} bursts of {self.terms} terms in {self.hours} hours{chance}; {self.rule}"
        return "\n".join([head, *(f"  {t}" for t in self.trends)])

    def since(self, moment: datetime, /) -> Trends:
        """Those that were still unusual after a moment."""
        return attrs.evolve(self, trends=tuple(t for t in self.trends if t.last_at > moment))

    def to_frame(self, backend: Any = None) -> Any:
        """One row a burst; a lift in columns lift, low, high."""
        columns = [a.name for a in attrs.fields(Trend) if a.name != "lift"]
        rows = [
            {**{c: getattr(t, c) for c in columns}, "lift": t.lift.value, "low": t.lift.low, "high": t.lift.high}
            for t in self.trends
        ]
        if rows:
            return frame_of(rows, backend=backend)
        from crmcore._frames import write_frame

        return write_frame({c: [] for c in [*columns, "lift", "low", "high"]}, backend=backend)

    def _repr_html_(self) -> str:
        rows = [
            {
                "term": t.term[:60], "since": t.began_at.strftime("%Y-%m-%d %H:%M"), "posts": t.posts,
                "expected": t.expected, "times the usual": t.lift.value, "at least": t.lift.low,
            }
            for t in self.trends
        ]  # fmt: skip
        return html_table(rows, caption=f"{len(self)} bursts; {self.rule}", limit=15)

    def chart(self, *, limit: int = 15) -> Chart:
        """When each of the surest trends was unusual."""
        from crmcore.listening.trends.charts import trends_chart

        return trends_chart(self, limit=limit)


def trends_of(raised: Sequence[Raised], terms: Sequence[str], detector: TrendDetector, /, *, hours: int) -> Trends:
    """Result of the alarms of a watch."""
    found = sorted((_trend(r, terms[r.term], detector.level) for r in raised), key=_surest)
    return Trends(
        trends=tuple(found), terms=len(terms), hours=hours, rule=detector.rule,
        expected_false=detector.expected_false(len(terms), hours),
    )  # fmt: skip


def _surest(trend: Trend) -> tuple[float, float, str, datetime]:
    return trend.false_alarms, -trend.score, trend.term, trend.alarm_at


def _trend(raised: Raised, term: str, level: float) -> Trend:
    hour = timedelta(hours=1)
    return Trend(
        term=term,
        began_at=hour_at(raised.began_at),
        alarm_at=hour_at(raised.alarm_at) + hour,
        peak_at=hour_at(raised.peak_at) + hour,
        last_at=hour_at(raised.last_at) + hour,
        window_hours=raised.window,
        posts=round(raised.posts),
        expected=raised.expected,
        lift=_lift(raised, level),
        score=raised.score,
        false_alarms=7 * TERM_WEEKS * raised.a_day,
        ongoing=raised.ongoing,
    )


def _lift(raised: Raised, level: float) -> Estimate:
    """Ratio to the expected; its logarithm varies as 1 / posts and what the term strays beyond Poisson."""
    from statistics import NormalDist

    z = NormalDist().inv_cdf((1 + level) / 2)
    value = raised.posts / max(raised.expected, 1e-9)
    wide = math.exp(z * math.sqrt(1 / max(raised.posts, 1.0) + raised.beyond))
    return Estimate(
        value=value, low=value / wide, high=value * wide, level=level, n=round(raised.posts),
        rule="posts / expected posts", method="log-normal, negative-binomial spread",
    )  # fmt: skip
