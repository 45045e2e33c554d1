"""From content to purchase: each purchase counted once, and what seeing the content changed."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import number_text
from crmcore.metrics.columns import codes_of, instants, same_length, same_people, some
from crmcore.metrics.comparing import Comparison, ComparisonTable, compare_many
from crmcore.metrics.estimates import Estimate, frame_of, warn_if_small
from crmcore.metrics.proportions import Counts
from crmcore.metrics.scalars import above

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["ContentEffect", "content_effect", "content_types", "link_purchases"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Instants = NDArray[np.datetime64]

_HOUR_US = 3_600_000_000


def link_purchases(
    view_person: ArrayLike,
    view_time: ArrayLike,
    buy_person: ArrayLike,
    buy_time: ArrayLike,
    *,
    within_hours: float = 24.0,
) -> Ints:
    """Row of the latest view that each purchase followed within some hours, −1 where there is none.

    Parameters
    ----------
    view_person, buy_person : (n,), (m,) codes or names
        Of one index of persons; −1 (a missing name) is nobody known and links nothing.
    view_time, buy_time : (n,), (m,) instants
        `datetime64` in UTC or aware datetimes.
    within_hours : number
        Above 0; a purchase at the instant of the view, or just so many hours later, counts.

    Returns
    -------
    (m,) rows of the views
        A purchase is linked to one view at most, however many there were; of views at one instant to the first row.

    Examples
    --------
    >>> views = np.array(["2026-03-01T08", "2026-03-01T12", "2026-03-01T12"], "datetime64[us]")
    >>> buys = np.array(["2026-03-01T13", "2026-03-03T13", "2026-03-01T09"], "datetime64[us]")
    >>> link_purchases([0, 0, 1], views, [0, 0, 1], buys)
    array([ 1, -1, -1])
    """
    within_hours = above("within_hours", within_hours, allowed="above 0", hint="such as 24")
    views, buys = _who_and_when(view=(view_person, view_time), buy=(buy_person, buy_time))
    (viewer, seen), (buyer, bought) = views, buys
    rows = np.flatnonzero(viewer >= 0)
    if len(rows) == 0 or len(buyer) == 0:
        return np.full(len(buyer), -1)
    everything = np.concatenate([seen[rows], bought])
    _, rank = np.unique(everything, return_inverse=True)  # ranks pack with the person into one key
    width = int(rank.max()) + 1
    keys = viewer[rows] * width + rank[: len(rows)]
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    wanted = buyer * width + rank[len(rows) :]
    place = np.searchsorted(ordered, wanted, side="right") - 1
    there = place >= 0
    place = np.searchsorted(ordered, ordered[np.maximum(place, 0)], side="left")  # the first of equal views
    view = rows[order[place]]
    gap = (bought - seen[view]).astype(np.int64)
    linked = there & (buyer >= 0) & (viewer[view] == buyer) & (gap >= 0) & (gap <= within_hours * _HOUR_US)
    return np.where(linked, view, -1)


def _who_and_when(**columns: tuple[ArrayLike, ArrayLike]) -> list[tuple[Ints, Instants]]:
    """Person and instant of each row of views, purchases, controls: one person has one code in all of them."""
    codes = same_people(**{f"{what}_person": person for what, (person, _) in columns.items()})
    read = []
    for code, (what, (_, time)) in zip(codes, columns.items(), strict=True):
        at = instants(f"{what}_time", time)
        same_length(what, **{f"{what}_person": code, f"{what}_time": at})
        read.append((code, at))
    return read


@attrs.frozen(kw_only=True)
class ContentEffect:
    """What people did within some hours of their first contact, with and without the content.

    Attributes
    ----------
    views, purchases, linked : counts
        Views; purchases in all; purchases that followed a view in time, each counted once.
    uplift : Comparison
        Share of viewers who bought within the hours after their first view, minus that of the comparison group.
    within_hours : number
    """

    views: int
    purchases: int
    linked: int
    uplift: Comparison
    within_hours: float

    @property
    def conversion(self) -> Estimate:
        """Share of viewers who bought in time."""
        return self.uplift.first

    def __str__(self) -> str:
        after = f"{number_text(self.within_hours)} h"
        head = f"{self.linked} of {self.purchases} purchases within {after} of one of {self.views} views"
        return f"{head}\nviewers  {self.uplift.first}\nothers   {self.uplift.second}\nuplift   {self.uplift}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        counts = {"views": self.views, "purchases": self.purchases, "linked": self.linked}
        return {**counts, "uplift": self.uplift.to_dict(), "within_hours": self.within_hours}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> ContentEffect:
        """Read what `to_dict` wrote."""
        return cls(**{**fields, "uplift": Comparison.from_dict(fields["uplift"])})

    def to_frame(self, *, backend: Any = None) -> Any:
        """Three rows: viewers, others, uplift."""
        parts = {"viewers": self.uplift.first, "others": self.uplift.second, "uplift": self.uplift.difference}
        return frame_of([{"part": name, **attrs.asdict(e)} for name, e in parts.items()], backend=backend)

    def chart(self) -> Chart:
        """Share of buyers among viewers and others."""
        from crmcore.charts import dot_interval

        parts = [self.uplift.first, self.uplift.second]
        title = f"Bought within {number_text(self.within_hours)} hours"
        return dot_interval(["viewers", "others"], parts, title=title, description=str(self.uplift), percent=True)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def content_effect(
    view_person: ArrayLike,
    view_time: ArrayLike,
    buy_person: ArrayLike,
    buy_time: ArrayLike,
    *,
    control_person: ArrayLike,
    control_time: ArrayLike,
    within_hours: float = 24.0,
    level: float = 0.95,
    small_sample_ok: bool = False,
) -> ContentEffect:
    """Uplift of purchases after content: viewers against people who could have seen it and did not.

    Parameters
    ----------
    view_person, view_time, buy_person, buy_time, within_hours
        As for `link_purchases`.
    control_person, control_time : (c,) codes, instants
        People of the comparison group and the instant at which each would have seen it. Persons who also viewed are
        left out of it. Only a group drawn by chance makes the uplift an effect of the content: people who choose to
        watch would have bought more anyway.

    Returns
    -------
    ContentEffect
        Every person counts once, from the first view (first control instant) on; intervals as in `compare`.

    Examples
    --------
    >>> seen = np.full(40, np.datetime64("2026-03-01T08", "us"))
    >>> bought = np.full(12, np.datetime64("2026-03-01T20", "us"))
    >>> got = content_effect(range(40), seen, range(30, 42), bought, control_person=range(40, 80), control_time=seen)
    >>> got.linked, str(got.uplift.difference)
    (10, '0.2 [0.0421, 0.356] (95 %, n = 80, newcombe)')
    """
    (viewer, seen), (other, when), (buyer, bought) = _who_and_when(
        view=(view_person, view_time), control=(control_person, control_time), buy=(buy_person, buy_time)
    )
    linked = link_purchases(viewer, seen, buyer, bought, within_hours=within_hours)
    other_only = (other >= 0) & ~np.isin(other, viewer)
    first = _converted(viewer, seen, buyer, bought, within_hours)
    second = _converted(other[other_only], when[other_only], buyer, bought, within_hours)
    warn_if_small(min(first.n, second.n), "the smaller group", ok=small_sample_ok)
    made = first.minus(second, level=level)
    rule = f"bought within {number_text(within_hours)} h / "
    uplift = attrs.evolve(
        made,
        first=attrs.evolve(made.first, rule=rule + "viewers"),
        second=attrs.evolve(made.second, rule=rule + "others"),
    )
    return ContentEffect(
        views=len(viewer),
        purchases=len(buyer),
        linked=int((linked >= 0).sum()),
        uplift=uplift,
        within_hours=within_hours,
    )


def _converted(person: Ints, time: Instants, buyer: Ints, bought: Instants, within_hours: float) -> Counts:
    """Persons, and those of them who bought within the hours after their first contact."""
    known = person >= 0
    person, time = person[known], time[known]
    order = np.lexsort((time, person))
    once = order[np.concatenate([[True], np.diff(person[order]) > 0])] if len(order) else order
    link = link_purchases(person[once], time[once], buyer, bought, within_hours=within_hours)
    return Counts(len(np.unique(link[link >= 0])), len(once))


def content_types(
    content: ArrayLike,
    view_person: ArrayLike,
    view_time: ArrayLike,
    buy_person: ArrayLike,
    buy_time: ArrayLike,
    *,
    within_hours: float = 24.0,
    adjust: str = "holm",
    level: float = 0.95,
) -> ComparisonTable:
    """Views that a purchase followed, by type of content, each type against the rest.

    Parameters
    ----------
    content : (n,) text
        Type of what was viewed: "live", "clip", "picture".
    view_person, view_time, buy_person, buy_time, within_hours
        As for `link_purchases`: a purchase counts for the latest view before it and for no other.
    adjust : text
        Correction for the number of types; see `compare_many`.

    Examples
    --------
    >>> seen = np.full(80, np.datetime64("2026-03-01T08", "us"))
    >>> bought = np.full(24, np.datetime64("2026-03-01T20", "us"))
    >>> kinds = ["live"] * 40 + ["clip"] * 40
    >>> content_types(kinds, range(80), seen, range(20, 44), bought).found()
    ('clip', 'live')
    """
    (viewer, seen), (buyer, bought_at) = _who_and_when(view=(view_person, view_time), buy=(buy_person, buy_time))
    some("views", len(viewer), "pass at least one view")
    codes, names = codes_of(content, len(viewer), "content")
    order = np.argsort(codes, kind="stable")  # of views at one instant the first name is linked, however rows lie
    codes, viewer, seen = codes[order], viewer[order], seen[order]
    link = link_purchases(viewer, seen, buyer, bought_at, within_hours=within_hours)
    bought = np.zeros(len(viewer), np.bool_)
    bought[link[link >= 0]] = True
    k, n = np.bincount(codes, weights=bought), np.bincount(codes)
    groups = {name: Counts(int(k[i]), int(n[i])) for i, name in enumerate(names)}
    return compare_many(groups, adjust=adjust, level=level)
