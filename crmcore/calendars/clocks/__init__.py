"""Service-level clocks of cases: what was promised, what happened, how each clock stands, and whom a breach calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.calendars.clocks.columns import ClockTable, clock_columns
    from crmcore.calendars.clocks.escalations import Escalation, escalation_schedule, escalations_between
    from crmcore.calendars.clocks.event_table import ClockEventTable
    from crmcore.calendars.clocks.events import ClockEvent, ClockHistory, Meaning
    from crmcore.calendars.clocks.live import LiveClocks, evolve
    from crmcore.calendars.clocks.policy import ClockName, ClockPolicy, ClockTerms, Targets
    from crmcore.calendars.clocks.reading import CaseClocks, read_clocks

__all__ = [
    "CaseClocks",
    "ClockEvent",
    "ClockEventTable",
    "ClockHistory",
    "ClockName",
    "ClockPolicy",
    "ClockTable",
    "ClockTerms",
    "Escalation",
    "LiveClocks",
    "Meaning",
    "Targets",
    "clock_columns",
    "escalation_schedule",
    "escalations_between",
    "evolve",
    "read_clocks",
]

__getattr__ = lazy_names(
    __name__,
    {
        "CaseClocks": ".reading",
        "ClockEvent": ".events",
        "ClockEventTable": ".event_table",
        "ClockHistory": ".events",
        "ClockName": ".policy",
        "ClockPolicy": ".policy",
        "ClockTable": ".columns",
        "ClockTerms": ".policy",
        "Escalation": ".escalations",
        "LiveClocks": ".live",
        "Meaning": ".events",
        "Targets": ".policy",
        "clock_columns": ".columns",
        "escalation_schedule": ".escalations",
        "escalations_between": ".escalations",
        "evolve": ".live",
        "read_clocks": ".reading",
    },
)
