"""Why a clock says what it says: every span from its start on, counted or skipped, each with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any

import attrs

from crmcore._base import html_table
from crmcore.calendars.clocks.cycles import Clock
from crmcore.calendars.clocks.definitions import DEFINITIONS, Stretch, stretches, turn_of
from crmcore.calendars.clocks.events import ClockHistory
from crmcore.calendars.clocks.policy import ClockName, ClockPolicy, Standing
from crmcore.calendars.clocks.reading import moments_until, rows_frame
from crmcore.errors import OutOfRange
from crmcore.zones import MINUTE, from_us, to_us

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["ClockExplanation", "ClockSpan", "explain_clock"]

SHOWN = 40  # spans in the text form; the frame has all


@attrs.frozen(kw_only=True)
class ClockSpan:
    """Time during which nothing changed for a clock.

    Parameters
    ----------
    start, end : datetime
        In the zone of the calendar that counts.
    minutes : business minutes
        0 where the span is skipped.
    counted : truth
    reason : text
        Why it is counted or skipped.
    status, priority, owner : text
        Of the case at that time.
    """

    start: datetime
    end: datetime
    minutes: float
    counted: bool
    reason: str
    status: str
    priority: str
    owner: str

    def __str__(self) -> str:
        sign = f"{self.minutes:>8,.6g}" if self.counted else f"{'-':>8}"
        owner = f", {self.owner}" if self.owner else ""
        return f"{self.start:%a %Y-%m-%d %H:%M} to {self.end:%a %Y-%m-%d %H:%M}  {sign}  {self.reason}{owner}"


@attrs.frozen(repr=False)
class ClockExplanation:
    """Spans of a clock in order; the counted ones add up to its minutes.

    Parameters
    ----------
    clock : Clock
    spans : tuple of ClockSpan
    minutes : business minutes
        Sum of the spans.
    """

    clock: Clock
    spans: tuple[ClockSpan, ...]
    minutes: float

    def __repr__(self) -> str:
        counted = sum(s.counted for s in self.spans)
        text = f"{counted} of {len(self.spans)} spans counted, {self.minutes:.6g} minutes"
        return f"ClockExplanation({self.clock.name.value}: {text})"

    def __str__(self) -> str:
        more = [f"... {len(self.spans) - SHOWN} more"] if len(self.spans) > SHOWN else []
        lines = [str(self.clock), *(f"  {s}" for s in self.spans[:SHOWN]), *more]
        return "\n".join([*lines, f"  {'sum':37}  {self.minutes:>8,.6g}  business minutes"])

    def by_reason(self) -> dict[str, float]:
        """Minutes of the clock by reason, for spans that count."""
        return self._sums(lambda s: s.reason)

    def by_owner(self) -> dict[str, float]:
        """Minutes of the clock by who owned the case, "" for nobody: a hand-over does not reset the clock."""
        return self._sums(lambda s: s.owner)

    def _sums(self, key: Any) -> dict[str, float]:
        sums: dict[str, int] = {}
        for span in self.spans:
            if span.counted:
                sums[key(span)] = sums.get(key(span), 0) + round(span.minutes * MINUTE)
        return {name: us / MINUTE for name, us in sums.items()}

    def rows(self) -> list[dict[str, Any]]:
        """One row a span."""
        return [attrs.asdict(s) for s in self.spans]

    def to_frame(self, *, backend: Any = None) -> Any:
        """Rows as a frame of the flavour named, times in UTC; None is a dict of lists."""
        names = [f.name for f in attrs.fields(ClockSpan)]
        return rows_frame(self.rows(), backend=backend, names=names)

    def chart(self) -> Chart:
        """Bars of the counted minutes by reason."""
        from crmcore.charts import bar

        parts = self.by_reason() or {"nothing counted": 0.0}
        title = f"What the {self.clock.name.value} clock counted"
        return bar(list(parts), list(parts.values()), title=title, description=str(self.clock), axis="business minutes")

    def _repr_html_(self) -> str:
        rows = [
            {
                "from": f"{s.start:%a %d %b %H:%M}",
                "to": f"{s.end:%a %d %b %H:%M}",
                "minutes": f"{s.minutes:,.6g}" if s.counted else "-",
                "reason": s.reason,
            }
            for s in self.spans
        ]
        return f"<figure>{html_table(rows)}<figcaption>{escape(str(self.clock))}</figcaption></figure>"


def explain_clock(
    history: ClockHistory, policy: ClockPolicy, clock: Clock, *, now: datetime, cycle: int | None = None
) -> ClockExplanation:
    """Explain a clock that was read from this history; see `CaseClocks.explain`."""
    definition = DEFINITIONS[clock.name]
    found = moments_until(history, policy, now)
    number = len(clock.cycles) if cycle is None else cycle
    if cycle is not None and not 1 <= cycle <= len(clock.cycles):
        raise OutOfRange("cycle", cycle, f"1 to {len(clock.cycles)}", "None explains the last one with what it carries")
    carried = cycle is None and definition.carried(policy)
    spans: list[ClockSpan] = []
    for stretch in stretches(found, definition, policy, now=now):
        own = stretch.cycle == number and not stretch.gap
        if own or (carried and stretch.cycle <= number):
            spans += _spans(stretch, clock.name, policy)
    us = sum(round(s.minutes * MINUTE) for s in spans)
    return ClockExplanation(clock, tuple(spans), us / MINUTE)


def _spans(stretch: Stretch, name: ClockName, policy: ClockPolicy) -> Iterator[ClockSpan]:
    moment = stretch.moment
    calendar = policy.calendar_of(name, moment.terms)
    what = {"status": moment.status, "priority": moment.priority, "owner": moment.owner}
    reason = _reason(stretch, name, policy)
    if not stretch.counted:
        start, end = (from_us(to_us(t), calendar.zone) for t in (stretch.start, stretch.end))
        if start < end:
            yield ClockSpan(start=start, end=end, minutes=0.0, counted=False, reason=reason, **what)
        return
    for part in calendar.explain_elapsed(stretch.start, stretch.end).spans:
        if part.start == part.end:
            continue  # a change of the clock, which the spans around it show
        detail = f": {part.detail}" if part.detail else ""
        yield ClockSpan(
            start=part.start,
            end=part.end,
            minutes=part.minutes if part.counted else 0.0,
            counted=part.counted,
            reason=reason if part.counted else f"{part.reason}{detail}",
            **what,
        )


def _reason(stretch: Stretch, name: ClockName, policy: ClockPolicy) -> str:
    moment = stretch.moment
    if stretch.gap:
        return f"{moment.status}, and reopened later"
    if moment.standing is Standing.PAUSED and not stretch.counted:
        return f"paused in status {moment.status}"
    turn = turn_of(moment, policy)
    acting = f"{turn}'s turn"
    if moment.standing is Standing.PAUSED:
        return f"{acting} (status {moment.status} does not pause the {name.value} clock)"
    if moment.standing is Standing.RESOLVED:
        return f"no answer yet, although {moment.status}"
    return acting
