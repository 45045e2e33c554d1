"""The mechanics of one account, in place: what `evolve` and the columnar replay both run on.

Each method here is what one kind of posting does to the lots. A refused posting leaves the book unusable (callers work
on a copy, or drop it and read it again), an accepted one leaves every lot in balance.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable

from crmcore.errors import CurrencyMismatch, DuplicateIds
from crmcore.ledger._lots import ALWAYS, EPOCH, NEVER, Hold, Lot, Lots, Payment, instant_of, micros_of
from crmcore.ledger.postings import IfExpired, IfSpent, Kind, Posting, SpendOrder
from crmcore.ledger.refusals import AlreadySettled, LateEntry, LotUsed
from crmcore.ledger.units import Unit

__all__ = ["Book"]


class Book(Lots):
    """One account as it stands after its last posting."""

    __slots__ = ("ids", "payments", "renewed")

    def __init__(self, account: str, unit: Unit | None = None) -> None:
        super().__init__(account, unit)
        self.ids: set[str] = set()
        self.payments: dict[str, Payment] = {}
        self.renewed: dict[str, list[Lot]] = {}  # lot -> lots cut from it

    def post(self, p: Posting) -> None:
        """Apply a posting that this account has not seen."""
        self.enter(p.id, micros_of(p.at, ALWAYS), p.unit)
        kind, at, amount = p.kind, self.at, p.amount or 0
        if kind is Kind.EARN:
            opens = NEVER if p.needs_confirmation else micros_of(p.available_at, ALWAYS)
            self.credit(p.id, kind, amount, at, opens, micros_of(p.expires_at, NEVER))
        elif kind is Kind.RECEIVE:
            self.credit(p.id, kind, amount, micros_of(p.earned_at, at), ALWAYS, micros_of(p.expires_at, NEVER))
        elif kind is Kind.SPEND or kind is Kind.TRANSFER:
            self.pay(p.id, kind, amount, p.order, p.lots)
        elif kind is Kind.RESERVE:
            self.hold(p.id, amount, micros_of(p.until, NEVER), p.order, p.lots)
        elif kind is Kind.COMMIT:
            self.commit(p.id, p.of, p.amount)
        elif kind is Kind.RELEASE:
            self.unhold(p.of, "release")
        elif kind is Kind.REVERSE:
            self.refund(p.id, p.of, p.amount, p.if_expired, micros_of(p.expires_at, NEVER))
        elif kind is Kind.CLAW_BACK:
            self.claw_back(p.of, p.amount, p.if_spent)
        elif kind is Kind.CONFIRM or kind is Kind.CANCEL:
            self.settle_pending(p.of, kind)
        else:
            self.adjust(p.id, amount, micros_of(p.expires_at, NEVER))

    def enter(self, id: str, at: int, unit: Unit) -> None:
        """Check what every posting must satisfy, and let time pass up to it."""
        if at < self.at:
            last, given = instant_of(self.at), instant_of(at)
            raise LateEntry(self.account, id, given or EPOCH, last or EPOCH)
        if self.unit is None:
            self.unit = unit
        elif unit is not self.unit and unit != self.unit:
            raise CurrencyMismatch(*_unit_names(self.unit, unit))
        if id in self.ids:
            raise DuplicateIds(f"the postings of {self.account!r}", 1, (self.version,), "give each posting its own id")
        if self.holds or self.owing:
            self.advance(at)
        self.at = at
        self.version += 1
        self.ids.add(id)

    def credit(self, id: str, kind: str, amount: int, earned: int, opens: int, expires: int) -> None:
        """Open a lot; what the account owes is repaid from it as soon as it is active."""
        lots = self.lots
        if id in lots:
            raise DuplicateIds(f"the lots of {self.account!r}", 1, (self.version,), "give each posting its own id")
        lot = lots[id] = Lot(id, kind, amount, earned, opens, expires)
        self.credited += amount
        if expires > self.at:
            lot.queued = True
            entry = (expires, earned, id, lot)
            queue = self.queue
            if not queue or queue[-1] < entry:
                queue.append(entry)
            else:
                insort(queue, entry)
        if self.owing:
            self.repay(self.at)

    def pay(self, id: str, kind: str, amount: int, order: SpendOrder, names: Iterable[str]) -> None:
        """Spend or move an amount out of active lots."""
        parts = self.take(amount, kind, order, names)
        if kind == Kind.SPEND:
            for lot, x in parts:
                lot.left -= x
                lot.spent += x
        else:
            for lot, x in parts:
                lot.left -= x
                lot.moved += x
        self.debited += amount
        self.payments[id] = Payment(id, kind, self.at, parts)

    def hold(self, id: str, amount: int, until: int, order: SpendOrder, names: Iterable[str]) -> None:
        """Set an amount aside."""
        parts = self.take(amount, Kind.RESERVE, order, names)
        for lot, x in parts:
            lot.left -= x
            lot.held += x
        self.holds[id] = Hold(id, until, parts)
        self.soonest = min(self.soonest, until)

    def commit(self, id: str, of: str, amount: int | None) -> None:
        """Turn a reservation into a spending; what it does not need goes back, latest payer first."""
        hold = self._open_hold(of, "commit")
        total = sum(x for _, x in hold.parts)
        need = total if amount is None else amount
        if need > total:
            raise AlreadySettled("commit", of, total, need)
        del self.holds[of]
        self.settled[of] = id
        parts: list[tuple[Lot, int]] = []
        for lot, x in hold.parts:
            used = min(x, need)
            need -= used
            lot.held -= x
            lot.spent += used
            if used:
                parts.append((lot, used))
            if x > used:
                self.give_back(lot, x - used)
        self.debited += sum(x for _, x in parts)
        self.payments[id] = Payment(id, Kind.SPEND, self.at, parts)
        if self.owing:
            self.repay(self.at)

    def unhold(self, of: str, how: str) -> None:
        """Give a reservation back."""
        hold = self._open_hold(of, how)
        del self.holds[of]
        self.settled[of] = how
        for lot, x in hold.parts:
            lot.held -= x
            self.give_back(lot, x)
        if self.owing:
            self.repay(self.at)

    def refund(self, id: str, of: str, amount: int | None, if_expired: IfExpired, expires: int) -> None:
        """Give a spending back to the lots that paid it, latest payer first."""
        payment = self.payments.get(of)
        if payment is None or payment.kind != Kind.SPEND:
            hint = "transfer it back" if payment is not None else ""
            self._unknown(
                "spending to reverse", of, [i for i, p in self.payments.items() if p.kind == Kind.SPEND], hint
            )
        left = sum(x for _, x in payment.parts) - sum(payment.back)
        need = left if amount is None else amount
        if need > left or not need:
            raise AlreadySettled("reverse", of, left, need)
        self.debited -= need
        for i in range(len(payment.parts) - 1, -1, -1):
            lot, x = payment.parts[i]
            part = min(x - payment.back[i], need)
            if part:
                need -= part
                payment.back[i] += part
                lot.spent -= part
                self._refund_part(id, lot, part, if_expired, expires)
        if self.owing:
            self.repay(self.at)

    def _refund_part(self, id: str, lot: Lot, part: int, if_expired: IfExpired, expires: int) -> None:
        kept = self._settle(lot, part)  # the lot itself was taken back since: that comes first
        if not kept:
            return
        if lot.expires > self.at or if_expired is IfExpired.EXPIRED:
            lot.left += kept
            self._queue(lot)
            return
        if if_expired is IfExpired.REFUSE:
            hint = "refund it with if_expired='renew' and a new expires_at, or with if_expired='expired'"
            raise LotUsed(lot.id, kept, 0, hint)
        # The part leaves its lot for one of its own, so what was credited stays the same.
        lot.amount -= kept
        renewed = Lot(f"{id}/{lot.id}", lot.kind, kept, lot.earned, ALWAYS, expires)
        if renewed.id in self.lots:
            raise DuplicateIds(f"the lots of {self.account!r}", 1, (self.version,), "give the refund another id")
        renewed.origin = lot.origin or lot.id
        self.lots[renewed.id] = renewed
        self.renewed.setdefault(renewed.origin, []).append(renewed)
        self._queue(renewed)

    def claw_back(self, of: str, amount: int | None, if_spent: IfSpent) -> None:
        """Take an earning back: first what its lot has, then by policy."""
        lot = self.lots.get(of)
        if lot is None:
            self._unknown("earning to take back", of, self.lots)
        pieces = [lot, *self.renewed.get(of, ())]
        able = sum(x.amount - x.reversed - x.owed - x.forgiven - x.paid for x in pieces)
        need = able if amount is None else amount
        if need > able or not need:
            raise AlreadySettled("claw back", of, able, need)
        there = sum(x.left for x in pieces)
        if need > there and if_spent is IfSpent.REFUSE:
            hint = "say if_spent='debt' or if_spent='write off', or take back at most what is there"
            raise LotUsed(of, need, there, hint)
        for piece in pieces:
            x = min(piece.left, need)
            piece.left -= x
            piece.reversed += x
            need -= x
        for piece in pieces:
            used = piece.held + piece.spent + piece.moved + piece.repaid - piece.owed - piece.forgiven - piece.paid
            x = min(max(used, 0), need)
            need -= x
            if if_spent is IfSpent.DEBT:
                piece.owed += x
                self.owing += x
            else:
                piece.forgiven += x
        if self.owing:
            self.repay(self.at)

    def settle_pending(self, of: str, how: Kind) -> None:
        """Confirm or cancel a pending lot."""
        lot = self.lots.get(of)
        if lot is None:
            self._unknown(f"pending lot to {how.value}", of, [x.id for x in self.lots.values() if x.opens > self.at])
        if lot.opens <= self.at or not lot.left or lot.expires <= self.at:
            raise AlreadySettled(how.value, of, 0, lot.left)
        if how is Kind.CONFIRM:
            lot.opens = self.at
            if self.owing:
                self.repay(self.at)
        else:
            lot.reversed += lot.left
            lot.left = 0

    def adjust(self, id: str, amount: int, expires: int) -> None:
        """Correct by hand, up or down."""
        if amount > 0:
            self.credit(id, Kind.ADJUST, amount, self.at, ALWAYS, expires)
            return
        for lot, x in self.take(-amount, Kind.ADJUST, SpendOrder.EARLIEST_EXPIRY, ()):
            lot.left -= x
            lot.reversed += x


def _unit_names(first: Unit, second: Unit) -> tuple[str, str]:
    if first.name != second.name:
        return first.name, second.name
    return f"{first.name} ({first.digits} decimals)", f"{second.name} ({second.digits} decimals)"
