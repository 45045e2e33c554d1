"""What a query is made of; each part prints as the text that it is read from."""

from __future__ import annotations

from typing import TypeAlias

import attrs

from crmcore.documents import Document

__all__ = ["All", "Any", "Field", "Near", "Node", "Not", "Phrase", "Word", "positional"]


@attrs.frozen
class Word(Document):
    """One word, tag, handle or emoji; ``*`` stands for any letters, ``?`` for one; ``raw`` heeds capitals."""

    text: str
    raw: bool = False

    def __str__(self) -> str:
        return f"raw:{_quoted(self.text)}" if self.raw else _quoted(self.text)


@attrs.frozen
class Phrase(Document):
    """Words that follow each other; punctuation between them does not count."""

    words: tuple[str, ...]
    raw: bool = False

    def __str__(self) -> str:
        return ("raw:" if self.raw else "") + '"' + " ".join(self.words) + '"'


@attrs.frozen
class Near(Document):
    """Two parts with at most `words` other words between them; `ordered`: the left one comes first."""

    left: Node
    right: Node
    words: int
    ordered: bool = False

    def __str__(self) -> str:
        return f"{_inner(self.left)} NEAR/{self.words}{'f' if self.ordered else ''} {_inner(self.right)}"


@attrs.frozen
class Field(Document):
    """A fact about the post: ``author:ann``, ``site:*.org``, ``time:2026-03-01..2026-03-31``, ``reach:1000..``."""

    name: str
    value: str

    def __str__(self) -> str:
        return f"{self.name}:{_quoted(self.value)}"


@attrs.frozen
class Not(Document):
    """The part does not hold."""

    part: Node

    def __str__(self) -> str:
        return f"NOT {_inner(self.part)}"


@attrs.frozen
class All(Document):
    """All parts hold."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " AND ".join(map(_inner, self.parts))


@attrs.frozen
class Any(Document):
    """At least one part holds."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " OR ".join(map(_inner, self.parts))


Node: TypeAlias = Word | Phrase | Near | Field | Not | All | Any


def _inner(part: Node) -> str:
    return f"({part})" if isinstance(part, All | Any | Near) else str(part)


def _quoted(text: str) -> str:
    return f'"{text}"' if not text or any(c in text for c in ' ()"') or text in ("AND", "OR", "NOT") else text


def positional(part: Node) -> bool:
    """Whether a part has places in a text, as NEAR needs: words, phrases, NEAR, and alternatives of these."""
    if isinstance(part, Word | Phrase | Near):
        return True
    return isinstance(part, Any) and all(map(positional, part.parts))
