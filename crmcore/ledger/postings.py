"""Postings: the one thing that is ever written in a ledger. Frozen, JSON in and out, each with its idempotency key.

A posting is built by the verb that names it (`earn`, `spend`, `reverse` ... in `verbs`). Nothing is posted for expiry,
for a pending lot that opens or for a reservation that lapses: these follow from the lots at any instant.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, TypeVar

import attrs

from crmcore import documents
from crmcore._base import listed
from crmcore.errors import EmptyInput, NaiveDatetime, OutOfRange, UnknownName, WrongType
from crmcore.ledger.units import Unit, unit_of
from crmcore.values import Money

__all__ = [
    "Amount",
    "IfExpired",
    "IfSpent",
    "Kind",
    "Posting",
    "SpendOrder",
]

Amount = int | Decimal | Money


class Kind(enum.StrEnum):
    """What a posting does. Postings of one batch at one instant apply in this order, then by id."""

    EARN = "earn"
    RECEIVE = "receive"
    CONFIRM = "confirm"
    CANCEL = "cancel"
    ADJUST = "adjust"
    TRANSFER = "transfer"
    RESERVE = "reserve"
    SPEND = "spend"
    COMMIT = "commit"
    RELEASE = "release"
    REVERSE = "reverse"
    CLAW_BACK = "claw back"


class SpendOrder(enum.StrEnum):
    """Which lots pay first; ties go by the time of earning, then by lot id."""

    EARLIEST_EXPIRY = "earliest expiry"
    FIRST_EARNED = "first earned"
    LAST_EARNED = "last earned"


class IfExpired(enum.StrEnum):
    """What a refund does with a part whose lot has expired since it was spent."""

    EXPIRED = "expired"
    """It goes back to its lot and is expired at once: the refund gives no longer life than the lot had."""
    RENEW = "renew"
    """It goes back as a lot of its own that lives until the refund's `expires_at` (None: for ever)."""
    REFUSE = "refuse"
    """The refund is refused with `LotUsed`."""


class IfSpent(enum.StrEnum):
    """What a claw-back does with the part of its lot that is no longer there."""

    REFUSE = "refuse"
    """The claw-back is refused with `LotUsed`."""
    DEBT = "debt"
    """The account owes it; the next amount that becomes active repays."""
    WRITE_OFF = "write off"
    """It is forgiven, unless the spending itself is refunded later: that part is then taken."""


RANK: Mapping[Kind, int] = {kind: i for i, kind in enumerate(Kind)}
CREDITS = frozenset({Kind.EARN, Kind.RECEIVE})
WHOLE = frozenset({Kind.CONFIRM, Kind.CANCEL, Kind.RELEASE})
_PARTLY = frozenset({Kind.COMMIT, Kind.REVERSE, Kind.CLAW_BACK})
_TAKES: Mapping[Kind, frozenset[str]] = {
    Kind.EARN: frozenset({"expires_at", "available_at", "needs_confirmation"}),
    Kind.RECEIVE: frozenset({"expires_at", "of", "other", "earned_at"}),
    Kind.CONFIRM: frozenset({"of"}),
    Kind.CANCEL: frozenset({"of"}),
    Kind.ADJUST: frozenset({"expires_at"}),
    Kind.TRANSFER: frozenset({"other", "order", "lots"}),
    Kind.RESERVE: frozenset({"until", "order", "lots"}),
    Kind.SPEND: frozenset({"order", "lots"}),
    Kind.COMMIT: frozenset({"of"}),
    Kind.RELEASE: frozenset({"of"}),
    Kind.REVERSE: frozenset({"of", "if_expired", "expires_at"}),
    Kind.CLAW_BACK: frozenset({"of", "if_spent"}),
}
_DETAILS = (
    "of",
    "other",
    "expires_at",
    "available_at",
    "needs_confirmation",
    "earned_at",
    "until",
    "order",
    "lots",
    "if_expired",
    "if_spent",
)


def _utc(time: Any, name: str) -> Any:
    if time is None or (isinstance(time, datetime) and time.tzinfo is UTC):
        return time
    if not isinstance(time, datetime):
        hint = "datetime.fromisoformat reads text; attach the zone"
        raise WrongType(name, f"a {type(time).__name__}", "an aware datetime", hint)
    if time.utcoffset() is None:
        raise NaiveDatetime(name)
    return time.astimezone(UTC)


def _at(time: datetime) -> datetime:
    if time is None:
        raise WrongType("at", "None", "an aware datetime", "pass the instant at which it counts: at=now")
    moment: datetime = _utc(time, "at")
    return moment


def _expires_at(time: datetime | None) -> datetime | None:
    moment: datetime | None = _utc(time, "expires_at")
    return moment


def _available_at(time: datetime | None) -> datetime | None:
    moment: datetime | None = _utc(time, "available_at")
    return moment


def _earned_at(time: datetime | None) -> datetime | None:
    moment: datetime | None = _utc(time, "earned_at")
    return moment


def _until(time: datetime | None) -> datetime | None:
    moment: datetime | None = _utc(time, "until")
    return moment


W = TypeVar("W", bound=enum.StrEnum)


def _word(known: type[W], value: str, what: str) -> W:
    if type(value) is known:
        return value
    try:
        return known(value)
    except ValueError:
        raise UnknownName(what, str(value), tuple(k.value for k in known)) from None


def _kind(value: Kind | str) -> Kind:
    return _word(Kind, value, "kind of posting")


def _order(value: SpendOrder | str) -> SpendOrder:
    return _word(SpendOrder, value, "order of spending")


def _if_expired(value: IfExpired | str) -> IfExpired:
    return _word(IfExpired, value, "policy for expired lots")


def _if_spent(value: IfSpent | str) -> IfSpent:
    return _word(IfSpent, value, "policy for spent lots")


def _names(value: Iterable[str]) -> tuple[str, ...]:
    if isinstance(value, str):
        raise WrongType("lots", "a str", "a sequence of lot ids", "lots=['order-1']")
    return listed(value, "lots", str, what="lot ids", hint="lots=['order-1']; leave it out for the order of expiry")


def _text(_instance: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not isinstance(value, str):
        raise WrongType(attribute.name, f"a {type(value).__name__}", "text", f"write {attribute.name}='...'")


@attrs.frozen(kw_only=True, repr=False)
class Posting:
    """One entry of a ledger. Build it with the verb that names its kind; the fields are for reading and for JSON.

    Parameters
    ----------
    id : text
        Idempotency key, unique in the ledger: the same posting again changes nothing.
    kind : Kind
        What it does.
    account : text
        `"card:7"`, `"budget:service-2026"`.
    at : aware datetime
        When it counts; within an account postings never go back in time.
    unit : Unit
        One unit an account.
    amount : whole minor units, or None
        Above 0 (`adjust` may take away); None where all that is left of `of` is meant.
    actor, reason, reference : text
        Who, why, and what it belongs to (an order). Name no person in them.
    of : text
        Posting that it settles: the spending that `reverse` refunds, the earning that `claw_back` takes.
    other : text
        The other account of a transfer.
    expires_at, available_at, needs_confirmation, earned_at
        Life of the lot that is made: gone from the instant `expires_at` on, pending before `available_at`, or until a
        `confirm`; `earned_at` keeps the age of a lot that was transferred.
    until : aware datetime, optional
        When a reservation lapses by itself.
    order, lots : SpendOrder, lot ids
        Which lots pay; named lots pay in the order named, and only they.
    if_expired, if_spent : IfExpired, IfSpent
        Policy of a refund and of a claw-back.

    Examples
    --------
    >>> from datetime import datetime, UTC
    >>> from crmcore.ledger import earn
    >>> visit = earn("visit-1", "card:7", 10, at=datetime(2026, 5, 1, tzinfo=UTC))
    >>> visit, Posting.from_dict(visit.to_dict()) == visit
    (Posting('visit-1': earn 10 point on 'card:7' at 2026-05-01T00:00+00:00), True)
    """

    id: str = attrs.field(validator=_text)
    kind: Kind = attrs.field(converter=_kind)
    account: str = attrs.field(validator=_text)
    at: datetime = attrs.field(converter=_at)
    unit: Unit = attrs.field(converter=unit_of)
    amount: int | None = None
    actor: str = attrs.field(default="", validator=_text)
    reason: str = attrs.field(default="", validator=_text)
    reference: str = attrs.field(default="", validator=_text)
    approver: str = attrs.field(default="", validator=_text)
    of: str = attrs.field(default="", validator=_text)
    other: str = attrs.field(default="", validator=_text)
    expires_at: datetime | None = attrs.field(default=None, converter=_expires_at)
    available_at: datetime | None = attrs.field(default=None, converter=_available_at)
    needs_confirmation: bool = False
    earned_at: datetime | None = attrs.field(default=None, converter=_earned_at)
    until: datetime | None = attrs.field(default=None, converter=_until)
    order: SpendOrder = attrs.field(default=SpendOrder.EARLIEST_EXPIRY, converter=_order)
    lots: tuple[str, ...] = attrs.field(default=(), converter=_names)
    if_expired: IfExpired = attrs.field(default=IfExpired.EXPIRED, converter=_if_expired)
    if_spent: IfSpent = attrs.field(default=IfSpent.REFUSE, converter=_if_spent)

    def __attrs_post_init__(self) -> None:
        if not self.id or not self.account:
            raise EmptyInput("id" if not self.id else "account", "give each posting an id and an account")
        self._check_amount()
        self._check_details()

    def _check_amount(self) -> None:
        kind, amount = self.kind, self.amount
        if kind in WHOLE:
            if amount is not None:
                raise OutOfRange("amount", amount, f"none for {kind.value!r}", "it settles the whole; leave it out")
            return
        if amount is None and kind in _PARTLY:
            return
        if type(amount) is not int:
            hint = "whole minor units; the verbs (earn, spend, ...) read Decimal and Money"
            raise WrongType("amount", f"a {type(amount).__name__}", "an int", hint)
        if kind is Kind.ADJUST:
            if amount == 0:
                raise OutOfRange("amount", 0, "any whole number but 0", "leave the adjustment out")
            if not self.reason.strip():
                raise EmptyInput("reason", "an adjustment says why: reason='...'")
        elif amount <= 0:
            way = {Kind.EARN: "take back with claw_back", Kind.SPEND: "refund with reverse"}
            raise OutOfRange("amount", amount, "a whole number above 0", way.get(kind, "the kind says the direction"))

    def _check_details(self) -> None:
        takes = _TAKES[self.kind]
        names, cells, defaults = _FOREIGN[self.kind]
        if cells(self) != defaults:
            name, value = next((n, v) for n, v, d in zip(names, cells(self), defaults, strict=True) if v != d)
            raise OutOfRange(name, value, f"nothing for {self.kind.value!r}", f"it takes {sorted(takes)}")
        if "of" in takes and not self.of:
            raise EmptyInput("of", f"name the posting that {self.kind.value!r} is about: of='...'")
        if self.kind is Kind.TRANSFER and self.other in ("", self.account):
            raise OutOfRange("other", self.other, "another account", "a transfer goes from one account to another")
        start = self.available_at or self.at
        if self.available_at is not None and self.needs_confirmation:
            raise OutOfRange("available_at", self.available_at.isoformat(), "one of both", "confirm works before too")
        for name in ("expires_at", "until"):
            end = getattr(self, name)
            if end is not None and end <= start:
                hint = "an amount lives from its start up to, but not at, its end"
                raise OutOfRange(name, end.isoformat(), f"after {start.isoformat()}", hint)

    def __repr__(self) -> str:
        amount = "all" if self.amount is None else self.unit.text(self.amount)
        about = f" of {self.of!r}" if self.of else ""
        return (
            f"Posting({self.id!r}: {self.kind.value} {amount}{about} on {self.account!r} "
            f"at {self.at.isoformat(timespec='minutes')})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; fields at their defaults are left out."""
        whole: dict[str, Any] = documents.to_dict(self)
        return {k: v for k, v in whole.items() if k not in _DEFAULTS or getattr(self, k) != _DEFAULTS[k]}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Posting:
        """Read what `to_dict` wrote; `BadDocument` names every fault."""
        return documents.from_dict(cls, document)


_DEFAULTS: Mapping[str, Any] = {
    f.name: f.default for f in attrs.fields(Posting) if f.default is not attrs.NOTHING and f.name != "amount"
} | {"amount": None}


def _foreign(takes: frozenset[str]) -> tuple[tuple[str, ...], Callable[[Posting], Any], tuple[Any, ...]]:
    names = tuple(name for name in _DETAILS if name not in takes)
    return names, attrgetter(*names), tuple(_DEFAULTS[name] for name in names)


_FOREIGN = {kind: _foreign(takes) for kind, takes in _TAKES.items()}
"""Details that a kind does not take: their names, what reads them, what they must be."""
