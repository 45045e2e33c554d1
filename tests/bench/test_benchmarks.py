"""The benchmarks run, at a tiny size, and the page of results is written by them alone."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks import results
from benchmarks.common import Meter, Stages, Table, load
from benchmarks.common_people import KINDS, make_people, slip


def test_the_page_of_results_is_what_the_stored_results_say() -> None:
    assert results.PAGE.read_text(encoding="utf-8") == results.render(), "run python -m benchmarks.results"


def test_a_later_run_replaces_its_own_rows_and_keeps_the_others(tmp_path: Path) -> None:
    def table(rows: list[dict[str, object]]) -> Table:
        return Table(name="t", section="speed", title="T", about="A.", rows=rows, key=("n",))

    table([{"n": 20, "wall s": 2.0}, {"n": 10, "wall s": 1.0}]).save(tmp_path)
    place = table([{"n": 20, "wall s": 3.0}, {"n": 30, "wall s": float("nan")}]).save(tmp_path)
    head, rows = load(place)
    assert [(r["n"], r["wall s"]) for r in rows] == [(10, 1.0), (20, 3.0), (30, None)]
    assert head["machine"]
    assert head["versions"]["numpy"] == np.__version__
    assert "| 20 | 3.00 |" in results.render(tmp_path)


def test_the_meter_sees_memory_and_cpu_of_its_block_alone() -> None:
    with Meter() as large:
        held = np.ones(30_000_000)
    del held
    with Meter() as small:
        sum(range(100_000))
    assert large.cost.peak_mb - large.cost.base_mb > 200
    if Path("/proc/self/clear_refs").exists() and os.access("/proc/self/clear_refs", os.W_OK):
        assert small.cost.peak_mb - small.cost.base_mb < 100
    assert 0 <= small.cost.cpu_s < 5


def test_stages_cover_the_whole_time_once() -> None:
    stages = Stages()
    for name in ("read", "read", "fit", "read"):
        stages(name, 0, 1)
    assert list(stages.done()) == ["read", "fit"]


def test_made_people_depend_on_the_seed_alone_and_have_the_promised_shape() -> None:
    people, again = make_people(5_000, seed=3), make_people(5_000, seed=3)
    assert all((people.columns[c] == again.columns[c]).all() for c in KINDS)
    counts = np.bincount(people.person)
    assert (counts > 0).sum() == 4_000
    assert 0.2 < (counts * (counts - 1) // 2).sum() / 5_000 < 0.25
    assert 0.3 < people.missing["email"].mean() < 0.4
    homes = np.char.add(people.columns["street"], people.columns["postcode"])
    assert len(np.unique(homes)) < 2_500  # households


def test_a_slip_is_one_edit() -> None:
    from rapidfuzz.distance import OSA

    words = np.array(["a", "hello", "world", "martha"] * 50)
    slipped = slip(words, "xyz", np.random.default_rng(1))
    assert all(OSA.distance(a, b) <= 1 for a, b in zip(words.tolist(), slipped.tolist(), strict=True))
    assert all(slipped.tolist())
    assert (slipped != words).mean() > 0.7


@pytest.mark.bench
def test_the_quality_benchmark_runs(tmp_path: Path, data_dir: Path) -> None:
    from benchmarks.quality import identity

    identity.main(["--only", "rldata500"], tmp_path)
    assert {p.stem for p in tmp_path.glob("*.json")} >= {"quality-identity-sets", "quality-identity-seeds"}
    row = load(tmp_path / "quality-identity-sets.json")[1][0]
    assert row["pair F1"] > 0.9
    assert row["met"] is True


@pytest.mark.bench
def test_the_speed_benchmark_runs(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    from benchmarks.speed import identity

    identity.main(["--sizes", "500,1000", "--repeats", "1"], tmp_path)
    head, rows = load(tmp_path / "scale-identity.json")
    assert [r["records"] for r in rows] == [500, 1000]
    assert all(r["peak GB"] > 0 and r["pair F1"] > 0.5 for r in rows)
    assert json.dumps(head)


@pytest.mark.bench
def test_both_engines_compare_the_same_pairs(tmp_path: Path) -> None:
    pytest.importorskip("splink", reason="splink is not installed: python -m pip install --group bench")
    pytest.importorskip("duckdb", reason="duckdb is not installed: python -m pip install --group bench")
    from benchmarks.peers import identity

    identity.main(["--sizes", "2000", "--repeats", "1"], tmp_path)
    rows = {r["engine"]: r for r in load(tmp_path / "peers-identity.json")[1]}
    assert set(rows) == set(identity.ENGINES)
    assert rows["Splink 5"]["pairs compared"] == rows["crmcore, matched"]["pairs compared"]


@pytest.mark.bench
def test_the_lookup_benchmark_runs(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    from benchmarks.speed import lookup

    lookup.main(["--sizes", "1000", "--repeats", "1"], tmp_path)
    row = load(tmp_path / "speed-identity-lookup.json")[1][0]
    assert 0 < row["look-up p50 ms"] <= row["look-up p95 ms"]
    assert row["observed per s"] > 0
