"""Who moved between two dates: counts, shares with intervals, a heat map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore.documents import Document
from crmcore.errors import OutOfRange, UnknownName
from crmcore.metrics.columns import SAME, held_whole
from crmcore.metrics.estimates import Estimate, check_level, estimate_of, frame_of
from crmcore.metrics.intervals import wilson_interval

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Migration", "migration"]

Ints = NDArray[np.int64]


@attrs.frozen(hash=False, kw_only=True, repr=False)
class Migration(Document):
    """How many customers stood in one group before and in another after; counts of two shards add up.

    Attributes
    ----------
    names : groups, in their order
    counts : (k, k) row = before, column = after
    joined, left : customers who stood in a group on one of both dates only
    """

    names: tuple[str, ...]
    counts: Ints = attrs.field(converter=held_whole, eq=SAME)
    joined: int = 0
    left: int = 0

    def __add__(self, other: Migration) -> Migration:
        if self.names != other.names:
            raise OutOfRange("names", other.names, f"{self.names}", "add migrations over the same groups")
        return Migration(
            names=self.names, counts=self.counts + other.counts,
            joined=self.joined + other.joined, left=self.left + other.left,
        )  # fmt: skip

    def _place(self, name: str) -> int:
        if name not in self.names:
            raise UnknownName("group", name, self.names)
        return self.names.index(name)

    def share(self, before: str, after: str, *, level: float = 0.95) -> Estimate:
        """Share of those who stood in `before` that stand in `after`, with Wilson's interval."""
        check_level(level)
        i, j = self._place(before), self._place(after)
        k, n = int(self.counts[i, j]), int(self.counts[i].sum())
        if not n:
            return estimate_of(np.nan, 0, 1, level=level, n=0, rule=f"{before} to {after}", method="wilson")
        low, high = wilson_interval(k, n, level=level)
        return estimate_of(k / n, low, high, level=level, n=n, rule=f"{before} to {after}", method="wilson")

    @property
    def stayed(self) -> int:
        """Customers who stand where they stood."""
        return int(np.trace(self.counts))

    def __str__(self) -> str:
        n = int(self.counts.sum())
        return f"{n:,} customers on both dates: {self.stayed:,} stayed, {n - self.stayed:,} moved; {self.joined:,} joined, {self.left:,} left"  # noqa: E501

    def __repr__(self) -> str:
        return f"Migration({self})"

    def to_frame(self, *, level: float = 0.95, backend: Any = None) -> Any:
        """One row a pair of groups: before, after, count, share, low, high."""
        rows = []
        for b in self.names:
            for a in self.names:
                e = self.share(b, a, level=level)
                count = int(self.counts[self._place(b), self._place(a)])
                rows.append({"before": b, "after": a, "count": count, "share": e.value, "low": e.low, "high": e.high})
        return frame_of(rows, backend=backend)

    def chart(self) -> Chart:
        """A heat map: shares of every row."""
        from crmcore.charts import heat_map

        size = self.counts.sum(axis=1, keepdims=True)
        shares = np.divide(self.counts, size, out=np.full(self.counts.shape, np.nan), where=size > 0)
        return heat_map(
            self.names, self.names, shares.tolist(), title="Who moved where", row_title="before",
            column_title="after", description=str(self),
        )  # fmt: skip

    def _repr_html_(self) -> str:
        rows = [
            {"before": b, **dict(zip(self.names, map(int, row), strict=True))}
            for b, row in zip(self.names, self.counts, strict=True)
        ]
        return html_table(rows, caption=str(self))


def migration(before: NDArray[np.integer], after: NDArray[np.integer], /, *, names: Sequence[str]) -> Migration:
    """Count moves between groups; row i of both columns is the same customer.

    Parameters
    ----------
    before, after : (n,) positions in `names`
        -1 = in no group on that date.
    names : k texts

    Examples
    --------
    >>> print(migration(np.array([0, 0, 1, -1]), np.array([0, 1, 1, 0]), names=["low", "high"]))
    3 customers on both dates: 2 stayed, 1 moved; 1 joined, 0 left
    """
    first, second, k = np.asarray(before), np.asarray(after), len(names)
    if first.shape != second.shape or first.ndim != 1:
        raise OutOfRange("after", second.shape, f"{first.shape}, as before", "row i of both is one customer")
    for name, column in (("before", first), ("after", second)):
        if len(column) and not -1 <= column.min() <= column.max() < k:
            raise OutOfRange(name, [int(column.min()), int(column.max())], f"-1 to {k - 1}", "positions in names")
    both = (first >= 0) & (second >= 0)
    counts = np.bincount(first[both].astype(np.int64) * k + second[both], minlength=k * k).reshape(k, k)
    joined, left = int(((first < 0) & (second >= 0)).sum()), int(((first >= 0) & (second < 0)).sum())
    return Migration(names=tuple(names), counts=counts, joined=joined, left=left)
