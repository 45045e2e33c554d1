"""Cells as they were read: text for matching, and the type of each, so that an export gives back what came in."""

from __future__ import annotations

import datetime as dt
import decimal
import json
from collections.abc import Mapping, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.tables import RecordTable, TextColumn

__all__ = ["SourceTable", "columns_of", "encode", "export_records", "rows_of", "stack", "text_of"]

_ABSENT, _NONE, _STR, _INT, _FLOAT, _BOOL, _DATE, _DATETIME, _JSON, _OTHER, _DECIMAL = range(11)
_CODES: dict[type, int] = {
    type(None): _NONE,
    str: _STR,
    int: _INT,
    float: _FLOAT,
    bool: _BOOL,
    dt.date: _DATE,
    dt.datetime: _DATETIME,
    list: _JSON,
    tuple: _JSON,
    dict: _JSON,
    decimal.Decimal: _DECIMAL,
}


class _Absent:
    """A key that a record does not have, which is not the same as a key without value."""


ABSENT = _Absent()
_CODES[_Absent] = _ABSENT


@attrs.frozen(eq=False, repr=False)
class SourceTable(RecordTable):
    """A `RecordTable` that remembers which cells each source had and of which type they were.

    `cell_types[name][i]` is a small code of the type of cell i; `fields[s]` names the columns of source s in order.
    """

    cell_types: Mapping[str, NDArray[np.int8]] = attrs.field(factory=dict)
    fields: tuple[tuple[str, ...], ...] = ()

    def __repr__(self) -> str:
        return f"SourceTable({len(self)} records, {len(self.sources)} sources, columns {list(self.columns)})"


def text_of(cell: object) -> str | None:
    """Text of one cell that is not a string: whole floats lose their ".0", dates become ISO, lists become JSON."""
    if cell is None or isinstance(cell, _Absent):
        return None
    if isinstance(cell, float):
        return None if cell != cell else str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, dt.date | dt.datetime):
        return cell.isoformat()
    if isinstance(cell, list | tuple | dict):
        return json.dumps(cell, ensure_ascii=False, default=str)
    word = str(cell)
    return None if word in {"NaT", "nan", "<NA>"} else word


def encode(cells: Sequence[object]) -> tuple[TextColumn, NDArray[np.int8]]:
    """Encode one column: text by distinct value, and the type of every cell.

    Missing are None, NaN, NaT, absent keys and empty text; blanks alone count as text here and go in normalisation.

    Examples
    --------
    >>> column, types = encode(["ann", 7, 7.0, None])
    >>> column.to_list(), types.tolist()
    (['ann', '7', '7', None], [2, 3, 4, 1])
    """
    seen = set(map(type, cells))
    unlisted = seen - _CODES.keys()
    if unlisted:
        cells = [c.item() if isinstance(c, np.generic) else c for c in cells]
        seen = set(map(type, cells))
    if len(seen) == 1:
        types = np.full(len(cells), _CODES.get(next(iter(seen)), _OTHER), np.int8)
    else:
        look = _CODES.get
        types = np.fromiter((look(type(c), _OTHER) for c in cells), np.int8, len(cells))
    if seen == {dt.datetime} or seen == {dt.date}:
        cells = [c.isoformat() for c in cells]  # type: ignore[attr-defined]
    elif not seen <= {str, type(None)}:
        cells = [c if type(c) is str else text_of(c) for c in cells]
    types.flags.writeable = False
    return _coded(cells), types  # type: ignore[arg-type]  # only text and None are left


def _coded(cells: Sequence[str | None]) -> TextColumn:
    """`TextColumn.of` in two passes that never leave C."""
    place: dict[str | None, int] = dict.fromkeys(cells, -1)
    place.pop(None, None)
    place.pop("", None)
    values = tuple(place)
    place = dict(zip(values, range(len(values)), strict=True))
    place[None] = place[""] = -1
    codes = np.fromiter(map(place.__getitem__, cells), np.int32, len(cells))
    codes.flags.writeable = False
    return TextColumn(codes, values)  # type: ignore[arg-type]  # None was taken out


def stack(
    parts: Sequence[tuple[TextColumn, NDArray[np.int8]] | None], counts: Sequence[int]
) -> tuple[TextColumn, NDArray[np.int8]]:
    """One column of several sources below each other; a source without it (None) has `counts` absent cells.

    Examples
    --------
    >>> column, types = stack([encode(["ann"]), None, encode(["bo", "ann"])], [1, 2, 2])
    >>> column.to_list(), types.tolist()
    (['ann', None, None, 'bo', 'ann'], [2, 0, 0, 2, 2])
    """
    if len(parts) == 1 and parts[0] is not None:
        return parts[0]
    held = [p for p in parts if p is not None]
    codes, types = np.full(sum(counts), -1, np.int32), np.full(sum(counts), _ABSENT, np.int8)
    seen: dict[str, int] = {}
    begin = 0
    for part, n in zip(parts, counts, strict=True):
        if part is not None:
            text = part[0]
            if len(held) > 1:
                to = np.empty(len(text.values) + 1, np.int32)
                to[-1] = -1
                to[:-1] = np.fromiter((seen.setdefault(v, len(seen)) for v in text.values), np.int32, len(text.values))
                codes[begin : begin + n] = to[text.codes]
            else:
                codes[begin : begin + n] = text.codes
            types[begin : begin + n] = part[1]
        begin += n
    codes.flags.writeable = types.flags.writeable = False
    return TextColumn(codes, tuple(seen) if len(held) > 1 else held[0][0].values), types


def _back(word: str | None, kind: int) -> object:
    """Cell of the type that was read."""
    if kind == _STR:
        return word or ""
    if word is None:
        return float("nan") if kind == _FLOAT else None
    if kind == _INT:
        return int(word)
    if kind == _FLOAT:
        return float(word)
    if kind == _BOOL:
        return word == "True"
    if kind == _DATE:
        return dt.date.fromisoformat(word)
    if kind == _DATETIME:
        return dt.datetime.fromisoformat(word)
    if kind == _DECIMAL:
        return decimal.Decimal(word)
    return json.loads(word) if kind == _JSON else word


def rows_of(table: RecordTable, source: int) -> NDArray[np.intp]:
    """Positions of the records of one source."""
    return np.flatnonzero(table.source == source)


def columns_of(table: RecordTable, source: int) -> tuple[str, ...]:
    """Columns that one source had; for a table built by hand, those in which it has any value."""
    if isinstance(table, SourceTable) and table.fields:
        return table.fields[source]
    if len(table.sources) == 1:
        return tuple(table.columns)
    rows = rows_of(table, source)
    return tuple(name for name, column in table.columns.items() if bool((column.codes[rows] >= 0).any()))


def export_records(table: RecordTable, *, source: str | None = None) -> list[dict[str, object]]:
    """Give back the records that were read, as dicts equal to them.

    Parameters
    ----------
    table : RecordTable
        From `read`: cells come back with the type they had, absent keys stay absent. A table made otherwise gives
        text and None.
    source : str, optional
        Only the records of this source.

    Returns
    -------
    list of dicts, in the order read. Tuples come back as lists; types that JSON does not know come back as text.

    Examples
    --------
    >>> from crmcore.idic.identify.readers import read
    >>> export_records(read([{"name": "Ann", "age": 7}, {"name": "Bo"}]))
    [{'name': 'Ann', 'age': 7}, {'name': 'Bo'}]
    """
    keep = np.arange(len(table)) if source is None else rows_of(table, _source_code(table, source))
    out: list[dict[str, object]] = [{} for _ in keep]
    kinds = table.cell_types if isinstance(table, SourceTable) else {}
    for name, column in table.columns.items():
        cells = TextColumn(column.codes[keep], column.values).to_list()
        types = kinds[name][keep].tolist() if name in kinds else None
        for i, cell in enumerate(cells):
            if types is None:
                out[i][name] = cell
            elif types[i] != _ABSENT:
                out[i][name] = _back(cell, types[i])
    return out


def _source_code(table: RecordTable, source: str) -> int:
    from crmcore.errors import UnknownName

    if source not in table.sources:
        raise UnknownName("source", source, table.sources)
    return table.sources.index(source)
