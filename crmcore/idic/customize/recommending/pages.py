"""A homepage for one customer: shelves with reasons, nothing twice, another page for another customer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from crmcore._base import html_table, listed, mask
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import OutOfRange
from crmcore.idic.customize.recommending.asking import Asked, folded_in
from crmcore.idic.customize.recommending.door import Recommendations, top_items
from crmcore.idic.customize.recommending.lists import TopItems
from crmcore.idic.customize.recommending.masking import Eligible
from crmcore.idic.customize.recommending.model import RecommenderModel
from crmcore.idic.customize.recommending.reasons import Scope, Source, Suggestion

__all__ = ["Page", "Shelf", "homepage"]

MOST_REASONS = 2  # shelves of the kind "because you bought"
LIKELY = 0.02  # probability to buy again, from which an item is worth a place


@attrs.frozen
class Shelf(Document):
    """Some items under one headline, with the reason why they stand there."""

    title: str
    reason: str
    items: tuple[Suggestion, ...]


@attrs.frozen(kw_only=True, repr=False)
class Page(Document):
    """Shelves of one customer, from top to bottom; no item stands on two.

    Attributes
    ----------
    customer : id, masked for eyes
    shelves : none is empty
    cold : whether nothing was known, so that the page shows what sells now
    note : what was asked for and could not be given
    """

    customer: str
    shelves: tuple[Shelf, ...]
    cold: bool
    note: str = ""

    @property
    def items(self) -> tuple[str, ...]:
        """All items, from top to bottom."""
        return tuple(s.item for shelf in self.shelves for s in shelf.items)

    def __repr__(self) -> str:
        return f"Page({mask(self.customer)}, {len(self.shelves)} shelves, {len(self.items)} items)"

    def __str__(self) -> str:
        lines = []
        for shelf in self.shelves:
            lines += [f"{shelf.title} ({shelf.reason})", *(f"  {s.item}" for s in shelf.items)]
        return "\n".join([*lines, self.note] if self.note else lines)

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {"shelf": shelf.title, "reason": shelf.reason, "item": s.item, "score": s.score}
            for shelf in self.shelves
            for s in shelf.items
        ]

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an item: shelf, reason, item, score."""
        rows = self._rows()
        return write_frame({n: [row[n] for row in rows] for n in ("shelf", "reason", "item", "score")}, backend=backend)

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=repr(self))


def homepage(
    found: Recommendations,
    customer: str | None,
    /,
    *,
    looked_at: Sequence[str] = (),
    eligible: Eligible | None = None,
    per_shelf: int = 5,
    horizon_days: float = 30.0,
) -> Page:
    """Lay out a page from what a customer bought and what is being looked at or searched for now.

    Shelves, where there is something to put on them: "Because you looked at", "Buy again" (due within the horizon),
    up to two of "Because you bought" (the purchases that speak for most), "For you", "Popular now".

    Parameters
    ----------
    found : recommendations
    customer : id, or None for a visitor whom nobody knows
    looked_at : items, optional
        Of the open session, found by search or opened; they count like purchases of today and are not shown again.
        What the catalogue does not know is named in the note.
    eligible, optional
        As in `TopItems.where`; holds for every shelf.
    per_shelf : count from 1
    horizon_days : days

    Examples
    --------
    See the how-to "recommend with reasons".
    """
    if per_shelf < 1:
        raise OutOfRange("per_shelf", per_shelf, "1 or more", "5 is usual")
    session = folded_in(found.model, listed(looked_at, "looked_at", str, what="item ids", hint="pass ['TEA']"))
    known = found.asked([customer] if customer is not None else [""])
    asked = _joined(known, session, customer or "visitor")
    builder = _Builder(found, asked, eligible, per_shelf, {found.model.items[i] for i in session.item.tolist()})
    if len(session.item):
        seen = builder.model.items[session.item[0]] if len(session.item) == 1 else f"{len(session.item)} items"
        builder.add("Because you looked at", f"goes with {seen} of this visit", builder.ranked(session, Scope.NEW))
    if len(known.item):
        due = [s for s in builder.ranked(known, Scope.AGAIN, horizon_days) if s.score >= LIKELY]
        builder.add("Buy again", f"likely used up within {horizon_days:g} days", due)
    builder.add_reasons(known)
    builder.add("For you", "fits what you bought and looked at", builder.ranked(asked, Scope.NEW))
    popular = attrs.evolve(asked, starts=np.zeros(2, np.intp), item=asked.item[:0], baskets=asked.baskets[:0],
                           age_days=asked.age_days[:0], first_age_days=asked.first_age_days[:0])  # fmt: skip
    among = "among customers like you" if asked.segments[0] is not None else "among all customers"
    builder.add("Popular now", f"sells most {among}", builder.ranked(popular, Scope.NEW, filler=True))
    lost = session.unknown.get(0, ())
    note = f"not in the catalogue: {', '.join(lost)}" if lost else ""
    return Page(customer=asked.names[0], shelves=tuple(builder.shelves), cold=not len(asked.item), note=note)


def _joined(known: Asked, session: Asked, name: str) -> Asked:
    """One history of purchases and of what is looked at now; what is in both counts as of today."""
    old = ~np.isin(known.item, session.item)
    item = np.concatenate([known.item[old], session.item])
    order = np.argsort(item, kind="stable")

    def both(field: str) -> Any:
        return np.concatenate([getattr(known, field)[old], getattr(session, field)])[order]

    return Asked(
        names=(name,), starts=np.array([0, len(item)], np.intp), item=item[order], baskets=both("baskets"),
        age_days=both("age_days"), first_age_days=both("first_age_days"), segments=known.segments,
    )  # fmt: skip


class _Builder:
    """Shelves so far, and what must not be shown any more."""

    def __init__(
        self, found: Recommendations, asked: Asked, eligible: Eligible | None, size: int, seen: set[str]
    ) -> None:
        self.found, self.model, self.asked, self.eligible, self.size = found, found.model, asked, eligible, size
        self.shelves: list[Shelf] = []
        self.shown = set(seen)
        self.had = {found.model.items[i] for i in asked.item.tolist()}

    def ranked(
        self, asked: Asked, scope: Scope, horizon_days: float = 30.0, *, filler: bool = False
    ) -> list[Suggestion]:  # fmt: skip
        model: RecommenderModel = self.model
        room = self.size + len(self.shown)
        lists: TopItems = top_items(model, asked, room, scope, self.found.repeats, 1.0, horizon_days)
        lists = attrs.evolve(lists, with_filler=filler)
        if self.eligible is not None:
            lists = lists.where(self.eligible)
        hide = self.shown if scope is Scope.AGAIN else self.shown | self.had
        return list(lists.without(hide)[asked.names[0]])

    def add(self, title: str, reason: str, items: list[Suggestion]) -> None:
        fresh = [s for s in items if s.item not in self.shown][: self.size]
        if fresh:
            again = tuple(attrs.evolve(s, rank=i + 1) for i, s in enumerate(fresh))
            self.shelves.append(Shelf(title, reason, again))
            self.shown |= {s.item for s in fresh}

    def add_reasons(self, known: Asked) -> None:
        """Shelves of the purchases that speak for most of the best items."""
        for _ in range(MOST_REASONS):
            best = [s for s in self._wide(known) if s.source is Source.HISTORY and s.because]
            groups: dict[str, list[Suggestion]] = {}
            for s in best:
                groups.setdefault(str(s.because), []).append(s)
            large = max(groups.items(), key=lambda g: (len(g[1]), g[0]), default=("", []))
            if len(large[1]) < min(2, self.size):
                return
            self.add(f"Because you bought {large[0]}", "this purchase adds most to their score", large[1])

    def _wide(self, known: Asked) -> list[Suggestion]:
        size, self.size = self.size, 4 * self.size
        try:
            return self.ranked(known, Scope.NEW)
        finally:
            self.size = size
