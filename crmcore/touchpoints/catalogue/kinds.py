"""The three ways to sort a touchpoint: whose it is, what it is made of, when it is met."""

from __future__ import annotations

import enum
from typing import TypeVar

from crmcore.errors import UnknownName

__all__ = ["Form", "Media", "Phase", "member"]

K = TypeVar("K", bound=enum.StrEnum)


def member(kind: type[K], what: str, word: object) -> K:
    """Word of a closed list; an unknown one is refused with the nearest.

    Examples
    --------
    >>> member(Form, "form", "digital").value
    'digital'
    """
    try:
        return kind(word)  # type: ignore[arg-type]
    except ValueError:
        raise UnknownName(what, str(word), tuple(k.value for k in kind)) from None


class Media(enum.StrEnum):
    """Who speaks, and who pays for it.

    Shared and earned are often told in one breath, as what others say: `group` joins them.

    Examples
    --------
    >>> Media.SHARED.group, Media.PAID.group
    ('earned and shared', 'paid')
    """

    OWNED = "owned"  # the brand's own: website, page, official account, store
    EARNED = "earned"  # said by others of their own accord: press, reviews, a friend's advice
    SHARED = "shared"  # passed on where people meet: groups, communities, creators
    PAID = "paid"  # bought reach: advertisements, sponsored posts

    @property
    def group(self) -> str:
        """The class in the division into three."""
        return "earned and shared" if self in (Media.EARNED, Media.SHARED) else self.value


class Form(enum.StrEnum):
    """What a touchpoint is made of."""

    PHYSICAL = "physical"
    DIGITAL = "digital"


class Phase(enum.StrEnum):
    """When a customer meets it."""

    BEFORE = "before"
    DURING = "during"
    AFTER = "after"
