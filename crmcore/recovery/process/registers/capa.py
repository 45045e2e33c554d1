"""Corrective and preventive actions: who does what by when, and whether it worked, measured before and after."""

from __future__ import annotations

import enum
from datetime import datetime
from html import escape
from typing import TypeVar

import attrs

from crmcore._base import check_aware, number_text
from crmcore.documents import Document
from crmcore.errors import BadDocument, OutOfRange
from crmcore.lifecycle import Accepted, Command, Timer, Transition, Workflow, open_case
from crmcore.lifecycle.workflow import CLOCK
from crmcore.metrics.comparing import Comparable, Comparison, compare
from crmcore.metrics.estimates import check_level
from crmcore.rules import Rule, field

__all__ = ["Capa", "CapaKind", "Effect", "Effectiveness", "capa_workflow", "effectiveness"]

C = TypeVar("C", bound=Comparable)


class CapaKind(enum.StrEnum):
    """Whether the failure has happened."""

    CORRECTIVE = "corrective"
    PREVENTIVE = "preventive"


class Effect(enum.StrEnum):
    """What a test of an action says."""

    EFFECTIVE = "effective"
    NOT_SHOWN = "not shown"
    NOT_EFFECTIVE = "not effective"


def capa_workflow(*, check_after_days: int = 30, quality_role: str | None = None, version: int = 1) -> Workflow:
    """Life of an action: open, planned, doing, done, and then effective, or open again.

    Parameters
    ----------
    check_after_days : days
        After which an action that is done falls due for its test.
    quality_role : text, optional
        Only this role may verify: nobody judges an action of their own. None lets everybody.
    version : count

    Returns
    -------
    Workflow
        `plan` needs `owner`, `action` and `due_at`; `verify` needs `effect`, and leads to the end only where it is
        `"effective"`: an effect that is not shown keeps the action where it is, one that failed opens it again. The
        clock marks what is overdue, and what waits for its test.

    Examples
    --------
    >>> capa_workflow().commands("done")
    ('verify', 'drop', 'ask for test')
    """
    if check_after_days < 1:
        raise OutOfRange("check_after_days", check_after_days, "1 or more", "give the action time to show")
    again = {"overdue": False, "check_due": False}

    def verify(effect: Effect, target: str | None, emits: str) -> Transition:
        guard = Rule(effect.value, field("effect") == effect.value)
        sets = again if target == "open" else {}
        keeps = ("difference", "low", "high", "p_value")
        return Transition(
            "verify",
            "done",
            target,
            guard=guard,
            actors=quality_role,
            needs="effect",
            keeps=keeps,
            sets=sets,
            emits=emits,
        )

    running = ["planned", "doing"]
    return Workflow(
        "capa",
        version,
        ["open", "planned", "doing", "done", "effective", "dropped"],
        "open",
        [
            Transition("plan", ["open", *running], "planned", needs=["owner", "action", "due_at"], sets=again),
            Transition("start", "planned", "doing"),
            Transition("finish", running, "done", sets={"overdue": False}),
            verify(Effect.EFFECTIVE, "effective", "effective"),
            verify(Effect.NOT_EFFECTIVE, "open", "not effective"),
            verify(Effect.NOT_SHOWN, None, "not shown"),
            Transition("drop", "*", "dropped", needs="reason"),
            Transition("mark overdue", running, actors=CLOCK, sets={"overdue": True}, emits="overdue"),
            Transition("ask for test", "done", actors=CLOCK, sets={"check_due": True}, emits="test is due"),
        ],
        [
            Timer("overdue", running, "mark overdue", start="due_at"),
            Timer("test", "done", "ask for test", after_days=check_after_days),
        ],
        ["effective", "dropped"],
    )


@attrs.frozen(kw_only=True)
class Capa(Document):
    """An action against a cause.

    Parameters
    ----------
    id : text
    problem, cause, action : text
        What happened, why (a finding, the root of a tree of whys), and what is done.
    owner : text
        Who answers for it: a role or an alias of staff.
    due_at : aware datetime
    kind : CapaKind
    measure : text
        By which its effect is judged: "share of late parcels of carrier C7".

    Raises
    ------
    BadDocument
        Fields that say nothing: all at once.

    Examples
    --------
    >>> from datetime import UTC
    >>> capa = Capa(id="a1", problem="late parcels", cause="carrier = C7", action="second carrier", owner="logistics",
    ...     due_at=datetime(2026, 6, 1, tzinfo=UTC), measure="share of late parcels")
    >>> capa.opened(at=datetime(2026, 5, 4, tzinfo=UTC), actor="quality").case.state
    'open'
    """

    id: str
    problem: str
    cause: str
    action: str
    owner: str
    due_at: datetime = attrs.field(validator=lambda _self, attribute, value: check_aware(value, attribute.name))
    kind: CapaKind = CapaKind.CORRECTIVE
    measure: str

    def __attrs_post_init__(self) -> None:
        words = ("id", "problem", "cause", "action", "owner", "measure")
        empty = [name for name in words if not str(getattr(self, name)).strip()]
        if empty:
            hint = "an action without an owner, a cause or a measure is a wish"
            raise BadDocument("corrective action", tuple(f"{name}: says nothing" for name in empty), hint)

    def opened(self, *, at: datetime, actor: str, flow: Workflow | None = None) -> Accepted:
        """Open the action as a case of `capa_workflow`."""
        data = {"problem": self.problem, "cause": self.cause, "kind": self.kind.value, "measure": self.measure}
        return open_case(flow or capa_workflow(), self.id, at=at, data=data, actor=actor)

    def plan(self, *, at: datetime, actor: str, id: str, role: str = "") -> Command:
        """Command that plans it: owner, action and due time."""
        data = {"owner": self.owner, "action": self.action, "due_at": self.due_at.isoformat()}
        return Command("plan", data, actor=actor, role=role, at=at, id=id)


@attrs.frozen(kw_only=True)
class Effectiveness(Document):
    """Whether an action worked.

    Parameters
    ----------
    effect : Effect
    comparison : Comparison
        After minus before, with interval and test.
    smallest_gain : number
        Improvement that counts as one, in the unit of the measure.
    lower_is_better : truth
    """

    effect: Effect
    comparison: Comparison
    smallest_gain: float
    lower_is_better: bool

    def command(self, *, at: datetime, actor: str, id: str, role: str = "") -> Command:
        """Command `verify` that brings the effect into the action's life."""
        told = self.comparison.difference
        data = {
            "effect": self.effect.value,
            "difference": told.value,
            "low": told.low,
            "high": told.high,
            "p_value": self.comparison.p_value,
        }
        kept = {k: v for k, v in data.items() if v == v}  # NaN is no JSON value
        return Command("verify", kept, actor=actor, role=role, at=at, id=id)

    def __str__(self) -> str:
        gain = f", at least {number_text(self.smallest_gain)} wanted" if self.smallest_gain else ""
        before, after = self.comparison.second, self.comparison.first
        return (
            f"{self.effect}: {number_text(before.value)} before, {number_text(after.value)} after{gain}\n"
            f"  {self.comparison}"
        )

    def _repr_html_(self) -> str:
        return f"<figure>{escape(str(self))}</figure>"


def effectiveness(
    before: C,
    after: C,
    /,
    *,
    smallest_gain: float = 0.0,
    lower_is_better: bool = True,
    level: float = 0.95,
    small_sample_ok: bool = False,
) -> Effectiveness:
    """Test an action by its measure before and after.

    Parameters
    ----------
    before, after : counts of one kind
        `metrics.Counts` for a share, `Exposure` for a rate, `Moments` for a mean. Take all of the time before, not the
        worst week that made you act: after a worst week things look better without any action.
    smallest_gain : number
        Improvement that counts as one, 0 or more, in the unit of the measure.
    lower_is_better : truth
        Failures fall; satisfaction rises.
    level : share
        Of the interval that decides.

    Returns
    -------
    Effectiveness
        Effective where the whole interval of the improvement lies above `smallest_gain`; not effective where it lies
        below (or at 0 or worse); otherwise not shown: wait for more cases.

    Examples
    --------
    >>> from crmcore.metrics import Counts
    >>> print(effectiveness(Counts(120, 1000), Counts(70, 1000)))
    effective: 0.12 before, 0.07 after
      difference -0.05 [-0.0759, -0.0244] (95 %, n = 2000, newcombe), p = 0.000137 (pooled z)
    >>> effectiveness(Counts(12, 100), Counts(7, 100)).effect.value
    'not shown'
    """
    check_level(level)
    if not 0 <= smallest_gain < float("inf"):
        raise OutOfRange("smallest_gain", smallest_gain, "0 or more", "state an improvement without a sign")
    made = compare(after, before, level=level, small_sample_ok=small_sample_ok)
    low, high = made.difference.low, made.difference.high
    least, most = (-high, -low) if lower_is_better else (low, high)
    if least > smallest_gain:
        effect = Effect.EFFECTIVE
    elif most < smallest_gain or most <= 0:
        effect = Effect.NOT_EFFECTIVE
    else:
        effect = Effect.NOT_SHOWN
    return Effectiveness(effect=effect, comparison=made, smallest_gain=smallest_gain, lower_is_better=lower_is_better)
