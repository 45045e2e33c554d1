"""Self-audit of complaint handling along the principles and steps of ISO 10002: each has evidence in the data, or says
that a person must look.

The names of principles and steps are the standard's; the questions are our own words. The standard itself is to be
bought from its publisher, and no self-audit is a certificate.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from datetime import datetime
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import check_aware, html_table, number_text
from crmcore._frames import read_frame, write_frame
from crmcore.documents import Document
from crmcore.errors import EmptyInput, UnknownName, WrongType
from crmcore.metrics.columns import instant, instants, truths
from crmcore.metrics.estimates import SMALL_N, Estimate
from crmcore.metrics.proportions import proportion
from crmcore.metrics.scalars import above, share_of

if TYPE_CHECKING:
    from crmcore.charts import Chart
    from crmcore.recovery.remedies import EqualTreatment

__all__ = ["COLUMNS", "Audit", "AuditTargets", "Finding", "Verdict", "audit_handling"]

Bools = NDArray[np.bool_]
Counted = tuple[Bools, Bools]  # fulfilled, looked at

COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "case": "id of the case",
        "opened_at": "when the complaint arrived",
        "acknowledged_at": "when the customer was told that it arrived",
        "responded_at": "when the customer got an answer that says something",
        "closed_at": "when it was closed; missing while open",
        "channel": "where it came in",
        "owner": "who answers for it",
        "severity": "how bad it was judged to be",
        "cause": "what the investigation found",
        "decision": "what was decided, a remedy or none",
        "explained": "whether the customer was told why",
        "fee": "what complaining cost the customer",
        "leaked": "whether personal data reached somebody whom they do not concern",
        "trained": "whether whoever handled it is trained for it",
        "updates": "how often the customer was told how it stands",
        "accepted": "whether the customer agreed to closing, or was told where else to turn",
        "satisfaction": "what the customer said of the handling",
    }
)
"""Columns that evidence is taken from; each may be missing, and then its clauses are for a person to judge."""

_TIMES = ("opened_at", "acknowledged_at", "responded_at", "closed_at")
_FLAGS = ("explained", "leaked", "trained", "accepted")


class Verdict(enum.StrEnum):
    """What the data say of one clause."""

    MET = "met"
    NOT_MET = "not met"
    NOT_SHOWN = "not shown"
    MANUAL = "manual"


@attrs.frozen(kw_only=True)
class AuditTargets(Document):
    """What counts as fulfilled: promises of the house, for the standard sets no numbers.

    Parameters
    ----------
    share : share
        Of cases that must fulfil a clause.
    acknowledged_hours, responded_hours, closed_days : time from opening
    """

    share: float = 0.9
    acknowledged_hours: float = 24.0
    responded_hours: float = 72.0
    closed_days: float = 30.0

    def __attrs_post_init__(self) -> None:
        share_of("share", self.share, hint="write 90 % as 0.9")
        for name in ("acknowledged_hours", "responded_hours", "closed_days"):
            above(name, getattr(self, name), hint="time from opening")


class _Cases:
    """Columns of the audit; what a clause asks for and nobody brought is None."""

    def __init__(self, columns: Mapping[str, list[Any]], n: int, now: np.datetime64, targets: AuditTargets) -> None:
        self.n, self.now, self.targets = n, now, targets
        self.times = {k: instants(k, np.array(columns[k], object), missing_ok=True) for k in _TIMES if k in columns}
        self.cells = columns

    def there(self, name: str) -> Bools:
        if name in self.times:
            return ~np.isnat(self.times[name])
        return np.array([c is not None for c in self.cells[name]], np.bool_)

    def flag(self, name: str) -> Counted:
        known = self.there(name)
        yes = np.zeros(self.n, np.bool_)
        yes[known] = truths(name, [c for c in self.cells[name] if c is not None])
        return yes, known

    @property
    def closed(self) -> Bools:
        return self.there("closed_at")

    def within(self, name: str, hours: float) -> Counted:
        """In time; cases whose time is not up yet and that wait are not looked at."""
        opened, done = self.times["opened_at"], self.times[name]
        due = opened + np.timedelta64(round(hours * 3_600_000_000), "us")
        waits = np.isnat(done) & (due >= self.now)
        return done <= due, ~np.isnat(opened) & ~waits


def _all(cases: _Cases, fulfilled: Bools) -> Counted:
    return fulfilled, np.ones(cases.n, np.bool_)


def _of_closed(name: str) -> Callable[[_Cases], Counted]:
    return lambda cases: (cases.there(name), cases.closed)


def _named(name: str) -> Callable[[_Cases], Counted]:
    return lambda cases: _all(cases, cases.there(name))


def _flag(name: str, *, wanted: bool = True) -> Callable[[_Cases], Counted]:
    def check(cases: _Cases) -> Counted:
        yes, known = cases.flag(name)
        return (yes if wanted else ~yes), known

    return check


def _flag_of_closed(name: str) -> Callable[[_Cases], Counted]:
    return lambda cases: (cases.flag(name)[0], cases.closed)


def _free(cases: _Cases) -> Counted:
    known = cases.there("fee")
    return np.array([c is not None and float(c) == 0 for c in cases.cells["fee"]], np.bool_), known


def _told(cases: _Cases) -> Counted:
    known = cases.there("updates")
    return np.array([c is not None and float(c) >= 1 for c in cases.cells["updates"]], np.bool_), known


def _other_channels(cases: _Cases) -> Counted:
    """Cases that did not come in by the most used channel: one way in alone shuts others out."""
    names = cases.cells["channel"]
    often: dict[Any, int] = {}
    for c in names:
        often[c] = often.get(c, 0) + (c is not None)
    main = min(often, key=lambda c: (-often[c], str(c)), default=None)
    return np.array([c is not None and c != main for c in names], np.bool_), cases.there("channel")


def _in_order(cases: _Cases) -> Counted:
    """Cases with one id, an opening, and no step before it or after the closing."""
    ids = cases.cells["case"]
    often: dict[Any, int] = {}
    for c in ids:
        often[c] = often.get(c, 0) + 1
    fine = np.array([c is not None and often[c] == 1 for c in ids], np.bool_) & cases.there("opened_at")
    for name in _TIMES[1:]:
        if name in cases.times:
            t = cases.times[name]
            fine &= np.isnat(t) | (t >= cases.times["opened_at"])
            fine &= np.isnat(t) | (t <= cases.now)
    return _all(cases, fine)


def _received(cases: _Cases) -> Counted:
    return _all(cases, cases.there("case") & cases.there("opened_at"))


@attrs.frozen(kw_only=True)
class _Clause:
    group: str
    name: str
    question: str
    needs: tuple[str, ...] = ()
    check: Callable[[_Cases], Counted] | None = None
    any_share: bool = False  # fulfilled where the share is above 0 with its interval


_P, _S, _M = "principle", "step", "upkeep"
_ACKNOWLEDGED = ("opened_at", "acknowledged_at")
_CLAUSES = (
    _Clause(group=_P, name="commitment", question="Do those who lead back the handling of complaints, in writing?"),
    _Clause(
        group=_P, name="capacity", question="Does every case find somebody?", needs=("owner",), check=_named("owner"),
    ),
    _Clause(group=_P, name="transparency", question="Can everybody find how to complain?"),
    _Clause(
        group=_P, name="accessibility", question="Is there more than one way in that customers use?",
        needs=("channel",), check=_other_channels, any_share=True,
    ),
    _Clause(
        group=_P, name="responsiveness", question="Do customers get an answer in time?",
        needs=("opened_at", "responded_at"), check=lambda c: c.within("responded_at", c.targets.responded_hours),
    ),
    _Clause(group=_P, name="objectivity", question="Are like cases treated alike, whoever complains?"),
    _Clause(group=_P, name="charges", question="Is complaining free?", needs=("fee",), check=_free),
    _Clause(
        group=_P, name="information integrity", question="Are records complete and free of contradictions?",
        needs=("case", "opened_at"), check=_in_order,
    ),
    _Clause(
        group=_P, name="confidentiality", question="Do personal data stay where they belong?", needs=("leaked",),
        check=_flag("leaked", wanted=False),
    ),
    _Clause(
        group=_P, name="customer focus", question="Are customers told why, not only what?",
        needs=("explained", "closed_at"), check=_flag_of_closed("explained"),
    ),
    _Clause(
        group=_P, name="accountability", question="Does a closed case say who decided?", needs=("owner", "closed_at"),
        check=_of_closed("owner"),
    ),
    _Clause(
        group=_P, name="improvement", question="Does a closed case leave a cause to learn from?",
        needs=("cause", "closed_at"), check=_of_closed("cause"),
    ),
    _Clause(
        group=_P, name="competence", question="Are cases handled by people trained for it?", needs=("trained",),
        check=_flag("trained"),
    ),
    _Clause(
        group=_P, name="timeliness", question="Are cases closed in the time that is promised?",
        needs=("opened_at", "closed_at"), check=lambda c: c.within("closed_at", c.targets.closed_days * 24),
    ),
    _Clause(group=_S, name="communication", question="Is the way to complain known to customers and staff?"),
    _Clause(
        group=_S, name="receipt", question="Is every complaint recorded with an id and its time?",
        needs=("case", "opened_at"), check=_received,
    ),
    _Clause(
        group=_S, name="tracking", question="Is the customer told how the case stands?", needs=("updates",), check=_told
    ),
    _Clause(
        group=_S, name="acknowledgement", question="Is receipt confirmed in time?", needs=_ACKNOWLEDGED,
        check=lambda c: c.within("acknowledged_at", c.targets.acknowledged_hours),
    ),
    _Clause(
        group=_S, name="assessment", question="Is every case judged by its severity?", needs=("severity",),
        check=_named("severity"),
    ),
    _Clause(
        group=_S, name="investigation", question="Does a closed case have a finding?", needs=("cause", "closed_at"),
        check=_of_closed("cause"),
    ),
    _Clause(
        group=_S, name="response", question="Does a closed case have an answer that says something?",
        needs=("responded_at", "closed_at"), check=_of_closed("responded_at"),
    ),
    _Clause(
        group=_S, name="decision", question="Does a closed case say what was decided?", needs=("decision", "closed_at"),
        check=_of_closed("decision"),
    ),
    _Clause(
        group=_S, name="closing", question="Did the customer agree, or learn where else to turn?",
        needs=("accepted", "closed_at"), check=_flag_of_closed("accepted"),
    ),
    _Clause(group=_M, name="analysis", question="Are causes analysed, and acted on?"),
    _Clause(
        group=_M, name="satisfaction", question="Are customers asked about the handling, and do they answer?",
        needs=("satisfaction", "closed_at"), check=_of_closed("satisfaction"), any_share=True,
    ),
    _Clause(group=_M, name="monitoring", question="Does somebody watch the numbers, and react?"),
    _Clause(group=_M, name="audit", question="Is the handling itself audited by people who do not do it?"),
    _Clause(group=_M, name="review", question="Do those who lead review it, and decide on what to change?"),
)  # fmt: skip


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
    table = _Cases(found, len(read), instant("now", now), goals)
    findings = tuple(_finding(c, table, treatment, level) for c in _CLAUSES)
    return Audit(findings=findings, cases=len(read), now=now, targets=goals)


def _finding(clause: _Clause, cases: _Cases, treatment: EqualTreatment | None, level: float) -> Finding:
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
