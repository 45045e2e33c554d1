"""Hand-over: what the next colleague must know so that the customer need not tell it again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from crmcore._base import check_aware, html_table, mask
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.idic.interact.conversations.asking import OnFile, RedundantQuestion, redundant_questions
from crmcore.idic.interact.conversations.messages import Message
from crmcore.idic.interact.conversations.results import Conversation
from crmcore.values import Direction

__all__ = ["HandOver", "OpenQuestion", "hand_over"]

_ASKS = re.compile(
    r"\?|\b(?:please|could you|can you|would like to know|wants? to know|wonders?|asks?|asked"
    r"|when will|where is|how do|how can)\b",
    re.IGNORECASE,
)


@attrs.frozen(kw_only=True)
class OpenQuestion(Document):
    """What the customer asked and nobody has answered; the text is out of the repr."""

    message: str
    at: datetime = attrs.field(repr=datetime.isoformat)
    channel: str
    text: str = attrs.field(repr=lambda text: f"<{len(text)} characters>")


@attrs.frozen(kw_only=True, repr=False)
class HandOver(Document):
    """Brief of one conversation at an instant.

    Parameters
    ----------
    conversation, contact : text
    references : texts
        Orders, bookings and cases, as `kind:code`.
    open_questions : tuple of OpenQuestion
        Inbound questions after which nobody of us answered.
    channels : texts
        In the order of use.
    waiting_minutes : minutes
        Since the first open question; None where there is none.
    repeated_questions : tuple of RedundantQuestion
        What we asked although it was known.
    messages : count
        So far.
    """

    conversation: str
    contact: str | None
    at: datetime
    references: tuple[str, ...]
    open_questions: tuple[OpenQuestion, ...]
    channels: tuple[str, ...]
    waiting_minutes: float | None
    repeated_questions: tuple[RedundantQuestion, ...]
    messages: int

    def __repr__(self) -> str:
        n = len(self.open_questions)
        return f"HandOver({self.conversation!r}, {list(self.references)}, {n} open question{'s' * (n != 1)})"

    def __str__(self) -> str:
        who = "nobody known" if self.contact is None else mask(self.contact)
        lines = [
            f"{self.conversation} with {who}: {self.messages} messages by {', '.join(self.channels)}",
            f"  about: {', '.join(self.references) or 'nothing named'}",
        ]
        lines += [f"  open since {q.at:%Y-%m-%d %H:%M} ({q.channel}): {q.text}" for q in self.open_questions]
        lines.append(f"  asked again although known: {len(self.repeated_questions)}")
        return "\n".join(lines)

    def _rows(self) -> list[dict[str, Any]]:
        return [{"message": q.message, "at": q.at, "channel": q.channel, "text": q.text} for q in self.open_questions]

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an open question: message, at, channel, text."""
        rows = self._rows()
        return write_frame({n: [r[n] for r in rows] for n in ("message", "at", "channel", "text")}, backend=backend)

    def _repr_html_(self) -> str:
        rows = [{**row, "text": str(row["text"])[:200]} for row in self._rows()]
        return html_table(rows, caption=repr(self), limit=8)


def hand_over(
    conversation: Conversation, *, now: datetime, on_file: Mapping[str, OnFile | str] | None = None
) -> HandOver:
    """Brief for whoever takes the conversation on, as it stood at an instant.

    A question is open until an outbound message follows that is not a question itself. A note of a visit or a call that
    is inbound counts as what the customer said.

    Parameters
    ----------
    conversation : Conversation
    now : aware datetime
        Later messages are not looked at.
    on_file : mapping of field to value, optional
        See `redundant_questions`.
    """
    check_aware(now, "now")
    so_far = [m for m in conversation.messages if m.at <= now]
    waiting: list[Message] = []
    for m in so_far:
        if m.direction is Direction.INBOUND:
            if _ASKS.search(m.text):
                waiting.append(m)
        elif not m.text.rstrip().endswith("?"):
            waiting.clear()
    until = attrs.evolve(conversation, messages=tuple(so_far), joins=conversation.joins[: len(so_far)])
    return HandOver(
        conversation=conversation.id,
        contact=conversation.contact,
        at=now,
        references=until.references,
        open_questions=tuple(OpenQuestion(message=m.id, at=m.at, channel=m.channel, text=m.text) for m in waiting),
        channels=until.channels,
        waiting_minutes=(now - waiting[0].at).total_seconds() / 60 if waiting else None,
        repeated_questions=redundant_questions(so_far, on_file=on_file),
        messages=len(so_far),
    )
