"""Reach at risk: how many people a public complaint may turn away, each counted once."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, number_text
from crmcore.errors import OutOfRange
from crmcore.metrics.columns import columns_frame, numbers, refuse
from crmcore.metrics.estimates import Estimate
from crmcore.metrics.scalars import share_of
from crmcore.tables import MentionTable

__all__ = ["ReachAtRisk", "reach_at_risk"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ReachAtRisk:
    """People who are exposed to posts, in all and by author; made by `reach_at_risk`.

    Parameters
    ----------
    row : (n,) rows
        Of the mentions: for each author the post with the highest priority, highest first.
    post : ids
    audience : (n,) people
        Audience of the author; NaN = unknown.
    exposed : (n,) people
        Audience times view rate.
    priority : (n,) people
        Exposed times the chance that the post speaks badly of us: whom to answer first.
    audience_low, audience_high : people
        Unique people of all audiences: at least the largest one, at most all of them together; equal where the members
        are given.
    exposed_low, exposed_high : people
        These times the view rate, and its interval where it is an `Estimate`.
    unknown : count
        Authors whose audience nobody knows; they count 0.
    """

    row: Ints
    post: tuple[str, ...]
    audience: Floats
    exposed: Floats
    priority: Floats
    audience_low: float
    audience_high: float
    exposed_low: float
    exposed_high: float
    unknown: int

    def __len__(self) -> int:
        return len(self.row)

    def __repr__(self) -> str:
        return f"ReachAtRisk({len(self)} authors, {_span(self.exposed_low, self.exposed_high)} exposed)"

    def __str__(self) -> str:
        exposed, audience = _span(self.exposed_low, self.exposed_high), _span(self.audience_low, self.audience_high)
        silent = f"; of {self.unknown} the audience is unknown" if self.unknown else ""
        return f"{exposed} people exposed of {audience} who follow {len(self)} authors{silent}"

    def to_frame(self, backend: Any = None) -> Any:
        """One row an author: the post to answer first, audience, exposed, priority."""
        names = ("post", "audience", "exposed", "priority")
        return columns_frame({name: getattr(self, name) for name in names}, backend=backend)

    def _repr_html_(self) -> str:
        names = ("audience", "exposed", "priority")
        rows = [{n: round(getattr(self, n)[i].item(), 1) for n in names} for i in range(min(len(self), 10))]
        return html_table(rows, caption=str(self))


def _span(low: float, high: float) -> str:
    return number_text(low) if low == high else f"{number_text(low)} to {number_text(high)}"


def reach_at_risk(
    mentions: MentionTable,
    /,
    *,
    view_rate: float | Estimate,
    negative: ArrayLike | None = None,
    audiences: Mapping[str, Collection[Hashable]] | None = None,
) -> ReachAtRisk:
    """Count the people whom posts may reach and turn away.

    An author's audience counts once however often he posts. Audiences of different authors may overlap: without their
    members only bounds can be told. To count everybody who follows as now more reluctant is the upper bound with a view
    rate of 1.

    Parameters
    ----------
    mentions
        Posts of concern, such as the complaints of a day; `reach` is the audience.
    view_rate : share
        Of an audience that sees a post; an `Estimate` carries its interval on.
    negative : (n,) chances
        That each post speaks badly of us, as from a sentiment model; None takes all for complaints.
    audiences : members by author
        Followers by name or code, where they are known: duplicates between authors are removed exactly.

    Raises
    ------
    BadRows
        Reaches below 0; chances outside 0 to 1.

    Examples
    --------
    >>> posts = MentionTable.from_frame({"text": ["Never!", "Never ever!"], "author": ["z", "z"], "reach": [20000] * 2})
    >>> print(reach_at_risk(posts, view_rate=0.1))
    2,000 people exposed of 20,000 who follow 1 authors
    """
    seen = view_rate if isinstance(view_rate, Estimate) else None
    rate = share_of("view_rate", view_rate.value if isinstance(view_rate, Estimate) else view_rate, hint="0.1 = 10 %")
    n = len(mentions)
    chance = np.ones(n) if negative is None else numbers("negative", negative)
    if len(chance) != n:
        raise OutOfRange("length of negative", len(chance), f"{n}, one a mention", "score the same rows")
    refuse(
        "mentions",
        "reach counts people, chances are shares: leave out posts that could not be scored",
        reach=(mentions.reach < 0, "below 0"),
        negative=(~((chance >= 0) & (chance <= 1)), "no share"),
    )
    author = np.where(mentions.author.codes >= 0, mentions.author.codes, len(mentions.author.values) + np.arange(n))
    distinct, of = np.unique(author, return_inverse=True)
    audience = _audience(mentions, of, len(distinct), audiences)
    best = np.lexsort((np.arange(n), -chance, of))
    first = best[np.concatenate(([True], of[best][1:] != of[best][:-1]))] if n else best
    priority = np.nan_to_num(audience) * rate * chance[first]
    order = np.lexsort((first, -priority))
    low, high = _bounds(mentions, audience, audiences)
    return ReachAtRisk(
        row=first[order],
        post=tuple(mentions.mention_id.take(first[order]).to_list()),  # type: ignore[arg-type]
        audience=audience[order],
        exposed=(audience * rate)[order],
        priority=priority[order],
        audience_low=low,
        audience_high=high,
        exposed_low=low * (rate if seen is None else seen.low),
        exposed_high=high * (rate if seen is None else seen.high),
        unknown=int(np.isnan(audience).sum()),
    )


def _audience(mentions: MentionTable, of: Ints, n: int, audiences: Mapping[str, Collection[Hashable]] | None) -> Floats:
    """(n,) audience of each author: its members where they are known, else the largest reach told."""
    found = np.full(n, np.nan)
    np.fmax.at(found, of, mentions.reach)
    for code, name in enumerate(mentions.author.values):
        rows = np.flatnonzero(mentions.author.codes == code)
        if audiences and name in audiences and len(rows):
            found[of[rows[0]]] = len(set(audiences[name]))
    return found


def _bounds(
    mentions: MentionTable, audience: Floats, audiences: Mapping[str, Collection[Hashable]] | None
) -> tuple[float, float]:
    """Unique people of all audiences, at least and at most."""
    if not len(audience) or np.isnan(audience).all():
        return 0.0, 0.0
    largest, together = float(np.nanmax(audience)), float(np.nansum(audience))
    if not audiences:
        return largest, together
    there = [
        name for code, name in enumerate(mentions.author.values) if name in audiences and code in mentions.author.codes
    ]
    members = set[Hashable]().union(*(audiences[name] for name in there))
    counted = sum(len(set(audiences[name])) for name in there)
    return max(largest, float(len(members))), together - counted + len(members)
