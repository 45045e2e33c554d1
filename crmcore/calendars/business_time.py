"""What every calendar answers: deadlines, elapsed business time, and the openings around an instant."""

from __future__ import annotations

import abc
import math
from datetime import date, datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.calendars.errors import NoClosing, NoOpening
from crmcore.calendars.table import OpenTable, TableBook, business_us, due_us
from crmcore.errors import BadRow, BadRows, OutOfRange, WrongType
from crmcore.zones import DAY, LATEST, MINUTE, NAT, column_us, from_us, to_us

if TYPE_CHECKING:
    from crmcore.calendars.calendar import BusinessCalendar
    from crmcore.calendars.explanation import DeadlineExplanation, ElapsedExplanation, TimeSpan

__all__ = ["BusinessTime"]

_YEAR = 366 * DAY
_LONGEST_MINUTES = 10_000 * 366 * 24 * 60


class BusinessTime(abc.ABC):
    """Base of `BusinessCalendar` and `CalendarHistory`: everything that follows from the open spans alone.

    Business time counts real elapsed time while the wall clock of the calendar's zone is inside a window. It is kept in
    whole microseconds; minutes are the unit outside and may be fractions. Results are aware datetimes that carry the
    offset of the calendar's zone at that instant.
    """

    __slots__ = ()

    zone: str
    name: str
    _book: TableBook

    @abc.abstractmethod
    def _make_table(self, since: int, until: int) -> OpenTable:
        """Open spans of [since, until)."""

    @abc.abstractmethod
    def _settled(self) -> int:
        """Instant after which only the weekly schedule decides."""

    @abc.abstractmethod
    def _opens_weekly(self) -> bool:
        """Whether the schedule that holds in the end has any window."""

    def _table(self, since: int, until: int) -> OpenTable:
        return self._book.covering(since, until, self._make_table)

    def _told(self) -> str:
        return f"calendar {self.name!r}" if self.name else f"the calendar in {self.zone}"

    def deadline(self, start: datetime, *, minutes: float) -> datetime:
        """Earliest instant from `start` on by which `minutes` of business time have passed.

        Parameters
        ----------
        start : aware datetime
            Also outside opening hours.
        minutes : business minutes
            From 0, may be fractional; 0 gives `start` itself, also when it is closed.

        Returns
        -------
        aware datetime
            Where the time ends exactly at a close, the close and not the next opening.

        Raises
        ------
        NaiveDatetime, OutOfRange
            A start without a zone; minutes that are negative or no number.
        NoOpening
            The calendar does not open for so long any more.

        Examples
        --------
        >>> from crmcore.calendars import BusinessCalendar, local
        >>> desk = BusinessCalendar("Europe/Berlin", {"mon-fri": [("09:00", "12:00"), ("13:00", "17:00")]})
        >>> print(desk.deadline(local(2026, 6, 2, 11, 30, zone="Europe/Berlin"), minutes=60))
        2026-06-02 13:30:00+02:00
        """
        us = to_us(start, "start")
        target = _target_us(minutes)
        if target == 0:
            return from_us(us, self.zone)
        table = self._table(us, us + 1)
        found = table.due_of(us, target)
        if found is None:  # past the table
            begins, wanted = np.array([us], np.int64), np.array([target], np.int64)
            found = int(due_us(begins, wanted, table=self._reaching(begins, wanted))[0])
        return from_us(found, self.zone)

    def elapsed_minutes(self, start: datetime, end: datetime) -> float:
        """Business minutes from `start` to `end`; negative where `end` is before `start`.

        Examples
        --------
        >>> from crmcore.calendars import BusinessCalendar, local
        >>> desk = BusinessCalendar("Europe/Berlin", {"mon-fri": [("09:00", "17:00")]})
        >>> friday, monday = (local(2026, 6, d, 16, zone="Europe/Berlin") for d in (5, 8))
        >>> desk.elapsed_minutes(friday, monday)
        480.0
        """
        a, b = to_us(start, "start"), to_us(end, "end")
        table = self._table(min(a, b), max(a, b))
        return (table.business_of(b) - table.business_of(a)) / MINUTE

    def is_open(self, at: datetime) -> bool:
        """Whether the wall clock is inside a window; a close itself is outside.

        Examples
        --------
        >>> from crmcore.calendars import BusinessCalendar, local
        >>> desk = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "17:00")]})
        >>> [desk.is_open(local(2026, 6, 2, h, zone="Asia/Bangkok")) for h in (9, 17)]
        [True, False]
        """
        us = to_us(at)
        table = self._table(us, us + 1)
        i = int(np.searchsorted(table.starts, us, side="right")) - 1
        return i >= 0 and us < int(table.ends[i])

    def next_opening(self, at: datetime) -> datetime:
        """First instant from `at` on that is open: `at` itself while the calendar is open.

        Raises
        ------
        NoOpening
            It never opens again.

        Examples
        --------
        >>> from crmcore.calendars import BusinessCalendar, local
        >>> desk = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "17:00")]})
        >>> print(desk.next_opening(local(2026, 6, 5, 18, zone="Asia/Bangkok")))
        2026-06-08 09:00:00+07:00
        """
        us = to_us(at)
        opened, _ = self._span_from(us)
        return from_us(max(opened, us), self.zone)

    def next_closing(self, at: datetime) -> datetime:
        """End of the open span that holds `at` or, while the calendar is closed, of the next one.

        Raises
        ------
        NoOpening, NoClosing
            It never opens, or never closes, again.

        Examples
        --------
        >>> from crmcore.calendars import BusinessCalendar, local
        >>> desk = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "17:00")]})
        >>> print(desk.next_closing(local(2026, 6, 5, 18, zone="Asia/Bangkok")))
        2026-06-08 17:00:00+07:00
        """
        us = to_us(at)
        opened, closed = self._span_from(us)
        until = self._horizon(max(opened, us))
        if closed >= until:  # open up to where only the week decides, and a year more
            raise NoClosing(self._told(), str(from_us(us, self.zone)))
        return from_us(closed, self.zone)

    def _horizon(self, us: int) -> int:
        """An instant by which a calendar that opens or closes at all after `us` has done so."""
        return min(max(us, self._settled()) + _YEAR, LATEST - 1)

    def _span_from(self, us: int) -> tuple[int, int]:
        """Open span that holds an instant, or the next one."""
        until = self._horizon(us)
        table = self._table(us, min(us + _YEAR, until))
        i = int(np.searchsorted(table.ends, us, side="right"))
        if i == len(table.ends) or int(table.ends[i]) >= table.until:
            table = self._table(us, min(until + _YEAR, LATEST))
            i = int(np.searchsorted(table.ends, us, side="right"))
        if i == len(table.ends):
            raise NoOpening(self._told(), str(from_us(us, self.zone)), 0.0, 0.0)
        return int(table.starts[i]), int(table.ends[i])

    def deadlines(self, starts: ArrayLike, minutes: ArrayLike) -> NDArray[np.datetime64]:
        """Deadlines of many starts at once, equal to `deadline` row by row.

        Parameters
        ----------
        starts : (n,) datetime64 in UTC, or aware datetimes
            NaT and None give NaT.
        minutes : (n,) business minutes, or one number for all
            From 0; NaN gives NaT.

        Returns
        -------
        (n,) datetime64[us] in UTC

        Raises
        ------
        BadRows, NoOpening
            Negative or infinite minutes, all at once; a calendar that does not open for so long.

        Examples
        --------
        >>> import numpy as np
        >>> from crmcore.calendars import BusinessCalendar
        >>> desk = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "17:00")]})
        >>> desk.deadlines(np.array(["2026-06-05T09:30", "NaT"], "datetime64[us]"), 60)
        array(['2026-06-08T02:30:00.000000',                        'NaT'],
              dtype='datetime64[us]')
        """
        us, missing = column_us(starts, "starts")
        target, unknown = _targets_us(minutes)
        _check_pairs("starts", us, "minutes", target)
        us, target, missing = np.broadcast_arrays(us, target, missing | unknown)
        known = ~missing
        if not known.any():
            return np.full(us.shape, NAT).astype("datetime64[us]")
        whole = known.all()
        begins, wanted = (us, target) if whole else (us[known], target[known])
        table = self._reaching(begins, wanted)
        found = due_us(begins, wanted, table=table)
        if whole:
            return found.astype("datetime64[us]")
        out = np.full(us.shape, NAT)
        out[known] = found
        return out.astype("datetime64[us]")

    def elapsed_us(self, starts: ArrayLike, ends: ArrayLike) -> NDArray[np.int64]:
        """Business microseconds between many pairs of instants; the smallest int64 where either is missing.

        Examples
        --------
        >>> import numpy as np
        >>> from crmcore.calendars import BusinessCalendar
        >>> desk = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "17:00")]})
        >>> desk.elapsed_us(np.array(["2026-06-05T09:30"], "datetime64[us]"), np.datetime64("2026-06-08T02:30"))
        array([3600000000])
        """
        a, no_a = column_us(starts, "starts")
        b, no_b = column_us(ends, "ends")
        _check_pairs("starts", a, "ends", b)
        a, b, missing = np.broadcast_arrays(a, b, no_a | no_b)
        known = ~missing
        if not known.any():
            return np.full(a.shape, NAT)
        if not known.all():
            out = np.full(a.shape, NAT)
            out[known] = self.elapsed_us(a[known].astype("datetime64[us]"), b[known].astype("datetime64[us]"))
            return out
        table = self._table(int(min(a.min(), b.min())), int(max(a.max(), b.max())))
        return business_us(b, table=table) - business_us(a, table=table)

    def elapsed_minutes_of(self, starts: ArrayLike, ends: ArrayLike) -> NDArray[np.float64]:
        """Business minutes between many pairs of instants, equal to `elapsed_minutes` row by row; NaN for NaT.

        Examples
        --------
        >>> import numpy as np
        >>> from crmcore.calendars import BusinessCalendar
        >>> desk = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "17:00")]})
        >>> ends = np.array(["2026-06-08", "NaT"], "datetime64[us]")
        >>> desk.elapsed_minutes_of(np.datetime64("2026-06-05T09:30"), ends)
        array([30., nan])
        """
        us = self.elapsed_us(starts, ends)
        return np.where(us == NAT, math.nan, us / MINUTE)

    def _reaching(self, begins: NDArray[np.int64], wanted: NDArray[np.int64]) -> OpenTable:
        """Table in which every target is reached; its span doubles until it is, or until nothing can open any more."""
        first, last = int(begins.min()), int(begins.max())
        reach = max(4 * int(wanted.max()), _YEAR // 2)
        while True:
            until = min(last + reach, LATEST)
            table = self._table(first, until)
            held = int(table.through[-1]) if len(table.through) else 0
            passed = business_us(begins, table=table)
            if int((passed + wanted).max()) <= held:
                return table
            dead = not self._opens_weekly() and table.until > self._settled()
            if table.until >= LATEST or dead:
                worst = int(np.argmax(passed + wanted))
                after = str(from_us(int(begins[worst]), self.zone))
                raise NoOpening(self._told(), after, int(wanted[worst]) / MINUTE, (held - int(passed[worst])) / MINUTE)
            reach = max(2 * reach, min(self._settled() + _YEAR - last, LATEST))

    @abc.abstractmethod
    def _versions(self, low: int, high: int) -> list[tuple[BusinessCalendar, int, int]]:
        """Calendars that hold in [low, high), each with the instants between which it does."""

    def explain(self, start: datetime, *, minutes: float) -> DeadlineExplanation:
        """Explain a deadline: every span from the start to it, counted or skipped, with its reason.

        The counted spans add up to `minutes`. Arguments and errors are those of `deadline`.

        Examples
        --------
        >>> from crmcore.calendars import BusinessCalendar, local
        >>> desk = BusinessCalendar("Europe/Berlin", {"mon-fri": [("09:00", "12:00"), ("13:00", "17:00")]})
        >>> print(desk.explain(local(2026, 6, 2, 11, 30, zone="Europe/Berlin"), minutes=60))
        60 business minutes from Tue 2026-06-02 11:30 end Tue 2026-06-02 13:30 (Europe/Berlin)
          counted       30 min  Tue 2026-06-02 11:30 to Tue 2026-06-02 12:00  open
          skipped       60 min  Tue 2026-06-02 12:00 to Tue 2026-06-02 13:00  break between windows
          counted       30 min  Tue 2026-06-02 13:00 to Tue 2026-06-02 13:30  open
        """
        from crmcore.calendars.explanation import DeadlineExplanation

        due = self.deadline(start, minutes=minutes)
        spans = self._explained(to_us(start), to_us(due))
        shown = from_us(to_us(start), self.zone)
        return DeadlineExplanation(
            calendar=self.name or self.zone, start=shown, end=due, spans=spans, target_minutes=float(minutes)
        )

    def explain_elapsed(self, start: datetime, end: datetime) -> ElapsedExplanation:
        """Explain the business minutes between two instants, the later one last.

        Examples
        --------
        >>> from crmcore.calendars import BusinessCalendar, local
        >>> desk = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "17:00")]}, holidays={"2026-06-03": "Queen"})
        >>> why = desk.explain_elapsed(*(local(2026, 6, d, 16, zone="Asia/Bangkok") for d in (2, 4)))
        >>> [(span.reason.value, span.detail, span.minutes) for span in why.spans][2:4]
        [('holiday', 'Queen', 1440.0), ('closed overnight', '', 540.0)]
        """
        from crmcore.calendars.explanation import ElapsedExplanation

        low, high = to_us(start, "start"), to_us(end, "end")
        if high < low:
            raise OutOfRange("end", str(end), f"an instant from {start} on", "pass the earlier instant first")
        return ElapsedExplanation(
            calendar=self.name or self.zone,
            start=from_us(low, self.zone),
            end=from_us(high, self.zone),
            spans=self._explained(low, high),
        )

    def _explained(self, low: int, high: int) -> tuple[TimeSpan, ...]:
        from crmcore.calendars.explanation import explain_spans

        if low == high:
            return ()
        return explain_spans(self._versions(low, high), self._table(low, high), self.zone)

    def local_date(self, at: datetime) -> date:
        """Date on the calendar's wall at an instant.

        Examples
        --------
        >>> from datetime import UTC, datetime
        >>> from crmcore.calendars import BusinessCalendar
        >>> str(BusinessCalendar.always("Asia/Bangkok").local_date(datetime(2026, 6, 1, 20, tzinfo=UTC)))
        '2026-06-02'
        """
        return from_us(to_us(at), self.zone).date()


def _check_pairs(name: str, column: NDArray[np.int64], other: str, beside: NDArray[np.int64]) -> None:
    if column.size != 1 and beside.size != 1 and column.shape != beside.shape:
        hint = "pass one value for all, or one for each"
        raise OutOfRange(other, f"{beside.size} values", f"1, or {column.size} as in {name}", hint)


def _target_us(minutes: float) -> int:
    if isinstance(minutes, bool) or not isinstance(minutes, int | float | np.number):
        got, hint = f"a {type(minutes).__name__}", "pass the business minutes that may pass: 480 is eight hours"
        raise WrongType("minutes", got, "a number of minutes", hint)
    if not 0 <= minutes <= _LONGEST_MINUTES:  # NaN fails too
        raise OutOfRange("minutes", minutes, "a number from 0", "pass the business minutes that may pass")
    return round(minutes * MINUTE)


def _targets_us(minutes: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    try:
        values = np.asarray(minutes, np.float64)
    except (TypeError, ValueError):
        hint = "pass the business minutes that may pass: 480 is eight hours"
        raise WrongType("minutes", "not numbers", "numbers of minutes, NaN where unknown", hint) from None
    unknown = np.isnan(values)
    odd = ~unknown & ~((values >= 0) & (values <= _LONGEST_MINUTES))
    if odd.any():
        rows = tuple(np.flatnonzero(odd).tolist())
        samples = tuple(f"{v:g}" for v in np.atleast_1d(values)[list(rows[:5])])
        problem = BadRow("minutes", "negative or without end", rows, samples)
        raise BadRows("deadlines", (problem,), "pass the business minutes that may pass, from 0")
    return np.rint(np.where(unknown, 0, values) * MINUTE).astype(np.int64), unknown
