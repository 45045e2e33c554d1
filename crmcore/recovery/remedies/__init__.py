"""Remedies: what a customer gets after a failure, by rules that are the same for everybody, under caps and a budget.

A `Menu` says what there is, a `RemedyPolicy` decides (one case or a table), a `RemedyFund` keeps the money on a ledger,
`Entitlements` give what thresholds promise to everybody of an incident, `audit_equal_treatment` looks back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.recovery.remedies import scripts
    from crmcore.recovery.remedies.cases import CaseTable, FailedCase
    from crmcore.recovery.remedies.columns import PlanTable
    from crmcore.recovery.remedies.deciding import Caps, RemedyPolicy
    from crmcore.recovery.remedies.entitlements import Entitlement, Entitlements, GrantBook
    from crmcore.recovery.remedies.funds import RemedyFund
    from crmcore.recovery.remedies.menu import Menu, Remedy
    from crmcore.recovery.remedies.plans import Plan
    from crmcore.recovery.remedies.staying import TARP, StayPrior, StayRow, forgiveness, relationship_strength
    from crmcore.recovery.remedies.treatment import EqualTreatment, Twins, audit_equal_treatment, simulate_twins
    from crmcore.recovery.remedies.words import ProtectedField

_WHERE = {
    ".cases": ("CaseTable", "FailedCase"),
    ".columns": ("PlanTable",),
    ".deciding": ("Caps", "RemedyPolicy"),
    ".entitlements": ("Entitlement", "Entitlements", "GrantBook"),
    ".funds": ("RemedyFund",),
    ".menu": ("Menu", "Remedy"),
    ".plans": ("Plan",),
    ".scripts": ("scripts",),
    ".staying": ("TARP", "StayPrior", "StayRow", "forgiveness", "relationship_strength"),
    ".treatment": ("EqualTreatment", "Twins", "audit_equal_treatment", "simulate_twins"),
    ".words": ("ProtectedField",),
}

__all__ = [
    "TARP",
    "Caps",
    "CaseTable",
    "Entitlement",
    "Entitlements",
    "EqualTreatment",
    "FailedCase",
    "GrantBook",
    "Menu",
    "Plan",
    "PlanTable",
    "ProtectedField",
    "Remedy",
    "RemedyFund",
    "RemedyPolicy",
    "StayPrior",
    "StayRow",
    "Twins",
    "audit_equal_treatment",
    "forgiveness",
    "relationship_strength",
    "scripts",
    "simulate_twins",
]

__getattr__ = lazy_names(__name__, {name: module for module, names in _WHERE.items() for name in names})
