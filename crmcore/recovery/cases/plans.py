"""Recovery plans: for each kind of failure the steps, the limit and the owner, written down before it happens."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import attrs

from crmcore._base import aware, html_table, listed, mask
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import DuplicateIds, EmptyInput, nearest
from crmcore.metrics.scalars import above, text_of
from crmcore.values import Money

__all__ = ["MissingPlan", "PlanBook", "PlanStep", "RecoveryPlan", "Todo", "TodoStep"]


@attrs.frozen
class PlanStep(Document):
    """One step of a plan.

    Parameters
    ----------
    name : text
    within_minutes : number above 0
        Business minutes from the opening of the case.
    owner : text
        A role or a team; "" is the owner of the case.
    """

    name: str
    within_minutes: float = attrs.field(kw_only=True)
    owner: str = attrs.field(default="", kw_only=True)

    def __attrs_post_init__(self) -> None:
        text_of("name", self.name, hint="what is done: 'call the customer'")
        above("within_minutes", self.within_minutes, hint="business minutes from the opening of the case")


def _steps(value: Iterable[PlanStep]) -> tuple[PlanStep, ...]:
    return listed(value, "steps", PlanStep, what="steps", hint="[PlanStep('call the customer', within_minutes=60)]")


@attrs.frozen
class RecoveryPlan(Document):
    """What is done about one kind of failure.

    Parameters
    ----------
    failure : text
        The kind of failure.
    steps : sequence of PlanStep
        In their order; at least one.
    owner : text
        The role or team that answers for it.
    limit : Money, optional
        What may be spent on one case without asking; None says nothing.

    Examples
    --------
    >>> RecoveryPlan("late parcel", [PlanStep("call the customer", within_minutes=60)], owner="parcels").owner
    'parcels'
    """

    failure: str
    steps: tuple[PlanStep, ...] = attrs.field(converter=_steps)
    owner: str = attrs.field(kw_only=True)
    limit: Money | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        text_of("failure", self.failure, hint="the kind of failure: 'late parcel'")
        text_of("owner", self.owner, hint="the role or team that answers for it")
        if not self.steps:
            raise EmptyInput("steps", "a plan says at least what is done first")
        again = tuple(i for i, s in enumerate(self.steps) if s.name in {t.name for t in self.steps[:i]})
        if again:
            raise DuplicateIds("steps", len(again), again, "give each step a name of its own")


@attrs.frozen
class MissingPlan(Document):
    """No plan for a kind of failure; `nearest` is the plan with the most similar name."""

    failure: str
    nearest: str | None = None
    cases: int = 1

    def __str__(self) -> str:
        near = f"; did you mean {self.nearest!r}?" if self.nearest else ""
        told = f"no recovery plan for {self.failure!r}" if self.failure else "the kind of failure is not known"
        return f"{told} ({self.cases} case{'s' * (self.cases != 1)}){near}"


def _plans(value: Iterable[RecoveryPlan]) -> tuple[RecoveryPlan, ...]:
    found = listed(value, "plans", RecoveryPlan, what="plans", hint="[RecoveryPlan('late parcel', [...], owner='...')]")
    again = tuple(i for i, p in enumerate(found) if p.failure in {q.failure for q in found[:i]})
    if again:
        raise DuplicateIds("plans", len(again), again, "one plan for each kind of failure")
    return found


@attrs.frozen(repr=False)
class PlanBook(Document):
    """All plans, one for each kind of failure.

    Examples
    --------
    >>> book = PlanBook([RecoveryPlan("late parcel", [PlanStep("call", within_minutes=60)], owner="parcels")])
    >>> print(book.find("late parcels"))
    no recovery plan for 'late parcels' (1 case); did you mean 'late parcel'?
    """

    plans: tuple[RecoveryPlan, ...] = attrs.field(default=(), converter=_plans)

    def __len__(self) -> int:
        return len(self.plans)

    def __repr__(self) -> str:
        return f"PlanBook({len(self)} plans)"

    def find(self, failure: str) -> RecoveryPlan | MissingPlan:
        """Plan of a kind of failure, or the report that there is none."""
        for plan in self.plans:
            if plan.failure == failure:
                return plan
        return MissingPlan(failure, nearest(failure, tuple(p.failure for p in self.plans)) if failure else None)

    def missing(self, failures: Iterable[str]) -> tuple[MissingPlan, ...]:
        """Kinds of failure without a plan, the most frequent first, then by name."""
        counts: dict[str, int] = {}
        for failure in failures:
            counts[failure] = counts.get(failure, 0) + 1
        found = [(self.find(failure), n) for failure, n in counts.items()]
        gaps = [attrs.evolve(gap, cases=n) for gap, n in found if isinstance(gap, MissingPlan)]
        return tuple(sorted(gaps, key=lambda g: (-g.cases, g.failure)))

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a step: failure, owner, limit, step, within_minutes, step_owner."""
        rows = [(p, s) for p in self.plans for s in p.steps]
        return write_frame({
            "failure": [p.failure for p, _ in rows], "owner": [p.owner for p, _ in rows],
            "limit": [str(p.limit) if p.limit else None for p, _ in rows], "step": [s.name for _, s in rows],
            "within_minutes": [s.within_minutes for _, s in rows], "step_owner": [s.owner or None for _, s in rows],
        }, backend=backend)  # fmt: skip

    def _repr_html_(self) -> str:
        rows = [{"failure": p.failure, "owner": p.owner, "steps": len(p.steps)} for p in self.plans]
        return html_table(rows, caption=repr(self))


@attrs.frozen(kw_only=True)
class TodoStep(Document):
    """One thing that is to be done for a case: what, by whom (masked in every text), until when, and why."""

    name: str
    owner: str = attrs.field(repr=lambda name: repr(mask(name)))
    due: datetime | None = attrs.field(default=None, validator=aware)
    reason: str = ""

    def __str__(self) -> str:
        due = f" by {self.due.isoformat(timespec='minutes')}" if self.due else ""
        return f"{self.name}{due}, {mask(self.owner) if self.owner else 'nobody'} ({self.reason})"


@attrs.frozen(kw_only=True, repr=False)
class Todo(Document):
    """What is to be done for one case, in the order of its due times, and what is missing for it.

    Parameters
    ----------
    case : id
    steps : tuple of TodoStep
    gaps : tuple of text
        No plan, no owner, nobody free in time.
    how : text
        "new case", "repeat of a message", "same case", "reopened", or "new case, linked".
    notes : tuple of text
        What the intake saw: by what it was recognised, a time that lies ahead, a customer who is not known.
    """

    case: str
    steps: tuple[TodoStep, ...]
    gaps: tuple[str, ...] = ()
    how: str = "new case"
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.steps)

    def __repr__(self) -> str:
        return f"Todo({self.case}, {self.how}: {len(self.steps)} steps, {len(self.gaps)} gaps)"

    def __str__(self) -> str:
        return "\n".join([repr(self), *(f"  {s}" for s in self.steps), *(f"  missing: {g}" for g in self.gaps),
                          *(f"  note: {n}" for n in self.notes)])  # fmt: skip

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a step: case, step, owner, due, reason."""
        return write_frame({
            "case": [self.case] * len(self), "step": [s.name for s in self.steps],
            "owner": [s.owner or None for s in self.steps], "due": [s.due for s in self.steps],
            "reason": [s.reason for s in self.steps],
        }, backend=backend)  # fmt: skip

    def _repr_html_(self) -> str:
        rows = [{"step": s.name, "owner": mask(s.owner), "due": s.due, "reason": s.reason} for s in self.steps]
        return html_table(rows, caption=str(self) if self.gaps and not rows else repr(self))
