"""Lists of what somebody wants: for all eyes, for some, or for nobody else's; and what was bought already."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import attrs

from crmcore._base import aware, check_aware, html_table, listed
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import DuplicateIds, EmptyInput, OutOfRange, UnknownName
from crmcore.values.words import word

__all__ = ["Visibility", "Wish", "WishList", "watched"]


class Visibility(enum.StrEnum):
    """Who sees a list."""

    PUBLIC = "public"
    SHARED = "shared"  # with the viewers that the owner names
    PRIVATE = "private"


def _visibility(value: Visibility | str) -> Visibility:
    return word(Visibility, value, "visibility")


def _count(_instance: object, attribute: attrs.Attribute[int], value: int) -> None:
    least = 1 if attribute.name == "wanted" else 0
    if type(value) is not int or value < least:
        raise OutOfRange(attribute.name, value, f"a whole number from {least}", "remove what is not wanted any more")


@attrs.frozen(kw_only=True)
class Wish(Document):
    """One thing that is wanted.

    Parameters
    ----------
    item : text
    since : aware datetime
    wanted, bought : pieces
    private : truth
        For the owner's eyes alone, whatever the list is.
    note : text
        For the owner's eyes alone too; never shown in a repr.
    """

    item: str
    since: datetime = attrs.field(validator=aware)
    wanted: int = attrs.field(default=1, validator=_count)
    bought: int = attrs.field(default=0, validator=_count)
    private: bool = False
    note: str = attrs.field(default="", repr=lambda text: f"<{len(text)} characters>")

    def __attrs_post_init__(self) -> None:
        if not self.item:
            raise EmptyInput("item", "name what is wanted")
        if self.bought > self.wanted:
            raise OutOfRange("bought", self.bought, f"at most {self.wanted}", "nobody buys more than is wanted")

    @property
    def open(self) -> int:
        """Pieces that are still wanted."""
        return self.wanted - self.bought


def _wishes(value: Iterable[Wish]) -> tuple[Wish, ...]:
    found = listed(value, "wishes", Wish, what="wishes", hint="Wish(item='kettle', since=now)")
    again = tuple(i for i, w in enumerate(found) if w.item in {x.item for x in found[:i]})
    if again:
        raise DuplicateIds("wishes", len(again), again, "raise `wanted` instead")
    return found


def _names(value: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(listed(value, "viewers", str, what="ids", hint="viewers=['c8']"))))


@attrs.frozen(kw_only=True, repr=False)
class WishList(Document):
    """A list of one owner. A value: every change makes a new one. Private until the owner says otherwise.

    Parameters
    ----------
    id, owner : texts
        The owner is never shown in a repr.
    title : text
    visibility : Visibility
    viewers : ids
        Who sees a shared list.
    wishes : wishes

    Examples
    --------
    >>> from datetime import UTC
    >>> noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
    >>> mine = WishList(id="w1", owner="ann", visibility="public").add("kettle", at=noon)
    >>> mine = mine.add("ring", at=noon, private=True)
    >>> mine, [w.item for w in mine.seen_by("ann")], [w.item for w in mine.seen_by("bo")]
    (WishList('w1', public, 2 wishes), ['kettle', 'ring'], ['kettle'])
    """

    id: str
    owner: str
    title: str = ""
    visibility: Visibility = attrs.field(default=Visibility.PRIVATE, converter=_visibility)
    viewers: tuple[str, ...] = attrs.field(default=(), converter=_names)
    wishes: tuple[Wish, ...] = attrs.field(default=(), converter=_wishes)

    def __attrs_post_init__(self) -> None:
        if not self.id or not self.owner:
            raise EmptyInput("id" if not self.id else "owner", "a list has an id and an owner")
        if self.viewers and self.visibility is not Visibility.SHARED:
            hint = "visibility='shared' names who sees it; a public list is for all"
            raise OutOfRange("viewers", f"{len(self.viewers)} named", "nobody where the list is not shared", hint)

    def __repr__(self) -> str:
        n = len(self.wishes)
        return f"WishList({self.id!r}, {self.visibility}, {n} wish{'es' if n != 1 else ''})"

    def add(self, item: str, *, at: datetime, wanted: int = 1, private: bool = False, note: str = "") -> WishList:
        """Want something; what is there already is left as it is, with the larger number wanted."""
        check_aware(at, "at")
        new = Wish(item=item, since=at, wanted=wanted, private=private, note=note)
        known = {w.item: w for w in self.wishes}
        if item in known:
            new = attrs.evolve(known[item], wanted=max(known[item].wanted, wanted))
        return attrs.evolve(self, wishes=tuple({**known, item: new}.values()))

    def remove(self, item: str) -> WishList:
        """Want something no longer."""
        self._find(item)
        return attrs.evolve(self, wishes=tuple(w for w in self.wishes if w.item != item))

    def hide(self, item: str, *, private: bool = True) -> WishList:
        """Keep one wish to the owner, or show it again."""
        return self._with(attrs.evolve(self._find(item), private=private))

    def buy(self, item: str, *, by: str, pieces: int = 1) -> WishList:
        """Mark pieces as bought, by somebody who sees the wish.

        Raises
        ------
        UnknownName
            No such wish, or none that this person sees: both read the same, so that nothing private leaks.
        OutOfRange
            More than is still wanted.
        """
        seen = {w.item: w for w in self.seen_by(by)}
        if item not in seen:
            raise UnknownName("wish", item, tuple(seen))
        wish = seen[item]
        if not 1 <= pieces <= wish.open:
            raise OutOfRange("pieces", pieces, f"1 to {wish.open}", "that is what is still wanted")
        return self._with(attrs.evolve(self._find(item), bought=wish.bought + pieces))

    def show(self, visibility: Visibility | str, *, to: Iterable[str] = ()) -> WishList:
        """Show the list to all, to some, or to nobody."""
        return attrs.evolve(self, visibility=visibility, viewers=to)

    def seen_by(self, viewer: str | None) -> tuple[Wish, ...]:
        """Wishes for a pair of eyes; None is anybody. Private ones and notes are the owner's alone."""
        if viewer is not None and viewer == self.owner:
            return self.wishes
        named = self.visibility is Visibility.SHARED and viewer in self.viewers
        if self.visibility is not Visibility.PUBLIC and not named:
            return ()
        return tuple(attrs.evolve(w, note="") for w in self.wishes if not w.private)

    def page(self, viewer: str | None = None) -> dict[str, Any]:
        """Plain JSON of what a viewer sees, for a page; None is anybody."""
        seen = self.seen_by(viewer)
        known = bool(seen) or viewer == self.owner or self.visibility is Visibility.PUBLIC
        cells = [{"item": w.item, "wanted": w.wanted, "open": w.open} for w in seen]
        return {"id": self.id, "title": self.title if known else "", "wishes": cells}

    def to_frame(self, *, viewer: str | None = None, backend: Any = None) -> Any:
        """One row a wish that the viewer sees: item, since, wanted, bought."""
        seen = self.seen_by(viewer)
        names = ("item", "since", "wanted", "bought")
        return write_frame({n: [getattr(w, n) for w in seen] for n in names}, backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"item": w.item, "wanted": w.wanted, "open": w.open} for w in self.seen_by(None)]
        return html_table(rows, caption=repr(self))

    def _find(self, item: str) -> Wish:
        for wish in self.wishes:
            if wish.item == item:
                return wish
        raise UnknownName("wish", item, tuple(w.item for w in self.wishes if not w.private))

    def _with(self, wish: Wish) -> WishList:
        return attrs.evolve(self, wishes=tuple(wish if w.item == wish.item else w for w in self.wishes))


def watched(lists: Iterable[WishList]) -> tuple[tuple[str, str], ...]:
    """Pairs of owner and item that are still wanted, private ones too: whom a message about an item may concern.

    The message goes to the owner alone, so nothing private is shown to anybody.
    """
    given = listed(lists, "lists", WishList, what="wish lists", hint="WishList(id='w1', owner='c7')")
    return tuple(sorted({(one.owner, w.item) for one in given for w in one.wishes if w.open}))
