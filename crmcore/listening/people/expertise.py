"""What a member knows: answers, acceptance and recency by topic."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, mask, number_text
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange, UnknownName
from crmcore.listening.people.answers import Answers
from crmcore.listening.people.experts import Expert, answer_texts, ranked, weighed
from crmcore.listening.people.talking import Conversations
from crmcore.metrics.estimates import Estimate, check_level, frame_of
from crmcore.text import SearchIndex

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Expertise", "ExpertiseProfile", "expertise_profile"]


@attrs.frozen(kw_only=True)
class Expertise(Document):
    """What a member has shown on one topic.

    Parameters
    ----------
    topic : name
    score : weighted answers
        As `rank_experts` counts them; comparable between topics and members.
    rank : position
        Among all who answered on the topic.
    answers, accepted : counts
    acceptance : share
        Drawn towards the share of all who answer on the topic.
    last_days : days
        Since the latest answer.
    """

    topic: str
    score: float
    rank: int
    answers: int
    accepted: int
    acceptance: Estimate
    last_days: float

    def __str__(self) -> str:
        told = f"{self.answers} answers, {self.accepted} accepted, rank {self.rank}"
        return f"{self.topic}: score {number_text(self.score)} ({told})"


@attrs.frozen(kw_only=True)
class ExpertiseProfile(Document):
    """Areas of expertise of one member, strongest first; made by `expertise_profile`."""

    author: str = attrs.field(repr=mask)
    areas: tuple[Expertise, ...]

    def __len__(self) -> int:
        return len(self.areas)

    def __str__(self) -> str:
        return "\n".join(map(str, self.areas)) or "no answer on any topic"

    @property
    def top(self) -> Expertise:
        """Strongest area.

        Raises
        ------
        EmptyInput
            The member answered on no topic.
        """
        if not self.areas:
            raise EmptyInput("areas", "the member has answered nothing on these topics")
        return self.areas[0]

    def to_frame(self, backend: Any = None) -> Any:
        """One row a topic."""
        rows = [
            {
                "topic": a.topic,
                "score": a.score,
                "rank": a.rank,
                "answers": a.answers,
                "accepted": a.accepted,
                "acceptance": a.acceptance.value,
                "low": a.acceptance.low,
                "high": a.acceptance.high,
                "last_days": a.last_days,
            }
            for a in self.areas
        ]
        return frame_of(rows, backend=backend)

    def _repr_html_(self) -> str:
        names = ("topic", "score", "answers", "accepted")
        rows = [{name: getattr(area, name) for name in names} for area in self.areas]
        return html_table(rows, caption="Areas of expertise")

    def chart(self) -> Chart:
        """Score by topic."""
        from crmcore.charts import bar

        labels, scores = [a.topic for a in self.areas], [a.score for a in self.areas]
        return bar(labels, scores, title="Areas of expertise", axis="score")


def expertise_profile(
    talk: Conversations,
    author: str,
    /,
    *,
    topics: str | Mapping[str, str],
    accepted: str | ArrayLike | None = None,
    now: datetime,
    half_life_days: float = 60.0,
    accepted_weight: float = 3.0,
    level: float = 0.95,
) -> ExpertiseProfile:
    """Profile of one member over topics.

    Parameters
    ----------
    author : name
    topics : attribute, or names with words
        Either the attribute of first posts that names their topic, or words by topic: an answer belongs to each topic
        whose words its question or its own text holds.
    accepted, now, half_life_days, accepted_weight, level
        As in `rank_experts`.

    Raises
    ------
    UnknownName, OutOfRange
        No such attribute; nobody of this name wrote.

    Examples
    --------
    >>> from datetime import UTC
    >>> from crmcore.listening.people import conversations
    >>> from crmcore.tables import MentionTable
    >>> posts = MentionTable.from_frame({
    ...     "mention_id": ["1", "2"], "text": ["Refund?", "Ask billing"], "author": ["a", "b"],
    ...     "reply_to": [None, "1"], "topic": ["billing", None],
    ... })
    >>> print(expertise_profile(conversations(posts), "b", topics="topic", now=datetime(2026, 3, 1, tzinfo=UTC)))
    billing: score 1 (1 answers, 0 accepted, rank 1)
    """
    names = talk.mentions.author.values
    if author not in names:
        raise OutOfRange("author", mask(author), "an author of the mentions", "take one of mentions.author")
    check_level(level)
    given, weight = weighed(
        talk, accepted=accepted, now=now, half_life_days=half_life_days, accepted_weight=accepted_weight
    )
    found = list[Expertise]()
    for topic, on in _answers_on(talk, given, topics).items():
        if (given.author[on] == names.index(author)).any():
            ranking = ranked(given.where(on), weight[on], topic=topic, level=level, half_life_days=half_life_days)
            found.append(_area(topic, ranking.of(author)))
    return ExpertiseProfile(author=author, areas=tuple(sorted(found, key=lambda area: (-area.score, area.topic))))


def _area(topic: str, member: Expert) -> Expertise:
    return Expertise(
        topic=topic,
        score=member.score,
        rank=member.rank,
        answers=member.answers,
        accepted=member.accepted,
        acceptance=member.acceptance,
        last_days=member.last_days,
    )


def _answers_on(talk: Conversations, given: Answers, topics: str | Mapping[str, str]) -> dict[str, NDArray[np.bool_]]:
    """Which answers belong to each topic."""
    if isinstance(topics, str):
        if topics not in talk.mentions.attributes:
            raise UnknownName("attribute", topics, tuple(talk.mentions.attributes))
        column = talk.mentions.attributes[topics]
        code = column.codes[given.question]
        return {name: code == i for i, name in enumerate(column.values)}
    found = SearchIndex.of(answer_texts(talk, given)).scores(list(topics.values())).toarray() > 0
    return dict(zip(topics, found, strict=True))
