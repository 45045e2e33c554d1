"""The short way in: one message, one case, what is to be done."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from crmcore.recovery.cases.complaints import Complaint
from crmcore.recovery.cases.desk import CaseDesk, Opened
from crmcore.recovery.cases.policies import RecoveryPolicy
from crmcore.stores import EventStore, MemoryStore

if TYPE_CHECKING:
    from crmcore.recovery.employees.desk import DeskLoad

__all__ = ["open_case"]


def open_case(
    complaint: Complaint, *, policy: RecoveryPolicy, now: datetime, store: EventStore | None = None,
    load: DeskLoad | None = None,
) -> Opened:  # fmt: skip
    """Open a case for a complaint: clocks, owner, plan and follow-up; `CaseDesk.take` in one call.

    Parameters
    ----------
    complaint : Complaint
    policy : RecoveryPolicy
    now : aware datetime
    store : EventStore, optional
        Where cases are kept, so that duplicates and earlier failures are seen. None keeps nothing beyond the result.
    load : DeskLoad, optional

    Examples
    --------
    >>> from datetime import UTC
    >>> from crmcore.calendars import BusinessCalendar
    >>> from crmcore.calendars.clocks import ClockPolicy, Targets
    >>> policy = RecoveryPolicy(ClockPolicy(BusinessCalendar.always("UTC"), Targets(first_response_minutes=240)))
    >>> nine = datetime(2026, 5, 4, 9, tzinfo=UTC)
    >>> case, todo = open_case(Complaint(id="m1", channel="x", at=nine, public=True), policy=policy, now=nine)
    >>> case.state, [step.name for step in todo.steps][:2], todo.gaps[0]
    ('open', ['answer', 'acknowledge'], 'an owner: neither a desk nor a plan names one')
    """
    return CaseDesk(MemoryStore() if store is None else store, policy).take(complaint, now=now, load=load)
