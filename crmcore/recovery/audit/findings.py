"""What an audit found, clause by clause."""

from __future__ import annotations

import enum
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any

import attrs

from crmcore._base import html_table, number_text
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import EmptyInput, UnknownName
from crmcore.metrics.estimates import Estimate
from crmcore.recovery.audit.targets import AuditTargets

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Audit", "Finding", "Verdict"]


class Verdict(enum.StrEnum):
    """What the data say of one clause."""

    MET = "met"
    NOT_MET = "not met"
    NOT_SHOWN = "not shown"
    MANUAL = "manual"


@attrs.frozen(kw_only=True)
class Finding(Document):
    """One clause.

    Parameters
    ----------
    group, name : text
        `"principle"`, `"step"` or `"upkeep"`, and the standard's short name.
    question : text
        In our words.
    verdict : Verdict
    evidence : Estimate, optional
        Share of cases that fulfil it; None where a person must look.
    target : share
        0 where any share will do.
    columns : texts
        That it was taken from, or would be.
    note : text
    """

    group: str
    name: str
    question: str
    verdict: Verdict
    evidence: Estimate | None
    target: float
    columns: tuple[str, ...]
    note: str = ""

    def __str__(self) -> str:
        seen = f"{self.evidence}" if self.evidence is not None else self.note
        return f"{self.verdict:9} {self.group} {self.name}: {seen}"


@attrs.frozen(kw_only=True, repr=False)
class Audit(Document):
    """Evidence on each principle and step.

    Parameters
    ----------
    findings : tuple of Finding
        In the order of the standard's list.
    cases : count
    now : aware datetime
    targets : AuditTargets
    """

    findings: tuple[Finding, ...]
    cases: int
    now: datetime
    targets: AuditTargets

    def __getitem__(self, name: str) -> Finding:
        known = tuple(f.name for f in self.findings)
        if name not in known:
            raise UnknownName("clause", name, known)
        return self.findings[known.index(name)]

    def counts(self) -> dict[str, int]:
        """Clauses by verdict."""
        return {v.value: sum(f.verdict is v for f in self.findings) for v in Verdict}

    def __repr__(self) -> str:
        told = ", ".join(f"{n} {name}" for name, n in self.counts().items())
        return f"Audit({self.cases} cases: {told})"

    def __str__(self) -> str:
        head = f"self-audit along ISO 10002 over {self.cases} cases; target {100 * self.targets.share:g} % of cases"
        return "\n".join([head, *map(str, self.findings)])

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "group": f.group, "clause": f.name, "verdict": f.verdict.value, "question": f.question,
                "share": None if f.evidence is None else f.evidence.value,
                "low": None if f.evidence is None else f.evidence.low,
                "high": None if f.evidence is None else f.evidence.high,
                "n": None if f.evidence is None else f.evidence.n, "target": f.target, "columns": ", ".join(f.columns),
                "note": f.note,
            }
            for f in self.findings
        ]  # fmt: skip

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a clause."""
        rows = self._rows()
        return write_frame({n: [row[n] for row in rows] for n in rows[0]}, backend=backend)

    def _repr_html_(self) -> str:
        rows = [
            {
                "clause": f"{f.group}: {f.name}", "verdict": f.verdict.value,
                "n": None if f.evidence is None else f.evidence.n,
                "share": None if f.evidence is None
                else f"{number_text(f.evidence.value)} [{number_text(f.evidence.low)}, {number_text(f.evidence.high)}]",
            }
            for f in self.findings
        ]  # fmt: skip
        return html_table(rows, caption=repr(self), limit=40) + f"<p>{escape('Manual: a person must look.')}</p>"

    def chart(self) -> Chart:
        """Shares of cases with their intervals, beside the target."""
        from crmcore.charts import dot_interval

        seen = [(f"{f.group}: {f.name}", f.evidence) for f in self.findings if f.evidence is not None and f.evidence.n]
        if not seen:
            raise EmptyInput("findings with evidence", "bring more columns: see audit.COLUMNS")
        return dot_interval(
            [name for name, _ in seen], [e for _, e in seen], title="Self-audit of complaint handling",
            description=repr(self), percent=True, reference=self.targets.share,
        )  # fmt: skip
