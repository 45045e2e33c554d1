"""What clustering hands back: entities, and the merges that deserve a look."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.linkage.agglomerate import Cuts
from crmcore.linkage.components import RaisedFloor

__all__ = ["Clustering", "Merges"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@attrs.frozen(eq=False, repr=False)
class Merges:
    """Merges worth a look, one per row: two groups named by their first record in id order.

    Attributes
    ----------
    cluster : (q,) labels
        Cluster of the left group in the result.
    left, right : (q,) row numbers
        First record of each group.
    left_size, right_size : (q,) counts
        Records in each group when they met.
    mean : (q,) probabilities
        Mean match probability over all pairs between the two groups.
    reason : (q,) text
        What stopped the merge; empty where it took place.
    """

    cluster: NDArray[np.int32]
    left: Ints
    right: Ints
    left_size: Ints
    right_size: Ints
    mean: Floats
    reason: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.cluster)

    def __repr__(self) -> str:
        return f"Merges({len(self)})"

    @classmethod
    def of(cls, code: Ints, order: Ints, met: Ints, mean: Floats, reason: NDArray[np.object_]) -> Merges:
        """Build from places in id order.

        Parameters
        ----------
        code, order : (n,)
            Label and row of the record at each place.
        met : (4, q)
            Places of the first records of both groups, and their sizes.
        mean, reason : (q,)
        """
        left, right, left_size, right_size = met
        return cls(code[left].astype(np.int32), order[left], order[right], left_size, right_size, mean, reason)

    def weakest(self, most: int) -> Merges:
        """The `most` merges with the lowest mean, weakest first; ties by cluster."""
        rows = np.lexsort((self.cluster, self.mean))[:most]
        return Merges(*(getattr(self, f.name)[rows] for f in attrs.fields(Merges)))

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row per merge, in a frame of `backend`; None gives a dict of lists."""
        columns = {f.name: getattr(self, f.name) for f in attrs.fields(Merges)}
        columns["reason"] = self.reason.tolist()
        return write_frame(columns, backend=backend)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Clustering:
    """Which records are one entity.

    Attributes
    ----------
    labels : (n,) codes
        Entity of each record; numbered by the smallest id rank in each.
    cuts, floor : settings
        What decided.
    raised : components
        Where the floor had to rise because a component was too large.
    blocked : merges
        Pairs of groups with enough evidence to merge that a constraint kept apart: for review.
    bridges : merges
        For each entity of 3 and more records the weakest merge that made it: weak ones go to review.
    """

    labels: NDArray[np.int32]
    cuts: Cuts
    floor: float
    raised: tuple[RaisedFloor, ...]
    blocked: Merges
    bridges: Merges

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def n_clusters(self) -> int:
        """Number of entities."""
        return int(self.labels.max()) + 1 if len(self.labels) else 0

    @property
    def sizes(self) -> Ints:
        """(n_clusters,) records of each entity."""
        return np.bincount(self.labels, minlength=self.n_clusters)

    @property
    def histogram(self) -> dict[int, int]:
        """Size -> number of entities of that size, smallest first."""
        counts = np.bincount(self.sizes)
        return {int(s): int(counts[s]) for s in np.flatnonzero(counts)}

    def __str__(self) -> str:
        largest = max(self.histogram, default=0)
        parts = [f"{len(self)} records in {self.n_clusters} entities, largest {largest}"]
        if self.raised:
            parts.append(f"{len(self.raised)} components were too large and taken apart")
        if len(self.blocked):
            parts.append(f"{len(self.blocked)} merges stopped by constraints")
        return "; ".join(parts)

    def __repr__(self) -> str:
        return f"Clustering({self})"

    def _repr_html_(self) -> str:
        rows = [{"records in entity": s, "entities": c} for s, c in self.histogram.items()]
        return html_table(rows, caption=str(self))

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row per record: row, entity, records in that entity; `backend` None gives a dict of lists."""
        columns: dict[str, Ints | NDArray[np.int32]] = {
            "row": np.arange(len(self)),
            "entity": self.labels,
            "size": self.sizes[self.labels],
        }
        return write_frame(columns, backend=backend)
