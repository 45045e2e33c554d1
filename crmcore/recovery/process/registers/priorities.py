"""Action priorities of failure modes by a table that the caller brings: every rating in exactly one row."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from crmcore._base import listed
from crmcore._frames import read_frame
from crmcore.documents import Document
from crmcore.errors import BadDocument, UnknownName

if TYPE_CHECKING:
    from crmcore.recovery.process.registers.fmea import Rating

__all__ = ["PriorityRow", "PriorityTable"]

_RANGE = re.compile(r"^\s*(\d+)\s*(?:(?:-|\u2013|to)\s*(\d+)\s*)?$")
_HINT = "cover each severity, occurrence and detection from 1 to 10 by exactly one row"


def _severity(value: object) -> tuple[int, int]:
    return _range(value, "severity")


def _occurrence(value: object) -> tuple[int, int]:
    return _range(value, "occurrence")


def _detection(value: object) -> tuple[int, int]:
    return _range(value, "detection")


@attrs.frozen
class PriorityRow(Document):
    """Ratings that have one priority: three ranges, ends included.

    Examples
    --------
    >>> PriorityRow("9-10", "4-5", "1", "H").severity
    (9, 10)
    """

    severity: tuple[int, int] = attrs.field(converter=_severity)
    occurrence: tuple[int, int] = attrs.field(converter=_occurrence)
    detection: tuple[int, int] = attrs.field(converter=_detection)
    priority: str


def _range(value: object, name: str) -> tuple[int, int]:
    """Ends of "9-10", of 9, or of (9, 10)."""
    if isinstance(value, int) and not isinstance(value, bool):
        low = high = value
    elif isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2:
        low, high = int(value[0]), int(value[1])
    else:
        match = _RANGE.match(str(value).removesuffix(".0"))
        if match is None:
            raise BadDocument("row of priorities", (f"{name}: {value!r} is no range",), "write 4 or '4-6'")
        low, high = int(match[1]), int(match[2] or match[1])
    low, high = min(low, high), max(low, high)
    if not 1 <= low <= high <= 10:
        raise BadDocument("row of priorities", (f"{name}: {low} to {high} is not within 1 to 10",), "write 4 or '4-6'")
    return low, high


def _rows(value: Iterable[PriorityRow]) -> tuple[PriorityRow, ...]:
    return listed(value, "rows", PriorityRow, what="rows", hint="[PriorityRow('9-10', '4-10', '1-10', 'H')]")


def _order(value: Iterable[str]) -> tuple[str, ...]:
    return listed(value, "order", str, what="names", hint="order=['H', 'M', 'L'], the most urgent first")


@attrs.frozen(repr=False)
class PriorityTable(Document):
    """Priority of each rating, from a table of yours.

    Parameters
    ----------
    rows : tuple of PriorityRow
    order : tuple of text
        Priorities, the most urgent first.

    Raises
    ------
    BadDocument
        Ratings that no row holds, or that several do, and priorities that the order does not know: all at once.

    Examples
    --------
    >>> mine = PriorityTable([
    ...     PriorityRow("9-10", "1-10", "1-10", "H"), PriorityRow("1-8", "6-10", "1-10", "M"),
    ...     PriorityRow("1-8", "1-5", "1-10", "L")], ["H", "M", "L"])
    >>> from crmcore.recovery.process.registers.fmea import Rating
    >>> mine, mine.of(Rating(8, 6, 1))
    (PriorityTable(3 rows, H > M > L), 'M')
    """

    rows: tuple[PriorityRow, ...] = attrs.field(converter=_rows)
    order: tuple[str, ...] = attrs.field(converter=_order)

    def __attrs_post_init__(self) -> None:
        count = np.zeros((11, 11, 11), np.int64)
        problems: list[str] = []
        for i, row in enumerate(self.rows):
            if row.priority not in self.order:
                problems.append(f"row {i}: " + str(UnknownName("priority", row.priority, self.order)))
            count[_box(row)] += 1
        for what, wrong in (("no row holds", count == 0), ("several rows hold", count > 1)):
            places = np.argwhere(wrong[1:, 1:, 1:]) + 1
            if len(places):
                shown = ", ".join(f"S {s} O {o} D {d}" for s, o, d in places[:3].tolist())
                problems.append(f"{what} {len(places)} of 1,000 ratings, such as {shown}")
        if problems:
            raise BadDocument("table of priorities", tuple(problems), _HINT)

    def __repr__(self) -> str:
        return f"PriorityTable({len(self.rows)} rows, {' > '.join(self.order)})"

    def of(self, rating: Rating, /) -> str:
        """Priority of a rating."""
        at = rating.severity, rating.occurrence, rating.detection
        ends = ((row, (row.severity, row.occurrence, row.detection)) for row in self.rows)
        return next(
            row.priority for row, box in ends if all(lo <= x <= hi for x, (lo, hi) in zip(at, box, strict=True))
        )

    def falling(self) -> tuple[str, ...]:
        """Places where a worse rating has a less urgent priority: most likely slips of the pen."""
        level = np.zeros((11, 11, 11), np.int64)
        for row in self.rows:
            level[_box(row)] = -self.order.index(row.priority)
        inner = level[1:, 1:, 1:]
        out: list[str] = []
        for axis, name in enumerate(("severity", "occurrence", "detection")):
            for s, o, d in (np.argwhere(np.diff(inner, axis=axis) < 0) + 1).tolist():
                out.append(f"S {s} O {o} D {d}: a higher {name} is less urgent")
        return tuple(out)

    @classmethod
    def from_frame(cls, frame: Any, /, *, order: Iterable[str]) -> PriorityTable:
        """Read columns severity, occurrence, detection (numbers or ranges such as "4-6") and priority.

        Raises
        ------
        MissingColumn, BadDocument
        """
        read = read_frame(frame)
        columns = [read.column(name) for name in ("severity", "occurrence", "detection", "priority")]
        return cls([PriorityRow(s, o, d, str(p)) for s, o, d, p in zip(*columns, strict=True)], order)


def _box(row: PriorityRow) -> tuple[slice, slice, slice]:
    s, o, d = (slice(low, high + 1) for low, high in (row.severity, row.occurrence, row.detection))
    return s, o, d
