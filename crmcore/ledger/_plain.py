"""Accounts that only take in and pay out, all at once: the k-th debit of every account is one pass over arrays.

A plain account earns, receives, spends, transfers and is adjusted, its lots paying in the order of their expiry.
Nothing refers back to an earlier posting, so its lots can be laid out beforehand, in the order of paying, and a debit
is a cumulated sum along them. What is not plain, or would be refused, is left to the replay posting by posting.
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
ACCOUNTS_AT_ONCE = 16_384  # bounds the memory of a pass

Integers = NDArray[np.int64]
_EARN, _RECEIVE, _ADJUST = RANK[Kind.EARN], RANK[Kind.RECEIVE], RANK[Kind.ADJUST]
_SPEND, _TRANSFER = RANK[Kind.SPEND], RANK[Kind.TRANSFER]
_MISSING = np.iinfo(np.int64).min  # of an instant


def draw(
    amount: Integers, expires: Integers, opens: Integers, place: Integers,
    need: Integers, at: Integers, after: Integers, /,
) -> tuple[Integers, NDArray[np.bool_]]:  # fmt: skip
    """What debits leave in the lots of many accounts.

    Parameters
    ----------
    amount, expires, opens, place : (a, m) amounts, instants, instants, positions
        Lots of each account in the order of paying; `place` is the position of the posting that credited the lot.
    need, at, after : (a, d) amounts, instants, positions
        Debits of each account in the order in which they apply, 0 where it has no more; most debits first.

    Returns
    -------
    (a, m) amounts, (a,) truths
        What is left in each lot; whether a debit found too little, which makes the row worthless.

    Examples
    --------
    >>> lots = np.array([[5, 9]])
    >>> never, always, place = np.full((1, 2), 99), np.zeros((1, 2), int), np.array([[0, 1]])
    >>> draw(lots, never, always, place, np.array([[7]]), np.array([[50]]), np.array([[2]]))
    (array([[0, 7]]), array([False]))
    """
    left = amount.copy()
    short = np.zeros(len(left), np.bool_)
    for k in range(need.shape[1]):
        n = np.count_nonzero(need[:, k])
        asked, now = need[:n, k, None], at[:n, k, None]
        able = (place[:n] < after[:n, k, None]) & (opens[:n] <= now) & (now < expires[:n])
        there = np.where(able, left[:n], 0)
        before = np.cumsum(there, axis=1) - there
        part = np.clip(asked - before, 0, there)
        left[:n] -= part
        short[:n] |= part.sum(axis=1) < need[:n, k]
    return left, short


def plain_balances(
    table: PostingTable, rows: NDArray[np.intp], repeated: NDArray[np.intp], /, *, end: int, soon: int | None
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
    left = np.where(postings.credit, postings.amount, 0)
    for who, lots, debits in _groups(postings, k):
        asked = np.where(debits >= 0, np.abs(postings.amount[debits]), 0)
        left[lots], short = draw(
            postings.amount[lots], postings.expires[lots], postings.opens[lots], lots,
            asked, postings.at[debits], debits,
        )  # fmt: skip
        plain[who[short]] = False
    out = _sums(postings, left, end, soon, k)
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
    awkward: NDArray[np.bool_]  # not of a plain account

    @property
    def credit(self) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = np.isin(self.kind, (_EARN, _RECEIVE)) | ((self.kind == _ADJUST) & (self.amount > 0))
        return found

    def take(self, places: NDArray[np.intp]) -> _Postings:
        if len(places) == len(self.at):
            return self
        return _Postings(*(getattr(self, f.name)[places] for f in attrs.fields(_Postings)))

    @classmethod
    def of(cls, table: PostingTable, rows: NDArray[np.intp]) -> _Postings:
        kind, amount = table.kind[rows], table.amount[rows]
        at = table.at.view(np.int64)[rows]
        earn = kind == _EARN
        opens = np.where(earn, _instants(table.available_at, rows, ALWAYS), ALWAYS)
        if table.needs_confirmation is not None:
            opens[earn & table.needs_confirmation[rows]] = NEVER
        awkward = ~np.isin(kind, (_EARN, _RECEIVE, _ADJUST, _SPEND, _TRANSFER))
        awkward |= np.where(kind == _ADJUST, (amount == 0) | (amount == NO_AMOUNT), amount <= 0)
        if table.order is not None:
            awkward |= table.order[rows] != 0
        if table.lots:
            awkward |= np.isin(rows, list(table.lots))
        expires = _instants(table.expires_at, rows, NEVER)
        return cls(table.account[rows], kind, at, amount, opens, expires, awkward)


def _instants(column: NDArray[np.datetime64] | None, rows: NDArray[np.intp], missing: int) -> Integers:
    if column is None:
        return np.full(len(rows), missing, np.int64)
    micros = column.view(np.int64)[rows]
    micros[micros == _MISSING] = missing
    return micros


def _plain(table: PostingTable, postings: _Postings, repeated: NDArray[np.intp], k: int) -> NDArray[np.bool_]:
    account, credit = postings.account, postings.credit
    lots = np.bincount(account[credit], minlength=k)
    debits = np.bincount(account[~credit], minlength=k)
    plain: NDArray[np.bool_] = np.bincount(account[postings.awkward], minlength=k) == 0
    plain &= (debits == 0) | ((lots <= MOST_LOTS) & (debits <= MOST_DEBITS))
    # Sums stay within 64 bits.
    plain &= np.bincount(account, np.abs(postings.amount.astype(np.float64)), minlength=k) < 2.0**62
    plain[repeated] = False
    return plain


def _groups(postings: _Postings, k: int) -> Iterator[tuple[NDArray[np.intp], Any, Any]]:
    """Accounts with equally many lots: who, their lots in the order of paying, their debits (-1 for none)."""
    credit = postings.credit
    lots, debits = np.flatnonzero(credit), np.flatnonzero(~credit)
    n_lots = np.bincount(postings.account[lots], minlength=k)
    n_debits = np.bincount(postings.account[debits], minlength=k)
    first_lot, first_debit = np.cumsum(n_lots) - n_lots, np.cumsum(n_debits) - n_debits
    who = np.flatnonzero(n_debits)
    who = who[np.lexsort((-n_debits[who], n_lots[who]))]
    new = np.flatnonzero(np.diff(n_lots[who])) + 1
    for group in np.split(who, new) if len(who) else []:
        for i in range(0, len(group), ACCOUNTS_AT_ONCE):
            some = group[i : i + ACCOUNTS_AT_ONCE]
            mine = lots[first_lot[some, None] + np.arange(n_lots[some[0]])]
            # Lots of one expiry share their fate once they are open, so which of them pays changes no balance.
            mine = np.take_along_axis(mine, np.argsort(postings.expires[mine], axis=1), axis=1)
            step = np.arange(n_debits[some[0]])
            there = step < n_debits[some, None]
            yield some, mine, np.where(there, debits[np.where(there, first_debit[some, None] + step, 0)], -1)


def _sums(postings: _Postings, left: Integers, end: int, soon: int | None, k: int) -> Integers:
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
    add("transferred", kind == _TRANSFER, postings.amount)
    add("reversed", (kind == _ADJUST) & ~credit, -postings.amount)
    if soon is not None:
        add("expiring", credit & ~expired & (postings.expires < soon), left)
    return out
