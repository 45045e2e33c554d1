"""Errors of business time: windows that contradict each other, and openings that never come."""

from __future__ import annotations

import attrs

from crmcore.errors import CrmError

__all__ = ["BadWindows", "NoClosing", "NoOccurrence", "NoOpening"]


@attrs.define(eq=False)
class BadWindows(CrmError, ValueError):
    """Opening windows contradict themselves; all of them are named at once."""

    where: str
    problems: tuple[str, ...]
    hint: str = (
        'write windows as ("09:00", "17:00"); midnight at the end is "24:00"; ("22:00", "06:00") runs over midnight'
    )

    def __str__(self) -> str:
        told = "; ".join(self.problems[:20])  # on one line, so that a refused JSON document repeats all of it
        return f"{self.where} cannot be: {told}.\n  hint: {self.hint}"


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


@attrs.define(eq=False)
class NoOccurrence(CrmError, ValueError):
    """A rule of recurring dates yields nothing after an instant."""

    rule: str
    after: str

    def __str__(self) -> str:
        return f"{self.rule} has no occurrence after {self.after}.\n  hint: give the rule at least one weekday"
