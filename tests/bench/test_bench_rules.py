"""The benchmark of rules runs, tiny; all engines find the same customers."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import load
from benchmarks.speed import rules


@pytest.mark.bench
def test_rules_are_measured_beside_numpy_and_polars(tmp_path: Path) -> None:
    rules.main(["--sizes", "2000", "--repeats", "1", "--single", "1000"], tmp_path)
    _, rows = load(tmp_path / "speed-rules-mask.json")
    assert {r["engine"] for r in rows} == set(rules.ENGINES)
    assert len({r["found"] for r in rows}) == 1
    assert rows[0]["found"] > 0
    _, single = load(tmp_path / "speed-rules-decide.json")
    assert single[0]["decisions per s"] > 0
