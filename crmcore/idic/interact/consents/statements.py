"""What a person said about being written to, with its proof, and the rules by which it is read."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import attrs

from crmcore._base import aware, listed, mask
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange, WrongType
from crmcore.values.words import word
from crmcore.zones import DAY, to_us

__all__ = ["ANY", "ConsentRules", "Proof", "Said", "Statement"]

ANY = "*"
"""Every purpose, channel or scope: what "stop writing to me" is about."""
NEVER_US = 2**62
"""Later than every instant."""


class Said(enum.StrEnum):
    """What was said; at one instant the later word of this list stands over the earlier ones."""

    REQUESTED = "requested"  # a form was filled in; the confirmation is still to come
    GRANTED = "granted"
    CONFIRMED = "confirmed"  # the link in the message was followed
    WITHDRAWN = "withdrawn"


@attrs.frozen
class Proof(Document):
    """How a statement can be proved.

    Parameters
    ----------
    how : text
        Where it was said: "web form", "paper", "call", "import".
    text_version : text
        Version of the words that the person saw.
    reference : text, optional
        Where the evidence lies (a form number, a recording); no personal data.
    """

    how: str
    text_version: str = ""
    reference: str | None = None

    def __str__(self) -> str:
        shown = f"{self.how}, text {self.text_version}" if self.text_version else self.how
        return f"{shown}, {self.reference}" if self.reference else shown


def _said(value: Said | str) -> Said:
    return word(Said, value, "statement")


def _name(_instance: object, attribute: attrs.Attribute[str], value: object) -> None:
    if not isinstance(value, str):
        raise WrongType(attribute.name, f"a {type(value).__name__}", "text", "ANY ('*') stands for all of them")
    if not value.strip():
        raise EmptyInput(attribute.name, "name it; ANY ('*') stands for all of them")


def _key(said: Statement) -> tuple[int, int, int, str, str, str]:
    expiry = NEVER_US if said.expires_at is None else to_us(said.expires_at, "expires_at")
    return (to_us(said.at), RANK[said.said], -expiry, said.purpose, said.channel, said.scope)


@attrs.frozen
class Statement(Document):
    """One thing that one person said about one purpose on one channel.

    Parameters
    ----------
    person : id
        Masked in the repr.
    purpose, channel : text
        "marketing", "research"; "email", "line". `ANY` is all of them.
    said : Said
    at : aware datetime
        When it was said.
    scope : text
        A brand, a shop or a mailing list; `ANY` (the default) is all of them.
    expires_at : aware datetime, optional
        First instant at which a yes no longer holds.
    proof : Proof, optional
    recorded_at : aware datetime, optional
        When we learnt of it; None is when it was said.

    Examples
    --------
    >>> from datetime import UTC
    >>> at = datetime(2026, 3, 1, 9, tzinfo=UTC)
    >>> print(Statement("c7", "marketing", "sms", "withdrawn", at, proof=Proof("call")))
    withdrawn marketing on sms at 2026-03-01 09:00 UTC (call)
    """

    person: str = attrs.field(validator=_name, repr=mask)
    purpose: str = attrs.field(validator=_name)
    channel: str = attrs.field(validator=_name)
    said: Said = attrs.field(converter=_said)
    at: datetime = attrs.field(validator=aware)
    scope: str = attrs.field(default=ANY, kw_only=True, validator=_name)
    expires_at: datetime | None = attrs.field(default=None, kw_only=True, validator=aware)
    proof: Proof | None = attrs.field(default=None, kw_only=True)
    recorded_at: datetime | None = attrs.field(default=None, kw_only=True, validator=aware)
    key: tuple[int, int, int, str, str, str] = attrs.field(
        init=False, eq=False, repr=False, default=attrs.Factory(_key, takes_self=True)
    )
    """Order among the statements of a person: time, word, expiry (the strictest last), and the names."""

    def __attrs_post_init__(self) -> None:
        if self.expires_at is not None and self.expires_at <= self.at:
            raise OutOfRange(
                "expires_at", self.expires_at.isoformat(), f"later than {self.at.isoformat()}", "swap them"
            )

    @property
    def recorded_us(self) -> int:
        """When we learnt of it, in microseconds since 1970."""
        return self.key[0] if self.recorded_at is None else to_us(self.recorded_at, "recorded_at")

    def concerns(self, purpose: str, channel: str, scope: str) -> bool:
        """Whether it speaks about a purpose on a channel in a scope.

        What was said about one scope says nothing about messages of no particular scope.
        """
        return self.purpose in (purpose, ANY) and self.channel in (channel, ANY) and self.scope in (scope, ANY)

    def __str__(self) -> str:
        where = "" if self.scope == ANY else f" for {self.scope}"
        about = "everything" if self.purpose == ANY else self.purpose
        on = "every channel" if self.channel == ANY else self.channel
        proof = "no proof" if self.proof is None else str(self.proof)
        return f"{self.said} {about} on {on}{where} at {utc_text(self.key[0])} ({proof})"


RANK = {said: i for i, said in enumerate(Said)}


def utc_text(us: int) -> str:
    """Instant for eyes."""
    from crmcore.zones import from_us

    return f"{from_us(us, 'UTC'):%Y-%m-%d %H:%M} UTC"


def _purposes(value: Iterable[str]) -> tuple[str, ...]:
    return listed(value, "double_opt_in", str, what="purposes", hint="write ['marketing']; ['*'] is every purpose")


def _days(value: Mapping[str, int]) -> dict[str, int]:
    given: object = value
    if not isinstance(given, Mapping):
        raise WrongType("valid_days", f"a {type(given).__name__}", "days by purpose", "write {'marketing': 730}")
    return dict(value)


def _positive(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    for days in value.values() if isinstance(value, Mapping) else [] if value is None else [value]:
        if isinstance(days, bool) or not isinstance(days, int) or days < 1:
            raise OutOfRange(attribute.name, days, "a whole number of days from 1", "leave out what never lapses")


@attrs.frozen
class ConsentRules(Document):
    """How statements are read.

    Parameters
    ----------
    double_opt_in : purposes
        For which a plain "granted" is not enough: only "confirmed" is a yes. `["*"]` is every purpose.
    valid_days : mapping of purpose to days
        After which a yes lapses that names no expiry of its own; "*" is every other purpose.
    confirm_within_days : days, optional
        A confirmation that comes later than this after its request does not count.

    Notes
    -----
    A request never undoes a yes that holds. A confirmation answers a request: after a withdrawal it needs a new one.
    """

    double_opt_in: tuple[str, ...] = attrs.field(default=(), converter=_purposes)
    valid_days: Mapping[str, int] = attrs.field(factory=dict, converter=_days, validator=_positive)
    confirm_within_days: int | None = attrs.field(default=None, validator=_positive)

    def confirmed_only(self, purpose: str) -> bool:
        """Whether only a confirmation is a yes."""
        return purpose in self.double_opt_in or ANY in self.double_opt_in

    def valid_us(self, purpose: str) -> int:
        """How long a yes holds that names no expiry."""
        days = self.valid_days.get(purpose, self.valid_days.get(ANY))
        return NEVER_US if days is None else days * DAY

    @property
    def confirm_us(self) -> int:
        """How long a request waits for its confirmation."""
        return NEVER_US if self.confirm_within_days is None else self.confirm_within_days * DAY
