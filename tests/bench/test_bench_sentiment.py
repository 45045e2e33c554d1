"""The benchmarks of sentiment run, at a tiny size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import load
from benchmarks.peers import sentiment
from benchmarks.quality import sentiment_adaptation


@pytest.mark.bench
def test_the_benchmark_beside_vader_runs(tmp_path: Path) -> None:
    pytest.importorskip("vaderSentiment", reason="the peer is installed for full benchmarks only")
    sentiment.main(["--sizes", "200", "--repeats", "1"], tmp_path)
    assert load(tmp_path / "peers-sentiment.json")[1][0]["texts"] == 200


@pytest.mark.bench
def test_the_benchmark_of_adaptation_runs(tmp_path: Path, data_dir: Path) -> None:
    assert data_dir
    sentiment_adaptation.main(["--labels", "20", "--draws", "1"], tmp_path)
    assert 0 < load(tmp_path / "quality-sentiment-adaptation.json")[1][0]["macro-F1"] < 1
