"""Is the customer's confidence to be maintained, regained or rebuilt? A rule over the history, with its reasons."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs

from crmcore._base import html_table, listed
from crmcore._frames import write_frame
from crmcore.errors import UnknownName
from crmcore.recovery.cases.files import NEGATIVE_BELOW, CaseFile
from crmcore.rules import Rule, any_of, field

if TYPE_CHECKING:
    from crmcore.calendars.clocks import ClockPolicy
    from crmcore.lifecycle import Case
    from crmcore.rules import FactTable

__all__ = [
    "CONFIDENCE_RULES",
    "Confidence",
    "ConfidenceState",
    "confidence_facts",
    "confidence_table",
    "read_confidence",
]


class Confidence(enum.StrEnum):
    """What recovery has to do about a customer's confidence."""

    MAINTAIN = "maintain"
    REGAIN = "regain"
    REBUILD = "rebuild"


CONFIDENCE_RULES = (
    Rule(
        "rebuild",
        any_of(field("earlier_failures") >= 1, field("broken_promises") >= 1, field("reopened") >= 2,
               field("critical") == 1),
    ),
    Rule(
        "regain",
        any_of(field("negative") == 1, field("breached") == 1, field("public") == 1, field("reopened") >= 1),
    ),
)  # fmt: skip
"""Tried in this order; where neither holds, confidence is maintained.

Rebuild: it failed before, a promise was broken, it came back twice, or it was critical: the customer has grounds to
expect the next failure. Regain: the customer was unhappy at some time, waited longer than was promised, said so in
public, or it came back once. Maintain: a failure that was put right in time, and nobody was upset.
"""


@attrs.frozen
class ConfidenceState:
    """Maintain, regain or rebuild, with the facts that decided and the reasons."""

    state: Confidence
    facts: dict[str, int] = attrs.field(hash=False)
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.state}: {'; '.join(self.reasons)}"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row: the state and its facts."""
        row: dict[str, Any] = {"state": self.state.value, **self.facts}
        return write_frame({name: [cell] for name, cell in row.items()}, backend=backend)

    def _repr_html_(self) -> str:
        return html_table([{"fact": n, "value": v} for n, v in self.facts.items()], caption=str(self))


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


def read_confidence(
    facts: dict[str, int], *, now: datetime, rules: Sequence[Rule] = CONFIDENCE_RULES
) -> ConfidenceState:
    """State of one customer's confidence.

    Parameters
    ----------
    facts : fact -> number
        See `confidence_facts`.
    now : aware datetime
    rules : rules named "rebuild" and "regain"
        The first that holds decides.

    Examples
    --------
    >>> from datetime import UTC
    >>> facts = {"earlier_failures": 1, "broken_promises": 0, "reopened": 0, "critical": 0, "negative": 0,
    ...          "breached": 0, "public": 0}
    >>> print(read_confidence(facts, now=datetime(2026, 5, 4, tzinfo=UTC)))
    rebuild: earlier_failures = 1
    """
    for rule in _checked(rules):
        decision = rule.decide(facts, now=now)
        if decision.holds:
            named = tuple(f"{name} = {facts[name]}" for name in rule.fields if facts.get(name))
            return ConfidenceState(Confidence(rule.name), dict(facts), named or (str(decision),))
    return ConfidenceState(Confidence.MAINTAIN, dict(facts), ("nothing asks for more",))


def confidence_table(
    facts: FactTable, *, now: datetime, rules: Sequence[Rule] = CONFIDENCE_RULES
) -> tuple[Confidence, ...]:
    """States of many customers at once, one for each row of a table of the same facts."""
    found = [Confidence.MAINTAIN] * len(facts)
    for rule in reversed(_checked(rules)):
        for i in rule.mask(facts, now=now).true.nonzero()[0].tolist():
            found[i] = Confidence(rule.name)
    return tuple(found)


def _checked(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    found: tuple[Rule, ...] = listed(rules, "rules", Rule, what="rules", hint="CONFIDENCE_RULES")
    for rule in found:
        if rule.name not in tuple(Confidence):
            raise UnknownName("state of confidence", rule.name, tuple(c.value for c in Confidence))
    return found
