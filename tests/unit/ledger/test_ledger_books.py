"""The ledger over stores, limits, tables and populations."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from crmcore import ledger as ledger_package
from crmcore.errors import (
    BadRows,
    CurrencyMismatch,
    DuplicateIds,
    EmptyInput,
    MissingColumn,
    NaiveDatetime,
    OutOfRange,
    StoreConflict,
    UnknownName,
)
from crmcore.ledger import (
    Ledger,
    Limit,
    Overdraft,
    Per,
    Posting,
    PostingTable,
    adjust,
    claw_back,
    commit,
    earn,
    replay,
    reserve,
    reverse,
    spend,
    transfer,
)
from crmcore.ledger._events import posting_of
from crmcore.ledger.refusals import ChangedPosting, LimitExceeded, Unbalanced
from crmcore.stores import Event, EventStore, MemoryStore, SqliteStore


def day(d: float) -> datetime:
    return datetime(2026, 5, 1, tzinfo=UTC) + timedelta(days=d - 1)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EventStore]:
    made: EventStore = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "books.db")
    with made:
        yield made


def test_a_batch_is_written_whole_or_not_at_all(store: EventStore) -> None:
    books = Ledger(store)
    books.post(earn("a", "card:1", 10, at=day(1)))
    with pytest.raises(Overdraft):
        books.post_many([earn("b", "card:2", 10, at=day(2)), spend("s", "card:1", 11, at=day(2))])
    assert books.accounts() == ("card:1",)
    assert books.balance("card:1", as_of=day(3)).active == 10
    with pytest.raises(BadRows, match=r"s: 'card:1' cannot spend 11 .* in 1 row \[1\]") as found:
        books.post_many([spend("t", "card:2", 1, at=day(2)), spend("s", "card:1", 11, at=day(2))])
    assert [p.column for p in found.value.problems] == ["t", "s"]
    assert books.post_many([]) == ()


def test_the_same_posting_again_changes_nothing_and_a_changed_one_is_refused(store: EventStore) -> None:
    books = Ledger(store)
    first = earn("a", "card:1", 10, at=day(1), reference="order 1")
    assert books.post_many([first, first]) == (first, first)
    assert Ledger(store).post(first) == first
    assert books.account("card:1").version == 1
    with pytest.raises(ChangedPosting, match="another amount"):
        books.post(earn("a", "card:1", 11, at=day(1), reference="order 1"))
    with pytest.raises(DuplicateIds):
        books.post(earn("a", "card:2", 10, at=day(1)))
    assert books.accounts() == ("card:1",)
    # a spending that emptied the account is still no overdraft when its answer was lost
    paid = spend("s", "card:1", 10, at=day(2))
    assert books.post(paid) == books.post(paid)


def test_two_ledgers_on_one_store_see_each_other(store: EventStore) -> None:
    one, other = Ledger(store), Ledger(store)
    one.post(earn("a", "card:1", 10, at=day(1)))
    assert other.balance("card:1", as_of=day(1)).active == 10
    one.post(spend("s", "card:1", 8, at=day(2)))
    with pytest.raises(Overdraft, match="2 active, 3 missing"):
        other.post(spend("t", "card:1", 5, at=day(3)))
    assert other.post(spend("u", "card:1", 2, at=day(3))).amount == 2


class Rival(MemoryStore):
    """A store in which somebody else is faster a few times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def append_many(self, events: object, *, expected: object = None) -> tuple[Event, ...]:
        events = list(events)
        if self.times:
            self.times -= 1
            raise StoreConflict(events[0].stream, 0, 1)
        return super().append_many(events, expected=expected)


def test_a_faster_writer_is_met_by_deciding_again() -> None:
    books = Ledger(Rival(2))
    books.post(earn("a", "card:1", 10, at=day(1)))
    assert books.balance("card:1", as_of=day(1)).active == 10
    with pytest.raises(StoreConflict):
        Ledger(Rival(3)).post(earn("a", "card:1", 10, at=day(1)))


def test_a_transfer_keeps_age_and_expiry_and_moves_nothing_twice(store: EventStore) -> None:
    books = Ledger(store)
    books.post(earn("a", "card:1", 10, at=day(1), expires_at=day(9)))
    books.post(earn("b", "card:1", 10, at=day(2)))
    gift = transfer("gift", "card:1", 15, to="card:2", at=day(3))
    books.post(gift)
    books.post(gift)
    there = books.account("card:2")
    assert [(x.amount, x.earned_at, x.expires_at) for x in there.lots] == [(10, day(1), day(9)), (5, day(2), None)]
    total = books.balance("card:1", as_of=day(4)) + books.balance("card:2", as_of=day(4))
    assert total.active == 20
    assert [p.kind for p in books.postings("card:2")] == ["receive", "receive"]
    with pytest.raises(OutOfRange, match="post the transfer"):
        books.post(books.postings("card:2")[0].__class__.from_dict(
            {**books.postings("card:2")[0].to_dict(), "id": "forged"}))  # fmt: skip
    with pytest.raises(Overdraft):
        books.post(transfer("gift 2", "card:1", 6, to="card:3", at=day(4)))
    assert "card:3" not in books.accounts()


def test_snapshots_and_events_give_the_same_account(store: EventStore) -> None:
    books = Ledger(store)
    books.post_many([earn("a", "card:1", 10, at=day(1)), spend("s", "card:1", 4, at=day(2))])
    kept = books.snapshot("card:1")
    books.post(reverse("r", "card:1", of="s", at=day(3)))
    assert kept.version == 2
    again = Ledger(store)
    assert again.account("card:1") == books.account("card:1")
    assert again.post(spend("s", "card:1", 4, at=day(2))).id == "s"  # known, though its event was not read
    assert again.account("card:1", as_of=day(2)) == kept
    assert Ledger(MemoryStore()).snapshot("nobody").version == 0


def test_other_things_may_live_in_the_store(store: EventStore) -> None:
    store.append("customer:7", [Event(id="n1", type="note", time=day(1), data={"text": "hello"})])
    books = Ledger(store, prefix="points/")
    books.post(earn("a", "card:1", 10, at=day(1)))
    assert store.streams() == ("customer:7", "points/card:1")
    assert len(books.table()) == 1
    with pytest.raises(UnknownName, match="kind of posting"):
        posting_of(store.read("customer:7")[0])
    assert "MemoryStore" in repr(books) or "SqliteStore" in repr(books)


def test_explanations_and_statements_come_from_the_store(store: EventStore) -> None:
    books = Ledger(store)
    books.post_many([earn("a", "card:1", 10, at=day(1), expires_at=day(5)), spend("s", "card:1", 4, at=day(2))])
    assert str(books.explain("card:1", "s")).endswith("4 from 'a', earned 2026-05-01, expires 2026-05-05")
    assert [line.what for line in books.statement("card:1", as_of=day(6)).lines] == ["earn", "spend", "expired"]
    assert books.balance("card:1", as_of=day(1)).active == 10
    assert books.balance("nobody", as_of=day(1)).credited == 0


# --- limits


def test_a_limit_per_day_follows_the_wall_clock_of_its_zone() -> None:
    limit = Limit(kind="spend", at_most=100, per="day", zone="Asia/Bangkok")
    books = Ledger(MemoryStore(), limits=[limit])
    books.post(earn("a", "card:1", 500, at=day(1)))
    before_midnight = datetime(2026, 5, 2, 16, 59, tzinfo=UTC)
    books.post(spend("s", "card:1", 60, at=before_midnight))
    with pytest.raises(LimitExceeded) as found:
        books.post(spend("t", "card:1", 41, at=before_midnight))
    assert str(found.value) == (
        "spend on 'card:1': 60 used and 41 asked: expected at most 100 point per day.\n"
        "  hint: ask for at most 40 point, or wait for the next day"
    )
    books.post(spend("t", "card:1", 100, at=before_midnight + timedelta(minutes=1)))
    with pytest.raises(LimitExceeded):  # a ledger that starts anew counts what was written before
        Ledger(books.store, limits=[limit]).post(spend("u", "card:1", 1, at=before_midnight + timedelta(minutes=2)))


@pytest.mark.parametrize(("per", "next_at"), [("week", 4), ("month", 32), ("year", 246)])
def test_longer_periods_begin_anew(per: str, next_at: int) -> None:
    books = Ledger(MemoryStore(), limits=[Limit(kind="earn", at_most=10, per=per)])
    books.post(earn("a", "card:1", 10, at=day(1)))  # a Friday
    with pytest.raises(LimitExceeded):
        books.post(earn("b", "card:1", 1, at=day(next_at) - timedelta(seconds=1)))
    assert books.post(earn("b", "card:1", 10, at=day(next_at))).amount == 10


def test_a_total_or_a_posting_limit_has_no_clock_and_a_prefix_narrows_it() -> None:
    limits = [
        Limit(kind="earn", at_most=10, per=Per.POSTING),
        Limit(kind="earn", at_most=15, per=Per.TOTAL, accounts="card:"),
        Limit(kind="adjust", at_most=0, per="posting"),
    ]
    books = Ledger(MemoryStore(), limits=limits)
    books.post_many([earn("a", "card:1", 10, at=day(1)), earn("x", "desk:1", 10, at=day(1))])
    with pytest.raises(LimitExceeded, match="per posting"):
        books.post(earn("b", "desk:1", 11, at=day(2)))
    with pytest.raises(LimitExceeded, match="ask for at most 5 point"):
        books.post(earn("b", "card:1", 6, at=day(200)))
    books.post(earn("y", "desk:1", 10, at=day(2)))
    with pytest.raises(LimitExceeded):
        books.post(adjust("z", "card:1", -1, at=day(3), reason="error"))


def test_a_budget_is_an_account_and_large_sums_need_a_second_person() -> None:
    limit = Limit(kind="spend", at_most=Decimal("500"), unit="THB", per="posting", above="approval")
    books = Ledger(MemoryStore(), limits=[limit])
    fund = earn("fund", "budget:2026-05", Decimal("2000"), at=day(1), unit="THB", expires_at=day(32))
    books.post(fund)
    call = {"at": day(2), "unit": "THB", "actor": "agent:9", "reference": "case:4"}
    books.post(spend("v1", "budget:2026-05", Decimal("300"), **call))
    for approver in ("", "agent:9"):
        with pytest.raises(LimitExceeded, match="let a second person approve"):
            books.post(spend("v2", "budget:2026-05", Decimal("800"), approver=approver, **call))
    books.post(spend("v2", "budget:2026-05", Decimal("800"), approver="lead:1", **call))
    with pytest.raises(Overdraft, match=r"900\.00 active, 100\.00 missing"):
        books.post(spend("v3", "budget:2026-05", Decimal("1000"), approver="lead:1", **call))
    assert books.postings("budget:2026-05")[2].approver == "lead:1"


def test_committing_a_reservation_counts_as_spending() -> None:
    books = Ledger(MemoryStore(), limits=[Limit(kind="spend", at_most=50, per="day")])
    books.post_many([earn("a", "card:1", 100, at=day(1)), reserve("h", "card:1", 60, at=day(1))])
    with pytest.raises(LimitExceeded):
        books.post(commit("s", "card:1", of="h", at=day(1)))
    assert books.post(commit("s", "card:1", of="h", amount=50, at=day(1))).amount == 50


def test_limits_say_what_is_wrong_with_them() -> None:
    with pytest.raises(UnknownName, match="did you mean 'spend'"):
        Limit(kind="spent", at_most=1, per="day")
    with pytest.raises(UnknownName, match="did you mean 'month'"):
        Limit(kind="spend", at_most=1, per="months")
    with pytest.raises(UnknownName, match="time zone"):
        Limit(kind="spend", at_most=1, per="day", zone="Asia/Bangkok2")
    with pytest.raises(UnknownName, match="answer to a passed limit"):
        Limit(kind="spend", at_most=1, per="day", above="ask")
    with pytest.raises(OutOfRange, match="0 forbids"):
        Limit(kind="spend", at_most=-1, per="day")


# --- columns


FRAME = {
    "id": ["a", "b", "c", "d"],
    "account": ["card:1", "card:1", "card:2", "card:1"],
    "kind": ["earn", "spend", "earn", "claw back"],
    "at": [day(1), day(2), day(2), day(3)],
    "amount": [30, 10, 5, None],
    "of": [None, None, None, "a"],
    "if_spent": [None, None, None, "write off"],
    "expires_at": [day(9), None, None, None],
}


def test_a_frame_of_postings_becomes_balances_of_everybody() -> None:
    table = PostingTable.from_frame(FRAME)
    found = table.balances(as_of=day(2), expiring_before=day(30)).check()
    assert (found.active.tolist(), found.expiring.tolist()) == ([20, 5], [20, 0])
    assert str(found["card:1"]) == "card:1: 20 point active (10 spent) at 2026-05-02T00:00+00:00"
    assert table.balances(as_of=day(3)).reversed.tolist() == [20, 0]
    assert table[-1] == claw_back("d", "card:1", of="a", at=day(3), if_spent="write off")
    frame = found.to_frame()
    assert (frame["account"], frame["expiring"]) == (["card:1", "card:2"], [20, 0])
    assert repr(found).startswith("Balances(2 accounts, 25 point active")
    assert str(found).startswith("2 accounts: 25 point active")
    assert "25" in found._repr_html_()
    assert found.chart().rows[0]["value"] == 25
    assert "card:1" in table._repr_html_()
    assert len(found) == 2
    with pytest.raises(UnknownName, match="did you mean 'card:1'"):
        found["card:11"]


def test_bad_rows_are_all_named_at_once() -> None:
    frame = {**FRAME, "amount": [0, 1.5, None, 3], "kind": ["earn", "spend", "earn", "confirm"]}
    with pytest.raises(BadRows) as found:
        PostingTable.from_frame(frame)
    said = str(found.value)
    assert "not above 0 in 1 row [0]" in said
    assert "not a whole number in 1 row [1]" in said
    assert "missing in 1 row [2]" in said
    assert "an amount where the whole is settled in 1 row [3]" in said
    with pytest.raises(MissingColumn):
        PostingTable.from_frame({"id": ["a"]})
    with pytest.raises(BadRows, match="did you mean 'spend'"):
        PostingTable.from_frame({**FRAME, "kind": ["earn", "spnd", "earn", "spend"]})
    with pytest.raises(UnknownName, match="column of postings"):
        PostingTable.from_frame(FRAME, whenever="at")


def test_refused_rows_of_a_replay_are_named_by_account() -> None:
    frame = {**FRAME, "amount": [30, 31, 5, None]}
    with pytest.raises(BadRows, match=r"Overdraft: 'card:1' cannot spend 31 point .* in 1 row \[1\]"):
        PostingTable.from_frame(frame).balances(as_of=day(4))
    assert PostingTable.from_frame(frame).balances(as_of=day(1)).active.tolist() == [30, 0]


LIVES = [
    earn("a", "x", 5, at=day(1), expires_at=day(4)),
    earn("b", "x", 5, at=day(2), expires_at=day(20)),
    earn("c", "x", 5, at=day(2)),
]


@pytest.mark.parametrize(
    ("more", "active", "expired", "spent"),
    [
        ([spend("s", "x", 4, at=day(3))], 10, 1, 4),
        ([spend("s", "x", 4, at=day(3), order="last earned")], 6, 5, 4),
        ([spend("s", "x", 4, at=day(3), lots=["c"])], 6, 5, 4),
        ([spend("s", "x", 7, at=day(3)), reverse("r", "x", of="s", at=day(5))], 10, 5, 0),
        ([spend("s", "x", 7, at=day(3)), reverse("r", "x", of="s", at=day(5), amount=2)], 10, 0, 5),
        ([spend("s", "x", 7, at=day(3)), reverse("r", "x", of="s", at=day(5), if_expired="renew")], 15, 0, 0),
        ([spend("s", "x", 7, at=day(3)), spend("s", "x", 7, at=day(3))], 8, 0, 7),
        ([adjust("s", "x", -4, at=day(3), reason="count")], 10, 1, 0),
    ],
    ids=["plain", "order", "named", "refund", "part", "renewed", "repeated", "adjusted"],
)
def test_columns_heed_every_detail_of_a_posting(more: list[Posting], active: int, expired: int, spent: int) -> None:
    """Each detail changes a balance, so none may be lost where accounts are replayed all at once."""
    found = PostingTable.of([*LIVES, *more]).balances(as_of=day(9)).check()["x"]
    assert (found.active, found.expired, found.spent) == (active, expired, spent)
    slow = replay([*LIVES, *more], as_of=day(9)).balance(as_of=day(9))
    assert found == slow


def test_a_refund_of_what_another_account_spent_is_refused_in_columns() -> None:
    other = [
        earn("d", "y", 5, at=day(1)),
        spend("s", "y", 5, at=day(2)),
        reverse("q", "y", of="s", at=day(3), amount=1),
    ]
    table = PostingTable.of([*LIVES, *other, spend("t", "x", 5, at=day(2)), reverse("r", "x", of="s", at=day(3))])
    with pytest.raises(BadRows, match=r"UnknownName: .* in 1 row \[7\]"):
        table.balances(as_of=day(9))


def test_an_id_of_two_accounts_is_refused_by_row() -> None:
    """Stores refuse it too; on one account a repeated posting counts once."""
    frame = {**FRAME, "id": ["a", "b", "b", "d"]}
    with pytest.raises(BadRows, match=r"id: one id on several accounts in 2 rows \[1, 2\]") as caught:
        PostingTable.from_frame({**frame, "amount": [30, -1, 5, None]})
    assert "not above 0 in 1 row [1]" in str(caught.value)
    assert "hint: the kind says the direction" in str(caught.value)
    shared = [earn("a", "x", 1, at=day(1)), earn("b", "x", 1, at=day(1)), earn("a", "y", 2, at=day(9))]
    with pytest.raises(
        BadRows, match=r"one id on several accounts in 2 rows \[0, 2\]\.?\n  hint: an id names one posting"
    ):
        PostingTable.of(shared).balances(as_of=day(2))
    assert PostingTable.of([*shared[:2], shared[0]]).balances(as_of=day(2)).active.tolist() == [2]
    unnamed = {**FRAME, "id": ["a", None, None, "d"]}
    with pytest.raises(BadRows) as caught:
        PostingTable.from_frame(unnamed)
    assert "several accounts" not in str(caught.value)


def test_tables_refuse_what_does_not_fit() -> None:
    with pytest.raises(CurrencyMismatch):
        PostingTable.of([earn("a", "x", 1, at=day(1)), earn("b", "y", 1, at=day(1), unit="THB")])
    with pytest.raises(EmptyInput):
        PostingTable.of([])
    table = PostingTable.from_frame(FRAME)
    with pytest.raises(NaiveDatetime):
        table.balances(as_of=datetime(2026, 5, 1))
    with pytest.raises(OutOfRange, match="one cell per row"):
        PostingTable(
            account=[0], kind=[0], at=["2026-05-01"], amount=[1, 2], id=["a"], unit="point", accounts=table.accounts
        )
    for code in (-1, 2):
        with pytest.raises(OutOfRange, match=f"PostingTable.account = {code}: expected 0 to 1"):
            PostingTable(
                account=[0, code], kind=[0, 0], at=["2026-05-01"] * 2, amount=[1, 2], id=["a", "b"], unit="point",
                accounts=table.accounts,
            )  # fmt: skip
    late = PostingTable.of([earn("b", "x", 1, at=day(2)), earn("a", "x", 1, at=day(1))], ordered=True)
    with pytest.raises(BadRows, match="older than the posting before it"):
        late.balances(as_of=day(3))


def test_shards_refuse_an_account_in_both_and_other_instants() -> None:
    table = PostingTable.from_frame(FRAME)
    found = table.balances(as_of=day(2))
    with pytest.raises(OutOfRange, match="keep all postings of an account in one shard"):
        found + found
    with pytest.raises(OutOfRange, match="ask both for the same instant"):
        found + table.balances(as_of=day(1))
    other = PostingTable.of([earn("x", "card:9", 7, at=day(1), unit="THB")]).balances(as_of=day(2))
    with pytest.raises(CurrencyMismatch):
        found + other
    more = PostingTable.of([earn("x", "card:9", 7, at=day(1))]).balances(as_of=day(2))
    assert (found + more).active.tolist() == [20, 5, 7]


def test_tampered_balances_do_not_pass_the_check() -> None:
    import attrs

    found = PostingTable.from_frame(FRAME).balances(as_of=day(2))
    with pytest.raises(Unbalanced, match="'card:1': credited 30, buckets 31"):
        attrs.evolve(found, active=found.active + np.array([1, 0])).check()


def test_long_work_reports() -> None:
    seen: list[tuple[str, int, int]] = []
    PostingTable.from_frame(FRAME).balances(as_of=day(9), progress=lambda *a: seen.append(a))
    Ledger(MemoryStore()).post_many([earn("a", "x", 1, at=day(1))], progress=lambda *a: seen.append(a))
    assert seen == [("replay", 2, 2), ("post", 1, 1)]


def test_the_table_of_contents_holds_what_it_lists() -> None:
    assert all(hasattr(ledger_package, name) for name in ledger_package.__all__)
    assert isinstance(earn("a", "x", 1, at=day(1)), Posting)


def test_a_ledger_of_several_units_is_read_one_unit_at_a_time() -> None:
    books = Ledger(MemoryStore())
    books.post_many([earn("a", "card:1", 5, at=day(1)), earn("b", "coupons:1", 1, at=day(1), unit="coupon")])
    assert books.balances(as_of=day(2), unit="coupon").accounts.ids == ("coupons:1",)
    assert len(books.table(unit="point")) == 1
    with pytest.raises(CurrencyMismatch):
        books.balances(as_of=day(2))


def test_importing_the_engines_loads_no_heavy_library() -> None:
    import subprocess
    import sys

    code = "import sys, crmcore.ledger, crmcore.choice\nfrom crmcore.ledger import Ledger, PostingTable\n"
    code += "from crmcore.choice import allocate\n"
    code += "heavy = ('scipy', 'pandas', 'polars', 'narwhals', 'cattrs')\n"
    code += "print([m for m in sys.modules if m.split('.')[0] in heavy])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_limit_survives_json() -> None:
    from crmcore import documents

    limit = Limit(kind="spend", at_most=Decimal("5"), unit="THB", per="week", zone="Asia/Bangkok", above="approval")
    assert documents.loads(Limit, documents.dumps(limit)) == limit


def test_a_ledger_knows_its_postings_and_the_last_instant(store: EventStore) -> None:
    books = Ledger(store)
    assert not books.knows("card:1", "a")
    assert books.last_at("card:1") is None
    books.post_many([earn("a", "card:1", 10, at=day(1)), spend("b", "card:1", 4, at=day(2))])
    other = Ledger(store)  # another process
    other.post(spend("c", "card:1", 1, at=day(3)))
    assert books.knows("card:1", "c")
    assert not books.knows("card:2", "c")
    assert books.last_at("card:1") == day(3)
    assert [p.id for p in books.postings("card:1", after=1)] == ["b", "c"]
    assert books.postings("card:1", after=3) == ()
    with pytest.raises(TypeError, match="name the account"):
        books.knows(7, "a")  # type: ignore[arg-type]


def test_a_balance_makes_no_value_of_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    books = Ledger(MemoryStore())
    books.post_many([earn("a", "card:1", 10, at=day(1)), reserve("h", "card:1", 4, at=day(2), until=day(5))])
    late = books.balance("card:1", as_of=day(5))
    assert (late.active, late.reserved) == (10, 0)  # the hold has lapsed by itself: this needs a copy
    monkeypatch.setattr("crmcore.ledger.books.frozen", None)
    books.post(spend("s", "card:1", 1, at=day(3)))
    found = books.balance("card:1", as_of=day(4))
    assert (found.active, found.reserved, found.spent) == (5, 4, 1)
