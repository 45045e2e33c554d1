"""Items that are praised for one thing and blamed for another, and how many people they reached."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, number_text
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.listening.aspects.opinions import AspectOpinions
from crmcore.metrics.columns import columns_frame, numbers, refuse, whole

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["ItemVerdicts", "Verdict", "item_verdicts"]


class Verdict(enum.StrEnum):
    """What an item as a whole says."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    MIXED = "mixed"  # at least one aspect praised and one blamed
    NEUTRAL = "neutral"  # aspects are named, none is praised or blamed
    SILENT = "silent"  # no aspect is named


@attrs.frozen(kw_only=True)
class VerdictTotal(Document):
    """Items of one verdict: how many, and how many people they reached where that is known."""

    verdict: Verdict
    items: int
    reach: float
    unreached: int


@attrs.frozen(eq=False, repr=False, kw_only=True)
class ItemVerdicts:
    """n items (posts, videos, reviews), each with what it praises and blames.

    Attributes
    ----------
    verdict : (n,) Verdict
    praised, blamed, neutral : (n,) tuples of aspect names
    net : (n,) numbers
        (praised - blamed) / (praised + blamed) in [-1, 1]; NaN where neither.
    reach : (n,) people
        NaN where unknown.
    """

    verdict: tuple[Verdict, ...]
    praised: tuple[tuple[str, ...], ...]
    blamed: tuple[tuple[str, ...], ...]
    neutral: tuple[tuple[str, ...], ...]
    net: NDArray[np.float64]
    reach: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.verdict)

    def __repr__(self) -> str:
        return f"ItemVerdicts({len(self)} items, {self.verdict.count(Verdict.MIXED)} mixed)"

    def __str__(self) -> str:
        lines = [
            f"{t.verdict:8}  {t.items:,} items, reach {number_text(t.reach)}"
            + (f" (+ {t.unreached:,} of unknown reach)" if t.unreached else "")
            for t in self.totals()
        ]
        return "\n".join(lines)

    def totals(self) -> tuple[VerdictTotal, ...]:
        """Items and reach by verdict, verdicts without items left out."""
        found = []
        for verdict in Verdict:
            mine = np.array([v is verdict for v in self.verdict], bool)
            if mine.any():
                reach = self.reach[mine]
                unknown = int(np.isnan(reach).sum())
                total = float(np.nansum(reach))
                found.append(VerdictTotal(verdict=verdict, items=int(mine.sum()), reach=total, unreached=unknown))
        return tuple(found)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an item: item (its row), verdict, net, praised, blamed, neutral, reach."""
        return columns_frame(
            {
                "item": np.arange(len(self)),
                "verdict": [str(v) for v in self.verdict],
                "net": self.net,
                **{k: [", ".join(x) for x in getattr(self, k)] for k in ("praised", "blamed", "neutral")},
                "reach": self.reach,
            },
            backend=backend,
        )

    def chart(self, *, title: str = "What items say") -> Chart:
        """Items by verdict."""
        from crmcore.charts import bar

        totals = self.totals()
        if not totals:
            raise EmptyInput("the list of items", "pass at least one text")
        labels = [f"{t.verdict}, reach {number_text(t.reach)}" for t in totals]
        return bar(labels, [t.items for t in totals], title=title, axis="items")

    def _repr_html_(self) -> str:
        rows = [{"verdict": t.verdict, "items": t.items, "reach": number_text(t.reach)} for t in self.totals()]
        return html_table(rows, caption=f"{len(self)} items")


def item_verdicts(
    opinions: AspectOpinions, /, *, item: ArrayLike | None = None, reach: ArrayLike | None = None
) -> ItemVerdicts:
    """Tell what each item praises and blames: several aspects of one item may differ.

    Parameters
    ----------
    opinions : AspectOpinions
        Of n texts. An aspect that one item mentions several times counts once, by its mean net sentiment.
    item : (n,) codes from 0, optional
        Item of each text, where an item has several (a video's title, transcript and comments); None: each is one.
    reach : (items,) people, optional
        Views or followers of each item; NaN is unknown.

    Returns
    -------
    ItemVerdicts

    Notes
    -----
    A mention says positive or negative by its likeliest polarity; of several mentions the sum of their nets decides.

    Examples
    --------
    >>> from crmcore.listening.aspects import Aspects, clause_sentiment, find_aspects
    >>> class Tiny:
    ...     def probabilities(self, texts, /):
    ...         return np.array([[0.1, 0.2, 0.7] if "love" in t else [0.7, 0.2, 0.1] for t in texts])
    >>> aspects = Aspects.of({"food": ["snacks"], "shop": ["parking"]})
    >>> found = find_aspects(["love the snacks, parking is awful"], aspects)
    >>> item_verdicts(clause_sentiment(found, Tiny()), reach=[247000]).verdict
    (<Verdict.MIXED: 'mixed'>,)
    """
    mentions, n = opinions.mentions, len(opinions.mentions.batch)
    at = np.arange(n) if item is None else whole("item", item)
    if len(at) != n:
        raise OutOfRange("len(item)", len(at), f"{n}, as texts", "one item a text")
    refuse("item", "number the items 0, 1, 2, ...", item=(at < 0, "below 0"))
    items = int(at.max()) + 1 if n else 0
    seen = np.full(items, np.nan) if reach is None else numbers("reach", reach)
    if item is not None and reach is not None and len(seen) >= items:
        items = len(seen)  # items without any text
    if len(seen) != items:
        raise OutOfRange("len(reach)", len(seen), f"{items}, the number of items", "one number an item")
    refuse("reach", "use NaN where the reach is unknown", reach=((seen < 0) | np.isinf(seen), "no count"))
    k = len(mentions.aspects)
    cell = at[mentions.text] * k + mentions.aspect
    told = opinions.polarity
    lean = np.where(told == 1, 0.0, np.where(told < 0, np.nan, opinions.net))
    known = ~np.isnan(lean)
    sums = np.bincount(cell[known], weights=lean[known], minlength=items * k).reshape(items, k)
    named = np.bincount(cell[known], minlength=items * k).reshape(items, k) > 0
    praised, blamed, neutral = (
        tuple(tuple(mentions.aspects[j] for j in np.flatnonzero(row).tolist()) for row in named & mask)
        for mask in (sums > 1e-9, sums < -1e-9, np.abs(sums) <= 1e-9)
    )
    verdict = tuple(_verdict(len(p), len(b), len(m)) for p, b, m in zip(praised, blamed, neutral, strict=True))
    good, bad = (np.array([len(x) for x in xs], np.float64) for xs in (praised, blamed))
    net = np.divide(good - bad, good + bad, out=np.full(items, np.nan), where=good + bad > 0)
    return ItemVerdicts(verdict=verdict, praised=praised, blamed=blamed, neutral=neutral, net=net, reach=seen)


def _verdict(praised: int, blamed: int, neutral: int) -> Verdict:
    if praised and blamed:
        return Verdict.MIXED
    if praised or blamed:
        return Verdict.POSITIVE if praised else Verdict.NEGATIVE
    return Verdict.NEUTRAL if neutral else Verdict.SILENT
