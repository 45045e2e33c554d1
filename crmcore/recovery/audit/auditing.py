"""Hold a table of cases against each clause."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from crmcore._base import check_aware
from crmcore._frames import read_frame
from crmcore.errors import EmptyInput, UnknownName, WrongType
from crmcore.metrics.columns import instant
from crmcore.metrics.estimates import SMALL_N, Estimate
from crmcore.metrics.proportions import proportion
from crmcore.recovery.audit._clauses import CLAUSES, Clause
from crmcore.recovery.audit._evidence import COLUMNS, AuditCases
from crmcore.recovery.audit.findings import Audit, Finding, Verdict
from crmcore.recovery.audit.targets import AuditTargets

if TYPE_CHECKING:
    from crmcore.recovery.remedies import EqualTreatment

__all__ = ["audit_handling"]


def audit_handling(
    cases: Any,
    *,
    now: datetime,
    targets: AuditTargets | None = None,
    treatment: EqualTreatment | None = None,
    level: float = 0.95,
    **columns: str,
) -> Audit:
    """Hold a table of complaint cases against the principles and steps of ISO 10002.

    Parameters
    ----------
    cases : frame
        One row a case, with any of the columns of `COLUMNS`; times are aware.
    now : aware datetime
        Cases whose time is not up yet are not counted as late.
    targets : AuditTargets, optional
        Promises of the house.
    treatment : EqualTreatment, optional
        Evidence on objectivity, of `remedies.audit_equal_treatment`.
    level : share
        Of the intervals. A clause is met where its whole interval reaches the target, not met where all of it is below;
        else more cases are needed.
    **columns : text
        Names of columns that are called otherwise: `opened_at="created"`.

    Returns
    -------
    Audit
        Every clause, with a verdict or `"manual"`.

    Raises
    ------
    UnknownName
        A keyword that is no column of the audit.
    EmptyInput
        No case.

    Examples
    --------
    >>> from datetime import UTC, timedelta
    >>> now = datetime(2026, 6, 1, tzinfo=UTC)
    >>> opened = [now - timedelta(days=i) for i in range(5, 65)]
    >>> told = audit_handling({"opened_at": opened, "ack": [t + timedelta(hours=2) for t in opened]}, now=now,
    ...     acknowledged_at="ack")
    >>> print(told["acknowledgement"])
    met       step acknowledgement: 1 [0.94, 1] (95 %, n = 60, wilson)
    >>> told["closing"].verdict.value, told["closing"].note
    ('manual', 'bring the columns accepted, closed_at, or look at a sample')
    """
    check_aware(now, "now")
    goals = targets if targets is not None else AuditTargets()
    if not isinstance(goals, AuditTargets):
        raise WrongType("targets", f"a {type(goals).__name__}", "AuditTargets", "AuditTargets(share=0.95)")
    for name in columns:
        if name not in COLUMNS:
            raise UnknownName("column of the audit", name, tuple(COLUMNS))
    read = read_frame(cases)
    if not len(read):
        raise EmptyInput("cases", "pass the cases of the period that is audited")
    named = {name: columns.get(name, name) for name in COLUMNS}
    found = {name: read.column(source) for name, source in named.items() if source in read.columns or name in columns}
    table = AuditCases(found, len(read), instant("now", now), goals)
    findings = tuple(_finding(c, table, treatment, level) for c in CLAUSES)
    return Audit(findings=findings, cases=len(read), now=now, targets=goals)


def _finding(clause: Clause, cases: AuditCases, treatment: EqualTreatment | None, level: float) -> Finding:
    parts: dict[str, Any] = {"group": clause.group, "name": clause.name, "question": clause.question}
    target = 0.0 if clause.any_share else cases.targets.share
    if clause.name == "objectivity" and treatment is not None:
        words = {True: Verdict.MET, False: Verdict.NOT_MET, None: Verdict.NOT_SHOWN}
        note = f"{len(treatment.found())} of {len(treatment.rows)} comparisons of groups differ"
        return Finding(
            **parts, verdict=words[treatment.equal], evidence=None, target=0.0, columns=treatment.strata, note=note
        )
    missing = [name for name in clause.needs if name not in cases.cells]
    if clause.check is None or missing:
        note = "a person must look"
        if clause.check is not None:
            note = f"bring the columns {', '.join(missing)}, or look at a sample"
        return Finding(**parts, verdict=Verdict.MANUAL, evidence=None, target=target, columns=clause.needs, note=note)
    fulfilled, looked = clause.check(cases)
    k, n = int((fulfilled & looked).sum()), int(looked.sum())
    evidence = proportion(k, n, level=level, rule=f"cases that fulfil {clause.name} / cases", small_sample_ok=True)
    few = f"few cases (< {SMALL_N})" if n < SMALL_N else ""
    return Finding(
        **parts, verdict=_verdict(evidence, k, target, any_share=clause.any_share), evidence=evidence, target=target,
        columns=clause.needs, note=few,
    )  # fmt: skip


def _verdict(evidence: Estimate, k: int, target: float, *, any_share: bool) -> Verdict:
    if not evidence.n:
        return Verdict.NOT_SHOWN
    if any_share:
        return Verdict.MET if k else Verdict.NOT_MET
    if evidence.low >= target:
        return Verdict.MET
    return Verdict.NOT_MET if evidence.high < target else Verdict.NOT_SHOWN
