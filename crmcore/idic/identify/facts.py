"""Facts about customers from any source, linked to profiles by record, by customer id or by an identifier."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._frames import read_frame, write_frame
from crmcore.errors import MissingColumn, NaiveDatetime, UnknownName, WrongType
from crmcore.idic.identify.profiles import ProfileTable
from crmcore.metrics import Counts, Estimate
from crmcore.tables import CustomerIndex, RecordTable
from crmcore.tables._cells import when

__all__ = ["Fact", "Facet", "Facts", "fold_identifier", "instant_us", "link", "recognition"]

Fold = Callable[[str], str | None]


class Facet(enum.StrEnum):
    """The sides of a customer that a view shows."""

    TRANSACTIONS = "transactions"
    INTERACTIONS = "interactions"
    OPINIONS = "opinions"
    CONSENTS = "consents"
    CASES = "cases"


@attrs.frozen(hash=False)
class Fact:
    """One thing that is known about a customer, with its source and time; values stay out of the repr."""

    facet: Facet
    source: str
    time: datetime | None
    values: Mapping[str, object] = attrs.field(repr=lambda v: f"<{', '.join(v)}>")


@attrs.frozen(eq=False, repr=False)
class Facts:
    """Facts of one facet from one source: row i of everything is the same fact."""

    facet: Facet
    source: str
    customer: NDArray[np.int32]  # (m,) code into customers, -1 = nobody was recognised
    time: NDArray[np.datetime64]  # (m,) datetime64[us], NaT = unknown
    columns: Mapping[str, Sequence[object]]
    customers: CustomerIndex
    ambiguous: int = 0  # facts whose identifier belongs to several customers; they stay unlinked

    def __len__(self) -> int:
        return len(self.customer)

    def __repr__(self) -> str:
        linked = int((self.customer >= 0).sum())
        told = f"{len(self)} facts, {linked} linked, {self.ambiguous} ambiguous"
        return f"Facts({self.facet.value} from {self.source}: {told})"

    def __getitem__(self, row: int) -> Fact:
        values = {name: cells[row] for name, cells in self.columns.items() if cells[row] is not None}
        return Fact(self.facet, self.source, when(self.time, row), values)

    def column(self, name: str) -> Sequence[object]:
        """Cells of one column."""
        if name not in self.columns:
            raise MissingColumn(name, tuple(self.columns), f"the facts of {self.source!r}")
        return self.columns[name]

    def take(self, rows: NDArray[np.intp]) -> Facts:
        """Select facts."""
        columns = {name: [cells[i] for i in rows.tolist()] for name, cells in self.columns.items()}
        return attrs.evolve(self, customer=self.customer[rows], time=self.time[rows], columns=columns)

    def until(self, time: datetime) -> Facts:
        """Facts that had happened by `time`; those of unknown time count as known."""
        return self.take(np.flatnonzero(~(self.time > instant_us(time))))

    def to_frame(self, *, backend: Any = None) -> Any:
        """Return one row per fact, with customer id, source and time."""
        ids = np.array([*self.customers.ids, None], object)[self.customer]
        head: dict[str, Any] = {
            "customer_id": ids,
            "facet": [str(self.facet)] * len(self),
            "source": [self.source] * len(self),
        }
        return write_frame({**head, "time": self.time, **self.columns}, backend=backend)


def instant_us(time: datetime) -> np.datetime64:
    """UTC instant of an aware datetime."""
    if time.utcoffset() is None:
        raise NaiveDatetime("time")
    return np.datetime64(time.astimezone(UTC).replace(tzinfo=None), "us")


def fold_identifier(field: str, value: str) -> str | None:
    """Form in which identifiers of one field are compared when the caller gives none.

    E-mail addresses and handles ignore case, a handle its leading @, a phone all but its digits and a leading +;
    national and international numbers are told apart, so hand in normal forms where both occur.

    Examples
    --------
    >>> fold_identifier("handle", " @Ann"), fold_identifier("phone", "+66 81-234"), fold_identifier("identifier", "M 1")
    ('ann', '+6681234', 'M 1')
    """
    text = value.strip()
    if field == "phone":
        digits = "".join(c for c in text if c.isdigit())
        return ("+" + digits if text.startswith("+") else digits) or None
    if field in ("email", "handle"):
        text = text.casefold()
        text = text.lstrip("@") if field == "handle" else text
    return text or None


def link(
    profiles: ProfileTable,
    frame: Any,
    *,
    facet: Facet | str,
    source: str,
    time: str | None = "time",
    record: str | None = None,
    customer: str | None = None,
    by: Mapping[str, str] | None = None,
    folds: Mapping[str, Fold] | None = None,
    zone: str | ZoneInfo | None = None,
) -> Facts:
    """Link rows of any frame to customers.

    Parameters
    ----------
    frame
        Any frame, a dict of columns, a list of dicts, or the `to_frame()` of a table.
    facet : Facet
        Which side of the customer the rows describe.
    source : text
        Name of the system that they come from.
    time : column, optional
        When it happened; None where the rows have no time.
    record : column, optional
        Record ids; tried first.
    customer : column, optional
        Customer ids; tried second.
    by : field -> column, optional
        Identifiers, tried in this order: `{"identifier": "member_no", "email": "e_mail"}`. A value that several
        customers carry links to nobody and is counted in `ambiguous`: a guess would put one person's facts into
        another's file.
    folds : field -> callable, optional
        Form in which values of a field are compared (None: no identifier). Default `fold_identifier`.
    zone
        Zone of times that were written without one.

    Examples
    --------
    >>> people = RecordTable.from_frame([{"email": "ann@example.org"}], source="web")
    >>> profiles = ProfileTable.build(people, [0])
    >>> orders = [{"e_mail": "Ann@Example.org", "time": "2026-01-01T10:00Z", "total": 12}]
    >>> link(profiles, orders, facet="transactions", source="shop", by={"email": "e_mail"})
    Facts(transactions from shop: 1 facts, 1 linked, 0 ambiguous)
    """
    if facet not in tuple(Facet):
        raise UnknownName("facet", str(facet), tuple(f.value for f in Facet))
    if record is None and customer is None and not by:
        raise WrongType(
            "link", "no column to link by", "record=, customer= or by=", "name the column that says who it was"
        )
    read = read_frame(frame)
    found = np.full(len(read), -1, np.int32)
    if record is not None:
        rows = dict(zip(profiles.records.record_id.tolist(), profiles.customer.tolist(), strict=True))
        found = np.array([rows.get(cell, -1) for cell in _texts(read.column(record))], np.int32)
    if customer is not None:
        found = np.where(found >= 0, found, profiles.customers.codes(_texts(read.column(customer))))
    doubtful = np.zeros(len(read), bool)
    for field, column in (by or {}).items():
        known = _carriers(profiles, field, (folds or {}).get(field))
        fold = (folds or {}).get(field)
        cells = [None if c is None else _fold(field, c, fold) for c in _texts(read.column(column))]
        codes = np.array([known.get(c, -1) if c is not None else -1 for c in cells], np.int32)
        doubtful |= (found < 0) & (codes == AMBIGUOUS)
        found = np.where((found < 0) & (codes >= 0), codes, found)
    times = RecordTable.from_frame(frame, time=time, columns=[], zone=zone).time if time else _no_time(len(read))
    columns = {name: read.column(name) for name in read.columns if name != time}
    return Facts(
        Facet(facet),
        source,
        found.astype(np.int32),
        times,
        columns,
        profiles.customers,
        int((doubtful & (found < 0)).sum()),
    )


AMBIGUOUS = -2


def _texts(cells: Sequence[object]) -> list[str | None]:
    return [None if c is None else str(c) for c in cells]


def _no_time(n: int) -> NDArray[np.datetime64]:
    return np.full(n, np.datetime64("NaT"), "datetime64[us]")


def _fold(field: str, value: str, fold: Fold | None) -> str | None:
    return fold(value) if fold is not None else fold_identifier(field, value)


def _carriers(profiles: ProfileTable, field: str, fold: Fold | None) -> dict[str, int]:
    """Customer of each identifier that any record carries; `AMBIGUOUS` where there are several."""
    out: dict[str, int] = {}
    for name in profiles.field(field).columns:
        column = profiles.text[name]
        has = np.flatnonzero(column.codes >= 0)
        pair = np.unique(column.codes[has].astype(np.int64) * max(len(profiles), 1) + profiles.customer[has])
        for code, who in zip(*(part.tolist() for part in np.divmod(pair, max(len(profiles), 1))), strict=True):
            key = _fold(field, column.values[code], fold)
            if key is not None:
                out[key] = who if out.get(key, who) == who else AMBIGUOUS
    return out


def recognition(
    facts: Facts | Sequence[Facts], *, touchpoint: str = "touchpoint", level: float = 0.95
) -> dict[str, Estimate]:
    """Share of facts whose customer was recognised, per touchpoint, with Wilson intervals.

    Facts without a touchpoint are counted under "(none)"; facts whose identifier is ambiguous count as not recognised.

    Parameters
    ----------
    touchpoint : column
        Which column names the touchpoint.

    Examples
    --------
    >>> visits = {"touchpoint": ["store"] * 3, "record": ["web:0", "web:0", None]}
    >>> profiles = ProfileTable.build(RecordTable.from_frame([{"name": "Ann"}], source="web"), [0])
    >>> seen = link(profiles, visits, facet="interactions", source="door", record="record", time=None)
    >>> print(recognition(seen)["store"])
    0.667 [0.208, 0.939] (95 %, n = 3, wilson)
    """
    counts: dict[str, Counts] = {}
    for part in (facts,) if isinstance(facts, Facts) else facts:
        cells = np.array(["(none)" if c is None else str(c) for c in part.column(touchpoint)], object)
        for name in dict.fromkeys(cells.tolist()):
            here = cells == name
            seen = Counts(int((part.customer[here] >= 0).sum()), int(here.sum()))
            counts[name] = counts.get(name, Counts()) + seen
    rule = "recognised / all"
    return {n: counts[n].estimate(level=level, rule=rule, small_sample_ok=True) for n in sorted(counts)}
