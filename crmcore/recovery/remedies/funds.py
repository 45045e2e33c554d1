"""The money of remedies on a ledger: held when decided, paid when given, given back when not, never overspent."""

from __future__ import annotations

import enum
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from crmcore._base import check_aware, mask
from crmcore.errors import BadRows, OutOfRange, StoreConflict, UnknownName
from crmcore.ledger import Balance, Kind, Ledger, Overdraft, Posting, commit, earn, release, reserve
from crmcore.ledger.refusals import ChangedPosting, LateEntry
from crmcore.ledger.units import unit_of
from crmcore.recovery.employees.checks import check_kind
from crmcore.recovery.remedies.cases import FailedCase, minor
from crmcore.recovery.remedies.deciding import RemedyPolicy
from crmcore.recovery.remedies.plans import Plan
from crmcore.values import Money
from crmcore.zones import zone_of

__all__ = ["Granted", "RemedyFund", "State"]

TRIES = 5  # others were faster: read the balance again, decide again


class State(enum.StrEnum):
    """What became of the money of one case."""

    FREE = "free"  # a plan that costs nothing holds nothing
    HELD = "held"
    PAID = "paid"
    GIVEN_BACK = "given back"


@attrs.frozen(kw_only=True)
class Granted:
    """A case and its money.

    Parameters
    ----------
    case : text
    remedies : texts
    cost : Money
    state : State
    plan : Plan, optional
        None where the case had been granted before: what was decided then stands.
    """

    case: str
    remedies: tuple[str, ...]
    cost: Money
    state: State
    plan: Plan | None = None

    def __str__(self) -> str:
        return f"case {self.case}: {', '.join(self.remedies) or 'nothing'} for {self.cost}, {self.state}"


class RemedyFund:
    """A budget for remedies, and what each customer may get of it in a period.

    Parameters
    ----------
    ledger : Ledger
        Of any store; several processes may share it.
    currency : ISO 4217 code
    name : text
        Accounts are `name:budget` and `name:customer:...`.
    per_customer : Money, optional
        Cap of what one customer gets in a period, whoever decides and on however many machines.
    per : text
        `"month"` or `"year"` of the wall clock of `zone`. A cap ends with its period.
    zone : zone

    Examples
    --------
    >>> from datetime import datetime, UTC
    >>> from crmcore.recovery.remedies import scripts
    >>> from crmcore.stores import MemoryStore
    >>> now = datetime(2026, 6, 1, tzinfo=UTC)
    >>> fund = RemedyFund(Ledger(MemoryStore()), currency="USD")
    >>> fund.load("june", Money.of(1000, "USD"), at=now)
    >>> policy = scripts.electronics_policy()
    >>> case = FailedCase(id="c1", customer="ann", failure="defective product", loss=Money.of(900, "USD"))
    >>> print(fund.grant(policy, case, now=now))
    case c1: apology, new product, discount 20 % for 720.00 USD, held
    >>> print(fund.grant(policy, case, now=now).state, fund.commit("c1", at=now).state, fund.left(as_of=now))
    held paid 280.00 USD
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        currency: str,
        name: str = "remedies",
        per_customer: Money | None = None,
        per: str = "year",
        zone: str | ZoneInfo = "UTC",
    ) -> None:
        check_kind("ledger", ledger, Ledger, hint="Ledger(SqliteStore('money.db'))")
        if per not in ("month", "year"):
            raise UnknownName("period of a cap", per, ("month", "year"))
        minor(per_customer, currency)
        self.ledger, self.currency, self.name = ledger, Money(0, currency).currency, name
        self.per_customer, self.per, self.zone = per_customer, per, zone_of(zone)
        self.unit = unit_of(currency)
        self._read, self._holdings = 0, dict[str, Posting]()  # postings of the budget, read once

    def __repr__(self) -> str:
        cap = f", {self.per_customer} a customer and {self.per}" if self.per_customer is not None else ""
        return f"RemedyFund({self.name!r}, {self.currency}{cap})"

    @property
    def account(self) -> str:
        """Account of the budget."""
        return f"{self.name}:budget"

    def load(self, id: str, amount: Money, *, at: datetime, expires_at: datetime | None = None) -> None:
        """Add money to the budget; the same id again adds nothing."""
        self.ledger.post(
            earn(f"{self.name}:load:{id}", self.account, amount, at=at, unit=self.unit, expires_at=expires_at)
        )

    def left(self, *, as_of: datetime) -> Money:
        """What the budget can still hold for cases."""
        return Money(self._balance(self.account, as_of).active, self.currency)

    def left_for(self, customer: str, *, as_of: datetime) -> Money | None:
        """What one customer may still get in the period; None without a cap."""
        if self.per_customer is None:
            return None
        if not self.ledger.knows(self._of(customer), self._allowance(customer, as_of)[0]):
            return self.per_customer
        return Money(self._balance(self._of(customer), as_of).active, self.currency)

    def grant(self, policy: RemedyPolicy, case: FailedCase, *, now: datetime, grade: str | None = None) -> Granted:
        """Decide about a case with what budget and customer still have, and hold the money.

        A case that holds or has used money already is returned as it stands. Where another writer takes the money
        between decision and holding, the case is decided again: the next best remedy, or approval.

        Raises
        ------
        StoreConflict
            Others were faster several times in a row.
        """
        check_aware(now, "now")
        for _ in range(TRIES):
            known = self.of_case(case.id)
            if known is not None:
                return known
            plan = self._decided(policy, case, now, grade)
            if not plan.cost:
                return self._granted(plan, State.FREE)
            try:
                return self.reserve(plan, at=now)
            except (Overdraft, LateEntry, StoreConflict):
                continue
        raise self._overtaken()

    def _decided(self, policy: RemedyPolicy, case: FailedCase, now: datetime, grade: str | None) -> Plan:
        left = self.left_for(case.customer, as_of=now)
        if left is not None and self.per_customer is not None:
            case = attrs.evolve(case, given_before=self.per_customer - left)
            policy = attrs.evolve(policy, caps=attrs.evolve(policy.caps, per_customer=self.per_customer))
        return policy.decide(case, now=now, grade=grade, budget_left=self.left(as_of=now))

    def reserve(self, plan: Plan, *, at: datetime) -> Granted:
        """Hold the cost of a plan; a case that is known already is returned as it stands.

        Raises
        ------
        Overdraft
            Budget or customer have less; nothing is held.
        """
        known = self.of_case(plan.case)
        if known is not None:
            return known
        if not plan.cost:
            return self._granted(plan, State.FREE)
        told = "; ".join(plan.remedies)
        rest: dict[str, Any] = {"unit": self.unit, "reason": told, "reference": plan.customer}
        accounts = [self.account] + ([self._of(plan.customer)] if self.per_customer is not None else [])
        at = self._forward(accounts, at)
        postings = [reserve(self._id("held", plan.case), self.account, plan.cost, at=at, **rest)]
        if self.per_customer is not None:
            postings += self._opened(plan.customer, at)
            own = self._id("held for the customer", plan.case)
            postings.append(reserve(own, accounts[1], plan.cost, at=at, **rest))
        if self._post(postings):
            return self._granted(plan, State.HELD)
        return self._known(plan.case)

    def commit(self, case: str, *, at: datetime) -> Granted:
        """Book what a case holds as given; repeated without effect.

        Raises
        ------
        UnknownName
            The case holds nothing.
        OutOfRange
            What it held was given back.
        """
        return self._settle(case, at, State.PAID, commit)

    def release(self, case: str, *, at: datetime) -> Granted:
        """Give back what a case holds, to the budget and to the customer's cap; repeated without effect."""
        return self._settle(case, at, State.GIVEN_BACK, release)

    def _settle(self, case: str, at: datetime, state: State, verb: Callable[..., Posting]) -> Granted:
        word = "paid" if state is State.PAID else "back"
        for _ in range(TRIES):
            known = self._known(case)
            if known.state is state:
                return known
            if known.state is not State.HELD:
                raise OutOfRange("state", known.state.value, "held", "what is settled stays as it is: open a new case")
            held = self._held(case)
            accounts = [self.account] + ([self._of(held.reference)] if self._capped(case, held.reference) else [])
            when = self._forward(accounts, at)
            postings = [verb(self._id(word, case), self.account, of=held.id, at=when, unit=self.unit)]
            if len(accounts) > 1:
                own, of = self._id(f"{word} for the customer", case), self._id("held for the customer", case)
                postings += [
                    *self._opened(held.reference, when),
                    verb(own, accounts[1], of=of, at=when, unit=self.unit),
                ]
            try:
                self._post(postings)
            except (LateEntry, StoreConflict):
                continue
            return self._known(case)
        raise self._overtaken()

    # --- reading ------------------------------------------------------------------------------------------------

    def of_case(self, case: str) -> Granted | None:
        """What a case got, as the ledger has it; None where it holds nothing and never did."""
        if not self._posted("held", case):
            return None
        state = State.HELD
        if self._posted("paid", case):
            state = State.PAID
        elif self._posted("back", case):
            state = State.GIVEN_BACK
        held = self._held(case)
        amount = Money(held.amount or 0, self.currency)
        return Granted(case=case, remedies=tuple(held.reason.split("; ")), cost=amount, state=state)

    def _known(self, case: str) -> Granted:
        found = self.of_case(case)
        if found is None:
            raise UnknownName("case that holds money", case, ())
        return found

    def _posted(self, what: str, case: str) -> bool:
        return self.ledger.knows(self.account, self._id(what, case))

    def _held(self, case: str) -> Posting:
        """What was held for a known case: the postings since the last look are read, never the whole account again."""
        own = self._id("held", case)
        if own not in self._holdings:
            fresh = self.ledger.postings(self.account, after=self._read)
            self._holdings.update((p.id, p) for p in fresh if p.kind is Kind.RESERVE)
            self._read += len(fresh)
        return self._holdings[own]

    def _capped(self, case: str, customer: str) -> bool:
        return self.ledger.knows(self._of(customer), self._id("held for the customer", case))

    def _balance(self, account: str, as_of: datetime) -> Balance:
        """Balance now, not before the last posting: other clocks may be a little ahead."""
        last = self.ledger.last_at(account)
        return self.ledger.balance(account, as_of=as_of if last is None else max(as_of, last))

    def _overtaken(self) -> StoreConflict:
        return StoreConflict(self.account, 0, self.ledger.account(self.account).version)

    # --- postings -----------------------------------------------------------------------------------------------

    def _id(self, what: str, case: str) -> str:
        return f"{self.name}:{what}:{case}"

    def _of(self, customer: str) -> str:
        return f"{self.name}:customer:{customer}"

    def _forward(self, accounts: list[str], at: datetime) -> datetime:
        """An instant that no account has passed: clocks of several machines differ."""
        check_aware(at, "at")
        return max([at, *(last for name in accounts if (last := self.ledger.last_at(name)) is not None)])

    def _allowance(self, customer: str, at: datetime) -> tuple[str, datetime, datetime]:
        """Id, first instant and end of the customer's allowance of the period."""
        day = at.astimezone(self.zone).date()
        first = day.replace(day=1) if self.per == "month" else day.replace(month=1, day=1)
        after = (first + timedelta(days=32 if self.per == "month" else 367)).replace(day=1)
        return f"{self._of(customer)}:{first.isoformat()}", self._midnight(first), self._midnight(after)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(0), tzinfo=self.zone)

    def _opened(self, customer: str, at: datetime) -> list[Posting]:
        """The allowance of the period, where it is not in the books yet."""
        cap = self.per_customer
        id_, since, until = self._allowance(customer, at)
        if not cap or self.ledger.knows(self._of(customer), id_):
            return []
        return [earn(id_, self._of(customer), cap, at=since, unit=self.unit, expires_at=until)]

    def _post(self, postings: list[Posting]) -> bool:
        """Write; False where another writer booked the same case a moment before."""
        try:
            self.ledger.post_many(postings)
        except Overdraft as error:
            kept = mask(error.account.rpartition(":")[2]) if ":customer:" in error.account else error.account
            raise attrs.evolve(error, account=kept) from None
        except BadRows:  # budget and customer both refuse: what the budget lacks is said, and no name
            raise self._refused(postings[0]) from None
        except ChangedPosting:
            return False
        return True

    def _refused(self, posting: Posting) -> Overdraft | StoreConflict:
        has, asked = self._balance(self.account, posting.at), posting.amount or 0
        if has.active >= asked:
            return self._overtaken()
        return Overdraft(
            self.account, posting.kind.value, self.unit.name, asked, has.active, has.pending, has.reserved, has.expired,
            has.debt, self.unit.digits, has.as_of,
        )  # fmt: skip

    def _granted(self, plan: Plan, state: State) -> Granted:
        return Granted(case=plan.case, remedies=plan.remedies, cost=plan.cost, state=state, plan=plan)
