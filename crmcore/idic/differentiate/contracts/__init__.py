"""Customers who can be seen to leave, and chances that come in rounds: sBG, beta-discrete-Weibull, BG/BB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.idic.differentiate.contracts.bg_bb import BgBb, BgBbModel
    from crmcore.idic.differentiate.contracts.counts import ContractCounts
    from crmcore.idic.differentiate.contracts.retention import ContractModel, ShiftedBeta

__all__ = ["BgBb", "BgBbModel", "ContractCounts", "ContractModel", "ShiftedBeta"]

__getattr__ = lazy_names(
    __name__,
    {
        "BgBb": ".bg_bb",
        "BgBbModel": ".bg_bb",
        "ContractCounts": ".counts",
        "ContractModel": ".retention",
        "ShiftedBeta": ".retention",
    },
)
