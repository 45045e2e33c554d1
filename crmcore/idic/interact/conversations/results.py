"""Conversations as results: one time line over channels, with the reasons that hold it together."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any

import attrs

from crmcore._base import html_table, mask, named
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.idic.interact.conversations.messages import Message, same_reference

__all__ = ["Conversation", "Conversations", "JoinReason", "Joined"]

_SHOWN = 10  # conversations that a text shows


class JoinReason(enum.StrEnum):
    """Why a message stands in its conversation."""

    OPENED = "opened"
    REFERENCE = "same reference"
    TOPIC = "same topic"
    REPLY = "turn in the talk"


@attrs.frozen(kw_only=True)
class Joined(Document):
    """Why one message opened a conversation or joined it; `similarity` only where words decided."""

    message: str
    conversation: str
    reason: JoinReason
    evidence: tuple[str, ...]
    similarity: float | None = None

    def __str__(self) -> str:
        shown = ", ".join(self.evidence[:5])
        if self.reason is JoinReason.OPENED:
            return f"{self.message} opened a conversation" + (f": {shown}" if shown else "")
        alike = f", similarity {self.similarity:.2f}" if self.similarity is not None else ""
        return f"{self.message} joined {self.conversation}: {self.reason}" + (f" ({shown}{alike})" if shown else "")


@attrs.frozen(kw_only=True, repr=False)
class Conversation(Document):
    """What one contact and the brand said about one topic, on all channels, by time.

    Its id is that of its first message.
    """

    id: str
    contact: str | None
    messages: tuple[Message, ...]
    joins: tuple[Joined, ...]

    def __len__(self) -> int:
        return len(self.messages)

    def __repr__(self) -> str:
        who = "nobody known" if self.contact is None else mask(self.contact)
        return f"Conversation({self.id!r}, {who}, {len(self)} messages, channels {list(self.channels)})"

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels in the order of their first use."""
        return tuple(dict.fromkeys(m.channel for m in self.messages))

    @property
    def references(self) -> tuple[str, ...]:
        """Orders, bookings and cases that it names, in their order."""
        each: dict[str, str] = {}
        for message in self.messages:
            for reference in message.named:
                each.setdefault(same_reference(reference), reference)
        return tuple(each.values())

    def __str__(self) -> str:
        lines = [repr(self)]
        for message, joined in zip(self.messages, self.joins, strict=True):
            said = f"{message.at:%Y-%m-%d %H:%M} {message.channel} {message.direction}"
            lines.append(f"  {said}: {joined}")
        return "\n".join(lines)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a message by time: conversation, message, at, channel, direction, reason, evidence."""
        return _frame((self,), backend=backend)

    def _repr_html_(self) -> str:
        return html_table(_rows((self,)), caption=repr(self))


@attrs.frozen(repr=False)
class Conversations(Document):
    """Conversations by the time of their first message."""

    conversations: tuple[Conversation, ...]

    def __len__(self) -> int:
        return len(self.conversations)

    def __iter__(self) -> Iterator[Conversation]:
        return iter(self.conversations)

    def __getitem__(self, conversation_id: str) -> Conversation:
        return named(self.conversations, "id", conversation_id, what="conversation")

    def __repr__(self) -> str:
        n, m = len(self), sum(map(len, self.conversations))
        return f"Conversations({n} conversation{'s' * (n != 1)}, {m} message{'s' * (m != 1)})"

    def __str__(self) -> str:
        left = len(self) - _SHOWN
        more = [f"... and {left} more"] if left > 0 else []
        return "\n".join([*map(str, self.conversations[:_SHOWN]), *more]) or repr(self)

    def of_message(self, message_id: str, /) -> Conversation:
        """Conversation of a message.

        Raises
        ------
        UnknownName
            There is no such message.
        """
        where = {m.id: c for c in self.conversations for m in c.messages}
        if message_id not in where:
            from crmcore.errors import UnknownName

            raise UnknownName("message", message_id, tuple(where))
        return where[message_id]

    def time_line(self, contact: str, /) -> tuple[Message, ...]:
        """All messages of one contact over all channels and conversations, by time."""
        found = [m for c in self.conversations if c.contact == contact for m in c.messages]
        return tuple(sorted(found, key=lambda m: m.place))

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a message: conversation, message, at, channel, direction, reason, evidence."""
        return _frame(self.conversations, backend=backend)

    def _repr_html_(self) -> str:
        return html_table(_rows(self.conversations), caption=repr(self))


_COLUMNS = ("conversation", "message", "at", "channel", "direction", "reason", "evidence")


def _rows(conversations: tuple[Conversation, ...]) -> list[dict[str, Any]]:
    return [
        dict(
            zip(
                _COLUMNS,
                (c.id, m.id, m.at, m.channel, str(m.direction), str(j.reason), ", ".join(j.evidence)),
                strict=True,
            )
        )
        for c in conversations
        for m, j in zip(c.messages, c.joins, strict=True)
    ]


def _frame(conversations: tuple[Conversation, ...], *, backend: Any) -> Any:
    rows = _rows(conversations)
    return write_frame({name: [row[name] for row in rows] for name in _COLUMNS}, backend=backend)
