"""Failure prevention: checks before a step that stop what would fail, or warn; what is unknown does not pass."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import listed
from crmcore.documents import Document
from crmcore.errors import BadDocument, EmptyInput, UnknownName, WrongType
from crmcore.metrics.estimates import frame_of
from crmcore.rules import Decision, Facts, FactTable, Rule, Truth

if TYPE_CHECKING:
    from crmcore.recovery.process.registers.fmea import FailureMode, Fmea

__all__ = ["Alarm", "OnFailure", "PreventionCheck", "PreventionPlan", "PreventionReport"]


class OnFailure(enum.StrEnum):
    """What a check that fails does."""

    STOP = "stop"
    WARN = "warn"


@attrs.frozen
class PreventionCheck(Document):
    """A condition that must hold before a step is taken.

    Parameters
    ----------
    step : text
        `"pack"`, `"send offer"`.
    rule : Rule
        Holds where all is well; its name is the check's.
    says : text
        What to do where it does not hold.
    on_failure : OnFailure
    on_unknown : OnFailure
        What happens where the facts do not tell: by default the same as if it failed, so that a gap in the data does
        not open the door.
    prevents : text
        Name of the failure mode that it prevents.

    Examples
    --------
    >>> from crmcore.rules import field
    >>> check = PreventionCheck("pack", Rule("address complete", field("address_checked")), "ask for the postcode")
    >>> print(check)
    pack: address complete, else stop: ask for the postcode
    """

    step: str
    rule: Rule
    says: str
    on_failure: OnFailure = attrs.field(default=OnFailure.STOP, converter=OnFailure, kw_only=True)
    on_unknown: OnFailure = attrs.field(
        default=attrs.Factory(lambda self: self.on_failure, takes_self=True), converter=OnFailure, kw_only=True
    )
    prevents: str = attrs.field(default="", kw_only=True)

    def __attrs_post_init__(self) -> None:
        given: object = self.rule
        if not isinstance(given, Rule):
            raise WrongType("rule", f"a {type(given).__name__}", "a Rule", "Rule('address complete', condition)")
        if not self.step.strip() or not self.says.strip():
            raise EmptyInput(f"the step or the advice of {self.rule.name!r}", "name the step, and what to do instead")

    def __str__(self) -> str:
        return f"{self.step}: {self.rule.name}, else {self.on_failure}: {self.says}"


@attrs.frozen
class Alarm:
    """A check that did not hold.

    Parameters
    ----------
    check : PreventionCheck
    unknown : truth
        Whether facts were missing, rather than against it.
    does : OnFailure
    decision : Decision
        With its reasons.
    """

    check: PreventionCheck
    unknown: bool
    does: OnFailure
    decision: Decision

    def __str__(self) -> str:
        why = "facts are missing" if self.unknown else "does not hold"
        return f"{self.does}: {self.check.rule.name} ({why}); {self.check.says}"


@attrs.frozen
class PreventionReport:
    """What the checks of a step say about one case.

    Parameters
    ----------
    step : text
    asked : count
        Checks of the step.
    alarms : tuple of Alarm
        In the order of the plan.
    """

    step: str
    asked: int
    alarms: tuple[Alarm, ...]

    @property
    def may_go_on(self) -> bool:
        """Whether nothing stops the step."""
        return not any(a.does == OnFailure.STOP for a in self.alarms)

    def __str__(self) -> str:
        told = "may go on" if self.may_go_on else "stopped"
        return "\n".join([f"{self.step}: {told}, {self.asked} checks", *(f"  {a}" for a in self.alarms)])

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{escape(str(a))}</li>" for a in self.alarms)
        told = "may go on" if self.may_go_on else "stopped"
        return f"<figure><b>{escape(self.step)}</b>: {told}<ul>{items}</ul></figure>"


def _checks(value: Iterable[PreventionCheck]) -> tuple[PreventionCheck, ...]:
    return listed(value, "checks", PreventionCheck, what="checks", hint="[PreventionCheck('pack', rule, 'ask')]")


@attrs.frozen(repr=False)
class PreventionPlan(Document):
    """Checks of all steps of a process.

    Parameters
    ----------
    checks : tuple of PreventionCheck
        No two of one step with one name.

    Examples
    --------
    >>> from datetime import UTC
    >>> from crmcore.rules import field
    >>> plan = PreventionPlan([
    ...     PreventionCheck("pack", Rule("address complete", field("address_checked")), "ask for the postcode"),
    ...     PreventionCheck("pack", Rule("weighed", field("weight") > 0), "weigh it", on_failure="warn")])
    >>> print(plan.check("pack", {"weight": 2.5}, now=datetime(2026, 6, 1, tzinfo=UTC)))
    pack: stopped, 2 checks
      stop: address complete (facts are missing); ask for the postcode
    """

    checks: tuple[PreventionCheck, ...] = attrs.field(converter=_checks)

    def __attrs_post_init__(self) -> None:
        names = [(c.step, c.rule.name) for c in self.checks]
        again = sorted({n for n in names if names.count(n) > 1})
        if again:
            told = tuple(f"step {step!r}: {name!r} stands twice" for step, name in again)
            raise BadDocument("prevention plan", told, "name each check of a step once")

    def __len__(self) -> int:
        return len(self.checks)

    def __repr__(self) -> str:
        return f"PreventionPlan({len(self)} checks, {len(self.steps)} steps)"

    @property
    def steps(self) -> tuple[str, ...]:
        """Steps that have checks."""
        return tuple(dict.fromkeys(c.step for c in self.checks))

    def of(self, step: str, /) -> tuple[PreventionCheck, ...]:
        """Checks of a step.

        Raises
        ------
        UnknownName
        """
        if step not in self.steps:
            raise UnknownName("step", str(step), self.steps)
        return tuple(c for c in self.checks if c.step == step)

    def check(self, step: str, facts: Facts | Mapping[str, object], /, *, now: datetime) -> PreventionReport:
        """Ask the checks of a step about one case.

        Raises
        ------
        UnknownName
            The plan has no such step: a step without checks is not let pass by a slip of the pen.
        """
        asked = self.of(step)
        alarms: list[Alarm] = []
        for check in asked:
            decision = check.rule.decide(facts, now=now)
            if decision.holds:
                continue
            unknown = decision.truth is not Truth.FALSE
            alarms.append(Alarm(check, unknown, check.on_unknown if unknown else check.on_failure, decision))
        return PreventionReport(step, len(asked), tuple(alarms))

    def stopped(self, step: str, table: FactTable, /, *, now: datetime) -> NDArray[np.bool_]:
        """(n,) whether the checks of a step stop each row of a table: the same answers as `check`, all at once."""
        out = np.zeros(len(table), bool)
        for check in self.of(step):
            truth = check.rule.mask(table, now=now)
            if check.on_failure == OnFailure.STOP:
                out |= truth.false
            if check.on_unknown == OnFailure.STOP:
                out |= truth.unknown
        return out

    def unprevented(self, fmea: Fmea, /) -> tuple[FailureMode, ...]:
        """Failure modes that no check prevents, the worst first.

        Raises
        ------
        UnknownName
            A check names a failure mode that the register does not have.
        """
        known = tuple(m.name for m in fmea.modes)
        named = [c.prevents for c in self.checks if c.prevents]
        for name in named:
            if name not in known:
                raise UnknownName("failure mode", name, known)
        return tuple(m for m in fmea.ranked() if m.name not in named)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a check: step, check, on_failure, on_unknown, says, prevents."""
        if not self.checks:
            raise EmptyInput("the plan", "add checks first")
        rows = [
            {
                "step": c.step,
                "check": c.rule.name,
                "on_failure": c.on_failure.value,
                "on_unknown": c.on_unknown.value,
                "says": c.says,
                "prevents": c.prevents,
            }
            for c in self.checks
        ]
        return frame_of(rows, backend=backend)

    def __str__(self) -> str:
        return "\n".join(map(str, self.checks)) or "no checks"
