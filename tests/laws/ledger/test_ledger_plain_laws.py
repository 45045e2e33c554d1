"""Laws of the replay of plain accounts all at once: it equals the replay posting by posting, refusals included."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.errors import BadRows
from crmcore.ledger import Kind, PostingTable, Unit
from crmcore.ledger._plain import COLUMNS, draw, plain_balances
from crmcore.ledger._replay import _bad_rows, _fold, _repeated, _sorted_rows
from crmcore.tables import CustomerIndex

START = np.datetime64("2026-05-01", "us")
HOUR = np.timedelta64(1, "h")
KINDS = tuple(Kind)
ACCOUNTS = CustomerIndex(("a", "b", "c", "d"))
PLAIN = (Kind.EARN, Kind.EARN, Kind.EARN, Kind.SPEND, Kind.SPEND, Kind.TRANSFER, Kind.RECEIVE, Kind.ADJUST)
REST = (Kind.RESERVE, Kind.REVERSE, Kind.CLAW_BACK, Kind.COMMIT, Kind.CONFIRM, Kind.CANCEL)
hours = st.integers(0, 9)
maybe = st.none() | hours


def row(kinds: tuple[Kind, ...], orders: list[int], named: list[bool]) -> st.SearchStrategy[dict]:
    """One posting as drawn."""
    return st.fixed_dictionaries(
        {
            "kind": st.sampled_from(kinds), "who": st.integers(0, 3), "at": hours, "amount": st.integers(1, 4),
            "life": maybe, "opens": st.sampled_from([None, None, 2]), "age": maybe, "down": st.booleans(),
            "waits": st.sampled_from([False] * 5 + [True]), "of": st.integers(0, 30),
            "order": st.sampled_from(orders), "named": st.sampled_from(named),
        }
    )  # fmt: skip


plain_row = row(PLAIN, [0], [False])
odd_row = row(PLAIN, [0, 1, 2], [False, False, True])
any_row = row(PLAIN + REST, [0], [False])
opening = [
    {"kind": Kind.EARN, "who": who, "at": 0, "amount": 2, "life": life, "opens": None, "age": None, "down": False,
     "waits": False, "of": 0, "order": 0, "named": False}
    for who in range(4) for life in (None, 9, 4)
]  # fmt: skip
rows = st.one_of(*(st.lists(plain_row | plain_row | r, min_size=8, max_size=30) for r in (plain_row, odd_row, any_row)))


def _ignore(done: int) -> None:
    """No progress."""


def _amount(row: dict) -> int:
    """Credits are three times as large as debits, so that many debits find enough."""
    if row["kind"] is Kind.ADJUST:
        return -row["amount"] if row["down"] else row["amount"]
    return row["amount"] * (3 if row["kind"] in (Kind.EARN, Kind.RECEIVE) else 1)


def _dates(rows: list[dict], name: str) -> list[np.datetime64]:
    """Hours after the row's own instant; backwards for an age."""
    sign = -1 if name == "age" else 1
    return [
        np.datetime64("NaT") if r[name] is None else START + (r["at"] + sign * (r[name] + (name == "life"))) * HOUR
        for r in rows
    ]


def table_of(rows: list[dict], *, repeat: bool, ordered: bool) -> PostingTable:
    """Three lots an account, then postings as drawn, of which some are refused; ids do not sort by age."""
    rows = [*opening, *rows]
    if ordered:
        rows = sorted(rows, key=lambda r: r["at"])
    ids = [f"{n * 7 % 10}:{n}" for n in range(len(rows))]
    if repeat:
        rows, ids = [*rows, rows[0]], [*ids, ids[0]]
    return PostingTable(
        account=[r["who"] for r in rows], kind=[KINDS.index(r["kind"]) for r in rows], id=ids, unit=Unit("point"),
        at=[START + r["at"] * HOUR for r in rows], accounts=ACCOUNTS,
        amount=[_amount(r) for r in rows],
        of_id=[ids[r["of"] % len(ids)] for r in rows], order=[r["order"] for r in rows],
        expires_at=_dates(rows, "life"), available_at=_dates(rows, "opens"), earned_at=_dates(rows, "age"),
        needs_confirmation=[r["waits"] for r in rows], if_spent=[1] * len(rows),
        lots={i: (ids[r["who"] * 3 + r["of"] % 3],) for i, r in enumerate(rows) if r["named"]},
        sequence=np.arange(len(rows)) if ordered and not repeat else None,
    )  # fmt: skip


@given(rows, st.booleans(), st.booleans(), st.integers(-1, 22))
def test_all_at_once_equals_one_posting_after_the_other(
    rows: list[dict], repeat: bool, ordered: bool, hour: int
) -> None:
    table = table_of(rows, repeat=repeat, ordered=ordered)
    end = int((START + hour * HOUR).astype(np.int64))
    soon = end + 5 * 3_600_000_000
    at = datetime(2026, 5, 1, tzinfo=UTC) + timedelta(hours=hour)
    places = _sorted_rows(table, end)
    slow = np.zeros((len(ACCOUNTS), len(COLUMNS)), np.int64)
    refused: list = []
    _fold(table, places, end, soon, slow, refused, _ignore)

    found, plain = plain_balances(table, places, _repeated(table), end=end, soon=soon)
    wrong = set(table.account[[row for row, _ in refused]].tolist())
    assert not wrong & set(np.flatnonzero(plain).tolist())
    assert (found[plain] == slow[plain]).all()
    assert not found[~plain].any()
    if refused:
        with pytest.raises(BadRows) as caught:
            table.balances(as_of=at)
        assert str(caught.value) == str(_bad_rows(table, refused))
        return
    whole = table.balances(as_of=at, expiring_before=at + timedelta(hours=5)).check()
    assert np.array_equal(np.stack([getattr(whole, name) for name in COLUMNS], axis=1), slow)


@given(st.lists(plain_row, min_size=1, max_size=40))
def test_plain_accounts_that_can_pay_are_taken_all_at_once(rows: list[dict]) -> None:
    table = table_of(rows, repeat=False, ordered=True)
    end = int((START + 99 * HOUR).astype(np.int64))
    places = _sorted_rows(table, end)
    refused: list = []
    _fold(table, places, end, None, np.zeros((len(ACCOUNTS), len(COLUMNS)), np.int64), refused, _ignore)
    _, plain = plain_balances(table, places, _repeated(table), end=end, soon=None)
    assert np.flatnonzero(~plain).tolist() == sorted(int(table.account[row]) for row, _ in refused)


@given(st.lists(st.tuples(st.integers(0, 9), hours, hours), max_size=6), st.lists(st.tuples(st.integers(1, 9), hours)))
def test_a_debit_takes_from_lot_after_lot(lots: list[tuple[int, int, int]], debits: list[tuple[int, int]]) -> None:
    """The kernel, next to the loop that it stands for."""
    debits = sorted(debits, key=lambda d: d[1])
    amount, opens, expires = (np.array([[lot[i] for lot in lots]], np.int64) for i in range(3))
    need, at = (np.array([[d[i] for d in debits]], np.int64) for i in range(2))
    place = np.zeros_like(amount)
    left, short = draw(amount, expires, opens, place, need, at, np.ones_like(need))
    slow, missing = amount[0].tolist(), False
    for asked, now in debits:
        for i, (_, start, stop) in enumerate(lots):
            part = min(slow[i], asked) if start <= now < stop else 0
            slow[i] -= part
            asked -= part
        missing |= asked > 0
    assert (left[0].tolist(), short[0]) == (slow, missing)
