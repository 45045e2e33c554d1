"""The three ways to sort a touchpoint: whose it is, what it is made of, when it is met."""

from __future__ import annotations

import enum

__all__ = ["Form", "Media", "Phase"]


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
