"""The benchmark of RFM runs, at a tiny size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import load
from benchmarks.speed import rfm


@pytest.mark.bench
def test_the_benchmark_of_rfm_runs(tmp_path: Path) -> None:
    rfm.main(["--sizes", "2000", "--repeats", "1"], tmp_path)
    assert load(tmp_path / "speed-rfm.json")[1][0]["lines"] == 2000
