"""Contact times: what the rules take and refuse, what a decision says, and rules that never let anything pass."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from crmcore.calendars import BadWindows, CalendarCap, ContactTimes, SlidingCap, local
from crmcore.errors import BadRows, NaiveDatetime, OutOfRange, UnknownName

BANGKOK = "Asia/Bangkok"


def bangkok(*parts: int) -> datetime:
    return local(*parts, zone=BANGKOK)


def test_reasons_come_in_the_fixed_order() -> None:
    rules = ContactTimes(BANGKOK, quiet_hours=("21:00", "08:00"), weekdays=["mon-fri"], caps=[CalendarCap("week", 1)])
    sent = [bangkok(2026, 6, 6, 9)]
    assert rules.decide(bangkok(2026, 6, 6, 22), sent).reason == "quiet_hours"
    assert rules.decide(bangkok(2026, 6, 6, 12), sent).reason == "weekday"
    assert rules.decide(bangkok(2026, 6, 5, 12), [bangkok(2026, 6, 1, 12)]).reason == "cap"
    assert rules.decide(bangkok(2026, 6, 5, 12), []).allowed


def test_a_decision_names_its_evidence_and_the_next_instant() -> None:
    rules = ContactTimes(BANGKOK, caps=[SlidingCap(24, 2), CalendarCap("month", 3)])
    sent = [bangkok(2026, 6, d, 9) for d in (1, 2, 2)]
    decision = rules.decide(bangkok(2026, 6, 2, 12), sent)
    assert decision.cap == SlidingCap(24, 2)
    assert decision.evidence == (sent[1], sent[2])
    assert decision.next_allowed_at == bangkok(2026, 7, 1)
    assert str(decision) == (
        "not at Tue 2026-06-02 12:00 (Asia/Bangkok): at most 2 in any 24 h; "
        "sent Tue 2026-06-02 09:00, Tue 2026-06-02 09:00; next Wed 2026-07-01 00:00"
    )
    assert "at most 2 in any 24 h" in decision._repr_html_()
    assert str(rules.decide(bangkok(2026, 6, 2, 12), [])) == "allowed at Tue 2026-06-02 12:00 (Asia/Bangkok)"


def test_a_contact_has_a_zone_of_its_own() -> None:
    rules = ContactTimes(BANGKOK, quiet_hours=("21:00", "08:00"))
    at = bangkok(2026, 6, 2, 12)
    assert rules.decide(at, []).allowed
    assert str(rules.decide(at, [], zone="America/New_York").next_allowed_at) == "2026-06-02 08:00:00-04:00"
    with pytest.raises(UnknownName, match="did you mean 'America/New_York'"):
        rules.decide(at, [], zone="America/NewYork")


def test_seconds_are_kept_on_the_way_to_the_next_instant() -> None:
    rules = ContactTimes(BANGKOK, quiet_hours=("21:00", "08:00"))
    assert rules.decide(bangkok(2026, 6, 2, 22, 0, 30), []).next_allowed_at == bangkok(2026, 6, 3, 8, 0, 30)


def test_quiet_hours_that_the_clock_skips_keep_nobody_waiting() -> None:
    rules = ContactTimes("Europe/Berlin", quiet_hours=("02:00", "03:00"))
    at = local(2026, 3, 29, 1, 59, zone="Europe/Berlin")
    assert all(rules.decide(at + timedelta(minutes=k), []).allowed for k in range(5))


def test_equal_ends_are_no_quiet_hours() -> None:
    assert ContactTimes(BANGKOK, quiet_hours=("09:00", "09:00")) == ContactTimes(BANGKOK)


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        (ContactTimes(BANGKOK, caps=[CalendarCap("day", 0)]), "a cap of at most 0 a day has no room"),
        (ContactTimes(BANGKOK, weekdays=[]), "no weekday is allowed"),
        (ContactTimes(BANGKOK, quiet_hours=("00:00", "24:00")), "quiet hours cover the whole day"),
    ],
)
def test_rules_that_nothing_passes_say_never(rules: ContactTimes, why: str) -> None:
    decision = rules.decide(bangkok(2026, 6, 2, 12), [])
    assert not decision.allowed
    assert decision.next_allowed_at is None
    assert str(decision) == f"never allowed: {why}"
    rows = rules.decide_all(np.datetime64("2026-06-02"), zones=[BANGKOK], zone_codes=[0, 0])
    assert rows.never_because == why
    assert np.isnat(rows.next_allowed).all()
    assert not rows.allowed.any()


def test_quiet_hours_that_are_none_are_refused() -> None:
    for odd in (("21:00",), ("9pm", "08:00"), ("21:00:30", "08:00"), "21:00-08:00", ("21:00", "25:00")):
        with pytest.raises(BadWindows, match="expected two times of the day in whole minutes"):
            ContactTimes(BANGKOK, quiet_hours=odd)


def test_caps_that_are_none_are_refused() -> None:
    with pytest.raises(UnknownName, match="did you mean 'week'"):
        CalendarCap("weekly", 1)
    for make in (lambda: SlidingCap(0, 1), lambda: SlidingCap(24, -1), lambda: CalendarCap("day", 1.5)):
        with pytest.raises(OutOfRange, match="expected"):
            make()
    with pytest.raises(BadWindows, match="weekdays cannot be"):
        ContactTimes(BANGKOK, weekdays=[0, "mon"])


def test_naive_instants_are_refused() -> None:
    rules = ContactTimes(BANGKOK)
    with pytest.raises(NaiveDatetime, match="at is a naive datetime"):
        rules.decide(datetime(2026, 6, 2), [])
    with pytest.raises(NaiveDatetime, match="history is a naive datetime"):
        rules.decide(bangkok(2026, 6, 2), [datetime(2026, 6, 2)])


def test_history_may_be_a_column_of_instants() -> None:
    rules, at = ContactTimes(BANGKOK, caps=[SlidingCap(24, 1)]), bangkok(2026, 6, 2, 12)
    column = np.array(["2026-06-02T01:00", "NaT"], "datetime64[s]")
    assert rules.decide(at, column) == rules.decide(at, [bangkok(2026, 6, 2, 8)])


def test_rules_survive_json() -> None:
    rules = ContactTimes(BANGKOK, ("21:00", "08:00"), [1, "fri"], [SlidingCap(24, 1), CalendarCap("week", 2)])
    assert ContactTimes.from_dict(rules.to_dict()) == rules
    assert rules.weekdays == ("mon", "fri")


def test_a_population_is_counted_by_reason() -> None:
    rules = ContactTimes(BANGKOK, quiet_hours=("21:00", "08:00"), caps=[SlidingCap(24, 1)])
    sends = np.array(["2026-06-02T01:00", "2026-06-01T01:00"], "datetime64[us]")
    rows = rules.decide_all(
        np.datetime64("2026-06-02T05:00"),
        sends,
        [0, 2, 2, 2],
        zones=[BANGKOK, "America/New_York"],
        zone_codes=[0, 0, 1],
    )
    assert rows.counts() == {"allowed": 1, "quiet_hours": 1, "weekday": 0, "holiday": 0, "cap": 1}
    assert repr(rows) == "ContactDecisions(3 contacts: 1 allowed, 1 quiet hours, 0 weekday, 0 holiday, 1 cap)"
    assert rows.to_frame()["reason"] == ["cap", None, "quiet_hours"]
    assert rows.to_frame()["next_allowed"][0] == datetime(2026, 6, 3, 1, tzinfo=UTC)
    assert "contact times of 3 contacts" in rows._repr_html_()
    empty = rules.decide_all(np.array([], "datetime64[us]"))
    assert len(empty) == 0


def test_columns_that_do_not_fit_are_refused() -> None:
    rules, now = ContactTimes(BANGKOK), np.datetime64("2026-06-02", "us")
    two = np.array([now, now])
    with pytest.raises(OutOfRange, match="offsets has one entry more than contacts"):
        rules.decide_all(two, two, [0, 2])
    with pytest.raises(OutOfRange, match="rising from 0 to 2 sends"):
        rules.decide_all(two, two, [0, 1, 1])
    with pytest.raises(BadRows, match=r"zone_codes: not from 0 to 0 in 1 row \[1\]"):
        rules.decide_all(two, zone_codes=[0, 1])
    with pytest.raises(BadRows, match=r"at: no instant in 1 row \[0\]"):
        rules.decide_all(np.array(["NaT", "2026-01-01"], "datetime64[us]"))
    with pytest.raises(BadRows, match=r"sends: no instant in 1 row \[0\]"):
        rules.decide_all(two, np.array(["NaT"], "datetime64[us]"), [0, 0, 1])
