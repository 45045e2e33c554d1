"""Accounts that only take in, pay out and refund, all at once: the k-th debit of all is one pass over arrays.

A plain account earns, receives, spends, refunds, transfers and is adjusted, its lots paying in the order of their
expiry. Every lot comes from a credit, so the lots can be laid out beforehand, in the order of paying; a debit
is then a cumulated sum along them, a refund one along what the debit took, backwards. What is not plain, or would be
refused, is left to the replay posting by posting.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.ledger._lots import ALWAYS, NEVER
from crmcore.ledger.balances import BUCKETS
from crmcore.ledger.postings import RANK, Kind
from crmcore.tables._door import NO_AMOUNT

if TYPE_CHECKING:
    from crmcore.ledger.columns import PostingTable

__all__ = ["COLUMNS", "draw", "plain_balances"]

COLUMNS = (*BUCKETS, "debt", "credited", "expiring")
"""What the replay fills in for each account."""

MOST_LOTS = MOST_DEBITS = 64  # beyond, one account alone is folded as fast
CELLS_AT_ONCE = 1 << 20  # lots times debits: bounds the memory of a pass
ALL = NEVER  # of a refund

Integers = NDArray[np.int64]
_EARN, _RECEIVE, _ADJUST = RANK[Kind.EARN], RANK[Kind.RECEIVE], RANK[Kind.ADJUST]
_SPEND, _TRANSFER, _REVERSE = RANK[Kind.SPEND], RANK[Kind.TRANSFER], RANK[Kind.REVERSE]
_MISSING = np.iinfo(np.int64).min  # of an instant


def draw(
    amount: Integers, expires: Integers, opens: Integers, place: Integers,
    need: Integers, at: Integers, after: Integers, undoes: Integers, /,
) -> tuple[Integers, Integers, NDArray[np.bool_]]:  # fmt: skip
    """What debits, and refunds of debits, leave in the lots of many accounts.

    Parameters
    ----------
    amount, expires, opens, place : (a, m) amounts, instants, instants, positions
        Lots of each account in the order of paying; `place` is the position of the posting that credited the lot.
    need, at, after, undoes : (a, d) amounts, instants, positions, steps
        Debits and refunds of each account in the order in which they apply. `need` is 0 where an account has no more
        (accounts with most come first), `ALL` for a refund of all that is left; `undoes` is the step whose debit is
        refunded (a later one has paid nothing yet), -1 for a debit.

    Returns
    -------
    (a, m) amounts, (a, d) amounts, (a,) truths
        What is left in each lot; what each step moved; whether a step found too little, which makes the row worthless.

    Examples
    --------
    Two lots, 7 spent, 4 of them refunded: the lot that paid last gets back first.

    >>> lots, never, always, place = np.array([[5, 9]]), np.full((1, 2), 99), np.zeros((1, 2), int), np.array([[0, 1]])
    >>> need, at, after, undoes = (np.array([pair]) for pair in ((7, 4), (50, 51), (2, 3), (-1, 0)))
    >>> draw(lots, never, always, place, need, at, after, undoes)
    (array([[2, 9]]), array([[7, 4]]), array([False]))
    """
    left, moved = amount.copy(), need.copy()
    short = np.zeros(len(left), np.bool_)
    refunds = undoes >= 0
    paid = np.zeros((*need.shape, left.shape[1]), np.int64) if refunds.any() else None
    for k in range(need.shape[1]):
        n = np.count_nonzero(need[:, k])
        asked, now = np.where(refunds[:n, k], 0, need[:n, k])[:, None], at[:n, k, None]
        able = (place[:n] < after[:n, k, None]) & (opens[:n] <= now) & (now < expires[:n])
        there = np.where(able, left[:n], 0)
        before = np.cumsum(there, axis=1) - there
        part = np.clip(asked - before, 0, there)
        left[:n] -= part
        short[:n] |= part.sum(axis=1) < asked[:, 0]
        if paid is None:
            continue
        paid[:n, k] = part
        who = np.flatnonzero(refunds[:n, k])
        there = paid[who, undoes[who, k]]
        total = there.sum(axis=1)
        asked = np.where(need[who, k] == ALL, total, need[who, k])
        behind = np.cumsum(there[:, ::-1], axis=1)[:, ::-1] - there
        part = np.clip(asked[:, None] - behind, 0, there)
        left[who] += part
        paid[who, undoes[who, k]] -= part
        moved[who, k] = asked
        short[who] |= (asked > total) | (asked == 0)
    return left, moved, short


def plain_balances(
    table: PostingTable, rows: NDArray[np.intp], repeated: NDArray[np.int32], /, *, end: int, soon: int | None
) -> tuple[Integers, NDArray[np.bool_]]:
    """Balances of the plain accounts of a table.

    Parameters
    ----------
    table : PostingTable
        Postings.
    rows : (n,) positions
        Those that count, by account and in the order in which they apply.
    repeated : codes
        Accounts in which a posting stands twice.
    end, soon : microseconds since 1970
        Instant of the balances; before which `expiring` looks, None for not at all.

    Returns
    -------
    (k, len(COLUMNS)) amounts, (k,) truths
        Balances; which accounts they are right for. Accounts without postings have nothing, and are among them.
    """
    k = len(table.accounts)
    postings = _Postings.of(table, rows)
    plain = _plain(table, postings, repeated, k)
    postings = postings.take(np.flatnonzero(plain[postings.account]))
    left, moved = np.where(postings.credit, postings.amount, 0), postings.asked
    for who, lots, debits, undoes in _groups(postings, k):
        asked = np.where(debits >= 0, postings.asked[debits], 0)
        left[lots], found, short = draw(
            postings.amount[lots], postings.expires[lots], postings.opens[lots], lots,
            asked, postings.at[debits], debits, undoes,
        )  # fmt: skip
        moved[debits[asked > 0]] = found[asked > 0]
        plain[who[short]] = False
    out = _sums(postings, left, moved, end, soon, k)
    out[~plain] = 0
    return out, plain


@attrs.frozen(eq=False)
class _Postings:
    """Sorted postings, with the dates that each gives to its lot."""

    account: NDArray[np.int32]
    kind: NDArray[np.int8]
    at: Integers
    amount: Integers
    opens: Integers
    expires: Integers
    undoes: NDArray[np.intp]  # position of the spending that a refund is about, -1 for others
    awkward: NDArray[np.bool_]  # not of a plain account

    @property
    def credit(self) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = np.isin(self.kind, (_EARN, _RECEIVE)) | ((self.kind == _ADJUST) & (self.amount > 0))
        return found

    @property
    def asked(self) -> Integers:
        return np.where(self.amount == NO_AMOUNT, ALL, np.abs(self.amount))

    def take(self, places: NDArray[np.intp]) -> _Postings:
        if len(places) == len(self.at):
            return self
        kept = {f.name: getattr(self, f.name)[places] for f in attrs.fields(_Postings)}
        now = np.full(len(self.at) + 1, -1)
        now[places] = np.arange(len(places))
        return _Postings(**kept | {"undoes": now[kept["undoes"]]})

    @classmethod
    def of(cls, table: PostingTable, rows: NDArray[np.intp]) -> _Postings:
        kind, amount = table.kind[rows], table.amount[rows]
        at = table.at.view(np.int64)[rows]
        earn = kind == _EARN
        opens = np.where(earn, _instants(table.available_at, rows, ALWAYS), ALWAYS)
        if table.needs_confirmation is not None:
            opens[earn & table.needs_confirmation[rows]] = NEVER
        account, undoes = table.account[rows], _undone(table, rows)
        awkward = ~np.isin(kind, (_EARN, _RECEIVE, _ADJUST, _SPEND, _TRANSFER, _REVERSE))
        awkward |= np.where(kind == _ADJUST, amount == 0, amount <= 0) & ((kind != _REVERSE) | (amount != NO_AMOUNT))
        awkward |= (kind == _ADJUST) & (amount == NO_AMOUNT)
        awkward |= (kind == _REVERSE) & (undoes < 0)
        if table.if_expired is not None:
            awkward |= table.if_expired[rows] != 0
        if table.order is not None:
            awkward |= table.order[rows] != 0
        if table.lots:
            awkward |= np.isin(rows, list(table.lots))
        expires = _instants(table.expires_at, rows, NEVER)
        return cls(account, kind, at, amount, opens, expires, undoes, awkward)


def _undone(table: PostingTable, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Position of the spending of the same account that a refund is about; -1 where there is none."""
    kind, account = table.kind[rows], table.account[rows]
    undone = np.full(len(rows), -1, np.intp)
    refunds = np.flatnonzero(kind == _REVERSE)
    if not len(refunds) or table.of_id is None:
        return undone
    spends = np.flatnonzero((kind == _SPEND) & np.isin(account, account[refunds]))
    place = dict(zip(table.id[rows[spends]].tolist(), spends.tolist(), strict=True))
    found = np.array([place.get(of, -1) for of in table.of_id[rows[refunds]].tolist()], np.intp)
    known = (found >= 0) & (account[found] == account[refunds])
    undone[refunds[known]] = found[known]
    return undone


def _instants(column: NDArray[np.datetime64] | None, rows: NDArray[np.intp], missing: int) -> Integers:
    if column is None:
        return np.full(len(rows), missing, np.int64)
    micros = column.view(np.int64)[rows]
    micros[micros == _MISSING] = missing
    return micros


def _plain(table: PostingTable, postings: _Postings, repeated: NDArray[np.int32], k: int) -> NDArray[np.bool_]:
    account, credit = postings.account, postings.credit
    lots = np.bincount(account[credit], minlength=k)
    debits = np.bincount(account[~credit], minlength=k)
    plain: NDArray[np.bool_] = np.bincount(account[postings.awkward], minlength=k) == 0
    plain &= (debits == 0) | ((lots <= MOST_LOTS) & (debits <= MOST_DEBITS))
    # Sums stay within 64 bits.
    sizes = np.where(postings.amount == NO_AMOUNT, 0.0, np.abs(postings.amount.astype(np.float64)))
    plain &= np.bincount(account, sizes, minlength=k) < 2.0**62
    plain[repeated] = False
    return plain


def _groups(postings: _Postings, k: int) -> Iterator[tuple[NDArray[np.intp], Any, Any, Any]]:
    """Accounts with equally many lots: who, lots in the order of paying, debits (-1 for none), what these undo."""
    credit = postings.credit
    lots, debits = np.flatnonzero(credit), np.flatnonzero(~credit)
    n_lots = np.bincount(postings.account[lots], minlength=k)
    n_debits = np.bincount(postings.account[debits], minlength=k)
    first_lot, first_debit = np.cumsum(n_lots) - n_lots, np.cumsum(n_debits) - n_debits
    step = np.cumsum(~credit) - 1 - first_debit[postings.account]
    undoes = np.where(postings.undoes < 0, -1, step[postings.undoes])
    who = np.flatnonzero(n_debits)
    who = who[np.lexsort((-n_debits[who], n_lots[who]))]
    new = np.flatnonzero(np.diff(n_lots[who])) + 1
    for group in np.split(who, new) if len(who) else []:
        at_once = max(CELLS_AT_ONCE // int(n_debits[group[0]] * max(n_lots[group[0]], 1)), 1)
        for i in range(0, len(group), at_once):
            some = group[i : i + at_once]
            mine = lots[first_lot[some, None] + np.arange(int(n_lots[some[0]]))]
            # Lots of one expiry share their fate once they are open, so which of them pays changes no balance.
            mine = np.take_along_axis(mine, np.argsort(postings.expires[mine], axis=1), axis=1)
            nth = np.arange(int(n_debits[some[0]]))
            there = nth < n_debits[some, None]
            theirs = debits[np.where(there, first_debit[some, None] + nth, 0)]
            yield some, mine, np.where(there, theirs, -1), np.where(there, undoes[theirs], -1)


def _sums(postings: _Postings, left: Integers, moved: Integers, end: int, soon: int | None, k: int) -> Integers:
    out = np.zeros((k, len(COLUMNS)), np.int64)
    credit, kind, expired = postings.credit, postings.kind, postings.expires <= end
    pending = ~expired & (postings.opens > end)

    def add(name: str, which: NDArray[np.bool_], amount: Integers) -> None:
        np.add.at(out[:, COLUMNS.index(name)], postings.account[which], amount[which])

    add("credited", credit, postings.amount)
    add("expired", credit & expired, left)
    add("pending", credit & pending, left)
    add("active", credit & ~expired & ~pending, left)
    add("spent", kind == _SPEND, postings.amount)
    add("spent", kind == _REVERSE, -moved)
    add("transferred", kind == _TRANSFER, postings.amount)
    add("reversed", (kind == _ADJUST) & ~credit, -postings.amount)
    if soon is not None:
        add("expiring", credit & ~expired & (postings.expires < soon), left)
    return out
