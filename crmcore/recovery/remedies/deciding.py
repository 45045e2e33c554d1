"""One case decided: what fits, what it brings, what caps allow, and who must be asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from crmcore._base import check_aware
from crmcore.choice import pick
from crmcore.documents import Document
from crmcore.errors import OutOfRange, UnknownName
from crmcore.metrics.scalars import above, count_of
from crmcore.recovery.employees.checks import check_kind
from crmcore.recovery.employees.limits import Empowerment
from crmcore.recovery.remedies.cases import CaseTable, FailedCase, minor
from crmcore.recovery.remedies.menu import Menu, Remedy
from crmcore.recovery.remedies.plans import Awaiting, Given, Plan, RefusedRemedy
from crmcore.recovery.remedies.staying import STEPS, TARP, StayPrior
from crmcore.recovery.remedies.words import Part, refuse_protected
from crmcore.rules import Truth
from crmcore.values import Money, Severity

if TYPE_CHECKING:
    from crmcore.recovery.remedies.columns import PlanTable

__all__ = ["Caps", "RemedyPolicy", "cost_minor"]


@attrs.frozen(kw_only=True)
class Caps(Document):
    """At most so much.

    Parameters
    ----------
    per_case : Money, optional
        All remedies of one case together.
    per_customer : Money, optional
        With what the case says was given before; see `RemedyFund` for the period.
    approver : text
        Who may allow more: a grade or a role.
    """

    per_case: Money | None = None
    per_customer: Money | None = None
    approver: str = ""


def cost_minor(remedy: Remedy, loss_minor: int | None, /) -> int:
    """Cost of a remedy in minor units, half a unit to the even one; without a loss the fixed part alone.

    Examples
    --------
    >>> cost_minor(Remedy(id="a", part="extra", justice="distributive", effect=0.2, percent_of_loss=20), 90_000)
    18000
    """
    fixed = remedy.cost.amount_minor if remedy.cost is not None else 0
    return fixed + round(remedy.percent_of_loss * (loss_minor or 0) / 100)


@attrs.frozen(kw_only=True)
class RemedyPolicy(Document):
    """How a house decides about remedies: the same for everybody, cheap to change, explained each time.

    A plan holds at most one answer, one repair and one extra. Answers and repairs are owed wherever one fits; an extra
    is given where value × effect × room exceeds its cost. Of several that fit, the one of the highest expected value
    is taken. Each worse severity starts from the plan of the milder one and may only rise, part by part, so that a
    worse failure never gets less.

    Parameters
    ----------
    menu : Menu
    prior : StayPrior
        Room between "not satisfied" and "satisfied quickly" by severity.
    caps : Caps
    empowerment : Empowerment, optional
        What each grade may decide alone; the remedy's id is the action. None: whoever decides may.
    relationship_weight : log-odds
        Of the forecast; it never enters the choice.
    severity_per_failure : count
        Steps of severity that each earlier failure adds, up to critical.
    usual_value : Money, optional
        What a customer counts as whose value is not known; None counts as 0, so that no extra pays.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from crmcore.values import Money
    >>> menu = Menu(name="shop", currency="USD", failures={"defective product": "outcome"}, remedies=[
    ...     Remedy(id="apology", part="answer", justice="interactional", effect=0.2),
    ...     Remedy(id="voucher", part="extra", justice="distributive", effect=0.2, cost=Money.of(20, "USD")),
    ...     Remedy(id="gift", part="extra", justice="distributive", effect=0.5, cost=Money.of(90, "USD")),
    ... ])
    >>> case = FailedCase(id="c1", customer="ann", failure="defective product", value=Money.of(400, "USD"))
    >>> plan = RemedyPolicy(menu=menu).decide(case, now=datetime(2026, 6, 1, tzinfo=UTC))
    >>> plan.remedies, str(plan.refused[0])
    (('apology', 'voucher'), 'not gift (90.00 USD): expected 17.33 USD, voucher 22.93 USD')
    """

    menu: Menu
    prior: StayPrior = TARP
    caps: Caps = attrs.field(factory=Caps)
    empowerment: Empowerment | None = None
    relationship_weight: float = 1.0
    severity_per_failure: int = 1
    usual_value: Money | None = None

    def __attrs_post_init__(self) -> None:
        check_kind("menu", self.menu, Menu, hint="Menu(name=..., currency=..., remedies=[...], failures={...})")
        for money in (self.caps.per_case, self.caps.per_customer, self.usual_value):
            minor(money, self.menu.currency)
        above("relationship_weight", self.relationship_weight, hint="0 switches it off", allowed="0 or more", least=0)
        count_of("severity_per_failure", self.severity_per_failure, hint="0 leaves earlier failures aside")
        if self.empowerment is not None:
            lacking = [r.id for r in self.menu.remedies if r.id not in self.empowerment.actions]
            if lacking:
                raise UnknownName(
                    "remedy of the menu among the empowered actions", lacking[0], self.empowerment.actions
                )

    # --- one case -----------------------------------------------------------------------------------------------

    def decide(
        self, case: FailedCase, *, now: datetime, grade: str | None = None, budget_left: Money | None = None
    ) -> Plan:
        """Decide about one case.

        Parameters
        ----------
        case : FailedCase
        now : aware datetime
            For rules that ask for the time.
        grade : text, optional
            Who decides, where there is an `empowerment`.
        budget_left : Money, optional
            What the budget still holds; None is not looked at.

        Raises
        ------
        UnknownName
            A failure that the menu does not know.
        CurrencyMismatch, ProtectedField
        """
        return _Decision(self, case, now, grade, budget_left).plan()

    def decide_all(
        self, cases: CaseTable, *, now: datetime, grade: str | None = None, budget_left: Money | None = None
    ) -> PlanTable:
        """Decide about a table of cases, each as `decide` would; the budget is looked at by each case alone."""
        from crmcore.recovery.remedies.columns import decide_columns

        return decide_columns(self, cases, now=now, grade=grade, budget_left=budget_left)

    # --- shared by both forms -----------------------------------------------------------------------------------

    def check_grade(self, grade: str | None) -> None:
        """Refuse a decision whose limits cannot be known."""
        if self.empowerment is None:
            if grade is not None:
                hint = "RemedyPolicy(..., empowerment=Empowerment(...)) says what grades may"
                raise OutOfRange("grade", grade, "None without an empowerment", hint)
        elif grade not in self.empowerment.grades:
            raise UnknownName("grade", str(grade), self.empowerment.grades)


@attrs.frozen
class _Candidate:
    """A remedy for this case: what it costs and does, and why it does not fit whatever the severity."""

    remedy: Remedy
    cost: int
    effect: float
    unfit: tuple[str, ...]
    capped: tuple[str, ...]  # own cap, cap per customer, empowerment
    approver: str

    def fits(self, step: int) -> bool:
        return not self.unfit and self.remedy.step <= step


class _Decision:
    """One case on its way to a plan."""

    def __init__(
        self, policy: RemedyPolicy, case: FailedCase, now: datetime, grade: str | None, budget_left: Money | None
    ) -> None:
        check_aware(now, "now")
        policy.check_grade(grade)
        self.policy, self.case, self.now, self.grade = policy, case, now, grade
        self.menu, self.currency = policy.menu, policy.menu.currency
        self.kind = self.menu.kind_of(case.failure)
        refuse_protected("a case", case.facts, self.menu.closed)
        self.loss = minor(case.loss, self.currency)
        self.value = minor(case.value if case.value is not None else policy.usual_value, self.currency) or 0
        self.step = min(STEPS - 1, case.step + policy.severity_per_failure * case.earlier_failures)
        base, best = policy.prior.columns()
        self.base, self.best = base, best
        self.room: list[float] = (best - base).tolist()
        self.limits = self._limits(budget_left)
        self.facts = {
            **case.facts, "failure": case.failure, "failure_kind": self.kind.value, "fault": case.fault.value,
            "loss": case.loss, "value": case.value, "earlier_failures": case.earlier_failures,
        }  # fmt: skip
        self.candidates = {part: [self._candidate(r) for r in self.menu.of_part(part)] for part in Part}

    def _limits(self, budget_left: Money | None) -> list[tuple[int, str]]:
        """What all remedies of the case together may cost, and the name of each limit."""
        caps, found = self.policy.caps, []
        if caps.per_case is not None:
            found.append((caps.per_case.amount_minor, f"at most {caps.per_case} a case"))
        if caps.per_customer is not None:
            before = minor(self.case.given_before, self.currency) or 0
            left = max(caps.per_customer.amount_minor - before, 0)
            found.append((left, f"{Money(left, self.currency)} left for the customer of {caps.per_customer}"))
        if budget_left is not None:
            left = max(minor(budget_left, self.currency) or 0, 0)
            found.append((left, f"{Money(left, self.currency)} left in the budget"))
        return found

    def _candidate(self, remedy: Remedy) -> _Candidate:
        cost = cost_minor(remedy, self.loss)
        money = Money(cost, self.currency)
        capped, approver = [], self.policy.caps.approver
        if remedy.at_most is not None and cost > remedy.at_most.amount_minor:
            capped.append(f"at most {remedy.at_most} for {remedy.id}")
        if self.policy.empowerment is not None:
            told = self.policy.empowerment.decide(remedy.id, money, grade=str(self.grade))
            if not told.alone:
                capped += told.reasons
                approver = told.approver or approver
        return _Candidate(
            remedy, cost, self.menu.weight(remedy, self.kind), tuple(self._unfit(remedy)), tuple(capped), approver
        )

    def _unfit(self, remedy: Remedy) -> Iterator[str]:
        if remedy.failures and self.case.failure not in remedy.failures:
            yield f"for {', '.join(remedy.failures)} only"
        if self.kind not in remedy.kinds or not self.menu.weight(remedy, self.kind):
            yield f"{remedy.justice} justice does not answer a failure of {self.kind}"
        if self.case.fault not in remedy.faults:
            yield f"not where the fault is {self.case.fault}"
        if remedy.percent_of_loss and self.loss is None:
            yield "the loss is not known"
        if remedy.times is not None and self.case.received.get(remedy.id, 0) >= remedy.times:
            yield f"given {self.case.received.get(remedy.id, 0)} times of {remedy.times}"
        if remedy.when is not None:
            told = remedy.when.decide(self.facts, now=self.now)
            if told.truth is not Truth.TRUE:
                yield f"rule {remedy.when.name!r} {'cannot tell' if told.truth is Truth.UNKNOWN else 'does not hold'}"

    # --- the choice ---------------------------------------------------------------------------------------------

    def expected(self, c: _Candidate, step: int) -> float:
        return self.value * c.effect * self.room[step] - c.cost

    def over(self, c: _Candidate, chosen: Mapping[Part, _Candidate]) -> list[str]:
        """Shared limits that it would pass beside the other parts."""
        total = c.cost + sum(x.cost for part, x in chosen.items() if part is not c.remedy.part)
        return [told for limit, told in self.limits if c.cost and total > limit]

    def able(self, c: _Candidate, step: int, chosen: Mapping[Part, _Candidate]) -> bool:
        now = chosen.get(c.remedy.part)
        if not c.fits(step) or c.capped or self.over(c, chosen):
            return False
        if now is not None:
            return c.effect >= now.effect
        return c.remedy.part is not Part.EXTRA or self.expected(c, step) > 0

    def rise(self, chosen: dict[Part, _Candidate], part: Part, step: int) -> None:
        """Take the best of a part at one severity."""
        able = [c for c in self.candidates[part] if self.able(c, step, chosen)]
        if able:
            chosen[part] = min(able, key=lambda c: (-self.expected(c, step), -c.effect, c.remedy.id))

    def plan(self) -> Plan:
        chosen: dict[Part, _Candidate] = {}
        for step in range(self.step):
            for part in Part:
                self.rise(chosen, part, step)
        found: list[Given] = []
        awaiting: list[Awaiting] = []
        refused: list[RefusedRemedy] = []
        for part in Part:
            before = dict(chosen)
            self.rise(chosen, part, self.step)
            found += self._given(part, chosen, before)
            waits, others = self._others(part, chosen, before)
            awaiting += waits
            refused += others
        value = Money(self.value, self.currency)
        return Plan(
            case=self.case.id, customer=self.case.customer, severity=self.case.severity,
            counted_as=Severity(STEPS - self.step).name.lower(), given=tuple(found), awaiting=tuple(awaiting),
            refused=tuple(sorted(refused, key=lambda r: r.remedy)), base=float(self.base[self.step]),
            best=float(self.best[self.step]),
            log_odds=self.policy.relationship_weight * (self.case.relationship or 0.0), value=value,
            value_known=self.case.value is not None, prior=f"{self.policy.prior.name} {self.policy.prior.year}",
            worth_of=self.policy.prior.worth_of,
        )  # fmt: skip

    def _given(
        self, part: Part, chosen: Mapping[Part, _Candidate], before: Mapping[Part, _Candidate]
    ) -> Iterator[Given]:
        all_ = self.candidates[part]
        if part not in chosen:
            return
        told = pick(
            [c.remedy.id for c in all_],
            refused={"not able": [not self.able(c, self.step, before) for c in all_]},
            keys={
                "expected value": [-self.expected(c, self.step) for c in all_],
                "effect": [-c.effect for c in all_],
            },
        )
        c = next(c for c in all_ if c.remedy.id == told.chosen)
        yield Given(
            remedy=c.remedy.id, part=part, justice=c.remedy.justice, cost=Money(c.cost, self.currency), effect=c.effect,
            expected=self.expected(c, self.step), decided_by=told.decided_by,
        )  # fmt: skip

    def _others(
        self, part: Part, chosen: Mapping[Part, _Candidate], before: Mapping[Part, _Candidate]
    ) -> tuple[list[Awaiting], list[RefusedRemedy]]:
        taken = chosen.get(part)
        best = self.expected(taken, self.step) if taken else 0.0 if part is Part.EXTRA else -float("inf")
        capped: list[tuple[float, float, str, Awaiting]] = []
        refused: list[RefusedRemedy] = []
        for c in self.candidates[part]:
            if taken is not None and c.remedy.id == taken.remedy.id:
                continue
            reasons = self._reasons(c, part, chosen, before)
            money, ev = Money(c.cost, self.currency), self.expected(c, self.step)
            limits = [*c.capped, *self.over(c, before)]
            better = ev > best or (taken is None and part is not Part.EXTRA)
            if c.fits(self.step) and limits and better:
                better_one = Awaiting(
                    remedy=c.remedy.id, part=part, cost=money, reasons=tuple(limits), approver=c.approver
                )
                capped.append((-ev, -c.effect, c.remedy.id, better_one))
            refused.append(RefusedRemedy(remedy=c.remedy.id, part=part, cost=money, reasons=tuple(reasons)))
        capped.sort(key=lambda x: x[:3])
        waits = [x[3] for x in capped[:1]]
        return waits, [r for r in refused if not waits or r.remedy != waits[0].remedy]

    def _reasons(
        self, c: _Candidate, part: Part, chosen: Mapping[Part, _Candidate], before: Mapping[Part, _Candidate]
    ) -> list[str]:
        found = list(c.unfit)
        if c.remedy.step > self.step:
            found.append(f"from severity {c.remedy.from_severity} on")
        found += c.capped
        if not c.unfit:
            found += self.over(c, before)
        floor, taken = before.get(part), chosen.get(part)
        ev = Money(round(self.expected(c, self.step)), self.currency)
        if not found and floor is not None and c.effect < floor.effect:
            found.append(f"less than a milder failure gets: {floor.remedy.id}")
        if not found and taken is None:
            found.append(f"expected {ev}: costs more than it keeps")
        if not found and taken is not None:
            other = Money(round(self.expected(taken, self.step)), self.currency)
            found.append(f"expected {ev}, {taken.remedy.id} {other}")
        return found
