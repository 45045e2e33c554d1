"""Columns of events that sessions look at: who, which kind, which attribute."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import MissingColumn, OutOfRange, WrongType
from crmcore.tables import EventTable, TextColumn

__all__ = ["has_kind", "text_of_events", "visitors_of"]

Bools = NDArray[np.bool_]


def text_of_events(events: EventTable, name: str) -> TextColumn:
    """Attribute of events, or one of the table's own columns of text."""
    own = {"reference": events.reference, "channel": events.channel, "touchpoint": events.touchpoint}
    found = events.attributes.get(name, own.get(name))
    if found is None:
        raise MissingColumn(name, (*events.attributes, *own), "the attributes of events")
    return found


def visitors_of(events: EventTable, visitor: str | ArrayLike | None) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """(n,) codes of visitors in the sorted order of their names, and the names where there are any."""
    if visitor is None:
        return events.customer, ()
    if isinstance(visitor, str):
        column = text_of_events(events, visitor)
        order = sorted(range(len(column.values)), key=column.values.__getitem__)
        to = np.full(len(order) + 1, -1, np.int32)
        to[order] = np.arange(len(order), dtype=np.int32)
        return to[column.codes], tuple(column.values[i] for i in order)
    codes = np.asarray(visitor)
    if codes.dtype.kind not in "iu" and codes.size:
        raise WrongType("visitor", f"an array of {codes.dtype}", "codes from 0, -1 = unknown", "or name an attribute")
    if codes.shape != (len(events),):
        raise OutOfRange("visitor", codes.shape, f"({len(events)},), one code a row", "or name an attribute")
    if codes.size and not -1 <= int(codes.min()) <= int(codes.max()) < 2**31:
        raise OutOfRange("visitor", int(codes.min()), "codes from -1 to 2147483647", "factorise the ids first")
    return codes.astype(np.int32), ()


def has_kind(kind: TextColumn, kinds: tuple[str, ...]) -> Bools:
    """(n,) rows of one of these words.

    Examples
    --------
    >>> has_kind(TextColumn.of(["view", None, "order"]), ("view", "order")).tolist()
    [True, False, True]
    """
    wanted = np.array([*(value in kinds for value in kind.values), False], np.bool_)
    return wanted[kind.codes]
