"""Candidates of a search: every value and every pair of values with enough cases, and how they cross with a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.recovery.process.causes.case_columns import Attribute, CaseColumns
from crmcore.recovery.process.causes.fitting import Fit, conditional_scores, totals

__all__ = ["Block", "blocks_of", "first_attributes"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int32]
Bools = NDArray[np.bool_]

CELLS = 4_000_000
"""Largest table of patterns by candidates that is counted at once (32 MB of counts)."""


@attrs.frozen(eq=False)
class Block:
    """Candidates of one attribute, or of two together.

    Parameters
    ----------
    attributes : one or two positions
        In the table of cases.
    values : (m, 1 or 2) codes
        Of each candidate, in the attributes.
    trials, failures : (m,) counts
        Cases of each candidate, and how many of them failed.
    places : (m,) positions
        Of the candidates among all packed codes.
    size : count
        Of all packed codes.
    """

    attributes: tuple[int, ...]
    values: Codes
    trials: Floats
    failures: Floats
    places: NDArray[np.intp]
    size: int

    def __len__(self) -> int:
        return len(self.trials)

    def cells(self, columns: Sequence[Attribute]) -> Codes:
        """(n,) candidate that each row lies in; m for none."""
        to = np.full(self.size, len(self), np.int32)
        to[self.places] = np.arange(len(self), dtype=np.int32)
        return np.asarray(to[_packed(columns, self.attributes)], np.int32)

    def rows(self, columns: Sequence[Attribute], candidate: int) -> Bools:
        """(n,) rows of one candidate."""
        inside = np.ones(len(columns[self.attributes[0]]), bool)
        for attribute, code in zip(self.attributes, self.values[candidate], strict=True):
            inside &= columns[attribute].codes == code
        return inside

    def crossed(self, cases: CaseColumns, fit: Fit) -> Floats:
        """(g, m) cases of each candidate in each pattern of a model."""
        g = len(fit.p)
        packed = _packed(cases.attributes, self.attributes) + fit.patterns.code * np.int32(self.size)
        return totals(packed, None if cases.single else cases.trials, g * self.size).reshape(g, -1)[:, self.places]

    def scores(self, cases: CaseColumns, fit: Fit) -> Floats:
        """(m,) score tests of the candidates, each added to the model alone; NaN where the model holds it."""
        if len(fit.p) * self.size <= CELLS:
            table = self.crossed(cases, fit)
            x, w = fit.patterns.design, fit.weight
            sums = fit.p @ table, w @ table, (w[:, None] * x).T @ table
        else:
            sums = self._sums_by_row(cases, fit)
        return conditional_scores(fit, self.failures, *sums)[0]

    def _sums_by_row(self, cases: CaseColumns, fit: Fit) -> tuple[Floats, Floats, Floats]:
        """Expected failures, variances and shared variances where patterns by codes would not fit in memory."""
        cell, code, m = self.cells(cases.attributes), fit.patterns.code, len(self)
        w = fit.weight[code] * cases.trials
        expected = totals(cell, fit.p[code] * cases.trials, m + 1)[:m]
        shared = [totals(cell, w, m + 1)[:m]]
        for member in fit.patterns.member.T:
            inside = member[code]
            shared.append(totals(cell[inside], w[inside], m + 1)[:m])
        return expected, shared[0], np.stack(shared)

    def trials_by_pattern(self, cases: CaseColumns, fit: Fit, candidates: NDArray[np.intp]) -> Floats:
        """(c, g) cases of a few candidates in each pattern."""
        found = []
        for candidate in candidates:
            inside = self.rows(cases.attributes, int(candidate))
            found.append(totals(fit.patterns.code[inside], cases.trials[inside], len(fit.p)))
        return np.stack(found)


def _packed(columns: Sequence[Attribute], attributes: tuple[int, ...]) -> Codes:
    """(n,) codes of one attribute, or both codes of two in one number."""
    first = columns[attributes[0]].codes
    if len(attributes) == 1:
        return first
    second = columns[attributes[1]]
    return first * np.int32(len(second.values)) + second.codes


def first_attributes(cases: CaseColumns, /, *, min_cases: int) -> tuple[CaseColumns, tuple[str, ...]]:
    """Cases whose rare values are joined, and the attributes that are left out because no value can be tested.

    A value of fewer than `min_cases` cases is no candidate, alone or in a pair; joining them keeps pairs of two
    attributes of many values in memory. An attribute needs a value with that many cases inside and outside.
    """
    kept: list[Attribute] = []
    out: list[str] = []
    total = float(cases.trials.sum())
    for column in cases.attributes:
        count = np.bincount(column.codes, cases.trials, minlength=len(column.values))
        often = count >= min_cases
        if not (often & (total - count >= min_cases)).any():
            out.append(column.name)
            continue
        to = np.where(often, np.cumsum(often) - 1, often.sum()).astype(np.int32)
        values = tuple(v for v, yes in zip(column.values, often, strict=True) if yes)
        kept.append(Attribute(column.name, to[column.codes], (*values, "") if not often.all() else values))
    return attrs.evolve(cases, attributes=tuple(kept)), tuple(out)


def blocks_of(cases: CaseColumns, /, *, depth: int, min_cases: int) -> Iterator[Block]:
    """Candidates of one attribute each, then of two: what has `min_cases` cases or more inside and outside.

    A pair that holds the same cases as one of its values is no candidate.
    """
    columns = cases.attributes
    sizes = [np.bincount(c.codes, cases.trials, minlength=len(c.values)) for c in columns]
    rare = [np.array([not v for v in c.values]) for c in columns]
    total = float(cases.trials.sum())
    sets: list[tuple[int, ...]] = [(i,) for i in range(len(columns))]
    sets += combinations(range(len(columns)), 2) if depth > 1 else []
    for chosen in sets:
        count, failed = _crossing(cases, chosen)
        good = (count >= min_cases) & (total - count >= min_cases)
        if len(chosen) == 1:
            values = np.arange(len(count), dtype=np.int32)[:, None]
            good &= ~rare[chosen[0]]
        else:
            second = len(columns[chosen[1]].values)
            values = np.column_stack(np.divmod(np.arange(len(count), dtype=np.int32), np.int32(second)))
            for side, attribute in enumerate(chosen):
                good &= ~rare[attribute][values[:, side]] & (count < sizes[attribute][values[:, side]])
        found = np.flatnonzero(good)
        if len(found):
            yield Block(chosen, values[found].astype(np.int32), count[found], failed[found], found, len(count))


def _crossing(cases: CaseColumns, chosen: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Cases and failures by packed codes."""
    packed = _packed(cases.attributes, chosen)
    size = int(np.prod([len(cases.attributes[i].values) for i in chosen]))
    weights = None if cases.single else cases.trials
    failing = cases.failures > 0
    return totals(packed, weights, size), totals(packed[failing], cases.failures[failing], size)
