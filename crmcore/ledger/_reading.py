"""A frame of postings becomes columns: which there are, and what is checked at the door."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from crmcore._frames import Frame
from crmcore.errors import CurrencyMismatch, UnknownName
from crmcore.ledger.postings import RANK, IfExpired, IfSpent, Kind, SpendOrder
from crmcore.ledger.units import Unit, unit_of
from crmcore.tables import CustomerIndex
from crmcore.tables._door import NO_AMOUNT, Door

__all__ = [
    "COLUMNS", "KINDS", "SHARED_ID", "SHARED_ID_HINT", "TEXTS", "TIMES", "WORDS", "field", "read_columns",
    "repeated_ids",
]  # fmt: skip

KINDS = tuple(Kind)
"""Kind of each code of the column `kind`."""

WORDS: Mapping[str, tuple[Any, ...]] = {
    "order": tuple(SpendOrder),
    "if_expired": tuple(IfExpired),
    "if_spent": tuple(IfSpent),
}
TIMES = ("expires_at", "available_at", "earned_at", "until")
TEXTS = ("of_id", "other", "actor", "reason", "reference", "approver")
COLUMNS = ("account", "kind", "at", "amount", "id", *TEXTS, *TIMES, *WORDS, "needs_confirmation")
_KIND_NAMES = frozenset(k.value for k in KINDS)


def field(column: str) -> str:
    """Field of `Posting` that a column holds; `of` makes tables."""
    return "of" if column == "of_id" else column


def read_columns(
    frame: Frame,
    *,
    unit: Unit | str | None,
    accounts: CustomerIndex | None,
    zone: str | ZoneInfo | None,
    names: Mapping[str, str],
) -> dict[str, Any]:
    """Columns of a `PostingTable`, by its attributes; see `PostingTable.from_frame`."""
    known = tuple(field(c) for c in COLUMNS)
    strange = [name for name in names if name not in known]
    if strange:
        raise UnknownName("column of postings", strange[0], known)
    name = {c: names.get(field(c), field(c)) for c in COLUMNS}
    door = Door(frame, "PostingTable", zone=zone)
    code, index = door.customers(name["account"], accounts)
    door.required(name["account"], code < 0, "every posting names its account")
    ids, kinds = door.text(name["id"]), door.words(name["kind"], "", [k.value for k in KINDS])
    door.required(name["id"], ids.codes < 0, "every posting has an id: make one from what caused it")
    door.required(name["kind"], kinds.codes < 0, "name the kind of each posting")
    rank = np.array([RANK[Kind(v)] if v in _KIND_NAMES else 0 for v in (*kinds.values, "earn")], np.int8)
    kind = rank[kinds.codes]
    amount = door.whole(name["amount"])
    _check_amounts(door, name["amount"], kind, amount)
    rest: dict[str, Any] = {}
    for c in TIMES:
        if door.has(name[c], field(c)):
            rest[c] = door.times(name[c], required=False)
    for c in TEXTS:
        if door.has(name[c], field(c)):
            rest[c] = [t or "" for t in door.text(name[c]).to_list()]
    for c, words in WORDS.items():
        if door.has(name[c], field(c)):
            column = door.words(name[c], field(c), [w.value for w in words])
            to = np.array([words.index(v) if v in words else 0 for v in (*column.values, words[0])], np.int8)
            rest[c] = to[column.codes]
    if door.has(name["needs_confirmation"], "needs_confirmation"):
        rest["needs_confirmation"] = door.text(name["needs_confirmation"]).equals("true")
    at = door.times(name["at"], required=True)
    named = np.flatnonzero((ids.codes >= 0) & (code >= 0))
    _, shared = repeated_ids(ids.codes[named].tolist(), code[named])
    door.problem(name["id"], SHARED_ID, named[shared], SHARED_ID_HINT)
    rest["unit"] = _unit(door, None if unit is None else unit_of(unit))
    door.close()
    rest |= {"account": code, "kind": kind, "at": at, "amount": amount, "id": ids.to_list(), "accounts": index}
    return rest


def _unit(door: Door, stated: Unit | None) -> Unit:
    """The one unit of all amounts: that of the call, that of the column `unit`, or points where there is neither."""
    if not door.has("unit", "unit"):
        return stated or unit_of("point")
    column = door.text("unit")
    door.required("unit", column.codes < 0, "name the unit of every posting, or state unit= in the call")
    named: set[str] = set(column.values)
    if stated is not None:
        named.add(stated.name)
    found = sorted(named)
    if len(found) > 1:
        raise CurrencyMismatch(found[0], found[1])
    return stated or unit_of(found[0] if found else "point")


SHARED_ID = "one id on several accounts"
SHARED_ID_HINT = "an id names one posting: put the account into it, or post a transfer"


def repeated_ids(ids: Sequence[Hashable], account: NDArray[np.int32], /) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows whose id stands on an earlier row too, and all rows whose id stands on several accounts.

    Examples
    --------
    >>> repeated_ids(["a", "b", "a", "b"], np.array([0, 1, 0, 2], np.int32))
    (array([2, 3]), array([1, 3]))
    """
    none = np.empty(0, np.intp)
    if len(set(ids)) == len(ids):
        return none, none
    first: dict[Hashable, int] = {}
    origin = np.array([first.setdefault(id, row) for row, id in enumerate(ids)], np.intp)
    again = np.flatnonzero(origin != np.arange(len(ids)))
    elsewhere = origin[again[account[again] != account[origin[again]]]]
    return again, np.flatnonzero(np.isin(origin, elsewhere))


def _check_amounts(door: Door, column: str, kind: NDArray[np.int8], amount: NDArray[np.int64]) -> None:
    def codes_of(*kinds: Kind) -> list[int]:
        return [RANK[k] for k in kinds]

    free = np.isin(kind, codes_of(Kind.COMMIT, Kind.REVERSE, Kind.CLAW_BACK))
    whole = np.isin(kind, codes_of(Kind.CONFIRM, Kind.CANCEL, Kind.RELEASE))
    none = amount == NO_AMOUNT
    door.required(column, none & ~free & ~whole, "these kinds need an amount in whole minor units")
    door.problem(column, "an amount where the whole is settled", np.flatnonzero(~none & whole), "leave the cell empty")
    up_or_down = kind == RANK[Kind.ADJUST]
    wrong = ~none & ~whole & np.where(up_or_down, amount == 0, amount <= 0)
    door.problem(column, "not above 0", np.flatnonzero(wrong), "the kind says the direction: spend, reverse, claw back")
