"""Arrow tables and columns of numpy: what a kernel sees, the same on one machine and on many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore.errors import WrongType

__all__ = ["Columns", "coded", "columns_of", "gathered", "table_of"]

Columns = dict[str, NDArray[Any]]


def columns_of(table: Any) -> Columns:
    """Columns of an Arrow table or batch.

    Numbers, truths and instants (UTC, datetime64[us]) are arrays of their type; text and the rest are objects. Missing
    is NaN among numbers, NaT among instants, None among objects; truths with a missing one are objects.

    Examples
    --------
    >>> import pyarrow as pa
    >>> columns_of(pa.table({"who": ["a", None], "n": [1, None]}))
    {'who': array(['a', None], dtype=object), 'n': array([ 1., nan])}
    """
    return {name: _array(table.column(i)) for i, name in enumerate(table.schema.names)}


def _array(column: Any) -> NDArray[Any]:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_timestamp(kind):
        return np.asarray(column.cast(pa.timestamp("us")).to_numpy(zero_copy_only=False)).astype("datetime64[us]")
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind) or pa.types.is_date(kind):
        return np.asarray(column.to_numpy(zero_copy_only=False))
    out = np.empty(len(column), object)
    out[:] = column.to_pylist()
    return out


def coded(column: Any) -> tuple[NDArray[np.int64], list[Any]]:
    """Codes of a chunked Arrow column, -1 where it is null, and the value of each code."""
    found = column.combine_chunks().dictionary_encode()
    if hasattr(found, "combine_chunks"):  # a column too long for one array stays in chunks
        found = found.combine_chunks()
    return np.asarray(found.indices.fill_null(-1).to_numpy(), np.int64), found.dictionary.to_pylist()


def table_of(columns: Any, schema: Any = None, *, kernel: str = "the kernel") -> Any:
    """Arrow table of what a kernel returned: a mapping of equally long columns, cast to `schema` where one is given."""
    import pyarrow as pa

    if not isinstance(columns, Mapping):
        hint = 'return {"customer": ids, "value": numbers}, one array per column'
        raise WrongType(f"result of {kernel}", f"a {type(columns).__name__}", "a mapping of columns", hint)
    arrays = {name: _arrow(cells) for name, cells in columns.items()}
    if schema is None:
        return pa.table(arrays)
    if set(arrays) != set(schema.names):
        hint = "return the same columns for every batch, also for an empty one"
        raise WrongType(f"result of {kernel}", f"columns {sorted(arrays)}", f"columns {sorted(schema.names)}", hint)
    return pa.table({name: arrays[name] for name in schema.names}).cast(schema)


def _arrow(cells: Any) -> Any:
    import pyarrow as pa

    if isinstance(cells, np.ndarray) and cells.dtype.kind == "M" and cells.dtype != np.dtype("datetime64[D]"):
        return pa.array(cells.astype("datetime64[us]"), pa.timestamp("us", tz="UTC"))
    return pa.array(cells)


def gathered(batches: Iterable[Any], rows: int) -> Iterator[Any]:
    """Tables of at least `rows` rows, the last one of what is left: small batches cost a call each."""
    import pyarrow as pa

    held: list[Any] = []
    size = 0
    for batch in batches:
        held.append(batch)
        size += batch.num_rows
        if size >= rows:
            yield pa.Table.from_batches(held).combine_chunks()
            held, size = [], 0
    if size:
        yield pa.Table.from_batches(held).combine_chunks()
