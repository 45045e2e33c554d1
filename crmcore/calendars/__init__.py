"""Business time: opening hours in a zone, deadlines, elapsed minutes, recurrence and times of contact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.calendars.calendar import BusinessCalendar, CalendarHistory
    from crmcore.calendars.contact_times import CalendarCap, ContactDecision, ContactTimes, SlidingCap
    from crmcore.calendars.errors import BadWindows, NoClosing, NoOpening
    from crmcore.calendars.explanation import DeadlineExplanation
    from crmcore.calendars.public_holidays import holidays_of
    from crmcore.calendars.recurrence import (
        EveryNDays,
        LeapDay,
        MonthEnd,
        Monthly,
        NthWeekday,
        Recurrence,
        Weekly,
        Yearly,
        due_between,
    )
    from crmcore.calendars.zones import local

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
    "NoOpening",
    "NthWeekday",
    "Recurrence",
    "SlidingCap",
    "Weekly",
    "Yearly",
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
        "EveryNDays": ".recurrence",
        "LeapDay": ".recurrence",
        "MonthEnd": ".recurrence",
        "Monthly": ".recurrence",
        "NoClosing": ".errors",
        "NoOpening": ".errors",
        "NthWeekday": ".recurrence",
        "Recurrence": ".recurrence",
        "SlidingCap": ".contact_times",
        "Weekly": ".recurrence",
        "Yearly": ".recurrence",
        "due_between": ".recurrence",
        "holidays_of": ".public_holidays",
        "local": ".zones",
    },
)
