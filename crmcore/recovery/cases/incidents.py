"""One failure that many met: one incident, one statement, a case for everyone, written as one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import cast

import attrs

from crmcore._base import check_aware, listed
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.lifecycle import Case, Command, open_case
from crmcore.lifecycle.case import replay
from crmcore.lifecycle.commands import stream
from crmcore.recovery.cases.bench import Bench
from crmcore.recovery.cases.complaints import Complaint
from crmcore.recovery.cases.definitions import AGENT, LIVE
from crmcore.recovery.cases.files import CaseFile
from crmcore.recovery.cases.messages import keys_of, known_of, marks_of
from crmcore.recovery.cases.opening import fields_of, find_owner, grade
from crmcore.recovery.cases.policies import Known, same_matter
from crmcore.stores import Event

__all__ = ["IncidentOpened", "open_incident"]


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


def open_incident(
    bench: Bench, incident_id: str, *, failure: str, customers: Iterable[str], at: datetime, now: datetime, actor: str,
    statement: str = "", severity: str = "normal", reference: str = "",
) -> IncidentOpened:  # fmt: skip
    """Open one incident and a case for everyone who met it; again changes nothing; see `CaseDesk`."""
    people = tuple(dict.fromkeys(listed(customers, "customers", str, what="customer ids", hint="['c1', 'c2']")))
    if not people:
        raise EmptyInput("customers", "an incident has at least one customer who met it")
    check_aware(at, "at")
    check_aware(now, "now")
    base = Complaint(id=incident_id, channel="incident", at=min(at, now), failure=failure, reference=reference,
                     severity=severity)  # fmt: skip

    def step() -> IncidentOpened:
        return _open(bench, incident_id, base, people, now, actor, statement)

    return bench.retry(step)


def _open(
    bench: Bench, incident_id: str, base: Complaint, people: tuple[str, ...], now: datetime, actor: str, statement: str
) -> IncidentOpened:
    events: list[Event] = []
    watched: dict[str, int] = {}
    before = bench.store.read(stream(incident_id))
    if before:
        incident = replay(before)
        if incident.workflow != "incident":
            raise OutOfRange("incident_id", incident_id, "an id of its own", "another case has this id")
    else:
        data = {"failure": base.failure, "reference": base.reference, "severity": base.severity.name.lower()}
        made = open_case(bench.cases.newest("incident"), incident_id, at=base.at, data=data, actor=actor, role=AGENT)
        incident, events = made.case, list(made.events)
    watched[stream(incident_id)] = len(before)
    ids, opened, joined = [], [], []
    for person in people:
        said = attrs.evolve(base, id=f"{incident_id}/{person}", customer=person)
        keys = keys_of(said)
        seen = {key: bench.store.read(key) for key in keys}
        if seen[keys[0]]:
            ids.append(bench.standing(str(seen[keys[0]][0].data["case"])).id)
            continue
        known = known_of(seen)
        case = met_before(bench, said, known)
        if case is None:
            case_id = said.key
            priority = grade(said, bench.policy, earlier=bench.earlier(said, base.at, known))
            plan = find_owner(case_id, said, attrs.evolve(bench.policy, desk=None), priority, at=base.at, now=now,
                              load=None)  # fmt: skip
            made = open_case(bench.cases.newest("complaint"), case_id, at=base.at, actor=actor, role=AGENT,
                             data=fields_of(said, priority, plan, incident=incident_id))  # fmt: skip
            events += made.events
            watched[stream(case_id)] = 0
            opened.append(case_id)
        else:
            case_id = case.id
            if case.data.get("incident") != incident_id:
                command = Command("join", {"incident": incident_id}, actor=actor, role=AGENT, at=now,
                                  id=f"{incident_id}/join/{case_id}")  # fmt: skip
                events += bench.decide(case, command).events
                watched[stream(case_id)] = case.version
            joined.append(case_id)
        ids.append(case_id)
        events += marks_of(said, case_id, seen, base.at)
        watched |= {key: len(kept) for key, kept in seen.items()}
    met = int(cast("int", incident.data.get("cases") or 0)) + len(opened) + len(joined)
    commands: list[tuple[str, dict[str, object]]] = [("attach", {"cases": met})] if opened or joined else []
    if statement and incident.state == "open":
        commands = [*commands, ("state", {"statement": statement})]
    for name, carried in commands:
        command = Command(name, carried, actor=actor, role=AGENT, at=now,
                          id=f"{incident_id}/{name}/{incident.version}")  # fmt: skip
        bench.check_agent(command)
        outcome = bench.decide(incident, command)
        incident, events = outcome.case, [*events, *outcome.events]
    if events:
        bench.store.append_many(events, expected=watched)
    return IncidentOpened(bench.file(incident_id), tuple(ids), tuple(opened), tuple(joined))


def met_before(bench: Bench, said: Complaint, known: tuple[Known, ...]) -> Case | None:
    """Live case of the customer about the same failure or reference."""
    for k in reversed(known):
        if same_matter(said, k, within_days=bench.policy.same_within_days, alike=1.0) is not None:
            case = bench.standing(k.case)
            if case.state in LIVE:
                return case
    return None
