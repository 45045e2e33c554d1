"""Frozen values: one fact that an application holds, or a window on one row of a table.

Amounts are integer minor units (cents, satang) with their currency; instants are aware datetimes; whatever can name a
person masks itself in every repr. `crmcore.documents` writes each value as JSON and reads it back.
"""

from crmcore.values.facts import (
    Case,
    ConsentRecord,
    ContactPoint,
    Interaction,
    Mention,
    Offer,
    Order,
    Record,
    Response,
)
from crmcore.values.money import Money, minor_digits
from crmcore.values.words import CaseState, Consent, ContactKind, Direction, Fault, Severity

__all__ = [
    "Case",
    "CaseState",
    "Consent",
    "ConsentRecord",
    "ContactKind",
    "ContactPoint",
    "Direction",
    "Interaction",
    "Mention",
    "Money",
    "Offer",
    "Order",
    "Record",
    "Response",
    "Severity",
    "minor_digits",
    "Fault",
]
