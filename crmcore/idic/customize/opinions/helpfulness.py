"""Which reviews help: votes of readers, ordered by what is sure about the share whom they helped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike

from crmcore._base import html_table
from crmcore.documents import Document
from crmcore.metrics import Estimate, proportion
from crmcore.metrics.columns import same_length, truths
from crmcore.metrics.estimates import check_level, frame_of

__all__ = ["HelpfulReviews", "Helpfulness", "rank_helpful"]


@attrs.frozen(kw_only=True)
class Helpfulness(Document):
    """One review: votes that count, how many said that it helped, and the share with its interval."""

    review: str
    helpful: int
    votes: int
    share: Estimate | None

    @property
    def lower(self) -> float:
        """By what reviews are ordered: the lower end of the interval, 0 without votes."""
        return 0.0 if self.share is None else self.share.low


@attrs.frozen(kw_only=True, repr=False)
class HelpfulReviews(Document):
    """Reviews, those that help most for sure first.

    Parameters
    ----------
    rows : tuple of Helpfulness
        By the lower end of the interval, then the share, the votes, and the id.
    own : count
        Votes that authors gave to themselves: dropped.
    repeated : count
        Votes that a later one of the same reader for the same review replaced.
    unknown : count
        Votes for reviews that are not there.
    """

    rows: tuple[Helpfulness, ...]
    own: int
    repeated: int
    unknown: int

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rank: int) -> Helpfulness:
        return self.rows[rank]

    @property
    def order(self) -> tuple[str, ...]:
        """Ids, the most helpful first."""
        return tuple(row.review for row in self.rows)

    def __repr__(self) -> str:
        return f"HelpfulReviews({len(self)} reviews, {sum(r.votes for r in self.rows)} votes)"

    def __str__(self) -> str:
        lines = [f"{row.review}: {row.share or 'no votes'}" for row in self.rows]
        gone = (
            (self.own, "of authors for themselves"),
            (self.repeated, "replaced"),
            (self.unknown, "for no review here"),
        )
        return "\n".join([*lines, *(f"dropped: {n} {what}" for n, what in gone if n)])

    def _rows(self) -> list[dict[str, Any]]:
        nan = float("nan")
        return [
            {
                "review": r.review, "helpful": r.helpful, "votes": r.votes,
                "share": r.share.value if r.share else nan, "low": r.share.low if r.share else nan,
                "high": r.share.high if r.share else nan,
            }
            for r in self.rows
        ]  # fmt: skip

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a review: review, helpful, votes, share, low, high."""
        return frame_of(self._rows(), backend=backend)

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=repr(self))


def rank_helpful(
    authors: Mapping[str, str],
    review: Sequence[str],
    voter: Sequence[str],
    helpful: ArrayLike,
    *,
    level: float = 0.95,
) -> HelpfulReviews:
    """Order reviews by the lower end of the Wilson interval of the share of readers whom they helped.

    Nine of ten is a better share than ninety of a hundred and twenty, and says less.

    Parameters
    ----------
    authors : mapping of review to author
        All reviews that are ranked, those without votes too.
    review, voter : (n,) texts
        Of each vote, in the order of time: one reader has one vote a review, and the last counts.
    helpful : (n,) truths
    level : share

    Examples
    --------
    >>> votes = [("long", f"a{i}", i < 90) for i in range(120)] + [("short", f"b{i}", i < 9) for i in range(10)]
    >>> reviews, readers, said = zip(*votes)
    >>> rank_helpful({"long": "ann", "short": "bo"}, reviews, readers, said).order
    ('long', 'short')
    """
    check_level(level)
    said = truths("helpful", helpful)
    names, readers = np.array(list(review), object), np.array(list(voter), object)
    same_length("votes", review=names, voter=readers, helpful=said)
    last: dict[tuple[str, str], bool] = {}
    own = unknown = 0
    for name, reader, yes in zip(names.tolist(), readers.tolist(), said.tolist(), strict=True):
        if name not in authors:
            unknown += 1
        elif reader == authors[name]:
            own += 1
        else:
            last[name, reader] = yes
    votes, yes_votes = _counted(authors, last)
    rows = [
        Helpfulness(
            review=name, helpful=yes_votes[name], votes=votes[name],
            share=proportion(yes_votes[name], votes[name], level=level, small_sample_ok=True) if votes[name] else None,
        )
        for name in authors
    ]  # fmt: skip
    rows.sort(key=lambda r: (-r.lower, -(r.share.value if r.share else 0.0), -r.votes, r.review))
    return HelpfulReviews(rows=tuple(rows), own=own, repeated=len(names) - own - unknown - len(last), unknown=unknown)


def _counted(authors: Mapping[str, str], last: Mapping[tuple[str, str], bool]) -> tuple[dict[str, int], dict[str, int]]:
    votes, helpful = dict.fromkeys(authors, 0), dict.fromkeys(authors, 0)
    for (name, _), yes in last.items():
        votes[name] += 1
        helpful[name] += yes
    return votes, helpful
