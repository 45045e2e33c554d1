"""Facts of a frame: one row per customer, read once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from crmcore._frames import read_frame
from crmcore.errors import DuplicateIds, OutOfRange, UnknownName
from crmcore.rules.fact_table import Cells, MoneyColumn, cells_of
from crmcore.tables import CustomerIndex
from crmcore.tables._door import Door
from crmcore.values.words import YES_OR_NO

__all__ = ["HELD", "read_facts"]

HELD = ("number", "money", "time", "text", "flag")


def read_facts(
    frame: Any,
    *,
    customer: str,
    columns: Mapping[str, str] | None,
    currency: str | None,
    zone: str | ZoneInfo | None,
) -> tuple[CustomerIndex, dict[str, Cells]]:
    """Index and columns of a frame, in the sorted order of the ids."""
    door = Door(read_frame(frame), "FactTable", zone=zone)
    code, index = door.customers(customer, None)
    missing = np.flatnonzero(code < 0)
    door.problem(customer, "a row without a customer", missing, "name the customer of every row")
    wanted = _wanted(door, customer) if columns is None else dict(columns)
    made: dict[str, Cells] = {}
    for name, held in wanted.items():
        if held not in HELD:
            raise UnknownName("sort of column", held, HELD)
        made[name] = _column(door, name, held, currency)
    door.close()
    if len(index) != len(code):
        again = np.flatnonzero(np.bincount(code, minlength=len(index))[code] > 1)
        hint = "facts have one row per customer; what happened several times is events"
        raise DuplicateIds("FactTable", len(code) - len(index), tuple(again.tolist()), hint)
    order = np.argsort(code, kind="stable")
    return index, {name: cells.take(order) for name, cells in made.items()}


def _wanted(door: Door, customer: str) -> dict[str, str]:
    """What every other column holds, by its first known cell."""
    return {name: _held(door.frame.column(name)) for name in door.frame.columns if name != customer}


def _held(cells: list[Any]) -> str:
    for cell in cells:
        if cell is None or cell != cell or cell == "":
            continue
        if isinstance(cell, bool | np.bool_):
            return "flag"
        if isinstance(cell, int | float | Decimal | np.number):
            return "number"
        return "time" if isinstance(cell, date) else "text"
    return "text"


def _column(door: Door, name: str, held: str, currency: str | None) -> Cells:
    if held == "text":
        return cells_of(door.text(name), name)
    if held == "time":
        listed = door.frame.column(name)
        if all(c is None or type(c) is date for c in listed):  # days have no zone: midnight UTC, as alone
            return cells_of(listed, name)
        return cells_of(door.times(name, required=False), name)
    if held == "money":
        if currency is None:
            hint = "name the currency of the money columns: currency='THB'"
            raise OutOfRange("currency", currency, "three capital letters", hint)
        return cells_of(MoneyColumn(door.amounts(name, None, currency), currency), name)
    return _flags(door, name) if held == "flag" else cells_of(door.numbers(name), name)


def _flags(door: Door, name: str) -> Cells:
    text = door.text(name)
    words = [YES_OR_NO.get(w.strip().casefold()) for w in text.values]
    bad: NDArray[np.bool_] = np.array([*(w is None for w in words), False])[text.codes]
    door.problem(name, "neither yes nor no", np.flatnonzero(bad), "write true or false, and leave unknown ones empty")
    return cells_of([None if c < 0 else words[c] for c in text.codes.tolist()], name)
