"""Business time: opening hours, deadlines, elapsed minutes, recurrence, times of contact; service-level `clocks`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.calendars import clocks
    from crmcore.calendars.calendar import BusinessCalendar, CalendarHistory
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
    "ContactDecision",
    "ContactTimes",
    "DeadlineExplanation",
    "EveryNDays",
    "LeapDay",
    "MonthEnd",
    "Monthly",
    "NoClosing",
    "NoOccurrence",
    "NoOpening",
    "NthWeekday",
    "Recurrence",
    "SlidingCap",
    "Weekly",
    "Yearly",
    "clocks",
    "due_between",
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
        "ContactDecision": ".contact_times",
        "ContactTimes": ".contact_times",
        "DeadlineExplanation": ".explanation",
        "EveryNDays": ".recurrence_rules",
        "LeapDay": ".recurrence_rules",
        "MonthEnd": ".recurrence_rules",
        "Monthly": ".recurrence_rules",
        "NoClosing": ".errors",
        "NoOccurrence": ".errors",
        "NoOpening": ".errors",
        "NthWeekday": ".recurrence_rules",
        "Recurrence": ".recurrence",
        "SlidingCap": ".contact_times",
        "Weekly": ".recurrence_rules",
        "Yearly": ".recurrence_rules",
        "clocks": ".clocks",
        "due_between": ".recurrence",
        "holidays_of": ".public_holidays",
        "local": "..zones",
    },
)
