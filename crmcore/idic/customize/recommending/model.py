"""The fitted model: a catalogue, what scores it, and what comes first for whom nothing is known. No customers in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.documents import Document
from crmcore.errors import OutOfRange, UnknownName, WrongType
from crmcore.idic.customize.recommending.histories import Histories
from crmcore.idic.customize.recommending.scorers import item_parts

__all__ = ["RecommenderModel", "model_of"]

Codes = NDArray[np.intp]
Floats = NDArray[np.float64]
POPULAR_DAYS = 30.0  # half-life of popularity: what sells now, not what sold two years ago
SEGMENT_PRIOR = 50.0  # purchases that the whole population adds to each segment


@attrs.frozen(eq=False, repr=False, kw_only=True)
class RecommenderModel:
    """What recommends: learnt once, asked often, without personal data; `save_model` and `load_model` keep it.

    Attributes
    ----------
    items : sorted ids of the catalogue
    scorer : object with `scores`, see `crmcore.protocols.Recommender`
    popularity : (items,) share of recent purchases
    segments : (items,) shares by segment, shrunk to the whole
    recipe : name of what was fitted
    settings : of the recipe, plain
    memory_days : days in which a purchase loses half its weight, or None
    n_histories : customers behind it
    """

    items: tuple[str, ...]
    scorer: Any
    popularity: Floats
    segments: Mapping[str, Floats] = attrs.Factory(dict)
    recipe: str
    settings: Mapping[str, object]
    memory_days: float | None = None
    n_histories: int

    def __repr__(self) -> str:
        return f"RecommenderModel({self.recipe}, {len(self.items)} items, {self.n_histories} histories)"

    def codes(self, items: Sequence[str], /) -> Codes:
        """(n,) positions of items in the catalogue; -1 for an unknown one."""
        known = {name: i for i, name in enumerate(self.items)}
        return np.array([known.get(name, -1) for name in items], np.intp)

    def weights_of(self, age_days: Floats, /) -> Floats:
        """(n,) what purchases of these ages weigh."""
        if self.memory_days is None:
            return np.ones(len(age_days))
        made: Floats = np.exp2(-np.maximum(age_days, 0.0) / self.memory_days)
        return made

    def scores(self, starts: Codes, item: Codes, weight: Floats, /) -> NDArray[np.floating]:
        """(histories, items) scores; -inf where the recommender cannot tell."""
        raw = self.scorer.scores(starts, item, weight)
        found = raw if isinstance(raw, np.ndarray) and raw.dtype.kind == "f" else np.asarray(raw, np.float64)
        if found.shape != (len(starts) - 1, len(self.items)):
            wanted = f"({len(starts) - 1}, {len(self.items)}): histories, items"
            raise OutOfRange("shape of the scores", found.shape, wanted, "see crmcore.protocols.Recommender")
        return found

    def exact_scores(self, starts: Codes, item: Codes, weight: Floats, target: Codes, rough: Any, /) -> Floats:
        """(histories, k) scores of chosen targets: the exact sum of their parts where the scorer tells these."""
        if hasattr(self.scorer, "parts"):
            return item_parts(self.scorer, starts, item, weight, target)
        return np.take_along_axis(np.asarray(rough, np.float64), np.maximum(target, 0), 1)

    def filler(self, segment: str | None = None) -> Floats:
        """(items,) what comes first for whom nothing personal is known."""
        if segment is None:
            return self.popularity
        if segment not in self.segments:
            raise UnknownName("segment", segment, tuple(self.segments))
        return self.segments[segment]


def model_of(recipe: Any, scorer: Any, found: Histories, /, *, memory_days: float | None = None) -> RecommenderModel:
    """Model of a scorer and the histories that it was fitted on."""
    return RecommenderModel(
        items=found.items, scorer=scorer, popularity=shares_of(found), recipe=type(recipe).__name__,
        settings=_settings(recipe), memory_days=memory_days,
        n_histories=int((np.diff(found.starts) > 0).sum()),
    )  # fmt: skip


def _settings(recipe: object) -> Mapping[str, object]:
    return recipe.to_dict() if isinstance(recipe, Document) else {}


def shares_of(found: Histories, rows: NDArray[np.bool_] | None = None, prior: Floats | None = None, /) -> Floats:
    """(items,) share of recent purchases, half of each gone after 30 days; with a prior, shrunk to it."""
    weight = np.exp2(-found.age_days / POPULAR_DAYS)
    weight = np.maximum(weight, 1e-12) if rows is None else np.where(rows, np.maximum(weight, 1e-12), 0.0)
    held: Floats = np.bincount(found.item, weights=weight, minlength=len(found.items)).astype(np.float64)
    if prior is not None:
        held = held + SEGMENT_PRIOR * prior
    made: Floats = held / held.sum()
    return made


def with_segments(model: RecommenderModel, found: Histories, segments: Mapping[str, str], /) -> RecommenderModel:
    """Model that knows what each segment of customers buys."""
    if not isinstance(segments, Mapping):
        raise WrongType("segments", f"a {type(segments).__name__}", "a mapping of customer to segment", "{'c7': 'new'}")
    names = np.array([segments.get(c) for c in found.customers.ids], object)[found.customer]
    kept = {s: shares_of(found, names == s, model.popularity) for s in sorted(set(segments.values()))}
    return attrs.evolve(model, segments=kept)
