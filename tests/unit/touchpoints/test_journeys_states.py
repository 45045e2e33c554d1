"""States, loops, hesitation, merges and stitching: examples and wrong calls."""

from __future__ import annotations

import json

import numpy as np
import pytest

from crmcore.documents import Document
from crmcore.errors import BadRows, EmptyInput, OutOfRange, UnknownName
from crmcore.touchpoints.journeys import (
    FollowsGraph,
    IdentityMap,
    Journeys,
    VariantTable,
    complexity,
    count_loops,
    follows,
    funnel,
    funnel_by,
    hesitation_rule,
    hesitations,
    in_states,
    journeys,
    loop_backs,
    markov_order,
    merged,
    phases,
    redundancies,
    sankey_flows,
    simplify,
    state_loops,
    step_matrix,
    stitch,
    variants,
)
from crmcore.touchpoints.journeys.paths import same_paths

EVEVP = ["explore", "evaluate", "explore", "evaluate", "purchase"]


def test_what_comes_after_the_purchase_is_another_journey() -> None:
    walks = Journeys.of([[*EVEVP, "explore", "evaluate", "explore"]])
    assert state_loops(walks).switches.tolist() == [3]
    assert phases(walks)[-3:] == ("explore", "evaluate", "re-evaluate")


def test_dwell_of_a_visit_ends_where_the_next_begins_and_the_last_is_censored() -> None:
    walks = Journeys.of([["explore", "explore", "evaluate"]], times_s=[[0, 10, 60]])
    found = state_loops(walks)
    assert found.dwell["explore"].time.tolist() == [60]
    assert found.dwell["explore"].events.tolist() == [1]
    assert found.dwell["evaluate"].censored.tolist() == [1]


def test_loops_say_what_they_found() -> None:
    walks = Journeys.of([EVEVP, ["explore", "evaluate"]])
    found = state_loops(walks)
    assert str(found).startswith("2 journeys, 4 switches and 1 loops back")
    assert found.rounds[0].journeys == 2
    assert found.rounds[1].buy.value == 1
    assert "expected_returns" in found._repr_html_()
    assert len(found.to_frame()) == 2
    with pytest.raises(UnknownName, match="did you mean 'explore'"):
        state_loops(walks, between=("explor", "evaluate"))


def test_steps_without_a_state_are_counted_not_lost_silently() -> None:
    walks = in_states(Journeys.of([["ad", "menu"]]), {"ad": "trigger"})
    assert dict(walks.left_out) == {"no state": 1}
    assert loop_backs(walks).tolist() == [0]
    with pytest.raises(EmptyInput):
        in_states(walks, {})


def test_a_memory_of_two_steps_is_found_and_none_is_not_invented() -> None:
    rng = np.random.default_rng(3)
    walks = []
    for _ in range(400):
        walk = ["a", "b"]
        while rng.random() < 0.85:
            back = "ab"["ba".index(walk[-2])]  # the opposite of the step before the last, nine times in ten
            walk.append(back if rng.random() < 0.9 else walk[-2])
        walks.append(walk)
    found = markov_order(Journeys.of(walks), seed=1, highest=3)
    assert found.best == 2
    assert found[2].p_value < 1e-6
    assert found[2].helps
    assert found[3].p_value > 1e-3
    assert "best order 2" in str(found)
    with pytest.raises(OutOfRange, match="highest"):
        found[4]


def test_p_values_of_the_order_test_are_right_when_nothing_is_there() -> None:
    rng = np.random.default_rng(11)
    small = 0
    for _ in range(200):
        walks = [["abc"[int(c)] for c in rng.integers(0, 3, rng.geometric(0.1))] for _ in range(150)]
        small += markov_order(Journeys.of(walks), seed=1)[2].p_value < 0.05
    assert 2 <= small <= 22  # 10 expected


def test_one_long_hesitation_is_one_alert_and_a_new_one_after_a_rest_another() -> None:
    hours = [0, 10, 20, 30, 40, 50, 200, 210, 220, 230]
    states = ["explore", "evaluate"] * 5
    found = hesitations(Journeys.of([states], times_s=[[h * 3600 for h in hours]]))
    assert found.time.tolist() == [30 * 3_600_000_000, 230 * 3_600_000_000]
    assert repr(found) == "HesitationTable(2 times, 1 of 1 journeys)"
    assert "offer help" in found._repr_html_()


def test_the_rule_reads_states_of_an_attribute() -> None:
    text = str(hesitation_rule(("explore", "evaluate"), of="stage", kinds=["view"]).when)
    assert text.startswith("number of switches of stage between view events")
    with pytest.raises(EmptyInput, match="kinds"):
        hesitation_rule(of="stage")
    with pytest.raises(OutOfRange, match="two days are 48"):
        hesitation_rule(within_hours=0)


def test_merges_keep_to_one_owner_and_to_steps_that_stay_together() -> None:
    walks = Journeys.of([["a", "b", "c"], ["a", "b", "c"], ["a", "b", "x", "c"]])
    assert [m.name for m in simplify(walks).merges] == ["a + b"]
    assert simplify(walks, owner={"a": "sales", "b": "service"}).merges == ()
    assert merged(walks, simplify(walks).merges)[2].steps == ("a + b", "x", "c")
    with pytest.raises(OutOfRange, match="together"):
        simplify(walks, together=0.3)


def test_paths_with_one_code_are_still_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    from crmcore.touchpoints.journeys import paths

    monkeypatch.setattr(paths, "_scrambled", lambda x: x * np.uint64(0))
    group, first = same_paths(np.array([0, 1, 1, 0, 0, 1]), np.array([0, 2, 4, 6]))
    assert group.tolist() == [0, 1, 0]
    assert first.tolist() == [0, 1]


def test_a_shared_device_has_a_policy() -> None:
    links = IdentityMap.from_frame(
        {"visitor": ["v", "v"], "customer": ["a", "b"], "time": ["2026-01-02T00:00Z", "2026-01-04T00:00Z"]}
    )
    rows = {"visitor": ["v"] * 3, "time": [f"2026-01-0{d}T00:00Z" for d in (1, 3, 5)], "step": ["x"] * 3}
    assert stitch(rows, links).to_list() == ["a", "a", "b"]
    assert stitch(rows, links, shared="last").to_list() == ["b", "b", "b"]
    assert stitch(rows, links, shared="nobody").to_list() == ["visitor v"] * 3
    early = np.datetime64("2026-01-03", "us")
    assert stitch(rows, links, shared="last", as_of=early).to_list() == ["a", "a", "a"]
    with pytest.raises(UnknownName, match="did you mean 'last'"):
        stitch(rows, links, shared="lst")
    with pytest.raises(BadRows, match="names a customer"):
        IdentityMap.from_frame({"visitor": ["v"], "customer": [None], "time": ["2026-01-02T00:00Z"]})


def test_nothing_makes_nothing_everywhere() -> None:
    none = journeys({"customer": [], "step": [], "time": []})
    assert len(follows(none)) == 0
    assert len(variants(none)) == 0
    assert count_loops(none).rows == 0
    assert len(sankey_flows(none)) == 0
    assert len(redundancies(none)) == 0
    for call in (complexity, step_matrix):
        with pytest.raises(EmptyInput):
            call(none)
    with pytest.raises(EmptyInput):
        markov_order(none, seed=1)


def test_every_result_comes_back_from_json_as_it_was() -> None:
    walks = Journeys.of([EVEVP, ["explore", "evaluate", "evaluate"]])
    links = IdentityMap.from_frame({"visitor": ["v"], "customer": ["c"], "time": ["2026-01-02T00:00Z"]})
    hesitant = hesitations(walks)
    results: list[Document] = [
        walks, links, hesitant, follows(walks), variants(walks), step_matrix(walks), sankey_flows(walks),
        count_loops(walks), state_loops(walks), redundancies(walks), complexity(walks), simplify(walks),
        markov_order(walks, seed=1, folds=2), funnel(walks, ["explore", "purchase"]),
        funnel_by(walks, ["explore", "purchase"], ["a", "b"]),
    ]  # fmt: skip
    for result in results:
        text = json.dumps(result.to_dict(), allow_nan=False)
        again = type(result).from_dict(json.loads(text))
        assert json.dumps(again.to_dict()) == text
        assert (repr(again), str(again)) == (repr(result), str(result))


def test_results_go_through_json_frames_and_html() -> None:
    walks = Journeys.of([["<a>", "b"], ["<a>", "b", "b"]])
    graph, found = follows(walks), variants(walks)
    assert str(FollowsGraph.from_dict(graph.to_dict())) == str(graph)
    assert str(VariantTable.from_dict(found.to_dict())) == str(found)
    results = (walks, graph, found, step_matrix(walks), sankey_flows(walks), redundancies(walks), complexity(walks))
    for result in (*results, simplify(walks), markov_order(walks, seed=1, folds=2)):
        html = result._repr_html_()
        assert "<a>" not in html
        assert len(html) < 6000
        assert len(result.to_frame(backend="pandas")) >= 1 or result is results[-1] or len(result.to_frame()) == 0
    assert graph.chart().rows[0]["step"] == "<a>"
    assert found.chart().rows[0]["value"] == 1
    assert sankey_flows(walks).chart().rows


def test_charts_are_valid_pictures() -> None:
    pytest.importorskip("vl_convert")
    walks = Journeys.of([EVEVP, ["explore", "evaluate"]])
    for chart in (follows(walks).chart(), variants(walks).chart(), sankey_flows(walks).chart()):
        assert chart.to_svg().startswith("<svg")
