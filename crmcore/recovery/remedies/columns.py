"""Many cases decided at once: the same choice as for one, as columns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import check_aware, html_table
from crmcore._frames import write_frame
from crmcore.errors import UnknownName
from crmcore.metrics.estimates import Estimate
from crmcore.recovery.employees.limits import Empowerment
from crmcore.recovery.remedies.cases import CaseTable, minor
from crmcore.recovery.remedies.menu import Remedy
from crmcore.recovery.remedies.staying import STEPS
from crmcore.recovery.remedies.words import FailureKind, Part, refuse_protected
from crmcore.rules.fact_table import FactTable, MoneyColumn
from crmcore.tables import NO_AMOUNT, CustomerIndex, TextColumn
from crmcore.values import Money

if TYPE_CHECKING:
    from crmcore.charts import Chart
    from crmcore.recovery.remedies.deciding import RemedyPolicy
    from crmcore.recovery.remedies.plans import Plan

__all__ = ["PlanTable", "decide_columns"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_ENDLESS = np.iinfo(np.int64).max


@attrs.frozen(eq=False, repr=False, kw_only=True)
class PlanTable:
    """What each case of a table gets; row i is case i.

    Parameters
    ----------
    cases : CaseTable
    given : part -> (n,) names
        Missing where nothing of the part is given.
    cost : (n,) minor units
    effect : (n,) shares
    expected : (n,) minor units
        Value kept less cost, of all parts.
    now, grade, budget_left
        As decided, so that any row can be explained.
    """

    policy: RemedyPolicy
    cases: CaseTable
    given: Mapping[Part, TextColumn]
    cost: Ints
    effect: Floats
    expected: Floats
    now: datetime
    grade: str | None
    budget_left: Money | None

    def __len__(self) -> int:
        return len(self.cases)

    def __repr__(self) -> str:
        total = Money(int(self.cost.sum()), self.cases.currency)
        return f"PlanTable({len(self)} cases, {total} in all)"

    def __str__(self) -> str:
        lines = [repr(self)]
        for part in Part:
            counts = self._counts(part)
            told = ", ".join(f"{name} {n}" for name, n in counts.items()) or "none"
            lines.append(f"  {part:6}  {told}")
        return "\n".join(lines)

    def _counts(self, part: Part) -> dict[str, int]:
        column = self.given[part]
        often = np.bincount(column.codes[column.codes >= 0], minlength=len(column.values))
        return {name: int(n) for name, n in zip(column.values, often, strict=True) if n}

    def __getitem__(self, i: int) -> Plan:
        """The plan of one case with all its reasons."""
        return self.policy.decide(self.cases[i], now=self.now, grade=self.grade, budget_left=self.budget_left)

    def gives(self, remedy: str) -> Bools:
        """(n,) whether each case gets a remedy."""
        part = self.policy.menu[remedy].part
        return self.given[part].equals(remedy)

    def share(self, remedy: str, *, level: float = 0.95) -> Estimate:
        """Share of the cases that get a remedy."""
        from crmcore.metrics import proportion

        got = self.gives(remedy)
        rule = f"cases with {remedy} / cases"
        return proportion(int(got.sum()), len(got), level=level, rule=rule, small_sample_ok=True)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a case: id, answer, repair, extra, cost_minor, effect, expected_minor."""
        columns: dict[str, Any] = {"id": list(self.cases.ids)}
        columns |= {part.value: self.given[part].to_list() for part in Part}
        columns |= {"cost_minor": self.cost, "effect": self.effect, "expected_minor": self.expected}
        return write_frame(columns, backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"part": p.value, "remedy": name, "cases": n} for p in Part for name, n in self._counts(p).items()]
        return html_table(rows, caption=repr(self))

    def chart(self) -> Chart:
        """How many cases get each remedy."""
        from crmcore.charts import bar

        counts = {name: n for part in Part for name, n in self._counts(part).items()}
        return bar(list(counts), list(counts.values()), title="Remedies given", description=repr(self), axis="cases")


@attrs.frozen
class _Column:
    """A remedy over all cases: what `_Candidate` is for one."""

    remedy: Remedy
    cost: Ints
    effect: Floats
    fit: Bools
    free: Bools  # passes no cap of its own


def decide_columns(
    policy: RemedyPolicy, cases: CaseTable, *, now: datetime, grade: str | None, budget_left: Money | None
) -> PlanTable:
    """Decide about all cases of a table."""
    check_aware(now, "now")
    policy.check_grade(grade)
    menu, n = policy.menu, len(cases)
    minor(Money(0, cases.currency), menu.currency)
    refuse_protected("a case", cases.facts, menu.closed)
    kinds = np.array([menu.kind_of(f) == FailureKind.PROCESS for f in cases.failure.values], np.bool_)
    if (cases.failure.codes < 0).any():
        raise UnknownName("failure", "(none)", tuple(menu.failures))
    process = kinds[cases.failure.codes] if n else np.zeros(0, np.bool_)
    step = np.minimum(STEPS - 1, cases.step + policy.severity_per_failure * cases.earlier_failures)
    usual = minor(policy.usual_value, menu.currency) or 0
    value = np.where(cases.value == NO_AMOUNT, usual, cases.value).astype(np.float64)
    base, best = policy.prior.columns()
    room = best - base
    columns = {part: _columns_of(policy, cases, part, process, now=now, grade=grade) for part in Part}
    limit = _limit(policy, cases, budget_left)
    chosen = {part: np.full(n, -1, np.int64) for part in Part}
    spent = {part: np.zeros(n, np.int64) for part in Part}
    reached = {part: np.zeros(n) for part in Part}
    for s in range(STEPS):
        here = step >= s
        for part in Part:
            others = sum(spent[p] for p in Part if p is not part)
            _rise(columns[part], part, s, here, value, float(room[s]), limit - others, chosen, spent, reached)
    names = {part: tuple(c.remedy.id for c in columns[part]) for part in Part}
    cost = sum(spent.values(), np.zeros(n, np.int64))
    total: Floats = np.zeros(n)
    for part in Part:
        total = total + np.where(chosen[part] >= 0, value * reached[part] * room[step] - spent[part], 0.0)
    return PlanTable(
        policy=policy, cases=cases, given={p: TextColumn(chosen[p].astype(np.int32), names[p]) for p in Part},
        cost=cost, effect=np.minimum(1.0, sum(reached.values(), np.zeros(n))), expected=total, now=now, grade=grade,
        budget_left=budget_left,
    )  # fmt: skip


def _rise(
    columns: list[_Column], part: Part, s: int, here: Bools, value: Floats, room: float, left: Ints,
    chosen: dict[Part, Ints], spent: dict[Part, Ints], reached: dict[Part, Floats],
) -> None:  # fmt: skip
    """Take the best of a part at one severity, where it is at least what the milder severity got."""
    none = chosen[part] < 0
    best = np.full(len(here), -np.inf)
    effect = np.full(len(here), -np.inf)
    taken = np.full(len(here), -1, np.int64)
    for i, c in enumerate(columns):  # in the order of ids: the first of equals stays
        if c.remedy.step > s:
            continue
        worth = value * c.effect * room - c.cost
        able = here & c.fit & c.free & ((c.cost == 0) | (c.cost <= left))
        able &= np.where(none, (worth > 0) if part is Part.EXTRA else True, c.effect >= reached[part])
        able &= (worth > best) | ((worth == best) & (c.effect > effect))
        best, effect = np.where(able, worth, best), np.where(able, c.effect, effect)
        taken = np.where(able, i, taken)
    got = taken >= 0
    if not got.any():
        return
    costs = np.stack([c.cost for c in columns])
    effects = np.stack([c.effect for c in columns])
    rows = np.flatnonzero(got)
    chosen[part][rows] = taken[rows]
    spent[part][rows] = costs[taken[rows], rows]
    reached[part][rows] = effects[taken[rows], rows]


def _limit(policy: RemedyPolicy, cases: CaseTable, budget_left: Money | None) -> Ints:
    """What all remedies of each case together may cost."""
    limit = np.full(len(cases), _ENDLESS, np.int64)
    if policy.caps.per_case is not None:
        limit = np.minimum(limit, policy.caps.per_case.amount_minor)
    if policy.caps.per_customer is not None:
        before = np.where(cases.given_before == NO_AMOUNT, 0, cases.given_before)
        limit = np.minimum(limit, np.maximum(policy.caps.per_customer.amount_minor - before, 0))
    if budget_left is not None:
        limit = np.minimum(limit, max(minor(budget_left, policy.menu.currency) or 0, 0))
    return limit


def _columns_of(
    policy: RemedyPolicy, cases: CaseTable, part: Part, process: Bools, *, now: datetime, grade: str | None
) -> list[_Column]:
    remedies = policy.menu.of_part(part)
    table = _facts(cases, process) if any(r.when is not None for r in remedies) else None
    return [_column(policy, cases, r, process, table, now=now, grade=grade) for r in remedies]


def _column(
    policy: RemedyPolicy, cases: CaseTable, remedy: Remedy, process: Bools, table: FactTable | None, *, now: datetime,
    grade: str | None,
) -> _Column:  # fmt: skip
    menu, n = policy.menu, len(cases)
    known = cases.loss != NO_AMOUNT
    loss = np.where(known, cases.loss, 0)
    fixed = remedy.cost.amount_minor if remedy.cost is not None else 0
    cost = fixed + np.rint(remedy.percent_of_loss * loss / 100).astype(np.int64)
    weights = [menu.weight(remedy, k) if k in remedy.kinds else 0.0 for k in FailureKind]
    effect = np.where(process, menu.weight(remedy, FailureKind.PROCESS), menu.weight(remedy, FailureKind.OUTCOME))
    fit = np.where(process, weights[1] > 0, weights[0] > 0) & _among(cases.fault, tuple(remedy.faults))
    if remedy.failures:
        fit &= _among(cases.failure, remedy.failures)
    if remedy.percent_of_loss:
        fit &= known
    if remedy.times is not None:
        fit &= np.asarray(cases.received.get(remedy.id, np.zeros(n, np.int64))) < remedy.times
    if remedy.when is not None and table is not None:
        fit &= remedy.when.mask(table, now=now).true
    free = np.ones(n, np.bool_)
    if remedy.at_most is not None:
        free &= cost <= remedy.at_most.amount_minor
    if policy.empowerment is not None:
        free &= _alone(policy.empowerment, remedy, cost, menu.currency, str(grade))
    return _Column(remedy, cost, effect.astype(np.float64), fit, free)


def _alone(empowerment: Empowerment, remedy: Remedy, cost: Ints, currency: str, grade: str) -> Bools:
    """Whether a grade may decide each cost alone: what it may at most is asked once."""
    told = empowerment.decide(remedy.id, Money(0, currency), grade=grade)
    if told.room is not None or not told.alone:
        most = -1 if told.room is None or not told.alone else told.room.amount_minor
        return cost <= most
    return np.ones(len(cost), np.bool_)


def _among(column: TextColumn, words: tuple[str, ...]) -> Bools:
    inside = np.array([*(v in words for v in column.values), False], np.bool_)
    return inside[column.codes]


def _facts(cases: CaseTable, process: Bools) -> FactTable:
    kind = TextColumn(process.astype(np.int32), (FailureKind.OUTCOME.value, FailureKind.PROCESS.value))
    columns: dict[str, Any] = dict(cases.facts)
    columns |= {
        "failure": cases.failure, "failure_kind": kind, "fault": cases.fault,
        "loss": MoneyColumn(cases.loss, cases.currency), "value": MoneyColumn(cases.value, cases.currency),
        "earlier_failures": cases.earlier_failures,
    }  # fmt: skip
    return FactTable(CustomerIndex(cases.ids), columns)
