"""Best practices: what solved one problem several times, as one entry with all its sources."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table
from crmcore.listening.people.answers import answers_of
from crmcore.listening.people.talking import Conversations
from crmcore.metrics.columns import columns_frame
from crmcore.metrics.scalars import count_of, share_of
from crmcore.text import count_terms, stems, tokenize
from crmcore.text.nearness import closeness as text_closeness
from crmcore.text.nearness import stars

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["BestPractice", "BestPractices", "best_practices"]

Ints = NDArray[np.int64]


@attrs.frozen(kw_only=True)
class BestPractice:
    """One problem and what solved it. Rows are positions in the mentions.

    Parameters
    ----------
    problem : row
        Question that is closest to all the others of the entry.
    questions : rows
        All questions of the entry.
    sources : rows
        Accepted answers, the most typical one first.
    people : count
        Different authors of the answers.
    agreed : stems
        Words that at least half of the answers share and that few other answers hold, most telling first.
    """

    problem: int
    questions: tuple[int, ...]
    sources: tuple[int, ...]
    people: int
    agreed: tuple[str, ...]

    def __str__(self) -> str:
        told = f"{len(self.questions)} questions, {len(self.sources)} accepted answers by {self.people} people"
        return f"{told}; agreed: {', '.join(self.agreed[:6]) or 'no words shared'}"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class BestPractices:
    """Entries, those with most sources first. Made by `best_practices`."""

    talk: Conversations = attrs.field(repr=False)
    entries: tuple[BestPractice, ...]

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, i: int) -> BestPractice:
        return self.entries[i]

    def __repr__(self) -> str:
        return f"BestPractices({len(self)} entries)"

    def __str__(self) -> str:
        return "\n".join(map(str, self.entries)) or "no problem was solved often enough"

    def to_frame(self, backend: Any = None) -> Any:
        """One row a source: entry, problem, id and text of the accepted answer."""
        table = self.talk.mentions
        entry = [i for i, e in enumerate(self.entries) for _ in e.sources]
        problem = np.array([e.problem for e in self.entries for _ in e.sources], np.int64)
        source = np.array([row for e in self.entries for row in e.sources], np.int64)
        return columns_frame(
            {
                "entry": entry,
                "problem": table.text.take(problem).to_list(),
                "source": table.mention_id.take(source).to_list(),
                "author": table.author.take(source).to_list(),
                "answer": table.text.take(source).to_list(),
            },
            backend=backend,
        )

    def _repr_html_(self) -> str:
        rows = [
            {
                "questions": len(e.questions),
                "sources": len(e.sources),
                "people": e.people,
                "agreed": ", ".join(e.agreed),
            }
            for e in self.entries[:10]
        ]
        return html_table(rows, caption=f"{len(self)} best practices")


def best_practices(
    talk: Conversations,
    /,
    *,
    accepted: str | ArrayLike,
    now: datetime,
    least_sources: int = 2,
    closeness: float = 0.3,
    language: str | None = "english",
) -> BestPractices:
    """Gather accepted answers of like questions.

    Two questions are as close as the mean of their BM25 scores for each other, each over the score for itself. Entries
    are stars (Aslam, Pelekhov and Rus 2004): the question with most close neighbours takes them, then the next that is
    left; so every question of an entry is close to its problem, and nothing is chained.

    Parameters
    ----------
    talk, accepted, now, language
        As in `rank_experts`.
    least_sources : count
        Accepted answers that an entry needs.
    closeness : share
        0.3 joins questions that share their telling words; higher keeps more apart.

    Examples
    --------
    >>> from datetime import UTC
    >>> from crmcore.listening.people import conversations
    >>> from crmcore.tables import MentionTable
    >>> posts = MentionTable.from_frame({
    ...     "mention_id": ["1", "2", "3", "4"], "author": ["a", "b", "c", "d"], "ok": ["0", "1", "0", "1"],
    ...     "text": ["App crashes on login", "Clear the cache", "Login crashes the app", "Clear cache first"],
    ...     "reply_to": [None, "1", None, "3"],
    ... })
    >>> print(best_practices(conversations(posts), accepted="ok", now=datetime(2026, 3, 1, tzinfo=UTC)))
    2 questions, 2 accepted answers by 2 people; agreed: cach, clear
    """
    share_of("closeness", closeness, hint="0.3 is usual")
    least = count_of("least_sources", least_sources, least=1)
    given = answers_of(talk, accepted=accepted, now=now)
    given = given.where(given.accepted)
    text = [words or "" for words in talk.mentions.text.to_list()]
    questions = np.unique(given.question)
    star = stars(text_closeness([text[row] for row in questions.tolist()], language=language), closeness)
    answers = stems(tokenize([text[row] for row in given.row.tolist()]), language=language)
    counts = count_terms(answers, orders=(1,))
    terms, holds = counts.terms, counts.counts.astype(bool).astype(np.float64).tocsr()
    of_answer = star[np.searchsorted(questions, given.question)]
    found = list[BestPractice]()
    for centre in np.unique(of_answer).tolist():
        mine = np.flatnonzero(of_answer == centre)
        if len(mine) < least:
            continue
        order, agreed = _typical(holds, mine, terms)
        found.append(
            BestPractice(
                problem=int(questions[centre]),
                questions=tuple(questions[star == centre].tolist()),
                sources=tuple(given.row[mine[order]].tolist()),
                people=len(np.unique(given.author[mine])),
                agreed=agreed,
            )
        )
    return BestPractices(talk=talk, entries=tuple(sorted(found, key=lambda e: (-len(e.sources), e.problem))))


def _typical(holds: csr_array, mine: Ints, terms: tuple[str, ...]) -> tuple[Ints, tuple[str, ...]]:
    """Answers of an entry from the most typical one on, and the words that they agree on."""
    within = np.asarray(holds[mine].sum(axis=0)).ravel()
    overall = np.asarray(holds.sum(axis=0)).ravel()
    rarity = np.log1p(holds.shape[0] / np.maximum(overall, 1.0))
    shared = np.flatnonzero(within >= max(len(mine) / 2, min(2, len(mine))))
    agreed = shared[np.lexsort((shared, -(within * rarity)[shared]))]
    typical = np.asarray(holds[mine] @ (within * rarity)).ravel() / np.maximum(np.sqrt(holds[mine].sum(axis=1)), 1.0)
    return np.lexsort((mine, -typical)).astype(np.int64), tuple(terms[i] for i in agreed[:8])
