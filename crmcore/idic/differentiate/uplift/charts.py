"""Charts of uplift."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore.charts import Chart, dot_interval
from crmcore.errors import UnknownName
from crmcore.idic.differentiate.propensity.charts import curves_chart

if TYPE_CHECKING:
    from crmcore.idic.differentiate.uplift.measuring import UpliftReport

__all__ = ["uplift_chart"]

DRAWN = ("qini", "bins")


def uplift_chart(report: UpliftReport, which: str, /) -> Chart:
    """The Qini curve with its interval, or observed uplift by score."""
    if which not in DRAWN:
        raise UnknownName("chart", which, DRAWN)
    if which == "bins":
        known = [(i, b) for i, b in enumerate(report.bins) if b.observed.value == b.observed.value]
        return dot_interval(
            [f"{i + 1}: predicted {b.predicted:+.3g}" for i, b in known], [b.observed for _, b in known],
            title="Observed uplift by score", reference=report.total.value, axis="treated less rest",
            description="The highest scores first; the dashed line is the uplift of all.",
        )  # fmt: skip
    columns = zip(report.shares, report.gain, report.low, report.high, strict=True)
    rows = tuple({"treated": float(a), "gain": float(b), "low": float(c), "high": float(d)} for a, b, c, d in columns)
    line = [{"x": 0.0, "y": 0.0}, {"x": 1.0, "y": float(report.gain[-1])}]
    return curves_chart(
        rows, x="treated", y="gain", title="Qini curve", x_title="customers treated, most movable first",
        y_title="gain a customer", base=line, band=True,
        description="The dashed line is a random order; the band is a pointwise bootstrap interval.",
    )  # fmt: skip
