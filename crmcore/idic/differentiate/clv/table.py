"""Values of customers as a table: columns with low and high ends, totals, a chart."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore.documents import Document
from crmcore.metrics.columns import columns_frame
from crmcore.metrics.estimates import Estimate, estimate_of

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["ValueTable"]

Floats = NDArray[np.float64]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ValueTable(Document):
    """One row a customer (or a group of equal customers), in the order in which they were passed.

    Attributes
    ----------
    columns : name -> (n,) numbers
        expected, p_alive, spend and clv, each with _low and _high.
    weights : (n,) customers
    kind : {"expectation", "predictive"}
    customers : (n,) ids, or None
    currency : of spend and clv, or None
    """

    columns: Mapping[str, Floats]
    weights: Floats
    total_low: float
    total_high: float
    level: float
    kind: str
    method: str
    orders_low: float = math.nan
    orders_high: float = math.nan
    customers: tuple[str, ...] | None = None
    currency: str | None = None

    def __len__(self) -> int:
        return len(self.weights)

    def __repr__(self) -> str:
        return f"ValueTable({self.weights.sum():g} customers, {self.kind} intervals)"

    def __str__(self) -> str:
        return f"{self.weights.sum():g} customers are worth {self.total}"

    def __getitem__(self, name: str, /) -> Floats:
        return self.columns[name]

    @property
    def total(self) -> Estimate:
        """Value of all customers together."""
        return estimate_of(
            float(self.columns["clv"] @ self.weights),
            self.total_low,
            self.total_high,
            level=self.level,
            n=float(self.weights.sum()),
            rule="discounted value of all customers",
            method=self.method,
        )

    @property
    def orders(self) -> Estimate:
        """Orders expected of all customers together."""
        return estimate_of(
            float(self.columns["expected"] @ self.weights),
            self.orders_low,
            self.orders_high,
            level=self.level,
            n=float(self.weights.sum()),
            rule="expected orders of all customers",
            method=self.method,
        )

    def to_frame(self, *, backend: Any = None) -> Any:
        """All columns and the weights, one row a customer; the ids first where they are known."""
        ids = {} if self.customers is None else {"customer": list(self.customers)}
        return columns_frame({**ids, **self.columns, "customers": self.weights}, backend=backend)

    def chart(self) -> Chart:
        """Share of the total value by tenth of customers, the most valuable first."""
        from crmcore.idic.differentiate.clv.charts import decile_chart

        return decile_chart(self.columns["clv"], self.weights)

    def interval_chart(self) -> Chart:
        """Mean value of a customer by tenth, the most valuable first, with the mean ends of the intervals."""
        from crmcore.idic.differentiate.clv.charts import tenths_chart

        ends = (self.columns["clv_low"], self.columns["clv_high"])
        return tenths_chart(self.columns["clv"], ends, self.weights, level=self.level, kind=self.kind)

    def _repr_html_(self) -> str:
        rows = [
            {"": name, "mean": float(np.average(self.columns[name], weights=self.weights))}
            for name in ("expected", "p_alive", "spend", "clv")
        ]
        return html_table(rows, caption=str(self))
