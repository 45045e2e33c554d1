"""What a customer gets after a failure, why, and what was refused."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from crmcore._base import html_table, mask, number_text
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import EmptyInput
from crmcore.metrics.comparing import mover
from crmcore.metrics.estimates import Estimate
from crmcore.metrics.intervals import wilson_interval
from crmcore.recovery.remedies.staying import moved
from crmcore.recovery.remedies.words import Justice, Part
from crmcore.values import Money

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Awaiting", "Given", "Plan", "RefusedRemedy"]


@attrs.frozen(kw_only=True)
class Given(Document):
    """One remedy of a plan.

    Parameters
    ----------
    remedy : text
    part : Part
    justice : Justice
    cost : Money
    effect : share
        Of the way from "not satisfied" to "satisfied quickly", after the match with the kind of failure.
    expected : amount in minor units
        Value × effect × room − cost.
    decided_by : text
        What it beat the next one by: `"expected value"`, `"effect"`, `"id"`, or `"only one"`.
    """

    remedy: str
    part: Part
    justice: Justice
    cost: Money
    effect: float
    expected: float
    decided_by: str


@attrs.frozen(kw_only=True)
class RefusedRemedy(Document):
    """A remedy that is not given, with every reason."""

    remedy: str
    part: Part
    cost: Money
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return f"not {self.remedy} ({self.cost}): {'; '.join(self.reasons)}"


@attrs.frozen(kw_only=True)
class Awaiting(Document):
    """A remedy that would be better, and who may allow it.

    Parameters
    ----------
    remedy : text
    part : Part
    cost : Money
    reasons : texts
        Caps that it passes.
    approver : text
        Grade or role; empty where nobody is named.
    """

    remedy: str
    part: Part
    cost: Money
    reasons: tuple[str, ...]
    approver: str

    def __str__(self) -> str:
        who = self.approver or "somebody: name an approver in Caps"
        return f"{self.remedy} ({self.cost}) needs approval by {who}: {'; '.join(self.reasons)}"


@attrs.frozen(kw_only=True, repr=False)
class Plan(Document):
    """What one case gets: at most an answer, a repair and an extra.

    Parameters
    ----------
    case, customer : text
        The customer is masked in what is printed.
    severity, counted_as : text
        As given, and after earlier failures.
    given : remedies in the order in which they are given
    awaiting : remedies that need approval
    refused : the others, by id
    base, best : shares
        Stay prior of the severity, not satisfied and satisfied quickly.
    log_odds : number
        By which the relationship moves both, for the forecast alone.
    value : Money
        Of the customer, or what the policy counts where it is not known.
    value_known : truth
    prior, worth_of : text and count
        Whose shares these are, and how many customers they are worth as evidence.
    """

    case: str
    customer: str
    severity: str
    counted_as: str
    given: tuple[Given, ...]
    awaiting: tuple[Awaiting, ...]
    refused: tuple[RefusedRemedy, ...]
    base: float
    best: float
    log_odds: float
    value: Money
    value_known: bool
    prior: str
    worth_of: int

    def __repr__(self) -> str:
        return f"Plan({self.case!r}, {[g.remedy for g in self.given]}, {len(self.awaiting)} awaiting approval)"

    def __str__(self) -> str:
        also = f", counted as {self.counted_as}" if self.counted_as != self.severity else ""
        lines = [f"case {self.case} of {mask(self.customer)}, {self.severity}{also}: {self.outcome}"]
        lines += [
            f"  {g.part}: {g.remedy} ({g.cost}), expected {_money_text(g.expected, g.cost)}, by {g.decided_by}"
            for g in self.given
        ]
        lines += [f"  waits: {x}" for x in self.awaiting]
        lines += [f"  {x}" for x in self.refused]
        lines.append(f"  stays {self.stay_without} without, {self.stay_with} with it ({self.prior})")
        lines += [] if self.value_known else [f"  the customer's value is not known and counts as {self.value}"]
        return "\n".join(lines)

    @property
    def outcome(self) -> str:
        """What happens, in words."""
        if self.given:
            more = f"; {self.awaiting[0].remedy} needs approval" if self.awaiting else ""
            return ", ".join(g.remedy for g in self.given) + more
        return str(self.awaiting[0]) if self.awaiting else "nothing fits"

    @property
    def remedies(self) -> tuple[str, ...]:
        """Ids of what is given."""
        return tuple(g.remedy for g in self.given)

    @property
    def cost(self) -> Money:
        """Of all that is given."""
        return Money(sum(g.cost.amount_minor for g in self.given), self.value.currency)

    @property
    def effect(self) -> float:
        """Share of the way to a quickly satisfied customer that all of it covers, at most 1."""
        return min(1.0, sum(g.effect for g in self.given))

    def _share(self, base: float, *, rule: str) -> Estimate:
        share = float(moved(np.array([base]), self.log_odds)[0])
        low, high = wilson_interval(share * self.worth_of, self.worth_of)
        return Estimate(
            value=share,
            low=float(low),
            high=float(high),
            level=0.95,
            n=self.worth_of,
            rule=rule,
            method="wilson of prior",
        )

    @property
    def stay_without(self) -> Estimate:
        """Chance that the customer stays if nothing is put right: the forgiveness of this relationship."""
        return self._share(self.base, rule="stays, not satisfied")

    @property
    def stay_with(self) -> Estimate:
        """Chance that the customer stays with this plan."""
        return self._share(self.base + self.effect * (self.best - self.base), rule="stays, with the plan")

    @property
    def expected_value(self) -> Estimate:
        """Value kept by the plan less its cost, minor units; the interval is that of the prior alone."""
        gain = mover(self._share(self.best, rule=""), self._share(self.base, rule=""), method="newcombe of prior")
        scale, cost = self.value.amount_minor * self.effect, self.cost.amount_minor
        ends = (scale * x - cost for x in (scale and self.stay_gain / self.effect, gain.low, gain.high))
        value, low, high = (x if math.isfinite(x) else -float(cost) for x in ends)
        return attrs.evolve(gain, value=value, low=min(low, value), high=max(high, value), rule="value kept - cost")

    @property
    def stay_gain(self) -> float:
        """Rise of the chance to stay, without the relationship's part."""
        return self.effect * (self.best - self.base)

    def step(self, part: Part | str) -> Given | None:
        """What is given of one part."""
        return next((g for g in self.given if g.part == part), None)

    def _rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for g in self.given:
            row = {"remedy": g.remedy, "part": g.part.value, "state": "given", "cost": str(g.cost.amount)}
            rows.append(row | {"expected": g.expected, "why": g.decided_by})
        for state, items in (("needs approval", self.awaiting), ("refused", self.refused)):
            for x in items:
                row = {"remedy": x.remedy, "part": x.part.value, "state": state, "cost": str(x.cost.amount)}
                rows.append(row | {"expected": None, "why": "; ".join(x.reasons)})
        return rows

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a remedy of the menu: remedy, part, state, cost (major units), expected (minor units), why."""
        rows = self._rows()
        names = ("remedy", "part", "state", "cost", "expected", "why")
        return write_frame({n: [row[n] for row in rows] for n in names}, backend=backend)

    def _repr_html_(self) -> str:
        shown = [{n: row[n] for n in ("remedy", "part", "state", "cost", "why")} for row in self._rows()]
        short = [row | {"why": str(row["why"])[:120]} for row in shown]
        return f"{html_table(short, caption=f'case {self.case}', limit=15)}<p>{escape(str(self.stay_with))} stays</p>"

    def chart(self) -> Chart:
        """Chance to stay without and with the plan."""
        from crmcore.charts import dot_interval

        if not self.given:
            raise EmptyInput("given", "nothing is given: there is nothing to compare")
        return dot_interval(
            ["nothing put right", "with the plan"], [self.stay_without, self.stay_with],
            title="Chance that the customer stays", description=self.outcome, percent=True,
        )  # fmt: skip


def _money_text(minor_units: float, like: Money) -> str:
    whole = Money(round(minor_units), like.currency)
    return f"{number_text(float(whole.amount))} {like.currency}"
