"""Published and independently computed credits: the cases of the data folder, and PathData of ChannelAttribution."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pytest

from crmcore.touchpoints.attribution import PathCounts, attribute

RULES = {
    "first": "first", "last": "last", "linear": "linear", "position": "position_40_20_40",
    "decay": "time_decay_halving_per_step", "last non-direct": "last_non_direct",
}  # fmt: skip


def test_all_cases_of_the_slow_oracle(data_dir: Path) -> None:
    for case in json.loads((data_dir / "attribution_cases" / "cases.json").read_text())["cases"]:
        rows = case["paths"]
        paths = PathCounts.of(
            [r["path"] for r in rows], conversions=[r["conversions"] for r in rows], nulls=[r["nulls"] for r in rows]
        )
        expected = {name: case["heuristics"][key] for name, key in RULES.items()}
        expected["shapley"] = case["shapley_conversions_of_subsets"]
        for order, answer in case["markov"].items():
            expected["markov" if order == "1" else f"markov {order}"] = answer["attributed"]
        for model, credit in expected.items():
            if paths.total:
                found = attribute(paths, model=model, draws=0)
                got = dict(zip(found.channels, (e.value for e in found.credit), strict=True))
                assert {c: got.get(c, 0.0) for c in credit} == pytest.approx(credit, abs=1e-9)


@pytest.fixture(scope="module")
def path_data(data_dir: Path) -> PathCounts:
    with gzip.open(data_dir / "channelattribution_pathdata" / "PathData.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    return PathCounts.of(
        [r["path"] for r in rows], conversions=[float(r["total_conversions"]) for r in rows],
        nulls=[float(r["total_null"]) for r in rows], value=[float(r["total_conversion_value"]) for r in rows],
    )  # fmt: skip


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_markov_on_path_data_equals_the_exact_table(path_data: PathCounts, data_dir: Path, order: int) -> None:
    table = (data_dir / "channelattribution_pathdata" / "expected_markov_exact.csv").read_text().splitlines()
    found = attribute(path_data, model="markov" if order == 1 else f"markov {order}", draws=0)
    for row in csv.DictReader(table):
        if int(row["order"]) == order:
            assert found[row["channel"]].value == pytest.approx(float(row["attributed_conversions"]), rel=1e-9)


def test_heuristics_on_path_data_equal_channel_attribution(path_data: PathCounts, data_dir: Path) -> None:
    text = (data_dir / "channelattribution_pathdata" / "expected_heuristics_channelattribution.csv").read_text()
    for model in ("first", "last", "linear"):
        found = attribute(path_data, model=model, draws=0)
        for row in csv.DictReader(text.splitlines()):
            i = found.channels.index(row["channel_name"])
            assert found.credit[i].value == pytest.approx(float(row[f"{model}_touch_conversions"]), rel=1e-9)
            assert found.value[i].value == pytest.approx(float(row[f"{model}_touch_value"]), rel=1e-9)


def test_removal_effects_per_journey_equal_marketing_attribution_models(path_data: PathCounts) -> None:
    # DP6 marketing_attribution_models 2.1.1 credits alpha with 8,285 conversions where the classic rule gives 5,345
    assert attribute(path_data, model="markov per journey", draws=0)["alpha"].value == pytest.approx(8285, abs=0.5)
    assert attribute(path_data, model="markov", draws=0)["alpha"].value == pytest.approx(5345, abs=0.5)
