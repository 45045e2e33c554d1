"""From a message to a case: how urgent, whose, what is to be done until when, and what is missing for it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import attrs

from crmcore.recovery.cases.complaints import Complaint
from crmcore.recovery.cases.definitions import CaseKind
from crmcore.recovery.cases.files import CaseFile
from crmcore.recovery.cases.plans import MissingPlan, Todo, TodoStep
from crmcore.recovery.cases.policies import RecoveryPolicy
from crmcore.recovery.cases.triaging import Priority
from crmcore.recovery.employees.routing import Assigned, route
from crmcore.recovery.employees.work import Work

if TYPE_CHECKING:
    from crmcore.calendars.clocks import ClockName
    from crmcore.recovery.employees.desk import DeskLoad

__all__ = ["Owner", "find_owner", "fields_of", "grade", "todo_for"]


@attrs.frozen
class Owner:
    """Who answers for a case, and what stands against it."""

    name: str = attrs.field(repr=False)
    reason: str
    gaps: tuple[str, ...] = ()


def grade(said: Complaint, policy: RecoveryPolicy, *, earlier: int) -> Priority:
    """Urgency of a message: what was said in private reaches nobody."""
    counted = earlier if said.kind is CaseKind.COMPLAINT else 0
    reach = said.reach if said.public else 0.0
    return policy.triage.priority(
        said.severity, reach=reach, value=said.value, distress=said.distress, earlier=counted
    )  # fmt: skip


def due_by(policy: RecoveryPolicy, clock: ClockName, priority: Priority, at: datetime) -> datetime | None:
    """When a clock that starts at an instant breaches; None where nothing is promised."""
    minutes = policy.clocks.target(priority.priority.name.lower(), "", clock)
    return None if minutes is None else policy.clocks.calendar_of(clock).deadline(at, minutes=minutes)


def find_owner(
    case_id: str, said: Complaint, policy: RecoveryPolicy, priority: Priority, *, at: datetime, now: datetime,
    load: DeskLoad | None,
) -> Owner:  # fmt: skip
    """Owner of a new case: an agent of the desk, else the owner of the plan, else nobody, with what is missing."""
    from crmcore.calendars.clocks import ClockName

    plan = policy.plans.find(said.failure)
    planned = "" if isinstance(plan, MissingPlan) else plan.owner
    if policy.desk is None:
        gap: tuple[str, ...] = () if planned else ("an owner: neither a desk nor a plan names one",)
        return Owner(planned, "the plan names it" if planned else "nobody", gap)
    due = due_by(policy, ClockName.ACKNOWLEDGEMENT, priority, at)
    tasks = {t.name for t in policy.desk.tasks}
    work = Work(
        id=case_id, at=at, task=said.failure if said.failure in tasks else "", severity=priority.priority,
        distress=said.distress, due=due,
    )  # fmt: skip
    found = route(work, desk=policy.desk, now=now, load=load)
    if isinstance(found, Assigned):
        return Owner(found.agent, f"{found.decided_by} of {found.eligible} eligible")
    back = "" if found.earliest is None else f", the first is back {found.earliest.isoformat(timespec='minutes')}"
    late = " (after the acknowledgement is due)" if due and (found.earliest is None or found.earliest > due) else ""
    busy = f"an agent: none of {len(found.refused)} may take it now{back}{late}"
    return Owner(planned, "no agent is free; the plan names it" if planned else "nobody", (busy,))


def fields_of(said: Complaint, priority: Priority, owner: Owner, **more: object) -> dict[str, object]:
    """What a case keeps of the message that opened it."""
    found: dict[str, object] = {
        "channel": said.channel, "customer": said.customer, "text": said.text, "failure": said.failure,
        "reference": said.reference, "public": said.public, "reach": said.reach if said.public else 0,
        "permalink": said.permalink, "thread": said.thread, "value": said.value, "distress": said.distress,
        "severity": priority.severity.name.lower(), "priority": priority.priority.name.lower(),
        "reasons": list(priority.reasons), "owner": owner.name, **more,
    }  # fmt: skip
    return {name: cell for name, cell in found.items() if cell not in (None, "")}


def todo_for(
    file: CaseFile, said: Complaint, policy: RecoveryPolicy, priority: Priority, owner: Owner, *,
    how: str, notes: tuple[str, ...] = (),
) -> Todo:  # fmt: skip
    """Acknowledge, do what the plan says, answer, solve, and ask whether it is solved."""
    from crmcore.calendars.clocks import ClockName

    at = file.began_at
    if said.kind is CaseKind.COMPLIMENT:
        due = due_by(policy, ClockName.FIRST_RESPONSE, priority, at)
        step = TodoStep(name="thank the customer", owner=owner.name, due=due, reason="first response")
        return Todo(case=file.id, steps=(step,), gaps=owner.gaps, how=how, notes=notes)
    acknowledged = due_by(policy, ClockName.ACKNOWLEDGEMENT, priority, at)
    steps = [TodoStep(name="acknowledge", owner=owner.name, due=acknowledged, reason="acknowledgement")]
    plan = policy.plans.find(said.failure)
    gaps = list(owner.gaps)
    if isinstance(plan, MissingPlan):
        if said.kind is CaseKind.COMPLAINT:
            gaps.append(str(plan))
            # even without a plan somebody must begin, so the first step is to find out
            steps.append(TodoStep(name="find out what went wrong", owner=owner.name, due=acknowledged,
                                  reason="there is no plan"))  # fmt: skip
    else:
        for i, planned in enumerate(plan.steps):
            due = policy.clocks.calendar.deadline(at, minutes=planned.within_minutes)
            urgent = i == 0 and priority.severity == 1 and acknowledged is not None and due > acknowledged
            reason = f"step {i + 1} of the plan for {plan.failure}" + (", sooner: critical" if urgent else "")
            due = acknowledged if urgent and acknowledged is not None else due
            steps.append(TodoStep(name=planned.name, owner=planned.owner or owner.name, due=due, reason=reason))
    answered = due_by(policy, ClockName.FIRST_RESPONSE, priority, at)
    solved = due_by(policy, policy.clocks.resolution, priority, at)
    owed = (("answer", ClockName.FIRST_RESPONSE, answered), ("solve", policy.clocks.resolution, solved))
    for name, clock, due_at in owed:
        if due_at is not None:
            steps.append(TodoStep(name=name, owner=owner.name, due=due_at, reason=clock.value))
    follow = None if solved is None else solved + timedelta(days=policy.follow_up_days)
    ask = "ask whether it is solved and how the customer feels"
    steps.append(TodoStep(name=ask, owner=owner.name, due=follow, reason="follow-up"))
    end = max((s.due for s in steps if s.due is not None), default=at)
    ordered = sorted(range(len(steps)), key=lambda i: (steps[i].due or end, steps[i].due is None, i))
    return Todo(case=file.id, steps=tuple(steps[i] for i in ordered), gaps=tuple(gaps), how=how, notes=notes)
