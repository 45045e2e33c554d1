"""Loyalty: terms that are refused, reasons that are told, and what never appears in a repr."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from crmcore.calendars import local
from crmcore.errors import BadDocument, BadRows, CurrencyMismatch, DuplicateIds, OutOfRange, UnknownName, WrongType
from crmcore.idic.customize import loyalty
from crmcore.idic.customize.loyalty.validity import Validity
from crmcore.ledger import Ledger, earn
from crmcore.ledger.refusals import ChangedPosting, LotUsed
from crmcore.rules import Tier, Tiers, field
from crmcore.stores import MemoryStore
from crmcore.tables import OrderTable
from crmcore.values import Money

START = local(2026, 6, 1, 12, zone="Asia/Bangkok")
DAY = timedelta(days=1)
BASE = loyalty.Earn(name="base", points=1, per=Money.of("10", "THB"))


def programme(**terms: object) -> loyalty.Programme:
    given: dict[str, object] = {"name": "club", "currency": "THB", "zone": "Asia/Bangkok", "earns": [BASE], **terms}
    return loyalty.Programme(**given)  # type: ignore[arg-type]


def club(**terms: object) -> loyalty.Club:
    return loyalty.Club(programme(**terms), Ledger(MemoryStore()))


def basket(id: str = "p", amount: str = "100", *, day: int = 0, **facts: object) -> loyalty.Purchase:
    return loyalty.Purchase.of(id, "somchai@example.org", Money.of(amount, "THB"), at=START + day * DAY, facts=facts)


def test_all_faults_of_terms_are_named_at_once() -> None:
    with pytest.raises(BadDocument) as raised:
        programme(
            earns=[BASE, loyalty.Earn(name="base", points=1, per=Money.of("1", "USD"))],
            rewards=[loyalty.Reward(name="r", points=10, coupon="nowhere")],
            pending_days=-1,
        )
    for fault in ("combine THB and USD", "rule 'base': named twice", "no coupon 'nowhere'", "pending_days: -1"):
        assert fault in str(raised.value)


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: loyalty.Earn(name="x", points=1.5), WrongType, "Decimal"),  # type: ignore[arg-type]
        (lambda: loyalty.Earn(name="x", points=0), OutOfRange, "leave the rule out"),
        (lambda: loyalty.Earn(name="x", points=1, per=Money(1, "THB"), pieces=True), OutOfRange, "without pieces"),
        (lambda: loyalty.Bonus(name="x", times=1), OutOfRange, "never takes points away"),
        (lambda: loyalty.PercentOff(120), OutOfRange, "at most 100"),
        (lambda: loyalty.Coupon(name="a:b", gives=loyalty.FreeItem()), ValueError, "without a colon"),
        (lambda: loyalty.Line("x", -5), OutOfRange, "a refund, not a negative line"),
        (lambda: loyalty.Line("x", 5, 0), OutOfRange, "whole number from 1"),
        (lambda: loyalty.Reward(name="r", points=5, coupon="c", keeps_points=True), OutOfRange, "reached, not bought"),
        (lambda: loyalty.EarlyAccess(name="x", opens_at=START, hours_before={"gold": -1}), OutOfRange, "hours"),
        (lambda: loyalty.EarlyAccess(name="x", opens_at=START, closes_at=START), OutOfRange, "after"),
        (lambda: Validity(months=-1), OutOfRange, "whole number"),
        (lambda: Validity(to_end_of="week"), UnknownName, "quarter"),
    ],
)
def test_odd_terms_say_what_is_allowed(make: object, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        make()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("validity", "ends"),
    [
        (Validity(days=10), "2026-06-11T12:00:00+07:00"),
        (Validity(to_end_of="day"), "2026-06-02T00:00:00+07:00"),
        (Validity(to_end_of="month"), "2026-07-01T00:00:00+07:00"),
        (Validity(to_end_of="quarter"), "2026-07-01T00:00:00+07:00"),
        (Validity(months=1, to_end_of="quarter"), "2026-10-01T00:00:00+07:00"),
        (Validity(to_end_of="year"), "2027-01-01T00:00:00+07:00"),
        (Validity(months=9, days=1), "2027-03-02T12:00:00+07:00"),
    ],
)
def test_lives_end_by_the_calendar_of_the_programme(validity: Validity, ends: str) -> None:
    found = validity.ends(START, zone="Asia/Bangkok")
    assert found is not None
    assert found.isoformat() == ends


def test_a_programme_at_midnight_counts_days_of_its_zone() -> None:
    weekend = loyalty.Bonus(name="weekend", times=2, when=field("weekday").isin(["sat", "sun"]))
    late_friday_utc = local(2026, 6, 5, 18, zone="UTC")  # Saturday 01:00 in Bangkok
    purchase = loyalty.Purchase.of("p", "7", Money.of("100", "THB"), at=late_friday_utc)
    assert programme(bonuses=[weekend]).points(purchase).total == 20
    assert programme(bonuses=[weekend], zone="UTC").points(purchase).total == 10


def test_of_several_bonuses_the_greatest_counts_and_no_product() -> None:
    bonuses = [loyalty.Bonus(name="double", times=2), loyalty.Bonus(name="half more", times=Decimal("1.5"))]
    earned = programme(bonuses=bonuses).points(basket())
    assert [(p.rule, p.points) for p in earned.parts] == [("base", 10), ("double", 10)]


def test_unknown_facts_earn_nothing_and_are_named() -> None:
    member = loyalty.Earn(name="member day", points=50, when=field("member_day"))
    earned = programme(earns=[BASE, member]).points(basket())
    assert (earned.total, earned.unknown) == (10, ("member day",))
    assert "0 by member day: unknown facts earn nothing" in str(earned)


def test_a_limit_says_what_it_took() -> None:
    earned = programme(at_most=7).points(basket())
    assert (earned.total, earned.capped) == (7, 3)
    assert "-3 above the limit" in str(earned)


def test_nobody_is_named_in_a_repr_or_an_error() -> None:
    made = club(worth=Money.of("1", "THB"))
    receipt = made.checkout(basket())
    shown = [repr(x) for x in (receipt.purchase, receipt, made, made.wallet("somchai@example.org", as_of=START))]
    shown += [receipt._repr_html_(), str(receipt)]
    with pytest.raises(OutOfRange) as raised:
        made.checkout(basket("q"), points=101)
    assert not any("somchai" in text for text in (*shown, str(raised.value)))


def test_other_points_for_a_purchase_that_was_told_are_refused() -> None:
    made = club(worth=Money.of("1", "THB"))
    made.checkout(basket("first", "1000"))
    made.checkout(basket("second", day=1), points=10)
    with pytest.raises(ChangedPosting):
        made.checkout(basket("second", day=1), points=20)
    assert made.wallet("somchai@example.org", as_of=START + DAY).points.active == 100 - 10 + 9


def test_points_without_a_worth_buy_rewards_only() -> None:
    with pytest.raises(OutOfRange, match="no worth at the till"):
        club().checkout(basket(), points=1)


def test_all_odd_lines_of_a_refund_are_named_and_nothing_is_written() -> None:
    made = club()
    receipt = made.checkout(basket())
    with pytest.raises(BadRows) as raised:
        made.refund(receipt, {0: 2, 5: 1}, id="r", at=START + DAY)
    assert "line 0" in str(raised.value)
    assert "line 5" in str(raised.value)
    assert made.wallet("somchai@example.org", as_of=START + DAY).points.active == 10


def test_points_that_are_gone_are_owed_forgiven_or_stop_the_refund() -> None:
    left = {}
    for policy in ("debt", "write off"):
        made = club(worth=Money.of("1", "THB"), if_spent=policy)
        first = made.checkout(basket("first", "1000"))
        made.checkout(basket("second", "200", day=1), points=100)
        made.refund(first, {0: 1}, id="r", at=START + 2 * DAY)
        made.checkout(basket("third", "2000", day=3))
        left[policy] = made.wallet("somchai@example.org", as_of=START + 3 * DAY).points.active
    assert left == {"debt": 10 + 200 - 100, "write off": 10 + 200}
    made = club(worth=Money.of("1", "THB"), if_spent="refuse")
    first = made.checkout(basket("first", "1000"))
    made.checkout(basket("second", "200", day=1), points=100)
    with pytest.raises(LotUsed):
        made.refund(first, {0: 1}, id="r", at=START + 2 * DAY)


def test_a_coupon_held_for_a_basket_outlives_its_end() -> None:
    off = loyalty.Coupon(name="off", gives=loyalty.PercentOff(50), validity=Validity(days=1))
    made = club(coupons=[off])
    made.issue("somchai@example.org", "off", id="gift", at=START)
    made.reserve(basket("held"), coupons=["off"], until=START + 5 * DAY)
    assert made.wallet("somchai@example.org", as_of=START + 2 * DAY).coupons[0].held == 1
    late = basket("held", day=2)
    assert made.checkout(late, coupons=["off"]).to_pay == Money.of("50", "THB")


def test_a_basket_that_is_left_gives_back_what_it_held() -> None:
    off = loyalty.Coupon(name="off", gives=loyalty.PercentOff(50))
    made = club(coupons=[off], worth=Money.of("1", "THB"))
    made.checkout(basket("first", "1000"))
    made.issue("somchai@example.org", "off", id="gift", at=START)
    made.reserve(basket("left"), coupons=["off"], points=30)
    assert made.wallet("somchai@example.org", as_of=START).points.active == 70
    made.release(basket("left"), at=START + DAY)
    wallet = made.wallet("somchai@example.org", as_of=START + DAY)
    assert (wallet.points.active, wallet.coupons[0].active) == (100, 1)


def test_the_last_piece_goes_to_one_customer() -> None:
    off = loyalty.Coupon(name="off", gives=loyalty.PercentOff(50), in_all=1)
    made = club(coupons=[off])
    made.issue("a", "off", id="1", at=START)
    with pytest.raises(OutOfRange, match="all are issued"):
        made.issue("b", "off", id="2", at=START - DAY)
    made.issue("a", "off", id="1", at=START)  # told again


def test_raising_the_number_of_pieces_later_makes_more() -> None:
    off = loyalty.Coupon(name="off", gives=loyalty.PercentOff(50), in_all=1)
    ledger = Ledger(MemoryStore())
    loyalty.Club(programme(coupons=[off]), ledger).issue("a", "off", id="1", at=START)
    more = loyalty.Coupon(name="off", gives=loyalty.PercentOff(50), in_all=2)
    loyalty.Club(programme(coupons=[more]), ledger).issue("b", "off", id="2", at=START)
    with pytest.raises(OutOfRange, match="2 pieces in all"):
        loyalty.Club(programme(coupons=[more]), ledger).issue("c", "off", id="3", at=START)


def test_a_reward_is_for_whom_its_condition_holds() -> None:
    lounge = loyalty.Reward(name="lounge", points=5, coupon="lounge", when=field("tier") == "gold")
    made = club(coupons=[loyalty.Coupon(name="lounge", gives=loyalty.FreeItem())], rewards=[lounge])
    made.checkout(basket())
    for facts in (None, {"tier": "silver"}):
        with pytest.raises(OutOfRange, match="one that holds for this customer"):
            made.redeem("somchai@example.org", "lounge", id="d", at=START, facts=facts)
    got = made.redeem("somchai@example.org", "lounge", id="d", at=START, facts={"tier": "gold"})
    assert made.redeem("somchai@example.org", "lounge", id="d", at=START, facts={"tier": "gold"}) == got
    assert made.wallet("somchai@example.org", as_of=START).points.active == 5


def test_milestones_keep_the_points_and_come_once() -> None:
    mile = loyalty.Reward(name="mile", points=15, coupon="cup", automatic=True, keeps_points=True)
    made = club(coupons=[loyalty.Coupon(name="cup", gives=loyalty.FreeItem())], rewards=[mile])
    got = [len(made.checkout(basket(f"p{i}", day=i)).issued) for i in range(6)]
    assert got == [0, 1, 1, 0, 1, 1]
    assert made.wallet("somchai@example.org", as_of=START + 6 * DAY).points.active == 60


def test_pending_points_bring_their_reward_when_they_open() -> None:
    auto = loyalty.Reward(name="auto", points=10, coupon="cup", automatic=True)
    made = club(coupons=[loyalty.Coupon(name="cup", gives=loyalty.FreeItem())], rewards=[auto], pending_days=14)
    assert made.checkout(basket()).issued == ()
    assert made.settle("somchai@example.org", at=START + 13 * DAY) == ()
    assert [x.coupon for x in made.settle("somchai@example.org", at=START + 14 * DAY)] == ["cup"]
    assert made.settle("somchai@example.org", at=START + 15 * DAY) == ()


def test_every_coupon_that_is_left_has_its_reason() -> None:
    hand = [
        loyalty.Coupon(name="alone", gives=loyalty.PercentOff(50), alone=True),
        loyalty.Coupon(name="dollars", gives=loyalty.AmountOff(Money.of("5", "USD"))),
        loyalty.Coupon(name="much", gives=loyalty.PercentOff(90), minimum=Money.of("500", "THB")),
        loyalty.Coupon(name="shoes", gives=loyalty.FreeItem(), when=field("product") == "shoes"),
        loyalty.Coupon(name="tier", gives=loyalty.FreeItem(), when=field("tier") == "gold"),
        loyalty.Coupon(name="tenth", gives=loyalty.PercentOff(10)),
    ]
    told = {x.coupon: x.because for x in loyalty.best_coupons(basket(), hand).not_used}
    assert told == {
        "dollars": "its terms are in USD, the purchase is in THB",
        "much": "100.00 THB of at least 500.00 THB",
        "shoes": "no line for which it holds",
        "tenth": "alone stands alone",
        "tier": "whether it holds is unknown",
    }


def test_a_hand_with_a_name_twice_or_too_many_to_try_is_refused() -> None:
    one = loyalty.Coupon(name="a", gives=loyalty.PercentOff(1))
    with pytest.raises(DuplicateIds):
        loyalty.best_coupons(basket(), [one, one])
    many = [loyalty.Coupon(name=f"c{i}", gives=loyalty.PercentOff(1)) for i in range(17)]
    with pytest.raises(OutOfRange, match="131,072 hands"):
        loyalty.best_coupons(basket(), many)
    grouped = [loyalty.Coupon(name=f"c{i}", gives=loyalty.PercentOff(1 + i), group="g") for i in range(40)]
    assert loyalty.best_coupons(basket(), grouped).used == ("c39",)


def test_notices_go_once_and_under_the_nearest_warning() -> None:
    made = club(validity=Validity(days=40))
    made.checkout(basket())
    accounts = [made.ledger.account(name) for name in made.ledger.accounts("club:point:")]
    assert loyalty.expiry_notices(accounts, now=START + 5 * DAY) == ()
    [month] = loyalty.expiry_notices(accounts, now=START + 12 * DAY)
    [week] = loyalty.expiry_notices(accounts, now=START + 35 * DAY, sent=[month.id])
    assert (month.amount, week.amount, month.id != week.id) == (10, 10, True)
    assert loyalty.expiry_notices(accounts, now=START + 36 * DAY, sent=[week.id]) == ()
    assert "somchai" not in repr(month)


def test_tiers_project_a_calendar_year_and_count_what_was_taken_back() -> None:
    levels = Tiers("club", [Tier("silver", field("points") >= 100, gives=["lounge"])])
    year = loyalty.QualifyingPeriod(kind="calendar year", zone="Asia/Bangkok")
    made = club()
    receipt = made.checkout(basket("a", "900"))
    made.checkout(basket("b", "400", day=1))
    made.refund(receipt, {0: 1}, id="r", at=START + 2 * DAY)
    books = made.ledger.postings(made.points_account("somchai@example.org"))
    before = loyalty.status(levels, books, now=START + DAY, period=year)
    after = loyalty.status(levels, books, now=START + 3 * DAY, period=year, previous=before.standing)
    assert (before.points, before.standing.tier, before.next_tier) == (130, "silver", None)
    assert (after.points, after.standing.tier, after.missing) == (40, "none", 60)
    assert after.projected is not None
    assert after.projected.low <= after.projected.value <= after.projected.high
    rolling = loyalty.status(levels, books, now=START + 400 * DAY)
    assert (rolling.points, rolling.projected) == (0, None)


def test_orders_of_another_currency_or_mixed_orders_are_refused() -> None:
    rows = {"customer": ["a", "b"], "time": ["2026-03-01", "2026-03-02"], "amount": [10, 20], "order_id": ["o", "o"]}
    with pytest.raises(CurrencyMismatch):
        loyalty.earn_table(programme(), OrderTable.from_frame(rows, currency="USD", zone="UTC"))
    with pytest.raises(OutOfRange, match="one customer and time"):
        loyalty.earn_table(programme(), OrderTable.from_frame(rows, currency="THB", zone="UTC"))


def test_qualifying_points_leave_spending_aside() -> None:
    from crmcore.idic.customize.loyalty.tiering import qualifying
    from crmcore.ledger import cancel, spend

    books = [
        earn("a", "x", 50, at=START), earn("b", "x", 30, at=START, needs_confirmation=True),
        spend("s", "x", 40, at=START + DAY), cancel("c", "x", of="b", at=START + DAY),
    ]  # fmt: skip
    assert qualifying(books, loyalty.QualifyingPeriod(), now=START + 2 * DAY) == 50


def test_points_pay_in_the_same_instant_in_which_others_buy_a_reward() -> None:
    auto = loyalty.Reward(name="a reward before pay", points=10, coupon="cup", automatic=True)
    made = club(
        coupons=[loyalty.Coupon(name="cup", gives=loyalty.FreeItem())], rewards=[auto], worth=Money.of("1", "THB"),
        validity=Validity(months=12),
    )  # fmt: skip
    made.checkout(basket("first", "90"))
    receipt = made.checkout(basket("second", "500", day=1), points=9)
    assert (receipt.points_used, len(receipt.issued), receipt.earned.total) == (9, 4, 49)
    assert made.wallet("somchai@example.org", as_of=START + DAY).points.active == 9
    assert made.checkout(basket("second", "500", day=1), points=9) == receipt
