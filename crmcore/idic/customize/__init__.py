"""Customize: the right thing for each customer, with reasons, within limits.

`configuring` knows what can be made: product models, choices that are explained, conflicts with their smallest repairs,
recipes without allergens, and orders batched on a shared line. `recommend(orders)` ranks what each customer may want
next, with the purchases that speak for it; `recommending` is the depth behind it. `offers` decides who gets which offer
within limits, and values policies from logs. `loyalty` runs programmes on a ledger: points, stamps, coupons, tiers,
early access. `opinions` keeps reviews and wish lists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.idic.customize import configuring, loyalty, offers, opinions, recommending
    from crmcore.idic.customize.recommending.door import recommend

__all__ = ["configuring", "loyalty", "offers", "opinions", "recommend", "recommending"]

__getattr__ = lazy_names(
    __name__,
    {
        "configuring": ".configuring",
        "loyalty": ".loyalty",
        "offers": ".offers",
        "opinions": ".opinions",
        "recommend": ".recommending.door",
        "recommending": ".recommending",
    },
)
