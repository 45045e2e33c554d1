"""Records of source systems, raw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._frames import MISSING_WORDS, read_frame, write_frame
from crmcore.errors import DuplicateIds, EmptyInput
from crmcore.tables._door import Door, codes, instants, same_length, text_map
from crmcore.tables.columns import TextColumn
from crmcore.values import Record

__all__ = ["RecordTable"]


def _ids(value: Any) -> NDArray[np.object_]:
    return np.asarray(value, object)


@attrs.frozen(eq=False, repr=False)
class RecordTable:
    """Records of one or more sources as they were read: row i of every column is the same record.

    `record_id` is unique over all sources, written `source:id`; `time` is when the record was made or last changed
    (UTC, NaT where unknown). Columns keep the raw text; several sources' columns of one name are one column.

    Examples
    --------
    >>> shop = RecordTable.from_frame({"no": [17], "e_mail": ["ann@example.org"]}, source="shop", record_id="no")
    >>> desk = RecordTable.from_frame([{"e_mail": None, "phone": "081 234 5678"}], source="desk")
    >>> both = RecordTable.stack([shop, desk])
    >>> both, both.record_id.tolist(), both.columns["e_mail"].to_list()
    (RecordTable(2 records, 2 sources, columns ['e_mail', 'phone']), ['shop:17', 'desk:0'], ['ann@example.org', None])
    """

    record_id: NDArray[np.object_] = attrs.field(converter=_ids)  # (n,)
    source: NDArray[np.int32] = attrs.field(converter=codes)  # (n,) code into sources
    sources: tuple[str, ...]
    time: NDArray[np.datetime64] = attrs.field(converter=instants)  # (n,) datetime64[us], NaT = unknown
    columns: Mapping[str, TextColumn] = attrs.field(converter=text_map)
    backend: str | None = None  # flavour of the frame that was read

    def __attrs_post_init__(self) -> None:
        same_length("RecordTable", len(self), {"source": self.source, "time": self.time, **self.columns})
        first: dict[object, int] = {}
        again = tuple(i for i, name in enumerate(self.record_id.tolist()) if first.setdefault(name, i) != i)
        if again:
            raise DuplicateIds("records", len(again), again)

    def __len__(self) -> int:
        return len(self.record_id)

    def __repr__(self) -> str:
        return f"RecordTable({len(self)} records, {len(self.sources)} sources, columns {list(self.columns)})"

    def __getitem__(self, row: int) -> Record:
        at = self.time[row].item()
        cells = {name: cell for name, column in self.columns.items() if (cell := column[row]) is not None}
        time = None if at is None else at.replace(tzinfo=UTC)
        return Record(str(self.record_id[row]), self.sources[self.source[row]], cells, time)

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        source: str = "records",
        record_id: str | None = None,
        time: str | None = None,
        columns: Sequence[str] | None = None,
        zone: str | ZoneInfo | None = None,
        missing: Iterable[str] = MISSING_WORDS,
    ) -> RecordTable:
        """Read the records of one source.

        Parameters
        ----------
        frame
            Any frame, a dict of columns, or a list of dicts.
        source
            Name of the source system; it begins every record id.
        record_id
            Column of ids, unique within the source; None numbers the rows from 0.
        time
            Column of instants at which records were made or last changed; None where nobody knows.
        columns
            Columns to keep; None keeps all that are neither id nor time.
        zone
            Zone in which times without offset were written; without it they are refused.
        missing
            Text that means "missing", in exactly this spelling.

        Raises
        ------
        MissingColumn
            The frame lacks a named column; the nearest name is proposed.
        BadRows
            Cells that no text or time can be read from, all at once.
        DuplicateIds
            One id on several rows.
        """
        door = Door(read_frame(frame, missing=missing), f"source {source!r}", zone=zone)
        n = len(door)
        if record_id is None:
            ids = np.array([f"{source}:{i}" for i in range(n)], object)
        else:
            column = door.text(record_id)
            door.required(record_id, column.codes < 0, "give every record an id, or leave record_id out")
            ids = np.array([f"{source}:{v}" for v in column.to_list()], object)
        at = np.full(n, "NaT", "datetime64[us]") if time is None else door.times(time, required=False)
        kept = door.rest(columns)
        door.close()
        return cls(ids, np.zeros(n, np.int32), (source,), at, kept, door.frame.backend)

    @classmethod
    def of(cls, values: Iterable[Record]) -> RecordTable:
        """Build a table from records; what a record leaves out is missing."""
        rows = list(values)
        names = tuple(dict.fromkeys(name for row in rows for name in row.fields))
        sources = tuple(sorted({row.source for row in rows}))
        at = [None if row.time is None else row.time.astimezone(UTC).replace(tzinfo=None) for row in rows]
        return cls(
            np.array([row.record_id for row in rows], object),
            np.array([sources.index(row.source) for row in rows], np.int32),
            sources,
            np.array(at, "datetime64[us]"),
            {name: TextColumn.of([row.fields.get(name) for row in rows]) for name in names},
        )

    @classmethod
    def stack(cls, tables: Sequence[RecordTable]) -> RecordTable:
        """Put tables below each other; columns of one name become one column, a source keeps its name."""
        if not tables:
            raise EmptyInput("the list of tables", "pass at least one table")
        sources = tuple(dict.fromkeys(s for t in tables for s in t.sources))
        names = tuple(dict.fromkeys(name for t in tables for name in t.columns))
        code = [np.array([sources.index(s) for s in t.sources] or [0], np.int32)[t.source] for t in tables]
        return cls(
            np.concatenate([t.record_id for t in tables]),
            np.concatenate(code),
            sources,
            np.concatenate([t.time for t in tables]),
            {name: _joined([t.columns.get(name) or TextColumn.empty(len(t)) for t in tables]) for name in names},
            next((t.backend for t in tables if t.backend), None),
        )

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> RecordTable:
        """Select rows by position or mask; dictionaries are shared."""
        columns = {name: c.take(rows) for name, c in self.columns.items()}
        return RecordTable(
            self.record_id[rows], self.source[rows], self.sources, self.time[rows], columns, self.backend
        )

    def to_frame(self, backend: Any = None) -> Any:
        """Write one row per record, in the flavour that was read unless `backend` names another."""
        names = np.array(self.sources, object)
        return write_frame(
            {
                "record_id": self.record_id.tolist(),
                "source": names[self.source].tolist() if len(names) else [],
                "time": self.time,
                **{name: c.to_list() for name, c in self.columns.items()},
            },
            backend=backend or self.backend,
        )


def _joined(parts: Sequence[TextColumn]) -> TextColumn:
    """One column of several, below each other, on one dictionary."""
    seen: dict[str, int] = {}
    out = []
    for part in parts:
        to = np.fromiter((seen.setdefault(v, len(seen)) for v in part.values), np.int32, len(part.values))
        out.append(np.append(to, np.int32(-1))[part.codes])
    return TextColumn(codes(np.concatenate(out)), tuple(seen))
