"""The desk where cases are opened, worked on, joined and closed, over any event store; all events of a step or none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from crmcore._base import check_aware
from crmcore.errors import OutOfRange, WrongType
from crmcore.lifecycle import Accepted, Case, Cases, Command, Late, Refused
from crmcore.lifecycle.commands import stream
from crmcore.recovery.cases import incidents, joining
from crmcore.recovery.cases.bench import Bench, Opened
from crmcore.recovery.cases.complaints import Complaint
from crmcore.recovery.cases.confidence import CONFIDENCE, confidence_facts
from crmcore.recovery.cases.definitions import AGENT
from crmcore.recovery.cases.files import CaseFile
from crmcore.recovery.cases.incidents import IncidentOpened
from crmcore.recovery.cases.joining import JOINING, PROMISE, PromiseMade
from crmcore.recovery.cases.messages import known_of, matters_of
from crmcore.recovery.cases.policies import RecoveryPolicy
from crmcore.recovery.cases.ticking import Ticked, tick_cases
from crmcore.stores import EventStore

if TYPE_CHECKING:
    from crmcore.calendars import BusinessCalendar
    from crmcore.recovery.employees.desk import DeskLoad
    from crmcore.rules import Verdict

__all__ = ["CaseDesk", "Opened"]


def _cases(desk: CaseDesk) -> Cases:
    return Cases(desk.store, desk.policy.workflows, record_refusals=True, late=Late.FOLLOW, recent=desk.recent)


def _bench(desk: CaseDesk) -> Bench:
    return Bench(desk.store, desk.policy, desk.cases)


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
    cases: Cases = attrs.field(init=False, default=attrs.Factory(_cases, takes_self=True))
    bench: Bench = attrs.field(init=False, default=attrs.Factory(_bench, takes_self=True))

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
        return self.bench.file(case_id)

    def files(self) -> Iterator[CaseFile]:
        """All cases but promises, by id."""
        return (self.file(case_id) for case_id in self.cases.ids() if PROMISE not in case_id)

    def promises(self, case_id: str | None = None) -> tuple[Case, ...]:
        """Promises of one case, or all, by id."""
        names = self.store.streams(stream(f"{case_id}{PROMISE}" if case_id else ""))
        ids = [name.removeprefix(stream("")) for name in names]
        return tuple(self.cases.read(i) for i in ids if PROMISE in i)

    def earlier_failures(self, case_id: str) -> int:
        """Count other complaint cases of the customer in the policy's days of memory before this one began."""
        file = self.file(case_id)
        if file.customer is None:
            return 0
        known = known_of({"": self.store.read(matters_of(file.customer))})
        return self.bench.failures(file.customer, known, until=file.case.opened_at, besides=case_id)

    def confidence(self, case_id: str, *, now: datetime) -> Verdict:
        """Whether the customer's confidence is to be maintained, regained or rebuilt, by `confidence.CONFIDENCE`."""
        facts = confidence_facts(
            self.file(case_id), clocks=self.policy.clocks, now=now, promises=self.promises(case_id),
            earlier_failures=self.earlier_failures(case_id),
        )  # fmt: skip
        return CONFIDENCE.decide(facts, now=now)

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
        return self.bench.retry(lambda: self.bench.take(said, now, load))

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
        self.bench.check_agent(command)
        return self.cases.handle(case_id, command)

    def recognise(self, case_id: str, customer: str, *, at: datetime, id: str, actor: str = AGENT) -> CaseFile:
        """Say whose case it is, where nobody knew; later messages of the customer find it from then on.

        Raises
        ------
        OutOfRange
            The case is another customer's.
        """
        return joining.recognise(self.bench, case_id, customer, at=at, id=id, actor=actor)

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
        return joining.promise(self.bench, case_id, text, at=at, id=id, actor=actor, due=due, calendar=calendar)

    def merge(self, case_id: str, into: str, *, at: datetime, id: str, actor: str, reason: str = "") -> CaseFile:
        """Let one case go on in another; both histories say so, or neither.

        Raises
        ------
        IllegalCommand, OutOfRange
            One of them has ended; a case into itself, or one customer's case into another's.
        """
        return joining.merge(self.bench, case_id, into, at=at, id=id, actor=actor, reason=reason)

    def split(self, case_id: str, said: Complaint, *, now: datetime, id: str, actor: str) -> Opened:
        """Give a second matter of a case a case of its own, linked to the first.

        Raises
        ------
        IllegalCommand
            The case has ended.
        """
        return joining.split(self.bench, case_id, said, now=now, id=id, actor=actor)

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
        return incidents.open_incident(
            self.bench, incident_id, failure=failure, customers=customers, at=at, now=now, actor=actor,
            statement=statement, severity=severity, reference=reference,
        )  # fmt: skip

    # --- time ---

    def tick(self, now: datetime) -> Ticked:
        """Let time pass: close what nobody confirmed, break promises, escalate breaches; late or twice is the same."""
        return tick_cases(self.cases, self.policy, self.files(), now)
