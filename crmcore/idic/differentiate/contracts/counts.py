"""Contracts by the renewal at which they ended: counts that add up over cohorts."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import EmptyInput, OutOfRange
from crmcore.metrics.columns import not_negative, numbers

__all__ = ["ContractCounts"]


@attrs.frozen(kw_only=True)
class ContractCounts:
    """How many contracts ended at each renewal, and how many were still running after it and not seen longer.

    Attributes
    ----------
    lost : (m,) contracts
        Ended at renewal 1, 2, ..., m.
    running : (m,) contracts
        Last seen alive after renewal 1, 2, ..., m (the youngest cohorts end early).

    Examples
    --------
    >>> old = ContractCounts.of([131, 126, 90], survivors=653)
    >>> young = ContractCounts.of([120], survivors=880)
    >>> old + young
    ContractCounts(lost=(251.0, 126.0, 90.0), running=(880.0, 0.0, 653.0))
    """

    lost: tuple[float, ...]
    running: tuple[float, ...]

    def __attrs_post_init__(self) -> None:
        if len(self.lost) != len(self.running):
            raise OutOfRange(
                "len(running)", len(self.running), f"{len(self.lost)}, as lost", "one entry a renewal each"
            )
        not_negative("contract counts", lost=np.array(self.lost, float), running=np.array(self.running, float))

    @classmethod
    def of(cls, lost: ArrayLike, /, *, survivors: float) -> ContractCounts:
        """One cohort that began together: losses per renewal and who is left after the last.

        Raises
        ------
        EmptyInput, BadRows
            No period, or a negative or missing count.
        """
        column = numbers("lost", lost)
        if not len(column):
            raise EmptyInput("lost", "pass the contracts lost at each renewal, the first renewal first")
        running = np.zeros(len(column))
        running[-1] = survivors
        return cls(lost=tuple(column.tolist()), running=tuple(running.tolist()))

    @property
    def n(self) -> int:
        """Contracts in all."""
        return round(sum(self.lost) + sum(self.running))

    def columns(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Both counts as arrays."""
        return np.array(self.lost, np.float64), np.array(self.running, np.float64)

    def __add__(self, other: ContractCounts) -> ContractCounts:
        """Contracts of both."""
        m = max(len(self.lost), len(other.lost))
        sums = [np.zeros(m), np.zeros(m)]
        for part in (self, other):
            for total, column in zip(sums, part.columns(), strict=True):
                total[: len(column)] += column
        return ContractCounts(lost=tuple(sums[0].tolist()), running=tuple(sums[1].tolist()))
