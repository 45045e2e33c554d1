"""The benchmark of causes runs, at a small size, and finds what was planted."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import load


@pytest.mark.bench
def test_the_benchmark_of_causes_runs(tmp_path: Path) -> None:
    from benchmarks.quality import causes

    causes.main(["--sizes", "20000", "--seeds", "2", "--repeats", "0"], tmp_path)
    rows = load(tmp_path / "quality-causes.json")[1]
    assert {r["measure"] for r in rows} >= {"runs with a false finding", "runs with all four static causes first"}
    assert all(r["value"] == "0 of 2" for r in rows if r["measure"] == "runs with a false finding")
