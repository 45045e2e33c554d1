"""Pareto: which few causes hold most of the failures, each share with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from crmcore._base import html_table, number_text
from crmcore.documents import Document
from crmcore.errors import BadRow, BadRows, EmptyInput, OutOfRange
from crmcore.metrics.estimates import Estimate, frame_of

if TYPE_CHECKING:
    from crmcore.charts import Chart
    from crmcore.recovery.process.causes.findings import Causes

__all__ = ["Pareto", "ParetoRow", "pareto", "pareto_of_causes"]

REST = "not explained"


@attrs.frozen(kw_only=True)
class ParetoRow(Document):
    """One cause in its rank.

    Parameters
    ----------
    name : text
    failures : number
        That it holds.
    share : Estimate
        Of all failures.
    cumulative : share
        Of this row and those above.
    """

    name: str
    failures: float
    share: Estimate
    cumulative: float


@attrs.frozen(kw_only=True)
class Pareto(Document):
    """Causes by the failures that they hold, largest first; what no cause holds comes last.

    Parameters
    ----------
    rows : tuple of ParetoRow
    total : number
        All failures.
    """

    rows: tuple[ParetoRow, ...]
    total: float

    def vital(self, share: float = 0.8, /) -> tuple[str, ...]:
        """Fewest causes that together hold `share` of all failures; all of them where they never do.

        Examples
        --------
        >>> pareto({"late": 60, "broken": 30, "rude": 10}).vital(0.8)
        ('late', 'broken')
        """
        if not 0 < share <= 1:
            raise OutOfRange("share", share, "above 0, at most 1", "write 80 % as 0.8")
        named = [row for row in self.rows if row.name != REST]
        need = next((i for i, row in enumerate(named) if row.cumulative >= share - 1e-12), len(named) - 1)
        return tuple(row.name for row in named[: need + 1])

    def __str__(self) -> str:
        width = max(len(r.name) for r in self.rows)
        return "\n".join(
            f"{r.name:<{width}}  {r.failures:>8,.0f}  {100 * r.share.value:5.1f} %  {100 * r.cumulative:5.1f} %"
            for r in self.rows
        )

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a cause: name, failures, share, low, high, cumulative."""
        rows = [
            {
                "name": r.name, "failures": r.failures, "share": r.share.value, "low": r.share.low,
                "high": r.share.high, "cumulative": r.cumulative,
            }
            for r in self.rows
        ]  # fmt: skip
        return frame_of(rows, backend=backend)

    def chart(self) -> Chart:
        """Bars of failures with the cumulative share as a line."""
        from crmcore.recovery.process.charts import pareto_chart

        return pareto_chart(self)

    def _repr_html_(self) -> str:
        rows = [
            {
                "cause": r.name,
                "failures": number_text(r.failures),
                "share": f"{100 * r.share.value:.1f} %",
                "so far": f"{100 * r.cumulative:.1f} %",
            }
            for r in self.rows
        ]
        return html_table(rows, caption=f"{number_text(self.total)} failures by cause")


def pareto(counts: Mapping[str, float], /, *, level: float = 0.95) -> Pareto:
    """Rank causes by the failures that were booked on each; every failure is booked once.

    Parameters
    ----------
    counts : name -> failures
        Zero or more each, ties in the order of names.
    level : share
        Of the Wilson interval of each share.

    Raises
    ------
    EmptyInput, BadRows

    Examples
    --------
    >>> print(pareto({"rude": 10, "late": 60, "broken": 30}))
    late          60   60.0 %   60.0 %
    broken        30   30.0 %   90.0 %
    rude          10   10.0 %  100.0 %
    """
    bad = [i for i, n in enumerate(counts.values()) if not 0 <= n < float("inf")]
    if bad:
        problem = BadRow("counts", "below zero or not finite", tuple(bad))
        raise BadRows("pareto", (problem,), "count failures by cause")
    if not sum(counts.values()):
        raise EmptyInput("the table of failures", "count at least one failure")
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return _table(ranked, float(sum(counts.values())), level)


def _table(ranked: list[tuple[str, float]], total: float, level: float) -> Pareto:
    from crmcore.metrics.intervals import wilson_interval

    rows: list[ParetoRow] = []
    so_far = 0.0
    for name, failures in ranked:
        so_far += failures
        low, high = (float(x[0]) for x in wilson_interval([max(failures, 0.0)], [total], level=level))
        share = Estimate(
            value=failures / total, low=low, high=high, level=level, n=int(total), rule="failures / all failures",
            method="wilson",
        )  # fmt: skip
        rows.append(ParetoRow(name=name, failures=failures, share=share, cumulative=so_far / total))
    return Pareto(rows=tuple(rows), total=total)


def pareto_of_causes(causes: Causes, /) -> Pareto:
    """Rank findings by the failures above those of like cases; regions that protect hold none and are left out.

    Each share carries the interval of its finding's odds ratio. A failure in two regions is split between them by the
    order of neither: the excess of each is counted with the other in place, so that the sum is near, not exactly, what
    would go away together.
    """
    found = [f for f in causes.all_findings if f.excess.value > 0]
    total = float(causes.failures)
    if not total:
        raise EmptyInput("the table of failures", "no case failed")
    found.sort(key=lambda f: (-f.excess.value, str(f.region)))
    rows: list[ParetoRow] = []
    so_far = 0.0
    for f in found:
        so_far += f.excess.value
        e = f.excess
        share = attrs.evolve(
            e, value=e.value / total, low=e.low / total, high=e.high / total, rule="excess failures / all failures"
        )
        rows.append(ParetoRow(name=str(f.region), failures=e.value, share=share, cumulative=min(so_far / total, 1.0)))
    left = max(total - so_far, 0.0)
    rest = _table([(REST, left)], total, found[0].excess.level if found else 0.95).rows[0]
    return Pareto(rows=(*rows, attrs.evolve(rest, cumulative=1.0)), total=total)
