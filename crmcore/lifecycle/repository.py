"""Cases kept in an event store: load, decide, append; all events of a command or none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

import attrs

from crmcore._base import Progress, between, listed, reporter
from crmcore.errors import DuplicateIds, EmptyInput, OutOfRange, StoreConflict, UnknownName, WrongType, nearest
from crmcore.lifecycle.audit import History, history
from crmcore.lifecycle.case import STREAM, Case, as_of, evolve, replay
from crmcore.lifecycle.commands import Command, Late, Why, stream
from crmcore.lifecycle.deciding import REFUSED, decide, migrate, open_case
from crmcore.lifecycle.errors import IllegalCommand, UnmappedStates
from crmcore.lifecycle.outcomes import Accepted, Refused
from crmcore.lifecycle.timing import Calendar, Due, advance, due, workflow_of
from crmcore.lifecycle.workflow import Workflow
from crmcore.rules import Facts
from crmcore.stores import Event, EventStore
from crmcore.values.words import word

__all__ = ["Cases"]

TRIES = 5
"""How often a command is decided anew when somebody else was faster, before `StoreConflict` surfaces."""

FactsOf = Facts | Mapping[str, object] | Callable[[Case], Facts | Mapping[str, object]] | None


def _by_version(workflows: Iterable[Workflow]) -> dict[tuple[str, int], Workflow]:
    found: dict[tuple[str, int], Workflow] = {}
    hint = "pass every version that cases may run on: [refund_1, refund_2]"
    for flow in listed(workflows, "workflows", Workflow, what="workflows", hint=hint):
        other = found.setdefault((flow.name, flow.version), flow)
        if other != flow:
            raise OutOfRange(
                "workflows",
                f"two that say {flow.title!r}",
                "one definition a version",
                "give the newer one a new version",
            )
    if not found:
        raise EmptyInput("workflows", "pass every version that cases may run on")
    return found


def _late(value: Late | str) -> Late:
    return word(Late, value, "late")


def _calendars(value: Mapping[str, Calendar] | None) -> dict[str, Calendar]:
    return dict(value or {})


@attrs.frozen(eq=False)
class Cases:
    """Running cases over any event store; one stream a case, named `"case:"` and the case's id.

    Reading folds events, from the newest snapshot on where there is one. Writing appends with the version that was
    read: when somebody else was faster, the command is decided anew on the case as it is then, up to five times.
    A command that is sent again (the same id) gives the answer of the first time.

    Parameters
    ----------
    store : EventStore
        Where events are kept.
    workflows : iterable of Workflow
        Every version on which a case may run. New cases begin on the newest version of their workflow.
    calendars : name -> Calendar
        Those that timers name.
    record_refusals : truth
        Whether refused commands are kept in the history of their case.
    late : Late
        Whether a command that is dated before the last event of its case is refused, or follows that event.
    recent : count
        How many cases to hold in memory, so that the next command on one of them need not read it; the store still
        refuses what was decided on an old view. What `EventStore.erase` takes away stays in the memory of this process
        until `forget`, so none are held unless asked for.

    Examples
    --------
    >>> from datetime import UTC
    >>> from crmcore.lifecycle.examples import complaint
    >>> from crmcore.stores import MemoryStore
    >>> cases = Cases(MemoryStore(), [complaint()])
    >>> monday = datetime(2026, 5, 4, 9, tzinfo=UTC)
    >>> print(cases.open("complaint", "k7", at=monday, data={"topic": "late"}, actor="portal"))
    accepted: opened, k7 is 'open'
    >>> resolve = Command("resolve", {"cause": "courier"}, actor="anna", role="agent", at=monday, id="r1")
    >>> cases.handle("k7", resolve) == cases.handle("k7", resolve), cases.read("k7").state
    (True, 'resolved')
    """

    store: EventStore
    workflows: Mapping[tuple[str, int], Workflow] = attrs.field(converter=_by_version, repr=lambda w: f"<{len(w)}>")
    calendars: Mapping[str, Calendar] = attrs.field(
        default=None, converter=_calendars, kw_only=True, repr=lambda c: f"<{len(c)}>"
    )
    record_refusals: bool = attrs.field(default=False, kw_only=True)
    late: Late = attrs.field(default=Late.REFUSE, kw_only=True, converter=_late)
    recent: int = attrs.field(
        default=0, kw_only=True, validator=between(0, 10_000_000, hint="0 holds none, some thousands are plenty")
    )
    _recent: dict[str, Case] = attrs.field(init=False, factory=dict, repr=False)

    def newest(self, name: str) -> Workflow:
        """Newest version of a workflow.

        Raises
        ------
        UnknownName
            There is none of this name; the error proposes the nearest.
        """
        versions = [version for known, version in self.workflows if known == name]
        if not versions:
            raise UnknownName("workflow", name, tuple(dict.fromkeys(n for n, _ in self.workflows)))
        return self.workflows[name, max(versions)]

    def open(
        self,
        workflow: str,
        case_id: str,
        *,
        at: datetime,
        data: Mapping[str, object] | None = None,
        actor: str = "",
        role: str = "",
        reason: str = "",
        id: str = "",
    ) -> Accepted:
        """Begin a case on the newest version of a workflow; opening it again changes nothing.

        Parameters
        ----------
        workflow, case_id : text
            Which workflow, and which case.
        at, data, actor, role, reason
            See `open_case`.
        id : text
            Of the click or message that opens it, where several senders could: the same id again is a repeat, another
            one is refused. Without it, whoever opens the case again gets the first opening as the answer.

        Raises
        ------
        DuplicateIds
            A case of this id runs on another workflow.
        IllegalCommand
            It was opened by something of another id; the error names what is possible now.
        """
        flow = self.newest(workflow)
        made = open_case(flow, case_id, at=at, data=data, actor=actor, role=role, reason=reason, id=id)
        name = stream(case_id)
        try:
            kept = self.store.read(name)[:1] or self.store.append(name, made.events, expected=0)
        except StoreConflict:  # somebody opened it in between
            kept = self.store.read(name)[:1]
        case = evolve(None, kept[0])
        if case.workflow != workflow:
            raise DuplicateIds(f"case {case_id!r}", 1, (0,), f"it runs on {case.workflow!r}: choose another id")
        if id and kept[0].id != id:
            now = self._load(case_id)
            able = workflow_of(now, self.workflows).commands(now.state, role=role or actor)
            raise IllegalCommand("open", case_id, now.state, role or actor, ("it was opened before",), able)
        return Accepted(case, kept)

    def handle(
        self, case_id: str, command: Command, *, facts: FactsOf = None, beside: Mapping[str, str] | None = None
    ) -> Accepted | Refused:
        """Load a case, decide, and keep what came of it: all events or none.

        Parameters
        ----------
        case_id : text
            Which case.
        command : Command
            What somebody wants done. The same id again gives the first answer and keeps nothing.
        facts : mapping or function of a case
            What guards may ask for beside the fields of the case.
        beside : fact -> case id
            Cases whose state is a fact: `{"feelings": "k7-feelings"}` lets a guard ask for `field("feelings")`. If one
            of them moves on before this command is kept, it is decided anew.

        Raises
        ------
        UnknownName
            There is no such case, no such command, or no such version of a workflow.
        StoreConflict
            Five times somebody else was faster.
        """
        name = stream(case_id)
        for attempt in range(TRIES + 1):
            held = self._recent.get(case_id) if attempt == 0 else None
            case = held or self._load(case_id)
            others = {fact: self._load(other) for fact, other in (beside or {}).items()}
            states = {fact: other.state for fact, other in others.items()}
            outcome = decide(
                workflow_of(case, self.workflows),
                case,
                command,
                facts=_facts(facts, case, states),
                calendars=self.calendars,
                record_refusals=self.record_refusals,
                late=self.late,
            )
            if not outcome.accepted or len(outcome.events) > 1:  # timers fell due: they must not come with a repeat
                if not outcome.accepted and held is not None:
                    continue  # look again before saying no
                said = self._said(case_id, command)
                if said is not None:
                    return said
            if not outcome.events:
                return outcome
            expected = {name: case.version, **{stream(other.id): other.version for other in others.values()}}
            try:
                kept = self.store.append_many(outcome.events, expected=expected)
            except StoreConflict:
                if attempt == TRIES:
                    raise
                continue
            if kept[-1].version != outcome.case.version or kept[-1].data != outcome.events[-1].data:
                return self._said(case_id, command) or outcome  # its id stood there already: a repeat
            self.remember(outcome.case)
            if isinstance(outcome, Accepted):  # nearly every one, and at half the price of attrs.evolve
                return Accepted(outcome.case, kept, outcome.guards)
            return attrs.evolve(outcome, events=kept)
        raise AssertionError("unreachable")  # pragma: no cover

    def remember(self, case: Case) -> None:
        """Hold a case in memory, as it was just written by another way than `handle`; nothing where `recent` is 0."""
        if self.recent:
            if len(self._recent) >= self.recent:
                self._recent.clear()  # one step, so that threads need no lock; what is asked for again comes back
            self._recent[case.id] = case

    def _said(self, case_id: str, command: Command) -> Accepted | Refused | None:
        """What the same command was answered the first time."""
        known = self.store.read(stream(case_id))
        for i, event in enumerate(known):
            if event.id == command.id:
                case = replay(known[: i + 1])
                if event.type != REFUSED:
                    return Accepted(case, (event,))
                said = event.data
                reasons, allowed = (tuple(map(str, _list(said.get(part)))) for part in ("refused", "allowed"))
                return Refused(case, command, Why[str(said.get("why"))], reasons, allowed, (event,))
        return None

    def _load(self, case_id: str) -> Case:
        name = stream(case_id)
        kept = self.store.latest_snapshot(name)
        case = None if kept is None else Case.from_dict(kept.state)
        for event in self.store.read(name, after=0 if kept is None else kept.version):
            case = evolve(case, event)
        if case is None:
            ids = self.ids()
            near = nearest(case_id, ids[:100_000])
            raise UnknownName("case", case_id, ids[:5] if near is None else (near,))
        return case

    def read(self, case_id: str, *, at: datetime | None = None) -> Case:
        """A case as it stands, or as it stood by an instant (inclusive).

        Raises
        ------
        UnknownName
            There is no such case, or there was none yet.
        """
        if at is None:
            return self._load(case_id)
        case = as_of(self.store.read(stream(case_id), until=at), at)
        if case is None:
            raise UnknownName(f"case by {at.isoformat()}", case_id, ())
        return case

    def history(self, case_id: str) -> History:
        """Who did what to a case, when and why."""
        self._load(case_id)
        return history(self.store.read(stream(case_id)))

    def ids(self) -> tuple[str, ...]:
        """Ids of all cases, sorted."""
        return tuple(name.removeprefix(STREAM) for name in self.store.streams(STREAM))

    def __iter__(self) -> Iterator[Case]:
        return map(self._load, self.ids())

    def due(self, now: datetime) -> tuple[Due, ...]:
        """What is due over all cases, each with the instant at which it fell due."""
        return due(self, now, workflows=self.workflows.values(), calendars=self.calendars)

    def fire(self, now: datetime, *, facts: FactsOf = None, progress: Progress | bool = False) -> tuple[Event, ...]:
        """Let time pass for all cases: fire and keep what fell due by now, in the order of its instants.

        Calling it late, twice, or from two processes at once keeps the same events.

        Parameters
        ----------
        now : aware datetime
            Up to when (inclusive).
        facts : mapping or function of a case
            What guards may ask for.
        progress : callable or truth
            Told how many of the cases that have something due are done.
        """
        fired: list[Event] = []
        report = reporter(progress)
        cases = list(dict.fromkeys(d.case_id for d in self.due(now)))
        for done, case_id in enumerate(cases, 1):
            fired.extend(self._fire(case_id, now, facts))
            report("fire timers", done, len(cases))
        return tuple(sorted(fired, key=lambda e: (e.time, e.id)))

    def _fire(self, case_id: str, now: datetime, facts: FactsOf) -> tuple[Event, ...]:
        for attempt in range(TRIES):
            case = self._load(case_id)
            flow = workflow_of(case, self.workflows)
            passed = advance(flow, case, now, facts=_facts(facts, case, {}), calendars=self.calendars)
            try:
                return self.store.append(stream(case_id), passed.events, expected=case.version) if passed.events else ()
            except StoreConflict:
                if attempt + 1 == TRIES:
                    raise
        return ()  # pragma: no cover

    def migrate(
        self,
        workflow: str,
        *,
        to: int,
        mapping: Mapping[str, str] | None = None,
        at: datetime,
        actor: str,
        reason: str,
        facts: FactsOf = None,
    ) -> tuple[Event, ...]:
        """Move all cases of a workflow that run on an older version to a newer one, all or none.

        Cases that have ended (in a terminal state) stay as they are. Timers that were due by then fire first, on the
        version that they were made with.

        Parameters
        ----------
        workflow, to : text, count
            Which workflow, and the version to move to.
        mapping : old state -> new state
            For states that are gone or mean something else.
        at, actor, reason
            When, who, why: kept in the audit.
        facts : mapping or function of a case
            What guards of those timers may ask for.

        Raises
        ------
        UnmappedStates
            Cases stand in states that the new version does not have and that `mapping` leaves out; all of them.
        """
        if (workflow, to) not in self.workflows:
            known = tuple(f"{name} {version}" for name, version in self.workflows)
            raise UnknownName("workflow", f"{workflow} {to}", known)
        flow = self.workflows[workflow, to]
        running = [case for case in self if case.workflow == workflow and case.pinned < to and not self._ended(case)]
        passed = {
            case.id: advance(
                workflow_of(case, self.workflows),
                case,
                at,
                facts=_facts(facts, case, {}),
                calendars=self.calendars,
            )
            for case in running
        }
        moving = [p.case for p in passed.values() if not self._ended(p.case)]
        states = dict.fromkeys((mapping or {}).get(case.state, case.state) for case in moving)
        lost = tuple(sorted(s for s in states if s not in flow.states))
        if lost:
            raise UnmappedStates(flow.title, lost, flow.states)
        events = [event for p in passed.values() for event in p.events]
        for case in moving:
            events += migrate(case, to=flow, mapping=mapping, at=at, actor=actor, reason=reason).events
        return self.store.append_many(events, expected={stream(case.id): case.version for case in running})

    def _ended(self, case: Case) -> bool:
        return case.state in workflow_of(case, self.workflows).terminal

    def forget(self) -> None:
        """Let go of the cases held in memory, such as after `EventStore.erase`."""
        self._recent.clear()

    def snapshot(self, case_id: str) -> Case:
        """Keep the state of a case as it stands, so that reading need not start at its first event."""
        case = self._load(case_id)
        self.store.snapshot(stream(case_id), case.version, case.to_dict())
        return case


def _facts(facts: FactsOf, case: Case, states: Mapping[str, str]) -> Facts | Mapping[str, object] | None:
    """Facts for the guards of one case, with the states of those beside it."""
    found = facts(case) if callable(facts) else facts
    given: object = found
    if given is not None and not isinstance(given, Facts | Mapping):
        raise WrongType("facts", f"a {type(given).__name__}", "Facts, a mapping, or None", "facts={'paid': True}")
    if not states:
        return found
    return found.with_fields(**states) if isinstance(found, Facts) else {**(found or {}), **states}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
