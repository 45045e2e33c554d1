"""What a search for causes says: findings, dated changes, and suspects that were cleared."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import attrs

from crmcore._base import html_table, number_text
from crmcore.documents import Document
from crmcore.metrics.comparing import p_text
from crmcore.metrics.estimates import Estimate, frame_of
from crmcore.recovery.process.causes.regions import Period, Region

if TYPE_CHECKING:
    from crmcore.charts import Chart
    from crmcore.recovery.process.causes.pareto_table import Pareto

__all__ = ["Causes", "Change", "Cleared", "Finding"]


@attrs.frozen(kw_only=True)
class Finding(Document):
    """A region whose cases fail more, or less, than the other findings explain.

    Parameters
    ----------
    region : Region
        Which cases.
    odds_ratio : Estimate
        Odds of failure against like cases outside; every other finding held fixed.
    crude : Estimate
        The same against all cases outside, nothing held fixed.
    excess : Estimate
        Failures that would not have happened had the region's odds been those of like cases; below zero for a region
        that protects.
    cases, failures : counts
        In the region.
    p_value : share
        Of the region given the other findings.
    p_adjusted : share
        Chance of any region so strong in the whole search, had nothing an effect.
    q_value : share
        False findings expected among those at least as strong, over all that was tried (Benjamini & Hochberg).
    same_as : tuple of Region
        Values of other attributes that hold exactly the same cases: the data cannot tell which of them it is.
    """

    region: Region
    odds_ratio: Estimate
    crude: Estimate
    excess: Estimate
    cases: int
    failures: int
    p_value: float
    p_adjusted: float
    q_value: float
    same_as: tuple[Region, ...] = ()

    @property
    def raises(self) -> bool:
        """Whether the region fails more than like cases, rather than less."""
        return self.odds_ratio.value > 1

    def __str__(self) -> str:
        odds, crude = self.odds_ratio, self.crude
        share = number_text(100 * self.failures / self.cases) if self.cases else "0"
        more = "more" if self.excess.value >= 0 else "fewer"
        lines = [
            f"{self.region}: odds of failure {number_text(odds.value)} times those of like cases "
            f"[{number_text(odds.low)}, {number_text(odds.high)}] (crude {number_text(crude.value)})",
            f"  {self.failures:,} of {self.cases:,} cases failed ({share} %), "
            f"{abs(self.excess.value):,.0f} {more} than like cases; adjusted {p_text(self.p_adjusted)}",
        ]
        if self.same_as:
            lines.append(f"  the same cases as {', '.join(map(str, self.same_as))}: the data cannot tell them apart")
        return "\n".join(lines)


@attrs.frozen(kw_only=True)
class Change(Document):
    """A region that fails more, or less, from some time on.

    Parameters
    ----------
    finding : Finding
        Its region begins with `since`; its odds ratio compares the time from then on with like cases.
    since : Period
        Most likely beginning: the median of the likelihood over periods.
    earliest, latest : Period
        Set that holds the beginning with probability `level`.
    before, after : Estimate
        Share of failures in the region before `since`, and from it on.
    level : share
    """

    finding: Finding
    since: Period
    earliest: Period
    latest: Period
    before: Estimate
    after: Estimate
    level: float

    def __str__(self) -> str:
        span = f"between {self.earliest} and {self.latest}" if self.earliest != self.latest else f"with {self.since}"
        rates = f"{number_text(100 * self.before.value)} % before, {number_text(100 * self.after.value)} % after"
        return f"{self.finding}\n  it began {span} ({100 * self.level:g} %): {rates} of its cases failed"


@attrs.frozen(kw_only=True)
class Cleared(Document):
    """A value that looks like a cause alone, and is not once the findings are held fixed.

    Parameters
    ----------
    region : Region
    crude, adjusted : Estimate
        Odds ratio against all cases outside, and over strata of the findings (Mantel-Haenszel).
    explained_by : Region
        Finding that changes the odds ratio most when its strata are held apart.
    """

    region: Region
    crude: Estimate
    adjusted: Estimate
    explained_by: Region

    def __str__(self) -> str:
        crude, held = number_text(self.crude.value), number_text(self.adjusted.value)
        return f"{self.region}: crude odds ratio {crude}, {held} once {self.explained_by} is held apart"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Causes(Document):
    """What makes cases fail.

    Parameters
    ----------
    findings : tuple of Finding
        Strongest evidence first.
    changes : tuple of Change
        Dated changes, strongest evidence first.
    cleared : tuple of Cleared
        Suspects that the findings explain, the strongest first.
    cases, failures, unknown : counts
        Cases read, failed ones, and rows left out because outcome or time is not known.
    baseline : Estimate
        Share of failures outside all findings.
    tried : kind -> count
        Questions asked at every step: values, pairs, changes, and dates of causes that were found.
    left_out : tuple of text
        Attributes with no value of enough cases.
    alpha, adjustment : share, text
        Error that was bounded, and how.
    depth, min_cases : counts
    stopped : truth
        Whether more findings were there than the search was to report.
    """

    findings: tuple[Finding, ...]
    changes: tuple[Change, ...]
    cleared: tuple[Cleared, ...]
    cases: int
    failures: int
    unknown: int
    baseline: Estimate
    tried: dict[str, int]
    left_out: tuple[str, ...]
    alpha: float
    adjustment: str
    depth: int
    min_cases: int
    stopped: bool

    def __repr__(self) -> str:
        return f"Causes({len(self.findings)} findings, {len(self.changes)} changes, {self.cases:,} cases)"

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """Findings and the findings of changes."""
        return (*self.findings, *(c.finding for c in self.changes))

    def __str__(self) -> str:
        asked = ", ".join(f"{n:,} {kind}s" for kind, n in self.tried.items()) or "nothing"
        share = number_text(100 * self.failures / self.cases)
        lines = [f"{self.failures:,} of {self.cases:,} cases failed ({share} %); asked: {asked}"]
        if self.unknown:
            lines.append(f"{self.unknown:,} rows left out: outcome or time not known")
        if self.left_out:
            lines.append(f"not asked (no value of {self.min_cases} cases): {', '.join(self.left_out)}")
        lines += [str(f) for f in self.findings] or ["no cause found"]
        if self.changes:
            lines += ["changes:", *map(str, self.changes)]
        lines += self._cleared_text()
        if self.stopped:
            lines.append("more causes were there than asked for: raise max_findings")
        return "\n".join(lines)

    def _cleared_text(self) -> list[str]:
        """Suspects that look bad alone; those that look good, mostly the other side of a finding, are counted."""
        bad = [str(c) for c in self.cleared if c.crude.value > 1]
        good = len(self.cleared) - len(bad)
        rest = [f"and {good} values that look good alone"] if good else []
        return ["cleared:", *bad, *rest] if self.cleared else []

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a finding: region, since, odds_ratio, low, high, crude, cases, failures, excess, p and q values."""
        found = self.all_findings
        rows = [_row(f) for f in found]
        if rows:
            return frame_of(rows, backend=backend)
        from crmcore._frames import write_frame

        return write_frame({name: [] for name in ROW}, backend=backend or "polars")

    def pareto(self) -> Pareto:
        """Failures above expectation by finding, largest first, and the rest."""
        from crmcore.recovery.process.causes.pareto_table import pareto_of_causes

        return pareto_of_causes(self)

    def chart(self) -> Chart:
        """Odds ratios with their intervals."""
        from crmcore.recovery.process.charts import causes_chart

        return causes_chart(self)

    def _repr_html_(self) -> str:
        rows: Sequence[dict[str, object]] = [
            {
                "cause": str(f.region),
                "odds ratio": str(f.odds_ratio).partition(" (")[0],
                "cases": f.cases,
                "excess failures": f"{f.excess.value:,.0f}",
                "adjusted": p_text(f.p_adjusted),
            }
            for f in self.all_findings
        ]
        if not rows:
            return f"<figure>{escape(str(self))}</figure>"
        return html_table(rows, caption=f"Causes of {self.failures:,} failures in {self.cases:,} cases")


ROW = (
    "region", "since", "odds_ratio", "low", "high", "crude", "cases", "failures", "excess", "excess_low",
    "excess_high", "p_value", "p_adjusted", "q_value",
)  # fmt: skip


def _row(f: Finding) -> dict[str, object]:
    since = f.region.since
    cells = (
        str(attrs.evolve(f.region, since=None)), None if since is None else str(since), f.odds_ratio.value,
        f.odds_ratio.low, f.odds_ratio.high, f.crude.value, f.cases, f.failures, f.excess.value, f.excess.low,
        f.excess.high, f.p_value, f.p_adjusted, f.q_value,
    )  # fmt: skip
    return dict(zip(ROW, cells, strict=True))
