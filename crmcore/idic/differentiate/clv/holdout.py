"""What was expected against what came: error per customer and in total, with intervals by resampling customers."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike

from crmcore._base import html_table
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.metrics.columns import not_negative, numbers, same_length
from crmcore.metrics.estimates import Estimate, check_level, estimate_of, frame_of

__all__ = ["HoldoutReport", "holdout_report"]


@attrs.frozen(kw_only=True)
class HoldoutReport(Document):
    """Errors of a forecast on data that the fit has not seen.

    Attributes
    ----------
    mean_absolute_error, root_mean_square_error : Estimate
        In orders per customer.
    total_error : Estimate
        Expected / actual - 1 of all customers; NaN where nothing came.
    """

    mean_absolute_error: Estimate
    root_mean_square_error: Estimate
    total_error: Estimate

    def __str__(self) -> str:
        return f"MAE {self.mean_absolute_error}; total off by {100 * self.total_error.value:+.1f} %"

    def _all(self) -> tuple[Estimate, ...]:
        return self.mean_absolute_error, self.root_mean_square_error, self.total_error

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a measure."""
        return frame_of([attrs.asdict(e) for e in self._all()], backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"measure": e.rule, "value": e.value, "low": e.low, "high": e.high} for e in self._all()]
        return html_table(rows, caption="Holdout")


def holdout_report(
    expected: ArrayLike, actual: ArrayLike, /, *, level: float = 0.95, resamples: int = 500, seed: int = 0
) -> HoldoutReport:
    """Compare expected and actual orders in the holdout, customer by customer.

    Parameters
    ----------
    expected, actual : (n,) orders
        Of the same customers.
    level, resamples, seed :
        Percentile bootstrap over customers (Poisson weights).

    Raises
    ------
    BadRows, EmptyInput, OutOfRange
        Negative or missing cells, no customers, columns of two lengths, no resamples.

    Examples
    --------
    >>> report = holdout_report([1.0, 2.0, 0.5], [1, 3, 0])
    >>> report.mean_absolute_error.value, round(report.total_error.value, 3)
    (0.5, -0.125)
    """
    check_level(level)
    if not resamples >= 1:
        raise OutOfRange("resamples", resamples, "1 or more", "500 are enough for two digits")
    e, a = numbers("expected", expected), numbers("actual", actual)
    if not same_length("holdout_report", expected=e, actual=a):
        raise EmptyInput("the holdout", "pass at least one customer")
    not_negative("holdout_report", expected=e, actual=a)
    columns = np.stack([np.abs(e - a), (e - a) ** 2, e, a, np.ones(len(e))])
    rng = np.random.default_rng(seed)
    sums = np.array([columns @ rng.poisson(1.0, len(e)) for _ in range(resamples)]).T
    point = columns.sum(1)
    out = []
    both = np.concatenate([point[:, None], sums], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        measures = {
            "mean absolute error": both[0] / both[4],
            "root mean square error": np.sqrt(both[1] / both[4]),
            "total expected / actual - 1": both[2] / both[3] - 1.0,
        }
    for rule, cells in measures.items():
        value, many = float(cells[0]), cells[1:]
        many = many[np.isfinite(many)]
        low, high = np.quantile(many, [(1 - level) / 2, (1 + level) / 2]) if len(many) else (np.nan, np.nan)
        value = value if np.isfinite(value) else np.nan
        out.append(estimate_of(value, low, high, level=level, n=len(e), rule=rule, method="bootstrap of customers"))
    return HoldoutReport(mean_absolute_error=out[0], root_mean_square_error=out[1], total_error=out[2])
