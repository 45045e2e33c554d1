"""Survival curves of customers with intervals: what every hazard model predicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore.errors import OutOfRange
from crmcore.metrics.columns import columns_frame
from crmcore.metrics.intervals import normal_quantile

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Curves"]

Floats = NDArray[np.float64]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Curves:
    """Share still there after each time, one row a customer; NaN past what was seen.

    Attributes
    ----------
    times : (m,) durations
    survival, low, high : (n, m) shares
    level : share
    """

    times: Floats
    survival: Floats
    low: Floats
    high: Floats
    level: float

    @classmethod
    def of(cls, times: Floats, cumulative: Floats, variance: Floats, /, *, level: float) -> Curves:
        """Curves from cumulative hazards and their variances: intervals normal on the logarithm of the hazard."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            width = normal_quantile(level) * np.sqrt(variance) / cumulative
            factor = np.exp(np.where(cumulative > 0, width, 0.0))
        factor = np.where(np.isnan(cumulative), np.nan, factor)
        low, high = np.exp(-cumulative * factor), np.exp(-cumulative / factor)
        unknown = np.isnan(cumulative)
        return cls(
            times=times, survival=np.exp(-cumulative), low=np.where(unknown, 0.0, low), level=level,
            high=np.where(unknown, np.nan, high),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.survival)

    def __repr__(self) -> str:
        return f"Curves({len(self)} customers, {len(self.times)} times)"

    def median(self) -> Floats:
        """(n,) first of the times after which at most half are left; NaN where that is not reached."""
        reached = self.survival <= 0.5
        return np.where(reached.any(axis=1), self.times[reached.argmax(axis=1)], np.nan)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a customer and time: row, time, survival, low, high."""
        n, m = self.survival.shape
        columns = {"row": np.repeat(np.arange(n), m), "time": np.tile(self.times, n), "survival": self.survival.ravel()}
        return columns_frame({**columns, "low": self.low.ravel(), "high": self.high.ravel()}, backend=backend)

    def _repr_html_(self) -> str:
        n, m = min(len(self), 5), min(len(self.times), 12)
        shown = [
            {"row": i, **{f"{t:g}": float(s) for t, s in zip(self.times[:m], self.survival[i, :m], strict=True)}}
            for i in range(n)
        ]
        return html_table(shown, caption=f"Share still there, {n} of {len(self)} rows, {m} of {len(self.times)} times")

    def chart(self, *, rows: tuple[int, ...] = (0,)) -> Chart:
        """Curves of some rows with their bands."""
        from crmcore.idic.differentiate.hazards.charts import curves_of

        for i in rows:
            if not 0 <= i < len(self):
                raise OutOfRange("rows", i, f"0 to {len(self) - 1}", "count rows from 0")
        return curves_of(self, rows)
