"""What a stream of sessions tells: sessions as they stand, and what each event changed."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs

from crmcore._base import mask

__all__ = ["ChangeKind", "SessionChange", "SessionRecord", "apply_changes"]


class ChangeKind(enum.StrEnum):
    """What an event did to a session, or why it did nothing."""

    OPENED = "opened"
    EXTENDED = "extended"  # or its counts grew
    MERGED = "merged"  # a late event joined sessions
    SPLIT = "split"  # a late event parted a session
    CLOSED = "closed"  # final: no event that is still allowed can change it
    OUTSIDE = "outside"  # keeps alive where nothing is open: in no session
    TOO_LATE = "too late"  # older than the watermark: in no session
    FUTURE = "future"  # after `now`: in no session
    REPEATED = "repeated"  # equals an event that came before, and duplicates are dropped


@attrs.frozen(kw_only=True)
class SessionRecord:
    """One session as it stands.

    Attributes
    ----------
    session : number
        Of the session in its stream; it stays while the session grows.
    visitor : text
        Masked in every repr.
    start, end : datetime
        First and last event that counts, aware, in the zone of the rule.
    events, views, key_events : counts
        That count under the rule.
    engaged : truth, optional
        None where the rule knows no engaged sessions.
    bounce : truth
        Whether it is a bounce so far.
    """

    session: int
    visitor: str = attrs.field(repr=mask)
    start: datetime
    end: datetime
    events: int
    views: int
    key_events: int
    engaged: bool | None
    bounce: bool

    @property
    def duration_s(self) -> float:
        """Seconds from the first to the last event that counts."""
        return (self.end - self.start).total_seconds()


@attrs.frozen(kw_only=True)
class SessionChange:
    """What one event changed.

    Attributes
    ----------
    kind : ChangeKind
        What happened.
    session : SessionRecord, optional
        The session as it stands now; None where the event is in none.
    was : numbers
        After a merge or a split, the sessions whose events this one took.
    gone : numbers
        Sessions that no longer exist; their events are in this one.
    """

    kind: ChangeKind
    session: SessionRecord | None = None
    was: tuple[int, ...] = ()
    gone: tuple[int, ...] = ()


def apply_changes(board: Mapping[int, SessionRecord], changes: Iterable[SessionChange]) -> dict[int, SessionRecord]:
    """Sessions by number after changes; `board` itself stays as it is.

    Examples
    --------
    >>> from datetime import UTC
    >>> from crmcore.touchpoints.sessions import SessionStream
    >>> stream = SessionStream("plain")
    >>> board = apply_changes({}, stream.observe("v1", datetime(2026, 3, 1, 9, tzinfo=UTC), kind="view"))
    >>> board[0].events
    1
    """
    out = dict(board)
    for change in changes:
        for session in change.gone:
            out.pop(session, None)
        if change.session is not None:
            out[change.session.session] = change.session
    return out
