"""The profile table: every customer of a population with golden record, lineage, stable id and the records behind."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import Progress, html_table, mask, reporter
from crmcore._frames import write_frame
from crmcore.errors import MissingColumn, NaiveDatetime, UnknownName, WrongType
from crmcore.idic.identify.golden import GoldenField, Members, survive
from crmcore.idic.identify.ids import IdentityEvents, assign_ids
from crmcore.idic.identify.profile import Profile, unknown_customer
from crmcore.idic.identify.survivorship import SurvivorshipPlan
from crmcore.tables import CustomerIndex, RecordTable, TextColumn

__all__ = ["ProfileTable"]

IDENTIFYING = ("phone", "email", "handle", "identifier")
IGNORED = ("ignore", "record id", "updated at")


@attrs.frozen(eq=False, repr=False)
class ProfileTable:
    """Customers as columns: row c of every golden field is customer c, in the order of their smallest record id.

    Built by `ProfileTable.build`; `table[i]` or `table["c-..."]` is one `Profile`.
    """

    records: RecordTable
    text: Mapping[str, TextColumn]  # column -> what is compared and shown: the normal form where one was given
    customers: CustomerIndex
    customer: NDArray[np.int32]  # (n,) customer of each record
    members: Members
    golden: Mapping[str, GoldenField]  # field -> surviving cells
    plan: SurvivorshipPlan
    events: IdentityEvents  # what this run did to the ids of the previous one

    @classmethod
    def build(
        cls,
        records: RecordTable,
        labels: NDArray[np.integer[Any]] | Sequence[int],
        *,
        roles: Mapping[str, str] | None = None,
        plan: SurvivorshipPlan | None = None,
        normal: Mapping[str, TextColumn] | None = None,
        previous: Mapping[str, str] | None = None,
        progress: Progress | bool = False,
    ) -> ProfileTable:
        """Make profiles of records that are already told apart.

        Parameters
        ----------
        records : RecordTable
            As they were read.
        labels : (n,) integers
            Which records are one customer; any numbers.
        roles : column -> role word
            `{"mobile": "phone"}` makes the column part of the golden field `phone`; a column without a role is a field
            of its own name; "ignore", "record id" and "updated at" are exported but have no golden field.
        plan : SurvivorshipPlan
            Default: unions of phones, e-mails, handles and identifiers; votes on names and birth date; the address as
            one piece from the most recent record; the rest most recent.
        normal : column -> text of the same rows
            Normal forms: values are compared and shown in this form, and a cell without one does not survive.
        previous : record id -> customer id
            `assignments()` of the last run: customers keep their ids.
        progress
            See `crmcore._base.reporter`.

        Examples
        --------
        >>> cells = {"name": TextColumn.of(["Ann Lee", "Ann Lee"]), "mobile": TextColumn.of(["0811", "0822"])}
        >>> time = np.array(["2024-01-01", "2024-02-01"], "datetime64[us]")
        >>> ids, source = np.array(["web:1", "shop:1"], object), np.array([0, 1], np.int32)
        >>> two = RecordTable(ids, source, ("web", "shop"), time, cells)
        >>> table = ProfileTable.build(two, [0, 0], roles={"mobile": "phone"})
        >>> table, table[0].values()
        (ProfileTable(1 customers, 2 records, fields ['name', 'phone']), {'name': 'Ann Lee', 'phone': ('0822', '0811')})
        """
        report = reporter(progress)
        _check(records, labels, roles or {}, normal or {})
        report("ids", 0, 2)
        ids = assign_ids(np.asarray(labels), records.record_id, previous)
        members = Members.of(ids.labels, records.record_id, n_customers=len(ids))
        report("golden records", 1, 2)
        text = {**records.columns, **(normal or {})}
        used = plan or SurvivorshipPlan()
        golden = survive(records, text, _fields(tuple(records.columns), roles or {}), members, used)
        report("golden records", 2, 2)
        return cls(records, text, CustomerIndex(ids.ids), ids.labels, members, golden, used, ids.events)

    def __len__(self) -> int:
        return len(self.customers)

    def __repr__(self) -> str:
        return f"ProfileTable({len(self)} customers, {len(self.records)} records, fields {list(self.golden)})"

    def __getitem__(self, which: int | str) -> Profile:
        """Return the profile of a code or of a customer id."""
        if isinstance(which, str):
            return Profile(self, self.code(which))
        if not -len(self) <= which < len(self):
            raise IndexError(f"customer {which} of {len(self)}")
        return Profile(self, which % len(self))

    def __iter__(self) -> Iterator[Profile]:
        return (Profile(self, i) for i in range(len(self)))

    def code(self, customer_id: str) -> int:
        """Position of a customer id."""
        code = self.customers.code(customer_id)
        if code < 0:
            raise unknown_customer(customer_id, len(self))
        return code

    def of_record(self, record_id: str) -> Profile:
        """Profile that a record belongs to."""
        rows = np.flatnonzero(self.records.record_id == record_id)
        if not len(rows):
            some = tuple(self.records.record_id[:5].tolist())
            raise UnknownName("record", record_id, some)
        return Profile(self, int(self.customer[rows[0]]))

    def field(self, name: str) -> GoldenField:
        """Surviving cells of one field, as columns."""
        if name not in self.golden:
            raise MissingColumn(name, tuple(self.golden), "the golden record")
        return self.golden[name]

    def column(self, name: str) -> list[str | None]:
        """Golden value of each customer, in clear (of a union the first); None where there is none."""
        return self.field(name).best(self.text)

    @property
    def identifier_fields(self) -> tuple[str, ...]:
        """Fields by which a customer is recognised."""
        return tuple(f for f in self.golden if f in IDENTIFYING)

    def assignments(self) -> dict[str, str]:
        """Customer id of each record: hand it to the next run as `previous`."""
        ids = np.array(self.customers.ids, object)[self.customer].tolist() if len(self) else []
        return dict(zip(self.records.record_id.tolist(), ids, strict=True))

    def export(self) -> list[dict[str, str]]:
        """Every record as the dict that was read, in the order of reading; missing cells are left out."""
        columns = {name: column.to_list() for name, column in self.records.columns.items()}
        return [{n: c[i] for n, c in columns.items() if c[i] is not None} for i in range(len(self.records))]  # type: ignore[misc]

    def as_of(self, time: datetime) -> ProfileTable:
        """Profiles as records known at `time` give them, under the same ids; records of unknown time count as known.

        A record table holds each record once, with the time of its last change: a record that changed later is unknown
        before that. Histories of changes belong in an event store, see `repository.ProfileRepository`.
        """
        if time.utcoffset() is None:
            raise NaiveDatetime("time")
        late = self.records.time > np.datetime64(time.astimezone(UTC).replace(tzinfo=None), "us")
        return self._of(np.flatnonzero(~late))

    def without(self, customers: Collection[str]) -> ProfileTable:
        """Profiles of everybody else, under the same ids: the records of these customers are gone."""
        gone = np.zeros(len(self), bool)
        gone[[self.code(c) for c in customers]] = True
        return self._of(np.flatnonzero(~gone[self.customer]))

    def _of(self, rows: NDArray[np.intp]) -> ProfileTable:
        """Profiles that some of the records give."""
        left, customer = np.unique(self.customer[rows], return_inverse=True)
        was = self.records
        columns = {n: c.take(rows).compact() for n, c in was.columns.items()}
        records = RecordTable(was.record_id[rows], was.source[rows], was.sources, was.time[rows], columns, was.backend)
        text = {
            n: columns[n] if self.text[n] is was.columns[n] else self.text[n].take(rows).compact() for n in self.text
        }
        labels = customer.astype(np.int32)
        members = Members.of(labels, records.record_id, n_customers=len(left))
        golden = survive(records, text, {f: g.columns for f, g in self.golden.items()}, members, self.plan)
        ids = CustomerIndex(tuple(self.customers.ids[c] for c in left.tolist()))
        return ProfileTable(records, text, ids, labels, members, golden, self.plan, self.events)

    def to_frame(self, *, lineage: bool = False, separator: str = " | ", backend: Any = None) -> Any:
        """Return one row per customer, values in clear; a union is joined by `separator`.

        `backend` None is the flavour that was read. With `lineage` every field has three more columns: the record,
        source and time of its (first) value.
        """
        columns: dict[str, Any] = {"customer_id": list(self.customers.ids), "records": np.diff(self.members.start)}
        for name, golden in self.golden.items():
            columns[name] = self._joined(golden, separator)
            if lineage:
                columns |= self._lineage(name, golden)
        return write_frame(columns, backend=self.records.backend if backend is None else backend)

    def _joined(self, golden: GoldenField, separator: str) -> list[str | None]:
        best = golden.best(self.text)
        several = np.flatnonzero(np.diff(golden.start) > 1).tolist()
        if several:
            texts = golden.texts(self.text)
            for c in several:
                best[c] = separator.join(texts[golden.start[c] : golden.start[c + 1]])
        return best

    def _lineage(self, name: str, golden: GoldenField) -> dict[str, Any]:
        has = np.diff(golden.start) > 0
        row = np.full(len(self), -1, np.int64)
        row[has] = golden.record[golden.start[:-1][has]]
        ids = np.append(self.records.record_id, np.array([None], object))[row]
        source = np.array([*self.records.sources, None], object)[np.append(self.records.source, -1)[row]]
        time = np.append(self.records.time.astype("datetime64[us]"), np.datetime64("NaT", "us"))[row]
        return {f"{name} record": ids, f"{name} source": source, f"{name} time": time}

    def _repr_html_(self) -> str:
        rows = [
            {"customer": p.customer_id, "records": len(p.record_ids), **{f: mask(p.value(f)) for f in self.golden}}
            for p, _ in zip(self, range(10), strict=False)
        ]
        return html_table(rows, caption=repr(self), limit=10)


def _check(
    records: RecordTable,
    labels: NDArray[np.integer[Any]] | Sequence[int],
    roles: Mapping[str, str],
    normal: Mapping[str, TextColumn],
) -> None:
    if len(labels) != len(records):
        raise WrongType(
            "labels",
            f"{len(labels)} labels",
            f"{len(records)}, one per record",
            "pass the labels of exactly these records",
        )
    for name in (*roles, *normal):
        if name not in records.columns:
            raise MissingColumn(name, tuple(records.columns), "the records")
    for name, column in normal.items():
        if len(column) != len(records):
            raise WrongType(
                f"normal[{name!r}]",
                f"{len(column)} rows",
                f"{len(records)}, one per record",
                "normalise every record, None where it fails",
            )


def _fields(columns: Sequence[str], roles: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    out: dict[str, tuple[str, ...]] = {}
    for column in columns:
        field = str(roles.get(column, column))
        if field not in IGNORED:
            out[field] = (*out.get(field, ()), column)
    return out
