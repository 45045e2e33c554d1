"""Budget by value and response: who brings most for what it costs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from crmcore.choice import Allocation, Quota, allocate
from crmcore.errors import OutOfRange
from crmcore.metrics.columns import numbers, refuse

__all__ = ["allocate_budget"]


def allocate_budget(
    customers: Sequence[str], *, value: ArrayLike, response: ArrayLike, cost: Sequence[int], budget: int,
    groups: Sequence[str] | None = None, quotas: Sequence[Quota] = (),
) -> Allocation:  # fmt: skip
    """Spend a budget where value times added response is greatest: the exact optimum of the knapsack.

    Parameters
    ----------
    customers : (n,) ids
    value : (n,) numbers
        What a response is worth.
    response : (n,) shares
        How much the spending raises the chance of a response (uplift), from -1 to 1; not the plain response rate.
    cost : (n,) whole units
    budget : whole units
    groups, quotas
        As in `choice.allocate`.

    Examples
    --------
    >>> found = allocate_budget(["a", "b"], value=[100, 80], response=[0.1, 0.2], cost=[5, 5], budget=5)
    >>> [c.id for c in found.chosen], found.value
    (['b'], 16.0)
    """
    worth, lift = numbers("value", value), numbers("response", response)
    if not len(worth) == len(lift) == len(customers):
        sizes = {"customers": len(customers), "value": len(worth), "response": len(lift)}
        raise OutOfRange("columns", sizes, "one length", "row i of every column is one customer")
    bad = np.abs(lift) > 1
    refuse("the response", "write 5 % as 0.05", response=(bad, "outside -1 to 1"))
    return allocate(list(cost), worth * lift, budget=budget, ids=customers, groups=groups, quotas=quotas)
