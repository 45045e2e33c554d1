"""Records that keep failures from coming back: failure modes, whys, fault trees, actions, and checks before a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.recovery.process.registers.capa import (
        Capa,
        CapaKind,
        Effect,
        Effectiveness,
        capa_workflow,
        effectiveness,
    )
    from crmcore.recovery.process.registers.fault_trees import BasicEvent, FaultTree, Gate, GateKind, Importance
    from crmcore.recovery.process.registers.fmea import FailureMode, Fmea, Rating
    from crmcore.recovery.process.registers.prevention import (
        Alarm,
        OnFailure,
        PreventionCheck,
        PreventionPlan,
        PreventionReport,
    )
    from crmcore.recovery.process.registers.priorities import PriorityRow, PriorityTable
    from crmcore.recovery.process.registers.whys import SERVICE_BONES, Fishbone, Why, WhyTree

_WHERE = {
    "Alarm": ".prevention",
    "BasicEvent": ".fault_trees",
    "Capa": ".capa",
    "CapaKind": ".capa",
    "Effect": ".capa",
    "Effectiveness": ".capa",
    "FailureMode": ".fmea",
    "FaultTree": ".fault_trees",
    "Fishbone": ".whys",
    "Fmea": ".fmea",
    "Gate": ".fault_trees",
    "GateKind": ".fault_trees",
    "Importance": ".fault_trees",
    "OnFailure": ".prevention",
    "PreventionCheck": ".prevention",
    "PreventionPlan": ".prevention",
    "PreventionReport": ".prevention",
    "PriorityRow": ".priorities",
    "PriorityTable": ".priorities",
    "Rating": ".fmea",
    "SERVICE_BONES": ".whys",
    "Why": ".whys",
    "WhyTree": ".whys",
    "capa_workflow": ".capa",
    "effectiveness": ".capa",
}

__all__ = [
    "SERVICE_BONES",
    "Alarm",
    "BasicEvent",
    "Capa",
    "CapaKind",
    "Effect",
    "Effectiveness",
    "FailureMode",
    "FaultTree",
    "Fishbone",
    "Fmea",
    "Gate",
    "GateKind",
    "Importance",
    "OnFailure",
    "PreventionCheck",
    "PreventionPlan",
    "PreventionReport",
    "PriorityRow",
    "PriorityTable",
    "Rating",
    "Why",
    "WhyTree",
    "capa_workflow",
    "effectiveness",
]

__getattr__ = lazy_names(__name__, _WHERE)
