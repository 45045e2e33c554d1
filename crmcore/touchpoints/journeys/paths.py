"""Variants: journeys that take the same steps in the same order."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table, number_text
from crmcore.documents import Document
from crmcore.metrics.columns import columns_frame, held_floats, held_whole
from crmcore.touchpoints.journeys.table import Journeys

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["VariantTable", "same_paths", "variants"]

Ints = NDArray[np.int64]
_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio, odd: multiplication by it is a permutation


def _scrambled(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Bits of each number mixed so that near inputs lie far apart (the finaliser of splitmix64, Steele et al. 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def same_paths(step: NDArray[np.integer], start: Ints, /) -> tuple[Ints, Ints]:
    """Group journeys with the same steps in the same order, exactly.

    Parameters
    ----------
    step : (n,) codes from 0
    start : (m + 1,) rows start[j] to start[j + 1] are journey j

    Returns
    -------
    group : (m,) group of each journey
        Numbered by the first journey of each group.
    first : (g,) first journey of each group

    Examples
    --------
    >>> same_paths(np.array([0, 1, 0, 1, 1]), np.array([0, 2, 4, 5]))[0].tolist()
    [0, 0, 1]
    """
    length = np.diff(start)
    place = np.arange(len(step)) - np.repeat(start[:-1], length)
    with np.errstate(over="ignore"):
        marks = _scrambled((step.astype(np.uint64) + np.uint64(1)) * _MIX + _scrambled(place.astype(np.uint64) + _MIX))
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(marks, dtype=np.uint64)])
        code = _scrambled(sums[start[1:]] - sums[start[:-1]] + length.astype(np.uint64) * _MIX)
    _, first, group = np.unique(code, return_index=True, return_inverse=True)
    if _differ(step, start, first[group]):  # two paths with one code: sort the paths themselves
        paths = [step[a:b].tobytes() for a, b in pairwise(start.tolist())]
        seen: dict[bytes, int] = {}
        group = np.array([seen.setdefault(p, len(seen)) for p in paths], np.int64)
        first = np.unique(group, return_index=True)[1]
    order = np.argsort(first)
    to = np.empty(len(order), np.int64)
    to[order] = np.arange(len(order))
    return to[group], first[order]


def _differ(step: NDArray[np.integer], start: Ints, like: Ints) -> bool:
    """Whether any journey has other steps than the one that it is said to be like."""
    length = np.diff(start)
    if (length != length[like]).any():
        return True
    shift = np.repeat(start[:-1][like] - start[:-1], length)
    return bool((step[np.arange(len(step)) + shift] != step).any())


@attrs.frozen(kw_only=True, eq=False, repr=False)
class VariantTable(Document):
    """Paths from the most to the least frequent; equal counts stand in the order of their steps.

    Attributes
    ----------
    start, step : (v + 1,) and (r,)
        Codes into `steps` of variant i are step[start[i]] to step[start[i + 1]].
    count : (v,) journeys
    mean_s : (v,) mean seconds from the first step to the last
    variant : (m,) variant of each journey, in the order of the journeys

    Examples
    --------
    >>> print(variants(Journeys.of([["ad", "buy"], ["ad"], ["ad", "buy"]])))
    2 variants of 3 journeys; the first covers 66.7 %
    2  ad > buy
    1  ad
    """

    steps: tuple[str, ...]
    start: Ints = attrs.field(converter=held_whole)
    step: Ints = attrs.field(converter=held_whole)
    count: Ints = attrs.field(converter=held_whole)
    mean_s: NDArray[np.float64] = attrs.field(converter=held_floats)
    variant: Ints = attrs.field(converter=held_whole)

    def __len__(self) -> int:
        return len(self.count)

    def __repr__(self) -> str:
        return f"VariantTable({len(self):,} variants of {len(self.variant):,} journeys)"

    def __str__(self) -> str:
        top = f"; the first covers {number_text(100 * float(self.coverage[0]))} %" if len(self) else ""
        shown = [f"{self.count[i]:,}  {' > '.join(self[i])}" for i in range(min(10, len(self)))]
        more = [f"... {len(self) - 10:,} more"] if len(self) > 10 else []
        return "\n".join([f"{len(self):,} variants of {len(self.variant):,} journeys{top}", *shown, *more])

    def __getitem__(self, i: int) -> tuple[str, ...]:
        if not -len(self) <= i < len(self):
            raise IndexError(i)
        i %= len(self)
        return tuple(self.steps[s] for s in self.step[self.start[i] : self.start[i + 1]])

    @property
    def coverage(self) -> NDArray[np.float64]:
        """(v,) share of all journeys that the variants up to this one cover."""
        found: NDArray[np.float64] = np.cumsum(self.count) / max(len(self.variant), 1)
        return found

    @property
    def entropy(self) -> float:
        """Shannon entropy of the variants in bits: 0 where all journeys are alike."""
        share = self.count / max(len(self.variant), 1)
        return float(-(share * np.log2(share)).sum()) + 0.0

    def needed_for(self, share: float) -> int:
        """How many variants cover a share of the journeys."""
        return int(np.searchsorted(self.coverage, share - 1e-12)) + 1

    def columns(self) -> dict[str, Any]:
        """path, steps (its length), count, coverage, mean_s."""
        return {
            "path": [" > ".join(self[i]) for i in range(len(self))],
            "steps": np.diff(self.start),
            "count": self.count,
            "coverage": self.coverage,
            "mean_s": self.mean_s,
        }

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a variant, with the names of `columns`."""
        return columns_frame(self.columns(), backend=backend)

    def chart(self, *, top: int = 12) -> Chart:
        """The most frequent paths as bars."""
        from crmcore.touchpoints.journeys.charts import variants_chart

        return variants_chart(self, top=top)

    def _repr_html_(self) -> str:
        rows = [{"journeys": int(self.count[i]), "path": _short(self[i])} for i in range(min(10, len(self)))]
        return html_table(rows, caption=str(self).partition("\n")[0])


def _short(path: tuple[str, ...]) -> str:
    return " > ".join(path[:8]) + (f" > ... ({len(path)} steps)" if len(path) > 8 else "")


def variants(journeys: Journeys, /) -> VariantTable:
    """Group journeys by their path.

    A 64-bit code of each path finds the groups, and every journey is then compared with the first of its group step by
    step, so that two paths never share a group.

    Examples
    --------
    >>> found = variants(Journeys.of([["ad", "buy"], ["ad"], ["ad", "buy"]]))
    >>> found.variant.tolist(), found.coverage.round(2).tolist(), round(found.entropy, 3)
    ([0, 1, 0], [0.67, 1.0], 0.918)
    """
    group, first = same_paths(journeys.step, journeys.start)
    count = np.bincount(group, minlength=len(first))
    total = np.bincount(group, weights=journeys.duration_s, minlength=len(first))
    start, step = _gathered(journeys.step, journeys.start, first)
    order = _ranked(count, step, start, len(journeys.steps))
    to = np.empty(len(order), np.int64)
    to[order] = np.arange(len(order))
    start, step = _gathered(step, start, order)
    return VariantTable(
        steps=journeys.steps,
        start=start,
        step=step,
        count=count[order],
        mean_s=total[order] / count[order],
        variant=to[group],
    )


def _gathered(step: NDArray[np.integer], start: Ints, chosen: Ints) -> tuple[Ints, NDArray[np.integer]]:
    """Start and steps of the chosen paths alone."""
    length = np.diff(start)[chosen]
    begin = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    return begin, step[np.repeat(start[:-1][chosen] - begin[:-1], length) + np.arange(int(begin[-1]))]


def _ranked(count: Ints, step: NDArray[np.integer], start: Ints, n_steps: int) -> Ints:
    """Order of paths: the most frequent first, then by their steps, as tuples are compared."""
    bits = (n_steps + 1).bit_length()
    head = 63 // bits  # steps that one integer holds; 0 = the path is over
    length = np.diff(start)
    place = np.arange(len(step)) - np.repeat(start[:-1], length)
    near = place < head
    part = (step[near].astype(np.int64) + 1) << (bits * (head - 1 - place[near]))
    ends = np.concatenate([[0], np.cumsum(near)])[start]
    sums = np.concatenate([[0], np.cumsum(part.view(np.uint64))]).astype(np.uint64)  # may wrap; differences do not
    key = (sums[ends[1:]] - sums[ends[:-1]]).view(np.int64)
    order = np.lexsort((key, -count))
    same = (count[order][1:] == count[order][:-1]) & (key[order][1:] == key[order][:-1])
    edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]])))
    for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):  # the same head: compare the whole paths
        run = order[a : b + 1].tolist()
        order[a : b + 1] = sorted(run, key=lambda i: step[start[i] : start[i + 1]].tolist())
    return order
