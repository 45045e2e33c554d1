"""Daily roll-ups: counts and sums a local day, addable, so that late events correct their own day and no other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, number_text
from crmcore.errors import OutOfRange, UnknownName
from crmcore.metrics.columns import (
    SAME,
    cells_of,
    codes_of,
    columns_frame,
    held,
    held_whole,
    instant,
    instants,
    moment,
    numbers,
    refuse,
    same_length,
)
from crmcore.metrics.days import Period, check_period, local_periods, period_ends, period_starts
from crmcore.tables import TextColumn
from crmcore.zones import zone_of

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["RollUp", "roll_up"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@attrs.frozen(kw_only=True, repr=False, hash=False)
class RollUp:
    """Events counted and summed by local day (week, month) and label.

    Attributes
    ----------
    number : (m,) of the period, and label : (m,) text
        Together distinct, in sorted order; one row each. See `days.local_periods`.
    count : (m,) events
    total : (m,) sums of the values
        Whole numbers stay whole (minor units); 0 where there were no values.
    watermark : instant, optional
        All events before it are there; periods that end later are provisional. None: nobody vouches for any.
    period, zone : text

    Examples
    --------
    >>> night = np.array(["2026-03-01T16:30", "2026-03-01T17:30"], "datetime64[us]")
    >>> day = roll_up(night, zone="Asia/Bangkok", watermark=np.datetime64("2026-03-02"))
    >>> print(day)
    2026-03-01  1  final
    2026-03-02  1  provisional
    >>> print(day + roll_up(night[:1], zone="Asia/Bangkok"))
    2026-03-01  2  final
    2026-03-02  1  provisional
    """

    number: Ints = attrs.field(converter=held_whole, eq=SAME)
    label: NDArray[np.str_] = attrs.field(converter=held, eq=SAME)
    count: Ints = attrs.field(converter=held_whole, eq=SAME)
    total: Ints | Floats = attrs.field(converter=held, eq=SAME)
    watermark: datetime | None = None
    period: Period = "day"
    zone: str = "UTC"

    def __attrs_post_init__(self) -> None:
        check_period(self.period)
        n = len(self.number)
        for name in ("label", "count", "total"):
            if len(getattr(self, name)) != n:
                raise OutOfRange(f"len({name})", len(getattr(self, name)), f"{n}, as number", "one entry a row")

    def __len__(self) -> int:
        return len(self.number)

    def __repr__(self) -> str:
        return f"RollUp({len(self)} rows by {self.period}, {int(self.count.sum())} events, {self.zone})"

    def __str__(self) -> str:
        rows = zip(self.starts, self.label.tolist(), self.count.tolist(), self.final.tolist(), strict=True)
        shown = [f"{day}  {label}  {n}  {_state(ok)}".replace("    ", "  ") for day, label, n, ok in rows]
        return "\n".join(shown[:40] + ([f"... {len(shown) - 40} more"] if len(shown) > 40 else []))

    @property
    def starts(self) -> list[date]:
        """First local day of each row's period."""
        return period_starts(self.number, period=self.period)

    @property
    def final(self) -> Bools:
        """(m,) whether a row's period ended at or before the watermark."""
        if self.watermark is None or len(self) == 0:
            return np.zeros(len(self), np.bool_)
        periods, where = np.unique(self.number, return_inverse=True)
        over: Bools = period_ends(periods, self.zone, period=self.period) <= instant("watermark", self.watermark)
        return over[where]

    @property
    def hours(self) -> Floats:
        """(m,) length of each row's period: a day of 23 or 25 hours makes rates a day unequal."""
        periods, where = np.unique(self.number, return_inverse=True)
        ends = period_ends(np.concatenate([periods, periods - 1]), self.zone, period=self.period).astype(np.float64)
        lasted: Floats = (ends[: len(periods)] - ends[len(periods) :]) / 3.6e9
        return lasted[where]

    def __add__(self, other: RollUp) -> RollUp:
        """Events of both, where none stands in both; the later watermark holds."""
        if (self.period, self.zone) != (other.period, other.zone):
            got = (other.period, other.zone)
            raise OutOfRange("period, zone", got, f"{(self.period, self.zone)}, as in the first", "roll up alike")
        marks = [m for m in (self.watermark, other.watermark) if m is not None]
        label = np.concatenate([self.label, other.label])
        names, codes = np.unique(label, return_inverse=True)
        number = np.concatenate([self.number, other.number])
        count, total = np.concatenate([self.count, other.count]), np.concatenate([self.total, other.total])
        number, code, count, total = _group(number, codes, count, total, len(names))
        mark = max(marks) if marks else None
        return attrs.evolve(self, number=number, label=names[code], count=count, total=total, watermark=mark)

    def changed_since(self, earlier: RollUp) -> list[tuple[date, str]]:
        """Rows (period, label) whose count or total differ from an earlier roll-up: what late events corrected.

        Examples
        --------
        >>> at = np.array(["2026-03-01T10:00", "2026-03-02T10:00"], "datetime64[us]")
        >>> before = roll_up(at, zone="UTC")
        >>> (before + roll_up(at[:1], zone="UTC")).changed_since(before)
        [(datetime.date(2026, 3, 1), '')]
        """
        then = earlier._cells()
        now = self._cells()
        keys = sorted(key for key in then.keys() | now.keys() if then.get(key, (0, 0)) != now.get(key, (0, 0)))
        starts = period_starts([number for number, _ in keys], period=self.period)
        return [(day, label) for day, (_, label) in zip(starts, keys, strict=True)]

    def _cells(self) -> dict[tuple[int, str], tuple[int, float]]:
        rows = zip(*(c.tolist() for c in (self.number, self.label, self.count, self.total)), strict=True)
        return {(number, label): (n, total) for number, label, n, total in rows}

    def of(self, label: str) -> RollUp:
        """Rows of one label."""
        if label not in self.label:
            raise UnknownName("label", label, tuple(np.unique(self.label).tolist()))
        kept = self.label == label
        return attrs.evolve(
            self, number=self.number[kept], label=self.label[kept], count=self.count[kept], total=self.total[kept]
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        columns = {name: getattr(self, name).tolist() for name in ("number", "label", "count", "total")}
        mark = None if self.watermark is None else self.watermark.isoformat()
        return {**columns, "watermark": mark, "period": self.period, "zone": self.zone}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> RollUp:
        """Read what `to_dict` wrote."""
        mark = fields["watermark"]
        return cls(
            number=fields["number"],
            label=np.array(fields["label"], np.str_),
            count=fields["count"],
            total=np.array(fields["total"], None if fields["total"] else np.int64),
            watermark=None if mark is None else datetime.fromisoformat(mark),
            period=fields["period"],
            zone=fields["zone"],
        )

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a period and label: start, label, count, total, hours, state ("final" or "provisional")."""
        words = {"start": self.starts, "label": self.label.tolist()}
        numbers = {"count": self.count, "total": self.total, "hours": self.hours}
        return columns_frame({**words, **numbers, "state": [_state(ok) for ok in self.final.tolist()]}, backend=backend)

    def chart(self, *, of: str = "count", title: str = "") -> Chart:
        """A line of the counts (or "total") a label."""
        from crmcore.charts import line

        if of not in ("count", "total"):
            raise UnknownName("column", of, ("count", "total"))
        several = len(set(self.label.tolist())) > 1
        values = self.count if of == "count" else self.total
        return line(
            self.starts,
            values.tolist(),
            series=self.label.tolist() if several else None,
            title=title or f"{of} by {self.period}",
            description=f"{of} by {self.period} on the clock of {self.zone}",
        )

    def _repr_html_(self) -> str:
        columns = (self.starts, self.label.tolist(), self.count.tolist(), self.total.tolist(), self.final.tolist())
        rows = [
            {"start": day, "label": label, "count": n, "total": number_text(total), "state": _state(ok)}
            for day, label, n, total, ok in zip(*columns, strict=True)
        ]
        return html_table(rows, caption=repr(self))


def _state(final: bool) -> str:
    return "final" if final else "provisional"


def _group(
    number: Ints, code: NDArray[np.integer], count: Ints | None, total: NDArray[Any] | None, width: int
) -> tuple[Ints, Ints, Ints, NDArray[Any]]:
    """Rows by period and code: (m,) number, code, and summed count (of rows where None) and total (0 where None)."""
    first = int(number.min()) if len(number) else 0
    key = (number - first) * width + code
    cells = int(key.max()) + 1 if len(key) else 0
    if cells <= 4 * len(key) + 1024:  # few cells: a counting sort
        there = np.bincount(key, minlength=cells) > 0
        place, where = np.flatnonzero(there), (np.cumsum(there) - 1)[key]
    else:
        place, where = np.unique(key, return_inverse=True)
    counts = np.bincount(where, minlength=len(place)) if count is None else _exact_sums(where, count, len(place))
    totals = np.zeros(len(place), np.int64) if total is None else _exact_sums(where, total, len(place))
    return place // width + first, place % width, counts.astype(np.int64), totals


def _exact_sums(where: NDArray[np.intp], values: NDArray[Any], n: int) -> NDArray[Any]:
    """Sums by place; whole numbers stay exact where a float could not hold them."""
    if values.dtype.kind == "f":
        return np.bincount(where, weights=values, minlength=n)
    if len(values) == 0 or float(np.abs(values).max()) * len(values) < 2**53:
        return np.rint(np.bincount(where, weights=values, minlength=n)).astype(np.int64)
    sums = np.zeros(n, np.int64)
    np.add.at(sums, where, values)
    return sums


def roll_up(
    time: ArrayLike,
    values: ArrayLike | None = None,
    *,
    zone: str | ZoneInfo,
    labels: TextColumn | ArrayLike | None = None,
    period: Period = "day",
    watermark: datetime | np.datetime64 | None = None,
) -> RollUp:
    """Count events, and sum their values, by local day.

    Parameters
    ----------
    time : (n,) instants
        When events happened (not when they arrived): `datetime64` in UTC or aware datetimes.
    values : (n,) numbers, optional
        What is summed, such as `amount_minor`; whole numbers stay whole.
    zone : text or ZoneInfo
        Whose midnight ends a day; days of 23 and 25 hours are right, and `hours` says which they are.
    labels : TextColumn or (n,) text, optional
        Channel, touchpoint, brand: rolled up apart. None is one label "", as is a missing cell of a `TextColumn`.
    period : text
        "day" (default), "week" from Monday, "month".
    watermark : instant, optional
        All events before it are there.

    Returns
    -------
    RollUp
        `a + b` of two batches is the roll-up of both, so a late batch corrects just the days its events belong to.

    Raises
    ------
    UnknownName, OutOfRange, BadRows
        An unknown zone or period; columns of two lengths; missing times, values that are not finite.

    Examples
    --------
    >>> at = np.array(["2026-03-01T10:00", "2026-03-01T12:00", "2026-03-02T10:00"], "datetime64[us]")
    >>> days = roll_up(at, [500, 250, 900], zone="Europe/Berlin")
    >>> days.count.tolist(), days.total.tolist(), days
    ([2, 1], [750, 900], RollUp(2 rows by day, 3 events, Europe/Berlin))
    """
    check_period(period)
    place, at = zone_of(zone), instants("time", time)
    amounts = None if values is None else cells_of("values", values)
    if amounts is not None and amounts.dtype.kind not in "iu":
        amounts = numbers("values", amounts)
        refuse("roll_up", "leave events without a value out", values=(~np.isfinite(amounts), "not a finite number"))
    n = same_length("roll_up", time=at, values=amounts)
    codes, names = _labels(labels, n)
    whole = amounts.astype(np.int64, copy=False) if amounts is not None and amounts.dtype.kind in "iu" else amounts
    rows = _group(local_periods(at, place, period=period), codes, None, whole, len(names))
    mark = None if watermark is None else moment(instant("watermark", watermark))
    number, code, count, total = rows
    return RollUp(
        number=number, label=names[code], count=count, total=total, watermark=mark, period=period, zone=place.key
    )


def _labels(labels: TextColumn | ArrayLike | None, n: int) -> tuple[NDArray[np.integer], NDArray[np.str_]]:
    """Codes (n,) and their names."""
    if labels is None:
        return np.zeros(n, np.int64), np.array([""])
    if isinstance(labels, TextColumn):
        same_length("roll_up", time=np.empty(n), labels=labels.codes)
        names = np.array(["", *labels.values])
        order = np.argsort(names, kind="stable")
        rank = np.empty(len(names), np.int64)
        rank[order] = np.arange(len(names))
        return rank[labels.codes + 1], names[order]
    codes, found = codes_of(labels, n, "labels")
    return codes, np.array(found or ("",))
