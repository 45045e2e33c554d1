"""Foreign event logs against a workflow, a whole population at once: final states, illegal steps, time in state."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from crmcore._frames import read_frame
from crmcore.errors import EmptyInput, NaiveDatetime, OutOfRange, UnknownName
from crmcore.lifecycle.errors import BadWorkflow
from crmcore.lifecycle.replayed import LogReplay
from crmcore.lifecycle.stepping import states_before
from crmcore.lifecycle.workflow import OPENED
from crmcore.tables import TextColumn
from crmcore.tables._door import Door

if TYPE_CHECKING:
    from crmcore.lifecycle.workflow import Workflow
    from crmcore.tables import EventTable

__all__ = ["replay_frame", "replay_log", "replay_table"]

NAT = np.iinfo(np.int64).min


def replay_log(
    flow: Workflow,
    case: TextColumn,
    activity: TextColumn,
    time: NDArray[np.datetime64],
    /,
    *,
    commands: Mapping[str, str | None] | None = None,
    sequence: NDArray[np.number] | None = None,
    now: datetime | None = None,
) -> LogReplay:
    """Run the events of many cases through a workflow.

    Parameters
    ----------
    flow : Workflow
        Guards and actors are not looked at: a log does not tell what was known and who was permitted. A command that
        leads to different states from one state, by its guards, must therefore be told apart in the log.
    case, activity : (n,) text
        Which case, and what happened: the command of a transition, the type of the event that it emits, or `"opened"`
        (which only the first event of a case may be). Rows without either are left out and counted.
    time : (n,) instants
        In UTC. Rows without time are left out and counted.
    commands : activity -> command
        For activities that the log calls otherwise; None for those that have no place in the workflow.
    sequence : (n,) numbers, optional
        Order of events of one case at one instant, such as the row number where the log's order says more than its
        clock. Without it such ties are broken by the name of the activity, since the order of rows says nothing.
    now : aware datetime, optional
        Counts time in the state where a case stands up to here; without it, up to its last event.

    Returns
    -------
    LogReplay
        A step that the workflow does not have leaves the case where it stands and is listed. So is an activity that
        the workflow does not know at all.

    Raises
    ------
    BadWorkflow
        One activity leads from one state to several.
    UnknownName
        `commands` names a command that the workflow does not have.

    Examples
    --------
    >>> from crmcore.lifecycle.examples import deal
    >>> case = TextColumn.of(["d1", "d2", "d1"])
    >>> activity = TextColumn.of(["qualify", "win", "send offer"])
    >>> time = np.array(["2026-05-04", "2026-05-05", "2026-05-06"], "datetime64[us]")
    >>> print(replay_log(deal(), case, activity, time))
    deal 1: 3 events of 2 cases, 1 illegal step in 1 case
      ended: lead 1, offer sent 1
    """
    _same_length(case, activity, time, sequence)
    end = None if now is None else _instant(now)
    names, leads, legal = _table(flow)
    code = _activity_codes(flow, activity, names, commands or {})
    micros = np.asarray(time, "datetime64[us]").astype(np.int64)
    usable = (case.codes >= 0) & (activity.codes >= 0) & (micros != NAT) & (code != _LEFT_OUT)
    order = _order(case, activity, micros, sequence, usable)
    sorted_case, sorted_code = case.codes[order], code[order]
    new = np.ones(len(order), bool)
    new[1:] = sorted_case[1:] != sorted_case[:-1]
    first = np.flatnonzero(new)
    length = np.diff(np.append(first, len(order)))
    start = np.full(len(first), flow.states.index(flow.initial), np.int32)
    before = states_before(leads, sorted_code, first, length, start)
    fine = legal[before, sorted_code]
    opened = np.flatnonzero(sorted_code == names.index(OPENED))
    fine[opened] |= new[opened]
    return LogReplay.of(
        flow,
        case_ids=tuple(np.array(case.values, object)[sorted_case[first]].tolist()),
        rows=order,
        first=first,
        before=before,
        after=leads[before, sorted_code],
        legal=fine,
        activity=activity.codes[order],
        activities=activity.values,
        time=micros[order],
        end=end,
        left_out=len(case) - len(order),
    )


_LEFT_OUT = -1
_UNKNOWN = ""  # the one activity of the table that leads nowhere


def _same_length(case: TextColumn, activity: TextColumn, time: NDArray[Any], sequence: NDArray[Any] | None) -> None:
    for name, column in (("activity", activity), ("time", time), ("sequence", sequence)):
        if column is not None and len(column) != len(case):
            hint = "give every column one cell per event"
            raise OutOfRange(f"len({name})", len(column), f"{len(case)}, as case", hint)


def _instant(now: datetime) -> int:
    if now.utcoffset() is None:
        raise NaiveDatetime("now")
    return int(np.datetime64(now.astimezone(UTC).replace(tzinfo=None), "us").astype(np.int64))


def _table(flow: Workflow) -> tuple[tuple[str, ...], NDArray[np.int32], NDArray[np.bool_]]:
    """Names that a log may use, sorted; where each leads from every state, and whether it does."""
    ways: dict[tuple[str, str], set[str]] = {}
    for t in flow.transitions:
        for state in flow.sources(t):
            for name in {t.command, t.emits}:
                ways.setdefault((state, name), set()).add(t.target or state)
    several = [
        f"{name!r} leads from {state!r} to {' and to '.join(map(repr, sorted(targets)))}"
        for (state, name), targets in ways.items()
        if len(targets) > 1
    ]
    if several:
        hint = "a log has no facts for guards: let these transitions emit types of their own, and log those"
        raise BadWorkflow(flow.title, tuple(several), hint)
    names = tuple(sorted({_UNKNOWN, OPENED, *(name for _, name in ways)}))
    place = {state: i for i, state in enumerate(flow.states)}
    leads = np.repeat(np.arange(len(flow.states), dtype=np.int32)[:, None], len(names), axis=1)
    legal = np.zeros(leads.shape, bool)
    for (state, name), targets in ways.items():
        cell = place[state], names.index(name)
        leads[cell], legal[cell] = place[targets.pop()], True
    return names, leads, legal


def _activity_codes(
    flow: Workflow, activity: TextColumn, names: tuple[str, ...], commands: Mapping[str, str | None]
) -> NDArray[np.int32]:
    """(n,) positions in `names`, `_LEFT_OUT` for activities without a place."""
    place = {name: i for i, name in enumerate(names)}
    for name in commands.values():
        if name is not None and name not in place:
            raise UnknownName(f"command of {flow.title}", name, tuple(n for n in names if n))

    def code(word: str) -> int:
        name = commands.get(word, word)
        return _LEFT_OUT if name is None else place.get(name, place[_UNKNOWN])

    by_value = np.array([code(word) for word in activity.values] + [_LEFT_OUT], np.int32)
    return by_value[activity.codes]


def _rank(column: TextColumn, rows: NDArray[np.intp]) -> NDArray[np.int64]:
    """Place of each row's text among the sorted texts of a column."""
    place = np.empty(len(column.values) + 1, np.int64)
    place[np.argsort(np.array(column.values, object), kind="stable")] = np.arange(len(column.values))
    return place[column.codes[rows]]


def _order(
    case: TextColumn,
    activity: TextColumn,
    micros: NDArray[np.int64],
    sequence: NDArray[np.number] | None,
    usable: NDArray[np.bool_],
) -> NDArray[np.intp]:
    """Positions of usable events by case (in the order of ids), time, sequence, activity (in the order of words)."""
    rows = np.flatnonzero(usable)
    by_case, by_word, micros = _rank(case, rows), _rank(activity, rows), micros[rows]
    if sequence is not None:
        return rows[np.lexsort((by_word, np.asarray(sequence)[rows], micros, by_case))]
    since = micros - micros.min(initial=int(micros[0]) if len(rows) else 0)
    tick = max(int(np.gcd.reduce(since)), 1)
    ticks, words = int(since.max(initial=0)) // tick + 1, max(len(activity.values), 1)
    if len(case.values) * ticks * words < 2**63:  # one key sorts ten times faster than three, and nearly always fits
        return rows[np.argsort((by_case * ticks + since // tick) * words + by_word)]
    return rows[np.lexsort((by_word, micros, by_case))]


def replay_table(
    flow: Workflow,
    events: EventTable,
    *,
    commands: Mapping[str, str | None] | None = None,
    sequence: NDArray[np.number] | None = None,
    now: datetime | None = None,
) -> LogReplay:
    """Run a table of interactions through a workflow: `reference` says which case, `kind` what happened.

    See `replay_log` for the rest.
    """
    return replay_log(flow, events.reference, events.kind, events.time, commands=commands, sequence=sequence, now=now)


def replay_frame(
    flow: Workflow,
    frame: Any,
    *,
    case: str = "case",
    activity: str = "activity",
    time: str = "time",
    zone: str | ZoneInfo | None = None,
    commands: Mapping[str, str | None] | None = None,
    sequence: str | None = None,
    now: datetime | None = None,
) -> LogReplay:
    """Run an event log from any frame through a workflow; `case`, `activity`, `time`, `sequence` are names of columns.

    Parameters
    ----------
    flow : Workflow
        What the log should obey.
    frame
        Any frame, a dict of columns, or a list of dicts.
    zone : zone, optional
        In which times without offset were written; without it they are refused, because nobody can know.
    commands, now
        See `replay_log`.

    Raises
    ------
    MissingColumn, NaiveDatetime, BadRows
        What cannot be read, all bad rows at once.
    EmptyInput
        There are no rows.

    Examples
    --------
    >>> from crmcore.lifecycle.examples import deal
    >>> log = {"case": ["d1", "d1"], "activity": ["Qualified!", "lose"],
    ...        "time": ["2026-05-04 09:00", "2026-05-05 10:00"]}
    >>> print(replay_frame(deal(), log, zone="Asia/Bangkok", commands={"Qualified!": "qualify"}))
    deal 1: 2 events of 1 case, no illegal step
      ended: lost 1
    """
    door = Door(read_frame(frame), "the event log", zone=zone)
    cases, activities, times = door.text(case), door.text(activity), door.times(time, required=True)
    for name, column in ((case, cases), (activity, activities)):
        door.required(name, column.codes < 0, "drop the rows, or say which case and what happened")
    order = None if sequence is None else door.numbers(sequence)
    door.close()
    if not len(times):
        raise EmptyInput("the event log", "pass at least one event")
    return replay_log(flow, cases, activities, times, commands=commands, sequence=order, now=now)
