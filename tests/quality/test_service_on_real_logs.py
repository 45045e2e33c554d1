"""Service levels of two real logs against independent computations with pandas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crmcore.calendars import BusinessCalendar
from crmcore.calendars.clocks import ClockPolicy, Targets
from crmcore.recovery.service import (
    Promise,
    Scope,
    ServiceClocks,
    ServiceLog,
    ServicePolicy,
    read_dates,
    read_events,
    service_clocks,
    service_report,
    share_within,
)

pd = pytest.importorskip("pandas")

ZONE = "Europe/Rome"  # the log names none: this is a choice of the test, and every number below depends on it
MEANS = {
    "Wait": "status: pending",
    "Resolve ticket": "resolved",
    "Closed": "closed",
    "Take in charge ticket": "status: in progress",
}
TARGET = 2400.0
OFFICE = {"mon-fri": [("09:00", "17:00")]}


def read_csv(data_dir: Path, folder: str, name: str) -> pd.DataFrame:
    place = data_dir / folder / name
    if not place.exists():
        pytest.skip(f"no {place.name}: set CRMCORE_DATA to the folder of the data sets")
    return pd.read_csv(place)


@pytest.fixture(scope="module")
def frame(data_dir: Path) -> pd.DataFrame:
    return read_csv(data_dir, "helpdesk_italian", "events.csv.gz")


@pytest.fixture(scope="module")
def log(frame: pd.DataFrame) -> ServiceLog:
    activities = {name: MEANS.get(name, "assigned") for name in frame["activity"].unique()}
    return read_events(frame, zone=ZONE, case="case_id", time="timestamp", activities=activities, odd_ok=True)


@pytest.fixture(scope="module")
def steps(frame: pd.DataFrame) -> pd.DataFrame:
    """Steps in order with the status that holds after each, on the wall clock."""
    made = frame.assign(at=pd.to_datetime(frame["timestamp"]))
    order = {"Take in charge ticket": "1 in progress", "Wait": "1 pending", "Resolve ticket": "2", "Closed": "3"}
    made["tie"] = made["activity"].map(order).fillna("0")
    made = made.sort_values(["case_id", "at", "tie"], kind="stable")
    made["status"] = made["activity"].where(made["activity"].isin(MEANS)).groupby(made["case_id"]).ffill()
    made["before"] = made.groupby("case_id")["status"].shift(1)
    made["following"] = made.groupby("case_id")["at"].shift(-1)
    return made


def office_minutes(at: pd.Series) -> pd.Series:
    """Office minutes on the wall clock since some Monday; no change of the clock falls into an office hour."""
    since = at - pd.Timestamp("2001-01-01")
    day, weeks = since.dt.days % 7, since.dt.days // 7
    minute = at.dt.hour * 60 + at.dt.minute + at.dt.second / 60
    today = (minute - 540).clip(0, 480).where(day < 5, 0.0)
    return weeks * 2400 + day.clip(upper=5) * 480 + today


def by_pandas(steps: pd.DataFrame, *, paused: bool, office: bool) -> pd.Series:
    """Minutes of each case in which it is neither resolved nor (where asked) waiting."""
    if office:
        spent = office_minutes(steps["following"]) - office_minutes(steps["at"])
    else:
        zoned = [
            steps[name].dt.tz_localize(ZONE, ambiguous=np.ones(len(steps), bool), nonexistent="shift_forward")
            for name in ("following", "at")
        ]
        spent = (zoned[0] - zoned[1]).dt.total_seconds() / 60
    off = ["Resolve ticket", "Closed", *(["Wait"] if paused else [])]
    return spent.where(~steps["status"].isin(off), 0.0).groupby(steps["case_id"]).sum()


def read_clocks_of(log: ServiceLog, frame: pd.DataFrame, *, paused: bool, office: bool) -> ServiceClocks:
    calendar = BusinessCalendar(ZONE, OFFICE) if office else BusinessCalendar.always(ZONE)
    base = ClockPolicy(calendar, pause_statuses=["pending"] if paused else [])
    policy = ServicePolicy(base, [Promise("all", Scope.everything(), Targets(resolution_minutes=TARGET))])
    now = pd.Timestamp(frame["timestamp"].max()).tz_localize(ZONE) + pd.Timedelta(days=1)
    return service_clocks(log, policy, now=now.to_pydatetime())


@pytest.mark.parametrize("office", [True, False])
@pytest.mark.parametrize("paused", [True, False])
def test_minutes_medians_and_breaches_equal_those_of_pandas(
    log: ServiceLog, frame: pd.DataFrame, steps: pd.DataFrame, paused: bool, office: bool
) -> None:
    read = read_clocks_of(log, frame, paused=paused, office=office)
    table = read.of("resolution").table
    last = np.append(table.case[1:] != table.case[:-1], True)
    closed = table.take(last & ~table.open)
    expected = by_pandas(steps, paused=paused, office=office)
    got = pd.Series(closed.minutes, index=[closed.cases[c] for c in closed.case])
    expected = expected[got.index]
    assert len(got) > 4_500
    assert np.abs(got - expected).max() < 1e-6
    assert got.median() == pytest.approx(expected.median(), abs=1e-6)
    row = service_report(read).of("active resolution")
    assert (row.kept, row.late) == (int((expected <= TARGET + 1e-9).sum()), int((expected > TARGET + 1e-9).sum()))
    assert row.n == row.kept + row.late + row.overdue + row.pending == frame["case_id"].nunique()


def test_what_the_log_holds_equals_pandas(log: ServiceLog, frame: pd.DataFrame, steps: pd.DataFrame) -> None:
    policy = ClockPolicy(BusinessCalendar.always(ZONE), pause_statuses=["pending"])
    now = pd.Timestamp("2015-01-01", tz=ZONE).to_pydatetime()
    found = log.summary(policy, now=now)
    off = ["Resolve ticket", "Closed"]
    sequences = frame.sort_values(["case_id", "timestamp", "activity"]).groupby("case_id")["activity"].agg(tuple)
    assert found.cases == frame["case_id"].nunique() == len(log)
    assert found.resolved == frame[frame["activity"].isin(off)]["case_id"].nunique()
    assert found.ever_waiting == frame[frame["activity"] == "Wait"]["case_id"].nunique()
    again = steps[steps["before"].isin(off) & ~steps["status"].isin(off)]
    assert found.reopened == again["case_id"].nunique()
    assert found.variants == sequences.nunique()
    top = sequences.value_counts()
    assert log.variants[top.index[0]] == top.iloc[0]
    assert dict(log.variants) == top.to_dict()


def test_importing_names_repeats_and_asks_nothing_of_the_zone_that_it_cannot_know(log: ServiceLog) -> None:
    assert [f.fault.value for f in log.findings] == ["repeated rows"]


@pytest.fixture(scope="module")
def complaints(data_dir: Path) -> pd.DataFrame:
    return read_csv(data_dir, "cfpb_complaints", "complaints.csv.gz")


@pytest.fixture(scope="module")
def complaint_log(complaints: pd.DataFrame) -> ServiceLog:
    return read_dates(
        complaints,
        zone="America/New_York",
        dates={"Date received": "created", "Date sent to company": "receipt"},
        date_format="%m/%d/%Y",
        facts={"channel": "Submitted via", "team": "Product", "disputed": "Consumer disputed?"},
        odd_ok=True,
    )


def test_complaints_have_the_lags_of_pandas(complaints: pd.DataFrame, complaint_log: ServiceLog) -> None:
    at = {c: pd.to_datetime(complaints[c], format="%m/%d/%Y") for c in ("Date received", "Date sent to company")}
    lag = (at["Date sent to company"] - at["Date received"]).dt.days
    found = {f.fault.value: f.n for f in complaint_log.findings}
    assert found["time goes back"] == int((lag < 0).sum()) == 6
    assert found["repeated rows"] == int(complaints.duplicated().sum()) == 4
    assert found["dates only"] == 2 * len(complaints)
    days = BusinessCalendar.always("America/New_York")
    policy = ServicePolicy(days, [Promise("all", Scope.everything(), Targets(acknowledgement_minutes=5 * 1440))])
    now = pd.Timestamp("2017-03-01", tz="America/New_York").to_pydatetime()
    read = service_clocks(complaint_log, policy, now=now, names=["acknowledgement"])
    known = lag >= 0  # a receipt before the creation stops nothing: these stay open
    assert int(read.table.open.sum()) == int((~known).sum())
    zoned = {c: at[c].dt.tz_localize("America/New_York") for c in at}
    minutes = (zoned["Date sent to company"] - zoned["Date received"]).dt.total_seconds() / 60
    got = pd.Series(read.table.minutes, index=[int(read.table.cases[c][4:]) for c in read.table.case])
    assert np.abs(got[known] - minutes[known]).max() < 1e-6
    row = service_report(read, by=["channel", "team", "disputed"]).of("acknowledgement")
    assert row.kept == int((minutes[known] <= 5 * 1440).sum())
    assert row.late == int((minutes[known] > 5 * 1440).sum())
    web = service_report(read, by=["channel"]).of("acknowledgement", by="channel", group="Web")
    assert web.n == int((complaints["Submitted via"] == "Web").sum())
    unknown = service_report(read, by=["disputed"]).of("acknowledgement", by="disputed", group="unknown")
    assert unknown.n == int(complaints["Consumer disputed?"].isna().sum()) == 46


def test_a_share_of_open_cases_equals_a_kaplan_meier_of_pandas(
    complaints: pd.DataFrame, complaint_log: ServiceLog
) -> None:
    policy = ServicePolicy(BusinessCalendar.always("America/New_York"), [Promise("all", Scope.everything(), Targets())])
    now = pd.Timestamp("2016-12-15", tz="America/New_York").to_pydatetime()
    read = service_clocks(complaint_log, policy, now=now, names=["acknowledgement"])
    ages = pd.DataFrame({"minutes": read.table.minutes, "seen": ~read.table.open})
    lasting = 1.0
    for at in np.sort(ages["minutes"][ages["seen"]].unique()):
        if at <= 3 * 1440:
            lasting *= 1 - (ages["seen"] & (ages["minutes"] == at)).sum() / (ages["minutes"] >= at).sum()
    assert share_within(read, "acknowledgement", minutes=3 * 1440).value == pytest.approx(1 - lasting, abs=1e-9)
