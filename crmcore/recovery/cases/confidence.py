"""Is the customer's confidence to be maintained, regained or rebuilt? A rule set over the history of a case."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from crmcore.recovery.cases.files import NEGATIVE_BELOW, CaseFile
from crmcore.rules import Rule, RuleSet, any_of, field

if TYPE_CHECKING:
    from crmcore.calendars.clocks import ClockPolicy
    from crmcore.lifecycle import Case

__all__ = ["CONFIDENCE", "Confidence", "confidence_facts"]


class Confidence(enum.StrEnum):
    """What recovery has to do about a customer's confidence."""

    MAINTAIN = "maintain"
    REGAIN = "regain"
    REBUILD = "rebuild"


CONFIDENCE = RuleSet(
    "customer confidence",
    [
        Rule(
            "grounds to expect the next failure",
            any_of(field("earlier_failures") >= 1, field("broken_promises") >= 1, field("reopened") >= 2,
                   field("critical") == 1),
            then=Confidence.REBUILD.value,
        ),
        Rule(
            "unhappy at some time",
            any_of(field("negative") == 1, field("breached") == 1, field("public") == 1, field("reopened") >= 1),
            then=Confidence.REGAIN.value,
        ),
    ],
    default=Confidence.MAINTAIN.value,
)  # fmt: skip
"""The first rule that holds decides; one case by `decide`, a population by `decide_all`.

Rebuild: it failed before, a promise was broken, it came back twice, or it was critical. Regain: the customer was
unhappy at some time, waited longer than was promised, said so in public, or it came back once. Maintain: a failure that
was put right in time, and nobody was upset.
"""


def confidence_facts(
    file: CaseFile, *, clocks: ClockPolicy, now: datetime, earlier_failures: int = 0, promises: Iterable[Case] = ()
) -> dict[str, int]:
    """Facts of a case that the rules ask for.

    Parameters
    ----------
    file : CaseFile
    clocks : ClockPolicy
        Whether anything breached, by now.
    now : aware datetime
    earlier_failures : count
        Of the same customer, within the memory of the house.
    promises : cases of promises
        `CaseDesk.promises(case_id)`.
    """
    read = file.clocks(clocks, now=now)
    own = [p for p in promises if p.id.startswith(f"{file.id}/")]
    return {
        "earlier_failures": earlier_failures,
        "broken_promises": sum(p.state in ("broken", "kept late") for p in own),
        "reopened": file.reopened,
        "critical": int(file.severity == 1),
        "negative": int(any(sentiment < NEGATIVE_BELOW for _, sentiment in file.heard())),
        "breached": int(any(clock.breached for clock in read)),
        "public": int(file.public),
    }
