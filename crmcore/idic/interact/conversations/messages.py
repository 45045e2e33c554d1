"""Messages of any channel: e-mails, calls, chats, counter notes; and what they refer to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

import attrs

from crmcore._base import aware, listed, mask
from crmcore.documents import Document
from crmcore.errors import DuplicateIds, EmptyInput, WrongType
from crmcore.values import Direction
from crmcore.values.words import word

__all__ = ["Message", "references_in", "same_reference"]

_REFERENCE = re.compile(
    r"\b(order|booking|reservation|case|ticket|invoice|claim|repair|trip)s?\b"
    r"(?:\s+(?:no\b\.?|nr\b\.?|number|id|ref(?:erence)?\b\.?)|\s*#)?(?:\s+is)?\s*[:#]?\s*"
    r"([A-Za-z]{0,4}[-/]?\d[A-Za-z0-9/-]*[A-Za-z0-9]|\d{2,})\b",
    re.IGNORECASE,
)


def references_in(text: str | None, /) -> tuple[str, ...]:
    """Numbers of orders, bookings, cases and the like that a text names, as `kind:code`, in their order.

    Examples
    --------
    >>> references_in("My order no. A-17 is late; is booking #7781 touched by that?")
    ('order:A-17', 'booking:7781')
    """
    found = (f"{kind.lower()}:{code.upper()}" for kind, code in _REFERENCE.findall(text or ""))
    return tuple(dict.fromkeys(found))


def same_reference(reference: str, /) -> str:
    """Key by which references are compared: the code without its kind, small and large letters alike.

    Examples
    --------
    >>> same_reference("order:a-17") == same_reference("#A-17")
    True
    """
    return reference.rpartition(":")[2].strip().lstrip("#").casefold()


def _direction(value: Direction | str) -> Direction:
    return word(Direction, value, "direction")


def _texts(value: Iterable[str]) -> tuple[str, ...]:
    return listed(value, "references", str, what="texts", hint="write ['order:A-17']")


def _named(_instance: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not isinstance(value, str) or not value.strip():
        raise EmptyInput(attribute.name, "give each message an id and a channel of its own")


@attrs.frozen(kw_only=True)
class Message(Document):
    """One thing that was said between a contact and the brand, on any channel.

    Parameters
    ----------
    id : text
        Distinct among all channels.
    contact : text, optional
        Who it was with, after identity resolution; None is not known.
    at : aware datetime
        When it was said, not when it was read in.
    channel : text
        Such as "email", "phone", "counter".
    direction : Direction
        "inbound" is the customer's, "outbound" ours.
    text : text
        What was said, or the note about it; out of the repr.
    references : texts
        Orders, bookings or cases that it is about, as `kind:code` or a bare code; those that the text names are found.

    Examples
    --------
    >>> from datetime import UTC
    >>> Message(id="m1", contact="c7", at=datetime(2026, 6, 1, 9, tzinfo=UTC), channel="email",
    ...         direction="inbound", text="Where is order A-17?").named
    ('order:A-17',)
    """

    id: str = attrs.field(validator=_named)
    contact: str | None = attrs.field(default=None, repr=mask)
    at: datetime = attrs.field(validator=aware, repr=datetime.isoformat)
    channel: str = attrs.field(validator=_named)
    direction: Direction = attrs.field(converter=_direction, repr=str)
    text: str = attrs.field(default="", repr=lambda text: f"<{len(text)} characters>")
    references: tuple[str, ...] = attrs.field(default=(), converter=_texts)

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise WrongType("text", f"a {type(self.text).__name__}", "text", "write '' where nothing was noted")
        if self.at is None:
            raise WrongType("at", "None", "an aware datetime", "a message without a time has no place in a thread")

    @property
    def named(self) -> tuple[str, ...]:
        """References that were given, then those that the text names; each once."""
        each: dict[str, str] = {}
        for reference in (*self.references, *references_in(self.text)):
            each.setdefault(same_reference(reference), reference)
        return tuple(each.values())

    @property
    def place(self) -> tuple[datetime, str]:
        """What orders messages: time, then id."""
        return self.at, self.id


def distinct(messages: Iterable[Message]) -> list[Message]:
    """Messages by time, repeats dropped; two different ones of an id are an error."""
    known: dict[str, Message] = {}
    given = listed(messages, "messages", Message, what="messages", hint="pass Message(...) values")
    odd = [i for i, m in enumerate(given) if known.setdefault(m.id, m) != m]
    if odd:
        raise DuplicateIds("messages", len(odd), tuple(odd), "messages of several systems: put the system into the id")
    return sorted(known.values(), key=lambda m: m.place)
