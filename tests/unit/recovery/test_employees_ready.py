"""Cover and readiness: gaps by hour, who is not ready and why, texts and refusals."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crmcore.calendars import BusinessCalendar, local
from crmcore.errors import DuplicateIds, EmptyInput, OutOfRange, WrongType
from crmcore.recovery.employees import (
    Agent,
    Certificate,
    CoverNeed,
    Desk,
    Readiness,
    ReadinessNeed,
    SkillMatrix,
    check_readiness,
    coverage,
)

ZONE = "Asia/Bangkok"
DAY = BusinessCalendar(ZONE, {"mon-fri": [("09:00", "17:00")]})
MORNING = BusinessCalendar(ZONE, {"mon-fri": [("09:00", "12:00")]})
SINCE, UNTIL = (local(2026, 6, d, zone=ZONE) for d in (1, 3))
STAFF = ["ann", "bob", "cho", "dao", "eve", "fay"]


@pytest.fixture
def desk() -> Desk:
    return Desk(
        zone=ZONE,
        agents=[Agent(id="dao", hours=MORNING), Agent(id="eve", hours=DAY)],
        skills=SkillMatrix.of(
            [
                Certificate(agent="dao", skill="refund", level=2),
                Certificate(agent="eve", skill="refund", level=2, expires="2026-06-01"),
                Certificate(agent="eve", skill="thai"),
            ]
        ),
    )


def test_gaps_are_listed_by_skill_and_hour(desk: Desk) -> None:
    needs = [CoverNeed(skill="refund", level=2, hours=DAY), CoverNeed(skill="thai", agents=2, hours=MORNING)]
    found = coverage(desk, needs, since=SINCE, until=UNTIL)
    assert repr(found) == "Coverage(22 slots, 11 with gaps)"
    gaps = found.gaps
    assert gaps.to_frame()["skill"] == ["refund"] * 5 + ["thai"] * 6
    assert gaps.missing.tolist() == [1] * 11
    assert str(found).splitlines()[1] == "  Tue 2026-06-02 12:00  refund level 2: 0 of 1"
    assert gaps.local_hours().tolist()[:5] == [12, 13, 14, 15, 16]
    shown = {(row["row"], row["column"]): row["value"] for row in found.chart().rows}
    assert shown[("refund 2", "12")] == 0.5
    assert shown[("refund 2", "09")] == 0
    assert "dao" not in found._repr_html_() + str(found) + repr(found)
    assert len(found.to_frame(backend="polars")) == 22


def test_half_an_hour_of_need_is_a_slot_of_its_own(desk: Desk) -> None:
    odd = BusinessCalendar(ZONE, {"mon": [("11:30", "12:15")]})
    found = coverage(desk, [CoverNeed(skill="refund", hours=odd)], since=SINCE, until=UNTIL)
    assert found.there.tolist() == [2, 1]


def test_cover_of_a_skill_that_nobody_has_is_a_gap_and_no_error(desk: Desk) -> None:
    found = coverage(desk, [CoverNeed(skill="latin", hours=MORNING)], since=SINCE, until=UNTIL)
    assert found.there.tolist() == [0] * 6
    closed = coverage(desk, [CoverNeed(skill="thai", hours=BusinessCalendar(ZONE, {}))], since=SINCE, until=UNTIL)
    assert (len(closed), str(closed)) == (0, "0 of 0 slots of 60 min lack somebody")
    with pytest.raises(EmptyInput):
        closed.chart()
    always = coverage(
        desk,
        [CoverNeed(skill="thai", hours=BusinessCalendar.always(ZONE))],
        since=SINCE,
        until=SINCE + timedelta(hours=3),
    )
    assert always.there.tolist() == [0, 0, 0]


def test_bad_questions_about_cover_are_refused(desk: Desk) -> None:
    need = CoverNeed(skill="thai", hours=DAY)
    with pytest.raises(OutOfRange, match="until"):
        coverage(desk, [need], since=UNTIL, until=SINCE)
    with pytest.raises(EmptyInput):
        coverage(desk, [], since=SINCE, until=UNTIL)
    with pytest.raises(OutOfRange, match="slots"):
        coverage(desk, [need], since=SINCE, until=UNTIL, step_minutes=1e-3)
    with pytest.raises(WrongType):
        CoverNeed(skill="thai", hours="always")
    with pytest.raises(OutOfRange):
        CoverNeed(skill="thai", agents=0, hours=DAY)
    assert CoverNeed.from_dict(need.to_dict()) == need


def test_readiness_names_who_lacks_what_and_why() -> None:
    matrix = SkillMatrix.of(
        [Certificate(agent=name, skill="new desk") for name in STAFF[:3]]
        + [Certificate(agent="dao", skill="new desk", expires="2026-06-30")]
        + [Certificate(agent=name, skill="context") for name in STAFF[:5]]
    )
    needs = [ReadinessNeed(skill="new desk"), ReadinessNeed(skill="context", at_least=0.8, why="context")]
    before = check_readiness(matrix, needs, staff=STAFF, on="2026-06-30")
    after = check_readiness(matrix, needs, staff=STAFF, on="2026-07-01")
    assert before.lacking == ("eve", "fay")
    assert after.lacking == ("dao", "eve", "fay")
    assert not after.ready
    assert (after.parts[1].met, after.parts[1].have, after.parts[1].required) == (True, 5, 5)
    frame = after.to_frame()
    assert frame["agent"] == ["dao", "eve", "fay", "fay"]
    assert frame["reason"][0] == "needs new desk level 1, the certificate ended on 2026-06-30"
    assert frame["blocks"] == [True, True, True, False]
    assert str(after).splitlines()[:3] == [
        "not ready on 2026-07-01",
        "  not met: new desk level 1 (training): 3 of 6, 6 required",
        "    d••• needs new desk level 1, the certificate ended on 2026-06-30",
    ]
    for text in (repr(after), str(after), after._repr_html_(), repr(after.parts)):
        assert "fay" not in text
    assert Readiness.from_dict(after.to_dict()) == after
    assert [row["value"] for row in after.chart().rows] == [0.5, pytest.approx(5 / 6)]
    everybody = check_readiness(matrix, needs, staff=STAFF[:3], on="2026-07-01")
    assert (everybody.ready, everybody.lacking, str(everybody).splitlines()[0]) == (True, (), "ready on 2026-07-01")


def test_bad_questions_about_readiness_are_refused() -> None:
    matrix = SkillMatrix.of([])
    need = ReadinessNeed(skill="x")
    with pytest.raises(EmptyInput, match="nobody is never ready"):
        check_readiness(matrix, [need], staff=[], on="2026-07-01")
    with pytest.raises(EmptyInput):
        check_readiness(matrix, [], staff=STAFF, on="2026-07-01")
    with pytest.raises(DuplicateIds):
        check_readiness(matrix, [need], staff=["ann", "ann"], on="2026-07-01")
    with pytest.raises(OutOfRange):
        ReadinessNeed(skill="x", at_least=90)
    with pytest.raises(WrongType):
        check_readiness(matrix, [need], staff="ann", on="2026-07-01")
