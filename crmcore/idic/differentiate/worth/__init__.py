"""What customers are worth: concentration, profit, cycles, priority, tiers, superfans, referrals, accounts.

Each function reads plain columns (row i of every column is the same customer) or a table of orders, and names nobody
in what it prints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.idic.differentiate.worth.accounts import AccountValues, account_values
    from crmcore.idic.differentiate.worth.audience import Audience, priority_audience
    from crmcore.idic.differentiate.worth.budget import allocate_budget
    from crmcore.idic.differentiate.worth.cycles import OrderCycles, order_cycles
    from crmcore.idic.differentiate.worth.families import SIGNALS, FamilyScores, Signal, family_scores
    from crmcore.idic.differentiate.worth.fans import Superfans, superfans
    from crmcore.idic.differentiate.worth.health import relationship_health
    from crmcore.idic.differentiate.worth.levels import value_tiers
    from crmcore.idic.differentiate.worth.profit import Profitability, profitability
    from crmcore.idic.differentiate.worth.records import CustomerValue, CustomerValues, customer_values
    from crmcore.idic.differentiate.worth.referrals import ReferralValue, referral_value
    from crmcore.idic.differentiate.worth.spread import Concentration, concentration

__all__ = [
    "SIGNALS",
    "AccountValues",
    "Audience",
    "Concentration",
    "CustomerValue",
    "CustomerValues",
    "FamilyScores",
    "OrderCycles",
    "Profitability",
    "ReferralValue",
    "Signal",
    "Superfans",
    "account_values",
    "allocate_budget",
    "concentration",
    "customer_values",
    "family_scores",
    "order_cycles",
    "priority_audience",
    "profitability",
    "referral_value",
    "relationship_health",
    "superfans",
    "value_tiers",
]

__getattr__ = lazy_names(
    __name__,
    {
        "AccountValues": ".accounts",
        "account_values": ".accounts",
        "SIGNALS": ".families",
        "FamilyScores": ".families",
        "Signal": ".families",
        "family_scores": ".families",
        "CustomerValue": ".records",
        "CustomerValues": ".records",
        "customer_values": ".records",
        "Audience": ".audience",
        "Concentration": ".spread",
        "OrderCycles": ".cycles",
        "Profitability": ".profit",
        "ReferralValue": ".referrals",
        "Superfans": ".fans",
        "allocate_budget": ".budget",
        "concentration": ".spread",
        "order_cycles": ".cycles",
        "priority_audience": ".audience",
        "profitability": ".profit",
        "referral_value": ".referrals",
        "relationship_health": ".health",
        "superfans": ".fans",
        "value_tiers": ".levels",
    },
)
