"""The verbs of a ledger: each builds the posting that it names, with amounts in whole minor units, Decimal or Money."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from crmcore.errors import OutOfRange
from crmcore.ledger.postings import Amount, IfExpired, IfSpent, Kind, Posting, SpendOrder
from crmcore.ledger.units import Unit, unit_of

__all__ = [
    "adjust",
    "cancel",
    "claw_back",
    "commit",
    "confirm",
    "earn",
    "release",
    "reserve",
    "reverse",
    "spend",
    "transfer",
]


def earn(
    id: str,
    account: str,
    amount: Amount,
    *,
    at: datetime,
    unit: Unit | str = "point",
    expires_at: datetime | None = None,
    available_at: datetime | None = None,
    needs_confirmation: bool = False,
    actor: str = "",
    reason: str = "",
    reference: str = "",
    approver: str = "",
) -> Posting:
    """Credit an account with a new lot, whose id is the posting's.

    Parameters
    ----------
    amount : whole minor units, Decimal or Money
        Above 0.
    expires_at : aware datetime, optional
        From this instant on the lot is expired; None: never.
    available_at : aware datetime, optional
        The lot is pending before this instant (a return period).
    needs_confirmation : truth
        The lot is pending until `confirm`, or gone with `cancel`.

    Examples
    --------
    >>> from datetime import datetime, UTC
    >>> earn("order-9:earn", "card:7", 120, at=datetime(2026, 5, 1, tzinfo=UTC), needs_confirmation=True).amount
    120
    """
    kind, unit = Kind.EARN, unit_of(unit)
    return Posting(
        id=id, kind=kind, account=account, at=at, unit=unit, amount=unit.minor(amount), expires_at=expires_at,
        available_at=available_at, needs_confirmation=needs_confirmation, actor=actor, reason=reason,
        reference=reference, approver=approver,
    )  # fmt: skip


def spend(
    id: str,
    account: str,
    amount: Amount,
    *,
    at: datetime,
    unit: Unit | str = "point",
    order: SpendOrder | str = SpendOrder.EARLIEST_EXPIRY,
    lots: Iterable[str] = (),
    actor: str = "",
    reason: str = "",
    reference: str = "",
    approver: str = "",
) -> Posting:
    """Take an amount from the active lots: those that expire first pay first, unless `order` or `lots` says otherwise.

    Examples
    --------
    >>> from datetime import datetime, UTC
    >>> spend("order-10:pay", "card:7", 100, at=datetime(2026, 6, 1, tzinfo=UTC)).order
    <SpendOrder.EARLIEST_EXPIRY: 'earliest expiry'>
    """
    unit = unit_of(unit)
    return Posting(
        id=id, kind=Kind.SPEND, account=account, at=at, unit=unit, amount=unit.minor(amount), order=order,
        lots=lots, actor=actor, reason=reason, reference=reference, approver=approver,
    )  # fmt: skip


def reserve(
    id: str,
    account: str,
    amount: Amount,
    *,
    at: datetime,
    unit: Unit | str = "point",
    until: datetime | None = None,
    order: SpendOrder | str = SpendOrder.EARLIEST_EXPIRY,
    lots: Iterable[str] = (),
    actor: str = "",
    reason: str = "",
    reference: str = "",
    approver: str = "",
) -> Posting:
    """Hold an amount for a basket: nobody else can spend it, and it does not expire, until commit, release or `until`.

    Examples
    --------
    >>> from datetime import datetime, UTC
    >>> reserve("basket-3", "card:7", 50, at=datetime(2026, 6, 1, tzinfo=UTC)).until is None
    True
    """
    unit = unit_of(unit)
    return Posting(
        id=id, kind=Kind.RESERVE, account=account, at=at, unit=unit, amount=unit.minor(amount), until=until,
        order=order, lots=lots, actor=actor, reason=reason, reference=reference, approver=approver,
    )  # fmt: skip


def transfer(
    id: str,
    account: str,
    amount: Amount,
    *,
    to: str,
    at: datetime,
    unit: Unit | str = "point",
    order: SpendOrder | str = SpendOrder.EARLIEST_EXPIRY,
    lots: Iterable[str] = (),
    actor: str = "",
    reason: str = "",
    reference: str = "",
    approver: str = "",
) -> Posting:
    """Move an amount to another account; the lots keep their age and their expiry there.

    Examples
    --------
    >>> from datetime import datetime, UTC
    >>> transfer("gift-1", "card:7", 50, to="card:8", at=datetime(2026, 6, 1, tzinfo=UTC)).other
    'card:8'
    """
    unit = unit_of(unit)
    return Posting(
        id=id, kind=Kind.TRANSFER, account=account, at=at, unit=unit, amount=unit.minor(amount), other=to, order=order,
        lots=lots, actor=actor, reason=reason, reference=reference, approver=approver,
    )  # fmt: skip


def _about(kind: Kind, id: str, account: str, of: str, unit: Unit | str, amount: Amount | None, **rest: Any) -> Posting:
    known = unit_of(unit)
    minor = None if amount is None else known.minor(amount)
    return Posting(id=id, kind=kind, account=account, of=of, unit=known, amount=minor, **rest)


def confirm(
    id: str, account: str, *, of: str, at: datetime, unit: Unit | str = "point", actor: str = "", reason: str = ""
) -> Posting:
    """Make a pending lot active now, whatever it was waiting for."""
    return _about(Kind.CONFIRM, id, account, of, unit, None, at=at, actor=actor, reason=reason)


def cancel(
    id: str, account: str, *, of: str, at: datetime, unit: Unit | str = "point", actor: str = "", reason: str = ""
) -> Posting:
    """Drop a pending lot: it counts as reversed."""
    return _about(Kind.CANCEL, id, account, of, unit, None, at=at, actor=actor, reason=reason)


def commit(
    id: str,
    account: str,
    *,
    of: str,
    at: datetime,
    amount: Amount | None = None,
    unit: Unit | str = "point",
    actor: str = "",
    reason: str = "",
    reference: str = "",
) -> Posting:
    """Spend what was reserved, wholly or in part; the rest is released. The spending's id is that of this posting."""
    rest = {"at": at, "actor": actor, "reason": reason, "reference": reference}
    return _about(Kind.COMMIT, id, account, of, unit, amount, **rest)


def release(
    id: str, account: str, *, of: str, at: datetime, unit: Unit | str = "point", actor: str = "", reason: str = ""
) -> Posting:
    """Give a reservation back to its lots."""
    return _about(Kind.RELEASE, id, account, of, unit, None, at=at, actor=actor, reason=reason)


def reverse(
    id: str,
    account: str,
    *,
    of: str,
    at: datetime,
    amount: Amount | None = None,
    unit: Unit | str = "point",
    if_expired: IfExpired | str = IfExpired.EXPIRED,
    expires_at: datetime | None = None,
    actor: str = "",
    reason: str = "",
    reference: str = "",
) -> Posting:
    """Refund a spending to the very lots that paid, with their own expiry; the lot that paid last gets back first.

    Parameters
    ----------
    of : text
        Id of the `spend` or `commit`.
    amount : whole minor units, Decimal or Money, optional
        Part of it; None: all that has not been refunded yet.
    if_expired : IfExpired
        What happens with parts whose lot has expired since.
    expires_at : aware datetime, optional
        Life of renewed parts; only with `if_expired="renew"`.
    """
    rest = {"at": at, "actor": actor, "reason": reason, "reference": reference}
    if expires_at is not None and if_expired != IfExpired.RENEW:
        raise OutOfRange("expires_at", expires_at.isoformat(), "only with if_expired='renew'", "lots keep their expiry")
    return _about(Kind.REVERSE, id, account, of, unit, amount, if_expired=if_expired, expires_at=expires_at, **rest)


def claw_back(
    id: str,
    account: str,
    *,
    of: str,
    at: datetime,
    amount: Amount | None = None,
    unit: Unit | str = "point",
    if_spent: IfSpent | str = IfSpent.REFUSE,
    actor: str = "",
    reason: str = "",
    reference: str = "",
) -> Posting:
    """Take back an earning whose purchase was returned, from the very lot.

    Parameters
    ----------
    of : text
        Id of the `earn`.
    amount : whole minor units, Decimal or Money, optional
        Part of it; None: all that has not been taken back yet.
    if_spent : IfSpent
        What happens with what the lot no longer has.
    """
    rest = {"at": at, "actor": actor, "reason": reason, "reference": reference}
    return _about(Kind.CLAW_BACK, id, account, of, unit, amount, if_spent=if_spent, **rest)


def adjust(
    id: str,
    account: str,
    amount: Amount,
    *,
    at: datetime,
    reason: str,
    unit: Unit | str = "point",
    expires_at: datetime | None = None,
    actor: str = "",
    reference: str = "",
    approver: str = "",
) -> Posting:
    """Correct an account by hand: above 0 a new lot, below 0 taken from active lots (counted as reversed)."""
    unit = unit_of(unit)
    return Posting(
        id=id, kind=Kind.ADJUST, account=account, at=at, unit=unit, amount=unit.minor(amount), expires_at=expires_at,
        reason=reason, actor=actor, reference=reference, approver=approver,
    )  # fmt: skip
