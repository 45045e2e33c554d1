"""The knapsack behind `allocate`: a sparse program, its exact optimum, and the prices of its relaxation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import ConflictingConstraints, NotConverged

__all__ = ["Problem", "Relaxed", "relax", "solve"]

Floats = NDArray[np.float64]
_NO = math.inf


@attrs.frozen(eq=False)
class Problem:
    """max value . x subject to low <= rows x <= high, x in {0, 1}; row 0 is the budget."""

    cost: list[int]
    value: Floats
    budget: int
    rows: Any  # (m, n) sparse
    low: Floats
    high: Floats
    alike: list[list[int]]
    """Options that bring the same and stand under the same limits, cheapest first, then by id."""
    bound_below: bool
    """Whether some group must get something."""

    @classmethod
    def of(
        cls,
        *,
        cost: list[int],
        value: Floats,
        budget: int,
        owner: list[str],
        group: list[str],
        quotas: Sequence[tuple[str, str, int | None, int | None]],
    ) -> Problem:
        """Lay the limits out as rows of a sparse matrix."""
        from scipy.sparse import csr_array

        n = len(cost)
        unit = math.gcd(*cost, budget) or 1  # small numbers keep the solver's tolerances small
        scaled = [c // unit for c in cost]
        entries: list[tuple[int, int, float]] = [(0, i, scaled[i]) for i in range(n) if cost[i]]
        low, high = [-_NO], [float(budget // unit)]
        options: dict[str, list[int]] = {}
        for i, name in enumerate(owner):
            options.setdefault(name, []).append(i)
        for mine in options.values():
            if len(mine) > 1:
                entries += [(len(low), i, 1) for i in mine]
                low.append(-_NO)
                high.append(1.0)
        for name, of, most, least in quotas:
            scale = 1 if of == "count" else unit
            mine = [i for i in range(n) if group[i] == name]
            entries += [(len(low), i, scaled[i] if of == "cost" else 1) for i in mine]
            low.append(-_NO if least is None else math.ceil(least / scale))
            high.append(_NO if most is None else most // scale)
        r, c, v = zip(*entries, strict=True) if entries else ((), (), ())
        rows = csr_array((np.array(v, float), (np.array(r, int), np.array(c, int))), shape=(len(low), n))
        twins: dict[Any, list[int]] = {}
        for i in range(n):
            whose = owner[i] if len(options[owner[i]]) > 1 else None
            what = (whose, float(value[i]), group[i] if quotas else "", cost[i] if quotas else 0)
            twins.setdefault(what, []).append(i)
        alike = [sorted(t, key=lambda i: (cost[i], i)) for t in twins.values() if len(t) > 1]
        below = any(least for _, _, _, least in quotas)
        return cls(cost, value, budget, rows, np.array(low), np.array(high), alike, below)


@attrs.frozen(eq=False)
class Relaxed:
    """The program without the word "whole": its optimum, and what it says about prices."""

    share: Floats
    lacking: Floats
    """What each option's value lacks at the shadow prices; below 0: by how much it is worth more than them."""
    budget_price: float
    bound: float


def relax(problem: Problem) -> Relaxed:
    """Solve the linear program; its optimum bounds every choice."""
    if problem.rows.shape[0] == 1 and not problem.bound_below:
        return _relax_budget(problem)
    from scipy.optimize import linprog
    from scipy.sparse import vstack

    up, down = np.isfinite(problem.high), np.isfinite(problem.low)
    rows = vstack([problem.rows[up], -problem.rows[down]]).tocsr() if down.any() else problem.rows[up]
    limits = np.concatenate([problem.high[up], -problem.low[down]])
    found = linprog(-problem.value, A_ub=rows, b_ub=limits, bounds=(0, 1), method="highs")
    if found.status == 2:
        raise _impossible()
    if found.status != 0:
        raise NotConverged("the relaxed allocation", 0, math.nan, "give costs and values in units of similar size")
    duals = -np.asarray(found.ineqlin.marginals, float)
    unit = math.gcd(*problem.cost, problem.budget) or 1
    lacking = np.asarray(rows.T @ duals - problem.value, float)
    return Relaxed(np.asarray(found.x, float), lacking, float(duals[0] / unit) + 0.0, -float(found.fun or 0.0))


def _relax_budget(problem: Problem) -> Relaxed:
    """The same where the budget is the only limit: best value per cost first, the last in part (Dantzig 1957)."""
    unit = math.gcd(*problem.cost, problem.budget) or 1
    cost, room = np.array(problem.cost, float) / unit, float(problem.budget // unit)
    good = problem.value > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        worth = np.where(good, problem.value / cost, -_NO)
    order = np.argsort(-worth, kind="stable")
    order = order[good[order]]
    filled = np.cumsum(cost[order])
    whole = int(np.searchsorted(filled, room, side="right"))
    share = np.zeros(len(cost))
    share[order[:whole]] = 1.0
    price = 0.0
    if whole < len(order):
        last = order[whole]
        share[last] = (room - (filled[whole - 1] if whole else 0.0)) / cost[last]
        price = float(worth[last])
    return Relaxed(share, cost * price - problem.value, price / unit, math.fsum(problem.value * share))


def solve(problem: Problem, relaxed: Relaxed, *, gap: float) -> NDArray[np.bool_]:
    """(n,) which options are chosen: greatest value; among options that bring the same the cheapest, then by id.

    Options whose reduced cost is larger than the room between the relaxed optimum and a choice already found are in or
    out for certain (Dembo & Hammer 1980), so the search is about the few that are left.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    best: NDArray[np.bool_] = np.zeros(len(problem.value), np.bool_)
    open_: NDArray[np.bool_] = np.ones(len(problem.value), np.bool_)
    first = _rounded(problem, relaxed)
    if first is not None:
        room = relaxed.bound - math.fsum(problem.value[first])
        room += 1e-7 * max(1.0, abs(relaxed.bound))  # never settle what is only nearly certain
        near = gap > 0 and room <= gap * abs(relaxed.bound)
        best = first if near else -relaxed.lacking > room
        open_ = np.abs(relaxed.lacking) <= (-1.0 if near else room)
    if open_.any():
        taken = np.asarray(problem.rows @ best.astype(float), float)
        low: Any = problem.low - taken
        high: Any = problem.high - taken
        found = milp(
            -problem.value[open_],
            integrality=np.ones(int(open_.sum()), np.int64),
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(problem.rows[:, open_], low, high),
            options={"mip_rel_gap": gap},
        )
        if found.status == 2:
            raise _impossible()
        if found.x is None or found.status != 0:
            raise NotConverged("the allocation", 0, math.nan, "give costs in coarser units, or fewer options at a time")
        best[open_] = np.rint(found.x).astype(bool)
    spent = sum(c for c, x in zip(problem.cost, best, strict=True) if x)
    if spent > problem.budget:  # rounding inside the solver; never seen, never passed on
        hint = "give costs and budget in coarser units, such as whole baht"
        raise NotConverged("the allocation", 1, float(spent - problem.budget), hint)
    if not problem.bound_below:
        best &= problem.value > 0
    for places in problem.alike:
        n = int(best[places].sum())
        best[places] = False
        best[places[:n]] = True
    return best


def _rounded(problem: Problem, relaxed: Relaxed) -> NDArray[np.bool_] | None:
    """A choice near the relaxed optimum: what that takes whole, then what fits, best first; None if none shows."""
    if problem.bound_below:
        return None
    columns = problem.rows.tocsc()
    picked: NDArray[np.bool_] = relaxed.share > 1 - 1e-9
    used = np.asarray(problem.rows @ picked.astype(float), float)
    if (used > problem.high + 1e-9).any():
        return None
    for i in np.argsort(relaxed.lacking, kind="stable").tolist():
        if not picked[i] and problem.value[i] > 0:
            part = slice(columns.indptr[i], columns.indptr[i + 1])
            touched, weight = columns.indices[part], columns.data[part]
            if (used[touched] + weight <= problem.high[touched]).all():
                picked[i] = True
                used[touched] += weight
    return picked


def _impossible() -> ConflictingConstraints:
    hint = "raise the budget, or lower the least that groups must get"
    return ConflictingConstraints("the quotas and the budget", ("no choice meets all of them",), hint)
