"""Explanations of deadlines: reasons in words, changes of the clock and of the calendar, pictures."""

from __future__ import annotations

import pytest

from crmcore.calendars import BusinessCalendar, local
from crmcore.errors import EmptyInput, OutOfRange

BERLIN = "Europe/Berlin"
DESK = BusinessCalendar(
    BERLIN,
    {"mon-thu": [("09:00", "12:00"), ("13:00", "17:00")], "sun": [("01:00", "04:00")]},
    holidays={"2026-10-26": "Austria <day>"},
    special_days={"2026-10-27": [("10:00", "11:00")]},
    name="desk",
)


def test_every_kind_of_closed_time_has_its_reason() -> None:
    why = DESK.explain(local(2026, 10, 22, 11, zone=BERLIN), minutes=12 * 60)
    told = [(span.reason.value, span.detail, span.minutes) for span in why.spans]
    assert told == [
        ("open", "", 60),
        ("break between windows", "", 60),
        ("open", "", 240),
        ("closed overnight", "", 420),
        ("closed weekday", "", 1440),
        ("weekend", "", 1440),
        ("closed overnight", "", 60),
        ("open", "", 120),
        ("clock change", "clocks go back 60 min, Sun 03:00 becomes Sun 02:00", 0),
        ("open", "", 120),
        ("closed overnight", "", 1200),
        ("holiday", "Austria <day>", 1440),
        ("special day", "2026-10-27", 600),
        ("open", "special day 2026-10-27", 60),
        ("special day", "2026-10-27", 780),
        ("closed overnight", "", 540),
        ("open", "", 120),
    ]
    assert why.counted_minutes == why.target_minutes == 720


def test_an_explanation_reads_as_text_table_and_frame() -> None:
    why = DESK.explain(local(2026, 10, 25, 23, zone=BERLIN), minutes=30)
    assert str(why).splitlines()[0] == "30 business minutes from Sun 2026-10-25 23:00 end Tue 2026-10-27 10:30 (desk)"
    assert "skipped    1,440 min  Mon 2026-10-26 00:00 to Tue 2026-10-27 00:00  holiday: Austria <day>" in str(why)
    html = why._repr_html_()
    assert "holiday: Austria &lt;day&gt;" in html
    assert "<script" not in html
    frame = why.to_frame()
    assert frame["reason"] == ["closed overnight", "holiday", "special day", "open"]
    assert frame["start"][0] == local(2026, 10, 25, 23, zone=BERLIN)
    assert sum(m for m, c in zip(frame["minutes"], frame["counted"], strict=True) if c) == 30


def test_elapsed_time_is_explained_from_the_earlier_instant() -> None:
    early, late = (local(2026, 10, 22, h, zone=BERLIN) for h in (10, 14))
    why = DESK.explain_elapsed(early, late)
    assert str(why).startswith("180 business minutes from Thu 2026-10-22 10:00 to Thu 2026-10-22 14:00 (desk)")
    assert (why.counted_minutes, why.skipped_minutes) == (180, 60)
    with pytest.raises(OutOfRange, match="pass the earlier instant first"):
        DESK.explain_elapsed(late, early)


def test_a_new_version_shows_where_it_begins() -> None:
    desk = DESK.from_date("2026-10-23", BusinessCalendar.always(BERLIN, name="day and night"))
    why = desk.explain(local(2026, 10, 22, 16, 30, zone=BERLIN), minutes=90)
    assert [(span.reason.value, span.detail, span.minutes) for span in why.spans] == [
        ("open", "", 30),
        ("closed overnight", "", 420),
        ("new version of the calendar", "day and night", 0),
        ("open", "", 60),
    ]


def test_the_picture_has_a_row_a_local_day_and_ends_days_at_midnight() -> None:
    chart = DESK.explain(local(2026, 10, 22, 11, zone=BERLIN), minutes=12 * 60).chart()
    assert [row["label"] for row in chart.rows][:2] == ["Thu 22 Oct", "Thu 22 Oct"]
    assert max(row["to"] for row in chart.rows) == 24
    assert {row["reason"] for row in chart.rows} >= {"open", "weekend", "holiday"}
    assert "weekend" in chart.to_text()


def test_the_picture_of_a_skipped_date_leaves_it_out() -> None:
    desk = BusinessCalendar.always("Pacific/Apia")
    days = (local(2011, 12, 29, 12, zone="Pacific/Apia"), local(2011, 12, 31, 12, zone="Pacific/Apia"))
    why = desk.explain_elapsed(*days)
    assert [span.detail for span in why.spans if span.detail] == [
        "clocks go forward 1,440 min, Fri 00:00 becomes Sat 00:00"
    ]
    assert {row["day"] for row in why.chart().rows} == {"2011-12-29", "2011-12-31"}


def test_nothing_to_draw_says_so() -> None:
    why = DESK.explain(local(2026, 10, 22, 11, zone=BERLIN), minutes=0)
    assert why.spans == ()
    assert str(why) == "0 business minutes from Thu 2026-10-22 11:00 end Thu 2026-10-22 11:00 (desk)"
    with pytest.raises(EmptyInput, match="explain more than 0 minutes"):
        why.chart()
