"""One number for an industry: net sentiment over several brands."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, number_text
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange, UnknownName
from crmcore.listening.shares.correcting import RULE, SHRUNK, CorrectedSentiment, correct_sentiment, posterior_of
from crmcore.listening.shares.reading import Target, read_scored
from crmcore.metrics.estimates import Estimate, estimate_of, frame_of
from crmcore.metrics.scalars import entries, real
from crmcore.tables.columns import TextColumn
from crmcore.values.words import word

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Importance", "IndustryIndex", "industry_index"]


class Importance(enum.StrEnum):
    """How brands count in an index."""

    VOLUME = "volume"  # every post counts the same
    EQUAL = "equal"  # every brand counts the same


@attrs.frozen(kw_only=True)
class IndustryIndex(Document):
    """Net sentiment of several brands together.

    Attributes
    ----------
    net : Estimate
        In [-1, 1]; the interval is NaN where nothing was labelled.
    weights : mapping of brand to share
    sentiment : CorrectedSentiment
        Brand by brand.
    """

    net: Estimate
    weights: dict[str, float]
    sentiment: CorrectedSentiment

    @property
    def verdict(self) -> str:
        """`"positive"`, `"negative"`, `"undecided"` (the interval holds 0), or `"unknown"` (no labels)."""
        if math.isnan(self.net.low):
            return "unknown"
        if not self.net.excludes(0.0):
            return "undecided"
        return "positive" if self.net.value > 0 else "negative"

    def __str__(self) -> str:
        return f"industry of {len(self.weights)} brands: {self.verdict}, net sentiment {self.net}"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a brand, the industry first: brand, weight, value, low, high, level, n, rule, method."""
        rows = [{"brand": "industry", "weight": 1.0, **attrs.asdict(self.net)}]
        rows += [
            {"brand": b.name, "weight": self.weights[b.name], **attrs.asdict(b.net)} for b in self.sentiment.brands
        ]
        return frame_of(rows, backend=backend)

    def chart(self, *, title: str = "") -> Chart:
        """Brands and the industry, with intervals."""
        from crmcore.listening.shares.charts import industry_chart

        return industry_chart(self, title=title)

    def _repr_html_(self) -> str:
        rows = [{"": "industry", "weight": "1", "net": number_text(self.net.value), **_ends(self.net)}]
        rows += [
            {"": b.name, "weight": number_text(self.weights[b.name]), "net": number_text(b.net.value), **_ends(b.net)}
            for b in self.sentiment.brands
        ]
        return html_table(rows, caption=f"industry: {self.verdict}")


def _ends(estimate: Estimate) -> dict[str, str]:
    return {"low": number_text(estimate.low), "high": number_text(estimate.high)}


def industry_index(
    scores: ArrayLike,
    labels: TextColumn | ArrayLike | None = None,
    *,
    brand: TextColumn | ArrayLike,
    importance: str | Mapping[str, float] = Importance.VOLUME,
    target: str = Target.POSTS,
    level: float = 0.95,
    small_sample_ok: bool = False,
    uncorrected_ok: bool = False,
) -> IndustryIndex:
    """Whether the talk about an industry is positive or negative, over all its brands.

    Parameters
    ----------
    scores, labels, brand, target, level
        As for `correct_sentiment`; at least two brands.
    importance : "volume", "equal", or mapping of brand to weight
        Whether posts count alike, brands count alike, or as told (market shares); weights need not add up to 1.

    Returns
    -------
    IndustryIndex
        By volume the corrected total; else the weighted sum of the corrected brands, errors they share included.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> brand = np.repeat(["ours", "rival a", "rival b"], [500, 300, 200])
    >>> truth = rng.choice([-1, 0, 1], 1000, p=[0.6, 0.25, 0.15])
    >>> labels = np.where(rng.random(1000) < 0.1, truth, np.nan)
    >>> print(industry_index(0.5 * truth, labels, brand=brand, importance="equal").verdict)
    negative
    """
    scored = read_scored(scores, labels, brand)
    if len(scored.brands) < 2:
        raise EmptyInput("an industry of one brand", "collect posts about its rivals too, or use correct_sentiment")
    weights = _weights(importance, scored.brands, np.bincount(scored.brand, minlength=len(scored.brands)))
    sentiment = correct_sentiment(
        scores, labels, brand=brand, target=target, level=level, small_sample_ok=small_sample_ok,
        uncorrected_ok=uncorrected_ok,
    )  # fmt: skip
    if importance == Importance.VOLUME:
        net = sentiment.total.net
    elif sentiment.corrected:
        posterior = posterior_of(scored, scored.score, scored.truth, word(Target, target, "target"))
        value, low, high = (float(x[0]) for x in posterior.contrasts(weights[None, :], level=level))
        n = sentiment.total.labelled
        net = estimate_of(value, max(low, -1.0), min(high, 1.0), level=level, n=n, rule=RULE, method=SHRUNK)
    else:
        raw = float(weights @ np.array([b.raw for b in sentiment.brands]))
        net = attrs.evolve(sentiment.total.net, value=raw)
    return IndustryIndex(net=net, weights=dict(zip(scored.brands, weights.tolist(), strict=True)), sentiment=sentiment)


def _weights(
    importance: str | Mapping[str, float], brands: tuple[str, ...], posts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Weight (k,) of each brand, adding up to 1."""
    if isinstance(importance, str):
        by_volume = word(Importance, importance, "importance") is Importance.VOLUME
        return posts / posts.sum() if by_volume else np.full(len(brands), 1 / len(brands))
    told = entries("importance", importance, hint="{'ours': 0.4, 'rival': 0.6}")
    for name in told:
        if name not in brands:
            raise UnknownName("brand", str(name), brands)
    found = np.array([real(f"importance[{b!r}]", told.get(b, 0.0)) for b in brands])
    if not (np.isfinite(found).all() and (found >= 0).all() and found.sum() > 0):
        raise OutOfRange("importance", dict(told), "numbers from 0, not all 0", "such as market shares")
    shares: NDArray[np.float64] = found / found.sum()
    return shares
