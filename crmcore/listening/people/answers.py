"""Answers of a community: who answered whose question, with which text, and whether it was accepted."""

from __future__ import annotations

from datetime import datetime

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import BadRow, BadRows, OutOfRange, UnknownName
from crmcore.listening.people.talking import Conversations
from crmcore.metrics.columns import instant, truths
from crmcore.values.words import YES_OR_NO

__all__ = ["Answers", "answers_of", "flags"]

Ints = NDArray[np.int64]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Answers:
    """Answers to the first posts of others; row i of every column is one answer."""

    row: Ints  # of the mentions
    question: Ints  # row of the first post
    author: Ints  # code into `names`
    names: tuple[str, ...]
    accepted: NDArray[np.bool_]
    age_days: NDArray[np.float64]  # before `now`; NaN where the time is unknown

    def __len__(self) -> int:
        return len(self.row)

    def where(self, kept: NDArray[np.bool_], /) -> Answers:
        """Keep the answers of a mask."""
        return Answers(
            row=self.row[kept],
            question=self.question[kept],
            author=self.author[kept],
            names=self.names,
            accepted=self.accepted[kept],
            age_days=self.age_days[kept],
        )

    def __repr__(self) -> str:
        return (
            f"Answers({len(self)} answers, {len(np.unique(self.author))} authors, {int(self.accepted.sum())} accepted)"
        )


def flags(talk: Conversations, accepted: str | ArrayLike | None, /) -> NDArray[np.bool_]:
    """(n,) truths about the mentions: a column, or an attribute with words such as 1, true, yes; missing is no.

    Raises
    ------
    UnknownName, BadRows
        No such attribute; words that are neither yes nor no.
    """
    n = len(talk.mentions)
    if accepted is None:
        return np.zeros(n, np.bool_)
    if not isinstance(accepted, str):
        found = truths("accepted", accepted)
        if len(found) != n:
            raise OutOfRange(
                "length of accepted", len(found), f"{n}, one a mention", "pass the column of the same rows"
            )
        return found
    if accepted not in talk.mentions.attributes:
        raise UnknownName("attribute", accepted, tuple(talk.mentions.attributes))
    column = talk.mentions.attributes[accepted]
    read = [YES_OR_NO.get(value.strip().casefold()) for value in column.values]
    odd = np.array([*(r is None for r in read), False])[column.codes]
    if odd.any():
        problem = BadRow(accepted, "neither yes nor no", tuple(np.flatnonzero(odd).tolist()))
        raise BadRows("mentions", (problem,), "write 1 or 0, true or false, yes or no")
    return np.array([*(r is True for r in read), False])[column.codes]


def answers_of(talk: Conversations, /, *, accepted: str | ArrayLike | None, now: datetime) -> Answers:
    """Answers that others gave before `now`; whoever answers his own question gives no help that counts."""
    table, forest = talk.mentions, talk.forest
    code = table.author.codes.astype(np.int64)
    rows = np.flatnonzero((forest.depth > 0) & (code >= 0) & (code != code[forest.root]))
    at = instant("now", now)
    rows = rows[~(table.time[rows] > at)]  # an unknown time is kept
    age = (at - table.time[rows]) / np.timedelta64(1, "D")
    return Answers(
        row=rows,
        question=forest.root[rows],
        author=code[rows],
        names=table.author.values,
        accepted=flags(talk, accepted)[rows],
        age_days=np.where(np.isnat(table.time[rows]), np.nan, age),
    )
