"""A case followed event by event: the incremental form of `read_clocks`."""

from __future__ import annotations

from datetime import datetime

import attrs

from crmcore.calendars.clocks.events import CLASH, ClockEvent, ClockHistory, event_order
from crmcore.calendars.clocks.policy import ClockPolicy
from crmcore.calendars.clocks.reading import CaseClocks, read_clocks, read_moments
from crmcore.calendars.clocks.timeline import Moment, last_place, step
from crmcore.errors import DuplicateIds

__all__ = ["LiveClocks", "evolve"]


@attrs.frozen(repr=False)
class LiveClocks:
    """A case that is followed event by event; `evolve` makes the next one and leaves this one as it is.

    A newest event costs one step; one that arrives late is put in its place and what follows it is taken again.
    Whatever the order of arrival, what `read` says is what `read_clocks` says of the whole history.

    Examples
    --------
    >>> from datetime import UTC
    >>> from crmcore.calendars import BusinessCalendar
    >>> from crmcore.calendars.clocks import Targets
    >>> policy = ClockPolicy(BusinessCalendar.always("UTC"), Targets(first_response_minutes=60))
    >>> live = LiveClocks.begin(policy, case="7")
    >>> live = evolve(live, ClockEvent(datetime(2026, 6, 1, 9, tzinfo=UTC), "created", id="e1"))
    >>> live, live.read(now=datetime(2026, 6, 1, 10, 30, tzinfo=UTC))["first response"].state.value
    (LiveClocks('7', 1 event), 'breached')
    """

    policy: ClockPolicy
    case: str = ""
    events: tuple[ClockEvent, ...] = ()
    moments: tuple[Moment, ...] = ()

    def __repr__(self) -> str:
        return f"LiveClocks({self.case!r}, {len(self.events)} event{'' if len(self.events) == 1 else 's'})"

    @classmethod
    def begin(cls, policy: ClockPolicy, *, case: str = "") -> LiveClocks:
        """A case of which nothing is known yet."""
        return cls(policy, case)

    @property
    def history(self) -> ClockHistory:
        """All events so far."""
        return ClockHistory.of(self.events, case=self.case)

    def evolve(self, event: ClockEvent) -> LiveClocks:
        """Next state after an event that has just arrived; see `evolve`."""
        return evolve(self, event)

    def read(self, *, now: datetime, policy: ClockPolicy | None = None) -> CaseClocks:
        """Clocks at `now`; another policy takes the whole history again."""
        if policy is not None and policy != self.policy:
            return read_clocks(self.history, policy, now=now)
        return read_moments(self.history, self.moments, self.policy, now)


def evolve(state: LiveClocks, event: ClockEvent) -> LiveClocks:
    """Next state of a case after an event has arrived, early or late; an event that is known changes nothing.

    Raises
    ------
    DuplicateIds
        The id of a known event on another content.
    """
    if event.id is not None:
        for i, known in enumerate(state.events):
            if known.id == event.id:
                if known != event:
                    raise DuplicateIds("the history", 1, (i,), CLASH)
                return state
    place = last_place(state.events, event)
    if place and event_order(state.events[place - 1]) == event_order(event):
        return state
    events = (*state.events[:place], event, *state.events[place:])
    kept = list(state.moments[:place])
    for following in events[place:]:
        kept.append(step(kept[-1] if kept else None, following, state.policy))
    return LiveClocks(state.policy, state.case, events, tuple(kept))
