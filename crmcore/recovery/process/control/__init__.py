"""Control charts: whether a process changed, by limits, named rules and cumulative sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.recovery.process.control.control_charts import ControlChart, Signal, c_chart, p_chart, u_chart, xmr
    from crmcore.recovery.process.control.cusum_chart import Cusum, Drift, cusum
    from crmcore.recovery.process.control.run_lengths import cusum_run_length, cusum_threshold, shewhart_run_length
    from crmcore.recovery.process.control.runs import NELSON, NELSON_FOR_COUNTS, WESTERN_ELECTRIC, RunRule
    from crmcore.recovery.process.control.steps import StepChange, step_change

__all__ = [
    "NELSON",
    "NELSON_FOR_COUNTS",
    "WESTERN_ELECTRIC",
    "ControlChart",
    "Cusum",
    "Drift",
    "RunRule",
    "Signal",
    "StepChange",
    "c_chart",
    "cusum",
    "cusum_run_length",
    "cusum_threshold",
    "p_chart",
    "shewhart_run_length",
    "step_change",
    "u_chart",
    "xmr",
]

__getattr__ = lazy_names(
    __name__,
    {
        "NELSON": ".runs",
        "NELSON_FOR_COUNTS": ".runs",
        "WESTERN_ELECTRIC": ".runs",
        "ControlChart": ".control_charts",
        "Cusum": ".cusum_chart",
        "Drift": ".cusum_chart",
        "RunRule": ".runs",
        "Signal": ".control_charts",
        "StepChange": ".steps",
        "c_chart": ".control_charts",
        "cusum": ".cusum_chart",
        "cusum_run_length": ".run_lengths",
        "cusum_threshold": ".run_lengths",
        "p_chart": ".control_charts",
        "shewhart_run_length": ".run_lengths",
        "step_change": ".steps",
        "u_chart": ".control_charts",
        "xmr": ".control_charts",
    },
)
