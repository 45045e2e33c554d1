"""Foreign logs against a workflow: what is legal, where cases stand, how long."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from crmcore.errors import (
    BadRows,
    EmptyInput,
    MissingColumn,
    NaiveDatetime,
    OutOfRange,
    SmallSample,
    UnknownName,
)
from crmcore.lifecycle import BadWorkflow, Transition, Workflow, replay_frame, replay_log, replay_table
from crmcore.lifecycle.examples import complaint, deal
from crmcore.lifecycle.replayed import LogCounts
from crmcore.rules import Rule, field
from crmcore.tables import EventTable, TextColumn

LOG = {
    "case": ["b", "a", "a", "a", "b", "a", "c"],
    "activity": ["opened", "opened", "resolve", "ask", "resolve", "reopened", "juggle"],
    "time": [
        "2026-05-04T00:00Z", "2026-05-04T00:00Z", "2026-05-04T03:00Z", "2026-05-04T01:00Z", "2026-05-04T06:00Z",
        "2026-05-05T03:00Z", "2026-05-06T00:00Z",
    ],
}  # fmt: skip


def test_a_log_is_read_in_the_order_of_time_and_ends_in_states() -> None:
    replayed = replay_frame(complaint(), LOG)
    assert str(replayed) == ("complaint 1: 7 events of 3 cases, 1 illegal step in 1 case\n  ended: open 2, resolved 1")
    frame = replayed.to_frame()
    assert frame["case"] == ["a", "b", "c"]
    assert frame["state"] == ["open", "resolved", "open"]
    assert frame["events"] == [4, 2, 1]
    assert frame["illegal"] == [0, 0, 1]
    assert frame["minutes: open"] == [60.0, 360.0, 0.0]
    assert frame["minutes: waiting"] == [120.0, 0.0, 0.0]
    assert frame["minutes: resolved"] == [1440.0, 0.0, 0.0]
    assert frame["since"][0] == datetime(2026, 5, 5, 3, tzinfo=UTC)
    assert frame["since"][2] == datetime(2026, 5, 6, tzinfo=UTC)
    assert repr(replayed) == "LogReplay(complaint 1: 7 events, 3 cases)"
    assert len(replayed) == 7


def test_now_counts_the_state_in_which_a_case_stands() -> None:
    replayed = replay_frame(complaint(), LOG, now=datetime(2026, 5, 6, 1, tzinfo=UTC))
    assert replayed.to_frame()["minutes: open"] == [60.0 + 22 * 60, 360.0, 60.0]
    early = replay_frame(complaint(), LOG, now=datetime(2026, 5, 1, tzinfo=UTC))
    assert (early.minutes >= 0).all()
    with pytest.raises(NaiveDatetime, match="now is"):
        replay_frame(complaint(), LOG, now=datetime(2026, 5, 6))


def test_illegal_steps_are_listed_with_their_place_and_what_could_have_happened() -> None:
    log = {
        "case": ["k", "k", "k", "k"],
        "activity": ["opened", "confirm", "resolve", "opened"],
        "time": [f"2026-05-0{d}T00:00Z" for d in (1, 2, 3, 4)],
    }
    listed = replay_frame(complaint(), log).illegal_steps()
    assert listed["row"] == [1, 3]
    assert listed["position"] == [1, 3]
    assert listed["state"] == ["open", "resolved"]
    assert listed["activity"] == ["confirm", "opened"]
    assert listed["allowed"] == ["ask, resolve, note, escalate", "reopen, confirm, close, note"]
    assert listed["time"][0] == datetime(2026, 5, 2, tzinfo=UTC)


def test_activities_are_mapped_left_out_or_found_by_the_type_of_their_event() -> None:
    log = {
        "case": ["d"] * 4,
        "activity": ["Qualified", "system ping", "offer sent", "win"],
        "time": [f"2026-05-0{d}T00:00Z" for d in (1, 2, 3, 4)],
    }
    replayed = replay_frame(deal(), log, commands={"Qualified": "qualify", "system ping": None})
    assert replayed.counts.left_out == 1
    assert replayed.counts.steps == {
        ("lead", "Qualified"): 1, ("offer sent", "win"): 1, ("qualified", "offer sent"): 1,
    }  # fmt: skip
    assert "1 row left out" in str(replayed)
    with pytest.raises(UnknownName, match="did you mean 'qualify'"):
        replay_frame(deal(), log, commands={"Qualified": "qualfy"})


def test_ways_that_only_a_guard_tells_apart_must_emit_types_of_their_own() -> None:
    def flow(**emits: str) -> Workflow:
        large = Rule("large", field("amount") > 100)
        ways = [
            Transition("pay", "a", "b", guard=large, **emits),
            Transition("pay", "a", "c", emits="paid"),
        ]
        return Workflow("refund", 1, ["a", "b", "c"], "a", ways)

    log = {"case": ["k"], "activity": ["paid"], "time": ["2026-05-01T00:00Z"]}
    with pytest.raises(BadWorkflow, match="'pay' leads from 'a' to 'b' and to 'c'"):
        replay_frame(flow(emits="checked"), log)


def test_a_zone_is_never_guessed() -> None:
    naive = {"case": ["d"], "activity": ["lose"], "time": ["2026-05-01 09:00"]}
    with pytest.raises(NaiveDatetime, match="state the zone"):
        replay_frame(deal(), naive)
    replayed = replay_frame(deal(), naive, zone="Asia/Bangkok")
    assert replayed.to_frame()["since"] == [datetime(2026, 5, 1, 2, tzinfo=UTC)]


def test_bad_rows_are_told_at_once_and_an_empty_log_is_refused() -> None:
    with pytest.raises(BadRows) as caught:
        replay_frame(
            deal(), {"case": ["d", None], "activity": [None, "win"], "time": ["2026-05-01T00:00Z", "yesterday"]}
        )
    assert {(p.column, p.positions) for p in caught.value.problems} == {
        ("case", (1,)), ("activity", (0,)), ("time", (1,)),
    }  # fmt: skip
    with pytest.raises(MissingColumn, match="no column 'time'"):
        replay_frame(deal(), {"case": ["d"], "activity": ["win"]})
    with pytest.raises(EmptyInput, match="the event log is empty"):
        replay_frame(deal(), {"case": [], "activity": [], "time": []})


def test_any_frame_will_do() -> None:
    expected = replay_frame(complaint(), LOG).to_frame()
    rows = [dict(zip(LOG, row, strict=True)) for row in zip(*LOG.values(), strict=True)]
    for frame in (pd.DataFrame(LOG), pl.DataFrame(LOG), rows):
        assert replay_frame(complaint(), frame).to_frame() == expected
    assert replay_frame(complaint(), LOG).to_frame(backend="polars").shape == (3, 9)
    assert replay_frame(complaint(), LOG).illegal_steps(backend="pandas").shape == (1, 7)


def test_a_table_of_interactions_is_a_log_by_reference_and_kind() -> None:
    events = EventTable.from_frame(
        {
            "customer": ["x", None, "x"],
            "time": ["2026-05-01T00:00Z", "2026-05-02T00:00Z", "2026-05-02T00:00Z"],
            "kind": ["qualify", "lose", "view"],
            "reference": ["d1", "d1", None],
        }
    )
    replayed = replay_table(deal(), events)
    assert str(replayed) == ("deal 1: 2 events of 1 case, no illegal step, 1 row left out\n  ended: lost 1")


def test_ties_are_broken_by_a_sequence_or_by_name_never_by_row() -> None:
    case, time = TextColumn.of(["k", "k"]), np.array(["2026-05-01"] * 2, "datetime64[us]")
    activity = TextColumn.of(["resolve", "confirm"])
    by_name = replay_log(complaint(), case, activity, time)
    assert by_name.counts.illegal == 1, "confirm stands before resolve"
    assert replay_log(complaint(), case, activity, time, sequence=np.array([1, 2])).counts.illegal == 0
    frame = {"case": ["k", "k"], "activity": ["resolve", "confirm"], "time": ["2026-05-01T00:00Z"] * 2, "n": [1, 2]}
    assert replay_frame(complaint(), frame, sequence="n").counts.illegal == 0
    with pytest.raises(OutOfRange, match="len\\(sequence\\) = 1: expected 2, as case"):
        replay_log(complaint(), case, activity, time, sequence=np.array([1]))


def test_times_that_are_too_far_apart_for_one_key_sort_all_the_same() -> None:
    ids = tuple(f"k{i}" for i in range(2000))
    case = TextColumn(np.array([1, 0, 1, 1], np.int32), ids)
    activity = TextColumn.of(["reopen", "ask", "resolve", "opened"])
    wide = np.array(["2400-01-01T00:00:00.000001", "1800-01-01", "2000-01-01", "1700-01-01"], "datetime64[us]")
    replayed = replay_log(complaint(), case, activity, wide)
    assert replayed.case_ids == ("k0", "k1")
    assert replayed.rows.tolist() == [1, 3, 2, 0]
    assert replayed.legal.all()


def test_no_rows_at_all_give_no_cases() -> None:
    empty = replay_log(complaint(), TextColumn.empty(0), TextColumn.empty(0), np.array([], "datetime64[us]"))
    assert (len(empty), empty.counts, empty.to_frame()["case"]) == (
        0,
        LogCounts(minutes=dict.fromkeys(complaint().states, 0.0)),
        [],
    )
    nothing_known = replay_log(
        complaint(), TextColumn.empty(2), TextColumn.of(["ask", "ask"]), np.array(["NaT"] * 2, "datetime64[us]")
    )
    assert nothing_known.counts.left_out == 2


def test_conforming_is_a_share_of_cases_with_its_interval() -> None:
    with pytest.warns(SmallSample):
        share = replay_frame(complaint(), LOG).conforming()
    assert (share.value, share.n) == (pytest.approx(2 / 3), 3)
    assert share.rule == "cases without an illegal step / cases"


def test_pictures_and_tables_tell_where_time_goes() -> None:
    replayed = replay_frame(complaint(), LOG)
    assert [r["label"] for r in replayed.chart().rows] == list(complaint().states)
    assert "days a case" in replayed._repr_html_()
    assert "<script" not in replayed._repr_html_()


def test_columns_of_a_replay_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        replay_frame(complaint(), LOG).before[0] = 1


def test_the_helpdesk_log_is_replayed_as_an_independent_program_does(data_dir: Path) -> None:
    path = data_dir / "helpdesk_italian" / "events.csv.gz"
    if not path.exists():
        pytest.skip("no helpdesk_italian among the data sets")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    columns = list(rows[0])
    case, activity, time = columns[:3]
    table = {
        "Take in charge ticket": {"open": "working", "working": "working", "waiting": "working"},
        "Wait": {"open": "waiting", "working": "waiting"},
        "Resolve ticket": {"open": "resolved", "working": "resolved", "waiting": "resolved"},
        "Closed": {"resolved": "closed"},
    }
    names = {"Take in charge ticket": "take", "Wait": "wait", "Resolve ticket": "resolve", "Closed": "close"}
    flow = Workflow(
        "ticket", 1, ["open", "working", "waiting", "resolved", "closed"], "open",
        [Transition(names[a], s, t) for a, ways in table.items() for s, t in ways.items()],
    )  # fmt: skip
    others = dict.fromkeys({r[activity] for r in rows} - set(names))
    frame = {c: [r[c] for r in rows] for c in columns[:3]}
    replayed = replay_frame(
        flow, frame, case=case, activity=activity, time=time, zone="Europe/Rome", commands={**names, **others}
    )
    by_case: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        if row[activity] in table:
            by_case.setdefault(row[case], []).append((row[time], row[activity]))
    ended: dict[str, int] = {}
    illegal = 0
    for steps in by_case.values():
        state = "open"
        for _, what in sorted(steps):
            illegal += state not in table[what]
            state = table[what].get(state, state)
        ended[state] = ended.get(state, 0) + 1
    assert replayed.counts.ended == ended
    assert replayed.counts.illegal == illegal
    assert replayed.counts.cases == len(by_case)
