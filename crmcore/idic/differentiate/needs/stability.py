"""Whether the classes come back when other customers of the same kind are asked."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import Progress, html_table, reporter
from crmcore._frames import write_frame
from crmcore.errors import OutOfRange
from crmcore.idic.differentiate.needs.agreement import adjusted_rand
from crmcore.idic.differentiate.needs.classes import Answers, LatentClasses, Measures

__all__ = ["ClassStability", "class_jaccard", "class_stability"]

STABLE = 0.75
"""Hennig (2007): a mean Jaccard of 0.75 or more is a stable class, below 0.6 it should not be trusted."""


@attrs.frozen(kw_only=True, repr=False)
class ClassStability:
    """Agreement of the classes with those of resampled customers.

    Attributes
    ----------
    jaccard : (replicates, K) of each class with the one of the replicate that is most like it
    rand : (replicates,) adjusted Rand index
    """

    jaccard: tuple[tuple[float, ...], ...]
    rand: tuple[float, ...]

    @property
    def per_class(self) -> tuple[float, ...]:
        """Mean Jaccard of each class: 1 where it always came back whole."""
        return tuple(float(v) for v in np.mean(self.jaccard, axis=0))

    @property
    def stable(self) -> tuple[bool, ...]:
        """Whether each class has a mean Jaccard of 0.75 or more (Hennig 2007)."""
        return tuple(v >= STABLE for v in self.per_class)

    def _rows(self) -> list[dict[str, Any]]:
        both = zip(self.per_class, self.stable, strict=True)
        return [{"class": k, "jaccard": v, "stable": ok} for k, (v, ok) in enumerate(both)]

    def __str__(self) -> str:
        classes = ", ".join(f"class {k} {v:.2f}" for k, v in enumerate(self.per_class))
        return f"Jaccard {classes}; adjusted Rand {np.mean(self.rand):.2f} ({len(self.rand)} bootstrap samples)"

    def __repr__(self) -> str:
        return f"ClassStability({len(self.per_class)} classes, {len(self.rand)} samples)"

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=str(self))

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a class."""
        rows = self._rows()
        return write_frame({name: [row[name] for row in rows] for name in rows[0]}, backend=backend)


def class_jaccard(one: NDArray[np.intp], other: NDArray[np.intp], /, *, classes: int) -> tuple[float, ...]:
    """Jaccard of each class of `one` with the class of `other` most like it; an empty class has 0.

    Examples
    --------
    >>> class_jaccard(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 1]), classes=2)
    (0.6666666666666666, 0.5)
    """
    cells = np.zeros((classes, int(other.max(initial=0)) + 1))
    np.add.at(cells, (one, other), 1.0)
    union = cells.sum(1, keepdims=True) + cells.sum(0) - cells
    return tuple(float(v) for v in (cells / np.maximum(union, 1.0)).max(1))


def class_stability(
    recipe: LatentClasses, *, answers: Answers | None = None, measures: Measures | None = None, seed: int,
    replicates: int = 50, progress: Progress | bool = False,
) -> ClassStability:  # fmt: skip
    """Fit resampled customers, class the customers at hand by each fit, and compare.

    Parameters
    ----------
    recipe : of the classes
    answers, measures : the columns
    seed : of the samples and of the starts
    replicates : count of bootstrap samples

    Notes
    -----
    Hennig (2007), Computational Statistics & Data Analysis 52:258. A column that is constant or wholly unknown in a
    sample is left out of the fit of that sample.

    Examples
    --------
    >>> visits = {"visits": [1.0, 2.0, 3.0] * 20 + [51.0, 52.0, 53.0] * 20}
    >>> print(class_stability(LatentClasses(classes=2, starts=2), measures=visits, seed=1, replicates=5))
    Jaccard class 0 1.00, class 1 1.00; adjusted Rand 1.00 (5 bootstrap samples)
    """
    if replicates < 1:
        raise OutOfRange("replicates", replicates, "1 or more", "50 is the default")
    texts = {k: np.array(list(v), dtype=object) for k, v in (answers or {}).items()}
    numbers = {k: np.asarray(v, float) for k, v in (measures or {}).items()}
    first, *children = np.random.default_rng(seed).spawn(replicates + 1)
    whole = recipe.fit(answers=answers, measures=measures, seed=first).members(answers=answers, measures=measures)
    report, jaccard, rand = reporter(progress), [], []
    for i, rng in enumerate(children, start=1):
        rows = rng.integers(0, len(whole), len(whole))
        some_texts = {k: v[rows].tolist() for k, v in texts.items() if any(a is not None for a in v[rows])}
        some = {k: v[rows] for k, v in numbers.items() if len(np.unique(v[rows][~np.isnan(v[rows])])) > 1}
        model = recipe.fit(answers=some_texts, measures=some, seed=rng)
        label = model.members(
            answers={k: texts[k].tolist() for k in some_texts}, measures={k: numbers[k] for k in some}
        ).label
        jaccard.append(class_jaccard(whole.label, label, classes=recipe.classes))
        rand.append(adjusted_rand(whole.label.tolist(), label.tolist()))
        report("samples", i, replicates)
    return ClassStability(jaccard=tuple(jaccard), rand=tuple(rand))
