"""What a resolver answers about one record, and what became of customers."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime

import attrs

from crmcore.idic.identify.ids import Change

__all__ = ["CustomersAsOf", "IdentityStep", "Match", "Observation", "Outcome"]


class Outcome(enum.StrEnum):
    """What one more record turned out to be."""

    MATCH = "match"  # of a customer who was known
    NEW = "new"  # of nobody known
    REVIEW = "review"  # assigned like the others, but somebody should look


@attrs.frozen(kw_only=True)
class Match:
    """A record that may be of the same person.

    Attributes
    ----------
    record_id, customer : whose record it is
    p : probability that both are one person
    log_odds : the same as evidence in nats
    reasons : fields that speak for it, strongest first, values masked
    """

    record_id: str
    customer: str
    p: float
    log_odds: float
    reasons: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Observation:
    """What became of one record.

    Attributes
    ----------
    record_id : "source:id"
    outcome : match, new or review
    customer : id of its customer
    matches : records that may be of the same person, most probable first, at most ten
    merged : customer ids that ended because of this record; their records are the customer's now
    review : why somebody should look; empty unless the outcome is review
    event_id : event that holds it; what `undo` takes
    """

    record_id: str
    outcome: Outcome
    customer: str
    matches: tuple[Match, ...] = ()
    merged: tuple[str, ...] = ()
    review: tuple[str, ...] = ()
    event_id: str = ""


@attrs.frozen(kw_only=True)
class IdentityStep:
    """One change of a customer id: what happened to `customer`, with whom, when, by whom and why."""

    customer: str
    change: Change
    other: str | None
    records: int
    time: datetime
    event_id: str
    actor: str = ""
    reason: str = attrs.field(default="", repr=False)


@attrs.frozen(repr=False)
class CustomersAsOf:
    """Who was who at one time: the customer of each record that had been observed by then."""

    time: datetime
    customer_of: Mapping[str, str]

    def __len__(self) -> int:
        return len(set(self.customer_of.values()))

    def __repr__(self) -> str:
        return f"CustomersAsOf({self.time.isoformat()}: {len(self.customer_of)} records, {len(self)} customers)"

    def records_of(self, customer: str) -> tuple[str, ...]:
        """Record ids of a customer, sorted; none where nobody had this id then."""
        return tuple(sorted(r for r, c in self.customer_of.items() if c == customer))
