"""One visitor, one event at a time: the meaning of a session rule, which columns and streams share."""

from __future__ import annotations

import enum

import attrs

__all__ = ["Cause", "Limits", "Walk"]


class Cause(enum.IntFlag):
    """Why a session began where it did; several may hold at once."""

    FIRST = 1  # nothing of this visitor came before
    TIMEOUT = 2  # silence since the last event
    SINGLE_EVENT_TIMEOUT = 4  # silence after a session of one event, for which a shorter one suffices
    MIDNIGHT = 8  # another day on the wall clock
    MAXIMUM_LENGTH = 16  # the session had lasted as long as one may
    CAMPAIGN = 32  # another campaign led here
    REFERRER = 64  # another site led here
    GIVEN_ID = 128  # the tracker said so

    @property
    def words(self) -> tuple[str, ...]:
        """Words for eyes, in a fixed order.

        Examples
        --------
        >>> (Cause.TIMEOUT | Cause.MIDNIGHT).words
        ('timeout', 'midnight')
        """
        return tuple(str(c.name).lower().replace("_", " ") for c in Cause if c in self)


@attrs.frozen(kw_only=True)
class Limits:
    """What cuts, in whole microseconds: a gap of at least so much, an age above so much; None cuts nothing."""

    gap_us: int | None = None
    single_gap_us: int | None = None
    length_us: int | None = None
    campaign: bool = False
    referrer: bool = False


@attrs.define
class Walk:
    """Where one visitor stands: the open session, or what closed it."""

    limits: Limits
    begun: bool = False  # whether anything of the visitor was seen
    open: bool = False
    closed_by: int = 0
    start_us: int = 0
    last_us: int = 0  # of what prolongs: counted or not
    day: int = 0
    events: int = 0
    campaign: object = None  # last one known in the open session
    referrer: object = None

    def breaks(self, at_us: int, *, day: int, counted: bool, campaign: object, referrer: object) -> int:
        """Causes for which an event cannot belong to what is open; 0 where it can."""
        if not self.begun:
            return Cause.FIRST.value
        limits, found = self.limits, 0
        gap = at_us - self.last_us
        if limits.gap_us is not None and gap >= limits.gap_us:
            found |= 2
        if day != self.day:
            found |= 8
        if self.open:
            if limits.single_gap_us is not None and self.events == 1 and gap >= limits.single_gap_us and not found & 2:
                found |= 4
            if limits.length_us is not None and at_us - self.start_us > limits.length_us:
                found |= 16
            if counted and limits.campaign and campaign is not None and campaign != self.campaign:
                found |= 32
            if counted and limits.referrer and referrer is not None and referrer != self.referrer:
                found |= 64
        return found

    def take(self, at_us: int, *, day: int, counted: bool, campaign: object, referrer: object) -> tuple[bool, int]:
        """Fold one event: whether it opens a session, and for which causes; `open` tells whether it is in one."""
        found = self.breaks(at_us, day=day, counted=counted, campaign=campaign, referrer=referrer)
        if found:
            self.open, self.closed_by = False, found
        opens = counted and not self.open
        if opens:
            self.open, self.start_us, self.events = True, at_us, 0
            self.campaign = self.referrer = None
        if counted:
            self.events += 1
            self.campaign = self.campaign if campaign is None else campaign
            self.referrer = self.referrer if referrer is None else referrer
        self.begun, self.last_us, self.day = True, at_us, day
        return opens, self.closed_by
