"""What looks odd in a log: times that go back, days and months swapped, a week or a day that does not fit the zone."""

from __future__ import annotations

import enum
import warnings
from collections.abc import Iterator

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.documents import Document
from crmcore.errors import CrmWarning
from crmcore.values.words import word
from crmcore.zones import DAY, local_columns

__all__ = ["LogFault", "LogFinding", "SuspectLog", "check_times", "warn_of"]

ENOUGH = 200
"""Events from which a weekday or hour profile is looked at."""
QUIET = 0.6
"""A quiet stretch holds less than this share of what an even spread would give it."""
DATES_ONLY = 0.95
DENSE = 0.3
"""Length of the mean direction of the hours of the day: 0 is spread evenly, 1 all at one time."""
DAYTIME = (8.0, 19.0)
"""Hours between which the middle of a day's activity is expected."""


class LogFault(enum.StrEnum):
    """What looks odd."""

    TIME_GOES_BACK = "time goes back"
    SWAPPED_DATES = "day and month swapped"
    DATES_ONLY = "dates only"
    WEEKDAYS = "quiet days"
    HOURS = "hours of activity"
    REPEATED_ROWS = "repeated rows"
    CHANGING_FACT = "changing fact"


class SuspectLog(CrmWarning):
    """A log was read, but something in it looks odd: the zone, the order of times, or repeats."""


def _fault(value: LogFault | str) -> LogFault:
    return word(LogFault, value, "fault")


@attrs.frozen(kw_only=True)
class LogFinding(Document):
    """One thing that looks odd.

    Parameters
    ----------
    fault : LogFault
    n, of : counts
        How many, of how many.
    text : sentence
    """

    fault: LogFault = attrs.field(converter=_fault)
    n: int
    of: int
    text: str

    def __str__(self) -> str:
        return f"{self.fault}: {self.text} ({self.n:,} of {self.of:,})"


def warn_of(findings: tuple[LogFinding, ...], *, ok: bool, stacklevel: int = 3) -> None:
    """Warn once of all findings, unless the caller said that it knows."""
    if findings and not ok:
        said = "\n  ".join(map(str, findings))
        text = f"the log looks odd:\n  {said}\n  hint: check zone and date format, or say odd_ok=True"
        warnings.warn(text, SuspectLog, stacklevel=stacklevel)


def check_times(
    case: NDArray[np.int32], time: NDArray[np.datetime64], /, *, zone: str, sorted_rows: bool = True
) -> tuple[LogFinding, ...]:
    """Look at the times of a log in the order of its rows.

    Parameters
    ----------
    case : (n,) codes
    time : (n,) datetime64[us] in UTC
    zone : text
        In which it was written.
    sorted_rows : truth
        Whether the rows of a case stand in the order in which they happened.
    """
    found: list[LogFinding] = []
    if len(time):
        found += _order(case, time, zone) if sorted_rows else []
        found += _profiles(time, zone)
    return tuple(found)


def _order(case: NDArray[np.int32], time: NDArray[np.datetime64], zone: str) -> Iterator[LogFinding]:
    rows = np.argsort(case, kind="stable")
    at, same = time[rows].astype(np.int64), case[rows][1:] == case[rows][:-1]
    back = same & (at[1:] < at[:-1])
    if not back.any():
        return
    n, of = int(back.sum()), int(same.sum())
    shuffled = n > 0.3 * of
    why = "the rows do not stand in the order of time" if shuffled else "in the order of rows, some steps go back"
    yield LogFinding(fault=LogFault.TIME_GOES_BACK, n=n, of=of, text=why)
    if shuffled:
        return
    swapped = _swapped(time[rows], zone)
    before = np.append(at[0], at[:-1])
    after = np.append(at[1:], at[-1])
    mends = np.zeros(n, bool)
    steps = np.flatnonzero(back)
    for place in (steps, steps + 1):  # the row before a step back stands too late, or the row after it too early
        s = swapped[place]
        ok = (s != at[place]) & ((place == 0) | (s >= before[place]) | ~_joined(same, place - 1))
        mends |= ok & ((s <= after[place]) | ~_joined(same, place))
    if 2 * mends.sum() >= n:
        text = "swapping day and month would put these steps in order"
        yield LogFinding(fault=LogFault.SWAPPED_DATES, n=int(mends.sum()), of=n, text=text)


def _joined(same: NDArray[np.bool_], step: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether a step leads from a row to one of the same case."""
    inside = (step >= 0) & (step < len(same))
    return inside & same[np.clip(step, 0, max(len(same) - 1, 0))]


def _swapped(time: NDArray[np.datetime64], zone: str) -> NDArray[np.int64]:
    """Instants with day and month swapped; as they are where that gives no date or the same one."""
    wall = local_columns(time, zone).wall
    month = wall.astype("datetime64[M]")
    day = (wall.astype("datetime64[D]") - month.astype("datetime64[D]")).astype(np.int64) + 1
    number = month.astype(np.int64) % 12 + 1
    year = wall.astype("datetime64[Y]")
    other = (year.astype("datetime64[M]") + np.minimum(day, 12) - 1).astype("datetime64[D]") + (number - 1)
    moved = (other - wall.astype("datetime64[D]")).astype(np.int64) * DAY
    return np.asarray(time.astype(np.int64) + np.where(day <= 12, moved, 0))


def _profiles(time: NDArray[np.datetime64], zone: str) -> Iterator[LogFinding]:
    shown = local_columns(time, zone)
    n = len(time)
    midnight = int(((shown.wall.astype(np.int64) % DAY) == 0).sum())
    if midnight >= DATES_ONLY * n:
        text = "times stand at midnight: these are dates, minutes mean nothing"
        yield LogFinding(fault=LogFault.DATES_ONLY, n=midnight, of=n, text=text)
    if n < ENOUGH:
        return
    days = np.bincount(shown.weekday, minlength=8)[1:8]
    pair = days + np.roll(days, -1)
    quiet = int(np.argmin(pair))
    if pair[quiet] < QUIET * n * 2 / 7 and quiet not in (4, 5):  # Friday and Saturday, or Saturday and Sunday
        two = f"{_DAYS[quiet]} and {_DAYS[(quiet + 1) % 7]}"
        text = f"{two} are the quietest days in {zone}: are dates shifted or swapped?"
        yield LogFinding(fault=LogFault.WEEKDAYS, n=int(pair[quiet]), of=n, text=text)
    if midnight >= DATES_ONLY * n:
        return
    turn = np.exp(2j * np.pi * shown.minute / 1440).mean()  # the day as a circle: where its activity lies, how densely
    centre = float(np.angle(turn) / (2 * np.pi) * 24 % 24)
    if abs(turn) > DENSE and not DAYTIME[0] <= centre <= DAYTIME[1]:
        text = f"the activity of the day lies around {_clock(centre)} in {zone}: is it another zone?"
        out = int((np.abs((shown.minute / 60 - centre + 12) % 24 - 12) <= 6).sum())
        yield LogFinding(fault=LogFault.HOURS, n=out, of=n, text=text)


def _clock(hours: float) -> str:
    return f"{int(hours):02d}:{int(hours % 1 * 60):02d}"


_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
