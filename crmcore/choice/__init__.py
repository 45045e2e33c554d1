"""Who gets what: choices under limits, each with its reason.

`allocate` gives a budget to the customers (and the option for each) with whom it brings the most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.choice.allocation import Allocation, Chosen, LeftOut, Quota, allocate

__all__ = ["Allocation", "Chosen", "LeftOut", "Quota", "allocate"]

__getattr__ = lazy_names(__name__, dict.fromkeys(__all__, ".allocation"))
