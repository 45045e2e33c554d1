"""RFM scores of a population: from orders to scores, segments, bin sizes and pictures."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table, number_text
from crmcore._frames import write_frame
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.idic.differentiate.rfm.binning import Ties
from crmcore.idic.differentiate.rfm.facts import RfmFacts, rfm_facts
from crmcore.idic.differentiate.rfm.migrating import Migration, migration
from crmcore.idic.differentiate.rfm.model import Binning, RfmModel, fit_cuts
from crmcore.idic.differentiate.rfm.segments import SEGMENTS, SegmentMap
from crmcore.metrics.columns import SAME, held
from crmcore.metrics.estimates import frame_of
from crmcore.tables import OrderTable

if TYPE_CHECKING:
    from crmcore.charts import Chart
    from crmcore.idic.differentiate.worth.spread import Concentration

__all__ = ["RfmScores", "score"]

Scores = NDArray[np.int16]


@attrs.frozen(hash=False, repr=False, kw_only=True)
class RfmScores:
    """Scores of every customer of an index at one date; row i is customer i, 0 = has not bought.

    Attributes
    ----------
    facts, model : what was scored, and by which cut points
    r, f, m : (n,) scores from 1 (worst) up
    segments : map that names them; None = there is none for these numbers of scores
    """

    facts: RfmFacts
    model: RfmModel
    r: Scores = attrs.field(converter=held, eq=SAME)
    f: Scores = attrs.field(converter=held, eq=SAME)
    m: Scores = attrs.field(converter=held, eq=SAME)
    segments: SegmentMap | None

    def __len__(self) -> int:
        return len(self.r)

    @property
    def codes(self) -> NDArray[np.int16]:
        """(n,) position of each customer's segment in `segments.names`; -1 = has not bought."""
        return self._map().codes(self.r, self.f, self.m)

    def _map(self) -> SegmentMap:
        if self.segments is None:
            hint = "pass segments=SegmentMap(segments=..., bins=...) to score"
            raise EmptyInput(f"the segment map of {self.model.bins} scores", hint)
        return self.segments

    def __repr__(self) -> str:
        return f"RfmScores({self.facts!r})"

    def __str__(self) -> str:
        f = self.facts
        head = f"{int(f.buyers.sum()):,} buyers of {len(self):,} customers at {f.now:%Y-%m-%d}"
        if self.segments is None:
            return head
        rows = self._segment_rows()
        wide = max(len(r["segment"]) for r in rows)
        lines = [f"{r['segment']:{wide}}  {r['customers']:>7,}  {r['share_of_money']:>6.1%} of money" for r in rows]
        return "\n".join([head, *lines])

    def _segment_rows(self) -> list[dict[str, Any]]:
        codes, names = self.codes, self._map().names
        bought, money = codes >= 0, self.facts.monetary_minor.astype(np.float64)
        count = np.bincount(codes[bought], minlength=len(names))
        summed = np.bincount(codes[bought], weights=money[bought], minlength=len(names))
        total, n = float(summed.sum()), int(count.sum())
        return [
            {
                "segment": name, "customers": int(c), "share_of_buyers": c / n if n else np.nan,
                "monetary_minor": int(s), "share_of_money": s / total if total > 0 else np.nan,
            }
            for name, c, s in zip(names, count.tolist(), summed.tolist(), strict=True)
        ]  # fmt: skip

    def segment_table(self, *, backend: Any = None) -> Any:
        """One row a segment: segment, customers, share_of_buyers, monetary_minor, share_of_money."""
        return frame_of(self._segment_rows(), backend=backend)

    def bin_sizes(self, *, backend: Any = None) -> Any:
        """One row a measure and score: measure, score, customers; shows what ties did to the sizes."""
        rows = [
            {"measure": name, "score": s, "customers": int((column == s).sum())}
            for name, column, bins in zip("RFM", (self.r, self.f, self.m), self.model.bins, strict=True)
            for s in range(1, bins + 1)
        ]
        return frame_of(rows, backend=backend)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a customer: customer, the three facts, r, f, m, segment; scores of non-buyers are missing."""
        columns: dict[str, Any] = {
            "customer": list(self.facts.customers.ids),
            "recency_days": self.facts.recency_days,
            "frequency": self.facts.frequency,
            "monetary_minor": self.facts.monetary_minor,
        }
        for name, column in (("r", self.r), ("f", self.f), ("m", self.m)):
            columns[name] = np.where(column > 0, column, np.nan)
        if self.segments is not None:
            names = (*self.segments.names, None)
            columns["segment"] = [names[c] for c in self.codes.tolist()]
        return write_frame(columns, backend=backend)

    def moves(self, later: RfmScores, /) -> Migration:
        """Moves between segments from this date to a later one; customers are matched by id."""
        names = self._map().names
        if later._map().names != names:
            raise OutOfRange("later.segments", later._map().names, f"{names}", "score both dates with one map")
        index = later.facts.customers
        rows = self.facts.customers.codes(index.ids)
        before = np.where(rows >= 0, self.codes[rows], -1) if len(self) else np.full(len(index), -1)
        gone = int((self.codes >= 0).sum() - (before >= 0).sum())
        found = migration(before, later.codes, names=names)
        return attrs.evolve(found, left=found.left + gone)

    def concentration(self, *, level: float = 0.95) -> Concentration:
        """Deciles, ABC, Lorenz curve and Gini of the buyers' money."""
        from crmcore.idic.differentiate.worth.spread import concentration

        return concentration(self.facts.monetary_minor[self.facts.buyers], level=level)

    def chart(self) -> Chart:
        """A heat map: buyers by recency and frequency score."""
        from crmcore.charts import heat_map

        rs, fs, _ = self.model.bins
        bought = self.r > 0
        counts = np.zeros((rs, fs))
        np.add.at(counts, (rs - self.r[bought], self.f[bought] - 1), 1)
        return heat_map(
            [f"R{s}" for s in range(rs, 0, -1)], [f"F{s}" for s in range(1, fs + 1)], counts.tolist(), percent=False,
            title="Buyers by recency and frequency", row_title="recency score", column_title="frequency score",
            description=f"{int(bought.sum()):,} buyers at {self.facts.now:%Y-%m-%d}",
        )  # fmt: skip

    def _repr_html_(self) -> str:
        if self.segments is None:
            return html_table([{"buyers": int(self.facts.buyers.sum())}], caption="RFM scores")
        rows = [
            {"segment": r["segment"], "customers": r["customers"], "share of money": number_text(r["share_of_money"])}
            for r in self._segment_rows()
        ]
        return html_table(rows, caption=f"RFM segments at {self.facts.now:%Y-%m-%d}")


def score(
    orders: OrderTable, *, now: datetime, bins: int | tuple[int, int, int] = 5,
    binning: Binning | str = Binning.INDEPENDENT, ties: Ties | str = Ties.MID, model: RfmModel | None = None,
    segments: SegmentMap | None = None,
) -> RfmScores:  # fmt: skip
    """Score every customer by recency, frequency and money.

    Equal values always get equal scores (Hughes 1994 splits them to make the bins equal; see the pitfalls page).

    Parameters
    ----------
    orders : OrderTable
        Lines in one currency; refunds are negative, are netted, and are no purchase.
    now : aware datetime
        The analysis date; later lines take no part.
    bins, binning, ties
        As in `fit_cuts`.
    model : RfmModel, optional
        Cut points to apply again; None finds them on these orders.
    segments : SegmentMap, optional
        None takes `SEGMENTS` where all three measures have five scores, and none elsewhere.

    Returns
    -------
    RfmScores

    Examples
    --------
    >>> from datetime import UTC
    >>> orders = OrderTable.from_frame(
    ...     {"customer": ["a", "a", "b"], "time": ["2026-01-01", "2026-01-11", "2026-01-02"], "amount": [50, 20, 10]},
    ...     currency="EUR", zone="UTC",
    ... )
    >>> found = score(orders, now=datetime(2026, 1, 31, tzinfo=UTC), bins=2)
    >>> found.r.tolist(), found.f.tolist(), found.m.tolist()
    ([2, 1], [2, 1], [2, 1])
    """
    facts = rfm_facts(orders, now=now)
    cuts = fit_cuts(facts, bins=bins, binning=binning, ties=ties) if model is None else model
    named = SEGMENTS if segments is None and cuts.bins == SEGMENTS.bins else segments
    if named is not None and named.bins != cuts.bins:
        raise OutOfRange("segments.bins", named.bins, f"{cuts.bins}, as the scores", "make the map for these scores")
    r, f, m = cuts.apply(facts)
    return RfmScores(facts=facts, model=cuts, r=r, f=f, m=m, segments=named)
