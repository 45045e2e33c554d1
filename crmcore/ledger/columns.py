"""A population of accounts as columns: postings in, balances of all accounts at an instant out, as arrays."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import Progress, html_table
from crmcore._frames import MISSING_WORDS, read_frame, write_frame
from crmcore.errors import CurrencyMismatch, EmptyInput, NaiveDatetime, OutOfRange, UnknownName
from crmcore.ledger.balances import BUCKETS, Balance
from crmcore.ledger.postings import CREDITS, RANK, IfExpired, IfSpent, Kind, Posting, SpendOrder
from crmcore.ledger.units import Unit, unit_of
from crmcore.tables import CustomerIndex
from crmcore.tables._door import NO_AMOUNT, Door, codes, frozen, instants, integers

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["KINDS", "SHARED_ID", "SHARED_ID_HINT", "Balances", "PostingTable", "repeated_ids"]

KINDS = tuple(Kind)
"""Kind of each code of the column `kind`."""

Texts = NDArray[np.object_]
_CREDIT_CODES = tuple(RANK[k] for k in CREDITS)
_WORDS: Mapping[str, tuple[Any, ...]] = {
    "order": tuple(SpendOrder),
    "if_expired": tuple(IfExpired),
    "if_spent": tuple(IfSpent),
}
_TIMES = ("expires_at", "available_at", "earned_at", "until")
_TEXTS = ("of_id", "other", "actor", "reason", "reference", "approver")


def _texts(value: Any) -> Texts:
    if isinstance(value, np.ndarray) and value.dtype == object:
        return frozen(value)
    out = np.empty(len(value), object)
    out[:] = value
    return frozen(out)


def _small(value: Any) -> NDArray[np.int8]:
    return frozen(np.asarray(value, np.int8))


def _maybe_texts(value: Any) -> Texts | None:
    return None if value is None else _texts(value)


def _maybe_small(value: Any) -> NDArray[np.int8] | None:
    return None if value is None else _small(value)


def _maybe_instants(value: Any) -> NDArray[np.datetime64] | None:
    return None if value is None else instants(value)


def _maybe_integers(value: Any) -> NDArray[np.int64] | None:
    return None if value is None else integers(value)


def _maybe_truths(value: Any) -> NDArray[np.bool_] | None:
    return None if value is None else frozen(np.asarray(value, np.bool_))


@attrs.frozen(eq=False, repr=False, kw_only=True)
class PostingTable:
    """Postings of many accounts in one unit; row i of every column is the same posting.

    Optional columns are None where no row uses them. `table[i]` is the posting of a row.

    Attributes
    ----------
    account : (n,) codes in `accounts`
    kind : (n,) codes in `KINDS`
    at : (n,) instants in UTC
    amount : (n,) whole minor units
        `NO_AMOUNT` (the smallest integer) where all that is left is meant.
    id : (n,) texts
        Idempotency keys.
    unit : Unit
        Of the whole table.
    accounts : CustomerIndex
        Account names, shared by all tables of a run.
    sequence : (n,) whole numbers, optional
        Order of the rows within their account; None: by time, kind and id.

    Examples
    --------
    >>> table = PostingTable.from_frame({
    ...     "account": ["card:7", "card:7", "card:8"], "kind": ["earn", "spend", "earn"], "amount": [30, 10, 5],
    ...     "at": ["2026-05-01T00:00Z", "2026-05-02T00:00Z", "2026-05-02T00:00Z"], "id": ["a", "b", "c"]})
    >>> table, table.balances(as_of=datetime(2026, 5, 3, tzinfo=UTC)).active.tolist()
    (PostingTable(3 postings, 2 accounts, point), [20, 5])
    """

    account: NDArray[np.int32] = attrs.field(converter=codes)
    kind: NDArray[np.int8] = attrs.field(converter=_small)
    at: NDArray[np.datetime64] = attrs.field(converter=instants)
    amount: NDArray[np.int64] = attrs.field(converter=integers)
    id: Texts = attrs.field(converter=_texts)
    unit: Unit = attrs.field(converter=unit_of)
    accounts: CustomerIndex
    of_id: Texts | None = attrs.field(default=None, converter=_maybe_texts)
    other: Texts | None = attrs.field(default=None, converter=_maybe_texts)
    expires_at: NDArray[np.datetime64] | None = attrs.field(default=None, converter=_maybe_instants)
    available_at: NDArray[np.datetime64] | None = attrs.field(default=None, converter=_maybe_instants)
    needs_confirmation: NDArray[np.bool_] | None = attrs.field(default=None, converter=_maybe_truths)
    earned_at: NDArray[np.datetime64] | None = attrs.field(default=None, converter=_maybe_instants)
    until: NDArray[np.datetime64] | None = attrs.field(default=None, converter=_maybe_instants)
    order: NDArray[np.int8] | None = attrs.field(default=None, converter=_maybe_small)
    if_expired: NDArray[np.int8] | None = attrs.field(default=None, converter=_maybe_small)
    if_spent: NDArray[np.int8] | None = attrs.field(default=None, converter=_maybe_small)
    lots: Mapping[int, tuple[str, ...]] = attrs.field(factory=dict)
    actor: Texts | None = attrs.field(default=None, converter=_maybe_texts)
    reason: Texts | None = attrs.field(default=None, converter=_maybe_texts)
    reference: Texts | None = attrs.field(default=None, converter=_maybe_texts)
    approver: Texts | None = attrs.field(default=None, converter=_maybe_texts)
    sequence: NDArray[np.int64] | None = attrs.field(default=None, converter=_maybe_integers)

    def __attrs_post_init__(self) -> None:
        for name in (*_COLUMNS, "sequence"):
            column = getattr(self, name)
            if column is not None and len(column) != len(self.id):
                hint = "give every column one cell per row"
                raise OutOfRange(f"PostingTable.{name}", f"{len(column)} rows", f"{len(self.id)} rows", hint)
        strange = self.account[(self.account < 0) | (self.account >= len(self.accounts))]
        if len(strange):
            hint = "codes are positions in the index: accounts.codes(names) makes them"
            raise OutOfRange("PostingTable.account", int(strange[0]), f"0 to {len(self.accounts) - 1}", hint)

    def __len__(self) -> int:
        return len(self.id)

    def __repr__(self) -> str:
        return f"PostingTable({len(self)} postings, {len(self.accounts)} accounts, {self.unit.name})"

    def __iter__(self) -> Iterator[Posting]:
        return (self[row] for row in range(len(self)))

    def __getitem__(self, row: int) -> Posting:
        amount = int(self.amount[row])
        rest: dict[str, Any] = {"lots": self.lots.get(row if row >= 0 else len(self) + row, ())}
        for name in _TEXTS:
            column = getattr(self, name)
            rest[_field(name)] = "" if column is None else column[row]
        for name in _TIMES:
            column = getattr(self, name)
            rest[name] = None if column is None else _when(column[row])
        for name, words in _WORDS.items():
            column = getattr(self, name)
            rest[name] = words[0 if column is None else column[row]]
        return Posting(
            id=self.id[row], kind=KINDS[self.kind[row]], account=self.accounts[self.account[row]],
            at=self.at[row].item().replace(tzinfo=UTC), unit=self.unit, amount=None if amount == NO_AMOUNT else amount,
            needs_confirmation=self.needs_confirmation is not None and bool(self.needs_confirmation[row]), **rest,
        )  # fmt: skip

    @classmethod
    def of(
        cls, postings: Iterable[Posting], *, accounts: CustomerIndex | None = None, ordered: bool = False
    ) -> PostingTable:
        """Build a table from postings of one unit.

        Parameters
        ----------
        postings : postings
            At least one.
        accounts : CustomerIndex, optional
            Index to share; None makes one.
        ordered : truth
            Whether they come in the order in which they apply within each account, as a ledger keeps them.
        """
        listed = list(postings)
        if not listed:
            raise EmptyInput("the list of postings", "a table takes its unit from its postings: pass one at least")
        units = {p.unit: None for p in listed}
        if len(units) > 1:
            first, second, *_ = units
            raise CurrencyMismatch(first.name, second.name)
        names = [p.account for p in listed]
        index = CustomerIndex.of(names) if accounts is None else accounts.extended(names)
        rest: dict[str, Any] = {}
        for name in (*_TEXTS, *_TIMES, *_WORDS, "needs_confirmation"):
            cells = [getattr(p, _field(name)) for p in listed]
            words = _WORDS.get(name)
            default = words[0] if words else {"needs_confirmation": False}.get(name, None if name in _TIMES else "")
            if all(c == default for c in cells):
                continue
            rest[name] = [words.index(c) for c in cells] if words else _column(cells, name)
        return cls(
            account=index.codes(names),
            kind=[RANK[p.kind] for p in listed],
            at=_micros(p.at for p in listed),
            amount=[NO_AMOUNT if p.amount is None else p.amount for p in listed],
            id=[p.id for p in listed],
            unit=listed[0].unit,
            accounts=index,
            lots={i: p.lots for i, p in enumerate(listed) if p.lots},
            sequence=np.arange(len(listed)) if ordered else None,
            **rest,
        )

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        unit: Unit | str = "point",
        accounts: CustomerIndex | None = None,
        zone: str | ZoneInfo | None = None,
        missing: Iterable[str] = MISSING_WORDS,
        **columns: str,
    ) -> PostingTable:
        """Read postings; columns are found by the names of `Posting`'s fields, or by those given: `at="booked"`.

        `id`, `account`, `kind` and `at` must be there and full; `amount` too, for kinds that need one, in whole
        minor units. The others may be absent.

        Parameters
        ----------
        frame
            Any frame, a dict of columns, or a list of dicts.
        unit : Unit or its name
            Of all amounts.
        accounts : CustomerIndex, optional
            Index to share; None makes one from this frame.
        zone : zone, optional
            Of times that have none.
        missing : texts
            What means "missing", in exactly this spelling.

        Raises
        ------
        MissingColumn, BadRows, UnknownName
            What cannot be read, all bad rows at once.
        """
        known = tuple(_field(c) for c in _COLUMNS)
        strange = [name for name in columns if name not in known]
        if strange:
            raise UnknownName("column of postings", strange[0], known)
        name = {c: columns.get(_field(c), _field(c)) for c in _COLUMNS}
        door = Door(read_frame(frame, missing=missing), "PostingTable", zone=zone)
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
        for c in _TIMES:
            if door.has(name[c], _field(c)):
                rest[c] = door.times(name[c], required=False)
        for c in _TEXTS:
            if door.has(name[c], _field(c)):
                rest[c] = [t or "" for t in door.text(name[c]).to_list()]
        for c, words in _WORDS.items():
            if door.has(name[c], _field(c)):
                column = door.words(name[c], _field(c), [w.value for w in words])
                to = np.array([words.index(v) if v in words else 0 for v in (*column.values, words[0])], np.int8)
                rest[c] = to[column.codes]
        if door.has(name["needs_confirmation"], "needs_confirmation"):
            rest["needs_confirmation"] = door.text(name["needs_confirmation"]).equals("true")
        at = door.times(name["at"], required=True)
        named = np.flatnonzero((ids.codes >= 0) & (code >= 0))
        _, shared = repeated_ids(ids.codes[named].tolist(), code[named])
        door.problem(name["id"], SHARED_ID, named[shared], SHARED_ID_HINT)
        door.close()
        return cls(
            account=code, kind=kind, at=at, amount=amount, id=ids.to_list(), unit=unit, accounts=index, **rest
        )  # fmt: skip

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> PostingTable:
        """Select rows by position or mask; the index of accounts is shared."""
        place = np.arange(len(self))[rows]
        rest = {c: getattr(self, c) for c in (*_COLUMNS, "sequence")}
        kept = {c: None if v is None else v[place] for c, v in rest.items()}
        lots = {i: self.lots[int(p)] for i, p in enumerate(place) if int(p) in self.lots}
        return PostingTable(**kept, unit=self.unit, accounts=self.accounts, lots=lots)

    def balances(
        self, *, as_of: datetime, expiring_before: datetime | None = None, progress: Progress | bool = False
    ) -> Balances:
        """Balances of all accounts at an instant: postings up to it are replayed, later ones do not count.

        Parameters
        ----------
        as_of : aware datetime
            The instant (inclusive).
        expiring_before : aware datetime, optional
            Fills `Balances.expiring`: what will expire from `as_of` on and before this instant, pending lots included.
        progress : callable or truth
            Called with ("replay", accounts done, accounts).

        Raises
        ------
        BadRows
            Postings that an account refuses, one an account, by row; an id that stands on several accounts.

        Notes
        -----
        The law: the arrays equal the balances of accounts replayed one by one. An id that stands there twice with the
        same account counts once.
        """
        from crmcore.ledger._replay import replay_columns

        for name, at in (("as_of", as_of), ("expiring_before", expiring_before)):
            if at is not None and at.utcoffset() is None:
                raise NaiveDatetime(name)
        return replay_columns(self, as_of=as_of, expiring_before=expiring_before, progress=progress)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a posting; optional columns only where they are used."""
        out: dict[str, Any] = {
            "id": list(self.id),
            "kind": [KINDS[k].value for k in self.kind.tolist()],
            "account": [self.accounts[c] for c in self.account.tolist()],
            "at": self.at,
            "amount": [None if a == NO_AMOUNT else a for a in self.amount.tolist()],
            "unit": [self.unit.name] * len(self),
        }
        for name in (*_TEXTS, *_TIMES, *_WORDS, "needs_confirmation"):
            column = getattr(self, name)
            if column is not None:
                words = _WORDS.get(name)
                out[_field(name)] = [words[c].value for c in column.tolist()] if words else column
        return write_frame(out, backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"id": p.id, "at": p.at.isoformat(timespec="minutes"), "kind": p.kind.value, "account": p.account,
                 "amount": p.amount} for p in (self[i] for i in range(min(len(self), 20)))]  # fmt: skip
        return html_table(rows, caption=repr(self))


_COLUMNS = ("account", "kind", "at", "amount", "id", *_TEXTS, *_TIMES, *_WORDS, "needs_confirmation")
_KIND_NAMES = frozenset(k.value for k in KINDS)


def _field(column: str) -> str:
    """Field of `Posting` that a column holds; `of` makes tables."""
    return "of" if column == "of_id" else column


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


def _when(cell: np.datetime64) -> datetime | None:
    at = cell.item()
    return at.replace(tzinfo=UTC) if isinstance(at, datetime) else None


def _micros(times: Iterable[datetime | None]) -> NDArray[np.datetime64]:
    return np.array([None if t is None else t.replace(tzinfo=None) for t in times], "datetime64[us]")


def _column(cells: list[Any], name: str) -> Any:
    return _micros(cells) if name in _TIMES else cells


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Balances:
    """Balances of a population at one instant: one array a bucket, in whole minor units, one entry an account.

    Shards of accounts add up: `a + b`, where each account's postings lie in one of them.

    Attributes
    ----------
    accounts : CustomerIndex
        Entry i of every array belongs to `accounts[i]`.
    active, pending, reserved, spent, expired, reversed, transferred, repaid, debt : (k,) amounts
        As in `Balance`.
    credited : (k,) amounts
        Sum of all credits, counted from the postings apart from the buckets.
    expiring : (k,) amounts, optional
        What will expire before the instant that was asked for.
    """

    accounts: CustomerIndex
    unit: Unit
    as_of: datetime
    active: NDArray[np.int64]
    pending: NDArray[np.int64]
    reserved: NDArray[np.int64]
    spent: NDArray[np.int64]
    expired: NDArray[np.int64]
    reversed: NDArray[np.int64]
    transferred: NDArray[np.int64]
    repaid: NDArray[np.int64]
    debt: NDArray[np.int64]
    credited: NDArray[np.int64]
    expiring: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.accounts)

    def __repr__(self) -> str:
        total = self.unit.text(int(self.active.sum()))
        return f"Balances({len(self)} accounts, {total} active at {self.as_of.isoformat(timespec='minutes')})"

    def __getitem__(self, account: str) -> Balance:
        row = self.accounts.code(account)
        if row < 0:
            raise UnknownName("account", account, self.accounts.ids[:20])
        return self._balance(account, lambda column: int(column[row]))

    def _balance(self, account: str, pick: Any) -> Balance:
        found = {name: pick(getattr(self, name)) for name in (*BUCKETS, "debt")}
        return Balance(account=account, unit=self.unit, as_of=self.as_of, **found)

    def total(self) -> Balance:
        """Sum over all accounts: what the programme owes its members."""
        return self._balance(f"{len(self)} accounts", lambda column: int(column.sum()))

    def check(self) -> Balances:
        """Prove that every account adds up; returns the balances themselves, or raises `Unbalanced` naming accounts."""
        from crmcore.ledger.refusals import Unbalanced

        sums = np.sum([getattr(self, name) for name in BUCKETS], axis=0)
        wrong = np.flatnonzero((sums != self.credited) | (self.debt < 0) | ((self.debt > 0) & (self.active > 0)))
        if len(wrong):
            names = tuple(f"{self.accounts[i]!r}: credited {self.credited[i]}, buckets {sums[i]}" for i in wrong[:5])
            raise Unbalanced(f"{len(wrong)} accounts", names)
        return self

    def __add__(self, other: Balances) -> Balances:
        if not isinstance(other, Balances):
            return NotImplemented
        if other.unit != self.unit:
            raise CurrencyMismatch(self.unit.name, other.unit.name)
        if other.as_of != self.as_of:
            hint = "ask both for the same instant"
            raise OutOfRange("as_of", other.as_of.isoformat(), f"{self.as_of.isoformat()} on both sides", hint)
        index = self.accounts if other.accounts is self.accounts else self.accounts.extended(other.accounts.ids)
        to = index.codes(other.accounts.ids)
        both = to[(other.credited != 0)]
        if (self.credited[both[both < len(self)]] != 0).any():
            hint = "keep all postings of an account in one shard"
            raise OutOfRange("shards", "an account in both", "each account in one", hint)

        def joined(a: NDArray[np.int64] | None, b: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
            if a is None or b is None:
                return None
            out = np.zeros(len(index), np.int64)
            out[: len(a)] = a
            out[to] += b
            return frozen(out)

        names = (*BUCKETS, "debt", "credited", "expiring")
        found: dict[str, Any] = {name: joined(getattr(self, name), getattr(other, name)) for name in names}
        return Balances(accounts=index, unit=self.unit, as_of=self.as_of, **found)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an account: account, one column a bucket, debt, and expiring where it was asked for."""
        columns = {name: getattr(self, name) for name in (*BUCKETS, "debt")}
        if self.expiring is not None:
            columns["expiring"] = self.expiring
        return write_frame({"account": list(self.accounts.ids), **columns}, backend=backend)

    def __str__(self) -> str:
        return str(self.total())

    def _repr_html_(self) -> str:
        return self.total()._repr_html_()

    def chart(self) -> Chart:
        """Bars of the buckets, over all accounts."""
        return self.total().chart()
