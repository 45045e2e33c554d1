"""Superfans: customers who are engaged, speak for the brand, and are worth it, all three at once."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table
from crmcore.errors import OutOfRange
from crmcore.metrics.columns import SAME, held_floats, numbers
from crmcore.metrics.estimates import frame_of
from crmcore.metrics.scalars import above, share_of

__all__ = ["Superfans", "superfans"]

Floats = NDArray[np.float64]


@attrs.frozen(hash=False, kw_only=True, repr=False)
class Superfans:
    """Scores of n customers, each in [0, 1); NaN where an input is missing.

    Attributes
    ----------
    engagement, advocacy, value : (n,) x / (x + half): 0.5 at the half point
    bar : least of each that a superfan has
    """

    engagement: Floats = attrs.field(converter=held_floats, eq=SAME)
    advocacy: Floats = attrs.field(converter=held_floats, eq=SAME)
    value: Floats = attrs.field(converter=held_floats, eq=SAME)
    bar: float
    halves: tuple[float, float, float]

    @property
    def score(self) -> Floats:
        """(n,) engagement x advocacy x value."""
        made: Floats = self.engagement * self.advocacy * self.value
        return made

    @property
    def chosen(self) -> NDArray[np.bool_]:
        """(n,) whether all three reach the bar; a missing one does not."""
        low = np.minimum(np.minimum(self.engagement, self.advocacy), self.value)
        return np.asarray(low >= self.bar)

    def __len__(self) -> int:
        return len(self.value)

    def __str__(self) -> str:
        return f"{int(self.chosen.sum()):,} superfans among {len(self):,} customers (each side at least {self.bar:g})"

    def __repr__(self) -> str:
        return f"Superfans({self})"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a customer, in the order of the input."""
        parts = zip(self.engagement, self.advocacy, self.value, self.score, self.chosen, strict=True)
        names = ("engagement", "advocacy", "value", "score", "superfan")
        return frame_of([dict(zip(names, (x.item() for x in row), strict=True)) for row in parts], backend=backend)

    def _repr_html_(self) -> str:
        return html_table([{"customers": len(self), "superfans": int(self.chosen.sum())}], caption=str(self))


def superfans(
    *, engagement: ArrayLike, advocacy: ArrayLike, value: ArrayLike, bar: float = 0.5,
    halves: tuple[float | None, float | None, float | None] = (None, None, None),
) -> Superfans:  # fmt: skip
    """Find superfans: a product, so that much of one side never makes up for none of another.

    Parameters
    ----------
    engagement, advocacy, value : (n,) numbers
        Such as visits and posts; referrals, defending replies and praise; profit. 0 or more; NaN is missing.
    bar : share
        Least of each side; 0.5 is its half point.
    halves : three numbers
        Where each side is 0.5; None takes the median of its values above 0.

    Examples
    --------
    >>> print(superfans(engagement=[9, 9, 1], advocacy=[3, 0, 1], value=[500, 900, 100]))
    1 superfans among 3 customers (each side at least 0.5)
    """
    share_of("bar", bar, hint="0.5 is the half point")
    made: dict[str, Floats] = {}
    used: list[float] = []
    for (name, column), half in zip(
        (("engagement", engagement), ("advocacy", advocacy), ("value", value)), halves, strict=True
    ):
        x = numbers(name, column, infinite_ok=False)
        if made and len(x) != len(made["engagement"]):
            raise OutOfRange(name, f"{len(x)} entries", f"{len(made['engagement'])}", "row i is one customer")
        if (x < 0).any():
            raise OutOfRange(name, float(np.nanmin(x)), "0 or more", "write customers who cost money as 0")
        some = x[x > 0]
        middle = float(np.median(some)) if len(some) else 1.0
        used.append(middle if half is None else above(f"half of {name}", half, hint="where the side is 0.5"))
        made[name] = x / (x + used[-1])
    return Superfans(**made, bar=bar, halves=(used[0], used[1], used[2]))
