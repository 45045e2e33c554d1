"""Doors of the measures that take columns: every bad row named at once, every frame written one way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import BadRow, BadRows, EmptyInput, NaiveDatetime, OutOfRange, UnknownName, WrongType

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Instants = NDArray[np.datetime64]

_LIBRARIES = ("polars", "pandas", "pyarrow")


def columns_frame(columns: Mapping[str, Sequence[Any] | NDArray[Any]], *, backend: Any = None) -> Any:
    """Frame of columns, in the library named or the first of polars, pandas, pyarrow that is installed."""
    from crmcore._frames import write_frame

    if backend is None:
        backend = next((name for name in _LIBRARIES if find_spec(name)), None)
        if backend is None:
            raise UnknownName("installed frame library", "none", _LIBRARIES)
    return write_frame(columns, backend=backend)


def same_length(where: str, **columns: NDArray[Any] | None) -> int:
    """Number of rows that all columns have; None is no column."""
    given = {name: len(column) for name, column in columns.items() if column is not None}
    first, n = next(iter(given.items()))
    for name, length in given.items():
        if length != n:
            raise OutOfRange(f"len({name})", length, f"{n}, as {first}", f"give {where} one entry a row in each column")
    return n


def refuse(where: str, hint: str, **bad: tuple[Bools, str]) -> None:
    """Raise `BadRows` for the columns in which a mask is set, each with its reason."""
    problems = tuple(
        BadRow(name, reason, tuple(np.flatnonzero(mask).tolist())) for name, (mask, reason) in bad.items() if mask.any()
    )
    if problems:
        raise BadRows(where, problems, hint)


def numbers(name: str, values: ArrayLike) -> Floats:
    """One-dimensional column of floats."""
    try:
        column = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        raise WrongType(name, "not a column of numbers", "numbers, one a row", "convert text and dates first") from None
    if column.ndim != 1:
        raise OutOfRange(f"shape of {name}", column.shape, "(n,)", "pass one column")
    return column


def not_negative(where: str, **columns: Floats) -> None:
    """Refuse NaN, infinite and negative cells."""
    refuse(
        where,
        "drop these rows, or repair them: negative, NaN and infinite values mean nothing here",
        **{name: (~(np.isfinite(c) & (c >= 0)), "not a finite number from 0") for name, c in columns.items()},
    )


def truths(name: str, values: ArrayLike) -> Bools:
    """One-dimensional column of truths; 0 and 1 are read as such."""
    column = np.asarray(values)
    if column.ndim != 1:
        raise OutOfRange(f"shape of {name}", column.shape, "(n,)", "pass one column")
    if column.dtype.kind == "b":
        return np.asarray(column, np.bool_)
    if column.size == 0:
        return np.zeros(0, np.bool_)
    if column.dtype.kind not in "iuf":
        raise WrongType(name, f"{column.dtype} column", "truths, or 0 and 1", "compare first: closed == closed")
    refuse("the input", "write True or False", **{name: (~((column == 0) | (column == 1)), "neither 0 nor 1")})
    return np.asarray(column == 1)


def whole(name: str, values: ArrayLike) -> Ints:
    """One-dimensional column of whole numbers (codes, counts, minor units)."""
    column = np.asarray(values)
    if column.ndim != 1:
        raise OutOfRange(f"shape of {name}", column.shape, "(n,)", "pass one column")
    if column.dtype.kind in "iub" or column.size == 0:
        return column.astype(np.int64, copy=False)
    found = numbers(name, column)
    refuse("the input", "give integers", **{name: (~(np.isfinite(found) & (found % 1 == 0)), "not a whole number")})
    return found.astype(np.int64)


def instants(name: str, values: ArrayLike, *, missing_ok: bool = False) -> Instants:
    """One-dimensional column of instants in UTC: `datetime64`, or aware datetimes; NaT is missing."""
    column = np.asarray(values)
    if column.ndim != 1:
        raise OutOfRange(f"shape of {name}", column.shape, "(n,)", "pass one column")
    if column.dtype.kind != "M":
        column = _from_objects(name, column)
    column = np.ascontiguousarray(column.astype("datetime64[us]", copy=False))
    if not missing_ok:
        refuse("the input", "drop the rows, or give them a time", **{name: (np.isnat(column), "missing")})
    return column


def _from_objects(name: str, column: NDArray[Any]) -> Instants:
    cells = column.tolist()
    kinds = np.array([not (c is None or isinstance(c, datetime)) for c in cells], np.bool_)
    refuse("the input", "pass datetime64 in UTC or aware datetimes", **{name: (kinds, "no time")})
    if any(c is not None and c.utcoffset() is None for c in cells):
        raise NaiveDatetime(name)
    plain = [None if c is None else c.astimezone(UTC).replace(tzinfo=None) for c in cells]
    return np.array(plain, "datetime64[us]")


def instant(name: str, value: Any) -> np.datetime64:
    """One aware datetime (or `datetime64` in UTC) as `datetime64[us]`."""
    if isinstance(value, datetime):
        found: np.datetime64 = _from_objects(name, np.array([value], object))[0]
        return found
    if isinstance(value, np.datetime64) and not np.isnat(value):
        exact: np.datetime64 = value.astype("datetime64[us]")
        return exact
    raise WrongType(name, type(value).__name__, "an aware datetime", "such as datetime(2026, 3, 1, tzinfo=UTC)")


def moment(value: np.datetime64) -> datetime:
    """Aware datetime of an instant in UTC."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
        microseconds=int(value.astype("datetime64[us]").astype(np.int64))
    )


def some(what: str, n: int, hint: str) -> None:
    """Refuse an empty input."""
    if n == 0:
        raise EmptyInput(what, hint)


def held_floats(values: ArrayLike) -> Floats:
    """Read-only copy as floats: how results hold columns."""
    held = np.array(values, np.float64)
    held.flags.writeable = False
    return held


def held_whole(values: ArrayLike) -> Ints:
    """Read-only copy as whole numbers."""
    held = np.array(values, np.int64)
    held.flags.writeable = False
    return held


def held(values: ArrayLike) -> NDArray[Any]:
    """Read-only copy of any kind."""
    kept = np.array(values)
    kept.flags.writeable = False
    return kept


def _equal(first: NDArray[Any], second: NDArray[Any]) -> bool:
    return bool(np.array_equal(first, second))


SAME = attrs.cmp_using(eq=_equal)
"""Equality of columns inside attrs classes."""
