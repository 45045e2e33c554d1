"""Facts about customers: frozen values, masked for eyes, with aware times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs

from crmcore._base import aware, mask
from crmcore.errors import OutOfRange
from crmcore.values.money import Money
from crmcore.values.words import CaseState, Consent, ContactKind, Direction, Severity, word

__all__ = ["Case", "ConsentRecord", "ContactPoint", "Interaction", "Mention", "Offer", "Order", "Record", "Response"]


def _masked(value: object) -> str:
    return "None" if value is None else mask(value)


def _keys(value: Mapping[str, str]) -> str:
    return f"<{', '.join(value)}>"


def _length(value: str | None) -> str:
    return "None" if value is None else f"<{len(value)} characters>"


def _contact_kind(value: ContactKind | str) -> ContactKind:
    return word(ContactKind, value, "contact kind")


def _direction(value: Direction | str | None) -> Direction | None:
    return None if value is None else word(Direction, value, "direction")


def _consent(value: Consent | str) -> Consent:
    return word(Consent, value, "consent")


def _severity(value: Severity | int) -> Severity:
    if value not in tuple(Severity):
        raise OutOfRange("severity", value, "1 to 4", "1 is critical, 2 high, 3 normal, 4 low")
    return Severity(value)


def _state(value: CaseState | str) -> CaseState:
    return word(CaseState, value, "case state")


def _copy(value: Mapping[str, str]) -> dict[str, str]:
    return dict(value)


@attrs.frozen
class ContactPoint:
    """One way to reach or recognise a person, whole for matching and masked for eyes.

    Examples
    --------
    >>> ContactPoint("email", "anna@example.org")
    ContactPoint(kind=<ContactKind.EMAIL: 'email'>, value=a•••@example.org, channel=None)
    """

    kind: ContactKind = attrs.field(converter=_contact_kind)
    value: str = attrs.field(repr=mask)
    channel: str | None = None  # platform of a handle, such as "line"


@attrs.frozen(hash=False)
class Record:
    """One line of a source system: raw text by column, missing cells left out."""

    record_id: str
    source: str
    fields: Mapping[str, str] = attrs.field(converter=_copy, repr=_keys)
    time: datetime | None = attrs.field(default=None, validator=aware)


@attrs.frozen(hash=False)
class Interaction:
    """Something that happened between a customer and the brand, on any channel; None is unknown.

    Examples
    --------
    >>> from datetime import UTC
    >>> Interaction("c7", datetime(2026, 3, 1, 9, tzinfo=UTC), kind="question", direction="inbound").kind
    'question'
    """

    customer: str | None
    time: datetime = attrs.field(validator=aware)
    channel: str | None = None
    touchpoint: str | None = None
    kind: str | None = None
    direction: Direction | None = attrs.field(default=None, converter=_direction)
    reference: str | None = None  # order, case, thread or campaign that it belongs to
    amount: Money | None = None
    attributes: Mapping[str, str] = attrs.field(factory=dict, converter=_copy, repr=_keys)


@attrs.frozen(hash=False)
class Order:
    """One line of an order; a refund has a negative amount. An order without detail is one line."""

    customer: str | None
    time: datetime = attrs.field(validator=aware)
    amount: Money
    order_id: str | None = None
    product: str | None = None
    quantity: int = 1
    attributes: Mapping[str, str] = attrs.field(factory=dict, converter=_copy, repr=_keys)


@attrs.frozen
class Response:
    """One answer to one question of a survey; `score` None is "not answered"."""

    customer: str | None
    question: str
    score: float | None = None
    text: str | None = attrs.field(default=None, repr=_length)
    time: datetime | None = attrs.field(default=None, validator=aware)
    survey: str | None = None
    touchpoint: str | None = None


@attrs.frozen(hash=False)
class Mention:
    """A public post that may concern the brand; the author is masked and the text is not shown in a repr."""

    mention_id: str
    text: str | None = attrs.field(repr=_length)
    author: str | None = attrs.field(default=None, repr=_masked)
    time: datetime | None = attrs.field(default=None, validator=aware)
    channel: str | None = None
    link: str | None = attrs.field(default=None, repr=_length)  # a link names its author too
    reply_to: str | None = None  # mention_id
    customer: str | None = None
    reach: float | None = None  # people who could see it
    attributes: Mapping[str, str] = attrs.field(factory=dict, converter=_copy, repr=_keys)


@attrs.frozen(hash=False)
class Offer:
    """What the brand can give or propose, with its price and when it holds."""

    offer_id: str
    title: str
    price: Money | None = None
    starts_at: datetime | None = attrs.field(default=None, validator=aware)
    ends_at: datetime | None = attrs.field(default=None, validator=aware)
    attributes: Mapping[str, str] = attrs.field(factory=dict, converter=_copy)

    def __attrs_post_init__(self) -> None:
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise OutOfRange(
                "ends_at", self.ends_at.isoformat(), f"later than {self.starts_at.isoformat()}", "swap them"
            )


@attrs.frozen
class ConsentRecord:
    """What one customer said, when and where, about one purpose on one channel.

    Examples
    --------
    >>> from datetime import UTC
    >>> said = ConsentRecord("c7", "marketing", "sms", "withdrawn", datetime(2026, 3, 1, tzinfo=UTC))
    >>> said.consent is Consent.WITHDRAWN
    True
    """

    customer: str
    purpose: str  # such as "marketing", "service", "research"
    channel: str
    consent: Consent = attrs.field(converter=_consent)
    at: datetime = attrs.field(validator=aware)
    source: str | None = None  # form, call, import
    expires_at: datetime | None = attrs.field(default=None, validator=aware)

    def holds(self, *, now: datetime) -> bool:
        """Whether this record permits contact at `now`: granted, begun and not expired."""
        begun = self.consent is Consent.GRANTED and self.at <= now
        return begun and (self.expires_at is None or now < self.expires_at)


@attrs.frozen(hash=False)
class Case:
    """A complaint, a compliment, a question or a request with an owner, from opening to closing."""

    case_id: str
    customer: str | None
    kind: str
    opened_at: datetime = attrs.field(validator=aware)
    channel: str | None = None
    severity: Severity = attrs.field(default=Severity.NORMAL, converter=_severity)
    state: CaseState = attrs.field(default=CaseState.OPEN, converter=_state)
    owner: str | None = None
    text: str | None = attrs.field(default=None, repr=_length)
    closed_at: datetime | None = attrs.field(default=None, validator=aware)
    attributes: Mapping[str, str] = attrs.field(factory=dict, converter=_copy, repr=_keys)
