"""Foreign logs as clock events, and clocks of many cases at once."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from crmcore.calendars import BusinessCalendar
from crmcore.calendars.clocks import (
    ClockEvent,
    ClockEventTable,
    ClockHistory,
    ClockPolicy,
    ClockTerms,
    Meaning,
    Targets,
    clock_columns,
)
from crmcore.errors import BadRows, DuplicateIds, MissingColumn, NaiveDatetime, OutOfRange, UnknownName

ALWAYS = BusinessCalendar.always("UTC")
MEANS = {"Open": "created", "Wait": "status: pending", "Done": "resolved", "Note": None}
LOG = {
    "case": ["7", "7", "8", "7", "8"],
    "time": ["2026-06-01T09:00", "2026-06-01T10:00", "2026-06-01T09:00", "2026-06-01T11:00", "2026-06-01T09:30"],
    "activity": ["Open", "Wait", "Open", "Done", "Note"],
}
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_a_log_is_read_by_a_small_mapping() -> None:
    table = ClockEventTable.from_frame(LOG, activities=MEANS, zone="UTC")
    assert repr(table) == "ClockEventTable(4 events, 2 cases)"
    assert [str(e) for e in table.history("7")] == ["created", "status pending", "resolved"]
    assert len(table.history(1)) == 1
    with pytest.raises(UnknownName, match="unknown case '9'"):
        table.history("9")


def test_a_log_of_one_case_becomes_a_history() -> None:
    log = [{"when": "2026-06-01T09:00", "what": "Open"}, {"when": "2026-06-01T09:10", "what": "Bot"}]
    means = {**MEANS, "Bot": Meaning("agent reply", actor="automation")}
    history = ClockHistory.from_events(
        log, time="when", activity="what", activities=means, zone="Asia/Bangkok", case="7"
    )
    assert history[1] == ClockEvent(datetime(2026, 6, 1, 2, 10, tzinfo=UTC), "agent reply", actor="automation")
    assert history.case == "7"
    assert len(ClockHistory.from_events([], zone=None)) == 0


def test_a_zone_is_never_guessed() -> None:
    with pytest.raises(NaiveDatetime, match="state the zone"):
        ClockEventTable.from_frame(LOG, activities=MEANS)


def test_unknown_activities_are_refused_at_once() -> None:
    with pytest.raises(UnknownName, match="unknown activity 'Note'"):
        ClockEventTable.from_frame(LOG, activities={k: v for k, v in MEANS.items() if v}, zone="UTC")
    with pytest.raises(BadRows, match="unknown 'Done', 'Note', 'Wait'"):
        ClockEventTable.from_frame(LOG, activities={"Open": "created"}, zone="UTC")
    with pytest.raises(UnknownName, match="unknown event kind 'Open'"):
        ClockEventTable.from_frame(LOG, zone="UTC")
    with pytest.raises(OutOfRange, match="write 'status: its name'"):
        ClockEventTable.from_frame(LOG, activities={**MEANS, "Wait": "status"}, zone="UTC")
    with pytest.raises(MissingColumn, match="no column 'activity'"):
        ClockEventTable.from_frame({"case": ["7"], "time": [NOON]})


def test_all_bad_rows_are_named_in_one_error() -> None:
    log = {"case": ["7", None], "time": [None, NOON], "activity": ["status", None]}
    with pytest.raises(BadRows) as caught:
        ClockEventTable.from_frame(log)
    assert [p.column for p in caught.value.problems] == ["case", "time", "activity", "activity"]
    assert "a change that does not say to what" in str(caught.value)


def test_plain_words_need_no_mapping_and_columns_say_the_rest() -> None:
    log = {
        "case": ["7"] * 3, "time": [NOON] * 3, "activity": ["created", "agent reply", "status"],
        "to": [None, None, "pending"],
        "actor": ["agent", "automation", None], "visibility": [None, "private", None], "id": ["a", "b", "c"],
    }  # fmt: skip
    created, reply, status = ClockEventTable.from_frame(log).history("7")
    assert (created.actor, reply.actor, reply.visibility, status.to, status.id) == (
        "agent",
        "automation",
        "private",
        "pending",
        "c",
    )
    with pytest.raises(BadRows, match="not one of"):
        ClockEventTable.from_frame({**log, "actor": ["agnt", None, None]})


def test_a_log_without_creations_begins_with_the_first_event() -> None:
    log = {"case": ["7", "7"], "time": ["2026-06-01T10:00Z", "2026-06-01T09:00Z"], "activity": ["resolved", "assigned"]}
    table = ClockEventTable.from_frame(log, creation="first event")
    assert [str(e) for e in table.history("7")] == ["created", "assigned", "resolved"]
    assert clock_columns(table, ClockPolicy(ALWAYS), now=NOON).of("resolution").minutes.tolist() == [60]
    assert len(clock_columns(ClockEventTable.from_frame(log), ClockPolicy(ALWAYS), now=NOON)) == 0


def test_repeats_by_id_are_dropped_and_contradictions_refused() -> None:
    log = {"case": ["7", "7", "8"], "time": [NOON] * 3, "activity": ["created"] * 3, "id": ["a", "a", "a"]}
    assert len(ClockEventTable.from_frame(log)) == 2
    with pytest.raises(DuplicateIds, match="one id stands on two different events"):
        ClockEventTable.from_frame({**log, "activity": ["created", "resolved", "created"]})


def test_names_of_cases_are_distinct() -> None:
    history = ClockHistory.of([ClockEvent(NOON, "created")])
    with pytest.raises(DuplicateIds, match="name each case"):
        ClockEventTable.of([history, history])


@pytest.mark.parametrize("backend", ["polars", "pandas", "pyarrow"])
def test_tables_write_the_flavour_that_was_read(backend: str) -> None:
    import narwhals.stable.v2 as nw

    frame = nw.from_dict(LOG, backend=backend).to_native()
    table = ClockEventTable.from_frame(frame, activities=MEANS, zone="UTC")
    assert nw.from_native(table.to_frame()).implementation.value == backend
    read = clock_columns(table, ClockPolicy(ALWAYS, Targets(resolution_minutes=30)), now=NOON)
    out = nw.from_native(read.of("resolution").to_frame())
    assert out.implementation.value == backend
    assert out["minutes"].to_list() == [60, 180]
    assert out["state"].to_list() == ["breached", "breached"]
    assert out["open"].to_list() == [False, True]


def test_a_table_of_clocks_tells_what_it_holds() -> None:
    table = ClockEventTable.from_frame(LOG, activities=MEANS, zone="UTC")
    read = clock_columns(table, ClockPolicy(ALWAYS, Targets(first_response_minutes=200)), now=NOON)
    assert repr(read) == "ClockTable(6 cycles of 2 cases, 0 breached, 5 open)"
    assert "  first response: 2 cycles (2 running)" in str(read)
    assert "<caption>Clocks at 2026-06-01T12:00+00:00</caption>" in read._repr_html_()
    assert read.of("first response").due_at.tolist() == [datetime(2026, 6, 1, 12, 20)] * 2
    assert read.take(read.open).open.all()
    with pytest.raises(UnknownName, match="did you mean 'update'"):
        read.of("updates")
    with pytest.raises(NaiveDatetime, match="now is a naive datetime"):
        clock_columns(table, ClockPolicy(ALWAYS), now=datetime(2026, 6, 1))


def test_no_events_give_no_clocks() -> None:
    empty = ClockEventTable.of([])
    assert len(clock_columns(empty, ClockPolicy(ALWAYS), now=NOON)) == 0
    table = ClockEventTable.from_frame(LOG, activities=MEANS, zone="UTC")
    assert len(clock_columns(table, ClockPolicy(ALWAYS), now=datetime(2026, 5, 1, tzinfo=UTC))) == 0


def test_many_cases_come_out_in_the_order_of_their_names() -> None:
    names = [f"{i:06d}" for i in range(70_000)]  # more than 16 bits of codes
    log = {"case": names[::-1], "time": [NOON] * len(names), "activity": ["created"] * len(names)}
    read = clock_columns(ClockEventTable.from_frame(log), ClockPolicy(ALWAYS), now=NOON, names=["first response"])
    assert np.array_equal(read.case, np.arange(70_000))


def test_a_calendar_that_closes_for_good_leaves_some_due_instants_out() -> None:
    once = BusinessCalendar("UTC", {}, special_days={"2026-06-01": [("09:00", "10:00")]})
    log = {"case": ["7", "8"], "time": ["2026-06-01T09:00Z", "2026-06-01T09:30Z"], "activity": ["created"] * 2}
    policy = ClockPolicy(once, Targets(first_response_minutes=60))
    read = clock_columns(ClockEventTable.from_frame(log), policy, now=NOON, names=["first response"])
    assert read.minutes.tolist() == [60, 30]
    assert read.due_at.tolist() == [datetime(2026, 6, 1, 10), None]


def test_terms_with_a_calendar_count_their_own_minutes() -> None:
    night = BusinessCalendar("UTC", {"mon-sun": [("20:00", "24:00")]})
    policy = ClockPolicy(ALWAYS, terms={"night": ClockTerms(Targets(resolution_minutes=90), night)})
    log = {
        "case": ["7", "7"], "time": ["2026-06-01T09:00Z", "2026-06-01T10:00Z"], "activity": ["created", "policy"],
        "to": [None, "night"],
    }  # fmt: skip
    read = clock_columns(ClockEventTable.from_frame(log), policy, now=NOON.replace(hour=21), names=["resolution"])
    assert read.of("active resolution").minutes.tolist() == [120]
    assert read.of("active resolution").breached.tolist() == [True]
