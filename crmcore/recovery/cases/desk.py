"""The desk where cases are opened, worked on, joined and closed, over any event store; all events of a step or none."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

import attrs

from crmcore._base import check_aware, listed, mask
from crmcore.errors import EmptyInput, OutOfRange, StoreConflict, UnknownName, WrongType
from crmcore.lifecycle import Accepted, Case, Cases, Command, Late, Refused, decide, open_case
from crmcore.lifecycle.case import replay
from crmcore.lifecycle.commands import stream
from crmcore.lifecycle.workflow import instant_of
from crmcore.recovery.cases.complaints import Complaint
from crmcore.recovery.cases.definitions import AGENT, CUSTOMER, LIVE, CaseKind
from crmcore.recovery.cases.files import CaseFile
from crmcore.recovery.cases.opening import Owner, fields_of, find_owner, grade, todo_for
from crmcore.recovery.cases.plans import Todo
from crmcore.recovery.cases.policies import Known, RecoveryPolicy, same_matter
from crmcore.recovery.cases.promises import PromiseReading, read_promise
from crmcore.recovery.cases.ticking import Ticked, tick_cases
from crmcore.recovery.cases.triaging import Priority
from crmcore.stores import Event, EventStore

if TYPE_CHECKING:
    from crmcore.calendars import BusinessCalendar
    from crmcore.recovery.employees.desk import DeskLoad

__all__ = ["CaseDesk", "IncidentOpened", "Opened", "PromiseMade"]

TRIES = 6
PROMISE = "/promise/"
JOINING = {"merge": "merge", "absorb": "merge", "split": "split", "join": "open_incident", "promise": "promise",
           "attach": "open_incident", "recognise": "recognise"}  # fmt: skip
"""Commands that concern two streams, and the method that writes both."""
MICROSECOND = timedelta(microseconds=1)
T = TypeVar("T")


class Opened(NamedTuple):
    """A case and what is to be done for it."""

    case: CaseFile
    todo: Todo


class PromiseMade(NamedTuple):
    """A promise as a running case of its own, and how its date was found."""

    promise: Case
    reading: PromiseReading


@attrs.frozen
class IncidentOpened:
    """An incident with the cases of those who met it.

    Parameters
    ----------
    incident : CaseFile
    cases : tuple of id
        Of all customers given, in their order.
    opened, joined : tuple of id
        Opened by this call; that were there before and joined.
    """

    incident: CaseFile
    cases: tuple[str, ...] = attrs.field(repr=lambda ids: f"<{len(ids)}>")
    opened: tuple[str, ...] = attrs.field(repr=lambda ids: f"<{len(ids)}>")
    joined: tuple[str, ...] = attrs.field(repr=lambda ids: f"<{len(ids)}>")

    def __str__(self) -> str:
        done = f"{len(self.opened)} opened, {len(self.joined)} joined"
        return f"incident {self.incident.id}, {self.incident.state}: {len(self.cases)} cases, {done}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


@attrs.frozen(eq=False, repr=False)
class CaseDesk:
    """Takes messages in, keeps cases, and lets time pass; two processes over one store never open one matter twice.

    What is written, is written as one: a message and its case, a merge of two cases, an incident with all its cases. A
    command that is sent again (the same id) gives the answer of the first time. A command that is dated before the last
    event of its case is not lost: it counts as given at that event and keeps its own date, which the clocks read.
    Refused commands are kept in the history.

    Parameters
    ----------
    store : EventStore
    policy : RecoveryPolicy
    recent : count
        How many cases to hold in memory between commands; see `lifecycle.Cases`.

    Examples
    --------
    >>> from datetime import UTC
    >>> from crmcore.calendars import BusinessCalendar
    >>> from crmcore.calendars.clocks import ClockPolicy, Targets
    >>> from crmcore.stores import MemoryStore
    >>> policy = RecoveryPolicy(ClockPolicy(BusinessCalendar.always("UTC"), Targets(first_response_minutes=240)))
    >>> desk = CaseDesk(MemoryStore(), policy)
    >>> nine = datetime(2026, 5, 4, 9, tzinfo=UTC)
    >>> case, todo = desk.take(Complaint(id="m1", channel="mail", at=nine, customer="c7", text="Late again"), now=nine)
    >>> case
    CaseFile(ac5856498e31498a, complaint, open, normal, 1 events)
    """

    store: EventStore
    policy: RecoveryPolicy
    recent: int = attrs.field(default=0, kw_only=True)
    cases: Cases = attrs.field(init=False)

    @cases.default
    def _cases(self) -> Cases:
        kept = dict(record_refusals=True, late=Late.FOLLOW, recent=self.recent)
        return Cases(self.store, self.policy.workflows, **kept)  # type: ignore[arg-type]

    def __repr__(self) -> str:
        return f"CaseDesk({self.policy!r})"

    # --- reading ---

    def file(self, case_id: str) -> CaseFile:
        """One case with its history.

        Raises
        ------
        UnknownName
            There is no such case; the error proposes the nearest id.
        """
        events = self.store.read(stream(case_id))
        return CaseFile(replay(events) if events else self.cases.read(case_id), events)

    def files(self) -> Iterator[CaseFile]:
        """All cases but promises, by id."""
        return (self.file(case_id) for case_id in self.cases.ids() if PROMISE not in case_id)

    def promises(self, case_id: str | None = None) -> tuple[Case, ...]:
        """Promises of one case, or all, by id."""
        names = self.store.streams(stream(f"{case_id}{PROMISE}" if case_id else ""))
        ids = [name.removeprefix(stream("")) for name in names]
        return tuple(self.cases.read(i) for i in ids if PROMISE in i)

    # --- messages in ---

    def take(self, said: Complaint, *, now: datetime, load: DeskLoad | None = None) -> Opened:
        """Turn a message into a case, or find the case that it belongs to.

        Parameters
        ----------
        said : Complaint
        now : aware datetime
        load : DeskLoad, optional
            How loaded the agents of the policy's desk are.

        Returns
        -------
        Opened
            `case, todo = desk.take(...)`. `todo.how` says what became of the message: a new case; a repeat (nothing is
            written); the same case (`todo.notes` says by what); reopened, where that case was resolved or closed; or a
            new case that is linked to one that is archived.

        Notes
        -----
        The case begins when the customer spoke, so its clocks count from there. A message that is dated after `now`
        counts as said now; the note keeps both.
        """
        if not isinstance(said, Complaint):
            raise WrongType("said", f"a {type(said).__name__}", "a Complaint", "cases.from_mention, from_mail, ...")
        check_aware(now, "now")
        return self._again_when_late(lambda: self._take(said, now, load))

    def _again_when_late(self, step: Callable[[], T]) -> T:
        for attempt in range(TRIES):
            try:
                return step()
            except StoreConflict:
                if attempt + 1 == TRIES:
                    raise
        raise AssertionError("unreachable")  # pragma: no cover

    def _take(self, said: Complaint, now: datetime, load: DeskLoad | None) -> Opened:
        keys = _keys(said)
        seen = {key: self.store.read(key) for key in keys}
        repeat = seen[keys[0]]
        if repeat:
            case_id = self._standing(str(repeat[0].data["case"])).id
            return self._todo(case_id, said, now, "repeat of a message", ())
        at, notes = said.at, ()
        if said.at > now:
            at, notes = now, (f"dated {said.at.isoformat()}, after now: counts as said now",)
        if said.customer is None:
            notes = (*notes, "the customer is not known: only its conversation can show that a case is there already")
        known = _known(seen)
        found = next(
            ((k, how) for k in reversed(known) if (how := same_matter(
                said, k, within_days=self.policy.same_within_days, alike=self.policy.alike)) is not None), None)  # fmt: skip
        if found is None:
            return self._begin(said, at, now, load, seen, known, notes, how="new case")
        standing = self._standing(found[0].case)
        notes = (f"recognised by {found[1].value}", *notes)
        if standing.state == "archived":
            linked = {"linked_to": standing.id}
            return self._begin(said, at, now, load, seen, known, notes, how="new case, linked", **linked)
        reopens = standing.state in ("resolved", "asked", "closed") and said.kind is not CaseKind.COMPLIMENT
        name, reason = ("reopen", "the customer wrote again") if reopens else ("write", "")
        more = {"permalink": said.permalink, "public": True, "reach": _most(standing.data.get("reach"), said.reach)}
        data: dict[str, object] = {"channel": said.channel, "text": said.text, **(more if said.public else {})}
        command = Command(name, data, actor=CUSTOMER, at=at, id=f"said/{said.key}", reason=reason)
        outcome = self._decide(standing, command)
        if isinstance(outcome, Refused):  # the grace ran out at this very instant
            linked = {"linked_to": standing.id}
            return self._begin(said, at, now, load, seen, known, notes, how="new case, linked", **linked)
        self._write(outcome.events, _marks(said, standing.id, seen, at), seen, {standing.id: standing.version})
        return self._todo(standing.id, said, now, "reopened" if reopens else "same case", notes)

    def _begin(
        self, said: Complaint, at: datetime, now: datetime, load: DeskLoad | None, seen: Mapping[str, tuple[Event, ...]],
        known: tuple[Known, ...], notes: tuple[str, ...], *, how: str, id: str = "", **more: object,
    ) -> Opened:  # fmt: skip
        case_id = id or said.key
        priority = grade(said, self.policy, earlier=self._earlier(said, at, known))
        owner = find_owner(case_id, said, self.policy, priority, at=at, now=now, load=load)
        flow = self.cases.newest(said.kind.value)
        made = open_case(flow, case_id, at=at, data=fields_of(said, priority, owner, **more), actor=CUSTOMER)
        kept = self._write(made.events, _marks(said, case_id, seen, at), seen, {case_id: 0})
        file = CaseFile(made.case, kept[:1])
        return Opened(file, todo_for(file, said, self.policy, priority, owner, how=how, notes=notes))

    def _todo(self, case_id: str, said: Complaint, now: datetime, how: str, notes: tuple[str, ...]) -> Opened:
        file = self.file(case_id)
        priority = Priority(priority=file.priority, severity=file.severity, score=float("nan"), factors={},
                            reasons=file.reasons)  # fmt: skip
        first = attrs.evolve(said, failure=file.failure or said.failure, kind=file.kind)
        gaps = () if file.owner else ("an owner",)
        todo = todo_for(file, first, self.policy, priority, Owner(file.owner, "kept", gaps), how=how, notes=notes)
        return Opened(file, todo)

    def _earlier(self, said: Complaint, at: datetime, known: tuple[Known, ...]) -> int:
        since = at - timedelta(days=self.policy.triage.repeat_days)
        failures = {
            k.case for k in known if k.customer == said.customer and k.kind == "complaint" and since <= k.at <= at
        }
        return len(failures) if said.customer is not None else 0

    def _standing(self, case_id: str) -> Case:
        """Case that stands for another one: what it was merged into."""
        case = self.cases.read(case_id)
        while case.state == "merged":
            case = self.cases.read(str(case.data["merged_into"]))
        return case

    # --- commands ---

    def handle(self, case_id: str, command: Command) -> Accepted | Refused:
        """Do something to a case or a promise; `.or_raise()` turns a refusal into an error that names what is allowed.

        Raises
        ------
        UnknownName
            No such case or command; an agent whom the policy's desk does not know.
        """
        if command.name in JOINING:
            allowed = f"a command that touches one case, not {command.name!r}"
            raise OutOfRange(
                "command", command.name, allowed, f"CaseDesk.{JOINING[command.name]} writes both sides at once"
            )
        self._check_agent(command)
        return self.cases.handle(case_id, command)

    def recognise(self, case_id: str, customer: str, *, at: datetime, id: str, actor: str = AGENT) -> CaseFile:
        """Say whose case it is, where nobody knew; later messages of the customer find it from then on.

        Raises
        ------
        OutOfRange
            The case is another customer's.
        """

        def step() -> None:
            case = self.cases.read(case_id)
            if case.data.get("customer") == customer:
                return
            if case.data.get("customer"):
                raise OutOfRange("customer", mask(customer), "the customer whose case it is", "split the case instead")
            command = Command("recognise", {"customer": customer}, actor=actor, role=AGENT, at=at, id=id)
            self._check_agent(command)
            outcome = self._decide(case, command)
            if isinstance(outcome, Refused):
                raise outcome.error
            key = f"matters:{customer}"
            seen = {key: self.store.read(key)}
            data = {name: str(case.data.get(name) or "") for name in ("failure", "reference", "text", "thread")}
            data["thread"] = f"{case.data.get('channel')}|{data['thread']}" if data["thread"] else ""
            data |= {"case": case_id, "kind": case.workflow, "at": case.opened_at.isoformat(), "customer": customer}
            mark = Event(id=f"recognised/{case_id}", type="said", time=at, data=data, stream=key)
            self._write(outcome.events, [mark], seen, {case_id: case.version})

        self._again_when_late(step)
        return self.file(case_id)

    def _check_agent(self, command: Command) -> None:
        desk = self.policy.desk
        if desk is None:
            return
        named = [command.actor] if command.role == AGENT and command.actor != AGENT else []
        named += [str(command.data["owner"])] if command.name == "assign" and command.data.get("owner") else []
        for agent in named:
            if agent not in desk.ids:
                raise UnknownName("agent", mask(agent), tuple(map(mask, desk.ids[:5])))

    def _decide(self, case: Case, command: Command) -> Accepted | Refused:
        flow = self.cases.workflows[case.workflow, case.pinned]
        return decide(flow, case, command, late=Late.FOLLOW)

    def _write(
        self, events: Iterable[Event], marks: Iterable[Event], seen: Mapping[str, tuple[Event, ...]],
        versions: Mapping[str, int],
    ) -> tuple[Event, ...]:  # fmt: skip
        expected = {key: len(events) for key, events in seen.items()}
        expected |= {stream(case_id): version for case_id, version in versions.items()}
        return self.store.append_many([*events, *marks], expected=expected)

    def promise(
        self, case_id: str, text: str, *, at: datetime, id: str, actor: str, due: datetime | None = None,
        calendar: BusinessCalendar | None = None,
    ) -> PromiseMade:  # fmt: skip
        """Keep what was promised to the customer of a case; without a due date there is no promise.

        Parameters
        ----------
        case_id : text
        text : text
            What was said: "we call you tomorrow". Its date is read by `read_promise` unless `due` is given.
        at : aware datetime
        id : text
            Of the message or click; the same again is the same promise.
        actor : text
            Who promised.
        due : aware datetime, optional
        calendar : BusinessCalendar, optional
            None: that of the policy's clocks.

        Raises
        ------
        OutOfRange
            No due date was given or understood, or it is over.
        IllegalCommand
            The case has ended.
        """
        check_aware(at, "at")
        hours = calendar or cast("BusinessCalendar", self.policy.clocks.calendar)
        reading = read_promise(text, at=at, calendar=hours) if due is None else PromiseReading(due=due, reason="given")
        if reading.due is None:
            raise OutOfRange("due", str(reading), "an instant", "every promise has a due date: pass due=...")
        if reading.due < at:
            raise OutOfRange("due", reading.due.isoformat(), f"not before {at.isoformat()}", "promise what can be kept")
        promise_id = f"{case_id}{PROMISE}{_digest(id)}"
        due_at = reading.due.isoformat()

        def step() -> Case:
            kept = self.store.read(stream(promise_id))
            if kept:
                return replay(kept)
            case = self.cases.read(case_id)
            said = Command("promise", {"text": text, "due_at": due_at, "promise": promise_id}, actor=actor, role=AGENT,
                           at=at, id=id)  # fmt: skip
            self._check_agent(said)
            outcome = self._decide(case, said)
            if isinstance(outcome, Refused):
                raise outcome.error
            data = {"case": case_id, "text": text, "due_at": due_at, "phrase": reading.phrase,
                    "overdue_at": (reading.due + MICROSECOND).isoformat()}  # fmt: skip
            made = open_case(self.cases.newest("promise"), promise_id, at=at, data=data, actor=actor, role=AGENT)
            self._write([*outcome.events, *made.events], (), {}, {case_id: case.version, promise_id: 0})
            return made.case

        return PromiseMade(self._again_when_late(step), reading)

    def merge(self, case_id: str, into: str, *, at: datetime, id: str, actor: str, reason: str = "") -> CaseFile:
        """Let one case go on in another; both histories say so, or neither.

        Raises
        ------
        IllegalCommand, OutOfRange
            One of them has ended; a case into itself, or one customer's case into another's.
        """
        if case_id == into:
            raise OutOfRange("into", into, "another case", "name the case that goes on")

        def step() -> None:
            gone, stays = self.cases.read(case_id), self.cases.read(into)
            if gone.data.get("merged_into") == into:
                return
            owners = {c.data.get("customer") for c in (gone, stays)} - {None}
            if len(owners) > 1:
                raise OutOfRange("into", into, "a case of the same customer", "one incident joins cases of many")
            kept = {name: gone.data[name] for name in ("permalink", "public") if gone.data.get("public")}
            if kept:
                kept["reach"] = _most(stays.data.get("reach"), gone.data.get("reach"))
                kept["permalink"] = stays.data.get("permalink") or gone.data.get("permalink")
            pair = ((gone, Command("merge", {"merged_into": into}, actor=actor, role=AGENT, at=at, id=id, reason=reason)),
                    (stays, Command("absorb", {"case": case_id, **kept}, actor=actor, role=AGENT, at=at,
                                    id=f"{id}/absorb", reason=reason)))  # fmt: skip
            self._both(pair)

        self._again_when_late(step)
        return self.file(into)

    def _both(self, pair: Iterable[tuple[Case, Command]]) -> None:
        events: list[Event] = []
        versions = {}
        for case, command in pair:
            self._check_agent(command)
            outcome = self._decide(case, command)
            if isinstance(outcome, Refused):
                raise outcome.error
            events += outcome.events
            versions[case.id] = case.version
        self._write(events, (), {}, versions)

    def split(self, case_id: str, said: Complaint, *, now: datetime, id: str, actor: str) -> Opened:
        """Give a second matter of a case a case of its own, linked to the first.

        Raises
        ------
        IllegalCommand
            The case has ended.
        """

        def step() -> Opened:
            keys = _keys(said)
            seen = {key: self.store.read(key) for key in keys}
            if seen[keys[0]]:
                return self._todo(str(seen[keys[0]][0].data["case"]), said, now, "repeat of a message", ())
            case = self.cases.read(case_id)
            command = Command("split", {"case": said.key}, actor=actor, role=AGENT, at=now, id=id)
            self._check_agent(command)
            outcome = self._decide(case, command)
            if isinstance(outcome, Refused):
                raise outcome.error
            at = min(said.at, now)
            priority = grade(said, self.policy, earlier=self._earlier(said, at, _known(seen)))
            owner = find_owner(said.key, said, self.policy, priority, at=at, now=now, load=None)
            made = open_case(self.cases.newest(said.kind.value), said.key, at=at, actor=actor, role=AGENT,
                             data=fields_of(said, priority, owner, split_from=case_id))  # fmt: skip
            marks = _marks(said, said.key, seen, at)
            kept = self._write([*made.events, *outcome.events], marks, seen, {case_id: case.version, said.key: 0})
            file = CaseFile(made.case, kept[:1])
            return Opened(file, todo_for(file, said, self.policy, priority, owner, how="new case, linked"))

        return self._again_when_late(step)

    def open_incident(
        self, incident_id: str, *, failure: str, customers: Iterable[str], at: datetime, now: datetime, actor: str,
        statement: str = "", severity: str = "normal", reference: str = "",
    ) -> IncidentOpened:  # fmt: skip
        """Open one incident and a case for everyone who met it; once more with the same customers changes nothing.

        Who has an open complaint about the same kind of failure (or the same reference) keeps that case, which joins.
        The first statement counts; later customers get cases under the same one. All of it is written as one.

        Parameters
        ----------
        incident_id : text
        failure : text
        customers : ids
        at, now : aware datetime
            When it happened, and when this is called.
        actor : text
            Who opens it.
        statement : text
            What is said to all; "" for not yet.
        severity : word
            Of every case before earlier failures count.
        reference : text
            The flight, the outage.

        Raises
        ------
        EmptyInput, WrongType
            No customers; something else than ids.
        """
        people = tuple(dict.fromkeys(listed(customers, "customers", str, what="customer ids", hint="['c1', 'c2']")))
        if not people:
            raise EmptyInput("customers", "an incident has at least one customer who met it")
        check_aware(now, "now")
        base = Complaint(id=incident_id, channel="incident", at=min(at, now), failure=failure, reference=reference,
                         severity=severity)  # fmt: skip

        def step() -> IncidentOpened:
            return self._open_incident(incident_id, base, people, now, actor, statement)

        return self._again_when_late(step)

    def _open_incident(
        self, incident_id: str, base: Complaint, people: tuple[str, ...], now: datetime, actor: str, statement: str
    ) -> IncidentOpened:
        events: list[Event] = []
        watched: dict[str, int] = {}
        before = self.store.read(stream(incident_id))
        if before:
            incident = replay(before)
            if incident.workflow != "incident":
                raise OutOfRange("incident_id", incident_id, "an id of its own", "another case has this id")
        else:
            data = {"failure": base.failure, "reference": base.reference, "severity": base.severity.name.lower()}
            made = open_case(self.cases.newest("incident"), incident_id, at=base.at, data=data, actor=actor, role=AGENT)
            incident, events = made.case, list(made.events)
        watched[stream(incident_id)] = len(before)
        ids, opened, joined = [], [], []
        for person in people:
            said = attrs.evolve(base, id=f"{incident_id}/{person}", customer=person)
            keys = _keys(said)
            seen = {key: self.store.read(key) for key in keys}
            if seen[keys[0]]:
                ids.append(self._standing(str(seen[keys[0]][0].data["case"])).id)
                continue
            known = _known(seen)
            case = self._met_before(said, known)
            if case is None:
                case_id = said.key
                priority = grade(said, self.policy, earlier=self._earlier(said, base.at, known))
                plan = find_owner(case_id, said, attrs.evolve(self.policy, desk=None), priority, at=base.at, now=now,
                                  load=None)  # fmt: skip
                made = open_case(self.cases.newest("complaint"), case_id, at=base.at, actor=actor, role=AGENT,
                                 data=fields_of(said, priority, plan, incident=incident_id))  # fmt: skip
                events += made.events
                watched[stream(case_id)] = 0
                opened.append(case_id)
            else:
                case_id = case.id
                if case.data.get("incident") != incident_id:
                    command = Command("join", {"incident": incident_id}, actor=actor, role=AGENT, at=now,
                                      id=f"{incident_id}/join/{case_id}")  # fmt: skip
                    events += self._decide(case, command).events
                    watched[stream(case_id)] = case.version
                joined.append(case_id)
            ids.append(case_id)
            events += _marks(said, case_id, seen, base.at)
            watched |= {key: len(kept) for key, kept in seen.items()}
        more = [("attach", {"cases": int(cast("int", incident.data.get("cases") or 0)) + len(opened) + len(joined)})]
        commands = more if opened or joined else []
        if statement and incident.state == "open":
            commands = [*commands, ("state", {"statement": statement})]
        for name, data in commands:
            command = Command(name, data, actor=actor, role=AGENT, at=now,
                              id=f"{incident_id}/{name}/{incident.version}")  # fmt: skip
            outcome = self._decide(incident, command)
            incident, events = outcome.case, [*events, *outcome.events]
        if events:
            self.store.append_many(events, expected=watched)
        return IncidentOpened(self.file(incident_id), tuple(ids), tuple(opened), tuple(joined))

    def _met_before(self, said: Complaint, known: tuple[Known, ...]) -> Case | None:
        """Live case of the customer about the same failure or reference."""
        for k in reversed(known):
            if same_matter(said, k, within_days=self.policy.same_within_days, alike=1.0) is not None:
                case = self._standing(k.case)
                if case.state in LIVE:
                    return case
        return None

    # --- time ---

    def tick(self, now: datetime) -> Ticked:
        """Let time pass: close what nobody confirmed, break promises, escalate breaches; late or twice is the same."""
        return tick_cases(self.cases, self.policy, self.files(), now)


def _most(first: object, second: object) -> float | None:
    known = [float(cast("float", x)) for x in (first, second) if x is not None]
    return max(known, default=None)


def _keys(said: Complaint) -> tuple[str, ...]:
    """Streams in which a message is looked up; the first is its own."""
    found = [f"said:{said.key}"]
    if said.thread:
        found.append(f"talk:{_digest(said.channel, said.thread)}")
    if said.customer is not None:
        found.append(f"matters:{said.customer}")
    return tuple(found)


def _marks(said: Complaint, case_id: str, seen: Iterable[str], at: datetime) -> list[Event]:
    """What each of these streams keeps of a message."""
    data: dict[str, object] = {
        "case": case_id, "kind": said.kind.value, "at": at.isoformat(), "customer": said.customer,
        "failure": said.failure, "reference": said.reference, "text": said.text or "",
        "thread": f"{said.channel}|{said.thread}" if said.thread else "",
    }  # fmt: skip
    return [
        Event(id=f"said/{said.key}@{key.partition(':')[0]}", type="said", time=at, data=data, stream=key)
        for key in seen
    ]  # fmt: skip


def _known(seen: Mapping[str, tuple[Event, ...]]) -> tuple[Known, ...]:
    """Earlier messages in the order of their instants, each once."""
    found: dict[str, Known] = {}
    for events in seen.values():
        for event in events:
            d = event.data
            at = instant_of(d["at"]) or event.time
            customer = None if d["customer"] is None else str(d["customer"])
            found.setdefault(event.id.partition("@")[0], Known(
                str(d["case"]), str(d["kind"]), at, customer, str(d["failure"]), str(d["reference"]),
                str(d["thread"]), str(d["text"])))  # fmt: skip
    return tuple(sorted(found.values(), key=lambda k: (k.at, k.case)))
