"""Reading records: any frame, lists of dicts, CSV, Parquet, JSON lines and vCards become one `RecordTable`."""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import json
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import mask
from crmcore._frames import read_frame
from crmcore.errors import BadRow, BadRows, DuplicateIds, EmptyInput, WrongType
from crmcore.idic.identify.schema import Schema
from crmcore.idic.identify.source_table import ABSENT, SourceTable, encode, rows_of, stack
from crmcore.tables import RecordTable, TextColumn

__all__ = ["read", "read_columns"]

_SUFFIXES = {".csv", ".tsv", ".txt", ".gz", ".parquet", ".pq", ".jsonl", ".ndjson", ".json", ".vcf", ".vcard"}
_Columns = Mapping[str, Sequence[object]]


def read(sources: Any, schema: Schema | None = None) -> RecordTable:
    """Read one or several sources into one table of raw records.

    Parameters
    ----------
    sources : frame, list of dicts, dict of columns, path, folder; or a sequence or mapping of those
        A mapping names its sources; files are named by their stem; others are `source1`, `source2`, ... in order, and
        one source alone is `records`. A folder means all readable files in it, in the order of their names.
        Files: CSV (delimiter and encoding are found out), Parquet (needs a frame library), JSON lines, vCard; each
        also as `.gz` except Parquet.
    schema : Schema, optional
        Says which column is the record id and which the time. Inferred where it says nothing.

    Returns
    -------
    RecordTable
        Raw text. `record_id` is `source:id`, or `source:row` (from 0) where no column identifies rows. Times are UTC;
        naive ones are read as UTC, unreadable ones are NaT.

    Errors
    ------
    EmptyInput
        No source, or no source has a row. A source without rows beside others is kept as an empty source.
    DuplicateIds, BadRows
        All repeated ids, or all broken rows of a file, at once.

    Examples
    --------
    >>> read({"members": [{"id": 7, "name": "Ann"}], "page": [{"name": "Bo"}]}).record_id.tolist()
    ['members:7', 'page:0']
    """
    table = read_columns(sources)
    bound = (schema or Schema()).bind(table)
    ids = np.empty(len(table), object)
    time = np.full(len(table), "NaT", "datetime64[us]")
    for code, name in enumerate(table.sources):
        rows = rows_of(table, code)
        column = bound.id_column(name)
        ids[rows] = (
            _ids(name, table.columns[column], rows, column) if column else [f"{name}:{i}" for i in range(len(rows))]
        )
        stamp = bound.time_column(name)
        if stamp:
            time[rows] = _times(table.columns[stamp], rows)
    ids.flags.writeable = False
    time.flags.writeable = False
    return attrs.evolve(table, record_id=ids, time=time)


def read_columns(sources: Any) -> SourceTable:
    """Read sources without deciding ids and times: rows are numbered, times are NaT."""
    named = [(name, _columns(source)) for name, source in _named(sources)]
    if not named:
        raise EmptyInput("sources", "pass at least one frame, list of dicts or path")
    counts = [len(next(iter(columns.values()), ())) for _, columns in named]
    for (name, columns), n in zip(named, counts, strict=True):
        for key, cells in columns.items():
            if len(cells) != n:
                raise WrongType(
                    f"{name}.{key}",
                    f"a column of {len(cells)} rows",
                    f"{n} rows",
                    "give every column one cell per record",
                )
    if not sum(counts):
        raise EmptyInput("every source", "pass at least one record")
    encoded: dict[str, TextColumn] = {}
    types: dict[str, NDArray[np.int8]] = {}
    for key in dict.fromkeys(k for _, c in named for k in c):
        parts = [encode(frame[key]) if key in frame else None for _, frame in named]
        encoded[key], types[key] = stack(parts, counts)
    return SourceTable(
        np.array([f"{name}:{i}" for (name, _), n in zip(named, counts, strict=True) for i in range(n)], object),
        np.repeat(np.arange(len(named), dtype=np.int32), counts),
        tuple(name for name, _ in named),
        np.full(sum(counts), "NaT", "datetime64[us]"),
        encoded,
        cell_types=types,
        fields=tuple(tuple(c) for _, c in named),
    )


def _is_path(value: object) -> bool:
    if isinstance(value, PathLike):
        return True
    return (
        isinstance(value, str)
        and "\n" not in value
        and (Path(value).suffix.lower() in _SUFFIXES or Path(value).exists())
    )


def _is_cells(value: object) -> bool:
    """Whether a value is one column: a list of plain cells, not of records."""
    listed = isinstance(value, list | tuple | np.ndarray)
    return listed and not any(isinstance(v, Mapping) or hasattr(v, "columns") for v in value[:1])  # type: ignore[index]


def _named(sources: Any) -> list[tuple[str, Any]]:
    """Tell several sources from one, and name each."""
    if _is_path(sources):
        return _files(Path(sources))
    if isinstance(sources, str | bytes):
        raise WrongType(
            "sources", "text", "a path, frame or list of dicts", "the path does not exist; check its spelling"
        )
    if isinstance(sources, Mapping):
        if not sources:
            return []
        if all(_is_cells(v) for v in sources.values()):
            return [("records", sources)]
        plain = [
            k
            for k, v in sources.items()
            if v is None or isinstance(v, int | float | bytes) or (isinstance(v, str) and not _is_path(v))
        ]
        if plain:
            raise WrongType(
                "sources", "a mapping of single values", "frames by name", "wrap one record in a list: read([record])"
            )
        return _unique(
            [
                (f"{k}" if len(part) == 1 else f"{k}_{n}", s)
                for k, v in sources.items()
                for part in [_whole(v)]
                for n, s in part
            ]
        )
    if isinstance(sources, list | tuple):
        if not sources or (isinstance(sources[0], Mapping) and not _is_several(sources)):
            return [("records", list(sources))] if sources else []
        out: list[tuple[str, Any]] = []
        for i, item in enumerate(sources):
            out += _files(Path(item)) if _is_path(item) else [(f"source{i + 1}", item)]
        return _unique(out)
    return [("records", sources)]


def _whole(value: Any) -> list[tuple[str, Any]]:
    return _files(Path(value)) if _is_path(value) else [("", value)]


def _is_several(items: Sequence[Any]) -> bool:
    """A sequence of mappings is one list of records, unless each mapping is a dict of columns."""
    return all(isinstance(i, Mapping) and i and all(_is_cells(v) for v in i.values()) for i in items)


def _unique(named: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Number the later ones of equal names."""
    seen: dict[str, int] = {}
    out = []
    for name, source in named:
        seen[name] = seen.get(name, 0) + 1
        out.append((name if seen[name] == 1 else f"{name}_{seen[name]}", source))
    return out


def _files(path: Path) -> list[tuple[str, Any]]:
    if path.is_dir():
        found = sorted(p for p in path.iterdir() if p.is_file() and p.suffix.lower() in _SUFFIXES)
        if not found:
            raise EmptyInput(f"folder {path.name!r}", "put CSV, Parquet, JSON lines or vCard files there")
        return _unique([(p.name.split(".")[0], p) for p in found])
    if not path.exists():
        raise WrongType(
            "sources",
            f"a path that does not exist ({path.name!r})",
            "a file or folder",
            "check the spelling of the path",
        )
    return [(path.name.split(".")[0], path)]


def _columns(source: Any) -> _Columns:
    """Columns of one source as lists of cells."""
    if isinstance(source, Path) or _is_path(source):
        return _file_columns(Path(source))
    if isinstance(source, Mapping):
        return {str(k): v.tolist() if isinstance(v, np.ndarray) else list(v) for k, v in source.items()}
    if isinstance(source, list | tuple):
        return _record_columns(source)
    return _frame_columns(source)


def _record_columns(records: Sequence[Any]) -> _Columns:
    """Turn dicts into columns; a key that a record lacks is remembered as absent."""
    wrong = tuple(i for i, r in enumerate(records) if not isinstance(r, Mapping))
    if wrong:
        samples = tuple(type(records[i]).__name__ for i in wrong[:5])
        raise BadRows(
            "the list of records",
            (BadRow("record", "is not a mapping", wrong, samples),),
            "pass a list of dicts, one per record",
        )
    keys = dict.fromkeys(k for r in records for k in r)
    if len(keys) != len({str(k) for k in keys}):
        raise WrongType("records", "keys of several types that read alike", "text keys", "name columns by text")
    return {str(k): [r.get(k, ABSENT) for r in records] for k in keys}


def _frame_columns(frame: Any) -> _Columns:
    """Columns of any frame that narwhals reads."""
    read = read_frame(frame, missing=())  # which words mean "missing" is decided per kind, in normalisation
    return {name: read.column(name) for name in read.columns}


def _file_columns(path: Path) -> _Columns:
    suffixes = [s.lower() for s in path.suffixes]
    kind = next((s for s in reversed(suffixes) if s != ".gz"), ".csv")
    if kind in {".parquet", ".pq"}:
        return _frame_columns(_parquet(path))
    raw = path.read_bytes()
    if suffixes and suffixes[-1] == ".gz":
        import gzip

        raw = gzip.decompress(raw)
    text = _decode(raw)
    if kind in {".jsonl", ".ndjson", ".json"}:
        return _record_columns(_json_records(text, path.name))
    if kind in {".vcf", ".vcard"}:
        from crmcore.idic.identify.vcards import read_vcards

        return _record_columns(read_vcards(text))
    return _csv_columns(text, path.name)


def _parquet(path: Path) -> Any:
    import narwhals.stable.v2 as nw

    for backend in ("polars", "pyarrow", "pandas"):
        try:
            return nw.read_parquet(str(path), backend=backend).to_native()
        except ImportError:
            continue
    hint = "install one of polars, pyarrow, pandas, or export CSV or JSON lines"
    raise WrongType(path.name, "a Parquet file without a library that reads it", "CSV, JSON lines or vCard", hint)


def _decode(raw: bytes) -> str:
    """Byte order mark, then UTF-8, then Thai or Western Windows, by which one gives letters."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    # Thai text in cp874 is runs of high bytes; Western text has single ones between ASCII letters
    high = [b >= 0xA1 for b in raw[:200_000]]
    runs = sum(a and b for a, b in itertools.pairwise(high))
    return raw.decode("cp874" if runs > 0.5 * max(sum(high), 1) else "cp1252", "replace")


def _csv_columns(text: str, where: str) -> _Columns:
    """Read delimited text; rows with too many or too few cells are all named in one error."""
    head = text[:20_000]
    first = head.split("\n", 1)[0]
    delimiter = max(",;\t|", key=lambda d: (first.count(d), d == ","))
    csv.field_size_limit(10_000_000)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    rows = [r for r in rows if r]
    if not rows:
        return {}
    names, body = [h.strip() or f"column{i + 1}" for i, h in enumerate(rows[0])], rows[1:]
    if len(set(names)) != len(names):
        again = sorted({n for n in names if names.count(n) > 1})
        raise WrongType(where, f"a file with repeated headings {again}", "each heading once", "rename the columns")
    bad = tuple(i for i, r in enumerate(body) if len(r) != len(names))
    if bad:
        samples = tuple(f"{len(body[i])} cells" for i in bad[:5])
        raise BadRows(
            where,
            (BadRow("row", f"does not have {len(names)} cells", bad, samples),),
            "quote cells that hold the delimiter",
        )
    return (
        {name: list(cells) for name, cells in zip(names, zip(*body, strict=True), strict=True)}
        if body
        else {n: [] for n in names}
    )


def _json_records(text: str, where: str) -> list[Any]:
    """JSON lines, or one JSON array of objects."""
    if text.lstrip().startswith("["):
        try:
            whole = json.loads(text)
        except json.JSONDecodeError as error:
            raise BadRows(
                where,
                (BadRow("file", f"is not JSON ({error.msg})", (error.lineno,)),),
                "write one JSON object per line",
            ) from error
        return list(whole)
    out, bad = [], []
    for i, line in enumerate(text.splitlines()):
        if line.strip():
            try:
                out.append(json.loads(line))
            except json.JSONDecodeError:
                bad.append((i, line))
    if bad:
        problem = BadRow("line", "is not JSON", tuple(i for i, _ in bad), tuple(mask(w) for _, w in bad[:5]))
        raise BadRows(where, (problem,), "write one JSON object per line")
    return out


def _ids(source: str, column: TextColumn, rows: NDArray[np.intp], name: str) -> NDArray[np.object_]:
    """Ids `source:id` of one source, each once and none missing."""
    codes = column.codes[rows]
    missing = np.flatnonzero(codes < 0)
    if len(missing):
        problem = BadRow(name, "no record id", tuple(missing.tolist()))
        raise BadRows(
            f"source {source!r}", (problem,), f"fill the ids, or leave them out: schema.override({{{name!r}: None}})"
        )
    _, first = np.unique(codes, return_index=True)
    if len(first) < len(codes):
        again = np.setdiff1d(np.arange(len(codes)), first)
        raise DuplicateIds(f"source {source!r}, column {name!r}", len(again), tuple(again.tolist()))
    out = np.empty(len(rows), object)
    out[:] = [f"{source}:{column.values[c]}" for c in codes.tolist()]
    return out


def _times(column: TextColumn, rows: NDArray[np.intp]) -> NDArray[np.datetime64]:
    stamps = np.array([_instant(v) for v in column.values] + [np.datetime64("NaT", "us")], "datetime64[us]")
    out: NDArray[np.datetime64] = stamps[column.codes[rows]]
    return out


def _instant(text: str) -> np.datetime64:
    """UTC instant of ISO text or of a Unix time in s or ms; NaT where it is neither."""
    word = text.strip()
    if word.isascii() and word.isdigit() and len(word) in {9, 10, 12, 13}:
        return np.datetime64(int(word) * (1_000_000 if len(word) < 11 else 1_000), "us")
    try:
        when = dt.datetime.fromisoformat(word)
    except ValueError:
        from crmcore.idic.identify.dates import parse_dates

        day = parse_dates([word], order="dmy")[0]
        if day is None:
            return np.datetime64("NaT", "us")
        when = dt.datetime(int(day[:4]), int(day[4:6]), int(day[6:]))  # noqa: DTZ001  # made aware below
    if when.tzinfo is not None:
        when = when.astimezone(dt.UTC).replace(tzinfo=None)
    return np.datetime64(when, "us")
