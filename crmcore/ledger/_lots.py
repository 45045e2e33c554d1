"""What an account holds: lots in the order of paying, what is set aside, and what time does to them.

Plain integers, changed in place: amounts are whole minor units, instants whole microseconds since 1970. Of every lot

    amount = left + held + spent + moved + reversed + repaid

where `left` is pending, active or expired by the lot's own dates at whatever instant is asked for.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from crmcore.errors import OutOfRange, UnknownName
from crmcore.ledger.postings import SpendOrder
from crmcore.ledger.refusals import AlreadySettled, Overdraft
from crmcore.ledger.units import Unit

__all__ = ["ALWAYS", "EPOCH", "MICRO", "NEVER", "Hold", "Lot", "Lots", "Payment", "instant_of", "micros_of"]

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


class Lots:
    """The lots of one account as they stand after its last posting, or at a later instant.

    `credited`, `debited` and `owing` are counted apart from the lots, so that `faults` can hold one against the other.
    """

    __slots__ = (
        "account",
        "at",
        "credited",
        "debited",
        "holds",
        "lots",
        "owing",
        "queue",
        "settled",
        "soonest",
        "unit",
        "version",
    )

    def __init__(self, account: str, unit: Unit | None = None) -> None:
        self.account, self.unit = account, unit
        self.at, self.version = ALWAYS, 0
        self.lots: dict[str, Lot] = {}
        self.queue: list[tuple[int, int, str, Lot]] = []  # lots with something left, in the order of paying
        self.holds: dict[str, Hold] = {}
        self.soonest = NEVER  # no open hold lapses before this
        self.settled: dict[str, str] = {}  # reservation -> what ended it
        self.owing = 0
        self.credited = 0  # earned, received, adjusted upwards
        self.debited = 0  # spent and transferred, less what was refunded

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
        if self.quiet(to):
            return
        lapsing = sorted((h.until, h.id) for h in self.holds.values() if h.until <= to)
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
        self.soonest = min((h.until for h in self.holds.values()), default=NEVER)

    def quiet(self, to: int) -> bool:
        """Whether time alone changes nothing up to an instant: no reservation lapses, and no debt waits for a lot.

        Found without a look at the holds, so that a posting costs the same on an account with thousands of them.
        """
        return to < self.soonest and not self.owing

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
