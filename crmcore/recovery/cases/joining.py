"""Steps that write two histories at once: a promise, a merge, a split, a customer who was recognised."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, cast

from crmcore._base import check_aware, mask
from crmcore.errors import OutOfRange
from crmcore.lifecycle import Case, Command, Refused, open_case
from crmcore.lifecycle.case import replay
from crmcore.lifecycle.commands import stream
from crmcore.recovery.cases.bench import Bench, Opened
from crmcore.recovery.cases.complaints import Complaint
from crmcore.recovery.cases.definitions import AGENT
from crmcore.recovery.cases.files import CaseFile
from crmcore.recovery.cases.messages import digest, keys_of, known_of, marks_of, matters_of, most_of
from crmcore.recovery.cases.opening import fields_of, find_owner, grade, todo_for
from crmcore.recovery.cases.promises import PromiseReading, read_promise
from crmcore.stores import Event

if TYPE_CHECKING:
    from crmcore.calendars import BusinessCalendar

__all__ = ["JOINING", "PROMISE", "PromiseMade", "merge", "promise", "recognise", "split"]

PROMISE = "/promise/"
JOINING = {"merge": "merge", "absorb": "merge", "split": "split", "join": "open_incident", "promise": "promise",
           "attach": "open_incident", "recognise": "recognise"}  # fmt: skip
"""Commands that concern two streams, and the method that writes both."""
MICROSECOND = timedelta(microseconds=1)


class PromiseMade(NamedTuple):
    """A promise as a running case of its own, and how its date was found."""

    promise: Case
    reading: PromiseReading


def promise(
    bench: Bench, case_id: str, text: str, *, at: datetime, id: str, actor: str, due: datetime | None = None,
    calendar: BusinessCalendar | None = None,
) -> PromiseMade:  # fmt: skip
    """Keep what was promised to the customer of a case; without a due date there is no promise; see `CaseDesk`."""
    check_aware(at, "at")
    hours = calendar or cast("BusinessCalendar", bench.policy.clocks.calendar)
    reading = read_promise(text, at=at, calendar=hours) if due is None else PromiseReading(due=due, reason="given")
    if reading.due is None:
        raise OutOfRange("due", str(reading), "an instant", "every promise has a due date: pass due=...")
    if reading.due < at:
        raise OutOfRange("due", reading.due.isoformat(), f"not before {at.isoformat()}", "promise what can be kept")
    promise_id = f"{case_id}{PROMISE}{digest(id)}"
    due_at, overdue_at = reading.due.isoformat(), (reading.due + MICROSECOND).isoformat()

    def step() -> Case:
        kept = bench.store.read(stream(promise_id))
        if kept:
            return replay(kept)
        case = bench.cases.read(case_id)
        said = Command("promise", {"text": text, "due_at": due_at, "promise": promise_id}, actor=actor, role=AGENT,
                       at=at, id=id)  # fmt: skip
        bench.check_agent(said)
        outcome = bench.decide(case, said)
        if isinstance(outcome, Refused):
            raise outcome.error
        data = {"case": case_id, "text": text, "due_at": due_at, "phrase": reading.phrase,
                "overdue_at": overdue_at}  # fmt: skip
        made = open_case(bench.cases.newest("promise"), promise_id, at=at, data=data, actor=actor, role=AGENT)
        bench.write([*outcome.events, *made.events], (), {}, {case_id: case.version, promise_id: 0})
        return made.case

    return PromiseMade(bench.retry(step), reading)


def merge(bench: Bench, case_id: str, into: str, *, at: datetime, id: str, actor: str, reason: str = "") -> CaseFile:
    """Let one case go on in another; both histories say so, or neither; see `CaseDesk`."""
    if case_id == into:
        raise OutOfRange("into", into, "another case", "name the case that goes on")

    def step() -> None:
        gone, stays = bench.cases.read(case_id), bench.cases.read(into)
        if gone.data.get("merged_into") == into:
            return
        began = bench.file(case_id).began_at.isoformat()
        owners = {c.data.get("customer") for c in (gone, stays)} - {None}
        if len(owners) > 1:
            raise OutOfRange("into", into, "a case of the same customer", "one incident joins cases of many")
        kept: dict[str, object] = {"public": True} if gone.data.get("public") else {}
        if kept:
            kept["reach"] = most_of(stays.data.get("reach"), gone.data.get("reach"))
            kept["permalink"] = stays.data.get("permalink") or gone.data.get("permalink") or ""
        pair = ((gone, Command("merge", {"merged_into": into}, actor=actor, role=AGENT, at=at, id=id, reason=reason)),
                (stays, Command("absorb", {"case": case_id, "began_at": began, **kept}, actor=actor, role=AGENT, at=at,
                                id=f"{id}/absorb", reason=reason)))  # fmt: skip
        _both(bench, pair)

    bench.retry(step)
    return bench.file(into)


def _both(bench: Bench, pair: Iterable[tuple[Case, Command]]) -> None:
    events: list[Event] = []
    versions = {}
    for case, command in pair:
        bench.check_agent(command)
        outcome = bench.decide(case, command)
        if isinstance(outcome, Refused):
            raise outcome.error
        events += outcome.events
        versions[case.id] = case.version
    bench.write(events, (), {}, versions)


def split(bench: Bench, case_id: str, said: Complaint, *, now: datetime, id: str, actor: str) -> Opened:
    """Give a second matter of a case a case of its own, linked to the first; see `CaseDesk`."""

    def step() -> Opened:
        keys = keys_of(said)
        seen = {key: bench.store.read(key) for key in keys}
        if seen[keys[0]]:
            return bench.todo(str(seen[keys[0]][0].data["case"]), said, now, "repeat of a message", ())
        case = bench.cases.read(case_id)
        command = Command("split", {"case": said.key}, actor=actor, role=AGENT, at=now, id=id)
        bench.check_agent(command)
        outcome = bench.decide(case, command)
        if isinstance(outcome, Refused):
            raise outcome.error
        at = min(said.at, now)
        priority = grade(said, bench.policy, earlier=bench.earlier(said, at, known_of(seen)))
        owner = find_owner(said.key, said, bench.policy, priority, at=at, now=now, load=None)
        made = open_case(bench.cases.newest(said.kind.value), said.key, at=at, actor=actor, role=AGENT,
                         data=fields_of(said, priority, owner, split_from=case_id))  # fmt: skip
        marks = marks_of(said, said.key, seen, at)
        kept = bench.write([*made.events, *outcome.events], marks, seen, {case_id: case.version, said.key: 0})
        file = CaseFile(made.case, kept[:1])
        return Opened(file, todo_for(file, said, bench.policy, priority, owner, how="new case, linked"))

    return bench.retry(step)


def recognise(bench: Bench, case_id: str, customer: str, *, at: datetime, id: str, actor: str = AGENT) -> CaseFile:
    """Say whose case it is, where nobody knew; later messages of the customer find it from then on; see `CaseDesk`."""

    def step() -> None:
        case = bench.cases.read(case_id)
        if case.data.get("customer") == customer:
            return
        if case.data.get("customer"):
            raise OutOfRange("customer", mask(customer), "the customer whose case it is", "split the case instead")
        command = Command("recognise", {"customer": customer}, actor=actor, role=AGENT, at=at, id=id)
        bench.check_agent(command)
        outcome = bench.decide(case, command)
        if isinstance(outcome, Refused):
            raise outcome.error
        key = matters_of(customer)
        seen = {key: bench.store.read(key)}
        data = {name: str(case.data.get(name) or "") for name in ("failure", "reference", "text", "thread")}
        data["thread"] = f"{case.data.get('channel')}|{data['thread']}" if data["thread"] else ""
        data |= {"case": case_id, "kind": case.workflow, "at": case.opened_at.isoformat(), "customer": customer}
        mark = Event(id=f"recognised/{case_id}", type="said", time=at, data=data, stream=key)
        bench.write(outcome.events, [mark], seen, {case_id: case.version})

    bench.retry(step)
    return bench.file(case_id)
