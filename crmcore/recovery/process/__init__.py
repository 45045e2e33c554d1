"""Process recovery: find why cases fail, see when a process changes, and keep the records that stop it coming back.

`causes` searches attributes, pairs and dated changes; `control` draws control charts and sums; `registers` holds
failure modes, whys, fault trees, actions and checks. The names below are those that are used most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.recovery.process import causes, control, registers
    from crmcore.recovery.process.causes.finding_causes import find_causes
    from crmcore.recovery.process.causes.findings import Causes, Change, Cleared, Finding
    from crmcore.recovery.process.causes.pareto_table import Pareto, pareto
    from crmcore.recovery.process.causes.strata import mantel_haenszel
    from crmcore.recovery.process.control.control_charts import ControlChart, c_chart, p_chart, u_chart, xmr
    from crmcore.recovery.process.control.cusum_chart import Cusum, cusum
    from crmcore.recovery.process.control.steps import step_change
    from crmcore.recovery.process.registers.capa import Capa, effectiveness
    from crmcore.recovery.process.registers.fault_trees import FaultTree
    from crmcore.recovery.process.registers.fmea import Fmea
    from crmcore.recovery.process.registers.prevention import PreventionPlan
    from crmcore.recovery.process.registers.whys import Fishbone, WhyTree

__all__ = [
    "Capa",
    "Causes",
    "Change",
    "Cleared",
    "ControlChart",
    "Cusum",
    "FaultTree",
    "Finding",
    "Fishbone",
    "Fmea",
    "Pareto",
    "PreventionPlan",
    "WhyTree",
    "c_chart",
    "causes",
    "control",
    "cusum",
    "effectiveness",
    "find_causes",
    "mantel_haenszel",
    "p_chart",
    "pareto",
    "registers",
    "step_change",
    "u_chart",
    "xmr",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Capa": ".registers.capa",
        "Causes": ".causes.findings",
        "Change": ".causes.findings",
        "Cleared": ".causes.findings",
        "ControlChart": ".control.control_charts",
        "Cusum": ".control.cusum_chart",
        "FaultTree": ".registers.fault_trees",
        "Finding": ".causes.findings",
        "Fishbone": ".registers.whys",
        "Fmea": ".registers.fmea",
        "Pareto": ".causes.pareto_table",
        "PreventionPlan": ".registers.prevention",
        "WhyTree": ".registers.whys",
        "c_chart": ".control.control_charts",
        "causes": ".causes",
        "control": ".control",
        "cusum": ".control.cusum_chart",
        "effectiveness": ".registers.capa",
        "find_causes": ".causes.finding_causes",
        "mantel_haenszel": ".causes.strata",
        "p_chart": ".control.control_charts",
        "pareto": ".causes.pareto_table",
        "registers": ".registers",
        "step_change": ".control.steps",
        "u_chart": ".control.control_charts",
        "xmr": ".control.control_charts",
    },
)
