"""Time passes: what breaches, what nobody confirmed, which promises broke. No scheduler: call it when you like."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs

from crmcore._base import check_aware, html_table
from crmcore._frames import write_frame
from crmcore.calendars.clocks import escalation_schedule
from crmcore.lifecycle import Command
from crmcore.lifecycle.workflow import CLOCK, instant_of
from crmcore.stores import Event

if TYPE_CHECKING:
    from crmcore.lifecycle import Cases
    from crmcore.recovery.cases.files import CaseFile
    from crmcore.recovery.cases.policies import RecoveryPolicy

__all__ = ["Alert", "Ticked", "tick_cases"]


@attrs.frozen(kw_only=True)
class Alert:
    """Something that somebody should know: which case, since when, how high it goes, and in words."""

    kind: str
    case: str
    at: datetime
    level: int = 1
    text: str

    def __str__(self) -> str:
        return f"{self.at.isoformat(timespec='minutes')} {self.case}: {self.text}"


@attrs.frozen(repr=False)
class Ticked:
    """What time brought about: events that were kept, and the alerts among them in the order of their instants."""

    events: tuple[Event, ...]
    alerts: tuple[Alert, ...]

    def __len__(self) -> int:
        return len(self.events)

    def __repr__(self) -> str:
        return f"Ticked({len(self.events)} events, {len(self.alerts)} alerts)"

    def __str__(self) -> str:
        return "\n".join([repr(self), *(f"  {a}" for a in self.alerts)])

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an alert: kind, case, at, level, text."""
        return write_frame(
            {name: [getattr(a, name) for a in self.alerts] for name in ("kind", "case", "at", "level", "text")},
            backend=backend,
        )

    def _repr_html_(self) -> str:
        rows = [{"at": a.at, "case": a.case, "alert": a.text, "level": a.level} for a in self.alerts]
        return html_table(rows, caption=repr(self))


def tick_cases(cases: Cases, policy: RecoveryPolicy, files: Iterable[CaseFile], now: datetime) -> Ticked:
    """Escalate what breached by now and fire what fell due; nothing happens twice."""
    check_aware(now, "now")
    kept: list[Event] = []
    for file in files:  # clocks first: what closes by itself at this call had breached before
        if file.state in ("archived", "merged") or file.kind == "incident":
            continue
        done = {e.id for e in file.events}
        for due in escalation_schedule(file.clock_history(), policy.escalations, policy.clocks, until=now):
            if due.key not in done:
                data: dict[str, object] = {"level": due.escalation.level, "escalation": due.escalation.name,
                                           "clock": str(due.escalation.clock)}  # fmt: skip
                command = Command("escalate", data, actor=CLOCK, at=due.fires_at, id=due.key)
                outcome = cases.handle(file.id, command)
                kept += [e for e in outcome.events if e.id not in done]
                done |= {e.id for e in outcome.events}
    kept += cases.fire(now)
    kept.sort(key=lambda e: (_at(e), e.id))
    alerts = tuple(alert for event in kept if (alert := _alert(event)) is not None)
    return Ticked(tuple(kept), alerts)


def _at(event: Event) -> datetime:
    return (instant_of(event.data.get("dated")) or event.time).astimezone(UTC)


def _alert(event: Event) -> Alert | None:
    case = event.stream.removeprefix("case:")
    note: dict[str, Any] = event.data.get("note") or {}  # type: ignore[assignment]
    changed: dict[str, Any] = event.data.get("set") or {}  # type: ignore[assignment]
    if event.type == "promise broken":
        parent = case.partition("/promise/")[0]
        return Alert(kind="promise broken", case=parent, at=_at(event), text="a promise to the customer is broken")
    if event.type == "escalated":
        text = str(note.get("escalation", "a clock breached"))
        return Alert(kind="escalated", case=case, at=_at(event), level=int(changed.get("level") or 1), text=text)
    if event.type == "closed" and changed.get("confirmed") is False:
        return Alert(kind="unconfirmed", case=case, at=_at(event), text="closed by itself, nobody confirmed")
    return None
