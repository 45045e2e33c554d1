"""Threads over channels: which conversation a message belongs to, and why.

A message is judged against what was said before it, in the order of time and then id, by contact: so the result depends
on the messages alone, not on the order in which they arrive.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

import attrs

from crmcore._base import between
from crmcore.documents import Document
from crmcore.errors import DuplicateIds
from crmcore.idic.interact.conversations.messages import Message, distinct, same_reference
from crmcore.idic.interact.conversations.results import Conversation, Conversations, Joined, JoinReason
from crmcore.values import Direction

__all__ = ["Threader", "ThreadRules", "thread", "topic_words"]

_NAMES_OF_REFERENCES = frozenset("booking bookings case cases number order orders question reservation ticket".split())


def topic_words(texts: Sequence[str], /) -> list[frozenset[str]]:
    """Stems of a text that say what it is about; the words for orders and their like tell nothing by themselves.

    Examples
    --------
    >>> [sorted(words) for words in topic_words(["The blender of my order is making noises!", "Thank you"])]
    [['blender', 'make', 'nois'], []]
    """
    from crmcore.text.nearness import content_words

    return content_words(texts, also=_NAMES_OF_REFERENCES)


def _alike(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / math.sqrt(len(a) * len(b)) if a and b else 0.0


@attrs.frozen(kw_only=True)
class ThreadRules(Document):
    """What joins a message to a conversation of the same contact.

    Parameters
    ----------
    reference_days : days
        A shared reference joins when the conversation was last active at most so long before.
    topic_days : days
        Similar words join within this time; never where both sides name other references.
    similarity : share
        Least cosine of the topic words of two messages, 0 to 1.
    reply_days : days
        What has neither a reference nor a topic in common joins as a turn within this time: ours after the customer's
        on the same channel, the customer's after a question of ours, and what names no topic at all ("thanks").
    """

    reference_days: float = attrs.field(default=180, validator=between(0, 36_500, hint="days since it was last active"))
    topic_days: float = attrs.field(default=14, validator=between(0, 36_500, hint="days between two messages"))
    similarity: float = attrs.field(default=0.35, validator=between(0, 1, hint="a cosine, such as 0.35"))
    reply_days: float = attrs.field(default=3, validator=between(0, 36_500, hint="days since it was last active"))


@attrs.define
class _Open:
    """A conversation as it is built: its messages with their words, and what it names."""

    messages: list[Message]
    words: list[frozenset[str]]
    joins: list[Joined]
    references: dict[str, str]

    @property
    def id(self) -> str:
        return self.messages[0].id

    @property
    def last(self) -> Message:
        return self.messages[-1]


class _Contact:
    """Conversations of one contact; messages must come in the order of their places."""

    def __init__(self, rules: ThreadRules) -> None:
        self.rules = rules
        self.open: list[_Open] = []
        self.messages: list[tuple[Message, frozenset[str]]] = []

    def fold(self, message: Message, words: frozenset[str]) -> Joined:
        self.messages.append((message, words))
        found, reason, evidence, score = self._home(message, words)
        if found is None:
            found = _Open([], [], [], {})
            self.open.append(found)
        found.messages.append(message)
        found.words.append(words)
        for reference in message.named:
            found.references.setdefault(same_reference(reference), reference)
        joined = Joined(message=message.id, conversation=found.id, reason=reason, evidence=evidence, similarity=score)
        found.joins.append(joined)
        return joined

    def _home(
        self, message: Message, words: frozenset[str]
    ) -> tuple[_Open | None, JoinReason, tuple[str, ...], float | None]:
        named = {same_reference(r): r for r in message.named}
        rules = self.rules
        recent = sorted(self.open, key=lambda c: c.last.place, reverse=True)
        for c in recent:
            shared = tuple(named[key] for key in named if key in c.references)
            if shared and _within(message, c.last, rules.reference_days):
                return c, JoinReason.REFERENCE, shared, None
        best: tuple[float, _Open | None, tuple[str, ...]] = (0.0, None, ())
        for c in recent:
            if named and c.references:
                continue  # both name something, and not the same
            for earlier, its in zip(c.messages, c.words, strict=True):
                score = _alike(words, its)
                if score > best[0] and score >= rules.similarity and _within(message, earlier, rules.topic_days):
                    best = score, c, tuple(sorted(words & its))
        if best[1] is not None:
            return best[1], JoinReason.TOPIC, best[2], round(best[0], 6)
        if not named:
            for c in recent:
                if self._replies(message, words, c, newest=c is recent[0]):
                    return c, JoinReason.REPLY, (), None
        return None, JoinReason.OPENED, tuple(named.values()) or tuple(sorted(words)), None

    def _replies(self, message: Message, words: frozenset[str], c: _Open, *, newest: bool) -> bool:
        """Whether a message without a reference takes a turn: ours after theirs, theirs after a question of ours."""
        days = self.rules.reply_days
        if message.direction is Direction.OUTBOUND:
            theirs = (m for m in c.messages if m.direction is Direction.INBOUND and m.channel == message.channel)
            return any(_within(message, m, days) for m in theirs)
        if not _within(message, c.last, days):
            return False
        ours = c.last.direction is Direction.OUTBOUND and c.last.channel == message.channel and "?" in c.last.text
        return ours or (newest and not words)


def _within(message: Message, earlier: Message, days: float) -> bool:
    return message.at - earlier.at <= timedelta(days=days)


class Threader:
    """Conversations that grow message by message, whatever the order in which messages arrive.

    A late message is put where it belongs in time; what came after it for this contact is judged again, so that the
    result is that of `thread` on all messages.

    Parameters
    ----------
    rules : ThreadRules
    owners : mapping of reference to contact, optional
        Whose orders, bookings and cases are whose: a message of nobody known that names one is that contact's.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> threads = Threader(owners={"A-17": "c7"})
    >>> def at(hour): return datetime(2026, 6, 1, hour, tzinfo=UTC)
    >>> print(threads.observe(Message(id="note", at=at(15), channel="counter", direction="inbound",
    ...                               text="Came to ask about order A-17")))
    note opened a conversation: order:A-17
    >>> print(threads.observe(Message(id="mail", contact="c7", at=at(9), channel="email", direction="inbound",
    ...                               text="Where is my order A-17?")))
    mail opened a conversation: order:A-17
    >>> threads.conversations()
    Conversations(1 conversation, 2 messages)
    """

    def __init__(self, rules: ThreadRules | None = None, *, owners: Mapping[str, str] | None = None) -> None:
        self.rules = rules if rules is not None else ThreadRules()
        self._owners = {same_reference(reference): contact for reference, contact in (owners or {}).items()}
        self._contacts: dict[str | tuple[str], _Contact] = {}
        self._known: dict[str, Message] = {}

    def __repr__(self) -> str:
        return f"Threader({len(self._known)} messages)"

    def _key(self, message: Message) -> str | tuple[str]:
        if message.contact is not None:
            return message.contact
        owners = {self._owners[k] for k in map(same_reference, message.named) if k in self._owners}
        return owners.pop() if len(owners) == 1 else (message.id,)  # a stranger, or of two people: by itself

    def observe(self, message: Message, /) -> Joined:
        """Take one message in and say which conversation it joined or opened; a repeat changes nothing.

        Raises
        ------
        DuplicateIds
            Another message has this id.
        """
        return self._take(message, topic_words([message.text])[0])

    def _take(self, message: Message, words: frozenset[str]) -> Joined:
        key = self._key(message)
        before = self._known.get(message.id)
        if before is not None:
            if before != message:
                raise DuplicateIds("messages", 1, (0,), "a message does not change: give a new one a new id")
            return self._joined(key, message.id)
        self._known[message.id] = message
        book = self._contacts.get(key)
        if book is None:
            book = self._contacts[key] = _Contact(self.rules)
        if not book.messages or book.messages[-1][0].place < message.place:
            return book.fold(message, words)
        fresh = _Contact(self.rules)
        for m, w in sorted([*book.messages, (message, words)], key=lambda pair: pair[0].place):
            fresh.fold(m, w)
        self._contacts[key] = fresh
        return self._joined(key, message.id)

    def _joined(self, key: str | tuple[str], message_id: str) -> Joined:
        return next(j for c in self._contacts[key].open for j in c.joins if j.message == message_id)

    def conversations(self) -> Conversations:
        """All conversations so far, by the time and id of their first message."""
        made = [
            Conversation(
                id=c.id,
                contact=key if isinstance(key, str) else None,
                messages=tuple(c.messages),
                joins=tuple(c.joins),
            )
            for key, book in self._contacts.items()
            for c in book.open
        ]
        return Conversations(tuple(sorted(made, key=lambda c: c.messages[0].place)))


def thread(
    messages: Iterable[Message], *, rules: ThreadRules | None = None, owners: Mapping[str, str] | None = None
) -> Conversations:
    """Conversations of all messages, each with the reason why its messages belong to it.

    Parameters
    ----------
    messages : iterable of Message
        In any order; repeats are dropped.
    rules : ThreadRules, optional
    owners : mapping of reference to contact, optional
        See `Threader`.

    Raises
    ------
    DuplicateIds
        Different messages share an id.
    """
    ordered = distinct(messages)
    made = Threader(rules, owners=owners)
    for message, words in zip(ordered, topic_words([m.text for m in ordered]) if ordered else [], strict=True):
        made._take(message, words)
    return made.conversations()
