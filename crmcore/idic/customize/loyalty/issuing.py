"""Accounts of a programme in a ledger, and how pieces of coupons are issued within their limits."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import attrs

from crmcore.errors import OutOfRange
from crmcore.idic.customize.loyalty.coupons import Coupon
from crmcore.idic.customize.loyalty.programme import Programme
from crmcore.idic.customize.loyalty.receipts import Issued
from crmcore.ledger import Account, Ledger, Posting, earn, evolve, spend
from crmcore.zones import zone_of

__all__ = ["Issuing"]


class Issuing:
    """What a club knows of its accounts, and the postings that issue pieces; writes nothing."""

    def __init__(self, programme: Programme, ledger: Ledger) -> None:
        self.programme, self.ledger = programme, ledger

    def points_account(self, customer: str) -> str:
        """Account of a customer's points."""
        return f"{self.programme.name}:{self.programme.unit}:{customer}"

    def coupon_account(self, customer: str, coupon: str) -> str:
        """Account of the pieces of a coupon that a customer holds."""
        return f"{self.programme.name}:coupon:{self.programme.coupon(coupon).name}:{customer}"

    def _automatic(
        self, customer: str, account: Account, cause: str, at: datetime
    ) -> tuple[tuple[Issued, ...], list[Posting]]:
        """Automatic rewards that a points account has come to, and the postings that issue them."""
        balance, unit = account.balance(as_of=at), self.programme.unit
        active, ever = balance.active, balance.credited - balance.pending - balance.reversed
        issued: list[Issued] = []
        made: list[Posting] = []
        for reward in (r for r in self.programme.rewards if r.automatic):
            stem = account.id if reward.keeps_points else cause
            known = self.ledger.account(self.coupon_account(customer, reward.coupon)).postings
            for n in range(1, (ever if reward.keeps_points else active) // reward.points + 1):
                id = f"{stem}:{reward.name}:{n}"
                if id in known:
                    continue
                ahead = sum(x.coupon == reward.coupon for x in issued)
                because = f"{reward.name}, {reward.points} {unit}s"
                try:
                    piece, postings = self._piece(customer, reward.coupon, id, at, because, cause, ahead)
                except OutOfRange:
                    break  # no piece left: the points stay where they are
                issued.append(piece)
                made += postings
                if not reward.keeps_points:
                    price = spend(f"{id}:price", account.id, reward.points, unit=unit, at=at, reference=cause)
                    active, account, paid = active - reward.points, *self._paid(price, account)
                    made.append(paid)
        return tuple(issued), made

    @staticmethod
    def _paid(posting: Posting, account: Account) -> tuple[Account, Posting]:
        """The account after a spending, and the spending with its lots named: what else is posted then takes others."""
        after = evolve(account, posting)
        return after, attrs.evolve(posting, lots=tuple(lot for lot, *_ in after.payments[-1].parts))

    def _piece(
        self, customer: str, coupon: str, id: str, at: datetime, because: str, reference: str, ahead: int = 0
    ) -> tuple[Issued, list[Posting]]:
        """Postings that issue a piece within the limits of its coupon; `ahead` pieces are on their way already."""
        terms = self.programme.coupon(coupon)
        account = self.ledger.account(self.coupon_account(customer, coupon))
        ends = terms.validity.ends(at, zone=zone_of(self.programme.zone))
        about: dict[str, Any] = {"unit": "coupon", "reference": reference}
        piece = earn(id, account.id, 1, at=at, expires_at=ends, reason=because or "issued", **about)
        issued = Issued(coupon=coupon, id=id, because=piece.reason, expires_at=ends)
        if id in account.postings:
            return issued, [piece]
        got = len(account.lots) + ahead
        if terms.per_customer is not None and got >= terms.per_customer:
            raise OutOfRange("coupon", coupon, f"at most {terms.per_customer} pieces a customer", f"{got} were issued")
        return issued, [*self._budget(terms, id, at, reference, ahead), piece]

    def _budget(self, terms: Coupon, id: str, at: datetime, reference: str, ahead: int) -> list[Posting]:
        """Postings that take a piece from all that there are; the account is filled when it is first asked."""
        if terms.in_all is None:
            return []
        budget = self.ledger.account(f"{self.programme.name}:budget:{terms.name}")
        at = max(at, budget.at or at)  # tills' clocks differ: what all share only goes forward
        balance = budget.balance(as_of=at)
        if balance.spent + ahead >= terms.in_all:
            raise OutOfRange("coupon", terms.name, f"{terms.in_all} pieces in all", "all are issued")
        about: dict[str, Any] = {"unit": "coupon", "at": at}
        made = [spend(f"{id}:of-all", budget.id, 1, reference=reference, **about)]
        if balance.credited < terms.in_all:
            more = terms.in_all - balance.credited
            made.insert(0, earn(f"{budget.id}:fund:{terms.in_all}", budget.id, more, **about))
        return made
