"""Customize: the right thing for each customer, with reasons, within limits.

`configuring` knows what can be made: product models, choices that are explained, conflicts with their smallest repairs,
recipes without allergens, and orders batched on a shared line. `loyalty` runs programmes on a ledger: points, stamps,
coupons, tiers, early access.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.idic.customize import configuring, loyalty

__all__ = ["configuring", "loyalty"]

__getattr__ = lazy_names(__name__, {"configuring": ".configuring", "loyalty": ".loyalty"})
