"""Insights: a finding with its quotes and its test, what to do, who does it, and how we will know that it worked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import attrs

from crmcore._base import html_table
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.metrics.comparing import Comparison, p_text
from crmcore.metrics.estimates import frame_of
from crmcore.metrics.scalars import text_of
from crmcore.tables import MentionTable

__all__ = ["LEAST_QUOTES", "Insight", "Insights", "Play"]

LEAST_QUOTES = 3


def _said(_instance: object, attribute: attrs.Attribute[str], value: object) -> None:
    text_of(attribute.name, value, hint="say it in words that whoever acts on it understands")


@attrs.frozen(kw_only=True)
class Play(Document):
    """What to do about a thing, decided before it happens.

    Examples
    --------
    >>> Play(action="call the carrier", owner="logistics", follow_up="share of posts on late parcels").owner
    'logistics'
    """

    action: str = attrs.field(validator=_said)
    owner: str = attrs.field(validator=_said)
    follow_up: str = attrs.field(validator=_said)  # measure that tells whether it worked


@attrs.frozen(kw_only=True)
class Insight(Document):
    """One finding that somebody can act on.

    Parameters
    ----------
    about : name
        Of the thing that was looked at, such as "late delivery".
    finding : sentence
    quotes : ids of posts, at least 3
        That show it, most telling first.
    test : comparison
        Share of posts about it, there or now, against the rest or before.
    p_adjusted : probability
        Of such a difference by chance, with all that was looked at beside it.
    action, owner, follow_up : words
        As in `Play`.
    found_at : instant
    """

    about: str = attrs.field(validator=_said)
    finding: str = attrs.field(validator=_said)
    quotes: tuple[str, ...] = attrs.field(repr=lambda quotes: f"({len(quotes)} posts)")
    test: Comparison
    p_adjusted: float
    action: str = attrs.field(validator=_said)
    owner: str = attrs.field(validator=_said)
    follow_up: str = attrs.field(validator=_said)
    found_at: datetime | None = None

    def __attrs_post_init__(self) -> None:
        if len(set(self.quotes)) < LEAST_QUOTES:
            hint = "an insight that three posts cannot show is an anecdote: look at more posts, or do not report it"
            raise OutOfRange("number of different quotes", len(set(self.quotes)), f"{LEAST_QUOTES} or more", hint)
        if not 0 <= self.p_adjusted <= 1:
            raise OutOfRange("p_adjusted", self.p_adjusted, "0 to 1", "take it from the table of comparisons")

    @property
    def weight(self) -> float:
        """Smallest change that the test leaves possible, in shares of posts: insights are ranked by it."""
        low, high = self.test.difference.low, self.test.difference.high
        return 0.0 if low <= 0 <= high or math.isnan(low + high) else min(abs(low), abs(high))

    def __str__(self) -> str:
        return f"{self.finding} ({p_text(self.p_adjusted)}, {len(self.quotes)} quotes) -> {self.owner}: {self.action}"

    def quotes_from(self, mentions: MentionTable, /) -> tuple[str, ...]:
        """Texts of the quotes, as far as the mentions hold them."""
        text = dict(zip(mentions.mention_id.to_list(), mentions.text.to_list(), strict=True))
        return tuple(said for quote in self.quotes if (said := text.get(quote)))


def _by_weight(found: Iterable[Insight]) -> tuple[Insight, ...]:
    return tuple(sorted(found, key=lambda insight: (-insight.weight, insight.about)))


@attrs.frozen(kw_only=True, repr=False)
class Insights(Document):
    """Insights by weight, heaviest first, and how many things were looked at to find them."""

    found: tuple[Insight, ...] = attrs.field(converter=_by_weight)
    looked_at: int

    def __len__(self) -> int:
        return len(self.found)

    def __iter__(self) -> Iterator[Insight]:
        return iter(self.found)

    def __getitem__(self, i: int) -> Insight:
        return self.found[i]

    def __repr__(self) -> str:
        return f"Insights({len(self)} of {self.looked_at} things looked at)"

    def __str__(self) -> str:
        ending, things = ("" if n == 1 else "s" for n in (len(self), self.looked_at))
        head = f"{len(self)} insight{ending} among {self.looked_at} thing{things} looked at"
        return "\n".join([head, *(f"  {i + 1}. {insight}" for i, insight in enumerate(self.found))])

    def of(self, owners: Sequence[str], /) -> Insights:
        """Those that belong to some owners."""
        return Insights(found=tuple(i for i in self.found if i.owner in owners), looked_at=self.looked_at)

    def to_frame(self, backend: Any = None) -> Any:
        """One row an insight.

        Raises
        ------
        EmptyInput
            Nothing was found.
        """
        if not self.found:
            raise EmptyInput("insights", "nothing was found: ask len() first")
        rows = [
            {
                "about": i.about,
                "finding": i.finding,
                "difference": i.test.difference.value,
                "low": i.test.difference.low,
                "high": i.test.difference.high,
                "p_adjusted": i.p_adjusted,
                "quotes": len(i.quotes),
                "owner": i.owner,
                "action": i.action,
                "follow_up": i.follow_up,
            }
            for i in self.found
        ]
        return frame_of(rows, backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"finding": i.finding, "owner": i.owner, "action": i.action} for i in self.found]
        return html_table(rows, caption=f"{len(self)} insights among {self.looked_at} things looked at", limit=10)
