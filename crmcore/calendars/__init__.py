"""Business time: opening hours in a zone, deadlines, elapsed minutes, recurrence and times of contact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.calendars.business_time import BusinessTime
    from crmcore.calendars.calendar import BusinessCalendar, CalendarChange, CalendarHistory
    from crmcore.calendars.errors import BadWindows, NoClosing, NoOpening
    from crmcore.calendars.zones import local

__all__ = [
    "BadWindows",
    "BusinessCalendar",
    "BusinessTime",
    "CalendarChange",
    "CalendarHistory",
    "NoClosing",
    "NoOpening",
    "local",
]

__getattr__ = lazy_names(
    __name__,
    {
        "BadWindows": ".errors",
        "BusinessCalendar": ".calendar",
        "BusinessTime": ".business_time",
        "CalendarChange": ".calendar",
        "CalendarHistory": ".calendar",
        "NoClosing": ".errors",
        "NoOpening": ".errors",
        "local": ".zones",
    },
)
