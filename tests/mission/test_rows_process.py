"""Rows 177, 180 and 192: root causes, failure prevention, and tools that measure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crmcore.lifecycle import Command, decide
from crmcore.metrics import Counts
from crmcore.recovery.process import (
    Capa,
    Causes,
    FaultTree,
    Fishbone,
    Fmea,
    PreventionPlan,
    WhyTree,
    effectiveness,
    find_causes,
    p_chart,
    step_change,
    xmr,
)
from crmcore.recovery.process.registers import (
    BasicEvent,
    FailureMode,
    Gate,
    PreventionCheck,
    PriorityRow,
    PriorityTable,
    Rating,
    Why,
    capa_workflow,
)
from crmcore.rules import Rule, field

PLANTED = {"carrier = C7": 3.0, "channel = phone and product = P4": 5.0, "agent_team = T3": 1.8, "tier = vip": 0.6}
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def causes(request: pytest.FixtureRequest) -> Causes:
    place: Path = request.getfixturevalue("data_dir") / "recovery_synth_causes" / "cases.csv.gz"
    if not place.is_file():
        pytest.skip(f"no data set at {place}")
    import polars as pl

    return find_causes(pl.read_csv(place), failed="failure", time="day")


def test_row_177_planted_causes_are_the_first_four_findings(causes: Causes) -> None:
    assert {str(f.region) for f in causes.findings} == set(PLANTED)


def test_row_177_odds_ratios_are_within_15_percent_of_the_truth(causes: Causes) -> None:
    for found in causes.findings:
        assert found.odds_ratio.value == pytest.approx(PLANTED[str(found.region)], rel=0.15)


def test_row_177_the_confounder_and_the_parts_of_the_interaction_are_cleared(causes: Causes) -> None:
    cleared = {str(c.region): c for c in causes.cleared}
    assert str(cleared["region = R5"].explained_by) == "carrier = C7"
    assert cleared["region = R5"].crude.value == pytest.approx(1.91, abs=0.01)
    assert cleared["region = R5"].adjusted.value == pytest.approx(0.99, abs=0.02)
    for part in ("channel = phone", "product = P4"):
        assert str(cleared[part].explained_by) == "channel = phone and product = P4"
        assert cleared[part].adjusted.low < 1.05


def test_row_177_the_change_is_dated_and_its_symptom_is_no_cause(causes: Causes) -> None:
    (change,) = causes.changes
    assert [(p.attribute, p.value) for p in change.finding.region.literals] == [("warehouse", "W2")]
    assert abs(change.since.rank - 230) <= 10
    assert change.earliest.rank <= 230 <= change.latest.rank


def test_row_177_pareto_ranks_causes_by_what_they_cost(causes: Causes) -> None:
    rows = causes.pareto().rows
    assert rows[0].name == "carrier = C7"
    assert rows[-1].name == "not explained"
    assert sum(r.failures for r in rows) == pytest.approx(causes.failures)


def test_row_177_a_user_reads_the_evidence_in_words(causes: Causes) -> None:
    said = str(causes)
    assert "carrier = C7: odds of failure 2.91 times those of like cases [2.76, 3.08]" in said
    assert "2,242 of 18,633 cases failed" in said
    assert "region = R5: crude odds ratio 1.91, 0.991 once carrier = C7 is held apart" in said


def test_row_177_from_finding_to_whys_to_action_to_proof() -> None:
    whys = WhyTree(
        "late parcels with carrier C7",
        [Why("depot closes at 16 h", "contract", [Why("pick-up was never renegotiated", "mail of 3 May")])],
    )
    assert whys.proven
    bones = Fishbone("late parcels", {"suppliers": [Why("depot closes at 16 h", "contract")], "people": []})
    assert bones.empty == ("people",)
    action = Capa(
        id="a1", problem=whys.problem, cause=whys.roots[0].says, action="second pick-up at 19 h", owner="logistics",
        due_at=NOW + timedelta(days=30), measure="share of late parcels of C7",
    )  # fmt: skip
    flow, case = capa_workflow(), action.opened(at=NOW, actor="quality").case
    case = decide(flow, case, action.plan(at=NOW, actor="quality", id="1")).or_raise().case
    case = decide(flow, case, Command("finish", actor="logistics", at=NOW, id="2")).or_raise().case
    proof = effectiveness(Counts(224, 1863), Counts(110, 1790))
    assert decide(flow, case, proof.command(at=NOW, actor="quality", id="3")).or_raise().case.state == "effective"


def test_row_177_a_control_chart_shows_the_change_and_its_phases() -> None:
    rng = np.random.default_rng(2)
    failures = rng.binomial(400, np.r_[np.full(30, 0.05), np.full(20, 0.09)])
    watched = p_chart(failures, [400] * 50, baseline=30)
    assert not watched.stable
    assert min(s.position for s in watched.signals if s.rule != "14 alternating") >= 25
    assert step_change(failures, [400] * 50).first <= 30 <= step_change(failures, [400] * 50).last
    split = p_chart(failures, [400] * 50, phases=["before"] * 30 + ["after"] * 20)
    assert split.centre[0] < split.centre[-1]


def test_row_180_a_failure_mode_is_rated_prioritised_and_rated_again() -> None:
    table = PriorityTable(
        [
            PriorityRow("9-10", "1-10", "1-10", "H"),
            PriorityRow("1-8", "5-10", "1-10", "M"),
            PriorityRow("1-8", "1-4", "1-10", "L"),
        ],
        ["H", "M", "L"],
    )
    fmea = Fmea(
        "dispatch", [FailureMode("wrong address", Rating(8, 5, 6)), FailureMode("spoilt food", Rating(10, 2, 3))], table
    )
    assert [fmea[m].rpn for m in ("wrong address", "spoilt food")] == [240, 60]
    assert [m.name for m in fmea.ranked(by="priority")] == ["spoilt food", "wrong address"]
    after = fmea.with_mode(fmea["wrong address"].rated_again(occurrence=2, detection=3, because="read from the order"))
    assert (after["wrong address"].rpn, after.priority("wrong address")) == (48, "L")


def test_row_180_checks_fail_safe() -> None:
    plan = PreventionPlan(
        [PreventionCheck("pack", Rule("address", field("address_checked")), "ask", prevents="wrong address")]
    )
    assert plan.check("pack", {"address_checked": True}, now=NOW).may_go_on
    assert not plan.check("pack", {"address_checked": False}, now=NOW).may_go_on
    assert not plan.check("pack", {}, now=NOW).may_go_on
    fmea = Fmea("dispatch", [FailureMode("wrong address", Rating(8, 5, 6)), FailureMode("late", Rating(5, 5, 5))])
    assert [m.name for m in plan.unprevented(fmea)] == ["late"]


def test_row_180_a_fault_tree_says_how_likely_the_worst_is() -> None:
    tree = FaultTree(
        "nobody answers",
        [
            Gate.all_of("nobody answers", ["line", "chat"]),
            Gate.any_of("line", ["power", "switch"]),
            Gate.any_of("chat", ["power", "site"]),
        ],
        [BasicEvent("power", 0.01), BasicEvent("switch", 0.05), BasicEvent("site", 0.02)],
    )
    assert tree.probability() == pytest.approx(0.01 + 0.99 * 0.05 * 0.02)
    assert tree.minimal_cut_sets()[0] == ("power",)
    assert tree.importance()[0].event == "power"


def noise(seed: int, n: int = 4000) -> dict[str, list[Any]]:
    rng = np.random.default_rng(seed)
    frame: dict[str, list[Any]] = {f"x{i}": rng.integers(0, 6, n).tolist() for i in range(8)}
    return {**frame, "day": rng.integers(0, 200, n).tolist(), "failed": (rng.random(n) < 0.08).tolist()}


def test_row_192_noise_is_not_a_cause_in_20_seeds() -> None:
    found = [find_causes(noise(seed), time="day").all_findings for seed in range(20)]
    assert sum(bool(f) for f in found) <= 1


def test_row_192_every_finding_carries_its_tests_and_what_was_tried(causes: Causes) -> None:
    assert causes.tried == {"value": 122, "pair": 7032, "change": 123, "date": 4}
    for found in causes.all_findings:
        assert found.p_value <= found.q_value <= 0.01
        assert found.p_value <= found.p_adjusted <= causes.alpha
        assert found.odds_ratio.low < found.odds_ratio.value < found.odds_ratio.high


def test_row_192_single_values_are_watched_too() -> None:
    hours = [5.1, 4.8, 5.3, 5.0, 4.9, 5.2, 5.1, 4.7, 5.0, 5.2, 4.9, 5.1, 9.0]
    assert xmr(hours, baseline=12).rules_at(12) == ("beyond 3 sigma",)
