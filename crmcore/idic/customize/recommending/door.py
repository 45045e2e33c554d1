"""The short form: `customize.recommend(orders).top(10).where(eligible)`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import attrs
import numpy as np

from crmcore import plugins
from crmcore._base import Progress, mask
from crmcore.errors import UnknownName
from crmcore.idic.customize.recommending.asking import NOW, Asked, asked_for, check_k, folded_in
from crmcore.idic.customize.recommending.choosing import Choosing, choose
from crmcore.idic.customize.recommending.contents import with_new_items
from crmcore.idic.customize.recommending.histories import Histories
from crmcore.idic.customize.recommending.lists import TopItems
from crmcore.idic.customize.recommending.model import RecommenderModel, model_of, with_segments
from crmcore.idic.customize.recommending.reasons import Explanation, Part, Scope
from crmcore.idic.customize.recommending.recipes import Ease, ImplicitAls, ItemNeighbours
from crmcore.idic.customize.recommending.repeats import Replenishment, ReplenishmentModel
from crmcore.idic.customize.recommending.scorers import to_grid
from crmcore.protocols import Recommender
from crmcore.tables import OrderTable

__all__ = ["Recommendations", "explain_history", "recommend", "top_of_history"]

HORIZON_DAYS = 30.0


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Recommendations:
    """A fitted model with the histories of the customers that it can speak to.

    Attributes
    ----------
    model : what recommends; holds no customers
    histories : what each customer bought
    repeats : when what was bought is bought again
    chosen : how the settings were found inside the orders, or None where the caller gave a recipe
    segments : customer to segment
    again_weight : what a probability of 1 to buy again adds to a score, where new and old items are ranked together
    """

    model: RecommenderModel
    histories: Histories
    repeats: ReplenishmentModel
    chosen: Choosing | None = None
    segments: Mapping[str, str] = attrs.Factory(dict)
    again_weight: float = 1.0

    def __repr__(self) -> str:
        size = f"{len(self.histories.customers)} customers, {len(self.model.items)} items"
        return f"Recommendations({self.model.recipe}, {size})"

    def __str__(self) -> str:
        how = f"\n{self.chosen}" if self.chosen is not None else ""
        lost = ", ".join(f"{n} {why}" for why, n in self.histories.left_out.items())
        return f"{self!r}{how}" + (f"\nlines left out: {lost}" if lost else "")

    def asked(self, customers: Sequence[str] | None = None) -> Asked:
        """Histories of customers in the codes of the model."""
        return asked_for(self.model, self.histories, customers, self.segments)

    def top(
        self, k: int = 10, *, customers: Sequence[str] | None = None, scope: Scope | str = Scope.NEW,
        horizon_days: float = HORIZON_DAYS,
    ) -> TopItems:  # fmt: skip
        """Rank the best k items for each customer.

        Parameters
        ----------
        k : count
        customers : ids, optional
            None is everybody. Whom nobody knows gets what sells now.
        scope : "new", "again", "both"
            Items never bought (discovery), items to buy again by their replenishment, or both in one list.
        horizon_days : days
            Within which "again" is meant.
        """
        kind = _scope(scope)
        return top_items(self.model, self.asked(customers), k, kind, self.repeats, self.again_weight, horizon_days)

    def explain(self, customer: str, item: str) -> Explanation:
        """Why an item has its score for a customer: what each purchase adds, exactly."""
        if customer not in self.histories.customers:
            raise UnknownName("customer (masked)", mask(customer), ("a customer of the orders",))
        return _explained(self.model, self.asked([customer]), item)

    def for_history(
        self, history: Sequence[str] | Mapping[str, float], k: int = 10, *, segment: str | None = None
    ) -> TopItems:
        """Rank items for one history that is known now (a basket, a session), without fitting again."""
        return top_of_history(self.model, history, k, segment=segment)

    def _repr_html_(self) -> str:
        from crmcore._base import html_table

        rows = [{"what": "recipe", "value": self.model.recipe}]
        rows += [{"what": k, "value": str(v)} for k, v in self.model.settings.items()]
        return html_table(rows, caption=repr(self))


def recommend(
    orders: OrderTable,
    /,
    *,
    recipe: Ease | ItemNeighbours | ImplicitAls | Recommender | str | None = None,
    aim: str = "next",
    now: datetime | None = None,
    segments: Mapping[str, str] | None = None,
    content: Mapping[str, Sequence[str]] | None = None,
    min_buyers: int = 2,
    seed: int = 1,
    progress: Progress | bool = False,
) -> Recommendations:
    """Learn from orders what each customer may want, with reasons.

    Parameters
    ----------
    orders : table with products
    recipe : optional
        A recipe of the house, a plug-in (its name, or the object), or None: settings are chosen inside the orders by
        hiding some of them (see `choosing.choose`), never by what comes later.
    aim : "next" or "missing"
        What a list is for: what a customer buys next (chosen by hiding the latest orders), or what belongs to what a
        customer has already (by hiding purchases at random).
    now : aware datetime, optional
        Orders after it are not known yet; None is the time of the last order.
    segments : customer to segment, optional
        What sells in a segment fills the lists of its customers where nothing personal is known.
    content : item to tags, optional
        Of old and new items: new ones become recommendable before anybody bought them.
    min_buyers : count
        Items of fewer customers are left out.
    seed : whole number
        Of what is hidden at random.

    Raises
    ------
    WrongType, MissingColumn, EmptyInput, OutOfRange, UnknownName

    Examples
    --------
    >>> from crmcore.tables import OrderTable
    >>> orders = OrderTable.from_frame({
    ...     "customer": ["a", "a", "b", "b", "c"], "product": ["tea", "pot", "tea", "pot", "tea"],
    ...     "amount": [3, 9, 3, 9, 3], "time": ["2026-03-01T10:00Z"] * 5}, currency="EUR")
    >>> found = recommend(orders, recipe=Ease(ridge=1.0))
    >>> print(found.top(1, customers=["c"])["c"][0])
    1. pot (0.5, because of tea)
    >>> print(found.explain("c", "pot"))
    pot: 0.5
      0.5  tea, 0 days ago
    """
    found = Histories.of(orders, now=now, min_buyers=min_buyers)
    chosen = None
    if recipe is None:
        chosen = choose(found, aim=aim, seed=seed, progress=progress)
        recipe = chosen.recipe
    if isinstance(recipe, Ease | ItemNeighbours | ImplicitAls):
        model = recipe.fit(found)
    else:
        plugin = plugins.resolve("recommender", recipe, contract=Recommender)
        scorer = plugin.fit(found.starts, found.item, found.age_days, len(found.items))
        model = model_of(plugin, scorer, found)
    if content is not None:
        model = with_new_items(model, content)
    if segments is not None:
        model = with_segments(model, found, segments)
    return Recommendations(
        model=model, histories=found, repeats=Replenishment().fit(found), chosen=chosen, segments=dict(segments or {}),
        again_weight=chosen.again_weight if chosen is not None else 1.0,
    )  # fmt: skip


def top_items(
    model: RecommenderModel, asked: Asked, k: int, scope: Scope, repeats: ReplenishmentModel | None,
    again_weight: float = 1.0, horizon_days: float = HORIZON_DAYS,
) -> TopItems:  # fmt: skip
    """Lists of any scope for any histories."""
    check_k(k, len(model.items))
    again = None
    if scope is not Scope.NEW:
        assert repeats is not None, "the door fits one"
        known = {name: i for i, name in enumerate(repeats.items)}
        to = np.array([known.get(name, 0) for name in model.items], np.intp)
        again = repeats.chance(
            to[asked.item], asked.baskets, asked.first_age_days, asked.age_days, horizon_days=horizon_days
        )
    return TopItems(model=model, asked=asked, k=k, scope=scope, again=again, again_weight=again_weight)


def top_of_history(
    model: RecommenderModel, history: Sequence[str] | Mapping[str, float], k: int = 10, *, segment: str | None = None
) -> TopItems:
    """Rank items for one history, as items or as item to age in days: the online form of `Recommendations.top`.

    Items that the catalogue does not know are named by `TopItems.note`; an empty history gets what sells now.
    """
    return top_items(model, folded_in(model, history, segment=segment), k, Scope.NEW, None)


def explain_history(
    model: RecommenderModel, history: Sequence[str] | Mapping[str, float], item: str, /
) -> Explanation:  # fmt: skip
    """Why an item has its score for one history."""
    return _explained(model, folded_in(model, history), item)


def _explained(model: RecommenderModel, asked: Asked, item: str) -> Explanation:
    code = model.codes([item])
    if code[0] < 0:
        raise UnknownName("item", item, model.items)
    here = asked.row(0)
    held, age = asked.item[here], asked.age_days[here]
    weight = model.weights_of(age)
    if not hasattr(model.scorer, "parts"):
        score = float(model.scores(asked.starts, held, weight)[0, code[0]])
        note = "this recommender does not tell what its score is made of"
        return Explanation(customer=asked.names[0], item=item, score=score, parts=(), note=note)
    adds = to_grid(model.scorer.parts(held, weight, code)[:, 0]) if len(held) else np.zeros(0)
    order = np.lexsort((held, -adds))
    parts = tuple(
        Part(model.items[held[i]], float(adds[i]), float(age[i]), int(asked.baskets[here][i]))
        for i in order.tolist() if adds[i] != 0
    )  # fmt: skip
    note = "" if parts else ("no history: only what sells now speaks for it" if not len(held) else
                             "nothing in the history speaks for it")  # fmt: skip
    return Explanation(
        customer=asked.names[0] or NOW, item=item, score=float(sum(p.adds for p in parts)), parts=parts, note=note
    )


def _scope(scope: Scope | str) -> Scope:
    try:
        return Scope(scope)
    except ValueError:
        raise UnknownName("scope", str(scope), tuple(s.value for s in Scope)) from None
