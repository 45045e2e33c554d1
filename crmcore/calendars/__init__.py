"""Business time: opening hours, deadlines, elapsed minutes, recurrence, times of contact, and service-level clocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.calendars.calendar import BusinessCalendar, CalendarHistory
    from crmcore.calendars.clock_batch import ClockTable, clock_columns
    from crmcore.calendars.clock_escalations import Escalation, escalation_schedule, escalations_between
    from crmcore.calendars.clock_events import ClockEvent, ClockHistory, Meaning
    from crmcore.calendars.clock_live import LiveClocks, evolve
    from crmcore.calendars.clock_policy import ClockName, ClockPolicy, ClockTerms, Targets
    from crmcore.calendars.clock_reading import CaseClocks, clocks
    from crmcore.calendars.clock_tables import ClockEventTable
    from crmcore.calendars.contact_times import CalendarCap, ContactDecision, ContactTimes, SlidingCap
    from crmcore.calendars.errors import BadWindows, NoClosing, NoOccurrence, NoOpening
    from crmcore.calendars.explanation import DeadlineExplanation
    from crmcore.calendars.public_holidays import holidays_of
    from crmcore.calendars.recurrence import Recurrence, due_between
    from crmcore.calendars.recurrence_rules import EveryNDays, LeapDay, MonthEnd, Monthly, NthWeekday, Weekly, Yearly
    from crmcore.zones import local

__all__ = [
    "BadWindows",
    "BusinessCalendar",
    "CalendarCap",
    "CalendarHistory",
    "CaseClocks",
    "ClockEvent",
    "ClockEventTable",
    "ClockHistory",
    "ClockName",
    "ClockPolicy",
    "ClockTable",
    "ClockTerms",
    "ContactDecision",
    "ContactTimes",
    "DeadlineExplanation",
    "Escalation",
    "EveryNDays",
    "LeapDay",
    "LiveClocks",
    "Meaning",
    "MonthEnd",
    "Monthly",
    "NoClosing",
    "NoOccurrence",
    "NoOpening",
    "NthWeekday",
    "Recurrence",
    "SlidingCap",
    "Targets",
    "Weekly",
    "Yearly",
    "clock_columns",
    "clocks",
    "due_between",
    "escalation_schedule",
    "escalations_between",
    "evolve",
    "holidays_of",
    "local",
]

__getattr__ = lazy_names(
    __name__,
    {
        "BadWindows": ".errors",
        "BusinessCalendar": ".calendar",
        "CalendarCap": ".contact_times",
        "CalendarHistory": ".calendar",
        "CaseClocks": ".clock_reading",
        "ClockEvent": ".clock_events",
        "ClockEventTable": ".clock_tables",
        "ClockHistory": ".clock_events",
        "ClockName": ".clock_policy",
        "ClockPolicy": ".clock_policy",
        "ClockTable": ".clock_batch",
        "ClockTerms": ".clock_policy",
        "ContactDecision": ".contact_times",
        "ContactTimes": ".contact_times",
        "DeadlineExplanation": ".explanation",
        "Escalation": ".clock_escalations",
        "EveryNDays": ".recurrence_rules",
        "LeapDay": ".recurrence_rules",
        "LiveClocks": ".clock_live",
        "Meaning": ".clock_events",
        "MonthEnd": ".recurrence_rules",
        "Monthly": ".recurrence_rules",
        "NoClosing": ".errors",
        "NoOccurrence": ".errors",
        "NoOpening": ".errors",
        "NthWeekday": ".recurrence_rules",
        "Recurrence": ".recurrence",
        "SlidingCap": ".contact_times",
        "Targets": ".clock_policy",
        "Weekly": ".recurrence_rules",
        "Yearly": ".recurrence_rules",
        "clock_columns": ".clock_batch",
        "clocks": ".clock_reading",
        "due_between": ".recurrence",
        "escalation_schedule": ".clock_escalations",
        "escalations_between": ".clock_escalations",
        "evolve": ".clock_live",
        "holidays_of": ".public_holidays",
        "local": "..zones",
    },
)
