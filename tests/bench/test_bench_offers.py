"""The benchmarks of exploration and of arbitration run, at a tiny size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import load
from benchmarks.quality import arbitration, exploring


@pytest.mark.bench
def test_exploration_is_simulated_and_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exploring, "ROUNDS", 6)
    exploring.main(["--seeds", "2", "--logs", "3"], tmp_path)
    _, rows = load(tmp_path / "quality-exploring.json")
    assert [row["explorer"] for row in rows] == ["uniform", "greedy", "Thompson", "upper bound"] * 2
    assert all(row["regret"] > 0 for row in rows)


@pytest.mark.bench
def test_profits_of_rules_are_simulated_and_stored(tmp_path: Path) -> None:
    arbitration.main(["--seeds", "2", "--people", "1500"], tmp_path)
    _, rows = load(tmp_path / "quality-arbitration.json")
    assert all(row["met"] for row in rows if row["rule"] == "exact optimum")
    assert len(rows) == 2 * (4 + 4 + 5) + 2 * 4
