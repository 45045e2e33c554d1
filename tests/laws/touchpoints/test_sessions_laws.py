"""Laws of sessions: a slow twin written from the rule, streams in any order of arrival, and differences that add up."""

# ruff: noqa: E501  (rows read best as lines)

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crmcore.tables import EventTable
from crmcore.touchpoints.sessions import (
    PROFILES,
    SessionRecord,
    SessionRule,
    SessionStream,
    apply_changes,
    compare_rules,
    group_order,
    session_codes,
    sessionize,
)

BEGIN = datetime(2026, 3, 28, 21, tzinfo=UTC)  # the night in which clocks in Europe go forward
GAPS = [0, 1, 9, 10, 11, 300, 599, 600, 601, 1799, 1800, 1801, 7200, 80_000]
KINDS = ["view", "event", "key", "ping"]
CAMPAIGNS = [None, None, "spring", "summer"]
Event = tuple[str, int, str, str | None]


@st.composite
def logs(draw: st.DrawFn) -> list[Event]:
    rows: list[Event] = []
    for user in draw(st.sampled_from([["u"], ["u", "v"]])):
        at = draw(st.integers(0, 8000))
        for gap in draw(st.lists(st.sampled_from(GAPS), max_size=14)):
            rows.append((user, at, draw(st.sampled_from(KINDS)), draw(st.sampled_from(CAMPAIGNS))))
            at += gap
        rows.append((user, at, "view", None))
    return draw(st.permutations(rows))


@st.composite
def rules(draw: st.DrawFn) -> SessionRule:
    return SessionRule(
        name=draw(st.sampled_from(["a", "b"])), boundary=draw(st.sampled_from([">", ">="])),
        timeout_s=draw(st.sampled_from([1800.0, 700.0])), midnight=draw(st.booleans()), zone="Europe/Berlin",
        campaign=draw(st.sampled_from([None, "campaign"])), max_length_s=draw(st.sampled_from([None, 3600.0, 86_400.0])),
        single_event_timeout_s=draw(st.sampled_from([None, 600.0])), keep_alive=draw(st.sampled_from([(), ("ping",)])),
    )  # fmt: skip


def table(log: list[Event]) -> EventTable:
    return EventTable.from_frame(
        {
            "customer": [r[0] for r in log], "time": [BEGIN + timedelta(seconds=r[1]) for r in log],
            "kind": [r[2] for r in log], "campaign": [r[3] for r in log],
        }
    )  # fmt: skip


def slow(log: list[Event], rule: SessionRule) -> list[int]:
    """Session of each row, -1 = none: one event after the other, as the rule says."""
    zone, out, number = ZoneInfo(rule.zone), [-1] * len(log), -1
    assert rule.timeout_s is not None

    def over(gap: int, limit: float) -> bool:
        return gap > limit if rule.boundary == ">" else gap >= limit

    for user in sorted({r[0] for r in log}):
        rows = sorted((i for i, r in enumerate(log) if r[0] == user), key=lambda i: (log[i][1], i))
        alive, start, last, events, campaign, day = False, 0, 0, 0, None, None
        for i in rows:
            _, at, kind, told = log[i]
            counts = kind not in rule.keep_alive
            today = (BEGIN + timedelta(seconds=at)).astimezone(zone).date()
            if alive and (
                over(at - last, rule.timeout_s)
                or (rule.midnight and today != day)
                or (
                    rule.single_event_timeout_s is not None
                    and events == 1
                    and over(at - last, rule.single_event_timeout_s)
                )
                or (rule.max_length_s is not None and at - start > rule.max_length_s)
                or (rule.campaign is not None and counts and told is not None and told != campaign)
            ):
                alive = False
            if not alive and counts:
                alive, start, events, campaign = True, at, 0, None
                number += 1
            if alive:
                out[i] = number
                events += counts
                campaign = told if counts and told is not None else campaign
            last, day = at, today
    return out


@given(logs(), rules())
@settings(max_examples=200, deadline=None)
def test_columns_cut_as_the_slow_twin(log: list[Event], rule: SessionRule) -> None:
    assert sessionize(table(log), rule).of_event.tolist() == slow(log, rule)


@given(logs(), rules(), st.sampled_from([0, 900, 4000, 10**6]), st.randoms(use_true_random=False))
@settings(max_examples=120, deadline=None)
def test_a_stream_ends_where_the_table_does_whatever_the_order_of_arrival(
    log: list[Event], rule: SessionRule, lateness: int, random: object
) -> None:
    delay = [getattr(random, "uniform")(0, lateness) for _ in log]  # noqa: B009
    arrival = sorted(range(len(log)), key=lambda i: (log[i][1] + delay[i], i))
    stream = SessionStream(rule, lateness_s=lateness)
    board: dict[int, SessionRecord] = {}
    for i in arrival:
        user, at, kind, told = log[i]
        board = apply_changes(board, stream.observe(user, BEGIN + timedelta(seconds=at), kind=kind, campaign=told))
    board = apply_changes(board, stream.close())
    # equal times are taken in order of arrival by the stream, and in order of rows by the table
    whole = sessionize(table([log[i] for i in arrival]), rule)
    expected = sorted(
        (whole.events.customers.ids[c], s, e, n, v, k, b)
        for c, s, e, n, v, k, b in zip(
            whole.visitor.tolist(), whole.start.tolist(), whole.end.tolist(), whole.event_count.tolist(), whole.views.tolist(),
            whole.key_events.tolist(), whole.bounce.tolist(), strict=True,
        )
    )  # fmt: skip
    got = sorted(
        (r.visitor, r.start.astimezone(UTC).replace(tzinfo=None), r.end.astimezone(UTC).replace(tzinfo=None), r.events, r.views,
         r.key_events, r.bounce)
        for r in board.values()
    )  # fmt: skip
    assert got == expected


@given(logs(), rules(), st.integers(0, 12))
@example(
    [
        ("u", 628, "ping", None),
        ("u", 1229, "ping", None),
        ("u", 1240, "view", None),
        ("v", 101, "view", None),
        ("v", 401, "ping", None),
        ("v", 1002, "view", None),
        ("v", 1002, "view", None),
    ],
    SessionRule(name="a", timeout_s=700, boundary=">", single_event_timeout_s=600, keep_alive=("ping",)),
    3,
)
@settings(max_examples=120, deadline=None)
def test_a_stream_goes_on_from_json(log: list[Event], rule: SessionRule, stop: int) -> None:
    arrival = sorted(range(len(log)), key=lambda i: (log[i][1], i))
    whole, parted = (SessionStream(rule, lateness_s=60) for _ in range(2))
    for n, i in enumerate(arrival):
        user, at, kind, told = log[i]
        when = BEGIN + timedelta(seconds=at)
        parted = SessionStream.from_dict(parted.to_dict()) if n == stop else parted
        assert parted.observe(user, when, kind=kind, campaign=told) == whole.observe(
            user, when, kind=kind, campaign=told
        )
    assert parted.close() == whole.close()


@given(logs(), rules(), rules())
@settings(max_examples=150, deadline=None)
def test_differences_of_two_rules_add_up_and_have_reasons(log: list[Event], a: SessionRule, b: SessionRule) -> None:
    found = compare_rules(table(log), a, b)
    assert all(found.reasons)
    assert (found.causes > 0).all()
    if not found.only_first and not found.only_second:
        more = int(found.by_second.sum()) - int((~found.by_second).sum())
        assert len(found.second) == len(found.first) + more
        if not len(found):
            assert found.first.of_event.tolist() == found.second.of_event.tolist()
    groups = found.groups()
    assert groups["same"] <= min(len(found.first), len(found.second))


@given(logs(), rules(), rules())
@settings(max_examples=200, deadline=None)
def test_the_told_differences_lead_from_one_rule_to_the_other(log: list[Event], a: SessionRule, b: SessionRule) -> None:
    found = compare_rules(table(log), a, b)
    first, second = slow(log, a), slow(log, b)
    told = dict(zip(found.row.tolist(), found.by_second.tolist(), strict=True))
    for user in {r[0] for r in log}:
        rows = [i for i, r in enumerate(log) if r[0] == user and first[i] >= 0 and second[i] >= 0]
        rows.sort(key=lambda i: (log[i][1], i))
        for before, row in itertools.pairwise(rows):
            cut = first[before] != first[row]
            if row in told:
                assert told[row] is not cut
                cut = told[row]
            assert cut is (second[before] != second[row])


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-50, 50)), max_size=40))
@settings(max_examples=100, deadline=None)
def test_rows_are_ordered_as_by_lexsort(rows: list[tuple[int, int]]) -> None:
    who = np.array([r[0] for r in rows], np.int64)
    when = np.array([r[1] for r in rows], np.int64)
    assert group_order(who, when).tolist() == np.lexsort((when, who)).tolist()


@given(st.lists(st.tuples(st.integers(0, 2**31 - 1), st.integers(-(2**60), 2**60)), max_size=30))
@settings(max_examples=60, deadline=None)
def test_wide_codes_and_times_are_ordered_too(rows: list[tuple[int, int]]) -> None:
    who = np.array([r[0] for r in rows], np.int64)
    when = np.array([r[1] for r in rows], np.int64)
    assert group_order(who, when).tolist() == np.lexsort((when, who)).tolist()


@pytest.mark.parametrize("name", sorted(set(PROFILES) - {"snowplow"}))
@given(log=logs())
@settings(max_examples=15, deadline=None)
def test_sessions_of_every_profile_part_the_events(name: str, log: list[Event]) -> None:
    found = sessionize(table(log), name)
    inside = found.of_event[found.of_event >= 0]
    assert np.bincount(inside, minlength=len(found)).min(initial=1) >= 1
    assert (found.start <= found.end).all()
    codes = session_codes(found.visitor, found.start.view(np.int64), timeout_s=0.000001)
    assert len(codes) <= len(found)
