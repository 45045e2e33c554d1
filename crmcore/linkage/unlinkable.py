"""Records that say too little: they could not even be matched with a copy of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.errors import OutOfRange
from crmcore.linkage.agglomerate import probability
from crmcore.linkage.linking import Linkage

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Unlinkables", "unlinkables"]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Unlinkables:
    """What each record would score against its own copy, and who stays below what a match needs.

    Attributes
    ----------
    log_odds : (n,) natural log-odds
        Of each record and a record that says exactly the same.
    threshold : probability that a match needs
    source, sources : (n,) code of each record's source, and their names
    filled : field -> (n,) answers
        Whether a record fills a field of the model.
    """

    log_odds: NDArray[np.float64]
    threshold: float
    source: NDArray[np.int32]
    sources: tuple[str, ...]
    filled: dict[str, NDArray[np.bool_]]

    @property
    def mask(self) -> NDArray[np.bool_]:
        """(n,) whether a record is unlinkable."""
        return np.asarray(probability(self.log_odds) < self.threshold)

    @property
    def share(self) -> float:
        """Share of all records that is unlinkable."""
        return float(self.mask.mean()) if len(self.log_odds) else 0.0

    def __len__(self) -> int:
        return int(self.mask.sum())

    def by_source(self) -> list[dict[str, object]]:
        """One row per source: records, unlinkable ones, their share."""
        records = np.bincount(self.source, minlength=len(self.sources))
        bad = np.bincount(self.source, weights=self.mask, minlength=len(self.sources))
        return [
            {"source": s, "records": int(n), "unlinkable": int(b), "share": float(b / max(n, 1))}
            for s, n, b in zip(self.sources, records.tolist(), bad.tolist(), strict=True)
        ]

    def by_field(self) -> list[dict[str, object]]:
        """One row per field: how often it is missing among the unlinkable and among all, the widest gap first."""
        bad = self.mask
        rows: list[dict[str, object]] = []
        gaps = []
        for name, has in self.filled.items():
            among = float((~has[bad]).mean()) if bad.any() else 0.0
            of_all = float((~has).mean()) if len(has) else 0.0
            gaps.append(among - of_all)
            rows.append({"field": name, "missing if unlinkable": among, "missing in all": of_all})
        return [rows[i] for i in sorted(range(len(rows)), key=lambda i: (-gaps[i], i))]

    def curve(self, *, most: int = 120) -> list[dict[str, float]]:
        """Share of records below each threshold, over thresholds in bits: what a stricter threshold would lose."""
        bits = np.sort(self.log_odds) / np.log(2.0)
        if not len(bits):
            return []
        at = np.unique(np.linspace(0, len(bits) - 1, min(most, len(bits))).round().astype(np.int64))
        below = np.searchsorted(bits, bits[at], side="right") / len(bits)
        return [{"bits": float(b), "share": float(s)} for b, s in zip(bits[at], below, strict=True)]

    def __str__(self) -> str:
        who = f"{len(self)} of {len(self.log_odds)} records ({self.share:.2%})"
        head = f"{who} say too little to be matched even with themselves"
        lines = [f"  {r['source']}: {r['unlinkable']} of {r['records']} ({r['share']:.2%})" for r in self.by_source()]
        if len(self):
            why = [
                r for r in self.by_field() if float(str(r["missing if unlinkable"])) > float(str(r["missing in all"]))
            ]
            lines += [
                f"  {r['field']}: missing in {r['missing if unlinkable']:.0%}, in {r['missing in all']:.0%} of all"
                for r in why[:5]
            ]
        return "\n".join([head, *lines])

    def __repr__(self) -> str:
        return f"Unlinkables({len(self)} of {len(self.log_odds)} records)"

    def _repr_html_(self) -> str:
        return html_table(self.by_source(), caption=str(self).split("\n")[0]) + html_table(self.by_field())

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row per source, in a frame of `backend`."""
        rows = self.by_source()
        return write_frame({k: [r[k] for r in rows] for k in rows[0]} if rows else {}, backend=backend)

    def chart(self) -> Chart:
        """Share of records lost at every threshold."""
        from crmcore.linkage.charts import unlinkables_chart

        return unlinkables_chart(self)


def unlinkables(linkage: Linkage, /, *, threshold: float | None = None) -> Unlinkables:
    """Find records that could not be matched with a copy of themselves.

    Parameters
    ----------
    linkage : Linkage
    threshold : probability, optional
        What a match needs; by default what the model's merge of two records needs.

    Returns
    -------
    Unlinkables

    Notes
    -----
    Such a record joins others only if they say more than it does. Nothing can be done about it in linkage: the remedy
    is to collect the fields that are missing.

    Examples
    --------
    >>> from crmcore.linkage.linking import link
    >>> from crmcore.linkage.records import Records
    >>> names = ["anna", "bert", "carl", "dora", "emil", "fritz"] * 30
    >>> mail = [f"{name}{i // 12}@x.org" if i % 3 else None for i, name in enumerate(names)]
    >>> kinds = {"name": "given name", "email": "email"}
    >>> found = unlinkables(link(Records.from_columns({"name": names, "email": mail}, kinds)))
    >>> len(found), found.by_field()[0]["field"]
    (60, 'email')
    """
    need = linkage.model.cuts.at(2) if threshold is None else threshold
    if not 0 < need < 1:
        raise OutOfRange("threshold", threshold, "a probability between 0 and 1", "0.5 means as likely as not")
    rows = np.arange(len(linkage))
    records = linkage.model.select(linkage.records)
    return Unlinkables(
        log_odds=linkage.model.bind_records(records).log_odds(rows, rows),
        threshold=need,
        source=records.source,
        sources=records.sources,
        filled={c.name: np.asarray(c.codes >= 0) for c in records.columns},
    )
