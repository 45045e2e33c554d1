"""Charts of customer value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crmcore.charts import Chart, bar

__all__ = ["decile_chart"]


def decile_chart(value: NDArray[np.float64], weights: NDArray[np.float64], /) -> Chart:
    """Share of the value held by each tenth of customers, the most valuable first; rows are split where they must."""
    order = np.argsort(-value, kind="stable")
    people = np.concatenate([[0.0], np.cumsum(weights[order])])
    money = np.concatenate([[0.0], np.cumsum((value * weights)[order])])
    held = np.diff(np.interp(np.linspace(0, people[-1], 11), people, money)) / (money[-1] or 1.0)
    names = [f"{10 * i}-{10 * i + 10} %" for i in range(10)]
    return bar(names, held.tolist(), title="Share of value by tenth of customers", percent=True)
