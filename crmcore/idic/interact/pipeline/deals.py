"""Stages of a pipeline, and deals on their way through them, as values and as cases of a lifecycle."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import attrs

from crmcore._base import aware, between, listed, named
from crmcore.documents import Document
from crmcore.errors import DuplicateIds, EmptyInput, WrongType
from crmcore.lifecycle import Case, Transition, Workflow
from crmcore.values import Money

__all__ = ["Deal", "Pipeline", "Stage"]


@attrs.frozen
class Stage(Document):
    """An open stage and the probability that a deal in it is won, from experience or by decree."""

    name: str
    probability: float = attrs.field(converter=float, validator=between(0, 1, hint="50 % is 0.5"))


def _stages(value: Iterable[Stage]) -> tuple[Stage, ...]:
    stages = listed(value, "stages", Stage, what="Stage", hint="write [Stage('lead', 0.1), Stage('offer', 0.5)]")
    if not stages:
        raise EmptyInput("stages", "write [Stage('lead', 0.1), Stage('offer', 0.5)]")
    return stages


@attrs.frozen
class Pipeline(Document):
    """Open stages in their order; a deal leaves them as won or lost.

    Examples
    --------
    >>> sales = Pipeline("sales", [Stage("lead", 0.1), Stage("offer", 0.5)])
    >>> sales.probability("offer"), sales.probability("won"), sales.workflow().states
    (0.5, 1.0, ('lead', 'offer', 'won', 'lost'))
    """

    name: str
    stages: tuple[Stage, ...] = attrs.field(converter=_stages)
    won: str = "won"
    lost: str = "lost"

    def __attrs_post_init__(self) -> None:
        names = self.names
        again = tuple(i for i, name in enumerate(names) if name in names[:i])
        if again:
            raise DuplicateIds("stages", len(again), again, "give each stage, won and lost their own names")

    @property
    def names(self) -> tuple[str, ...]:
        """All stages, then won, then lost."""
        return (*(s.name for s in self.stages), self.won, self.lost)

    def outcome(self, stage: str | None, /) -> bool | None:
        """Whether a deal in a stage is won, None while it is open."""
        return {self.won: True, self.lost: False}.get(stage or "")

    def probability(self, stage: str, /) -> float:
        """Probability of a stage before anything is learned: 1 for won, 0 for lost.

        Raises
        ------
        UnknownName
            There is no such stage.
        """
        both = (Stage(self.won, 1.0), Stage(self.lost, 0.0))
        return named((*self.stages, *both), "name", stage, what="stage").probability

    def workflow(self, *, version: int = 1) -> Workflow:
        """Lifecycle of a deal: `move` commands to each stage, `win`, `lose` (needs reason), and `estimate`.

        What `estimate` sets (`probability`) stays through every move; `forget estimate` takes it back.
        """
        open_ = [s.name for s in self.stages]
        moves = [
            Transition(f"move to {name}", [s for s in open_ if s != name], name, emits="stage changed")
            for name in open_
            if len(open_) > 1
        ]
        ends = [
            Transition("win", open_, self.won, emits="won"),
            Transition("lose", open_, self.lost, needs="reason", emits="lost"),
            Transition("estimate", open_, needs="probability", emits="probability set"),
            Transition("forget estimate", open_, sets={"probability": None}, emits="probability forgotten"),
        ]
        states = [*open_, self.won, self.lost]
        return Workflow(self.name, version, states, open_[0], [*moves, *ends], terminal=[self.won, self.lost])


def _manual(_instance: object, attribute: attrs.Attribute[float | None], value: float | None) -> None:
    if value is not None:
        between(0, 1, hint="50 % is 0.5; None takes that of the stage")(_instance, attribute, value)


@attrs.frozen(kw_only=True)
class Deal(Document):
    """One deal as it stands.

    Parameters
    ----------
    id : text
    amount : Money
    stage : text
    closes : date
        When it is expected to be decided, or was.
    rep : text
        Who works on it.
    probability : share, optional
        Set by hand: it beats that of the stage and stays when the stage changes, until it is set to None.
    since : aware datetime, optional
        When it entered its stage: chances that were learned by age take that into account.

    Examples
    --------
    >>> deal = Deal(id="d1", amount=Money.of("100", "THB"), stage="lead", closes=date(2026, 6, 9), probability=0.7)
    >>> deal.moved("offer").probability
    0.7
    """

    id: str
    amount: Money
    stage: str
    closes: date
    rep: str = ""
    probability: float | None = attrs.field(default=None, validator=_manual)
    since: datetime | None = attrs.field(default=None, validator=aware)

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.closes, date) or isinstance(self.closes, datetime):
            raise WrongType("closes", f"a {type(self.closes).__name__}", "a date", "date(2026, 6, 30)")

    def moved(self, stage: str, /, *, at: datetime | None = None) -> Deal:
        """The same deal in another stage since then; a probability set by hand stays."""
        return attrs.evolve(self, stage=stage, since=at)

    @classmethod
    def of_case(cls, case: Case, /) -> Deal:
        """Deal of a lifecycle case that keeps `amount_minor`, `currency`, `closes` (ISO); `rep`, `probability`.

        Raises
        ------
        EmptyInput
            Some of these fields are not kept.
        """
        gone = [f for f in ("amount_minor", "currency", "closes") if case.data.get(f) is None]
        if gone:
            raise EmptyInput(f"{', '.join(gone)} of the case", "give them with open(..., data={...}) or a command")
        said = case.data
        chance = said.get("probability")
        return cls(
            id=case.id,
            amount=Money(int(str(said["amount_minor"])), str(said["currency"])),
            stage=case.state,
            closes=date.fromisoformat(str(said["closes"])),
            rep=str(said.get("rep") or ""),
            probability=None if chance is None else float(str(chance)),
            since=case.since,
        )
