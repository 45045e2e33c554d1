"""Settings chosen inside the orders: hide some of them, see what finds them, one setting after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import Progress, html_table, reporter
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import UnknownName
from crmcore.idic.customize.recommending.histories import Histories
from crmcore.idic.customize.recommending.measures import hits_of, ndcg
from crmcore.idic.customize.recommending.ranking import best_of
from crmcore.idic.customize.recommending.recipes import Ease, ItemNeighbours, ease_weights, gram_of, trend_of
from crmcore.idic.customize.recommending.repeats import Replenishment
from crmcore.idic.customize.recommending.scorers import WeightScorer

__all__ = ["Choosing", "Tried", "choose", "hidden"]

Floats = NDArray[np.float64]
AIMS = ("next", "missing")
SHARE = 0.2  # of the time, or of the purchases, that is hidden
FEW = 20  # customers with hidden purchases; below, the defaults are kept
MOST = 4000  # customers that a setting is tried on
DENSE = 15_000  # items; above, weights between all pairs would fill the memory
AGAIN = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


@attrs.frozen
class Tried(Document):
    """One setting that was tried, and how well it found what was hidden (mean NDCG@10)."""

    setting: str
    ndcg: float


@attrs.frozen(kw_only=True, repr=False)
class Choosing(Document):
    """The settings that found most of what was hidden, and all that were tried.

    Attributes
    ----------
    recipe : with the chosen settings
    again_weight : for lists of new and old items
    aim : "next" or "missing"
    tried : in the order of trying
    n : customers with hidden purchases
    note : why the defaults were kept, where they were
    """

    recipe: Ease | ItemNeighbours
    again_weight: float
    aim: str
    tried: tuple[Tried, ...]
    n: int
    note: str = ""

    def __repr__(self) -> str:
        best = f", NDCG {max(t.ndcg for t in self.tried):.4f}" if self.tried else ""
        return f"Choosing({type(self.recipe).__name__}, {len(self.tried)} tried on {self.n} customers{best})"

    def __str__(self) -> str:
        said = f"{self!r}: {', '.join(f'{k} {v}' for k, v in self.recipe.to_dict().items())}"
        return f"{said}; {self.note}" if self.note else said

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a setting."""
        rows: dict[str, list[Any]] = {"setting": [t.setting for t in self.tried], "ndcg": [t.ndcg for t in self.tried]}
        return write_frame(rows, backend=backend)

    def _repr_html_(self) -> str:
        return html_table([{"setting": t.setting, "NDCG@10": t.ndcg} for t in self.tried], caption=repr(self))


def hidden(found: Histories, /, *, aim: str, seed: int) -> tuple[Histories, Histories]:
    """What is learnt from and what is to be found: the last fifth of the time, or a fifth of the pairs at random."""
    if aim not in AIMS:
        raise UnknownName("aim", str(aim), AIMS)
    if aim == "next":
        days = SHARE * float(found.basket_age_days.max())
        late = found.basket_age_days[found.basket] < days
        return found.only(~late, days_earlier=days), found.only(late)
    held = np.random.default_rng(seed).random(len(found)) < SHARE
    line = np.searchsorted(
        found.keys, found.basket_customer[found.basket] * np.int64(len(found.items)) + found.basket_item
    )
    return found.only(~held[line]), found.only(held[line])


class _Trial:
    """Hidden purchases and who is asked; what settings share is found once: how items met, and the last scores."""

    def __init__(self, train: Histories, test: Histories, *, repeats: bool, weights: Any = None) -> None:
        self.train = train
        keys = test.keys if repeats else np.setdiff1d(test.keys, train.keys, assume_unique=True)
        n = len(train.items)
        keys = keys[(train.buyers[keys % n] > 0) & (np.diff(train.starts)[keys // n] > 0)]
        self.people = np.unique(keys // n)
        if len(self.people) > MOST:
            self.people = np.random.default_rng(len(self.people)).choice(self.people, MOST, replace=False)
            self.people.sort()
        keys = keys[np.isin(keys // n, self.people)]
        self.keys = np.searchsorted(self.people, keys // n) * np.int64(n) + keys % n
        self.relevant = np.bincount(self.keys // n, minlength=len(self.people))
        self.repeats = repeats
        self._kept: dict[str, tuple[Any, Any]] = {}
        self._given = weights

    def _once(self, what: str, key: Any, make: Callable[[], Any]) -> Any:
        """What was made for the same key just before, else a new one."""
        if what not in self._kept or self._kept[what][0] != key:
            self._kept[what] = key, make()
        return self._kept[what][1]

    def weights(self, recipe: Ease | ItemNeighbours) -> Any:
        if self._given is not None:
            return self._given
        plain = attrs.evolve(recipe, trend_power=0.0, trend_days=7.0, memory_days=None)
        if not isinstance(plain, Ease):
            return self._once("weights", plain, lambda: plain.fit(self.train).scorer)
        unit = attrs.evolve(plain, ridge=1.0)
        gram, ridge = self._once("gram", unit, lambda: gram_of(self.train, unit))
        return self._once("weights", plain, lambda: WeightScorer(ease_weights(gram, plain.ridge * ridge)))

    def raw(self, recipe: Ease | ItemNeighbours) -> NDArray[np.float32]:
        """(people, items) scores."""
        timeless = attrs.evolve(recipe, trend_power=0.0, trend_days=7.0)
        gain = trend_of(self.train, recipe.trend_days) ** recipe.trend_power
        return np.asarray(self._once("scores", timeless, lambda: self._timeless(timeless)) * gain.astype(np.float32))

    def _timeless(self, recipe: Ease | ItemNeighbours) -> NDArray[np.float32]:
        age = self.train.age_days
        memory = None if recipe.memory_days is None else np.exp2(-age / recipe.memory_days)
        rows = self.train.matrix(memory)[self.people]
        return np.asarray(self.weights(recipe).scores(rows.indptr, rows.indices, rows.data), np.float32)

    def ndcg(self, scores: NDArray[np.float32]) -> float:
        if not self.repeats:
            rows = self.train.matrix()[self.people]
            scores[np.repeat(np.arange(len(self.people)), np.diff(rows.indptr)), rows.indices] = -np.inf
        hits = hits_of(best_of(scores, 10), self.keys, n_items=len(self.train.items))
        return float(ndcg(hits, self.relevant, k=10).mean())


def choose(found: Histories, /, *, aim: str = "next", seed: int = 1, progress: Progress | bool = False) -> Choosing:
    """Find settings by hiding a fifth of the purchases.

    Starts from the defaults of the aim and moves one setting after the other to its best value; the ridge goes on in
    thirds and threes of itself while that helps. Nothing after the last order of `found` plays a part.

    Parameters
    ----------
    found : histories
    aim : "next" hides the latest fifth of the time, "missing" a fifth of the pairs at random
    seed : of what is hidden at random
    """
    report = reporter(progress)
    train, test = hidden(found, aim=aim, seed=seed)
    dense = len(found.items) <= DENSE
    recipe: Ease | ItemNeighbours = Ease() if dense else ItemNeighbours()
    if aim == "missing":
        recipe = attrs.evolve(recipe, trend_power=0.0)
        recipe = attrs.evolve(recipe, basket_weight=1.0, length_power=0.5) if isinstance(recipe, Ease) else recipe
    trial = _Trial(train, test, repeats=False)
    if len(trial.people) < FEW:
        note = f"defaults kept: purchases of {len(trial.people)} customers could be hidden, {FEW} are needed"
        return Choosing(recipe=recipe, again_weight=1.0, aim=aim, tried=(), n=len(trial.people), note=note)
    tried: dict[str, float] = {}

    def score(made: Ease | ItemNeighbours) -> float:
        name = ", ".join(f"{k} {v}" for k, v in made.to_dict().items())
        if name not in tried:
            tried[name] = trial.ndcg(trial.raw(made))
            report("choosing", len(tried), 0)
        return tried[name]

    for field, values in _steps(recipe, aim):
        recipe = _best(recipe, field, values, score)
        if field == "ridge" and isinstance(recipe, Ease):
            recipe = _further(recipe, score)
    weight = _again(trial, test, recipe) if aim == "next" else 1.0
    told = tuple(Tried(name, value) for name, value in tried.items())
    return Choosing(recipe=recipe, again_weight=weight, aim=aim, tried=told, n=len(trial.people))


def _steps(recipe: Ease | ItemNeighbours, aim: str) -> Iterable[tuple[str, tuple[object, ...]]]:
    now: list[tuple[str, tuple[object, ...]]] = [
        ("trend_days", (7.0, 14.0, 30.0)), ("trend_power", (0.0, 0.4, 0.7, 1.0, 1.3)), ("memory_days", (None, 180.0)),
    ]  # fmt: skip
    late = now if aim == "next" else [("trend_power", (0.0, 0.3))]
    if isinstance(recipe, Ease):
        early: list[tuple[str, tuple[object, ...]]] = [("ridge", (100.0, 300.0, 900.0))]
        if aim == "missing":
            early += [("basket_weight", (0.0, 1.0, 3.0)), ("length_power", (0.0, 0.5))]
        return [*early, *late]
    return [("kind", ("cosine", "bm25")), *late]


def _best(recipe: Any, field: str, values: Iterable[object], score: Any) -> Any:
    options = [attrs.evolve(recipe, **{field: value}) for value in values]
    if recipe not in options:
        options.insert(0, recipe)
    return max([recipe, *options], key=score)  # the first of equals: what stands, stays


def _further(recipe: Ease, score: Any) -> Ease:
    for factor in (1 / 3, 3.0):
        while True:
            made = attrs.evolve(recipe, ridge=recipe.ridge * factor)
            if not 1e-2 < made.ridge < 1e6 or score(made) <= score(recipe):
                break
            recipe = made
    return recipe


def _again(before: _Trial, test: Histories, recipe: Ease | ItemNeighbours) -> float:
    """What a probability to buy again weighs beside the score of a new item."""
    train = before.train
    trial = _Trial(train, test, repeats=True, weights=before.weights(recipe))
    raw = trial.raw(recipe)
    horizon = float(test.basket_age_days.max(initial=1.0))
    pairs = (train.item, train.baskets, train.first_age_days, train.age_days)
    chance = Replenishment().fit(train).chance(*pairs, horizon_days=horizon)
    rows = train.matrix(chance)[trial.people]
    row = np.repeat(np.arange(len(trial.people)), np.diff(rows.indptr))
    scores = []
    for weight in AGAIN:
        made = raw.copy()
        made[row, rows.indices] += np.float32(weight) * rows.data
        scores.append(trial.ndcg(made))
    return AGAIN[int(np.argmax(scores))]
