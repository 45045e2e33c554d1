"""What each person is like underneath: needs, purchase rate, dropout, spend, satisfaction, advocacy. All of it is truth."""

# ruff: noqa: E501  (columns read best as lines)

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.datasets.columns import Ints, children, draw

__all__ = ["NEEDS", "VALUE_CLASSES", "Planted", "Traits", "simulate_traits"]

NEEDS = ("convenience", "price", "status")
VALUE_CLASSES = ("bronze", "silver", "gold")
Floats = NDArray[np.float64]


@attrs.frozen(kw_only=True)
class Planted:
    """The parameters from which a brand is drawn; times in weeks, money in minor units.

    Orders follow BG/NBD with gamma-gamma spend (Fader, Hardie and Lee 2005): purchase rate ~ Gamma(r, alpha), dropout
    after each repeat order with probability ~ Beta(a, b), spend of one order ~ Gamma(p, nu) with nu ~ Gamma(q, gamma).
    """

    currency: str = "THB"
    r: float = 0.65
    alpha: float = 9.0
    a: float = 0.9
    b: float = 3.6
    p: float = 6.0
    q: float = 4.0
    gamma: float = 30_000.0
    needs_share: tuple[float, float, float] = (0.42, 0.38, 0.20)
    superfan_share: float = 0.02
    late_if_swift: float = 0.30
    late_otherwise: float = 0.05
    damaged_if_new_box: float = 0.09
    damaged_otherwise: float = 0.015
    spam_share: float = 0.08
    holdout_share: float = 0.20
    base_response: float = 0.06
    uplift: tuple[float, float, float] = (0.02, 0.09, -0.015)
    email_lift: float = 1.8
    answered_share: float = 0.93
    reply_hours: float = 16.0
    staff_share: float = 0.18


@attrs.frozen(eq=False, repr=False)
class Traits:
    """(n,) columns beside `People`."""

    needs: Ints  # code of NEEDS
    purchase_rate: Floats  # orders a week while active
    dropout: Floats  # probability after each repeat order
    mean_spend: Floats  # minor units an order
    satisfaction: Floats  # latent, mean 0, deviation 1
    engagement: Floats  # mean 1: how much a person browses, writes, answers
    superfan: NDArray[np.bool_]
    value_class: Ints  # code of VALUE_CLASSES

    def __len__(self) -> int:
        return len(self.needs)

    def __repr__(self) -> str:
        return f"Traits({len(self)} persons)"


def simulate_traits(n: int, *, planted: Planted, rng: np.random.Generator) -> Traits:
    """Draw what n persons are like.

    Examples
    --------
    >>> traits = simulate_traits(10_000, planted=Planted(), rng=np.random.default_rng(1))
    >>> np.bincount(traits.value_class).tolist(), round(float(traits.mean_spend.mean()), -4)
    ([8000, 1500, 500], 60000.0)
    """
    r = children(rng, "needs", "rate", "dropout", "spend", "satisfaction", "engagement", "superfan")
    rate = r["rate"].gamma(planted.r, 1 / planted.alpha, n)
    dropout = r["dropout"].beta(planted.a, planted.b, n)
    mean_spend = planted.p / r["spend"].gamma(planted.q, 1 / planted.gamma, n)
    # Expected spend of a year of an active customer who may drop out at each order.
    yearly = mean_spend * (1 - np.exp(-52 * rate * dropout)) / np.maximum(dropout, 1e-9)
    rank = np.argsort(np.argsort(yearly, kind="stable"), kind="stable") / n
    value_class = np.searchsorted([0.80, 0.95], rank, side="right").astype(np.int64)
    superfan = (rank >= 0.80) & (r["superfan"].random(n) < planted.superfan_share / 0.20)
    engagement = r["engagement"].gamma(1.2, 1 / 1.2, n) * np.where(superfan, 6.0, 1.0)
    satisfaction = r["satisfaction"].normal(0, 1, n) + 1.6 * superfan
    return Traits(
        draw(r["needs"], planted.needs_share, n), rate, dropout, mean_spend, satisfaction, engagement, superfan, value_class
    )  # fmt: skip
