"""Buying again: how likely a customer buys an item once more, from how soon it is used up. Apart from discovery."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.documents import Document
from crmcore.errors import OutOfRange
from crmcore.idic.customize.recommending.histories import Histories

__all__ = ["Replenishment", "ReplenishmentModel"]

Floats = NDArray[np.float64]
MOST = 5  # baskets: who bought an item five times or more is one group


@attrs.frozen(kw_only=True)
class Replenishment(Document):
    """Recipe of `ReplenishmentModel`.

    Attributes
    ----------
    prior_pairs : count
        How many pairs the whole catalogue counts beside those of one item.
    """

    prior_pairs: float = 20.0

    def __attrs_post_init__(self) -> None:
        if not 0 < self.prior_pairs < np.inf:
            raise OutOfRange("prior_pairs", self.prior_pairs, "a number above 0", "20 is the default")

    def fit(self, found: Histories, /) -> ReplenishmentModel:
        """Learn intervals and shares of repeaters.

        The interval of a pair with c baskets is (first - last) / (c - 1). Log intervals of an item are shrunk to those
        of the catalogue; the share that buys once more after c baskets is shrunk likewise.
        """
        n = len(found.items)
        again = found.baskets > 1
        gap = np.log(np.maximum((found.first_age_days - found.age_days)[again] / (found.baskets[again] - 1), 0.5))
        item = found.item[again]
        level = float(gap.mean()) if len(gap) else np.log(30.0)
        spread = float(max(gap.std(), 0.25)) if len(gap) else 1.0
        held = np.bincount(item, minlength=n)
        means = (np.bincount(item, weights=gap, minlength=n) + self.prior_pairs * level) / (held + self.prior_pairs)
        reached = np.array([(found.baskets >= c).sum() for c in range(1, MOST + 2)], float)
        share = (reached[1:] + 0.5) / (reached[:-1] + 1.0)
        usual = (held.sum() + 0.5) / (len(found) + 1.0)
        own = (held + self.prior_pairs * usual) / (found.buyers + self.prior_pairs) / usual
        return ReplenishmentModel(items=found.items, log_days=means, spread=spread, share=share, loyalty=own)


@attrs.frozen(eq=False, repr=False, kw_only=True)
class ReplenishmentModel(Document):
    """When what was bought is bought again.

    Attributes
    ----------
    items : ids, sorted
    log_days : (items,) mean of the log of the days between two purchases of one customer
    spread : standard deviation of these logs within the catalogue
    share : (5,) of those who bought 1, 2, 3, 4, 5+ times, how many bought once more
    loyalty : (items,) how much more often than usual an item is bought again
    """

    items: tuple[str, ...]
    log_days: Floats
    spread: float
    share: Floats
    loyalty: Floats

    def __repr__(self) -> str:
        days = np.exp(np.median(self.log_days))
        return f"ReplenishmentModel({len(self.items)} items, again after {days:.0f} days)"

    def days(self, item: NDArray[np.intp], baskets: NDArray[np.int64], first: Floats, last: Floats, /) -> Floats:
        """(pairs,) days between two purchases: the item's, and the pair's own with the weight of its intervals."""
        own = np.log(np.maximum((first - last) / np.maximum(baskets - 1, 1), 0.5))
        weight = np.maximum(baskets - 1, 0)
        made: Floats = np.exp((self.log_days[item] + weight * own) / (1 + weight))
        return made

    def chance(
        self, item: NDArray[np.intp], baskets: NDArray[np.int64], first: Floats, last: Floats, /, *,
        horizon_days: float = 30.0,
    ) -> Floats:  # fmt: skip
        """(pairs,) probability to buy again within the horizon, given that it has not been until now.

        s (F(a + h) - F(a)) / (1 - s F(a)) with age a, horizon h, F the log-normal law of the interval and s the share
        that ever buys once more: who is long overdue has probably stopped.

        Parameters
        ----------
        item, baskets, first, last : (pairs,)
            Code, baskets, days since the first and since the last purchase.
        """
        from scipy.special import ndtr

        centre = np.log(self.days(item, baskets, first, last))
        s = np.clip(self.share[np.clip(baskets, 1, MOST) - 1] * self.loyalty[item], 0.001, 0.98)
        before = ndtr((np.log(np.maximum(last, 1e-3)) - centre) / self.spread)
        after = ndtr((np.log(np.maximum(last, 0.0) + horizon_days) - centre) / self.spread)
        made: Floats = s * np.maximum(after - before, 0.0) / (1 - s * before)
        return np.clip(made, 0.0, 1.0)
