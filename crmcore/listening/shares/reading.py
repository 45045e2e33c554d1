"""What corrections read: scores of all posts, labels of a few, brands; every bad row named at once."""

from __future__ import annotations

import enum
import warnings
from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import BadRow, BadRows, CrmWarning, EmptyInput, OutOfRange, WrongType
from crmcore.listening.polarity import Polarity
from crmcore.metrics.columns import cells_of, codes_of, is_missing, numbers, refuse
from crmcore.tables.columns import TextColumn

__all__ = [
    "Sampled",
    "Scored",
    "Target",
    "UncorrectedLevel",
    "check_labels",
    "polarities",
    "read_scored",
    "warn_uncorrected",
]

Floats = NDArray[np.float64]

VALUES = {Polarity.NEGATIVE: -1.0, Polarity.NEUTRAL: 0.0, Polarity.POSITIVE: 1.0}
FEWEST = 8
"""Labels below which nothing is corrected: an error of one label would move the level by a quarter of its range."""


class UncorrectedLevel(CrmWarning):
    """A level of sentiment is the classifier's own: brands can be ranked by it, but it may be off by half a point."""


class Target(enum.StrEnum):
    """What a corrected number is about."""

    POSTS = "posts"  # exactly the posts that were passed
    PROCESS = "process"  # what people say, of which these posts are a sample


class Sampled(enum.StrEnum):
    """How the labelled posts were drawn."""

    AT_RANDOM = "at random"  # from all posts
    PER_BRAND = "per brand"  # at random within each brand, as many as one liked


@attrs.frozen(eq=False, kw_only=True)
class Scored:
    """Posts with scores, truths where they are known, and brands."""

    score: Floats  # (n,) P(positive) - P(negative), or what was passed
    chances: Floats | None  # (n, 3)
    truth: Floats  # (n,) -1, 0, 1; NaN = not labelled
    brand: NDArray[np.intp]  # (n,)
    brands: tuple[str, ...]

    @property
    def labelled(self) -> NDArray[np.intp]:
        """(k,) rows with a label."""
        return np.flatnonzero(~np.isnan(self.truth))


def polarities(name: str, labels: TextColumn | ArrayLike, /) -> Floats:
    """(n,) -1, 0, 1 of labels given as words or numbers, NaN where a label is missing.

    Examples
    --------
    >>> polarities("labels", ["positive", None, Polarity.NEGATIVE, 0])
    array([ 1., nan, -1.,  0.])
    """
    cells = cells_of(name, labels).tolist()
    known: dict[object, float] = {**{str(p): v for p, v in VALUES.items()}, **{v: v for v in VALUES.values()}}
    found = np.full(len(cells), np.nan)
    odd = []
    for i, cell in enumerate(cells):
        if is_missing(cell) or cell == "":
            continue
        value = known.get(str(cell) if isinstance(cell, str) else cell)
        if value is None:
            odd.append(i)
        else:
            found[i] = value
    if odd:
        samples = tuple(dict.fromkeys(str(cells[i])[:20] for i in odd))[:5]
        problem = BadRow(name, "no polarity", tuple(odd), samples)
        raise BadRows(name, (problem,), "write negative, neutral, positive or -1, 0, 1, and None where nobody labelled")
    return found


def _scores(scores: ArrayLike) -> tuple[Floats, Floats | None]:
    """Net scores (n,), and probabilities (n, 3) where those were passed."""
    if isinstance(scores, str):
        raise WrongType("scores", "a str", "(n, 3) probabilities or (n,) net scores", "score the texts first")
    given = np.asarray(scores)
    if given.ndim != 2:
        net = numbers("scores", scores)
        wrong = ~(np.abs(net) <= 1)  # NaN too
        refuse("scores", _SCORES, scores=(wrong, "not within -1 to 1"))
        return net, None
    if given.shape[1] != 3:
        raise OutOfRange("shape of scores", given.shape, "(n, 3) or (n,)", "columns are negative, neutral, positive")
    chances = np.stack([numbers("scores", column) for column in given.T], axis=1)
    wrong = ~((chances >= -1e-9) & (chances <= 1 + 1e-9)).all(axis=1) | ~(np.abs(chances.sum(axis=1) - 1) < 1e-3)
    refuse("scores", _SCORES, scores=(wrong, "no three probabilities with the sum 1"))
    return chances[:, 2] - chances[:, 0], chances


_SCORES = "leave out posts that the analyzer could not score, and count them"


def read_scored(
    scores: ArrayLike, labels: TextColumn | ArrayLike | None, brand: TextColumn | ArrayLike | None, /
) -> Scored:
    """Read columns of the same posts.

    Raises
    ------
    EmptyInput, OutOfRange, BadRows
        No posts, columns of two lengths, scores out of range or missing, labels that are no polarity.
    """
    net, chances = _scores(scores)
    n = len(net)
    if n == 0:
        raise EmptyInput("scores", "pass at least one post")
    truth = np.full(n, np.nan) if labels is None else polarities("labels", labels)
    if len(truth) != n:
        hint = "one label a post, None where nobody labelled"
        raise OutOfRange("len(labels)", len(truth), f"{n}, as scores", hint)
    codes, names = (np.zeros(n, np.intp), ("all",)) if brand is None else codes_of(brand, n, "brand")
    return Scored(score=net, chances=chances, truth=truth, brand=codes, brands=names)


def check_labels(scored: Scored, /) -> None:
    """Refuse fewer labels than a correction can stand on."""
    k = len(scored.labelled)
    need = max(FEWEST, len(np.unique(scored.brand[scored.labelled])) + 2)
    if k < need:
        hint = "label more posts, drawn at random; without any (labels=None) brands are ranked only"
        raise OutOfRange("number of labels", k, f"{need} or more", hint)


def warn_uncorrected(brands: Sequence[str], *, ok: bool, stacklevel: int = 3) -> None:
    """Warn that levels come from a classifier alone, unless the caller said it knows."""
    if not ok:
        ranked = "use the order of brands only" if len(brands) > 1 else "use it only beside others scored alike"
        text = f"no labels: the level of sentiment is the classifier's own and may be off by half a point; {ranked}."
        hint = "label about 50 posts drawn at random, or say uncorrected_ok=True"
        warnings.warn(f"{text}\n  hint: {hint}", UncorrectedLevel, stacklevel=stacklevel)
