"""Laws of zone columns: equal to zoneinfo at any instant of any zone, and there and back again."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.zones import from_us, instants_of_local, local_columns, offset_table, offsets_of, to_us, year_us

NAMES = [name for name in files("tzdata").joinpath("zones").read_text().split() if name != "Factory"]
ZONES = st.sampled_from(sorted(NAMES))
INSTANTS = st.datetimes(datetime(3, 1, 1), datetime(9990, 1, 1), timezones=st.just(UTC))
USUAL = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


def column(instants: list[datetime]) -> np.ndarray:
    return np.array([at.astimezone(UTC).replace(tzinfo=None) for at in instants], "datetime64[us]")


@given(ZONES, st.lists(st.one_of(USUAL, INSTANTS), min_size=1, max_size=3))
def test_columns_equal_zoneinfo(zone: str, instants: list[datetime]) -> None:
    walls = [at.astimezone(ZoneInfo(zone)) for at in instants]
    for at, wall in zip(instants, walls, strict=True):
        assert offsets_of(column([at]), zone)[0] == wall.utcoffset() / timedelta(microseconds=1)
        rows = local_columns(column([at]), zone)
        assert rows.date[0].astype(object) == wall.date()
        assert rows.minute[0] == wall.hour * 60 + wall.minute
        assert rows.weekday[0] == wall.isoweekday()
        assert from_us(to_us(at), zone) == at
        assert from_us(to_us(at), zone).utcoffset() == wall.utcoffset()


@given(
    st.lists(st.tuples(st.sampled_from(["Asia/Bangkok", "Europe/Berlin", "Australia/Lord_Howe"]), USUAL), max_size=20)
)
def test_rows_with_their_own_zones_equal_one_zone_at_a_time(rows: list[tuple[str, datetime]]) -> None:
    zones = ["Asia/Bangkok", "Europe/Berlin", "Australia/Lord_Howe"]
    codes = np.array([zones.index(zone) for zone, _ in rows], np.int32)
    together = local_columns(column([at for _, at in rows]), zones, zone_codes=codes)
    single = [local_columns(column([at]), zone).wall[0] for zone, at in rows]
    assert together.wall.tolist() == [wall.astype(object) for wall in single]


@given(ZONES, st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)), st.sampled_from([0, 1]))
def test_local_times_equal_pep_495(zone: str, wall: datetime, fold: int) -> None:
    meant = wall.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)
    exists = meant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wall
    policy = "second" if fold else "first"
    found = instants_of_local(np.array([wall], "datetime64[us]"), zone, gap="skip", fold=policy)[0]
    assert found.astype(object) == (meant.replace(tzinfo=None) if exists else None)
    if not fold:
        shifted = instants_of_local(np.array([wall], "datetime64[us]"), zone, gap="shift")[0]
        assert shifted.astype(object) == meant.replace(tzinfo=None)


@pytest.mark.parametrize(
    "zone", sorted({"Africa/Freetown", "Africa/Casablanca", "America/Noronha", "Asia/Gaza", *NAMES[::12]})
)
def test_changes_equal_those_in_the_tz_files(zone: str) -> None:
    """The only assumption of the search: no offset comes and goes between two looks."""
    expected = [(at, off) for at, off in tz_file_changes(zone) if year_us(1801) <= at * 10**6 < year_us(2037)]
    with files("tzdata").joinpath("zoneinfo", *zone.split("/")).open("rb") as file:
        packaged = ZoneInfo.from_file(file, key=zone)  # the system may hold another edition
    table = offset_table(packaged, year_us(1801), year_us(2037))
    found = zip((table.starts[1:] // 10**6).tolist(), (table.offsets[1:] // 10**6).tolist(), strict=True)
    last = expected[-1][0] if expected else 0
    assert [change for change in found if change[0] <= last] == expected


def tz_file_changes(zone: str) -> list[tuple[int, int]]:
    """Instants and new offsets, in seconds, where the offset differs from the one before (RFC 8536, 64-bit block)."""
    data = files("tzdata").joinpath("zoneinfo", *zone.split("/")).read_bytes()
    head = struct.Struct(">4sc15x6l")
    _, _, isut, isstd, leap, times, types, chars = head.unpack_from(data)
    at = head.size + times * 5 + types * 6 + chars + leap * 8 + isstd + isut
    *_, times, types, chars = head.unpack_from(data, at)
    at += head.size
    moments = struct.unpack_from(f">{times}q", data, at)
    kinds = struct.unpack_from(f">{times}B", data, at + 8 * times)
    offsets = [struct.unpack_from(">lBB", data, at + 9 * times + 6 * i)[0] for i in range(types)]
    found, held = [], offsets[0]
    for moment, kind in zip(moments, kinds, strict=True):
        if offsets[kind] != held:
            found.append((moment, offsets[kind]))
        held = offsets[kind]
    return found
