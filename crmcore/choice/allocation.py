"""Allocate a budget: which customers get which option, so that the value is greatest and no limit is passed."""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from typing import Any, Protocol

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table, listed, number_text
from crmcore._frames import write_frame
from crmcore.choice._knapsack import Problem, relax, solve
from crmcore.documents import Document
from crmcore.errors import BadRow, BadRows, DuplicateIds, EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.values import Money
from crmcore.values.words import word

__all__ = ["Allocation", "By", "Chosen", "LeftOut", "Quota", "allocate"]


class HasInterval(Protocol):
    """An estimate, such as `crmcore.metrics.Estimate`."""

    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float: ...


class By(enum.StrEnum):
    """Which number of an estimate counts as its value."""

    VALUE = "value"
    LOW = "low"
    """The lower end of the interval: prefers what is known to pay."""


@attrs.frozen
class Quota:
    """How much a group may or must get.

    Parameters
    ----------
    group : text
        As in `groups`.
    at_most, at_least : whole numbers, optional
        Options chosen in the group, or what they cost.
    of : text
        `"count"` or `"cost"`.
    """

    group: str
    at_most: int | None = attrs.field(default=None, kw_only=True)
    at_least: int | None = attrs.field(default=None, kw_only=True)
    of: str = attrs.field(default="count", kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.of not in ("count", "cost"):
            raise UnknownName("measure of a quota", str(self.of), ("count", "cost"))
        for name in ("at_most", "at_least"):
            number = getattr(self, name)
            if number is not None and (type(number) is not int or number < 0):
                raise OutOfRange(f"Quota.{name}", number, "a whole number from 0", "leave it out for no limit")
        if self.at_most is not None and self.at_least is not None and self.at_least > self.at_most:
            hint = "at_least is the lower of both"
            raise OutOfRange("Quota.at_least", self.at_least, f"at most at_most = {self.at_most}", hint)


@attrs.frozen(kw_only=True)
class Chosen:
    """An option that gets its cost out of the budget."""

    id: str
    customer: str
    cost: int
    value: float


@attrs.frozen(kw_only=True)
class LeftOut:
    """An option that gets nothing, and how near it came.

    Parameters
    ----------
    missed_by : value
        What its value lacks at the shadow prices; 0 where only its size did not fit into the rest.
    extra_budget : cost units
        What the budget would have to grow by to add it (in place of the same customer's option, where one is chosen).
    """

    id: str
    customer: str
    cost: int
    value: float
    missed_by: float
    extra_budget: int


@attrs.frozen(kw_only=True, repr=False)
class Allocation(Document):
    """Who gets the budget.

    Parameters
    ----------
    chosen, left_out : options
        By id; left out: those that came nearest first.
    budget, cost : whole cost units
        What there was, and what is used.
    value : number
        Sum over the chosen.
    bound : number
        Value if options could be given in part: no choice brings more.
    shadow_price : value a cost unit
        What one more unit of budget would bring, if options could be given in part; 0 where the budget does not bind.
    gap : share
        How far the value may be below the best one, at most; 0 is the proved optimum.
    by : By
        Whether estimates counted with their value or with their low end.
    """

    chosen: tuple[Chosen, ...]
    left_out: tuple[LeftOut, ...]
    budget: int
    cost: int
    value: float
    bound: float
    shadow_price: float
    gap: float
    by: By = attrs.field(converter=By)

    def __repr__(self) -> str:
        return f"Allocation({len(self.chosen)} chosen, {len(self.left_out)} left out, value {number_text(self.value)})"

    @property
    def unspent(self) -> int:
        """Budget that is left."""
        return self.budget - self.cost

    def __str__(self) -> str:
        names = ", ".join(c.id for c in self.chosen[:8]) + (", ..." if len(self.chosen) > 8 else "")
        lines = [
            f"{len(self.chosen)} of {len(self.chosen) + len(self.left_out)} options: {names or 'none'}",
            f"value {number_text(self.value)} for {self.cost:,} of {self.budget:,} "
            f"(one more unit: about {number_text(self.shadow_price)})",
        ]
        if self.left_out:
            near = self.left_out[0]
            lines.append(
                f"nearest left out: {near.id} (value {number_text(near.value)} for {near.cost:,}), "
                f"missed by {number_text(near.missed_by)}; {near.extra_budget:,} more budget would add it"
            )
        return "\n".join(lines)

    def _rows(self) -> list[dict[str, Any]]:
        rows = [{**attrs.asdict(c), "chosen": True, "missed_by": None, "extra_budget": None} for c in self.chosen]
        rows += [{**attrs.asdict(x), "chosen": False} for x in self.left_out]
        names = ("id", "customer", "chosen", "cost", "value", "missed_by", "extra_budget")
        return [{n: row[n] for n in names} for row in rows]

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an option: id, customer, chosen, cost, value, missed_by, extra_budget."""
        rows = self._rows()
        return write_frame({n: [row[n] for row in rows] for n in rows[0]}, backend=backend)

    def _repr_html_(self) -> str:
        rows = [{**row, "chosen": "yes" if row["chosen"] else ""} for row in self._rows()]
        return html_table(rows, caption=str(self).replace("\n", "; "))


def allocate(
    costs: Sequence[int | Money] | NDArray[np.integer],
    values: Sequence[float | HasInterval] | NDArray[np.floating],
    *,
    budget: int | Money,
    ids: Sequence[str] | None = None,
    customers: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    quotas: Sequence[Quota] = (),
    by: By | str = By.VALUE,
    gap: float = 0.0,
) -> Allocation:
    """Choose the options with the greatest value that a budget pays for: at most one a customer.

    Parameters
    ----------
    costs : (n,) whole cost units, or money of one currency
        0 or more.
    values : (n,) numbers or estimates
        What an option is expected to bring; negative ones are chosen only to fill a quota.
    budget : whole cost units, or money
        0 or more.
    ids : (n,) texts, optional
        Distinct; None numbers the options "0", "1", ...
    customers : (n,) texts, optional
        Whose option it is: at most one of each is chosen (multiple choice). None: every option its own customer.
    groups : (n,) texts, optional
        What quotas refer to: segment, store, protected group.
    quotas : sequence of Quota
        Most or least of a group, by count or cost.
    by : By
        `"value"`, or `"low"`: estimates count with the lower end of their interval.
    gap : share
        How far from the optimum the search may stop; 0 proves it.

    Returns
    -------
    Allocation
        The optimum of the 0/1 (multiple choice) knapsack, by branch and cut (HiGHS, through `scipy.optimize.milp`):
        max Σ vᵢxᵢ, Σ cᵢxᵢ ≤ budget, Σ xᵢ ≤ 1 per customer, xᵢ in {0, 1}. Of options that bring the same the cheapest
        are taken, then those with the lowest ids. Shadow prices are the duals of the same program without
        the word "whole" (Dantzig 1957; Kellerer, Pferschy & Pisinger, Knapsack Problems, 2004, chapters 2 and 11).

    Raises
    ------
    WrongType, OutOfRange, BadRows, DuplicateIds, EmptyInput
        Costs that are no whole numbers or negative, values that are not finite, columns of several lengths.
    ConflictingConstraints
        Quotas that no choice within the budget can meet.

    Examples
    --------
    >>> print(allocate([30, 40, 50], [60, 70, 75], budget=90, ids=["ann", "bob", "cho"]))
    2 of 3 options: bob, cho
    value 145 for 90 of 90 (one more unit: about 1.5)
    nearest left out: ann (value 60 for 30), missed by 0; 30 more budget would add it
    """
    how = _by(by)
    _check_column("costs", costs)
    _check_column("values", values)
    listed(quotas, "quotas", Quota, what="quotas", hint="quotas=[Quota('north', at_most=3)]")
    n = len(costs)
    if n == 0:
        raise EmptyInput("costs", "pass one cost and one value an option")
    names = [str(i) for i in range(n)] if ids is None else [str(i) for i in ids]
    owners = names if customers is None else [str(c) for c in customers]
    labels = [""] * n if groups is None else [str(g) for g in groups]
    for what, column in (("values", values), ("ids", names), ("customers", owners), ("groups", labels)):
        if len(column) != n:
            raise OutOfRange(what, f"{len(column)} entries", f"{n} entries, as costs", "pass one an option")
    if len(set(names)) < n:
        again = tuple(i for i, name in enumerate(names) if names.index(name) < i)
        raise DuplicateIds("ids", len(again), again, "give each option its own id")
    cost, limit = _costs(costs, budget)
    value = _values(values, how)
    _known_groups(quotas, labels)
    order = sorted(range(n), key=names.__getitem__)  # the solver sees one order, whatever came in
    problem = Problem.of(
        cost=[cost[i] for i in order], value=value[order], budget=limit, owner=[owners[i] for i in order],
        group=[labels[i] for i in order], quotas=[(q.group, q.of, q.at_most, q.at_least) for q in quotas],
    )  # fmt: skip
    if not isinstance(gap, int | float) or not 0 <= gap < 1:
        raise OutOfRange("gap", gap, "a share from 0 up to 1", "0 proves the optimum, 0.001 stops within a thousandth")
    return _result(problem, [names[i] for i in order], [owners[i] for i in order], how, gap)


def _result(problem: Problem, names: list[str], owners: list[str], how: By, gap: float) -> Allocation:
    relaxed = relax(problem)
    picked = solve(problem, relaxed, gap=gap)
    noise = 1e-9 * max(1.0, float(np.abs(problem.value).max()))
    lacking = np.where(relaxed.lacking > noise, relaxed.lacking, 0.0)
    spent = sum(c for c, x in zip(problem.cost, picked, strict=True) if x)
    chosen: list[Chosen] = []
    left: list[LeftOut] = []
    paid = {owners[i]: problem.cost[i] for i in range(len(names)) if picked[i]}
    for i, (name, owner) in enumerate(zip(names, owners, strict=True)):
        cost, value = problem.cost[i], float(problem.value[i])
        if picked[i]:
            chosen.append(Chosen(id=name, customer=owner, cost=cost, value=value))
        else:
            extra = max(cost - paid.get(owner, 0) - (problem.budget - spent), 0)
            left.append(
                LeftOut(
                    id=name, customer=owner, cost=cost, value=value, missed_by=float(lacking[i]), extra_budget=extra
                )
            )
    left.sort(key=lambda x: (x.missed_by, -x.value, x.id))
    total = math.fsum(c.value for c in chosen)
    return Allocation(
        chosen=tuple(chosen), left_out=tuple(left), budget=problem.budget, cost=spent, value=total,
        bound=max(relaxed.bound, total), shadow_price=relaxed.budget_price, gap=gap, by=how,
    )  # fmt: skip


def _check_column(name: str, column: object) -> None:
    flat = isinstance(column, Sequence) and not isinstance(column, str)
    if not flat and not (isinstance(column, np.ndarray) and column.ndim == 1):
        raise WrongType(name, f"a {type(column).__name__}", "a list or a column", "pass one entry an option")


def _by(by: By | str) -> By:
    return word(By, by, "value of an estimate")


def _costs(costs: Sequence[Any] | NDArray[np.integer], budget: int | Money) -> tuple[list[int], int]:
    money = [c for c in (*costs, budget) if isinstance(c, Money)]
    if money:
        sum(money[1:], money[0])  # refuses two currencies
        if len(money) <= len(costs):
            hint = "give costs and budget alike: all Money, or all whole minor units"
            raise WrongType("costs", "money and numbers", "one of both", hint)
        costs, budget = [c.amount_minor for c in costs], budget.amount_minor if isinstance(budget, Money) else budget
    odd = [i for i, c in enumerate(costs) if isinstance(c, bool) or not isinstance(c, int | np.integer)]
    below = [i for i, c in enumerate(costs) if i not in set(odd) and c < 0]
    problems = [BadRow("costs", what, tuple(rows)) for what, rows in (("not whole", odd), ("below 0", below)) if rows]
    if problems:
        raise BadRows("the options", tuple(problems), "costs are whole cost units: 12.50 baht are 1250")
    if isinstance(budget, bool) or not isinstance(budget, int | np.integer):
        raise WrongType("budget", f"a {type(budget).__name__}", "an int", "give it in the units of the costs")
    if budget < 0:
        raise OutOfRange("budget", int(budget), "0 or more", "there is nothing to allocate below 0")
    return [int(c) for c in costs], int(budget)


def _values(values: Sequence[Any] | NDArray[np.floating], how: By) -> NDArray[np.float64]:
    plain = [getattr(v, how.value) if hasattr(v, "low") else v for v in values]
    odd = [i for i, v in enumerate(plain) if v is not None and not isinstance(v, int | float | np.number)]
    if odd:
        problem = BadRow("values", "not a number", tuple(odd), tuple(type(plain[i]).__name__ for i in odd[:5]))
        raise BadRows("the options", (problem,), "values are numbers, or estimates with an interval")
    numbers = np.array(plain, np.float64)
    bad = np.flatnonzero(~np.isfinite(numbers))
    if len(bad):
        problem = BadRow("values", "not finite", tuple(bad.tolist()))
        raise BadRows("the options", (problem,), "leave out options whose value is unknown, or estimate it first")
    return numbers


def _known_groups(quotas: Sequence[Quota], labels: list[str]) -> None:
    known = tuple(sorted(set(labels)))
    for quota in quotas:
        if quota.group not in known:
            raise UnknownName("group of a quota", quota.group, known)
