"""A machine that attacks the ledger: any order of postings, held against a twin that counts single points."""

from __future__ import annotations

import copy
import os
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from ledger_twin import Refused, Twin

from crmcore.errors import CrmError
from crmcore.ledger import (
    Account,
    Balance,
    IfExpired,
    IfSpent,
    Ledger,
    Posting,
    SpendOrder,
    adjust,
    cancel,
    claw_back,
    commit,
    confirm,
    earn,
    release,
    reserve,
    reverse,
    spend,
    transfer,
)
from crmcore.ledger.balances import BUCKETS
from crmcore.stores import MemoryStore

START = datetime(2026, 5, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
ACCOUNTS = ("card:a", "card:b")
amounts = st.integers(1, 9)
parts = st.none() | amounts
lives = st.none() | st.integers(1, 8)
who = st.sampled_from(ACCOUNTS)


def buckets(balance: Balance) -> dict[str, int]:
    return {name: getattr(balance, name) for name in (*BUCKETS, "debt")}


class LedgerMachine(RuleBasedStateMachine):
    """Two cards of one programme."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger(MemoryStore())
        self.twins = {name: Twin() for name in ACCOUNTS}
        self.now = START
        self.n = 0
        self.ids: dict[str, list[str]] = {"earn": [], "pay": [], "hold": []}
        self.said: list[tuple[str, datetime, Balance]] = []
        self.accepted: list[Posting] = []
        self.seen: object = None
        self.sentences: list[str] = []

    def name(self, kind: str) -> str:
        self.n += 1
        # names that do not sort by age, and so decide ties
        name = f"{(self.n * 7) % 10}{kind}{self.n}"
        self.ids.setdefault(kind, []).append(name)
        return name

    def after(self, hours: int | None) -> datetime | None:
        return None if hours is None else self.now + hours * HOUR

    def pick(self, kind: str, i: int) -> str:
        known = self.ids[kind]
        return known[i % len(known)] if known else "nothing"

    def try_(self, posting: Posting) -> None:
        try:
            self.ledger.post(posting)
        except CrmError as error:
            self.sentences.append(str(error))
            with pytest.raises(Refused):
                self.fresh(posting).post(posting)
            return
        self.accepted.append(posting)
        moved = self.twins[posting.account].post(posting)
        if moved:
            groups: dict[int, tuple[dict[str, object], int]] = {}
            for lot in moved:
                groups[id(lot)] = (lot, groups.get(id(lot), (lot, 0))[1] + 1)
            other = self.twins[posting.other]
            other.pass_time(posting.at)
            other.now = posting.at
            for k, (lot, n) in enumerate(groups.values(), 1):
                other.credit(f"{posting.id}:in:{k}", n, earned=lot["earned"], opens=None, expires=lot["expires"])
                other.repay(posting.at)

    def fresh(self, posting: Posting) -> Twin:
        """The twin that is about to refuse, on a copy: a refusal may leave it half changed."""
        return copy.deepcopy(self.twins[posting.account])

    @rule(hours=st.integers(0, 4))
    def wait(self, hours: int) -> None:
        self.now += hours * HOUR

    @rule(who=who, amount=amounts, life=lives, opens=st.none() | st.integers(1, 3) | st.just("confirm"))
    def earns(self, who: str, amount: int, life: int | None, opens: int | str | None) -> None:
        start = opens if isinstance(opens, int) else 0
        self.try_(
            earn(
                self.name("earn"), who, amount, at=self.now,
                expires_at=self.after(None if life is None else start + life),
                available_at=self.after(opens) if isinstance(opens, int) else None,
                needs_confirmation=opens == "confirm",
            )
        )  # fmt: skip

    @rule(who=who, amount=amounts, order=st.sampled_from(SpendOrder), named=st.none() | st.integers(0, 9))
    def spends(self, who: str, amount: int, order: SpendOrder, named: int | None) -> None:
        lots = () if named is None else (self.pick("earn", named),)
        self.try_(spend(self.name("pay"), who, amount, at=self.now, order=order, lots=lots))

    @rule(who=who, amount=amounts, hours=lives)
    def reserves(self, who: str, amount: int, hours: int | None) -> None:
        self.try_(reserve(self.name("hold"), who, amount, at=self.now, until=self.after(hours)))

    @rule(who=who, i=st.integers(0, 9), amount=parts)
    def commits(self, who: str, i: int, amount: int | None) -> None:
        of = self.pick("hold", i)
        self.try_(commit(self.name("pay"), who, of=of, amount=amount, at=self.now))

    @rule(who=who, i=st.integers(0, 9))
    def releases(self, who: str, i: int) -> None:
        self.try_(release(self.name("release"), who, of=self.pick("hold", i), at=self.now))

    @rule(who=who, i=st.integers(0, 9), amount=parts, policy=st.sampled_from(IfExpired), life=lives)
    def refunds(self, who: str, i: int, amount: int | None, policy: IfExpired, life: int | None) -> None:
        ends = self.after(life) if policy is IfExpired.RENEW else None
        of = self.pick("pay", i)
        self.try_(
            reverse(self.name("back"), who, of=of, amount=amount, at=self.now, if_expired=policy, expires_at=ends)
        )

    @rule(who=who, i=st.integers(0, 9), amount=parts, policy=st.sampled_from(IfSpent))
    def takes_back(self, who: str, i: int, amount: int | None, policy: IfSpent) -> None:
        of = self.pick("earn", i)
        self.try_(claw_back(self.name("claw"), who, of=of, amount=amount, at=self.now, if_spent=policy))

    @rule(who=who, i=st.integers(0, 9), how=st.sampled_from([confirm, cancel]))
    def settles(self, who: str, i: int, how: object) -> None:
        self.try_(how(self.name("settle"), who, of=self.pick("earn", i), at=self.now))

    @rule(amount=amounts, i=st.integers(0, 1))
    def moves(self, amount: int, i: int) -> None:
        self.try_(transfer(self.name("move"), ACCOUNTS[i], amount, to=ACCOUNTS[1 - i], at=self.now))

    @rule(who=who, amount=st.integers(-5, 5).filter(bool), life=lives)
    def corrects(self, who: str, amount: int, life: int | None) -> None:
        ends = self.after(life) if amount > 0 else None
        self.try_(adjust(self.name("earn"), who, amount, at=self.now, reason="count", expires_at=ends))

    @precondition(lambda self: self.accepted)
    @rule(i=st.integers(0, 99))
    def repeats(self, i: int) -> None:
        posting = self.accepted[i % len(self.accepted)]
        before = self.ledger.account(posting.account)
        assert self.ledger.post(posting) == posting
        assert self.ledger.account(posting.account) == before

    @rule(who=who, hours=st.integers(0, 6))
    def says(self, who: str, hours: int) -> None:
        """What the account says about a past instant must stay what it is."""
        at = self.now - hours * HOUR
        if hours:  # the present instant may still see postings
            self.said.append((who, at, self.ledger.balance(who, as_of=at)))

    @invariant()
    def every_account_adds_up_and_equals_its_twin(self) -> None:
        if self.seen == (len(self.accepted), self.now):
            return
        self.seen = (len(self.accepted), self.now)
        for name, twin in self.twins.items():
            account = self.ledger.account(name).check()
            self.equal(account.balance(as_of=self.now), twin.count(self.now))
            later = self.now + (2 + self.n % 7) * HOUR
            self.equal(account.balance(as_of=later), copy.deepcopy(twin).count(later))

    def equal(self, balance: Balance, counted: dict[str, int]) -> None:
        assert buckets(balance) == counted
        assert min(counted.values()) >= 0
        assert balance.debt == 0 or balance.active == 0

    def teardown(self) -> None:
        assert all("hint:" in said for said in self.sentences)
        for who, at, balance in self.said:
            assert buckets(self.ledger.balance(who, as_of=at)) == buckets(balance)
        if not self.accepted:
            return
        again = Ledger(self.ledger.store)
        table = self.ledger.table()
        for at in (self.now, self.now - 3 * HOUR, self.now + 5 * HOUR):
            all_at_once = table.balances(as_of=at).check()
            for name in all_at_once.accounts.ids:
                assert all_at_once[name] == again.balance(name, as_of=at)
        first = table.take(table.account == 0).balances(as_of=self.now)
        rest = table.take(table.account != 0).balances(as_of=self.now)
        assert buckets((first + rest).total()) == buckets(table.balances(as_of=self.now).total())
        for name in ACCOUNTS:
            account = self.ledger.account(name)
            assert again.account(name) == account
            assert Account.from_dict(account.to_dict()) == account
            if not account.version:
                continue
            lines = again.statement(name, as_of=self.now + 30 * HOUR)
            assert lines.opening + sum(line.change for line in lines.lines) == lines.closing.active
            assert lines.closing == again.balance(name, as_of=self.now + 30 * HOUR)


LedgerMachine.TestCase.settings = settings(max_examples=200, stateful_step_count=20, deadline=None)
TestLedger = LedgerMachine.TestCase


@pytest.mark.slow
class TestLedgerLong(LedgerMachine.TestCase):
    """Ten thousand sequences."""

    settings = settings(
        max_examples=int(os.environ.get("LEDGER_SEQUENCES", "10000")), stateful_step_count=30, deadline=None
    )
