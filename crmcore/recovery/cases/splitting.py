"""Whom unhappy customers tell, by channel: the house alone, or everyone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, number_text
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import EmptyInput
from crmcore.metrics.columns import numbers, refuse, same_length
from crmcore.metrics.estimates import Estimate
from crmcore.metrics.means import Moments
from crmcore.metrics.proportions import proportion

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["ComplaintSplit", "complaint_split"]

Bools = NDArray[np.bool_]


@attrs.frozen(kw_only=True)
class ComplaintSplit(Document):
    """Public and private complaints.

    Parameters
    ----------
    share : Estimate
        Public over all whose place is known.
    reach : number
        People reached by all public complaints whose reach is known, repeated readers counted again.
    reach_each : Estimate
        Mean reach of a public complaint.
    half_from : count
        Public complaints, the widest first, that make half of the reach.
    reach_unknown, place_unknown : counts
        Public complaints without a known reach; complaints of which nobody knows whether they were public.
    channels : tuple of (channel, public, private, reach)
        The most public first, then by name; none where no channels were given.
    """

    share: Estimate
    reach: float
    reach_each: Estimate
    half_from: int
    reach_unknown: int
    place_unknown: int
    channels: tuple[tuple[str, int, int, float], ...] = ()

    def __str__(self) -> str:
        lines = [
            f"public  {self.share}",
            f"reach   {number_text(self.reach)} in all, {self.reach_each} each; half of it by {self.half_from}",
        ]
        if self.reach_unknown or self.place_unknown:
            lines.append(f"not known: reach of {self.reach_unknown}, place of {self.place_unknown}")
        return "\n".join(lines)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a channel: channel, public, private, reach; "all" is all together."""
        rows = [*self.channels, ("all", *self._totals())]
        names = ("channel", "public", "private", "reach")
        return write_frame({n: [row[i] for row in rows] for i, n in enumerate(names)}, backend=backend)

    def _totals(self) -> tuple[int, int, float]:
        public = round(self.share.value * self.share.n) if self.share.n else 0
        return public, self.share.n - public, self.reach

    def _repr_html_(self) -> str:
        rows = [{"channel": c, "public": a, "private": b, "reach": reach} for c, a, b, reach in self.channels]
        return html_table(rows, caption=str(self))

    def chart(self) -> Chart:
        """Reach of the public complaints of each channel; without channels the share that is public."""
        from crmcore.charts import bar

        if not self.channels:
            return self.share.chart()
        names, reach = [row[0] for row in self.channels], [row[3] for row in self.channels]
        return bar(names, reach, title="Reach of public complaints", description=str(self), axis="people")


def complaint_split(
    public: ArrayLike,
    reach: ArrayLike | None = None,
    channel: Sequence[str] | None = None,
    *,
    level: float = 0.95,
    small_sample_ok: bool = False,
) -> ComplaintSplit:
    """Count complaints told in public and in private, and how far the public ones went.

    Parameters
    ----------
    public : (n,) truths
        NaN or None: not known, and counted apart.
    reach : (n,) counts, optional
        People who saw it; that of private complaints is not looked at; NaN is not known.
    channel : (n,) texts, optional
    level : share

    Examples
    --------
    >>> print(complaint_split([True, False, False, True] * 10, [900, 0, 0, 100] * 10))
    public  0.5 [0.352, 0.648] (95 %, n = 40, wilson)
    reach   10,000 in all, 500 [308, 692] (95 %, n = 20, t) each; half of it by 6
    """
    told = numbers("public", public)
    refuse("public", "write True or False", public=(~(np.isnan(told) | (told == 0) | (told == 1)), "neither 0 nor 1"))
    far = np.full(len(told), np.nan) if reach is None else numbers("reach", reach, infinite_ok=False)
    n = same_length("complaint_split", public=told, reach=far)
    refuse("reach", "counts of people", reach=(far < 0, "below 0"))
    if not n:
        raise EmptyInput("complaints", "pass at least one complaint")
    open_ = told == 1
    by = () if channel is None else _by_channel(np.array(list(channel), object), open_, told == 0, far)
    known = int((~np.isnan(told)).sum())
    share = proportion(
        int(open_.sum()), known, level=level, rule="public / complaints", small_sample_ok=small_sample_ok
    )
    seen = np.sort(far[open_ & ~np.isnan(far)])[::-1]
    total = float(seen.sum())
    half = int(np.searchsorted(np.cumsum(seen), total / 2) + 1) if total else 0
    each = Moments.of(seen).estimate(level=level, rule="people reached by a public complaint", small_sample_ok=True)
    return ComplaintSplit(
        share=share, reach=total if len(seen) else math.nan, reach_each=each, half_from=half,
        reach_unknown=int(open_.sum()) - len(seen), place_unknown=n - known, channels=by,
    )  # fmt: skip


def _by_channel(
    channel: NDArray[np.object_], public: Bools, private: Bools, reach: NDArray[np.float64]
) -> tuple[tuple[str, int, int, float], ...]:
    same_length("complaint_split", channel=channel, public=public)
    names, code = np.unique(channel.astype(str), return_inverse=True)
    seen = np.where(public, np.nan_to_num(reach), 0.0)
    counts = [np.bincount(code, weights=cells, minlength=len(names)) for cells in (public, private, seen)]
    rows = [(str(name), int(a), int(b), float(c)) for name, a, b, c in zip(names, *counts, strict=True)]
    return tuple(sorted(rows, key=lambda row: (-row[1], row[0])))
