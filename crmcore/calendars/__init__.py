"""Business time: opening hours in a zone, deadlines, elapsed minutes, recurrence and times of contact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.calendars.calendar import BusinessCalendar, CalendarHistory
    from crmcore.calendars.clock_batch import ClockTable, clock_columns
    from crmcore.calendars.clock_cycles import Clock, ClockCycle, ClockState
    from crmcore.calendars.clock_escalations import DueEscalation, Escalation, escalation_schedule
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
    from crmcore.calendars.contact_times import CalendarCap, ContactDecision, ContactTimes, SlidingCap
    from crmcore.calendars.errors import BadWindows, NoClosing, NoOpening
    from crmcore.calendars.explanation import DeadlineExplanation
    from crmcore.calendars.public_holidays import holidays_of
    from crmcore.calendars.recurrence import Recurrence, due_between
    from crmcore.calendars.recurrence_rules import EveryNDays, LeapDay, MonthEnd, Monthly, NthWeekday, Weekly, Yearly
    from crmcore.calendars.zones import local

__all__ = [
    "Actor",
    "BadWindows",
    "BusinessCalendar",
    "CalendarCap",
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
    "ContactDecision",
    "ContactTimes",
    "DeadlineExplanation",
    "DueEscalation",
    "Escalation",
    "EventKind",
    "EveryNDays",
    "LeapDay",
    "LiveClocks",
    "Meaning",
    "MonthEnd",
    "Monthly",
    "NoClosing",
    "NoOpening",
    "NthWeekday",
    "OnReopen",
    "OnResolution",
    "Recurrence",
    "SlidingCap",
    "Standing",
    "Targets",
    "Visibility",
    "Weekly",
    "Yearly",
    "clock_columns",
    "clocks",
    "due_between",
    "escalation_schedule",
    "evolve",
    "holidays_of",
    "local",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Actor": ".clock_events",
        "BadWindows": ".errors",
        "BusinessCalendar": ".calendar",
        "CalendarCap": ".contact_times",
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
        "ContactDecision": ".contact_times",
        "ContactTimes": ".contact_times",
        "DeadlineExplanation": ".explanation",
        "DueEscalation": ".clock_escalations",
        "Escalation": ".clock_escalations",
        "EventKind": ".clock_events",
        "EveryNDays": ".recurrence_rules",
        "LeapDay": ".recurrence_rules",
        "LiveClocks": ".clock_live",
        "Meaning": ".clock_events",
        "MonthEnd": ".recurrence_rules",
        "Monthly": ".recurrence_rules",
        "NoClosing": ".errors",
        "NoOpening": ".errors",
        "NthWeekday": ".recurrence_rules",
        "OnReopen": ".clock_policy",
        "OnResolution": ".clock_policy",
        "Recurrence": ".recurrence",
        "SlidingCap": ".contact_times",
        "Standing": ".clock_policy",
        "Targets": ".clock_policy",
        "Visibility": ".clock_events",
        "Weekly": ".recurrence_rules",
        "Yearly": ".recurrence_rules",
        "clock_columns": ".clock_batch",
        "clocks": ".clock_reading",
        "due_between": ".recurrence",
        "escalation_schedule": ".clock_escalations",
        "evolve": ".clock_live",
        "holidays_of": ".public_holidays",
        "local": ".zones",
    },
)
