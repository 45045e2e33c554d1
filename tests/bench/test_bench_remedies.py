"""The benchmarks of remedies run, at a tiny size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import load


@pytest.mark.bench
def test_the_benchmark_of_remedies_runs_and_stores_its_rows(tmp_path: Path) -> None:
    from benchmarks.speed import remedies

    remedies.main(["--cases", "20", "--sizes", "5", "10", "--repeats", "1"], tmp_path)
    _, rows = load(tmp_path / "speed-remedies.json")
    assert {row["measure"] for row in rows} >= {"RemedyPolicy.decide", "RemedyFund.grant and commit, no cap"}
    assert all(row["median"] > 0 for row in rows)


@pytest.mark.bench
def test_the_sizes_and_powers_of_the_tests_are_simulated_and_stored(tmp_path: Path) -> None:
    from benchmarks.quality import remedies

    remedies.main(["--seeds", "5", "--cases", "200"], tmp_path)
    _, rows = load(tmp_path / "quality-remedies.json")
    assert [row["kind"] for row in rows[:4]] == ["size", "without strata", "power", "power"]
    assert all(0 <= row["claimed"] <= 1 for row in rows)
