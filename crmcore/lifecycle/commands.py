"""What somebody wants done to a case, and which transition that would be."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import attrs

from crmcore.documents import Document
from crmcore.errors import EmptyInput, NaiveDatetime, OutOfRange, UnknownName, WrongType
from crmcore.lifecycle.case import STREAM, Case, names_only
from crmcore.lifecycle.workflow import odd_instants

if TYPE_CHECKING:
    from crmcore.lifecycle.workflow import Transition, Workflow
    from crmcore.rules import Decision, Facts

INSTANT = "an ISO 8601 instant with offset, such as 2026-05-04T17:00:00+07:00"

__all__ = ["INSTANT", "Choice", "Command", "GuardAnswer", "Late", "Why", "choose", "stream"]


def stream(case_id: str) -> str:
    """Name of the stream that holds the events of a case."""
    given: object = case_id
    if not isinstance(given, str):
        raise WrongType("case_id", f"a {type(given).__name__}", "text", "pass the id that the case was opened with")
    return STREAM + case_id


class Why(enum.StrEnum):
    """The kind of reason for which a command is refused."""

    STATE = "not possible in this state"
    ACTOR = "not allowed for this actor"
    NEEDS = "something is missing from the command"
    GUARD = "a condition does not hold"
    STALE = "the case has moved on"
    TIME = "dated before the last event"


class Late(enum.StrEnum):
    """What becomes of a command that is dated before the last event of its case."""

    REFUSE = "refuse"
    """It is refused: whoever sent it did not know what had happened."""
    FOLLOW = "follow"
    """It counts as given at that event, which keeps its own date as `dated`: for senders whose clocks differ."""


def _copy(value: Mapping[str, object]) -> dict[str, object]:
    if not isinstance(value, Mapping):
        raise WrongType(
            "data", type(value).__name__, "a mapping of field to JSON value", "Command('ask', {'text': '...'})"
        )
    return dict(value)


@attrs.frozen(hash=False)
class Command(Document):
    """What somebody wants done to a case.

    Parameters
    ----------
    name : text
        A command of the workflow: `"resolve"`.
    data : JSON object
        What it carries; kept in the event, and in the case where the transition says so.
    actor : text
        Who sends it: a member of staff, a channel, an alias of the customer; kept in the audit, so name no customer.
    role : text
        As whom; by default the actor. Transitions permit roles.
    at : aware datetime
        When it was given.
    id : text
        Unique in the whole store and chosen by the sender: the same id again is the same command, done once.
    reason : text
        Why, kept in the audit.
    expected : count, optional
        Version of the case that the sender has seen; if the case has moved on, the command is refused.

    Examples
    --------
    >>> from datetime import UTC
    >>> Command("resolve", {"cause": "courier"}, actor="anna", role="agent",
    ...         at=datetime(2026, 5, 4, 9, tzinfo=UTC), id="m-81")
    Command(name='resolve', data={cause}, actor='anna', role='agent', at=2026-05-04T09:00:00+00:00, id='m-81')
    """

    name: str
    data: Mapping[str, object] = attrs.field(factory=dict, converter=_copy, repr=names_only)
    actor: str = attrs.field(default="", kw_only=True)
    role: str = attrs.field(default=attrs.Factory(lambda self: self.actor, takes_self=True), kw_only=True)
    at: datetime = attrs.field(kw_only=True, repr=datetime.isoformat)
    id: str = attrs.field(kw_only=True)
    reason: str = attrs.field(default="", kw_only=True, repr=False)
    expected: int | None = attrs.field(default=None, kw_only=True, repr=False)

    def __attrs_post_init__(self) -> None:
        if not self.id:
            raise EmptyInput(
                "Command.id", "give each command an id, such as the id of the message or click it came from"
            )
        if self.at.utcoffset() is None:
            raise NaiveDatetime("Command.at")
        if self.expected is not None and self.expected < 0:
            raise OutOfRange("expected", self.expected, "a version from 0", "pass case.version as you saw it")


@attrs.frozen
class GuardAnswer:
    """What one guard said about one transition."""

    transition: str
    decision: Decision

    def __str__(self) -> str:
        return f"{self.transition}: {self.decision}"


class Choice(NamedTuple):
    """The transition that a command takes, or why it takes none."""

    transition: Transition | None
    why: Why | None = None
    reasons: tuple[str, ...] = ()
    guards: tuple[GuardAnswer, ...] = ()


def choose(flow: Workflow, case: Case, command: Command, facts: Facts | Mapping[str, object] | None) -> Choice:
    """Find the transition of a command: the first that the role may take and whose guard holds.

    A guard sees the fields of the case, over them the fields of the command that the transition needs or keeps (and no
    other: what a sender adds cannot pose as a fact), over these `facts`, and `state`, `actor` and `role`.

    Raises
    ------
    UnknownName
        The workflow has no such command in any state.
    """
    ways = flow.transitions_of(case.state, command.name)
    if not ways:
        if command.name not in flow.known_commands:
            raise UnknownName(f"command of {flow.title}", command.name, flow.known_commands)
        return Choice(None, Why.STATE, (f"it is not possible in state {case.state!r}",))
    role = command.role
    first = ways[0]
    plain = first.guard is None and not first.needs and not flow.instant_fields
    if plain and (first.actors is None or role in first.actors):
        return Choice(first)  # nearly every command; what follows would say the same
    permitted = [t for t in ways if t.actors is None or role in t.actors]
    if not permitted:
        roles = sorted({role for t in ways for role in t.actors or ()})
        return Choice(None, Why.ACTOR, (f"role {role!r} may not, {', '.join(roles)} may",))
    answers: list[GuardAnswer] = []
    reasons: list[str] = []
    for t in permitted:
        if t.guard is not None:
            decision = t.guard.decide(_facts(t, case, command, facts), now=command.at)
            answers.append(GuardAnswer(str(t.target or case.state), decision))
            if not decision.holds:
                reasons.append(str(decision))
                continue
        missing = [name for name in t.needs if _lacks(command, name)]
        if missing:  # the way is this one: to go on to the next would let an incomplete command do something else
            return Choice(None, Why.NEEDS, (f"it needs {', '.join(missing)}",), tuple(answers))
        odd = [name for name in odd_instants(flow, command.data) if name in t.fields]
        if odd:  # else the timer that starts there would never fire, and nobody would know
            return Choice(None, Why.NEEDS, (f"{', '.join(odd)} must be {INSTANT}",), tuple(answers))
        return Choice(t, guards=tuple(answers))
    return Choice(None, Why.GUARD, tuple(reasons), tuple(answers))


def _lacks(command: Command, name: str) -> bool:
    return not command.reason if name == "reason" else command.data.get(name) in (None, "")


def _facts(
    t: Transition, case: Case, command: Command, facts: Facts | Mapping[str, object] | None
) -> Facts | dict[str, object]:
    carried = {name: command.data[name] for name in t.fields if name in command.data}
    own = {"state": case.state, "actor": command.actor, "role": command.role}
    if facts is None or isinstance(facts, Mapping):
        return {**case.data, **carried, **(facts or {}), **own}
    return attrs.evolve(facts, fields={**case.data, **carried, **facts.fields, **own})
