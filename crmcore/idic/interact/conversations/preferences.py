"""What customers say they like: kept with source and time, and stronger than what was inferred."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from crmcore._base import aware, check_aware, html_table, listed, mask
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import EmptyInput, WrongType
from crmcore.values.words import word

__all__ = ["HeardPreference", "Origin", "Preference", "Preferences", "Statement", "hear_preferences"]


class Origin(enum.StrEnum):
    """Where a preference comes from."""

    DECLARED = "declared"  # the customer said so
    INFERRED = "inferred"  # somebody concluded so
    WITHDRAWN = "withdrawn"  # the customer took back what was declared before


def _origin(value: Origin | str) -> Origin:
    return word(Origin, value, "origin")


@attrs.frozen(kw_only=True)
class Statement(Document):
    """One thing that was said or concluded about what a customer prefers.

    Parameters
    ----------
    customer, topic : text
        Such as "c7", "milk".
    value : text
        Such as "oat milk"; "" for a withdrawal.
    at : aware datetime
    source : text
        Where it was said, or what concluded it: "chat m7", "orders of 2026".
    origin : Origin
    likes : truth
        False: avoids this.
    """

    customer: str = attrs.field(repr=mask)
    topic: str
    value: str = ""
    at: datetime = attrs.field(validator=aware, repr=datetime.isoformat)
    source: str
    origin: Origin = attrs.field(default=Origin.DECLARED, converter=_origin, repr=str)
    likes: bool = True

    def __attrs_post_init__(self) -> None:
        if self.at is None:
            raise WrongType("at", "None", "an aware datetime", "say when it was said")
        if not self.source or not self.topic:
            raise EmptyInput("topic or source of a Statement", "say what about, and where it was said")
        if not self.value and self.origin is not Origin.WITHDRAWN:
            raise EmptyInput("value of a Statement", "only a withdrawal has none")

    @property
    def place(self) -> tuple[datetime, str, str, bool, str]:
        """What orders statements: time, then their words."""
        return self.at, self.source, self.value, self.likes, self.origin


@attrs.frozen(kw_only=True)
class Preference(Document):
    """What holds for one customer and topic at an instant, why, and what else was said.

    `statement` is None where nothing holds; `others` are statements that lost, newest first.
    """

    topic: str
    statement: Statement | None
    why: str
    others: tuple[Statement, ...]

    @property
    def value(self) -> str | None:
        """What is preferred (or avoided, where `statement.likes` is false); None where nothing holds."""
        return None if self.statement is None else self.statement.value

    def __str__(self) -> str:
        if self.statement is None:
            return f"{self.topic}: nothing holds ({self.why})"
        s = self.statement
        return (
            f"{self.topic}: {'' if s.likes else 'not '}{s.value} ({s.origin} {s.at:%Y-%m-%d}, {s.source}; {self.why})"
        )


def _statements(value: Iterable[Statement]) -> tuple[Statement, ...]:
    given = listed(value, "statements", Statement, what="statements", hint="pass Statement(...) values")
    return tuple(sorted(set(given), key=lambda s: (s.customer, s.topic, s.place)))


@attrs.frozen(repr=False)
class Preferences(Document):
    """Statements of many customers; nothing is overwritten, so every earlier day can be asked.

    Declared beats inferred, newer beats older of its kind, and a withdrawal takes back what was declared before it:
    then what was inferred holds. The order in which statements arrive does not matter; `a + b` is both.

    Examples
    --------
    >>> from datetime import UTC
    >>> def day(d): return datetime(2026, 6, d, tzinfo=UTC)
    >>> book = Preferences([
    ...     Statement(customer="c7", topic="milk", value="oat milk", at=day(1), source="chat"),
    ...     Statement(customer="c7", topic="milk", value="whole milk", at=day(9), source="orders", origin="inferred")])
    >>> print(book.of("c7", "milk", now=day(10)))
    milk: oat milk (declared 2026-06-01, chat; declared beats inferred)
    """

    statements: tuple[Statement, ...] = attrs.field(default=(), converter=_statements)

    def __len__(self) -> int:
        return len(self.statements)

    def __repr__(self) -> str:
        return f"Preferences({len(self)} statements, {len({s.customer for s in self.statements})} customers)"

    def __add__(self, other: Preferences | Statement) -> Preferences:
        return Preferences((*self.statements, *(other.statements if isinstance(other, Preferences) else (other,))))

    def of(self, customer: str, topic: str, /, *, now: datetime) -> Preference:
        """What holds at an instant; later statements are not looked at."""
        check_aware(now, "now")
        return _decide(
            topic, [s for s in self.statements if (s.customer, s.topic) == (customer, topic) and s.at <= now]
        )

    def current(self, *, now: datetime) -> dict[tuple[str, str], Preference]:
        """What holds for every customer and topic, in one pass; equal to `of` for each."""
        check_aware(now, "now")
        groups: dict[tuple[str, str], list[Statement]] = {}
        for s in self.statements:
            if s.at <= now:
                groups.setdefault((s.customer, s.topic), []).append(s)
        return {key: _decide(key[1], said) for key, said in groups.items()}

    def to_frame(self, *, now: datetime, backend: Any = None) -> Any:
        """One row a customer and topic: customer, topic, value (None: nothing holds), likes, origin, source, why."""
        rows = [
            (c, t, p.value, p.statement and p.statement.likes, p.statement and str(p.statement.origin),
             p.statement and p.statement.source, p.why)
            for (c, t), p in self.current(now=now).items()
        ]  # fmt: skip
        names = ("customer", "topic", "value", "likes", "origin", "source", "why")
        return write_frame({n: [row[i] for row in rows] for i, n in enumerate(names)}, backend=backend)

    def _repr_html_(self) -> str:
        counts: dict[str, int] = {}
        for s in self.statements:
            counts[str(s.origin)] = counts.get(str(s.origin), 0) + 1
        return html_table([{"origin": o, "statements": n} for o, n in sorted(counts.items())], caption=repr(self))


def _decide(topic: str, said: Sequence[Statement]) -> Preference:
    newest = sorted(said, key=lambda s: s.place, reverse=True)
    withdrawn = next((s for s in newest if s.origin is Origin.WITHDRAWN), None)
    declared = [s for s in newest if s.origin is Origin.DECLARED and (withdrawn is None or s.at > withdrawn.at)]
    inferred = [s for s in newest if s.origin is Origin.INFERRED]
    best = next(iter(declared or inferred), None)
    if best is None:
        why = "withdrawn" if withdrawn else "nothing was said"
    elif declared:
        newer = "newer beats older" if len(declared) > 1 else "declared"
        why = "declared beats inferred" if inferred else newer
    else:
        why = "what was declared is withdrawn" if withdrawn else "inferred, nothing declared"
    return Preference(topic=topic, statement=best, why=why, others=tuple(s for s in newest if s != best))


@attrs.frozen(kw_only=True)
class HeardPreference(Document):
    """What was read from a text: statements, and sentences that talk of a wish but were not understood."""

    statements: tuple[Statement, ...]
    not_understood: tuple[str, ...] = attrs.field(repr=lambda said: f"<{len(said)} sentences>")


_LIKE = re.compile(
    r"\bi(?:'d| would)?(?: \w+ly| always| rather| just| do)*"
    r" (?:prefer|like|love|favou?r|enjoy|(?<=rather )have|(?<=rather )take)(?! to\b)"
    r" (?P<likes>[^,.;!?]+?)(?: (?:to|over|than|instead of|rather than) (?P<than>[^,.;!?]+))?"
    r"(?= because\b| please\b|[,.;!?]|$)"
)
_AVOID = re.compile(
    r"\bi(?:'m| am)? (?:(?:really |absolutely )?(?:do not|don't|can't|cannot|never|won't)"
    r" (?:like|love|want|drink|eat|take|prefer|enjoy|stand)"
    r"|hate|dislike|avoid|(?:am )?allergic to) (?P<avoids>[^,.;!?]+?)(?= because\b| please\b|[,.;!?]|$)"
)
_WISH = re.compile(
    r"\b(?:prefer\w*|favou?rite|rather|allergic|hate|dislike|only want|please (?:no|don't|always|never))\b"
)
_CLAUSE = re.compile(r"(?:when|if|that|how|what|where|you|your|to)\b")  # a sentence of its own: not a thing
_TAIL = re.compile(r" (?:in|on|for|with|at|from|as|when|if) .*$")
_LEAD = re.compile(r"^(?:(?:a|an|the|my|some|any|it|with|to have|having)\s+)+")


def hear_preferences(
    text: str,
    /,
    *,
    customer: str,
    at: datetime,
    source: str,
    topics: Mapping[str, Iterable[str]] | None = None,
) -> HeardPreference:
    """Read declared preferences from plain English: "I prefer oat milk", "I don't like window seats".

    Parameters
    ----------
    text : text
        What the customer said.
    customer, at, source
        As in `Statement`.
    topics : mapping of topic to words, optional
        What each topic is about: `{"milk": ["oat milk", "soy"]}`. A value that none of them
        names has its last word as the topic.

    Returns
    -------
    HeardPreference
        A small set of ways to say it is read; sentences with the word of a wish that fit none are said back.

    Examples
    --------
    >>> from datetime import UTC
    >>> heard = hear_preferences("I prefer oat milk. Please never before nine!", customer="c7", source="chat",
    ...                          at=datetime(2026, 6, 1, tzinfo=UTC))
    >>> heard.statements[0].topic, heard.statements[0].value, heard.not_understood
    ('milk', 'oat milk', ('Please never before nine!',))
    """
    check_aware(at, "at")
    known = {w.casefold(): topic for topic, words in (topics or {}).items() for w in (topic, *words)}
    made: list[Statement] = []
    lost: list[str] = []
    for sentence in re.findall(r"[^.!?\n]+[.!?]*", text.replace("\u2019", "'")):
        said = " ".join(sentence.lower().split())
        avoided = _AVOID.search(said)
        liked = None if avoided else _LIKE.search(said)
        parts = (
            [(avoided["avoids"], False)]
            if avoided
            else [(liked["likes"], True)]
            if liked and not said.endswith("?")
            else []
        )
        if not parts and _WISH.search(said):
            lost.append(sentence.strip())
        for value, likes in parts:
            plain = _TAIL.sub("", _LEAD.sub("", value.strip()))
            if _CLAUSE.match(plain):
                lost.append(sentence.strip())
            elif plain:
                topic = _topic(plain, known)
                made.append(Statement(customer=customer, topic=topic, value=plain, at=at, source=source, likes=likes))
    return HeardPreference(statements=tuple(made), not_understood=tuple(lost))


def _topic(value: str, known: Mapping[str, str]) -> str:
    named = [w for w in known if re.search(rf"(?<!\w){re.escape(w)}(?!\w)", value)]
    return known[max(named, key=lambda w: (len(w), w))] if named else value.split()[-1]
