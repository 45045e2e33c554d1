"""Charts of customer value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crmcore.charts import Chart, bar, line

__all__ = ["decile_chart", "tenths_chart"]


def decile_chart(value: NDArray[np.float64], weights: NDArray[np.float64], /) -> Chart:
    """Share of the value held by each tenth of customers, the most valuable first; rows are split where they must."""
    order = np.argsort(-value, kind="stable")
    people = np.concatenate([[0.0], np.cumsum(weights[order])])
    money = np.concatenate([[0.0], np.cumsum((value * weights)[order])])
    held = np.diff(np.interp(np.linspace(0, people[-1], 11), people, money)) / (money[-1] or 1.0)
    names = [f"{10 * i}-{10 * i + 10} %" for i in range(10)]
    return bar(names, held.tolist(), title="Share of value by tenth of customers", percent=True)


def tenths_chart(
    value: NDArray[np.float64], ends: tuple[NDArray[np.float64], NDArray[np.float64]], weights: NDArray[np.float64], /,
    *, level: float, kind: str,
) -> Chart:  # fmt: skip
    """Mean value in each tenth of customers, the most valuable first, with the mean low and high ends."""
    order = np.argsort(-value, kind="stable")
    people = np.concatenate([[0.0], np.cumsum(weights[order])])
    edges = np.linspace(0, people[-1], 11)
    size = people[-1] / 10

    def mean(column: NDArray[np.float64]) -> list[float]:
        money = np.concatenate([[0.0], np.cumsum((column * weights)[order])])
        return [float(m) for m in np.diff(np.interp(edges, people, money)) / (size or 1.0)]

    low, high = (mean(column) for column in ends)
    return line(
        list(range(1, 11)), mean(value), low=low, high=high, title="Mean value of a customer by tenth",
        description=f"tenth 1 is the most valuable; the band is the mean {100 * level:g} % interval of the {kind}",
    )  # fmt: skip
