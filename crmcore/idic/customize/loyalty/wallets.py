"""What a customer holds: points, pieces of coupons, and how far the next reward is; notices of what will expire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import attrs

from crmcore._base import check_aware, html_table, mask
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import OutOfRange
from crmcore.ledger import Account, Balance

__all__ = ["Notice", "Piece", "Wallet", "expiry_notices"]


@attrs.frozen
class Piece(Document):
    """Pieces of one coupon: active, held for baskets, and when the first of them expires."""

    coupon: str
    active: int
    held: int = 0
    expires_at: datetime | None = None


@attrs.frozen(kw_only=True, repr=False)
class Wallet(Document):
    """What a customer holds at an instant.

    Parameters
    ----------
    points : Balance
    unit : text
    coupons : tuple of Piece
    missing : mapping of reward to points
        How many points each reward still needs; 0: it can be had now.
    """

    points: Balance
    unit: str
    coupons: tuple[Piece, ...]
    missing: Mapping[str, int]

    def __repr__(self) -> str:
        return f"Wallet({self.points.active} {self.unit}, {sum(p.active for p in self.coupons)} coupons)"

    def __str__(self) -> str:
        more = [f"{n} {what}" for n, what in ((self.points.pending, "pending"), (self.points.debt, "owed")) if n]
        told = f" ({', '.join(more)})" if more else ""
        lines = [f"{self.points.active} {self.unit}{told}"]
        for p in self.coupons:
            held = f", {p.held} held" if p.held else ""
            lines.append(f"  {p.active} {p.coupon}{held}, {_until(p.expires_at)}")
        lines += [f"  {name} {f'in {n} {self.unit}s' if n else 'now'}" for name, n in self.missing.items()]
        return "\n".join(lines)

    def _rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = [{"what": self.unit, "active": self.points.active, "until": None}]
        return rows + [{"what": p.coupon, "active": p.active, "until": p.expires_at} for p in self.coupons]

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a thing held: what, active, until."""
        rows = self._rows()
        return write_frame({n: [row[n] for row in rows] for n in ("what", "active", "until")}, backend=backend)

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=repr(self))


def _until(end: datetime | None) -> str:
    return "for ever" if end is None else f"until {end:%Y-%m-%d}"


@attrs.frozen(kw_only=True)
class Notice(Document):
    """An amount that expires soon, to be told once.

    Parameters
    ----------
    id : text
        The lot and the warning: keep the ids that were sent, and nobody is told twice.
    account : text
        Masked in the repr.
    amount : minor units
    expires_at : aware datetime
    """

    id: str = attrs.field(repr=mask)
    account: str = attrs.field(repr=mask)
    amount: int
    expires_at: datetime


def expiry_notices(
    accounts: Iterable[Account], *, now: datetime, days: Iterable[int] = (30, 7), sent: Iterable[str] = ()
) -> tuple[Notice, ...]:
    """Whom to tell that something will expire, each lot once for each warning.

    A lot is told under the nearest warning that it has reached: one that is found 5 days before its end gets the
    warning of 7 days, and never again that of 30.

    Parameters
    ----------
    accounts : accounts
        `ledger.account(name)` of each name in `ledger.accounts("club:point:")`.
    now : aware datetime
    days : whole numbers of days before the end
    sent : ids
        Of notices that were sent.

    Examples
    --------
    >>> from datetime import UTC
    >>> from crmcore.ledger import earn, replay
    >>> day = lambda d: datetime(2026, 5, d, tzinfo=UTC)
    >>> card = replay([earn("a", "club:point:7", 30, at=day(1), expires_at=day(20))])
    >>> [first] = expiry_notices([card], now=day(14))
    >>> first.amount, first.id, expiry_notices([card], now=day(15), sent=[first.id])
    (30, 'club:point:7:a:7', ())
    """
    check_aware(now, "now")
    warnings = sorted(set(days))
    if not warnings or any(type(d) is not int or d < 1 for d in warnings):
        raise OutOfRange("days", tuple(warnings), "whole numbers above 0", "days=(30, 7)")
    known = set(sent)
    found = []
    for account in accounts:
        for lot in account.expiring(now + timedelta(days=warnings[-1], microseconds=1), as_of=now):
            nearest = next(d for d in warnings if lot.expires_at <= now + timedelta(days=d))
            ids = [f"{account.id}:{lot.lot}:{d}" for d in warnings if d <= nearest]
            if not known.intersection(ids):
                found.append(Notice(id=ids[-1], account=account.id, amount=lot.amount, expires_at=lot.expires_at))
    return tuple(sorted(found, key=lambda n: (n.expires_at, n.id)))
