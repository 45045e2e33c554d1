"""Errors of business time: windows that contradict each other, and openings that never come."""

from __future__ import annotations

import attrs

from crmcore.errors import CrmError

__all__ = ["BadWindows", "NoClosing", "NoOpening"]


@attrs.define(eq=False)
class BadWindows(CrmError, ValueError):
    """Opening windows contradict themselves; all of them are named at once."""

    where: str
    problems: tuple[str, ...]
    hint: str = (
        'write windows as ("09:00", "17:00"); midnight at the end is "24:00"; ("22:00", "06:00") runs over midnight'
    )

    def __str__(self) -> str:
        lines = "\n  ".join(self.problems[:20])
        return f"{self.where} has windows that cannot be:\n  {lines}\n  hint: {self.hint}"


@attrs.define(eq=False)
class NoOpening(CrmError, ValueError):
    """The calendar does not open (long enough) after an instant."""

    calendar: str
    after: str
    wanted_minutes: float
    found_minutes: float

    def __str__(self) -> str:
        asked = f"{self.wanted_minutes:g} open minutes" if self.wanted_minutes else "an opening"
        return (
            f"{self.calendar} has {self.found_minutes:g} open minutes after {self.after}: expected {asked}.\n"
            "  hint: give it a weekly schedule or later special days, or ask for fewer minutes"
        )


@attrs.define(eq=False)
class NoClosing(CrmError, ValueError):
    """The calendar never closes after an instant."""

    calendar: str
    after: str

    def __str__(self) -> str:
        return (
            f"{self.calendar} never closes after {self.after}.\n  hint: ask is_open(at) first, or give it closing hours"
        )
