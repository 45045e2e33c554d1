"""The best product by exact integer programming (HiGHS): prices, preferences, distances."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import Any

import attrs
import numpy as np

from crmcore.errors import NotConverged
from crmcore.idic.customize.configuring.conflicts import Given
from crmcore.idic.customize.configuring.model import ProductModel
from crmcore.idic.customize.configuring.search import Clause, Problem

__all__ = ["Goal", "Term", "optimum", "price_goal", "score"]


@attrs.frozen(eq=False)
class Term:
    """An amount that counts where a condition holds: the clauses of the condition and of its opposite."""

    amount: float
    holds: tuple[Clause, ...]
    fails: tuple[Clause, ...]


@attrs.frozen(eq=False)
class Goal:
    """What is added up: an amount for each value of each attribute, and conditional terms."""

    values: tuple[tuple[float, ...], ...]
    terms: tuple[Term, ...] = ()
    base: float = 0.0

    def of(self, places: Sequence[int]) -> float:
        """Total of one product."""
        total = self.base + sum(row[at] for row, at in zip(self.values, places, strict=True))
        for term in self.terms:
            if all(any(mask >> places[v] & 1 for v, mask in clause.items()) for clause in term.holds):
                total += term.amount
        return total


def price_goal(model: ProductModel) -> Goal:
    """Price of a product in minor units."""
    values = tuple(tuple(p.price.amount_minor if p.price else 0 for p in a.parts) for a in model.attributes)
    terms = []
    for rule in model.prices:
        holds = tuple(model.compiler.condition(rule.when, name=rule.name))
        fails = tuple(model.compiler.condition(rule.when, name=rule.name, negated=True))
        terms.append(Term(rule.price.amount_minor, holds, fails))
    return Goal(values, tuple(terms), model.base_price.amount_minor if model.base_price else 0)


def score(goal: Goal, places: Sequence[int]) -> int:
    """Total of a goal in whole units."""
    return int(goal.of(places))


def optimum(
    problem: Problem,
    given: Sequence[Given],
    goal: Goal,
    *,
    largest: bool = False,
    cap: tuple[Goal, float] | None = None,
) -> tuple[int, ...] | None:
    """Positions of the values of the product with the least (or largest) total; None where no product is left.

    Parameters
    ----------
    cap
        A second goal and what it may reach at most, such as a price.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_array

    sizes = [mask.bit_length() for mask in problem.full]
    first = np.concatenate(([0], np.cumsum(sizes)))
    terms = (*goal.terms, *(cap[0].terms if cap else ()))
    n = int(first[-1]) + len(terms)
    rows: list[tuple[list[int], list[float], float, float]] = []

    def literals(clause: Clause) -> list[int]:
        return [int(first[v]) + k for v, mask in clause.items() for k in range(mask.bit_length()) if mask >> k & 1]

    for v, size in enumerate(sizes):
        rows.append((list(range(int(first[v]), int(first[v]) + size)), [1.0] * size, 1.0, 1.0))
    for clause in problem.clauses:
        names = literals(clause)
        rows.append((names, [1.0] * len(names), 1.0, np.inf))
    for j, term in enumerate(terms):
        t = int(first[-1]) + j
        for clause in term.holds:
            names = literals(clause)
            rows.append(([*names, t], [1.0] * len(names) + [-1.0], 0.0, np.inf))
        for clause in term.fails:
            names = literals(clause)
            rows.append(([*names, t], [1.0] * (len(names) + 1), 1.0, np.inf))
    cost = np.concatenate([*map(np.asarray, goal.values), np.zeros(len(terms))]).astype(float)
    for j, term in enumerate(goal.terms):
        cost[int(first[-1]) + j] = term.amount
    if cap is not None:
        limit = np.concatenate([*map(np.asarray, cap[0].values), np.zeros(len(terms))]).astype(float)
        for j, term in enumerate(cap[0].terms):
            limit[int(first[-1]) + len(goal.terms) + j] = term.amount
        rows.append((list(range(n)), limit.tolist(), -np.inf, cap[1] - cap[0].base))
    upper: Any = np.ones(n)
    for v, mask, _ in given:
        for k in range(sizes[v]):
            if not mask >> k & 1:
                upper[first[v] + k] = 0.0
    at = np.repeat(np.arange(len(rows)), [len(r[0]) for r in rows])
    columns = np.concatenate([np.asarray(r[0], dtype=np.intp) for r in rows])
    data = np.concatenate([np.asarray(r[1]) for r in rows])
    matrix = coo_array((data, (at, columns)), shape=(len(rows), n)).tocsr()
    low: Any = [r[2] for r in rows]
    high: Any = [r[3] for r in rows]
    found = milp(
        (-cost if largest else cost) / _unit(cost),
        integrality=np.ones(n, dtype=np.int64),
        bounds=Bounds(0, upper),
        constraints=LinearConstraint(matrix, low, high),
        options={"mip_rel_gap": 0.0},
    )
    if found.x is None:
        if found.status == 2:
            return None
        raise NotConverged("the best product", 0, float("nan"), f"the solver said: {found.message}")
    return tuple(int(np.argmax(found.x[first[v] : first[v + 1]])) for v in range(len(sizes)))


def _unit(cost: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """Common unit of the amounts, so that the solver works with small numbers."""
    if (cost != np.round(cost)).any():
        return float(np.abs(cost).max()) or 1.0
    return float(gcd(*(int(abs(c)) for c in cost))) or 1.0
