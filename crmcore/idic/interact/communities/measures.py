"""How a community is doing: who takes part, who answers whom, how soon, and how much of it the brand says."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from crmcore._base import html_table
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.idic.interact.communities.community import Community
from crmcore.metrics import Estimate, proportion
from crmcore.metrics.columns import columns_frame, instant
from crmcore.metrics.estimates import estimate_of

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["BrandRole", "BrandShare", "ContentMix", "Health", "brand_share", "content_mix", "health"]


class BrandRole(enum.StrEnum):
    """What a brand is in its community, by its share of the posts."""

    CONTROLLER = "controller"
    FACILITATOR = "facilitator"
    ABSENT = "absent"


@attrs.frozen
class BrandShare(Document):
    """Share of posts by the brand, and what that makes of it; `sure` where the interval leaves the limit out."""

    share: Estimate
    role: BrandRole
    limit: float
    sure: bool

    def __str__(self) -> str:
        doubt = "" if self.sure else ", not sure: the interval holds the limit"
        return f"{self.role}: {self.share} of posts by the brand, limit {self.limit:g}{doubt}"

    def _repr_html_(self) -> str:
        return html_table([{"role": self.role.value, "share of posts": self.share.value, "limit": self.limit}])


def brand_share(community: Community, /, *, limit: float = 0.5) -> BrandShare:
    """How much of the talk is the brand's.

    Parameters
    ----------
    limit : share
        Above it the brand is the controller of its community, up to it the facilitator; without a post it is absent.

    Examples
    --------
    >>> posts = [{"id": str(i), "author": "us" if i < 8 else "ann", "at": f"2026-05-01T0{i}:00Z"} for i in range(10)]
    >>> print(brand_share(Community.from_frame(posts, staff=["us"])))
    controller: 0.8 [0.49, 0.943] (95 %, n = 10, wilson) of posts by the brand, limit 0.5, not sure: the interval \
holds the limit
    """
    _limit(limit)
    k, n = int(community.by_staff.sum()), len(community)
    share = proportion(k, n, rule="posts by the brand / posts", small_sample_ok=True)
    role = BrandRole.ABSENT if not k else BrandRole.CONTROLLER if k > limit * n else BrandRole.FACILITATOR
    return BrandShare(share, role, limit, share.excludes(limit))


def _limit(limit: float) -> None:
    if not 0 < limit < 1:
        raise OutOfRange("limit", limit, "a share between 0 and 1", "limit=0.5")


@attrs.frozen
class ContentMix(Document):
    """What posts are for: share of those that promote, with the limit above which it is persuasion."""

    promoting: Estimate
    counts: Mapping[str, int]
    limit: float
    warning: str | None

    def __str__(self) -> str:
        return f"{self.promoting} of posts promote" + (f"; {self.warning}" if self.warning else "")

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a kind: kind, posts."""
        return columns_frame({"kind": list(self.counts), "posts": list(self.counts.values())}, backend=backend)

    def chart(self) -> Chart:
        """Posts by kind."""
        from crmcore.charts import bar

        return bar(list(self.counts), list(self.counts.values()), title="What posts are for")

    def _repr_html_(self) -> str:
        rows = [{"kind": kind, "posts": n} for kind, n in self.counts.items()]
        return html_table(rows, caption=str(self))


def content_mix(kinds: Mapping[str, int] | list[str], /, *, promote: str = "promote", limit: float = 0.5) -> ContentMix:
    """Share of posts that promote, and a warning above the limit.

    Parameters
    ----------
    kinds : list of kinds, or counts by kind
        `"promote"`, `"help"`, or any others; None is left out (nobody judged it).
    promote : kind
        That persuades; all others attract.
    limit : share
        Exactly at the limit is still fine.

    Examples
    --------
    >>> print(content_mix({"promote": 7, "help": 3}))
    0.7 [0.397, 0.892] (95 %, n = 10, wilson) of posts promote; above the limit of 0.5: help more, promote less
    """
    _limit(limit)
    if isinstance(kinds, Mapping):
        counts = {k: int(n) for k, n in kinds.items()}
    else:
        counts = {}
        for kind in kinds:
            if kind is not None:
                counts[kind] = counts.get(kind, 0) + 1
    if any(n < 0 for n in counts.values()) or not sum(counts.values()):
        raise EmptyInput("kinds", "give at least one post, and no count below 0")
    k, n = counts.get(promote, 0), sum(counts.values())
    warning = f"above the limit of {limit:g}: help more, promote less" if k > limit * n else None
    share = proportion(k, n, rule="posts that promote / posts", small_sample_ok=True)
    return ContentMix(share, dict(sorted(counts.items())), limit, warning)


@attrs.frozen
class Health(Document):
    """Measures of a community at one instant, each with its interval where it is an estimate.

    `density` and `reciprocity` are counted, not sampled: they describe this network of replies.

    Parameters
    ----------
    members, writers, posts, replies : counts
        Members of the brand are members.
    density : share
        Ordered pairs of members of which the first answered the second, over n (n - 1); NaN below two members.
    reciprocity : share
        Of those pairs, how many were answered back; NaN without any.
    participation : Estimate
        Members who wrote / members.
    concentration : share
        Of posts that the busiest tenth of the writers (at least one) wrote; NaN without posts.
    answered : Estimate
        Opening posts that somebody else answered within `within_hours`, of those whose time is over.
    first_reply_hours : Estimate
        Median until somebody else answers an opening post (Kaplan-Meier: what is still open counts as open).
    brand : BrandShare
    """

    members: int
    writers: int
    posts: int
    replies: int
    density: float
    reciprocity: float
    participation: Estimate
    concentration: float
    within_hours: float
    answered: Estimate
    first_reply_hours: Estimate
    brand: BrandShare

    def _rows(self) -> list[dict[str, Any]]:
        told: dict[str, Estimate | float] = {
            "participation": self.participation, f"answered in {self.within_hours:g} h": self.answered,
            "hours to first reply": self.first_reply_hours, "brand share": self.brand.share,
            "density": self.density, "reciprocity": self.reciprocity, "share of busiest tenth": self.concentration,
        }  # fmt: skip
        nan = float("nan")
        return [
            {"measure": name, "value": x.value, "low": x.low, "high": x.high, "n": x.n}
            if isinstance(x, Estimate)
            else {"measure": name, "value": x, "low": nan, "high": nan, "n": self.posts}
            for name, x in told.items()
        ]

    def __str__(self) -> str:
        head = f"{self.members} members, {self.writers} wrote {self.posts} posts, {self.replies} of them replies"
        lines = [f"  {r['measure']:24}{r['value']:.3g}" + ("" if np.isnan(r["low"]) else f" [{r['low']:.3g}, {r['high']:.3g}]") for r in self._rows()]  # fmt: skip  # noqa: E501
        return "\n".join([head, *lines, f"  the brand is {self.brand.role}"])

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a measure: measure, value, low, high, n."""
        rows = self._rows()
        return columns_frame({k: [r[k] for r in rows] for k in rows[0]}, backend=backend)

    def chart(self) -> Chart:
        """Shares with their intervals; without posts there is none."""
        from crmcore.charts import dot_interval

        if not self.posts:
            raise EmptyInput("the community", "there is nothing to draw before somebody wrote")
        shares = {"participation": self.participation, "answered": self.answered, "brand share": self.brand.share}
        shown = {name: share for name, share in shares.items() if share.n}
        return dot_interval(list(shown), list(shown.values()), title="Health of the community", percent=True)

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=str(self).partition("\n")[0])


def health(community: Community, /, *, now: datetime, within_hours: float = 24, limit: float = 0.5) -> Health:
    """Measure a community.

    Parameters
    ----------
    now : aware datetime
        Posts after it do not exist yet.
    within_hours : hours
        In which a question should be answered.
    limit : share
        Of posts above which the brand controls the talk.

    Examples
    --------
    >>> from datetime import UTC
    >>> posts = [{"id": "1", "author": "ann", "at": "2026-05-01T09:00Z"},
    ...          {"id": "2", "author": "ben", "at": "2026-05-01T11:00Z", "reply_to": "1"},
    ...          {"id": "3", "author": "ann", "at": "2026-05-01T12:00Z", "reply_to": "2"}]
    >>> found = health(Community.from_frame(posts, members=["cyd"]), now=datetime(2026, 5, 3, tzinfo=UTC))
    >>> round(found.density, 3), found.reciprocity, found.first_reply_hours.value
    (0.333, 1.0, 2.0)
    """
    if not within_hours > 0:
        raise OutOfRange("within_hours", within_hours, "above 0", "within_hours=24")
    end = instant("now", now)
    seen = community.where(community.at <= end)
    graph = seen.graph()
    per = np.bincount(seen.author[seen.author >= 0], minlength=len(seen.members))
    writers, members = int((per > 0).sum()), len(seen.members)
    busiest = np.sort(per)[::-1][: max(1, -(-writers // 10))].sum() / per.sum() if writers else float("nan")
    answered, median = _replies(seen, end, within_hours)
    return Health(
        members=members, writers=writers, posts=len(seen), replies=int(seen.answers.sum()), density=graph.density,
        reciprocity=graph.reciprocity, concentration=float(busiest), within_hours=float(within_hours),
        participation=proportion(writers, members, rule="members who wrote / members", small_sample_ok=True),
        answered=answered, first_reply_hours=median, brand=brand_share(seen, limit=limit),
    )  # fmt: skip


def first_reply_hours(community: Community, /) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(n,) hours until somebody else answered each post directly; infinite where nobody did.

    Two posts of unknown authors count as of two people.
    """
    rows = np.flatnonzero(community.reply_to >= 0)
    parent = community.reply_to[rows]
    other = (community.author[rows] != community.author[parent]) | (community.author[rows] < 0)
    rows, parent = rows[other], parent[other]
    wait = (community.at[rows] - community.at[parent]) / np.timedelta64(3_600_000_000, "us")
    found = np.full(len(community), np.inf)
    np.minimum.at(found, parent, np.maximum(wait, 0.0))
    return found


def _replies(seen: Community, end: np.datetime64, within: float) -> tuple[Estimate, Estimate]:
    """Share answered in time of what had its time, and the median wait."""
    from crmcore.metrics.durations.survival import kaplan_meier

    opening = ~seen.answers & ~seen.by_staff
    wait = first_reply_hours(seen)[opening]
    age = (end - seen.at[opening]) / np.timedelta64(3_600_000_000, "us")
    ripe = age >= within
    share = proportion(int((wait[ripe] <= within).sum()), int(ripe.sum()), rule=f"answered in {within:g} h / opening posts of that age", small_sample_ok=True)  # fmt: skip  # noqa: E501
    rule, n = "median hours to the first reply", len(wait)
    if not n:
        return share, estimate_of(np.nan, np.nan, np.nan, level=0.95, n=0, rule=rule, method="kaplan-meier")
    table = kaplan_meier(np.minimum(wait, np.maximum(age, 0.0)), wait <= age, unit="hours")
    return share, attrs.evolve(table.median(small_sample_ok=True), rule=rule)
