"""States behind the steps: trigger, explore, evaluate, purchase, in whatever order a customer takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from crmcore.errors import EmptyInput
from crmcore.touchpoints.journeys.table import Journeys

__all__ = ["RANKS", "in_states", "loop_backs", "phases", "state_switches", "visits"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

RANKS: Mapping[str, int] = {"trigger": 0, "explore": 1, "re-evaluate": 1, "evaluate": 2, "purchase": 3}
"""Which state is nearer to the purchase; going to a lower rank is a loop back. Nothing says where a journey begins."""


def in_states(journeys: Journeys, states: Mapping[str, str], /) -> Journeys:
    """Journeys whose steps are states; rows of steps that the map does not name are left out and counted.

    Examples
    --------
    >>> walks = Journeys.of([["ad", "review", "price check", "menu"]])
    >>> found = in_states(walks, {"ad": "trigger", "review": "explore", "price check": "evaluate"})
    >>> found[0].steps, dict(found.left_out)
    (('trigger', 'explore', 'evaluate'), {'no state': 1})
    """
    import attrs

    if not states:
        raise EmptyInput("states", "map steps to states: {'review': 'explore', 'price check': 'evaluate'}")
    known = np.array([s in states for s in journeys.steps], np.bool_)
    kept = known[journeys.step] if len(known) else np.zeros(0, np.bool_)
    names = tuple(sorted(set(states.values())))
    to = np.array([names.index(states.get(s, names[0])) for s in journeys.steps], np.int32)
    lost = {"no state": int((~kept).sum())} if not kept.all() else {}
    part = journeys.keep(kept)
    return attrs.evolve(part, step=to[part.step], steps=names, left_out={**journeys.left_out, **lost})


def visits(journeys: Journeys, /) -> Ints:
    """(v,) first row of each visit: rows in a row with one state are one visit.

    Examples
    --------
    >>> visits(Journeys.of([["explore", "explore", "evaluate"], ["evaluate"]])).tolist()
    [0, 2, 3]
    """
    if not len(journeys.step):
        return np.zeros(0, np.int64)
    new = ~journeys.inner | (journeys.step[1:] != journeys.step[:-1])
    return np.flatnonzero(np.concatenate([[True], new]))


def state_switches(journeys: Journeys, between: Sequence[str], /) -> Ints:
    """(m,) how often each journey goes from one of the states to another; others in between do not matter.

    Examples
    --------
    >>> walks = Journeys.of([["explore", "evaluate", "explore", "evaluate", "purchase"]])
    >>> state_switches(walks, ["explore", "evaluate"]).tolist()
    [3]
    """
    part = journeys.keep(np.isin(journeys.step, [journeys.code_of(s) for s in between]))
    turns = part.inner & (part.step[1:] != part.step[:-1])
    return np.bincount(part.journey[1:][turns], minlength=len(part)).astype(np.int64)


def loop_backs(journeys: Journeys, /, *, ranks: Mapping[str, int] = RANKS) -> Ints:
    """(m,) how often each journey goes back to a state of lower rank; states without a rank are passed over.

    Examples
    --------
    >>> loop_backs(Journeys.of([["trigger", "explore", "evaluate", "explore", "purchase"], ["purchase"]])).tolist()
    [1, 0]
    """
    rank = np.array([ranks.get(s, -1) for s in journeys.steps], np.int64)
    part = journeys.keep(rank[journeys.step] >= 0) if len(rank) else journeys
    falls = part.inner & (rank[part.step[1:]] < rank[part.step[:-1]]) if len(part.step) else np.zeros(0, np.bool_)
    return np.bincount(part.journey[1:][falls], minlength=len(part)).astype(np.int64)


def phases(journeys: Journeys, /, *, ranks: Mapping[str, int] = RANKS) -> tuple[str, ...]:
    """(n,) state of each row; explore and evaluate are "re-evaluate" after a step back from evaluate, until a purchase.

    Examples
    --------
    >>> phases(Journeys.of([["explore", "evaluate", "explore", "evaluate", "purchase"]]))
    ('explore', 'evaluate', 're-evaluate', 're-evaluate', 'purchase')
    """
    words = [journeys.steps[s] for s in journeys.step.tolist()]
    high = ranks["evaluate"]
    for a, b in zip(journeys.start[:-1].tolist(), journeys.start[1:].tolist(), strict=True):
        evaluated = again = False
        for i in range(a, b):
            word = words[i]
            again |= evaluated and ranks.get(word, high) < high
            evaluated |= word == "evaluate"
            if word == "purchase":
                evaluated = again = False
            elif again and word in ("explore", "evaluate"):
                words[i] = "re-evaluate"
    return tuple(words)
