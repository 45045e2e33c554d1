"""From statements to a standing: one fold over what was said, and the answer with its reasons."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import attrs

from crmcore._base import html_table, mask
from crmcore.documents import Document
from crmcore.idic.interact.consents.statements import NEVER_US, ConsentRules, Said, Statement

__all__ = ["ConsentAnswer", "Standing", "State", "combine", "combine_latest", "fold", "standing_at", "step"]


class Standing(enum.StrEnum):
    """Where a person stands on one purpose on one channel; only "allowed" is a yes."""

    ALLOWED = "allowed"
    PENDING = "waits for confirmation"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    NEVER_ASKED = "never asked"


@attrs.frozen
class State:
    """What the statements up to now come to."""

    standing: Standing = Standing.NEVER_ASKED  # expiry is not looked at: see `standing_at`
    until: int = NEVER_US
    requested: int | None = None  # since when a confirmation is waited for
    because: tuple[Statement, ...] = ()
    contradicted: tuple[Statement, ...] = ()


NOTHING = State()


def standing_at(state: State, us: int) -> Standing:
    """Standing at an instant: a yes that has run out is expired."""
    lapsed = state.standing is Standing.ALLOWED and state.until <= us
    return Standing.EXPIRED if lapsed else state.standing


def step(state: State, said: Statement, rules: ConsentRules, purpose: str) -> State:
    """State after one more statement about a purpose."""
    us, kind = said.key[0], said.said
    holds = state.standing is Standing.ALLOWED and state.until > us
    if kind is Said.WITHDRAWN:
        against = tuple(s for s in state.because if s.key[0] == us and s.said in (Said.GRANTED, Said.CONFIRMED))
        return State(Standing.WITHDRAWN, because=(said,), contradicted=against)
    if kind is Said.REQUESTED or (kind is Said.GRANTED and rules.confirmed_only(purpose)):
        return state if holds else State(Standing.PENDING, requested=us, because=(said,))
    if kind is Said.CONFIRMED:
        late = state.requested is not None and us - state.requested > rules.confirm_us
        if late or state.standing is Standing.WITHDRAWN:
            return state
    until = us + rules.valid_us(purpose) if said.expires_at is None else -said.key[2]
    return State(Standing.ALLOWED, until, because=(said,))


def combine(first: State, second: State, us: int) -> State:
    """State of one person whose two records were joined at an instant, by the strictest rule.

    A withdrawal in either record stands over a yes in the other, whichever is later; an unanswered request, a lapsed
    yes and silence are no "no". Of two yeses the one that holds longer counts.
    """
    order = (Standing.WITHDRAWN, Standing.ALLOWED, Standing.PENDING, Standing.EXPIRED, Standing.NEVER_ASKED)
    both = (first, second)
    best = min(both, key=lambda s: (order.index(standing_at(s, us)), -s.until, [b.key for b in s.because]))
    if standing_at(best, us) is not Standing.WITHDRAWN:
        return best
    against = tuple(b for s in both if standing_at(s, us) is Standing.ALLOWED for b in s.because)
    return attrs.evolve(best, contradicted=(*best.contradicted, *against))


def combine_latest(first: State, second: State, us: int) -> State:
    """State of one person whose two records were joined at an instant: the last word of either counts.

    A request that waits for its answer undoes no yes that holds in the other record.
    """
    early, late = sorted((first, second), key=lambda s: [b.key for b in s.because])
    waits = standing_at(late, us) is Standing.PENDING and standing_at(early, us) is Standing.ALLOWED
    return early if waits else late


def fold(state: State, statements: Iterable[Statement], rules: ConsentRules, purpose: str) -> State:
    """State after statements in their order."""
    for said in statements:
        state = step(state, said, rules, purpose)
    return state


@attrs.frozen(kw_only=True)
class ConsentAnswer(Document):
    """Whether somebody may be written to for a purpose on a channel at an instant, and why.

    Attributes
    ----------
    standing : Standing
    until : aware datetime, None where a yes has no end or there is no yes
    because : statements that decide; () where nobody ever asked
    contradicted : statements that say yes and are overruled by a withdrawal
    records : ids that were read as one person, masked in the repr
    """

    person: str = attrs.field(repr=mask)
    purpose: str
    channel: str
    scope: str
    at: datetime
    standing: Standing
    until: datetime | None
    because: tuple[Statement, ...]
    contradicted: tuple[Statement, ...]
    records: tuple[str, ...] = attrs.field(repr=lambda ids: f"<{len(ids)}>")

    @property
    def allowed(self) -> bool:
        """Whether the answer is yes."""
        return self.standing is Standing.ALLOWED

    @property
    def why(self) -> str:
        """The reason in words, without who it is about."""
        if not self.because:
            return f"nobody ever asked about {self.purpose} on {self.channel}"
        told = "; ".join(map(str, self.because))
        if self.standing is Standing.EXPIRED and self.until is not None:
            told += f", which held until {self.until:%Y-%m-%d %H:%M} UTC"
        if self.contradicted:
            told += f"; overrules {'; '.join(map(str, self.contradicted))}: of a yes and a no the no stands"
        return told

    def __str__(self) -> str:
        verdict = "yes" if self.allowed else "no"
        until = f" until {self.until:%Y-%m-%d %H:%M} UTC" if self.allowed and self.until else ""
        read = f" [{len(self.records)} records read as one person]" if len(self.records) > 1 else ""
        return f"{self.purpose} on {self.channel}: {verdict}{until}, {self.standing} ({self.why}){read}"

    def _repr_html_(self) -> str:
        rows: list[dict[str, Any]] = [
            {"statement": str(s), "counts": "decides" if s in self.because else "overruled"}
            for s in (*self.because, *self.contradicted)
        ]
        caption = f"{self.purpose} on {self.channel}: {self.standing}"
        return html_table(rows or [{"statement": self.why, "counts": None}], caption=caption)
