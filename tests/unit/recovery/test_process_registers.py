"""Registers: failure modes, whys, fault trees, actions and checks."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from crmcore.errors import BadDocument, BadRows, EmptyInput, MissingColumn, OutOfRange, UnknownName, WrongType
from crmcore.lifecycle import Command, advance, decide
from crmcore.metrics import Counts, Exposure, Moments
from crmcore.recovery.process.registers import (
    BasicEvent,
    Capa,
    Effect,
    Effectiveness,
    FailureMode,
    FaultTree,
    Fishbone,
    Fmea,
    Gate,
    GateKind,
    PreventionCheck,
    PreventionPlan,
    PriorityRow,
    PriorityTable,
    Rating,
    Why,
    WhyTree,
    capa_workflow,
    effectiveness,
)
from crmcore.rules import FactTable, Rule, field

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
MINE = PriorityTable(
    [
        PriorityRow("9-10", "1-10", "1-10", "H"),
        PriorityRow((1, 8), "6 to 10", "1-10", "M"),
        PriorityRow("1-8", "1-5", "1-10", "L"),
    ],
    ["H", "M", "L"],
)


# --- failure modes -------------------------------------------------------------------------------------------------


def register() -> Fmea:
    return Fmea(
        "dispatch",
        [
            FailureMode("box damaged", Rating(5, 6, 4)),
            FailureMode("wrong address", Rating(8, 5, 3), step="pack", owner="shift lead"),
            FailureMode("poison in food", Rating(10, 1, 2)),
        ],
        MINE,
    )


def test_the_same_number_is_ranked_by_severity() -> None:
    assert [m.name for m in register().ranked()] == ["wrong address", "box damaged", "poison in food"]


def test_a_table_of_priorities_puts_severity_before_the_number() -> None:
    fmea = register()
    assert [m.name for m in fmea.ranked(by="priority")] == ["poison in food", "box damaged", "wrong address"]
    assert [fmea.priority(m.name) for m in fmea.ranked()] == ["L", "M", "H"]
    assert fmea.ranked(by="severity")[0].name == "poison in food"
    assert "wrong address: S 8 O 5 D 3, RPN 120, priority L" in str(fmea)


def test_a_mode_is_rated_again_after_an_action_and_keeps_its_history() -> None:
    mode = register()["wrong address"]
    after = mode.rated_again(occurrence=2, because="address from the order", on=date(2026, 6, 1))
    assert (mode.rpn, after.rpn, after.gain) == (120, 48, 72)
    assert after.now.severity == 8
    assert str(after) == "wrong address: S 8 O 2 D 3, RPN 48 (was 120)"
    fmea = register().with_mode(after)
    assert len(fmea) == 3
    assert [m.name for m in fmea.without_action()] == ["box damaged", "poison in food"]
    assert len(fmea.with_mode(FailureMode("new", Rating(1, 1, 1)))) == 4


def test_registers_are_read_from_frames_and_written() -> None:
    rows = [{"name": "a", "severity": 8, "occurrence": 5, "detection": 3, "step": "pack"}]
    fmea = Fmea.from_frame(rows, name="dispatch", priorities=MINE)
    assert fmea["a"].step == "pack"
    frame = register().to_frame(backend="polars")
    assert frame["priority"].to_list() == ["L", "M", "H"]
    assert frame["rpn"].to_list() == [120, 120, 20]
    again = Fmea.from_dict(json.loads(json.dumps(register().to_dict())))
    assert again == register()
    assert repr(again) == "Fmea('dispatch', 3 modes)"
    assert "wrong address" in again._repr_html_()
    assert again.chart().rows[0]["rpn"] == 120


def test_all_bad_rows_of_a_register_are_named_at_once() -> None:
    rows = [
        {"name": "a", "severity": 0, "occurrence": 5, "detection": 3},
        {"name": None, "severity": 8, "occurrence": 2.5, "detection": None},
    ]
    with pytest.raises(BadRows) as raised:
        Fmea.from_frame(rows)
    said = str(raised.value)
    assert "severity: no whole number from 1 to 10 in 1 row [0]" in said
    assert "occurrence: no whole number from 1 to 10 in 1 row [1]" in said
    assert "name: missing in 1 row [1]" in said


def test_a_table_with_gaps_and_overlaps_is_refused_with_examples() -> None:
    with pytest.raises(BadDocument) as raised:
        PriorityTable([PriorityRow("1-5", "1-10", "1-10", "L"), PriorityRow(5, 10, 10, "X")], ["H", "L"])
    said = str(raised.value)
    assert "no row holds 500 of 1,000 ratings, such as S 6 O 1 D 1" in said
    assert "several rows hold 1 of 1,000 ratings, such as S 5 O 10 D 10" in said
    assert "unknown priority 'X'" in said


def test_a_priority_that_falls_as_the_rating_worsens_is_pointed_out() -> None:
    assert MINE.falling() == ()
    odd = PriorityTable([PriorityRow("1-5", "1-10", "1-10", "H"), PriorityRow("6-10", "1-10", "1-10", "L")], ["H", "L"])
    assert odd.falling()[0] == "S 5 O 1 D 1: a higher severity is less urgent"
    assert len(odd.falling()) == 100


def test_tables_are_read_from_frames() -> None:
    frame = {"severity": ["9-10", "1-8"], "occurrence": ["1-10"] * 2, "detection": ["1-10"] * 2, "priority": ["H", "L"]}
    assert PriorityTable.from_frame(frame, order=["H", "L"]).of(Rating(9, 1, 1)) == "H"


# --- whys ----------------------------------------------------------------------------------------------------------


TREE = WhyTree(
    "parcel came late",
    [
        Why(
            "it left a day late",
            "scan of 3 May",
            [Why("the list was printed at noon", "log", [Why("nobody owns the morning run")])],
        ),
        Why("the carrier was late", "tracking"),
    ],
)


def test_roots_are_the_last_answers_and_only_shown_ways_are_proven() -> None:
    assert [w.says for w in TREE.roots] == ["nobody owns the morning run", "the carrier was late"]
    assert [w.says for w in TREE.proven_roots()] == ["the carrier was late"]
    assert [w.says for w in TREE.assumed] == ["nobody owns the morning run"]
    assert (TREE.depth, TREE.proven) == (3, False)


def test_a_tree_leaves_as_text_and_json_and_comes_back() -> None:
    assert WhyTree.from_text(str(TREE)) == TREE
    assert WhyTree.from_dict(json.loads(json.dumps(TREE.to_dict()))) == TREE
    assert "nobody owns the morning run [assumed]" in TREE._repr_html_()


def test_leaps_and_circles_are_refused_all_at_once() -> None:
    with pytest.raises(BadDocument) as raised:
        WhyTree(
            "late",
            [
                Why("slow", "assumed", [Why("Late."), Why(" ")]),
                Why("Slow ", "x"),
                Why("typed by hand", "typed by hand"),
                Why("b", "seen [twice]"),
            ],
        )
    said = str(raised.value)
    assert "$.whys[0]: 'assumed' is no evidence" in said
    assert "$.whys[0].because[0]: 'Late.' explains itself" in said
    assert "$.whys[0].because[1]: says nothing" in said
    assert "$.whys[1]: 'Slow ' stands twice side by side" in said
    assert "$.whys[2]: the evidence repeats the answer" in said
    assert "$.whys[3]: more than one line, or square brackets" in said
    assert "counts as assumed" in said


def test_text_that_is_no_tree_names_its_lines() -> None:
    with pytest.raises(BadDocument) as raised:
        WhyTree.from_text("late\n  sent late\n      - too deep")
    assert "line 2: no answer" in str(raised.value)
    assert "line 3: indented 3 steps, at most 1 are possible" in str(raised.value)
    with pytest.raises(EmptyInput):
        WhyTree.from_text("  \n")


def test_a_fishbone_sorts_causes_and_shows_empty_bones() -> None:
    fish = Fishbone("long waits", {"people": [Why("two agents ill", "roster")], "place": []})
    assert fish.empty == ("place",)
    assert fish.assumed == ()
    assert fish.tree().roots[0].says == "two agents ill"
    assert Fishbone.from_dict(json.loads(json.dumps(fish.to_dict()))) == fish
    assert fish.to_frame(backend="polars").rows() == [("people", "two agents ill", "roster", False)]
    assert "<li>place</li>" in fish._repr_html_()
    with pytest.raises(BadDocument, match="says nothing"):
        Fishbone("long waits", {"people": [Why("")]})


# --- fault trees ---------------------------------------------------------------------------------------------------


def test_a_shared_event_is_one_event() -> None:
    tree = FaultTree(
        "both lines down",
        [
            Gate.all_of("both lines down", ["line 1", "line 2"]),
            Gate.any_of("line 1", ["power", "router 1"]),
            Gate.any_of("line 2", ["power", "router 2"]),
        ],
        [BasicEvent("power", 0.1), BasicEvent("router 1", 0.2), BasicEvent("router 2", 0.2)],
    )
    assert tree.probability() == pytest.approx(0.1 + 0.9 * 0.04)  # not (0.28)^2 = 0.0784
    assert tree.minimal_cut_sets() == (("power",), ("router 1", "router 2"))
    assert tree.probability({"power": 0}) == pytest.approx(0.04)
    first = tree.importance()[0]
    assert first.event == "power"
    assert first.achievement == pytest.approx(1 / 0.136)
    assert first.birnbaum == pytest.approx(0.96)
    assert str(tree).splitlines()[0] == "both lines down: probability 0.136"
    assert "- power (0.1)" in str(tree)


def test_at_least_k_of_n_is_the_binomial_tail() -> None:
    names = [f"agent {i}" for i in range(5)]
    tree = FaultTree("desk closed", [Gate.at_least_of("desk closed", 3, names)], [BasicEvent(n, 0.2) for n in names])
    assert tree.probability() == pytest.approx(0.05792)
    assert len(tree.minimal_cut_sets()) == 10


def test_bounds_hold_all_that_events_may_be() -> None:
    tree = FaultTree(
        "late",
        [Gate.any_of("late", ["a", "b"])],
        [BasicEvent("a", 0.1, 0.05, 0.2), BasicEvent("b", 0.1)],
    )
    low, high = tree.bounds()
    assert (low, high) == (pytest.approx(0.145), pytest.approx(0.28))
    assert low <= tree.probability() <= high


def test_trees_leave_as_json_and_show_themselves() -> None:
    tree = FaultTree("late", [Gate.any_of("late", ["a", "b"])], [BasicEvent("a", 0.1), BasicEvent("b", 0.3)])
    tree.probability()
    again = FaultTree.from_dict(json.loads(json.dumps(tree.to_dict())))
    assert again == tree
    assert again.probability() == tree.probability()
    assert pickle.loads(pickle.dumps(tree)).probability() == tree.probability()
    assert repr(tree) == "FaultTree('late', 1 gates, 2 events)"
    assert "goes away without it" in tree._repr_html_()
    assert tree.to_frame(backend="polars")["event"].to_list() == ["b", "a"]
    assert tree.chart().rows[0]["label"] == "b"


def test_a_tree_of_one_event_is_that_event() -> None:
    assert FaultTree("a", [], [BasicEvent("a", 0.25)]).probability() == 0.25


def test_what_cannot_happen_has_no_importance() -> None:
    tree = FaultTree("late", [Gate.all_of("late", ["a", "b"])], [BasicEvent("a", 0.0), BasicEvent("b", 0.3)])
    assert tree.probability() == 0
    assert all(r.fussell_vesely != r.fussell_vesely for r in tree.importance())
    with pytest.raises(EmptyInput, match="cannot happen"):
        tree.chart()


def test_all_faults_of_a_tree_are_named_at_once() -> None:
    with pytest.raises(BadDocument) as raised:
        FaultTree(
            "late",
            [Gate.any_of("late", ["x", "b"]), Gate.any_of("b", ["b2", "carier"]), Gate.any_of("b2", ["b"])],
            [BasicEvent("carrier", 0.1), BasicEvent("x", 0.1), BasicEvent("x", 0.2)],
        )
    said = str(raised.value)
    assert "the name 'x' stands 2 times" in said
    assert "did you mean 'carrier'" in said
    assert "gates feed themselves: b <- b2 <- b" in said
    with pytest.raises(BadDocument, match="'c' does not lead to 'late'"):
        FaultTree("late", [Gate.any_of("late", ["a"])], [BasicEvent("a", 0.1), BasicEvent("c", 0.1)])
    with pytest.raises(BadDocument, match="unknown top event 'lat'"):
        FaultTree("lat", [Gate.any_of("late", ["a"])], [BasicEvent("a", 0.1)])


def test_a_gate_as_deep_as_a_chain_of_a_thousand_is_no_deep_recursion() -> None:
    gates = [Gate.any_of(f"g{i}", [f"g{i + 1}"]) for i in range(3000)]
    tree = FaultTree("g0", [*gates, Gate.any_of("g3000", ["a"])], [BasicEvent("a", 0.5)])
    assert tree.probability() == 0.5


def test_three_hundred_shared_events_are_exact() -> None:
    names = [f"e{i:03}" for i in range(300)]
    tree = FaultTree("many", [Gate.at_least_of("many", 5, names)], [BasicEvent(n, 0.01) for n in names])
    from math import comb

    exact = 1 - sum(comb(300, i) * 0.01**i * 0.99 ** (300 - i) for i in range(5))
    assert tree.probability() == pytest.approx(exact, rel=1e-9)
    with pytest.raises(OutOfRange, match="raise most"):
        tree.minimal_cut_sets(most=1000)


# --- actions -------------------------------------------------------------------------------------------------------


def action() -> Capa:
    return Capa(
        id="a1",
        problem="late parcels",
        cause="carrier = C7",
        action="second carrier for the north",
        owner="logistics",
        due_at=NOW + timedelta(days=10),
        measure="share of late parcels",
    )


def test_an_action_lives_from_plan_to_proof() -> None:
    flow = capa_workflow(quality_role="quality")
    case = action().opened(at=NOW, actor="quality", flow=flow).case
    case = decide(flow, case, action().plan(at=NOW, actor="quality", id="c1")).or_raise().case
    assert (case.state, case.data["owner"]) == ("planned", "logistics")
    late = advance(flow, case, NOW + timedelta(days=11)).case
    assert late.data["overdue"] is True
    case = (
        decide(flow, late, Command("finish", actor="logistics", at=NOW + timedelta(days=12), id="c2")).or_raise().case
    )
    waiting = advance(flow, case, NOW + timedelta(days=50)).case
    assert (waiting.state, waiting.data["check_due"], waiting.data["overdue"]) == ("done", True, False)
    proof = effectiveness(Counts(120, 1000), Counts(70, 1000))
    mine = proof.command(at=NOW + timedelta(days=50), actor="logistics", id="c3")
    assert decide(flow, waiting, mine).accepted is False
    theirs = proof.command(at=NOW + timedelta(days=50), actor="ann", role="quality", id="c4")
    done = decide(flow, waiting, theirs).or_raise().case
    assert done.state == "effective"
    assert done.data["high"] == pytest.approx(-0.0244, abs=1e-4)


@pytest.mark.parametrize(
    ("after", "effect", "state"),
    [
        (Counts(70, 1000), Effect.EFFECTIVE, "effective"),
        (Counts(110, 1000), Effect.NOT_SHOWN, "done"),
        (Counts(180, 1000), Effect.NOT_EFFECTIVE, "open"),
    ],
)
def test_the_effect_decides_where_an_action_goes(after: Counts, effect: Effect, state: str) -> None:
    flow = capa_workflow()
    case = action().opened(at=NOW, actor="q").case
    case = decide(flow, case, action().plan(at=NOW, actor="q", id="c1")).or_raise().case
    case = decide(flow, case, Command("finish", actor="q", at=NOW, id="c2")).or_raise().case
    told = effectiveness(Counts(120, 1000), after)
    assert told.effect == effect
    assert decide(flow, case, told.command(at=NOW, actor="q", id="c3")).or_raise().case.state == state


def test_a_gain_too_small_to_matter_is_not_effective() -> None:
    tiny = effectiveness(Counts(12_000, 100_000), Counts(11_500, 100_000), smallest_gain=0.02)
    assert tiny.comparison.conclusive
    assert tiny.effect == Effect.NOT_EFFECTIVE
    assert "at least 0.02 wanted" in str(tiny)


def test_rates_and_means_are_tested_too() -> None:
    fewer = effectiveness(Exposure(90, 1000.0), Exposure(40, 1000.0))
    assert fewer.effect == Effect.EFFECTIVE
    before, after = (Moments.of([3.0, 4.0, 3.5] * 20), Moments.of([4.5, 5.0, 4.0] * 20))
    assert effectiveness(before, after, lower_is_better=False).effect == Effect.EFFECTIVE
    assert effectiveness(before, after).effect == Effect.NOT_EFFECTIVE


def test_a_test_of_an_action_leaves_as_json() -> None:
    told = effectiveness(Counts(120, 1000), Counts(70, 1000), smallest_gain=0.01)
    again = Effectiveness.from_dict(json.loads(json.dumps(told.to_dict())))
    assert str(again) == str(told)
    assert "effective" in told._repr_html_()
    assert Capa.from_dict(json.loads(json.dumps(action().to_dict()))) == action()


def test_an_action_without_owner_cause_or_measure_is_a_wish() -> None:
    with pytest.raises(BadDocument) as raised:
        Capa(id="a", problem="p", cause="", action="x", owner=" ", due_at=NOW, measure="")
    for name in ("cause", "owner", "measure"):
        assert f"{name}: says nothing" in str(raised.value)


def test_due_times_are_aware_and_the_instant_itself_is_in_time() -> None:
    with pytest.raises(ValueError, match="naive"):
        Capa(id="a", problem="p", cause="c", action="x", owner="o", due_at=datetime(2026, 1, 1), measure="m")


# --- prevention ----------------------------------------------------------------------------------------------------


def plan() -> PreventionPlan:
    return PreventionPlan(
        [
            PreventionCheck(
                "pack", Rule("address", field("address_checked")), "ask for the postcode", prevents="wrong address"
            ),
            PreventionCheck("pack", Rule("weight", field("weight") > 0), "weigh it", on_failure="warn"),
            PreventionCheck("send", Rule("slot", field("slot_booked")), "book a slot", on_unknown="warn"),
        ]
    )


def test_a_check_that_fails_stops_and_one_that_warns_does_not() -> None:
    report = plan().check("pack", {"address_checked": True, "weight": 0}, now=NOW)
    assert report.may_go_on
    assert str(report).splitlines()[1] == "  warn: weight (does not hold); weigh it"
    assert not plan().check("pack", {"address_checked": False, "weight": 1}, now=NOW).may_go_on


def test_what_is_unknown_does_not_pass_unless_the_check_says_so() -> None:
    report = plan().check("pack", {"weight": 1}, now=NOW)
    assert not report.may_go_on
    assert report.alarms[0].unknown
    assert "facts are missing" in str(report)
    assert plan().check("send", {}, now=NOW).may_go_on
    assert not plan().check("send", {"slot_booked": False}, now=NOW).may_go_on


def test_a_table_is_checked_as_each_row_is() -> None:
    rows: list[dict[str, Any]] = [
        {"address_checked": a, "weight": w, "slot_booked": s}
        for a in (True, False, None)
        for w in (0.0, 1.0, None)
        for s in (True, False, None)
    ]
    table = FactTable.of_facts([{k: v for k, v in row.items() if v is not None} for row in rows])
    for step in ("pack", "send"):
        each = [not plan().check(step, {k: v for k, v in r.items() if v is not None}, now=NOW).may_go_on for r in rows]
        assert plan().stopped(step, table, now=NOW).tolist() == each


def test_failure_modes_that_no_check_prevents_are_named() -> None:
    assert [m.name for m in plan().unprevented(register())] == ["box damaged", "poison in food"]
    odd = PreventionPlan([PreventionCheck("a", Rule("r", field("x")), "do", prevents="wrong adress")])
    with pytest.raises(UnknownName, match="did you mean 'wrong address'"):
        odd.unprevented(register())


def test_plans_leave_as_json_and_frames() -> None:
    again = PreventionPlan.from_dict(json.loads(json.dumps(plan().to_dict())))
    assert str(again) == str(plan())
    assert repr(again) == "PreventionPlan(3 checks, 2 steps)"
    assert again.check("pack", {}, now=NOW).may_go_on is False
    assert plan().to_frame(backend="polars")["on_unknown"].to_list() == ["stop", "warn", "warn"]
    assert "stopped" in plan().check("pack", {}, now=NOW)._repr_html_()


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: Rating(11, 1, 1), OutOfRange, "10 is the worst"),
        (lambda: Rating(1.5, 1, 1), WrongType, "whole number"),  # type: ignore[arg-type]
        (lambda: Rating(True, 1, 1), WrongType, "whole number"),
        (lambda: FailureMode("", Rating(1, 1, 1)), EmptyInput, "say what fails"),
        (lambda: FailureMode("a", []), EmptyInput, "ratings of 'a'"),
        (
            lambda: FailureMode("a", [Rating(1, 1, 1, date(2026, 2, 1)), Rating(1, 1, 1, date(2026, 1, 1))]),
            OutOfRange,
            "oldest first",
        ),
        (lambda: FailureMode("a", Rating(1, 1, 1)).rated_again(because=" "), EmptyInput, "name the action"),
        (lambda: Fmea("x", [FailureMode("a", Rating(1, 1, 1))] * 2), BadDocument, "'a' stands twice"),
        (lambda: register()["adress"], UnknownName, "did you mean 'wrong address'"),
        (lambda: register().ranked(by="size"), UnknownName, "priority"),
        (lambda: Fmea("x", []).to_frame(), EmptyInput, "add failure modes"),
        (lambda: Fmea("x", [FailureMode("a", Rating(1, 1, 1))]).priority("a"), EmptyInput, "pass yours"),
        (lambda: Fmea.from_frame([{"name": "a"}]), MissingColumn, "severity"),
        (lambda: PriorityRow("high", 1, 1, "H"), BadDocument, "severity: 'high' is no range"),
        (lambda: PriorityRow("1-11", 1, 1, "H"), BadDocument, "not within 1 to 10"),
        (lambda: WhyTree("", [Why("a")]), EmptyInput, "state the problem"),
        (lambda: WhyTree("p", []), EmptyInput, "at least one answer"),
        (lambda: WhyTree("p", ["a"]), WrongType, "a list of answers"),  # type: ignore[list-item]
        (lambda: Fishbone("p", {}), EmptyInput, "at least one bone"),
        (lambda: Gate.any_of("g", []), OutOfRange, "at least one"),
        (lambda: Gate.any_of("g", "abc"), WrongType, "a list of names"),
        (lambda: Gate.any_of("g", ["a", "a"]), OutOfRange, "each name once"),
        (lambda: Gate.at_least_of("g", 3, ["a", "b"]), OutOfRange, "1 to 2"),
        (lambda: Gate("g", GateKind.ANY, ("a",), 1), OutOfRange, "use the kind"),
        (lambda: BasicEvent("a", 1.5), OutOfRange, "write 2 % as 0.02"),
        (lambda: BasicEvent("a", 0.5, 0.6), OutOfRange, "probability of 'a'"),
        (lambda: FaultTree("a", [], [BasicEvent("a", 0.1)]).probability({"b": 1}), UnknownName, "basic event"),
        (lambda: FaultTree("a", [], [BasicEvent("a", 0.1)]).probability({"a": 2}), OutOfRange, "given['a']"),
        (lambda: capa_workflow(check_after_days=0), OutOfRange, "time to show"),
        (lambda: effectiveness(Counts(1, 100), Counts(1, 100), smallest_gain=-1), OutOfRange, "without a sign"),
        (lambda: plan().check("pak", {}, now=NOW), UnknownName, "did you mean 'pack'"),
        (lambda: PreventionCheck("a", "rule", "do"), WrongType, "a Rule"),  # type: ignore[arg-type]
        (lambda: PreventionCheck("", Rule("r", field("x")), "do"), EmptyInput, "name the step"),
        (lambda: PreventionPlan([*plan().checks, plan().checks[0]]), BadDocument, "'address' stands twice"),
        (lambda: PreventionPlan([]).to_frame(), EmptyInput, "add checks"),
        (lambda: PreventionCheck.from_dict({"step": "a"}), BadDocument, "rule"),
    ],
)
def test_wrong_calls_name_the_way_out(call: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error) as raised:
        call()
    assert said in str(raised.value)
