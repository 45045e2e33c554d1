"""A part of the last event of every customer."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.rules.fact_table import Cells

__all__ = ["Chosen", "latest_cells"]


@attrs.frozen(eq=False)
class Chosen:
    """Events of one table that a window chose, row by row."""

    customer: NDArray[np.int32]
    time_us: NDArray[np.int64]
    cells: Cells


def latest_cells(tables: Sequence[Chosen], /, *, n_customers: int) -> Cells:
    """(n_customers,) part of the last event of each, unknown where there is none.

    Of events at the same instant the one with the largest part counts (text by its letters), so that their order does
    not matter.
    """
    customer = np.concatenate([t.customer for t in tables])
    time_us = np.concatenate([t.time_us for t in tables])
    joined = _joined(tables)
    data = joined.data
    if joined.words is None:
        rank = np.where(data == data, data, -np.inf)
        known = (data == data).astype(np.int8)
    else:
        order = sorted(range(len(joined.words)), key=lambda i: str(joined.words[i]) if joined.words else "")
        place = np.full(len(joined.words) + 1, -1, np.int64)
        place[order] = np.arange(len(order))
        rank, known = place[data], (data >= 0).astype(np.int8)
    ordered = np.lexsort((rank, known, time_us, customer))
    whose = customer[ordered]
    last = ordered[np.flatnonzero(np.append(whose[1:] != whose[:-1], True))] if len(ordered) else ordered
    made = np.full(n_customers, np.nan) if joined.words is None else np.full(n_customers, -1, np.int32)
    made[customer[last]] = data[last]
    return Cells(made, joined.kind, joined.words)


def _joined(tables: Sequence[Chosen]) -> Cells:
    """Cells of all tables one after the other, texts in one dictionary."""
    kind = next((t.cells.kind for t in tables if t.cells.kind is not None), None)
    if all(t.cells.words is None for t in tables):
        spread = [np.broadcast_to(t.cells.data, t.customer.shape) for t in tables]
        return Cells(np.concatenate(spread), kind)
    words = tuple(dict.fromkeys(w for t in tables for w in t.cells.words or ()))
    position = {w: i for i, w in enumerate(words)}
    codes = []
    for t in tables:
        to = np.array([*(position[w] for w in t.cells.words or ()), -1], np.int32)
        found = t.cells.data if t.cells.words is not None else np.full(t.customer.shape, -1, np.int32)
        codes.append(np.broadcast_to(to[found], t.customer.shape))
    return Cells(np.concatenate(codes), kind, words)
