"""Net sentiment and shares of brands, corrected from a few labelled posts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, named, number_text
from crmcore.documents import Document
from crmcore.errors import EmptyInput, UnknownName
from crmcore.listening.polarity import Polarity
from crmcore.listening.shares.kernels import BrandPosterior, brand_posterior, leave_one_out_slopes
from crmcore.listening.shares.reading import (
    VALUES,
    Sampled,
    Scored,
    Target,
    check_labels,
    read_scored,
    warn_uncorrected,
)
from crmcore.metrics.estimates import Estimate, check_level, estimate_of, frame_of, warn_if_small
from crmcore.metrics.scalars import nan_alike
from crmcore.tables.columns import TextColumn
from crmcore.values.words import word

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["CorrectedSentiment", "SentimentOf", "correct_sentiment", "posterior_of", "total_mean"]

Floats = NDArray[np.float64]
RULE = "P(positive) - P(negative)"
SHRUNK = "prediction-powered, brands shrunk"


@attrs.frozen(kw_only=True)
class SentimentOf(Document):
    """Sentiment of one brand, or of all posts.

    Attributes
    ----------
    name : text
    posts, labelled : counts
    raw : number
        Net sentiment as the classifier has it, uncorrected.
    net : Estimate
        Share positive minus share negative, in [-1, 1].
    negative, neutral, positive : Estimate, optional
        Shares; None where only net scores were passed. Their values add up to 1.
    gap : Estimate, optional
        Net sentiment minus that of the reference brand.
    """

    name: str
    posts: int
    labelled: int
    raw: float
    net: Estimate
    negative: Estimate | None = None
    neutral: Estimate | None = None
    positive: Estimate | None = None
    gap: Estimate | None = None

    def __str__(self) -> str:
        return f"{self.name}: net sentiment {self.net}, raw {number_text(self.raw)}"


@attrs.frozen(kw_only=True, repr=False)
class CorrectedSentiment(Document):
    """Sentiment of brands and of all posts together, corrected where there are labels.

    Attributes
    ----------
    total : SentimentOf
    brands : tuple of SentimentOf
        In sorted order of names.
    corrected : truth
        False where no labels were passed: values are the classifier's own, without intervals, good for ranking only.
    transfer : share
        How much of the differences between brands the labels let the score explain at its steeper slope (adjusted
        counts) rather than post by post (prediction-powered); NaN without labels.
    scale : number
        Standard deviation between brands of what the score leaves; NaN without labels.
    reference : text, optional
        Brand that gaps are measured from.
    """

    total: SentimentOf
    brands: tuple[SentimentOf, ...]
    corrected: bool
    transfer: float = attrs.field(default=math.nan, eq=nan_alike)
    scale: float = attrs.field(default=math.nan, eq=nan_alike)
    target: Target = Target.POSTS
    reference: str | None = None

    def __len__(self) -> int:
        return len(self.brands)

    def __getitem__(self, brand: str) -> SentimentOf:
        return named(self.brands, "name", brand, what="brand")

    def __repr__(self) -> str:
        state = "corrected" if self.corrected else "uncorrected"
        return (
            f"CorrectedSentiment({len(self)} brands, {self.total.posts} posts, {self.total.labelled} labels, {state})"
        )

    def __str__(self) -> str:
        head = f"net sentiment of {self.total.posts:,} posts, {self.total.labelled:,} labelled"
        if not self.corrected:
            head += "; UNCORRECTED: the order of brands may be used, the level may not"
        wide = max(len(s.name) for s in (self.total, *self.brands))
        lines = [f"{s.name:{wide}}  {s.net}  raw {number_text(s.raw)}" for s in (self.total, *self._shown)]
        return "\n".join([head, *lines])

    @property
    def _shown(self) -> tuple[SentimentOf, ...]:
        return self.brands if len(self.brands) > 1 else ()

    def ranking(self) -> tuple[str, ...]:
        """Brands from best to worst net sentiment; ties by name."""
        return tuple(s.name for s in sorted(self.brands, key=lambda s: (-s.net.value, s.name)))

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a brand and measure, total first: brand, measure, posts, labelled, raw, value, low, high, ..."""
        rows = []
        for s in (self.total, *self._shown):
            for measure in ("net", *Polarity, "gap"):
                estimate: Estimate | None = getattr(s, measure)
                if estimate is not None:
                    raw = s.raw if measure == "net" else math.nan
                    head = {"brand": s.name, "measure": str(measure), "posts": s.posts, "labelled": s.labelled}
                    rows.append({**head, "raw": raw, **attrs.asdict(estimate)})
        return frame_of(rows, backend=backend)

    def chart(self, *, title: str = "") -> Chart:
        """Corrected net sentiment with intervals beside the raw one, brand by brand."""
        from crmcore.listening.shares.charts import sentiment_chart

        return sentiment_chart(self, title=title)

    def _repr_html_(self) -> str:
        rows = [
            {
                "brand": s.name, "posts": s.posts, "labels": s.labelled, "raw": number_text(s.raw),
                **{part: number_text(getattr(s.net, part)) for part in ("value", "low", "high")},
            }
            for s in (self.total, *self._shown)
        ]  # fmt: skip
        note = "corrected" if self.corrected else "uncorrected: ranking only"
        return html_table(rows, caption=f"net sentiment, {note}, {self.total.net.method}")


def total_mean(f: Floats, y: Floats, rows: NDArray[np.intp], /, *, finite: bool) -> tuple[float, float, int]:
    """Prediction-powered mean of y from all scores f and truths y[rows]: value, standard error, degrees of freedom.

    Mean of y − λ(f − f̄) over labelled posts, each with the slope λ of the others (cross-fitting by leaving one out), so
    that the estimate is unbiased however few the labels: Angelopoulos, Duchi & Zrnic (2023), PPI++, with the folds of
    Zrnic & Candès (2024), Cross-prediction-powered inference.
    """
    k, n = len(rows), len(f)
    slopes = leave_one_out_slopes(f[rows], y[rows])
    parts = y[rows] - slopes * (f[rows] - f.mean())
    variance = float(parts.var(ddof=1)) / k
    if finite:
        variance *= 1 - k / n
    else:
        variance += float(slopes.mean()) ** 2 * float(f.var()) / n
    return float(y.mean() if k == n else parts.mean()), math.sqrt(max(variance, 0.0)), k - 1


def correct_sentiment(
    scores: ArrayLike,
    labels: TextColumn | ArrayLike | None = None,
    *,
    brand: TextColumn | ArrayLike | None = None,
    reference: str | None = None,
    target: str = Target.POSTS,
    sampled: str = Sampled.AT_RANDOM,
    level: float = 0.95,
    small_sample_ok: bool = False,
    uncorrected_ok: bool = False,
) -> CorrectedSentiment:
    """Net sentiment and shares of all posts and of each brand, corrected from the posts that somebody labelled.

    Parameters
    ----------
    scores : (n, 3) probabilities or (n,) net scores in [-1, 1]
        Of all posts, labelled ones included, columns negative, neutral, positive. Scores of a model that was adapted
        to these very labels must be out of fold on the labelled posts, or errors look smaller than they are.
    labels : (n,) words or numbers, optional
        `Polarity`, or -1, 0, 1; None or NaN where nobody labelled. Labelled posts must be a random draw. Without any
        label at all brands are ranked, levels carry no interval, and `UncorrectedLevel` warns.
    brand : (n,) text, optional
        A post about two brands is two rows. None: all posts are of one.
    reference : text, optional
        Brand from which gaps are measured, each with an interval.
    target : "posts" or "process"
        Whether the sentiment of exactly these posts is meant, or of the stream that they are a sample of.
    sampled : "at random" or "per brand"
        Whether labels were drawn from all posts or brand by brand.
    level : share
        Coverage of each interval by itself.

    Returns
    -------
    CorrectedSentiment
        A brand without labels is estimated from the others, with a wide interval.

    Raises
    ------
    OutOfRange
        Fewer than 8 labels, or than labelled brands + 2; scores of another shape.
    BadRows
        Scores that are missing or out of range, labels that are no polarity.

    Notes
    -----
    Total: cross-fitted prediction-powered mean (`total_mean`). Brands: λ f̄_b + δ_b with δ_b from `brand_posterior`.
    The formulas and how well the intervals cover are told in the explanation "Corrected shares".

    Examples
    --------
    >>> rng = np.random.default_rng(7)
    >>> truth = rng.choice([-1, 0, 1], 2000, p=[0.5, 0.3, 0.2])
    >>> scores = np.clip(0.4 * truth + 0.3 + rng.normal(0, 0.3, 2000), -1, 1)  # too friendly by far
    >>> labels = np.where(np.arange(2000) < 100, truth, np.nan)
    >>> print(correct_sentiment(scores, labels).total)
    all: net sentiment -0.297 [-0.4, -0.194] (95 %, n = 100, prediction-powered), raw 0.173
    """
    check_level(level)
    meant, drawn = word(Target, target, "target"), word(Sampled, sampled, "sampled")
    scored = read_scored(scores, labels, brand)
    if reference is not None and reference not in scored.brands:
        raise UnknownName("brand", reference, scored.brands)
    if not len(scored.labelled):
        warn_uncorrected(scored.brands, ok=uncorrected_ok)
        return _uncorrected(scored, meant, reference, level=level)
    check_labels(scored)
    if drawn is Sampled.PER_BRAND:
        missing = np.setdiff1d(np.arange(len(scored.brands)), scored.brand[scored.labelled])
        if len(missing):
            names = ", ".join(scored.brands[i] for i in missing[:5])
            raise EmptyInput(f"the labelled sample of {names}", "label posts of every brand")
    warn_if_small(len(scored.labelled), "the corrected sentiment", ok=small_sample_ok)
    return _corrected(scored, meant, drawn, reference, level=level)


def _raw(scored: Scored) -> tuple[NDArray[np.int64], Floats]:
    posts = np.bincount(scored.brand, minlength=len(scored.brands))
    return posts, np.bincount(scored.brand, weights=scored.score, minlength=len(scored.brands)) / posts


def _uncorrected(scored: Scored, target: Target, reference: str | None, *, level: float) -> CorrectedSentiment:
    posts, raw = _raw(scored)

    def of(name: str, n: int, value: float) -> SentimentOf:
        net = estimate_of(value, math.nan, math.nan, level=level, n=n, rule=RULE, method="uncorrected, ranking only")
        return SentimentOf(name=name, posts=n, labelled=0, raw=value, net=net)

    brands = tuple(of(b, int(n), float(v)) for b, n, v in zip(scored.brands, posts, raw, strict=True))
    total = of("all", len(scored.score), float(scored.score.mean()))
    return CorrectedSentiment(total=total, brands=brands, corrected=False, target=target, reference=reference)


@attrs.frozen(kw_only=True)
class _Run:
    """One measure (net sentiment, or the share of one polarity) of all brands and of all posts."""

    posterior: BrandPosterior
    brands: tuple[Floats, Floats, Floats]
    total: tuple[float, float, float]


def posterior_of(scored: Scored, f: Floats, y: Floats, target: Target, /) -> BrandPosterior:
    """Posterior of the brands for one pair of score and truth."""
    rows = scored.labelled
    return brand_posterior(
        f, scored.brand, f[rows], y[rows], scored.brand[rows], brands=len(scored.brands), finite=target is Target.POSTS
    )


def _run(scored: Scored, f: Floats, y: Floats, target: Target, sampled: Sampled, *, level: float) -> _Run:
    from scipy.special import stdtrit

    posterior = posterior_of(scored, f, y, target)
    of = posterior.contrasts(np.eye(len(scored.brands)), level=level)
    if sampled is Sampled.PER_BRAND:
        sizes = np.bincount(scored.brand, minlength=len(scored.brands)) / len(f)
        value, low, high = (float(x[0]) for x in posterior.contrasts(sizes[None, :], level=level))
    else:
        value, error, freedom = total_mean(f, y, scored.labelled, finite=target is Target.POSTS)
        half = float(stdtrit(freedom, (1 + level) / 2)) * error
        low, high = value - half, value + half
    single = len(scored.brands) == 1
    total = (value, low, high)
    return _Run(posterior=posterior, brands=tuple(np.array([x]) for x in total) if single else of, total=total)  # type: ignore[arg-type]


def _corrected(
    scored: Scored, target: Target, sampled: Sampled, reference: str | None, *, level: float
) -> CorrectedSentiment:
    truth, rows = scored.truth, scored.labelled
    net = _run(scored, scored.score, truth, target, sampled, level=level)
    classes: dict[str, _Run] = {}
    if scored.chances is not None:
        for i, (polarity, value) in enumerate(VALUES.items()):
            y = np.where(np.isnan(truth), np.nan, truth == value)
            classes[str(polarity)] = _run(scored, scored.chances[:, i], y, target, sampled, level=level)
    posts, raw = _raw(scored)
    labelled = np.bincount(scored.brand[rows], minlength=len(scored.brands))
    gaps = None if reference is None else _gaps(net.posterior, scored.brands.index(reference), level=level)
    method = SHRUNK if len(scored.brands) > 1 else "prediction-powered"

    def one(ends: tuple[float, float, float], n: int, how: str, rule: str, least: float) -> Estimate:
        value, low, high = (min(max(x, least), 1.0) for x in ends)
        return estimate_of(value, low, high, level=level, n=n, rule=rule, method=how)

    def of(name: str, at: int | None) -> SentimentOf:
        n = len(rows) if at is None else int(labelled[at])
        how = "prediction-powered" if at is None else method
        picked = {m: r.total if at is None else _at(r.brands, at) for m, r in (("net", net), *classes.items())}
        whole = sum(min(max(picked[c][0], 0.0), 1.0) for c in classes) or 1.0
        gap = None if at is None or gaps is None else gaps[at]
        return SentimentOf(
            name=name, posts=len(truth) if at is None else int(posts[at]), labelled=n,
            raw=float(scored.score.mean() if at is None else raw[at]), net=one(picked["net"], n, how, RULE, -1.0),
            **{c: _scaled(one(picked[c], n, how, f"{c} / all", 0.0), whole) for c in classes}, gap=gap,
        )  # fmt: skip

    return CorrectedSentiment(
        total=of("all", None), brands=tuple(of(b, i) for i, b in enumerate(scored.brands)), corrected=True,
        transfer=net.posterior.transfer, scale=net.posterior.scale, target=target, reference=reference,
    )  # fmt: skip


def _at(columns: tuple[Floats, Floats, Floats], i: int) -> tuple[float, float, float]:
    value, low, high = (float(c[i]) for c in columns)
    return value, low, high


def _scaled(share: Estimate, whole: float) -> Estimate:
    """Share of a whole that adds up; the interval stays, and holds the value."""
    value = share.value / whole
    return attrs.evolve(share, value=value, low=min(share.low, value), high=max(share.high, value))


def _gaps(posterior: BrandPosterior, at: int, *, level: float) -> list[Estimate]:
    """Net sentiment of every brand minus that of one, each with the errors that both share taken out."""
    weights = np.eye(posterior.mean.shape[1])
    weights[:, at] -= 1
    value, low, high = posterior.contrasts(weights, level=level)
    return [
        estimate_of(
            v, max(a, -2.0), min(b, 2.0), level=level, n=posterior.freedom, rule="brand - reference", method=SHRUNK,
        )
        for v, a, b in zip(value, low, high, strict=True)
    ]  # fmt: skip
