"""Value of referrals: what those whom a customer brought are worth, credited up the tree without counting twice."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, number_text
from crmcore.errors import OutOfRange
from crmcore.graphs import tree_credit
from crmcore.metrics.columns import SAME, held_floats, numbers, refuse
from crmcore.metrics.estimates import frame_of

__all__ = ["ReferralValue", "referral_value"]

Floats = NDArray[np.float64]


@attrs.frozen(hash=False, kw_only=True, repr=False)
class ReferralValue:
    """Own and credited value of n customers.

    `own` sums to the value of the population. `credited` is the same money seen from the referrer's side: it overlaps
    with the referred customers' own value, so never add it to a total over all customers.

    Attributes
    ----------
    own, credited : (n,) in one unit
    brought : (n,) customers brought directly
    """

    own: Floats = attrs.field(converter=held_floats, eq=SAME)
    credited: Floats = attrs.field(converter=held_floats, eq=SAME)
    brought: NDArray[np.int64]
    decay: float

    @property
    def overlap(self) -> float:
        """Money that stands in both columns."""
        return float(self.credited.sum())

    def __len__(self) -> int:
        return len(self.own)

    def __str__(self) -> str:
        own, twice = number_text(float(self.own.sum())), number_text(self.overlap)
        return f"{len(self):,} customers worth {own}; {twice} of it credited to referrers (do not add it again)"

    def __repr__(self) -> str:
        return f"ReferralValue({self})"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a customer, in the order of the input: own, credited, brought."""
        rows = zip(self.own.tolist(), self.credited.tolist(), self.brought.tolist(), strict=True)
        return frame_of([{"own": o, "credited": c, "brought": b} for o, c, b in rows], backend=backend)

    def _repr_html_(self) -> str:
        return html_table([{"customers": len(self), "credited": number_text(self.overlap)}], caption=str(self))


def referral_value(referrer: ArrayLike, own: ArrayLike, *, decay: float = 0.5) -> ReferralValue:
    """Credit every customer with a share of the value of those whom it brought, and of those whom they brought.

    credited(i) = sum over children j of decay * (own(j) + credited(j)): a grandchild counts with decay squared.

    Parameters
    ----------
    referrer : (n,) rows
        Row of who brought each customer; -1 = nobody.
    own : (n,) numbers
        Each customer's own value.
    decay : share
        Of a child's value that its referrer is credited with, 0 to 1.

    Raises
    ------
    BadRows
        Rows that are not there, or that refer each other in a circle.

    Examples
    --------
    >>> referral_value([-1, 0, 1], [100, 60, 40]).credited.tolist()
    [40.0, 20.0, 0.0]
    """
    value = numbers("own", own, infinite_ok=False)
    parent = np.asarray(referrer)
    n = len(value)
    if parent.shape != (n,) or (n and parent.dtype.kind not in "iu"):
        raise OutOfRange("referrer", f"{parent.shape} {parent.dtype}", f"({n},) rows", "-1 means nobody")
    if not 0 <= decay <= 1:
        raise OutOfRange("decay", decay, "0 to 1", "0.5 credits half at every step")
    refuse(
        "the referrals", "referrer is a row from 0, or -1; write 0 for no value",
        referrer=((parent < -1) | (parent >= n), "no such row"), own=(np.isnan(value), "missing"),
    )  # fmt: skip
    credited = tree_credit(parent, value, decay=decay, what="referrer")
    brought = np.bincount(parent[parent >= 0].astype(np.int64), minlength=n)
    return ReferralValue(own=value, credited=credited, brought=brought, decay=decay)
