"""A programme at work: tills, cards and coupons on a ledger, each call all or nothing, each told twice done once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import attrs

from crmcore._base import check_aware, listed
from crmcore.errors import CrmError, OutOfRange
from crmcore.idic.customize.loyalty.combining import Discounts, best_coupons, discounts_of
from crmcore.idic.customize.loyalty.coupons import spread
from crmcore.idic.customize.loyalty.issuing import Issuing
from crmcore.idic.customize.loyalty.programme import Reward
from crmcore.idic.customize.loyalty.purchases import Line, Purchase
from crmcore.idic.customize.loyalty.receipts import Issued, Receipt, Refund
from crmcore.idic.customize.loyalty.wallets import Piece, Wallet
from crmcore.ledger import (
    Account,
    Kind,
    Posting,
    claw_back,
    commit,
    earn,
    evolve,
    release,
    reserve,
    reverse,
    spend,
)
from crmcore.ledger.refusals import ChangedPosting
from crmcore.rules import Facts, Truth

__all__ = ["Club"]

T = TypeVar("T")
RETRIES = 3  # another till was faster: look again, decide again


class Club(Issuing):
    """Cards of a programme's customers, kept in a ledger.

    Points of a customer are the account `"<programme>:<unit>:<customer>"`, pieces of a coupon
    `"<programme>:coupon:<coupon>:<customer>"`; whatever the ledger can say of an account (statement, explanation,
    balance at any instant) it says of these. Postings carry ids made of the purchase's, so a call that is repeated
    changes nothing, and several tills may work on one store.

    Parameters
    ----------
    programme : Programme
    ledger : Ledger
        May hold other accounts too. Made with `limits=programme.limits`, it keeps the limits per customer even where
        two tills are faster than each other.

    Examples
    --------
    >>> from crmcore.calendars import local
    >>> from crmcore.idic.customize.loyalty import Coupon, FreeItem, stamp_card
    >>> from crmcore.ledger import Ledger
    >>> from crmcore.stores import MemoryStore
    >>> from crmcore.values import Money
    >>> cup = Coupon(name="cup", gives=FreeItem())
    >>> coffee = stamp_card("coffee", stamps=3, gives=cup, currency="THB", zone="Asia/Bangkok")
    >>> card = Club(coffee, Ledger(MemoryStore()))
    >>> for day in (1, 2, 3):
    ...     noon = local(2026, 6, day, 12, zone="Asia/Bangkok")
    ...     receipt = card.checkout(Purchase.of(f"till-{day}", "7", Money.of("60", "THB"), at=noon))
    >>> print(receipt)
    60.00 THB - 0.00 THB - 0 stamp = 60.00 THB
    earned 1 stamp
      1 by visit: 1 for the purchase
    got cup: full card, 3 stamps
    >>> print(card.wallet("7", as_of=noon))
    0 stamp
      1 cup, for ever
      full card in 3 stamps
    """

    def __repr__(self) -> str:
        return f"Club({self.programme!r}, {self.ledger!r})"

    # --- reading ------------------------------------------------------------------------------------------------

    def wallet(self, customer: str, *, as_of: datetime) -> Wallet:
        """What a customer holds at an instant, and how far the next reward is."""
        check_aware(as_of, "as_of")
        programme = self.programme
        points = self.ledger.balance(self.points_account(customer), as_of=as_of)
        pieces = []
        for coupon in programme.coupons:
            account = self.ledger.account(self.coupon_account(customer, coupon.name), as_of=as_of)
            balance = account.balance(as_of=as_of)
            if balance.active or balance.reserved:
                ends = [
                    lot.expires_at for lot in account.lots if lot.left and lot.expires_at and lot.expires_at > as_of
                ]
                pieces.append(Piece(coupon.name, balance.active, balance.reserved, min(ends, default=None)))
        missing = {reward.name: self._missing(reward, points.active, points.credited) for reward in programme.rewards}
        return Wallet(points=points, unit=programme.unit, coupons=tuple(pieces), missing=missing)

    @staticmethod
    def _missing(reward: Reward, active: int, credited: int) -> int:
        if reward.keeps_points:
            return reward.points - credited % reward.points
        return max(reward.points - active, 0)

    def best(self, purchase: Purchase) -> Discounts:
        """Which coupons of the customer's to use now, and why not the others; nothing is written."""
        held = {p.coupon: p for p in self.wallet(purchase.customer, as_of=purchase.at).coupons if p.active}
        mine = [c for c in self.programme.coupons if c.name in held]
        return best_coupons(purchase, mine, zone=self.programme.zone)

    # --- tills --------------------------------------------------------------------------------------------------

    def reserve(
        self, purchase: Purchase, *, coupons: Iterable[str] = (), points: int = 0, until: datetime | None = None
    ) -> None:
        """Hold coupons and points for a basket: they neither expire nor can be used elsewhere until `until`.

        `checkout` of the same purchase uses what is held; `release` gives it back.
        """
        hold: dict[str, Any] = {"at": purchase.at, "until": until, "reference": purchase.id}
        wanted = [
            reserve(
                f"{purchase.id}:hold:{name}", self.coupon_account(purchase.customer, name), 1, unit="coupon", **hold
            )
            for name in self._names(coupons)
        ]
        if points:
            account = self.points_account(purchase.customer)
            wanted.append(reserve(f"{purchase.id}:hold", account, points, unit=self.programme.unit, **hold))
        self.ledger.post_many(wanted)

    def release(self, purchase: Purchase, *, at: datetime) -> None:
        """Give back what is held for a basket; nothing held is no error."""
        accounts = [self.points_account(purchase.customer)]
        accounts += [self.coupon_account(purchase.customer, c.name) for c in self.programme.coupons]
        self.ledger.post_many(
            release(f"{hold.id}:release", account.id, of=hold.id, at=at, unit=account.unit or self.programme.unit)
            for account in map(self.ledger.account, accounts)
            for hold in account.reservations
            if hold.id.startswith(f"{purchase.id}:hold")
        )

    def checkout(self, purchase: Purchase, *, coupons: Iterable[str] = (), points: int = 0) -> Receipt:
        """Use coupons and points on a purchase, earn on what is paid with money, issue automatic rewards.

        Parameters
        ----------
        purchase : Purchase
            In the programme's currency. Told again, it changes nothing and gives the same receipt.
        coupons : names
            Pieces to use, one of each: `best(purchase).used` for the best hand.
        points : count
            To pay with, each worth `programme.worth`. What the purchase itself earns cannot pay for it.

        Raises
        ------
        CurrencyMismatch, UnknownName, OutOfRange
            Another currency; a coupon that does not exist, is not held any more, or does not hold here; more points
            than the purchase costs.
        Overdraft
            More points than are active.
        ChangedPosting
            The purchase was told before with other points or coupons.
        """
        purchase.in_currency(self.programme.currency)
        names = self._names(coupons)
        receipt = self._priced(purchase, names, points)
        return self._decided(purchase, lambda account: self._checkout(receipt, account, names))

    def _priced(self, purchase: Purchase, names: tuple[str, ...], points: int) -> Receipt:
        """A receipt before the books are asked."""
        programme = self.programme
        used = [programme.coupon(name) for name in names]
        discounts = discounts_of(purchase, used, zone=programme.zone)
        off = discounts.by_line or (0,) * len(purchase.lines)
        left = [line.amount_minor - x for line, x in zip(purchase.lines, off, strict=True)]
        by_points = spread(self._worth(points, sum(left)), left, range(len(left)))
        paid = purchase.with_lines(
            Line(line.product, a - b, line.quantity, facts=line.facts)
            for line, a, b in zip(purchase.lines, left, by_points, strict=True)
        )
        return Receipt(
            purchase=purchase, discounts=discounts, points_used=points, points_minor=tuple(by_points),
            earned=programme.points(paid),
        )  # fmt: skip

    def _worth(self, points: int, left_minor: int) -> int:
        if type(points) is not int or points < 0:
            raise OutOfRange("points", points, "a whole number from 0", "points to pay with")
        if not points:
            return 0
        each = self.programme.worth
        if each is None:
            raise OutOfRange("points", points, "0", "the programme gives points no worth at the till: worth=Money(...)")
        worth = points * each.amount_minor
        if worth - left_minor >= each.amount_minor:
            most = -(-left_minor // each.amount_minor)
            raise OutOfRange("points", points, f"at most {most}", "that pays the whole purchase")
        return min(worth, left_minor)

    def _checkout(self, receipt: Receipt, account: Account, names: tuple[str, ...]) -> tuple[Receipt, list[Posting]]:
        purchase, programme = receipt.purchase, self.programme
        told = {p.id: p for p in self.ledger.postings(account.id)} if f"{purchase.id}:earn" in account.postings else {}
        if told or self._told(purchase, names):
            return self._again(receipt, told), []
        about: dict[str, Any] = {"at": purchase.at, "reference": purchase.id}
        made = [self._use(purchase, name) for name in names]
        after = account
        if receipt.points_used:
            after, paying = self._pay(receipt, account)
            made.append(paying)
        if receipt.earned.total:
            lot = earn(
                f"{purchase.id}:earn", account.id, receipt.earned.total, unit=programme.unit,
                expires_at=receipt.earned.expires_at, available_at=receipt.earned.available_at, **about,
            )  # fmt: skip
            after = evolve(after, lot)
            made.append(lot)
        issued, postings = self._automatic(purchase.customer, after, purchase.id, purchase.at)
        return attrs.evolve(receipt, issued=issued), made + postings

    def _told(self, purchase: Purchase, names: tuple[str, ...]) -> bool:
        """Whether a purchase that earned nothing was told before."""
        spent = [(self.coupon_account(purchase.customer, name), f"{purchase.id}:use:{name}") for name in names]
        spent.append((self.points_account(purchase.customer), f"{purchase.id}:pay"))
        return any(id in self.ledger.account(account).postings for account, id in spent)

    def _again(self, receipt: Receipt, told: Mapping[str, Posting]) -> Receipt:
        """The receipt of a purchase that is in the books already."""
        purchase = receipt.purchase
        paid, got = told.get(f"{purchase.id}:pay"), told.get(f"{purchase.id}:earn")
        used = 0 if paid is None else paid.amount or 0
        if used != receipt.points_used or (0 if got is None else got.amount or 0) != receipt.earned.total:
            raise ChangedPosting(purchase.id, ("points or coupons",))
        issued = [
            Issued(coupon=coupon.name, id=p.id, because=p.reason, expires_at=p.expires_at)
            for coupon in self.programme.coupons
            for p in self.ledger.postings(self.coupon_account(purchase.customer, coupon.name))
            if p.kind is Kind.EARN and p.reference == purchase.id
        ]
        return attrs.evolve(receipt, issued=tuple(issued))

    def _use(self, purchase: Purchase, name: str) -> Posting:
        """Posting that uses one piece, held for this purchase or active now."""
        account = self.ledger.account(self.coupon_account(purchase.customer, name))
        hold = f"{purchase.id}:hold:{name}"
        id = f"{purchase.id}:use:{name}"
        about: dict[str, Any] = {"at": purchase.at, "unit": "coupon", "reference": purchase.id}
        if any(r.id == hold and (r.until is None or purchase.at < r.until) for r in account.reservations):
            return commit(id, account.id, of=hold, **about)
        balance = self.ledger.balance(account.id, as_of=purchase.at)
        if not balance.active:
            why = f"{balance.expired} expired, {balance.spent} used, {balance.reserved} held for other baskets"
            raise OutOfRange("coupon", name, "a piece that is active now", f"leave it out: {why}")
        return spend(id, account.id, 1, **about)

    def _pay(self, receipt: Receipt, account: Account) -> tuple[Account, Posting]:
        """Posting of the points that pay: from lots that were there before; and the account after it."""
        purchase, unit = receipt.purchase, self.programme.unit
        hold, id = f"{purchase.id}:hold", f"{purchase.id}:pay"
        about: dict[str, Any] = {"at": purchase.at, "reference": purchase.id, "unit": unit}
        if any(r.id == hold and (r.until is None or purchase.at < r.until) for r in account.reservations):
            held = commit(id, account.id, of=hold, amount=receipt.points_used, **about)
            return evolve(account, held), held
        return self._paid(spend(id, account.id, receipt.points_used, **about), account)

    def refund(
        self,
        receipt: Receipt,
        returned: Mapping[int, int],
        *,
        id: str,
        at: datetime,
        before: Mapping[int, int] | None = None,
    ) -> Refund:
        """Settle goods that come back: money, points to the very lots that paid, points that were earned.

        Every sum is that of all pieces returned so far less that of those returned before, so that partial refunds add
        up to the whole to the last unit, in any order. Points kept are what the pieces kept would have earned under the
        programme's terms. Coupons come back when the whole purchase has; what automatic rewards gave stays.

        Parameters
        ----------
        receipt : Receipt
        returned : mapping of line to pieces
            All that have come back until now, these included: `{0: 2}`.
        id : text
            Idempotency key of the refund.
        at : aware datetime
        before : mapping of line to pieces, optional
            Those of earlier refunds.

        Raises
        ------
        BadRows
            Lines that are none, more pieces than were bought, or fewer than before.
        LotUsed
            Points are gone and the programme says `if_spent="refuse"`.
        """
        check_aware(at, "at")
        now, then = receipt.pieces(returned), receipt.pieces(before or {}, "before")
        receipt.pieces({i: a - b for i, (a, b) in enumerate(zip(now, then, strict=True))}, "returned less before")
        money, back, taken = (a - b for a, b in zip(self._back(receipt, now), self._back(receipt, then), strict=True))
        whole = all(n == line.quantity for n, line in zip(now, receipt.purchase.lines, strict=True))
        made = Refund(
            id=id, purchase=receipt.purchase.id, currency=receipt.purchase.currency, unit=self.programme.unit,
            money_minor=money, points_back=back, points_taken=taken,
            coupons_back=receipt.discounts.used if whole else (),
        )  # fmt: skip
        self.ledger.post_many(self._refund_postings(receipt, made, at))
        return made

    def _back(self, receipt: Receipt, returned: tuple[int, ...]) -> tuple[int, int, int]:
        """Money, points given back and points taken when so many pieces of each line have come back."""
        lines = receipt.purchase.lines
        parts = list(zip(receipt.paid_minor, receipt.points_minor, returned, lines, strict=True))
        money = sum(paid * n // line.quantity for paid, _, n, line in parts)
        by_points = sum(receipt.points_minor)
        worth = sum(minor * n // line.quantity for _, minor, n, line in parts)
        back = receipt.points_used * worth // by_points if by_points else 0
        kept = receipt.kept(returned)
        gone = bool(lines) and not kept.lines
        left = 0 if gone else self.programme.points(kept).total
        return money, back, max(receipt.earned.total - left, 0) if lines else 0

    def _refund_postings(self, receipt: Receipt, made: Refund, at: datetime) -> list[Posting]:
        customer, of = receipt.purchase.customer, receipt.purchase.id
        account = self.points_account(customer)
        about: dict[str, Any] = {"at": at, "reference": of}
        postings = [
            reverse(f"{made.id}:back:{name}", self.coupon_account(customer, name), of=f"{of}:use:{name}", unit="coupon",
                    **about)
            for name in made.coupons_back
        ]  # fmt: skip
        if made.points_back:
            postings.append(
                reverse(f"{made.id}:back", account, of=f"{of}:pay", amount=made.points_back, unit=self.programme.unit,
                        **about)
            )  # fmt: skip
        if made.points_taken:
            postings.append(
                claw_back(f"{made.id}:taken", account, of=f"{of}:earn", amount=made.points_taken,
                          unit=self.programme.unit, if_spent=self.programme.if_spent, **about)
            )  # fmt: skip
        return postings

    # --- rewards ------------------------------------------------------------------------------------------------

    def redeem(
        self, customer: str, reward: str, *, id: str, at: datetime, facts: Facts | Mapping[str, object] | None = None
    ) -> Issued:
        """Exchange points for a piece of a reward's coupon.

        Raises
        ------
        UnknownName, OutOfRange, Overdraft, LimitExceeded
            No such reward; not for this customer, or issued automatically; too few points; no piece left.
        """
        found = self.programme.reward(reward)
        if found.automatic:
            raise OutOfRange(
                "reward", reward, "one that is asked for", "automatic rewards come by themselves: settle(...)"
            )
        if found.when is not None:
            decision = found.when.decide(facts or {}, now=at)
            if decision.truth is not Truth.TRUE:
                raise OutOfRange("reward", reward, "one that holds for this customer", str(decision))
        account = self.points_account(customer)

        def decide(_: Account) -> tuple[Issued, list[Posting]]:
            price = spend(f"{id}:price", account, found.points, unit=self.programme.unit, at=at, reference=id)
            issued, pieces = self._piece(customer, found.coupon, f"{id}:piece", at, found.name, id)
            return issued, [price, *pieces]

        return self._decided_for(account, decide)

    def issue(self, customer: str, coupon: str, *, id: str, at: datetime, because: str = "") -> Issued:
        """Give a customer a piece of a coupon, within what there is of it."""

        def decide(_: Account) -> tuple[Issued, list[Posting]]:
            return self._piece(customer, coupon, id, at, because, id)

        return self._decided_for(self.coupon_account(customer, coupon), decide)

    def settle(self, customer: str, *, at: datetime) -> tuple[Issued, ...]:
        """Issue automatic rewards whose points have become active since the last purchase: pending ones that opened."""
        stamp = at.isoformat(timespec="seconds")

        def decide(account: Account) -> tuple[tuple[Issued, ...], list[Posting]]:
            return self._automatic(customer, account, f"settle:{stamp}", at)

        return self._decided_for(self.points_account(customer), decide)

    # --- writing ------------------------------------------------------------------------------------------------

    def _names(self, coupons: Iterable[str]) -> tuple[str, ...]:
        names = listed(coupons, "coupons", str, what="names", hint="coupons=['welcome']")
        return tuple(sorted({self.programme.coupon(name).name for name in names}))

    def _decided(self, purchase: Purchase, decide: Callable[[Account], tuple[T, list[Posting]]]) -> T:
        return self._decided_for(self.points_account(purchase.customer), decide)

    def _decided_for(self, account: str, decide: Callable[[Account], tuple[T, list[Posting]]]) -> T:
        """Read, decide, write; if another till wrote in between, again."""
        for attempt in range(RETRIES):
            read = self.ledger.account(account)
            try:
                made, postings = decide(read)
                self.ledger.post_many(postings)
            except CrmError:
                if attempt == RETRIES - 1 or self.ledger.account(account).version == read.version:
                    raise
                continue
            return made
        raise AssertionError("unreachable")  # pragma: no cover
