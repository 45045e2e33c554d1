"""What is said in social media, sorted three ways: the concept, the medium that carries it, the social interface."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import UnknownName, WrongType
from crmcore.touchpoints.catalogue.entries import plain_name
from crmcore.values.words import word

__all__ = [
    "COMMON_FORMS",
    "Carrier",
    "CommonForm",
    "Concept",
    "SocialInterface",
    "SocialItem",
    "SocialItems",
    "social_item",
    "social_items",
]


class Concept(enum.StrEnum):
    """What is passed on."""

    ART = "art"
    INFORMATION = "information"
    MEME = "meme"


class Carrier(enum.StrEnum):
    """What carries it."""

    PHYSICAL = "physical"
    ELECTRONIC = "electronic"
    VERBAL = "verbal"


class SocialInterface(enum.StrEnum):
    """How it reaches people."""

    INTIMATE = "intimate and direct"
    COMMUNITY = "community engagement"
    VIRAL = "social viral"
    BROADCAST = "electronic broadcast or syndication"
    PRINT = "print and other physical media"


class CommonForm(enum.StrEnum):
    """The common forms of social media."""

    ELECTRONIC = "electronic"
    GRASS_ROOTS = "grass-roots"
    PRINT = "print"


def _concept(value: str) -> Concept:
    return word(Concept, value, "concept")


def _medium(value: str) -> Carrier:
    return word(Carrier, value, "medium")


def _interface(value: str) -> SocialInterface:
    return word(SocialInterface, value, "social interface")


def _form(value: str) -> CommonForm:
    return word(CommonForm, value, "common form")


@attrs.frozen
class SocialItem(Document):
    """Concept, medium and social interface of one kind of item, and the common form that it belongs to.

    Examples
    --------
    >>> SocialItem("flash mob", "art", "verbal", "community engagement", "grass-roots").triple
    ('art', 'verbal', 'community engagement')
    """

    name: str
    concept: Concept = attrs.field(converter=_concept)
    medium: Carrier = attrs.field(converter=_medium)
    interface: SocialInterface = attrs.field(converter=_interface)
    form: CommonForm = attrs.field(converter=_form)

    @property
    def triple(self) -> tuple[str, str, str]:
        """Concept, medium, social interface, as words."""
        return (self.concept.value, self.medium.value, self.interface.value)

    def __str__(self) -> str:
        return f"{self.name}: " + " / ".join(self.triple)


_E, _G, _P = "electronic", "grass-roots", "print"
_DIRECT, _TOGETHER, _VIRAL, _CAST, _PAPER = (i.value for i in SocialInterface)
_LISTED = (
    ("blog post", "information", "electronic", _CAST, _E),
    ("podcast", "information", "electronic", _CAST, _E),
    ("video", "art", "electronic", _CAST, _E),
    ("short video", "meme", "electronic", _VIRAL, _E),
    ("live stream", "information", "electronic", _CAST, _E),
    ("photo", "art", "electronic", _VIRAL, _E),
    ("story", "art", "electronic", _VIRAL, _E),
    ("meme", "meme", "electronic", _VIRAL, _E),
    ("hashtag challenge", "meme", "electronic", _VIRAL, _E),
    ("review", "information", "electronic", _TOGETHER, _E),
    ("comment", "information", "electronic", _TOGETHER, _E),
    ("forum thread", "information", "electronic", _TOGETHER, _E),
    ("wiki page", "information", "electronic", _TOGETHER, _E),
    ("poll", "information", "electronic", _TOGETHER, _E),
    ("group post", "information", "electronic", _TOGETHER, _E),
    ("direct message", "information", "electronic", _DIRECT, _E),
    ("chat", "information", "electronic", _DIRECT, _E),
    ("e-mail", "information", "electronic", _DIRECT, _E),
    ("newsletter", "information", "electronic", _CAST, _E),
    ("advice of a friend", "information", "verbal", _DIRECT, _G),
    ("word of mouth", "information", "verbal", _DIRECT, _G),
    ("customer meeting", "information", "verbal", _TOGETHER, _G),
    ("public speech", "information", "verbal", _TOGETHER, _G),
    ("flash mob", "art", "verbal", _TOGETHER, _G),
    ("exhibition", "art", "physical", _TOGETHER, _G),
    ("street art", "art", "physical", _VIRAL, _G),
    ("slogan", "meme", "verbal", _VIRAL, _G),
    ("poster", "art", "physical", _PAPER, _P),
    ("leaflet", "information", "physical", _PAPER, _P),
    ("book", "information", "physical", _PAPER, _P),
    ("magazine", "information", "physical", _PAPER, _P),
    ("zine", "art", "physical", _PAPER, _P),
    ("sticker", "meme", "physical", _VIRAL, _P),
    ("letter", "information", "physical", _DIRECT, _P),
)
COMMON_FORMS: Mapping[str, SocialItem] = {plain_name(row[0]): SocialItem(*row) for row in _LISTED}
"""Usual items by plain name; a reading, not a law: pass your own beside it."""


def social_item(name: str, /, *, more: Sequence[SocialItem] = ()) -> SocialItem:
    """Concept, medium and social interface of a kind of item.

    Parameters
    ----------
    name : text
        "podcast", "word of mouth"; case, spaces and punctuation do not matter.
    more : list of SocialItem
        Your own; they come before the usual ones.

    Raises
    ------
    UnknownName
        With the nearest name that is known.

    Examples
    --------
    >>> print(social_item("Word-of-mouth"), social_item("Poster").triple, sep="; ")
    word of mouth: information / verbal / intimate and direct; ('art', 'physical', 'print and other physical media')
    """
    found = _known(more).get(plain_name(name))
    if found is None:
        raise UnknownName("kind of item", name, tuple(item.name for item in _known(more).values()))
    return found


def _known(more: Sequence[SocialItem]) -> dict[str, SocialItem]:
    if not all(isinstance(item, SocialItem) for item in more):
        raise WrongType("more", "a list with something else", "a list of SocialItem", "SocialItem(name, concept, ...)")
    return {**COMMON_FORMS, **{plain_name(item.name): item for item in more}}


@attrs.frozen
class SocialItems:
    """Items of a column, None where the kind is not known."""

    of_row: tuple[SocialItem | None, ...]

    def __len__(self) -> int:
        return len(self.of_row)

    def __getitem__(self, row: int) -> SocialItem | None:
        return self.of_row[row]

    def __repr__(self) -> str:
        return f"SocialItems({len(self)} items, {sum(item is None for item in self.of_row)} of unknown kind)"

    @property
    def counts(self) -> dict[tuple[str, str, str], int]:
        """Rows of each triple, the most frequent first."""
        found: dict[tuple[str, str, str], int] = {}
        for item in self.of_row:
            if item is not None:
                found[item.triple] = found.get(item.triple, 0) + 1
        return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))

    def to_frame(self, backend: Any = None) -> Any:
        """One row an item: item, concept, medium, interface, form."""
        known = [(None,) * 5 if i is None else (i.name, *i.triple, i.form.value) for i in self.of_row]
        columns = zip(*known, strict=True) if known else [()] * 5
        return write_frame(
            {n: list(c) for n, c in zip(("item", "concept", "medium", "interface", "form"), columns, strict=True)},
            backend=backend,
        )

    def _repr_html_(self) -> str:
        rows = [{"concept": c, "medium": m, "interface": i, "items": n} for (c, m, i), n in self.counts.items()]
        return html_table(rows, caption=repr(self))


def social_items(names: Sequence[str | None], /, *, more: Sequence[SocialItem] = ()) -> SocialItems:
    """Sort a column of items; an unknown kind or None gives None, so that nothing is lost.

    Examples
    --------
    >>> social_items(["meme", "smoke signal", "Meme"]).counts
    {('meme', 'electronic', 'social viral'): 2}
    """
    known = _known(more)
    return SocialItems(tuple(None if name is None else known.get(plain_name(name)) for name in names))
