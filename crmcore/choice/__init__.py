"""Who gets what: choices under limits, each with its reason.

`allocate` gives a budget to the customers (and the option for each) with whom it brings the most. `pick` takes the one
candidate that no test refuses and that comes first. `hold_out` leaves a share of people alone, the same ones each time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.choice.allocation import Allocation, Chosen, LeftOut, Quota, allocate
    from crmcore.choice.holding_out import HoldOut, draws_of, hold_out
    from crmcore.choice.picking import Pick, Refused, pick

__all__ = [
    "Allocation",
    "Chosen",
    "HoldOut",
    "LeftOut",
    "Pick",
    "Quota",
    "Refused",
    "allocate",
    "draws_of",
    "hold_out",
    "pick",
]

__getattr__ = lazy_names(
    __name__,
    {
        **dict.fromkeys(("Allocation", "Chosen", "LeftOut", "Quota", "allocate"), ".allocation"),
        **dict.fromkeys(("HoldOut", "draws_of", "hold_out"), ".holding_out"),
        **dict.fromkeys(("Pick", "Refused", "pick"), ".picking"),
    },
)
