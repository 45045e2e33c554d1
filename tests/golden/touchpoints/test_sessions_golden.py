"""Sessions that others have computed: the cases of the data folder, and the clickstream that duckdb counted."""

# ruff: noqa: E501  (rows read best as lines)

from __future__ import annotations

import csv
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crmcore.tables import EventTable
from crmcore.touchpoints.sessions import EngagedRule, SessionRule, Sessions, sessionize

NAMES = {"ua_legacy": "universal_analytics"}


def test_all_cases_of_the_slow_oracle(data_dir: Path) -> None:
    document = json.loads((data_dir / "session_cases" / "cases.json").read_text())
    for case in document["cases"]:
        events = EventTable.from_frame(
            {
                "customer": [e["user"] for e in case["events"]], "kind": [e["type"] for e in case["events"]],
                "time": [datetime.fromtimestamp(e["t"], UTC) for e in case["events"]],
                "campaign": [e["campaign"] for e in case["events"]],
            }
        )  # fmt: skip
        profile = case["profile"]
        found = sessionize(events, NAMES.get(profile, profile), zone=case["timezone"])
        assert found.of_event.tolist() == case["expected"]["session_index_of_event"]
        for i, expected in enumerate(case["expected"]["sessions"]):
            got = (
                found.start[i].astype("M8[s]").astype(int),
                found.end[i].astype("M8[s]").astype(int),
                found.duration_s[i],
            )
            assert got == (expected["start"], expected["end"], expected["duration_s"])
            assert (found.event_count[i], found.views[i]) == (expected["events"], expected["views"])
            single = found.views[i] <= 1 and found.event_count[i] == found.views[i]
            assert single == expected["single_page_bounce"]
            if found.engaged is not None and "engaged" in expected:
                assert found.engaged[i] == expected["engaged"]


@pytest.fixture(scope="module")
def clicks(data_dir: Path) -> tuple[Sessions, list[dict[str, str]], dict[str, Any]]:
    folder = data_dir / "rete_ecom_clickstream"
    with gzip.open(folder / "ecom.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    events = EventTable.from_frame(
        {
            "customer": [r["user_id"] for r in rows], "time": [r["timestamp"] for r in rows], "kind": [r["event"] for r in rows],
        },
        zone="UTC",
    )  # fmt: skip
    kinds = tuple({r["event"] for r in rows})
    rule = SessionRule(
        name="half an hour", engaged=EngagedRule(), view_kinds=kinds, key_kinds=("purchase", "payment_done")
    )
    return sessionize(events, rule), rows, json.loads((folder / "expected.json").read_text())


def test_half_an_hour_gives_the_session_ids_of_the_log(clicks: tuple[Sessions, list[dict[str, str]], Any]) -> None:
    found, rows, _ = clicks
    pairs = set(zip(found.of_event.tolist(), (r["session_id"] for r in rows), strict=True))
    assert len(found) == len(pairs) == 3605


def test_counts_and_durations_are_those_of_duckdb(clicks: tuple[Sessions, Any, dict[str, Any]]) -> None:
    found, _, _ = clicks
    assert int((found.event_count == 1).sum()) == 231
    assert found.engaged is not None
    assert int(found.engaged.sum()) == 3374
    assert float(found.duration_s.mean()) == pytest.approx(1039.55, abs=0.005)
    assert sorted(found.duration_s.tolist())[len(found) // 2] == 869
