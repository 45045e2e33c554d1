"""Charts of contract models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmcore.charts import Chart, line

if TYPE_CHECKING:
    from crmcore.idic.differentiate.contracts.retention import ContractModel

__all__ = ["survival_chart"]


def survival_chart(model: ContractModel, /, *, periods: int) -> Chart:
    """Share alive after each renewal."""
    t = np.arange(periods + 1)
    return line(
        t.tolist(), model.survival(t).tolist(), title="Contracts alive after each renewal", percent=True, axis="alive"
    )
