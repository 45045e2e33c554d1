"""The benchmarks of inference run, at a tiny size, and store what they measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import load
from benchmarks.quality import metrics_inference as quality
from benchmarks.speed import metrics_inference as speed

pytestmark = pytest.mark.bench


def test_the_speed_of_inference_is_measured(tmp_path: Path) -> None:
    speed.main(["--size", "500", "--repeats", "1"], tmp_path)
    _, rows = load(tmp_path / "speed-metrics-inference.json")
    assert {"wilson", "fisher exact", "two Counts compared at a time"} <= {row["work"] for row in rows}
    assert all(row["rows per s"] > 0 for row in rows)


def test_the_quality_of_inference_is_measured(tmp_path: Path) -> None:
    quality.main(["--runs", "4", "--sizes", "200"], tmp_path)
    _, looks = load(tmp_path / "quality-metrics-looks.json")
    _, coverage = load(tmp_path / "quality-metrics-coverage.json")
    assert len(looks) == 9
    assert all(0 <= row["coverage"] <= 1 for row in coverage)
