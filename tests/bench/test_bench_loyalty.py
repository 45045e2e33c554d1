"""The loyalty benchmark runs as a user runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import load

pytestmark = pytest.mark.bench


def test_points_of_orders_and_tills_are_measured(tmp_path: Path) -> None:
    from benchmarks.speed import loyalty

    loyalty.main(["--sizes", "2000", "--checkouts", "100", "--repeats", "1"], tmp_path)
    rows = load(tmp_path / "speed-loyalty.json")[1]
    assert [row["way"] for row in rows] == ["columns", "MemoryStore", "SqliteStore"]
    assert all(row["per s"] > 0 for row in rows)
