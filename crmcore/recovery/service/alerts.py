"""Staged alerts around a breach, and the hand-back when the clock has stopped: for one case and for all, each once."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import numpy as np

from crmcore._base import Progress, html_table
from crmcore._frames import write_frame
from crmcore.calendars.clocks.columns import clock_columns
from crmcore.calendars.clocks.escalations import (
    Counting,
    DueEscalation,
    Escalation,
    FiringHours,
    When,
    escalations_between,
)
from crmcore.calendars.clocks.event_table import ClockEventTable
from crmcore.calendars.clocks.events import ClockHistory
from crmcore.calendars.clocks.policy import RESOLUTION, ClockName, ClockPolicy
from crmcore.calendars.clocks.reading import read_clocks
from crmcore.documents import Document
from crmcore.errors import OutOfRange
from crmcore.recovery.service.applying import under_promises
from crmcore.recovery.service.policies import ServicePolicy
from crmcore.recovery.service.service_log import ServiceLog
from crmcore.rules.wording import plural
from crmcore.values.words import word
from crmcore.zones import from_us, to_us

__all__ = ["Alert", "AlertKind", "Alerts", "alerts_between", "alerts_of", "stages"]


class AlertKind(enum.StrEnum):
    """What an alert says."""

    ESCALATE = "escalate"
    HAND_BACK = "hand back"  # the clock has stopped: the case is the agent's again


def _kind(value: AlertKind | str) -> AlertKind:
    return word(AlertKind, value, "alert")


@attrs.frozen(kw_only=True)
class Alert(Document):
    """One alert.

    Parameters
    ----------
    at : aware datetime
        In UTC.
    case : text
    kind : AlertKind
    clock : text
    cycle : count
    level : count
        Whom it calls; of a hand-back the highest that had been called.
    name : text
        Of the stage.
    """

    at: datetime
    case: str
    kind: AlertKind = attrs.field(converter=_kind)
    clock: str
    cycle: int
    level: int
    name: str

    @property
    def key(self) -> str:
        """The same for the same alert wherever it is computed: a key for whoever delivers it once."""
        return f"{self.case}|{self.kind}|{self.name}|{self.cycle}"

    def __str__(self) -> str:
        what = self.name if self.kind is AlertKind.ESCALATE else f"{self.clock}: hand back from level {self.level}"
        return f"{self.at.isoformat(timespec='minutes')}  case {self.case}, {what}"


@attrs.frozen(kw_only=True, repr=False)
class Alerts(Document):
    """Alerts of a window, in the order of instants, cases, kinds and levels."""

    alerts: tuple[Alert, ...]
    since: datetime
    until: datetime

    def __len__(self) -> int:
        return len(self.alerts)

    def __iter__(self) -> Iterator[Alert]:
        return iter(self.alerts)

    def __getitem__(self, i: int) -> Alert:
        return self.alerts[i]

    def __repr__(self) -> str:
        back = sum(a.kind is AlertKind.HAND_BACK for a in self.alerts)
        return f"Alerts({plural(len(self) - back, 'escalation')}, {plural(back, 'hand-back')})"

    def __str__(self) -> str:
        more = [f"  ... {len(self) - 50} more"] if len(self) > 50 else []
        return "\n".join([repr(self), *(f"  {a}" for a in self.alerts[:50]), *more])

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an alert: at, case, kind, clock, cycle, level, name; times in UTC."""
        columns: dict[str, Any] = {k: [getattr(a, k) for a in self.alerts] for k in _COLUMNS}
        columns["kind"] = [k.value for k in columns["kind"]]
        columns["at"] = np.array([to_us(at) for at in columns["at"]], np.int64).view("datetime64[us]")
        return write_frame(columns, backend=backend)

    def _repr_html_(self) -> str:
        return html_table([{k: str(getattr(a, k)) for k in _COLUMNS[:6]} for a in self.alerts], caption=repr(self))


_COLUMNS = ("at", "case", "kind", "clock", "cycle", "level", "name")


def stages(
    clock: ClockName | str,
    *,
    before: Iterable[float] = (),
    after: Iterable[float] = (),
    counting: Counting | str = Counting.BUSINESS,
    hours: FiringHours | str = FiringHours.OPENING,
) -> tuple[Escalation, ...]:
    """Stages around a breach: level 1 first, the breach itself in between, a level more at each.

    Parameters
    ----------
    clock : text
        A clock that has targets, or "resolution".
    before, after : numbers of minutes
        The breach itself always has a stage.
    counting, hours
        As for `Escalation`: business minutes, in opening hours.

    Examples
    --------
    >>> for stage in stages("resolution", before=[60], after=[120]):
    ...     print(stage.name)
    resolution: 60 business minutes before the breach, level 1
    resolution: at the breach, level 2
    resolution: 120 business minutes after the breach, level 3
    """
    early = [(When.BEFORE, m) for m in sorted(set(before), reverse=True)]
    steps = [*early, (When.AT, 0.0), *((When.AFTER, m) for m in sorted(set(after)))]
    return tuple(
        Escalation(clock=clock, when=when, minutes=minutes, counting=counting, level=level, hours=hours)
        for level, (when, minutes) in enumerate(steps, 1)
    )


def alerts_of(
    history: ClockHistory,
    plan: Iterable[Escalation],
    policy: ClockPolicy,
    *,
    since: datetime,
    until: datetime,
    hand_back_from: int = 2,
) -> Alerts:
    """Alerts of one case in (since, until].

    Parameters
    ----------
    history : ClockHistory
        Events after `until` have not happened yet.
    plan : several Escalation
        See `stages`.
    policy : ClockPolicy
        Of a `ServicePolicy` its `clock_policy`, with the history of `ServiceClocks.case`.
    since, until : aware datetime
        Take the end of the last window as `since` of the next: nothing fires twice, nothing is lost.
    hand_back_from : count
        Level from which somebody else was called, so that the case must be handed back once its clock has stopped. A
        hand-back wakes nobody: it is told at once.
    """
    listed = list(plan)
    fired = _all_fired(history, listed, policy, until)
    read = read_clocks(history, policy, now=until)
    stops = {
        (history.case, name, cycle.number): cycle.stopped_at
        for name in {e.clock for e in listed}
        for cycle in read[name].cycles
        if cycle.stopped_at is not None
    }
    return _window(fired, stops, since, until, hand_back_from)


def alerts_between(
    log: ServiceLog | ClockEventTable,
    plan: Iterable[Escalation],
    policy: ServicePolicy | ClockPolicy,
    *,
    since: datetime,
    until: datetime,
    hand_back_from: int = 2,
    progress: Progress | bool = False,
) -> Alerts:
    """Alerts of all cases of a log in (since, until]: the same as `alerts_of` case by case.

    Parameters
    ----------
    log : ServiceLog, or ClockEventTable with a ClockPolicy
    plan, policy, since, until, hand_back_from
        As for `alerts_of`.
    progress : callable or truth

    Examples
    --------
    >>> from datetime import UTC
    >>> from crmcore.calendars import BusinessCalendar
    >>> from crmcore.calendars.clocks import Targets
    >>> from crmcore.recovery.service import Promise, Scope, read_events
    >>> nine = datetime(2026, 6, 1, 9, tzinfo=UTC)
    >>> log = read_events({"case": ["tweet"] * 2, "time": [nine, nine.replace(hour=15)],
    ...                    "activity": ["created", "agent reply"]}, zone="UTC")
    >>> policy = ServicePolicy(BusinessCalendar.always("UTC"), [
    ...     Promise("all", Scope.everything(), Targets(first_response_minutes=240))])
    >>> print(alerts_between(log, stages("first response", before=[60]), policy,
    ...                      since=nine, until=nine.replace(hour=19)))
    Alerts(2 escalations, 1 hand-back)
      2026-06-01T12:00+00:00  case tweet, first response: 60 business minutes before the breach, level 1
      2026-06-01T13:00+00:00  case tweet, first response: at the breach, level 2
      2026-06-01T15:00+00:00  case tweet, first response: hand back from level 2
    """
    if isinstance(policy, ServicePolicy):
        events = under_promises(log if isinstance(log, ServiceLog) else ServiceLog(log), policy)
        policy = policy.clock_policy
    else:
        events = log.events if isinstance(log, ServiceLog) else log
    listed = list(plan)
    names = sorted({policy.resolution.value if e.clock == RESOLUTION else e.clock for e in listed})
    table = clock_columns(events, policy, now=until, names=names)
    began = np.datetime64(to_us(since, "since"), "us")
    live = np.zeros(len(events.cases), bool)
    live[table.case[table.open | (table.stopped_at > began)]] = True  # nothing can be told of the others
    fired = _all_fired(events.take(live[events.case]), listed, policy, until, progress=progress)
    called = {(d.case, _clock(d, policy), d.cycle) for d in fired}
    stopped = np.flatnonzero(live[table.case] & ~table.open)
    stops: dict[tuple[str, str, int], datetime] = {}
    by_clock = list(ClockName)
    for i in stopped.tolist():
        key = (table.cases[table.case[i]], by_clock[table.clock[i]].value, int(table.cycle[i]))
        if key in called:
            stops[key] = from_us(int(table.stopped_at[i].astype(np.int64)), "UTC")
    stops |= {(c, RESOLUTION, n): at for (c, name, n), at in stops.items() if name == policy.resolution}
    return _window(fired, stops, since, until, hand_back_from)


def _clock(due: DueEscalation, policy: ClockPolicy) -> str:
    return policy.resolution.value if due.escalation.clock == RESOLUTION else due.escalation.clock


def _all_fired(
    histories: ClockHistory | ClockEventTable, plan: list[Escalation], policy: ClockPolicy, until: datetime,
    *, progress: Progress | bool = False,
) -> tuple[DueEscalation, ...]:  # fmt: skip
    """All that has fired by `until` since the first event."""
    if isinstance(histories, ClockHistory):
        first = histories[0].at if len(histories) else until
    else:
        first = from_us(int(histories.time.astype(np.int64).min()), "UTC") if len(histories) else until
    since = min(first - timedelta(days=1), until)
    return escalations_between(histories, plan, policy, since=since, until=until, progress=progress)


def _window(
    fired: tuple[DueEscalation, ...],
    stops: dict[tuple[str, str, int], datetime],
    since: datetime,
    until: datetime,
    hand_back_from: int,
) -> Alerts:
    if to_us(until, "until") < to_us(since, "since"):
        raise OutOfRange("until", until.isoformat(), f"not before since = {since.isoformat()}", "swap them")
    made = [
        Alert(at=d.fires_at.astimezone(UTC), case=d.case, kind=AlertKind.ESCALATE, clock=d.escalation.clock,
              cycle=d.cycle, level=d.escalation.level, name=d.escalation.name)
        for d in fired
    ]  # fmt: skip
    highest: dict[tuple[str, str, int], int] = {}
    for alert in made:
        key = (alert.case, alert.clock, alert.cycle)
        highest[key] = max(highest.get(key, 0), alert.level)
    for (case, clock, cycle), level in highest.items():
        at = stops.get((case, clock, cycle))
        if at is not None and level >= hand_back_from:
            name, back = f"{clock}: hand back", AlertKind.HAND_BACK
            at = at.astimezone(UTC)
            made.append(Alert(at=at, case=case, kind=back, clock=clock, cycle=cycle, level=level, name=name))
    kept = [a for a in made if since < a.at <= until]
    kept.sort(key=lambda a: (a.at, a.case, a.kind is AlertKind.HAND_BACK, a.level, a.name, a.cycle))
    return Alerts(alerts=tuple(kept), since=since, until=until)
