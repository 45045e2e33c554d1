"""A running case as a value, and the fold that makes it: `case = evolve(case, event)`.

Events say where they lead, so a history is read without the workflow that it was made with, and no later change of a
definition can change what happened. What the payload of an event may hold, all of it optional:

- `to`: the state that it leads to; an entry, even into the state where the case stands.
- `set`: fields of the case that change; `note`: what else the command carried.
- `command`, `role`, `from`: what was asked for, as whom, and where the case stood.
- `dated`: when the sender says that it was given, where that is before the event that precedes it.
- `timer`: [occurrence, count] of the timer that sent the command.
- `workflow`, `pinned`: the definition from here on; `renamed`: the state's name there.
- `refused`, `why`, `allowed`: reasons for which nothing changed, and what could have been done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from crmcore.documents import Document
from crmcore.errors import NaiveDatetime
from crmcore.lifecycle.errors import BadHistory
from crmcore.stores import Event

if TYPE_CHECKING:
    from crmcore.lifecycle.workflow import Workflow

__all__ = ["Case", "as_of", "evolve", "names_only", "replay"]

NOTHING: Mapping[str, object] = {}
NEVER: Mapping[str, int] = {}
STREAM = "case:"  # what names of streams of cases begin with


def names_only(data: Mapping[str, object]) -> str:
    """Fields without their values, for a repr: values may name a person."""
    return "{" + ", ".join(map(str, data)) + "}"


@attrs.frozen(hash=False, weakref_slot=False)
class Case(Document):
    """Where one thing (a complaint, a deal, a review, a task) stands in its workflow: a fold of its events.

    Parameters
    ----------
    id : text
        Of the case; also the name of its stream of events, after a prefix.
    workflow, pinned : text, count
        Name and version of the definition that it runs on; only `migrate` changes them.
    state : text
        Where it stands.
    since, at : aware datetimes
        When it entered that state, and when its last event happened.
    data : JSON object
        Fields that transitions kept; out of the repr because they may name a person.
    version : count
        Events so far.
    entries : state -> aware datetime
        First entry into every state it has been in, in that order.
    fired : timer occurrence -> count
        What timers have done, so that none does it twice.

    Examples
    --------
    >>> from datetime import UTC
    >>> monday = datetime(2026, 5, 4, 9, tzinfo=UTC)
    >>> Case("k7", "complaint", 1, "open", monday, monday, {"owner": "anna"}, 1, {"open": monday}).state
    'open'
    """

    id: str
    workflow: str
    pinned: int
    state: str
    since: datetime = attrs.field(repr=datetime.isoformat)
    at: datetime = attrs.field(repr=False)
    data: Mapping[str, object] = attrs.field(repr=names_only)
    version: int
    entries: Mapping[str, datetime] = attrs.field(repr=False)
    fired: Mapping[str, int] = attrs.field(default=NEVER, repr=False)

    @property
    def opened_at(self) -> datetime:
        """When the case began."""
        return next(iter(self.entries.values()))


@attrs.define(eq=False, repr=False, weakref_slot=False)
class _Draft(Document):
    """The same slots as `Case`, filled at the speed of plain attributes: see `_made`."""

    id: str
    workflow: str
    pinned: int
    state: str
    since: datetime
    at: datetime
    data: Mapping[str, object]
    version: int
    entries: Mapping[str, datetime]
    fired: Mapping[str, int]


def evolve(case: Case | None, event: Event) -> Case:
    """State of a case after one more event.

    Parameters
    ----------
    case : Case or None
        None before the first event, which must be one that opens a case.
    event : Event
        As `decide` made it or a store gave it back. What an event of another kind (a note that the application wrote
        into the same stream) says is not looked at: it counts as a version, nothing else.

    Raises
    ------
    BadHistory
        The first event opens no case.

    Examples
    --------
    >>> from datetime import UTC
    >>> at = datetime(2026, 5, 4, 9, tzinfo=UTC)
    >>> opened = Event(id="k7/opened", type="opened", time=at, stream="case:k7", data={
    ...     "workflow": "complaint", "pinned": 1, "to": "open", "set": {"topic": "late"}})
    >>> evolve(None, opened)
    Case(id='k7', workflow='complaint', pinned=1, state='open', since=2026-05-04T09:00:00+00:00, data={topic}, \
version=1)
    """
    said = event.data
    if case is None:
        return _opened(event)
    state, since, data, entries, fired = case.state, case.since, case.data, case.entries, case.fired
    time = event.time
    to: str | None = said.get("to")  # type: ignore[assignment]
    if to is not None:
        state, since = to, time
        if to not in entries:
            entries = {**entries, to: time}
        if fired:
            fired = {k: n for k, n in fired.items() if "@" in k}  # the rest counted within the state that was left
    if "set" in said:
        data = {**data, **said["set"]}  # type: ignore[dict-item]
    if "timer" in said:
        fact: tuple[str, int] = said["timer"]  # type: ignore[assignment]
        if to is None or "@" in fact[0]:
            fired = {**fired, fact[0]: fact[1]}
    workflow, pinned = case.workflow, case.pinned
    if "pinned" in said:
        workflow, pinned = str(said["workflow"]), int(said["pinned"])  # type: ignore[call-overload]
        if "renamed" in said:
            state = str(said["renamed"])
            entries = {**entries, state: entries.get(state, since)}
    made = _Draft(case.id, workflow, pinned, state, since, time, data, case.version + 1, entries, fired)
    # A frozen class sets its slots one call each, which is two thirds of the time of a step; a plain one of the same
    # layout does not, and becomes frozen here, before anybody sees it.
    made.__class__ = Case  # type: ignore[assignment]
    return made  # type: ignore[return-value]


def _opened(event: Event) -> Case:
    said = event.data
    if not ("workflow" in said and "pinned" in said and "to" in said):
        raise BadHistory(event.stream, (f"0: {event.type!r} opens no case",))
    state, time = str(said["to"]), event.time
    return Case(
        id=event.stream.removeprefix(STREAM),
        workflow=str(said["workflow"]),
        pinned=int(said["pinned"]),  # type: ignore[call-overload]
        state=state,
        since=time,
        at=time,
        data=dict(said.get("set", NOTHING)),  # type: ignore[call-overload]
        version=1,
        entries={state: time},
    )


def replay(events: Iterable[Event], *, workflows: Iterable[Workflow] | None = None) -> Case:
    """State after all events of one case, in the order given.

    Parameters
    ----------
    events : iterable of Event
        One stream, by version.
    workflows : iterable of Workflow, optional
        Definitions to hold the history against: every step must be one that its pinned definition has.

    Raises
    ------
    BadHistory
        There are no events, the first opens no case, or `workflows` do not allow some steps: all of them by position.

    Examples
    --------
    >>> replay([])
    Traceback (most recent call last):
    crmcore.lifecycle.errors.BadHistory: the events of '' are no history of one case:
      there are none
      hint: read the events of one stream in the order of their versions
    """
    case: Case | None = None
    known = None if workflows is None else {(w.name, w.version): w for w in workflows}
    problems: list[str] = []
    for i, event in enumerate(events):
        following = evolve(case, event)
        if known is not None:
            problems.extend(f"{i}: {fault}" for fault in _faults(case, event, following, known))
        case = following
    if case is None:
        raise BadHistory("", ("there are none",))
    if problems:
        raise BadHistory(case.id, tuple(problems), "replay without workflows to read it as it stands")
    return case


def as_of(events: Iterable[Event], at: datetime) -> Case | None:
    """State at an instant, from what had happened by then (inclusive); None before the case was opened.

    Raises
    ------
    NaiveDatetime
        `at` has no zone.
    """
    if at.utcoffset() is None:
        raise NaiveDatetime("at")
    case: Case | None = None
    for event in events:
        if event.time <= at:
            case = evolve(case, event)
    return case


def _faults(
    case: Case | None, event: Event, following: Case, known: Mapping[tuple[str, int], Workflow]
) -> Iterable[str]:
    """Why a definition does not have a step."""
    flow = known.get((following.workflow, following.pinned))
    if flow is None:
        yield f"no workflow {following.workflow!r} version {following.pinned} among those given"
        return
    if case is not None and event.time < case.at:
        yield f"{event.type!r} happened before the event that precedes it"
    if following.state not in flow.states:
        yield f"{event.type!r} leads to {following.state!r}, which {flow.title} does not have"
    elif case is None:
        if following.state != flow.initial:
            yield f"it opens in {following.state!r} instead of {flow.initial!r}"
    elif "to" in event.data or ("command" in event.data and "refused" not in event.data):
        command, target = str(event.data.get("command", "")), event.data.get("to")
        if not any(t.target == target for t in flow.transitions_of(case.state, command)):
            yield f"{command!r} leads from {case.state!r} to {target or case.state!r}, which {flow.title} does not have"
