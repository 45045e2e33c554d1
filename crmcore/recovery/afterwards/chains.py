"""One customer's way from a failure to what became of the relationship."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import attrs

from crmcore._base import aware, html_table, listed
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import EmptyInput
from crmcore.values.words import word

__all__ = ["ALLY_STEPS", "KEPT_STEPS", "Moment", "MomentKind", "OutcomeChain", "OutcomeState"]

KEPT_STEPS = ("buyer", "regular")
ALLY_STEPS = ("advocate", "superfan")
"""Steps of a relationship ladder that count as kept and as ally."""


class MomentKind(enum.StrEnum):
    """What happened; at one instant in this order."""

    FAILED = "failed"
    ANSWERED = "answered"  # words
    REPAIRED = "repaired"
    EXTRA = "extra"
    PLEASED = "pleased"
    DISPLEASED = "displeased"
    LEFT = "left"
    STEP = "step"  # of the relationship ladder; the detail names it


class OutcomeState(enum.StrEnum):
    """Where a recovery has led so far."""

    UNANSWERED = "unanswered"
    ANSWERED = "answered"
    MADE_GOOD = "made good"
    PLEASED = "pleased"
    DISPLEASED = "displeased"
    KEPT = "kept"
    ALLY = "ally"
    LOST = "lost"


def _kind(value: MomentKind | str) -> MomentKind:
    return word(MomentKind, value, "kind of moment")


@attrs.frozen(kw_only=True)
class Moment(Document):
    """One thing that happened.

    Parameters
    ----------
    at : aware datetime
    kind : MomentKind
    detail : text
        `"new product"`, or the step: `"regular"`.
    """

    at: datetime = attrs.field(validator=aware)
    kind: MomentKind = attrs.field(converter=_kind)
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind}{f': {self.detail}' if self.detail else ''}"


def _moments(value: Iterable[Moment]) -> tuple[Moment, ...]:
    found = listed(value, "moments", Moment, what="moments", hint="Moment(at=..., kind='failed')")
    order = list(MomentKind)
    return tuple(sorted(set(found), key=lambda m: (m.at, order.index(m.kind), m.detail)))


@attrs.frozen(repr=False)
class OutcomeChain(Document):
    """Moments from the first failure on, in the order of time; repeated ones count once.

    Examples
    --------
    >>> from datetime import UTC
    >>> def day(d): return datetime(2026, 6, d, tzinfo=UTC)
    >>> chain = OutcomeChain([
    ...     Moment(at=day(1), kind="failed", detail="defective product"), Moment(at=day(1), kind="answered"),
    ...     Moment(at=day(3), kind="repaired", detail="new product"), Moment(at=day(5), kind="pleased"),
    ...     Moment(at=day(28), kind="step", detail="regular"),
    ... ])
    >>> print(chain)
    failed: defective product > answered > repaired: new product > pleased > step: regular (kept)
    >>> chain.ends_in
    'regular'
    """

    moments: tuple[Moment, ...] = attrs.field(converter=_moments)

    def __attrs_post_init__(self) -> None:
        if not any(m.kind is MomentKind.FAILED for m in self.moments):
            raise EmptyInput("moments with a failure", "a chain of recovery starts with what failed")

    @property
    def since_failure(self) -> tuple[Moment, ...]:
        """Moments from the last failure on: a new failure starts anew."""
        last = max(i for i, m in enumerate(self.moments) if m.kind is MomentKind.FAILED)
        return self.moments[last:]

    @property
    def ends_in(self) -> str:
        """Ladder step or kind of the last moment."""
        last = self.moments[-1]
        return last.detail if last.kind is MomentKind.STEP else last.kind.value

    @property
    def state(self) -> OutcomeState:
        """What the moments since the last failure come to; the latest of feeling, step and leaving decides."""
        state = OutcomeState.UNANSWERED
        for m in self.since_failure:
            if m.kind is MomentKind.ANSWERED and state is OutcomeState.UNANSWERED:
                state = OutcomeState.ANSWERED
            elif m.kind in (MomentKind.REPAIRED, MomentKind.EXTRA):
                early = state in (OutcomeState.UNANSWERED, OutcomeState.ANSWERED)
                state = OutcomeState.MADE_GOOD if early else state
            elif m.kind is MomentKind.LEFT:
                state = OutcomeState.LOST
            elif m.kind in (MomentKind.PLEASED, MomentKind.DISPLEASED):
                state = OutcomeState(m.kind.value)
            elif m.kind is MomentKind.STEP and m.detail in ALLY_STEPS:
                state = OutcomeState.ALLY
            elif m.kind is MomentKind.STEP and m.detail in KEPT_STEPS:
                state = OutcomeState.KEPT
        return state

    def __repr__(self) -> str:
        return f"OutcomeChain({len(self.moments)} moments, {self.state})"

    def __str__(self) -> str:
        return f"{' > '.join(map(str, self.moments))} ({self.state})"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a moment: at, kind, detail."""
        columns: dict[str, list[Any]] = {
            "at": [m.at for m in self.moments], "kind": [m.kind.value for m in self.moments],
            "detail": [m.detail for m in self.moments],
        }  # fmt: skip
        return write_frame(columns, backend=backend)

    def _repr_html_(self) -> str:
        return html_table([{"at": m.at.date(), "what": str(m)} for m in self.moments], caption=str(self.state))
