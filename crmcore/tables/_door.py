"""What every table's door does: read columns by name, check each cell once, report all bad rows in one error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from crmcore._frames import Frame, masked_samples
from crmcore.errors import BadRow, BadRows, CurrencyMismatch, MissingColumn, NaiveDatetime, OutOfRange, UnknownName
from crmcore.tables.columns import CustomerIndex, TextColumn
from crmcore.values import Money, minor_digits
from crmcore.zones import zone_of

__all__ = ["NO_AMOUNT", "Door", "codes", "frozen", "instants", "integers", "reals", "same_length", "text_map"]

NO_AMOUNT = int(np.iinfo(np.int64).min)
"""Amount of a row that has none, as NaT is the time of a row that has none; never 0, which is an amount."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAT = int(np.iinfo(np.int64).min)


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Read-only view of an array; the caller's array stays writeable."""
    view = array.view()
    view.flags.writeable = False
    return view


def codes(value: Any) -> NDArray[np.int32]:
    """Converter of a code column."""
    return frozen(np.asarray(value, np.int32))


def integers(value: Any) -> NDArray[np.int64]:
    """Converter of an integer column."""
    return frozen(np.asarray(value, np.int64))


def reals(value: Any) -> NDArray[np.float64]:
    """Converter of a column of numbers, NaN = missing."""
    return frozen(np.asarray(value, np.float64))


def instants(value: Any) -> NDArray[np.datetime64]:
    """Converter of a column of instants in UTC, NaT = missing."""
    return frozen(np.asarray(value, "datetime64[us]"))


def text_map(value: Mapping[str, TextColumn]) -> Mapping[str, TextColumn]:
    """Converter of named text columns: a copy, so that the caller's mapping may change."""
    return dict(value)


def same_length(where: str, n: int, columns: Mapping[str, Any]) -> None:
    """Refuse columns that do not have one cell per row."""
    odd = {name: len(c) for name, c in columns.items() if len(c) != n}
    if odd:
        name, m = next(iter(odd.items()))
        raise OutOfRange(f"{where}.{name}", f"{m} rows", f"{n} rows", "give every column one cell per row")


class Door:
    """One reading of one frame: problems are collected, `close` raises them together."""

    def __init__(self, frame: Frame, where: str, *, zone: str | ZoneInfo | None = None) -> None:
        self.frame = frame
        self.where = where
        self.zone = None if zone is None else zone_of(zone)
        self.used: set[str] = set()
        self._problems: list[BadRow] = []
        self._hints: list[str] = []

    def __len__(self) -> int:
        return len(self.frame)

    def has(self, name: str | None, default: str) -> bool:
        """Whether an optional column is there; one that the caller named himself must be."""
        if name is None or (name == default and name not in self.frame.columns):
            return False
        self._need(name)
        return True

    def _need(self, name: str) -> str:
        if name not in self.frame.columns:
            raise MissingColumn(name, self.frame.columns)
        self.used.add(name)
        return name

    def problem(self, column: str, reason: str, rows: NDArray[np.intp] | list[int], hint: str) -> None:
        """Keep one reason for refusing rows."""
        listed = [int(r) for r in rows]
        if listed:
            cells = self.frame.column(column) if column in self.frame.columns else []
            samples = masked_samples(cells[r] for r in listed[:50] if cells)
            self._problems.append(BadRow(column, reason, tuple(listed), samples))
            self._hints.append(hint)

    def close(self) -> None:
        """Raise what was found, all at once."""
        if self._problems:
            raise BadRows(self.where, tuple(self._problems), "; ".join(dict.fromkeys(self._hints)))

    def text(self, name: str) -> TextColumn:
        """Column of text; cells with no text form are bad rows."""
        try:
            found, values = self.frame.text(self._need(name))
        except BadRows as error:
            self._problems.extend(error.problems)
            self._hints.append(error.hint)
            return TextColumn.empty(len(self.frame))
        return TextColumn(frozen(found), values)

    def optional_text(self, name: str | None, default: str) -> TextColumn:
        """Column of text, or all missing where the frame has none."""
        return self.text(str(name)) if self.has(name, default) else TextColumn.empty(len(self.frame))

    def words(self, name: str | None, default: str, allowed: Iterable[str]) -> TextColumn:
        """Column of words from a closed list."""
        column = self.optional_text(name, default)
        known = tuple(allowed)
        odd = [i for i, v in enumerate(column.values) if v not in known]
        if odd:
            error = UnknownName(str(name), column.values[odd[0]], known)
            hint = str(error).rpartition("hint: ")[2]
            self.problem(str(name), f"not one of {list(known)}", np.flatnonzero(np.isin(column.codes, odd)), hint)
        return column

    def rest(self, named: Iterable[str] | None) -> dict[str, TextColumn]:
        """Columns that become attributes: those named, or all that nothing else used."""
        names = [c for c in self.frame.columns if c not in self.used] if named is None else list(named)
        return {name: self.text(name) for name in names}

    def required(self, column: str, missing: NDArray[np.bool_], hint: str) -> None:
        """Refuse rows where a required cell is missing."""
        told = {row for p in self._problems if p.column == column for row in p.positions}
        self.problem(column, "missing", [r for r in np.flatnonzero(missing).tolist() if r not in told], hint)

    def customers(self, name: str, index: CustomerIndex | None) -> tuple[NDArray[np.int32], CustomerIndex]:
        """Codes of customers; without an index one is made, in the sorted order of the ids."""
        column = self.text(name)
        index = CustomerIndex.of(column.values) if index is None else index
        to = np.append(index.codes(column.values), np.int32(-1))
        found = to[column.codes].astype(np.int32)
        strange = np.flatnonzero((found < 0) & (column.codes >= 0))
        self.problem(name, "customers that the index does not know", strange, "pass customers=index.extended(ids)")
        return frozen(found), index

    def times(self, name: str, *, required: bool) -> NDArray[np.datetime64]:
        """Instants in UTC; a naive column is refused unless the call states its zone."""
        series = self.frame.series(self._need(name))
        micros = _fast_micros(series, self.zone) if series is not None else None
        if micros is None:
            micros = self._slow_micros(name)
        if required:
            self.required(name, micros == _NAT, "drop the rows, or give them a time")
        return frozen(micros.view("datetime64[us]"))

    def _slow_micros(self, name: str) -> NDArray[np.int64]:
        def read(cell: object) -> int | str:
            found = _instant(cell, self.zone)
            return (found - _EPOCH) // _US if isinstance(found, datetime) else found

        cells = self.frame.column(name)
        known, refused = _each(cells, read, _NAT)
        naive = refused.pop(_NAIVE, [])
        if naive and len(naive) == sum(c is not None for c in cells):
            raise NaiveDatetime(f"column {name!r}", "state the zone in which it was written: zone='Asia/Bangkok'")
        self.problem(name, _NAIVE, naive, "state the zone in which it was written: zone='Asia/Bangkok'")
        for reason, rows in refused.items():
            self.problem(name, reason, rows, "write times as aware datetimes or ISO 8601 text")
        return np.fromiter(known, np.int64, len(cells))

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Numbers; NaN = missing."""
        series = self.frame.series(self._need(name))
        if series is not None and series.dtype.is_numeric() and not series.dtype.is_decimal():
            import narwhals.stable.v2 as nw

            plain = series.cast(nw.Float64).fill_null(float("nan")).to_numpy()
            return frozen(np.asarray(plain, np.float64))
        cells = self.frame.column(name)
        known, refused = _each(cells, _number, float("nan"))
        for reason, rows in refused.items():
            self.problem(name, reason, rows, "write numbers, or text such as '1234.5' without separators")
        return frozen(np.fromiter(known, np.float64, len(cells)))

    def whole(self, name: str) -> NDArray[np.int64]:
        """Whole numbers; NO_AMOUNT = missing."""
        number = self.numbers(name)
        self.problem(name, "not a whole number", np.flatnonzero(number % 1 > 0), "give integers")
        out = np.full(len(number), NO_AMOUNT, np.int64)
        ok = np.isfinite(number)
        out[ok] = np.rint(number[ok]).astype(np.int64)
        return out

    def currency(self, stated: str | None, column: str | None) -> str | None:
        """The one currency of the table."""
        found = {stated} if stated else set()
        if column is not None and self.has(column, "currency"):
            found |= set(self.text(column).values)
        if len(found) > 1:
            first, second, *_ = sorted(found)
            raise CurrencyMismatch(first, second)
        for unit in found:
            return Money(0, unit).currency  # refuses what is no currency
        return None

    def amounts(self, amount: str | None, minor: str | None, currency: str | None) -> NDArray[np.int64]:
        """Minor units from a column in minor or in major units; more decimals than the currency has are bad rows."""
        in_minor = self.has(minor, "amount_minor")
        if not in_minor and not self.has(amount, "amount"):
            return frozen(np.full(len(self.frame), NO_AMOUNT, np.int64))
        if currency is None:
            raise MissingColumn("currency", self.frame.columns, "the frame, nor stated in the call as currency='THB',")
        if in_minor:
            return frozen(self.whole(str(minor)))
        digits = minor_digits(currency)
        scaled = self.numbers(str(amount)) * 10.0**digits
        near = np.rint(scaled)
        off = np.abs(scaled - near) > 1e-4  # a float keeps 11 digits before this
        self.problem(
            str(amount),
            f"more than {digits} decimals in {currency}",
            np.flatnonzero(off),
            "round the way your books do",
        )
        out = np.full(len(near), NO_AMOUNT, np.int64)
        ok = np.isfinite(near)
        out[ok] = near[ok].astype(np.int64)
        return frozen(out)


_NAIVE = "naive datetimes"
_US = timedelta(microseconds=1)


def _each(cells: list[object], read: Callable[[object], Any], missing: Any) -> tuple[list[Any], dict[str, list[int]]]:
    """Read each distinct cell once; text that `read` returns is the reason to refuse the cell."""
    known: dict[object, Any] = {}
    out: list[Any] = []
    refused: dict[str, list[int]] = {}
    for i, cell in enumerate(cells):
        if cell is None:
            out.append(missing)
            continue
        try:
            found = known.get((type(cell), cell))
            if found is None:
                found = known[type(cell), cell] = read(cell)
        except TypeError:  # a list in a cell
            found = f"{type(cell).__name__} where one value is expected"
        if isinstance(found, str):
            refused.setdefault(found, []).append(i)
            found = missing
        out.append(found)
    return out, refused


def _number(cell: object) -> float | str:
    if isinstance(cell, bool) or not isinstance(cell, int | float | Decimal | str):
        return f"{type(cell).__name__} where a number is expected"
    try:
        return float(Decimal(cell.strip()) if isinstance(cell, str) else cell)
    except (InvalidOperation, OverflowError):
        return "text that spells no number" if isinstance(cell, str) else "too large"


def _instant(cell: object, zone: ZoneInfo | None) -> datetime | str:
    """Aware datetime of a cell, or the reason why it has none."""
    if isinstance(cell, str):
        try:
            cell = datetime.fromisoformat(cell.strip())
        except ValueError:
            return "text that is no ISO 8601 time"
    if isinstance(cell, date) and not isinstance(cell, datetime):
        cell = datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001
    if not isinstance(cell, datetime):
        return f"{type(cell).__name__} where a time is expected"
    if cell.utcoffset() is None:
        if zone is None:
            return _NAIVE
        # in the hour that a zone repeats the first one is meant; in the hour that it skips, the clock before the jump
        cell = cell.replace(tzinfo=zone)
    return cell


def _fast_micros(series: Any, zone: ZoneInfo | None) -> NDArray[np.int64] | None:
    """Microseconds since 1970 of a datetime column, or None where cells must be read one by one."""
    import narwhals.stable.v2 as nw

    if series.dtype == nw.Date:
        series = series.cast(nw.Datetime("us"))
    if not isinstance(series.dtype, nw.Datetime):
        return None
    if series.dtype.time_zone is None and zone is None:
        return None
    raw = series.dt.timestamp("us").to_numpy()
    empty = series.is_null().to_numpy()
    wall = np.full(len(raw), _NAT, np.int64)
    wall[~empty] = raw[~empty].astype(np.int64)
    if series.dtype.time_zone is not None:
        return wall
    minutes, where = np.unique(wall[~empty] // 60_000_000, return_inverse=True)
    shift = np.fromiter((_offset_us(int(m), zone) for m in minutes), np.int64, len(minutes))
    wall[~empty] -= shift[where]
    return wall


def _offset_us(minute: int, zone: ZoneInfo | None) -> int:
    """Offset from UTC of the wall clock at a minute since 1970; zones change on whole minutes."""
    local = datetime(1970, 1, 1, tzinfo=zone) + timedelta(minutes=minute)
    offset = local.utcoffset()
    return 0 if offset is None else offset // _US
