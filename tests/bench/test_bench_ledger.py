"""The benchmark of the ledger runs, at a tiny size, and all ways agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import load


@pytest.mark.bench
def test_the_ledger_benchmark_runs(tmp_path: Path) -> None:
    from benchmarks.speed import ledger

    ledger.main(["--sizes", "500", "--repeats", "1"], tmp_path)
    rows = load(tmp_path / "speed-ledger.json")[1]
    assert [r["way"] for r in rows] == list(ledger.WAYS)
    assert all(r["postings per s"] > 0 for r in rows)
