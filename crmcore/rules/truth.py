"""Kleene's three truth values: what is not known is neither true nor false."""

from __future__ import annotations

import enum
from collections.abc import Iterable

__all__ = ["Truth", "every", "some"]


class Truth(enum.StrEnum):
    """Answer of a condition; UNKNOWN is not FALSE, and its negation is UNKNOWN too.

    Tables of strong three-valued logic: S. C. Kleene, Introduction to Metamathematics (1952), section 64.

    Examples
    --------
    >>> Truth.UNKNOWN & Truth.FALSE, Truth.UNKNOWN | Truth.TRUE, ~Truth.UNKNOWN
    (<Truth.FALSE: 'false'>, <Truth.TRUE: 'true'>, <Truth.UNKNOWN: 'unknown'>)
    """

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, value: bool | None) -> Truth:
        """Truth of a bool, None being unknown.

        Examples
        --------
        >>> Truth.of(None)
        <Truth.UNKNOWN: 'unknown'>
        """
        return _OF[value]

    @property
    def known(self) -> bool:
        """Whether it is true or false."""
        return self is not Truth.UNKNOWN

    def __bool__(self) -> bool:
        """Only TRUE is yes: an unknown fact never opens a door."""
        return self is Truth.TRUE

    def __and__(self, other: Truth) -> Truth:
        return every((self, other))

    def __or__(self, other: Truth) -> Truth:
        return some((self, other))

    def __invert__(self) -> Truth:
        return _NOT[self]


_OF = {True: Truth.TRUE, False: Truth.FALSE, None: Truth.UNKNOWN}
_NOT = {Truth.TRUE: Truth.FALSE, Truth.FALSE: Truth.TRUE, Truth.UNKNOWN: Truth.UNKNOWN}


def every(truths: Iterable[Truth], /) -> Truth:
    """Conjunction: FALSE where one is, TRUE where all are, else UNKNOWN.

    Examples
    --------
    >>> every([Truth.TRUE, Truth.UNKNOWN])
    <Truth.UNKNOWN: 'unknown'>
    """
    found = list(truths)
    if any(t is Truth.FALSE for t in found):
        return Truth.FALSE
    return Truth.TRUE if all(t is Truth.TRUE for t in found) else Truth.UNKNOWN


def some(truths: Iterable[Truth], /) -> Truth:
    """Disjunction: TRUE where one is, FALSE where all are, else UNKNOWN.

    Examples
    --------
    >>> some([Truth.FALSE, Truth.UNKNOWN])
    <Truth.UNKNOWN: 'unknown'>
    """
    return ~every(~t for t in truths)
