"""Alerts: who tagged us, and where our name stands beside a hashtag."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore.listening.queries.matching import Matcher, Query
from crmcore.listening.queries.nodes import All, Word
from crmcore.metrics.columns import columns_frame
from crmcore.metrics.estimates import Estimate
from crmcore.metrics.proportions import proportion
from crmcore.tables import MentionTable

__all__ = ["Alert", "alert"]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Alert:
    """Posts that matched, newest first."""

    query: str
    row: NDArray[np.int64]
    share: Estimate  # of all posts
    mentions: MentionTable = attrs.field(repr=False)

    def __len__(self) -> int:
        return len(self.row)

    def __bool__(self) -> bool:
        return len(self.row) > 0

    def __repr__(self) -> str:
        return f"Alert({len(self)} posts)"

    def __str__(self) -> str:
        return f"{len(self)} posts match {self.query}; share of all {self.share}"

    @property
    def links(self) -> tuple[str | None, ...]:
        """Permalink of each post, newest first; None where it has none."""
        return tuple(self.mentions.link.take(self.row).to_list())

    def to_frame(self, backend: Any = None) -> Any:
        """One row a post: id, time, link."""
        table = self.mentions.take(self.row)
        return columns_frame(
            {"post": table.mention_id.to_list(), "time": table.time, "link": table.link.to_list()}, backend=backend
        )

    def _repr_html_(self) -> str:
        return html_table([{"posts": len(self), "share": str(self.share)}], caption=self.query)


def alert(mentions: MentionTable, *together: str | Query, level: float = 0.95) -> Alert:
    """Find the posts in which all of the queries hold.

    Parameters
    ----------
    mentions
    together
        Queries, such as a handle (``"@brand"`` is tagged; ``@brandx`` is another) or a name and a hashtag.

    Examples
    --------
    >>> said = ["ask @Brand", "ask @BrandX", "brand #fail"]
    >>> posts = MentionTable.from_frame({"text": said, "link": ["l1", "l2", "l3"]})
    >>> alert(posts, "@brand").links, alert(posts, "brand", "#fail").links
    (('l1',), ('l3',))
    """
    roots = tuple(Query.read(part).root for part in together) or (Word("*"),)
    root = roots[0] if len(roots) == 1 else All(roots)
    rows = np.flatnonzero(Matcher(mentions).holds(root))
    age = -np.where(np.isnat(mentions.time[rows]), np.iinfo(np.int64).min + 1, mentions.time[rows].astype(np.int64))
    rows = rows[np.lexsort((rows, age))].astype(np.int64)
    share = proportion(len(rows), max(len(mentions), 1), level=level, rule="matched / posts", small_sample_ok=True)
    return Alert(query=str(Query(root)), row=rows, share=share, mentions=mentions)
