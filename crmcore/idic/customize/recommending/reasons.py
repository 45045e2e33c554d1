"""Why an item is recommended: the purchases that carry its score, part by part."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

import attrs

from crmcore._base import html_table, mask, number_text
from crmcore._frames import write_frame
from crmcore.documents import Document

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Explanation", "Part", "Scope", "Source", "Suggestion"]


class Scope(enum.StrEnum):
    """What is looked for: items a customer never bought, those bought before, or both."""

    NEW = "new"
    AGAIN = "again"
    BOTH = "both"


class Source(enum.StrEnum):
    """Where an item of a list comes from."""

    HISTORY = "history"  # the items that the customer has
    AGAIN = "again"  # bought before, and likely once more
    SEGMENT = "segment"  # sells now among those alike
    POPULAR = "popular"  # sells now


@attrs.frozen
class Part(Document):
    """What one purchase adds to a score."""

    item: str
    adds: float
    days_ago: float | None = None
    baskets: int = 1

    def __str__(self) -> str:
        when = "" if self.days_ago is None else f", {self.days_ago:.0f} days ago"
        often = f", {self.baskets} times" if self.baskets > 1 else ""
        return f"{number_text(self.adds)}  {self.item}{often}{when}"


@attrs.frozen(kw_only=True)
class Suggestion(Document):
    """One item of a list.

    Attributes
    ----------
    item : id
    rank : from 1
    score : of the recommender; the probability to buy again where that is the source; a share of sales for filler
    source : where it comes from
    because : the purchase that adds most, where one does
    """

    item: str
    rank: int
    score: float
    source: Source
    because: str | None = None

    @property
    def why(self) -> str:
        """The reason in words."""
        return {
            Source.HISTORY: f"because of {self.because}" if self.because else "by the recommender",
            Source.AGAIN: "bought before",
            Source.SEGMENT: "sells now among customers alike",
            Source.POPULAR: "sells now",
        }[self.source]

    def __str__(self) -> str:
        return f"{self.rank}. {self.item} ({number_text(self.score)}, {self.why})"


@attrs.frozen(kw_only=True, repr=False)
class Explanation(Document):
    """Why an item has its score for one customer.

    Attributes
    ----------
    customer : id, masked for eyes
    item : id
    score : exactly the sum of what the parts add
    parts : the largest first; ties by item
    note : what the parts do not say
    """

    customer: str
    item: str
    score: float
    parts: tuple[Part, ...]
    note: str = ""

    def __repr__(self) -> str:
        return f"Explanation({mask(self.customer)}, {self.item!r}, {self.score:.4g} of {len(self.parts)} parts)"

    def __str__(self) -> str:
        lines = [f"{self.item}: {number_text(self.score)}", *(f"  {part}" for part in self.parts[:10])]
        if len(self.parts) > 10:
            rest = sum(part.adds for part in self.parts[10:])
            lines.append(f"  {number_text(rest)}  {len(self.parts) - 10} more")
        return "\n".join([*lines, f"  {self.note}"] if self.note else lines)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a part: item, adds, days_ago, baskets."""
        names = ("item", "adds", "days_ago", "baskets")
        return write_frame({n: [getattr(p, n) for p in self.parts] for n in names}, backend=backend)

    def chart(self) -> Chart:
        """The largest parts as bars."""
        from crmcore.charts import bar

        told = self.parts[:10]
        return bar([p.item for p in told], [p.adds for p in told], title=f"What speaks for {self.item}", axis="adds",
                   description="What each purchase adds to the score, the ten largest.")  # fmt: skip

    def _repr_html_(self) -> str:
        rows = [
            {"because of": p.item, "adds": p.adds, "days ago": p.days_ago, "baskets": p.baskets} for p in self.parts
        ]
        return html_table(rows, caption=f"{self.item}: {self.score:.4g} {self.note}".strip(), limit=10)
