"""Decide what a command does: events and the case after them, or a refusal with its reasons. Nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from crmcore.errors import EmptyInput, NaiveDatetime, OutOfRange, WrongType
from crmcore.lifecycle.case import Case, evolve
from crmcore.lifecycle.commands import INSTANT, Choice, Command, Late, Why, choose, stream
from crmcore.lifecycle.errors import UnmappedStates
from crmcore.lifecycle.outcomes import Accepted, Refused
from crmcore.lifecycle.timing import Calendar, advance
from crmcore.lifecycle.workflow import odd_instants
from crmcore.stores import Event

if TYPE_CHECKING:
    from crmcore.lifecycle.workflow import Transition, Workflow
    from crmcore.rules import Facts

__all__ = ["REFUSED", "decide", "migrate", "open_case"]

REFUSED = "command refused"
MIGRATED = "migrated"


def open_case(
    flow: Workflow,
    case_id: str,
    *,
    at: datetime,
    data: Mapping[str, object] | None = None,
    actor: str = "",
    role: str = "",
    reason: str = "",
    id: str = "",  # the word that `Event` uses
) -> Accepted:
    """Begin a case in the first state of its workflow.

    Parameters
    ----------
    flow : Workflow
        The version that the case will stay on.
    case_id : text
        Unique among all cases.
    at : aware datetime
        When it began.
    data : JSON object
        Fields of the case.
    actor, role, reason : text
        Who, as whom, why.
    id : text
        Of the event; by default made of the case's id, so that a case is opened once.

    Examples
    --------
    >>> from datetime import UTC
    >>> from crmcore.lifecycle.examples import deal
    >>> open_case(deal(), "d1", at=datetime(2026, 5, 4, tzinfo=UTC), data={"source": "fair"}).case
    Case(id='d1', workflow='deal', pinned=1, state='lead', since=2026-05-04T00:00:00+00:00, data={source}, version=1)
    """
    given: object = data
    if given is not None and not isinstance(given, Mapping):
        raise WrongType("data", f"a {type(given).__name__}", "a mapping of fields", "data={'order': 'o-81'}")
    if not case_id:
        raise EmptyInput("case_id", "give each case an id, such as the number of the ticket")
    payload: dict[str, object] = {"workflow": flow.name, "pinned": flow.version, "to": flow.initial}
    if data:
        payload["set"] = dict(data)
    if role and role != actor:
        payload["role"] = role
    odd = odd_instants(flow, data or {})
    if odd:
        raise WrongType(f"data[{odd[0]!r}]", "something else", INSTANT, "a timer starts there: value.isoformat()")
    name = stream(case_id)
    event = Event(
        id=id or f"{name}/opened", type="opened", time=at, data=payload, stream=name, actor=actor, reason=reason
    )
    return Accepted(evolve(None, event), (event,))


def decide(
    flow: Workflow,
    case: Case,
    command: Command,
    *,
    facts: Facts | Mapping[str, object] | None = None,
    calendars: Mapping[str, Calendar] | None = None,
    record_refusals: bool = False,
    late: Late = Late.REFUSE,
) -> Accepted | Refused:
    """Decide what a command does to a case; a pure function, so asking costs nothing and changes nothing.

    Parameters
    ----------
    flow : Workflow
        The very version that the case is pinned to.
    case : Case
        As it stands.
    command : Command
        Dated not before the case's last event, or else see `late`. Timers that fall due by then fire first.
    facts : Facts or mapping
        What guards may ask for beside the fields of the case.
    calendars : name -> Calendar
        Those that timers name.
    record_refusals : truth
        Whether a refusal is an event too.
    late : Late
        What becomes of a command that is dated before the case's last event.

    Returns
    -------
    Accepted or Refused
        Both carry the events to keep and the case after them; `or_raise()` turns a refusal into `IllegalCommand`.

    Raises
    ------
    UnknownName
        The workflow has no such command in any state.
    OutOfRange
        The case runs on another workflow or version.

    Examples
    --------
    >>> from datetime import UTC
    >>> from crmcore.lifecycle.examples import deal
    >>> monday = datetime(2026, 5, 4, tzinfo=UTC)
    >>> lead = open_case(deal(), "d1", at=monday).case
    >>> print(decide(deal(), lead, Command("qualify", {"owner": "anna"}, actor="anna", at=monday, id="c1")))
    accepted: qualify, d1 is 'qualified'
    >>> print(decide(deal(), lead, Command("win", actor="anna", at=monday, id="c2")))
    refused: win on d1, not possible in this state: it is not possible in state 'lead'
    >>> decide(deal(), lead, Command("win", actor="anna", at=monday, id="c2")).or_raise()
    Traceback (most recent call last):
    crmcore.lifecycle.errors.IllegalCommand: command 'win' was refused for 'anna' on 'd1', which is 'lead': it is not \
possible in state 'lead'.
      allowed here: ['qualify', 'lose', 'estimate']
      hint: send one that is allowed, or what is missing with this one
    """
    given: object = command
    if not isinstance(given, Command):
        hint = "Command('close', {'reason': 'done'}, actor='anna', at=now, id='click-1')"
        raise WrongType("command", f"a {type(given).__name__}", "a Command", hint)
    _check_pin(flow, case)
    dated = command.at
    if dated < case.at and late == Late.FOLLOW:
        command = attrs.evolve(command, at=case.at)
    elif dated < case.at:
        reason = f"it is dated {command.at.isoformat()}, the last event {case.at.isoformat()}"
        return _refused(flow, case, command, Choice(None, Why.TIME, (reason,)), (), record_refusals)
    seen = case.version
    passed: tuple[Event, ...] = ()
    if flow.timers_of(case.state):
        advanced = advance(flow, case, command.at, facts=facts, calendars=calendars)
        case, passed = advanced.case, advanced.events
    if command.expected is not None and command.expected != seen:
        reason = f"it is at version {seen}, the sender saw {command.expected}"
        return _refused(flow, case, command, Choice(None, Why.STALE, (reason,)), passed, record_refusals)
    choice = choose(flow, case, command, facts)
    if choice.transition is None:
        return _refused(flow, case, command, choice, passed, record_refusals)
    data = _payload(choice.transition, case, command)
    if dated < command.at:
        data["dated"] = dated.isoformat()
    event = Event(
        id=command.id,
        type=choice.transition.emits,
        time=command.at,
        data=data,
        stream=stream(case.id),
        actor=command.actor,
        reason=command.reason,
    )
    return Accepted(evolve(case, event), (*passed, event), choice.guards)


def _check_pin(flow: Workflow, case: Case) -> None:
    if flow.name != case.workflow or flow.version != case.pinned:
        pinned = f"{case.workflow} {case.pinned}"
        raise OutOfRange("workflow", flow.title, pinned, "pass the version that the case is pinned to, or migrate it")


def _payload(t: Transition, case: Case, command: Command) -> dict[str, object]:
    data: dict[str, object] = {"command": command.name, "from": case.state}
    if t.target is not None:
        data["to"] = t.target
    if command.role != command.actor:
        data["role"] = command.role
    carried = command.data
    kept = {name: carried[name] for name in t.fields if name in carried} if t.fields and carried else {}
    if kept or t.sets:
        data["set"] = {**kept, **t.sets}
    if len(kept) < len(carried):
        data["note"] = {name: value for name, value in carried.items() if name not in kept}
    return data


def _refused(
    flow: Workflow,
    case: Case,
    command: Command,
    choice: Choice,
    passed: tuple[Event, ...],
    record: bool,
) -> Refused:
    why = choice.why or Why.STATE
    allowed = flow.commands(case.state, role=command.role)
    if record:
        # a refusal may not turn the clock of the case back, so one dated too early stands at the last event
        time = max(command.at, case.at)
        data: dict[str, object] = {
            "command": command.name,
            "from": case.state,
            "why": why.name,
            "refused": list(choice.reasons),
            "allowed": list(allowed),
        }
        if command.role != command.actor:
            data["role"] = command.role
        event = Event(
            id=command.id,
            type=REFUSED,
            time=time,
            data=data,
            stream=stream(case.id),
            actor=command.actor,
            reason=command.reason,
        )
        case, passed = evolve(case, event), (*passed, event)
    return Refused(case, command, why, choice.reasons, allowed, passed, choice.guards)


def migrate(
    case: Case,
    *,
    to: Workflow,
    mapping: Mapping[str, str] | None = None,
    at: datetime,
    actor: str,
    reason: str,
    id: str = "",
) -> Accepted:
    """Move a running case to another version of its workflow (or to another workflow).

    Parameters
    ----------
    case : Case
        As it stands.
    to : Workflow
        The definition that it runs on from now on.
    mapping : old state -> new state
        For states that are gone or that mean something else; others keep their name.
    at : aware datetime
        When; not before the case's last event. Let time pass first (`advance`): timers of the old version that were
        due by then are not looked at here. `Cases.migrate` does so.
    actor, reason : text
        Who, and why: kept in the audit.
    id : text
        Of the event; by default made of the case's id and the version, so that a case moves once.

    Returns
    -------
    Accepted
        The case keeps its fields, the instant since which it stands where it stands, and what its timers have done: a
        new name is no new entry.

    Raises
    ------
    UnmappedStates
        The case's state is gone and `mapping` does not say where it goes, or sends it to a state that is not there.

    Examples
    --------
    >>> from datetime import UTC
    >>> import attrs
    >>> from crmcore.lifecycle.examples import deal
    >>> monday = datetime(2026, 5, 4, tzinfo=UTC)
    >>> lead = open_case(deal(), "d1", at=monday).case
    >>> migrate(lead, to=attrs.evolve(deal(), version=2), at=monday, actor="ops", reason="new stages").case.pinned
    2
    """
    if at.utcoffset() is None:
        raise NaiveDatetime("at")
    if at < case.at:
        raise OutOfRange(
            "at", at.isoformat(), f"not before {case.at.isoformat()}", "migrate at or after the last event"
        )
    target = (mapping or {}).get(case.state, case.state)
    strange = sorted({s for s in [target, *(mapping or {}).values()] if s not in to.states})
    if strange:
        raise UnmappedStates(to.title, tuple(strange), to.states)
    data: dict[str, object] = {"workflow": to.name, "pinned": to.version, "from": case.state}
    if target != case.state:
        data["renamed"] = target
    name = stream(case.id)
    event = Event(
        id=id or f"{name}/{to.name}/{to.version}",
        type=MIGRATED,
        time=at,
        data=data,
        stream=name,
        actor=actor,
        reason=reason,
    )
    return Accepted(evolve(case, event), (event,))
