"""Skills, certificates, limits: what holds on a day, and what is said where it does not."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from crmcore.errors import (
    BadRows,
    CurrencyMismatch,
    DuplicateIds,
    EmptyInput,
    MissingColumn,
    OutOfRange,
    UnknownName,
    WrongType,
)
from crmcore.recovery.employees import AloneLimit, Certificate, Empowerment, SkillMatrix, Task
from crmcore.values import Money


def thb(amount: int) -> Money:
    return Money.of(amount, "THB")


@pytest.fixture
def matrix() -> SkillMatrix:
    return SkillMatrix.of(
        [
            Certificate(agent="dao", skill="refund", level=2, expires="2026-06-30"),
            Certificate(agent="dao", skill="refund", level=1),
            Certificate(agent="ann", skill="refund", level=3, since="2026-07-01"),
        ],
        agents=["bob"],
        skills=["thai"],
    )


def test_the_last_day_counts_and_the_next_does_not(matrix: SkillMatrix) -> None:
    assert [matrix.level_of("dao", "refund", on=d) for d in ("2026-06-30", "2026-07-01")] == [2, 1]
    assert [matrix.level_of("ann", "refund", on=d) for d in ("2026-06-30", "2026-07-01")] == [0, 3]
    assert matrix.level_of("zoe", "refund", on="2026-07-01") == 0
    assert matrix.levels("2026-07-01").tolist() == [[3, 0], [0, 0], [1, 0]]
    assert repr(matrix) == "SkillMatrix(3 agents, 2 skills, 3 certificates)"


def test_a_lack_is_explained(matrix: SkillMatrix) -> None:
    def why(agent: str, skill: str, level: int, on: str) -> str:
        return "; ".join(matrix.lacking(agent, {skill: level}, on=on))

    assert why("dao", "refund", 2, "2026-06-30") == ""
    assert why("dao", "refund", 2, "2026-07-05") == "needs refund level 2, the certificate ended on 2026-06-30"
    assert why("ann", "refund", 2, "2026-06-05") == "needs refund level 2, the certificate begins on 2026-07-01"
    assert why("dao", "refund", 3, "2026-06-05") == "needs refund level 3, has 2"
    assert why("bob", "thai", 1, "2026-06-05") == "needs thai level 1, has none"
    assert "did you mean 'refund'?" in why("bob", "refnd", 1, "2026-06-05")


def test_what_ends_soon_is_listed_unless_it_is_renewed(matrix: SkillMatrix) -> None:
    assert [c.skill for c in matrix.expiring(on="2026-06-15")] == ["refund"]
    assert matrix.expiring(on="2026-06-15", within_days=10) == ()
    renewed = SkillMatrix.of(
        [
            Certificate(agent="dao", skill="refund", level=2, expires="2026-06-30"),
            Certificate(agent="dao", skill="refund", level=2, since="2026-07-01", expires="2027-06-30"),
        ]
    )
    assert renewed.expiring(on="2026-06-15") == ()
    gap = SkillMatrix.of(
        [
            Certificate(agent="dao", skill="refund", level=2, expires="2026-06-30"),
            Certificate(agent="dao", skill="refund", level=2, since="2026-07-02"),
        ]
    )
    assert len(gap.expiring(on="2026-06-15")) == 1


def test_frames_and_json_go_both_ways(matrix: SkillMatrix) -> None:
    again = SkillMatrix.from_frame(matrix.to_frame(), agents=["bob"], skills=["thai"])
    assert again.to_dict() == matrix.to_dict()
    assert SkillMatrix.from_dict(matrix.to_dict()).to_dict() == matrix.to_dict()
    polars = SkillMatrix.from_frame(matrix.to_frame(backend="polars"))
    assert len(polars) == 3
    plain = SkillMatrix.from_frame({"agent": ["a", "a"], "skill": ["x", "y"]})
    assert plain.levels("2026-01-01").tolist() == [[1, 1]]
    assert len(SkillMatrix.from_frame({"agent": [], "skill": []})) == 0


def test_all_bad_rows_of_a_skill_frame_are_named_at_once() -> None:
    frame = {
        "agent": ["dao", None, "ann", "bob", "cho"],
        "skill": ["x", "x", "x", "x", "x"],
        "level": [1, 1, 0, "two", 1],
        "since": [None, None, None, None, "2026-05-05"],
        "expires": ["soon", None, None, None, "2026-05-04"],
    }
    with pytest.raises(BadRows) as caught:
        SkillMatrix.from_frame(frame)
    text = str(caught.value)
    for part in ("agent: missing in 1 row [1]", "level: no whole number from 1 in 2 rows [2, 3]",
                 "expires: no date in 1 row [0]", "expires: before the first day in 1 row [4]"):  # fmt: skip
        assert part in text
    assert "dao" not in text
    with pytest.raises(MissingColumn, match="skill"):
        SkillMatrix.from_frame({"agent": ["dao"]})


def test_names_of_agents_are_masked_in_reprs(matrix: SkillMatrix) -> None:
    assert "dao" not in repr(matrix[0])
    assert "d•••" in repr(matrix[0])
    assert "dao" not in matrix._repr_html_()


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: Certificate(agent="dao", skill="x", level=0), OutOfRange),
        (lambda: Certificate(agent="dao", skill="x", since="2026-02-02", expires="2026-02-01"), OutOfRange),
        (lambda: Certificate(agent="dao", skill="x", expires=datetime(2026, 2, 1, tzinfo=UTC)), WrongType),
        (lambda: Certificate(agent="", skill="x"), OutOfRange),
        (lambda: Task("refund", {"refund": 0}), OutOfRange),
        (lambda: Task("refund", "refund"), WrongType),
        (lambda: SkillMatrix.of("dao"), WrongType),
        (lambda: SkillMatrix.of([]).levels(20260101), WrongType),
    ],
)
def test_what_makes_no_sense_is_refused(make, error: type[Exception]) -> None:
    with pytest.raises(error):
        make()


@pytest.fixture
def rules() -> Empowerment:
    return Empowerment(
        ["agent", "senior", "supervisor"],
        [
            AloneLimit(grade="agent", action="refund", at_most=thb(500)),
            AloneLimit(grade="agent", action="refund", at_most=thb(2000), per="day"),
            AloneLimit(grade="senior", action="refund", at_most=thb(1500)),
            AloneLimit(grade="supervisor", action="refund"),
            AloneLimit(grade="agent", action="apology"),
            AloneLimit(grade="agent", action="upgrade", at_most=thb(0)),
        ],
    )


def test_a_limit_that_is_exactly_met_is_kept(rules: Empowerment) -> None:
    assert rules.decide("refund", thb(500), grade="agent").alone
    above = rules.decide("refund", Money(50_001, "THB"), grade="agent")
    assert (above.alone, above.approver, above.room) == (False, "senior", thb(500))
    assert rules.decide("refund", thb(1501), grade="agent").approver == "supervisor"


def test_the_day_counts_what_was_given_before(rules: Empowerment) -> None:
    found = rules.decide("refund", thb(400), grade="agent", used={"day": thb(1700)})
    assert not found.alone
    assert str(found) == (
        "may not decide alone: refund of 400.00 THB with 1700.00 THB before is above 2000.00 THB a day; ask a senior"
    )
    assert found.room == thb(300)
    assert rules.decide("refund", thb(300), grade="agent", used={"day": thb(1700)}).alone
    assert rules.decide("refund", thb(1), grade="agent", used={"day": thb(9000)}).room == thb(0)


def test_what_no_limit_names_is_nobodys_own_decision(rules: Empowerment) -> None:
    found = rules.decide("apology", grade="supervisor")
    assert (found.alone, found.approver) == (False, None)
    assert "no grade may decide this" in str(found)
    assert str(rules.decide("apology", grade="agent")) == "may decide alone"
    assert not rules.decide("upgrade", grade="agent").alone


def test_limits_are_never_converted(rules: Empowerment) -> None:
    with pytest.raises(CurrencyMismatch):
        rules.decide("refund", Money.of(5, "EUR"), grade="agent")


def test_limits_come_from_a_frame_and_go_back(rules: Empowerment) -> None:
    again = Empowerment.from_frame(rules.to_frame(), grades=rules.grades)
    assert again == rules
    assert Empowerment.from_dict(rules.to_dict()) == rules
    frame = {
        "grade": ["agent", "boss"],
        "action": ["refund", "refund"],
        "at_most": ["many", "1"],
        "currency": ["THB"] * 2,
    }
    with pytest.raises(BadRows) as caught:
        Empowerment.from_frame(frame, grades=["agent"])
    assert "at_most: " in str(caught.value)
    assert "grade: not one of ['agent'] in 1 row [1]" in str(caught.value)


def test_bad_limits_are_refused(rules: Empowerment) -> None:
    with pytest.raises(DuplicateIds):
        Empowerment(["a"], [AloneLimit(grade="a", action="x"), AloneLimit(grade="a", action="x", at_most=thb(1))])
    with pytest.raises(DuplicateIds):
        Empowerment(["a", "a"], [])
    with pytest.raises(UnknownName, match="did you mean 'agent'"):
        Empowerment(["agent"], [AloneLimit(grade="agnt", action="x")])
    with pytest.raises(UnknownName, match="did you mean 'refund'"):
        rules.decide("refunds", grade="agent")
    with pytest.raises(OutOfRange):
        rules.decide("refund", thb(-1), grade="agent")
    with pytest.raises(WrongType, match="Money"):
        rules.decide("refund", 100, grade="agent")
    with pytest.raises(OutOfRange):
        AloneLimit(grade="a", action="x", at_most=thb(-1))
    with pytest.raises(UnknownName):
        AloneLimit(grade="a", action="x", per="week")


def test_dates_are_dates() -> None:
    held = Certificate(agent="dao", skill="x", expires=date(2026, 2, 1))
    assert Certificate.from_dict(held.to_dict()) == held


def test_limits_say_what_they_are(rules: Empowerment) -> None:
    assert repr(rules) == "Empowerment(3 grades, 3 actions, 6 limits)"
    assert str(rules).splitlines()[:2] == [
        "agent: apology up to any amount a case",
        "agent: refund up to 500.00 THB a case",
    ]
    assert "refund" in rules._repr_html_()
    with pytest.raises(UnknownName, match="did you mean 'agent'"):
        rules.decide("refund", grade="agnet")


def test_limits_without_amounts_and_with_odd_rows() -> None:
    plain = Empowerment.from_frame({"grade": ["a"], "action": ["apology"], "per": [None]}, grades=["a"])
    assert plain.decide("apology", grade="a").alone
    with pytest.raises(BadRows) as caught:
        Empowerment.from_frame({"grade": ["a", "a"], "action": [None, "x"], "per": ["case", "week"]}, grades=["a"])
    assert "action: missing, or no text in 1 row [0]" in str(caught.value)
    assert "per: not one of ['case'" in str(caught.value)
    with pytest.raises(BadRows, match="currency: expected three capital letters in 2 rows"):
        Empowerment.from_frame({"grade": ["a", "a"], "action": ["x", "y"], "at_most": ["1", "-2"]}, grades=["a"])
    with pytest.raises(BadRows, match="at_most: below 0 in 1 row"):
        Empowerment.from_frame({"grade": ["a"], "action": ["y"], "at_most": [-2], "currency": ["THB"]}, grades=["a"])


def test_the_matrix_is_shown_wide_and_drawn(matrix: SkillMatrix) -> None:
    assert matrix.wide_frame(on="2026-07-01") == {
        "agent": ["ann", "bob", "dao"],
        "refund": [3, 0, 1],
        "thai": [0, 0, 0],
    }
    assert matrix.wide_frame(on="2026-07-01", backend="polars").columns == ["agent", "refund", "thai"]
    shown = {(r["row"], r["column"]): r["value"] for r in matrix.chart(on="2026-07-01").rows}
    assert (shown[("refund", "1")], shown[("refund", "2")], shown[("thai", "1")]) == (2, 1, 0)
    with pytest.raises(EmptyInput):
        SkillMatrix.of([]).chart(on="2026-07-01")
