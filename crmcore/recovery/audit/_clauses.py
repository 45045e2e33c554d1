"""Principles, steps and upkeep of ISO 10002 as data: a question in our words, the columns it needs, and its check.

The names are the standard's; the standard itself is to be bought from its publisher.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from crmcore.recovery.audit._evidence import (
    AuditCases,
    Counted,
    filled,
    filled_of_closed,
    in_order,
    number,
    other_channels,
    received,
    said,
    said_of_closed,
)

__all__ = ["CLAUSES", "Clause"]


@attrs.frozen(kw_only=True)
class Clause:
    """One clause; without a check, or where its columns are missing, a person must look."""

    group: str
    name: str
    question: str
    needs: tuple[str, ...] = ()
    check: Callable[[AuditCases], Counted] | None = None
    any_share: bool = False  # fulfilled where the share is above 0 with its interval


_P, _S, _M = "principle", "step", "upkeep"
_ACKNOWLEDGED = ("opened_at", "acknowledged_at")
CLAUSES = (
    Clause(group=_P, name="commitment", question="Do those who lead back the handling of complaints, in writing?"),
    Clause(
        group=_P, name="capacity", question="Does every case find somebody?", needs=("owner",), check=filled("owner"),
    ),
    Clause(group=_P, name="transparency", question="Can everybody find how to complain?"),
    Clause(
        group=_P, name="accessibility", question="Is there more than one way in that customers use?",
        needs=("channel",), check=other_channels, any_share=True,
    ),
    Clause(
        group=_P, name="responsiveness", question="Do customers get an answer in time?",
        needs=("opened_at", "responded_at"), check=lambda c: c.within("responded_at", c.targets.responded_hours),
    ),
    Clause(group=_P, name="objectivity", question="Are like cases treated alike, whoever complains?"),
    Clause(
        group=_P, name="charges", question="Is complaining free?", needs=("fee",),
        check=number("fee", lambda fee: fee == 0),
    ),
    Clause(
        group=_P, name="information integrity", question="Are records complete and free of contradictions?",
        needs=("case", "opened_at"), check=in_order,
    ),
    Clause(
        group=_P, name="confidentiality", question="Do personal data stay where they belong?", needs=("leaked",),
        check=said("leaked", wanted=False),
    ),
    Clause(
        group=_P, name="customer focus", question="Are customers told why, not only what?",
        needs=("explained", "closed_at"), check=said_of_closed("explained"),
    ),
    Clause(
        group=_P, name="accountability", question="Does a closed case say who decided?", needs=("owner", "closed_at"),
        check=filled_of_closed("owner"),
    ),
    Clause(
        group=_P, name="improvement", question="Does a closed case leave a cause to learn from?",
        needs=("cause", "closed_at"), check=filled_of_closed("cause"),
    ),
    Clause(
        group=_P, name="competence", question="Are cases handled by people trained for it?", needs=("trained",),
        check=said("trained"),
    ),
    Clause(
        group=_P, name="timeliness", question="Are cases closed in the time that is promised?",
        needs=("opened_at", "closed_at"), check=lambda c: c.within("closed_at", c.targets.closed_days * 24),
    ),
    Clause(group=_S, name="communication", question="Is the way to complain known to customers and staff?"),
    Clause(
        group=_S, name="receipt", question="Is every complaint recorded with an id and its time?",
        needs=("case", "opened_at"), check=received,
    ),
    Clause(
        group=_S, name="tracking", question="Is the customer told how the case stands?", needs=("updates",),
        check=number("updates", lambda times: times >= 1),
    ),
    Clause(
        group=_S, name="acknowledgement", question="Is receipt confirmed in time?", needs=_ACKNOWLEDGED,
        check=lambda c: c.within("acknowledged_at", c.targets.acknowledged_hours),
    ),
    Clause(
        group=_S, name="assessment", question="Is every case judged by its severity?", needs=("severity",),
        check=filled("severity"),
    ),
    Clause(
        group=_S, name="investigation", question="Does a closed case have a finding?", needs=("cause", "closed_at"),
        check=filled_of_closed("cause"),
    ),
    Clause(
        group=_S, name="response", question="Does a closed case have an answer that says something?",
        needs=("responded_at", "closed_at"), check=filled_of_closed("responded_at"),
    ),
    Clause(
        group=_S, name="decision", question="Does a closed case say what was decided?", needs=("decision", "closed_at"),
        check=filled_of_closed("decision"),
    ),
    Clause(
        group=_S, name="closing", question="Did the customer agree, or learn where else to turn?",
        needs=("accepted", "closed_at"), check=said_of_closed("accepted"),
    ),
    Clause(group=_M, name="analysis", question="Are causes analysed, and acted on?"),
    Clause(
        group=_M, name="satisfaction", question="Are customers asked about the handling, and do they answer?",
        needs=("satisfaction", "closed_at"), check=filled_of_closed("satisfaction"), any_share=True,
    ),
    Clause(group=_M, name="monitoring", question="Does somebody watch the numbers, and react?"),
    Clause(group=_M, name="audit", question="Is the handling itself audited by people who do not do it?"),
    Clause(group=_M, name="review", question="Do those who lead review it, and decide on what to change?"),
)  # fmt: skip
