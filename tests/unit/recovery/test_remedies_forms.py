"""What remedies print, refuse and keep: reprs without names, escaped HTML, sentences of errors, JSON."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crmcore.errors import CrmError, OutOfRange, StoreConflict, UnknownName
from crmcore.ledger import Ledger, Overdraft, spend
from crmcore.recovery.remedies import (
    TARP,
    CaseTable,
    Entitlement,
    Entitlements,
    FailedCase,
    GrantBook,
    Menu,
    ProtectedField,
    Remedy,
    RemedyFund,
    audit_equal_treatment,
    scripts,
    simulate_twins,
)
from crmcore.stores import MemoryStore
from crmcore.values import Money

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PERSON = "ann@example.com"


def usd(amount: float) -> Money:
    return Money.of(str(amount), "USD")


def laptop(id: str = "c1", **more: Any) -> FailedCase:
    return FailedCase(id=id, customer=PERSON, failure="defective product", loss=usd(900), **more)


def results() -> list[Any]:
    policy, case = scripts.electronics_policy(), laptop("<b>c1")
    book = GrantBook(Ledger(MemoryStore()), scripts.airline_delay())
    odd = Menu(
        name="<i>m", currency="USD", failures={"<late>": "outcome"},
        remedies=[Remedy(id="<script>", part="answer", justice="interactional", effect=0.2)],
    )  # fmt: skip
    return [
        policy.decide(case, now=NOW), policy.decide_all(CaseTable.of([case], currency="USD"), now=NOW), odd,
        book.grant("<u>", [PERSON, "bob"], 200, since=NOW), scripts.airline_delay(), TARP,
        audit_equal_treatment(["<em>", "b"] * 60, {"<cost>": [1, 2, 3, 4, 5, 6] * 20}),
    ]  # fmt: skip


def test_html_is_small_escaped_and_names_nobody() -> None:
    for result in results():
        html = result._repr_html_()
        assert 0 < len(html) < 6_000, result
        assert not any(tag in html for tag in ("<b>", "<i>", "<u>", "<em>", "<script>", "<late>", "<cost>")), html
        assert PERSON not in html + repr(result) + str(result)


def test_results_have_frames_and_survive_json() -> None:
    for result in results():
        if hasattr(result, "to_frame"):
            assert len(result.to_frame()) > 0
        if hasattr(result, "to_dict"):
            assert type(result).from_dict(result.to_dict()) == result
    case = laptop(severity="high", value=usd(10), received={"apology": 1}, facts={"items": 2})
    assert FailedCase.from_dict(case.to_dict()) == case
    policy = scripts.electronics_policy()
    again = type(policy).from_dict(policy.to_dict())
    assert again == policy
    assert again.decide(case, now=NOW) == policy.decide(case, now=NOW)


def free(**more: Any) -> Remedy:
    return Remedy(**{"id": "a", "part": "answer", "justice": "interactional", "effect": 0.2, **more})


def menu(*remedies: Remedy, **more: Any) -> Menu:
    return Menu(**{"name": "m", "currency": "USD", "failures": {"x": "outcome"}, "remedies": remedies, **more})


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: laptop(relationship=2.0), "relationship"),
        (lambda: laptop(value=9), "Money or None"),
        (lambda: laptop(value=usd(-1)), "None where it is not known"),
        (lambda: laptop(facts={"loss": 1}), "pass it as the parameter"),
        (lambda: laptop(facts={"nationality": "x"}), "about the person"),
        (lambda: free(id=""), "name it as staff call it"),
        (lambda: free(cost=usd(-1)), "not what is taken back"),
        (lambda: free(when="late"), "a Rule"),
        (lambda: menu(), "at least an apology"),
        (lambda: menu(free(), free()), "its own id"),
        (lambda: menu(free(failures=["y"])), "failure of remedy 'a'"),
        (lambda: menu(free(cost=Money.of("1", "EUR"))), "EUR"),
        (lambda: CaseTable.of([laptop(), laptop()], currency="USD"), "its own id"),
        (lambda: Entitlement(id="a:b", at_least=0), "without a colon"),
        (lambda: Entitlement(id="a", at_least=float("nan")), "owed at once"),
        (lambda: Entitlements(name="e", measure="m", currency="USD", items=[]), "from when on"),
        (lambda: audit_equal_treatment(["a"] * 3, {"cost": [1, 2, 3]}), "fewer than two labels"),
        (lambda: audit_equal_treatment(["a", "b"], {}), "measures"),
        (lambda: audit_equal_treatment(["a", "b"], {"x": [1, 2], "y": [1]}), "columns of the same cases"),
        (lambda: simulate_twins(lambda _c, _g: 1, [], ["a", "b"]), "kinds that you decide"),
        (lambda: simulate_twins(lambda _c, _g: 1, [laptop()], ["a", "a"]), "two different values"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(CrmError, match=sentence) as found:
        call()
    assert "hint:" in str(found.value)
    assert PERSON not in str(found.value)


def test_what_the_person_is_never_enters() -> None:
    for fact in ("age", "gender", "religion", "ethnicity"):
        with pytest.raises(ProtectedField, match=fact):
            laptop(facts={fact: 1})


# --- the fund -----------------------------------------------------------------------------------------------------


def fund_of(budget: float, store: MemoryStore | None = None, **more: Any) -> RemedyFund:
    fund = RemedyFund(Ledger(store or MemoryStore()), currency="USD", **more)
    fund.load("june", usd(budget), at=NOW)
    return fund


def test_a_fund_says_its_name_and_cap() -> None:
    assert repr(fund_of(1, per_customer=usd(5))) == "RemedyFund('remedies', USD, 5.00 USD a customer and year)"
    with pytest.raises(UnknownName, match="week"):
        fund_of(1, per="week")


def test_more_than_there_is_is_refused_and_names_nobody() -> None:
    plan = scripts.electronics_policy().decide(laptop(), now=NOW)
    for budget, cap in ((100, 5_000), (5_000, 100), (100, 100)):
        fund = fund_of(budget, per_customer=usd(cap))
        with pytest.raises(Overdraft, match=r"cannot reserve 720\.00 USD") as refused:
            fund.reserve(plan, at=NOW)
        assert PERSON not in str(refused.value)
        assert refused.value.missing == 62_000
        assert fund.of_case("c1") is None
        assert (fund.left(as_of=NOW), fund.left_for(PERSON, as_of=NOW)) == (usd(budget), usd(cap))


def test_settled_money_stays_as_it_is() -> None:
    fund = fund_of(1_000)
    with pytest.raises(UnknownName, match="case that holds money"):
        fund.commit("c9", at=NOW)
    fund.grant(scripts.electronics_policy(), laptop(), now=NOW)
    assert str(fund.release("c1", at=NOW)).endswith("for 720.00 USD, given back")
    assert fund.release("c1", at=NOW).state == "given back"
    with pytest.raises(OutOfRange, match="open a new case"):
        fund.commit("c1", at=NOW)


def test_two_funds_on_one_store_know_each_other() -> None:
    store = MemoryStore()
    one, other = fund_of(10_000, store), RemedyFund(Ledger(store), currency="USD")
    policy = scripts.electronics_policy()
    for i in range(6):
        writer, reader = (one, other) if i % 2 else (other, one)
        granted = writer.grant(policy, laptop(f"c{i}"), now=NOW + timedelta(hours=i))
        seen = reader.of_case(f"c{i}")
        assert seen is not None
        assert (seen.cost, seen.remedies, seen.state) == (granted.cost, granted.remedies, "held")
        assert reader.commit(f"c{i}", at=NOW + timedelta(hours=i)).state == "paid"
    assert one.left(as_of=NOW) == other.left(as_of=NOW) == usd(10_000 - 6 * 720)


def test_a_grant_reads_no_account_from_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cost of a grant must not grow with the cases that came before it."""
    fund, policy = fund_of(100_000), scripts.electronics_policy()
    monkeypatch.setattr("crmcore.ledger.books.frozen", None)  # no value of the account is made
    read: list[int] = []
    plain = MemoryStore.read

    def counting(self: MemoryStore, stream: str, **span: Any) -> Any:
        found = plain(self, stream, **span)
        read.append(len(found))
        return found

    monkeypatch.setattr(MemoryStore, "read", counting)
    for i in range(60):
        fund.grant(policy, laptop(f"c{i}"), now=NOW)
        fund.commit(f"c{i}", at=NOW)
    assert sum(read) <= 2 * 121  # every posting once for what it held, none again


def test_a_fund_that_others_spend_from_is_decided_again() -> None:
    fund, policy = fund_of(1_000), scripts.electronics_policy()
    ledger = fund.ledger
    ledger.post(spend("party", fund.account, usd(800), at=NOW + timedelta(hours=1), unit="USD"))
    granted = fund.grant(policy, laptop(), now=NOW)  # this clock is behind: booked after the party
    assert granted.cost <= usd(200)
    assert fund.left(as_of=NOW) == usd(200) - granted.cost


def test_a_fund_that_is_always_overtaken_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    fund = fund_of(1_000)

    def late(*_: object, **__: object) -> None:
        raise StoreConflict("s", 1, 2)

    monkeypatch.setattr(fund.ledger, "post_many", late)
    with pytest.raises(StoreConflict):
        fund.grant(scripts.electronics_policy(), laptop(), now=NOW)
