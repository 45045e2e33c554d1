"""How much of the past matters: tests of the Markov order, and log loss on journeys kept apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table, number_text
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.metrics.columns import columns_frame
from crmcore.touchpoints.journeys.table import Journeys

__all__ = ["OrderTable", "OrderTest", "markov_order", "order_statistic"]

Ints = NDArray[np.int64]


@attrs.frozen(kw_only=True)
class OrderTest:
    """One more step of memory: `order` against the order below it.

    Attributes
    ----------
    statistic, freedom, p_value : G² of the likelihood ratio, degrees of freedom, and the chance of so much by luck
    log_loss, log_loss_below : nats a step on journeys kept apart, with this order and with the one below
    """

    order: int
    statistic: float
    freedom: int
    p_value: float
    log_loss: float
    log_loss_below: float
    n: int

    @property
    def helps(self) -> bool:
        """Whether the longer memory predicts journeys that it has not seen better."""
        return self.log_loss < self.log_loss_below


@attrs.frozen(kw_only=True)
class OrderTable(Document):
    """Tests of the orders 1, 2, ... each against the one below."""

    tests: tuple[OrderTest, ...]
    steps: int
    journeys: int

    @property
    def best(self) -> int:
        """Order with the lowest log loss on journeys kept apart; the lower one of equals."""
        losses = [self.tests[0].log_loss_below, *(t.log_loss for t in self.tests)]
        return int(np.argmin(losses))

    def __getitem__(self, order: int) -> OrderTest:
        if not 1 <= order <= len(self.tests):
            raise OutOfRange("order", order, f"1 to {len(self.tests)}", "ask for more with highest=")
        return self.tests[order - 1]

    def __str__(self) -> str:
        lines = [
            f"order {t.order} against {t.order - 1}: G² = {number_text(t.statistic)}, {t.freedom} degrees, "
            f"p = {number_text(t.p_value)}; log loss {t.log_loss:.4f} against {t.log_loss_below:.4f}"
            for t in self.tests
        ]
        return "\n".join([f"{self.journeys:,} journeys, {self.steps} steps; best order {self.best}", *lines])

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an order: order, statistic, freedom, p_value, log_loss, log_loss_below, n."""
        rows = [attrs.asdict(t) for t in self.tests]
        return columns_frame({k: np.array([r[k] for r in rows]) for k in rows[0]}, backend=backend)

    def _repr_html_(self) -> str:
        rows = [
            {"order": t.order, "p": number_text(t.p_value), "log loss": f"{t.log_loss:.4f}",
             "below": f"{t.log_loss_below:.4f}"}
            for t in self.tests
        ]  # fmt: skip
        return html_table(rows, caption=f"memory of {self.journeys:,} journeys: best order {self.best}")


def markov_order(
    journeys: Journeys, /, *, seed: int | np.random.Generator, highest: int = 2, folds: int = 5
) -> OrderTable:
    """Test whether the next step depends on one, two, ... steps before.

    The end of a journey counts as a step to be predicted, its beginning as a step that is known.

    Parameters
    ----------
    journeys : Journeys
    seed : int or Generator
        Deals the journeys to the folds.
    highest : the longest memory that is tried; 1 or more
    folds : parts of which each is predicted from the others; 2 or more

    Notes
    -----
    G² = 2 Σ n(a, b, c) log[n(a, b, c) n(b) / (n(a, b) n(b, c))], chi-squared in large samples with
    Σ_b (pasts of b - 1)(futures of b - 1) degrees, pasts and futures that were seen: Anderson & Goodman (1957), Annals
    of Mathematical Statistics 28:89; Bishop, Fienberg & Holland (1975), chapter 7, for cells that cannot be filled.
    Log loss smooths each order towards the one below with the weight of one observation.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> walks = [["ab"[int(c)] for c in rng.integers(0, 2, rng.geometric(0.2))] for _ in range(500)]
    >>> found = markov_order(Journeys.of(walks), seed=1)
    >>> found[2].p_value > 0.01, found.best < 2
    (True, True)
    """
    if not highest >= 1:
        raise OutOfRange("highest", highest, "1 or more", "order 1 looks at the step before")
    some = journeys.take(journeys.length > 0)
    if not 2 <= folds <= len(some):
        if len(some) < 2:
            raise EmptyInput("journeys", "two journeys at least, one to learn from and one to predict")
        raise OutOfRange("folds", folds, f"2 to {len(some)}, the journeys", "five is common")
    past, following, who = _contexts(some, highest)
    rng = np.random.default_rng(seed)
    fold = rng.permutation(len(some)) % folds
    losses = _losses(past, following, fold[who], folds, len(some.steps) + 1)
    tests = []
    for order in range(1, highest + 1):
        statistic, freedom = order_statistic(past[order], past[order - 1], following)
        tests.append(
            OrderTest(
                order=order,
                statistic=statistic,
                freedom=freedom,
                p_value=_beyond(statistic, freedom),
                log_loss=losses[order],
                log_loss_below=losses[order - 1],
                n=len(following),
            )
        )
    return OrderTable(tests=tuple(tests), steps=len(some.steps), journeys=len(some))


def _contexts(journeys: Journeys, highest: int) -> tuple[list[Ints], Ints, Ints]:
    """Codes of the last 0, 1, ... steps before each step, the step (the end too), and its journey."""
    k, m = len(journeys.steps), len(journeys)
    end, begin = k, k + 1
    length = journeys.length + 1
    start = np.concatenate([[0], np.cumsum(length)])
    following = np.full(int(start[-1]), end, np.int64)
    inside = np.ones(len(following), np.bool_)
    inside[start[1:] - 1] = False
    following[inside] = journeys.step
    place = np.arange(len(following)) - np.repeat(start[:-1], length)
    past = [np.zeros(len(following), np.int64)]
    for back in range(1, highest + 1):
        shifted = np.concatenate([np.full(back, begin), following[:-back]])
        word = np.where(place >= back, shifted, begin)
        past.append(np.unique(past[-1] * (k + 2) + word, return_inverse=True)[1].astype(np.int64))
    return past, following, np.repeat(np.arange(m), length)


def order_statistic(longer: Ints, shorter: Ints, following: Ints, /) -> tuple[float, int]:
    """G² of a longer context against a shorter one that it determines, and its degrees of freedom.

    Parameters
    ----------
    longer, shorter, following : (n,) codes from 0
    """
    size = int(following.max()) + 1

    def cells(*codes: Ints) -> tuple[Ints, Ints, Ints]:
        key = codes[0] * size + codes[1] if len(codes) == 2 else codes[0]
        values, inverse, count = np.unique(key, return_inverse=True, return_counts=True)
        return values, inverse, count

    triples, _, n_abc = cells(longer, following)
    a, c = np.divmod(triples, size)
    to = np.zeros(int(longer.max()) + 1, np.int64)
    to[longer] = shorter
    b = to[a]
    n_ab, n_b = np.bincount(longer), np.bincount(shorter)
    pairs, _, n_bc = cells(shorter, following)
    of_pair = n_bc[np.searchsorted(pairs, b * size + c)]
    statistic = 2 * float((n_abc * np.log(n_abc * n_b[b] / (n_ab[a] * of_pair))).sum())
    pasts = np.bincount(to[np.unique(longer)], minlength=len(n_b))
    futures = np.bincount(pairs // size, minlength=len(n_b))
    return max(statistic, 0.0), int(((pasts - 1) * (futures - 1)).sum())


def _beyond(statistic: float, freedom: int) -> float:
    from scipy.special import chdtrc

    return float(chdtrc(freedom, statistic)) if freedom else 1.0


def _losses(past: Sequence[Ints], following: Ints, fold: Ints, folds: int, size: int) -> list[float]:
    total = np.zeros(len(past))
    for part in range(folds):
        seen = fold != part
        asked = ~seen
        chance = np.full(int(asked.sum()), 1 / size)
        for order, context in enumerate(past):
            key = context * size + following
            top = (int(context.max()) + 1) * size
            n_key = np.bincount(key[seen], minlength=top) if top < 1 << 24 else None
            if n_key is None:
                keys, counts = np.unique(key[seen], return_counts=True)
                at = np.minimum(np.searchsorted(keys, key[asked]), len(keys) - 1)
                hits = np.where(keys[at] == key[asked], counts[at], 0)
            else:
                hits = n_key[key[asked]]
            n_context = np.bincount(context[seen], minlength=int(context.max()) + 1)[context[asked]]
            chance = (hits + chance) / (n_context + 1)
            total[order] -= np.log(chance).sum()
    return [float(x) for x in total / len(following)]
