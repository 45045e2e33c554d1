"""Workflows of complaints, questions, compliments, incidents and promises: what may happen to each, as data."""

from __future__ import annotations

import enum

from crmcore.lifecycle import Timer, Transition, Workflow
from crmcore.lifecycle.workflow import CLOCK, OPENED
from crmcore.metrics.scalars import count_of
from crmcore.rules import Rule, all_of, any_of, field
from crmcore.values import Severity

__all__ = [
    "AGENT", "ANSWER_WITHIN_MINUTES", "AUTOMATION", "CUSTOMER", "FLAGGED", "LIVE", "CaseKind",
    "case_workflows", "compliment",
]  # fmt: skip

AGENT, CUSTOMER, AUTOMATION = "agent", "customer", "automation"
"""Roles beside the clock: staff, the person who wrote, and bots."""


class CaseKind(enum.StrEnum):
    """What a case is about."""

    COMPLAINT = "complaint"
    QUESTION = "question"
    COMPLIMENT = "compliment"
    INCIDENT = "incident"  # one failure that many customers met: the parent of their cases


LIVE = ("open", "waiting", "resolved", "asked")
"""States in which somebody still owes something."""

TO_PRIVATE = Rule(
    "the customer agreed to this channel or was invited to it in public",
    any_of(field("consented_to") == field("private_channel"), field("invited_to") == field("private_channel")),
)
SENTIMENT = Rule("sentiment from -1 to 1", all_of(field("sentiment") >= -1, field("sentiment") <= 1))
GRADES = Rule(
    "severity and priority are critical, high, normal or low",
    all_of(*(any_of(*(field(name) == s.name.lower() for s in Severity)) for name in ("severity", "priority"))),
)
NO_PRIVATE_DATA = Rule("no private data in public", field("private_data") == 0)


def _worked(*states: str) -> list[Transition]:
    """What staff do to a case in these states, whatever it is about."""
    return [
        Transition("acknowledge", states, actors=(AGENT, AUTOMATION), sets={"acknowledged": True},
                   emits="acknowledged"),
        Transition("assign", states, actors=(AGENT, AUTOMATION), needs="owner", emits="assigned"),
        Transition("grade", states, actors=(AGENT, AUTOMATION), needs=("severity", "priority", "reason"), guard=GRADES,
                   emits="graded"),
        Transition("reply", states, actors=(AGENT, AUTOMATION), emits="replied"),
        Transition("reply publicly", states, actors=AGENT, needs="private_data", guard=NO_PRIVATE_DATA,
                   emits="replied in public"),
        Transition("do", states, actors=(AGENT, AUTOMATION), needs="step", emits="step done"),
        Transition("promise", states, actors=AGENT, emits="promise made"),
        Transition("note", "*", emits="note written"),
        Transition("escalate", "*", actors=CLOCK, keeps="level", sets={"escalated": True}, emits="escalated"),
    ]  # fmt: skip


HEARD = ("permalink", "public", "reach")
"""Fields that a message of the customer may change: it was said in public, where, and to how many."""


def _conversation(days: tuple[int, int]) -> tuple[list[Transition], list[Timer]]:
    """A case with a customer at the other end, from the first message to the archive."""
    confirm_days, grace_days = days
    return [
        *_worked(*LIVE),
        Transition("write", "waiting", "open", keeps=HEARD, emits="customer wrote"),
        Transition("write", ["open", "resolved", "asked", "closed"], keeps=HEARD, emits="customer wrote"),
        Transition("wait", "open", "waiting", actors=AGENT, emits="customer asked"),
        Transition("resume", "waiting", "open", actors=AGENT, emits="taken up again"),
        Transition("feel", "*", needs="sentiment", guard=SENTIMENT, emits="feelings heard"),
        Transition("invite", LIVE, actors=AGENT, needs=("invited_to", "invitation"), emits="invited to private"),
        Transition("consent", LIVE, actors=(CUSTOMER, AGENT), needs="consented_to", emits="agreed to private"),
        Transition("refuse private", LIVE, actors=(CUSTOMER, AGENT),
                   sets={"consented_to": None, "invited_to": None}, emits="refused private"),
        Transition("move", LIVE, actors=AGENT, needs=("private_channel", "thread"), guard=TO_PRIVATE,
                   sets={"private": True}, emits="moved to private"),
        Transition("note publicly", ["resolved", "asked", "closed"], actors=AGENT,
                   needs=("public_note", "private_data"), guard=NO_PRIVATE_DATA, emits="closed in public"),
        Transition("resolve", ["open", "waiting"], "resolved", actors=AGENT, needs="solution", emits="resolved"),
        Transition("ask", "resolved", "asked", actors=(AGENT, AUTOMATION), emits="confirmation asked"),
        Transition("confirm", ["resolved", "asked"], "closed", actors=CUSTOMER, sets={"confirmed": True},
                   emits="closed"),
        Transition("close", ["resolved", "asked"], "closed", actors=CLOCK, sets={"confirmed": False}, emits="closed"),
        Transition("close", ["resolved", "asked"], "closed", actors=AGENT, needs="reason",
                   sets={"confirmed": False}, emits="closed"),
        Transition("reopen", ["resolved", "asked", "closed"], "open", actors=(CUSTOMER, AGENT), needs="reason",
                   keeps=HEARD, sets={"confirmed": None}, emits="reopened"),
        Transition("merge", LIVE, "merged", actors=AGENT, needs="merged_into", emits="merged"),
        Transition("absorb", LIVE, actors=AGENT, keeps=HEARD, emits="took over another case"),
        Transition("split", LIVE, actors=AGENT, emits="split"),
        Transition("join", LIVE, actors=AGENT, needs="incident", emits="joined an incident"),
        Transition("recognise", "*", actors=(AGENT, AUTOMATION), needs="customer", emits="customer recognised"),
        Transition("archive", "closed", "archived", actors=CLOCK, emits="archived"),
    ], [
        Timer("not asked", "resolved", "close", after_days=confirm_days),
        Timer("not confirmed", "asked", "close", after_days=confirm_days),
        Timer("grace over", "closed", "archive", after_days=grace_days),
    ]  # fmt: skip


ANSWER_WITHIN_MINUTES = 24 * 60
"""How long a compliment may lie before it is flagged."""
FLAGGED = "flagged_unanswered"
PERMITTED = Rule("the author permits it", field("permitted"))


def compliment(
    *,
    answer_within_minutes: int = ANSWER_WITHIN_MINUTES,
    calendar: str | None = None,
    grace_days: int = 30,
    version: int = 1,
) -> Workflow:
    """Case type of compliments: thanked in time or flagged, passed on, amplified under a permission, archived.

    Parameters
    ----------
    answer_within_minutes : minutes
        From the opening; real minutes, or business minutes of `calendar`.
    calendar : name, optional
        Of the calendar that `Cases(calendars=...)` is given.
    grace_days : count of days of 24 hours
        After the thanks, before it is archived.
    version : count

    Examples
    --------
    >>> compliment(grace_days=7).commands("open", role="agent")[-5:]
    ('like', 'thank', 'pass on', 'amplify', 'no thanks')
    """
    count_of("answer_within_minutes", answer_within_minutes, least=1, hint="24 hours are 1440")
    count_of("grace_days", grace_days, least=1, hint="days between the thanks and the archive")
    return Workflow(
        "compliment", version, ["open", "thanked", "archived"], "open",
        [
            *_worked("open", "thanked"),
            Transition("write", ["open", "thanked"], keeps=HEARD, emits="customer wrote"),
            Transition("like", "*", emits="liked"),
            Transition("thank", "open", "thanked", actors=(AGENT, AUTOMATION), needs="text", emits="thanked"),
            Transition("pass on", "*", needs="employee", emits="passed on"),
            Transition("amplify", ["open", "thanked"], guard=PERMITTED, needs=("permission", "place"),
                       emits="amplified"),
            Transition("no thanks", "open", "archived", needs="reason", emits="archived"),
            Transition("flag", "open", actors=CLOCK, sets={FLAGGED: True}, emits="flagged unanswered"),
            Transition("archive", "thanked", "archived", actors=CLOCK, emits="archived"),
        ],
        [Timer("unanswered", "open", "flag", after_minutes=answer_within_minutes, calendar=calendar, start=OPENED),
         Timer("grace over", "thanked", "archive", after_days=grace_days)],
        ["archived"],
    )  # fmt: skip


def case_workflows(*, confirm_days: int = 7, grace_days: int = 30, version: int = 1) -> tuple[Workflow, ...]:
    """Shipped definitions of complaint, question, compliment, incident and promise.

    A complaint that is resolved waits for the customer's word. After `confirm_days` without it the case closes by
    itself, marked unconfirmed. A closed case can be reopened for `grace_days`; then it is archived, and who writes
    again about it gets a new case that is linked to it.

    Parameters
    ----------
    confirm_days, grace_days : count of days of 24 hours
        Both at least 1.
    version : count
        Give definitions with other days another version: running cases keep the one that they began with.

    Raises
    ------
    OutOfRange
        Days below 1.

    Examples
    --------
    >>> complaint = case_workflows(confirm_days=5)[0]
    >>> complaint.title, complaint.commands("closed", role="customer")
    ('complaint 1', ('note', 'write', 'feel', 'reopen'))
    """
    days = (
        count_of("confirm_days", confirm_days, least=1, hint="days that the customer has to confirm"),
        count_of("grace_days", grace_days, least=1, hint="days in which a closed case may be reopened"),
    )
    moves, timers = _conversation(days)
    talked = [
        Workflow(kind, version, [*LIVE, "closed", "merged", "archived"], "open", moves, timers, ["merged", "archived"])
        for kind in ("complaint", "question")
    ]
    incident = Workflow(
        "incident", version, ["open", "stated", "resolved", "closed"], "open",
        [
            Transition("state", "open", "stated", actors=AGENT, needs="statement", emits="statement made"),
            Transition("attach", ["open", "stated", "resolved"], actors=AGENT, keeps="cases", emits="cases attached"),
            Transition("resolve", ["open", "stated"], "resolved", actors=AGENT, needs="solution", emits="resolved"),
            Transition("close", "resolved", "closed", actors=AGENT, emits="closed"),
            Transition("reopen", ["resolved", "closed"], "open", actors=AGENT, needs="reason", emits="reopened"),
            Transition("note", "*", emits="note written"),
            Transition("escalate", "*", actors=CLOCK, keeps="level", sets={"escalated": True}, emits="escalated"),
        ], [], [],
    )  # fmt: skip
    promise = Workflow(
        "promise", version, ["made", "broken", "kept", "kept late", "withdrawn"], "made",
        [
            Transition("keep", "made", "kept", actors=AGENT, emits="promise kept"),
            Transition("keep", "broken", "kept late", actors=AGENT, emits="promise kept late"),
            Transition("withdraw", ["made", "broken"], "withdrawn", actors=AGENT, needs="reason",
                       emits="promise withdrawn"),
            Transition("break", "made", "broken", actors=CLOCK, emits="promise broken"),
        ],
        [Timer("due", "made", "break", start="overdue_at")], ["kept", "kept late", "withdrawn"],
    )  # fmt: skip
    return (*talked, compliment(grace_days=days[1], version=version), incident, promise)
