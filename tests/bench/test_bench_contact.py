"""The benchmark of consents, plans and triggers runs, at a tiny size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import load


@pytest.mark.bench
def test_the_benchmark_of_contact_policies_runs_at_a_tiny_size(tmp_path: Path) -> None:
    from benchmarks.speed import contact as speed

    speed.main(["--size", "300", "--repeats", "1"], tmp_path)
    _, rows = load(tmp_path / "speed-contact.json")
    assert {row["what"] for row in rows} >= {"single decisions", "caps", "plan", "triggers"}
