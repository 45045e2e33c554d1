"""Zone columns: what they take, what missing means, and wall clocks there and back."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from crmcore.calendars import BusinessCalendar, local
from crmcore.documents import from_dict
from crmcore.errors import BadDocument, NaiveDatetime, OutOfRange
from crmcore.zones import as_instants, instants_of_local, local_columns, offset_table, offsets_of, year_us


def test_columns_take_aware_datetimes_and_refuse_naive_ones() -> None:
    desk = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "17:00")]})
    start = local(2026, 6, 2, 9, zone="Asia/Bangkok")
    assert desk.deadlines([start, None], 60).astype("datetime64[m]").astype(str).tolist() == ["2026-06-02T03:00", "NaT"]
    assert desk.deadlines(start, 60).shape == ()
    with pytest.raises(NaiveDatetime, match="starts is a naive datetime"):
        desk.deadlines([datetime(2026, 6, 2)], 60)


def test_columns_of_frames_are_read_as_they_are() -> None:
    pandas = pytest.importorskip("pandas", reason="reads a pandas column")
    column = pandas.Series(pandas.to_datetime(["2026-06-02 09:00", None]).tz_localize("Asia/Bangkok"))
    assert as_instants(column, "starts").astype("datetime64[h]").astype(str).tolist() == ["2026-06-02T02", "NaT"]


def test_rows_without_an_instant_show_no_wall_clock() -> None:
    rows = local_columns(np.array(["NaT", "2026-06-01T20:30"], "datetime64[us]"), "Asia/Bangkok")
    assert np.isnat(rows.date).tolist() == [True, False]
    assert rows.minute.tolist() == [-1, 210]
    assert rows.weekday.tolist() == [0, 2]
    assert repr(rows) == "LocalColumns(2 instants)"
    assert offsets_of(np.array(["NaT"], "datetime64[us]"), "UTC").tolist() == [np.iinfo(np.int64).min]
    assert len(local_columns(np.array([], "datetime64[us]"), "UTC")) == 0
    assert instants_of_local(np.array([], "datetime64[us]"), "UTC").shape == (0,)
    assert np.isnat(instants_of_local(np.array(["NaT"], "datetime64[us]"), "UTC")).all()


def test_dates_that_do_not_exist_say_why() -> None:
    with pytest.raises(OutOfRange, match=r"local time = '2026-02-30 00:00:00': expected a date and a time of the day"):
        local(2026, 2, 30, zone="UTC")


def test_a_skipped_local_time_moves_forward() -> None:
    assert str(local(2026, 3, 29, 2, 30, zone="Europe/Berlin")) == "2026-03-29 03:30:00+02:00"


def test_offsets_repeat_with_the_calendar_beyond_the_tables() -> None:
    far = offset_table("Europe/Berlin", year_us(9000), year_us(9001))
    near = offset_table("Europe/Berlin", year_us(2200), year_us(2201))
    assert len(far.starts) == 3
    assert far.offsets.tolist() == near.offsets.tolist()
    assert repr(far) == "OffsetTable(Europe/Berlin, 2 changes)"


def test_a_document_with_bad_hours_names_them() -> None:
    document = {"zone": "Asia/Bankok", "schedule": {"mon": [["09:00", "17:00"]]}}
    with pytest.raises(BadDocument, match="unknown time zone 'Asia/Bankok'"):
        from_dict(BusinessCalendar, document)
    with pytest.raises(BadDocument, match="the weekly schedule cannot be: mon: 26:00: expected a time"):
        BusinessCalendar.from_dict({"zone": "UTC", "schedule": {"mon": [["09:00", "26:00"]]}})
    assert (
        BusinessCalendar.from_dict({"zone": "UTC", "schedule": {}}).is_open(datetime(2026, 1, 1, tzinfo=UTC)) is False
    )
