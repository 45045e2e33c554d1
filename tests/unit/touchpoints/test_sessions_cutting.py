"""Cutting, measuring and comparing sessions: edges of rules, what is left out, texts and errors."""

# ruff: noqa: E501  (rows read best as lines)
from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import attrs
import numpy as np
import pytest

from crmcore.errors import (
    BadDocument,
    BadRows,
    EmptyInput,
    MissingColumn,
    NaiveDatetime,
    OutOfRange,
    UnknownName,
    WrongType,
)
from crmcore.tables import EventTable
from crmcore.touchpoints import sessions as ss
from crmcore.touchpoints.sessions import Cause, SessionRule, SessionStream, sessionize

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


def log(*seconds: float, kind: str = "view", **more: list[object]) -> EventTable:
    times = [AT + timedelta(seconds=s) for s in seconds]
    return EventTable.from_frame({"customer": ["ann"] * len(times), "time": times, "kind": [kind] * len(times), **more})


@pytest.mark.parametrize(("gap", "ga4", "plain"), [(1799, 1, 1), (1800, 2, 1), (1801, 2, 2)])
def test_exactly_half_an_hour_cuts_where_the_tool_says_so(gap: int, ga4: int, plain: int) -> None:
    assert len(sessionize(log(0, gap), "ga4")) == ga4
    assert len(sessionize(log(0, gap), "plain")) == plain


@pytest.mark.parametrize(("seconds", "engaged"), [(9, False), (10, False), (11, True)])
def test_ga4_engages_after_more_than_ten_seconds(seconds: int, engaged: bool) -> None:
    found = sessionize(log(0, seconds, kind="scroll"), "ga4")
    assert found.engaged is not None
    assert found.engaged.tolist() == [engaged]
    assert found.bounce.tolist() == [not engaged]


def test_a_night_of_changed_clocks_has_one_midnight() -> None:
    berlin = attrs.evolve(ss.PROFILES["matomo"], zone="Europe/Berlin", campaign=None)
    times = [datetime(2026, 3, 28, 22, 50, tzinfo=UTC) + timedelta(minutes=20 * i) for i in range(8)]
    events = EventTable.from_frame({"customer": ["ann"] * 8, "time": times, "kind": ["view"] * 8})
    found = sessionize(events, berlin)
    assert found.of_event.tolist() == [0, 1, 1, 1, 1, 1, 1, 1]
    assert Cause.MIDNIGHT in found.began_by[1]


@pytest.mark.parametrize(("campaigns", "sessions"), [((None, "a"), 2), (("a", None), 1), (("a", "a"), 1), (("a", "b"), 2), (("a", None, "a"), 1)])  # fmt: skip
def test_only_another_known_campaign_cuts(campaigns: tuple[str | None, ...], sessions: int) -> None:
    events = log(*range(len(campaigns)), campaign=list(campaigns))
    assert len(sessionize(events, "universal_analytics")) == sessions


def test_ties_keep_the_order_of_rows_and_shuffled_rows_the_sessions() -> None:
    events = log(0, 0, 4000, 4000, campaign=["a", "b", "b", "a"])
    assert sessionize(events, "matomo").of_event.tolist() == [0, 1, 2, 3]
    turned = log(4000, 0, campaign=["a", "a"])
    found = sessionize(turned, "plain")
    assert found.of_event.tolist() == [1, 0]
    assert found.intake.unsorted == 1


def test_nothing_is_left_out_in_silence() -> None:
    events = EventTable.from_frame({"customer": ["ann", "ann", None], "time": [AT, AT, AT], "kind": ["view"] * 3})
    found = sessionize(events, "plain", duplicates="drop")
    assert (found.intake.duplicates, found.intake.dropped, found.intake.nobody) == (1, 1, 1)
    assert found.of_event.tolist() == [0, -1, -1]
    with pytest.raises(BadRows, match="after"):
        sessionize(events, "plain", now=AT - timedelta(days=1))
    assert sessionize(events, "plain", now=AT - timedelta(days=1), future="drop").intake.future == 3


def test_times_without_zone_are_refused_at_the_door() -> None:
    with pytest.raises(NaiveDatetime):
        EventTable.from_frame({"customer": ["a"], "time": ["2026-03-01 09:00"]})
    with pytest.raises(NaiveDatetime):
        SessionStream().observe("a", datetime(2026, 3, 1))


def test_visitors_may_come_from_an_attribute_or_as_codes() -> None:
    events = log(0, 1, cookie=["x", "y"])
    assert len(sessionize(events, "plain", visitor="cookie")) == 2
    assert len(sessionize(events, "plain", visitor=np.array([5, -1]))) == 1
    with pytest.raises(MissingColumn, match="cooky"):
        sessionize(events, "plain", visitor="cooky")
    with pytest.raises(WrongType):
        sessionize(events, "plain", visitor=np.array([0.5, 1.0]))
    with pytest.raises(OutOfRange):
        sessionize(events, "plain", visitor=np.array([1]))


def test_keep_alive_events_prolong_and_count_for_nothing() -> None:
    rule = SessionRule(name="mine", keep_alive=("ping",))
    times = [AT + timedelta(minutes=m) for m in (0, 20, 40, 100)]
    events = EventTable.from_frame({"customer": ["ann"] * 4, "time": times, "kind": ["view", "ping", "view", "ping"]})
    found = sessionize(events, rule)
    assert found.of_event.tolist() == [0, 0, 0, -1]
    assert found.event_count.tolist() == [2]
    assert found.intake.outside == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"timeout_s": -1},
        {"timeout_s": None},
        {"boundary": "="},
        {"zone": "Mars/Phobos"},
        {"bounce": None},
        {"heartbeat_s": 0},
        {"given_id": "sid"},
    ],
)
def test_rules_that_mean_nothing_cannot_be_made(wrong: dict[str, object]) -> None:
    with pytest.raises((OutOfRange, UnknownName)):
        SessionRule(name="wrong", **wrong)  # type: ignore[arg-type]


def test_every_profile_is_data_that_reads_back() -> None:
    for rule in ss.PROFILES.values():
        assert SessionRule.from_dict(rule.to_dict()) == rule
        assert rule.reading
        assert rule.source
    with pytest.raises(UnknownName, match="ga4"):
        ss.session_rule("ga5")
    with pytest.raises(BadDocument):
        SessionRule.from_dict({"name": "x", "tiemout_s": 5})


def test_rates_carry_their_rule_and_their_interval() -> None:
    found = sessionize(log(0, 5, 4000, 8000, 8001), "ga4")
    rate = found.bounce_rate(small_sample_ok=True)
    assert (rate.value, rate.n) == (pytest.approx(1 / 3), 3)
    assert "ga4" in rate.rule
    with pytest.raises(OutOfRange, match="EngagedRule"):
        sessionize(log(0), "plain").engagement_rate()


def test_the_last_page_counts_nothing_or_what_others_lasted() -> None:
    found = sessionize(log(*(x for i in range(40) for x in (i * 9000, i * 9000 + 60))), "plain")
    assert found.time_on_site(last_page="zero").value == pytest.approx(60)
    assert found.time_on_site(last_page="censored").value > 60


def test_snowplow_counts_buckets_of_heartbeats() -> None:
    times = [AT + timedelta(seconds=s) for s in (0, 10, 20, 30)]
    events = EventTable.from_frame(
        {
            "customer": ["a"] * 4,
            "time": times,
            "kind": ["page_view", "page_ping", "page_ping", "page_ping"],
            "session_id": ["s"] * 4,
        }
    )
    found = sessionize(events, "snowplow")
    assert found.time_on_site(small_sample_ok=True).value == 10 * (3 - 1) + 5
    assert found.bounce.tolist() == [False]


def test_empty_logs_have_no_sessions_and_no_rates() -> None:
    found = sessionize(log(), "ga4")
    assert (len(found), found.rates()) == (0, {})
    assert "<table" in found._repr_html_()
    with pytest.raises(EmptyInput):
        found.chart()


def test_no_customer_shows_in_what_is_printed() -> None:
    found = sessionize(log(0, 5), "ga4")
    told = repr(found) + str(found) + found._repr_html_() + str(ss.compare_rules(log(0, 1800), "ga4", "plain"))
    assert "ann" not in told
    assert found.to_frame("polars")["customer"].to_list() == ["ann"]


def ann_of(stream: SessionStream) -> tuple[ss.SessionRecord, ...]:
    stream.observe("ann", AT + timedelta(minutes=300), kind="view")
    return stream.sessions()


def test_late_events_merge_split_and_are_told() -> None:
    stream = SessionStream("plain", lateness_s=7200)
    at = lambda m: AT + timedelta(minutes=m)  # noqa: E731
    for minute in (0, 40):
        assert [c.kind for c in stream.observe("v", at(minute), kind="view")] == ["opened"]
    merged = stream.observe("v", at(20), kind="view")[0]
    assert (merged.kind, merged.gone) == ("merged", (1,))
    assert stream.observe("v", at(300), kind="view")[0].kind == "opened"
    assert stream.observe("v", at(10), kind="view")[0].kind == "too late"
    assert stream.observe("v", at(400), now=at(390))[0].kind == "future"
    assert stream.counts["too late"] == 1
    assert "ann" not in repr(ann_of(stream))


def test_a_stream_forgets_what_is_final() -> None:
    stream = SessionStream("plain", lateness_s=60)
    for i in range(500):
        stream.observe(f"v{i}", AT + timedelta(minutes=i), kind="view")
    assert stream.held[0] < 40
    assert stream.watermark == AT + timedelta(minutes=498)
    with pytest.raises(OutOfRange, match="given id"):
        SessionStream("snowplow")
    with pytest.raises(BadDocument):
        SessionStream.from_dict({"rule": {}})


def test_two_rules_differ_for_reasons_in_words() -> None:
    found = ss.compare_rules(log(0, 1800, 90_000), "ga4", "posthog")
    assert len(found) == 1
    assert "silence >= 1800 s" in found.reasons[0]
    assert found.groups()["merged"] == 1
    frame = found.to_frame(backend="polars")
    assert frame["cut_by"].to_list() == ["ga4"]
    assert found.to_dict()["groups"]["merged"] == 1
    assert len(found.chart().rows) == 1
    assert "<table" in found._repr_html_()
    same = ss.compare_rules(log(0, 10), "ga4", "ga4")
    assert (len(same), same.names) == (0, ("ga4", "ga4 (2)"))
    with pytest.raises(EmptyInput, match="nothing to draw"):
        same.chart()


def test_events_inside_one_rule_only_are_counted() -> None:
    pings = SessionRule(name="pings", keep_alive=("view",))
    found = ss.compare_rules(log(0, 10), "plain", pings)
    assert (found.only_first, found.only_second) == (2, 0)
    assert "under plain only: 2" in str(found)


def test_one_log_under_all_profiles() -> None:
    table = ss.under_rules(log(0, 5, 4000))
    assert set(table.left_out) <= {"snowplow", "universal_analytics", "matomo"}
    assert "ga4" in str(table)
    assert len(table.to_frame(backend="pandas")) == len(table)
    assert 0 < len(table.chart().rows) <= len(table)
    with pytest.raises(MissingColumn):
        ss.under_rules(log(0), ["snowplow"])
    with pytest.raises(EmptyInput):
        ss.under_rules(log(0), [])


def test_the_kernel_takes_codes_and_refuses_missing_times() -> None:
    codes = ss.session_codes(np.array([0, 0, -1]), np.array([0, 10_000_000, 3]), timeout_s=5)
    assert codes.of_event().tolist() == [0, 1, -1]
    with pytest.raises(BadRows, match="missing"):
        ss.session_codes(np.array([0]), np.array([np.iinfo(np.int64).min]))
    assert math.isclose(float(codes.duration_us.sum()), 0)
