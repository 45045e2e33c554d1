"""The self-audit: every verdict, what is not looked at, what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crmcore.errors import CrmError, EmptyInput, UnknownName
from crmcore.recovery.audit import COLUMNS, Audit, AuditTargets, audit_handling
from crmcore.recovery.audit._clauses import CLAUSES
from crmcore.recovery.remedies import audit_equal_treatment

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def days_ago(days: float, n: int = 60) -> list[datetime]:
    return [NOW - timedelta(days=days)] * n


def audited(n: int = 60, **columns: Any) -> Audit:
    return audit_handling({"opened_at": days_ago(40, n), **columns}, now=NOW)


def test_the_clauses_are_data_with_columns_that_the_audit_knows() -> None:
    assert len(CLAUSES) == len({(c.group, c.name) for c in CLAUSES}) == 28
    for clause in CLAUSES:
        assert set(clause.needs) <= set(COLUMNS)
        assert bool(clause.needs) == (clause.check is not None)
        assert clause.question.endswith("?")


@pytest.mark.parametrize(
    ("clause", "columns", "verdict", "k", "n"),
    [
        ("capacity", {"owner": ["a"] * 60}, "met", 60, 60),
        ("capacity", {"owner": ["a"] * 30 + [None] * 30}, "not met", 30, 60),
        ("capacity", {"owner": ["a"] * 55 + [None] * 5}, "not shown", 55, 60),
        ("accessibility", {"channel": ["web"] * 59 + ["phone"]}, "met", 1, 60),
        ("accessibility", {"channel": ["web"] * 60}, "not met", 0, 60),
        ("charges", {"fee": [0, 0.0] * 29 + [5, None]}, "met", 58, 59),
        ("confidentiality", {"leaked": [False] * 60}, "met", 60, 60),
        ("confidentiality", {"leaked": [True] * 30 + [False] * 30}, "not met", 30, 60),
        ("competence", {"trained": [True] * 58 + [None] * 2}, "met", 58, 58),
        ("tracking", {"updates": [0, 1] * 30}, "not met", 30, 60),
        ("acknowledgement", {"acknowledged_at": days_ago(39.5)}, "met", 60, 60),
        ("acknowledgement", {"acknowledged_at": days_ago(38.5)}, "not met", 0, 60),
        ("accountability", {"owner": ["a"] * 60, "closed_at": [*days_ago(1, 40), *[None] * 20]}, "met", 40, 40),
        ("receipt", {"case": [f"c{i}" for i in range(60)]}, "met", 60, 60),
        ("information integrity", {"case": ["c"] * 60}, "not met", 0, 60),
    ],
)
def test_evidence_and_verdict(clause: str, columns: dict[str, Any], verdict: str, k: int, n: int) -> None:
    found = audited(**columns)[clause]
    assert found.verdict == verdict
    assert found.evidence is not None
    assert found.evidence.n == n
    assert found.evidence.value == pytest.approx(k / n)


def test_what_still_waits_is_not_late() -> None:
    told = audit_handling({"opened_at": days_ago(0.5), "acknowledged_at": [None] * 60}, now=NOW)
    assert told["acknowledgement"].verdict == "not shown"
    assert told["acknowledgement"].evidence is not None
    assert told["acknowledgement"].evidence.n == 0
    tight = audit_handling(
        {"opened_at": days_ago(0.5), "acknowledged_at": [None] * 60}, now=NOW,
        targets=AuditTargets(acknowledged_hours=6),
    )  # fmt: skip
    assert tight["acknowledgement"].verdict == "not met"


def test_steps_before_the_opening_are_a_contradiction() -> None:
    names = [f"c{i}" for i in range(60)]
    assert audited(case=names, closed_at=days_ago(41))["information integrity"].verdict == "not met"
    assert audited(case=names, closed_at=days_ago(-1))["information integrity"].verdict == "not met"


def test_objectivity_takes_the_audit_of_treatment() -> None:
    cost, group = [1.0, 1.0, 9.0, 9.0] * 30, ["a", "a", "b", "b"] * 30
    unfair, fair = (audit_equal_treatment(g, {"cost": cost}) for g in (group, ["a", "b"] * 60))
    few = audit_equal_treatment(["a", "b"] * 4, {"cost": [1, 1, 2, 2] * 2})
    opened = {"opened_at": days_ago(3)}
    verdicts = [audit_handling(opened, now=NOW, treatment=t)["objectivity"].verdict for t in (unfair, fair, few, None)]
    assert verdicts == ["not met", "met", "not shown", "manual"]


def test_forms_are_small_escaped_and_name_nobody() -> None:
    told = audited(owner=["<b>ann@example.com"] * 60, channel=["<i>"] * 60)
    html = told._repr_html_()
    assert 0 < len(html) < 6_000
    assert "<i>" not in html
    assert "ann@example.com" not in html + repr(told) + str(told)
    assert Audit.from_dict(told.to_dict()) == told
    assert told.to_frame()["clause"] == [clause.name for clause in CLAUSES]
    assert sum(told.counts().values()) == 28
    assert "<svg" in told.chart().to_svg()
    with pytest.raises(EmptyInput, match="findings with evidence"):
        audit_handling({"color": [1]}, now=NOW).chart()


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(EmptyInput, match="period that is audited"):
        audit_handling({"opened_at": []}, now=NOW)
    with pytest.raises(UnknownName, match="opened"):
        audit_handling({"opened_at": days_ago(1)}, now=NOW, opend_at="opened_at")
    with pytest.raises(CrmError, match="missing_column"):
        audit_handling({"opened_at": days_ago(1)}, now=NOW, owner="missing_column")
    with pytest.raises(CrmError, match="AuditTargets"):
        audit_handling({"opened_at": days_ago(1)}, now=NOW, targets=0.9)  # type: ignore[arg-type]
    with pytest.raises(CrmError, match="share"):
        AuditTargets(share=90)
    with pytest.raises(UnknownName, match="clause"):
        audited()["closed"]
