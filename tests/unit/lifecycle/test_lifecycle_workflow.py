"""Definitions: what is refused, what is remarked, how they read, draw and travel as JSON."""

from __future__ import annotations

import json
import pickle

import attrs
import pytest

from crmcore.errors import BadDocument, OutOfRange, WrongType
from crmcore.lifecycle import BadWorkflow, Timer, Transition, Workflow
from crmcore.lifecycle.examples import complaint, deal
from crmcore.lifecycle.workflow import CLOCK
from crmcore.rules import Rule, field


def faults(*args: object, **kwargs: object) -> tuple[str, ...]:
    with pytest.raises(BadWorkflow) as caught:
        Workflow("w", 1, *args, **kwargs)
    return caught.value.faults


def test_every_unknown_name_is_told_at_once_with_the_nearest() -> None:
    found = faults(
        ["open", "resolved"],
        "opne",
        [Transition("resolve", "open", "resolvd"), Transition("reopen", "resolvedd", "open")],
        [Timer("late", "oppen", "resolv", after_days=1)],
        ["resolved", "closed"],
    )
    assert found == (
        "initial: unknown state 'opne', did you mean 'open'?",
        "terminal: unknown state 'closed', expected ['open', 'resolved']",
        "transition 'resolve': unknown state 'resolvd', did you mean 'resolved'?",
        "transition 'reopen': unknown state 'resolvedd', did you mean 'resolved'?",
        "timer 'late': unknown command 'resolv', did you mean 'resolve'?",
        "timer 'late': unknown state 'oppen', did you mean 'open'?",
    )


def test_the_error_names_the_workflow_its_faults_and_the_way_out() -> None:
    with pytest.raises(BadWorkflow) as caught:
        Workflow("review", 2, ["a", "b"], "a", [])
    assert str(caught.value) == (
        "workflow 'review 2' has faults:\n  transitions: there are none\n"
        "  hint: a workflow is checked as a whole when it is made: repair these and make it again"
    )
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_states_that_nothing_reaches_are_faults() -> None:
    found = faults(["a", "b", "c", "d"], "a", [Transition("go", "a", "b"), Transition("on", "c", "d")])
    assert found == ("states: nothing reaches 'c' from 'a'", "states: nothing reaches 'd' from 'a'")


def test_two_unguarded_transitions_of_one_command_in_one_state_are_a_fault() -> None:
    found = faults(["a", "b", "c"], "a", [Transition("go", "a", "b"), Transition("go", ["a", "b"], "c")])
    assert found == ("'go' in 'a': two unguarded transitions, to 'b' and to 'c'",)


def test_a_guard_behind_an_unguarded_transition_is_a_fault_and_before_it_is_not() -> None:
    large = Rule("large", field("amount") > 100)
    go, large_go = Transition("go", "a", "b"), Transition("go", "a", "c", guard=large)
    assert faults(["a", "b", "c"], "a", [go, large_go]) == (
        "'go' in 'a': the unguarded one stands first, to 'b' and to 'c'",
    )
    assert Workflow("w", 1, ["a", "b", "c"], "a", [large_go, go]).transitions_of("a", "go") == (large_go, go)


def test_different_roles_may_take_different_ways_without_guards() -> None:
    flow = Workflow(
        "w",
        1,
        ["a", "b", "c"],
        "a",
        [Transition("go", "a", "b", actors="agent"), Transition("go", "a", "c", actors="customer")],
    )
    assert flow.commands("a", role="agent") == ("go",)
    assert flow.commands("a", role="visitor") == ()


def test_terminal_states_have_no_way_out_and_any_does_not_mean_them() -> None:
    assert faults(["a", "b"], "a", [Transition("go", "a", "b"), Transition("back", "b", "a")], terminal="b") == (
        "transition 'back': leads out of 'b', which is terminal",
    )
    flow = Workflow("w", 1, ["a", "b"], "a", [Transition("go", "*", "b")], terminal="b")
    assert flow.commands("b") == ()


@pytest.mark.parametrize(
    ("timer", "fault"),
    [
        (Timer("t@1", "a", "go", after_days=1), "its name holds an '@'"),
        (Timer("t", "a", "go"), "due after 0 minutes, expected at least 1"),
        (Timer("t", "a", "go", after_minutes=-5), "before its start"),
        (Timer("t", "a", "go", after_minutes=-5, start="promised_at", calendar="desk"), "before its start"),
        (Timer("t", "a", "go", after_days=1, calendar="desk"), "a day of 'desk' has no fixed length"),
        (Timer("t", "a", "go", after_days=1, repeats=-1), "repeats = -1, expected 0 or more"),
        (Timer("t", [], "go", after_days=1), "no state in which it runs"),
        (Timer("t", "a", "by staff", after_days=1), "'by staff' does nothing in 'a' for the role 'clock'"),
        (Timer("t", "b", "go", after_days=1), "'go' does nothing in 'b' for the role 'clock'"),
        (Timer("t", "a", "tell", after_days=1), "'tell' needs words, and a timer carries nothing"),
    ],
)
def test_a_timer_that_cannot_work_is_a_fault(timer: Timer, fault: str) -> None:
    ways = [
        Transition("go", "a", "b"),
        Transition("by staff", "a", "b", actors="agent"),
        Transition("tell", "a", "b", needs="words"),
    ]
    found = faults(["a", "b"], "a", ways, [timer])
    assert len(found) == 1
    assert fault in found[0]


def test_repeated_names_empty_actors_and_odd_values_are_faults() -> None:
    found = faults(
        ["a", "a", "b"],
        "a",
        [
            Transition("go", "a", "b", actors=[], sets={"x": {1, 2}}),
            Transition("on", ["*", "a"], "b", needs="state"),
            Transition("by", [], "b"),
        ],
        [Timer("t", "a", "on", after_days=1), Timer("t", "a", "on", after_days=1)],
    )
    assert "states: 'a' stands there twice" in found
    assert "timers: 't' stands there twice" in found
    assert "transition 'go': actors is empty, expected roles, or None for everybody" in found
    assert "transition 'go': sets holds what is no JSON value" in found
    assert "transition 'on': '*' stands beside other sources" in found
    assert "transition 'on': 'state' is what guards call the case's own" in found
    assert "transition 'by': no source, expected a state or '*'" in found


def test_a_workflow_without_states_or_with_odd_ones_is_a_fault() -> None:
    assert faults([], "a", []) == ("states: there are none", "initial: unknown state 'a', expected []")
    assert "states: '*' is no name of a state" in faults(["a", "*"], "a", [Transition("go", "a", "a")])


def test_many_faults_are_cut_in_the_text_and_whole_in_the_error() -> None:
    with pytest.raises(BadWorkflow) as caught:
        Workflow("w", 1, ["a"], "a", [Transition(f"go {i}", "a", f"z{i}") for i in range(25)])
    assert len(caught.value.faults) == 25
    assert "... 5 more" in str(caught.value)


def test_states_whose_names_look_alike_in_a_diagram_stay_apart() -> None:
    twins = Workflow("w", 1, ["a b", "a-b"], "a b", [Transition("go", "a b", "a-b")])
    assert '    state "a-b" as a_b_' in twins.diagram().splitlines()


def test_wrong_types_are_refused_at_the_door() -> None:
    with pytest.raises(WrongType, match="guard is str: expected a Rule"):
        Transition("go", "a", "b", guard="amount > 3")
    with pytest.raises(WrongType, match="command is '': expected a name"):
        Transition("", "a", "b")
    with pytest.raises(WrongType, match="after_days is float: expected a whole number"):
        Timer("t", "a", "go", after_days=1.5)
    with pytest.raises(OutOfRange, match="version = 0"):
        Workflow("w", 0, ["a"], "a", [])


def test_lint_tells_dead_ends_loops_without_end_and_ways_that_may_never_open() -> None:
    flow = Workflow(
        "w",
        1,
        ["a", "b", "c", "d", "end"],
        "a",
        [
            Transition("go", "a", "b", guard=Rule("paid", field("paid").is_true())),
            Transition("stop", "a", "end", guard=Rule("unpaid", ~field("paid").is_true())),
            Transition("loop", "b", "c"),
            Transition("pool", "c", "b"),
            Transition("sink", "b", "d"),
        ],
        terminal="end",
    )
    assert [str(r) for r in flow.lint()] == [
        "a: every way out has a guard: a case stays where none holds",
        "b: no terminal state can be reached from here",
        "c: no terminal state can be reached from here",
        "d: a dead end that is not terminal",
    ]
    assert [str(r) for r in complaint().lint()] == []


def test_lint_tells_that_only_a_timer_leads_out() -> None:
    flow = Workflow(
        "w", 1, ["a", "b"], "a", [Transition("go", "a", "b", actors=CLOCK)], [Timer("t", "a", "go", after_days=1)], "b"
    )
    assert [str(r) for r in flow.lint()] == ["a: only a timer leads out"]


def test_paths_are_simple_ways_to_an_end_shortest_first() -> None:
    assert complaint().paths() == (("open", "resolved", "closed"), ("open", "waiting", "resolved", "closed"))
    assert deal().paths(limit=1) == (("lead", "lost"),)
    states = [f"s{i}" for i in range(12)]
    dense = Workflow("w", 1, states, "s0", [Transition(s, "*", s) for s in states])
    assert dense.paths(limit=3) == ()  # nothing ends, and the search does


def test_a_diagram_escapes_names_and_draws_timers_and_guards() -> None:
    flow = Workflow(
        "w",
        1,
        ["end", "in progress", "รอ", "done"],
        "in progress",
        [
            Transition("a: b", "in progress", "รอ", guard=Rule("large", field("x") > 1)),
            Transition("end it", "รอ", "end"),
            Transition("finish", "*", "done"),
        ],
        [Timer("stale", ["รอ"], "finish", after_minutes=90)],
        ["done"],
    )
    lines = flow.diagram().splitlines()
    assert lines[0] == "stateDiagram-v2"
    assert '    state "end" as s_end' in lines
    assert '    state "รอ" as s' in lines
    assert "    in_progress --> s: a  b [large]" in lines
    assert "    s --> done: finish after 90 min" in lines
    assert "    done --> [*]" in lines
    assert "    s_end --> done: finish" in lines


def test_a_chart_shows_every_state_and_says_which_is_first_and_last() -> None:
    chart = complaint().chart()
    assert {r["id"]: r["group"] for r in chart.rows} == {
        "open": "first",
        "waiting": "between",
        "resolved": "between",
        "closed": "last",
    }
    assert "open -- resolved" in chart.to_text()


def test_no_link_of_a_chart_runs_through_a_state_that_it_does_not_touch() -> None:
    refund = Workflow(
        "refund",
        1,
        ["asked", "checking", "paid", "refused"],
        "asked",
        [
            Transition("pay", ["asked", "checking"], "paid"),
            Transition("check", "asked", "checking"),
            Transition("refuse", ["asked", "checking"], "refused"),
            Transition("ask again", "checking", "asked"),
        ],
        terminal=["paid", "refused"],
    )
    for flow in (refund, complaint(), deal()):
        at = {r["id"]: (r["x"], r["y"]) for r in flow.chart().rows}
        for s, t in {(s, go.target or s) for go in flow.transitions for s in flow.sources(go)}:
            if s == t:
                continue
            (x0, y0), (x1, y1) = sorted((at[s], at[t]))
            assert x0 < x1, f"{s} and {t} stand above each other"
            for other, (x, y) in at.items():
                if other not in (s, t) and x0 < x < x1:
                    assert abs(y0 + (y1 - y0) * (x - x0) / (x1 - x0) - y) > 0.1, f"{s} to {t} runs through {other}"
    assert {r["id"]: r["x"] for r in refund.chart().rows} == {"asked": 0, "checking": 1, "paid": 2, "refused": 2}


def test_json_keeps_everything_and_leaves_defaults_out() -> None:
    flow = Workflow(
        "refund",
        3,
        ["asked", "paid", "refused"],
        "asked",
        [
            Transition(
                "pay",
                "asked",
                "paid",
                guard=Rule("small", field("amount_minor") <= 5_000),
                actors=["agent", CLOCK],
                keeps="amount_minor",
                sets={"paid": True, "note": None},
                emits="refund paid",
            ),
            Transition("refuse", "*", "refused", needs="reason"),
            Transition("touch", "asked"),
        ],
        [
            Timer("auto", "asked", "pay", after_minutes=480, calendar="desk", repeats=2),
            Timer("before", "asked", "touch", after_minutes=-60, start="promised_at"),
        ],
        ["paid", "refused"],
    )
    document = json.loads(json.dumps(flow.to_dict()))
    assert Workflow.from_dict(document) == flow
    assert document["transitions"][2] == {"command": "touch", "source": ["asked"]}
    assert document["timers"][1] == {
        "name": "before", "states": ["asked"], "command": "touch", "after_minutes": -60, "start": "promised_at",
    }  # fmt: skip
    assert Workflow.from_dict(complaint().to_dict()) == complaint()
    used = complaint()
    assert used.commands("open")
    assert pickle.loads(pickle.dumps(used)) == used
    assert pickle.loads(pickle.dumps(used)).commands("open") == used.commands("open")


def test_a_document_with_faults_names_all_of_them_by_path() -> None:
    with pytest.raises(BadDocument) as caught:
        Workflow.from_dict(
            {
                "name": "w",
                "version": "1",
                "states": ["a", 3],
                "transitions": [{"comand": "go", "source": ["a"]}, 7, {"command": "go", "source": ["a"], "guard": {}}],
                "timers": [{"name": "t", "states": ["a"], "command": "go", "after_days": True}],
            }
        )
    problems = caught.value.problems
    assert "not valid here: str @ $.version" in problems
    assert "not valid here: list @ $.states" in problems
    assert "required field is missing @ $.initial" in problems
    assert "unknown field 'comand', did you mean 'command'? @ $.transitions[0]" in problems
    assert "int where an object is expected @ $.transitions[1]" in problems
    guard = next(p for p in problems if p.startswith("BadDocument: the document is no rule @ $.transitions[2].guard\n"))
    assert "'name' is missing" in guard
    assert "hint: repair these places" in guard
    assert "not valid here: bool @ $.timers[0].after_days" in problems
    with pytest.raises(BadDocument, match="str where an object is expected"):
        Workflow.from_dict("complaint")


def test_a_document_that_contradicts_itself_is_a_bad_workflow() -> None:
    with pytest.raises(BadWorkflow, match="unknown state 'b'"):
        Workflow.from_dict({**attrs_document(), "initial": "b"})


def attrs_document() -> dict[str, object]:
    return attrs.evolve(deal(), version=2).to_dict()


def test_text_and_html_show_what_staff_need_to_know() -> None:
    assert "lose: * -> lost, needs reason" in str(deal())
    html = complaint()._repr_html_()
    assert "<table>" in html
    assert "<script" not in html
    assert len(html) < 6_000
    assert str(Timer("t", "a", "go", after_minutes=90, calendar="desk", start="opened")) == (
        "Timer(t: go after opened 90 min of desk in a)"
    )
    assert Timer("t", "a", "go", after_minutes=-120, start="due").span == "2 h before due"
