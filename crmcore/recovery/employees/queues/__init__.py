"""Waiting lines of a desk: agents needed, day plans, backlogs, waits to show, contacts that were missed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.recovery.employees.queues.calls import CallLog, DayProfile
    from crmcore.recovery.employees.queues.erlang import erlang_b
    from crmcore.recovery.employees.queues.errors import UnstableQueue
    from crmcore.recovery.employees.queues.lines import HandOver, LinkedOrders, Waiting, WaitingLine, linked_orders
    from crmcore.recovery.employees.queues.measuring import QueueMeasures, erlang_a, erlang_c
    from crmcore.recovery.employees.queues.missing import ContactState, MissedContacts, missed_contacts
    from crmcore.recovery.employees.queues.needing import QueueTargets, StaffNeeded, agents_needed
    from crmcore.recovery.employees.queues.planning import DayPlan, check_plan, plan_day
    from crmcore.recovery.employees.queues.simulating import BacklogRuns, simulate_backlog
    from crmcore.recovery.employees.queues.waits import ExpectedWait, expected_wait

__all__ = [
    "BacklogRuns",
    "CallLog",
    "ContactState",
    "DayPlan",
    "DayProfile",
    "ExpectedWait",
    "HandOver",
    "LinkedOrders",
    "MissedContacts",
    "QueueMeasures",
    "QueueTargets",
    "StaffNeeded",
    "UnstableQueue",
    "Waiting",
    "WaitingLine",
    "agents_needed",
    "check_plan",
    "erlang_a",
    "erlang_b",
    "erlang_c",
    "expected_wait",
    "linked_orders",
    "missed_contacts",
    "plan_day",
    "simulate_backlog",
]

__getattr__ = lazy_names(
    __name__,
    {
        "BacklogRuns": ".simulating",
        "CallLog": ".calls",
        "ContactState": ".missing",
        "DayPlan": ".planning",
        "DayProfile": ".calls",
        "ExpectedWait": ".waits",
        "HandOver": ".lines",
        "LinkedOrders": ".lines",
        "MissedContacts": ".missing",
        "QueueMeasures": ".measuring",
        "QueueTargets": ".needing",
        "StaffNeeded": ".needing",
        "UnstableQueue": ".errors",
        "Waiting": ".lines",
        "WaitingLine": ".lines",
        "agents_needed": ".needing",
        "check_plan": ".planning",
        "erlang_a": ".measuring",
        "erlang_b": ".erlang",
        "erlang_c": ".measuring",
        "expected_wait": ".waits",
        "linked_orders": ".lines",
        "missed_contacts": ".missing",
        "plan_day": ".planning",
        "simulate_backlog": ".simulating",
    },
)
