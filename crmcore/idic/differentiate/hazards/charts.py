"""Charts of hazard models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore.charts import Chart, dot_interval
from crmcore.errors import EmptyInput
from crmcore.idic.differentiate.propensity.charts import curves_chart

if TYPE_CHECKING:
    from crmcore.idic.differentiate.hazards.cox import CoxModel
    from crmcore.idic.differentiate.hazards.curves import Curves

__all__ = ["curves_of", "ratios_chart"]


def ratios_chart(model: CoxModel, /, *, top: int, level: float) -> Chart:
    """Hazard ratios, the clearest (furthest from 1 in errors) first."""
    ratios = model.hazard_ratios(level=level)
    effects = model.effects(level=level)
    if not ratios:
        raise EmptyInput("the features of the model", "no column differs between rows: there is nothing to draw")
    order = sorted(ratios, key=lambda n: (-abs(effects[n].value) / max(effects[n].width, 1e-12), n))[:top]
    return dot_interval(
        order, [ratios[n] for n in order], title="Hazard ratios", axis="times the hazard", reference=1.0,
        description="Right of 1 leaves sooner: a unit more of a number, or a level against the most frequent one.",
    )  # fmt: skip


def curves_of(curves: Curves, rows: tuple[int, ...], /) -> Chart:
    """Survival curves of rows with their bands."""
    drawn = []
    for i in rows:
        drawn.append({"time": 0.0, "share": 1.0, "low": 1.0, "high": 1.0, "customer": f"row {i}"})
        for t, s, low, high in zip(curves.times, curves.survival[i], curves.low[i], curves.high[i], strict=True):
            if s == s and t > 0:
                point = {"time": float(t), "share": float(s), "low": float(low), "high": float(high)}
                drawn.append({**point, "customer": f"row {i}"})
    return curves_chart(
        tuple(drawn), x="time", y="share", title="Still there", x_title="time since the start", y_title="share",
        base=[], percent=True, band=True, series="customer", x_percent=False,
        description="Share of customers like each row who are still there, with its interval.",
    )  # fmt: skip
