"""Who is written to, with what, and what was sent before."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs

from crmcore._base import aware, listed, mask
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange, WrongType
from crmcore.idic.interact.consents.statements import ANY, NEVER_US
from crmcore.values.words import word
from crmcore.zones import to_us, zone_of

__all__ = ["Contact", "Message", "MessageClass", "Send"]


class MessageClass(enum.StrEnum):
    """What kind of message it is; `policy.GATES` says which gates each has to pass."""

    PROMOTIONAL = "promotional"  # whatever the brand wants to say
    TRANSACTIONAL = "transactional"  # a receipt, a delivery, a reset: part of what the customer is doing
    CRITICAL = "critical"  # a recall, a breach, danger


def _names(value: Iterable[str]) -> tuple[str, ...]:
    found = listed(value, "channels", str, what="channels", hint="write ['line', 'email']")
    return tuple(dict.fromkeys(found))


def _zone(value: str | None) -> str | None:
    return None if value is None else str(zone_of(value))


def _reasons(value: Mapping[str, str] | Iterable[str]) -> dict[str, str]:
    """Blocked channels with the reason of each."""
    if isinstance(value, Mapping):
        return dict(value)
    return dict.fromkeys(_names(value), "blocked")


def _class(value: MessageClass | str) -> MessageClass:
    return word(MessageClass, value, "message class")


def _text(_instance: object, attribute: attrs.Attribute[str], value: object) -> None:
    if not isinstance(value, str):
        raise WrongType(attribute.name, f"a {type(value).__name__}", "text", "give each its own id")
    if not value.strip():
        raise EmptyInput(attribute.name, "give each its own id")


def _order(contact: Contact) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*contact.prefers, *contact.channels)))


def _span(message: Message) -> tuple[int, int]:
    begins = -NEVER_US if message.not_before is None else to_us(message.not_before, "not_before")
    ends = NEVER_US if message.expires_at is None else to_us(message.expires_at, "expires_at")
    if begins >= ends:
        told = f"later than not_before {message.not_before}"
        raise OutOfRange("expires_at", str(message.expires_at), told, "swap them")
    return begins, ends


def _whole(_instance: object, attribute: attrs.Attribute[int], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongType(attribute.name, f"a {type(value).__name__}", "a whole number", "0 is usual, 1 goes first")


def _us(send: Send) -> int:
    return to_us(send.at)


@attrs.frozen(hash=False)
class Contact(Document):
    """What a policy needs to know about a person: no address is kept here.

    Parameters
    ----------
    id : text
        Under which consents are kept; masked in the repr.
    channels : names
        On which there is an address.
    zone : IANA name, optional
        Of the person's own clock; None leaves it to the policy.
    prefers : names
        Channels in the order of preference; the others follow in the order of `channels`.
    blocked : mapping of channel to reason, or names
        On which the person cannot be reached: blocked by the user, bounced, switched off.
    region : text
        Whose holidays hold; "" is those of everybody.

    Examples
    --------
    >>> Contact("c7", ["email", "line"], prefers=["line"], blocked={"line": "blocked by the user"}).order
    ('line', 'email')
    """

    id: str = attrs.field(validator=_text, repr=mask)
    channels: tuple[str, ...] = attrs.field(default=(), converter=_names)
    zone: str | None = attrs.field(default=None, kw_only=True, converter=_zone)
    prefers: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=_names)
    blocked: Mapping[str, str] = attrs.field(factory=dict, kw_only=True, converter=_reasons)
    region: str = attrs.field(default="", kw_only=True)
    order: tuple[str, ...] = attrs.field(
        init=False, eq=False, repr=False, default=attrs.Factory(_order, takes_self=True)
    )
    """All channels, preferred ones first."""


@attrs.frozen
class Message(Document):
    """What is to be sent, without its text.

    Parameters
    ----------
    id : text
    purpose : text
        For which consent is needed.
    channels : names
        On which it may go, best first; () is any channel of the contact. What the contact prefers comes first.
    kind : MessageClass
    priority : whole number
        The higher one gets the last free slot of a cap.
    scope : text
        Brand or list that the consent is about; `consents.ANY` is none in particular.
    not_before, expires_at : aware datetimes, optional
        First instant at which it makes sense, and the first at which it no longer does.
    """

    id: str = attrs.field(validator=_text)
    purpose: str = attrs.field(default="marketing", validator=_text)
    channels: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=_names)
    kind: MessageClass = attrs.field(default=MessageClass.PROMOTIONAL, kw_only=True, converter=_class)
    priority: int = attrs.field(default=0, kw_only=True, validator=_whole)
    scope: str = attrs.field(default=ANY, kw_only=True, validator=_text)
    not_before: datetime | None = attrs.field(default=None, kw_only=True, validator=aware)
    expires_at: datetime | None = attrs.field(default=None, kw_only=True, validator=aware)
    span: tuple[int, int] = attrs.field(init=False, eq=False, repr=False, default=attrs.Factory(_span, takes_self=True))
    """From when and until when it makes sense, in microseconds since 1970."""


@attrs.frozen
class Send(Document):
    """One message that was sent: what caps count.

    Parameters
    ----------
    at : aware datetime
    channel : text
    kind : MessageClass
    """

    at: datetime = attrs.field(validator=aware)
    channel: str = attrs.field(default="email", validator=_text)
    kind: MessageClass = attrs.field(default=MessageClass.PROMOTIONAL, converter=_class)
    us: int = attrs.field(init=False, eq=False, repr=False, default=attrs.Factory(_us, takes_self=True))
    """The same instant in microseconds since 1970."""
