"""What came of a command: events and the case after them, or a refusal with its reasons."""

from __future__ import annotations

from typing import NoReturn

import attrs

from crmcore.lifecycle.case import Case
from crmcore.lifecycle.commands import Command, GuardAnswer, Why
from crmcore.lifecycle.errors import IllegalCommand
from crmcore.stores import Event

__all__ = ["Accepted", "Refused"]


@attrs.frozen(hash=False)
class Accepted:
    """A command does something.

    Parameters
    ----------
    case : Case
        Afterwards.
    events : tuple of Event
        To be kept: first what timers did up to the command's instant, last what the command did.
    guards : tuple of GuardAnswer
        What each guard that was asked said.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from crmcore.lifecycle import open_case
    >>> from crmcore.lifecycle.examples import complaint
    >>> print(open_case(complaint(), "k7", at=datetime(2026, 5, 4, 9, tzinfo=UTC), actor="portal"))
    accepted: opened, k7 is 'open'
    """

    case: Case
    events: tuple[Event, ...]
    guards: tuple[GuardAnswer, ...] = ()

    accepted = True

    @property
    def event(self) -> Event:
        """What the command itself did."""
        return self.events[-1]

    def or_raise(self) -> Accepted:
        """Return itself; a refusal raises instead."""
        return self

    def to_dict(self) -> dict[str, object]:
        """Plain JSON values for an answer or a log: the case, what happened, and what guards said."""
        happened = [{"id": e.id, "type": e.type, "time": e.time.isoformat()} for e in self.events]
        guards = [g.decision.to_dict() for g in self.guards]
        return {"accepted": True, "case": self.case.to_dict(), "events": happened, "guards": guards}

    def __str__(self) -> str:
        before = f" (before it: {', '.join(e.type for e in self.events[:-1])})" if len(self.events) > 1 else ""
        return f"accepted: {self.event.type}, {self.case.id} is {self.case.state!r}{before}"


@attrs.frozen(hash=False)
class Refused:
    """A command does nothing, and why.

    Parameters
    ----------
    case : Case
        As it stands; timers that were due have fired.
    command : Command
        What was refused.
    why : Why
        The kind of reason.
    reasons : tuple of text
        Sentences: what is missing, who may, what each guard said.
    allowed : tuple of text
        What this role could do instead.
    events : tuple of Event
        To be kept: what timers did, and the refusal itself where refusals are recorded.
    guards : tuple of GuardAnswer
        What each guard that was asked said; unknown facts are named there.
    """

    case: Case
    command: Command
    why: Why
    reasons: tuple[str, ...]
    allowed: tuple[str, ...]
    events: tuple[Event, ...] = ()
    guards: tuple[GuardAnswer, ...] = ()

    accepted = False

    @property
    def asks(self) -> tuple[str, ...]:
        """Unknown facts that guards asked for: what to find out before trying again."""
        return tuple(dict.fromkeys(name for answer in self.guards for name in answer.decision.asks))

    @property
    def error(self) -> IllegalCommand:
        """The refusal as an error."""
        return IllegalCommand(
            self.command.name, self.case.id, self.case.state, self.command.role, self.reasons, self.allowed
        )

    def to_dict(self) -> dict[str, object]:
        """Plain JSON values for an answer or a log: why not, what is possible, what to find out."""
        return {
            "accepted": False,
            "case": self.case.to_dict(),
            "command": self.command.to_dict(),
            "why": self.why.value,
            "reasons": list(self.reasons),
            "allowed": list(self.allowed),
            "asks": list(self.asks),
            "guards": [g.decision.to_dict() for g in self.guards],
        }

    def or_raise(self) -> NoReturn:
        """Raise `IllegalCommand`, which names what is allowed."""
        raise self.error

    def __str__(self) -> str:
        return f"refused: {self.command.name} on {self.case.id}, {self.why.value}: {'; '.join(self.reasons)}"
