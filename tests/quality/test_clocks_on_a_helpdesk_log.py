"""Resolution times of a real helpdesk log: the columns against an independent computation with pandas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crmcore.calendars import BusinessCalendar
from crmcore.calendars.clocks import ClockEventTable, ClockPolicy, clock_columns

pd = pytest.importorskip("pandas")

ZONE = "Europe/Rome"  # the log names none: this is a choice of the test, and every number below depends on it
MEANS = {
    "Wait": "status: pending",
    "Resolve ticket": "resolved",
    "Closed": "closed",
    "Take in charge ticket": "status: in progress",
}


@pytest.fixture(scope="module")
def log(data_dir: Path) -> pd.DataFrame:
    place = data_dir / "helpdesk_italian" / "events.csv.gz"
    if not place.exists():
        pytest.skip(f"no {place.name}")
    return pd.read_csv(place, parse_dates=["timestamp"])


def by_pandas(log: pd.DataFrame, *, paused: bool) -> np.ndarray:
    """Minutes of each case, around the clock, in which it is neither resolved nor (where asked) waiting."""
    frame = log.assign(at=log["timestamp"].dt.tz_localize(ZONE, ambiguous=True, nonexistent="shift_forward"))
    order = {"Take in charge ticket": "1 in progress", "Wait": "1 pending", "Resolve ticket": "2", "Closed": "3"}
    frame["tie"] = frame["activity"].map(order).fillna("0")
    frame = frame.sort_values(["case_id", "at", "tie"], kind="stable")
    frame["status"] = frame["activity"].where(frame["activity"].isin(MEANS)).groupby(frame["case_id"]).ffill()
    following = frame.groupby("case_id")["at"].shift(-1)
    off = ["Resolve ticket", "Closed", *(["Wait"] if paused else [])]
    minutes = (following - frame["at"]).dt.total_seconds().div(60).where(~frame["status"].isin(off), 0.0)
    return minutes.groupby(frame["case_id"]).sum().sort_index().to_numpy()


@pytest.mark.parametrize("paused", [True, False])
def test_resolution_times_equal_those_of_pandas_with_and_without_waiting(log: pd.DataFrame, paused: bool) -> None:
    activities = {name: MEANS.get(name, "assigned") for name in log["activity"].unique()}
    table = ClockEventTable.from_frame(
        log, case="case_id", time="timestamp", zone=ZONE, activities=activities, creation="first event"
    )
    always = BusinessCalendar.always(ZONE)
    policy = ClockPolicy(always, pause_statuses=["pending"] if paused else [])
    read = clock_columns(table, policy, now=log["timestamp"].max().tz_localize(ZONE) + pd.Timedelta(days=1))
    last = read.of("resolution")
    last = last.take(np.append(last.case[1:] != last.case[:-1], True) & ~last.open)
    known = np.isin(np.arange(len(table.cases)), last.case)
    expected = by_pandas(log, paused=paused)[known]
    assert len(expected) > 4_000
    assert np.allclose(last.minutes, expected, atol=1e-6)
    assert np.median(last.minutes) == pytest.approx(np.median(expected))
