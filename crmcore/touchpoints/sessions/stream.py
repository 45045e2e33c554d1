"""Sessions of events that arrive one at a time, some of them late: the same sessions as from the whole table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from heapq import heapify, heappop, heappush
from typing import Any, Literal
from zoneinfo import ZoneInfo

import attrs

from crmcore._base import one_of
from crmcore.errors import BadDocument, OutOfRange, WrongType
from crmcore.metrics.scalars import above
from crmcore.touchpoints.sessions.kernel import gap_us
from crmcore.touchpoints.sessions.profiles import session_rule
from crmcore.touchpoints.sessions.rule import SessionRule
from crmcore.touchpoints.sessions.step import Limits
from crmcore.touchpoints.sessions.stream_parts import Change, Part, Seen, VisitorState
from crmcore.touchpoints.sessions.stream_records import ChangeKind, SessionChange, SessionRecord
from crmcore.zones import DAY, from_us, stretch_at, to_us, zone_of

__all__ = ["SessionStream"]

_NEVER = -(2**62)


class SessionStream:
    """Follow events one by one; each answers with what it changed.

    An event may arrive late by `lateness_s`: sessions are then extended, merged or split, and the stream says so. The
    watermark is the latest time seen less the lateness; older events are refused, visibly. After any arrivals the
    sessions equal those that `sessionize` cuts from a table of the same events in order of arrival.

    The stream keeps events within the lateness, and one open session for each visitor who was active within lateness
    and timeout; the rest is forgotten after it was handed out as closed.

    Parameters
    ----------
    rule : name or SessionRule
        Not one with given ids: those need no stream, group by the id.
    lateness_s : seconds
        How late an event may be; 0 expects time order.
    zone : IANA name, optional
        Zone of midnight, in place of the rule's.
    duplicates : "count" or "drop"
        What to do with an event that equals one within the lateness.

    Raises
    ------
    OutOfRange, UnknownName
        A rule with given ids, a negative lateness; names that nobody knows.

    Examples
    --------
    >>> from datetime import UTC
    >>> stream = SessionStream("plain", lateness_s=3600)
    >>> at = lambda minute: datetime(2026, 3, 1, 9, minute, tzinfo=UTC)
    >>> for minute in (0, 40, 20):
    ...     print([(str(c.kind), c.session.events, c.gone) for c in stream.observe("v1", at(minute), kind="view")])
    [('opened', 1, ())]
    [('opened', 1, ())]
    [('merged', 3, (1,))]
    """

    def __init__(
        self,
        rule: str | SessionRule = "ga4",
        *,
        lateness_s: float = 3600.0,
        zone: str | ZoneInfo | None = None,
        duplicates: Literal["count", "drop"] = "count",
    ) -> None:
        known = session_rule(rule)
        if known.given_id is not None:
            raise OutOfRange("rule", known.name, "a rule that cuts by time", "group events by their given id instead")
        one_of(("count", "drop"), what="answer to duplicates")(None, None, duplicates)
        lateness_s = above("lateness_s", lateness_s, least=0, allowed="seconds from 0", hint="0 expects time order")
        self.rule = known if zone is None else attrs.evolve(known, zone=zone_of(zone).key)
        self.lateness_s = lateness_s
        self.duplicates = duplicates
        self._limits = _limits(self.rule)
        self._gap_us = self._limits.gap_us or 0
        self._latest_us = _NEVER
        self._numbers = 0
        self._arrivals = 0
        self._counts: dict[str, int] = {}
        self._visitors: dict[str, VisitorState] = {}
        self._deadlines: list[tuple[int, str]] = []

    def __repr__(self) -> str:
        visitors, events = self.held
        return (
            f"SessionStream({self.rule.name}, {self._arrivals} events, holds {visitors} visitors and {events} events)"
        )

    @property
    def held(self) -> tuple[int, int]:
        """Visitors and events in memory."""
        return len(self._visitors), sum(len(v.recent) for v in self._visitors.values())

    @property
    def counts(self) -> dict[str, int]:
        """How often each kind of change happened."""
        return dict(sorted(self._counts.items()))

    @property
    def watermark(self) -> datetime | None:
        """Events before this instant are too late; None before the first event."""
        return None if self._latest_us == _NEVER else from_us(self._watermark_us, "UTC")

    @property
    def _watermark_us(self) -> int:
        return self._latest_us - round(self.lateness_s * 1e6)

    def observe(
        self,
        visitor: str,
        time: datetime,
        *,
        kind: str | None = None,
        campaign: str | None = None,
        referrer: str | None = None,
        now: datetime | None = None,
    ) -> tuple[SessionChange, ...]:
        """Take one event.

        Parameters
        ----------
        visitor : text
            Whose events follow each other.
        time : aware datetime
            When it happened, not when it arrived.
        kind, campaign, referrer : text, optional
            As in the columns that the rule names.
        now : aware datetime, optional
            An event after it is refused, so that one wrong clock cannot move the watermark into the future.

        Returns
        -------
        tuple of SessionChange
            Of this event first, then sessions that became final.

        Raises
        ------
        WrongType, NaiveDatetime
            A visitor that is no text; a time without zone.
        """
        if not isinstance(visitor, str) or not visitor:
            raise WrongType("visitor", f"a {type(visitor).__name__}", "text that is not empty", "name the visitor")
        at_us = to_us(time, "time")
        if now is not None and at_us > to_us(now, "now"):
            return (self._count(SessionChange(kind=ChangeKind.FUTURE)),)
        if at_us < self._watermark_us:
            return (self._count(SessionChange(kind=ChangeKind.TOO_LATE)),)
        event = self._seen(at_us, kind, campaign, referrer)
        state = self._visitors.get(visitor)
        if state is None:
            state = self._visitors[visitor] = VisitorState.begin(self._limits)
            heappush(self._deadlines, (at_us + self._gap_us, visitor))
        if self.duplicates == "drop" and any(event.same_as(other) for other in state.recent):
            return (self._count(SessionChange(kind=ChangeKind.REPEATED)),)
        self._arrivals += 1
        found = [self._told(c, visitor) for c in state.observe(event, self._number)]
        self._latest_us = max(self._latest_us, at_us)
        found += [self._told(c, visitor) for c in state.settle(self._watermark_us, self._gap_us)]
        found += self._expire()
        return tuple(self._count(c) for c in found)

    def advance(self, now: datetime) -> tuple[SessionChange, ...]:
        """Let time pass without an event: what became final is closed.

        Parameters
        ----------
        now : aware datetime
            The latest time seen, from now on; an earlier one changes nothing.
        """
        self._latest_us = max(self._latest_us, to_us(now, "now"))
        return tuple(self._count(c) for c in self._expire())

    def close(self) -> tuple[SessionChange, ...]:
        """End the stream: every session is closed, and no further event is in time."""
        found: list[SessionChange] = []
        for visitor, state in sorted(self._visitors.items()):
            last = state.last_us + self._gap_us
            self._latest_us = max(self._latest_us, last + round(self.lateness_s * 1e6))
            found += [self._told(c, visitor) for c in state.settle(last, self._gap_us)]
        self._visitors.clear()
        self._deadlines.clear()
        return tuple(self._count(c) for c in found)

    def sessions(self) -> tuple[SessionRecord, ...]:
        """Sessions that are not final yet, by number."""
        found = [self._record(p, v) for v, state in self._visitors.items() for p in state.parts.values()]
        return tuple(sorted(found, key=lambda r: r.session))

    def _seen(self, at_us: int, kind: str | None, campaign: str | None, referrer: str | None) -> Seen:
        rule = self.rule
        day = (at_us + stretch_at(rule.zone, at_us)[2]) // DAY if rule.midnight else 0
        ping = kind in rule.ping_kinds
        return Seen(
            at_us,
            self._arrivals,
            day=day,
            counted=kind not in rule.keep_alive,
            view=kind in rule.view_kinds,
            key=kind in rule.key_kinds,
            bucket=at_us // round(rule.heartbeat_s * 1e6) if ping else None,
            judging=rule.bounce is not None and kind in rule.bounce.judged_by,
            kind=kind,
            campaign=campaign or None,
            referrer=referrer or None,
        )

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers - 1

    def _expire(self) -> list[SessionChange]:
        """Let go of visitors whom no allowed event can find active."""
        found: list[SessionChange] = []
        while self._deadlines and self._deadlines[0][0] <= self._watermark_us:
            _, visitor = heappop(self._deadlines)
            state = self._visitors[visitor]
            found += [self._told(c, visitor) for c in state.settle(self._watermark_us, self._gap_us)]
            if state.last_us + self._gap_us <= self._watermark_us:
                del self._visitors[visitor]
            else:
                heappush(self._deadlines, (state.last_us + self._gap_us, visitor))
        return found

    def _count(self, change: SessionChange) -> SessionChange:
        self._counts[change.kind] = self._counts.get(change.kind, 0) + 1
        return change

    def _told(self, change: Change, visitor: str) -> SessionChange:
        record = None if change.part is None else self._record(change.part, visitor)
        return SessionChange(kind=ChangeKind(change.kind), session=record, was=change.was, gone=change.gone)

    def _record(self, part: Part, visitor: str) -> SessionRecord:
        engaged, bounce = judge(part, self.rule)
        return SessionRecord(
            session=part.session,
            visitor=visitor,
            start=from_us(part.start_us, self.rule.zone),
            end=from_us(part.end_us, self.rule.zone),
            events=part.events,
            views=part.views,
            key_events=part.keys,
            engaged=engaged,
            bounce=bounce,
        )

    def to_dict(self) -> dict[str, Any]:
        """State as plain JSON values; visitors are in it by name."""
        return {
            "rule": self.rule.to_dict(),
            "lateness_s": self.lateness_s,
            "duplicates": self.duplicates,
            "latest_us": self._latest_us,
            "numbers": self._numbers,
            "arrivals": self._arrivals,
            "counts": {str(k): n for k, n in self.counts.items()},
            "visitors": {name: state.to_dict() for name, state in sorted(self._visitors.items())},
            "deadlines": {name: at for at, name in sorted(self._deadlines)},
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> SessionStream:
        """Go on where `to_dict` was called.

        Raises
        ------
        BadDocument
            Fields that are missing or of another shape.
        """
        try:
            made = cls(
                SessionRule.from_dict(fields["rule"]), lateness_s=fields["lateness_s"], duplicates=fields["duplicates"]
            )
            made._latest_us, made._numbers = int(fields["latest_us"]), int(fields["numbers"])
            made._arrivals, made._counts = int(fields["arrivals"]), dict(fields["counts"])
            for name, state in fields["visitors"].items():
                made._visitors[name] = VisitorState.from_dict(state, made._limits)
            # when a visitor is looked at next was set when last looked at, and need not follow from the last event
            made._deadlines = [(int(fields["deadlines"][name]), name) for name in made._visitors]
            heapify(made._deadlines)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, BadDocument):
                raise
            raise BadDocument("SessionStream", (f"{type(error).__name__}: {error}",), "write it with to_dict") from None
        return made


def _limits(rule: SessionRule) -> Limits:
    return Limits(
        gap_us=gap_us(rule.timeout_s, rule.boundary),
        single_gap_us=gap_us(rule.single_event_timeout_s, rule.boundary),
        length_us=None if rule.max_length_s is None else round(rule.max_length_s * 1e6),
        campaign=rule.campaign is not None,
        referrer=rule.referrer is not None,
    )


def judge(part: Part, rule: SessionRule) -> tuple[bool | None, bool]:
    """Whether a session is engaged and a bounce: the columns of `measures`, for one session."""
    lasted = part.end_us - part.start_us
    engaged: bool | None = None
    if rule.engaged is not None:
        e = rule.engaged
        limit = None if e.seconds is None else round(e.seconds * 1e6)
        long = limit is not None and (lasted > limit if e.boundary == ">" else lasted >= limit)
        many = e.views is not None and part.views >= e.views
        beats = e.pings is not None and part.buckets >= e.pings
        engaged = long or many or beats or (e.key_event and part.keys > 0)
    if rule.bounce is None:
        return engaged, not engaged
    b = rule.bounce
    held = [
        b.views is None or part.views == b.views,
        b.events is None or part.events <= b.events,
        b.shorter_than_s is None or lasted < round(b.shorter_than_s * 1e6),
        not b.judged_by or part.judged,
    ]
    return engaged, all(held)
