"""Polls and question boxes: one vote each, whatever somebody sends; every vote that does not count says why."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import attrs

from crmcore._base import check_aware, listed, mask
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.metrics import ShareTable, share_table

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Counts", "Poll", "PollResult", "QuestionBox", "Rejected", "Vote", "sift"]


class Counts(enum.StrEnum):
    """Which vote of a person counts where there are several."""

    FIRST = "first"
    LAST = "last"


@attrs.frozen
class Vote(Document):
    """What one person chose; `id` breaks ties of votes sent at one instant."""

    voter: str = attrs.field(repr=mask)
    choice: str
    at: datetime
    id: str = ""


@attrs.frozen
class Rejected(Document):
    """A vote that does not count, and why."""

    voter: str = attrs.field(repr=mask)
    at: datetime
    reason: str


class Cast(Protocol):
    """What a vote of any kind has."""

    @property
    def voter(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def id(self) -> str: ...


V = TypeVar("V", bound=Cast)


def sift(
    votes: Iterable[V], /, *, faults: Mapping[int, str], counts: Counts, opens_at: datetime | None,
    closes_at: datetime | None, eligible: frozenset[str] | None,
) -> tuple[list[V], tuple[Rejected, ...]]:  # fmt: skip
    """Votes that count, one a person, in the order of time, and the others with their first reason.

    A vote that is spoiled, late or not allowed never takes the place of one that counts. Order: time, id, content.
    """
    given = list(votes)
    kept: dict[str, V] = {}
    out: list[Rejected] = []
    for i in sorted(range(len(given)), key=lambda i: (given[i].at, given[i].id, given[i].voter, repr(given[i]))):
        vote = given[i]
        reason = faults.get(i, "")
        if eligible is not None and vote.voter not in eligible:
            reason = "not a member who may vote"
        elif opens_at is not None and vote.at < opens_at:
            reason = "sent before the vote opened"
        elif closes_at is not None and vote.at >= closes_at:
            reason = "sent after the vote closed"
        if reason:
            out.append(Rejected(vote.voter, vote.at, reason))
        elif vote.voter not in kept:
            kept[vote.voter] = vote
        elif counts is Counts.FIRST:
            out.append(Rejected(vote.voter, vote.at, "second vote of one person: the first counts"))
        else:
            before = kept.pop(vote.voter)
            out.append(Rejected(before.voter, before.at, "replaced by a later vote of the same person"))
            kept[vote.voter] = vote
    return list(kept.values()), tuple(out)


def options_of(options: Sequence[str], name: str = "options") -> tuple[str, ...]:
    """Distinct names, at least two."""
    found = listed(options, name, str, what="texts", hint="['red', 'blue']")
    if len(found) < 2 or len(set(found)) < len(found) or not all(found):
        raise OutOfRange(name, found, "at least two names, each once", "['red', 'blue']")
    return found


def _members(eligible: Iterable[str] | None) -> frozenset[str] | None:
    return None if eligible is None else frozenset(listed(eligible, "eligible", str, what="ids", hint="['ann']"))


@attrs.frozen(kw_only=True)
class Poll:
    """A question with options, one vote each.

    Parameters
    ----------
    question : text
    options : names
        At least two.
    opens_at, closes_at : aware datetimes, optional
        Votes count from the first (inclusive) to the second (exclusive).
    eligible : ids, optional
        Who may vote; None is everybody.
    counts : Counts
        Which vote of a person counts: `"first"` (as in stories), or `"last"`, where people may change their mind.

    Examples
    --------
    >>> from datetime import UTC
    >>> at = datetime(2026, 5, 1, tzinfo=UTC)
    >>> poll = Poll(question="Which colour?", options=["red", "blue"])
    >>> found = poll.count([Vote("ann", "red", at, "1"), Vote("ann", "blue", at, "2"), Vote("ben", "red", at, "3")])
    >>> found.votes, found.rejected[0].reason
    ({'red': 2, 'blue': 0}, 'second vote of one person: the first counts')
    """

    question: str
    options: tuple[str, ...] = attrs.field(converter=options_of)
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    eligible: frozenset[str] | None = attrs.field(default=None, converter=_members, repr=False)
    counts: Counts = attrs.field(default=Counts.FIRST, converter=Counts)

    def __attrs_post_init__(self) -> None:
        for name in ("opens_at", "closes_at"):
            if getattr(self, name) is not None:
                check_aware(getattr(self, name), name)

    def count(self, votes: Iterable[Vote], /, *, level: float = 0.95) -> PollResult:
        """Count votes, with simultaneous (multinomial) intervals of the shares."""
        given = listed(votes, "votes", Vote, what="votes", hint="Vote(voter, choice, at)")
        faults = {i: "no option of the poll" for i, v in enumerate(given) if v.choice not in self.options}
        kept, out = sift(
            given, faults=faults, counts=self.counts, opens_at=self.opens_at, closes_at=self.closes_at,
            eligible=self.eligible,
        )  # fmt: skip
        tally = {option: sum(v.choice == option for v in kept) for option in self.options}
        return PollResult(self.question, tally, share_table(tally, level=level, small_sample_ok=True), out)


@attrs.frozen
class PollResult(Document):
    """Votes by option in the order of the poll, their shares with intervals, and what was not counted."""

    question: str
    votes: Mapping[str, int]
    shares: ShareTable
    rejected: tuple[Rejected, ...]

    @property
    def n(self) -> int:
        """Votes that count: as many people."""
        return sum(self.votes.values())

    def __str__(self) -> str:
        return f"{self.question}\n{self.shares}\n{self.n} votes, {len(self.rejected)} not counted"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an option: label, value, low, high, level, n, rule, method."""
        return self.shares.to_frame(backend=backend)

    def chart(self) -> Chart:
        """Shares with intervals."""
        return self.shares.chart(title=self.question)

    def _repr_html_(self) -> str:
        return self.shares._repr_html_()


@attrs.frozen(kw_only=True)
class QuestionBox:
    """Questions of a community to its brand: each person may vote once for each, never for their own.

    Parameters
    ----------
    questions : question id -> author
    answered : question ids

    Examples
    --------
    >>> from datetime import UTC
    >>> at = datetime(2026, 5, 1, tzinfo=UTC)
    >>> box = QuestionBox(questions={"q1": "ann", "q2": "ben"})
    >>> order, out = box.rank([Vote("ben", "q1", at), Vote("ben", "q1", at), Vote("ben", "q2", at)])
    >>> order, [r.reason for r in out]
    ((('q1', 1), ('q2', 0)), ['second vote of one person: the first counts', 'a vote for the own question'])
    """

    questions: Mapping[str, str] = attrs.field(repr=lambda q: f"<{len(q)}>")
    answered: tuple[str, ...] = attrs.field(default=(), converter=tuple)

    def rank(self, votes: Iterable[Vote], /) -> tuple[tuple[tuple[str, int], ...], tuple[Rejected, ...]]:
        """Open questions with their votes, most wanted first (ties by id), and the votes that do not count."""
        if not self.questions:
            raise EmptyInput("questions", "give at least one: {'q1': 'ann'}")
        given = listed(votes, "votes", Vote, what="votes", hint="Vote(voter, question, at)")
        lost = tuple(Rejected(v.voter, v.at, "no question of the box") for v in given if v.choice not in self.questions)
        counted: dict[str, int] = {}
        for q, author in self.questions.items():
            mine = [v for v in given if v.choice == q]
            own = {i: "a vote for the own question" for i, v in enumerate(mine) if v.voter == author}
            kept, out = sift(mine, faults=own, counts=Counts.FIRST, opens_at=None, closes_at=None, eligible=None)
            counted[q] = len(kept)
            lost += out
        order = sorted((q for q in counted if q not in self.answered), key=lambda q: (-counted[q], q))
        return tuple((q, counted[q]) for q in order), lost
