"""The employee side of recovery: who is able, allowed, free and rested; whom work goes to. See also `queues`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.recovery.employees import queues
    from crmcore.recovery.employees.covering import Coverage, CoverNeed, coverage
    from crmcore.recovery.employees.desk import Desk, DeskLoad
    from crmcore.recovery.employees.limits import AloneLimit, Authority, Empowerment, Span
    from crmcore.recovery.employees.people import Absence, Agent
    from crmcore.recovery.employees.readying import Readiness, ReadinessNeed, check_readiness
    from crmcore.recovery.employees.routing import Assigned, Prefer, Routing, Unassigned, route, route_all
    from crmcore.recovery.employees.skills import Certificate, SkillMatrix, Task
    from crmcore.recovery.employees.supporting import SupportNeeds, SupportRule
    from crmcore.recovery.employees.work import ResponseTargets, Work

__all__ = [
    "Absence",
    "Agent",
    "AloneLimit",
    "Assigned",
    "Authority",
    "Certificate",
    "CoverNeed",
    "Coverage",
    "Desk",
    "DeskLoad",
    "Empowerment",
    "Prefer",
    "Readiness",
    "ReadinessNeed",
    "ResponseTargets",
    "Routing",
    "SkillMatrix",
    "Span",
    "SupportNeeds",
    "SupportRule",
    "Task",
    "Unassigned",
    "Work",
    "check_readiness",
    "coverage",
    "queues",
    "route",
    "route_all",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Absence": ".people",
        "Agent": ".people",
        "AloneLimit": ".limits",
        "Assigned": ".routing",
        "Authority": ".limits",
        "Certificate": ".skills",
        "CoverNeed": ".covering",
        "Coverage": ".covering",
        "Desk": ".desk",
        "DeskLoad": ".desk",
        "Empowerment": ".limits",
        "Prefer": ".routing",
        "Readiness": ".readying",
        "ReadinessNeed": ".readying",
        "ResponseTargets": ".work",
        "Routing": ".routing",
        "SkillMatrix": ".skills",
        "Span": ".limits",
        "SupportNeeds": ".supporting",
        "SupportRule": ".supporting",
        "Task": ".skills",
        "Unassigned": ".routing",
        "Work": ".work",
        "check_readiness": ".readying",
        "coverage": ".covering",
        "queues": ".queues",
        "route": ".routing",
        "route_all": ".routing",
    },
)
