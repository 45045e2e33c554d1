"""Two products of one stream: monitoring (which posts need an answer now) and listening (what the weeks say)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table
from crmcore.errors import EmptyInput, OutOfRange, UnknownName
from crmcore.listening.insights.owners import Routed, route
from crmcore.listening.voices.people import authors_of
from crmcore.metrics.columns import columns_frame, numbers, truths
from crmcore.metrics.days import Period, local_periods, period_starts
from crmcore.metrics.estimates import Estimate, check_level, frame_of
from crmcore.metrics.means import mean
from crmcore.metrics.proportions import proportion
from crmcore.rules import RuleSet
from crmcore.tables import MentionTable

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["CaseFeed", "ListeningReport", "case_feed", "listening_report"]

Floats = NDArray[np.float64]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CaseFeed:
    """Posts that somebody should answer, most urgent first; made by `case_feed`."""

    mentions: MentionTable = attrs.field(repr=False)
    row: NDArray[np.int64]  # of the mentions
    owner: tuple[str, ...]
    reason: tuple[str, ...]
    urgency: Floats  # chance that it speaks badly, times 1 + log10(1 + reach)
    left_alone: int  # posts about us that need no answer

    def __len__(self) -> int:
        return len(self.row)

    def __repr__(self) -> str:
        return f"CaseFeed({len(self)} posts to answer, {self.left_alone} left alone)"

    def __str__(self) -> str:
        owners = dict.fromkeys(self.owner)
        shares = ", ".join(f"{name} {self.owner.count(name)}" for name in owners)
        return f"{len(self)} posts to answer ({shares or 'none'}), {self.left_alone} left alone"

    def to_frame(self, backend: Any = None) -> Any:
        """One row a post: id, link, owner, reason, urgency, time."""
        table = self.mentions.take(self.row)
        return columns_frame(
            {
                "post": table.mention_id.to_list(),
                "link": table.link.to_list(),
                "owner": self.owner,
                "reason": self.reason,
                "urgency": self.urgency,
                "time": table.time,
            },
            backend=backend,
        )

    def _repr_html_(self) -> str:
        rows = [{"owner": o, "reason": r, "urgency": round(u, 2)} for o, r, u in self._shown()]
        return html_table(rows, caption=str(self), limit=10)

    def _shown(self) -> list[tuple[str, str, float]]:
        return list(zip(self.owner, self.reason, self.urgency.tolist(), strict=True))[:10]


def case_feed(
    mentions: MentionTable,
    /,
    *,
    ours: ArrayLike,
    negative: ArrayLike,
    facts: Mapping[str, ArrayLike] | None = None,
    rules: RuleSet | None = None,
) -> CaseFeed:
    """Monitor: which posts about our brand need an answer, from whom, and which first.

    Reactive, post by post, our brand only; `listening_report` is the other product of the same stream.

    Parameters
    ----------
    mentions
    ours : (n,) truths
        Posts about our brand, such as the matches of a query.
    negative : (n,) chances
        That a post speaks badly, as a sentiment model gives them; NaN = cannot tell.
    facts : (n,) columns by name
        What the rules ask about: `intent`, `crisis`.
    rules
        Who owns what, see `route`; posts that fall to nobody need no answer.

    Examples
    --------
    >>> posts = MentionTable.from_frame({"text": ["Help!", "Lovely", "Hm"], "reach": [90, 10, 10]})
    >>> print(case_feed(posts, ours=[1, 1, 0], negative=[0.9, 0.1, 0.9]))
    1 posts to answer (service 1), 1 left alone
    """
    chance = numbers("negative", negative)
    about = truths("ours", ours)
    for name, column in (("ours", about), ("negative", chance)):
        if len(column) != len(mentions):
            raise OutOfRange(f"length of {name}", len(column), f"{len(mentions)}", "pass a column of the same rows")
    routed: Routed = route(mentions, facts={"negative": chance, **(facts or {})}, rules=rules)
    answer = about & np.array([owner not in ("nobody", "None") for owner in routed.owner], np.bool_)
    urgency = np.nan_to_num(chance) * (1 + np.log10(1 + np.nan_to_num(mentions.reach)))
    rows = np.flatnonzero(answer)
    rows = rows[np.lexsort((rows, -urgency[rows]))].astype(np.int64)
    return CaseFeed(
        mentions=mentions,
        row=rows,
        owner=tuple(routed.owner[i] for i in rows),
        reason=tuple(routed.rule[i] for i in rows),
        urgency=urgency[rows],
        left_alone=int((about & ~answer).sum()),
    )


@attrs.frozen(kw_only=True)
class _Cell:
    """One brand in one period."""

    brand: str
    period: date
    posts: int
    authors: int
    share: Estimate
    net: Estimate


@attrs.frozen(kw_only=True, repr=False)
class ListeningReport:
    """Voices, share and net sentiment by brand and period; made by `listening_report`."""

    cells: tuple[_Cell, ...]
    period: str

    def __len__(self) -> int:
        return len(self.cells)

    def __repr__(self) -> str:
        brands, periods = {c.brand for c in self.cells}, {c.period for c in self.cells}
        return f"ListeningReport({len(brands)} brands, {len(periods)} {self.period}s)"

    def __str__(self) -> str:
        last = max(c.period for c in self.cells)
        lines = [f"{self.period} from {last}"]
        lines += [f"  {c.brand}: {c.posts} posts, share {c.share}, net {c.net}" for c in self.cells if c.period == last]
        return "\n".join(lines)

    def rows(self) -> list[dict[str, object]]:
        """Tidy rows, ready for any chart: one a brand, period and measure, with value, low and high."""
        return [
            {
                "brand": c.brand,
                "period": c.period,
                "measure": measure,
                "value": e.value,
                "low": e.low,
                "high": e.high,
                "n": e.n,
                "method": e.method,
            }
            for c in self.cells
            for measure, e in (("share of voice", c.share), ("net sentiment", c.net))
        ]

    def to_frame(self, backend: Any = None) -> Any:
        """Frame of `rows`."""
        return frame_of(self.rows(), backend=backend)

    def _repr_html_(self) -> str:
        last = max(c.period for c in self.cells)
        rows = [
            {"brand": c.brand, "posts": c.posts, "share of voice": str(c.share), "net sentiment": str(c.net)}
            for c in self.cells
            if c.period == last
        ]
        return html_table(rows, caption=f"{self.period} from {last}")

    def chart(self, measure: str = "net sentiment") -> Chart:
        """Brands in the last period, with intervals."""
        from crmcore.charts import dot_interval

        if measure not in ("net sentiment", "share of voice"):
            raise UnknownName("measure", measure, ("net sentiment", "share of voice"))
        last = max(c.period for c in self.cells)
        shown = [c for c in self.cells if c.period == last]
        estimates = [c.net if measure == "net sentiment" else c.share for c in shown]
        title = f"{measure.capitalize()}, {self.period} from {last}"
        return dot_interval([c.brand for c in shown], estimates, title=title)


def listening_report(
    mentions: MentionTable,
    /,
    *,
    brands: Mapping[str, ArrayLike],
    net: ArrayLike,
    zone: str | ZoneInfo,
    period: Period = "week",
    level: float = 0.95,
) -> ListeningReport:
    """Listen: share of voice and net sentiment of all brands of an industry, period by period, with intervals.

    Intervals are over authors: posts of one author resemble each other. They carry chance, not the bias of the model
    that scored: correct net sentiment with labelled posts first, or compare brands and weeks, not levels.

    Parameters
    ----------
    mentions
        Posts without a time are left out.
    brands : (n,) truths by name
        Which posts are about a brand; one post may be about several and counts for each.
    net : (n,) numbers in [-1, 1]
        Chance of praise minus chance of blame; NaN = cannot tell, and left out of the net sentiment.
    zone
        Where days and weeks begin.
    period : {"day", "week", "month"}

    Raises
    ------
    EmptyInput
        No brand, or no post of a brand with a time.
    """
    check_level(level)
    if not brands:
        raise EmptyInput("brands", "name at least one: {'ours': mask}")
    score = numbers("net", net)
    flags = {name: truths(name, flag) for name, flag in brands.items()}
    for name, column in {"net": score, **flags}.items():
        if len(column) != len(mentions):
            raise OutOfRange(f"length of {name}", len(column), f"{len(mentions)}", "pass a column of the same rows")
    there = ~np.isnat(mentions.time)
    if not any((flag & there).any() for flag in flags.values()):
        raise EmptyInput("posts", "no post of a brand has a time")
    number = np.zeros(len(mentions), np.int64)
    number[there] = local_periods(mentions.time[there], zone, period=period)
    author = authors_of(mentions)
    cells = list[_Cell]()
    for p in np.unique(number[there]).tolist():
        inside = {name: np.flatnonzero(flag & there & (number == p)) for name, flag in flags.items()}
        total = sum(map(len, inside.values()))
        begin = period_starts(np.array([p]), period=period)[0]
        cells += [_cell(name, begin, rows, total, score, author, level) for name, rows in inside.items() if total]
    return ListeningReport(cells=tuple(cells), period=period)


def _cell(
    name: str, begin: date, rows: NDArray[np.int64], total: int, score: Floats, author: NDArray[np.int64], level: float
) -> _Cell:
    known = rows[~np.isnan(score[rows])]
    return _Cell(
        brand=name,
        period=begin,
        posts=len(rows),
        authors=len(np.unique(author[rows])),
        share=proportion(
            len(rows), total, level=level, rule="posts of the brand / posts of all brands", small_sample_ok=True
        ),
        net=_net(score[known], author[known], level),
    )


def _net(score: Floats, author: NDArray[np.int64], level: float) -> Estimate:
    if len(np.unique(author)) < 2:
        nothing = float("nan")
        value = float(score.mean()) if len(score) else nothing
        return Estimate(
            value=value,
            low=nothing,
            high=nothing,
            level=level,
            n=len(score),
            rule="mean net score",
            method="one author",
        )
    return mean(score, clusters=author, level=level, rule="mean net score", small_sample_ok=True)
