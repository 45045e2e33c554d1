"""The benchmarks of answer search run, at a tiny size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import results
from benchmarks.common import data_dir, load
from benchmarks.quality import faq as quality
from benchmarks.speed import faq as speed


@pytest.mark.bench
def test_one_question_is_timed_and_exact(tmp_path: Path) -> None:
    speed.main(["--sizes", "500", "--repeats", "1"], tmp_path)
    rows = load(tmp_path / "speed-faq.json")[1]
    assert [row["asked"] for row in rows] == list(speed.KINDS)
    assert all(row["p95 ms"] >= row["p50 ms"] > 0 and row["as scoring all"] for row in rows)


@pytest.mark.bench
def test_ranking_is_compared_with_bm25_on_questions_not_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (data_dir() / "listening_expertqa").exists():
        pytest.skip("no listening_expertqa")
    monkeypatch.setattr(quality, "GRID", quality.GRID[-2:])
    quality.main([], tmp_path)
    rows = load(tmp_path / "quality-faq.json")[1]
    assert len(rows) == 10
    assert all(row["low"] <= row["gain"] <= row["high"] for row in rows)
    assert "BM25 MRR" in results.render(tmp_path)
