"""Plain columns and the random draws that every part of the simulated brand shares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import attrs
import numpy as np
from numpy.typing import NDArray

__all__ = ["Columns", "Frames", "children", "draw", "kept", "long_tail", "opaque_ids", "shuffled", "texts", "utc"]

Columns = dict[str, NDArray[Any]]
"""One table: column name -> (n,) array; missing text is None, a missing time is NaT, a missing number is NaN."""

Objects = NDArray[np.object_]
Ints = NDArray[np.int64]


@attrs.frozen(eq=False, repr=False)
class Frames(Mapping[str, Columns]):
    """Named tables of plain columns.

    Examples
    --------
    >>> frames = Frames({"orders": {"amount_minor": np.array([500, 900])}})
    >>> frames, frames["orders"]["amount_minor"].sum().item()
    (Frames(orders: 2 rows), 1400)
    >>> frames.to_frames("polars")["orders"].shape
    (2, 1)
    """

    tables: dict[str, Columns]

    def __getitem__(self, name: str) -> Columns:
        return self.tables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tables)

    def __len__(self) -> int:
        return len(self.tables)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name}: {len(next(iter(c.values()), ()))} rows" for name, c in self.tables.items())
        return f"Frames({sizes})"

    def to_frames(self, backend: Literal["polars", "pandas", "pyarrow"]) -> dict[str, Any]:
        """Every table as a data frame of `backend` ("polars", "pandas", "pyarrow")."""
        import narwhals.stable.v2 as nw

        def plain(column: NDArray[Any]) -> Any:
            return column.tolist() if column.dtype == object else column

        return {
            name: nw.from_dict({k: plain(v) for k, v in columns.items()}, backend=backend).to_native()
            for name, columns in self.tables.items()
        }


def children(rng: np.random.Generator, *names: str) -> dict[str, np.random.Generator]:
    """Independent generators by name: one more draw from one moves nothing in another.

    A new name goes to the end of the list, so that the earlier ones keep their streams.

    Examples
    --------
    >>> first = children(np.random.default_rng(1), "a", "b")["b"].random()
    >>> longer = children(np.random.default_rng(1), "a", "b", "c")
    >>> _ = longer["a"].random(10)
    >>> bool(longer["b"].random() == first)
    True
    """
    return dict(zip(names, rng.spawn(len(names)), strict=True))


def long_tail(n: int, *, exponent: float = 1.0, shift: float = 2.7) -> NDArray[np.float64]:
    """Weights of n ranks by the Zipf-Mandelbrot law, 1 / (rank + shift)^exponent, summing to 1.

    Examples
    --------
    >>> long_tail(2, exponent=1.0, shift=0.0).round(3).tolist()
    [0.667, 0.333]
    """
    weights = (np.arange(1, n + 1) + shift) ** -exponent
    return np.asarray(weights / weights.sum())


def draw(rng: np.random.Generator, weights: Sequence[float] | NDArray[np.float64], n: int) -> Ints:
    """Draw n positions, each with its weight: (n,) in [0, len(weights))."""
    edges = np.cumsum(np.asarray(weights, dtype=np.float64))
    codes = np.searchsorted(edges, rng.random(n) * edges[-1], side="right")
    return np.asarray(np.minimum(codes, len(edges) - 1), dtype=np.int64)


def opaque_ids(rng: np.random.Generator, n: int, *, prefix: str = "") -> Objects:
    """Distinct ids that say nothing: `prefix` and 12 hexadecimal digits."""
    numbers = rng.integers(1 << 48, size=n)
    while len(fresh := np.unique(numbers)) < n:  # a handful at most: 1 M of 2^48
        numbers = rng.permutation(np.append(fresh, rng.integers(1 << 48, size=n - len(fresh))))
    return texts([f"{prefix}{x:012x}" for x in numbers.tolist()])


def texts(cells: Sequence[str | None]) -> Objects:
    """Text cells as an object column, None where missing."""
    column = np.empty(len(cells), dtype=object)
    column[:] = cells
    return column


def kept(column: Objects, where: NDArray[np.bool_]) -> Objects:
    """The cells of the rows of `where`, None in all others; the input stays as it is."""
    column = column.copy()
    column[~where] = None
    return column


def shuffled(rng: np.random.Generator, columns: Columns) -> tuple[Columns, Ints]:
    """Rows in random order, and where each came from."""
    order = rng.permutation(len(next(iter(columns.values()))))
    return {name: column[order] for name, column in columns.items()}, order


def utc(days: NDArray[np.float64] | float, *, origin: np.datetime64) -> NDArray[np.datetime64]:
    """Instants `days` after `origin`, whole seconds, UTC; NaN becomes NaT."""
    seconds = np.asarray(days, dtype=np.float64) * 86_400
    known = np.isfinite(seconds)
    whole = np.where(known, seconds, 0).astype(np.int64).astype("timedelta64[s]")
    time = (origin.astype("datetime64[us]") + whole).astype("datetime64[us]")
    return np.where(known, time, np.datetime64("NaT", "us"))
