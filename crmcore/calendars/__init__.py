"""Business time: opening hours in a zone, deadlines, elapsed minutes, recurrence and times of contact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.calendars.business_time import BusinessTime
    from crmcore.calendars.calendar import BusinessCalendar, CalendarChange, CalendarHistory
    from crmcore.calendars.clock_batch import ClockTable, clock_columns
    from crmcore.calendars.clock_cycles import Clock, ClockCycle, ClockState
    from crmcore.calendars.clock_escalations import DueEscalation, Escalation, due_between, escalation_schedule
    from crmcore.calendars.clock_events import Actor, ClockEvent, ClockHistory, EventKind, Meaning, Visibility
    from crmcore.calendars.clock_explaining import ClockExplanation, ClockSpan
    from crmcore.calendars.clock_live import LiveClocks, evolve
    from crmcore.calendars.clock_policy import (
        ClockName,
        ClockPolicy,
        ClockTerms,
        OnReopen,
        OnResolution,
        Standing,
        Targets,
    )
    from crmcore.calendars.clock_reading import CaseClocks, clocks
    from crmcore.calendars.clock_tables import ClockEventTable
    from crmcore.calendars.errors import BadWindows, NoClosing, NoOpening
    from crmcore.calendars.zones import local

__all__ = [
    "Actor",
    "BadWindows",
    "BusinessCalendar",
    "BusinessTime",
    "CalendarChange",
    "CalendarHistory",
    "CaseClocks",
    "Clock",
    "ClockCycle",
    "ClockEvent",
    "ClockEventTable",
    "ClockExplanation",
    "ClockHistory",
    "ClockName",
    "ClockPolicy",
    "ClockSpan",
    "ClockState",
    "ClockTable",
    "ClockTerms",
    "DueEscalation",
    "Escalation",
    "EventKind",
    "LiveClocks",
    "Meaning",
    "NoClosing",
    "NoOpening",
    "OnReopen",
    "OnResolution",
    "Standing",
    "Targets",
    "Visibility",
    "clock_columns",
    "clocks",
    "due_between",
    "escalation_schedule",
    "evolve",
    "local",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Actor": ".clock_events",
        "BadWindows": ".errors",
        "BusinessCalendar": ".calendar",
        "BusinessTime": ".business_time",
        "CalendarChange": ".calendar",
        "CalendarHistory": ".calendar",
        "CaseClocks": ".clock_reading",
        "Clock": ".clock_cycles",
        "ClockCycle": ".clock_cycles",
        "ClockEvent": ".clock_events",
        "ClockEventTable": ".clock_tables",
        "ClockExplanation": ".clock_explaining",
        "ClockHistory": ".clock_events",
        "ClockName": ".clock_policy",
        "ClockPolicy": ".clock_policy",
        "ClockSpan": ".clock_explaining",
        "ClockState": ".clock_cycles",
        "ClockTable": ".clock_batch",
        "ClockTerms": ".clock_policy",
        "DueEscalation": ".clock_escalations",
        "Escalation": ".clock_escalations",
        "EventKind": ".clock_events",
        "LiveClocks": ".clock_live",
        "Meaning": ".clock_events",
        "NoClosing": ".errors",
        "NoOpening": ".errors",
        "OnReopen": ".clock_policy",
        "OnResolution": ".clock_policy",
        "Standing": ".clock_policy",
        "Targets": ".clock_policy",
        "Visibility": ".clock_events",
        "clock_columns": ".clock_batch",
        "clocks": ".clock_reading",
        "due_between": ".clock_escalations",
        "escalation_schedule": ".clock_escalations",
        "evolve": ".clock_live",
        "local": ".zones",
    },
)
