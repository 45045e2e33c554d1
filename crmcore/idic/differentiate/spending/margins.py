"""From spend to what stays: margin as a share or per customer, minus the cost to serve."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import OutOfRange
from crmcore.metrics.columns import numbers, refuse

__all__ = ["contribution"]


def contribution(
    spend: ArrayLike, /, *, margin: float | ArrayLike = 1.0, cost_per_order: float | ArrayLike = 0.0
) -> NDArray[np.float64]:
    """What one order leaves: spend x margin - cost to serve it.

    Parameters
    ----------
    spend : (n,) money
        Expected spend per order.
    margin : share or (n,) shares
        Of spend; negative where goods sell below cost. At most 1.
    cost_per_order : money or (n,) money
        Cost to serve one order, from 0. The result may be negative: such a customer costs money.

    Returns
    -------
    (n,) money

    Raises
    ------
    BadRows, OutOfRange
        Cells that are not finite, margins above 1, columns of another length.

    Examples
    --------
    >>> contribution([20.0, 5.0], margin=0.3, cost_per_order=2.0).round(2).tolist()
    [4.0, -0.5]
    """
    base = numbers("spend", spend)
    share, cost = (_per_row(name, x, len(base)) for name, x in (("margin", margin), ("cost_per_order", cost_per_order)))
    refuse(
        "contribution",
        "write 30 % as 0.3; a cost is written as a positive number",
        spend=(~np.isfinite(base), "not finite"),
        margin=(~(share <= 1.0) | ~np.isfinite(share), "not a finite share up to 1"),
        cost_per_order=(~(cost >= 0.0) | ~np.isfinite(cost), "not a finite amount from 0"),
    )
    return base * share - cost


def _per_row(name: str, value: float | ArrayLike, n: int) -> NDArray[np.float64]:
    column = numbers(name, np.atleast_1d(np.asarray(value)))
    if len(column) not in (1, n):
        raise OutOfRange(f"len({name})", len(column), f"1 or {n}, as spend", "give one number, or one a customer")
    return np.broadcast_to(column, (n,))
