"""Value tiers: lines of profit with entitlements, a lower line for leaving, and grace."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from crmcore.errors import EmptyInput, OutOfRange
from crmcore.rules import Tier, Tiers, field

__all__ = ["value_tiers"]


def value_tiers(
    lines: Mapping[str, float], *, measure: str = "profit_12m", gives: Mapping[str, Sequence[str]] | None = None,
    leave_share: float = 1.0, grace_days: float = 90, min_stay_days: float = 0, name: str = "value",
) -> Tiers:  # fmt: skip
    """Make tiers from lines of one measure: up at once, down only below the leaving line and after the grace.

    Parameters
    ----------
    lines : tier to number
        Where one enters, from the lowest tier to the highest.
    measure : text
        Fact that is compared, in the unit of the lines.
    gives : tier to entitlements, optional
        A tier also gives what those below it give.
    leave_share : share
        One leaves below this share of the entering line; 0.9 keeps those who wobble around the line.
    grace_days, min_stay_days : days
        How long a lost tier is still kept; how long a tier is kept in any case.

    Returns
    -------
    crmcore.rules.Tiers
        `assign` for one customer, `assign_all` for a table.

    Examples
    --------
    >>> tiers = value_tiers({"VIP": 10_000}, gives={"VIP": ["lounge"]})
    >>> tiers, tiers.gives("VIP")
    (Tiers('value', none < VIP), ('lounge',))
    """
    if not lines:
        raise EmptyInput("lines", "name at least one tier: {'VIP': 10_000}")
    if not 0 < leave_share <= 1:
        raise OutOfRange("leave_share", leave_share, "above 0, up to 1", "1.0 leaves right below the entering line")
    heights = list(lines.values())
    if any(b <= a for a, b in itertools.pairwise(heights)):
        raise OutOfRange("lines", heights, "ascending lines", "name tiers from the lowest to the highest")
    given = gives or {}
    odd = [n for n in given if n not in lines]
    if odd:
        raise OutOfRange("gives", odd, f"tiers of {list(lines)}", "name entitlements of tiers that have a line")
    return Tiers(
        name,
        [
            Tier(
                tier, field(measure) >= line, leave=field(measure) < line * leave_share, grace_days=grace_days,
                min_stay_days=min_stay_days, gives=tuple(given.get(tier, ())),
            )
            for tier, line in lines.items()
        ],
    )  # fmt: skip
