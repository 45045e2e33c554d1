"""What `resolve` found, at a glance, and whether the model's expectation agrees with it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import attrs
import numpy as np

from crmcore._base import html_table, number_text
from crmcore.errors import LostClass

if TYPE_CHECKING:
    from crmcore.idic.identify.people import People

__all__ = ["Summary", "summarise"]

FAR = 3.0  # times more or fewer matches than expected: the model has lost a class
FEW = 20.0  # pairs below which the ratio means nothing
WEAK = 0.5  # mean probability of a merge that deserves a look


@attrs.frozen(kw_only=True, repr=False)
class Summary:
    """Records, customers, and how sure the result is.

    Attributes
    ----------
    records : source -> records
    customers : customers found
    sizes : records of a customer -> customers
    fields : fields of evidence
    pairs : pairs of records within customers
    expected_matches : pairs of one person that the model expects
    compared : candidate pairs that were compared
    weak_bridges : customers of three and more records that hang together by a mean probability below 0.5
    blocked : merges that rules stopped
    """

    records: dict[str, int]
    customers: int
    sizes: dict[int, int]
    fields: tuple[str, ...]
    pairs: int
    expected_matches: float
    compared: int
    weak_bridges: int
    blocked: int

    @property
    def n_records(self) -> int:
        """Records in all."""
        return sum(self.records.values())

    @property
    def lost(self) -> bool:
        """Whether expectation and result are so far apart that the model should not be trusted."""
        few, many = sorted((self.expected_matches, float(self.pairs)))
        return many > FEW and many > FAR * few

    def rows(self) -> list[dict[str, object]]:
        """One row per fact."""
        sizes = [*self.sizes.items()]
        shown = ", ".join(f"{s}: {n:,}" for s, n in sizes[:6]) + (
            f", ... {sizes[-1][0]}: {sizes[-1][1]:,}" if len(sizes) > 6 else ""
        )
        facts: list[tuple[str, str]] = [
            ("records", f"{self.n_records:,} ({', '.join(f'{s} {n:,}' for s, n in self.records.items())})"),
            ("customers", f"{self.customers:,}"),
            ("customers by number of records", shown),
            ("fields of evidence", ", ".join(self.fields)),
            ("pairs put together", f"{self.pairs:,}; the model expects {number_text(self.expected_matches)}"),
            ("pairs compared", f"{self.compared:,}"),
            ("weak bridges", f"{self.weak_bridges:,} customers hang together by less than an even chance"),
            ("merges stopped by rules", f"{self.blocked:,}"),
        ]
        return [{"what": k, "value": v} for k, v in facts]

    def __str__(self) -> str:
        return "\n".join(f"{r['what']}: {r['value']}" for r in self.rows())

    def __repr__(self) -> str:
        return f"Summary({self.n_records} records, {self.customers} customers)"

    def _repr_html_(self) -> str:
        return html_table(self.rows(), caption=f"{self.n_records:,} records are {self.customers:,} customers")


def summarise(people: People) -> Summary:
    """Count, and warn where the model and the result disagree.

    Warns
    -----
    LostClass
        The model expects three times more or fewer pairs of one person than the customers hold.
    """
    linkage = people.linkage
    sizes = linkage.clustering.sizes.astype(np.int64)
    counts = np.bincount(people.table.source, minlength=len(people.table.sources)).tolist()
    share = len(linkage) / max(linkage.model.n_records, 1)  # a given model was fitted on other records
    found = Summary(
        records=dict(zip(people.table.sources, counts, strict=True)),
        customers=len(people),
        sizes=linkage.clustering.histogram,
        fields=tuple(linkage.model.fields),
        pairs=int((sizes * (sizes - 1) // 2).sum()),
        expected_matches=linkage.model.expected_matches * share,
        compared=linkage.n_pairs,
        weak_bridges=int((linkage.clustering.bridges.mean < WEAK).sum()),
        blocked=len(linkage.clustering.blocked),
    )
    if found.lost:
        warnings.warn(
            f"the model expects {number_text(found.expected_matches)} pairs of one person and the customers hold "
            f"{found.pairs:,}: a class of pairs may be lost. Look at people.chart('scores') and people.review(), give "
            "the schema the columns that tell people apart, or pass a model fitted on more records",
            LostClass,
            stacklevel=3,
        )
    return found
