"""Complaints as they come in: one value, whatever the channel, made by one adapter a channel."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime

import attrs

from crmcore._base import aware, check_aware
from crmcore.documents import Document
from crmcore.errors import BadDocument, NaiveDatetime, OutOfRange, WrongType
from crmcore.metrics.scalars import real, text_of
from crmcore.recovery.cases.definitions import CaseKind
from crmcore.recovery.employees.work import severity_of
from crmcore.values import Interaction, Mention, Severity
from crmcore.values.words import word

__all__ = [
    "Complaint",
    "CustomerOf",
    "from_call",
    "from_counter",
    "from_mail",
    "from_mention",
    "from_message",
    "from_portal",
]

CustomerOf = Callable[[str], str | None]
"""Whose a handle, an address or a number is; None where nobody knows."""


def _kind(value: CaseKind | str) -> CaseKind:
    return word(CaseKind, value, "case kind")


def _share(_instance: object, attribute: attrs.Attribute[float | None], value: float | None) -> None:
    if value is not None and not 0 <= real(attribute.name, value) <= 1:
        raise OutOfRange(attribute.name, value, "a share from 0 to 1, or None", "None means that nobody knows")


@attrs.frozen(kw_only=True)
class Complaint(Document):
    """What a customer said, on any channel, before it is a case; the same shape serves questions and compliments.

    Parameters
    ----------
    id : text
        Of the message in its channel: the same again is the same message.
    channel : text
        `"facebook"`, `"mail"`, `"call"`.
    at : aware datetime
        When the customer said it.
    customer : id, optional
        None: not recognised yet.
    text : text, optional
        Never shown in a repr.
    kind : CaseKind
    failure : text
        Kind of failure, as recovery plans name it; "" is not known yet.
    reference : text
        What it is about: the order, the flight, the booking.
    severity : Severity, or its word
        1 (critical) is worst.
    public : truth
        Whether others can read it.
    reach : people, optional
        Who could see it; None is not known.
    permalink, thread : text
        Of the public post; of the private conversation.
    value, distress : share, optional
        Standing of the customer among all by value; how upset the customer is.

    Examples
    --------
    >>> from datetime import UTC
    >>> Complaint(id="m1", channel="mail", at=datetime(2026, 5, 4, 9, tzinfo=UTC), customer="c7", text="It is broken.")
    Complaint(id='m1', channel='mail', kind='complaint', severity=3, public=False)
    """

    id: str = attrs.field()
    channel: str = attrs.field()
    at: datetime = attrs.field(validator=aware, repr=False)
    customer: str | None = attrs.field(default=None, repr=False)
    text: str | None = attrs.field(default=None, repr=False)
    kind: CaseKind = attrs.field(default=CaseKind.COMPLAINT, converter=_kind, repr=lambda k: repr(k.value))
    failure: str = attrs.field(default="", repr=False)
    reference: str = attrs.field(default="", repr=False)
    severity: Severity = attrs.field(default=Severity.NORMAL, converter=severity_of, repr=lambda s: str(int(s)))
    public: bool = False
    reach: float | None = attrs.field(default=None, repr=False)
    permalink: str = attrs.field(default="", repr=False)
    thread: str = attrs.field(default="", repr=False)
    value: float | None = attrs.field(default=None, validator=_share, repr=False)
    distress: float | None = attrs.field(default=None, validator=_share, repr=False)

    def __attrs_post_init__(self) -> None:
        text_of("id", self.id, hint="the id of the message in its channel")
        text_of("channel", self.channel, hint="where it was said, such as 'mail'")
        check_aware(self.at, "at")
        if self.kind is CaseKind.INCIDENT:
            raise OutOfRange("kind", "incident", "complaint, question or compliment", "use CaseDesk.open_incident")
        if self.reach is not None and not 0 <= real("reach", self.reach) < float("inf"):
            raise OutOfRange("reach", self.reach, "people from 0, or None", "None means that nobody knows")

    @property
    def key(self) -> str:
        """Short name of the message that names nobody: cases and events are called by it."""
        return hashlib.sha256(f"{self.channel}\x1f{self.id}".encode()).hexdigest()[:16]


Fields = Mapping[str, object]


def from_mention(
    mention: Mention, /, *, customer_of: CustomerOf | None = None, failure: str = "", reference: str = "",
    severity: Severity | str = Severity.NORMAL, distress: float | None = None, value: float | None = None,
    kind: CaseKind | str = CaseKind.COMPLAINT,
) -> Complaint:  # fmt: skip
    """Read a public comment.

    Parameters
    ----------
    mention : Mention
        With its time. Its customer counts first, else `customer_of(author)`: the linked handle.
    customer_of : function, optional
    failure, reference, severity, distress, value, kind
        See `Complaint`.

    Raises
    ------
    NaiveDatetime
        The mention has no time.

    Examples
    --------
    >>> from datetime import UTC
    >>> post = Mention("p1", "Ten hours now!", author="anna_t", time=datetime(2026, 5, 4, 9, tzinfo=UTC), channel="x",
    ...                link="https://x.example/p1", reach=4_000)
    >>> found = from_mention(post, customer_of={"anna_t": "c7"}.get)
    >>> found.customer, found.public, found.reach
    ('c7', True, 4000)
    """
    if mention.time is None:
        raise NaiveDatetime("mention.time", "a complaint needs the instant at which it was said")
    customer = mention.customer or (customer_of(mention.author) if customer_of and mention.author else None)
    return Complaint(
        id=mention.mention_id, channel=mention.channel or "public", at=mention.time, customer=customer,
        text=mention.text, kind=kind, failure=failure, reference=reference, severity=severity, public=True,
        reach=mention.reach, permalink=mention.link or "", distress=distress, value=value,
    )  # fmt: skip


def from_message(
    message: Interaction, /, *, id: str, text: str | None = None, thread: str = "", failure: str = "",
    severity: Severity | str = Severity.NORMAL, distress: float | None = None, value: float | None = None,
    kind: CaseKind | str = CaseKind.COMPLAINT,
) -> Complaint:  # fmt: skip
    """Read a message of an inbox; its reference is what it is about.

    Examples
    --------
    >>> from datetime import UTC
    >>> said = Interaction("c7", datetime(2026, 5, 4, 9, tzinfo=UTC), channel="line", reference="o-81")
    >>> from_message(said, id="m1", text="Where is it?", thread="t1").reference
    'o-81'
    """
    return Complaint(
        id=id, channel=message.channel or "inbox", at=message.time, customer=message.customer, text=text,
        kind=kind, failure=failure, reference=message.reference or "", severity=severity, thread=thread,
        distress=distress, value=value,
    )  # fmt: skip


def from_mail(fields: Fields, /, *, customer_of: CustomerOf | None = None) -> Complaint:
    """Read a mail: `message_id`, `sent_at`, and where there are such `from`, `subject`, `body`, `references`.

    The first of the references (or `in_reply_to`) names the conversation.

    All adapters that read fields also take the names of `Complaint`, such as failure or reference. A time is an aware
    datetime, or ISO 8601 text with its offset.

    Raises
    ------
    BadDocument, WrongType, NaiveDatetime
        No id, no time, a time that is none, or one without offset.

    Examples
    --------
    >>> mail = {"message_id": "a1", "sent_at": "2026-05-04T09:00:00+00:00", "from": "anna@example.org", "body": "Late."}
    >>> from_mail(mail, customer_of={"anna@example.org": "c7"}.get).customer
    'c7'
    """
    said = " ".join(str(fields[name]) for name in ("subject", "body") if fields.get(name))
    first = str(fields.get("references") or "").split()[:1]  # the mail that began the conversation
    thread = first[0] if first else fields.get("in_reply_to") or fields.get("message_id") or ""
    return _read(fields, "mail", ("message_id", "sent_at", "from"), said, customer_of, thread=str(thread))


def from_call(fields: Fields, /, *, customer_of: CustomerOf | None = None) -> Complaint:
    """Read a call: `call_id`, `started_at`, and where there are such `caller`, `summary`; see `from_mail`.

    Examples
    --------
    >>> from_call({"call_id": "7", "started_at": "2026-05-04T09:00:00+00:00", "summary": "Still no parcel."}).channel
    'call'
    """
    return _read(fields, "call", ("call_id", "started_at", "caller"), fields.get("summary"), customer_of)


def from_counter(fields: Fields, /, *, customer_of: CustomerOf | None = None) -> Complaint:
    """Read a slip of a counter: `slip`, `at`, and where there are such `member`, `words`; see `from_mail`.

    Examples
    --------
    >>> from_counter({"slip": "9", "at": "2026-05-04T09:00:00+07:00", "member": "c7"}, customer_of=str).customer
    'c7'
    """
    return _read(fields, "counter", ("slip", "at", "member"), fields.get("words"), customer_of)


def from_portal(fields: Fields, /, *, customer_of: CustomerOf | None = None) -> Complaint:
    """Read a form of the portal: `request`, `sent_at`, and where there are such `me`, `title`, `message`.

    Who is signed in needs no look-up: without `customer_of`, `me` is the customer. See `from_mail`.

    Examples
    --------
    >>> from_portal({"request": "r1", "sent_at": "2026-05-04T09:00:00+00:00", "me": "c7", "title": "Broken"}).customer
    'c7'
    """
    said = " ".join(str(fields[name]) for name in ("title", "message") if fields.get(name))
    return _read(fields, "portal", ("request", "sent_at", "me"), said, customer_of or str)


_OWN = tuple(a.name for a in attrs.fields(Complaint) if a.name not in ("id", "at", "text"))


def _read(
    fields: Fields, channel: str, names: tuple[str, str, str], said: object, customer_of: CustomerOf | None,
    *, thread: str = "",
) -> Complaint:  # fmt: skip
    if not isinstance(fields, Mapping):
        raise WrongType("fields", f"a {type(fields).__name__}", "a mapping of field to value", f"{{{names[0]!r}: ...}}")
    lacking = tuple(f"no {name}" for name in names[:2] if fields.get(name) in (None, ""))
    if lacking:
        raise BadDocument(f"the {channel}", lacking, f"its fields are {list(names)} and those of a Complaint")
    own = {"channel": channel, **({"thread": thread} if thread else {})}
    own |= {name: fields[name] for name in _OWN if fields.get(name) is not None}  # type: ignore[misc]
    contact = fields.get(names[2])
    if "customer" not in own and contact and customer_of is not None:
        own["customer"] = customer_of(str(contact))  # type: ignore[assignment]
    text = str(said) if said else None
    return Complaint(id=str(fields[names[0]]), at=_instant(fields[names[1]], names[1]), text=text, **own)  # type: ignore[arg-type]


def _instant(value: object, name: str) -> datetime:
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        hint = "write it as 2026-05-04T09:00:00+07:00"
        raise WrongType(name, "a text that is no instant", "ISO 8601 with its offset", hint) from None
