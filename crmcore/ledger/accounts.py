"""An account as an immutable value: `account = evolve(account, posting)`, asked for its balance at a later instant."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import attrs

from crmcore import documents
from crmcore._base import aware, check_aware, html_table
from crmcore._frames import write_frame
from crmcore.errors import OutOfRange, UnknownName
from crmcore.ledger import _lots
from crmcore.ledger._book import Book
from crmcore.ledger._lots import ALWAYS, NEVER, instant_of, micros_of
from crmcore.ledger.balances import Balance
from crmcore.ledger.postings import RANK, Posting
from crmcore.ledger.refusals import Unbalanced
from crmcore.ledger.units import Unit

__all__ = ["Account", "Expiring", "Explanation", "Lot", "Paid", "Reservation", "evolve", "in_order", "replay"]


@attrs.frozen(kw_only=True)
class Lot:
    """One credit and where its amount has gone: `amount = left + held + spent + moved + reversed + repaid`.

    `left` is pending before `available_at` (or until confirmed), expired from `expires_at` on, active in between.
    `owed`, `forgiven` and `paid` say how much of it was taken back after it had been used: still owed, written off,
    repaid by other lots. `origin` names the lot that a renewed lot was cut from.
    """

    id: str
    kind: str
    amount: int
    left: int
    earned_at: datetime
    expires_at: datetime | None = None
    available_at: datetime | None = None
    needs_confirmation: bool = False
    held: int = 0
    spent: int = 0
    moved: int = 0
    reversed: int = 0
    repaid: int = 0
    owed: int = 0
    forgiven: int = 0
    paid: int = 0
    origin: str = ""


@attrs.frozen(kw_only=True)
class Reservation:
    """An open reservation: parts are (lot id, amount)."""

    id: str
    until: datetime | None = None
    parts: tuple[tuple[str, int], ...]


@attrs.frozen(kw_only=True)
class Paid:
    """A spending or a transfer: parts are (lot id, amount, amount given back since)."""

    id: str
    kind: str
    at: datetime
    parts: tuple[tuple[str, int, int], ...]


@attrs.frozen(kw_only=True)
class Expiring:
    """An amount that will expire if nothing happens."""

    lot: str
    amount: int
    expires_at: datetime


@attrs.frozen(kw_only=True)
class Explanation:
    """Which lots paid for a spending or a transfer, in the order of paying.

    Examples
    --------
    >>> from datetime import datetime, UTC
    >>> from crmcore.ledger import earn, replay, spend
    >>> day = lambda d: datetime(2026, 5, d, tzinfo=UTC)
    >>> books = [earn("a", "card:7", 30, at=day(1)), earn("b", "card:7", 20, at=day(2), expires_at=day(9))]
    >>> print(replay([*books, spend("s", "card:7", 25, at=day(3))]).explain("s"))
    spend 's' of 25 point at 2026-05-03T00:00+00:00:
      20 from 'b', earned 2026-05-02, expires 2026-05-09
      5 from 'a', earned 2026-05-01, never expires
    """

    payment: Paid
    unit: Unit
    lots: tuple[Lot, ...]

    def __str__(self) -> str:
        total = sum(part[1] for part in self.payment.parts)
        head = f"{self.payment.kind} {self.payment.id!r} of {self.unit.text(total)}"
        lines = [f"{head} at {self.payment.at.isoformat(timespec='minutes')}:"]
        for (_, amount, back), lot in zip(self.payment.parts, self.lots, strict=True):
            end = f"expires {lot.expires_at.date()}" if lot.expires_at else "never expires"
            given = f", {self.unit.number(back)} given back" if back else ""
            lines.append(f"  {self.unit.number(amount)} from {lot.id!r}, earned {lot.earned_at.date()}, {end}{given}")
        return "\n".join(lines)

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {"lot": lot.id, "amount_minor": n, "given_back_minor": back, "earned_at": lot.earned_at,
             "expires_at": lot.expires_at}
            for (_, n, back), lot in zip(self.payment.parts, self.lots, strict=True)
        ]  # fmt: skip

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a lot: lot, amount_minor, given_back_minor, earned_at, expires_at."""
        rows = self._rows()
        return write_frame({k: [r[k] for r in rows] for k in rows[0]}, backend=backend)

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=str(self).partition(":\n")[0])


@attrs.frozen(kw_only=True, repr=False)
class Account:
    """One account after its last posting: lots, open reservations, payments. A value: postings make new ones.

    Parameters
    ----------
    id : text
        Its name.
    unit : Unit, optional
        Set by the first posting.
    at : aware datetime, optional
        Instant of the last posting; None before the first.
    version : count
        Postings so far.
    lots, reservations, payments
        Credits, what is set aside, what has paid.
    settled : mapping
        Reservations that ended, and how.
    postings : ids
        Every posting that was folded, sorted, so that a repeated one changes nothing.
    credited, debited : amounts
        Sums over postings, kept apart from the lots so that `check` can hold one against the other.

    Examples
    --------
    >>> from datetime import datetime, UTC
    >>> from crmcore.ledger import earn, spend
    >>> day = lambda d: datetime(2026, 5, d, tzinfo=UTC)
    >>> card = evolve(Account(id="card:7"), earn("visit-1", "card:7", 10, at=day(1), expires_at=day(20)))
    >>> card = evolve(card, spend("coffee", "card:7", 4, at=day(2)))
    >>> card, print(card.balance(as_of=day(20)))
    card:7: 0 point active (4 spent, 6 expired) at 2026-05-20T00:00+00:00
    (Account('card:7', 2 postings, 1 lot), None)
    """

    id: str
    unit: Unit | None = None
    at: datetime | None = attrs.field(default=None, validator=aware)
    version: int = 0
    lots: tuple[Lot, ...] = ()
    reservations: tuple[Reservation, ...] = ()
    payments: tuple[Paid, ...] = ()
    settled: Mapping[str, str] = attrs.field(factory=dict)
    postings: tuple[str, ...] = ()
    credited: int = 0
    debited: int = 0

    def __repr__(self) -> str:
        lots = f"{len(self.lots)} lot{'s' if len(self.lots) != 1 else ''}"
        return f"Account({self.id!r}, {self.version} posting{'s' if self.version != 1 else ''}, {lots})"

    def balance(self, *, as_of: datetime) -> Balance:
        """Where everything is at an instant, if no posting follows.

        Raises
        ------
        OutOfRange
            An instant before the last posting: replay the postings up to it instead (`replay(postings, as_of=...)`,
            `Ledger.balance`).
        """
        return balance_of(self._at(as_of), as_of)

    def expiring(self, before: datetime, *, as_of: datetime) -> tuple[Expiring, ...]:
        """What will expire from `as_of` on and before an instant, earliest first; pending lots included."""
        book = self._at(as_of)
        now, end = micros_of(as_of, 0), micros_of(_needed("before", before), 0)
        lots = sorted((x for x in book.lots.values() if x.left and now < x.expires < end), key=lambda x: x.key)
        return tuple(Expiring(lot=x.id, amount=x.left, expires_at=_instant(x.expires)) for x in lots)

    def explain(self, payment: str) -> Explanation:
        """Which lots paid for a spending, a commit or a transfer."""
        found = {p.id: p for p in self.payments}
        if payment not in found:
            raise UnknownName(f"payment of {self.id!r}", payment, tuple(found)[-20:])
        lots = {lot.id: lot for lot in self.lots}
        paid = found[payment]
        return Explanation(payment=paid, unit=self.unit or Unit("unit"), lots=tuple(lots[p[0]] for p in paid.parts))

    def check(self) -> Account:
        """Prove that the account adds up: every lot, and the lots against the postings; returns the account itself.

        Raises
        ------
        Unbalanced
            Naming every fault.
        """
        faults = thawed(self).faults(micros_of(self.at, 0))
        if faults:
            raise Unbalanced(self.id, tuple(faults))
        return self

    def _at(self, as_of: datetime) -> Book:
        book = thawed(self)
        now = micros_of(_needed("as_of", as_of), 0)
        if now < book.at:
            hint = "replay(postings, as_of=...) or Ledger.balance(..., as_of=...) go back in time"
            last = self.at.isoformat() if self.at else ""
            raise OutOfRange("as_of", as_of.isoformat(), f"{last} (the last posting) or later", hint)
        book.advance(now)
        return book

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        found: dict[str, Any] = json.loads(documents.dumps(self))  # tuples within tuples are lists then
        return found

    @classmethod
    def from_dict(cls, document: object) -> Account:
        """Read what `to_dict` wrote; `BadDocument` names every fault."""
        return documents.from_dict(cls, document)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a lot, with its buckets."""
        names = [f.name for f in attrs.fields(Lot)]
        return write_frame({n: [getattr(lot, n) for lot in self.lots] for n in names}, backend=backend)

    def _repr_html_(self) -> str:
        shown = ("id", "amount", "left", "held", "spent", "reversed", "expires_at")
        rows = [{n: getattr(lot, n) for n in shown} for lot in self.lots]
        return html_table(rows, caption=f"{self.id} in {self.unit.name if self.unit else 'no unit yet'}")


def evolve(account: Account, posting: Posting) -> Account:
    """The account after one more posting; a posting that it has seen changes nothing.

    Parameters
    ----------
    account : Account
        Stays as it is.
    posting : Posting
        Not older than the last one.

    Raises
    ------
    Overdraft, LotUsed, AlreadySettled, LateEntry, CurrencyMismatch, UnknownName, OutOfRange
        The posting is refused.
    """
    if posting.account != account.id:
        hint = "evolve the account that the posting names"
        raise OutOfRange("posting.account", posting.account, repr(account.id), hint)
    if posting.id in account.postings:
        return account
    book = thawed(account)
    book.post(posting)
    return frozen(book)


def in_order(postings: Iterable[Posting]) -> list[Posting]:
    """Postings by instant, at one instant by the order of `Kind`, then by id."""
    return sorted(postings, key=lambda p: (p.at, RANK[p.kind], p.id))


def replay(postings: Iterable[Posting], *, as_of: datetime | None = None, ordered: bool = False) -> Account:
    """The account that postings of one account make, up to an instant (inclusive).

    Parameters
    ----------
    postings : postings of one account
        In any order; an id that stands there twice counts once.
    as_of : aware datetime, optional
        Later postings do not count.
    ordered : truth
        Whether they come in the order in which they apply, as a ledger keeps them; otherwise those of one instant apply
        in the order of `Kind`, then by id.

    Raises
    ------
    OutOfRange
        No posting, or postings of several accounts: `PostingTable.replay` takes a population.

    Examples
    --------
    >>> from datetime import datetime, UTC
    >>> from crmcore.ledger import earn
    >>> first = earn("a", "card:7", 10, at=datetime(2026, 5, 1, tzinfo=UTC))
    >>> replay([first, first]).version
    1
    """
    listed = list(postings)
    names = sorted({p.account for p in listed})
    if len(names) != 1:
        hint = "PostingTable.of(postings).balances(as_of=...) takes a population"
        raise OutOfRange("postings", f"of {len(names)} accounts", "postings of one account", hint)
    end = None if as_of is None else micros_of(_needed("as_of", as_of), 0)
    book = Book(names[0])
    for posting in listed if ordered else in_order(listed):
        if end is not None and micros_of(posting.at, 0) > end:
            break
        if posting.id not in book.ids:
            book.post(posting)
    return frozen(book)


def _needed(name: str, at: datetime) -> datetime:
    check_aware(at, name)
    return at


def _instant(micros: int) -> datetime:
    return _lots.EPOCH + micros * _lots.MICRO


def balance_of(book: Book, as_of: datetime) -> Balance:
    """Balance of a book that was advanced to `as_of`."""
    b = book.buckets(micros_of(as_of, 0))
    return Balance(
        account=book.account, unit=book.unit or Unit("unit"), as_of=as_of, active=b[0], pending=b[1], reserved=b[2],
        spent=b[3], expired=b[4], reversed=b[5], transferred=b[6], repaid=b[7], debt=book.owing,
    )  # fmt: skip


def frozen(book: Book) -> Account:
    """The value of a book."""
    return Account(
        id=book.account,
        unit=book.unit,
        at=instant_of(book.at),
        version=book.version,
        lots=tuple(map(_frozen_lot, book.lots.values())),
        reservations=tuple(
            Reservation(id=h.id, until=instant_of(h.until), parts=tuple((lot.id, x) for lot, x in h.parts))
            for h in book.holds.values()
        ),
        payments=tuple(
            Paid(
                id=p.id,
                kind=str(p.kind),
                at=_instant(p.at),
                parts=tuple((lot.id, x, back) for (lot, x), back in zip(p.parts, p.back, strict=True)),
            )
            for p in book.payments.values()
        ),
        settled=dict(book.settled),
        postings=tuple(sorted(book.ids)),
        credited=book.credited,
        debited=book.debited,
    )


_SAME = ("held", "spent", "moved", "reversed", "repaid", "owed", "forgiven", "paid", "origin")


def _frozen_lot(lot: _lots.Lot) -> Lot:
    return Lot(
        id=lot.id,
        kind=str(lot.kind),
        amount=lot.amount,
        left=lot.left,
        earned_at=_instant(lot.earned),
        expires_at=instant_of(lot.expires),
        available_at=instant_of(lot.opens),
        needs_confirmation=lot.opens >= NEVER,
        **{name: getattr(lot, name) for name in _SAME},
    )


def thawed(account: Account) -> Book:
    """A book of its own for an account."""
    book = Book(account.id, account.unit)
    book.at, book.version = micros_of(account.at, ALWAYS), account.version
    book.ids, book.settled = set(account.postings), dict(account.settled)
    book.credited, book.debited = account.credited, account.debited
    for kept in account.lots:
        opens = NEVER if kept.needs_confirmation else micros_of(kept.available_at, ALWAYS)
        expires = micros_of(kept.expires_at, NEVER)
        lot = _lots.Lot(kept.id, kept.kind, kept.amount, micros_of(kept.earned_at, 0), opens, expires)
        lot.left = kept.left
        for name in _SAME:
            setattr(lot, name, getattr(kept, name))
        book.lots[lot.id] = lot
        book.owing += lot.owed
        if lot.origin:
            book.renewed.setdefault(lot.origin, []).append(lot)
        if lot.left:
            book._queue(lot)
    for hold in account.reservations:
        parts = [(book.lots[name], x) for name, x in hold.parts]
        book.holds[hold.id] = _lots.Hold(hold.id, micros_of(hold.until, NEVER), parts)
        book.soonest = min(book.soonest, micros_of(hold.until, NEVER))
    for paid in account.payments:
        payment = _lots.Payment(
            paid.id, paid.kind, micros_of(paid.at, 0), [(book.lots[name], x) for name, x, _ in paid.parts]
        )
        payment.back = [back for _, _, back in paid.parts]
        book.payments[paid.id] = payment
    return book
