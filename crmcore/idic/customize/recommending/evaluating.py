"""How good a recommender is on purchases that it has not seen: measures with intervals, and tests between two."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.errors import EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.idic.customize.recommending.door import Recommendations
from crmcore.idic.customize.recommending.histories import Histories, as_micros
from crmcore.idic.customize.recommending.measures import average_precision, hits_of, ndcg, recall, reciprocal_rank
from crmcore.idic.customize.recommending.reasons import Scope
from crmcore.metrics import Comparison, Estimate, paired_difference
from crmcore.metrics.estimates import check_level, estimate_of
from crmcore.tables import OrderTable

__all__ = ["Evaluation", "Split", "compare_lists", "evaluate", "random_split", "time_split"]

Floats = NDArray[np.float64]
MEASURES = ("ndcg", "recall", "map", "mrr")
RESAMPLES = 1000


@attrs.frozen(eq=False, repr=False)
class Split:
    """Orders to learn from, and orders to be found; made by `time_split` or `random_split`."""

    train: OrderTable
    test: OrderTable
    how: str

    def __repr__(self) -> str:
        return f"Split({len(self.train)} lines to learn from, {len(self.test)} to find, {self.how})"


def time_split(orders: OrderTable, at: datetime | np.datetime64, /, *, until: datetime | None = None) -> Split:
    """Learn from orders before an instant, find those from then on (until another, where stated)."""
    cut = as_micros(at, "at")
    late = orders.time >= cut
    if until is not None:
        late &= orders.time < as_micros(until, "until")
    return _split(orders, orders.time < cut, late, f"time from {np.datetime_as_string(cut, 'D')}")


def random_split(orders: OrderTable, /, *, share: float = 0.2, seed: int) -> Split:
    """Hide a share of the pairs of customer and product, all lines of a pair together."""
    if not 0 < share < 1:
        raise OutOfRange("share", share, "above 0, below 1", "0.2 is usual")
    size = np.int64(len(orders.product.values) + 1)
    names = np.argsort(
        np.argsort(np.array([*orders.product.values, ""], dtype=object))
    )  # the order of rows means nothing
    pair = orders.customer.astype(np.int64) * size + names[orders.product.codes]
    distinct, line = np.unique(pair, return_inverse=True)
    held = np.random.default_rng(seed).random(len(distinct)) < share
    return _split(orders, ~held[line], held[line], f"random {share:g}, seed {seed}")


def _split(orders: OrderTable, early: NDArray[np.bool_], late: NDArray[np.bool_], how: str) -> Split:
    if not early.any() or not late.any():
        raise EmptyInput("one side of the split", "choose an instant within the orders, or a larger share")
    return Split(orders.take(early), orders.take(late), how)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Evaluation:
    """Measures of lists against purchases that were hidden.

    Attributes
    ----------
    ndcg, recall, map, mrr : means over customers, with bootstrap intervals over customers
    coverage : share of the catalogue that stands in at least one list
    novelty : mean bits of surprise of what is listed, -log2 of the share of customers who bought it
    k, recall_at : length of the lists
    scope : of the lists
    customers : ids of who was asked, in the order of `values`
    values : measure to (customers,) numbers
    how : the split
    """

    ndcg: Estimate
    recall: Estimate
    map: Estimate
    mrr: Estimate
    coverage: float
    novelty: float
    k: int
    recall_at: int
    scope: Scope
    customers: tuple[str, ...] = attrs.field(repr=False)
    values: Mapping[str, Floats]
    how: str

    def __repr__(self) -> str:
        found = f"NDCG@{self.k} {self.ndcg.value:.4f}, recall@{self.recall_at} {self.recall.value:.4f}"
        return f"Evaluation({found}, n = {self.ndcg.n})"

    def __str__(self) -> str:
        lines = [f"{self.scope} items, {self.how}"]
        lines += [f"  {row['measure']}: {estimate}" for row, estimate in zip(self._rows(), self._all(), strict=True)]
        return "\n".join([*lines, f"  coverage {self.coverage:.1%}, novelty {self.novelty:.1f} bits"])

    def _all(self) -> tuple[Estimate, ...]:
        return (self.ndcg, self.recall, self.map, self.mrr)

    def _rows(self) -> list[dict[str, Any]]:
        names = (f"NDCG@{self.k}", f"recall@{self.recall_at}", f"MAP@{self.k}", f"MRR@{self.k}")
        return [
            {"measure": name, "value": e.value, "low": e.low, "high": e.high, "n": e.n}
            for name, e in zip(names, self._all(), strict=True)
        ]

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a measure: measure, value, low, high, n."""
        rows = self._rows()
        return write_frame({name: [row[name] for row in rows] for name in rows[0]}, backend=backend)

    def chart(self) -> Any:
        """Measures with their intervals."""
        from crmcore.charts import dot_interval

        return dot_interval([r["measure"] for r in self._rows()], self._all(), title="How good the lists are",
                            description=str(self))  # fmt: skip

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=f"{self.scope} items, {self.how}")


def evaluate(
    found: Recommendations,
    split: Split,
    /,
    *,
    k: int = 10,
    recall_at: int = 20,
    scope: Scope | str = Scope.NEW,
    level: float = 0.95,
    seed: int,
) -> Evaluation:
    """Measure lists against what customers really bought.

    Parameters
    ----------
    found : recommendations that were learnt from `split.train`
    split : orders
    k, recall_at : length of the list for NDCG, MAP and MRR, and for recall
    scope : "new" counts only what a customer had not bought before; "both" counts every purchase
    level, seed : of the bootstrap over customers (1,000 resamples, percentiles)

    Notes
    -----
    Asked are the customers with a history and at least one hidden purchase of an item in the catalogue. NDCG is against
    the ideal of min(k, relevant) hits, recall over min(recall_at, relevant): a perfect list scores 1.
    """
    _check_found(found)
    check_level(level)
    scope = Scope(scope)
    if k < 1 or recall_at < 1:
        raise OutOfRange("k, recall_at", (k, recall_at), "counts from 1", "10 and 20 are usual")
    people, keys = _truth(found, split.test, scope)
    names = [found.histories.customers.ids[c] for c in people.tolist()]
    lists = found.top(max(k, recall_at), customers=names, scope=scope)
    n = len(found.model.items)
    hits, relevant = hits_of(lists.codes, keys, n_items=n), np.bincount(keys // n, minlength=len(people))
    values = {
        "ndcg": ndcg(hits, relevant, k=k), "recall": recall(hits, relevant, k=recall_at),
        "map": average_precision(hits, relevant, k=k), "mrr": reciprocal_rank(hits, k=k),
    }  # fmt: skip
    rules = {"ndcg": f"NDCG@{k}", "recall": f"recall@{recall_at}", "map": f"MAP@{k}", "mrr": f"MRR@{k}"}
    estimates = dict(zip(values, _bootstrap(list(values.values()), list(rules.values()), level, seed), strict=True))
    shown = lists.codes[:, :k]
    shown = shown[shown >= 0]
    buyers = _buyers(found)
    surprise = -np.log2(np.maximum(buyers, 1) / max(int((np.diff(found.histories.starts) > 0).sum()), 1))
    return Evaluation(
        **estimates, coverage=len(np.unique(shown)) / n, novelty=float(surprise[shown].mean()) if len(shown) else 0.0,
        k=k, recall_at=recall_at, scope=scope, customers=tuple(names), values=values, how=split.how,
    )  # fmt: skip


def compare_lists(
    first: Evaluation, second: Evaluation, /, *, measure: str = "ndcg", level: float = 0.95
) -> Comparison:
    """Test whether the first is better than the second for the same customers (paired t)."""
    if measure not in MEASURES:
        raise UnknownName("measure", measure, MEASURES)
    if first.customers != second.customers:
        got = f"{len(first.customers)} and {len(second.customers)} customers"
        raise OutOfRange("customers", got, "the same ones", "evaluate both on one split with the same min_buyers")
    return paired_difference(second.values[measure], first.values[measure], level=level, small_sample_ok=True)


def _check_found(found: object) -> None:
    if not isinstance(found, Recommendations):
        hint = "recommend(split.train) makes one, from any recipe or plug-in"
        raise WrongType("found", f"a {type(found).__name__}", "Recommendations", hint)


def _truth(found: Recommendations, test: OrderTable, scope: Scope) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Customers with something to be found, and sorted keys of it: row * items + item of the model."""
    held = Histories.of(test, min_buyers=1)
    code = found.histories.customers.codes(held.customers.ids)[held.customer].astype(np.int64)
    item = found.model.codes(held.items)[held.item]
    n = len(found.model.items)
    code, item = code[(code >= 0) & (item >= 0)], item[(code >= 0) & (item >= 0)]
    known = np.diff(found.histories.starts)[code] > 0
    keys = np.unique(code[known] * n + item[known])
    had = found.histories.customer * np.int64(n) + found.model.codes(found.histories.items)[found.histories.item]
    if scope is Scope.NEW:
        keys = np.setdiff1d(keys, had)
    elif scope is Scope.AGAIN:
        keys = np.intersect1d(keys, had)
    if not len(keys):
        raise EmptyInput("what could be found", "test on customers with a history and items of the catalogue")
    people, row = np.unique(keys // n, return_inverse=True)
    return people.astype(np.intp), row * np.int64(n) + keys % n


def _buyers(found: Recommendations) -> NDArray[np.int64]:
    item = found.model.codes(found.histories.items)[found.histories.item]
    return np.bincount(item[item >= 0], minlength=len(found.model.items))


def _bootstrap(columns: list[Floats], rules: list[str], level: float, seed: int) -> list[Estimate]:
    """Means of columns with percentile intervals over one set of resamples of the rows."""
    values = np.stack(columns)
    n = values.shape[1]
    rng = np.random.default_rng(seed)
    drawn = np.stack([values @ (rng.multinomial(n, np.full(n, 1 / n)) / n) for _ in range(RESAMPLES)])
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return [
        estimate_of(values[i].mean(), low[i], high[i], level=level, n=n, rule=rule, method="bootstrap over customers")
        for i, rule in enumerate(rules)
    ]
