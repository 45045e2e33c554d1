"""The benchmark of sessions runs, at a tiny size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import load
from benchmarks.speed import sessions


@pytest.mark.bench
def test_the_benchmark_of_sessions_runs(tmp_path: Path) -> None:
    sessions.main(["--sizes", "5000", "--repeats", "1"], tmp_path)
    assert [r["task"] for r in load(tmp_path / "speed-sessions.json")[1]] == ["ordered", "any order", "end to end"]
