"""One case with its history: its two tracks, its clocks, its way from public to private and back."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import attrs

from crmcore._base import html_table, mask
from crmcore._frames import write_frame
from crmcore.calendars.clocks import ClockEvent, ClockHistory, read_clocks
from crmcore.documents import Document
from crmcore.lifecycle import Case, History, history
from crmcore.lifecycle.workflow import instant_of
from crmcore.stores import Event
from crmcore.values import Severity

if TYPE_CHECKING:
    from crmcore.calendars.clocks import CaseClocks, ClockPolicy

__all__ = ["CaseFile", "Feelings", "Loop", "Outcome", "happened_at"]

NEGATIVE_BELOW = -0.05
"""A sentiment below is negative, above its opposite positive: the cut of Hutto & Gilbert (2014), VADER."""

TOOK_OVER = "took over another case"
SOLVED = ("resolved", "asked", "closed", "archived")


class Feelings(enum.StrEnum):
    """How the customer feels, by what was heard last."""

    UNKNOWN = "unknown"
    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


class Outcome(enum.StrEnum):
    """Where the two tracks of a case stand together."""

    OPEN = "problem open"
    SOLVED_UNHEARD = "problem solved, feelings unknown"
    SOLVED_UNHAPPY = "problem solved, feelings negative"
    RECOVERED = "recovered"


@attrs.frozen
class Loop:
    """The way of a case from public to private and back.

    Parameters
    ----------
    permalink, thread, public_note : text
        Of the public post, the private conversation, and the note in public that it is done; "" where there is none.
    basis : text
        What allowed the move: "agreed" or "invited".
    steps : tuple of (instant, text, text)
        When, what happened, and by which role.
    """

    permalink: str = attrs.field(repr=False)
    thread: str = attrs.field(repr=False)
    public_note: str = attrs.field(repr=False)
    basis: str
    steps: tuple[tuple[datetime, str, str], ...] = attrs.field(repr=lambda s: f"<{len(s)}>")

    @property
    def closed(self) -> bool:
        """Whether all three are there: public post, private thread, public note."""
        return bool(self.permalink and self.thread and self.public_note)

    def __str__(self) -> str:
        parts = (("public post", self.permalink), ("private thread", self.thread), ("public note", self.public_note))
        lines = [f"  {at.isoformat(timespec='minutes')} {what}, {role or 'nobody'}" for at, what, role in self.steps]
        return "\n".join([", ".join(f"{name}: {'yes' if there else 'no'}" for name, there in parts), *lines])


LOOPED = ("opened", "invited to private", "agreed to private", "refused private", "moved to private",
          "closed in public", "replied in public", "command refused")  # fmt: skip
CLOCKED: Mapping[str, tuple[str, str | None]] = {
    "opened": ("created", None), "acknowledged": ("receipt", None), "assigned": ("assigned", None),
    "replied": ("agent reply", None), "replied in public": ("agent reply", None),
    "invited to private": ("agent reply", None), "confirmation asked": ("agent reply", None),
    "thanked": ("agent reply", None), "customer asked": ("status", "pending"), "taken up again": ("status", "open"),
    "customer wrote": ("customer message", None), "resolved": ("resolved", None), "reopened": ("reopened", None),
    "closed": ("closed", None), "merged": ("merged", None),
}  # fmt: skip
"""What events of a case mean to the clocks: kind and what it changed to."""


def happened_at(event: Event) -> datetime:
    """When something happened by the clock of whoever reported it; the case itself never goes back in time."""
    return instant_of(event.data.get("dated")) or event.time


@attrs.frozen(repr=False)
class CaseFile(Document):
    """A case as it stands, and all that happened to it.

    Parameters
    ----------
    case : Case
        The fold of the events.
    events : tuple of Event
        By version; the first opened it.
    """

    case: Case
    events: tuple[Event, ...]

    def __repr__(self) -> str:
        priority = self.case.data.get("priority", "normal")
        return f"CaseFile({self.id}, {self.kind}, {self.state}, {priority}, {len(self.events)} events)"

    def __str__(self) -> str:
        owner = mask(self.owner) if self.owner else "nobody"
        lines = [repr(self), f"  {self.outcome}; feelings: {self.feelings}; owner: {owner}"]
        return "\n".join([*lines, *(f"  {reason}" for reason in self.reasons)])

    @property
    def id(self) -> str:
        """Id of the case; it names nobody."""
        return self.case.id

    @property
    def kind(self) -> str:
        """Complaint, question, compliment or incident."""
        return self.case.workflow

    @property
    def state(self) -> str:
        """Where the problem stands."""
        return self.case.state

    def _text(self, name: str) -> str:
        return str(self.case.data.get(name) or "")

    @property
    def customer(self) -> str | None:
        """Whose case it is; None where nobody knows yet."""
        return self._text("customer") or None

    @property
    def owner(self) -> str:
        """Who answers for it; "" for nobody."""
        return self._text("owner")

    @property
    def failure(self) -> str:
        """Kind of failure; "" is not known."""
        return self._text("failure")

    @property
    def channel(self) -> str:
        """Where it came in first."""
        return self._text("channel")

    @property
    def severity(self) -> Severity:
        """After earlier failures were counted."""
        return Severity[str(self.case.data.get("severity", "normal")).upper()]

    @property
    def priority(self) -> Severity:
        """How urgent it is; 1 first."""
        return Severity[str(self.case.data.get("priority", "normal")).upper()]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is as urgent as it is."""
        return tuple(map(str, cast("list[object]", self.case.data.get("reasons") or ())))

    @property
    def public(self) -> bool:
        """Whether any of it was said in public."""
        return bool(self.case.data.get("public"))

    @property
    def reach(self) -> float | None:
        """People who could read it; None where nobody knows."""
        return cast("float | None", self.case.data.get("reach"))

    @property
    def confirmed(self) -> bool | None:
        """Whether the customer confirmed; None while that is open."""
        return cast("bool | None", self.case.data.get("confirmed"))

    @property
    def reopened(self) -> int:
        """How often it came back."""
        return sum(e.type == "reopened" for e in self.events)

    # --- two tracks ---

    @property
    def solved(self) -> bool:
        """The problem track: whether the problem is solved as it stands."""
        return self.state in SOLVED

    def heard(self) -> Iterator[tuple[int, float]]:
        """Sentiments that were heard, each with the place of its event."""
        for i, event in enumerate(self.events):
            if event.type == "feelings heard":
                yield i, float(cast("dict[str, Any]", event.data["set"])["sentiment"])

    @property
    def feelings(self) -> Feelings:
        """The feelings track: what was heard last, by `NEGATIVE_BELOW`."""
        heard = [sentiment for _, sentiment in self.heard()]
        if not heard:
            return Feelings.UNKNOWN
        if abs(heard[-1]) <= -NEGATIVE_BELOW:
            return Feelings.NEUTRAL
        return Feelings.NEGATIVE if heard[-1] < 0 else Feelings.POSITIVE

    @property
    def outcome(self) -> Outcome:
        """Both tracks together: recovered is solved, and feelings heard since are not negative.

        Feelings heard before the solution do not tell how the customer feels about it, unless they were negative: then
        nothing says that they were healed.
        """
        if not self.solved:
            return Outcome.OPEN
        if self.feelings is Feelings.NEGATIVE:
            return Outcome.SOLVED_UNHAPPY
        solved = max((i for i, e in enumerate(self.events) if e.type in ("resolved", "thanked")), default=0)
        since = any(i > solved for i, _ in self.heard())
        return Outcome.RECOVERED if since else Outcome.SOLVED_UNHEARD

    # --- clocks ---

    @property
    def began_at(self) -> datetime:
        """When the customer spoke first, also where a later message arrived before it and opened the case."""
        spoken = [happened_at(e) for e in self.events if e.type == "customer wrote"]
        merged = (cast("dict[str, Any]", e.data.get("note") or {}) for e in self.events if e.type == TOOK_OVER)
        spoken += [at for note in merged if (at := instant_of(note.get("began_at"))) is not None]
        return min((happened_at(self.events[0]), *spoken))

    def age_minutes(self, now: datetime) -> float:
        """Minutes on the wall since the customer spoke."""
        return (now - self.began_at).total_seconds() / 60

    def clock_history(self) -> ClockHistory:
        """What happened, as service-level clocks read it."""
        return ClockHistory.of(self._clock_events(), case=self.id)

    def _clock_events(self) -> Iterator[ClockEvent]:
        for event in self.events:
            at, role = happened_at(event), str(event.data.get("role") or event.actor)
            changed = cast("dict[str, Any]", event.data.get("set") or {})
            if event is self.events[0]:
                at = self.began_at
                if at < happened_at(event):  # the message that opened the case was not the first one
                    yield ClockEvent(happened_at(event), "customer message", id=f"{event.id}/message")
            elif at == self.began_at and event.type == "customer wrote":
                continue
            if event.type in CLOCKED:
                kind, to = CLOCKED[event.type]
                to = {"assigned": changed.get("owner"), "merged": changed.get("merged_into")}.get(event.type, to)
                actor = "automation" if role in ("automation", "clock") else None
                yield ClockEvent(at, kind, to, actor=actor, id=event.id)
                if event.type == "customer asked":
                    yield ClockEvent(at, "agent reply", id=f"{event.id}/reply")
            if event.type in ("opened", "graded") and changed.get("priority"):
                yield ClockEvent(at, "priority", str(changed["priority"]), id=f"{event.id}/priority")

    def clocks(self, policy: ClockPolicy, *, now: datetime) -> CaseClocks:
        """How every clock stands; `.explain(name)` accounts for every minute."""
        return read_clocks(self.clock_history(), policy, now=now)

    # --- log ---

    @property
    def loop(self) -> Loop:
        """From public to private and back, every step."""
        data = self.case.data
        channel = data.get("private_channel")
        agreed = channel is not None and data.get("consented_to") == channel
        basis = "" if not data.get("private") else "agreed" if agreed else "invited"
        steps = tuple(
            (happened_at(e), _told(e), str(e.data.get("role") or e.actor)) for e in self.events if e.type in LOOPED
        )
        return Loop(self._text("permalink"), self._text("thread"), self._text("public_note"), basis, steps)

    def history(self) -> History:
        """Who did what, when and why."""
        return history(self.events)

    def row(self) -> dict[str, Any]:
        """Plain cells."""
        return {
            "case": self.id, "kind": self.kind, "state": self.state, "customer": self.customer, "owner": self.owner,
            "channel": self.channel, "failure": self.failure, "severity": self.severity.name.lower(),
            "priority": self.priority.name.lower(), "began_at": self.began_at, "outcome": self.outcome.value,
            "feelings": self.feelings.value, "public": self.public, "reach": self.reach, "reopened": self.reopened,
            "confirmed": self.confirmed,
        }  # fmt: skip

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row: the case as it stands."""
        return write_frame({name: [cell] for name, cell in self.row().items()}, backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"at": happened_at(e).isoformat(timespec="minutes"), "event": e.type} for e in self.events[-20:]]
        return html_table(rows, caption=f"{self!r}: {self.outcome}")


def _told(event: Event) -> str:
    if event.type != "command refused":
        return event.type
    return f"refused: {event.data.get('command', '')} ({event.data.get('why', '')})"
