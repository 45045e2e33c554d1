"""Rows that a kernel cannot take: found one by one, named by their place, all in one error."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import BadRow, BadRows, DuplicateIds
from crmcore.spark.columns import coded

__all__ = ["Fault", "attempt", "bad_rows"]

AT = "_at"  # where a row was read: partition << 33 | row
ROW_BITS = 33
MOST = 1000  # faults that one batch tells: beyond, the input is of the wrong kind
_HINT = "mend these rows or leave them out, and run again"


@attrs.frozen
class Fault:
    """A row that a kernel refused: where it was read, the column and the reason, without its values."""

    at: int
    column: str
    reason: str


def attempt(
    kernel: Callable[[Any], Any], table: Any, group: NDArray[Any], *, name: str = "the kernel"
) -> tuple[Any, list[Fault]]:
    """Run a kernel on a table; where it refuses, find out which rows are to blame.

    Parameters
    ----------
    kernel : table -> anything
    table : Arrow table with the column `_at`, which the kernel does not see
    group : (n,) numbers: rows of one group stand together and stay together
    name : of the kernel

    Returns
    -------
    the result, or None and the faults
    """
    at = np.asarray(table.column(AT).to_numpy())
    try:
        return kernel(table.drop_columns([AT])), []
    except BadRows as error:
        rows = [(p, i) for p in error.problems for i in p.positions if i < len(at)]
        if rows:
            return None, [Fault(int(at[i]), p.column, p.reason) for p, i in rows][:MOST]
        return None, [Fault(int(at[0]), "row", str(error.problems[0].reason))]
    except DuplicateIds as error:
        return None, [Fault(int(at[i]), "record id", "repeated id") for i in error.positions][:MOST]
    except Exception as error:  # noqa: BLE001  # a kernel may be anybody's: what it raises is told with its place
        reason = f"{name} raised {type(error).__name__}"
    starts = np.flatnonzero(np.concatenate([[True], group[1:] != group[:-1]]))
    if len(starts) < 2:
        return None, [Fault(int(at[0]), "row", reason)]
    middle = int(starts[len(starts) // 2])
    faults: list[Fault] = []
    for part in (slice(0, middle), slice(middle, len(group))):
        if len(faults) < MOST:
            faults += attempt(kernel, table.slice(part.start, part.stop - part.start), group[part], name=name)[1]
    return None, faults or [Fault(int(at[0]), "row", f"{reason} on many rows, on none of them alone")]


def groups(column: Any) -> NDArray[Any]:
    """(n,) number of each value of a sorted Arrow column."""
    return coded(column)[0]


def written(faults: Sequence[Fault]) -> str:
    """Faults as text, to travel in a column."""
    return json.dumps([attrs.astuple(f) for f in faults])


def read(texts: Sequence[str]) -> list[Fault]:
    """Faults of many batches, in the order of their places."""
    return sorted((Fault(*f) for text in texts for f in json.loads(text)), key=lambda f: (f.at, f.column))


def bad_rows(where: str, faults: Sequence[Fault], place: Callable[[int], tuple[str, int]]) -> BadRows:
    """One error for all faults; `place` turns where a row was read into the name of a part and the row in it."""
    told: dict[tuple[str, str, str], list[int]] = {}
    for f in faults:
        part, row = place(f.at)
        told.setdefault((part, f.column, f.reason), []).append(row)
    problems = tuple(BadRow(f"{part}, {column}", reason, tuple(rows)) for (part, column, reason), rows in told.items())
    return BadRows(where, problems, _HINT)
