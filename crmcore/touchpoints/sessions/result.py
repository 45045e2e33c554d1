"""Sessions as columns: which event belongs to which, from when to when, what each one was, and their rates."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore._frames import Coded, write_frame
from crmcore.errors import OutOfRange
from crmcore.metrics import Estimate
from crmcore.tables import EventTable
from crmcore.touchpoints.sessions.kernel import SessionCodes
from crmcore.touchpoints.sessions.rule import LastPage, SessionRule
from crmcore.touchpoints.sessions.step import Cause

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Intake", "Sessions"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@attrs.frozen(kw_only=True)
class Intake:
    """What became of the events: nothing is left out in silence.

    Attributes
    ----------
    events : count
        Rows of the table.
    unsorted : count
        Rows earlier than the row before them; sorted on the way.
    duplicates : count
        Rows that equal an earlier one in every column.
    future : count
        Rows after `now`.
    nobody : count
        Rows whose visitor nobody knows; in no session.
    outside : count
        Rows in no session by the rule: keep-alive events while none is open, events without a given id.
    dropped : count
        Rows in no session because the caller dropped future ones or duplicates.
    """

    events: int
    unsorted: int = 0
    duplicates: int = 0
    future: int = 0
    nobody: int = 0
    outside: int = 0
    dropped: int = 0

    def __str__(self) -> str:
        told = {
            "out of time order (sorted)": self.unsorted, "repeated": self.duplicates, "in the future": self.future,
            "of nobody known (in no session)": self.nobody, "outside any session": self.outside,
            "dropped": self.dropped,
        }  # fmt: skip
        parts = [f"{n:,} {words}" for words, n in told.items() if n]
        return f"{self.events:,} events" + (": " + ", ".join(parts) if parts else "")


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Sessions:
    """Events cut into sessions under one rule; session i is row i of every column of length m.

    Sessions are numbered by visitor, then start. An event that prolongs a session and counts for nothing belongs to
    it (`of_event`) and changes neither its start, nor its end, nor its counts.
    """

    events: EventTable
    rule: SessionRule
    of_event: Ints  # (n,) session of each event, -1 = none
    start: NDArray[np.datetime64]  # (m,) datetime64[us], UTC; first event that counts
    end: NDArray[np.datetime64]  # (m,) last event that counts
    customer: NDArray[np.int32]  # (m,) last known customer in the session, -1 = nobody known
    visitor: NDArray[np.int32]  # (m,) code of the visitor: the customer's unless another was named
    visitors: tuple[str, ...] = ()  # code -> name of visitors that came from an attribute, else empty
    codes: SessionCodes
    intake: Intake

    def __len__(self) -> int:
        return len(self.start)

    def __repr__(self) -> str:
        return f"Sessions({len(self)} sessions of {len(self.events)} events, rule {self.rule.name})"

    def __str__(self) -> str:
        lines = [f"{len(self):,} sessions ({self.rule})", str(self.intake)]
        lines += [f"{name:18}{estimate}" for name, estimate in self.rates().items()]
        return "\n".join(lines)

    @property
    def duration_s(self) -> NDArray[np.float64]:
        """(m,) seconds from the first to the last event that counts."""
        return self.codes.duration_us / 1e6

    @property
    def event_count(self) -> Ints:
        """(m,) events that count."""
        return self.codes.events

    @cached_property
    def views(self) -> Ints:
        """(m,) views."""
        return self.count_of(self.rule.view_kinds)

    @cached_property
    def key_events(self) -> Ints:
        """(m,) key events."""
        return self.count_of(self.rule.key_kinds)

    @cached_property
    def engaged(self) -> Bools | None:
        """(m,) whether a session is engaged; None where the rule knows no engaged sessions."""
        from crmcore.touchpoints.sessions.measures import engaged_sessions

        return engaged_sessions(self)

    @cached_property
    def bounce(self) -> Bools:
        """(m,) whether a session is a bounce."""
        from crmcore.touchpoints.sessions.measures import bounced_sessions

        return bounced_sessions(self)

    @property
    def began_by(self) -> tuple[Cause, ...]:
        """(m,) why each session began."""
        return tuple(map(Cause, self.codes.causes.tolist()))

    def count_of(self, kinds: tuple[str, ...]) -> Ints:
        """(m,) events of these kinds, without those that only keep alive."""
        from crmcore.touchpoints.sessions.measures import count_of

        return count_of(self, kinds)

    def events_of(self, session: int, /) -> EventTable:
        """Events of one session, by time, with those that only keep it alive.

        Raises
        ------
        OutOfRange
            No such session.
        """
        if not 0 <= session < len(self):
            raise OutOfRange("session", session, f"0 to {len(self) - 1}", "sessions are numbered by visitor and start")
        rows = self.codes.order[int(self.codes.first[session]) : int(self.codes.stop[session])]
        return self.events.take(rows)

    def judged_by(self, rule: str | SessionRule, /) -> Sessions:
        """Same sessions, judged by what another rule calls a view, engaged, a bounce, and the time of the last page."""
        from crmcore.touchpoints.sessions.profiles import session_rule

        other = session_rule(rule)
        parts = (
            "view_kinds",
            "key_kinds",
            "ping_kinds",
            "engaged",
            "bounce",
            "last_page",
            "heartbeat_s",
            "min_visit_s",
        )
        name = self.rule.name if other.name == self.rule.name else f"cut by {self.rule.name}, judged by {other.name}"
        taken = {part: getattr(other, part) for part in parts}
        return attrs.evolve(self, rule=attrs.evolve(self.rule, name=name, **taken))

    def bounce_rate(self, *, level: float = 0.95, by_visitor: bool = False, small_sample_ok: bool = False) -> Estimate:
        """Share of sessions that are bounces under the rule.

        Parameters
        ----------
        level : share
            Coverage aimed at.
        by_visitor : truth
            Widen the interval because sessions of one visitor resemble each other.
        small_sample_ok : truth
            Silences `SmallSample`, which warns below 30 sessions.
        """
        from crmcore.touchpoints.sessions.measures import bounce_rate

        return bounce_rate(self, level=level, by_visitor=by_visitor, small_sample_ok=small_sample_ok)

    def engagement_rate(
        self, *, level: float = 0.95, by_visitor: bool = False, small_sample_ok: bool = False
    ) -> Estimate:
        """Share of sessions that are engaged under the rule; parameters as for `bounce_rate`.

        Raises
        ------
        OutOfRange
            The rule knows no engaged sessions.
        """
        from crmcore.touchpoints.sessions.measures import engagement_rate

        return engagement_rate(self, level=level, by_visitor=by_visitor, small_sample_ok=small_sample_ok)

    def time_on_site(
        self,
        *,
        last_page: LastPage | None = None,
        horizon_s: float | None = None,
        level: float = 0.95,
        small_sample_ok: bool = False,
    ) -> Estimate:
        """Mean seconds of a session.

        Parameters
        ----------
        last_page : "zero", "heartbeat" or "censored", optional
            What the last page adds; None takes the rule's. See `SessionRule`.
        horizon_s : seconds, optional
            With "censored", the most that one page counts: the rule's timeout, or the longest dwell seen if less.
        level, small_sample_ok
            As for `bounce_rate`.
        """
        from crmcore.touchpoints.sessions.measures import time_on_site

        return time_on_site(
            self, last_page=last_page, horizon_s=horizon_s, level=level, small_sample_ok=small_sample_ok
        )

    def rates(self, *, level: float = 0.95) -> dict[str, Estimate]:
        """What can be said of these sessions, by name."""
        from crmcore.touchpoints.sessions.measures import rates

        return rates(self, level=level)

    def to_frame(self, backend: Any = None) -> Any:
        """One row a session, in the flavour of the events unless `backend` names another.

        Columns session, customer, visitor (where one was named), start, end, duration_s, events, views, key_events,
        engaged (where the rule knows it), bounce, began_by.
        """
        words = [", ".join(Cause(i).words) for i in range(256)]
        engaged = self.engaged
        columns: dict[str, Any] = {
            "session": np.arange(len(self)),
            "customer": Coded(self.customer, self.events.customers.ids),
            "visitor": Coded(self.visitor, self.visitors) if self.visitors else self.visitor,
            "start": self.start,
            "end": self.end,
            "duration_s": self.duration_s,
            "events": self.event_count,
            "views": self.views,
            "key_events": self.key_events,
            **({} if engaged is None else {"engaged": engaged}),
            "bounce": self.bounce,
            "began_by": Coded(self.codes.causes.astype(np.int64), words),
        }
        return write_frame(columns, backend=backend or self.events.backend)

    def chart(self) -> Chart:
        """Share of sessions by how long they lasted."""
        from crmcore.touchpoints.sessions.charts import durations_chart

        return durations_chart(self)

    def _repr_html_(self) -> str:
        rows = [{"measure": "sessions", "value": f"{len(self):,}"}]
        rows += [{"measure": name, "value": str(e)} for name, e in self.rates().items()]
        rows += [{"measure": "rule", "value": str(self.rule)}, {"measure": "intake", "value": str(self.intake)}]
        return html_table(rows, caption=f"Sessions under the rule {self.rule.name}")
