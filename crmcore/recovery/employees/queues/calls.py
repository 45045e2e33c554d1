"""A call log, and what it says: arrivals by time of day, handling time, patience, service level."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table, number_text
from crmcore._frames import read_frame, write_frame
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.metrics.estimates import Estimate
from crmcore.metrics.means import mean
from crmcore.metrics.proportions import proportion
from crmcore.metrics.rates import rate
from crmcore.metrics.scalars import above, share_of
from crmcore.tables._door import Door, instants, reals
from crmcore.zones import DAY, MINUTE, offsets_of, zone_of

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["CallLog", "DayProfile"]

Floats = NDArray[np.float64]


@attrs.frozen(eq=False, repr=False)
class CallLog(Document):
    """Contacts that waited for an agent; row i of every column is the same contact.

    Parameters
    ----------
    at : (n,) datetime64[us] in UTC
        When it came in.
    waited_s : (n,) seconds from 0
        Until an agent took it, or until the customer gave up.
    handled_s : (n,) seconds from 0
        Of an agent's time, work after the contact included; NaN where nobody took it.

    Examples
    --------
    >>> log = CallLog.from_frame(
    ...     {
    ...         "at": ["2026-06-01T09:00+07:00", "2026-06-01T09:01+07:00"],
    ...         "waited_s": [5, 60],
    ...         "handled_s": [180, None],
    ...     }
    ... )
    >>> log
    CallLog(2 contacts, 1 answered)
    """

    at: NDArray[np.datetime64] = attrs.field(converter=instants)
    waited_s: Floats = attrs.field(converter=reals)
    handled_s: Floats = attrs.field(converter=reals)

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        zone: str | None = None,
        at: str = "at",
        waited_s: str = "waited_s",
        handled_s: str = "handled_s",
    ) -> CallLog:
        """Read a log, one contact a row; contacts without handling time were given up.

        Parameters
        ----------
        frame
            Any frame, or a dict of columns.
        zone : IANA name, optional
            Needed where times are written without one.

        Raises
        ------
        BadRows, MissingColumn, NaiveDatetime
            All rows without time or wait, with negative seconds.
        """
        door = Door(read_frame(frame), "the call log", zone=zone)
        times = door.times(at, required=True)
        waited, handled = door.numbers(waited_s), door.numbers(handled_s)
        for name, seconds in ((waited_s, waited), (handled_s, handled)):
            odd = np.flatnonzero((seconds < 0) | np.isinf(seconds))
            door.problem(name, "no number of seconds from 0", odd, "write seconds as numbers from 0")
        door.required(waited_s, np.isnan(waited), "write 0 where nobody waited")
        door.close()
        return cls(times, waited, handled)

    def __len__(self) -> int:
        return len(self.at)

    def __repr__(self) -> str:
        return f"CallLog({len(self)} contacts, {int(self.answered.sum())} answered)"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a contact: at, waited_s, handled_s."""
        return write_frame({"at": self.at, "waited_s": self.waited_s, "handled_s": self.handled_s}, backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"contacts": len(self), "answered": int(self.answered.sum()), "gave up": int((~self.answered).sum())}]
        return html_table(rows, caption="call log")

    @property
    def answered(self) -> NDArray[np.bool_]:
        """(n,) who got an agent."""
        return ~np.isnan(self.handled_s)

    def handling_s(self, *, level: float = 0.95) -> Estimate:
        """Mean handling time of those answered, in seconds."""
        self._some(bool(self.answered.any()), "handling times of answered contacts")
        return mean(self.handled_s[self.answered], level=level, small_sample_ok=True)

    def patience_s(self, *, level: float = 0.95) -> Estimate:
        """Mean time people are willing to wait, in seconds: all waiting / those who gave up.

        Notes
        -----
        The censored exponential maximum likelihood estimate (Mandelbaum & Zeltyn 2007): the wait of whoever was
        answered says only that the patience was longer. The interval turns over that of the Poisson rate of giving up.
        """
        gone = int((~self.answered).sum())
        total = float(self.waited_s.sum())
        self._some(gone > 0 and total > 0, "contacts that gave up after a wait")
        leaving = rate(gone, total, level=level, small_sample_ok=True)
        return Estimate(
            value=total / gone, low=1 / leaving.high, high=1 / leaving.low if leaving.low > 0 else np.inf, level=level,
            n=gone, rule="seconds waited / contacts that gave up", method=leaving.method,
        )  # fmt: skip

    def service_level(self, *, within_s: float = 20.0, level: float = 0.95) -> Estimate:
        """Share of all who came that got an agent within so many seconds."""
        self._some(len(self) > 0, "the call log")
        reach = above("within_s", within_s, hint="seconds", allowed="a number from 0", least=0)
        good = int((self.answered & (self.waited_s <= reach)).sum())
        return proportion(good, len(self), level=level, rule="answered in time / all", small_sample_ok=True)

    def abandoned(self, *, level: float = 0.95) -> Estimate:
        """Share of all who came that gave up."""
        self._some(len(self) > 0, "the call log")
        gone = int((~self.answered).sum())
        return proportion(gone, len(self), level=level, rule="gave up / all", small_sample_ok=True)

    def _some(self, there: bool, what: str) -> None:
        if not there:
            raise EmptyInput(what, "measure over a longer time")

    def arrivals(
        self, *, zone: str, interval_minutes: int = 30, since: datetime | None = None, until: datetime | None = None
    ) -> DayProfile:
        """Arrivals by time of day on the wall clock, over the local dates of the log.

        Parameters
        ----------
        zone : IANA name
        interval_minutes : whole minutes
            Divides a day.
        since, until : aware datetimes, optional
            What the log covers, [since, until), in whole local dates: one that is covered in part counts as a day with
            fewer contacts. None of both: from the first date with a contact to the last. Dates without any contact in
            between count as days with none.
        """
        self._some(len(self) > 0, "the call log")
        if not isinstance(interval_minutes, int) or interval_minutes < 1 or 1440 % interval_minutes:
            hint = "15, 30 or 60 are common"
            raise OutOfRange("interval_minutes", interval_minutes, "whole minutes that divide a day of 1440", hint)
        local = self.at.astype(np.int64) + offsets_of(self.at, zone)
        day, slot = local // DAY, local % DAY // (interval_minutes * MINUTE)
        first, last = int(day.min()), int(day.max())
        if since is not None:
            first = _local_day(since, zone)
        if until is not None:
            last = _local_day(until, zone, before=True)
        inside = (day >= first) & (day <= last)
        days, slots = last - first + 1, 1440 // interval_minutes
        if days < 1:
            raise OutOfRange("until", str(until), "an instant after since", "give the span that the log covers")
        counts = np.bincount((day[inside] - first) * slots + slot[inside], minlength=days * slots).reshape(days, slots)
        return DayProfile(zone, interval_minutes, counts.astype(np.int64))


def _local_day(at: datetime, zone: str, *, before: bool = False) -> int:
    local = at.astimezone(zone_of(zone))
    day = local.date().toordinal() - 719_163
    return day - (before and local.hour == local.minute == local.second == local.microsecond == 0)


@attrs.frozen(eq=False, repr=False)
class DayProfile(Document):
    """Counts of arrivals by day and interval of the day.

    Parameters
    ----------
    zone : IANA name
    interval_minutes : minutes
    counts : (days, intervals)
    """

    zone: str
    interval_minutes: int
    counts: NDArray[np.int64]

    def __repr__(self) -> str:
        days, slots = self.counts.shape
        return f"DayProfile({days} days of {slots} intervals, {int(self.counts.sum())} arrivals)"

    @property
    def labels(self) -> tuple[str, ...]:
        """Start of each interval on the wall clock: "09:30"."""
        starts = range(0, 1440, self.interval_minutes)
        return tuple(f"{m // 60:02d}:{m % 60:02d}" for m in starts)

    def mean(self) -> Floats:
        """(intervals,) mean arrivals of an interval."""
        return np.asarray(self.counts.mean(axis=0), np.float64)

    def estimates(self, *, level: float = 0.95) -> tuple[Estimate, ...]:
        """Mean arrivals of each interval with Student's interval over days, so that days may differ by more than
        chance; NaN ends where there is one day.
        """
        return tuple(
            mean(column, level=level, rule="arrivals / days", small_sample_ok=True) for column in self.counts.T
        )

    def busy(self, share: float = 0.9) -> Floats:
        """(intervals,) arrivals that so large a share of the days does not pass, interval by interval."""
        reach = share_of("share", share, hint="write 90 % as 0.9")
        return np.asarray(np.quantile(self.counts, reach, axis=0), np.float64)

    def dispersion(self) -> float:
        """Variance / mean of interval counts, pooled: 1 is Poisson, more says that days differ and plans need room.

        Notes
        -----
        Σ variance / Σ mean over intervals; NaN for one day or without arrivals.
        """
        if len(self.counts) < 2 or not self.counts.any():
            return float("nan")
        return float(self.counts.var(axis=0, ddof=1).sum() / self.counts.mean(axis=0).sum())

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an interval: start, mean, low, high."""
        found = self.estimates()
        columns: dict[str, Any] = {
            "start": list(self.labels), "mean": [e.value for e in found], "low": [e.low for e in found],
            "high": [e.high for e in found],
        }  # fmt: skip
        return write_frame(columns, backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"from": s, "arrivals": number_text(m)} for s, m in zip(self.labels, self.mean(), strict=True) if m]
        return html_table(rows, caption=repr(self), limit=48)

    def chart(self) -> Chart:
        """Mean arrivals over the day, with the interval of each mean."""
        from crmcore.recovery.employees.queues.charts import profile_chart

        return profile_chart(self)
