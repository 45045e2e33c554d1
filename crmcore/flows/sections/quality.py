"""How close the customers come to a known truth, in all and between each two sources."""

# ruff: noqa: E501  (sentences of the page stay whole)

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore import charts
from crmcore.flows.page import Block, Figure, Heading, Note, Table, Text
from crmcore.linkage.fields import Kind
from crmcore.linkage.quality import estimate, linearised

if TYPE_CHECKING:
    from crmcore.idic.identify.people import People
    from crmcore.linkage.quality import LinkageQuality
    from crmcore.metrics import Estimate

__all__ = ["SourcePair", "Truth", "between_sources", "quality_blocks", "share_linked_by_values", "true_codes"]

Ints = NDArray[np.integer]
Truth = Mapping[str, object]

# Values that thousands share: agreeing on one of them finds nobody.
COMMON = frozenset({Kind.GENDER, Kind.CITY, Kind.STATE, Kind.OCCUPATION, Kind.TEXT})


def true_codes(people: People, truth: Truth) -> Ints:
    """(n,) number of the true customer of each record; -1 where the truth does not know it."""
    codes: dict[object, int] = {}
    given = (truth.get(str(r)) for r in people.table.record_id)
    return np.fromiter(
        (-1 if t is None else codes.setdefault(t, len(codes)) for t in given), np.int64, len(people.table)
    )


@attrs.frozen
class SourcePair:
    """How well records of one source were joined with those of another, or with each other where both are one."""

    left: str
    right: str
    true_pairs: int
    precision: Estimate
    recall: Estimate
    f1: Estimate

    def __str__(self) -> str:
        return self.left if self.left == self.right else f"{self.left} \u2013 {self.right}"


def between_sources(
    predicted: Ints, true: Ints, source: NDArray[np.integer], sources: tuple[str, ...], /, *, level: float = 0.95
) -> tuple[SourcePair, ...]:
    """Pair quality between each two sources, and within each.

    Parameters
    ----------
    predicted, true : (n,) codes
        Customer given, and customer known (-1 = unknown: the record is left out).
    source : (n,) codes
    sources : names of the codes
    level : share

    Returns
    -------
    tuple of SourcePair
        Those with a true pair, in the order of the sources.

    Notes
    -----
    Counted from the cells of predicted x true, never listing pairs. Intervals as in `linkage.quality.evaluate`: true
    customers are the units, a wrong pair counts half for either of its customers.

    Examples
    --------
    >>> labels, one = np.array([0, 0, 1]), np.array([0, 0, 0])
    >>> found = between_sources(labels, one, np.array([0, 1, 1]), ("web", "shop"))
    >>> [(str(f), f.true_pairs, f.recall.value) for f in found]
    [('web – shop', 2, 0.5), ('shop', 1, 0.0)]
    """
    known = true >= 0
    p = np.unique(predicted[known], return_inverse=True)[1]
    t = np.unique(true[known], return_inverse=True)[1]
    s = source[known]
    n_p, n_t, n_s = p.max(initial=-1) + 1, t.max(initial=-1) + 1, len(sources)
    cell, at = np.unique(p * max(n_t, 1) + t, return_inverse=True)
    cell_p, cell_t = cell // max(n_t, 1), cell % max(n_t, 1)
    held = _count(at, s, len(cell), n_s)
    of_p, of_t = _count(p, s, n_p, n_s), _count(t, s, n_t, n_s)
    out = []
    for a in range(n_s):
        for b in range(a, n_s):
            same = a == b
            both = _sum(cell_t, _joint(held[:, a], held[:, b], same), n_t)
            if same:
                put = _sum(cell_t, held[:, a] * (of_p[cell_p, a] - 1) / 2, n_t)
            else:
                mixed = held[:, a] * of_p[cell_p, b] + held[:, b] * of_p[cell_p, a]
                put = _sum(cell_t, mixed / 2, n_t)
            real = _joint(of_t[:, a], of_t[:, b], same)
            if real.sum() > 0:
                out.append(
                    SourcePair(
                        sources[a], sources[b], round(real.sum()),
                        _ratio(both, put, level, "right pairs / pairs put together"),
                        _ratio(both, real, level, "right pairs / true pairs"),
                        _ratio(2 * both, put + real, level, "2 x right pairs / (pairs put together + true pairs)"),
                    )
                )  # fmt: skip
    return tuple(out)


def _count(unit: Ints, source: NDArray[np.integer], n: int, n_s: int) -> NDArray[np.float64]:
    flat = np.bincount(unit * n_s + source, minlength=n * n_s)
    return flat.reshape(n, n_s).astype(np.float64)


def _sum(unit: Ints, values: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    return np.asarray(np.bincount(unit, values, minlength=n), np.float64)


def _joint(a: NDArray[np.float64], b: NDArray[np.float64], same: bool) -> NDArray[np.float64]:
    return a * (a - 1) / 2 if same else a * b


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64], level: float, rule: str) -> Estimate:
    value, influence = linearised(above, below)
    mine = influence[below > 0]
    units = len(mine)
    variance = float(np.sum(mine * mine)) * units / (units - 1) if units > 1 else 0.0
    return estimate(
        value, variance, units, n=round(float(below.sum())), level=level, rule=rule, method="wilson, by customer"
    )


def share_linked_by_values(people: People, true: Ints) -> Estimate:
    """Share of true pairs that identical values link, directly or through other records of the same person.

    Gender, city, state, occupation and free text do not count: they tell nobody apart. The other true pairs can only be
    found where values are alike without being the same: the reach of exact matching, and a hint of what recall can be.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    lo, hi, unit = true_pairs(true)
    shares = np.zeros(len(lo), np.bool_)
    for column in people.linkage.records.columns:
        if column.kind not in COMMON:
            a = column.codes[lo]
            shares |= (a >= 0) & (a == column.codes[hi])
    n = len(true)
    graph = coo_array((np.ones(int(shares.sum()), np.int8), (lo[shares], hi[shares])), shape=(n, n))
    part = connected_components(graph, directed=False)[1]
    above, below = np.bincount(unit, part[lo] == part[hi]), np.bincount(unit).astype(np.float64)
    return _ratio(above.astype(np.float64), below, 0.95, "true pairs linked by identical values / true pairs")


def true_pairs(true: Ints) -> tuple[Ints, Ints, Ints]:
    """Rows of all pairs of one true customer, and that customer.

    Examples
    --------
    >>> [a.tolist() for a in true_pairs(np.array([0, 1, 0, -1, 0]))]
    [[0, 0, 2], [2, 4, 4], [0, 0, 0]]
    """
    order = np.argsort(true, kind="stable")
    order = order[true[order] >= 0]
    label = true[order]
    first = np.flatnonzero(np.r_[True, label[1:] != label[:-1]]) if len(label) else np.empty(0, np.int64)
    size = np.diff(np.r_[first, len(label)])
    lo, hi, unit = [], [], []
    for n in np.unique(size[size > 1]).tolist():
        begin = first[size == n]
        i, j = np.triu_indices(n, 1)
        lo.append(order[begin[:, None] + i].ravel())
        hi.append(order[begin[:, None] + j].ravel())
        unit.append(np.repeat(label[begin], len(i)))
    if not lo:
        none = np.empty(0, np.int64)
        return none, none, none
    return np.concatenate(lo), np.concatenate(hi), np.concatenate(unit)


def quality_blocks(people: People, truth: Truth, quality: LinkageQuality) -> list[Block]:
    """Scores against the truth."""
    true = true_codes(people, truth)
    within = between_sources(people.labels, true, people.table.source, people.table.sources)
    reach = share_linked_by_values(people, true)
    named = {
        "pairs: precision": quality.pair_precision,
        "pairs: recall": quality.pair_recall,
        "pairs: F1": quality.pair_f1,
        "records: precision": quality.bcubed_precision,
        "records: recall": quality.bcubed_recall,
        "records: F1": quality.bcubed_f1,
    }
    shown = {k: e for k, e in named.items() if e.value == e.value}
    gone = f" {quality.left_out:,} records without a known customer are left out." if quality.left_out else ""
    blocks: list[Block] = [
        Heading("How close to the truth"),
        Text(
            f"The true customer of {quality.records:,} records is known, and was not used to find them.{gone} "
            f"{quality.true_entities:,} true customers were found as {quality.predicted_entities:,}: {quality.split:,} are split "
            f"over several profiles, and {quality.over_merged:,} profiles hold more than one person."
        ),
    ]
    if shown:
        blocks.append(
            Figure(
                charts.dot_interval(list(shown), list(shown.values()), title="Agreement with the truth", axis="share", percent=True,
                                    description="Precision, recall and F1 over pairs and over records, with 95% intervals"),
                "Precision, recall and F1 with 95% intervals, over pairs of records (large customers weigh most) and over records "
                "(B-cubed: every record weighs the same).",
                "precision is the share of what was put together that belongs together; recall is the share of what belongs "
                "together that was put together; F1 lies between the two. The line through a dot is its 95% interval.",
            )
        )  # fmt: skip
    if len(people.linkage.lo):
        blocks.append(
            Figure(
                people.chart("thresholds", truth=truth),
                "What any threshold on single pairs would give, against the truth; recall counts only true pairs that were scored.",
                "moving right demands more evidence of a pair: precision rises and recall falls. The dashed line is what two "
                "single records need; larger customers are decided by the mean over their records, not by single pairs.",
            )
        )
    if len(people.table.sources) > 1:
        rows = [
            (str(w), w.true_pairs, w.precision, w.recall, w.f1) for w in sorted(within, key=lambda w: -w.true_pairs)
        ]
        said = "Pairs within and between sources, with 95% intervals: where joining is easy, and where it is not."
        blocks.append(Table(("sources", "true pairs", "precision", "recall", "F1"), rows, said))
    if reach.value == reach.value:
        blocks.append(
            Note(
                f"{reach.value:.1%} of the true pairs [{reach.low:.1%}, {reach.high:.1%}] are linked by identical values, directly or "
                "through other records of the same person. The rest share no value that tells people apart: they can only "
                "be found through values that are merely alike (a slip, another script, a short form), or not at all."
            )
        )
    return blocks
