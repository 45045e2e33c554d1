"""What a trend moves: do those who take part speak more of an aspect, and how much of its change does that explain."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import between, check_aware, html_table, number_text
from crmcore.documents import Document
from crmcore.errors import EmptyInput
from crmcore.listening.voices.people import authors_of, flag, flags
from crmcore.metrics.columns import instant
from crmcore.metrics.comparing import Comparison, compare, p_text
from crmcore.metrics.estimates import Estimate, frame_of
from crmcore.metrics.multiplicity import adjust
from crmcore.metrics.proportions import Counts
from crmcore.metrics.scalars import nan_alike
from crmcore.tables import MentionTable

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["AspectLink", "AspectLinks", "link_aspects"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@attrs.frozen(kw_only=True)
class AspectLink(Document):
    """One aspect and a trend.

    Parameters
    ----------
    aspect : name
    with_trend : Comparison
        Share of the voices that speak of the aspect: of those who take part in the trend minus all others, since it
        began.
    over_time : Comparison
        Share of all voices that speak of the aspect: since the trend began minus before.
    explained : Estimate
        Part of `over_time` that comes from more people taking part in the trend, in the same unit.
    p_adjusted : probability
        Of `explained` being 0, Benjamini-Hochberg over the aspects.
    verdict : words
        "raises", "lowers" or "no link".
    """

    aspect: str
    with_trend: Comparison
    over_time: Comparison
    explained: Estimate
    p_adjusted: float = attrs.field(eq=nan_alike)
    verdict: str

    def __str__(self) -> str:
        parts = [f"{100 * part:+.1f}" for part in (self.explained.value, self.explained.low, self.explained.high)]
        p = "no test" if math.isnan(self.p_adjusted) else p_text(self.p_adjusted)
        whole = f"{100 * self.over_time.difference.value:+.1f}"
        return f"{self.aspect}: {self.verdict}, {parts[0]} points [{parts[1]}, {parts[2]}] of {whole} ({p})"


@attrs.frozen(kw_only=True, repr=False)
class AspectLinks(Document):
    """Aspects by what a trend does to them, the largest part first.

    Parameters
    ----------
    links
    trend : Comparison
        Share of the voices that take part in the trend: since it began minus before.
    since : instant
    """

    links: tuple[AspectLink, ...]
    trend: Comparison
    since: datetime

    def __len__(self) -> int:
        return len(self.links)

    def __iter__(self) -> Iterator[AspectLink]:
        return iter(self.links)

    def __getitem__(self, i: int) -> AspectLink:
        return self.links[i]

    def __repr__(self) -> str:
        return f"AspectLinks({len(self)} aspects, since {self.since:%Y-%m-%d})"

    def __str__(self) -> str:
        first, second = (number_text(100 * e.value) for e in (self.trend.first, self.trend.second))
        head = f"trend: {first} % of the voices since {self.since:%Y-%m-%d}, {second} % before"
        return "\n".join([head, *(f"  {link}" for link in self.links)])

    def to_frame(self, backend: Any = None) -> Any:
        """One row an aspect."""
        rows = [
            {
                "aspect": link.aspect, "with_trend": link.with_trend.first.value,
                "others": link.with_trend.second.value, "since": link.over_time.first.value,
                "before": link.over_time.second.value, "explained": link.explained.value,
                "low": link.explained.low, "high": link.explained.high, "p_adjusted": link.p_adjusted,
                "verdict": link.verdict,
            }
            for link in self.links
        ]  # fmt: skip
        return frame_of(rows, backend=backend)

    def _repr_html_(self) -> str:
        rows = [
            {
                "aspect": link.aspect[:60], "verdict": link.verdict, "points explained": 100 * link.explained.value,
                "of": 100 * link.over_time.difference.value,
            }
            for link in self.links
        ]  # fmt: skip
        return html_table(rows, caption="what the trend does to each aspect", limit=15)

    def chart(self) -> Chart:
        """Part of the change that the trend explains, with intervals."""
        from crmcore.charts import dot_interval

        shown = [link for link in self.links if math.isfinite(link.explained.low + link.explained.high)]
        return dot_interval(
            [link.aspect for link in shown], [link.explained for link in shown],
            title="Change in the share of voices that the trend explains", description=str(self), percent=True,
            reference=0.0,
        )  # fmt: skip


@attrs.frozen
class _Asked:
    before_days: float = attrs.field(validator=between(1 / 24, 3660, hint="days before the trend to compare with"))
    level: float = attrs.field(validator=between(1e-6, 1 - 1e-6, hint="write 95 % as level=0.95"))


def link_aspects(
    mentions: MentionTable,
    trend: ArrayLike,
    /,
    *,
    aspects: Mapping[str, ArrayLike],
    since: datetime,
    before_days: float = 28.0,
    level: float = 0.95,
) -> AspectLinks:
    """Tell what a rising topic does to what people expect, such as "vegan" to how much they speak of ingredients.

    With p the share of voices that take part in the trend and a the share that speaks of the aspect, among those who
    take part (in) and the others (out), the change in all voices is the sum of three parts::

        a_since - a_before = (p_since - p_before) (in_since - out_since)     more take part: `explained`
                           + p_before (in_since - in_before)                 those who take part change
                           + (1 - p_before) (out_since - out_before)         the others change

    Parameters
    ----------
    mentions
    trend : (n,) truths
        Posts of the trend, such as those with its term.
    aspects : (n,) truths by name
        Posts that speak of each aspect.
    since : aware datetime
        When the trend began.
    before_days : duration
        How far back "before" reaches.
    level : share
        Of intervals.

    Returns
    -------
    AspectLinks
        Voices are authors, each once a period; the interval of `explained` is that of the delta method. That a trend
        and an aspect rise together is no proof that one causes the other.

    Raises
    ------
    EmptyInput
        No posts since then, or none before; no aspects.
    """
    asked = _Asked(before_days, level)
    check_aware(since, "since")
    n = len(mentions)
    takes = flag("trend", trend, n)
    held = flags(aspects, n)
    begin, first = instant("since", since), instant("since", since - timedelta(days=asked.before_days))
    time = mentions.time
    after, before = time >= begin, (time >= first) & (time < begin)
    for name, period in (("posts since the trend began", after), ("posts before the trend", before)):
        if not period.any():
            raise EmptyInput(name, "look at since= and before_days=, and at the times of the posts")
    author = authors_of(mentions)
    cells = {name: (_cells(author, after, takes, of), _cells(author, before, takes, of)) for name, of in held.items()}
    parts = {name: _explained(*pair, level=asked.level) for name, pair in cells.items()}
    p = adjust([chance for _, chance in parts.values()], method="benjamini-hochberg")
    links = [
        _link(name, *cells[name], parts[name][0], chance, asked.level)
        for name, chance in zip(parts, p.tolist(), strict=True)
    ]
    links.sort(key=lambda link: (-abs(link.explained.value), link.aspect))
    now_, then = next(iter(cells.values()))
    trend_test = compare(_share(now_[0], now_.sum()), _share(then[0], then.sum()), level=level, small_sample_ok=True)
    return AspectLinks(links=tuple(links), trend=trend_test, since=since)


def _cells(author: Ints, period: Bools, takes: Bools, of: Bools) -> Ints:
    """(2, 2) voices of a period: takes part (yes, no) x speaks of the aspect (yes, no)."""
    people, who = np.unique(author[period], return_inverse=True)
    part, speaks = (np.bincount(who, mask[period], len(people)) > 0 for mask in (takes, of))
    return np.array(
        [[(part & speaks).sum(), (part & ~speaks).sum()], [(~part & speaks).sum(), (~part & ~speaks).sum()]]
    )


def _share(some: NDArray[np.integer] | int, n: int | np.integer) -> Counts:
    return Counts(int(np.sum(some)), int(n))


def _explained(since: Ints, before: Ints, /, *, level: float) -> tuple[Estimate, float]:
    """(p_since - p_before)(in - out) with its interval, and the p-value of its being 0.

    Shares of small groups are drawn a little to the middle (half a voice each way), so that their variance is not 0.
    """
    from statistics import NormalDist

    n, m = int(since.sum()), int(before.sum())
    rows = since.sum(axis=1)
    p1, p0 = rows[0] / n, before[0].sum() / m
    speak = since[:, 0] / np.maximum(rows, 1)
    gap, growth = speak[0] - speak[1], p1 - p0
    smooth = (since[:, 0] + 0.5) / (rows + 1)
    var_gap = float((smooth * (1 - smooth) / np.maximum(rows, 1)).sum())
    q1, q0 = (rows[0] + 0.5) / (n + 1), (before[0].sum() + 0.5) / (m + 1)
    var_growth = float(q1 * (1 - q1) / n + q0 * (1 - q0) / m)
    known = bool(rows.all())
    value = float(growth * gap) if known else math.nan
    # Of a product of independent estimates; the last term keeps the error honest where both are near 0.
    error = math.sqrt(growth**2 * var_gap + gap**2 * var_growth + var_gap * var_growth) if known else math.nan
    z = NormalDist().inv_cdf((1 + level) / 2)
    # Both must differ from 0 for their product to: the larger of two p-values is a valid one for the product.
    weakest = min(abs(growth) / math.sqrt(var_growth), abs(gap) / math.sqrt(var_gap)) if known else math.nan
    chance = math.erfc(weakest / math.sqrt(2)) if known else math.nan
    made = Estimate(
        value=value, low=value - z * error, high=value + z * error, level=level, n=n + m,
        rule="change in the share of voices by growth of the trend", method="delta",
    )  # fmt: skip
    return made, chance


def _link(name: str, since: Ints, before: Ints, explained: Estimate, p: float, level: float) -> AspectLink:
    taking, others = (_share(row[0], row.sum()) for row in since)
    now_, then = (_share(table[:, 0], table.sum()) for table in (since, before))
    sure = p <= 1 - level
    return AspectLink(
        aspect=name,
        with_trend=compare(taking, others, level=level, small_sample_ok=True),
        over_time=compare(now_, then, level=level, small_sample_ok=True),
        explained=explained,
        p_adjusted=p,
        verdict="no link" if not sure else "raises" if explained.value > 0 else "lowers",
    )
