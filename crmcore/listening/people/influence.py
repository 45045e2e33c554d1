"""Influence: who moves others to speak; an audience that can be bought does not count."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table, mask
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.graphs import Graph
from crmcore.listening.people.talking import Conversations
from crmcore.metrics.columns import columns_frame
from crmcore.tables import MentionTable

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Influence", "rank_influence"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Influence:
    """Authors by influence, most first; row i of every column is one author. Made by `rank_influence`.

    Parameters
    ----------
    author : names
    score : (n,) numbers
        1 = as much as the average author.
    engaged : (n,) counts
        Different authors who answered.
    answers : (n,) counts
        Answers of others.
    reach : (n,) people
        Largest audience told for the author, beside the score for comparison only; NaN = unknown.
    """

    author: tuple[str, ...]
    score: Floats
    engaged: Ints
    answers: Ints
    reach: Floats

    def __len__(self) -> int:
        return len(self.author)

    def __repr__(self) -> str:
        return f"Influence({len(self)} authors)"

    def __str__(self) -> str:
        rows = range(min(len(self), 5))
        told = [f"  {i + 1}. {self.score[i]:.3g}, answered by {self.engaged[i]} people" for i in rows]
        return "\n".join([f"{len(self)} authors, 1 = average", *told])

    def of(self, author: str, /) -> float:
        """Score of one author.

        Raises
        ------
        OutOfRange
            Nobody of this name wrote.
        """
        if author not in self.author:
            raise OutOfRange("author", mask(author), "an author of the mentions", "take one of mentions.author")
        return float(self.score[self.author.index(author)])

    def to_frame(self, backend: Any = None) -> Any:
        """One row an author, with names."""
        names = ("author", "score", "engaged", "answers", "reach")
        return columns_frame({name: getattr(self, name) for name in names}, backend=backend)

    def _repr_html_(self) -> str:
        names = ("score", "engaged", "answers", "reach")
        rows = [{n: round(getattr(self, n)[i].item(), 3) for n in names} for i in range(min(len(self), 10))]
        return html_table(rows, caption=f"{len(self)} authors by influence")

    def chart(self, *, limit: int = 10) -> Chart:
        """Scores of the most influential authors, by rank and without names."""
        from crmcore.charts import bar

        shown = range(min(limit, len(self)))
        labels = [f"{i + 1}: answered by {self.engaged[i]}" for i in shown]
        return bar(labels, self.score[: len(labels)].tolist(), title="Influence, 1 = average author", axis="score")


def rank_influence(
    talk: Conversations, /, *, trusted: Collection[str] | None = None, restart: float = 0.15
) -> Influence:
    """Score authors by whom they move to answer.

    The share of time that a walk spends on an author who follows answers back to those who were answered (personalised
    PageRank), times the number of authors. The walk begins, and begins again, only at authors whom somebody trusts:
    those named, else the ones who are linked to customers, else those whom others have answered. Followers never enter,
    and accounts that answer without ever being answered give nothing: neither can be bought. The weight of an answerer
    grows with the logarithm of his answers, so that shouting does not pay.

    Parameters
    ----------
    talk
        From `conversations`.
    trusted : names
        Authors at whom the walk begins, such as known customers and staff.
    restart : share
        Of going back to a trusted author at each step.

    Raises
    ------
    EmptyInput
        No author answered another.
    OutOfRange
        None of the trusted wrote.

    Examples
    --------
    >>> from crmcore.listening.people import conversations
    >>> posts = MentionTable.from_frame({
    ...     "mention_id": ["1", "2", "3", "4"], "text": ["a", "b", "c", "d"], "author": ["ann", "ben", "cyd", "ann"],
    ...     "reply_to": [None, "1", "1", "2"],
    ... })
    >>> found = rank_influence(conversations(posts))
    >>> found.author[0], found.engaged.tolist()
    ('ann', [2, 1, 0])
    """
    table, forest = talk.mentions, talk.forest
    names = table.author.values
    code = table.author.codes.astype(np.int64)
    who, whom = code, np.where(forest.parent >= 0, code[forest.parent], -1)
    real = (who >= 0) & (whom >= 0) & (who != whom)
    if not real.any():
        raise EmptyInput("answers", "link replies by reply_to: influence is read from who answers whom")
    pair, times = np.unique(who[real] * len(names) + whom[real], return_counts=True)
    source, target = np.divmod(pair, len(names))
    engaged = np.bincount(target, minlength=len(names))
    graph = Graph(nodes=names, source=source, target=target, weight=np.log1p(times))
    score = graph.walk_shares(_start(table, engaged, trusted), restart=restart) * len(names)
    order = np.array(sorted(range(len(names)), key=lambda i: (-score[i], -engaged[i], names[i])), np.int64)
    reach = np.full(len(names), np.nan)
    known = (code >= 0) & ~np.isnan(table.reach)
    np.fmax.at(reach, code[known], table.reach[known])
    return Influence(
        author=tuple(names[i] for i in order),
        score=score[order],
        engaged=engaged[order].astype(np.int64),
        answers=np.bincount(whom[real], minlength=len(names))[order].astype(np.int64),
        reach=reach[order],
    )


def _start(table: MentionTable, engaged: Ints, trusted: Collection[str] | None) -> Floats:
    """(n_authors,) weights of where the walk begins."""
    names = table.author.values
    if trusted is not None:
        known = set(trusted)
        start = np.array([name in known for name in names], np.float64)
        if not start.any():
            raise OutOfRange(
                "trusted", f"{len(known)} names", "authors of the mentions", "spell them as the mentions do"
            )
        return start
    linked = np.unique(table.author.codes[(table.customer >= 0) & (table.author.codes >= 0)])
    start = np.zeros(len(names))
    start[linked] = 1.0
    return start if len(linked) else (engaged > 0).astype(np.float64)
