"""How good a linkage is: entities against a known truth, counted without ever listing the pairs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.errors import EmptyInput, WrongType

if TYPE_CHECKING:
    from crmcore.metrics import Estimate

__all__ = ["LinkageQuality", "evaluate"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
AnyInts = NDArray[np.integer]


@attrs.frozen(kw_only=True, repr=False)
class LinkageQuality:
    """Agreement of predicted entities with the true ones.

    Attributes
    ----------
    pair_precision, pair_recall, pair_f1 : estimates
        Over pairs of records: of the pairs put together, the share that belongs together; of those that belong
        together, the share put together; their harmonic mean. Large entities weigh most.
    bcubed_precision, bcubed_recall, bcubed_f1 : estimates
        The same per record, averaged over records (Bagga and Baldwin 1998): large entities weigh by their records only.
    cluster_precision, cluster_recall : estimates
        Share of predicted (true) entities that are exactly a true (predicted) one.
    cluster_f1 : number
        Their harmonic mean.
    closest_precision, closest_recall, closest_f1 : numbers
        Mean, over predicted (true) entities, of the Jaccard similarity with the true (predicted) entity nearest to it.
    homogeneity, completeness, v_measure : numbers
        1 minus the share of entropy left (Rosenberg and Hirschberg 2007).
    adjusted_rand : number
        Agreement over pairs beyond chance (Hubert and Arabie 1985); 1 is perfect, 0 is chance.
    over_merged, split : counts
        Predicted entities that hold several true ones; true entities spread over several predicted ones.
    records, left_out : counts
        Records compared; records without a truth, which are left out of everything.
    predicted_entities, true_entities, predicted_largest, true_largest : counts
        Entities, and records in the largest of them, among the records compared.

    Notes
    -----
    A share of nothing is NaN (no pair put together: precision unknown), with the interval 0 to 1.
    """

    pair_precision: Estimate
    pair_recall: Estimate
    pair_f1: Estimate
    bcubed_precision: Estimate
    bcubed_recall: Estimate
    bcubed_f1: Estimate
    cluster_precision: Estimate
    cluster_recall: Estimate
    cluster_f1: float
    closest_precision: float
    closest_recall: float
    closest_f1: float
    homogeneity: float
    completeness: float
    v_measure: float
    adjusted_rand: float
    over_merged: int
    split: int
    records: int
    left_out: int
    predicted_entities: int
    true_entities: int
    predicted_largest: int
    true_largest: int

    def __str__(self) -> str:
        gone = f"; {self.left_out} records without a truth left out" if self.left_out else ""
        return (
            f"pairs P {self.pair_precision.value:.4f} R {self.pair_recall.value:.4f} F1 {self.pair_f1.value:.4f} "
            f"[{self.pair_f1.low:.4f}, {self.pair_f1.high:.4f}], B-cubed F1 {self.bcubed_f1.value:.4f}; "
            f"{self.predicted_entities} entities for {self.true_entities} true ones over {self.records} records, "
            f"{self.over_merged} over-merged, {self.split} split{gone}"
        )

    def __repr__(self) -> str:
        return f"LinkageQuality({self})"

    def rows(self) -> list[dict[str, object]]:
        """One row per measure: name, value, and where there is one the interval."""
        listed: list[dict[str, object]] = []
        for field in attrs.fields(LinkageQuality):
            got = getattr(self, field.name)
            number = isinstance(got, int | float)
            low, high, n = (None, None, None) if number else (got.low, got.high, got.n)
            listed.append(
                {"measure": field.name, "value": float(got if number else got.value), "low": low, "high": high, "n": n}
            )
        return listed

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row per measure, in a frame of `backend`; None gives a dict of lists."""
        rows = self.rows()
        return write_frame({k: [row[k] for row in rows] for k in rows[0]}, backend=backend)

    def _repr_html_(self) -> str:
        return html_table(self.rows(), caption="Linkage quality", limit=30)


def evaluate(predicted_labels: AnyInts, true_labels: AnyInts, /, *, level: float = 0.95) -> LinkageQuality:
    """Compare predicted entities with the true ones.

    Parameters
    ----------
    predicted_labels : (n,) codes
        Entity that each record was given.
    true_labels : (n,) codes
        Entity that each record belongs to; -1 = unknown, the record is left out.
    level : share
        Confidence of the intervals.

    Returns
    -------
    LinkageQuality

    Raises
    ------
    EmptyInput
        No record has a truth.

    Notes
    -----
    Everything is counted from the non-empty cells of the table predicted x true: linear in the records. Intervals of
    pair and B-cubed measures are for true entities drawn at random: each measure is a ratio of sums over true entities
    (a pair put together wrongly counts half for either), its variance follows by linearisation, and a Wilson interval
    with the effective number of observations keeps it inside 0 to 1 (Korn and Graubard 1998).

    Examples
    --------
    >>> quality = evaluate(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2]))
    >>> quality.pair_precision.value, quality.pair_recall.value, quality.over_merged
    (0.5, 1.0, 1)
    """
    predicted, true = np.asarray(predicted_labels, np.int64), np.asarray(true_labels, np.int64)
    if predicted.shape != true.shape or predicted.ndim != 1:
        raise WrongType("true_labels", f"shape {true.shape}", f"shape {predicted.shape}", "give one label per record")
    known = true >= 0
    if not known.any():
        raise EmptyInput("the truth", "label at least one record; -1 means unknown")
    table = Contingency.of(predicted[known], true[known])
    closest_precision, closest_recall = table.closest()
    homogeneity, completeness = table.entropy_shares()
    exact = table.exact()
    n_predicted, n_true = len(table.predicted_size), len(table.true_size)
    return LinkageQuality(
        **{name: _of_ratio(*sums, level=level, rule=rule) for name, (rule, sums) in table.ratios().items()},
        **_bcubed_f1(table, level),
        cluster_precision=_of_counts(exact, n_predicted, level, "predicted entities that are exactly a true one"),
        cluster_recall=_of_counts(exact, n_true, level, "true entities that are exactly a predicted one"),
        cluster_f1=harmonic(exact / n_predicted, exact / n_true),
        closest_precision=closest_precision,
        closest_recall=closest_recall,
        closest_f1=harmonic(closest_precision, closest_recall),
        homogeneity=homogeneity,
        completeness=completeness,
        v_measure=harmonic(homogeneity, completeness),
        adjusted_rand=table.adjusted_rand(),
        over_merged=int((np.bincount(table.predicted) > 1).sum()),
        split=int((np.bincount(table.true) > 1).sum()),
        records=int(known.sum()),
        left_out=int((~known).sum()),
        predicted_entities=n_predicted,
        true_entities=n_true,
        predicted_largest=int(table.predicted_size.max()),
        true_largest=int(table.true_size.max()),
    )


@attrs.frozen(eq=False)
class Contingency:
    """The non-empty cells of predicted x true entities, both renumbered 0, 1, ..."""

    predicted: Ints  # (c,)
    true: Ints  # (c,)
    count: Ints  # (c,) records in the cell
    predicted_size: Ints  # (P,)
    true_size: Ints  # (T,)

    @classmethod
    def of(cls, predicted: Ints, true: Ints) -> Contingency:
        """Count records per cell by one sort."""
        p, t = _dense(predicted), _dense(true)
        width = int(t.max()) + 1
        packed = np.sort(p * width + t)
        first = np.flatnonzero(np.r_[True, packed[1:] != packed[:-1]])
        count = np.diff(np.r_[first, len(packed)])
        cell_p, cell_t = np.divmod(packed[first], width)
        return cls(cell_p, cell_t, count, np.bincount(p), np.bincount(t))

    def ratios(self) -> dict[str, tuple[str, tuple[Floats, Floats]]]:
        """Measures that are ratios of sums over true entities: rule, numerators (T,), denominators (T,)."""
        c, t = self.count.astype(np.float64), len(self.true_size)

        def per_true(of_cell: Floats) -> Floats:
            return np.asarray(np.bincount(self.true, weights=of_cell, minlength=t), np.float64)

        both = per_true(c * (c - 1) / 2)
        put = per_true(c * (self.predicted_size[self.predicted] - 1) / 2)
        true = self.true_size * (self.true_size - 1) / 2
        size = self.true_size.astype(np.float64)
        return {
            "pair_precision": ("pairs put together that belong together / pairs put together", (both, put)),
            "pair_recall": (
                "pairs that belong together and were put together / pairs that belong together",
                (both, true),
            ),
            "pair_f1": ("2 x right pairs / (pairs put together + pairs that belong together)", (2 * both, put + true)),
            "bcubed_precision": (
                "mean over records: share of its predicted entity that is its true one",
                (per_true(c * c / self.predicted_size[self.predicted]), size),
            ),
            "bcubed_recall": (
                "mean over records: share of its true entity that is in its predicted one",
                (per_true(c * c / self.true_size[self.true]), size),
            ),
        }

    def exact(self) -> int:
        """Entities that are the same set of records on both sides."""
        same = (self.count == self.predicted_size[self.predicted]) & (self.count == self.true_size[self.true])
        return int(same.sum())

    def closest(self) -> tuple[float, float]:
        """Mean best Jaccard similarity, over predicted and over true entities."""
        union = self.predicted_size[self.predicted] + self.true_size[self.true] - self.count
        jaccard = self.count / union
        best_p, best_t = np.zeros(len(self.predicted_size)), np.zeros(len(self.true_size))
        np.maximum.at(best_p, self.predicted, jaccard)
        np.maximum.at(best_t, self.true, jaccard)
        return float(best_p.mean()), float(best_t.mean())

    def entropy_shares(self) -> tuple[float, float]:
        """Homogeneity and completeness."""
        n = self.count.sum()
        given_predicted = -float(np.sum(self.count / n * np.log(self.count / self.predicted_size[self.predicted])))
        given_true = -float(np.sum(self.count / n * np.log(self.count / self.true_size[self.true])))
        of_true, of_predicted = (-float(np.sum(s / n * np.log(s / n))) for s in (self.true_size, self.predicted_size))
        homogeneity = 1.0 - given_predicted / of_true if of_true > 0 else 1.0
        completeness = 1.0 - given_true / of_predicted if of_predicted > 0 else 1.0
        return homogeneity, completeness

    def adjusted_rand(self) -> float:
        """Rand index over its expectation under random labels of the same sizes."""
        n = int(self.count.sum())
        both, put, true = (float(np.sum(s * (s - 1.0) / 2)) for s in (self.count, self.predicted_size, self.true_size))
        expected = put * true / (n * (n - 1) / 2) if n > 1 else 0.0
        most = (put + true) / 2
        return 1.0 if most == expected else (both - expected) / (most - expected)


def harmonic(a: float, b: float) -> float:
    """Harmonic mean of two shares; 0 when both are 0.

    Examples
    --------
    >>> harmonic(0.5, 1.0)
    0.6666666666666666
    """
    return 2 * a * b / (a + b) if a + b > 0 else (0.0 if a + b == 0 else math.nan)


def linearised(numerator: Floats, denominator: Floats, /) -> tuple[float, Floats]:
    """Ratio of two sums over independent units, and each unit's influence on it."""
    below = float(denominator.sum())
    if below <= 0:
        return math.nan, np.zeros(len(denominator))
    ratio = float(numerator.sum()) / below
    return ratio, (numerator - ratio * denominator) / below


def share_interval(value: float, variance: float, units: float, /, *, level: float) -> tuple[float, float]:
    """Wilson interval of a share with a known variance, through the effective number of observations.

    Parameters
    ----------
    value : share
        NaN gives (0, 1).
    variance : number
        Of `value`. When 0 (all units agree) the number of units stands in for the effective number.
    units : count
        Independent observations.
    level : share

    Examples
    --------
    >>> [round(x, 3) for x in share_interval(0.8, 0.8 * 0.2 / 100, 100, level=0.95)]
    [0.711, 0.867]
    """
    from crmcore.metrics.intervals import wilson_interval

    if math.isnan(value) or units <= 0:
        return 0.0, 1.0
    if variance <= 0:
        n = units
    elif 0 < value < 1:
        n = value * (1 - value) / variance
    else:  # the spread of a share that was never seen to fail: the largest that a share can have
        n = min(units, 0.25 / variance)
    low, high = wilson_interval(value * n, n, level=level)
    return min(float(low), value), max(float(high), value)


def estimate(value: float, variance: float, units: int, /, *, n: int, level: float, rule: str, method: str) -> Estimate:
    """House estimate of a share from its variance."""
    from crmcore.metrics import Estimate

    low, high = share_interval(value, variance, units, level=level)
    return Estimate(value=value, low=low, high=high, level=level, n=n, rule=rule, method=method)


def _of_counts(k: int, n: int, level: float, rule: str) -> Estimate:
    return estimate(k / n, k * (n - k) / n**3, n, n=n, level=level, rule=rule, method="wilson")


def _of_ratio(numerator: Floats, denominator: Floats, *, level: float, rule: str) -> Estimate:
    value, influence = linearised(numerator, denominator)
    return _of_influence(value, influence, denominator > 0, round(float(denominator.sum())), level=level, rule=rule)


def _bcubed_f1(table: Contingency, level: float) -> dict[str, Estimate]:
    ratios = table.ratios()
    p, by_p = linearised(*ratios["bcubed_precision"][1])
    r, by_r = linearised(*ratios["bcubed_recall"][1])
    f = harmonic(p, r)
    influence = 2 * (r * r * by_p + p * p * by_r) / (p + r) ** 2
    n = int(table.count.sum())
    rule = "harmonic mean of B-cubed precision and recall"
    return {"bcubed_f1": _of_influence(f, influence, np.ones(len(influence), bool), n, level=level, rule=rule)}


def _of_influence(
    value: float, influence: Floats, counts: NDArray[np.bool_], n: int, *, level: float, rule: str
) -> Estimate:
    units = int(counts.sum())
    mine = influence[counts]
    variance = float(np.sum(mine * mine)) * units / (units - 1) if units > 1 else 0.0
    method = "wilson with effective n, linearised over true entities"
    return estimate(value, variance, units, n=n, level=level, rule=rule, method=method)


def _dense(labels: Ints) -> Ints:
    """Labels renumbered 0, 1, ... in their own order; by sort, since `unique` is slow on millions."""
    order = np.argsort(labels)
    ordered = labels[order]
    code = np.empty(len(labels), np.int64)
    code[order] = np.cumsum(np.r_[False, ordered[1:] != ordered[:-1]])
    return code
