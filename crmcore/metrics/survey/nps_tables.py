"""Net Promoter Scores of many segments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore import documents
from crmcore._base import html_table, number_text
from crmcore.errors import EmptyInput, UnknownName
from crmcore.metrics.columns import SAME, held
from crmcore.metrics.estimates import SMALL_N, Estimate, check_level, frame_of
from crmcore.metrics.scalars import named
from crmcore.metrics.survey.answers import segment_codes
from crmcore.metrics.survey.nps_counts import (
    NPS_METHODS,
    NPS_RULE,
    NpsCounts,
    nps_difference,
    nps_groups,
    nps_interval,
    nps_standard_error,
)
from crmcore.tables.columns import TextColumn

if TYPE_CHECKING:
    from crmcore.charts import Chart
    from crmcore.metrics.comparing import ComparisonTable

__all__ = ["NpsTable", "nps_by", "table_of_groups"]

Floats = NDArray[np.float64]


@attrs.frozen(hash=False, repr=False, kw_only=True)
class NpsTable:
    """Net Promoter Score of each segment, with its interval.

    Parameters
    ----------
    labels : k texts
    counts : (k, 3) counts
        Promoters, passives, detractors.
    low, high : (k,) points
        Interval of each score alone; `compared` is for judging differences.
    level, method, rule
        As of every score.
    elsewhere : NpsCounts
        Answers that are in no segment.
    """

    labels: tuple[str, ...]
    counts: NDArray[np.int64] = attrs.field(converter=held, eq=SAME)
    low: Floats = attrs.field(converter=held, eq=SAME)
    high: Floats = attrs.field(converter=held, eq=SAME)
    level: float
    method: str
    rule: str
    elsewhere: NpsCounts = attrs.field(factory=NpsCounts)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, label: str) -> Estimate:
        if label not in self.labels:
            raise UnknownName("segment", label, self.labels)
        return self._estimate(self.labels.index(label))

    def _estimate(self, i: int) -> Estimate:
        ends = {"low": float(self.low[i]), "high": float(self.high[i]), "level": self.level}
        n = int(self.n[i])
        return Estimate(value=float(self.score[i]), **ends, n=n, rule=self.rule, method=self.method)

    def __repr__(self) -> str:
        return f"NpsTable({len(self)} segments, n = {int(self.counts.sum())})"

    def __str__(self) -> str:
        wide = max(map(len, self.labels))
        lines = []
        for i, label in enumerate(self.labels):
            few = "  few answers" if self.n[i] < SMALL_N else ""
            lines.append(f"{label:{wide}}  {self._estimate(i)}{few}")
        return "\n".join(lines)

    @property
    def n(self) -> NDArray[np.int64]:
        """(k,) answers of each segment."""
        total: NDArray[np.int64] = self.counts.sum(axis=1)
        return total

    @property
    def score(self) -> Floats:
        """(k,) points; NaN without answers."""
        with np.errstate(invalid="ignore"):
            scores: Floats = 100 * (self.counts[:, 0] - self.counts[:, 2]) / self.n
        return scores

    @property
    def total(self) -> NpsCounts:
        """All answers, also those in no segment."""
        return NpsCounts(*self.counts.sum(axis=0).tolist()) + self.elsewhere

    def segment(self, label: str) -> NpsCounts:
        """Counts of one segment."""
        if label not in self.labels:
            raise UnknownName("segment", label, self.labels)
        return NpsCounts(*self.counts[self.labels.index(label)].tolist())

    def compared(self, *, baseline: str | None = None, adjust: str = "holm") -> ComparisonTable:
        """Each segment against one of them, or against all others together, p-values adjusted for their number.

        Parameters
        ----------
        baseline : label, optional
            None compares with all other segments.
        adjust : text
            See `compare_many`.

        Examples
        --------
        >>> scores = [10, 9, 8, 3] * 50 + [9, 2, 3, 1] * 50
        >>> print(nps_by(scores, ["web"] * 200 + ["shop"] * 200).compared(baseline="web"))
        against web, p-values adjusted by holm, intervals 95 % each
        shop  -50  difference -75 [-90.5, -57.5]  p < 0.0001
        """
        from crmcore.metrics.comparing import ComparisonTable
        from crmcore.metrics.multiplicity import ADJUSTMENTS, FAMILY_WISE
        from crmcore.metrics.multiplicity import adjust as adjusted

        if len(self) < 2:
            raise EmptyInput("groups with fewer than two entries", "one group alone: use table[label]")
        if adjust not in ADJUSTMENTS:
            raise UnknownName("adjustment", adjust, tuple(ADJUSTMENTS))
        if baseline is not None and baseline not in self.labels:
            raise UnknownName("baseline", baseline, self.labels)
        base = -1 if baseline is None else self.labels.index(baseline)
        kept = np.array([i for i in range(len(self)) if i != base])
        each = 1 - (1 - self.level) / len(kept) if adjust in FAMILY_WISE else self.level
        mine = self.counts[kept]
        others = self.counts.sum(axis=0) - mine if base < 0 else np.broadcast_to(self.counts[base], mine.shape)
        made = tuple(
            nps_difference(first, second, errors=(error, other_error))
            for (first, error), (second, other_error) in zip(
                _scores(mine, each, self.rule), _scores(others, each, self.rule), strict=True
            )
        )
        return ComparisonTable(
            labels=tuple(self.labels[i] for i in kept.tolist()),
            comparisons=made,
            p_adjusted=tuple(adjusted([c.p_value for c in made], method=adjust).tolist()),
            against="the rest" if baseline is None else baseline,
            adjustment=adjust,
            level=self.level,
        )

    def _rows(self) -> list[dict[str, Any]]:
        columns = {
            "segment": self.labels,
            "n": self.n.tolist(),
            "promoters": self.counts[:, 0].tolist(),
            "passives": self.counts[:, 1].tolist(),
            "detractors": self.counts[:, 2].tolist(),
            "score": self.score.tolist(),
            "low": self.low.tolist(),
            "high": self.high.tolist(),
            "small": (self.n < SMALL_N).tolist(),
        }
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a segment: segment, n, promoters, passives, detractors, score, low, high, small."""
        return frame_of(self._rows(), backend=backend)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        fields: dict[str, Any] = documents.to_dict(self)
        return fields

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> NpsTable:
        """Read what `to_dict` wrote."""
        made = documents.from_dict(cls, fields)
        return attrs.evolve(made, counts=made.counts.reshape(-1, 3))

    def chart(self, *, title: str = "Net Promoter Score by segment") -> Chart:
        """Stacked bars of answers beside the scores with their intervals; segments without answers are left out."""
        from crmcore.metrics.survey.charts import stacked_answers

        there = np.flatnonzero(self.n).tolist()
        if not there:
            raise EmptyInput("the table of scores", "draw segments that have answers")
        names = ("detractors", "passives", "promoters")
        shares: list[dict[str, float]] = [
            {name: float(k / self.n[i]) for name, k in zip(names, self.counts[i, ::-1], strict=True)} for i in there
        ]
        scores = [self._estimate(i) for i in there]
        return stacked_answers([self.labels[i] for i in there], shares, scores, title=title)

    def _repr_html_(self) -> str:
        shown = [
            {
                "segment": row["segment"],
                "n": row["n"],
                **{k: number_text(row[k]) for k in ("score", "low", "high")},
                "": "few answers" if row["small"] else "",
            }
            for row in self._rows()
        ]
        return html_table(shown, caption=f"Net Promoter Score, {100 * self.level:g} % each, {self.method}")


def _scores(counts: NDArray[np.int64], level: float, rule: str) -> Iterator[tuple[Estimate, float]]:
    """Score and standard error of each row of counts; the intervals are made in one pass."""
    low, high = nps_interval(*counts.T, level=level)
    n = counts.sum(axis=1)
    with np.errstate(invalid="ignore"):
        score = 100 * (counts[:, 0] - counts[:, 2]) / n
    columns = (score, low, high, n, nps_standard_error(*counts.T))
    for value, lo, hi, size, error in zip(*(c.tolist() for c in columns), strict=True):
        made = Estimate(value=value, low=lo, high=hi, level=level, n=size, rule=rule, method="mover-wilson")
        yield made, error


def nps_by(
    scores: ArrayLike,
    segments: TextColumn | ArrayLike,
    /,
    *,
    labels: Sequence[str] | None = None,
    level: float = 0.95,
    method: str = "mover-wilson",
    seed: int | np.random.Generator | None = None,
    rule: str = NPS_RULE,
) -> NpsTable:
    """Net Promoter Score of every segment in one pass.

    Parameters
    ----------
    scores : (n,) whole numbers
        From 0 to 10; None and NaN are not answered.
    segments : (n,) words or codes, or a TextColumn
        Segment of each answer; None, or a code below 0, is in no segment. Codes are counted fastest.
    labels : sequence of text, optional
        Names of codes from 0, and the order of the table; None orders words by themselves and codes by number.
    level, method, seed, rule
        As in `nps`.

    Returns
    -------
    NpsTable
        Small segments are flagged, not warned about. Use its `compared` before calling two segments different.

    Raises
    ------
    BadRows, OutOfRange
        Scores off the scale; columns of two lengths; segments that `labels` does not name.
    EmptyInput
        No answer is in a segment.

    Examples
    --------
    >>> print(nps_by([10, 9, 8, 3] * 50 + [9, 2, 3, 1] * 5, ["web"] * 200 + ["shop"] * 20))
    shop  -50 [-77.6, -6.26] (95 %, n = 20, mover-wilson)  few answers
    web   25 [13.2, 36] (95 %, n = 200, mover-wilson)
    """
    check_level(level)
    group = nps_groups(scores)
    codes, names = segment_codes(segments, n=len(group), labels=labels)
    if not names:
        raise EmptyInput("segments", "at least one answer must be in a segment")
    return table_of_groups(group, codes, names, level=level, method=method, seed=seed, rule=rule)


def table_of_groups(
    group: NDArray[np.int8],
    codes: NDArray[np.int64],
    names: tuple[str, ...],
    *,
    level: float,
    method: str,
    seed: int | np.random.Generator | None,
    rule: str,
) -> NpsTable:
    """Table of what `nps_groups` and `segment_codes` found."""
    # The unanswered and the unsegmented get cells of their own: one bincount, no masks.
    cells = np.bincount((codes + 1) * 4 + group + 1, minlength=4 * (len(names) + 1)).reshape(-1, 4)
    counts = cells[:, :0:-1].copy()
    method = named("NPS interval method", method, NPS_METHODS)
    low, high = nps_interval(*counts[1:].T, level=level, method=method, seed=seed)
    return NpsTable(
        labels=names,
        counts=counts[1:],
        low=low,
        high=high,
        level=level,
        method=method,
        rule=rule,
        elsewhere=NpsCounts(*counts[0].tolist()),
    )
