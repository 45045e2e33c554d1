"""What a customer will want next, by category: ranked, with probabilities that add up to one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table, mask
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange, WrongType
from crmcore.idic.customize.recommending.choosing import hidden
from crmcore.idic.customize.recommending.histories import Histories
from crmcore.idic.customize.recommending.model import RecommenderModel, shares_of
from crmcore.idic.customize.recommending.recipes import Ease, ItemNeighbours
from crmcore.idic.customize.recommending.repeats import Replenishment
from crmcore.tables import OrderTable

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Preferences", "PreferencesModel", "Taste"]

Floats = NDArray[np.float64]
PARTS = ("everybody", "own past", "goes with it", "again")
BLOCK = 512
LIKED = 100  # best items of a customer that speak for their categories
OWN_DAYS = 90.0
ROUNDS = 200
FEW = 30  # hidden purchases; below, the parts weigh alike


@attrs.frozen(kw_only=True, repr=False)
class Taste(Document):
    """Categories of one customer, the likeliest for the next purchase first.

    Attributes
    ----------
    customer : id, masked for eyes
    probabilities : category to probability, they sum to 1; ties by name
    n : items the customer bought; with 0 the probabilities are those of everybody
    """

    customer: str
    probabilities: Mapping[str, float]
    n: int

    def __repr__(self) -> str:
        return f"Taste({mask(self.customer)}, {len(self.probabilities)} categories, n = {self.n})"

    def __str__(self) -> str:
        return "\n".join(f"{p:6.1%}  {name}" for name, p in self.probabilities.items())

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a category: category, probability."""
        rows: dict[str, list[Any]] = {
            "category": list(self.probabilities),
            "probability": list(self.probabilities.values()),
        }
        return write_frame(rows, backend=backend)

    def chart(self) -> Chart:
        """Probabilities as bars."""
        from crmcore.charts import bar

        return bar(list(self.probabilities), list(self.probabilities.values()), title="What comes next", percent=True,
                   description="Probability that the next purchase is of this category.")  # fmt: skip

    def _repr_html_(self) -> str:
        rows = [{"category": c, "probability": f"{p:.1%}"} for c, p in self.probabilities.items()]
        return html_table(rows, caption=repr(self), limit=10)


@attrs.frozen(kw_only=True)
class Preferences:
    """Recipe: probabilities of categories from four parts, weighted by how well they foretold hidden purchases.

    p(category) = sum of weight * part, with the shares of everybody's recent purchases, of the customer's own (half of
    each gone after 90 days), of the items that go with them, and of what is due again. The weights are those under
    which the latest fifth of the time was likeliest (deleted interpolation, Jelinek & Mercer 1980).

    Attributes
    ----------
    recipe : of what goes with what
    """

    recipe: Ease | ItemNeighbours = attrs.Factory(lambda: Ease())

    def fit(
        self, orders: OrderTable | Histories, categories: Mapping[str, str], /, *, now: datetime | None = None,
        min_buyers: int = 1,
    ) -> PreferencesModel:  # fmt: skip
        """Learn from orders and from the category of each item; items without category do not count.

        Raises
        ------
        EmptyInput
            No item that anybody bought has a category.
        """
        _check_categories(categories)
        found = orders if isinstance(orders, Histories) else Histories.of(orders, now=now, min_buyers=min_buyers)
        names = tuple(sorted({str(categories[i]) for i in found.items if categories.get(i) is not None}))
        if not names:
            raise EmptyInput("the categories of the items", f"name those of the catalogue, such as {found.items[0]!r}")
        code = {name: c for c, name in enumerate(names)}
        of_item = np.array([code[str(c)] if (c := categories.get(i)) is not None else -1 for i in found.items])
        early, late = hidden(found, aim="next", seed=1)
        weights, n, gain = np.full(len(PARTS), 1 / len(PARTS)), 0, float("nan")
        if len(early) and len(late) >= FEW:
            weights, n, gain = _weigh(self._parts(early, of_item, len(names)), late, early, of_item)
        p = np.einsum("p,cpk->ck", weights, self._parts(found, of_item, len(names)))
        return PreferencesModel(
            customers=found.customers.ids, categories=names, probabilities=p, sizes=np.diff(found.starts),
            everybody=_by_category(shares_of(found)[None], of_item, len(names))[0],
            weights=dict(zip(PARTS, weights.tolist(), strict=True)), n=n, bits_gained=gain,
        )  # fmt: skip

    def _parts(self, found: Histories, of_item: NDArray[np.intp], k: int) -> Floats:
        """(customers, parts, categories) shares, each summing to 1."""
        n = len(found.customers)
        model: RecommenderModel = self.recipe.fit(found)
        everybody = _by_category(shares_of(found)[None], of_item, k)
        again = Replenishment().fit(found).chance(found.item, found.baskets, found.first_age_days, found.age_days)
        own = np.exp2(-found.age_days / OWN_DAYS) + 1e-9
        liked = np.zeros((n, k))
        for at in range(0, n, BLOCK):
            stop = min(at + BLOCK, n)
            here = slice(found.starts[at], found.starts[stop])
            item = found.item[here]
            scores = model.scores(found.starts[at : stop + 1] - found.starts[at], item, np.ones(len(item)))
            if scores.shape[1] > LIKED:
                scores = np.where(scores >= np.partition(scores, -LIKED, axis=1)[:, [-LIKED]], scores, 0)
            liked[at:stop] = _raw(np.maximum(np.nan_to_num(scores, neginf=0.0), 0.0), of_item, k)
        cells = found.customer * k + of_item[found.item]
        told = of_item[found.item] >= 0

        def summed(values: Floats) -> Floats:
            held: Floats = np.bincount(cells[told], weights=values[told], minlength=n * k).astype(np.float64)
            return held.reshape(n, k)

        return np.stack([_shares(x, everybody) for x in (np.zeros((n, k)), summed(own), liked, summed(again))], axis=1)


def _check_categories(categories: object) -> None:
    if not isinstance(categories, Mapping):
        kind = f"a {type(categories).__name__}"
        raise WrongType("categories", kind, "a mapping of item to category", "{'GREEN TEA': 'tea'}")


def _raw(values: Any, of_item: NDArray[np.intp], k: int) -> Floats:
    from scipy.sparse import csr_matrix

    told = np.flatnonzero(of_item >= 0)
    to = csr_matrix((np.ones(len(told)), (told, of_item[told])), shape=(len(of_item), k))
    return np.asarray(values @ to, np.float64)


def _by_category(values: Floats, of_item: NDArray[np.intp], k: int) -> Floats:
    held = _raw(values, of_item, k) + 1e-6  # no category is impossible
    made: Floats = held / held.sum(1, keepdims=True)
    return made


def _shares(values: Floats, otherwise: Floats) -> Floats:
    total = values.sum(1, keepdims=True)
    return np.where(total > 0, values / np.where(total > 0, total, 1.0), otherwise)


def _weigh(
    parts: Floats, late: Histories, early: Histories, of_item: NDArray[np.intp]
) -> tuple[Floats, int, float]:  # fmt: skip
    """Weights under which hidden purchases of customers with a past are likeliest (EM), their count, bits gained."""
    told = (of_item[late.item] >= 0) & (np.diff(early.starts)[late.customer] > 0)
    p = parts[late.customer[told], :, of_item[late.item[told]]]
    weights = np.full(len(PARTS), 1 / len(PARTS))
    if len(p) < FEW:
        return weights, 0, float("nan")
    for _ in range(ROUNDS):
        share = p * weights
        weights = (share / share.sum(1, keepdims=True)).mean(0)
    return weights, len(p), float(np.mean(np.log2(p @ weights) - np.log2(p[:, 0])))


@attrs.frozen(eq=False, repr=False, kw_only=True)
class PreferencesModel(Document):
    """Probabilities of categories for every customer.

    Attributes
    ----------
    customers, categories : ids and names
    probabilities : (customers, categories)
    sizes : (customers,) items bought
    everybody : (categories,) shares; for whom nobody knows
    weights : of the parts
    n : hidden purchases that the weights were learnt from; 0 where there were too few, then all weigh alike
    bits_gained : for each of them over the shares of everybody; larger is better
    """

    customers: tuple[str, ...]
    categories: tuple[str, ...]
    probabilities: Floats
    sizes: NDArray[np.int64]
    everybody: Floats
    weights: Mapping[str, float]
    n: int
    bits_gained: float

    def __repr__(self) -> str:
        return f"PreferencesModel({len(self.customers)} customers, {len(self.categories)} categories)"

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {w:.0%}" for name, w in self.weights.items())
        return f"{self!r}: {parts}; {self.bits_gained:.3f} bits better than everybody's shares (n = {self.n})"

    def of(self, customer: str, /, *, top: int | None = None) -> Taste:
        """Ranked categories of one customer; whom nobody knows gets the shares of everybody.

        Parameters
        ----------
        top : count, optional
            Of categories to show; the probabilities are not scaled up again. None is all.
        """
        if top is not None and top < 1:
            raise OutOfRange("top", top, "1 or more, or None", "None shows all")
        known = {name: i for i, name in enumerate(self.customers)}
        row = known.get(customer)
        p = self.everybody if row is None else self.probabilities[row]
        order = np.argsort(-p, kind="stable")[:top]
        told = {self.categories[c]: float(p[c]) for c in order.tolist()}
        return Taste(customer=customer, probabilities=told, n=0 if row is None else int(self.sizes[row]))

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a customer and category: customer, category, probability."""
        k = len(self.categories)
        rows: dict[str, list[Any]] = {
            "customer": [c for c in self.customers for _ in range(k)],
            "category": list(self.categories) * len(self.customers),
            "probability": self.probabilities.ravel().tolist(),
        }
        return write_frame(rows, backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"part": name, "weight": weight} for name, weight in self.weights.items()]
        return html_table(rows, caption=repr(self))
