"""How many touches a chain should remember: loss on journeys that were kept apart, and BIC."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.metrics.estimates import Estimate, estimate_of, frame_of
from crmcore.metrics.intervals import normal_quantile
from crmcore.metrics.scalars import count_of
from crmcore.touchpoints.attribution.chain import ORDERS
from crmcore.touchpoints.attribution.paths import PathCounts

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["OrderChoice", "OrderScore", "choose_order"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@attrs.frozen(kw_only=True)
class OrderScore:
    """How well an order foretells journeys kept apart.

    Attributes
    ----------
    loss : nats a step, smaller is better; a step is a touch, or the end
    bic : of all journeys; smaller is better
    contexts : distinct memories that were seen
    """

    order: int
    loss: Estimate
    bic: float
    contexts: int


@attrs.frozen(kw_only=True)
class OrderChoice(Document):
    """Orders with their scores, and the one to take: the lowest whose loss is within one standard error of the best."""

    scores: tuple[OrderScore, ...]
    order: int
    best: int

    def __str__(self) -> str:
        lines = [
            f"order {s.order}: {s.loss.value:.4f} nats a step, BIC {s.bic:,.0f}, {s.contexts:,} contexts"
            for s in self.scores
        ]
        why = "" if self.order == self.best else f" (order {self.best} is best, by less than one standard error)"
        return "\n".join([*lines, f"take order {self.order}{why}"])

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an order: order, loss, low, high, bic, contexts."""
        rows = [
            {
                "order": s.order, "loss": s.loss.value, "low": s.loss.low, "high": s.loss.high, "bic": s.bic,
                "contexts": s.contexts,
            }
            for s in self.scores
        ]  # fmt: skip
        return frame_of(rows, backend=backend)

    def chart(self) -> Chart:
        """Loss by order, with intervals."""
        from crmcore.charts import dot_interval

        return dot_interval(
            [f"order {s.order}" for s in self.scores], [s.loss for s in self.scores], axis="nats a step",
            title="Loss on journeys kept apart", description=str(self),
        )  # fmt: skip

    def _repr_html_(self) -> str:
        rows = [{"order": s.order, "loss": s.loss.value, "BIC": s.bic, "contexts": s.contexts} for s in self.scores]
        return html_table(rows, caption=f"take order {self.order}")


def choose_order(
    paths: PathCounts, /, *, orders: Sequence[int] = ORDERS, folds: int = 5, level: float = 0.95, seed: int = 0
) -> OrderChoice:
    """Compare orders of the Markov model on journeys that the model has not seen.

    Each journey is put in one of `folds` parts at random; each part is foretold from the others, every touch and the
    end. A memory that was never seen falls back to a shorter one: p_k(x) = (n(x) + p_k-1(x)) / (n + 1), down to
    order 0 and equal shares (MacKay and Peto 1995).

    Parameters
    ----------
    paths : PathCounts
        Whole counts; 30 or more journeys.
    orders : counts from 1
    folds, seed
        Of the parts.

    Examples
    --------
    >>> often = PathCounts.of(["a > b", "b > a", "a"], conversions=[400, 100, 100], nulls=[100, 400, 100])
    >>> choose_order(often).order
    2
    """
    count_of("folds", folds, least=2, hint="5 is usual")
    if not orders or any(k not in ORDERS for k in orders):
        raise OutOfRange("orders", list(orders), f"some of {list(ORDERS)}", "leave it out to try all")
    cells = np.concatenate([paths.conversions, paths.nulls])
    if (cells != np.round(cells)).any() or cells.sum() < folds:
        raise EmptyInput("whole journeys", f"the counts must be whole, and at least {folds}")
    part = np.random.default_rng(seed).multinomial(cells.astype(np.int64), np.full(folds, 1 / folds))  # (2m, folds)
    top = max(orders)
    contexts = [_contexts(paths, k) for k in range(top + 1)]
    losses: dict[int, list[tuple[Floats, Floats]]] = {k: [] for k in orders}
    for fold in range(folds):
        test = part[:, fold].astype(np.float64)
        p = _foretold(contexts, paths, cells - test, top)
        for k in orders:
            path_loss = np.add.reduceat(-np.log(p[k][0]), paths.start[:-1])
            rows = np.concatenate([path_loss - np.log(p[k][1]), path_loss - np.log(p[k][2])])
            losses[k].append((rows, test))
    steps = np.asarray(np.tile(paths.lengths + 1.0, 2), np.float64)
    scores, errors = [], {}
    for k in orders:
        weight = np.concatenate([w for _, w in losses[k]])
        loss, size = np.concatenate([x for x, _ in losses[k]]), np.tile(steps, folds)
        mean = float(weight @ loss / (weight @ size))
        errors[k] = _error(weight, loss - mean * size) / float(weight @ size)
        half = normal_quantile(level) * errors[k]
        made = estimate_of(mean, mean - half, mean + half, level=level, n=weight.sum(), rule="nats a step", method="cross-validation")  # noqa: E501  # fmt: skip
        bic, seen = _bic(contexts[k], paths, cells)
        scores.append(OrderScore(order=k, loss=made, bic=bic, contexts=seen))
    best = min(scores, key=lambda s: s.loss.value).order
    order = _lowest_alike(losses, best, steps, folds)
    return OrderChoice(scores=tuple(scores), order=order, best=best)


def _lowest_alike(losses: dict[int, list[tuple[Floats, Floats]]], best: int, steps: Floats, folds: int) -> int:
    """Lowest order whose loss, journey by journey, is less than one standard error above the best."""
    weight = np.concatenate([w for _, w in losses[best]])
    top = np.concatenate([x for x, _ in losses[best]])
    for k in sorted(losses):
        more = np.concatenate([x for x, _ in losses[k]]) - top
        if k == best or weight @ more <= _error(weight, more - weight @ more / weight.sum()):
            return k
    return best


def _error(weight: Floats, rest: Floats) -> float:
    """Standard error of a sum over journeys."""
    return math.sqrt(float(weight @ rest**2))


def _contexts(paths: PathCounts, order: int) -> tuple[Ints, Ints]:
    """(n,) memory before each touch, and (m,) memory at the end: up to `order` touches; distinct ones are numbered."""
    n, base = len(paths.touch), len(paths.channels) + 1
    place = np.arange(n) - np.repeat(paths.start[:-1], paths.lengths)
    letter = paths.touch.astype(np.int64) + 1
    before, after = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for back in range(order):
        shifted = np.concatenate([np.zeros(back + 1, np.int64), letter])[:n]
        before += np.where(place > back, shifted, 0) * base**back
        own = np.concatenate([np.zeros(back, np.int64), letter])[:n]
        after += np.where(place >= back, own, 0) * base**back
    ends = after[paths.start[1:] - 1]
    _, code = np.unique(np.concatenate([before, ends]), return_inverse=True)
    return code[:n], code[n:]


def _foretold(
    contexts: list[tuple[Ints, Ints]], paths: PathCounts, cells: Floats, top: int
) -> list[tuple[Floats, Floats, Floats]]:
    """By order: probability of each touch, of a conversion and of a null at the end of each path."""
    m, c = len(paths), len(paths.channels)
    won, lost = cells[:m], cells[m:]
    both = (won + lost)[paths.path_of]
    width = c + 2
    even = np.full(len(paths.touch), 1.0 / width)
    below = (even, np.full(m, 1.0 / width), np.full(m, 1.0 / width))
    known: tuple[Floats, ...] = (np.full(len(even), np.inf), np.full(m, np.inf), np.full(m, np.inf))
    made = []
    for before, ends in contexts[: top + 1]:
        size = int(max(before.max(), ends.max())) + 1
        touch_key = before * width + paths.touch
        keys = np.concatenate([touch_key, ends * width + c, ends * width + c + 1])
        _, code = np.unique(keys, return_inverse=True)
        weight = np.concatenate([both, won, lost])
        seen = np.bincount(code, weight)[code]
        total = np.bincount(before, both, size) + np.bincount(ends, won + lost, size)
        n = len(before)
        own = (seen[:n], seen[n : n + m], seen[n + m :])
        sizes = tuple(total[at].astype(np.float64) for at in (before, ends, ends))
        # a longer memory that was never apart from the shorter one tells nothing new
        new = [np.where(n == k, b, (s + b) / (n + 1.0)) for s, b, n, k in zip(own, below, sizes, known, strict=True)]
        below, known = (new[0], new[1], new[2]), sizes
        made.append(below)
    return made


def _bic(context: tuple[Ints, Ints], paths: PathCounts, cells: Floats) -> tuple[float, int]:
    """BIC of the maximum likelihood, and the number of memories; a parameter is a distinct step but one a memory."""
    m, width = len(paths), len(paths.channels) + 2
    before, ends = context
    won, lost = cells[:m], cells[m:]
    keys = np.concatenate([before * width + paths.touch, ends * width + width - 2, ends * width + width - 1])
    weight = np.concatenate([(won + lost)[paths.path_of], won, lost])
    found, code = np.unique(keys, return_inverse=True)
    count = np.bincount(code, weight)
    memory = found // width
    total = np.bincount(memory, count)
    there = count > 0
    loglik = float(count[there] @ np.log(count[there] / total[memory[there]]))
    memories = int((total > 0).sum())
    return (int(there.sum()) - memories) * math.log(float(cells.sum())) - 2 * loglik, memories
