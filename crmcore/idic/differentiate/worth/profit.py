"""Profit of customers after what it costs to serve them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, number_text
from crmcore._frames import write_frame
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.idic.differentiate.worth.spread import Concentration, concentration
from crmcore.metrics.columns import SAME, held_floats, numbers
from crmcore.metrics.estimates import check_level
from crmcore.metrics.scalars import count_of

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Profitability", "profitability"]

Floats = NDArray[np.float64]


@attrs.frozen(hash=False, kw_only=True, repr=False)
class Profitability:
    """Profit of every customer, the most profitable first; equal profit is ordered by id, missing last.

    Attributes
    ----------
    customers : ids
    revenue, profit : (n,) in the unit of the input; profit = revenue - all costs, NaN where any is missing
    costs : name to (n,)
    """

    customers: tuple[str, ...]
    revenue: Floats = attrs.field(converter=held_floats, eq=SAME)
    costs: Mapping[str, Floats]
    profit: Floats = attrs.field(converter=held_floats, eq=SAME)

    def __len__(self) -> int:
        return len(self.customers)

    def top(self, k: int, /) -> tuple[str, ...]:
        """Ids of the k most profitable customers."""
        known = int((~np.isnan(self.profit)).sum())
        return self.customers[: min(count_of("k", k, hint="ask for a number of customers"), known)]

    def concentration(self, *, top: float = 0.2, level: float = 0.95) -> Concentration:
        """Gini, share of the top and Lorenz curve of the profit."""
        check_level(level)
        return concentration(self.profit, top=top, level=level)

    def totals(self) -> dict[str, float]:
        """Sum of revenue, of every cost and of profit over the customers whose profit is known."""
        known = ~np.isnan(self.profit)
        sums = {name: float(c[known].sum()) for name, c in self.costs.items()}
        return {"revenue": float(self.revenue[known].sum()), **sums, "profit": float(self.profit[known].sum())}

    def __str__(self) -> str:
        lost = int((self.profit < 0).sum())
        unknown = int(np.isnan(self.profit).sum())
        gap = f", {unknown} unknown" if unknown else ""
        total = number_text(self.totals()["profit"])
        return f"{len(self)} customers, profit {total}, {lost} cost more than they bring{gap}"

    def __repr__(self) -> str:
        return f"Profitability({self})"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a customer: customer, revenue, each cost, profit, in order of profit."""
        columns: dict[str, Any] = {
            "customer": list(self.customers),
            "revenue": self.revenue,
            **self.costs,
            "profit": self.profit,
        }
        return write_frame(columns, backend=backend)

    def chart(self) -> Chart:
        """A waterfall from revenue over all costs to profit."""
        from crmcore.charts import waterfall

        sums = self.totals()
        names = list(self.costs)
        return waterfall(
            names, [-sums[n] for n in names], start=sums["revenue"], start_label="revenue", total_label="profit",
            title="From revenue to profit", description=str(self),
        )  # fmt: skip

    def _repr_html_(self) -> str:
        return html_table([{k: number_text(v) for k, v in self.totals().items()}], caption=str(self))


def profitability(customers: Sequence[str], *, revenue: ArrayLike, costs: Mapping[str, ArrayLike]) -> Profitability:
    """Order customers by revenue less every cost of making, selling and serving.

    Parameters
    ----------
    customers : (n,) ids
    revenue : (n,) numbers
        One unit (minor units of one currency); NaN is missing.
    costs : name to (n,) numbers
        Such as "goods", "returns", "service calls"; 0 or more. A missing cost makes the profit missing, not larger.

    Examples
    --------
    >>> found = profitability(["a", "b"], revenue=[100, 90], costs={"goods": [40, 20], "calls": [30, 0]})
    >>> found.top(1), found.profit.tolist()
    (('b',), [70.0, 30.0])
    """
    ids = list(customers)
    if not ids:
        raise EmptyInput("customers", "pass at least one")
    columns = {"revenue": revenue, **costs}
    read = {name: numbers(name, column, infinite_ok=False) for name, column in columns.items()}
    for name, column in read.items():
        if len(column) != len(ids):
            raise OutOfRange(name, f"{len(column)} entries", f"{len(ids)}, as customers", "one number a customer")
        if name != "revenue" and (column < 0).any():
            raise OutOfRange(name, float(np.nanmin(column)), "costs of 0 or more", "book income as revenue")
    profit = read["revenue"] - sum((read[name] for name in costs), np.zeros(len(ids)))
    order = sorted(range(len(ids)), key=lambda i: (-profit[i] if profit[i] == profit[i] else np.inf, ids[i]))
    return Profitability(
        customers=tuple(ids[i] for i in order), revenue=read["revenue"][order],
        costs={name: read[name][order] for name in costs}, profit=profit[order],
    )  # fmt: skip
