"""Closed sets of words, so that a frame shows words and a wrong word is an error with the nearest right one."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

from crmcore.errors import UnknownName

__all__ = ["YES_OR_NO", "CaseState", "Consent", "ContactKind", "Direction", "Fault", "Severity", "word"]

YES_OR_NO: Mapping[str, bool] = MappingProxyType(
    {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
)
"""How frames write truths, in small letters."""

E = TypeVar("E", bound=enum.StrEnum)


def word(kind: type[E], value: E | str, what: str) -> E:
    """Member of a closed set by its word.

    Examples
    --------
    >>> word(Direction, "inbound", "direction")
    <Direction.INBOUND: 'inbound'>
    """
    try:
        return kind(value)
    except ValueError:
        raise UnknownName(what, str(value), tuple(m.value for m in kind)) from None


class ContactKind(enum.StrEnum):
    """What a contact point is."""

    EMAIL = "email"
    PHONE = "phone"
    HANDLE = "handle"  # an account on a platform: channel says which
    ADDRESS = "address"
    DEVICE = "device"  # cookie, push token
    IDENTIFIER = "identifier"  # member number, loyalty card


class Direction(enum.StrEnum):
    """Who spoke."""

    INBOUND = "inbound"  # the customer to us
    OUTBOUND = "outbound"  # we to the customer


class Consent(enum.StrEnum):
    """What the customer said about one purpose on one channel."""

    GRANTED = "granted"
    WITHDRAWN = "withdrawn"
    NEVER_ASKED = "never asked"  # not the same as "no", and never treated as "yes"


class Fault(enum.StrEnum):
    """Whose doing a failure was."""

    OURS = "ours"
    PARTNER = "partner"  # whom we chose: towards the customer we answer for them, and admit nothing of our own
    NOBODY = "nobody"  # weather, force majeure
    CUSTOMER = "customer"
    UNKNOWN = "unknown"  # not established yet


class Severity(enum.IntEnum):
    """How bad a case is; 1 is worst, as incident desks count."""

    CRITICAL = 1
    HIGH = 2
    NORMAL = 3
    LOW = 4


class CaseState(enum.StrEnum):
    """Where a case stands."""

    OPEN = "open"
    WAITING = "waiting"  # for the customer
    RESOLVED = "resolved"
    CLOSED = "closed"
