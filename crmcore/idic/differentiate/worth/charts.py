"""Pictures: Lorenz curves."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from crmcore.charts import Chart

__all__ = ["lorenz_chart"]


def lorenz_chart(people: ArrayLike, value: ArrayLike, *, title: str, description: str) -> Chart:
    """Draw share of value against share of customers, the poorest first, beside equality."""
    from crmcore.charts import line

    x, y = np.asarray(people, np.float64), np.asarray(value, np.float64)
    if len(x) > 201:
        keep = np.unique(np.linspace(0, len(x) - 1, 201).astype(np.int64))
        x, y = x[keep], y[keep]
    series = ["value"] * len(x) + ["if all were equal"] * 2
    return line(
        [*x.tolist(), 0.0, 1.0], [*y.tolist(), 0.0, 1.0], series=series, title=title, description=description,
        axis="share of value",
    )  # fmt: skip
