"""The benchmarks of texts and sentiment run, at a tiny size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.common import load
from benchmarks.peers import duplicates, sentiment
from benchmarks.quality import listening as quality_listening
from benchmarks.quality import sentiment_adaptation, text_classes
from benchmarks.speed import listening


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


@pytest.mark.bench
def test_the_benchmark_beside_datasketch_runs(tmp_path: Path) -> None:
    pytest.importorskip("datasketch", reason="the peer is installed for full benchmarks only")
    duplicates.main(["--sizes", "400", "--repeats", "1"], tmp_path)
    assert load(tmp_path / "peers-duplicates.json")[1][0]["recall"] > 0.9


@pytest.mark.bench
def test_the_benchmark_of_the_pipeline_runs(tmp_path: Path) -> None:
    listening.main(["--sizes", "300", "--query-size", "300", "--repeats", "1"], tmp_path)
    assert len(load(tmp_path / "speed-listening.json")[1]) == 2


@pytest.mark.bench
def test_the_benchmark_of_labels_runs(tmp_path: Path, data_dir: Path) -> None:
    assert data_dir
    text_classes.main(["--tasks", "comment spam, video 1 to 2"], tmp_path)
    assert load(tmp_path / "quality-text-classes.json")[1][0]["macro F1"] > 0.8


@pytest.mark.bench
def test_the_benchmark_of_shares_and_aspects_runs(tmp_path: Path, data_dir: Path) -> None:
    assert data_dir
    quality_listening.main(["--draws", "2", "--parts", "shares"], tmp_path)
    assert load(tmp_path / "quality-listening-shares.json")[1][0]["mean error"] < 0.5
