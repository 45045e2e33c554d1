"""Postings of a population of accounts as columns; balances of all accounts at an instant come out as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import Progress, check_aware, html_table
from crmcore._frames import MISSING_WORDS, read_frame, write_frame
from crmcore.errors import CurrencyMismatch, EmptyInput, OutOfRange
from crmcore.ledger._reading import COLUMNS, KINDS, TEXTS, TIMES, WORDS, field, read_columns
from crmcore.ledger.postings import RANK, Posting
from crmcore.ledger.units import Unit, unit_of
from crmcore.tables import CustomerIndex
from crmcore.tables._door import NO_AMOUNT, codes, frozen, instants, integers

if TYPE_CHECKING:
    from crmcore.ledger._events import Line
    from crmcore.ledger.balances import Balances

__all__ = ["KINDS", "PostingTable"]

Texts = NDArray[np.object_]


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
        for name in (*COLUMNS, "sequence"):
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
        for name in TEXTS:
            column = getattr(self, name)
            rest[field(name)] = "" if column is None else column[row]
        for name in TIMES:
            column = getattr(self, name)
            rest[name] = None if column is None else _when(column[row])
        for name, words in WORDS.items():
            column = getattr(self, name)
            rest[name] = words[0 if column is None else column[row]]
        return Posting(
            id=self.id[row], kind=KINDS[self.kind[row]], account=self.accounts[self.account[row]],
            at=self.at[row].item().replace(tzinfo=UTC), unit=self.unit, amount=None if amount == NO_AMOUNT else amount,
            needs_confirmation=self.needs_confirmation is not None and bool(self.needs_confirmation[row]), **rest,
        )  # fmt: skip

    @classmethod
    def of(
        cls, postings: Iterable[Posting | Line], *, accounts: CustomerIndex | None = None, ordered: bool = False
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
        for name in (*TEXTS, *TIMES, *WORDS, "needs_confirmation"):
            cells = [getattr(p, field(name)) for p in listed]
            words = WORDS.get(name)
            default = words[0] if words else {"needs_confirmation": False}.get(name, None if name in TIMES else "")
            if cells.count(default) == len(cells):
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
        unit: Unit | str | None = None,
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
        unit : Unit or its name, optional
            Of all amounts; None reads the column `unit`, which must hold one, or takes points where there is none.
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
        CurrencyMismatch
            Postings of two units, or of another than the call states.
        """
        read = read_frame(frame, missing=missing)
        return cls(**read_columns(read, unit=unit, accounts=accounts, zone=zone, names=columns))

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> PostingTable:
        """Select rows by position or mask; the index of accounts is shared."""
        place = np.arange(len(self))[rows]
        rest = {c: getattr(self, c) for c in (*COLUMNS, "sequence")}
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
        same account counts once. Accounts with at most 64 lots and 64 debits that only earn, spend, refund, transfer or
        are adjusted, in the usual order of paying, are replayed all at once, the others posting by posting.
        """
        from crmcore.ledger._replay import replay_columns

        check_aware(as_of, "as_of")
        if expiring_before is not None:
            check_aware(expiring_before, "expiring_before")
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
        for name in (*TEXTS, *TIMES, *WORDS, "needs_confirmation"):
            column = getattr(self, name)
            if column is not None:
                words = WORDS.get(name)
                out[field(name)] = [words[c].value for c in column.tolist()] if words else column
        return write_frame(out, backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"id": p.id, "at": p.at.isoformat(timespec="minutes"), "kind": p.kind.value, "account": p.account,
                 "amount": p.amount} for p in (self[i] for i in range(min(len(self), 20)))]  # fmt: skip
        return html_table(rows, caption=repr(self))


def _when(cell: np.datetime64) -> datetime | None:
    at = cell.item()
    return at.replace(tzinfo=UTC) if isinstance(at, datetime) else None


def _micros(times: Iterable[datetime | None]) -> NDArray[np.datetime64]:
    return np.array([None if t is None else t.replace(tzinfo=None) for t in times], "datetime64[us]")


def _column(cells: list[Any], name: str) -> Any:
    return _micros(cells) if name in TIMES else cells
