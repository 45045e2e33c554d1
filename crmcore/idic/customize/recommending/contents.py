"""Items that nobody bought yet: they borrow the weights of items with like tags, so that reasons stay exact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from crmcore._base import listed
from crmcore.errors import OutOfRange, WrongType
from crmcore.idic.customize.recommending.model import RecommenderModel
from crmcore.idic.customize.recommending.scorers import WeightScorer

__all__ = ["with_new_items"]


def with_new_items(
    model: RecommenderModel, content: Mapping[str, Sequence[str]], /, *, neighbours: int = 10
) -> RecommenderModel:  # fmt: skip
    """Model that also scores items nobody bought yet, by their tags.

    Parameters
    ----------
    model : with weights between items
    content : item to tags
        Of old and new items. A new item has the mean weights of its most similar old items (cosine of the tags, each
        tag weighted by its rarity) times the similarity; without a shared tag it is never personal. Whoever has one of
        the similar items wants the new one no less than its best companion.
    neighbours : count of similar items

    Raises
    ------
    WrongType
        No mapping of texts to lists of texts, or a model of factors.
    """
    if not isinstance(content, Mapping):
        raise WrongType("content", f"a {type(content).__name__}", "a mapping of item to tags", "{'GREEN TEA': ['tea']}")
    if neighbours < 1:
        raise OutOfRange("neighbours", neighbours, "1 or more", "10 is usual")
    tags = {i: set(listed(t, f"tags of {i!r}", str, what="texts", hint="['tea']")) for i, t in content.items()}
    new = sorted(set(tags).difference(model.items))
    mix = _mix(model.items, new, tags, neighbours)
    items = (*model.items, *new)
    order = np.array(sorted(range(len(items)), key=items.__getitem__), np.intp)
    joined = {
        s: np.concatenate([share, np.zeros(len(new))])[order]
        for s, share in {"": model.popularity, **model.segments}.items()
    }
    return attrs.evolve(
        model, items=tuple(items[i] for i in order.tolist()), scorer=_wider(model.scorer, mix, order),
        popularity=joined.pop(""), segments=joined,
    )  # fmt: skip


def _mix(old: tuple[str, ...], new: list[str], tags: Mapping[str, set[str]], k: int) -> Any:
    """(old, new) share of each old item in each new one; a column sums to the mean similarity."""
    from scipy.sparse import csr_matrix

    words = {t: i for i, t in enumerate(sorted(set().union(*tags.values())))} if tags else {}
    counts = np.zeros(len(words))
    for some in tags.values():
        counts[[words[t] for t in some]] += 1
    rarity = np.log1p(len(tags) / np.maximum(counts, 1.0))

    def rows(names: Sequence[str]) -> Any:
        at = [(i, words[t]) for i, name in enumerate(names) for t in sorted(tags.get(name, ()))]
        where = np.array(at, np.intp).reshape(-1, 2)
        made = csr_matrix((rarity[where[:, 1]], (where[:, 0], where[:, 1])), shape=(len(names), max(len(words), 1)))
        length = np.sqrt(np.asarray(made.multiply(made).sum(1)).ravel())
        return csr_matrix(made.multiply(1 / np.maximum(length, 1e-300)[:, None]))

    alike = np.asarray((rows(old) @ rows(new).T).toarray())
    keep = np.argsort(-alike, axis=0, kind="stable")[:k]
    out = np.zeros_like(alike)
    near = np.take_along_axis(alike, keep, 0)
    np.put_along_axis(out, keep, near / np.maximum((near > 0).sum(0), 1), 0)
    return out


def _wider(scorer: Any, mix: Any, order: Any) -> Any:
    from scipy.sparse import csr_matrix, hstack, vstack

    n = mix.shape[1]
    if isinstance(scorer, WeightScorer):
        old = scorer.weights
        strongest = old.max(axis=0)
        strongest = float(np.mean(strongest.toarray() if hasattr(strongest, "toarray") else strongest))
        new = old @ mix + strongest * mix  # who has the like item itself wants it no less than its best companion
        if isinstance(old, np.ndarray):
            wide = np.concatenate([old, new.astype(np.float32)], axis=1)
            wide = np.concatenate([wide, np.zeros((n, wide.shape[1]), np.float32)])
            return WeightScorer(np.ascontiguousarray(wide[np.ix_(order, order)]))
        right: Any = csr_matrix(np.asarray(new, np.float32))
        wider: Any = hstack([old, right])
        below: Any = csr_matrix((n, wider.shape[1]), dtype=np.float32)
        stacked: Any = csr_matrix(vstack([wider, below]))
        return WeightScorer(csr_matrix(stacked[order][:, order]))
    raise WrongType("scorer", f"a {type(scorer).__name__}", "weights between items", "fit Ease or ItemNeighbours")
