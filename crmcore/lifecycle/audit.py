"""Audit: who did what to a case, when, why, and how long it stood where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.errors import NaiveDatetime
from crmcore.lifecycle.case import Case, evolve, names_only
from crmcore.lifecycle.errors import BadHistory
from crmcore.stores import Event
from crmcore.stores.contract import Redact

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["History", "Step", "history", "redact"]

COLUMNS = (
    "version",
    "at",
    "what",
    "command",
    "actor",
    "role",
    "reason",
    "before",
    "after",
    "minutes_before",
    "refused",
)


@attrs.frozen(hash=False)
class Step:
    """One event of a case, as an auditor reads it.

    Parameters
    ----------
    version, at, what : count, aware datetime, text
        Which event, when it happened, and its type.
    command, actor, role, reason : text
        What was asked for, by whom, as whom, and why; empty where nobody said.
    before, after : text
        State before (empty for the first event) and after.
    minutes_before : minutes
        How long the case had stood in the state that it left; None where it left none.
    refused : tuple of text
        Why nothing changed, if the command was refused.
    brought : JSON object
        What the event brought: fields of the case that it set, and what else the command carried. Out of the repr and
        the frame because it may name a person.
    """

    version: int
    at: datetime
    what: str
    command: str
    actor: str
    role: str
    reason: str = attrs.field(repr=False)
    before: str
    after: str
    minutes_before: float | None
    refused: tuple[str, ...] = ()
    brought: Mapping[str, object] = attrs.field(factory=dict, repr=names_only)

    def __str__(self) -> str:
        who = (
            f" by {self.actor}" + (f" as {self.role}" if self.role not in ("", self.actor) else "")
            if self.actor
            else ""
        )
        moved = f": {self.before or '*'} -> {self.after}" if self.minutes_before is not None or not self.before else ""
        stood = f" after {_span(self.minutes_before)}" if self.minutes_before is not None else ""
        why = f" ({self.reason})" if self.reason else ""
        refused = f" [refused: {'; '.join(self.refused)}]" if self.refused else ""
        return f"{self.at:%Y-%m-%d %H:%M} {self.what}{moved}{stood}{who}{why}{refused}"


def _span(minutes: float) -> str:
    if minutes < 60:
        return f"{minutes:.3g} min"
    return f"{minutes / 60:.3g} h" if minutes < 2880 else f"{minutes / 1440:.3g} d"


@attrs.frozen(hash=False, repr=False)
class History:
    """All steps of one case, in their order, and the case after them.

    Examples
    --------
    >>> from datetime import UTC
    >>> from crmcore.lifecycle import Command, decide, open_case
    >>> from crmcore.lifecycle.examples import complaint
    >>> opened = open_case(complaint(), "k7", at=datetime(2026, 5, 4, 9, tzinfo=UTC), actor="portal")
    >>> done = decide(complaint(), opened.case, Command(
    ...     "resolve", {"cause": "courier"}, actor="anna", role="agent", id="r1",
    ...     at=datetime(2026, 5, 4, 11, tzinfo=UTC)))
    >>> print(history([*opened.events, *done.events]))
    k7 on complaint 1: resolved since 2026-05-04 11:00
      2026-05-04 09:00 opened: * -> open by portal
      2026-05-04 11:00 resolved: open -> resolved after 2 h by anna as agent
    """

    case: Case
    steps: tuple[Step, ...]

    def __repr__(self) -> str:
        return f"History({self.case.id!r}, {len(self.steps)} steps)"

    def __len__(self) -> int:
        return len(self.steps)

    def __str__(self) -> str:
        case = self.case
        head = f"{case.id} on {case.workflow} {case.pinned}: {case.state} since {case.since:%Y-%m-%d %H:%M}"
        return "\n".join([head, *(f"  {step}" for step in self.steps)])

    def _repr_html_(self) -> str:
        rows = [
            {
                "at": f"{s.at:%Y-%m-%d %H:%M}",
                "what": s.what,
                "by": s.actor,
                "state": s.after,
                "why": "; ".join(s.refused) or s.reason,
            }
            for s in self.steps
        ]
        return html_table(rows, caption=str(self).splitlines()[0])

    def minutes(self, *, now: datetime | None = None) -> dict[str, float]:
        """Minutes in each state, all visits added, in the order of first entry.

        Parameters
        ----------
        now : aware datetime, optional
            Counts the state in which the case stands up to here; without it, up to its last event.

        Examples
        --------
        >>> from datetime import UTC
        >>> from crmcore.lifecycle import open_case
        >>> from crmcore.lifecycle.examples import deal
        >>> events = open_case(deal(), "d1", at=datetime(2026, 5, 4, tzinfo=UTC)).events
        >>> history(events).minutes(now=datetime(2026, 5, 5, tzinfo=UTC))
        {'lead': 1440.0}
        """
        if now is not None and now.utcoffset() is None:
            raise NaiveDatetime("now")
        found: dict[str, float] = {}
        for step in self.steps:
            found.setdefault(step.after, 0.0)
            if step.minutes_before is not None:
                found[step.before] = found.get(step.before, 0.0) + step.minutes_before
        end = max(now or self.case.at, self.case.since)
        found[self.case.state] += (end - self.case.since) / timedelta(minutes=1)
        return found

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a step; a dict of columns, or the flavour that `backend` names."""
        rows = [attrs.asdict(s, recurse=False) | {"refused": "; ".join(s.refused) or None} for s in self.steps]
        return write_frame({name: [row[name] for row in rows] for name in COLUMNS}, backend=backend)

    def chart(self, *, now: datetime | None = None) -> Chart:
        """Bars of the hours in each state; see `minutes` for `now`."""
        from crmcore.charts import bar

        hours = {state: minutes / 60 for state, minutes in self.minutes(now=now).items()}
        title = f"{self.case.id}: hours in each state"
        return bar(list(hours), list(hours.values()), title=title, description=title, axis="hours")


def history(events: Iterable[Event]) -> History:
    """Read the events of one case as an audit trail.

    Raises
    ------
    BadHistory
        There are no events, or the first opens no case.
    """
    case: Case | None = None
    steps: list[Step] = []
    for event in events:
        before, case = case, evolve(case, event)
        steps.append(_step(before, event, case))
    if case is None:
        raise BadHistory("", ("there are none",))
    return History(case, tuple(steps))


def _step(before: Case | None, event: Event, after: Case) -> Step:
    said = event.data
    refused = said.get("refused", ())
    left = before is not None and "to" in said
    return Step(
        version=after.version,
        at=event.time,
        what=event.type,
        command=str(said.get("command", "")),
        actor=event.actor,
        role=str(said.get("role", event.actor)),
        reason=event.reason,
        before="" if before is None else before.state,
        after=after.state,
        minutes_before=(event.time - before.since) / timedelta(minutes=1) if left and before is not None else None,
        refused=tuple(map(str, refused)) if isinstance(refused, list | tuple) else (),
        brought={**_part(said, "set"), **_part(said, "note")},
    )


def _part(said: Mapping[str, object], name: str) -> Mapping[str, object]:
    held = said.get(name)
    return held if isinstance(held, Mapping) else {}


def redact(*fields: str) -> Redact:
    """What `EventStore.erase` needs to forget fields of a case and keep its history readable.

    Parameters
    ----------
    fields : text
        Fields of the case and of commands whose values become None; without any, all of them.

    Examples
    --------
    >>> redact("name")({"to": "open", "set": {"name": "Anna", "topic": "late"}})
    {'to': 'open', 'set': {'name': None, 'topic': 'late'}}
    """

    def apply(data: Mapping[str, object]) -> Mapping[str, object]:
        made = dict(data)
        for part in ("set", "note"):
            held = _part(data, part)
            if held:
                made[part] = {k: None if not fields or k in fields else v for k, v in held.items()}
        return made

    return apply
