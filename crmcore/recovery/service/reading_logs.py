"""Service logs out of event logs (case, activity, time) and out of tables with one row a case and its dates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from crmcore._frames import MISSING_WORDS, Frame, read_frame
from crmcore.calendars.clocks.event_table import ClockEventTable, Creation
from crmcore.calendars.clocks.events import Activities
from crmcore.errors import DuplicateIds, EmptyInput
from crmcore.recovery.service.log_checks import LogFault, LogFinding, check_times, warn_of
from crmcore.recovery.service.service_log import ServiceLog, Trace
from crmcore.tables import CustomerIndex, TextColumn
from crmcore.tables._door import Door
from crmcore.zones import NAT, to_us

__all__ = ["read_dates", "read_events"]


def read_events(
    frame: Any,
    *,
    zone: str,
    activities: Activities | None = None,
    case: str = "case",
    time: str = "time",
    activity: str = "activity",
    facts: Mapping[str, str] | None = None,
    creation: Creation | str = Creation.FIRST_EVENT,
    missing: Iterable[str] = MISSING_WORDS,
    odd_ok: bool = False,
    **columns: str,
) -> ServiceLog:
    """Read an event log.

    Parameters
    ----------
    frame
        Any frame, a dict of columns, or a list of dicts: one row an event.
    zone : IANA name
        In which times without offset were written. It is never guessed, and nothing else makes minutes mean something.
    activities : mapping, optional
        What each activity means to the clocks, such as `{"Wait": "status: pending", "Note": None}`; None leaves one
        out.
        Without a mapping activities must be the words of `EventKind`.
    case, time, activity : names of columns
    facts : name of the fact -> column, optional
        Such as `{"priority": "seriousness"}`; the first known cell of a case counts.
    creation : Creation
        "first event": a case of which no creation is stated began with its first event; "stated": it has no clocks.
    missing : texts
        That mean "missing".
    odd_ok : truth
        Do not warn of what looks odd; `findings` tells it anyway.
    **columns : names of columns
        `to`, `actor`, `visibility`, `id`, as for `ClockEventTable.from_frame`.

    Raises
    ------
    MissingColumn, UnknownName, BadRows, DuplicateIds
        What cannot be read, all bad rows at once.

    Examples
    --------
    >>> log = read_events(
    ...     {"ticket": ["1", "1", "2"], "what": ["Open", "Solve", "Open"], "when": ["2026-06-01 09:00",
    ...      "2026-06-01 10:00", "2026-06-01 09:30"], "via": ["mail", None, "chat"]},
    ...     zone="Europe/Rome", case="ticket", time="when", activity="what", facts={"channel": "via"},
    ...     activities={"Open": "created", "Solve": "resolved"})
    >>> log, log.facts["channel"].to_list(), log.variants
    (ServiceLog(3 events of 2 cases, facts ['channel']), ['mail', 'chat'], {('Open',): 1, ('Open', 'Solve'): 1})
    """
    read = read_frame(frame, missing=missing)
    events = ClockEventTable.from_frame(
        read, zone=zone, case=case, time=time, activity=activity, activities=activities, creation=creation,
        missing=missing, **columns,
    )  # fmt: skip
    door = Door(read, "the log", zone=zone)
    names = door.text(case)
    code = CustomerIndex(events.cases).codes(names.values)[names.codes]
    at = door.times(time, required=True)
    done = door.text(activity)
    known = {name: door.text(column) for name, column in (facts or {}).items()}
    door.close()
    findings = [*check_times(code, at, zone=zone), *_repeats((code, at.astype(np.int64), done.codes), events, read)]
    made = {}
    for name, column in known.items():
        made[name], changing = _first_known(code, at, column, len(events.cases))
        if changing:
            text = f"{name} changes within the case, the first counts: write changes as events"
            findings.append(LogFinding(fault=LogFault.CHANGING_FACT, n=changing, of=len(events.cases), text=text))
    warn_of(tuple(findings), ok=odd_ok)
    return ServiceLog(events, made, Trace(code, at, done), tuple(findings))


def _repeats(key: tuple[NDArray[Any], ...], events: ClockEventTable, read: Frame) -> list[LogFinding]:
    if (events.id.codes >= 0).any() or not len(read):
        return []  # the ids tell what is a repeat
    order = np.lexsort(key)
    same = np.ones(len(order) - 1, bool)
    for column in key:
        same &= column[order][1:] == column[order][:-1]
    n = int(same.sum())
    text = "the same activity of a case at the same instant, more than once"
    return [LogFinding(fault=LogFault.REPEATED_ROWS, n=n, of=len(read), text=text)] if n else []


def _first_known(
    code: NDArray[np.int32], at: NDArray[np.datetime64], column: TextColumn, n: int
) -> tuple[TextColumn, int]:
    """First known cell of each case, and the number of cases that have several."""
    rank = np.argsort(np.argsort(np.array(column.values, object), kind="stable"), kind="stable")
    rows = np.flatnonzero(column.codes >= 0)
    rows = rows[np.lexsort((rank[column.codes[rows]], at[rows], code[rows]))]
    cases, first = np.unique(code[rows], return_index=True)
    out = np.full(n, -1, np.int32)
    out[cases] = column.codes[rows][first]
    changing = column.codes[rows] != out[code[rows]]
    return TextColumn(out, column.values), len(np.unique(code[rows][changing]))


def read_dates(
    frame: Any,
    *,
    zone: str,
    dates: Mapping[str, str],
    case: str | None = None,
    facts: Mapping[str, str] | None = None,
    date_format: str | None = None,
    missing: Iterable[str] = MISSING_WORDS,
    odd_ok: bool = False,
) -> ServiceLog:
    """Read a table of cases, such as complaints: one row a case, a column for each thing that has a date.

    Parameters
    ----------
    frame
        Any frame, a dict of columns, or a list of dicts.
    zone : IANA name
        In which the dates were written; it is never guessed.
    dates : column -> what it means
        Such as `{"received": "created", "sent": "receipt", "closed": "resolved"}`; an empty cell has not happened.
    case : name of a column, optional
        None: cases are numbered by row.
    facts : name of the fact -> column, optional
    date_format : text, optional
        Of `datetime.strptime`, such as "%m/%d/%Y"; None reads ISO 8601 and datetime columns. Never guessed: 07/08 is
        July here and August there.
    missing, odd_ok
        As for `read_events`.

    Raises
    ------
    MissingColumn, BadRows, DuplicateIds
        Cells that are no such dates, cases without the first of the dates, a case twice.

    Examples
    --------
    >>> log = read_dates({"in": ["7/29/2013", "7/30/2013"], "out": ["8/1/2013", None]}, zone="America/New_York",
    ...                  dates={"in": "created", "out": "resolved"}, date_format="%m/%d/%Y", odd_ok=True)
    >>> log, log.cases
    (ServiceLog(3 events of 2 cases, facts []), ('row 0', 'row 1'))
    """
    if not dates:
        raise EmptyInput("dates", "name the columns and what they mean: {'received': 'created'}")
    read = read_frame(frame, missing=missing)
    door = Door(read, "the table of cases", zone=zone)
    ids = _case_names(door, case)
    at = {name: _instants(door, name, date_format) for name in dates}
    begin = next(iter(dates))
    door.required(begin, np.isnat(at[begin]), "say when the case began, or drop the row")
    known = {name: door.text(column) for name, column in (facts or {}).items()}
    door.close()
    index = CustomerIndex.of(ids)
    code = index.codes(ids)
    rows = [np.flatnonzero(~np.isnat(cells)) for cells in at.values()]
    words = TextColumn(np.repeat(np.arange(len(at), dtype=np.int32), [len(r) for r in rows]), tuple(at))
    place = np.concatenate(rows)
    time = np.concatenate([cells[r] for cells, r in zip(at.values(), rows, strict=True)])
    long = {"case": np.array(ids, object)[place].tolist(), "time": time, "activity": words.to_list()}
    events = ClockEventTable.from_frame(long, zone="UTC", activities=dict(dates))
    order = np.argsort(code, kind="stable")
    made = {name: column.take(order) for name, column in known.items()}
    findings = [*check_times(code[place], time, zone=zone), *_same_rows(read)]
    warn_of(tuple(findings), ok=odd_ok)
    return ServiceLog(events, made, Trace(code[place], time, words), tuple(findings))


def _case_names(door: Door, case: str | None) -> list[str]:
    if case is None:
        width = len(str(max(len(door) - 1, 0)))
        return [f"row {i:0{width}}" for i in range(len(door))]
    column = door.text(case)
    door.required(case, column.codes < 0, "give every row its case")
    counts = np.bincount(column.codes[column.codes >= 0], minlength=1)
    again = np.flatnonzero((column.codes >= 0) & (counts[column.codes] > 1))
    if len(again):
        raise DuplicateIds("the table of cases", len(again), tuple(again.tolist()), "read logs with read_events")
    return [name or "" for name in column.to_list()]


def _instants(door: Door, name: str, date_format: str | None) -> NDArray[np.datetime64]:
    """Instants of a column in UTC, NaT where it is empty."""
    if date_format is None:
        return door.times(name, required=False)
    assert door.zone is not None
    column = door.text(name)
    found = [_parsed(value, date_format, door.zone) for value in column.values]
    bad = [i for i, us in enumerate(found) if us is None]
    hint = f"say how dates are written: date_format={date_format!r} does not fit"
    door.problem(name, f"no date like {date_format!r}", np.flatnonzero(np.isin(column.codes, bad)), hint)
    return np.array([*(NAT if us is None else us for us in found), NAT], np.int64)[column.codes].view("datetime64[us]")


def _parsed(cell: str, date_format: str, zone: ZoneInfo) -> int | None:
    try:
        at = datetime.strptime(cell.strip(), date_format)  # noqa: DTZ007
    except ValueError:
        return None
    return to_us(at if at.tzinfo else at.replace(tzinfo=zone))


def _same_rows(read: Frame) -> list[LogFinding]:
    """Rows that are equal in every column."""
    if not len(read):
        return []
    columns = np.stack([read.text(name)[0] for name in read.columns])
    n = len(read) - np.unique(columns, axis=1).shape[1]
    text = "rows equal in every column to an earlier one: they were kept"
    return [LogFinding(fault=LogFault.REPEATED_ROWS, n=n, of=len(read), text=text)] if n else []
