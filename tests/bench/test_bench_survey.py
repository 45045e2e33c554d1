"""The benchmarks of survey measures run, at a tiny size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import results
from benchmarks.common import load
from benchmarks.quality import metrics_survey as quality
from benchmarks.speed import metrics_survey as speed


@pytest.mark.bench
def test_survey_measures_are_timed(tmp_path: Path) -> None:
    speed.main(["--answers", "20000", "--repeats", "1"], tmp_path)
    rows = load(tmp_path / "speed-metrics-survey.json")[1]
    assert [row["work"] for row in rows] == list(speed.WORK.values())
    assert all(row["ms"] > 0 for row in rows)


@pytest.mark.bench
def test_coverage_of_scores_is_tabled(tmp_path: Path) -> None:
    quality.main(["--sizes", "10", "--samples", "50"], tmp_path)
    rows = load(tmp_path / "quality-metrics-survey.json")[1]
    assert len(rows) == len(quality.SHAPES) + len(quality.EVEN)
    assert all(0 < row["mover-wilson"] <= 1 for row in rows)
    assert "coverage of intervals" in results.render(tmp_path)
