"""What the value model is joined from: rows of customers, and any timing model that can answer two questions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import EmptyInput, OutOfRange
from crmcore.idic.differentiate.buying.purchases import Purchases
from crmcore.metrics.columns import numbers, refuse, same_length

__all__ = ["CustomerRows", "Timing"]

Floats = NDArray[np.float64]


class Timing(Protocol):
    """A fitted model of purchase times and dropout, as far as value needs it.

    `covariance` is of `vector()` (log parameters), None at a boundary; times are in one unit throughout.
    """

    @property
    def parameters(self) -> Mapping[str, float]:
        """Names and values."""
        ...

    @property
    def covariance(self) -> ArrayLike | None:
        """Of `vector()`; None at a boundary."""
        ...

    def vector(self) -> Floats:
        """Log parameters."""
        ...

    def with_vector(self, vector: Floats, /) -> Timing:
        """The same model at other log parameters."""
        ...

    def expected(self, frequency: Floats, recency: Floats, age: Floats, /, *, horizon: float) -> Floats:
        """Orders expected in the next `horizon` units."""
        ...

    def p_alive(self, frequency: Floats, recency: Floats, age: Floats, /) -> Floats:
        """Probability of still being a customer."""
        ...


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CustomerRows:
    """Customers as the models see them; row i of every column is the same customer, or `weights[i]` equal ones.

    Attributes
    ----------
    frequency : (n,) repeat orders
    recency, age : (n,) durations
        From the first order to the last one, and to the end of observation; 0 <= recency <= age.
    mean_spend : (n,) money
        Mean of the repeat orders; anything (0, NaN) where frequency is 0.
    weights : (n,) customers
    unit_days : days
        Length of the unit of recency and age.
    customers : (n,) ids, or None

    Examples
    --------
    >>> CustomerRows.of([2, 0], [30.4, 0], [38.9, 38.9], mean_spend=[22.4, 0], unit_days=7)
    CustomerRows(2 customers in 2 rows)
    """

    frequency: Floats
    recency: Floats
    age: Floats
    mean_spend: Floats
    weights: Floats
    unit_days: float
    customers: tuple[str, ...] | None = None

    @classmethod
    def of(
        cls,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
        /,
        *,
        mean_spend: ArrayLike,
        weights: ArrayLike | None = None,
        unit_days: float,
    ) -> CustomerRows:
        """Checked rows.

        Raises
        ------
        BadRows
            All rows that contradict themselves, at once.
        EmptyInput, OutOfRange
            No rows, columns of two lengths, a unit of no length.
        """
        x, t, age_ = numbers("frequency", frequency), numbers("recency", recency), numbers("age", age)
        z = numbers("mean_spend", mean_spend)
        w = np.ones(len(x)) if weights is None else numbers("weights", weights)
        if not same_length("CustomerRows", frequency=x, recency=t, age=age_, mean_spend=z, weights=w):
            raise EmptyInput("the customers", "pass at least one row")
        if not 0 < unit_days < np.inf:
            raise OutOfRange("unit_days", unit_days, "a positive number of days", "7 where durations are in weeks")
        sound = {
            k: np.isfinite(c) & (c >= 0) for k, c in (("frequency", x), ("recency", t), ("age", age_), ("weights", w))
        }
        fine = sound["frequency"] & sound["recency"] & sound["age"]
        with np.errstate(invalid="ignore"):
            wrong = fine & ((t > age_ * (1 + 1e-12)) | ((x == 0) & (t > 0)))
        refuse(
            "CustomerRows",
            "recency is the age at the last order: 0 <= recency <= age, and 0 without a repeat order",
            **{k: (~mask, "not a finite number from 0") for k, mask in sound.items()},
            mean_spend=((x > 0) & ~np.isfinite(z), "not finite"),
            recency_of_row=(wrong, "contradicts age or frequency"),
        )
        return cls(frequency=x, recency=t, age=age_, mean_spend=z, weights=w, unit_days=float(unit_days))

    @classmethod
    def of_purchases(cls, purchases: Purchases, /) -> CustomerRows:
        """Rows of what was read from orders, one a customer, ids included.

        Examples
        --------
        >>> CustomerRows.of_purchases(Purchases.of([2, 0], [30.4, 0], [38.9, 38.9], spend=[22.4, 0]))
        CustomerRows(2 customers in 2 rows)
        """
        r = purchases.row
        ids = None if purchases.customers is None else tuple(purchases.customers.ids)
        return cls(
            frequency=purchases.frequency[r], recency=purchases.recency[r], age=purchases.age[r],
            mean_spend=np.nan_to_num(purchases.spend), weights=np.ones(len(purchases)),
            unit_days=purchases.unit_days, customers=ids,
        )  # fmt: skip

    def take(self, rows: NDArray[np.int64] | slice, /) -> CustomerRows:
        """Some of the rows."""
        picked = np.arange(len(self))[rows]
        cells = {k: getattr(self, k)[picked] for k in ("frequency", "recency", "age", "mean_spend", "weights")}
        ids = None if self.customers is None else tuple(self.customers[i] for i in picked.tolist())
        return attrs.evolve(self, **cells, customers=ids)

    def __len__(self) -> int:
        return len(self.frequency)

    def __repr__(self) -> str:
        return f"CustomerRows({self.weights.sum():g} customers in {len(self)} rows)"
