"""Flows between positions: the data of a Sankey diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore.documents import Document
from crmcore.errors import OutOfRange
from crmcore.metrics.columns import columns_frame, held_whole
from crmcore.touchpoints.journeys.table import Journeys

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["SankeyFlows", "sankey_flows"]

Ints = NDArray[np.int64]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class SankeyFlows(Document):
    """Journeys that go from a step at one position to a step at the next.

    Attributes
    ----------
    names : texts
        The steps, then "other" (steps beyond the most frequent) and "end" (the journey is over).
    position : (f,) of the source, from 0
    source, target : (f,) codes into `names`
    count : (f,) journeys
    """

    names: tuple[str, ...]
    position: Ints = attrs.field(converter=held_whole)
    source: Ints = attrs.field(converter=held_whole)
    target: Ints = attrs.field(converter=held_whole)
    count: Ints = attrs.field(converter=held_whole)

    def __len__(self) -> int:
        return len(self.count)

    def __repr__(self) -> str:
        return f"SankeyFlows({len(self)} flows)"

    def __str__(self) -> str:
        rows = zip(self.position, self.source, self.target, self.count, strict=True)
        lines = [f"{p + 1}: {self.names[a]} -> {self.names[b]}  {n:,}" for p, a, b, n in rows]
        return "\n".join(lines[:30] + ([f"... {len(lines) - 30} more"] if len(lines) > 30 else []))

    def columns(self) -> dict[str, Any]:
        """Position (from 1), source, target, count."""
        return {
            "position": self.position + 1,
            "source": [self.names[i] for i in self.source],
            "target": [self.names[i] for i in self.target],
            "count": self.count,
        }

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a flow, with the names of `columns`."""
        return columns_frame(self.columns(), backend=backend)

    def chart(self) -> Chart:
        """Bands as thick as the journeys that take them."""
        from crmcore.touchpoints.journeys.charts import sankey_chart

        return sankey_chart(self)

    def _repr_html_(self) -> str:
        columns = self.columns()
        rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
        return html_table(rows, caption=f"{len(self)} flows", limit=12)


def sankey_flows(journeys: Journeys, /, *, positions: int = 5, most: int = 6) -> SankeyFlows:
    """Count how journeys flow from position to position.

    Parameters
    ----------
    journeys : Journeys
    positions : how many positions are shown; 2 or more
    most : how many steps keep their name, the most frequent in these positions; the rest are "other"

    Examples
    --------
    >>> print(sankey_flows(Journeys.of([["ad", "shop"], ["ad"]]), positions=2))
    1: ad -> shop  1
    1: ad -> end  1
    """
    if positions < 2 or most < 1:
        raise OutOfRange(
            "positions, most", (positions, most), "2 and 1 or more", "five positions, six steps are readable"
        )
    k, n = len(journeys.steps), len(journeys.step)
    place = np.arange(n) - journeys.start[journeys.journey]
    count = np.bincount(journeys.step[place < positions], minlength=k)
    kept = np.lexsort((np.arange(k), -count))[:most]
    kept = np.sort(kept[count[kept] > 0])
    to = np.full(k, len(kept))
    to[kept] = np.arange(len(kept))
    names = (*(journeys.steps[i] for i in kept), "other", "end")
    size = len(names)
    on = np.flatnonzero(place < positions - 1)
    goes_on = np.append(journeys.inner, False)[on] if n else np.zeros(0, np.bool_)
    following = np.where(goes_on, to[journeys.step[np.minimum(on + 1, n - 1)]], size - 1) if n else on
    key = (place[on] * size + to[journeys.step[on]]) * size + following
    keys, found = np.unique(key, return_counts=True)
    position, pair = np.divmod(keys, size * size)
    order = np.lexsort((pair, -found, position))
    return SankeyFlows(
        names=names, position=position[order], source=pair[order] // size, target=pair[order] % size, count=found[order]
    )
