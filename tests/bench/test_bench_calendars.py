"""The benchmarks of business time run, at a tiny size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import load


@pytest.mark.bench
def test_the_benchmarks_of_calendars_run_at_a_tiny_size(tmp_path: Path) -> None:
    from benchmarks.peers import calendars as peers
    from benchmarks.speed import calendars as speed

    speed.main(["--size", "200", "--repeats", "1"], tmp_path)
    _, rows = load(tmp_path / "speed-calendars.json")
    assert {row["what"] for row in rows} >= {"table of 10 years", "deadlines", "contact decisions"}
    peers.main(["--cases", "6", "--repeats", "1"], tmp_path)
    _, rows = load(tmp_path / "peers-calendars.json")
    assert {row["engine"]: row["share right"] for row in rows}["crmcore"] == 1
