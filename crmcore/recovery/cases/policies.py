"""What a desk for cases is run by: clocks, plans, triage, escalations, people, and when two messages are one matter."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import attrs

from crmcore._base import listed
from crmcore.calendars.clocks import ClockPolicy, Escalation
from crmcore.documents import Document
from crmcore.errors import WrongType
from crmcore.lifecycle import Workflow
from crmcore.metrics.scalars import count_of, share_of
from crmcore.recovery.cases.complaints import Complaint
from crmcore.recovery.cases.definitions import case_workflows
from crmcore.recovery.cases.plans import PlanBook
from crmcore.recovery.cases.triaging import Triage
from crmcore.recovery.employees.desk import Desk

__all__ = ["Known", "Matter", "RecoveryPolicy", "same_matter"]


class Known(NamedTuple):
    """What is known of an earlier message: its case, when it was said, and what it was about."""

    case: str
    kind: str
    at: datetime
    customer: str | None
    failure: str
    reference: str
    thread: str
    text: str


class Matter(enum.StrEnum):
    """By what two messages are one matter, the strongest first."""

    THREAD = "the same conversation"
    REFERENCE = "the same customer and reference"
    FAILURE = "the same customer and kind of failure"
    TEXT = "the same customer, and the texts share their words"


EVERYWHERE = frozenset("customer help never service".split())
"""Words that two complaints may share without being about one thing."""
LEAST_SHARED = 3


def _alike(first: str, second: str) -> float:
    """Share of the words of the shorter text that the other has too; 0 for fewer than three, unless all are same."""
    from crmcore.text.nearness import content_words

    a, b = content_words([first, second], also=EVERYWHERE)
    if a and a == b:
        return 1.0
    shared = len(a & b)
    return shared / min(len(a), len(b)) if shared >= LEAST_SHARED else 0.0


def same_matter(said: Complaint, known: Known, *, within_days: int, alike: float) -> Matter | None:
    """Whether a message is about the matter of an earlier one, and by what; None where it is another.

    Two customers never share a matter. Messages of one conversation are one matter; beyond it, two references, two
    kinds of failure, or a complaint and a compliment never are.

    Parameters
    ----------
    said : Complaint
    known : Known
    within_days : count
        How far apart they may be; the same conversation has no limit.
    alike : share
        Of the words of the shorter text that the longer one must have, where nothing else tells.
    """
    if said.customer is not None and known.customer is not None and said.customer != known.customer:
        return None
    if said.thread and known.thread == f"{said.channel}|{said.thread}":
        return Matter.THREAD
    if said.kind != known.kind or said.customer is None or said.customer != known.customer:
        return None
    if abs(said.at - known.at) > timedelta(days=within_days):
        return None
    if said.reference and known.reference:
        if said.reference != known.reference:
            return None
        return Matter.REFERENCE if not (said.failure and known.failure) or said.failure == known.failure else None
    if said.failure and known.failure:
        return Matter.FAILURE if said.failure == known.failure else None
    return Matter.TEXT if said.text and known.text and _alike(said.text, known.text) >= alike else None


ESCALATIONS = (
    Escalation(clock="acknowledgement", level=1),
    Escalation(clock="first response", level=1),
    Escalation(clock="resolution", level=2),
)


def _escalations(value: Iterable[Escalation]) -> tuple[Escalation, ...]:
    return listed(value, "escalations", Escalation, what="escalations", hint="[Escalation(clock='first response')]")


def _workflows(value: Iterable[Workflow] | None) -> tuple[Workflow, ...]:
    hint = "case_workflows(confirm_days=7)"
    return case_workflows() if value is None else listed(value, "workflows", Workflow, what="workflows", hint=hint)


def _kind(kind: type) -> Any:
    def check(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if not isinstance(value, kind) and not (value is None and attribute.default is None):
            raise WrongType(attribute.name, f"a {type(value).__name__}", f"a {kind.__name__}", "see RecoveryPolicy")

    return check


@attrs.frozen(hash=False, repr=False)
class RecoveryPolicy(Document):
    """How a house recovers: what is promised, planned, escalated, and who takes it.

    Parameters
    ----------
    clocks : ClockPolicy
        Targets by priority (`"critical"`, `"high"`, `"normal"`, `"low"`), and the calendar that counts them.
    plans : PlanBook
        Steps, limit and owner by kind of failure.
    triage : Triage
    escalations : sequence of Escalation
        By default at the breach of acknowledgement and first response (level 1) and of the resolution (level 2).
    desk : Desk, optional
        Who takes cases; None leaves the owner to the plan. With a desk, agents that it does not know are refused.
    workflows : sequence of Workflow, optional
        Every version that runs; None: `case_workflows()`.
    same_within_days : count
        How far apart two messages about one matter may be.
    alike : share
        See `same_matter`.
    follow_up_days : count
        Days after the target of the resolution at which the customer is asked how it went.

    Examples
    --------
    >>> from crmcore.calendars import BusinessCalendar
    >>> from crmcore.calendars.clocks import Targets
    >>> RecoveryPolicy(ClockPolicy(BusinessCalendar.always("UTC"), Targets(first_response_minutes=240)))
    RecoveryPolicy(0 plans, 3 escalations, 5 workflows, no desk)
    """

    clocks: ClockPolicy = attrs.field(validator=_kind(ClockPolicy))
    plans: PlanBook = attrs.field(factory=PlanBook, validator=_kind(PlanBook), kw_only=True)
    triage: Triage = attrs.field(factory=Triage, validator=_kind(Triage), kw_only=True)
    escalations: tuple[Escalation, ...] = attrs.field(default=ESCALATIONS, converter=_escalations, kw_only=True)
    desk: Desk | None = attrs.field(default=None, validator=_kind(Desk), kw_only=True)
    workflows: tuple[Workflow, ...] = attrs.field(default=None, converter=_workflows, kw_only=True)
    same_within_days: int = attrs.field(default=30, kw_only=True)
    alike: float = attrs.field(default=0.6, kw_only=True)
    follow_up_days: int = attrs.field(default=3, kw_only=True)

    def __attrs_post_init__(self) -> None:
        count_of("same_within_days", self.same_within_days, hint="days between two messages about one matter")
        share_of("alike", self.alike, hint="a share of the words")
        count_of("follow_up_days", self.follow_up_days, hint="days after the target of the resolution")

    def __repr__(self) -> str:
        desk = "no desk" if self.desk is None else f"{len(self.desk.ids)} agents"
        parts = f"{len(self.plans)} plans, {len(self.escalations)} escalations, {len(self.workflows)} workflows"
        return f"RecoveryPolicy({parts}, {desk})"
