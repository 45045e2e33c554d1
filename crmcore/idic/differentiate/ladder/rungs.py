"""Rungs of the ladder as rules on events: purchase, visit, referral, defence, engagement."""

from __future__ import annotations

from crmcore.metrics.scalars import count_of
from crmcore.rules import Tier, Tiers, all_of, any_of, count, days_since

__all__ = ["RUNGS", "ladder"]

RUNGS = ("unknown", "stranger", "buyer", "regular", "advocate", "superfan")
"""Names of the rungs, the lowest first; "unknown" is somebody of whom nothing was seen yet."""


def ladder(
    *, regular_orders: int = 3, regular_days: float = 90, referrals: int = 2, defences: int = 3,
    superfan_referrals: int = 4, asleep_days: float = 365, grace_days: float = 30,
) -> Tiers:  # fmt: skip
    """Make the ladder as tiers over events of the kinds visit, purchase, referral and defence.

    A stranger was seen, a buyer bought once, a regular bought `regular_orders` times within `regular_days`. An
    advocate brought `referrals` customers, or one after `defences` replies in the brand's defence: purchases alone
    make no advocate. A superfan is a regular who brought `superfan_referrals`. Whoever has not bought for
    `asleep_days` leaves regular, after the grace; buyers and strangers stay what they are.

    Returns
    -------
    crmcore.rules.Tiers
        `history` gives the dated moves of one customer, with their evidence; save with `to_dict`, edit, read back.

    Examples
    --------
    >>> ladder().names
    ('unknown', 'stranger', 'buyer', 'regular', 'advocate', 'superfan')
    """
    needed = {"regular_orders": regular_orders, "referrals": referrals, "defences": defences}
    for name, least in {**needed, "superfan_referrals": superfan_referrals}.items():
        count_of(name, least, least=1, hint="ask for 1 or more")
    asleep = days_since("purchase") > asleep_days
    silent = count("referral", within_days=asleep_days) + count("defence", within_days=asleep_days) < 1
    brought, bought = count("referral"), count("purchase")
    often = count("purchase", within_days=regular_days) >= regular_orders
    speaks = any_of(brought >= referrals, all_of(count("defence") >= defences, brought >= 1))
    return Tiers(
        "relationship ladder",
        [
            Tier("stranger", any_of(count("visit") >= 1, bought >= 1), leave=bought < 0),
            Tier("buyer", bought >= 1, leave=bought < 1),
            Tier("regular", often, leave=asleep, grace_days=grace_days),
            Tier("advocate", speaks, leave=silent, grace_days=grace_days),
            Tier(
                "superfan", all_of(often, brought >= superfan_referrals), leave=any_of(asleep, silent),
                grace_days=grace_days,
            ),
        ],
        base="unknown",
    )  # fmt: skip
