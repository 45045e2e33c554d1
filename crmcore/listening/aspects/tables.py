"""Aspect by brand by time: how often, how well, and how sure."""

from __future__ import annotations

import enum
import math
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, number_text
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange, UnknownName
from crmcore.listening.aspects.opinions import AspectOpinions
from crmcore.listening.shares.correcting import correct_sentiment
from crmcore.listening.shares.reading import polarities, warn_uncorrected
from crmcore.metrics.columns import codes_of, instants
from crmcore.metrics.estimates import Estimate, check_level, frame_of
from crmcore.metrics.means import mean
from crmcore.tables.columns import TextColumn
from crmcore.values.words import word

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["AspectCell", "AspectTable", "Period", "aspect_table"]

Floats = NDArray[np.float64]


class Period(enum.StrEnum):
    """Length of the periods of a table."""

    DAY = "day"
    WEEK = "week"  # from Monday
    MONTH = "month"
    ALL = "all"  # no periods


@attrs.frozen(kw_only=True)
class AspectCell(Document):
    """What is said of one aspect of one brand in one period.

    Attributes
    ----------
    aspect, brand, period : text
        The period by its first day, in UTC; "" where there are none.
    mentions, texts, labelled : counts
    negative, neutral, positive : counts
        Mentions by likeliest polarity.
    net : Estimate
        P(positive) - P(negative); between -1 and 1.
    """

    aspect: str
    brand: str
    period: str
    mentions: int
    texts: int
    labelled: int
    negative: int
    neutral: int
    positive: int
    net: Estimate


@attrs.frozen(kw_only=True, repr=False)
class AspectTable(Document):
    """Cells by aspect, brand and period, those without mentions left out; `corrected` where labels set the level."""

    cells: tuple[AspectCell, ...]
    corrected: bool

    def __len__(self) -> int:
        return len(self.cells)

    def __repr__(self) -> str:
        state = "corrected" if self.corrected else "uncorrected"
        return f"AspectTable({len(self)} cells, {sum(c.mentions for c in self.cells)} mentions, {state})"

    def __str__(self) -> str:
        names = [" ".join(x for x in (c.brand, c.aspect, c.period) if x) for c in self.cells]
        wide = max(map(len, names))
        return "\n".join(f"{name:{wide}}  {c.net}" for name, c in zip(names, self.cells, strict=True))

    def cell(self, aspect: str, *, brand: str = "all", period: str = "") -> AspectCell:
        """One cell."""
        for cell in self.cells:
            if (cell.aspect, cell.brand, cell.period) == (aspect, brand, period):
                return cell
        known = tuple(f"{c.aspect}, {c.brand}, {c.period}".rstrip(", ") for c in self.cells)
        raise UnknownName("cell", f"{aspect}, {brand}, {period}".rstrip(", "), known)

    def worst(self, *, least: int = 1) -> tuple[AspectCell, ...]:
        """Cells from lowest net sentiment to highest, those of fewer mentions left out."""
        kept = [c for c in self.cells if c.mentions >= least]
        return tuple(sorted(kept, key=lambda c: (c.net.value, c.aspect, c.brand, c.period)))

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a cell: aspect, brand, period, counts, value, low, high, level, n, rule, method."""
        rows = []
        for cell in self.cells:
            row = {k: v for k, v in attrs.asdict(cell, recurse=False).items() if k != "net"}
            rows.append({**row, **attrs.asdict(cell.net)})
        return frame_of(rows, backend=backend)

    def chart(self, *, title: str = "What is said of each aspect") -> Chart:
        """Dots with intervals; over time lines, one an aspect and brand."""
        from crmcore.listening.aspects.charts import aspect_chart

        return aspect_chart(self, title=title)

    def _repr_html_(self) -> str:
        rows = [
            {
                "aspect": c.aspect, "brand": c.brand, "period": c.period, "mentions": c.mentions,
                **{part: number_text(getattr(c.net, part)) for part in ("value", "low", "high")},
            }
            for c in self.cells
        ]  # fmt: skip
        return html_table(rows, caption=f"net sentiment by aspect, {'corrected' if self.corrected else 'uncorrected'}")


@attrs.frozen(eq=False, kw_only=True)
class _Rows:
    """Mentions by cell."""

    cell: NDArray[np.intp]  # (m,)
    keys: list[tuple[str, str, str]]  # aspect, brand, period of each cell
    kept: NDArray[np.intp]  # mentions that belong to a cell


def aspect_table(
    opinions: AspectOpinions,
    /,
    *,
    brand: TextColumn | ArrayLike | None = None,
    time: ArrayLike | None = None,
    period: str = Period.ALL,
    author: TextColumn | ArrayLike | None = None,
    labels: TextColumn | ArrayLike | None = None,
    level: float = 0.95,
    uncorrected_ok: bool = False,
) -> AspectTable:
    """Net sentiment by aspect, brand and time.

    Parameters
    ----------
    opinions : AspectOpinions
        Mentions that could not be told are left out.
    brand : (n,) text, optional
        Of each text.
    time : (n,) instants, optional
        Of each text, in UTC; texts of unknown time are left out. Needs `period`.
    period : "day", "week", "month" or "all"
    author : (n,) text, optional
        Of each text: mentions of one author (else of one text) count as one draw.
    labels : (m,) words or numbers, optional
        True polarity of a random sample of the mentions, None for the others: levels are then corrected, see
        `shares.correct_sentiment`. Without labels the level is the classifier's own, and `UncorrectedLevel` warns:
        compare cells, do not quote them.
    level : share
        Coverage of each interval by itself.

    Examples
    --------
    >>> from crmcore.listening.aspects import Aspects, clause_sentiment, find_aspects
    >>> class Tiny:
    ...     def probabilities(self, texts, /):
    ...         return np.array([[0.1, 0.2, 0.7] if "great" in t else [0.7, 0.2, 0.1] for t in texts])
    >>> texts = ["great food but slow staff", "great food", "slow staff today", "cold food"]
    >>> found = find_aspects(texts, Aspects.of({"food": ["food"], "service": ["staff"]}))
    >>> print(aspect_table(clause_sentiment(found, Tiny()), uncorrected_ok=True))
    all food     0.2 [-1, 1] (95 %, n = 3, t, over texts)
    all service  -0.6 [-0.6, -0.6] (95 %, n = 2, t, over texts)
    """
    check_level(level)
    span = word(Period, period, "period")
    if (time is None) != (span is Period.ALL):
        raise OutOfRange("time, period", "one of them", "both or none", "time=posts.time, period='month'")
    rows = _rows(opinions, brand, time, span)
    mentions = opinions.mentions
    units = mentions.text[rows.kept].astype(np.int64)
    how = "over texts"
    if author is not None:
        units = codes_of(author, len(mentions.batch), "author")[0][units]
        how = "over authors"
    truth = np.full(len(mentions), np.nan) if labels is None else polarities("labels", labels)
    if len(truth) != len(mentions):
        raise OutOfRange("len(labels)", len(truth), f"{len(mentions)}, as opinions", "one label a mention")
    net = opinions.net[rows.kept]
    corrected = bool((~np.isnan(truth[rows.kept])).any())
    if corrected:
        names = np.array([f"{i:06d}" for i in range(len(rows.keys))], object)[rows.cell]
        found = correct_sentiment(
            opinions.chances[rows.kept], truth[rows.kept], brand=names, level=level, small_sample_ok=True
        )
        estimates = [b.net for b in found.brands]
    else:
        warn_uncorrected([k[0] for k in rows.keys], ok=uncorrected_ok)
        estimates = [_net(net[rows.cell == i], units[rows.cell == i], how, level=level) for i in range(len(rows.keys))]
    cells = _cells(opinions, rows, truth, estimates)
    return AspectTable(cells=tuple(cells), corrected=corrected)


def _rows(
    opinions: AspectOpinions, brand: TextColumn | ArrayLike | None, time: ArrayLike | None, span: Period
) -> _Rows:
    mentions, n = opinions.mentions, len(opinions.mentions.batch)
    known = ~np.isnan(opinions.chances).any(axis=1)
    brand_of, brands = (np.zeros(n, np.intp), ("all",)) if brand is None else codes_of(brand, n, "brand")
    period_of, periods = np.zeros(n, np.int64), [""]
    if time is not None:
        at = instants("time", time, missing_ok=True)
        if len(at) != n:
            raise OutOfRange("len(time)", len(at), f"{n}, as texts", "one time a text")
        period_of, periods = _periods(at, span)
        known &= period_of[mentions.text] >= 0
    kept = np.flatnonzero(known)
    if not len(kept):
        raise EmptyInput("the opinions", "no mention of an aspect could be told: look at find_aspects(...) first")
    text = mentions.text[kept]
    key = (mentions.aspect[kept].astype(np.int64) * len(brands) + brand_of[text]) * len(periods) + period_of[text]
    distinct, cell = np.unique(key, return_inverse=True)
    names = [
        (
            mentions.aspects[k // len(periods) // len(brands)],
            brands[k // len(periods) % len(brands)],
            periods[k % len(periods)],
        )
        for k in distinct.tolist()
    ]
    return _Rows(cell=cell, keys=names, kept=kept)


def _periods(at: NDArray[np.datetime64], span: Period) -> tuple[NDArray[np.int64], list[str]]:
    """Code of the period of each instant, -1 where it is unknown, and first days of the periods."""
    days = at.astype("datetime64[D]")
    if span is Period.MONTH:
        days = days.astype("datetime64[M]").astype("datetime64[D]")
    elif span is Period.WEEK:
        since = (days.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
        days = days - np.where(np.isnat(at), 0, since)
    found = np.unique(days[~np.isnat(days)])
    code = np.where(np.isnat(days), -1, np.searchsorted(found, days)).astype(np.int64)
    return code, [str(d) for d in found] or [""]


def _net(net: Floats, units: NDArray[np.integer], how: str, *, level: float) -> Estimate:
    made = mean(
        net, clusters=units, level=level, rule="P(positive) - P(negative), classifier's level", small_sample_ok=True
    )
    low, high = (end if not math.isnan(end) else limit for end, limit in ((made.low, -1.0), (made.high, 1.0)))
    return attrs.evolve(made, low=max(low, -1.0), high=min(high, 1.0), method=f"t, {how}")


def _cells(opinions: AspectOpinions, rows: _Rows, truth: Floats, estimates: list[Estimate]) -> list[AspectCell]:
    k = len(rows.keys)
    polarity = opinions.polarity[rows.kept]
    counts = [np.bincount(rows.cell[polarity == p], minlength=k) for p in range(3)]
    labelled = np.bincount(rows.cell[~np.isnan(truth[rows.kept])], minlength=k)
    pairs = np.unique(np.stack([rows.cell, opinions.mentions.text[rows.kept]]), axis=1)
    texts = np.bincount(pairs[0], minlength=k)
    return [
        AspectCell(
            aspect=aspect, brand=brand, period=period, mentions=int(sum(c[i] for c in counts)), texts=int(texts[i]),
            labelled=int(labelled[i]), negative=int(counts[0][i]), neutral=int(counts[1][i]),
            positive=int(counts[2][i]), net=estimates[i],
        )
        for i, (aspect, brand, period) in enumerate(rows.keys)
    ]  # fmt: skip
