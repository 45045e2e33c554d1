"""How good a linkage is when the truth is not known: draw pairs, let people judge them, estimate with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.errors import BadRow, BadRows, EmptyInput, OutOfRange, WrongType
from crmcore.linkage.quality import estimate

if TYPE_CHECKING:
    from crmcore.metrics import Estimate

__all__ = ["PairQuality", "ReviewSample", "ThresholdCurve", "evaluate_pairs", "review_sample", "threshold_curve"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

EDGES = (
    -8.0,
    -5.0,
    -3.5,
    -2.0,
    -1.0,
    0.0,
    1.0,
    2.0,
    3.5,
    5.0,
    8.0,
)  # natural log-odds: finest where the answer is open


@attrs.frozen(eq=False, repr=False)
class ReviewSample:
    """Pairs to be judged by people, with what each stands for.

    Attributes
    ----------
    pairs : (s,) positions
        In the arrays that were sampled from; ascending.
    stratum : (s,) codes
        Band of scores that each pair was drawn from.
    weights : (s,) counts
        Pairs that each drawn pair stands for: pairs of its stratum / pairs drawn from it.
    """

    pairs: Ints
    stratum: NDArray[np.int32]
    weights: Floats

    def __len__(self) -> int:
        return len(self.pairs)

    def __repr__(self) -> str:
        return f"ReviewSample({len(self)} of {self.weights.sum():.0f} pairs, {len(np.unique(self.stratum))} strata)"


def review_sample(
    log_odds: Floats,
    size: int,
    /,
    *,
    seed: int | np.random.Generator,
    edges: Sequence[float] = EDGES,
    least: int = 5,
) -> ReviewSample:
    """Draw pairs for judgement, more from score bands that are large and uncertain.

    Parameters
    ----------
    log_odds : (m,) natural log-odds
        Of all scored pairs.
    size : count
        Pairs to draw; all of them when there are fewer.
    seed : int or Generator
    edges : natural log-odds
        Bounds of the bands.
    least : count
        Drawn from every band that has so many, so that no band is judged blindly; fewer when `size` cannot afford it.

    Returns
    -------
    ReviewSample

    Notes
    -----
    Neyman allocation: shares in proportion to N_h sqrt(p_h (1 - p_h)), p_h the mean model probability of the band, kept
    between .02 and .98 because the model may be wrong where it is sure. Each draw within a band is equally likely, so
    the weights N_h / n_h are known and the estimates do not depend on the model being right.

    Examples
    --------
    >>> review_sample(np.linspace(-9, 9, 1000), 100, seed=1)
    ReviewSample(100 of 1000 pairs, 12 strata)
    """
    if size < 1:
        raise OutOfRange("size", size, "1 and more", "50 to 500 pairs are an afternoon's work")
    log_odds = np.asarray(log_odds, np.float64)
    if not len(log_odds):
        raise EmptyInput("log_odds", "score at least one pair")
    rng = np.random.default_rng(seed)
    band = np.searchsorted(np.sort(np.asarray(edges, np.float64)), log_odds, side="right")
    count = np.bincount(band)
    p = 1 / (1 + np.exp(-np.clip(log_odds, -60, 60)))
    mean = np.clip(np.bincount(band, weights=p) / np.maximum(count, 1), 0.02, 0.98)
    take = _allocated(
        count, np.asarray(count * np.sqrt(mean * (1 - mean)), np.float64), min(size, len(log_odds)), least
    )
    # one random key per pair, then the first of each band: drawing more from one band moves nothing in another
    order = np.lexsort((rng.random(len(log_odds)), band))
    start = np.cumsum(count) - count
    place = np.arange(len(order)) - start[band[order]]
    drawn = np.sort(order[place < take[band[order]]])
    weights = (count / np.maximum(take, 1))[band[drawn]]
    return ReviewSample(drawn, band[drawn].astype(np.int32), weights)


def _allocated(count: NDArray[np.integer], wish: Floats, size: int, least: int) -> Ints:
    """Whole numbers that sum to `size`, at least `least` each where there are so many, near the wished shares."""
    filled = int((count > 0).sum())
    take = np.minimum(count, min(least, size // filled))
    while (left := size - int(take.sum())) > 0:
        room = count - take
        share = np.where(room > 0, wish, 0.0)
        more = np.minimum(room, (left * share / share.sum()).astype(np.int64))
        if not more.any():  # less than one each: the largest wishes get one
            first = np.argsort(-share, kind="stable")[:left]
            more[first] = np.minimum(room[first], 1)
        take = take + more
    return np.asarray(take)


@attrs.frozen(kw_only=True, repr=False)
class PairQuality:
    """Precision, recall and F1 over pairs, estimated from judged pairs.

    Attributes
    ----------
    precision, recall, f1 : estimates
        Recall counts matches among the pairs sampled from; pairs that were never scored are not in it.
    """

    precision: Estimate
    recall: Estimate
    f1: Estimate

    def __str__(self) -> str:
        named = {"precision": self.precision, "recall": self.recall, "F1": self.f1}
        return ", ".join(f"{k} {e.value:.4f} [{e.low:.4f}, {e.high:.4f}]" for k, e in named.items())

    def __repr__(self) -> str:
        return f"PairQuality({self})"

    def _repr_html_(self) -> str:
        named = {"precision": self.precision, "recall": self.recall, "F1": self.f1}
        rows = [{"measure": k, "value": e.value, "low": e.low, "high": e.high, "n": e.n} for k, e in named.items()]
        return html_table(rows, caption="Quality over pairs")


def evaluate_pairs(
    predicted: Bools,
    is_match: Bools,
    /,
    *,
    weights: Floats | None = None,
    stratum: Ints | None = None,
    level: float = 0.95,
) -> PairQuality:
    """Estimate pair precision, recall and F1 from judged pairs.

    Parameters
    ----------
    predicted : (s,) answers
        Whether the linkage puts the two records together.
    is_match : (s,) answers
        What the judge said.
    weights : (s,) counts, optional
        Pairs that each judged pair stands for (`ReviewSample.weights`); 1 each by default: a simple random sample.
    stratum : (s,) codes, optional
        Stratum of each pair (`ReviewSample.stratum`); one stratum by default.
    level : share
        Confidence of the intervals.

    Returns
    -------
    PairQuality

    Notes
    -----
    Ratio estimators with weights; variances by linearisation within strata with finite population correction (Sarndal,
    Swensson and Wretman 1992, 5.6). Within each stratum the variance is computed as if half a match and half a
    non-match had been seen too: five judged pairs without a match do not prove that there is none among the thousands
    they stand for. Intervals are Wilson's with the effective number of pairs. Without weights and strata precision and
    recall are plain proportions.

    Examples
    --------
    >>> quality = evaluate_pairs(np.array([True] * 50 + [False] * 50), np.array([True] * 48 + [False] * 52))
    >>> round(quality.precision.value, 3), round(quality.precision.low, 3)
    (0.96, 0.865)
    """
    predicted, is_match = np.asarray(predicted, bool), np.asarray(is_match, bool)
    if predicted.shape != is_match.shape:
        raise WrongType(
            "is_match", f"shape {is_match.shape}", f"shape {predicted.shape}", "give one judgement per pair"
        )
    if not len(predicted):
        raise EmptyInput("the judged pairs", "judge at least one pair")
    design = None
    if weights is not None or stratum is not None:
        codes = np.zeros(len(predicted), np.int64) if stratum is None else np.asarray(stratum)
        design = _weights(weights, len(predicted)), np.unique(codes, return_inverse=True)[1]
    return PairQuality(**{name: _measured(name, predicted, is_match, design, level) for name in MEASURES})


# name -> what is counted, and the factors (a, b, c) of: a x put together and match / (b x put together + c x match)
MEASURES: dict[str, tuple[str, tuple[float, float, float]]] = {
    "precision": ("pairs put together that are matches / pairs put together", (1.0, 1.0, 0.0)),
    "recall": ("matches put together / matches among the scored pairs", (1.0, 0.0, 1.0)),
    "f1": ("2 x right pairs / (pairs put together + matches)", (2.0, 1.0, 1.0)),
}


def _measured(
    name: str, predicted: Bools, is_match: Bools, design: tuple[Floats, Ints] | None, level: float
) -> Estimate:
    rule, (a, b, c) = MEASURES[name]
    put, true = predicted.astype(np.float64), is_match.astype(np.float64)
    w, stratum = design if design is not None else (np.ones(len(put)), np.zeros(len(put), np.int64))
    above, below = a * put * true, b * put + c * true
    total = float((w * below).sum())
    n = int((below > 0).sum())
    if total <= 0:
        return estimate(math.nan, 0.0, 0, n=0, level=level, rule=rule, method="nothing to count")
    ratio = float((w * above).sum()) / total
    if design is None and name != "f1":
        return estimate(ratio, ratio * (1 - ratio) / n, n, n=n, level=level, rule=rule, method="wilson")
    # influence of a pair on the ratio if it is a match, and if it is not
    if_match, if_not = (a * put - ratio * (b * put + c)) / total, -ratio * b * put / total
    seen = np.where(is_match, if_match, if_not)
    pairs, stands_for = np.bincount(stratum), np.bincount(stratum, weights=w)
    mean = (np.bincount(stratum, seen) + np.bincount(stratum, if_match + if_not) / (2 * pairs)) / (pairs + 1)
    square = (np.bincount(stratum, seen**2) + np.bincount(stratum, if_match**2 + if_not**2) / (2 * pairs)) / (pairs + 1)
    sampled = pairs / stands_for if design is not None else np.zeros(len(pairs))
    variance = float(np.sum(stands_for**2 * np.maximum(0.0, 1 - sampled) * (square - mean**2) / pairs))
    method = "wilson with effective n, linearised within strata"
    if variance <= 0:  # every pair was judged
        method, n = "counted", len(put)
        return attrs.evolve(estimate(ratio, 0.0, n, n=n, level=level, rule=rule, method=method), low=ratio, high=ratio)
    return estimate(ratio, variance, n, n=n, level=level, rule=rule, method=method)


def _weights(weights: Floats | None, n: int) -> Floats:
    w = np.ones(n) if weights is None else np.asarray(weights, np.float64)
    if w.shape != (n,):
        raise WrongType("weights", f"shape {w.shape}", f"({n},)", "give one weight per pair")
    bad = ~(w > 0) | ~np.isfinite(w)
    if bad.any():
        rows = tuple(int(i) for i in np.flatnonzero(bad))
        raise BadRows("weights", (BadRow("weights", "not a positive number", rows),), "take the weights of the sample")
    return w


@attrs.frozen(eq=False, repr=False)
class ThresholdCurve:
    """Precision, recall and F1 of taking all pairs at or above a threshold; thresholds descend.

    Attributes
    ----------
    threshold : (t,) natural log-odds
        Every distinct score.
    precision, recall, f1 : (t,) shares
        Recall is NaN when there is no match at all.
    pairs : (t,) counts
        Pairs taken (weighted).
    """

    threshold: Floats
    precision: Floats
    recall: Floats
    f1: Floats
    pairs: Floats

    def __len__(self) -> int:
        return len(self.threshold)

    def __repr__(self) -> str:
        return f"ThresholdCurve({len(self)} thresholds, {self})"

    def __str__(self) -> str:
        if not len(self) or np.isnan(self.f1).all():
            return "no match among the pairs"
        at = self.best
        return (
            f"best F1 {self.f1[at]:.4f} at log-odds {self.threshold[at]:.2f} "
            f"(P {self.precision[at]:.4f}, R {self.recall[at]:.4f})"
        )

    @property
    def best(self) -> int:
        """Position of the largest F1; of equals the highest threshold."""
        return int(np.nanargmax(self.f1))

    def rows(self, *, most: int = 200) -> list[dict[str, float]]:
        """Rows for a chart: at most `most` thresholds, evenly spaced over the curve, both ends kept."""
        if not len(self):
            return []
        at = np.unique(np.linspace(0, len(self) - 1, min(most, len(self))).round().astype(np.int64))
        names = [f.name for f in attrs.fields(ThresholdCurve)]
        columns = [getattr(self, name)[at].tolist() for name in names]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row per threshold, in a frame of `backend`; None gives a dict of lists."""
        return write_frame({f.name: getattr(self, f.name) for f in attrs.fields(ThresholdCurve)}, backend=backend)

    def _repr_html_(self) -> str:
        return html_table(self.rows(most=20), caption=str(self))


def threshold_curve(log_odds: Floats, is_match: Bools, /, *, weights: Floats | None = None) -> ThresholdCurve:
    """Trade-off between precision and recall over all thresholds.

    Parameters
    ----------
    log_odds : (s,) natural log-odds
        Score of each judged pair.
    is_match : (s,) answers
        What the judge said.
    weights : (s,) counts, optional
        Pairs that each judged pair stands for; 1 each by default.

    Returns
    -------
    ThresholdCurve

    Examples
    --------
    >>> print(threshold_curve(np.array([4.0, 2.0, 0.0, -2.0]), np.array([True, True, False, True])))
    best F1 0.8571 at log-odds -2.00 (P 0.7500, R 1.0000)
    """
    score, match = np.asarray(log_odds, np.float64), np.asarray(is_match, bool)
    if score.shape != match.shape:
        raise WrongType("is_match", f"shape {match.shape}", f"shape {score.shape}", "give one judgement per pair")
    w = _weights(weights, len(score))
    order = np.argsort(-score, kind="stable")
    score, w, match = score[order], w[order], match[order]
    last = np.flatnonzero(np.r_[score[1:] != score[:-1], True]) if len(score) else np.zeros(0, np.int64)
    taken, right = np.cumsum(w)[last], np.cumsum(w * match)[last]
    total = float((w * match).sum())
    nothing = np.full(len(last), np.nan)
    recall, f1 = (right / total, 2 * right / (taken + total)) if total > 0 else (nothing, nothing)
    return ThresholdCurve(score[last], right / taken, recall, f1, taken)
