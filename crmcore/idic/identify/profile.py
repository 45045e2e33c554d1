"""One customer's window on the profile table: golden cells with lineage, identifiers, the records behind them."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import TYPE_CHECKING

import attrs
import numpy as np

from crmcore._base import html_table, mask
from crmcore.errors import UnknownName
from crmcore.tables._cells import when
from crmcore.values import Record

if TYPE_CHECKING:
    from crmcore.idic.identify.profiles import ProfileTable

__all__ = ["Explanation", "GoldenCell", "Identifier", "Profile", "Rejected"]


def _day(time: datetime | None) -> str:
    return time.isoformat(timespec="minutes") if time else "unknown time"


@attrs.frozen
class Rejected:
    """A value that another record carries and that did not survive."""

    value: str = attrs.field(repr=mask)
    record_id: str
    source: str
    time: datetime | None


@attrs.frozen
class GoldenCell:
    """One surviving value and where it comes from."""

    field: str
    value: str = attrs.field(repr=mask)
    record_id: str
    source: str
    column: str
    time: datetime | None
    strategy: str
    votes: int  # records of the customer that carry this value


@attrs.frozen
class Identifier:
    """A value by which the customer can be recognised, with the records that say so."""

    field: str
    value: str = attrs.field(repr=mask)
    sources: tuple[str, ...]
    records: int


@attrs.frozen
class Explanation:
    """Why a field has the value it has. Prints masked; `cells` and `rejected` hold the values."""

    field: str
    strategy: str
    together_with: tuple[str, ...]
    cells: tuple[GoldenCell, ...]
    rejected: tuple[Rejected, ...]

    def __str__(self) -> str:
        head = f"{self.field}: {self.strategy}"
        if self.together_with:
            head += f", from one record with {', '.join(self.together_with)}"
        if not self.cells:
            head += "; no surviving value"
        lines = [
            f"  kept     {mask(c.value)}  {c.record_id} ({c.source}, {_day(c.time)}), {c.votes} of the records"
            for c in self.cells
        ]
        lines += [f"  rejected {mask(r.value)}  {r.record_id} ({r.source}, {_day(r.time)})" for r in self.rejected]
        return "\n".join([head, *lines])

    def _repr_html_(self) -> str:
        marked: list[tuple[str, GoldenCell | Rejected]] = [("kept", c) for c in self.cells]
        marked += [("rejected", r) for r in self.rejected]
        rows: list[dict[str, object]] = [
            {"": mark, "value": mask(c.value), "record": c.record_id, "source": c.source, "time": _day(c.time)}
            for mark, c in marked
        ]
        return html_table(rows, caption=f"{self.field}: {self.strategy}")


@attrs.frozen(eq=False, repr=False)
class Profile:
    """One customer: what is believed, why, and from which records. Shows itself masked; `values()` gives the values."""

    table: ProfileTable
    code: int

    @property
    def customer_id(self) -> str:
        """Stable id of the customer."""
        return self.table.customers.ids[self.code]

    @property
    def fields(self) -> tuple[str, ...]:
        """Golden fields of the table."""
        return tuple(self.table.golden)

    @property
    def record_ids(self) -> tuple[str, ...]:
        """Records behind this profile, by id."""
        return tuple(self.table.records.record_id[self.table.members[self.code]].tolist())

    @property
    def sources(self) -> tuple[str, ...]:
        """Sources that know this customer."""
        codes = np.unique(self.table.records.source[self.table.members[self.code]])
        return tuple(self.table.records.sources[c] for c in codes.tolist())

    def cells(self, field: str) -> tuple[GoldenCell, ...]:
        """Surviving values of a field, best first, each with record, source, column, time and strategy."""
        golden = self.table.field(field)
        label = golden.rule.label
        found = self._found(field)
        records = self.table.records
        out = []
        for at in range(int(golden.start[self.code]), int(golden.start[self.code + 1])):
            row, column = int(golden.record[at]), golden.columns[golden.column[at]]
            value = self.table.text[column][row] or ""
            votes = len({r for r, _, v in found if v == value})
            source = records.sources[records.source[row]]
            out.append(
                GoldenCell(field, value, records.record_id[row], source, column, when(records.time, row), label, votes)
            )
        return tuple(out)

    def _found(self, field: str) -> list[tuple[int, str, str]]:
        """(row, column, value) of every filled cell of the field."""
        columns = self.table.field(field).columns
        cells = ((int(row), c, self.table.text[c][int(row)]) for row in self.table.members[self.code] for c in columns)
        return [(row, column, value) for row, column, value in cells if value is not None]

    def value(self, field: str) -> str | None:
        """Golden value of a field in clear (of a union its first); None where there is none."""
        cells = self.cells(field)
        return cells[0].value if cells else None

    def values(self) -> dict[str, str | tuple[str, ...]]:
        """Golden values in clear: a text, or a tuple of texts where the plan keeps all; missing fields are left out."""
        out: dict[str, str | tuple[str, ...]] = {}
        for field, golden in self.table.golden.items():
            texts = tuple(c.value for c in self.cells(field))
            if texts:
                out[field] = texts if golden.rule.label == "union" else texts[0]
        return out

    def explain(self, field: str) -> Explanation:
        """Why the field has this value: the rule, what was kept and what was rejected, with record, source, time."""
        golden = self.table.field(field)
        cells = self.cells(field)
        kept = {c.value for c in cells}
        records = self.table.records
        rejected = tuple(
            Rejected(value, records.record_id[row], records.sources[records.source[row]], when(records.time, row))
            for row, _, value in self._found(field)
            if value not in kept
        )
        return Explanation(
            field, golden.rule.label, tuple(f for f in golden.rule.fields if f != field), cells, rejected
        )

    @property
    def identifiers(self) -> tuple[Identifier, ...]:
        """Every phone, e-mail, handle and identifier of the customer, whatever the plan keeps, most supported first."""
        out = []
        for field in self.table.identifier_fields:
            carriers: dict[str, list[int]] = {}
            for row, _, value in self._found(field):
                carriers.setdefault(value, []).append(row)
            for value, rows in sorted(carriers.items(), key=lambda item: (-len(set(item[1])), item[0])):
                codes = np.unique(self.table.records.source[rows]).tolist()
                out.append(
                    Identifier(field, value, tuple(self.table.records.sources[c] for c in codes), len(set(rows)))
                )
        return tuple(out)

    @property
    def records(self) -> tuple[Record, ...]:
        """Records behind the profile, as they were read."""
        return tuple(self.table.records[row] for row in self.table.members[self.code].tolist())

    def export(self) -> list[dict[str, str]]:
        """Return the records behind the profile as the dicts that were read."""
        return [dict(record.fields) for record in self.records]

    def _shown(self) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = []
        for field in self.fields:
            for best in self.cells(field)[:1]:
                more = len(self.cells(field)) - 1
                value = mask(best.value) + (f" (+{more})" if more else "")
                row = {"field": field, "value": value, "source": best.source, "time": _day(best.time)}
                rows.append({**row, "strategy": best.strategy})
        return rows

    def __repr__(self) -> str:
        filled = f"{len(self._shown())} of {len(self.fields)} fields"
        return f"Profile({self.customer_id}, {len(self.record_ids)} records of {len(self.sources)} sources, {filled})"

    def __str__(self) -> str:
        lines = [f"  {r['field']}: {r['value']}  [{r['source']}, {r['time']}, {r['strategy']}]" for r in self._shown()]
        return "\n".join([repr(self), *lines])

    def _repr_html_(self) -> str:
        return html_table(self._shown(), caption=escape(self.customer_id), limit=40)


def unknown_customer(given: str, known: int) -> UnknownName:
    """Error for a customer id that the table does not hold; ids are no secret, but a list of all would not help."""
    return UnknownName("customer", given, (f"one of {known} customer ids, see profiles.customers.ids",))
