"""The benchmarks of the lifecycle engine run, at a tiny size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import load


@pytest.mark.bench
def test_the_lifecycle_benchmark_runs_and_stores_its_rows(tmp_path: Path) -> None:
    from benchmarks.speed import lifecycle

    lifecycle.main(["--cases", "200", "--steps", "400", "--repeats", "1"], tmp_path)
    _, rows = load(tmp_path / "speed-lifecycle.json")
    assert [r["measure"] for r in rows].count("replay_log") == 2
    assert all(r["median"] > 0 for r in rows)


@pytest.mark.bench
def test_the_peers_benchmark_runs_and_compares(tmp_path: Path) -> None:
    pytest.importorskip("transitions", reason="the peer transitions is not installed (group bench)")
    from benchmarks.peers import lifecycle

    lifecycle.main(["--steps", "400", "--repeats", "1"], tmp_path)
    _, rows = load(tmp_path / "peers-lifecycle.json")
    assert {r["engine"] for r in rows} >= {"transitions", "crmcore, decide", "crmcore, evolve", "crmcore, columns"}
    assert next(r for r in rows if r["engine"] == "transitions")["times transitions"] == 1.0
