"""Measures on data sets whose numbers others have counted: sessions by duckdb, tenures by statsmodels."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from crmcore.metrics.behaviour.rollups import roll_up
from crmcore.metrics.behaviour.web import bounce_rate, time_on_site
from crmcore.metrics.durations.cohorts import retention
from crmcore.metrics.durations.logrank import survival_by


def rows_of(place: Path) -> list[dict[str, str]]:
    if not place.is_file():
        pytest.skip(f"no {place.name} in {place.parent}")
    with gzip.open(place, "rt", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def test_sessions_of_the_clickstream_bounce_and_last_as_counted_by_duckdb(data_dir: Path) -> None:
    folder = data_dir / "rete_ecom_clickstream"
    rows = rows_of(folder / "ecom.csv.gz")
    told = json.loads((folder / "expected.json").read_text())
    expected = told["rule_30min_gap_strictly_greater"]
    at = np.array([r["timestamp"] for r in rows], "datetime64[us]")
    _, session = np.unique([r["session_id"] for r in rows], return_inverse=True)
    events = np.bincount(session)
    first, last = np.full(len(events), at.max()), np.full(len(events), at.min())
    np.minimum.at(first, session, at)
    np.maximum.at(last, session, at)
    seconds = (last - first) / np.timedelta64(1, "s")
    bought = np.bincount(session, weights=[r["event"] == "purchase" for r in rows])
    single = bounce_rate(events, session_rule="30 minutes")
    assert (single.n, round(single.value * single.n)) == (expected["sessions"], expected["single_event_sessions"])
    ga4 = bounce_rate(events, session_rule="30 minutes", bounce="not engaged", duration_s=seconds, key_events=bought)
    assert round((1 - ga4.value) * ga4.n) == expected["ga4_engaged"]
    assert time_on_site(seconds, session_rule="30 minutes").value == pytest.approx(expected["mean_duration_s"])
    days = roll_up(at, zone="UTC")
    assert int(days.count.sum()) == len(rows)
    _, user = np.unique([r["user_id"] for r in rows], return_inverse=True)
    table = retention(user, at, until=np.datetime64("2024-07-01"), period="month")
    assert int(table.size.sum()) == told["users"]


def test_tenures_of_the_telco_customers_equal_statsmodels(data_dir: Path) -> None:
    from statsmodels.duration.survfunc import SurvfuncRight, survdiff

    rows = rows_of(data_dir / "telco_churn" / "telco.csv.gz")
    tenure = np.array([float(r["tenure"]) for r in rows])
    left = np.array([r["Churn"] == "Yes" for r in rows])
    contract = np.array([r["Contract"] for r in rows])
    by = survival_by(contract, tenure, left, unit="months")
    assert (sum(t.n for t in by.tables.values()), int(left.sum())) == (7043, 1869)
    for name, table in by.tables.items():
        mine = contract == name
        peer = SurvfuncRight(tenure[mine], left[mine])
        assert table.survival[np.searchsorted(table.time, peer.surv_times)] == pytest.approx(peer.surv_prob)
    statistic, _ = survdiff(tenure, left, contract)
    assert by.log_rank().statistic == pytest.approx(statistic, rel=1e-9)
