"""Pictures of linkage: explanations, weights, entity sizes, scores, thresholds, and records that say too little."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.charts import Chart, bar, histogram, line, waterfall
from crmcore.linkage.agglomerate import probability

if TYPE_CHECKING:
    from crmcore.linkage.explanation import Explanation
    from crmcore.linkage.linking import Linkage
    from crmcore.linkage.model import LinkageModel
    from crmcore.linkage.unlinkable import Unlinkables

__all__ = ["explanation_chart", "scores_chart", "sizes_chart", "thresholds_chart", "unlinkables_chart", "weights_chart"]

NATS_PER_BIT = math.log(2.0)
SHOWN_BITS = 40.0  # beyond, evidence is beyond all doubt: the axis ends here
MOST_SIZES = 12


def _needed(cut: float) -> float:
    """Bits of log-odds of a probability."""
    p = min(max(cut, 1e-12), 1 - 1e-12)
    return math.log2(p / (1 - p))


def explanation_chart(why: Explanation, /) -> Chart:
    """Waterfall of an explanation, in bits, strongest field first."""
    labels = [f"{b.field}: {b.agreement}" for b in why.ranked]
    steps = [b.bits for b in why.ranked]
    if why.n_judgements:
        labels.append(f"{why.n_judgements} judgements")
        steps.append(why.judgements / NATS_PER_BIT)
    if not labels:
        labels, steps = ["no field to compare"], [0.0]
    return waterfall(
        labels,
        steps,
        title=f"{why.left} and {why.right}",
        description=f"Evidence that both records are one: {why.verdict}. {why.likeliest}.",
        start=why.start / NATS_PER_BIT,
        start_label="before any field",
        total_label="together",
        axis="log-odds in bits; the dashed line is what two records need",
        threshold=_needed(why.verdict.cut),
    )


def weights_chart(model: LinkageModel, /) -> Chart:
    """Bits that each level of each field says for one person against chance, all else equal."""
    rows = model.weight_rows()
    return bar(
        [f"{r['field']}: {r['level']}" for r in rows],
        [float(str(r["bits"])) for r in rows],
        title="What agreement says",
        description="Bits for one person (right) or against (left), by field and agreement, for average values.",
        axis="log2 of the share among one person's records over the share among strangers",
    )


def sizes_chart(linkage: Linkage, /) -> Chart:
    """How many entities have one record, two, three ..."""
    counts = linkage.clustering.histogram
    shown = {str(s): n for s, n in counts.items() if s < MOST_SIZES}
    rest = sum(n for s, n in counts.items() if s >= MOST_SIZES)
    if rest:
        shown[f"{MOST_SIZES} to {max(counts)}"] = rest
    return bar(
        [f"{s} record{'' if s == '1' else 's'}" for s in shown],
        list(shown.values()),
        title="Records of a customer",
        description=f"Customers by how many records they have; the largest has {max(counts, default=0)}.",
        axis="customers",
    )


def scores_chart(linkage: Linkage, /) -> Chart:
    """Scores of compared pairs at or above the floor, and what two records need."""
    bits = np.minimum(linkage.log_odds / NATS_PER_BIT, SHOWN_BITS)
    cut = _needed(linkage.model.cuts.at(2))
    chart = histogram(
        bits,
        title="Scores of pairs",
        description=(
            f"Log-odds in bits of {len(bits):,} pairs at or above {linkage.model.floor / NATS_PER_BIT:.1f} bits (above "
            f"{SHOWN_BITS:g} counted there); two single records need {cut:.1f}."
        ),
        axis="log-odds in bits; the dashed line is what two records need",
        bins=40,
    )
    return _with_rule(chart, cut)


def _with_rule(chart: Chart, at: float) -> Chart:
    """The same picture with a dashed upright line."""
    outer = {k: v for k, v in chart.spec.items() if k not in ("mark", "encoding", "layer")}
    shared = chart.spec.get("encoding", {})  # left outside, it would ask the line for fields that it does not have
    parts = chart.spec["layer"] if "layer" in chart.spec else [{"mark": chart.spec["mark"]}]
    layers = [{**part, "encoding": {**shared, **part.get("encoding", {})}} for part in parts]
    rule: dict[str, Any] = {
        "data": {"values": [{"at": at}]},
        "mark": {"type": "rule", "strokeDash": [4, 4], "strokeWidth": 1.5},
        "encoding": {"x": {"field": "at", "type": "quantitative"}},
    }
    return attrs.evolve(chart, spec={**outer, "layer": [*layers, rule]})


def thresholds_chart(linkage: Linkage, /, *, is_match: NDArray[np.bool_] | None = None) -> Chart:
    """Precision and recall of taking all pairs at or above a score; as the model expects where no truth is given.

    Parameters
    ----------
    linkage : Linkage
    is_match : (m,) answers, optional
        The truth about each of the linkage's pairs.
    """
    from crmcore.linkage.review import threshold_curve

    if is_match is None:
        p = probability(linkage.log_odds)
        odds = np.concatenate([linkage.log_odds, linkage.log_odds])
        match = np.repeat([True, False], len(p))
        weights = np.concatenate([p, 1 - p])
        some = weights > 0
        curve = threshold_curve(odds[some], match[some], weights=weights[some])
    else:
        curve = threshold_curve(linkage.log_odds, is_match)
    rows = [
        r for r in curve.rows(most=120) if r["threshold"] / NATS_PER_BIT <= SHOWN_BITS and r["recall"] == r["recall"]
    ]
    x = [r["threshold"] / NATS_PER_BIT for r in rows]
    names = ("precision", "recall", "f1")
    known = "expected by the model" if is_match is None else "against the truth"
    chart = line(
        x * 3,
        [r[name] for name in names for r in rows],
        series=[name.replace("f1", "F1") for name in names for _ in rows],
        title=f"Thresholds, {known}",
        description=f"Precision, recall and F1 of taking every scored pair at or above a threshold, {known}.",
        axis="share",
        percent=True,
    )
    return _titled(
        _with_rule(chart, _needed(linkage.model.cuts.at(2))),
        "threshold in bits; the dashed line is what two records need",
    )


def unlinkables_chart(found: Unlinkables, /) -> Chart:
    """Share of records that could not be matched with themselves, over thresholds."""
    rows = found.curve()
    need = _needed(found.threshold)
    chart = line(
        [r["bits"] for r in rows],
        [r["share"] for r in rows],
        title="Records that say too little",
        description=(
            f"Share of records that score at most so many bits against their own copy; {found.share:.2%} are below "
            f"{need:.1f}."
        ),
        axis="share of records",
        percent=True,
    )
    return _titled(_with_rule(chart, need), "bits against their own copy; the dashed line is what two records need")


def _titled(chart: Chart, title: str) -> Chart:
    """The same picture with words under its horizontal axis."""
    layers = [
        {**layer, "encoding": {**layer["encoding"], "x": {**layer["encoding"]["x"], "title": title}}}
        for layer in chart.spec["layer"]
    ]
    return attrs.evolve(chart, spec={**chart.spec, "layer": layers})
