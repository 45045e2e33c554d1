"""Lists of items for many customers, computed when they are first read; masks can be laid on before and after."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table, mask
from crmcore._frames import write_frame
from crmcore.errors import OutOfRange, UnknownName
from crmcore.idic.customize.recommending.asking import Asked, check_k
from crmcore.idic.customize.recommending.diversity import spread_out
from crmcore.idic.customize.recommending.masking import Eligible, allowed
from crmcore.idic.customize.recommending.model import RecommenderModel
from crmcore.idic.customize.recommending.ranking import SPARE, best_of, sorted_by
from crmcore.idic.customize.recommending.reasons import Scope, Source, Suggestion

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["TopItems"]

Codes = NDArray[np.intp]
Floats = NDArray[np.float64]
BLOCK = 512
SOURCES = (Source.HISTORY, Source.AGAIN, Source.SEGMENT, Source.POPULAR)
POOL = 5  # times k: the candidates of a list that is spread out


@attrs.frozen(eq=False, repr=False, kw_only=True)
class TopItems:
    """The best k items for each of many customers; `where` and `diverse` make new lists from it.

    Attributes
    ----------
    model, asked : what recommends, for whom
    k : items a customer
    scope : new items, bought before, or both
    again : (pairs,) probability to buy each item of the histories again; needed beyond new items
    again_weight : what a probability of 1 adds to the score of an item, where both are ranked together
    masks : names and truths, (items,) or (customers, items)
    """

    model: RecommenderModel
    asked: Asked
    k: int
    scope: Scope = Scope.NEW
    again: Floats | None = None
    again_weight: float = 1.0
    masks: tuple[tuple[str, NDArray[np.bool_]], ...] = ()
    variety: float = 0.0
    categories: Mapping[str, str] | None = None
    with_filler: bool = True

    def __len__(self) -> int:
        return len(self.asked)

    def __repr__(self) -> str:
        rules = f", where {', '.join(name for name, _ in self.masks)}" if self.masks else ""
        return f"TopItems({self.k} {self.scope} items, {len(self)} customers{rules})"

    def __str__(self) -> str:
        lines = [repr(self)]
        for name in self.asked.names[:3]:
            lines += [f"{mask(name)}", *(f"  {s}" for s in self[name])]
        return "\n".join(lines)

    # --- narrowing -------------------------------------------------------------------------------------------------

    def where(self, eligible: Eligible, *, reason: str = "eligible") -> TopItems:
        """Recommend only what may be: the next best move up, nothing that is masked is ever shown.

        Parameters
        ----------
        eligible
            Items; or item to True, False, a `rules.Truth` or None; or a function of an item; or truths in the order of
            `model.items`, one row for all or one a customer. What is missing or unknown is not eligible.
        reason : text
            Told where too little is left.
        """
        made = allowed(eligible, self.model.items, len(self))
        return attrs.evolve(self, masks=(*self.masks, (reason, made)))

    def without(self, items: Collection[str], *, reason: str = "not left out") -> TopItems:
        """Recommend none of these items."""
        gone = set(items)
        return self.where(lambda item: item not in gone, reason=reason)

    def diverse(self, variety: float = 0.3, *, categories: Mapping[str, str] | None = None) -> TopItems:
        """Spread each list out: each next item is the best by (1 - variety) score - variety likeness to those before.

        Parameters
        ----------
        variety : share
            0 changes nothing, 1 looks at the score only for the first.
        categories : item to category, optional
            Two items are alike (1) in one category, else not; without it likeness is the cosine of what leads to them.

        Notes
        -----
        Maximal marginal relevance: Carbonell & Goldstein (1998), SIGIR; scores are brought to 0..1 within a list.
        """
        if not 0 <= variety <= 1:
            raise OutOfRange("variety", variety, "0 to 1", "0.3 is gentle")
        return attrs.evolve(self, variety=variety, categories=categories)

    # --- reading ---------------------------------------------------------------------------------------------------

    def __getitem__(self, customer: str) -> tuple[Suggestion, ...]:
        """List of one customer, best first."""
        r = self._row(customer)
        targets, scores, sources = (column[r] for column in self._found)
        n = int((targets >= 0).sum())
        because = self._because(r, targets[:n], sources[:n])
        return tuple(
            Suggestion(item=self.model.items[t], rank=i + 1, score=float(s), source=SOURCES[w], because=b)
            for i, (t, s, w, b) in enumerate(
                zip(targets[:n].tolist(), scores[:n].tolist(), sources[:n].tolist(), because, strict=True)
            )
        )

    def __iter__(self) -> Iterator[tuple[str, tuple[Suggestion, ...]]]:
        for name in self.asked.names:
            yield name, self[name]

    def _row(self, customer: str) -> int:
        if customer not in self._rows:
            raise UnknownName("customer (masked)", mask(customer), ("customers= of this list",))
        return self._rows[customer]

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {name: r for r, name in reversed(list(enumerate(self.asked.names)))}

    @property
    def codes(self) -> Codes:
        """(customers, k) positions in `model.items`, best first; -1 where fewer are left."""
        return self._found[0]

    @property
    def scores(self) -> Floats:
        """(customers, k) scores."""
        return self._found[1]

    def note(self, customer: str) -> str:
        """What a reader should know of one list; empty where there is nothing to say."""
        r = self._row(customer)
        n = int((self.codes[r] >= 0).sum())
        told = []
        if self.asked.unknown.get(r):
            told.append(f"not in the catalogue: {', '.join(self.asked.unknown[r])}")
        if not (self.asked.starts[r + 1] - self.asked.starts[r]):
            told.append("no history: what sells now")
        if n < self.k:
            told.append(f"{n} of {self.k}: {self._short(r)}")
        return "; ".join(told)

    def _short(self, r: int) -> str:
        left = np.ones(len(self.model.items), np.bool_)
        why = []
        for name, truths in self.masks:
            kept = left & (truths if truths.ndim == 1 else truths[r])
            if kept.sum() < left.sum():
                why.append(f"{int(left.sum() - kept.sum())} not {name}")
            left = kept
        if self.scope is Scope.NEW:
            had = int(left[np.unique(self.asked.item[self.asked.row(r)])].sum())
            why += [f"{had} bought before"] if had else []
        return ", ".join(why) or "nothing else to offer"

    def _because(self, r: int, targets: Codes, sources: NDArray[np.int8]) -> list[str | None]:
        here = self.asked.row(r)
        item = self.asked.item[here]
        if not len(item) or not len(targets) or not hasattr(self.model.scorer, "parts"):
            return [None] * len(targets)
        parts = self.model.scorer.parts(item, self.model.weights_of(self.asked.age_days[here]), targets)
        best = parts.argmax(0)
        return [
            self.model.items[item[b]] if w == 0 and parts[b, i] > 0 else None
            for i, (b, w) in enumerate(zip(best.tolist(), sources.tolist(), strict=True))
        ]

    @cached_property
    def _found(self) -> tuple[Codes, Floats, NDArray[np.int8]]:
        """Codes, scores and sources of all lists, one block of customers after the other."""
        k = check_k(self.k, len(self.model.items))
        blocks = [self._block(at, min(at + BLOCK, len(self)), k) for at in range(0, len(self), BLOCK)]
        if not blocks:
            return np.zeros((0, k), np.intp), np.zeros((0, k)), np.zeros((0, k), np.int8)
        codes, scores, sources = (np.concatenate(column) for column in zip(*blocks, strict=True))
        return codes, scores, sources

    def _block(self, at: int, stop: int, k: int) -> tuple[Codes, Floats, NDArray[np.int8]]:
        starts, item, here = self.asked.take(at, stop)
        weight = self.model.weights_of(self.asked.age_days[here])
        rough = self.model.scores(starts, item, weight)
        rows = np.repeat(np.arange(stop - at), np.diff(starts))
        open_ = self._open(at, stop, rows, item)
        held, added = (rows, item), None
        if self.scope is not Scope.NEW:
            assert self.again is not None, "the door gives the chances where they are needed"
            added = np.zeros(rough.shape)
            added[held] = self.again[here] * (self.again_weight if self.scope is Scope.BOTH else 1.0)
            rough = added.copy() if self.scope is Scope.AGAIN else rough + added
        ranked = np.where((rough > 0) & open_, rough, -np.inf)
        wide = k * POOL if self.variety else k
        target = best_of(ranked, wide + SPARE)
        exact = self._exact(starts, item, weight, target, rough, added)
        target, exact = sorted_by(target, exact, wide)
        if self.variety:
            like = self.categories if self.categories is not None else self.model.scorer
            target, exact = spread_out(target, exact, k, self.variety, like, self.model.items)
        sources = np.where(target >= 0, 0, 3).astype(np.int8)
        if added is not None:
            sources[(target >= 0) & (np.take_along_axis(added, np.maximum(target, 0), 1) > 0)] = 1
        if self.with_filler and self.scope is not Scope.AGAIN:
            self._fill(at, target, exact, sources, open_)
        return target, exact, sources

    def _exact(self, starts: Codes, item: Codes, weight: Floats, target: Codes, rough: Any, added: Any) -> Floats:
        if self.scope is Scope.AGAIN:
            return np.take_along_axis(added, np.maximum(target, 0), 1)
        from crmcore.idic.customize.recommending.scorers import to_grid

        base = rough if added is None else rough - added
        exact = self.model.exact_scores(starts, item, weight, target, base)
        return exact if added is None else exact + to_grid(np.take_along_axis(added, np.maximum(target, 0), 1))

    def _open(self, at: int, stop: int, rows: Codes, item: Codes) -> NDArray[np.bool_]:
        """(rows, items) what may be shown."""
        open_ = np.ones((stop - at, len(self.model.items)), np.bool_)
        for _, truths in self.masks:
            open_ &= truths if truths.ndim == 1 else truths[at:stop]
        if self.scope is Scope.NEW:
            open_[rows, item] = False
        return open_

    def _fill(self, at: int, target: Codes, exact: Floats, sources: NDArray[np.int8], open_: NDArray[np.bool_]) -> None:
        """Put what sells now where nothing personal is left."""
        short = np.flatnonzero((target < 0).any(1))
        segments = np.array([self.asked.segments[at + r] for r in short.tolist()], object)
        for segment in set(segments.tolist()):
            rows = short[segments == segment]
            share, here = self.model.filler(segment), target[rows]
            free = np.where(open_[rows] & (share > 0), share, -np.inf)
            row, column = np.nonzero(here >= 0)
            free[row, here[row, column]] = -np.inf
            gap = here < 0
            best = np.take_along_axis(best_of(free, here.shape[1]), np.maximum(gap.cumsum(1) - 1, 0), 1)
            put = gap & (best >= 0)
            target[rows] = np.where(put, best, here)
            exact[rows] = np.where(put, share[best], exact[rows])
            sources[rows] = np.where(put, 3 if segment is None else 2, sources[rows])

    # --- ways out --------------------------------------------------------------------------------------------------

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a customer and item: customer, rank, item, score, source, because."""
        columns: dict[str, list[Any]] = {n: [] for n in ("customer", "rank", "item", "score", "source", "because")}
        for r, name in enumerate(self.asked.names):
            targets, scores, sources = (column[r] for column in self._found)
            n = int((targets >= 0).sum())
            columns["customer"] += [name] * n
            columns["rank"] += range(1, n + 1)
            columns["item"] += [self.model.items[t] for t in targets[:n].tolist()]
            columns["score"] += scores[:n].tolist()
            columns["source"] += [SOURCES[w].value for w in sources[:n].tolist()]
            columns["because"] += self._because(r, targets[:n], sources[:n])
        return write_frame(columns, backend=backend)

    def chart(self) -> Chart:
        """How often each item is shown, the twenty most shown."""
        from crmcore.charts import bar

        shown = np.bincount(self.codes[self.codes >= 0], minlength=len(self.model.items))
        most = np.argsort(-shown, kind="stable")[:20]
        most = most[shown[most] > 0]
        names, counts = [self.model.items[i] for i in most.tolist()], shown[most].astype(float).tolist()
        said = f"Lists of {self.k} for {len(self)} customers."
        return bar(names, counts, title="What is recommended most", description=said, axis="customers")

    def _repr_html_(self) -> str:
        rows = [
            {"customer": mask(name), "rank": s.rank, "item": s.item, "score": s.score, "why": s.why}
            for name in self.asked.names[:2] for s in self[name][:10]
        ]  # fmt: skip
        return html_table(rows, caption=repr(self))
