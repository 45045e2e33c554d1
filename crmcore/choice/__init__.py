"""Who gets what: choices under limits, each with its reason.

`allocate` gives a budget to the customers (and the option for each) with whom it brings the most. `pick` takes the one
candidate that no test refuses and that comes first. `hold_out` leaves a share of people alone, the same ones each time.
`Thompson` and `UpperBound` choose while they learn, with chances that can be logged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.choice.allocation import Allocation, Chosen, LeftOut, Quota, allocate
    from crmcore.choice.exploring import BetaArms, Explorer, LinearArms, Thompson, Uniform, UpperBound, drawn
    from crmcore.choice.holding_out import HoldOut, draws_of, hold_out
    from crmcore.choice.picking import Pick, Refused, pick

__all__ = [
    "Allocation",
    "BetaArms",
    "Chosen",
    "Explorer",
    "HoldOut",
    "LeftOut",
    "LinearArms",
    "Pick",
    "Quota",
    "Refused",
    "Thompson",
    "Uniform",
    "UpperBound",
    "allocate",
    "drawn",
    "draws_of",
    "hold_out",
    "pick",
]

__getattr__ = lazy_names(
    __name__,
    {
        **dict.fromkeys(("Allocation", "Chosen", "LeftOut", "Quota", "allocate"), ".allocation"),
        **dict.fromkeys(
            ("BetaArms", "Explorer", "LinearArms", "Thompson", "Uniform", "UpperBound", "drawn"), ".exploring"
        ),
        **dict.fromkeys(("HoldOut", "draws_of", "hold_out"), ".holding_out"),
        **dict.fromkeys(("Pick", "Refused", "pick"), ".picking"),
    },
)
