"""Columns as bins for a booster: quantile bins of numbers, levels of words, and a bin for what is missing."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.idic.differentiate.propensity.encoding import MISSING, RARE
from crmcore.idic.differentiate.propensity.features import Features
from crmcore.tables.columns import TextColumn

__all__ = ["Bins", "Levels", "learn_bins"]

Floats = NDArray[np.float64]


@attrs.frozen(kw_only=True)
class Bins:
    """A column of numbers cut at `cuts`: a value belongs to the bin below the first cut that is not below it.

    The last bin is for missing values, whether or not there were any.
    """

    name: str
    cuts: tuple[float, ...]
    sign: int = 0

    @property
    def labels(self) -> tuple[str, ...]:
        """One a bin."""
        if not self.cuts:
            return ("any", MISSING)
        inner = [f"{a:.4g} to {b:.4g}" for a, b in zip(self.cuts, self.cuts[1:], strict=False)]
        return (f"to {self.cuts[0]:.4g}", *inner, f"above {self.cuts[-1]:.4g}", MISSING)

    def codes(self, features: Features) -> NDArray[np.int64]:
        """(n,) bin of each row."""
        x = features.number(self.name)
        found = np.searchsorted(np.array(self.cuts), x, side="left")
        found[np.isnan(x)] = len(self.cuts) + 1
        return found.astype(np.int64)


@attrs.frozen(kw_only=True)
class Levels:
    """A column of words; the last bin is for levels that were never seen, and moves nothing."""

    name: str
    levels: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """One a bin."""
        return (*self.levels, "(new)")

    def codes(self, features: Features) -> NDArray[np.int64]:
        """(n,) bin of each row."""
        column = features.word(self.name)
        place = {level: i for i, level in enumerate(self.levels)}
        new = len(self.levels)
        rare = place.get(RARE, new)
        to = np.array([*(place.get(v, rare) for v in column.values), place.get(MISSING, new)], np.int64)
        return to[column.codes]


def learn_bins(
    features: Features, /, *, bins: int, least: int, signs: dict[str, int]
) -> tuple[tuple[Bins | Levels, ...], tuple[str, ...]]:
    """Bins of every column that differs between rows, and the names of those that do not.

    Examples
    --------
    >>> from crmcore.idic.differentiate.propensity.features import read_features
    >>> table = read_features({"plan": ["a", "b", None, "a"], "months": [1, 2, 3, 3]})
    >>> [b.labels for b in learn_bins(table, bins=4, least=1, signs={})[0]]
    [('a', 'b', '(missing)', '(new)'), ('to 1.5', '1.5 to 2.5', 'above 2.5', '(missing)')]
    """
    made: list[Bins | Levels] = []
    dropped: list[str] = []
    for name, column in features.columns.items():
        if isinstance(column, TextColumn):
            levels = _levels(column, least)
            if len(levels) > 1:
                made.append(Levels(name=name, levels=levels))
                continue
        else:
            seen = column[~np.isnan(column)]
            if len(seen) and (seen.min() < seen.max() or len(seen) < len(column)):
                made.append(Bins(name=name, cuts=_cuts(seen, bins), sign=signs.get(name, 0)))
                continue
        dropped.append(name)
    return tuple(made), tuple(dropped)


def _cuts(seen: Floats, bins: int) -> tuple[float, ...]:
    """Cuts between distinct values at about equal counts; midway, so that new values fall to the nearer side."""
    values, often = np.unique(seen, return_counts=True)
    if len(values) <= bins:
        left = np.arange(len(values) - 1)
    else:
        share = np.cumsum(often) / len(seen)
        left = np.unique(np.searchsorted(share, np.arange(1, bins) / bins))
        left = left[left < len(values) - 1]
    middle = values[left] + (values[left + 1] - values[left]) / 2
    return tuple(float(c) for c in np.where(middle < values[left + 1], middle, values[left]))


def _levels(column: TextColumn, least: int) -> tuple[str, ...]:
    k = len(column.values)
    rows = np.bincount(column.codes % (k + 1), minlength=k + 1)
    often = sorted(v for i, v in enumerate(column.values) if rows[i] >= least)
    rest = int(rows[:k].sum()) - sum(int(rows[i]) for i, v in enumerate(column.values) if rows[i] >= least)
    return (*often, *([RARE] if rest else []), *([MISSING] if rows[k] else []))
