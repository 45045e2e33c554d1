"""One account: lots, refunds, claw-back, reservations, limits of what is accepted."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from crmcore.errors import (
    BadDocument,
    CurrencyMismatch,
    DuplicateIds,
    EmptyInput,
    NaiveDatetime,
    OutOfRange,
    UnknownName,
    WrongType,
)
from crmcore.ledger import (
    Account,
    Balance,
    Overdraft,
    Posting,
    Statement,
    Unit,
    adjust,
    cancel,
    claw_back,
    commit,
    confirm,
    earn,
    evolve,
    release,
    replay,
    reserve,
    reverse,
    spend,
    statement,
    transfer,
)
from crmcore.ledger.refusals import AlreadySettled, LateEntry, LotUsed, Unbalanced
from crmcore.values import Money

CARD = "card:7"


def day(d: float) -> datetime:
    return datetime(2026, 5, 1, tzinfo=UTC) + timedelta(days=d - 1)


def active(*postings: Posting, at: float) -> int:
    return replay(postings).check().balance(as_of=day(at)).active


# --- lots and time


def test_a_lot_expires_at_its_instant_and_not_before() -> None:
    card = replay([earn("a", CARD, 30, at=day(1), expires_at=day(9))])
    just_before = card.balance(as_of=day(9) - timedelta(microseconds=1))
    assert (just_before.active, just_before.expired) == (30, 0)
    assert (card.balance(as_of=day(9)).active, card.balance(as_of=day(9)).expired) == (0, 30)


def test_what_expires_first_pays_first_then_what_is_older_then_the_lower_id() -> None:
    lots = [
        earn("c", CARD, 5, at=day(1)),
        earn("b", CARD, 5, at=day(2), expires_at=day(20)),
        earn("d", CARD, 5, at=day(1), expires_at=day(20)),
        earn("a", CARD, 5, at=day(2), expires_at=day(20)),
    ]
    paid = replay([*lots, spend("s", CARD, 17, at=day(3))]).explain("s")
    assert [(p[0], p[1]) for p in paid.payment.parts] == [("d", 5), ("a", 5), ("b", 5), ("c", 2)]


@pytest.mark.parametrize(
    ("order", "expected"), [("first earned", ["c", "b"]), ("last earned", ["b", "c"]), ("earliest expiry", ["b", "c"])]
)
def test_the_order_of_spending_can_be_named(order: str, expected: list[str]) -> None:
    lots = [earn("c", CARD, 5, at=day(1)), earn("b", CARD, 5, at=day(2), expires_at=day(20))]
    found = replay([*lots, spend("s", CARD, 6, at=day(3), order=order)]).explain("s")
    assert [p[0] for p in found.payment.parts] == expected


def test_named_lots_pay_and_no_others() -> None:
    lots = [earn("a", CARD, 5, at=day(1)), earn("b", CARD, 5, at=day(1))]
    assert replay([*lots, spend("s", CARD, 4, at=day(2), lots=["b"])]).explain("s").lots[0].id == "b"
    with pytest.raises(Overdraft, match="5 active, 1 missing"):
        replay([*lots, spend("s", CARD, 6, at=day(2), lots=["b"])])
    with pytest.raises(UnknownName, match="unknown lot on 'card:7' 'x'"):
        replay([*lots, spend("s", CARD, 4, at=day(2), lots=["x"])])


def test_pending_points_open_at_their_instant_or_when_confirmed() -> None:
    later = earn("a", CARD, 10, at=day(1), available_at=day(15))
    waits = earn("b", CARD, 20, at=day(1), needs_confirmation=True)
    card = replay([later, waits])
    assert (card.balance(as_of=day(14)).pending, card.balance(as_of=day(15)).active) == (30, 10)
    assert evolve(card, confirm("c", CARD, of="b", at=day(3))).balance(as_of=day(3)).active == 20
    assert evolve(card, confirm("c", CARD, of="a", at=day(3))).balance(as_of=day(3)).active == 10
    dropped = evolve(card, cancel("c", CARD, of="b", at=day(3))).balance(as_of=day(30))
    assert (dropped.active, dropped.reversed, dropped.credited) == (10, 20, 30)
    with pytest.raises(AlreadySettled, match="nothing is left to do"):
        replay([later, waits, confirm("c", CARD, of="b", at=day(3)), confirm("d", CARD, of="b", at=day(4))])


def test_expiring_lists_every_date_not_only_the_first() -> None:
    card = replay([earn(n, CARD, 10 * k, at=day(1), expires_at=day(10 * k)) for k, n in enumerate("abc", 1)])
    soon = card.expiring(day(25), as_of=day(2))
    assert [(e.lot, e.amount, e.expires_at) for e in soon] == [("a", 10, day(10)), ("b", 20, day(20))]
    assert card.expiring(day(10), as_of=day(2)) == ()  # at, not before
    assert [e.lot for e in card.expiring(day(99), as_of=day(10))] == ["b", "c"]


# --- refunds: each of these is a fault that shops have had


def test_refunding_a_purchase_takes_the_points_that_it_earned() -> None:
    """Buy, earn, refund, keep the points: odoo PR 257854, erpnext 32951."""
    bought = [earn("order-1:earn", CARD, 100, at=day(1))]
    assert active(*bought, claw_back("order-1:refund", CARD, of="order-1:earn", at=day(2)), at=2) == 0
    part = claw_back("order-1:refund", CARD, of="order-1:earn", amount=10, at=day(2))
    assert active(*bought, part, at=2) == 90


def test_refunding_a_purchase_paid_with_points_gives_them_back_once() -> None:
    """Points deducted a second time by the refund: odoo PR 212922; by a partial refund: PR 221928."""
    books = [earn("e", CARD, 100, at=day(1)), spend("s", CARD, 60, at=day(2))]
    assert active(*books, reverse("r", CARD, of="s", at=day(3)), at=3) == 100
    assert active(*books, reverse("r", CARD, of="s", amount=20, at=day(3)), at=3) == 60
    with pytest.raises(AlreadySettled, match="60 asked, 40 left"):
        replay(
            [*books, reverse("r", CARD, of="s", amount=20, at=day(3)), reverse("q", CARD, of="s", amount=60, at=day(4))]
        )
    with pytest.raises(AlreadySettled):
        replay([*books, reverse("r", CARD, of="s", at=day(3)), reverse("q", CARD, of="s", at=day(4))])


def test_what_was_paid_cannot_be_paid_again_wherever_it_was_earned() -> None:
    """Points earned on one kind of document never deducted on another: erpnext 59050."""
    books = [
        earn("pos-1", CARD, 106, at=day(1), reference="POS invoice 1"),
        spend("sales-1", CARD, 50, at=day(2), reference="sales invoice 1"),
    ]
    assert active(*books, at=2) == 56
    with pytest.raises(Overdraft, match="56 active, 4 missing"):
        replay([*books, spend("sales-2", CARD, 60, at=day(3))])


def test_a_refund_restores_the_very_lots_latest_payer_first() -> None:
    books = [
        earn("a", CARD, 30, at=day(1), expires_at=day(10)),
        earn("b", CARD, 30, at=day(1), expires_at=day(20)),
        spend("s", CARD, 50, at=day(2)),
    ]
    card = replay([*books, reverse("r", CARD, of="s", amount=25, at=day(3))])
    assert [(lot.id, lot.left, lot.expires_at) for lot in card.lots] == [("a", 5, day(10)), ("b", 30, day(20))]
    assert "20 given back" in str(card.explain("s"))


def test_a_refund_after_expiry_follows_the_named_policy() -> None:
    books = [earn("a", CARD, 30, at=day(1), expires_at=day(10)), spend("s", CARD, 30, at=day(2))]

    def refund(**policy: object) -> Posting:
        return reverse("r", CARD, of="s", at=day(12), **policy)

    assert replay([*books, refund()]).balance(as_of=day(12)).expired == 30
    card = replay([*books, refund(if_expired="renew", expires_at=day(20))]).check()
    renewed = card.balance(as_of=day(12))
    assert (renewed.active, renewed.expired, renewed.credited) == (30, 0, 30)
    assert card.balance(as_of=day(20)).expired == 30
    with pytest.raises(LotUsed, match="refund it with if_expired='renew'"):
        replay([*books, refund(if_expired="refuse")])
    with pytest.raises(OutOfRange, match="only with if_expired='renew'"):
        refund(expires_at=day(20))
    # a renewed lot belongs to its earning: taking that back finds it
    back = evolve(card, claw_back("c", CARD, of="a", at=day(13)))
    assert (back.check().balance(as_of=day(13)).active, back.balance(as_of=day(13)).reversed) == (0, 30)


def test_a_whole_order_refunded_in_either_order_leaves_nothing_behind() -> None:
    """An order of day 2 paid with 40 and earned 10; both are undone."""
    books = [earn("a", CARD, 40, at=day(1)), spend("s", CARD, 40, at=day(2)), earn("e", CARD, 10, at=day(2))]
    undo = [reverse("r", CARD, of="s", at=day(5)), claw_back("c", CARD, of="e", at=day(5))]
    assert active(*books, *undo, at=5) == 40
    card = replay(books)
    for posting in reversed(undo):
        card = evolve(card, posting)
    assert card.balance(as_of=day(5)).active == 40


# --- claw-back of what was spent


def test_a_claw_back_of_spent_points_is_refused_owed_or_written_off() -> None:
    books = [earn("e", CARD, 50, at=day(1)), spend("s", CARD, 30, at=day(2))]

    def back(**policy: object) -> Posting:
        return claw_back("c", CARD, of="e", at=day(3), **policy)

    with pytest.raises(LotUsed, match="still has 20 of the 50 to take"):
        replay([*books, back()])
    owing = replay([*books, back(if_spent="debt")]).check()
    assert (owing.balance(as_of=day(3)).debt, owing.balance(as_of=day(3)).net) == (30, -30)
    forgiven = replay([*books, back(if_spent="write off")]).balance(as_of=day(3))
    assert (forgiven.debt, forgiven.reversed, forgiven.spent) == (0, 20, 30)


def test_a_debt_is_repaid_by_the_next_points_that_become_active() -> None:
    books = [
        earn("e", CARD, 50, at=day(1)),
        spend("s", CARD, 50, at=day(2)),
        claw_back("c", CARD, of="e", at=day(3), if_spent="debt"),
        earn("f", CARD, 20, at=day(4)),
        earn("g", CARD, 40, at=day(5), available_at=day(8)),
    ]
    card = replay(books).check()
    before, after = card.balance(as_of=day(7)), card.balance(as_of=day(8))
    assert (before.active, before.debt, before.repaid, before.pending) == (0, 30, 20, 40)
    assert (after.active, after.debt, after.repaid) == (10, 0, 50)
    with pytest.raises(AlreadySettled):
        evolve(card, claw_back("again", CARD, of="e", at=day(9)))


def test_a_refund_pays_the_debt_of_its_own_lot_first() -> None:
    books = [
        earn("e", CARD, 50, at=day(1)),
        spend("s", CARD, 50, at=day(2)),
        claw_back("c", CARD, of="e", at=day(3), if_spent="debt"),
        reverse("r", CARD, of="s", at=day(4)),
    ]
    found = replay(books).check().balance(as_of=day(4))
    assert (found.active, found.debt, found.reversed, found.spent) == (0, 0, 50, 0)
    books[2] = claw_back("c", CARD, of="e", at=day(3), if_spent="write off")
    assert replay(books).check().balance(as_of=day(4)).reversed == 50


# --- reservations


def test_a_reservation_is_committed_in_part_and_the_rest_comes_back() -> None:
    books = [earn("e", CARD, 50, at=day(1)), reserve("h", CARD, 40, at=day(2))]
    assert replay(books).balance(as_of=day(2)).reserved == 40
    with pytest.raises(Overdraft, match="commit or release the open reservation first"):
        replay([*books, spend("s", CARD, 20, at=day(3))])
    found = replay([*books, commit("s", CARD, of="h", amount=25, at=day(3))]).check()
    assert (found.balance(as_of=day(3)).active, found.balance(as_of=day(3)).spent) == (25, 25)
    assert active(*books, release("x", CARD, of="h", at=day(3)), at=3) == 50
    with pytest.raises(AlreadySettled):
        evolve(found, release("x", CARD, of="h", at=day(4)))
    assert evolve(found, reverse("r", CARD, of="s", at=day(4))).balance(as_of=day(4)).active == 50


def test_reserved_points_do_not_expire_until_the_reservation_lapses() -> None:
    books = [
        earn("e", CARD, 50, at=day(1), expires_at=day(10)),
        reserve("h", CARD, 40, at=day(2), until=day(12)),
    ]
    card = replay(books)
    assert (card.balance(as_of=day(11)).reserved, card.balance(as_of=day(11)).expired) == (40, 10)
    assert (card.balance(as_of=day(12)).reserved, card.balance(as_of=day(12)).expired) == (0, 50)
    assert evolve(card, commit("s", CARD, of="h", at=day(11))).balance(as_of=day(13)).spent == 40
    with pytest.raises(AlreadySettled, match="commit of 'h'"):
        evolve(card, commit("s", CARD, of="h", at=day(12)))


# --- refusals


def test_an_overdraft_says_what_is_there_what_is_missing_and_what_is_pending() -> None:
    books = [
        earn("a", CARD, 80, at=day(1)),
        earn("b", CARD, 50, at=day(1), available_at=day(9)),
        earn("c", CARD, 5, at=day(1), expires_at=day(2)),
    ]
    with pytest.raises(Overdraft) as found:
        replay([*books, spend("s", CARD, 120, at=day(3))])
    assert str(found.value) == (
        "'card:7' cannot spend 120 point at 2026-05-03T00:00+00:00: 80 active, 40 missing (50 pending, 5 expired).\n"
        "  hint: wait for the pending amount, or confirm it first"
    )
    assert found.value.missing == 40
    again = pickle.loads(pickle.dumps(found.value))
    assert (str(again), again.pending) == (str(found.value), 50)
    assert isinstance(found.value, ValueError)


@pytest.mark.parametrize("amount", [0, -5])
def test_amounts_are_above_zero(amount: int) -> None:
    with pytest.raises(OutOfRange, match="refund with reverse"):
        spend("s", CARD, amount, at=day(1))
    with pytest.raises(OutOfRange, match="take back with claw_back"):
        earn("s", CARD, amount, at=day(1))


def test_floats_and_truth_values_are_no_amounts() -> None:
    with pytest.raises(WrongType, match="a float: expected an int, a Decimal or Money"):
        earn("e", CARD, 0.1, at=day(1))
    with pytest.raises(WrongType, match="a bool"):
        earn("e", CARD, True, at=day(1))


def test_units_are_exact_and_never_mixed() -> None:
    assert earn("e", CARD, Decimal("12.50"), at=day(1), unit="THB").amount == 1250
    assert earn("e", CARD, Money(1250, "THB"), at=day(1), unit="THB").amount == 1250
    assert earn("e", CARD, Decimal("0.5"), at=day(1), unit=Unit("point", digits=1)).amount == 5
    with pytest.raises(OutOfRange, match="at most 2 decimals in THB"):
        earn("e", CARD, Decimal("12.505"), at=day(1), unit="THB")
    with pytest.raises(OutOfRange):
        earn("e", CARD, Decimal("NaN"), at=day(1))
    with pytest.raises(CurrencyMismatch):
        earn("e", CARD, Money(5, "USD"), at=day(1), unit="THB")
    with pytest.raises(CurrencyMismatch, match="point and stamp"):
        replay([earn("e", CARD, 5, at=day(1)), earn("f", CARD, 5, at=day(1), unit="stamp")])
    with pytest.raises(CurrencyMismatch, match="0 decimals"):
        replay([earn("e", CARD, 5, at=day(1)), earn("f", CARD, 5, at=day(1), unit=Unit("point", digits=1))])
    with pytest.raises(OutOfRange):
        Unit(" ")
    with pytest.raises(OutOfRange):
        Unit("point", digits=10)


def test_postings_never_go_back_in_time() -> None:
    with pytest.raises(LateEntry, match="book it at the present instant"):
        evolve(replay([earn("a", CARD, 5, at=day(3))]), earn("b", CARD, 5, at=day(2)))
    with pytest.raises(OutOfRange, match="go back in time"):
        replay([earn("a", CARD, 5, at=day(3))]).balance(as_of=day(2))


def test_a_posting_says_what_is_wrong_with_it() -> None:
    with pytest.raises(NaiveDatetime):
        earn("e", CARD, 5, at=datetime(2026, 5, 1))
    with pytest.raises(OutOfRange, match="expires_at"):
        earn("e", CARD, 5, at=day(2), expires_at=day(2))
    with pytest.raises(OutOfRange, match="confirm works before too"):
        earn("e", CARD, 5, at=day(2), available_at=day(3), needs_confirmation=True)
    with pytest.raises(EmptyInput):
        earn("", CARD, 5, at=day(2))
    with pytest.raises(EmptyInput, match="says why"):
        adjust("x", CARD, 5, at=day(2), reason=" ")
    with pytest.raises(OutOfRange, match="from one account to another"):
        transfer("t", CARD, 5, to=CARD, at=day(2))
    with pytest.raises(UnknownName, match="did you mean 'earliest expiry'"):
        spend("s", CARD, 5, at=day(2), order="earliest")
    with pytest.raises(OutOfRange, match="it takes"):
        Posting(id="e", kind="earn", account=CARD, at=day(1), unit="point", amount=5, of="x")
    with pytest.raises(OutOfRange, match="leave it out"):
        Posting(id="e", kind="confirm", account=CARD, at=day(1), unit="point", amount=5, of="x")
    with pytest.raises(EmptyInput):
        Posting(id="e", kind="confirm", account=CARD, at=day(1), unit="point")
    with pytest.raises(BadDocument):
        Posting.from_dict({"id": "e", "kind": "earn"})


def test_unknown_references_name_the_nearest() -> None:
    card = replay([earn("order-1", CARD, 5, at=day(1)), spend("pay-1", CARD, 2, at=day(1))])
    with pytest.raises(UnknownName, match="did you mean 'pay-1'"):
        evolve(card, reverse("r", CARD, of="pay-2", at=day(2)))
    with pytest.raises(UnknownName, match="did you mean 'order-1'"):
        evolve(card, claw_back("r", CARD, of="order-2", at=day(2)))
    with pytest.raises(UnknownName, match="payment of"):
        card.explain("x")
    moved = evolve(card, transfer("t", CARD, 1, to="card:8", at=day(2)))
    with pytest.raises(OutOfRange, match="transfer it back"):
        evolve(moved, reverse("r", CARD, of="t", at=day(3)))


def test_a_repeated_posting_changes_nothing_and_another_account_is_refused() -> None:
    first = earn("a", CARD, 5, at=day(1))
    card = replay([first])
    assert evolve(card, first) is card
    with pytest.raises(OutOfRange, match="evolve the account that the posting names"):
        evolve(card, earn("b", "card:8", 5, at=day(2)))
    with pytest.raises(OutOfRange, match="of 2 accounts"):
        replay([first, earn("b", "card:8", 5, at=day(2))])


def test_ids_that_would_name_two_lots_are_refused() -> None:
    books = [
        earn("a", CARD, 5, at=day(1), expires_at=day(3)),
        earn("r/a", CARD, 5, at=day(1)),
        spend("s", CARD, 5, at=day(2)),
    ]
    with pytest.raises(DuplicateIds, match="give the refund another id"):
        replay([*books, reverse("r", CARD, of="s", at=day(4), if_expired="renew")])


def test_an_account_that_was_tampered_with_does_not_pass_the_check() -> None:
    document = replay([earn("a", CARD, 5, at=day(1)), spend("s", CARD, 2, at=day(2))]).to_dict()
    document["lots"][0]["left"] = 4
    with pytest.raises(Unbalanced, match="lot 'a' of 5 accounts for 6"):
        Account.from_dict(document).check()
    document["lots"][0]["left"] = 3
    document["debited"] = 3
    with pytest.raises(Unbalanced, match="spent and transferred by postings 3, by lots 2"):
        Account.from_dict(document).check()


def test_adjustments_go_both_ways() -> None:
    books = [earn("a", CARD, 5, at=day(1)), adjust("up", CARD, 3, at=day(2), reason="goodwill")]
    found = replay([*books, adjust("down", CARD, -6, at=day(3), reason="typing error")]).check().balance(as_of=day(3))
    assert (found.active, found.reversed, found.credited) == (2, 6, 8)
    with pytest.raises(Overdraft, match="cannot adjust 9 point"):
        replay([*books, adjust("down", CARD, -9, at=day(3), reason="typing error")])


# --- ways out


def test_balances_print_add_and_travel() -> None:
    books = [earn("a", CARD, Decimal("30.00"), at=day(1), unit="THB"), spend("s", CARD, 1250, at=day(2), unit="THB")]
    found = replay(books).balance(as_of=day(3))
    assert str(found) == "card:7: 17.50 THB active (12.50 spent) at 2026-05-03T00:00+00:00"
    assert Balance.from_dict(found.to_dict()) == found
    assert found.to_frame()["amount_minor"][0] == 1750
    assert "17.50" in found._repr_html_()
    assert found.chart().rows[0]["value"] == 17.5
    twice = found + found
    assert (twice.active, twice.account) == (3500, "card:7 + card:7")
    with pytest.raises(OutOfRange):
        found + replay(books).balance(as_of=day(4))
    with pytest.raises(CurrencyMismatch):
        found + replay([earn("a", "x", 1, at=day(1))]).balance(as_of=day(3))
    with pytest.raises(NaiveDatetime):
        replay(books).balance(as_of=datetime(2026, 5, 3))


def test_a_statement_shows_what_nobody_posted() -> None:
    books = [
        earn("a", CARD, 30, at=day(1), expires_at=day(9), reference="order 1"),
        earn("b", CARD, 10, at=day(1), available_at=day(4)),
        reserve("h", CARD, 20, at=day(2), until=day(5)),
    ]
    found = statement(books, as_of=day(10))
    assert [(x.what, x.change, x.active) for x in found.lines] == [
        ("earn", 30, 30), ("earn", 0, 30), ("reserve", -20, 10), ("became active", 10, 20),
        ("reservation lapsed", 20, 40), ("expired", -30, 10),
    ]  # fmt: skip
    since = statement(books, as_of=day(10), since=day(3))
    assert (since.opening, [x.what for x in since.lines]) == (
        10, ["became active", "reservation lapsed", "expired"],
    )  # fmt: skip
    assert Statement.from_dict(found.to_dict()) == found
    assert found.to_frame()["reference"][0] == "order 1"
    assert "<td>+" not in found._repr_html_()
    assert found.chart().rows[-1]["y"] == 10
    assert "opening" in str(found)
    with pytest.raises(OutOfRange):
        statement([], as_of=day(1))
    with pytest.raises(EmptyInput):
        statement(books, as_of=day(10), since=day(10)).chart()
    with pytest.raises(NaiveDatetime):
        statement(books, as_of=datetime(2026, 5, 1))


def test_times_of_any_zone_are_one_instant() -> None:
    bangkok = datetime(2026, 5, 1, 7, tzinfo=ZoneInfo("Asia/Bangkok"))
    assert earn("e", CARD, 5, at=bangkok) == earn("e", CARD, 5, at=day(1))


def test_an_account_shows_its_lots() -> None:
    card = replay([earn("<a>", CARD, 5, at=day(1)), spend("s", CARD, 2, at=day(2))])
    assert card.to_frame()["spent"] == [2]
    assert "&lt;a&gt;" in card._repr_html_()
    assert "&lt;a&gt;" in card.explain("s")._repr_html_()
    assert card.explain("s").to_frame()["amount_minor"] == [2]
    assert "no unit yet" in Account(id="x")._repr_html_()
