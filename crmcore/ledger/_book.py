"""The mechanics of one account, in place and in plain integers: what `evolve` and the columnar replay both run on.

Amounts are whole minor units, instants whole microseconds since 1970. A refused posting leaves the book unusable
(callers work on a copy, or drop it and read it again), an accepted one leaves every lot in balance:

    amount = left + held + spent + moved + reversed + repaid

where `left` is pending, active or expired by the lot's own dates at whatever instant is asked for.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from crmcore.errors import CurrencyMismatch, DuplicateIds, OutOfRange, UnknownName
from crmcore.ledger.postings import IfExpired, IfSpent, Kind, Posting, SpendOrder
from crmcore.ledger.refusals import AlreadySettled, LateEntry, LotUsed, Overdraft
from crmcore.ledger.units import Unit

__all__ = ["ALWAYS", "NEVER", "Book", "Hold", "Lot", "Payment", "instant_of", "micros_of"]

NEVER = 2**62  # an instant after all others: no expiry, pending until confirmed
ALWAYS = -NEVER  # an instant before all others: active from the start
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICRO = timedelta(microseconds=1)

Key = tuple[int, int, str]


def micros_of(at: datetime | None, otherwise: int) -> int:
    """Microseconds since 1970 of an aware datetime, or `otherwise` for None."""
    return otherwise if at is None else (at - EPOCH) // MICRO


def instant_of(micros: int) -> datetime | None:
    """Turn microseconds back into a datetime; the two ends of time are None."""
    return None if abs(micros) >= NEVER else EPOCH + timedelta(microseconds=micros)


class Lot:
    """What one credit brought, and where it has gone."""

    __slots__ = (
        "amount",
        "earned",
        "expires",
        "forgiven",
        "held",
        "id",
        "kind",
        "left",
        "moved",
        "opens",
        "origin",
        "owed",
        "paid",
        "queued",
        "repaid",
        "reversed",
        "spent",
    )

    def __init__(self, id: str, kind: str, amount: int, earned: int, opens: int, expires: int) -> None:
        self.id, self.kind = id, kind
        self.amount = self.left = amount
        self.earned, self.opens, self.expires = earned, opens, expires
        # of what was taken back after it had been used: still owed by the account; written off, unless the spending is
        # refunded; repaid by other lots
        self.owed = self.forgiven = self.paid = 0
        self.held = self.spent = self.moved = self.reversed = self.repaid = 0
        self.queued = False
        self.origin = ""  # of a renewed lot: the lot that it was cut from

    @property
    def key(self) -> Key:
        """Place in the order of paying: earliest expiry, then age, then id."""
        return (self.expires, self.earned, self.id)


class Hold:
    """An open reservation: which lots it holds how much of."""

    __slots__ = ("id", "parts", "until")

    def __init__(self, id: str, until: int, parts: list[tuple[Lot, int]]) -> None:
        self.id, self.until, self.parts = id, until, parts


class Payment:
    """A spending or a transfer: the lots that paid, and how much of each has been given back."""

    __slots__ = ("at", "back", "id", "kind", "parts")

    def __init__(self, id: str, kind: str, at: int, parts: list[tuple[Lot, int]]) -> None:
        self.id, self.kind, self.at, self.parts = id, kind, at, parts
        self.back = [0] * len(parts)


class Book:
    """One account as it stands after its last posting.

    `credited`, `debited` and `owing` count postings on their own, so that `faults` can hold the lots against them.
    """

    __slots__ = (
        "account",
        "at",
        "credited",
        "debited",
        "holds",
        "ids",
        "lots",
        "owing",
        "payments",
        "queue",
        "renewed",
        "settled",
        "unit",
        "version",
    )

    def __init__(self, account: str, unit: Unit | None = None) -> None:
        self.account, self.unit = account, unit
        self.at, self.version = ALWAYS, 0
        self.ids: set[str] = set()
        self.lots: dict[str, Lot] = {}
        self.queue: list[tuple[int, int, str, Lot]] = []  # lots with something left, in the order of paying
        self.holds: dict[str, Hold] = {}
        self.payments: dict[str, Payment] = {}
        self.settled: dict[str, str] = {}  # reservation -> what ended it
        self.renewed: dict[str, list[Lot]] = {}  # lot -> lots cut from it
        self.owing = 0
        self.credited = 0  # earned, received, adjusted upwards
        self.debited = 0  # spent and transferred, less what was refunded

    # --- postings -----------------------------------------------------------------------------------------------

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

    # --- lots ---------------------------------------------------------------------------------------------------

    def take(self, need: int, kind: str, order: SpendOrder, names: Iterable[str]) -> list[tuple[Lot, int]]:
        """Find lots that pay; nothing is changed but the queue, which forgets lots that can never pay again."""
        asked, at, queue = need, self.at, self.queue
        parts: list[tuple[Lot, int]] = []
        if names:
            chosen = self._named(names)
        elif order is SpendOrder.EARLIEST_EXPIRY:
            while queue and (not queue[0][3].left or queue[0][0] <= at):
                queue.pop(0)[3].queued = False
            if queue:
                first = queue[0][3]
                if first.left >= need and first.opens <= at:
                    return [(first, need)]
            chosen = (entry[3] for entry in queue)
        else:
            chosen = iter(sorted((e[3] for e in queue), key=lambda x: (x.earned, x.id)))
            if order is SpendOrder.LAST_EARNED:
                chosen = iter(sorted((e[3] for e in queue), key=lambda x: (-x.earned, x.id)))
        for lot in chosen:
            left = lot.left
            if left and lot.opens <= at < lot.expires:
                if left >= need:
                    parts.append((lot, need))
                    return parts
                parts.append((lot, left))
                need -= left
        raise self._overdraft(kind, asked, asked - need)

    def _named(self, names: Iterable[str]) -> Iterable[Lot]:
        chosen = list(dict.fromkeys(names))
        for name in chosen:
            if name not in self.lots:
                self._unknown("lot", name, self.lots)
        return (self.lots[name] for name in chosen)

    def _overdraft(self, kind: str, asked: int, there: int) -> Overdraft:
        b = self.buckets(self.at)
        unit = self.unit or Unit("unit")
        return Overdraft(
            self.account, str(kind), unit.name, asked, there, b[1], b[2], b[4], self.owing, unit.digits,
            instant_of(self.at),
        )  # fmt: skip

    def _unknown(self, what: str, name: str, known: Iterable[str], hint: str = "") -> NoReturn:
        if hint:
            raise OutOfRange(what, name, "a spend or a commit", hint)
        raise UnknownName(f"{what} on {self.account!r}", name, tuple(sorted(known)[-20:]))

    def _open_hold(self, of: str, what: str) -> Hold:
        found = self.holds.get(of)
        if found is None:
            if of in self.settled:
                raise AlreadySettled(what, of, 0, 1)
            self._unknown(f"reservation to {what}", of, self.holds)
        return found

    def _queue(self, lot: Lot) -> None:
        if not lot.queued and lot.expires > self.at:
            lot.queued = True
            entry = (lot.expires, lot.earned, lot.id, lot)
            queue = self.queue
            if not queue or queue[-1] < entry:
                queue.append(entry)
            else:
                insort(queue, entry)

    def _settle(self, lot: Lot, x: int) -> int:
        """Let what comes back to a lot first cover what was taken back from it; returns the rest."""
        owed = min(lot.owed, x)
        lot.owed -= owed
        self.owing -= owed
        forgiven = min(lot.forgiven, x - owed)
        lot.forgiven -= forgiven
        lot.reversed += owed + forgiven
        return x - owed - forgiven

    def give_back(self, lot: Lot, x: int) -> None:
        """Return held amounts to their lot."""
        lot.left += self._settle(lot, x)
        if lot.left:
            self._queue(lot)

    def repay(self, at: int) -> None:
        """Let active lots pay what the account owes, in the order of paying."""
        for _, _, _, lot in self.queue:
            if not self.owing:
                return
            if lot.left and lot.opens <= at < lot.expires:
                x = min(lot.left, self.owing)
                lot.left -= x
                lot.repaid += x
                self._repaid(x)

    def _repaid(self, x: int) -> None:
        self.owing -= x
        for lot in sorted((lot for lot in self.lots.values() if lot.owed), key=lambda lot: lot.key):
            part = min(lot.owed, x)
            lot.owed -= part
            lot.paid += part
            x -= part
            if not x:
                return

    # --- time ---------------------------------------------------------------------------------------------------

    def advance(self, to: int) -> None:
        """Let time pass: reservations lapse, and lots that open repay what is owed, each at its own instant."""
        lapsing = sorted((h.until, h.id) for h in self.holds.values() if h.until <= to)
        if not lapsing and not self.owing:
            return
        instants = {until for until, _ in lapsing}
        if self.owing:
            instants.update(e[3].opens for e in self.queue if self.at < e[3].opens <= to)
        for now in sorted(instants):
            while lapsing and lapsing[0][0] == now:
                hold = self.holds.pop(lapsing.pop(0)[1])
                self.settled[hold.id] = "lapse"
                for lot, x in hold.parts:
                    lot.held -= x
                    self.give_back(lot, x)
            if self.owing:
                self.repay(now)

    def instants(self, until: int) -> list[int]:
        """Instants after the last posting, up to `until`, at which something happens without one."""
        found = {h.until for h in self.holds.values()}
        for lot in self.lots.values():
            found |= {lot.opens, lot.expires}
        return sorted(t for t in found if self.at < t <= until)

    def buckets(self, at: int) -> tuple[int, int, int, int, int, int, int, int]:
        """Active, pending, reserved, spent, expired, reversed, transferred, repaid at an instant not before `self.at`.

        Call `advance(at)` first.
        """
        active = pending = held = spent = expired = undone = moved = repaid = 0
        for lot in self.lots.values():
            left = lot.left
            if left:
                if lot.expires <= at:
                    expired += left
                elif lot.opens > at:
                    pending += left
                else:
                    active += left
            held += lot.held
            spent += lot.spent
            undone += lot.reversed
            moved += lot.moved
            repaid += lot.repaid
        return active, pending, held, spent, expired, undone, moved, repaid

    def faults(self, at: int) -> list[str]:
        """Sentences about what does not add up; none in books that only postings have changed."""
        found = []
        for lot in self.lots.values():
            parts = (lot.left, lot.held, lot.spent, lot.moved, lot.reversed, lot.repaid, lot.owed, lot.forgiven)
            if min(parts) < 0:
                found.append(f"lot {lot.id!r} holds less than nothing")
            if lot.amount != sum(parts[:6]):
                found.append(f"lot {lot.id!r} of {lot.amount} accounts for {sum(parts[:6])}")
        b = self.buckets(at)
        checks = (
            ("credited", self.credited, "buckets", sum(b)),
            ("spent and transferred by postings", self.debited, "by lots", b[3] + b[6]),
            ("reserved", sum(x for h in self.holds.values() for _, x in h.parts), "held by lots", b[2]),
            ("owed", self.owing, "by lots", sum(lot.owed for lot in self.lots.values())),
        )
        found += [f"{a} {m}, {b_} {n}" for a, m, b_, n in checks if m != n]
        return found


def _unit_names(first: Unit, second: Unit) -> tuple[str, str]:
    if first.name != second.name:
        return first.name, second.name
    return f"{first.name} ({first.digits} decimals)", f"{second.name} ({second.digits} decimals)"
