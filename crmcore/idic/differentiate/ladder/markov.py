"""Lifetime value from moves between rungs: a Markov chain with rewards (Pfeifer and Carraway 2000)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table
from crmcore.errors import OutOfRange
from crmcore.graphs import ChainCounts, chain_value, posterior_intervals
from crmcore.idic.differentiate.rfm.migrating import Migration
from crmcore.metrics.columns import numbers
from crmcore.metrics.estimates import Estimate, check_level, frame_of
from crmcore.metrics.scalars import count_of

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["MarkovClv", "MarkovClvResult"]

Floats = NDArray[np.float64]


@attrs.frozen(kw_only=True)
class MarkovClvResult:
    """Lifetime value by rung, in the unit of the rewards."""

    names: tuple[str, ...]
    values: tuple[Estimate, ...]
    discount: float

    def __str__(self) -> str:
        wide = max(map(len, self.names))
        return "\n".join(f"{n:{wide}}  {e}" for n, e in zip(self.names, self.values, strict=True))

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a rung: rung, value, low, high, n."""
        rows = [
            {"rung": n, "value": e.value, "low": e.low, "high": e.high, "n": e.n}
            for n, e in zip(self.names, self.values, strict=True)
        ]
        return frame_of(rows, backend=backend)

    def chart(self) -> Chart:
        """Dots with intervals, one a rung."""
        from crmcore.charts import dot_interval

        return dot_interval(self.names, self.values, title="Lifetime value by rung", axis="value")

    def _repr_html_(self) -> str:
        rows = [{"rung": n, "value": str(e)} for n, e in zip(self.names, self.values, strict=True)]
        return html_table(rows, caption="lifetime value by rung")


@attrs.frozen(kw_only=True)
class MarkovClv:
    """Recipe: discount a period, end, and how intervals are drawn.

    Attributes
    ----------
    discount : share a period of the moves, above 0 (a yearly 10 % is 1.1 ** (1 / 12) - 1 a month)
    periods : periods after the present one; None = without end
    draws : draws of the interval; each row of the chain is a Dirichlet with the Jeffreys-like prior 1 / k
    level : coverage
    """

    discount: float
    periods: int | None = None
    draws: int = 2000
    level: float = 0.95

    def __attrs_post_init__(self) -> None:
        check_level(self.level)
        count_of("draws", self.draws, least=100, hint="2000 is usual")
        if not 0 < self.discount < 10:
            raise OutOfRange("discount", self.discount, "above 0 a period", "0.01 is 1 % a period")
        if self.periods is not None:
            count_of("periods", self.periods, hint="None means without end")

    def fit(
        self, moves: Migration, *, reward: ArrayLike, cost: ArrayLike | None = None, seed: int | np.random.Generator
    ) -> MarkovClvResult:
        """Value every rung from counted moves.

        Parameters
        ----------
        moves : Migration
            Of `Climb.step_counts`; a rung that nobody stood on stays where it is and gets NaN.
        reward : (k,) money a period on each rung
        cost : (k,) money a period spent on each rung, optional
        seed
            Of the draws.

        Examples
        --------
        >>> from crmcore.idic.differentiate.rfm import Migration
        >>> moves = Migration(names=("gone", "active"), counts=[[50, 0], [40, 60]])
        >>> found = MarkovClv(discount=0.2).fit(moves, reward=[0, 40], seed=1)
        >>> round(found.values[1].value, 6)
        80.0
        """
        k = len(moves.names)
        gain = numbers("reward", reward, infinite_ok=False)
        spent = np.zeros(k) if cost is None else numbers("cost", cost, infinite_ok=False)
        for name, column in (("reward", gain), ("cost", spent)):
            if len(column) != k or np.isnan(column).any():
                raise OutOfRange(name, column.tolist(), f"{k} known numbers, one a rung", f"rungs are {moves.names}")
        net, count = gain - spent, moves.counts.astype(np.float64)
        size = count.sum(axis=1)
        seen = size > 0
        step = np.where(seen[:, None], count / np.maximum(size, 1)[:, None], np.eye(k))
        value = chain_value(step, net, discount=self.discount, periods=self.periods)
        drawn = ChainCounts(states=moves.names, counts=count, starts=np.zeros(k)).draws(
            self.draws, rng=np.random.default_rng(seed)
        )
        values = chain_value(drawn, net, discount=self.discount, periods=self.periods)
        value, values = np.where(seen, value, np.nan), np.where(seen, values, np.nan)
        made = posterior_intervals(value, values, level=self.level, n=size, rule="discounted value from now on")
        return MarkovClvResult(names=moves.names, values=made, discount=self.discount)
