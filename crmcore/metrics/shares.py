"""Shares of a whole: every category with an interval, all of them right at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from crmcore._base import html_table, number_text
from crmcore.errors import EmptyInput, UnknownName
from crmcore.metrics.estimates import Estimate, check_level, frame_of, warn_if_small
from crmcore.metrics.scalars import count_of, entries

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["ShareTable", "share_table"]


@attrs.frozen(repr=False)
class ShareTable:
    """Shares by label; the intervals cover all true shares together with probability `level`."""

    labels: tuple[str, ...]
    estimates: tuple[Estimate, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, label: str) -> Estimate:
        if label not in self.labels:
            raise UnknownName("label", label, self.labels)
        return self.estimates[self.labels.index(label)]

    def __repr__(self) -> str:
        return f"ShareTable({len(self)} labels, n = {self.estimates[0].n})"

    def __str__(self) -> str:
        wide = max(map(len, self.labels))
        return "\n".join(f"{label:{wide}}  {e}" for label, e in zip(self.labels, self.estimates, strict=True))

    def _rows(self) -> list[dict[str, Any]]:
        return [{"label": label, **attrs.asdict(e)} for label, e in zip(self.labels, self.estimates, strict=True)]

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a label: label, value, low, high, level, n, rule, method."""
        return frame_of(self._rows(), backend=backend)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"labels": list(self.labels), "estimates": [e.to_dict() for e in self.estimates]}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> ShareTable:
        """Read what `to_dict` wrote.

        Examples
        --------
        >>> table = share_table({"ours": 30, "theirs": 70})
        >>> ShareTable.from_dict(table.to_dict()) == table
        True
        """
        return cls(tuple(fields["labels"]), tuple(map(Estimate.from_dict, fields["estimates"])))

    def chart(self, *, title: str = "Shares") -> Chart:
        """Dots with intervals, in the order of the table."""
        from crmcore.charts import dot_interval

        return dot_interval(self.labels, self.estimates, title=title, percent=True)

    def _repr_html_(self) -> str:
        shown = ("value", "low", "high")
        rows = [{"label": r["label"], **{k: number_text(r[k]) for k in shown}} for r in self._rows()]
        first = self.estimates[0]
        return html_table(rows, caption=f"shares, {100 * first.level:g} % together, n = {first.n}, {first.method}")


def share_table(counts: Mapping[str, int], *, level: float = 0.95, small_sample_ok: bool = False) -> ShareTable:
    """Shares of several exclusive categories with simultaneous intervals.

    Parameters
    ----------
    counts : mapping
        Label to count, 0 allowed; at least two labels, every trial in exactly one of them.
    level : share
        Probability with which all intervals hold together.
    small_sample_ok : truth
        Silences `SmallSample`, which warns when the total is below 30.

    Returns
    -------
    ShareTable
        In the order of `counts`. Goodman's intervals are Wilson's at level 1 − (1 − level)/k for k labels:
        Goodman (1965), Technometrics 7:247.

    Examples
    --------
    >>> print(share_table({"ours": 30, "rival a": 50, "rival b": 20}))
    ours     0.3 [0.204, 0.418] (95 %, n = 100, goodman)
    rival a  0.5 [0.384, 0.616] (95 %, n = 100, goodman)
    rival b  0.2 [0.122, 0.311] (95 %, n = 100, goodman)
    """
    from crmcore.metrics.intervals import wilson_interval

    check_level(level)
    counts = entries("counts", counts, hint="{'ours': 30, 'theirs': 50}")
    if len(counts) < 2:
        raise EmptyInput("counts with fewer than two labels", "for one share use metrics.proportion(k, n)")
    for label, count in counts.items():
        count_of(f"counts[{label!r}]", count, hint="pass counts, not shares")
    n = int(sum(counts.values()))
    warn_if_small(n, "the share table", ok=small_sample_ok)
    low, high = wilson_interval(list(counts.values()), n, level=1 - (1 - level) / len(counts))
    estimates = tuple(
        Estimate(
            value=k / n if n else math.nan,
            low=float(lo),
            high=float(hi),
            level=level,
            n=n,
            rule=f"{label} / all",
            method="goodman",
        )
        for (label, k), lo, hi in zip(counts.items(), low, high, strict=True)
    )
    return ShareTable(tuple(counts), estimates)
