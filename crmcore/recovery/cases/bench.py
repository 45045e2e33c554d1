"""The mechanism under the desk: look a message up, decide, and write everything or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import attrs

from crmcore._base import mask
from crmcore.errors import StoreConflict, UnknownName
from crmcore.lifecycle import Accepted, Case, Cases, Command, Late, Refused, decide, open_case
from crmcore.lifecycle.case import replay
from crmcore.lifecycle.commands import stream
from crmcore.recovery.cases.complaints import Complaint
from crmcore.recovery.cases.definitions import AGENT, CUSTOMER, CaseKind
from crmcore.recovery.cases.files import CaseFile
from crmcore.recovery.cases.messages import keys_of, known_of, marks_of, most_of
from crmcore.recovery.cases.opening import Owner, fields_of, find_owner, grade, todo_for
from crmcore.recovery.cases.plans import Todo
from crmcore.recovery.cases.policies import Known, RecoveryPolicy, same_matter
from crmcore.recovery.cases.triaging import Priority
from crmcore.stores import Event, EventStore

if TYPE_CHECKING:
    from crmcore.recovery.employees.desk import DeskLoad

__all__ = ["Bench", "Opened"]

TRIES = 6
T = TypeVar("T")


class Opened(NamedTuple):
    """A case and what is to be done for it."""

    case: CaseFile
    todo: Todo


@attrs.frozen(eq=False)
class Bench:
    """Cases of one policy over a store, and what every step on them has in common."""

    store: EventStore
    policy: RecoveryPolicy
    cases: Cases

    def file(self, case_id: str) -> CaseFile:
        """One case with its history.

        Raises
        ------
        UnknownName
            There is no such case; the error proposes the nearest id.
        """
        events = self.store.read(stream(case_id))
        return CaseFile(replay(events) if events else self.cases.read(case_id), events)

    def standing(self, case_id: str) -> Case:
        """Case that stands for another one: what it was merged into."""
        case = self.cases.read(case_id)
        while case.state == "merged":
            case = self.cases.read(str(case.data["merged_into"]))
        return case

    def retry(self, step: Callable[[], T]) -> T:
        """Do a step anew while somebody else was faster, up to six times."""
        for attempt in range(TRIES):
            try:
                return step()
            except StoreConflict:
                if attempt + 1 == TRIES:
                    raise
        raise AssertionError("unreachable")  # pragma: no cover

    def check_agent(self, command: Command) -> None:
        """Refuse agents whom the desk of the policy does not know."""
        desk = self.policy.desk
        if desk is None:
            return
        named = [command.actor] if command.role == AGENT and command.actor != AGENT else []
        named += [str(command.data["owner"])] if command.name == "assign" and command.data.get("owner") else []
        for agent in named:
            if agent not in desk.ids:
                raise UnknownName("agent", mask(agent), tuple(map(mask, desk.ids[:5])))

    def decide(self, case: Case, command: Command) -> Accepted | Refused:
        """Ask what a command does to a case; nothing is written."""
        flow = self.cases.workflows[case.workflow, case.pinned]
        return decide(flow, case, command, late=Late.FOLLOW)

    def write(
        self, events: Iterable[Event], marks: Iterable[Event], seen: Mapping[str, tuple[Event, ...]],
        versions: Mapping[str, int],
    ) -> tuple[Event, ...]:  # fmt: skip
        """Append events and marks if nothing that was looked at has moved on."""
        expected = {key: len(events) for key, events in seen.items()}
        expected |= {stream(case_id): version for case_id, version in versions.items()}
        return self.store.append_many([*events, *marks], expected=expected)

    def take(self, said: Complaint, now: datetime, load: DeskLoad | None) -> Opened:
        """Look a message up, and write it into its case or into a new one."""
        keys = keys_of(said)
        seen = {key: self.store.read(key) for key in keys}
        repeat = seen[keys[0]]
        if repeat:
            case_id = self.standing(str(repeat[0].data["case"])).id
            return self.todo(case_id, said, now, "repeat of a message", ())
        at = said.at
        notes: tuple[str, ...] = ()
        if said.at > now:
            at, notes = now, (f"dated {said.at.isoformat()}, after now: counts as said now",)
        if said.customer is None:
            notes = (*notes, "the customer is not known: only its conversation can show that a case is there already")
        known = known_of(seen)
        days, alike = self.policy.same_within_days, self.policy.alike
        pairs = ((k, same_matter(said, k, within_days=days, alike=alike)) for k in reversed(known))
        found = next(((k.case, how.value) for k, how in pairs if how is not None), None)
        if found is None:
            return self.begin(said, at, now, load, seen, known, notes, how="new case")
        standing = self.standing(found[0])
        notes = (f"recognised by {found[1]}", *notes)
        if standing.state == "archived":
            linked = {"linked_to": standing.id}
            return self.begin(said, at, now, load, seen, known, notes, how="new case, linked", **linked)
        reopens = standing.state in ("resolved", "asked", "closed") and said.kind is not CaseKind.COMPLIMENT
        name, reason = ("reopen", "the customer wrote again") if reopens else ("write", "")
        link = standing.data.get("permalink") or said.permalink  # the post that began it stays the one to come back to
        more = {"permalink": link, "public": True, "reach": most_of(standing.data.get("reach"), said.reach)}
        data: dict[str, object] = {"channel": said.channel, "text": said.text, **(more if said.public else {})}
        command = Command(name, data, actor=CUSTOMER, at=at, id=f"said/{said.key}", reason=reason)
        outcome = self.decide(standing, command)
        if isinstance(outcome, Refused):  # the grace ran out at this very instant
            linked = {"linked_to": standing.id}
            return self.begin(said, at, now, load, seen, known, notes, how="new case, linked", **linked)
        self.write(outcome.events, marks_of(said, standing.id, seen, at), seen, {standing.id: standing.version})
        return self.todo(standing.id, said, now, "reopened" if reopens else "same case", notes)

    def begin(
        self, said: Complaint, at: datetime, now: datetime, load: DeskLoad | None,
        seen: Mapping[str, tuple[Event, ...]],
        known: tuple[Known, ...], notes: tuple[str, ...], *, how: str, id: str = "", **more: object,
    ) -> Opened:  # fmt: skip
        """Write a new case with the marks of its message."""
        case_id = id or said.key
        priority = grade(said, self.policy, earlier=self.earlier(said, at, known))
        owner = find_owner(case_id, said, self.policy, priority, at=at, now=now, load=load)
        flow = self.cases.newest(said.kind.value)
        made = open_case(flow, case_id, at=at, data=fields_of(said, priority, owner, **more), actor=CUSTOMER)
        kept = self.write(made.events, marks_of(said, case_id, seen, at), seen, {case_id: 0})
        if kept[0].data == made.events[0].data:  # else somebody else has written this very message
            self.cases.remember(made.case)
        file = CaseFile(made.case, kept[:1])
        return Opened(file, todo_for(file, said, self.policy, priority, owner, how=how, notes=notes))

    def todo(self, case_id: str, said: Complaint, now: datetime, how: str, notes: tuple[str, ...]) -> Opened:
        """File of a case that is there, and what is still to be done for it."""
        file = self.file(case_id)
        priority = Priority(priority=file.priority, severity=file.severity, score=float("nan"), factors={},
                            reasons=file.reasons)  # fmt: skip
        first = attrs.evolve(said, failure=file.failure or said.failure, kind=file.kind)
        gaps = () if file.owner else ("an owner",)
        todo = todo_for(file, first, self.policy, priority, Owner(file.owner, "kept", gaps), how=how, notes=notes)
        return Opened(file, todo)

    def earlier(self, said: Complaint, at: datetime, known: tuple[Known, ...]) -> int:
        """Count earlier failures of the customer of a message."""
        return 0 if said.customer is None else self.failures(said.customer, known, until=at)

    def failures(self, customer: str, known: tuple[Known, ...], *, until: datetime, besides: str = "") -> int:
        """Count complaint cases of a customer within the memory of the policy; cases that were merged since are one."""
        since = until - timedelta(days=self.policy.triage.repeat_days)
        cases = {k.case for k in known if k.customer == customer and k.kind == "complaint" and since <= k.at <= until}
        return len({self.standing(case_id).id for case_id in cases - {besides}} - {besides})
