"""The benchmark of the configurator runs, at a tiny size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import load
from benchmarks.speed import configurator


@pytest.mark.bench
def test_the_benchmark_of_the_configurator_runs(tmp_path: Path) -> None:
    configurator.main(["--sizes", "40", "--repeats", "1"], tmp_path)
    rows = load(tmp_path / "speed-configurator.json")[1]
    assert rows[0]["engine"] == "native"
