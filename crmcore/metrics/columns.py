"""What every column of observations must be before anything is estimated from it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import BadRow, BadRows, OutOfRange

__all__ = ["codes_of", "is_missing", "numbers", "observed", "pairs_observed"]

Floats = NDArray[np.float64]


def numbers(values: ArrayLike, name: str = "values", /) -> Floats:
    """A column as floats, with NaN where a value is missing (None, NaN, pandas.NA); infinity and text are refused.

    Examples
    --------
    >>> numbers([1, None, True])
    array([ 1., nan,  1.])
    """
    column = np.asarray(values)
    if column.dtype == object:
        listed = column.ravel().tolist()
        column = np.array([np.nan if is_missing(v) else v for v in listed]).reshape(column.shape)
    if column.dtype.kind not in "bifu":
        raise OutOfRange(f"type of {name}", str(column.dtype), "numbers", "convert text and money to numbers first")
    if column.ndim != 1:
        raise OutOfRange(f"shape of {name}", column.shape, "one column", "pass one value a row")
    floats = column.astype(np.float64)
    endless = np.flatnonzero(np.isinf(floats))
    if len(endless):
        raise BadRows(name, (BadRow(name, "infinite", tuple(endless.tolist())),), "use NaN for values that are missing")
    return floats


def is_missing(cell: object) -> bool:
    """Whether a cell is None, NaN or pandas.NA.

    Examples
    --------
    >>> is_missing(None), is_missing(float("nan")), is_missing("")
    (True, True, False)
    """
    try:
        return cell is None or bool(cell != cell)
    except TypeError:
        return True  # pandas.NA refuses the question


def observed(values: ArrayLike, name: str = "values", /) -> Floats:
    """Values that are there, as floats: NaN and None are left out, infinity and text are refused.

    Examples
    --------
    >>> observed([1, None, 3])
    array([1., 3.])
    """
    column = numbers(values, name)
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
    a, b = numbers(first, names[0]), numbers(second, names[1])
    if len(a) != len(b):
        hint = "row i of both columns must be the same customer; two separate groups are compared with compare(a, b)"
        raise OutOfRange(f"length of {names[1]}", len(b), f"{len(a)}, as of {names[0]}", hint)
    there = ~(np.isnan(a) | np.isnan(b))
    return a[there], b[there]


def codes_of(labels: ArrayLike, n: int, name: str, /) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """Codes 0..k-1 of a column of labels and their names; None and NaN are refused.

    Examples
    --------
    >>> codes_of(["b", "a", "b"], 3, "clusters")
    (array([1, 0, 1]), ('a', 'b'))
    """
    column = np.asarray(labels)
    if column.shape != (n,):
        raise OutOfRange(f"shape of {name}", column.shape, f"({n},), one label a row", f"pass {name} of the same rows")
    if column.dtype.kind in "Of":
        missing = tuple(i for i, v in enumerate(column.tolist()) if is_missing(v))
        if missing:
            rows = BadRow(name, "missing", missing)
            raise BadRows(name, (rows,), "give rows without a label one of their own, or leave them out")
    if column.dtype == object:
        column = column.astype(str)
    found, codes = np.unique(column, return_inverse=True)
    return codes, tuple(str(x) for x in found)
