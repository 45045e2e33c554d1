"""Loyalty on a ledger: programmes as data, tills that earn and refund to the last unit, coupons, tiers, early access.

A `Programme` says what earns and what points buy; a `Club` runs it over a `crmcore.ledger.Ledger`; `best_coupons` finds
the best hand under stacking terms; `status` says where a customer stands in the tiers and how far the next one is;
`EarlyAccess` who may buy before the public.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.idic.customize.loyalty.access import Access, EarlyAccess
    from crmcore.idic.customize.loyalty.club import Club
    from crmcore.idic.customize.loyalty.columns import earn_table
    from crmcore.idic.customize.loyalty.combining import Discounts, best_coupons
    from crmcore.idic.customize.loyalty.coupons import AmountOff, Coupon, FreeItem, PercentOff
    from crmcore.idic.customize.loyalty.earning import Bonus, Earn, Earned
    from crmcore.idic.customize.loyalty.programme import Programme, Reward, stamp_card
    from crmcore.idic.customize.loyalty.purchases import Line, Purchase
    from crmcore.idic.customize.loyalty.receipts import Receipt, Refund
    from crmcore.idic.customize.loyalty.tiering import QualifyingPeriod, TierStatus, status
    from crmcore.idic.customize.loyalty.validity import Validity
    from crmcore.idic.customize.loyalty.wallets import Wallet, expiry_notices

__all__ = [
    "Access",
    "AmountOff",
    "Bonus",
    "Club",
    "Coupon",
    "Discounts",
    "Earn",
    "Earned",
    "EarlyAccess",
    "FreeItem",
    "Line",
    "PercentOff",
    "Programme",
    "Purchase",
    "QualifyingPeriod",
    "Receipt",
    "Refund",
    "Reward",
    "TierStatus",
    "Validity",
    "Wallet",
    "best_coupons",
    "earn_table",
    "expiry_notices",
    "stamp_card",
    "status",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Access": ".access",
        "AmountOff": ".coupons",
        "Bonus": ".earning",
        "Club": ".club",
        "Coupon": ".coupons",
        "Discounts": ".combining",
        "Earn": ".earning",
        "Earned": ".earning",
        "EarlyAccess": ".access",
        "FreeItem": ".coupons",
        "Line": ".purchases",
        "PercentOff": ".coupons",
        "Programme": ".programme",
        "Purchase": ".purchases",
        "QualifyingPeriod": ".tiering",
        "Receipt": ".receipts",
        "Refund": ".receipts",
        "Reward": ".programme",
        "TierStatus": ".tiering",
        "Validity": ".validity",
        "Wallet": ".wallets",
        "best_coupons": ".combining",
        "earn_table": ".columns",
        "expiry_notices": ".wallets",
        "stamp_card": ".programme",
        "status": ".tiering",
    },
)
