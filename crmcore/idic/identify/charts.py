"""Pictures of identity resolution, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.charts import Chart, bar, network
from crmcore.charts.theme import PAPER
from crmcore.errors import EmptyInput, UnknownName
from crmcore.linkage.agglomerate import probability
from crmcore.linkage.charts import scores_chart, sizes_chart, thresholds_chart, unlinkables_chart, weights_chart
from crmcore.linkage.explaining import some_records

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crmcore.idic.identify.people import People

__all__ = ["CHARTS", "OVERVIEW", "draw", "overview"]

MOST_COMBINATIONS = 12
MOST_NODES = 40
SHOWN = 0.05  # probability from which a line is drawn


def draw(people: People, which: str, **options: Any) -> Chart:
    """One picture by name.

    Raises
    ------
    UnknownName
        No picture has this name; the nearest is proposed.
    """
    if which not in CHARTS:
        raise UnknownName("chart", which, tuple(CHARTS))
    return CHARTS[which](people, **options)


def overview(people: People) -> dict[str, Chart]:
    """Every picture of `OVERVIEW` that has something to show."""
    found = {}
    for name in OVERVIEW:
        try:
            found[name] = draw(people, name)
        except EmptyInput:  # no pair was scored, nothing was merged
            continue
    return found


def _weights(people: People) -> Chart:
    return weights_chart(people.model)


def _sizes(people: People) -> Chart:
    return sizes_chart(people.linkage)


def _scores(people: People) -> Chart:
    return scores_chart(people.linkage)


def _thresholds(people: People, *, truth: Mapping[str, object] | None = None) -> Chart:
    """Expected by the model, or against the truth (record id -> true customer) where it is given."""
    if truth is None:
        return thresholds_chart(people.linkage)
    codes: dict[object, int] = {}
    # records without a truth are nobody else's: each gets a code of its own
    true = np.array([codes.setdefault(truth.get(r, (r,)), len(codes)) for r in people.table.record_id], np.int64)
    return thresholds_chart(people.linkage, is_match=true[people.linkage.lo] == true[people.linkage.hi])


def _unlinkables(people: People, *, threshold: float | None = None) -> Chart:
    return unlinkables_chart(people.unlinkables(threshold=threshold))


def _sources(people: People) -> Chart:
    """Customers by the sources that know them."""
    names, n = people.table.sources, len(people)
    known = np.zeros((n, len(names)), bool)
    known[people.labels, people.table.source] = True
    kinds, count = np.unique(known, axis=0, return_counts=True)
    order = np.lexsort((*kinds.T[::-1], -count))
    shown, rest = order[:MOST_COMBINATIONS], order[MOST_COMBINATIONS:]
    labels = [" + ".join(s for s, has in zip(names, kinds[i].tolist(), strict=True) if has) for i in shown.tolist()]
    values = count[shown].tolist()
    if len(rest):
        labels.append(f"{len(rest)} other combinations")
        values.append(int(count[rest].sum()))
    records = np.bincount(people.table.source, minlength=len(names)).tolist()
    several = np.bincount(known.sum(axis=1), minlength=2)[1:].tolist()
    told = ", ".join(f"{c:,} in {k}" for k, c in enumerate(several, 1) if c)
    listed = ", ".join(f"{s} {r:,}" for s, r in zip(names, records, strict=True))
    return bar(
        labels,
        values,
        title="Customers by the sources that know them",
        description=f"Records: {listed}. Customers by number of sources: {told}.",
        axis="customers",
    )


def _customer(people: People, *, customer: str) -> Chart:
    """Records of one customer (by customer or record id) and how alike they are."""
    rows = _rows_of(people, customer)
    scorer = people.model.scorer(some_records(people.linkage.records, rows))
    i, j = np.triu_indices(len(rows), 1)
    p = probability(scorer.log_odds(i, j))
    angle = 2 * np.pi * np.arange(len(rows)) / len(rows) + np.pi / 2
    nodes = [
        {
            "id": str(people.table.record_id[row]),
            "x": float(np.cos(a)),
            "y": float(np.sin(a)),
            "group": people.table.sources[people.table.source[row]],
        }
        for row, a in zip(rows.tolist(), angle.tolist(), strict=True)
    ]
    for node in nodes:
        node["label"] = str(node["id"]).rpartition(":")[2]
    edges = [
        (str(nodes[a]["id"]), str(nodes[b]["id"]), float(q))
        for a, b, q in zip(i.tolist(), j.tolist(), p.tolist(), strict=True)
        if q >= SHOWN
    ]
    name = people.customer_ids[int(rows[0])]
    chart = network(
        nodes,
        edges,
        title=f"Records of {name}",
        description=f"{len(rows)} records; lines show the probability that two are one customer, from {SHOWN:g} on.",
    )
    return attrs.evolve(chart, spec={**chart.spec, "layer": _outside(list(chart.spec["layer"]))})


def _outside(layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Names outside the ring, on paper of their own, so that lines do not run through them."""
    *marks, names = layers
    if len(marks) > 1:
        marks[0] = {**marks[0], "mark": {**marks[0]["mark"], "opacity": 0.45}}
    for upper, dy in ((True, -18), (False, 20)):
        part = {**names, "transform": [{"filter": f"datum.y {'>' if upper else '<='} 0.05"}]}
        halo = {"stroke": PAPER, "strokeWidth": 5, "strokeJoin": "round"}
        marks += [{**part, "mark": {**names["mark"], "dy": dy, **more}} for more in (halo, {})]
    return marks


def _rows_of(people: People, name: str) -> NDArray[np.int64]:
    ids = np.array(people.customer_ids, object)
    rows = np.flatnonzero(ids == name)
    if not len(rows):
        rows = np.flatnonzero(people.labels == people.labels[people.row(name)])
    return rows[:MOST_NODES]


CHARTS: dict[str, Callable[..., Chart]] = {
    "customer": _customer,
    "scores": _scores,
    "sizes": _sizes,
    "sources": _sources,
    "thresholds": _thresholds,
    "unlinkables": _unlinkables,
    "weights": _weights,
}
OVERVIEW = ("sizes", "sources", "weights", "scores", "thresholds", "unlinkables")
