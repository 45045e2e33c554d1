"""Loops between states: dwell, returns, and the hazard of leaving each round, from the fundamental matrix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table, number_text
from crmcore.documents import Document
from crmcore.errors import EmptyInput, UnknownName
from crmcore.metrics.columns import SAME, columns_frame, held_whole
from crmcore.metrics.durations import SurvivalTable, kaplan_meier
from crmcore.metrics.estimates import Estimate, check_level
from crmcore.metrics.proportions import proportion
from crmcore.touchpoints.journeys.states import loop_backs, state_switches, visits
from crmcore.touchpoints.journeys.table import Journeys

__all__ = ["Round", "StateLoops", "fundamental_matrix", "state_loops"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def fundamental_matrix(moves: Floats, /) -> Floats:
    """Expected visits N = (I - Q)^-1: entry (i, j) is how often a walk that stands in i visits j before it ends.

    Parameters
    ----------
    moves : (s, s)
        Chance Q of going from each state to each other; what a row lacks to 1 is the chance to end there.

    Notes
    -----
    Kemeny & Snell (1960), Finite Markov Chains, chapter 3. The chance ever to come back to j is 1 - 1 / N[j, j].

    Examples
    --------
    >>> fundamental_matrix(np.array([[0.0, 0.5], [0.5, 0.0]])).round(3).tolist()
    [[1.333, 0.667], [0.667, 1.333]]
    """
    eye = np.eye(len(moves))
    return np.linalg.solve(eye - moves, eye).astype(np.float64)


@attrs.frozen(kw_only=True)
class Round:
    """What follows the n-th visit of a state: journeys in it, and the shares that buy, leave, and wander on."""

    number: int
    journeys: int
    buy: Estimate
    leave: Estimate
    wander: Estimate

    @property
    def exit_hazard(self) -> float:
        """Chance that the journey ends with this round, one way or the other."""
        return self.buy.value + self.leave.value


@attrs.frozen(kw_only=True, eq=False, repr=False)
class StateLoops(Document):
    """How journeys loop between states before they end; see `state_loops`.

    Attributes
    ----------
    states : s names, without the goal
    moves : (s, s) counts of visits of one state that are followed by a visit of the other
    bought, left : (s,) counts of visits that are followed by the goal, and by nothing
    switches, loop_backs : (m,) of each journey
    dwell : state -> SurvivalTable in seconds
        How long a visit lasts, to the first row of the next; the last visit of a journey is censored.
    rounds : of the state `of`: what follows its first, second, ... visit
    """

    states: tuple[str, ...]
    goal: str
    of: str
    moves: Ints = attrs.field(converter=held_whole, eq=SAME)
    bought: Ints = attrs.field(converter=held_whole)
    left: Ints = attrs.field(converter=held_whole)
    switches: Ints = attrs.field(converter=held_whole)
    loop_backs: Ints = attrs.field(converter=held_whole)
    dwell: Mapping[str, SurvivalTable]
    rounds: tuple[Round, ...]

    def __repr__(self) -> str:
        return f"StateLoops({len(self.states)} states, {len(self.switches):,} journeys)"

    @property
    def visits_n(self) -> Ints:
        """(s,) visits of each state."""
        found: Ints = self.moves.sum(axis=1) + self.bought + self.left
        return found

    @property
    def chances(self) -> Floats:
        """(s, s) chance that a visit is followed by one of the other state."""
        found: Floats = self.moves / np.maximum(self.visits_n, 1)[:, None]
        return found

    @property
    def expected_visits(self) -> Floats:
        """(s, s) fundamental matrix: visits of the column's state that are still to come, this one counted."""
        return fundamental_matrix(self.chances)

    @property
    def expected_returns(self) -> Floats:
        """(s,) how often a journey in a state will come back to it: N[j, j] - 1."""
        found: Floats = np.diagonal(self.expected_visits) - 1
        return found

    @property
    def return_chance(self) -> Floats:
        """(s,) chance ever to come back: 1 - 1 / N[j, j]; 1 minus it is the exit hazard of every round."""
        found: Floats = 1 - 1 / np.diagonal(self.expected_visits)
        return found

    @property
    def goal_chance(self) -> Floats:
        """(s,) chance of ever reaching the goal from a state."""
        share = self.bought / np.maximum(self.visits_n, 1)
        found: Floats = self.expected_visits @ share
        return found

    def columns(self) -> dict[str, Any]:
        """state, visits, expected_returns, return_chance, exit_hazard, goal_chance, dwell_s (median)."""
        dwell = [self.dwell[s].median(small_sample_ok=True).value if s in self.dwell else np.nan for s in self.states]
        return {
            "state": list(self.states),
            "visits": self.visits_n,
            "expected_returns": self.expected_returns,
            "return_chance": self.return_chance,
            "exit_hazard": 1 - self.return_chance,
            "goal_chance": self.goal_chance,
            "dwell_s": np.array(dwell, np.float64),
        }

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a state, with the names of `columns`."""
        return columns_frame(self.columns(), backend=backend)

    def __str__(self) -> str:
        c = self.columns()
        lines = [
            f"{s}: {n:,} visits, {number_text(float(r))} expected returns, {100 * g:.1f} % reach {self.goal}, "
            f"median dwell {number_text(float(d))} s"
            for s, n, r, g, d in zip(
                c["state"], c["visits"], c["expected_returns"], c["goal_chance"], c["dwell_s"], strict=True
            )
        ]
        turns = f"{int(self.switches.sum()):,} switches and {int(self.loop_backs.sum()):,} loops back"
        return "\n".join([f"{len(self.switches):,} journeys, {turns}", *lines])

    def _repr_html_(self) -> str:
        c = self.columns()
        rows = [
            {k: (v if isinstance(v, str) else number_text(float(v))) for k, v in zip(c, cells, strict=True)}
            for cells in zip(*c.values(), strict=True)
        ]
        return html_table(rows, caption=f"loops before {self.goal}", limit=10)


def state_loops(
    journeys: Journeys,
    /,
    *,
    between: tuple[str, str] = ("explore", "evaluate"),
    goal: str = "purchase",
    of: str | None = None,
    most_rounds: int = 10,
    level: float = 0.95,
) -> StateLoops:
    """Follow journeys of states to their first goal: how they loop, how long they dwell, how they end.

    Parameters
    ----------
    journeys : Journeys
        Whose steps are states; see `in_states`.
    between : two states
        Between which switches are counted.
    goal : state
        Ends a journey; what comes after it is not looked at. Journeys without it end by leaving.
    of : state
        Whose rounds are counted; None is the second of `between`.
    most_rounds : count
        Of rounds that are listed.
    level : share
        Of the intervals (Wilson).

    Examples
    --------
    >>> walks = Journeys.of([["explore", "evaluate", "explore", "evaluate", "purchase"], ["explore", "evaluate"]])
    >>> found = state_loops(walks)
    >>> found.switches.tolist(), found.expected_returns.round(2).tolist(), found.goal_chance.round(2).tolist()
    ([3, 1], [0.5, 0.5], [0.5, 0.5])
    """
    check_level(level)
    whose = between[1] if of is None else of
    if not len(journeys.step):
        raise EmptyInput("journeys", "give at least one row")
    for name in (*between, whose):
        journeys.code_of(name)
    before = journeys.keep(_until_goal(journeys, goal))
    states = tuple(s for s in journeys.steps if s != goal)
    if whose not in states:
        raise UnknownName("state", whose, states)
    code = np.array([states.index(s) if s != goal else -1 for s in journeys.steps], np.int64)
    first = visits(before)
    state, who = code[before.step[first]], before.journey[first]
    next_state = np.append(state[1:], -2)
    next_state[np.append(who[1:] != who[:-1], True)] = -2
    k = len(states)
    here, on = state >= 0, (state >= 0) & (next_state >= 0)
    pair = np.bincount(state[on] * k + next_state[on], minlength=k * k).reshape(k, k)
    return StateLoops(
        states=states,
        goal=goal,
        of=whose,
        moves=pair,
        bought=np.bincount(state[here & (next_state == -1)], minlength=k),
        left=np.bincount(state[here & (next_state == -2)], minlength=k),
        switches=state_switches(before, between),
        loop_backs=loop_backs(before),
        dwell=_dwell(before, first, state, who, states),
        rounds=_rounds(state, who, next_state, states.index(whose), most_rounds, level),
    )


def _until_goal(journeys: Journeys, goal: str) -> NDArray[np.bool_]:
    """(n,) rows up to the first goal of their journey."""
    if goal not in journeys.steps:
        return np.ones(len(journeys.step), np.bool_)
    rows = np.arange(len(journeys.step))
    reached = np.flatnonzero(journeys.step == journeys.code_of(goal))
    end = np.full(len(journeys), len(rows))
    end[journeys.journey[reached][::-1]] = reached[::-1]
    found: NDArray[np.bool_] = rows <= end[journeys.journey]
    return found


def _dwell(
    journeys: Journeys, first: Ints, state: Ints, who: Ints, states: tuple[str, ...]
) -> dict[str, SurvivalTable]:
    over = np.append(who[1:] == who[:-1], False)
    last = journeys.last_us[who]
    until = np.where(over, journeys.time[np.append(first[1:], 0)], last)
    lasted = (until - journeys.time[first]) / 1e6
    made = {}
    for i, name in enumerate(states):
        mine = state == i
        if mine.any():
            made[name] = kaplan_meier(lasted[mine], over[mine], unit="seconds")
    return made


def _rounds(state: Ints, who: Ints, next_state: Ints, of: int, most: int, level: float) -> tuple[Round, ...]:
    mine = np.flatnonzero(state == of)
    if not len(mine):
        return ()
    head = np.flatnonzero(np.diff(who[mine], prepend=-1))
    number = np.arange(len(mine)) - np.repeat(head, np.diff(np.append(head, len(mine))))
    made = []
    for r in range(min(most, int(number.max()) + 1)):
        after = next_state[mine[number == r]]
        n = len(after)
        counts = {"buy": int((after == -1).sum()), "leave": int((after == -2).sum()), "wander": int((after >= 0).sum())}
        shares = {
            name: proportion(k, n, level=level, rule=f"{name} / round {r + 1}", small_sample_ok=True)
            for name, k in counts.items()
        }
        made.append(Round(number=r + 1, journeys=n, **shares))
    return tuple(made)
