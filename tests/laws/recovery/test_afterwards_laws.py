"""Laws of what follows a recovery: the paired test, the two sides of the paradox, closings in any order, chains."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from crmcore.recovery.afterwards import CaseClosed, OutcomeState, Views, ally_rate, before_after, paradox

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SIDES = {"holds": "reversed", "reversed": "holds", "not shown": "not shown"}
scores = st.integers(-9, 9)
pairs = st.lists(st.tuples(scores, scores), min_size=3, max_size=40)
rows = st.lists(st.tuples(scores, st.booleans(), st.sampled_from("pq")), min_size=12, max_size=80)


@given(pairs)
def test_the_paired_test_is_that_of_scipy(data: list[tuple[int, int]]) -> None:
    before, after = (np.array(c, float) for c in zip(*data, strict=True))
    assume(np.ptp(after - before) > 0)
    told = before_after(before, after, small_sample_ok=True).change
    peer = stats.ttest_rel(after, before)
    interval = peer.confidence_interval(0.95)
    assert np.isclose(told.p_value, peer.pvalue)
    assert np.allclose([told.difference.low, told.difference.high], [interval.low, interval.high])


@given(pairs, st.integers(-50, 50))
def test_a_shift_of_both_sides_changes_no_change(data: list[tuple[int, int]], shift: int) -> None:
    before, after = (np.array(c, float) for c in zip(*data, strict=True))
    one, moved = (before_after(before + s, after + s, small_sample_ok=True) for s in (0, shift))
    assert one.verdict == moved.verdict
    assert np.isclose(one.change.difference.value, moved.change.difference.value)
    assert np.isclose(one.change.p_value, moved.change.p_value, equal_nan=True)


@given(pairs)
def test_what_improved_one_way_worsened_the_other(data: list[tuple[int, int]]) -> None:
    before, after = zip(*data, strict=True)
    there, back = before_after(before, after, small_sample_ok=True), before_after(after, before, small_sample_ok=True)
    other = {"improved": "worsened", "worsened": "improved", "not shown": "not shown"}
    assert back.verdict == other[there.verdict]
    assert np.isclose(back.change.difference.value, -there.change.difference.value)


@given(rows, st.booleans())
def test_the_two_sides_of_the_paradox_mirror_each_other(data: list[tuple[int, bool, str]], stratified: bool) -> None:
    value, recovered, label = (list(c) for c in zip(*data, strict=True))
    assume(3 <= sum(recovered) <= len(recovered) - 3)
    strata = {"label": label} if stratified else None
    outcomes = {"one": value, "two": [v * v for v in value]}
    there = paradox(outcomes, recovered, strata=strata)
    back = paradox(outcomes, [not r for r in recovered], strata=strata)
    for a, b in zip(there.rows, back.rows, strict=True):
        assert b.verdict == SIDES[a.verdict]
        assert np.isclose(a.difference.value, -b.difference.value, equal_nan=True)
        assert np.allclose(
            [a.difference.low, a.difference.high], [-b.difference.high, -b.difference.low], equal_nan=True
        )
        assert np.isclose(a.p_adjusted, b.p_adjusted, equal_nan=True)


@given(rows)
def test_without_strata_the_paradox_is_welch_s_test(data: list[tuple[int, bool, str]]) -> None:
    value, recovered = np.array([d[0] for d in data], float), np.array([d[1] for d in data])
    assume(min(recovered.sum(), (~recovered).sum()) >= 3)
    assume(np.ptp(value[recovered]) > 0)
    assume(np.ptp(value[~recovered]) > 0)
    told = paradox({"x": value}, recovered).rows[0]
    peer = stats.ttest_ind(value[recovered], value[~recovered], equal_var=False)
    assert np.isclose(told.comparison.p_value, peer.pvalue)
    assert np.isclose(told.p_adjusted, peer.pvalue)


closings = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from("ab"), st.sampled_from([o.value for o in OutcomeState]),
              st.sampled_from(["e1", "e2"]), st.none() | st.integers(1, 60)),
    max_size=12, unique_by=lambda c: c[0],
)  # fmt: skip


@given(closings, st.randoms(use_true_random=False))
def test_closings_in_any_order_and_twice_make_the_same_views(data: list[tuple[object, ...]], rng: object) -> None:
    events = [
        CaseClosed(
            id=f"e{hour}", case=f"c{hour}", customer=str(who), at=NOW + timedelta(hours=int(str(hour))),
            outcome=str(outcome), failure="late", employee=str(employee),
            minutes=None if minutes is None else float(str(minutes)),
        )
        for hour, who, outcome, employee, minutes in data
    ]  # fmt: skip
    told = Views.replay(events)
    shuffled = [*events, *events[:3]]
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    other = Views.replay(shuffled)
    assert (other.customers, other.causes) == (told.customers, told.causes)
    assert other.employees.keys() == told.employees.keys()
    for name, view in told.employees.items():
        assert (other.employees[name].cases, other.employees[name].hard) == (view.cases, view.hard)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 60)), max_size=20), st.integers(1, 40))
def test_allies_are_counted_as_by_hand(acts: list[tuple[str, int]], window: int) -> None:
    day = np.datetime64("2026-06-01T00:00:00", "us")
    closed = {who: 5 * i for i, who in enumerate("abcd")}
    told = ally_rate(
        list(closed), [day + np.timedelta64(d, "D") for d in closed.values()], [who for who, _ in acts],
        np.array([day + np.timedelta64(d, "D") for _, d in acts], "M8[us]"),
        within_days=window, now=NOW + timedelta(days=200), small_sample_ok=True,
    )  # fmt: skip
    after = {who for who, d in acts if who in closed and closed[who] < d <= closed[who] + window}
    at_once = {who for who, d in acts if who in closed and d == closed[who]}
    assert len(after - at_once) <= told.allies <= len(after | at_once)
    assert told.rate.n == 4
