"""Rows of the feature list that the loyalty room owns, through its public API alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crmcore.calendars import local
from crmcore.errors import CurrencyMismatch, OutOfRange
from crmcore.idic.customize import loyalty
from crmcore.ledger import Ledger, Overdraft
from crmcore.stores import MemoryStore, SqliteStore
from crmcore.values import Money

START = local(2026, 6, 1, 12, zone="Asia/Bangkok")
DAY = timedelta(days=1)


def visit(n: int, customer: str = "7") -> loyalty.Purchase:
    return loyalty.Purchase.of(f"till-{n}", customer, Money.of("90", "THB"), at=START + n * DAY)


def coupon_club(**terms: object) -> loyalty.Programme:
    return loyalty.Programme(
        name="retail", currency="THB", zone="Asia/Bangkok",
        earns=[loyalty.Earn(name="visit", points=10)],
        rewards=[loyalty.Reward(name="hundred", points=100, coupon="fifty off", automatic=True)],
        coupons=[loyalty.Coupon(
            name="fifty off", gives=loyalty.AmountOff(Money.of("50", "THB")), validity=loyalty.Validity(days=30))],
        **terms,  # type: ignore[arg-type]
    )  # fmt: skip


def test_row_047_the_tenth_visit_brings_a_coupon_that_is_used_once() -> None:
    club = loyalty.Club(coupon_club(), Ledger(MemoryStore()))
    for n in range(1, 10):
        assert club.checkout(visit(n)).issued == ()
    assert club.wallet("7", as_of=START + 9 * DAY).missing == {"hundred": 10}
    tenth = club.checkout(visit(10))
    assert [x.coupon for x in tenth.issued] == ["fifty off"]
    assert club.wallet("7", as_of=START + 10 * DAY).points.active == 0
    used = club.checkout(visit(11), coupons=["fifty off"])
    assert used.to_pay == Money.of("40", "THB")
    with pytest.raises(OutOfRange, match="a piece that is active now"):
        club.checkout(visit(12), coupons=["fifty off"])
    assert club.wallet("7", as_of=START + 12 * DAY).points.active == 10  # the refused purchase earned nothing


def test_row_047_a_coupon_that_nobody_used_is_gone_after_its_life() -> None:
    club = loyalty.Club(coupon_club(), Ledger(MemoryStore()))
    for n in range(1, 11):
        club.checkout(visit(n))
    assert club.best(visit(12)).used == ("fifty off",)
    assert club.best(visit(41)).used == ()
    with pytest.raises(OutOfRange, match="1 expired"):
        club.checkout(visit(41), coupons=["fifty off"])


def test_row_047_a_visit_told_twice_counts_once_and_gives_the_same_receipt() -> None:
    club = loyalty.Club(coupon_club(), Ledger(MemoryStore()))
    first = [club.checkout(visit(n)) for n in range(1, 11)]
    again = [club.checkout(visit(n)) for n in range(1, 11)]
    assert first == again
    assert club.wallet("7", as_of=START + 10 * DAY).coupons[0].active == 1


def test_row_048_a_card_keeps_its_stamps_over_a_restart(tmp_path: object) -> None:
    cup = loyalty.Coupon(name="cup", gives=loyalty.FreeItem())
    terms = loyalty.stamp_card("coffee", stamps=8, gives=cup, currency="THB", zone="Asia/Bangkok")
    for n in range(1, 9):
        with SqliteStore(f"{tmp_path}/cards.db") as store:
            card = loyalty.Club(loyalty.Programme.from_dict(terms.to_dict()), Ledger(store))
            receipt = card.checkout(visit(n))
            assert bool(receipt.issued) == (n == 8)
    with SqliteStore(f"{tmp_path}/cards.db") as store:
        card = loyalty.Club(terms, Ledger(store))
        statement = card.ledger.statement(card.points_account("7"), as_of=START + 8 * DAY)
        assert sum(line.change for line in statement.lines) == 0
        free = card.checkout(visit(9), coupons=["cup"])
        assert (free.to_pay.amount_minor, free.earned.total) == (0, 1)


def test_row_048_points_pay_expire_and_come_back_to_their_lots() -> None:
    programme = loyalty.Programme(
        name="club", currency="THB", zone="Asia/Bangkok", validity=loyalty.Validity(months=12),
        earns=[loyalty.Earn(name="base", points=1, per=Money.of("10", "THB"))], worth=Money.of("1", "THB"),
    )  # fmt: skip
    club = loyalty.Club(programme, Ledger(MemoryStore()))
    big = loyalty.Purchase.of("big", "7", Money.of("1000", "THB"), at=START)
    assert club.checkout(big).earned.total == 100
    paid = club.checkout(visit(1), points=60)
    assert paid.to_pay == Money.of("30", "THB")
    back = club.refund(paid, {0: 1}, id="back", at=START + 2 * DAY)
    assert (back.money_minor, back.points_back, back.points_taken) == (30_00, 60, 3)
    assert club.wallet("7", as_of=START + 3 * DAY).points.active == 100
    assert club.wallet("7", as_of=START + 366 * DAY).points.active == 0  # with the life that they had
    more = loyalty.Purchase.of("more", "7", Money.of("200", "THB"), at=START + 4 * DAY)
    with pytest.raises(Overdraft, match="100 active, 1 missing"):
        club.checkout(more, points=101)  # what the purchase itself would earn cannot pay for it


def test_price_in_another_currency_is_an_error_and_nothing_is_written() -> None:
    club = loyalty.Club(coupon_club(), Ledger(MemoryStore()))
    with pytest.raises(CurrencyMismatch):
        club.checkout(loyalty.Purchase.of("x", "7", Money.of("5", "USD"), at=START))
    assert club.ledger.accounts() == ()


def test_row_073_a_member_may_buy_a_day_early_and_at_launch_everybody() -> None:
    launch = local(2026, 6, 6, 10, zone="Asia/Bangkok")
    shoes = loyalty.EarlyAccess(name="summer shoes", opens_at=launch, hours_before={"gold": 24, "silver": 2})
    day_before = launch - timedelta(hours=24)
    assert shoes.decide("gold", now=day_before)
    assert not shoes.decide("gold", now=day_before - timedelta(microseconds=1))
    public = shoes.decide("", now=day_before)
    assert (bool(public), public.opens_at) == (False, launch)
    assert not shoes.decide("silver", now=day_before)
    assert all(shoes.decide(tier, now=launch) for tier in ("gold", "silver", "none", ""))
    assert loyalty.EarlyAccess.from_dict(shoes.to_dict()) == shoes
