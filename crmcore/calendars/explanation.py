"""Why a deadline falls where it does: every counted and every skipped span, with its reason."""

from __future__ import annotations

import abc
import enum
from bisect import bisect_right
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import attrs

from crmcore._base import html_table, number_text
from crmcore._frames import write_frame
from crmcore.calendars.table import OpenTable
from crmcore.calendars.windows import WEEKDAYS, Span, to_spans
from crmcore.zones import DAY, MINUTE, from_us, offset_table

if TYPE_CHECKING:
    from crmcore.calendars.calendar import BusinessCalendar
    from crmcore.charts import Chart

__all__ = ["DeadlineExplanation", "ElapsedExplanation", "SpanReason", "TimeExplanation", "TimeSpan", "explain_spans"]


class SpanReason(enum.StrEnum):
    """Why a span counts or not."""

    OPEN = "open"
    BREAK = "break between windows"
    OVERNIGHT = "closed overnight"
    WEEKEND = "weekend"
    CLOSED_DAY = "closed weekday"
    HOLIDAY = "holiday"
    SPECIAL_DAY = "special day"
    CLOCK_CHANGE = "clock change"
    NEW_VERSION = "new version of the calendar"


@attrs.frozen
class TimeSpan:
    """A span of real time that counts or not; a change of the clock or of the calendar is a span of no length."""

    start: datetime
    end: datetime
    reason: SpanReason
    detail: str = ""

    @property
    def counted(self) -> bool:
        """Whether its minutes are business minutes."""
        return self.reason is SpanReason.OPEN

    @property
    def minutes(self) -> float:
        """Real minutes from start to end."""
        return (self.end - self.start) / timedelta(minutes=1)

    def __str__(self) -> str:
        what = f"{self.reason}: {self.detail}" if self.detail else f"{self.reason}"
        if self.start == self.end:
            return f"{'':8} {'':>11}  {_stamp(self.start)}{'':19}  {what}"
        mark = "counted" if self.counted else "skipped"
        return f"{mark:8} {number_text(self.minutes):>7} min  {_stamp(self.start)} to {_stamp(self.end)}  {what}"


def _stamp(at: datetime) -> str:
    seconds = ":%S" if at.second or at.microsecond else ""
    return at.strftime(f"%a %Y-%m-%d %H:%M{seconds}")[: 20 + 3 * bool(seconds)]


@attrs.frozen(kw_only=True)
class TimeExplanation(abc.ABC):
    """Spans from `start` to `end`, in order, without holes."""

    calendar: str
    """Name of the calendar, or its zone."""
    start: datetime
    end: datetime
    spans: tuple[TimeSpan, ...]

    @property
    def counted_minutes(self) -> float:
        """Business minutes: the sum of what counts."""
        return _sum(span for span in self.spans if span.counted)

    @property
    def skipped_minutes(self) -> float:
        """Real minutes that do not count."""
        return _sum(span for span in self.spans if not span.counted)

    @abc.abstractmethod
    def _headline(self) -> str:
        """First line of the text form."""

    def __str__(self) -> str:
        return "\n".join([self._headline(), *(f"  {span}" for span in self.spans)])

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "start": span.start,
                "end": span.end,
                "minutes": span.minutes,
                "counted": span.counted,
                "reason": span.reason.value,
                "detail": span.detail,
            }
            for span in self.spans
        ]

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a span: start and end (UTC), minutes, counted, reason, detail."""
        from crmcore.tables._cells import micros

        rows = self._rows()
        columns: dict[str, Any] = {name: [row[name] for row in rows] for name in _COLUMNS}
        for name in ("start", "end"):
            columns[name] = micros(columns[name])
        return write_frame(columns, backend=backend)

    def _repr_html_(self) -> str:
        rows = [
            {
                "from": _stamp(span.start),
                "to": _stamp(span.end),
                "minutes": number_text(span.minutes),
                "": "counted" if span.counted else "skipped",
                "why": f"{span.reason}: {span.detail}" if span.detail else span.reason.value,
            }
            for span in self.spans
        ]
        return html_table(rows, caption=self._headline())

    def chart(self) -> Chart:
        """Days as rows, hours across, what counted and what was skipped by its reason."""
        from crmcore.calendars.charts import explanation_chart

        return explanation_chart(self)


_COLUMNS = ("start", "end", "minutes", "counted", "reason", "detail")


def _sum(spans: Iterator[TimeSpan]) -> float:
    """Exact, because microseconds are added and not minutes."""
    return sum((span.end - span.start for span in spans), timedelta(0)) / timedelta(minutes=1)


@attrs.frozen(kw_only=True)
class DeadlineExplanation(TimeExplanation):
    """Why business minutes from a start end where they do; what counted adds up to the target."""

    target_minutes: float

    @property
    def due(self) -> datetime:
        """The deadline."""
        return self.end

    def _headline(self) -> str:
        asked = f"{number_text(self.target_minutes)} business minutes from {_stamp(self.start)}"
        return f"{asked} end {_stamp(self.end)} ({self.calendar})"


@attrs.frozen(kw_only=True)
class ElapsedExplanation(TimeExplanation):
    """How many business minutes lie between two instants, and why the others do not count."""

    def _headline(self) -> str:
        found = f"{number_text(self.counted_minutes)} business minutes"
        return f"{found} from {_stamp(self.start)} to {_stamp(self.end)} ({self.calendar})"


def explain_spans(
    versions: list[tuple[BusinessCalendar, int, int]], table: OpenTable, shown_in: str
) -> tuple[TimeSpan, ...]:
    """Spans of consecutive calendars, each holding from its first to its second instant."""
    found: list[tuple[int, int, SpanReason, str]] = []
    for i, (calendar, low, high) in enumerate(versions):
        if i:
            found.append((low, low, SpanReason.NEW_VERSION, calendar.name))
        for piece in _pieces(calendar, low, high, table):
            last = found[-1] if found else None
            if last is not None and last[2:] == piece[2:] and last[1] == piece[0] and piece[0] < piece[1]:
                found[-1] = (last[0], piece[1], *piece[2:])
            else:
                found.append(piece)
    return tuple(TimeSpan(from_us(a, shown_in), from_us(b, shown_in), why, detail) for a, b, why, detail in found)


def _pieces(
    calendar: BusinessCalendar, low: int, high: int, table: OpenTable
) -> Iterator[tuple[int, int, SpanReason, str]]:
    """Pieces of one version, cut at openings, closings, local midnights and changes of the clock."""
    offsets = offset_table(calendar.zone, low, high)
    bounds = [*offsets.starts.tolist()[1:], offsets.until]
    before: int | None = None
    for start, end, offset in zip(offsets.starts.tolist(), bounds, offsets.offsets.tolist(), strict=True):
        a, b = max(start, low), min(end, high)
        if a >= b:
            before = offset
            continue
        if before is not None and start == a > low:
            yield a, a, SpanReason.CLOCK_CHANGE, _turned(a, before, offset)
        before = offset
        cuts = sorted({a, b, *_midnights(a, b, offset), *_edges(table, a, b)})
        for x, y in pairwise(cuts):
            yield x, y, *_why(calendar, x, offset, table)


def _midnights(a: int, b: int, offset: int) -> range:
    first = -(-(a + offset) // DAY) * DAY - offset
    return range(first, b, DAY)


def _edges(table: OpenTable, a: int, b: int) -> list[int]:
    edges: list[int] = []
    for column in (table.starts, table.ends):
        inside = column[(column > a) & (column < b)]
        edges.extend(inside.tolist())
    return edges


def _turned(at: int, before: int, after: int) -> str:
    way = "forward" if after > before else "back"
    shift = number_text(abs(after - before) / MINUTE)
    walls = [f"{from_us(at + offset, 'UTC'):%a %H:%M}" for offset in (before, after)]
    return f"clocks go {way} {shift} min, {walls[0]} becomes {walls[1]}"


def _why(calendar: BusinessCalendar, us: int, offset: int, table: OpenTable) -> tuple[SpanReason, str]:
    """Reason of the piece that begins at an instant."""
    day, clock = divmod(us + offset, DAY)
    today = date.fromordinal(day + date(1970, 1, 1).toordinal())
    i = bisect_right(table.starts.data, us) - 1
    counted = i >= 0 and us < int(table.ends[i])
    special = calendar.special_days.get(today)
    if counted:
        return SpanReason.OPEN, "" if special is None else f"special day {today}"
    if special is not None:
        return SpanReason.SPECIAL_DAY, today.isoformat()
    if today in calendar.holidays:
        return SpanReason.HOLIDAY, calendar.holidays[today]
    weekday = WEEKDAYS[today.weekday()]
    windows = to_spans(calendar.schedule.get(weekday, ()))
    if not windows:
        return (SpanReason.WEEKEND if today.weekday() >= 5 else SpanReason.CLOSED_DAY), ""
    return (SpanReason.BREAK if _between(windows, clock) else SpanReason.OVERNIGHT), ""


def _between(windows: tuple[Span, ...], clock: int) -> bool:
    return any(opened <= clock for opened, _ in windows) and any(clock < closed for _, closed in windows)
