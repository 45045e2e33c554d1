"""What every column handed to a metric must be: read once, all bad rows named at once, held and written one way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.util import find_spec
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import BadRow, BadRows, EmptyInput, NaiveDatetime, OutOfRange, UnknownName, WrongType
from crmcore.tables.columns import TextColumn

__all__ = [
    "SAME",
    "cells_of",
    "codes_of",
    "columns_frame",
    "held",
    "held_floats",
    "held_whole",
    "instant",
    "instants",
    "is_missing",
    "moment",
    "not_negative",
    "numbers",
    "observed",
    "pairs_observed",
    "people",
    "refuse",
    "same_length",
    "same_people",
    "some",
    "truths",
    "whole",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Instants = NDArray[np.datetime64]

_LIBRARIES = ("polars", "pandas", "pyarrow")


def cells_of(name: str, values: TextColumn | ArrayLike, /) -> NDArray[Any]:
    """One column of whatever kind: list, tuple, numpy, pandas, polars, pyarrow, `TextColumn`.

    Raises
    ------
    WrongType
        One value, a mapping, a set or a generator, or rows of different lengths.
    OutOfRange
        More than one dimension.

    Examples
    --------
    >>> cells_of("scores", (1, 2))
    array([1, 2])
    """
    if isinstance(values, TextColumn):
        return np.array(values.to_list(), object)
    try:
        column = np.asarray(values)
        if column.dtype.kind in "USTV" and isinstance(values, Sequence):
            column = np.array(values, object)  # or a missing cell among words would become the word "nan"
    except ValueError:
        raise WrongType(name, "rows of different lengths", "one value a row", "pass one column") from None
    if column.ndim == 0:
        kind = "None" if values is None else type(values).__name__
        raise WrongType(name, kind, "a column, one value a row", "pass a list, an array or a series")
    if column.ndim != 1:
        raise OutOfRange(f"shape of {name}", column.shape, "(n,)", "pass one column")
    return column


def is_missing(cell: object) -> bool:
    """Whether a cell is None, NaN, NaT or pandas.NA.

    Examples
    --------
    >>> is_missing(None), is_missing(float("nan")), is_missing("")
    (True, True, False)
    """
    try:
        return cell is None or bool(cell != cell)
    except TypeError:
        return True  # pandas.NA refuses the question


def numbers(name: str, values: ArrayLike, /, *, infinite_ok: bool = True) -> Floats:
    """A column as floats, with NaN where a value is missing (None, NaN, pandas.NA); text and dates are refused.

    Examples
    --------
    >>> numbers("scores", [1, None, True])
    array([ 1., nan,  1.])
    """
    column = cells_of(name, values)
    if column.dtype == object:
        column = _plain(name, column)
    if column.dtype.kind not in "bifu" and column.size:
        kind = _KINDS.get(column.dtype.kind, f"a column of {column.dtype}")
        raise WrongType(name, kind, "numbers, one a row", _CONVERT)
    floats = column.astype(np.float64)
    if not infinite_ok:
        refuse(name, "use NaN for values that are missing", **{name: (np.isinf(floats), "infinite")})
    return floats


_KINDS = {"U": "a column of text", "S": "a column of bytes", "M": "a column of dates", "c": "complex numbers"}
_CONVERT = "turn words into numbers first, dates and money too"


_NUMBERS_OR_NONE = {int, float, bool, type(None)}  # numpy turns None into NaN by itself, and fast


def _plain(name: str, column: NDArray[Any]) -> NDArray[Any]:
    """Objects as numbers: missing cells NaN, Decimals floats; anything else is named by its row."""
    if set(map(type, column.tolist())) <= _NUMBERS_OR_NONE:
        with suppress(OverflowError):  # named below
            return column.astype(np.float64)
    listed = [np.nan if is_missing(cell) else cell for cell in column.tolist()]
    odd = np.array([not isinstance(c, int | float | Decimal | np.number | np.bool_) for c in listed], np.bool_)
    if odd.all() and odd.size:
        raise WrongType(name, f"a column of {type(listed[0]).__name__}", "numbers, one a row", _CONVERT)
    refuse(name, _CONVERT, **{name: (odd, "no number")})
    try:
        return np.array(listed, np.float64)
    except OverflowError:
        raise OutOfRange(name, "a number too large", "numbers below 1.8e308", "check the unit") from None


def observed(values: ArrayLike, name: str = "values", /) -> Floats:
    """Values that are there, as floats: NaN and None are left out, infinity and text are refused.

    Examples
    --------
    >>> observed([1, None, 3])
    array([1., 3.])
    """
    column = numbers(name, values, infinite_ok=False)
    return column[~np.isnan(column)]


def pairs_observed(
    first: ArrayLike, second: ArrayLike, /, *, names: tuple[str, str] = ("first", "second")
) -> tuple[Floats, Floats]:
    """Two columns whose row i is one subject, without the rows where either value is missing.

    Examples
    --------
    >>> pairs_observed([1, 2, None], [5, None, 7])
    (array([1.]), array([5.]))
    """
    a, b = (numbers(name, column, infinite_ok=False) for name, column in zip(names, (first, second), strict=True))
    if len(a) != len(b):
        hint = "row i of both columns must be the same customer; two separate groups are compared with compare(a, b)"
        raise OutOfRange(f"length of {names[1]}", len(b), f"{len(a)}, as of {names[0]}", hint)
    there = ~(np.isnan(a) | np.isnan(b))
    return a[there], b[there]


def codes_of(labels: TextColumn | ArrayLike, n: int, name: str, /) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """Codes 0..k-1 of a column of labels and their names; None and NaN are refused.

    Examples
    --------
    >>> codes_of(["b", "a", "b"], 3, "clusters")
    (array([1, 0, 1]), ('a', 'b'))
    """
    column = cells_of(name, labels)
    if len(column) != n:
        raise OutOfRange(f"shape of {name}", column.shape, f"({n},), one label a row", f"pass {name} of the same rows")
    missing = _missing(column)
    refuse(name, "give rows without a label one of their own, or leave them out", **{name: (missing, "missing")})
    if column.dtype == object:
        column = column.astype(str)
    found, codes = np.unique(column, return_inverse=True)
    return codes, tuple(str(x) for x in found)


def people(name: str, values: TextColumn | ArrayLike, /) -> Ints:
    """Code of the person in each row, -1 where nobody is known: codes as they came, or names by their sorted order.

    Examples
    --------
    >>> people("customer", ["cyd", None, "ann", "cyd"])
    array([ 1, -1,  0,  1])
    >>> people("customer", [4, -1, 0])
    array([ 4, -1,  0])
    """
    return _same_people({name: values})[0]


def same_people(**columns: TextColumn | ArrayLike) -> tuple[Ints, ...]:
    """Codes of several columns, one person having one code in all of them; see `people`.

    Examples
    --------
    >>> same_people(viewer=["ann", "bob"], buyer=["bob"])
    (array([0, 1]), array([1]))
    """
    return _same_people(columns)


def _same_people(columns: Mapping[str, TextColumn | ArrayLike]) -> tuple[Ints, ...]:
    cells = {name: cells_of(name, column) for name, column in columns.items()}
    if all(c.dtype.kind in "iuf" or not c.size for c in cells.values()):
        coded = {name: whole(name, c) for name, c in cells.items()}
        for name, codes in coded.items():
            refuse(name, "codes count from 0; -1 is nobody known", **{name: (codes < -1, "below -1")})
        return tuple(coded.values())
    missing = np.concatenate([_missing(c) for c in cells.values()])
    together = np.concatenate([c.astype(object) for c in cells.values()])
    codes = np.full(len(together), -1, np.int64)
    codes[~missing] = np.unique(together[~missing].astype(str), return_inverse=True)[1]
    return tuple(np.split(codes, np.cumsum([len(c) for c in cells.values()])[:-1]))


def _missing(column: NDArray[Any]) -> Bools:
    if column.dtype.kind == "O":
        if set(map(type, column.tolist())) <= {str}:
            return np.zeros(len(column), np.bool_)
        return np.array([is_missing(cell) for cell in column.tolist()], np.bool_)
    if column.dtype.kind in "fcmM":
        return np.asarray(column != column)
    return np.zeros(len(column), np.bool_)


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


def not_negative(where: str, **columns: Floats) -> None:
    """Refuse NaN, infinite and negative cells."""
    refuse(
        where,
        "drop these rows, or repair them: negative, NaN and infinite values mean nothing here",
        **{name: (~(np.isfinite(c) & (c >= 0)), "not a finite number from 0") for name, c in columns.items()},
    )


def truths(name: str, values: ArrayLike) -> Bools:
    """One-dimensional column of truths; 0 and 1 are read as such."""
    column = cells_of(name, values)
    if column.dtype.kind == "b":
        return np.asarray(column, np.bool_)
    if column.dtype.kind in "USM":
        raise WrongType(name, _KINDS[column.dtype.kind], "truths, or 0 and 1", "compare first: status == 'closed'")
    if column.dtype == object and any(isinstance(cell, str) for cell in column.tolist()):
        raise WrongType(name, "a column of str", "truths, or 0 and 1", "compare first: status == 'closed'")
    found = numbers(name, column)
    refuse(name, "write True or False", **{name: (~((found == 0) | (found == 1)), "neither 0 nor 1")})
    return np.asarray(found == 1)


def whole(name: str, values: ArrayLike) -> Ints:
    """One-dimensional column of whole numbers (codes, counts, minor units)."""
    column = cells_of(name, values)
    if column.dtype.kind in "ib":
        return column.astype(np.int64, copy=False)
    found = numbers(name, column)
    fits = np.isfinite(found) & (np.abs(found) < 2.0**63)
    refuse(name, "give integers", **{name: (~(fits & (np.floor(found) == found)), "not a whole number")})
    return found.astype(np.int64)


def instants(name: str, values: ArrayLike, *, missing_ok: bool = False) -> Instants:
    """One-dimensional column of instants in UTC: `datetime64`, or aware datetimes; NaT is missing."""
    column = cells_of(name, values)
    if column.dtype.kind != "M":
        column = _from_objects(name, column)
    column = np.ascontiguousarray(column.astype("datetime64[us]", copy=False))
    if not missing_ok:
        refuse(name, "drop the rows, or give them a time", **{name: (np.isnat(column), "missing")})
    return column


def _from_objects(name: str, column: NDArray[Any]) -> Instants:
    cells = [None if is_missing(c) else c for c in column.tolist()] if column.dtype == object else column.tolist()
    kinds = np.array([not (c is None or isinstance(c, datetime)) for c in cells], np.bool_)
    refuse(name, "pass datetime64 in UTC or aware datetimes", **{name: (kinds, "no time")})
    if any(c is not None and c.utcoffset() is None for c in cells):
        raise NaiveDatetime(name)
    plain = [None if c is None else c.astimezone(UTC).replace(tzinfo=None) for c in cells]
    return np.array(plain, "datetime64[us]")


def instant(name: str, value: Any) -> np.datetime64:
    """One aware datetime (or `datetime64` in UTC) as `datetime64[us]`."""
    if isinstance(value, datetime) and not is_missing(value):
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


def _equal(first: NDArray[Any] | None, second: NDArray[Any] | None) -> bool:
    if first is None or second is None:
        return first is second
    return bool(np.array_equal(first, second, equal_nan=first.dtype.kind == second.dtype.kind == "f"))


SAME = attrs.cmp_using(eq=_equal)
SAME.__doc__ = "Equality of columns inside attrs classes; a value that is missing in both is the same."
