"""Laws of remedies: worse failures never get less, both forms agree, budgets hold, who somebody is changes nothing."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import attrs
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.ledger import Ledger
from crmcore.metrics.stratified import strata_of, stratified_difference
from crmcore.recovery.employees import AloneLimit, Empowerment
from crmcore.recovery.process import mantel_haenszel
from crmcore.recovery.remedies import (
    TARP,
    Caps,
    CaseTable,
    Entitlement,
    Entitlements,
    FailedCase,
    GrantBook,
    Menu,
    Plan,
    Remedy,
    RemedyFund,
    RemedyPolicy,
    StayPrior,
    StayRow,
    forgiveness,
    relationship_strength,
    scripts,
)
from crmcore.rules import Rule, field
from crmcore.stores import MemoryStore, SqliteStore
from crmcore.values import Money

NOW = datetime(2026, 6, 1, tzinfo=UTC)
FAILURES = {"broken": "outcome", "rude": "process", "late": "outcome"}
SEVERITIES = ("low", "normal", "high", "critical")


def usd(minor: int) -> Money:
    return Money(minor, "USD")


moneys = st.integers(0, 20_000).map(usd)
maybe_money = st.none() | moneys
shares = st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.5, 0.75, 1.0])


@st.composite
def menus(draw: st.DrawFn) -> Menu:
    n = draw(st.integers(1, 8))
    rules = [None, Rule("many", field("items") >= 2), Rule("dear", field("loss") >= usd(5000))]
    remedies = [
        Remedy(
            id=f"r{i}",
            part=draw(st.sampled_from(["answer", "repair", "extra"])),
            justice=draw(st.sampled_from(["distributive", "procedural", "interactional"])),
            effect=draw(shares),
            cost=draw(maybe_money),
            percent_of_loss=draw(st.sampled_from([0.0, 0.0, 12.5, 20.0, 100.0])),
            at_most=draw(st.none() | moneys),
            times=draw(st.none() | st.integers(0, 2)),
            failures=draw(st.sampled_from([[], ["broken"], ["rude", "late"]])),
            faults=draw(st.sampled_from([["ours"], ["ours", "partner"], ["ours", "partner", "nobody", "customer"]])),
            from_severity=draw(st.sampled_from(SEVERITIES)),
            when=draw(st.sampled_from(rules)),
        )
        for i in range(n)
    ]
    return Menu(name="m", currency="USD", failures=FAILURES, remedies=remedies)


@st.composite
def policies(draw: st.DrawFn) -> tuple[RemedyPolicy, str | None]:
    menu = draw(menus())
    empowerment, grade = None, None
    if draw(st.booleans()):
        limits = [
            AloneLimit(grade=g, action=r.id, at_most=draw(maybe_money))
            for g, r in product(("agent", "lead"), menu.remedies)
            if g == "lead" or draw(st.booleans())
        ]
        empowerment, grade = Empowerment(["agent", "lead"], limits), draw(st.sampled_from(["agent", "lead"]))
    caps = Caps(per_case=draw(maybe_money), per_customer=draw(maybe_money), approver="head of service")
    low, more = draw(st.tuples(st.floats(0, 0.4), st.floats(0, 0.3)))
    small = StayRow(silent=0.3, not_satisfied=0.4, satisfied=0.4 + low / 2, satisfied_quickly=0.4 + low)
    large = StayRow(silent=0.1, not_satisfied=0.1, satisfied=0.1 + low, satisfied_quickly=0.1 + low + more)
    prior = draw(st.sampled_from([TARP, StayPrior(name="p", source="test", year=2026, small=small, large=large)]))
    made = RemedyPolicy(
        menu=menu, prior=prior, caps=caps, empowerment=empowerment, severity_per_failure=draw(st.integers(0, 2)),
        usual_value=draw(maybe_money),
    )  # fmt: skip
    return made, grade


cases = st.builds(
    FailedCase,
    id=st.uuids().map(str),
    customer=st.sampled_from(["ann", "bob"]),
    failure=st.sampled_from(sorted(FAILURES)),
    severity=st.sampled_from(SEVERITIES),
    fault=st.sampled_from(["ours", "partner", "nobody", "customer"]),
    loss=maybe_money,
    value=st.none() | st.integers(0, 500_000).map(usd),
    relationship=st.none() | st.floats(0, 1),
    earlier_failures=st.integers(0, 3),
    received=st.dictionaries(st.sampled_from(["r0", "r1", "r2"]), st.integers(1, 2)),
    given_before=maybe_money,
    facts=st.fixed_dictionaries({}, optional={"items": st.integers(1, 3)}),
)


def reached(plan: Plan) -> dict[str, float]:
    return {g.part.value: g.effect for g in plan.given}


@settings(max_examples=150, deadline=None)
@given(policies(), cases, maybe_money)
def test_a_worse_failure_never_gets_less(made: tuple[RemedyPolicy, str | None], case: FailedCase, left: Money) -> None:
    policy, grade = made
    before: dict[str, float] = {}
    for severity in SEVERITIES:
        plan = policy.decide(attrs.evolve(case, severity=severity), now=NOW, grade=grade, budget_left=left)
        now = reached(plan)
        assert all(now.get(part, -1) >= effect for part, effect in before.items())
        before = now


@settings(max_examples=100, deadline=None)
@given(policies(), cases, st.integers(0, 3))
def test_more_earlier_failures_never_get_less(
    made: tuple[RemedyPolicy, str | None], case: FailedCase, more: int
) -> None:
    policy, grade = made
    first = reached(policy.decide(case, now=NOW, grade=grade))
    again = attrs.evolve(case, earlier_failures=case.earlier_failures + more)
    then = reached(policy.decide(again, now=NOW, grade=grade))
    assert all(then.get(part, -1) >= effect for part, effect in first.items())


@settings(max_examples=150, deadline=None)
@given(policies(), st.lists(cases, max_size=6, unique_by=lambda c: c.id), maybe_money)
def test_one_and_many_decide_alike(
    made: tuple[RemedyPolicy, str | None], some: list[FailedCase], left: Money | None
) -> None:
    policy, grade = made
    table = CaseTable.of(some, currency="USD")
    plans = policy.decide_all(table, now=NOW, grade=grade, budget_left=left)
    for i, case in enumerate(some):
        one = policy.decide(case, now=NOW, grade=grade, budget_left=left)
        names = [plans.given[part][i] for part in plans.given]
        assert [n for n in names if n is not None] == list(one.remedies)
        assert plans.cost[i] == one.cost.amount_minor
        assert np.isclose(plans.effect[i], one.effect)
        assert np.isclose(plans.expected[i], sum(g.expected for g in one.given))
        assert plans[i] == one


@settings(max_examples=150, deadline=None)
@given(policies(), cases, maybe_money)
def test_no_plan_passes_a_cap_and_every_remedy_is_accounted_for(
    made: tuple[RemedyPolicy, str | None], case: FailedCase, left: Money | None
) -> None:
    policy, grade = made
    plan = policy.decide(case, now=NOW, grade=grade, budget_left=left)
    cost = plan.cost.amount_minor
    before = case.given_before.amount_minor if case.given_before else 0
    for cap, used in ((policy.caps.per_case, 0), (policy.caps.per_customer, before), (left, 0)):
        assert cap is None or cost == 0 or cost <= max(cap.amount_minor - used, 0)
    told = [*plan.remedies, *(a.remedy for a in plan.awaiting), *(r.remedy for r in plan.refused)]
    assert sorted(told) == sorted(r.id for r in policy.menu.remedies)
    assert all(r.reasons for r in plan.refused)
    assert all(a.reasons for a in plan.awaiting)
    assert Plan.from_dict(plan.to_dict()) == plan
    assert RemedyPolicy.from_dict(policy.to_dict()).decide(case, now=NOW, grade=grade, budget_left=left) == plan
    for e in (plan.stay_without, plan.stay_with, plan.expected_value):
        assert e.low <= e.value <= e.high


@settings(max_examples=80, deadline=None)
@given(policies(), cases, st.floats(0, 1))
def test_a_relationship_moves_the_forecast_and_never_the_remedy(
    made: tuple[RemedyPolicy, str | None], case: FailedCase, strength: float
) -> None:
    policy, grade = made
    base = policy.decide(attrs.evolve(case, relationship=None), now=NOW, grade=grade)
    strong = policy.decide(attrs.evolve(case, relationship=strength), now=NOW, grade=grade)
    assert strong.given == base.given
    assert strong.stay_without.value >= base.stay_without.value - 1e-12


@given(st.lists(st.floats(0, 60), min_size=2, max_size=5), st.sampled_from(SEVERITIES))
def test_forgiveness_rises_with_tenure(years: list[float], severity: str) -> None:
    told = [forgiveness(TARP, severity, relationship_strength(t)) for t in sorted(years)]
    assert told == sorted(told)


# --- money ------------------------------------------------------------------------------------------------------


def test_writers_that_share_a_budget_never_overshoot_it(tmp_path: Path) -> None:
    path, policy = tmp_path / "money.db", scripts.electronics_policy()
    with SqliteStore(path) as store:
        RemedyFund(Ledger(store), currency="USD").load("first", Money.of(3000, "USD"), at=NOW)
    got: list[int] = []
    failed: list[BaseException] = []

    def work(k: int) -> None:
        try:
            with SqliteStore(path) as own:
                fund = RemedyFund(Ledger(own), currency="USD")
                for i in range(4):
                    case = FailedCase(
                        id=f"{k}-{i}", customer="x", failure="defective product", loss=Money.of(900, "USD")
                    )
                    for _ in range(50):
                        try:
                            granted = fund.grant(policy, case, now=NOW + timedelta(seconds=i))
                            break
                        except Exception as error:
                            if type(error).__name__ != "StoreConflict":
                                raise
                    got.append(granted.cost.amount_minor)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failed
    with SqliteStore(path) as store:
        fund = RemedyFund(Ledger(store), currency="USD")
        late = NOW + timedelta(days=1)
        assert sum(got) + fund.left(as_of=late).amount_minor == 300_000
        assert len(got) == 12
        assert sum(g > 0 for g in got) >= 4


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["grant", "commit", "release"]), st.sampled_from("abc"), st.sampled_from("xy"),
            st.integers(0, 40),
        ),
        max_size=12,
    )
)  # fmt: skip
def test_repeated_calls_change_nothing_and_the_money_adds_up(steps: list[tuple[str, str, str, int]]) -> None:
    policy = scripts.electronics_policy()
    ledger = Ledger(MemoryStore())
    fund = RemedyFund(ledger, currency="USD", per_customer=Money.of(1000, "USD"), per="month", zone="Asia/Bangkok")
    fund.load("first", Money.of(2000, "USD"), at=NOW)
    at, last = NOW, "grant"
    owner: dict[str, str] = {}
    for verb, case, customer, days in steps:
        at += timedelta(days=days)
        customer = owner.setdefault(case, customer)
        failed = FailedCase(id=case, customer=customer, failure="defective product", loss=Money.of(600, "USD"))
        if verb == "grant":
            first = fund.grant(policy, failed, now=at)
            assert attrs.evolve(fund.grant(policy, failed, now=at + timedelta(hours=1)), plan=None).cost == first.cost
        elif (known := fund.of_case(case)) is not None and known.state == "held":
            settle = fund.commit if verb == "commit" else fund.release
            assert settle(case, at=at) == settle(case, at=at + timedelta(hours=2))
        last = verb
        held = [g for c in "abc" if (g := fund.of_case(c)) is not None and g.state in ("held", "paid")]
        left = fund.left(as_of=at).amount_minor
        assert left >= 0
        assert left + sum(g.cost.amount_minor for g in held) == 200_000
        for person in "xy":
            room = fund.left_for(person, as_of=at)
            assert room is not None
            assert 0 <= room.amount_minor <= 100_000
    assert last in ("grant", "commit", "release")
    for account in ledger.accounts("remedies"):
        ledger.account(account).check()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-10, 700), st.sets(st.sampled_from("abcd"), min_size=1)), min_size=1, max_size=6),
    st.lists(st.integers(0, 600), min_size=1, max_size=4, unique=True),
)
def test_entitlements_are_given_once_whatever_is_repeated(
    rounds: list[tuple[float, set[str]]], thresholds: list[int]
) -> None:
    items = [
        Entitlement(
            id=f"e{t}", at_least=t, amount=usd(500) if t % 2 else None, once="incident" if t % 3 == 0 else "customer"
        )
        for t in thresholds
    ]
    listed = Entitlements(name="delay", measure="minutes", currency="USD", items=items)
    book = GrantBook(Ledger(MemoryStore()), listed)
    seen: set[tuple[str, str | None]] = set()
    for measured, people in rounds:
        told = book.grant("i", people, measured, since=NOW)
        new = {(g.entitlement, g.customer) for g in told.new}
        assert not new & seen
        assert len(new) == len(told.new)
        seen |= new
        due = {e.id for e in listed.due(measured)}
        assert due == {e.id for e, x in zip(listed.items, listed.due_all([measured])[0], strict=True) if x}
        assert len(told.new) + told.before == sum(1 if listed[e].once == "incident" else len(people) for e in due)
        assert not book.grant("i", people, measured, since=NOW).new
    assert sum(book.given("i").values()) == len(seen)


# --- the test within strata -------------------------------------------------------------------------------------

rows = st.lists(st.tuples(st.integers(-5, 5), st.booleans(), st.sampled_from("pqr")), min_size=2, max_size=40)


def slow_difference(x: list[float], inside: list[bool], label: list[str]) -> tuple[float, float]:
    top = weight = spread = 0.0
    for name in sorted(set(label)):
        mine = [v for v, g, s in zip(x, inside, label, strict=True) if s == name and g]
        other = [v for v, g, s in zip(x, inside, label, strict=True) if s == name and not g]
        n1, n2, n = len(mine), len(other), len(mine) + len(other)
        if not n1 or not n2:
            continue
        every = mine + other
        centre = sum(every) / n
        weight += n1 * n2 / n
        top += n1 * n2 / n * (sum(mine) / n1 - sum(other) / n2)
        spread += n1 * n2 / (n * (n - 1)) * sum((v - centre) ** 2 for v in every)
    return (top / weight, spread / weight**2) if weight else (float("nan"), float("nan"))


@given(rows, st.randoms(use_true_random=False))
def test_the_stratified_difference_equals_its_slow_twin_in_any_order(
    data: list[tuple[int, bool, str]], rng: object
) -> None:
    x, inside, label = (list(c) for c in zip(*data, strict=True))
    told = stratified_difference(x, inside, label, small_sample_ok=True)
    gap, spread = slow_difference(x, inside, label)
    assert np.isclose(told.difference.value, gap, equal_nan=True)
    if told.statistic is not None:
        assert np.isclose(told.statistic, gap / spread**0.5)
        assert told.conclusive == (told.p_value < 0.05)
    rng.shuffle(data)  # type: ignore[attr-defined]
    again = stratified_difference(*(list(c) for c in zip(*data, strict=True)), small_sample_ok=True)
    assert np.isclose(again.difference.value, gap, equal_nan=True)
    assert np.isclose(again.p_value, told.p_value, equal_nan=True)


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.sampled_from("pqr")), min_size=8, max_size=60))
def test_for_yes_and_no_it_is_the_test_of_cochran_mantel_and_haenszel(data: list[tuple[bool, bool, str]]) -> None:
    k, n, j, m = ([sum(1 for y, g, s in data if s == name and g is side and (y or not won)) for name in "pqr"]
                  for side, won in ((True, True), (True, False), (False, True), (False, False)))  # fmt: skip
    y, g, s = (list(c) for c in zip(*data, strict=True))
    told = stratified_difference(y, g, s, small_sample_ok=True)
    other = mantel_haenszel(k, n, j, m)
    if told.statistic is not None and np.isfinite(other.chi2):
        assert np.isclose(told.statistic**2, other.chi2)


def test_strata_join_columns_without_confusing_them() -> None:
    assert strata_of(["a", "a", "b"], ["x", "y", "x"], n=3).tolist() == [0, 1, 2]
