"""Loyalty: the best hand is the best of all hands, refunds add up to the last unit, columns equal one at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import CrmError
from crmcore.idic.customize.loyalty import (
    AmountOff,
    Bonus,
    Club,
    Coupon,
    Earn,
    FreeItem,
    Line,
    PercentOff,
    Programme,
    Purchase,
    Reward,
    Validity,
    best_coupons,
    earn_table,
)
from crmcore.idic.customize.loyalty.combining import discounts_of
from crmcore.idic.customize.loyalty.coupons import spread
from crmcore.ledger import Ledger
from crmcore.rules import field
from crmcore.stores import MemoryStore
from crmcore.tables import CustomerIndex, OrderTable
from crmcore.values import Money, Order

START = datetime(2026, 3, 1, 5, tzinfo=UTC)
thb = st.integers(1, 3000).map(lambda n: Money(n, "THB"))
products = st.sampled_from(["shirt", "shoes", "socks"])
lines = st.builds(Line, products, st.integers(0, 5000), st.integers(1, 4))


@st.composite
def purchases(draw: st.DrawFn, least: int = 1) -> Purchase:
    return Purchase(
        id="p", customer="7", at=START + timedelta(hours=draw(st.integers(0, 24 * 400))), currency="THB",
        lines=draw(st.lists(lines, min_size=least, max_size=4)),
        facts={"channel": draw(st.sampled_from(["store", "web"]))},
    )  # fmt: skip


conditions = st.sampled_from(
    [
        None,
        field("product") == "shirt",
        field("channel") == "web",
        field("weekday").isin(["sat", "sun"]),
        field("amount") >= Money(3000, "THB"),
        field("colour") == "red",  # nobody knows
    ]
)
gives = st.one_of(
    st.integers(1, 100).map(PercentOff), thb.map(AmountOff), st.just(FreeItem()), st.just(PercentOff("12.5"))
)


@st.composite
def coupons(draw: st.DrawFn, name: str) -> Coupon:
    return Coupon(
        name=name, gives=draw(gives), when=draw(conditions), minimum=draw(st.none() | thb),
        group=draw(st.sampled_from(["", "", "season"])), alone=draw(st.booleans()) and draw(st.booleans()),
        at_most=draw(st.none() | thb),
    )  # fmt: skip


hands = st.integers(0, 5).flatmap(lambda n: st.tuples(*(coupons(f"c{i}") for i in range(n))))


@given(purchases(), hands)
def test_the_best_hand_is_the_best_of_all_hands(purchase: Purchase, hand: tuple[Coupon, ...]) -> None:
    made = best_coupons(purchase, hand, zone="Asia/Bangkok")
    found = [0]
    for size in range(len(hand) + 1):
        for some in combinations(hand, size):
            try:
                found.append(discounts_of(purchase, some, zone="Asia/Bangkok").total.amount_minor)
            except CrmError:
                continue
    assert made.total.amount_minor == max(found)
    assert made.used == () or made.total.amount_minor > 0
    assert {*made.used, *(x.coupon for x in made.not_used)} == {c.name for c in hand}
    assert all(0 <= off <= line.amount_minor for off, line in zip(made.by_line, purchase.lines, strict=False))


@given(purchases(), hands, st.randoms(use_true_random=False))
def test_the_order_of_a_hand_does_not_matter(purchase: Purchase, hand: tuple[Coupon, ...], chance: Any) -> None:
    shuffled = list(hand)
    chance.shuffle(shuffled)
    assert best_coupons(purchase, shuffled) == best_coupons(purchase, hand)


@given(st.integers(0, 1000), st.lists(st.integers(0, 400), min_size=1, max_size=6))
def test_what_is_spread_adds_up_and_never_passes_a_weight(amount: int, weights: list[int]) -> None:
    amount = min(amount, sum(weights))
    parts = spread(amount, weights, range(len(weights)))
    assert sum(parts) == amount
    assert all(0 <= part <= weight for part, weight in zip(parts, weights, strict=True))


earns = st.fixed_dictionaries(
    {
        "points": st.sampled_from([1, 2, 7]),
        "per": st.none() | thb,
        "when": conditions,
        "steps": st.sampled_from(["full steps", "proportional"]),
    }
)
bonuses = st.fixed_dictionaries({"times": st.sampled_from([2, 3, "1.5"]), "when": conditions})


@st.composite
def programmes(draw: st.DrawFn) -> Programme:
    rules = draw(st.lists(earns, min_size=1, max_size=3))
    extra = draw(st.lists(bonuses, max_size=2))
    return Programme(
        name="club", currency="THB", zone="Asia/Bangkok", worth=Money(100, "THB"),
        earns=[Earn(name=f"e{i}", pieces=i == 2 and rule["per"] is None, **rule) for i, rule in enumerate(rules)],
        bonuses=[Bonus(name=f"b{i}", **rule) for i, rule in enumerate(extra)],
        validity=draw(st.sampled_from([
            Validity(), Validity(months=1), Validity(days=40, to_end_of="quarter"), Validity(to_end_of="year")])),
        pending_days=draw(st.sampled_from([0, 14])), at_most=draw(st.none() | st.integers(1, 50)),
    )  # fmt: skip


@given(programmes(), st.lists(purchases(), max_size=6))
def test_columns_earn_what_each_purchase_earns(programme: Programme, bought: list[Purchase]) -> None:
    bought = [p if i % 2 else Purchase.from_dict({**p.to_dict(), "customer": "8"}) for i, p in enumerate(bought)]
    index = CustomerIndex.of(["7", "8"])
    rows = [
        Order(
            customer=p.customer, time=p.at, amount=Money(x.amount_minor, "THB"), order_id=f"o{i}", product=x.product,
            quantity=x.quantity, attributes={"channel": str(p.facts["channel"])},
        )
        for i, p in enumerate(bought)
        for x in p.lines
    ]  # fmt: skip
    if not rows:
        return
    table = earn_table(programme, OrderTable.of(rows, customers=index))
    got = {p.id: (p.amount, p.account, p.at, p.available_at, p.expires_at) for p in table}
    wanted = {}
    for i, p in enumerate(bought):
        earned = programme.points(p)
        if earned.total:
            ends = None if earned.expires_at is None else earned.expires_at.astimezone(UTC)
            account = f"club:point:{p.customer}"
            wanted[f"o{i}:earn"] = (earned.total, account, p.at, earned.available_at, ends)
    assert got == wanted


@given(programmes(), purchases(), st.integers(0, 30), st.data())
def test_partial_refunds_add_up_to_the_whole(
    programme: Programme, purchase: Purchase, points: int, data: st.DataObject
) -> None:
    club = Club(programme, Ledger(MemoryStore()))
    before = Purchase.of("first", "7", Money(10_000_000, "THB"), at=START - timedelta(days=20))
    opened = club.checkout(before).earned
    most = min(points, opened.total, purchase.total.amount_minor // 100)
    if opened.expires_at is not None and opened.expires_at <= purchase.at:
        most = 0
    receipt = club.checkout(purchase, points=most)
    assert sum(receipt.points_minor) == 100 * most
    assert all(paid >= 0 for paid in receipt.paid_minor)
    back: dict[int, int] = {}
    money = given_back = taken = 0
    pieces = [i for i, line in enumerate(purchase.lines) for _ in range(line.quantity)]
    for n, place in enumerate(data.draw(st.permutations(pieces))):
        now = {**back, place: back.get(place, 0) + 1}
        part = club.refund(receipt, now, before=back, id=f"r{n}", at=purchase.at + timedelta(hours=1 + n))
        money, given_back, taken, back = (
            money + part.money_minor, given_back + part.points_back, taken + part.points_taken, now,
        )  # fmt: skip
        assert min(part.money_minor, part.points_back) >= 0
    assert (money, given_back) == (receipt.to_pay.amount_minor, most)
    assert taken == receipt.earned.total
    club.ledger.account(club.points_account("7")).check()


steps = st.lists(
    st.tuples(
        st.sampled_from(["buy", "pay", "coupon", "refund", "hold", "release", "redeem", "settle", "issue"]),
        st.integers(1, 5000), st.integers(0, 20),
    ),
    max_size=14,
)  # fmt: skip


def _random_life(plan: list[tuple[str, int, int]]) -> None:
    programme = Programme(
        name="club", currency="THB", zone="Asia/Bangkok", worth=Money(100, "THB"), pending_days=3,
        earns=[Earn(name="base", points=1, per=Money(100, "THB"))], validity=Validity(months=1),
        rewards=[Reward(name="auto", points=30, coupon="off", automatic=True),
                 Reward(name="ask", points=20, coupon="free"),
                 Reward(name="mile", points=40, coupon="free", automatic=True, keeps_points=True)],
        coupons=[Coupon(name="off", gives=AmountOff(Money(500, "THB")), in_all=3, validity=Validity(days=30)),
                 Coupon(name="free", gives=FreeItem(), per_customer=2)],
    )  # fmt: skip
    club = Club(programme, Ledger(MemoryStore(), limits=programme.limits))
    now, receipts, held = START, [], []
    for n, (what, amount, hours) in enumerate(plan):
        now += timedelta(hours=hours)
        purchase = Purchase(id=f"p{n}", customer="7", at=now, currency="THB", lines=[Line("shirt", amount, 2)])
        try:
            if what == "buy":
                receipts.append(club.checkout(purchase))
            elif what == "pay":
                receipts.append(club.checkout(purchase, points=amount % 40))
            elif what == "coupon":
                receipts.append(club.checkout(purchase, coupons=club.best(purchase).used))
            elif what == "refund" and receipts:
                club.refund(receipts[-1], {0: 1 + amount % 2}, id=f"r{n}", at=now)
            elif what == "hold":
                club.reserve(purchase, points=amount % 30, until=now + timedelta(days=2))
                held.append(purchase)
            elif what == "release" and held:
                club.release(held[-1], at=now)
            elif what == "redeem":
                club.redeem("7", "ask", id=f"d{n}", at=now)
            elif what == "settle":
                club.settle("7", at=now)
            elif what == "issue":
                club.issue("7", "off", id=f"i{n}", at=now)
        except CrmError:
            continue
    for account in club.ledger.accounts():
        club.ledger.account(account).check()
        balance = club.ledger.balance(account, as_of=now)
        parts = (balance.active, balance.pending, balance.reserved, balance.spent, balance.expired, balance.reversed)
        assert min(parts) >= 0
        assert balance.credited == sum(parts) + balance.transferred + balance.repaid
    assert len(club.ledger.account("club:coupon:off:7").lots) <= 3
    assert len(club.ledger.account("club:coupon:free:7").lots) <= 2


@given(steps)
def test_books_add_up_after_any_life(plan: list[tuple[str, int, int]]) -> None:
    _random_life(plan)


@pytest.mark.slow
@settings(max_examples=10_000)
@given(steps)
def test_books_add_up_after_ten_thousand_lives(plan: list[tuple[str, int, int]]) -> None:
    _random_life(plan)


@given(programmes())
def test_terms_survive_json(programme: Programme) -> None:
    assert Programme.from_dict(programme.to_dict()) == programme


@given(purchases(), hands)
def test_receipts_survive_json(purchase: Purchase, hand: tuple[Coupon, ...]) -> None:
    programme = Programme(
        name="club", currency="THB", zone="Asia/Bangkok", coupons=hand,
        earns=[Earn(name="base", points=1, per=Money(100, "THB"))],
    )  # fmt: skip
    club = Club(programme, Ledger(MemoryStore()))
    for coupon in hand:
        club.issue("7", coupon.name, id=f"i:{coupon.name}", at=START - timedelta(days=1))
    receipt = club.checkout(purchase, coupons=club.best(purchase).used)
    assert type(receipt).from_dict(receipt.to_dict()) == receipt
    assert club.checkout(purchase, coupons=receipt.discounts.used) == receipt
