"""Paths: reading, merging, adding, cutting, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from crmcore.errors import BadDocument, BadRows, EmptyInput, MissingColumn, OutOfRange, UnknownName, WrongType
from crmcore.tables import EventTable
from crmcore.touchpoints.attribution import PathCounts, read_paths


def test_equal_paths_are_one_row_in_order_of_appearance() -> None:
    paths = PathCounts.of(["b > a", "a", " b>a "], conversions=[1, 2, 3], nulls=[0, 1, 5], value=[10, 20, 60])
    assert [paths.path(j) for j in range(len(paths))] == [("b", "a"), ("a",)]
    assert paths.conversions.tolist() == [4, 2]
    assert paths.nulls.tolist() == [5, 1]
    assert paths.value.tolist() == [70, 20]


def test_unmerged_rows_stay_what_they_were() -> None:
    assert len(PathCounts.of(["a", "a"], merge=False)) == 2


def test_lists_may_hold_the_separator_in_a_name() -> None:
    paths = PathCounts.of([["a > b", "c"], "a > c"])
    assert paths.path(0) == ("a > b", "c")
    assert paths.path(1) == ("a", "c")


def test_paths_of_two_periods_add_up_under_one_list_of_channels() -> None:
    both = PathCounts.of(["a > b"], conversions=[1], nulls=[2]) + PathCounts.of(
        ["c", "a > b"], conversions=[1, 4], nulls=[0, 1]
    )
    assert both.channels == ("a", "b", "c")
    assert both.conversions.tolist() == [5, 1]
    assert both.nulls.tolist() == [3, 0]


@pytest.mark.parametrize("backend", ["polars", "pandas", "pyarrow"])
def test_frames_of_every_library_are_read_and_written(backend: str) -> None:
    paths = PathCounts.of(["a > b", "c"], conversions=[1, 2], nulls=[3, 4])
    assert PathCounts.from_frame(paths.to_frame(backend=backend)) == paths


def test_json_keeps_everything() -> None:
    paths = PathCounts.of_codes([0, 1, 0], [0, 2, 3], channels=["a", "b"], days_before=[2, np.nan, 0])
    assert PathCounts.from_dict(paths.to_dict()) == paths
    with pytest.raises(BadDocument, match="touch: missing"):
        PathCounts.from_dict({"start": [0]})


def test_all_bad_paths_are_named_at_once() -> None:
    with pytest.raises(BadRows, match=r"3 rows \[0, 1, 3\]"):
        PathCounts.of(["", "a > > b", "a", []])


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"conversions": [-1, 0]}, "conversions"),
        ({"conversions": [1, np.nan]}, "conversions"),
        ({"conversions": [1, 0], "nulls": [0, -2]}, "nulls"),
        ({"conversions": [1, 0], "nulls": [1, 1], "value": [5, 5]}, "without a conversion"),
    ],
)
def test_counts_that_cannot_be_are_refused(given: dict[str, list[float]], reason: str) -> None:
    with pytest.raises(BadRows, match=reason):
        PathCounts.of(["a", "b"], **given)  # type: ignore[arg-type]


def test_what_is_missing_or_unknown_is_said() -> None:
    with pytest.raises(EmptyInput, match="at least one path"):
        PathCounts.of([])
    with pytest.raises(EmptyInput, match="conversions"):
        PathCounts.of(["a"], nulls=[3])
    with pytest.raises(UnknownName, match="'b'"):
        PathCounts.of(["a > b"], channels=["a"])
    with pytest.raises(MissingColumn):
        PathCounts.from_frame({"paths": ["a"]})
    with pytest.raises(OutOfRange, match="conversions"):
        PathCounts.of(["a", "b"], conversions=[1])
    with pytest.raises(BadRows, match="no channel"):
        PathCounts.of_codes([0, 5], [0, 2], channels=["a"])
    with pytest.raises(OutOfRange, match="codes, not names"):
        PathCounts.of_codes(["a"], [0, 1], channels=["a"])


def test_a_look_back_window_drops_early_touches_and_paths_without_any() -> None:
    paths = PathCounts.of_codes([0, 1, 0], [0, 2, 3], channels=["a", "b"], days_before=[40, 3, 60])
    cut = paths.within(30)
    assert [cut.path(j) for j in range(len(cut))] == [("b",)]
    with pytest.raises(EmptyInput, match="needs them"):
        PathCounts.of(["a"]).within(30)


def test_paths_keep_their_channels_when_rows_are_taken() -> None:
    paths = PathCounts.of(["a > b", "c", "b"])
    assert paths.take([2, 0]).path(1) == ("a", "b")
    assert paths.take(np.array([False, True, False])).channels == ("a", "b", "c")


def events(**more: list[object]) -> EventTable:
    return EventTable.from_frame(
        {
            "customer": ["a", "b", "a", "a", "a", None, "c", "d", "d"],
            "kind": ["view", "view", "view", "purchase", "view", "view", "purchase", "view", "purchase"],
            "channel": ["search", "social", "e-mail", None, "search", "search", None, "line", None],
            "time": [
                "2026-01-05", "2026-01-01", "2026-01-02", "2026-01-06", "2026-05-30", "2026-01-01", "2026-02-01",
                "2026-01-01", "2026-04-30",
            ],
            "amount": [None, None, None, 40, None, None, 9, None, 5],
            **more,
        },
        zone="UTC", currency="EUR",
    )  # fmt: skip


def test_events_become_paths_whatever_their_order() -> None:
    read = read_paths(events(), now=datetime(2026, 6, 1, tzinfo=UTC))
    told = {
        read.paths.path(j): (read.paths.conversions[j], read.paths.nulls[j], read.paths.value[j])
        for j in range(len(read.paths))
    }
    assert told == {("e-mail", "search"): (1, 0, 40), ("social",): (0, 1, 0), ("line",): (0, 1, 0)}
    assert (read.untouched, read.unknown, read.pending) == (2, 1, 1)  # c and d bought, a looked again two days ago
    assert read.paths.days_before is not None
    assert read.paths.days_before.tolist()[:2] == [4, 1]


def test_later_events_take_no_part_and_are_counted() -> None:
    read = read_paths(events(), now=datetime(2026, 1, 5, 12, tzinfo=UTC), lookback_days=3)
    assert read.later == 4
    assert "later" in str(read)


def test_reading_refuses_what_it_cannot_use() -> None:
    with pytest.raises(WrongType, match="EventTable"):
        read_paths({"a": 1})  # type: ignore[arg-type]
    with pytest.raises(MissingColumn, match="campaign"):
        read_paths(events(), channel="campaign")
    with pytest.raises(OutOfRange, match="lookback_days"):
        read_paths(events(), lookback_days=0)
    with pytest.raises(EmptyInput, match="old enough"):
        read_paths(events(), conversion="renewal", lookback_days=3650)
