"""Postings as events of a store, and back: one by one as they were, or as the bare lines that a table takes."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from crmcore.errors import UnknownName
from crmcore.ledger.postings import IfExpired, IfSpent, Kind, Posting, SpendOrder
from crmcore.ledger.units import Unit
from crmcore.stores import Event

__all__ = ["Line", "event_of", "line_of", "posting_of"]

_PLAIN = frozenset({"amount", "expires_at"})
_LINE = _PLAIN | {"unit", "digits"}
_KINDS = {k.value: k for k in Kind}
_unit = cache(Unit)
_IN_EVENT = ("id", "kind", "account", "at", "actor", "reason", "unit")


def event_of(posting: Posting, prefix: str) -> Event:
    """The event that holds a posting."""
    data = {k: v for k, v in posting.to_dict().items() if k not in _IN_EVENT} if _rich(posting) else {}
    data["amount"], data["unit"] = posting.amount, posting.unit.name
    if posting.unit.digits:
        data["digits"] = posting.unit.digits
    if posting.expires_at is not None:
        data["expires_at"] = posting.expires_at.isoformat()
    return Event(
        id=prefix + posting.id, type=posting.kind.value, time=posting.at, stream=prefix + posting.account, data=data,
        actor=posting.actor, reason=posting.reason,
    )  # fmt: skip


def _rich(posting: Posting) -> bool:
    """Whether a posting holds more than amount and expiry: the others are written without the converter."""
    plain = posting.kind is Kind.EARN or posting.kind is Kind.SPEND
    return not plain or bool(
        posting.reference
        or posting.approver
        or posting.available_at
        or posting.needs_confirmation
        or posting.lots
        or posting.order != "earliest expiry"
    )


def posting_of(event: Event, *, prefix: str = "ledger:") -> Posting:
    """The posting that an event of a ledger holds.

    Raises
    ------
    UnknownName, BadDocument
        An event of something else.
    """
    data: dict[str, Any] = dict(event.data)
    if event.type not in _KINDS:
        raise UnknownName("kind of posting", event.type, tuple(k.value for k in Kind))
    unit = {"name": data.pop("unit", None), "digits": data.pop("digits", 0)}
    if data.keys() <= _PLAIN and isinstance(
        unit["name"], str
    ):  # nearly every event: the converter takes ten times longer
        ends = data.get("expires_at")
        return Posting(
            id=event.id.removeprefix(prefix), kind=_KINDS[event.type], account=event.stream.removeprefix(prefix),
            at=event.time, unit=_unit(unit["name"], unit["digits"]), amount=data.get("amount"), actor=event.actor,
            reason=event.reason, expires_at=datetime.fromisoformat(ends) if isinstance(ends, str) else None,
        )  # fmt: skip
    return Posting.from_dict(
        {
            "id": event.id.removeprefix(prefix), "kind": event.type, "account": event.stream.removeprefix(prefix),
            "at": event.time.isoformat(), "actor": event.actor, "reason": event.reason, "unit": unit, **data,
        }
    )  # fmt: skip


class Line:
    """What a table reads of a posting that only earns or spends: the same names, without the checks."""

    __slots__ = ("account", "actor", "amount", "at", "expires_at", "id", "kind", "reason", "unit")

    of: Final = ""
    other: Final = ""
    reference: Final = ""
    approver: Final = ""
    available_at: Final = None
    earned_at: Final = None
    until: Final = None
    needs_confirmation: Final = False
    order: Final = SpendOrder.EARLIEST_EXPIRY
    if_expired: Final = IfExpired.EXPIRED
    if_spent: Final = IfSpent.REFUSE
    lots: Final = ()

    def __init__(
        self, id: str, kind: Kind, account: str, at: datetime, unit: Unit, amount: int, expires_at: datetime | None,
        actor: str, reason: str,
    ) -> None:  # fmt: skip
        self.id, self.kind, self.account, self.at, self.unit = id, kind, account, at, unit
        self.amount, self.expires_at, self.actor, self.reason = amount, expires_at, actor, reason


def line_of(event: Event, *, prefix: str) -> Line | None:
    """The line of an event that a ledger wrote for a plain earning or spending; None for all others."""
    data, kind, at = event.data, event.type, event.time
    amount, unit, digits, ends = data.get("amount"), data.get("unit"), data.get("digits", 0), data.get("expires_at")
    if (kind != "earn" and kind != "spend") or not data.keys() <= _LINE or at.tzinfo is not UTC:
        return None
    if type(amount) is not int or amount <= 0 or type(unit) is not str or type(digits) is not int:
        return None
    until = None
    if ends is not None:
        until = datetime.fromisoformat(ends) if type(ends) is str else at
        if kind != "earn" or until.tzinfo is not UTC or until <= at:
            return None
    id, account = event.id.removeprefix(prefix), event.stream.removeprefix(prefix)
    if not id or not account:
        return None
    return Line(id, _KINDS[kind], account, at, _unit(unit, digits), amount, until, event.actor, event.reason)
