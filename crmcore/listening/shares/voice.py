"""Share of voice: volume, reach, praise and criticism, of brands whose queries overlap and are not exact."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, number_text
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.listening.shares.reading import read_scored
from crmcore.metrics.columns import cells_of, codes_of, is_missing, numbers, refuse, truths
from crmcore.metrics.estimates import Estimate, check_level, estimate_of, frame_of, warn_if_small
from crmcore.metrics.intervals import wilson_interval
from crmcore.metrics.proportions import proportion
from crmcore.metrics.scalars import entries
from crmcore.metrics.shares import share_table
from crmcore.tables.columns import TextColumn
from crmcore.values.words import word

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Overlap", "Voice", "VoiceOf", "share_of_voice"]

Floats = NDArray[np.float64]
MEASURES = ("volume", "reach", "positive", "negative")


class Overlap(enum.StrEnum):
    """What a post that names several brands is to each of them."""

    SPLIT = "split"  # an equal part of one post: shares are of posts
    EACH = "each"  # one whole mention: shares are of mentions


@attrs.frozen(kw_only=True)
class VoiceOf(Document):
    """Voice of one brand by one measure."""

    brand: str
    by: str
    amount: float
    share: Estimate


@attrs.frozen(kw_only=True, repr=False)
class Voice(Document):
    """Share of voice of every brand by every measure that there is data for.

    Attributes
    ----------
    rows : tuple of VoiceOf
        By measure, then brand in sorted order; the intervals of one measure hold together.
    posts, shared, unreached : counts
        Posts that name any brand; of them those that name several; of them those of unknown reach, which the measure
        "reach" leaves out.
    overlap : Overlap
    precision : mapping of brand to Estimate
        Share of a brand's matches that are really about it; empty where nothing was labelled.
    """

    rows: tuple[VoiceOf, ...]
    posts: int
    shared: int
    unreached: int
    overlap: Overlap
    precision: dict[str, Estimate]

    @property
    def brands(self) -> tuple[str, ...]:
        """Brands in sorted order."""
        return tuple(dict.fromkeys(r.brand for r in self.rows))

    @property
    def measures(self) -> tuple[str, ...]:
        """Measures that there is data for."""
        return tuple(dict.fromkeys(r.by for r in self.rows))

    def __getitem__(self, brand: str) -> Estimate:
        return self.of(brand)

    def of(self, brand: str, *, by: str = "volume") -> Estimate:
        """Share of one brand by one measure."""
        if brand not in self.brands:
            raise UnknownName("brand", brand, self.brands)
        if by not in self.measures:
            raise UnknownName("measure", by, self.measures)
        return next(r.share for r in self.rows if r.brand == brand and r.by == by)

    def __repr__(self) -> str:
        return f"Voice({len(self.brands)} brands, {self.posts} posts, by {', '.join(self.measures)})"

    def __str__(self) -> str:
        wide = max(len(b) for b in self.brands)
        lines = [f"{r.by:8}  {r.brand:{wide}}  {r.share}" for r in self.rows]
        return "\n".join([f"share of voice, {self.posts:,} posts, {self.shared:,} about several brands", *lines])

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a measure and brand: by, brand, amount, value, low, high, level, n, rule, method."""
        rows = [{"by": r.by, "brand": r.brand, "amount": r.amount, **attrs.asdict(r.share)} for r in self.rows]
        return frame_of(rows, backend=backend)

    def chart(self, *, title: str = "Share of voice") -> Chart:
        """Shares with intervals, measure by measure."""
        from crmcore.listening.shares.charts import voice_chart

        return voice_chart(self, title=title)

    def _repr_html_(self) -> str:
        rows = [
            {"by": r.by, "brand": r.brand, **{p: number_text(getattr(r.share, p)) for p in ("value", "low", "high")}}
            for r in self.rows
        ]
        return html_table(rows, caption=f"share of voice, {self.posts:,} posts", limit=24)


@attrs.frozen(eq=False, kw_only=True)
class _Matched:
    """Which posts are about which brand, and how sure that is."""

    brands: tuple[str, ...]
    part: Floats  # (n, k) part of each post that is each brand's: 0 to 1
    several: NDArray[np.bool_]  # (n,)
    relevant: Floats  # (n, k) 1, 0, NaN = not labelled
    judged: bool


def _matched(
    matches: TextColumn | ArrayLike | Mapping[str, ArrayLike],
    relevant: ArrayLike | Mapping[str, ArrayLike] | None,
    overlap: Overlap,
) -> _Matched:
    if isinstance(matches, Mapping):
        masks = {
            str(b): truths(f"matches[{b!r}]", m) for b, m in entries("matches", matches, hint="{'ours': mask}").items()
        }
        if len({len(m) for m in masks.values()}) > 1:
            lengths = [len(m) for m in masks.values()]
            raise OutOfRange("lengths of matches", lengths, "one length", "masks are over the same posts")
        brands = tuple(sorted(masks))
        held = np.stack([masks[b] for b in brands], axis=1) if brands else np.zeros((0, 0), bool)
    else:
        n = len(cells_of("matches", matches))
        codes, brands = codes_of(matches, n, "matches") if n else (np.zeros(0, np.intp), ())
        held = codes[:, None] == np.arange(len(brands))
    if len(brands) < 2:
        raise EmptyInput("brands with fewer than two names", "share of voice needs a rival: collect its mentions too")
    if not held.any():
        raise EmptyInput("mentions", "no post matches any brand")
    often = held.sum(axis=1)
    part = held / np.maximum(often, 1)[:, None] if overlap is Overlap.SPLIT else held.astype(np.float64)
    judged = _judged(relevant, brands, held)
    return _Matched(brands=brands, part=part, several=often > 1, relevant=judged, judged=relevant is not None)


def _judged(
    relevant: ArrayLike | Mapping[str, ArrayLike] | None, brands: tuple[str, ...], held: NDArray[np.bool_]
) -> Floats:
    """(n, k) whether a match is really about the brand, where somebody looked."""
    found = np.full(held.shape, np.nan)
    if relevant is None:
        return found
    if isinstance(relevant, str):
        raise WrongType("relevant", "a str", "truths with None where nobody looked", "one cell a post")
    told = relevant if isinstance(relevant, Mapping) else dict.fromkeys(brands, relevant)
    for name, column in told.items():
        if name not in brands:
            raise UnknownName("brand", str(name), brands)
        cells = cells_of("relevant", column)
        if len(cells) != len(held):
            raise OutOfRange("len(relevant)", len(cells), f"{len(held)}, as matches", "None where nobody looked")
        known = np.array([not is_missing(c) for c in cells.tolist()], bool)
        at = brands.index(str(name))
        rows = np.flatnonzero(known & held[:, at])
        found[rows, at] = truths("relevant", cells[rows].tolist()) if len(rows) else 0.0
    bare = [b for i, b in enumerate(brands) if held[:, i].any() and np.isnan(found[:, i]).all()]
    if bare:
        raise EmptyInput(
            f"the labelled matches of {', '.join(bare[:5])}", "judge some matches of every brand, or of none"
        )
    return found


def share_of_voice(
    matches: TextColumn | ArrayLike | Mapping[str, ArrayLike],
    *,
    reach: ArrayLike | None = None,
    scores: ArrayLike | None = None,
    author: TextColumn | ArrayLike | None = None,
    relevant: ArrayLike | Mapping[str, ArrayLike] | None = None,
    overlap: str = Overlap.SPLIT,
    level: float = 0.95,
    small_sample_ok: bool = False,
) -> Voice:
    """Each brand's part of what is said: of mentions, of the people reached, of praise and of criticism.

    Parameters
    ----------
    matches : (n,) text, or mapping of brand to (n,) truths
        Brand of each post, or which posts each brand's query matched; with masks a post may be about several.
    reach : (n,) counts, optional
        People who could see each post; NaN is unknown, such posts are left out of this measure and counted.
    scores : (n, 3) probabilities, optional
        Negative, neutral, positive: adds shares of all criticism and of all praise.
    author : (n,) text, optional
        Who wrote it; a loud author then counts as one draw, and intervals are wider.
    relevant : (n,) truths, or mapping of brand to (n,) truths, optional
        Whether a match is really about the brand, for a random sample of the matches of every brand; None where nobody
        looked. Shares are then of real mentions, and intervals hold the uncertainty of each query's precision.
    overlap : "split" or "each"
        What a post about several brands is to each.
    level : share
        Probability with which the intervals of all brands hold together, measure by measure.

    Returns
    -------
    Voice
        Plain counts carry Goodman's intervals (see `metrics.share_table`), all others Wilson's with the effective n of
        the linearised share at Bonferroni's level.

    Raises
    ------
    EmptyInput
        Fewer than two brands, no matches, judged matches of some brands only.
    BadRows, OutOfRange, UnknownName
        Cells and columns that cannot be read.

    Notes
    -----
    S_b = T_b / Σ T with T_b = π_b Σᵢ wᵢ aᵢ_b, π_b the weighted precision; var S_b = Σ over authors of the squared sums
    of π_b wᵢ (aᵢ_b − S_b aᵢ)/T, plus Σ_c (∂S_b/∂π_c)² var π_c.

    Examples
    --------
    >>> print(share_of_voice(["ours"] * 30 + ["rival a"] * 50 + ["rival b"] * 20))
    share of voice, 100 posts, 0 about several brands
    volume    ours     0.3 [0.204, 0.418] (95 %, n = 100, goodman)
    volume    rival a  0.5 [0.384, 0.616] (95 %, n = 100, goodman)
    volume    rival b  0.2 [0.122, 0.311] (95 %, n = 100, goodman)
    """
    check_level(level)
    matched = _matched(matches, relevant, word(Overlap, overlap, "overlap"))
    n = len(matched.part)
    talks = np.asarray(matched.part.any(axis=1))
    weights, unreached = _weights(n, reach, scores, talks)
    units = np.arange(n) if author is None else codes_of(author, n, "author")[0]
    warn_if_small(len(np.unique(units[talks])), "the share of voice", ok=small_sample_ok)
    precision = _precision(matched, level=level)
    rows: list[VoiceOf] = []
    for by, weight in weights.items():
        amounts, shares = _shares(matched, weight, units, plain=author is None, by=by, level=level)
        rows += [
            VoiceOf(brand=b, by=by, amount=float(a), share=s)
            for b, a, s in zip(matched.brands, amounts, shares, strict=True)
        ]
    return Voice(
        rows=tuple(rows), posts=int(talks.sum()), shared=int(matched.several.sum()), unreached=unreached,
        overlap=Overlap(overlap), precision=precision,
    )  # fmt: skip


def _weights(
    n: int, reach: ArrayLike | None, scores: ArrayLike | None, talks: NDArray[np.bool_]
) -> tuple[dict[str, Floats], int]:
    """Weight of each post by measure, and posts of unknown reach."""
    found, unreached = {"volume": np.ones(n)}, 0
    if reach is not None:
        seen = numbers("reach", reach)
        _same(n, "reach", seen)
        refuse("reach", "use NaN where the reach is unknown", reach=((seen < 0) | np.isinf(seen), "no count"))
        unreached = int((np.isnan(seen) & talks).sum())
        found["reach"] = np.nan_to_num(seen)
    if scores is not None:
        chances = read_scored(scores, None, None).chances
        if chances is None:
            raise OutOfRange("shape of scores", "(n,)", "(n, 3)", "pass the three probabilities of each post")
        _same(n, "scores", chances)
        found |= {"positive": chances[:, 2], "negative": chances[:, 0]}
    for by, weight in found.items():
        if not weight[talks].any():
            raise EmptyInput(f"{by}, 0 in all mentions,", f"leave {by} out")
    return found, unreached


def _same(n: int, name: str, column: NDArray[Any]) -> None:
    if len(column) != n:
        raise OutOfRange(f"len({name})", len(column), f"{n}, as matches", "one row a post")


def _precision(matched: _Matched, *, level: float) -> dict[str, Estimate]:
    found: dict[str, Estimate] = {}
    for i, brand in enumerate(matched.brands):
        judged = matched.relevant[~np.isnan(matched.relevant[:, i]), i]
        if len(judged):
            rule = "really about the brand / judged"
            found[brand] = proportion(int(judged.sum()), len(judged), level=level, rule=rule, small_sample_ok=True)
    return found


def _precise(part: Floats, relevant: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Weighted precision (k,) of each brand's matches and its variance; 1 and 0 where nothing was judged."""
    k = part.shape[1]
    value, variance = np.ones(k), np.zeros(k)
    for i in range(k):
        rows = np.flatnonzero(~np.isnan(relevant[:, i]) & (weight > 0))
        heavy = (part[:, i] * weight)[rows]
        if heavy.sum() > 0:
            effective = heavy.sum() ** 2 / (heavy**2).sum()
            value[i] = heavy @ relevant[rows, i] / heavy.sum()
            near = (effective * value[i] + 1) / (effective + 2)
            unseen = 1 - len(rows) / max(int(np.count_nonzero(part[:, i] * weight)), 1)
            variance[i] = near * (1 - near) / effective * unseen
    return value, variance


def _shares(
    matched: _Matched, weight: Floats, units: NDArray[np.intp], *, plain: bool, by: str, level: float
) -> tuple[Floats, tuple[Estimate, ...]]:
    """Amount (k,) and share of each brand by one measure."""
    brands, several = matched.brands, bool(matched.several.any())
    if plain and by == "volume" and not several and not matched.judged:
        counts = matched.part.sum(axis=0)
        table = share_table(
            dict(zip(brands, counts.astype(int).tolist(), strict=True)), level=level, small_sample_ok=True
        )
        return counts, table.estimates
    exact, doubt = _precise(matched.part, matched.relevant, weight)
    voiced = matched.part * weight[:, None]
    amounts = voiced.sum(axis=0) * exact
    whole = float(amounts.sum())
    if not whole > 0:
        raise EmptyInput(f"{by} of real mentions", "no judged match was about its brand: repair the queries first")
    share = amounts / whole
    each = voiced * exact
    pull = (each - share * each.sum(axis=1, keepdims=True)) / whole
    sums = np.stack([np.bincount(units, weights=p) for p in pull.T])
    slope = (np.eye(len(brands)) - share[:, None]) * voiced.sum(axis=0) / whole  # of share b by precision of c
    variance = (sums**2).sum(axis=1) + slope**2 @ doubt
    n = int(np.count_nonzero(np.bincount(units, weights=voiced.sum(axis=1))))
    most = share * (1 - share)
    effective = np.divide(most, variance, out=np.full(len(brands), float(n)), where=(variance > 0) & (most > 0))
    low, high = wilson_interval(share * effective, effective, level=1 - (1 - level) / len(brands))
    method = "wilson, linearised, bonferroni" + (", precision corrected" if matched.judged else "")
    rule = " / all" + ("" if by == "volume" else f", by {by}")
    made = tuple(
        estimate_of(s, a, b, level=level, n=n, rule=f"{brand}{rule}", method=method)
        for brand, s, a, b in zip(brands, share, low, high, strict=True)
    )
    return amounts, made
