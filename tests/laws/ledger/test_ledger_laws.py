"""Laws of the ledger: shuffle, shards, two forms, stores, units, round trips."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.errors import CrmError
from crmcore.ledger import (
    Account,
    Ledger,
    Posting,
    PostingTable,
    claw_back,
    commit,
    earn,
    evolve,
    replay,
    reserve,
    reverse,
    spend,
)
from crmcore.ledger._events import event_of, line_of, posting_of
from crmcore.ledger.accounts import in_order
from crmcore.ledger.balances import BUCKETS
from crmcore.stores import Event, MemoryStore, SqliteStore

START = datetime(2026, 5, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@st.composite
def books(draw: st.DrawFn) -> list[Posting]:
    """Postings of up to three accounts that are all accepted, many at one instant."""
    out: list[Posting] = []
    states: dict[str, Account] = {}
    plans = draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(1, 9), st.integers(0, 6)), max_size=20)
    )
    hours = 0
    for n, (who, kind, amount, life) in enumerate(plans):
        account = f"card:{who}"
        state = states.get(account, Account(id=account))
        hours += life % 3
        at = START + hours * HOUR
        spent = [p for p in out if p.account == account and p.kind == "spend"]
        earned = [p for p in out if p.account == account and p.kind == "earn"]
        if kind == 1:
            posting = spend(f"{n * 7 % 10}s{n}", account, amount, at=at)
        elif kind == 2 and spent:
            posting = reverse(f"{n * 7 % 10}r{n}", account, of=spent[-1].id, at=at)
        elif kind == 3 and earned:
            posting = claw_back(f"{n * 7 % 10}c{n}", account, of=earned[-1].id, at=at, if_spent="debt")
        else:
            ends = at + life * HOUR if life else None
            posting = earn(f"{n * 7 % 10}e{n}", account, amount, at=at, expires_at=ends)
        try:
            # accepted in the order in which a batch applies, not only in the order drawn
            replay([p for p in out if p.account == account] + [posting])
            states[account] = evolve(state, posting)
        except CrmError:
            continue
        out.append(posting)
    return out


@given(books(), st.randoms(use_true_random=False))
def test_shuffling_a_batch_changes_nothing(postings: list[Posting], random: object) -> None:
    shuffled = list(postings)
    random.shuffle(shuffled)
    one, other = Ledger(MemoryStore()), Ledger(MemoryStore())
    one.post_many(postings)
    assert other.post_many(shuffled) == tuple(shuffled)
    for name in one.accounts():
        assert one.account(name) == other.account(name)
        mine = [p for p in postings if p.account == name]
        assert replay(mine) == one.account(name)
        assert replay([p for p in shuffled if p.account == name]) == replay(mine)


@given(books(), st.integers(-1, 40))
def test_columns_equal_accounts_one_by_one_at_any_instant(postings: list[Posting], hours: int) -> None:
    if not postings:
        return
    at = START + hours * HOUR
    table = PostingTable.of(postings)
    found = table.balances(as_of=at, expiring_before=at + 5 * HOUR).check()
    assert found.expiring is not None
    for name in found.accounts.ids:
        mine = [p for p in postings if p.account == name]
        account = replay(mine, as_of=at)
        slow = account.balance(as_of=at)
        fast = found[name]
        assert [getattr(fast, b) for b in (*BUCKETS, "debt")] == [getattr(slow, b) for b in (*BUCKETS, "debt")]
        soon = account.expiring(at + 5 * HOUR, as_of=at)
        assert found.expiring[found.accounts.code(name)] == sum(e.amount for e in soon)
    order = np.random.default_rng(1).permutation(len(table))
    again = table.take(order).balances(as_of=at)
    assert all((getattr(found, b) == getattr(again, b)).all() for b in BUCKETS)


@given(books(), st.integers(0, 3))
def test_shards_by_account_add_up_to_the_whole(postings: list[Posting], cut: int) -> None:
    if not postings:
        return
    at = START + 10 * HOUR
    table = PostingTable.of(postings)
    whole = table.balances(as_of=at)
    left, right = (table.take(m).balances(as_of=at) for m in (table.account < cut, table.account >= cut))
    for total in (left + right, right + left):
        assert all((getattr(total, b) == getattr(whole, b)).all() for b in (*BUCKETS, "debt", "credited"))
    apart = [PostingTable.of([p for p in postings if (p.account < "card:1") == side] or postings[:0] or [
        earn("x", "card:other", 1, at=START)]).balances(as_of=at) for side in (True, False)]  # fmt: skip
    joined = apart[0] + apart[1] if not set(apart[0].accounts.ids) & set(apart[1].accounts.ids) else apart[0]
    for name in set(joined.accounts.ids) & set(whole.accounts.ids):
        assert joined[name] == whole[name]


@given(books())
def test_postings_and_tables_survive_json_and_frames(postings: list[Posting]) -> None:
    for p in postings:
        assert Posting.from_dict(p.to_dict()) == p
    if not postings:
        return
    table = PostingTable.of(postings)
    assert list(table) == postings
    frame = table.to_frame()
    frame.pop("unit")
    again = PostingTable.from_frame(frame)
    assert list(again) == postings
    pl = pytest.importorskip("polars")
    frame = table.to_frame(backend="polars")
    assert isinstance(frame, pl.DataFrame)
    assert list(PostingTable.from_frame(frame.drop("unit"))) == postings


@given(books(), st.integers(2, 100))
def test_a_smaller_unit_scales_every_bucket(postings: list[Posting], factor: int) -> None:
    if not postings:
        return
    at = START + 8 * HOUR
    table = PostingTable.of(postings)
    scaled = np.where(table.amount > 0, table.amount * factor, table.amount)
    more = attrs.evolve(table, amount=scaled).balances(as_of=at)
    less = table.balances(as_of=at)
    assert all((getattr(more, b) == factor * getattr(less, b)).all() for b in (*BUCKETS, "debt"))


@given(books())
def test_the_stores_hold_the_same_books(postings: list[Posting]) -> None:
    memory = Ledger(MemoryStore())
    with tempfile.TemporaryDirectory() as folder, SqliteStore(Path(folder) / "books.db") as store:
        disk = Ledger(store)
        for p in in_order(postings):
            memory.post(p)
            disk.post(p)
        names = memory.accounts()
        assert disk.accounts() == names
        for name in names:
            assert disk.snapshot(name) == memory.account(name)
            assert Ledger(store).account(name) == memory.account(name)
            assert disk.postings(name) == memory.postings(name)


@given(books(), st.booleans())
def test_a_line_of_an_event_is_its_posting(postings: list[Posting], aged: bool) -> None:
    """What a table reads without checks equals what is read with them; all that is not plain is read with them."""
    if aged and postings:
        postings = [attrs.evolve(p, available_at=p.at) if p.kind == "earn" else p for p in postings]
    for p in postings:
        event = event_of(p, "ledger:")
        line = line_of(event, prefix="ledger:")
        assert posting_of(event) == p
        assert (line is not None) == (p.kind in ("earn", "spend") and p.available_at is None)
        if line is not None:
            assert all(getattr(line, f.name) == getattr(p, f.name) for f in attrs.fields(Posting))


@given(
    st.dictionaries(
        st.sampled_from(["amount", "unit", "digits", "expires_at", "order", "lots"]),
        st.sampled_from(
            [
                0,
                5,
                -1,
                2.0,
                True,
                None,
                "point",
                "",
                "2026-05-02T00:00:00+00:00",
                "2026-05-02",
                "2026-04-01T00:00+00:00",
            ]
        ),
    ),
    st.sampled_from(["earn", "spend", "reverse"]),
)
def test_an_event_that_makes_no_posting_makes_no_line(data: dict[str, object], kind: str) -> None:
    event = Event(id="ledger:a", type=kind, time=START, stream="ledger:x", data={"unit": "point", "amount": 5} | data)
    try:
        posting = posting_of(event)
    except (CrmError, TypeError, ValueError):
        posting = None
    try:
        line = line_of(event, prefix="ledger:")
    except (CrmError, TypeError, ValueError):
        line = None
    if line is not None:
        assert posting is not None
        assert all(getattr(line, f.name) == getattr(posting, f.name) for f in attrs.fields(Posting))


@given(books(), st.integers(0, 12), st.integers(0, 12))
def test_a_stated_balance_stays_when_later_postings_arrive(postings: list[Posting], cut: int, hours: int) -> None:
    at = START + hours * HOUR
    early = [p for p in postings if p.at <= at]
    for name in {p.account for p in early}:
        mine = [p for p in early if p.account == name]
        everything = [p for p in postings if p.account == name]
        then = replay(mine).balance(as_of=at)
        assert replay(everything, as_of=at).balance(as_of=at) == then


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 60), st.integers(0, 3))
def test_a_full_refund_restores_the_account_exactly(first: int, second: int, price: int, wait: int) -> None:
    earned = [
        earn("a", "card", first, at=START, expires_at=START + 50 * HOUR),
        earn("b", "card", second, at=START + HOUR, expires_at=START + 40 * HOUR),
    ]
    before = replay(earned)
    price = min(price, first + second)
    paid = evolve(before, spend("s", "card", price, at=START + 2 * HOUR))
    back = evolve(paid, reverse("r", "card", of="s", at=START + (2 + wait) * HOUR))
    assert back.lots == before.lots
    later = START + 45 * HOUR
    assert back.balance(as_of=later) == before.balance(as_of=later)


@given(books(), st.integers(-1, 40))
def test_a_balance_read_in_place_is_that_of_the_value(postings: list[Posting], hours: int) -> None:
    at, ledger = START + hours * HOUR, Ledger(MemoryStore())
    ledger.post_many(postings)
    for name in ledger.accounts():
        before = ledger.account(name)
        assert ledger.balance(name, as_of=at) == ledger.account(name, as_of=at).balance(as_of=at)
        assert ledger.account(name) == before == Ledger(ledger.store).account(name)
        assert ledger.last_at(name) == before.at
        assert all(ledger.knows(name, p.id) == (p.account == name) for p in postings)


@given(
    st.lists(st.tuples(st.integers(1, 9), st.none() | st.integers(1, 6), st.booleans()), max_size=12),
    st.integers(0, 20),
)
def test_reservations_lapse_at_their_instant_however_many_are_open(
    holds: list[tuple[int, int | None, bool]], wait: int
) -> None:
    """The first instant at which a hold can lapse is kept, not searched: it must never be missed."""
    ledger = Ledger(MemoryStore())
    ledger.post(earn("load", "card:0", 200, at=START))
    still: dict[int, tuple[int, int | None]] = {}
    for n, (amount, life, paid) in enumerate(holds):
        until = START + (n + life) * HOUR if life else None
        ledger.post(reserve(f"h{n}", "card:0", amount, at=START + n * HOUR, until=until))
        if paid:
            ledger.post(commit(f"c{n}", "card:0", of=f"h{n}", at=START + n * HOUR))
        else:
            still[n] = (amount, None if life is None else n + life)
    end = len(holds) + wait
    spent = sum(amount for amount, _, paid in holds if paid)
    held = sum(amount for amount, until in still.values() if until is None or until > end)
    for books in (ledger, Ledger(ledger.store)):
        found = books.balance("card:0", as_of=START + end * HOUR)
        assert (found.active, found.reserved, found.spent) == (200 - spent - held, held, spent)
    books.post(spend("last", "card:0", 1, at=START + end * HOUR))
    assert books.account("card:0").check().balance(as_of=START + end * HOUR).reserved == held
