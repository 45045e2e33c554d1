"""Offers: who gets which next, within limits and with a trace, and what another policy would have brought.

`propose` takes `Proposal`s through eligibility, expected extra margin, arbitration, hold-out and exploration.
`DecisionLog` holds what was decided, how likely that was, and what came of it; `policy_value` tells what another policy
would have brought, by four estimators with intervals, and warns where the log cannot say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.idic.customize.offers.logs import DecisionLog
    from crmcore.idic.customize.offers.off_policy import PolicyValue, policy_value
    from crmcore.idic.customize.offers.proposals import OfferPlan, Proposal, Sent, Why, propose

__all__ = ["DecisionLog", "OfferPlan", "PolicyValue", "Proposal", "Sent", "Why", "policy_value", "propose"]

__getattr__ = lazy_names(
    __name__,
    {
        "DecisionLog": ".logs",
        **dict.fromkeys(("PolicyValue", "policy_value"), ".off_policy"),
        **dict.fromkeys(("OfferPlan", "Proposal", "Sent", "Why", "propose"), ".proposals"),
    },
)
