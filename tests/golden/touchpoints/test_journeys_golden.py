"""Journeys of the shared cases and of a public clickstream, against counts made by others."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from crmcore.touchpoints.journeys import Journeys, count_loops, follows, funnel, journeys, variants


def test_all_journey_cases_are_right(data_dir: Path) -> None:
    cases = json.loads((data_dir / "journey_cases" / "cases.json").read_text())["cases"]
    assert len(cases) >= 15
    funnels = 0
    for case in cases:
        want = case["expected"]
        made = Journeys.of(
            [[s for s, _ in w] for w in case["journeys"]], times_s=[[t for _, t in w] for w in case["journeys"]]
        )
        columns = follows(made).columns()
        edges = [f"{a}>{b}" for a, b in zip(columns["source"], columns["target"], strict=True)]
        assert dict(zip(edges, columns["count"], strict=True)) == want["dfg"]
        assert dict(zip(edges, columns["mean_s"], strict=True)) == pytest.approx(want["mean_gap_s"], rel=1e-9)
        graph = follows(made)
        assert {s: n for s, n in zip(graph.steps, graph.starts.tolist(), strict=True) if n} == want["starts"]
        assert {s: n for s, n in zip(graph.steps, graph.ends.tolist(), strict=True) if n} == want["ends"]
        found = variants(made)
        assert {">".join(found[i]): int(n) for i, n in enumerate(found.count)} == want["variants"]
        assert count_loops(made).self_loops == want["self_loops"]
        assert count_loops(made).back_and_forth == want["ping_pong_ABA"]
        terms = want["funnel"]
        steps = [s for s in terms["steps"] if s in made.steps]
        if len(steps) == len(terms["steps"]):
            whole = funnel(made, steps, window_s=terms["window_s"])
            strict = funnel(made, steps, window_s=terms["window_s"], order="strict")
            assert list(whole.counts) == terms["ordered_gaps_allowed"]
            assert list(strict.counts) == terms["strict_consecutive"]
            funnels += 1
        else:  # nobody takes one of the steps
            assert terms["ordered_gaps_allowed"][-1] == 0
    assert funnels >= 10


@pytest.fixture(scope="module")
def clicks(data_dir: Path) -> list[dict[str, Any]]:
    with gzip.open(data_dir / "rete_ecom_clickstream" / "ecom.csv.gz", "rt") as file:
        return list(csv.DictReader(file))


COLUMNS: dict[str, Any] = {"step": "event", "time": "timestamp", "customer": "user_id", "zone": "UTC"}


def test_a_clickstream_has_the_published_edges_variants_and_funnels(
    clicks: list[dict[str, Any]], data_dir: Path
) -> None:
    place = data_dir / "rete_ecom_clickstream"
    want = json.loads((place / "expected.json").read_text())
    sessions = journeys(clicks, grain="session_id", **COLUMNS)
    people = journeys(clicks, grain="customer", **COLUMNS)
    assert (len(sessions), len(people)) == (want["session_ids"], want["users"])
    assert len(variants(sessions)) == want["variants_by_session_id"]
    steps = want["ordered_funnel_steps"]
    assert list(funnel(sessions, steps).counts) == want["ordered_funnel_sessions"]
    assert list(funnel(people, steps).counts) == want["ordered_funnel_users"]
    graph = follows(sessions)
    rows = list(csv.DictReader((place / "expected_dfg_by_session_id.csv").open()))
    assert len(graph) == len(rows) == 336
    for row in rows:
        edge = graph.edge(row["src"], row["dst"])
        assert edge["count"] == int(row["n"])
        assert edge["mean_s"] == pytest.approx(float(row["mean_gap_s"]), abs=1e-6)


def test_a_helpdesk_log_has_its_published_size_and_its_common_path(data_dir: Path) -> None:
    with gzip.open(data_dir / "helpdesk_italian" / "events.csv.gz", "rt") as file:
        log = list(csv.DictReader(file))
    cases = journeys(log, grain="case_id", step="activity", time="timestamp", zone="Europe/Rome")
    assert (len(cases), len(cases.step)) == (4580, 21348)  # Polato 2017
    found = variants(cases)
    assert found[0] == ("Assign seriousness", "Take in charge ticket", "Resolve ticket", "Closed")
    graph = follows(cases)
    assert graph.count.sum() + len(cases) == len(cases.step)
    assert graph.starts.sum() == graph.ends.sum() == 4580
    assert found.count.sum() == 4580
