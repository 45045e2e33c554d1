"""Cells of tables as values, and values as cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore.errors import CurrencyMismatch
from crmcore.tables._door import NO_AMOUNT
from crmcore.tables.columns import CustomerIndex, TextColumn
from crmcore.values import Money

__all__ = ["amounts_out", "attribute_columns", "cell_map", "ids_out", "micros", "money", "one_currency", "when"]


def when(time: NDArray[np.datetime64], row: int) -> datetime | None:
    """Aware datetime of one row, None where it is missing."""
    at = time[row].item()
    return at.replace(tzinfo=UTC) if isinstance(at, datetime) else None


def micros(times: Iterable[datetime | None]) -> NDArray[np.datetime64]:
    """Column of instants."""
    return np.array([None if t is None else t.astimezone(UTC).replace(tzinfo=None) for t in times], "datetime64[us]")


def money(amount_minor: NDArray[np.int64], row: int, currency: str | None) -> Money | None:
    """Amount of one row, None where it has none."""
    amount = int(amount_minor[row])
    return None if amount == NO_AMOUNT or currency is None else Money(amount, currency)


def one_currency(amounts: Iterable[Money | None]) -> str | None:
    """The currency that all amounts share."""
    found = sorted({a.currency for a in amounts if a is not None})
    if len(found) > 1:
        raise CurrencyMismatch(found[0], found[1])
    return found[0] if found else None


def cell_map(columns: Mapping[str, TextColumn], row: int) -> dict[str, str]:
    """Cells of one row by name, missing ones left out."""
    return {name: cell for name, column in columns.items() if (cell := column[row]) is not None}


def attribute_columns(rows: Sequence[Mapping[str, str]]) -> dict[str, TextColumn]:
    """Columns of what rows carry by name."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: TextColumn.of([row.get(name) for row in rows]) for name in names}


def ids_out(customer: NDArray[np.int32], customers: CustomerIndex) -> list[str | None]:
    """Customer ids of rows, None where nobody knows."""
    return list(np.array([*customers.ids, None], dtype=object)[customer])


def amounts_out(amount_minor: NDArray[np.int64], currency: str | None) -> dict[str, list[Any]]:
    """Amount and currency as columns to write, none where no row has an amount."""
    given = amount_minor != NO_AMOUNT
    if not given.any():
        return {}
    amounts = [a if g else None for a, g in zip(amount_minor.tolist(), given.tolist(), strict=True)]
    return {"amount_minor": amounts, "currency": [currency if g else None for g in given.tolist()]}
