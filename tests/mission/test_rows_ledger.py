"""Rows of the feature list that the ledger owns, through its public API alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.errors import CrmError
from crmcore.ledger import (
    Ledger,
    Overdraft,
    Posting,
    claw_back,
    earn,
    reverse,
    spend,
)
from crmcore.stores import MemoryStore

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
steps = st.lists(
    st.tuples(st.sampled_from(["earn", "redeem", "reverse", "claw back"]), st.integers(1, 50), st.integers(0, 30)),
    max_size=25,
)


@given(steps, st.integers(-5, 400))
def test_row_048_the_balance_of_a_card_is_the_sum_of_its_ledger_at_any_date(
    plan: list[tuple[str, int, int]], day: int
) -> None:
    card = Ledger(MemoryStore())
    now, earned, redeemed = START, [], []
    for n, (what, amount, wait) in enumerate(plan):
        now += wait * DAY
        posting: Posting | None = None
        if what == "redeem":
            posting = spend(f"{n}", "card:7", amount, at=now)
        elif what == "reverse" and redeemed:
            posting = reverse(f"{n}", "card:7", of=redeemed[-1], amount=amount, at=now)
        elif what == "claw back" and earned:
            posting = claw_back(f"{n}", "card:7", of=earned[-1], amount=amount, at=now)
        elif what == "earn":
            posting = earn(f"{n}", "card:7", amount, at=now, expires_at=now + 90 * DAY)
        if posting is None:
            continue
        try:
            card.post(posting)
        except CrmError:
            continue
        {"earn": earned, "redeem": redeemed}.get(what, []).append(posting.id)
    at = START + day * DAY
    balance = card.balance("card:7", as_of=at)
    if card.accounts():
        lines = card.statement("card:7", as_of=at)
        assert balance.active == sum(line.change for line in lines.lines)
        booked = {"earn": 1, "spend": -1, "reverse": 1, "claw back": -1}
        postings = [p for p in card.postings("card:7") if p.at <= at]
        assert balance.active + balance.expired == sum(booked[p.kind.value] * (p.amount or 0) for p in postings)
    assert min(balance.active, balance.expired, balance.spent, balance.reversed) >= 0


def test_row_048_a_stamp_card_earns_redeems_expires_and_takes_back() -> None:
    card = Ledger(MemoryStore())
    for visit in range(10):
        at = START + visit * DAY
        card.post(earn(f"visit-{visit}", "stamps:7", 1, at=at, unit="stamp", expires_at=at + 365 * DAY))
    card.post(spend("free coffee", "stamps:7", 8, at=START + 20 * DAY, unit="stamp"))
    assert card.balance("stamps:7", as_of=START + 20 * DAY).active == 2
    card.post(reverse("wrong coffee", "stamps:7", of="free coffee", at=START + 21 * DAY, unit="stamp"))
    assert card.balance("stamps:7", as_of=START + 21 * DAY).active == 10
    assert card.balance("stamps:7", as_of=START + 370 * DAY).expired == 6
    assert card.balance("stamps:7", as_of=START + 20 * DAY).active == 2  # as it was said then


def test_coupon_at_a_threshold_as_two_accounts_of_one_batch() -> None:
    """Row 47 on the engine: the programme itself (threshold, coupon) is a definition of a room above."""
    books = Ledger(MemoryStore())

    def exchange(at: datetime) -> list[Posting]:
        ends = at + 30 * DAY
        return [
            spend("coupon-1:price", "points:7", 100, at=at),
            earn("coupon-1", "coupons:7", 1, at=at, unit="coupon", expires_at=ends),
        ]

    for visit in range(1, 10):
        books.post(earn(f"visit-{visit}", "points:7", 10, at=START + visit * DAY))
    with pytest.raises(Overdraft, match="90 active, 10 missing"):
        books.post_many(exchange(START + 9 * DAY))
    assert books.balance("coupons:7", as_of=START + 9 * DAY).active == 0
    books.post(earn("visit-10", "points:7", 10, at=START + 10 * DAY))
    books.post_many(exchange(START + 10 * DAY))
    assert books.balance("coupons:7", as_of=START + 10 * DAY).active == 1
    books.post(spend("till 3", "coupons:7", 1, at=START + 11 * DAY, unit="coupon"))
    with pytest.raises(Overdraft, match="cannot spend 1 coupon"):
        books.post(spend("till 4", "coupons:7", 1, at=START + 12 * DAY, unit="coupon"))


def test_vouchers_of_an_incident_are_issued_once_each() -> None:
    """Row 188 on the engine: one voucher a passenger, however often the job runs; the budget pays for them."""
    books = Ledger(MemoryStore())
    books.post(earn("fund", "budget:incident-1", 180 * 300_00, at=START, unit="THB"))
    for _run in range(2):
        for seat in range(180):
            name = f"incident-1:voucher:{seat}"
            books.post_many(
                [
                    spend(f"{name}:cost", "budget:incident-1", 300_00, at=START + DAY, unit="THB"),
                    earn(name, f"vouchers:{seat}", 300_00, at=START + DAY, unit="THB", expires_at=START + 30 * DAY),
                ]
            )
    total = books.balances(as_of=START + 2 * DAY)
    assert total["budget:incident-1"].active == 0
    assert total.active.sum() == 180 * 300_00
    assert len(total) == 181
