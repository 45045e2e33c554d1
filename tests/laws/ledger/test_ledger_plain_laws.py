"""Laws of the replay of plain accounts all at once: it equals the replay posting by posting, refusals included."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.errors import BadRows
from crmcore.ledger import Kind, PostingTable, Unit
from crmcore.ledger._plain import ALL, COLUMNS, draw, plain_balances
from crmcore.ledger._replay import _bad_rows, _fold, _repeated, _sorted_rows
from crmcore.tables import CustomerIndex
from crmcore.tables._door import NO_AMOUNT

START = np.datetime64("2026-05-01", "us")
HOUR = np.timedelta64(1, "h")
KINDS = tuple(Kind)
ACCOUNTS = CustomerIndex(("a", "b", "c", "d"))
PLAIN = (Kind.EARN, Kind.EARN, Kind.EARN, Kind.SPEND, Kind.SPEND, Kind.TRANSFER, Kind.RECEIVE, Kind.ADJUST)
REFUNDS = (*PLAIN, Kind.REVERSE, Kind.REVERSE)
REST = (Kind.RESERVE, Kind.REVERSE, Kind.CLAW_BACK, Kind.COMMIT, Kind.CONFIRM, Kind.CANCEL)
hours = st.integers(0, 9)
maybe = st.none() | hours


def row(
    kinds: tuple[Kind, ...],
    *,
    orders: tuple[int, ...] = (0,),
    named: tuple[bool, ...] = (False,),
    policies: tuple[int, ...] = (0,),
) -> st.SearchStrategy[dict]:
    """One posting as drawn."""
    return st.fixed_dictionaries(
        {
            "kind": st.sampled_from(kinds), "who": st.integers(0, 3), "at": hours, "amount": st.integers(1, 4),
            "life": maybe, "opens": st.sampled_from([None, None, 2]), "age": maybe, "down": st.booleans(),
            "waits": st.sampled_from([False] * 5 + [True]), "of": st.integers(0, 30),
            "order": st.sampled_from(orders), "named": st.sampled_from(named),
            "policy": st.sampled_from(policies),
        }
    )  # fmt: skip


plain_row = row(PLAIN)
refund_row = row(REFUNDS)
odd_row = row(PLAIN, orders=(0, 0, 1, 2), named=(False, False, True))
renewing_row = row(REFUNDS, policies=(0, 1, 1, 2))
any_row = row(PLAIN + REST)
opening = [
    {"kind": Kind.EARN, "who": who, "at": 0, "amount": 2, "life": life, "opens": None, "age": None, "down": False,
     "waits": False, "of": 0, "order": 0, "named": False, "policy": 0}
    for who in range(4) for life in (None, 9, 4)
]  # fmt: skip
rows = st.one_of(
    *(
        st.lists(plain_row | plain_row | r, min_size=8, max_size=30)
        for r in (plain_row, refund_row, odd_row, renewing_row, any_row)
    )
)


def _ignore(done: int) -> None:
    """No progress."""


def _amount(row: dict) -> int:
    """Credits are three times as large as debits, so that many debits find enough."""
    if row["kind"] is Kind.ADJUST:
        return -row["amount"] if row["down"] else row["amount"]
    if row["kind"] is Kind.REVERSE and row["down"]:
        return NO_AMOUNT
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
    spends: dict[int, list[str]] = {}
    for r, id in zip(rows, ids, strict=True):
        if r["kind"] is Kind.SPEND:
            spends.setdefault(r["who"], []).append(id)
    of = [
        mine[r["of"] % len(mine)]
        if r["kind"] is Kind.REVERSE and (mine := spends.get((r["who"] + (r["of"] == 7)) % 4))
        else ids[r["of"] % len(ids)]
        for r in rows
    ]
    return PostingTable(
        account=[r["who"] for r in rows], kind=[KINDS.index(r["kind"]) for r in rows], id=ids, unit=Unit("point"),
        at=[START + r["at"] * HOUR for r in rows], accounts=ACCOUNTS,
        amount=[_amount(r) for r in rows],
        of_id=of, if_expired=[r["policy"] for r in rows], order=[r["order"] for r in rows],
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


@given(st.lists(plain_row | refund_row, min_size=1, max_size=40))
def test_plain_accounts_that_can_pay_are_taken_all_at_once(rows: list[dict]) -> None:
    table = table_of(rows, repeat=False, ordered=True)
    end = int((START + 99 * HOUR).astype(np.int64))
    places = _sorted_rows(table, end)
    refused: list = []
    _fold(table, places, end, None, np.zeros((len(ACCOUNTS), len(COLUMNS)), np.int64), refused, _ignore)
    _, plain = plain_balances(table, places, _repeated(table), end=end, soon=None)
    assert np.flatnonzero(~plain).tolist() == sorted(int(table.account[row]) for row, _ in refused)


lots_of_all = st.lists(st.tuples(st.integers(2, 9), st.integers(0, 2), st.integers(4, 12)), min_size=2, max_size=5)
steps_of_all = st.lists(st.tuples(st.integers(1, 6), hours, st.integers(0, 3), st.booleans()), min_size=2, max_size=8)


@given(lots_of_all, steps_of_all)
def test_a_debit_takes_from_lot_after_lot_and_a_refund_gives_back_in_reverse(
    lots: list[tuple[int, int, int]], steps: list[tuple[int, int, int, bool]]
) -> None:
    """The kernel, next to the loop that it stands for."""
    steps = sorted(steps, key=lambda s: s[1])
    undoes: list[int] = []
    for k, (_, _, back, _) in enumerate(steps):  # 0: a debit, else a refund of so many steps ago
        undoes.append(k - back if back and k >= back and undoes[k - back] < 0 else -1)
    asked = [ALL if u >= 0 and s[3] else s[0] for u, s in zip(undoes, steps, strict=True)]
    amount, opens, expires = (np.array([[lot[i] for lot in lots]], np.int64) for i in range(3))
    need, at = np.array([asked], np.int64), np.array([[s[1] for s in steps]], np.int64)
    left, moved, short = draw(
        amount, expires, opens, np.zeros_like(amount), need, at, np.ones_like(need), np.array([undoes])
    )
    slow, missing = [lot[0] for lot in lots], False
    paid = [[0] * len(lots) for _ in steps]
    for k, (undone, n) in enumerate(zip(undoes, asked, strict=True)):
        if undone >= 0:
            n = sum(paid[undone]) if n == ALL else n
            missing |= not n
            assert short[0] or moved[0, k] == n
        for i in reversed(range(len(lots))) if undone >= 0 else range(len(lots)):
            _, start, stop = lots[i]
            there = paid[undone][i] if undone >= 0 else slow[i] if start <= steps[k][1] < stop else 0
            part = min(there, n)
            n -= part
            slow[i] += part if undone >= 0 else -part
            paid[undone if undone >= 0 else k][i] += -part if undone >= 0 else part
        missing |= n > 0
    assert short[0] == missing
    assert missing or left[0].tolist() == slow
