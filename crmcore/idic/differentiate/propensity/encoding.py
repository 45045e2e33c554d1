"""Columns as numbers for a linear model: ramps between knots for curves, levels for words, flags for missing."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.idic.differentiate.propensity.features import Features, check_signs
from crmcore.tables.columns import TextColumn

__all__ = ["Encoding", "Numbers", "Words", "learn_encoding"]

Floats = NDArray[np.float64]
MISSING = "(missing)"
LARGEST = 1e100  # larger numbers count as this large: their squares would not fit
RARE = "(rare)"


@attrs.frozen(kw_only=True)
class Numbers:
    """A column of numbers as ramps: how much of a value lies in each stretch between knots.

    A sum of slope times ramp is a piecewise linear curve; slopes of one sign make it monotone. Values beyond the ends
    that were seen count as the ends. A missing value counts as the mean, and has a flag where some were missing.
    """

    name: str
    knots: tuple[float, ...]  # both ends and what lies between, ascending
    means: tuple[float, ...]  # of each ramp
    scales: tuple[float, ...]  # standard deviation of each ramp
    missing: float  # share that was missing
    sign: int = 0  # of all slopes; 0 = free

    @property
    def labels(self) -> tuple[str, ...]:
        """One a column of the matrix."""
        ramps = len(self.knots) - 1
        if ramps == 1:
            names = [self.name]
        else:
            names = [f"{self.name} {a:.4g} to {b:.4g}" for a, b in zip(self.knots, self.knots[1:], strict=False)]
        return (*names, f"{self.name} {MISSING}") if self.missing else tuple(names)

    def matrix(self, features: Features) -> Floats:
        """(n, k) standardised columns."""
        x = features.number(self.name)
        gone = np.isnan(x)
        low, high = np.array(self.knots[:-1]), np.array(self.knots[1:])
        ramps = np.clip(x[:, None], low, high) - low
        out: Floats = (ramps - np.array(self.means)) / np.array(self.scales)
        out[gone] = 0.0
        return np.column_stack([out, gone - self.missing]) if self.missing else out


@attrs.frozen(kw_only=True)
class Words:
    """A column of words as one column a level, centred; a level that was never seen counts as the average customer."""

    name: str
    levels: tuple[str, ...]  # may hold MISSING and RARE
    shares: tuple[float, ...]  # of each level
    base: int  # position of the most frequent level, which has no column

    @property
    def labels(self) -> tuple[str, ...]:
        """One a column of the matrix."""
        return tuple(f"{self.name} = {level}" for i, level in enumerate(self.levels) if i != self.base)

    def codes(self, features: Features) -> NDArray[np.int64]:
        """(n,) position of each row's level, -1 where it was never seen."""
        column = features.word(self.name)
        place = {level: i for i, level in enumerate(self.levels)}
        rare = place.get(RARE, -1)
        to = np.array([*(place.get(v, rare) for v in column.values), place.get(MISSING, -1)], np.int64)
        return to[column.codes]

    def matrix(self, features: Features) -> Floats:
        """(n, k) columns: 0 for a level that was never seen, else whether the level is there minus its share."""
        codes = self.codes(features)
        kept = [i for i in range(len(self.levels)) if i != self.base]
        out = (codes[:, None] == np.array(kept)[None, :]) - np.array([self.shares[i] for i in kept])
        out[codes < 0] = 0.0
        return np.asarray(out, np.float64)


@attrs.frozen(kw_only=True)
class Encoding:
    """How a table becomes a matrix: learnt from the rows that a model is fitted on, stored with it.

    Examples
    --------
    >>> from crmcore.idic.differentiate.propensity.features import read_features
    >>> table = read_features({"plan": ["basic", "plus", "basic", None], "months": [1, 2, 3, 4]})
    >>> learn_encoding(table, knots=0, least=1).labels
    ('plan = plus', 'plan = (missing)', 'months')
    """

    columns: tuple[Numbers | Words, ...]
    dropped: tuple[str, ...] = ()  # columns that are the same in every row

    @property
    def labels(self) -> tuple[str, ...]:
        """One a column of the matrix."""
        return tuple(label for column in self.columns for label in column.labels)

    @property
    def owner(self) -> NDArray[np.int64]:
        """(p,) position of the table's column that each column of the matrix comes from."""
        return np.repeat(np.arange(len(self.columns)), [len(c.labels) for c in self.columns])

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of the table that the matrix reads."""
        return tuple(c.name for c in self.columns)

    @property
    def signs(self) -> NDArray[np.int64]:
        """(p,) sign that the coefficient must have, 0 = free."""
        found = [[c.sign if isinstance(c, Numbers) and i < len(c.knots) - 1 else 0 for i in range(len(c.labels))]
                 for c in self.columns]  # fmt: skip
        return np.array([s for part in found for s in part], np.int64)

    def matrix(self, features: Features) -> Floats:
        """(n, p) columns, each of mean 0 over the rows that it was learnt from."""
        if not self.columns:
            return np.zeros((len(features), 0))
        return np.concatenate([c.matrix(features) for c in self.columns], axis=1)


def learn_encoding(
    features: Features,
    /,
    *,
    knots: int,
    least: int,
    signs: Mapping[str, int] | None = None,
    weight: Floats | None = None,
) -> Encoding:
    """Learn ramps and levels from rows.

    Parameters
    ----------
    knots : count
        Inner knots of a curve, at quantiles; 0 is a straight line. A column with few distinct values gets fewer.
    least : count
        Levels of words on fewer rows are read together as "(rare)".
    signs : by name
        +1 where the outcome may only become likelier as a number grows, -1 where it may only become rarer.
    weight : (n,) weights
        Of rows.
    """
    signs = dict(signs or {})
    check_signs(signs, features)
    weight = np.ones(len(features)) if weight is None else weight
    columns: list[Numbers | Words] = []
    dropped: list[str] = []
    for name, column in features.columns.items():
        found: Numbers | Words | None
        if isinstance(column, TextColumn):
            found = _words(name, column, least, weight)
        else:
            found = _numbers(name, column, knots, signs.get(name, 0), weight)
        if found is None:
            dropped.append(name)
        else:
            columns.append(found)
    return Encoding(columns=tuple(columns), dropped=tuple(dropped))


def _numbers(name: str, x: Floats, knots: int, sign: int, weight: Floats) -> Numbers | None:
    gone = np.isnan(x) | (weight == 0)
    seen, w = np.clip(x[~gone], -LARGEST, LARGEST), weight[~gone]
    if len(seen) == 0:
        return None
    low, high = float(seen.min()), float(seen.max())
    inner = np.unique(np.quantile(seen, np.arange(1, knots + 1) / (knots + 1))) if knots else np.empty(0)
    ends = np.array([low, *inner[(inner > low) & (inner < high)], high])
    share = float(weight[np.isnan(x)].sum() / weight.sum())
    if low == high:
        if share == 0:
            return None
        ends = np.array([low, low + 1.0])  # only whether it is missing tells rows apart
    ramps = np.clip(seen[:, None], ends[:-1], ends[1:]) - ends[:-1]
    means = np.average(ramps, axis=0, weights=w)
    scales = np.sqrt(np.average((ramps - means) ** 2, axis=0, weights=w))
    return Numbers(
        name=name, knots=tuple(map(float, ends)), means=tuple(map(float, means)),
        scales=tuple(float(s) if s > 0 else 1.0 for s in scales), missing=share, sign=sign,
    )  # fmt: skip


def _words(name: str, column: TextColumn, least: int, weight: Floats) -> Words | None:
    use = weight > 0
    k = len(column.values)
    rows = np.bincount(column.codes[use] % (k + 1), minlength=k + 1)  # code -1 comes last
    mass = np.bincount(column.codes % (k + 1), weights=weight, minlength=k + 1)
    often = sorted((v, i) for i, v in enumerate(column.values) if rows[i] >= max(least, 1))
    levels = {v: float(mass[i]) for v, i in often}
    rest = float(mass[:k].sum()) - sum(levels.values())
    if rest > 0:
        levels[RARE] = levels.get(RARE, 0.0) + rest
    if rows[k]:
        levels[MISSING] = levels.get(MISSING, 0.0) + float(mass[k])
    if len(levels) < 2:
        return None
    total = sum(levels.values())
    names = tuple(levels)
    base = max(range(len(names)), key=lambda i: (levels[names[i]], -i))
    return Words(name=name, levels=names, shares=tuple(levels[n] / total for n in names), base=base)
