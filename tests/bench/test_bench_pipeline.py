"""The benchmark of chances runs, at a tiny size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import load
from benchmarks.quality import pipeline


@pytest.mark.bench
def test_chances_are_learned_judged_and_stored(tmp_path: Path) -> None:
    pipeline.main(["--worlds", "2"], tmp_path)
    _, rows = load(tmp_path / "quality-pipeline.json")
    assert [row["chances"] for row in rows] == ["learned", "by stage", "prior", "overall rate"] * 2
    aged, staged = (next(r for r in rows if r["chances"] == name) for name in ("learned", "by stage"))
    assert aged["Brier"] < staged["Brier"]
    assert abs(aged["said"] - aged["won"]) < abs(staged["said"] - staged["won"])
