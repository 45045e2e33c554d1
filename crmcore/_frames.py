"""The one place where frames cross the door: any frame in, Python cells or dictionary codes out, any frame back.

Missing is one thing inside: `None`. At the door it has many spellings: `None`, NaN, NaT, pandas.NA, blank text, and
the words of `MISSING_WORDS`. "NA", "Null", "None" and "Nan" are left alone: Namibia, two surnames, an answer in a
survey and a given name. Pass `missing=` to read other words as missing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, time
from decimal import Decimal
from enum import Enum
from itertools import count
from typing import Any, cast
from uuid import UUID

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import mask
from crmcore.errors import BadRow, BadRows, EmptyInput, MissingColumn, WrongType

__all__ = ["MISSING_WORDS", "Coded", "Frame", "read_frame", "write_frame"]

MISSING_WORDS = ("N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NaT")
"""Text that means "missing", in exactly this spelling: what spreadsheets and `str(nan)` write."""

Cells = Sequence[Any] | NDArray[Any]

_FRAME_HINT = "pass a polars, pandas or pyarrow frame, a DuckDB relation, a dict of columns, or a list of dicts"


@attrs.frozen(eq=False, repr=False)
class Frame:
    """A frame that was read: names, length and flavour at once, each column when it is asked for.

    Examples
    --------
    >>> frame = read_frame({"city": ["bath", "N/A", None], "age": [40, float("nan"), 7]})
    >>> frame, frame.column("city"), frame.column("age")
    (Frame(3 rows, columns ['city', 'age']), ['bath', None, None], [40, None, 7])
    """

    columns: tuple[str, ...]
    backend: str | None  # "polars", "pandas", "pyarrow"; None = Python lists
    missing: frozenset[str]
    _rows: int
    _cells: Callable[[str], Cells]
    _series: Callable[[str], Any] | None = None  # the narwhals series of a column, where there is one

    def __len__(self) -> int:
        return self._rows

    def __repr__(self) -> str:
        return f"Frame({self._rows} rows, columns {list(self.columns)})"

    def _known(self, name: str) -> str:
        if name not in self.columns:
            raise MissingColumn(name, self.columns)
        return name

    def column(self, name: str) -> list[object]:
        """Cells of one column as Python objects: text as `str`, numbers, dates and the rest as they are.

        None is missing, however the frame spelled it. Raises `MissingColumn` with the nearest name.
        """
        cells = _plain(self._cells(self._known(name)))
        if not any(isinstance(c, str) for c in cells):
            return cells
        words = self.missing
        return [None if isinstance(c, str) and (c in words or not c or c.isspace()) else c for c in cells]

    def text(self, name: str) -> tuple[NDArray[np.int32], tuple[str, ...]]:
        """Dictionary-encoded text of one column: codes (n,), -1 = missing, and values in order of first appearance.

        Cells that are not text are written as text: whole floats without ".0" (a telephone number that a missing cell
        below turned into a float), dates in ISO form, bool as "true" or "false". Lists, dicts and bytes are refused:
        `BadRows` names every such row.

        Examples
        --------
        >>> codes, values = read_frame({"phone": [812345678.0, None, " ", "n/a", 5]}).text("phone")
        >>> codes.tolist(), values
        ([0, -1, -1, -1, 1], ('812345678', '5'))
        """
        codes, distinct = self._factors(self._known(name))
        if _all_text(distinct, self.missing):
            return codes, tuple(map(str, distinct))
        words = [_as_text(v, self.missing) for v in distinct]
        if any(w is _BAD for w in words):
            bad = np.flatnonzero(np.isin(codes, [i for i, w in enumerate(words) if w is _BAD]))
            kinds = sorted({type(v).__name__ for v, w in zip(distinct, words, strict=True) if w is _BAD})
            problem = BadRow(name, f"{' and '.join(kinds)} where text is expected", tuple(bad.tolist()))
            raise BadRows("the frame", (problem,), "write one text, number or date per cell; spread lists over columns")
        seen: dict[object, int] = {None: -1}
        to = np.fromiter((seen.setdefault(w, len(seen) - 1) for w in words), np.int32, len(words))
        out = to[codes] if len(words) else np.full(self._rows, -1, np.int32)
        out[codes < 0] = -1
        return out, tuple(str(w) for w in seen if w is not None)

    def series(self, name: str) -> Any:
        """Narwhals series of one column, or None where the frame was Python lists."""
        return self._series(self._known(name)) if self._series is not None else None

    def _factors(self, name: str) -> tuple[NDArray[np.int32], list[object]]:
        """Codes and distinct cells; the frame library factorises text where it can, else one dict pass does."""
        series = self.series(name)
        native: Any = series.to_native() if series is not None else None
        if hasattr(native, "dictionary_encode") and "string" in str(native.type):
            encoded = native.dictionary_encode().combine_chunks()
            encoded = encoded.chunk(0) if hasattr(encoded, "chunk") else encoded
            codes = np.asarray(encoded.indices.cast("int32").fill_null(-1).to_numpy(zero_copy_only=False), np.int32)
            return codes.copy(), encoded.dictionary.to_pylist()
        found = _by_the_library(series, native) if series is not None else None
        return _factorise(self._cells(name)) if found is None else found


def _all_text(distinct: Sequence[object], missing: Collection[str]) -> bool:
    """Whether distinct cells are text as it stands: nothing to write differently, nothing blank or missing."""
    if set(map(type, distinct)) != {str}:
        return False
    words = cast(Sequence[str], distinct)
    return not ("" in words or any(map(str.isspace, words)) or not set(missing).isdisjoint(words))


_BAD = object()  # marks a cell that has no text form


def _by_the_library(series: Any, native: Any) -> tuple[NDArray[np.int32], list[object]] | None:
    """Codes and distinct cells of a column of text by pandas or polars, or None where cells must be read one by one."""
    import narwhals.stable.v2 as nw

    if series.dtype != nw.String:
        return None
    if hasattr(native, "factorize"):  # pandas: an object column may hold anything
        try:
            codes, found = native.factorize()
        except TypeError:  # a list in a cell
            return None
        distinct = found.tolist()
        return (codes.astype(np.int32), distinct) if set(map(type, distinct)) <= {str} else None
    if not hasattr(native, "to_physical"):
        return None
    words = series.unique(maintain_order=True).drop_nulls()
    places = nw.from_native(series.cast(nw.Enum(words.to_list())).to_native().to_physical(), series_only=True)
    return places.cast(nw.Int32).fill_null(-1).to_numpy().copy(), words.to_list()


def _as_text(cell: object, missing: Collection[str]) -> object:
    """Text of a distinct cell, None where it is missing, `_BAD` where it has no text form."""
    if type(cell) is str:  # nearly every cell
        return None if not cell or cell.isspace() or cell in missing else cell
    cell = _item(cell)
    if isinstance(cell, Enum) and not isinstance(cell, str):
        cell = cell.value
    if isinstance(cell, str):  # an enum of words, numpy text
        return _as_text(str.__str__(cell) if not isinstance(cell, Enum) else str(cell.value), missing)
    if _is_missing(cell):
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, date | time):  # datetime too
        return cell.isoformat()
    return str(cell) if isinstance(cell, int | Decimal | UUID) else _BAD


def _factorise(cells: Cells) -> tuple[NDArray[np.int32], list[object]]:
    """Code cells by one pass over a dict at the speed of C; missing cells are distinct values like any other."""
    if isinstance(cells, np.ndarray):
        cells = _plain(cells)
    seen: defaultdict[object, int] = defaultdict(count().__next__)
    try:
        codes = np.fromiter(map(seen.__getitem__, cells), np.int32, len(cells))
    except TypeError:  # a list or dict in a cell: give each such cell its own code, the caller refuses it
        return _factorise_by(cells, lambda c: c if getattr(c, "__hash__", None) else (_BAD, id(c)))
    if 0 in seen or 1 in seen:  # True equals 1: keep them apart
        return _factorise_by(cells, lambda c: (isinstance(c, bool), c))
    return codes, list(seen)


def _factorise_by(cells: Cells, key: Callable[[object], object]) -> tuple[NDArray[np.int32], list[object]]:
    seen: dict[object, int] = {}
    first: list[object] = []
    codes = np.empty(len(cells), np.int32)
    for i, cell in enumerate(cells):
        codes[i] = code = seen.setdefault(key(cell), len(first))
        if code == len(first):
            first.append(cell)
    return codes, first


def _plain(cells: Cells) -> list[object]:
    """Cells as Python objects with every NaN, NaT and NA as None."""
    if isinstance(cells, np.ndarray):
        if cells.dtype.kind == "M":
            cells = cells.astype("datetime64[us]")
        cells = cells.tolist()
    try:
        # NaN and NaT are the only plain cells that differ from themselves; pandas.NA refuses the question
        return [c if c == c else None for c in map(_item, cells)]
    except (TypeError, ValueError):
        return [None if _is_missing(c) else _item(c) for c in cells]


def _item(cell: object) -> object:
    return cell.item() if isinstance(cell, np.generic) else cell


def _is_missing(cell: object) -> bool:
    try:
        return cell is None or bool(cell != cell)
    except TypeError:
        return True  # pandas.NA
    except ValueError:
        return False  # an array in a cell


def read_frame(frame: Any, *, missing: Iterable[str] = MISSING_WORDS) -> Frame:
    """Read any frame: polars, pandas, pyarrow, a DuckDB relation, a lazy frame, a dict of columns, a list of dicts.

    Parameters
    ----------
    frame
        Whatever holds named columns. A list of dicts may leave keys out: the cell is missing.
    missing
        Text that means "missing" beside blank text; the exact spelling counts.

    Raises
    ------
    WrongType
        The object holds no named columns.
    BadRows
        Columns of a dict differ in length, or an item of a list is no dict.

    Examples
    --------
    >>> read_frame([{"id": 1, "name": "Ann"}, {"id": 2}]).column("name")
    ['Ann', None]
    """
    if isinstance(frame, Frame):
        return frame
    words = frozenset(missing)
    if isinstance(frame, Mapping):
        return _from_dict(frame, words)
    if isinstance(frame, list | tuple):
        return _from_rows(frame, words)
    import narwhals.stable.v2 as nw

    try:
        native = nw.from_native(frame)
    except TypeError:
        raise WrongType("frame", f"a {type(frame).__name__}", "a frame with named columns", _FRAME_HINT) from None
    eager = native.collect() if isinstance(native, nw.LazyFrame) else native
    names = tuple(map(str, eager.columns))
    return Frame(names, eager.implementation.value, words, len(eager), lambda n: eager[n].to_list(), lambda n: eager[n])


def _from_dict(columns: Mapping[Any, Any], missing: frozenset[str]) -> Frame:
    kept: dict[str, Cells] = {}
    for name, cells in columns.items():
        if isinstance(cells, str | bytes) or not isinstance(cells, Iterable):
            raise WrongType(
                f"column {name!r}",
                f"a {type(cells).__name__}",
                "a list or array of cells",
                "wrap one row: {'name': [...]}",
            )
        kept[str(name)] = cells if isinstance(cells, list | tuple | np.ndarray) else list(cells)
    lengths = {name: len(cells) for name, cells in kept.items()}
    if len(set(lengths.values())) > 1:
        n = max(lengths.values())
        problems = tuple(
            BadRow(name, f"{m} cells where others have {n}", tuple(range(m, n))) for name, m in lengths.items() if m < n
        )
        raise BadRows("the dict of columns", problems, "give every column one cell per row, None where it is missing")
    return Frame(tuple(kept), None, missing, next(iter(lengths.values()), 0), kept.__getitem__)


def _from_rows(rows: Sequence[Any], missing: frozenset[str]) -> Frame:
    odd = [i for i, row in enumerate(rows) if not isinstance(row, Mapping)]
    if odd:
        kinds = ", ".join(sorted({type(rows[i]).__name__ for i in odd}))
        raise BadRows(
            "the list of rows", (BadRow("row", f"{kinds} where a dict is expected", tuple(odd)),), _FRAME_HINT
        )
    if not rows:
        raise EmptyInput("the list of rows", "a list of no dicts has no column names: pass a dict of empty columns")
    names = tuple(dict.fromkeys(str(k) for row in rows for k in row))
    return Frame(names, None, missing, len(rows), lambda name: [row.get(name) for row in rows])


@attrs.frozen(eq=False)
class Coded:
    """Cells of a column to be written, as codes into few distinct texts; -1 is missing."""

    codes: NDArray[np.integer]
    values: Sequence[str]

    def __len__(self) -> int:
        return len(self.codes)


def write_frame(columns: Mapping[str, Cells | Coded], *, backend: Any = None) -> Any:
    """Write columns as a frame of the flavour asked for; None is a dict of lists.

    Instants (`datetime64`) leave as aware UTC datetimes, missing cells as the flavour's own null.

    Examples
    --------
    >>> write_frame({"n": np.array([1, 2]), "at": np.array(["2026-01-01", "NaT"], "datetime64[us]")})["at"]
    [datetime.datetime(2026, 1, 1, 0, 0, tzinfo=datetime.timezone.utc), None]
    """
    if backend is None:
        return {name: _out_cells(cells) for name, cells in columns.items()}
    import narwhals.stable.v2 as nw

    made: list[nw.Series[Any]] = []
    for name, cells in columns.items():
        kind = cells.dtype.kind if isinstance(cells, np.ndarray) else "O"
        if kind in "biuf":
            series = nw.new_series(name, cells, backend=backend)
            made.append(series.fill_nan(None) if kind == "f" else series)
        elif kind == "M":
            instants = np.asarray(cells).astype("datetime64[us]")
            made.append(nw.new_series(name, instants, nw.Datetime("us"), backend=backend).dt.replace_time_zone("UTC"))
        elif isinstance(cells, Coded):
            words = nw.new_series(name, [*cells.values, None], nw.String(), backend=backend)
            made.append(words[np.where(cells.codes < 0, len(cells.values), cells.codes)])
        else:
            listed = list(cells)
            text = all(c is None or isinstance(c, str) for c in listed)
            made.append(nw.new_series(name, listed, nw.String() if text else None, backend=backend))
    # not from_dict, which drops the zone of pandas columns
    return nw.concat([s.to_frame() for s in made], how="horizontal").to_native()


def _out_cells(cells: Cells | Coded) -> list[object]:
    if isinstance(cells, Coded):
        return list(np.array([*cells.values, None], object)[cells.codes])
    if not isinstance(cells, np.ndarray):
        return list(cells)
    if cells.dtype.kind != "M":
        return list(cells.tolist())
    return [None if c is None else c.replace(tzinfo=UTC) for c in cells.astype("datetime64[us]").tolist()]


def masked_samples(cells: Iterable[object]) -> tuple[str, ...]:
    """At most five distinct cells, masked, for an error message."""
    seen: dict[str, None] = {}
    for cell in cells:
        seen.setdefault(mask(cell))
        if len(seen) == 5:
            break
    return tuple(seen)
