"""What was decided, how likely it was, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.choice import BetaArms
from crmcore.errors import BadRow, BadRows, EmptyInput, OutOfRange

__all__ = ["DecisionLog"]

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class DecisionLog:
    """Decisions with their propensities and rewards; made by `DecisionLog.of`.

    Attributes
    ----------
    actions, strata : names, sorted
    action, stratum : (n,) codes
    propensity : (n,) probability with which the action was chosen, in (0, 1]
    reward : (n,) what came of it, any unit
    customers : (n,) codes, or None where each row is another customer
    """

    actions: tuple[str, ...]
    action: Codes
    propensity: Floats
    reward: Floats
    strata: tuple[str, ...]
    stratum: Codes
    customers: Codes | None

    def __len__(self) -> int:
        return len(self.action)

    def __repr__(self) -> str:
        return f"DecisionLog({len(self)} decisions, {len(self.actions)} actions, {len(self.strata)} strata)"

    @classmethod
    def of(
        cls,
        action: Sequence[object] | NDArray[Any],
        propensity: ArrayLike,
        reward: ArrayLike,
        *,
        stratum: Sequence[object] | NDArray[Any] | None = None,
        customers: Sequence[object] | NDArray[Any] | None = None,
    ) -> DecisionLog:
        """Read columns of a log.

        Parameters
        ----------
        action : (n,) names
        propensity : (n,) shares in (0, 1]
            Of the very decision, as it was made; a guess made afterwards biases everything that follows.
        reward : (n,) finite numbers
            0 where nothing came of it.
        stratum : (n,) names, optional
            Coarse context in which actions are alike, such as a position or a segment; the reward model knows no more.
        customers : (n,) ids, optional
            Whose decision it was: rows of one customer are not independent.

        Raises
        ------
        OutOfRange, BadRows, EmptyInput
            Columns of several lengths; all rows that cannot be used.

        Examples
        --------
        >>> DecisionLog.of(["mail", "none"], [0.5, 0.5], [1.0, 0.0])
        DecisionLog(2 decisions, 2 actions, 1 strata)
        """
        shares, gains = np.asarray(propensity, np.float64), np.asarray(reward, np.float64)
        n = len(action)
        given = {"propensity": shares, "reward": gains, "stratum": stratum, "customers": customers}
        for name, column in given.items():
            if column is not None and len(column) != n:
                raise OutOfRange(name, f"{len(column)} entries", f"{n} entries, as action", "one a decision")
        if not n:
            raise EmptyInput("the log of decisions", "pass at least one decision")
        faults = [
            BadRow("propensity", "not above 0 and at most 1", _rows(~((shares > 0) & (shares <= 1)))),
            BadRow("reward", "not a finite number", _rows(~np.isfinite(gains))),
        ]
        faults = [fault for fault in faults if fault.positions]
        if faults:
            raise BadRows("the log", tuple(faults), "log the probability of the action that was chosen, and 0 for none")
        actions, code = _coded(action)
        strata, place = (("",), np.zeros(n, np.intp)) if stratum is None else _coded(stratum)
        who = None if customers is None else _coded(customers)[1]
        return cls(
            actions=actions, action=code, propensity=shares, reward=gains, strata=strata, stratum=place, customers=who
        )

    def beliefs(self, *, prior: tuple[float, float] = (1.0, 1.0)) -> BetaArms:
        """What the log tells of each action, for `choice.Thompson`; rewards from 0 to 1, such as accepted or not.

        Examples
        --------
        >>> DecisionLog.of(["mail", "mail", "call"], [0.5] * 3, [0, 0, 1]).beliefs().won
        (1.0, 0.0)
        """
        names = [self.actions[a] for a in self.action.tolist()]
        return BetaArms.of(self.actions, prior=prior).learn(names, self.reward)


def _coded(column: Sequence[object] | NDArray[Any]) -> tuple[tuple[str, ...], Codes]:
    names, code = np.unique(np.array([str(x) for x in column], dtype=object), return_inverse=True)
    return tuple(names.tolist()), code.astype(np.intp)


def _rows(bad: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(np.flatnonzero(bad).tolist())
