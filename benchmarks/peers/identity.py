"""crmcore beside Splink on one generated table, in turns: `python -m benchmarks.peers.identity [--sizes 10000,100000]`.

Three engines, each run in its own fresh process on two cores, A B C A B C ...:

- Splink 5 on DuckDB: 7 blocking rules, 7 comparisons, u from 2,000,000 pairs, EM capped at 3,000,000 pairs a session,
  all pairs of the rules scored, components at p >= .95.
- crmcore, matched: the same 7 keys and nothing else, the same 7 columns; its own model and clustering.
- crmcore, default: `identify.resolve(table)` on all 8 columns, rules found by itself. Not matched.

Timed from an Arrow table in memory to an entity per record; making the table, imports and scoring are outside.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import (
    RESULTS,
    Cost,
    Meter,
    Row,
    Stages,
    Table,
    answer,
    in_turns,
    load,
    middle,
    number,
    say,
    spread,
)
from benchmarks.common_people import KINDS, make_people

COLUMNS = tuple(c for c in KINDS if c != "street")  # street and postcode say the same twice, which Splink cannot know
RULES = (  # each: (column, letters from its beginning; None = all of it)
    (("first_name", None), ("surname", None)),
    (("surname", None), ("dob", None)),
    (("first_name", None), ("dob", None)),
    (("email", None),),
    (("phone", None), ("first_name", 3)),
    (("postcode", None), ("dob", None)),
    (("surname", 3), ("phone", None)),
)
U_PAIRS, EM_PAIRS = 2_000_000, 3_000_000
LINKED = 0.95
CAP = 1_000  # the largest block of these keys has 622 records at a million: the cap drops nothing
SIZES = (10_000, 100_000, 1_000_000)


# --- Splink --------------------------------------------------------------------------------------------------------


def splink_settings() -> Any:
    """Settings of Splink: levels as close to crmcore's as its library has them, term frequencies where it can."""
    import splink.comparison_level_library as cll
    import splink.comparison_library as cl
    from splink import SettingsCreator

    def name(column: str) -> Any:
        return cl.NameComparison(column, jaro_winkler_thresholds=[0.92, 0.85, 0.7]).configure(
            term_frequency_adjustments=True
        )

    def word(column: str, *levels: Any) -> Any:
        first = [cll.NullLevel(column), cll.ExactMatchLevel(column, term_frequency_adjustments=True)]
        return cl.CustomComparison(output_column_name=column, comparison_levels=[*first, *levels, cll.ElseLevel()])

    return SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            name("first_name"),
            name("surname"),
            word(
                "dob",
                cll.LevenshteinLevel("dob", 1),
                cll.LevenshteinLevel("dob", 2),
                cll.CustomLevel("substr(dob_l, 1, 4) = substr(dob_r, 1, 4)", "same year"),
            ),
            word("phone", cll.LevenshteinLevel("phone", 1), cll.LevenshteinLevel("phone", 2)),
            word("city", cll.JaroWinklerLevel("city", 0.95), cll.JaroWinklerLevel("city", 0.88)),
            word("postcode", cll.LevenshteinLevel("postcode", 1), cll.LevenshteinLevel("postcode", 2)),
            cl.EmailComparison("email"),
        ],
        blocking_rules_to_generate_predictions=[_block_on(rule) for rule in RULES],
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=False,
    )


def _block_on(rule: tuple[tuple[str, int | None], ...]) -> Any:
    from splink import block_on

    return block_on(*(column if first is None else f"substr({column}, 1, {first})" for column, first in rule))


def run_splink(table: Any) -> Row:
    """Link with Splink."""
    import logging

    import duckdb
    from splink import DuckDBAPI, Linker, block_on

    logging.getLogger("splink").setLevel(logging.ERROR)
    held = table.select(["unique_id", *COLUMNS])
    stages = Stages()
    with Meter() as meter:
        connection = duckdb.connect(config={"threads": 2})
        api = DuckDBAPI(connection)
        linker = Linker(api.register(held), splink_settings(), log_level=None)
        stages("prior", 0, 1)
        linker.training.estimate_probability_two_random_records_match(
            [block_on("first_name", "surname", "dob"), block_on("email")], recall=0.7
        )
        stages("u", 0, 1)
        linker.training.estimate_u_using_random_sampling(max_pairs=U_PAIRS, seed=1)
        stages("EM", 0, 1)
        for rule in (block_on("first_name", "surname"), block_on("dob")):
            linker.training.estimate_parameters_using_expectation_maximisation(rule, max_pairs=EM_PAIRS)
        stages("predict", 0, 1)
        edges = linker.inference.predict(threshold_match_probability=0.01)
        stages("cluster", 0, 1)
        clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(
            edges, threshold_match_probability=LINKED
        )
        found = connection.sql(f"select unique_id, cluster_id from {clusters.physical_name}").to_arrow_table()
        seconds = stages.done()
    labels = _labels(table, found)
    pairs = linker.inference.compute_blocked_pairs_for_predict().physical_name
    count = connection.execute(f"select count(*) from {pairs}").fetchall()[0][0]
    scored = connection.sql(
        f"select unique_id_l, unique_id_r, match_probability from {edges.physical_name}"
    ).to_arrow_table()
    extra = {"best F1": _best_cut(table, scored)}
    return _result(meter.cost, table, labels, int(count), seconds) | extra


def _labels(table: Any, found: Any) -> NDArray[np.int64]:
    """(n,) cluster of each record, in the order of the table."""
    ids, cluster = found["unique_id"].to_numpy(), found["cluster_id"].to_numpy()
    order = np.argsort(ids)
    names = np.unique(cluster[order].astype(str), return_inverse=True)[1]
    out = np.empty(len(ids), np.int64)
    out[np.argsort(table["unique_id"].to_numpy())] = names
    return out


def _best_cut(table: Any, scored: Any) -> float:
    """Pair F1 of components at the threshold that the labels like best: an upper limit, not a setting."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    from crmcore.linkage import evaluate

    row = np.char.lstrip  # ids are "r" and the row number
    lo, hi = (row(scored[c].to_numpy().astype(str), "r").astype(np.int64) for c in ("unique_id_l", "unique_id_r"))
    p, n, best = scored["match_probability"].to_numpy(), len(table), 0.0
    true = table["person"].to_numpy()
    for cut in (0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 1 - 1e-5, 1 - 1e-6, 1 - 1e-7, 1 - 1e-8, 1 - 1e-9):
        keep = p >= cut
        graph = coo_array((np.ones(int(keep.sum()), np.int8), (lo[keep], hi[keep])), shape=(n, n))
        labels = connected_components(graph, directed=False)[1].astype(np.int64)
        best = max(best, evaluate(labels, true).pair_f1.value)
    return best


# --- crmcore -------------------------------------------------------------------------------------------------------


def keys() -> list[str]:
    """The rules in the written form of blocking keys."""
    return [" + ".join(f"{c}/{'whole' if first is None else f'first {first}'}" for c, first in rule) for rule in RULES]


def run_matched(table: Any) -> Row:
    """Link with crmcore under the given keys alone."""
    from crmcore.linkage import Records, link

    held = table.select(["unique_id", *COLUMNS])
    stages = Stages()
    with Meter() as meter:
        stages("encode", 0, 1)
        columns = {c: held[c].to_pylist() for c in COLUMNS}
        columns["dob"] = [d and d.replace("-", "") for d in columns["dob"]]
        kinds = {c: KINDS[c] for c in COLUMNS}
        records = Records.from_columns(columns, kinds, ids=held["unique_id"].to_pylist())
        found = link(records, keys=keys(), cap=CAP, planned=False, progress=stages)
        seconds = stages.done()
    return _result(meter.cost, table, found.labels.astype(np.int64), found.n_pairs, seconds)


def run_default(table: Any) -> Row:
    """Everything by itself, through the public door."""
    from crmcore.idic.identify import resolve

    held = table.drop_columns(["person"])
    stages = Stages()
    with Meter() as meter:
        people = resolve({"people": held}, progress=stages)
        labels = people.labels
        seconds = stages.done()
    order = {r: i for i, r in enumerate(people.table.record_id.tolist())}
    at = np.array([order[f"people:{r}"] for r in table["unique_id"].to_pylist()])
    return _result(meter.cost, table, labels[at].astype(np.int64), people.linkage.n_pairs, seconds)


# --- one run, and all runs -----------------------------------------------------------------------------------------

ENGINES = {"Splink 5": run_splink, "crmcore, matched": run_matched, "crmcore, default": run_default}


def _result(cost: Cost, table: Any, labels: NDArray[np.int64], pairs: int, stages: dict[str, float]) -> Row:
    from crmcore.linkage import evaluate

    q = evaluate(labels, table["person"].to_numpy())
    return {
        "wall_s": cost.wall_s, "cpu_s": cost.cpu_s, "peak_mb": cost.peak_mb, "base_mb": cost.base_mb, "pairs": pairs,
        "p": q.pair_precision.value, "r": q.pair_recall.value, "f1": q.pair_f1.value, "b3": q.bcubed_f1.value,
        "stages": stages,
    }  # fmt: skip


def settings() -> list[str]:
    """What both engines are told, for the page."""
    rules = "; ".join(" + ".join(c if f is None else f"{c} first {f}" for c, f in rule) for rule in RULES)
    return [
        "Table: made by `benchmarks/common_people.py`, seed 2026; 8 columns, matched runs use 7 of them "
        f"({', '.join(COLUMNS)}).",
        f"Both, 7 blocking rules: {rules}. All their pairs are compared (crmcore: cap {CAP:,}, reached by no block).",
        f"Splink: u from {U_PAIRS:,} random pairs (early stop as by default), EM on first name + surname and on dob, "
        f"at most {EM_PAIRS:,} pairs each; names exact / Jaro-Winkler .92 / .85 / .7; dob exact / edits 1 / 2 / same "
        "year; phone and postcode exact / edits 1 / 2; city exact / Jaro-Winkler .95 / .88; e-mail as its library has "
        "it; term frequencies on every exact level; prior from two deterministic rules at recall .7; components at "
        f"p >= {LINKED}. DuckDB with 2 threads.",
        "crmcore, matched: the same keys as written above, no planning; u, mixture and average linkage as they come.",
        "crmcore, default: `resolve(table)`: also reads, understands and normalises, and finds its keys; all 8 "
        "columns. Not matched.",
        "Splink was tried with 7 of the 8 columns in three ways, without street, city or postcode (20,000 records): "
        "pair F1 within .003 of each other. Its numbers here are without street.",
        '"best F1" is what Splink reaches at the threshold that the labels like best (one of 12): an upper limit.',
        "Peak memory is of the process, the input table included.",
    ]


def lines(n: int, found: dict[str, list[Row]]) -> list[Row]:
    """Rows of the table of one size: medians, and ratios to Splink (larger = crmcore takes less)."""
    out = []
    peer = found.get("Splink 5") or []
    for name, runs in found.items():
        if not runs:
            continue
        one = runs[0]
        row: Row = {
            "records": n, "engine": name, "runs": len(runs), "wall s": middle(runs, "wall_s"),
            "wall range s": spread(runs, "wall_s"), "CPU s": middle(runs, "cpu_s"),
            "peak GB": middle(runs, "peak_mb") / 1000,
            "pairs compared": int(one["pairs"]), "P": one["p"], "R": one["r"], "pair F1": one["f1"], "B3": one["b3"],
            "best F1": one.get("best F1"),
        }  # fmt: skip
        if peer:
            for what, field in (("wall", "wall_s"), ("CPU", "cpu_s"), ("memory", "peak_mb")):
                row[f"{what}, Splink / this x"] = middle(peer, field) / middle(runs, field)
        row |= {"_stages": one["stages"], "_runs": runs}
        out.append(row)
    return out


def stage_note(n: int, found: dict[str, list[Row]]) -> str:
    """Stage seconds of the first runs, as a note."""
    parts = [
        f"{name}: " + ", ".join(f"{k} {number(v)}" for k, v in runs[0]["stages"].items() if v >= 0.005)
        for name, runs in found.items() if runs
    ]  # fmt: skip
    return f"Stages at {n:,} (seconds, first run). " + "; ".join(parts) + "."


def measure(n: int, *, repeats: int, engines: Sequence[str] = tuple(ENGINES)) -> dict[str, list[Row]]:
    """All engines on one table, in turns."""
    import pyarrow.parquet as pq

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "people.parquet"
        pq.write_table(make_people(n).to_arrow(), place)
        return in_turns("benchmarks.peers.identity", {e: (e, str(place)) for e in engines}, repeats=repeats)


def store(n: int, found: dict[str, list[Row]], folder: Path = RESULTS) -> None:
    """Keep the rows of one size."""
    place = folder / "peers-identity.json"
    before = load(place)[0]["notes"] if place.exists() else []
    stages = [x for x in before if x.startswith("Stages at ") and not x.startswith(f"Stages at {n:,} ")]
    notes = [*settings(), *stages, stage_note(n, found)]
    Table(
        name="peers-identity", section="peers", order=10, title="Identity: crmcore beside Splink",
        about="One generated table of persons in households; every run in a fresh process, engines in turns.",
        rows=lines(n, found), key=("records", "engine"), notes=notes,
    ).save(folder)  # fmt: skip


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure the sizes and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--engines", default=";".join(ENGINES), help="separated by ;")
    parser.add_argument("--child", nargs=2, metavar=("ENGINE", "TABLE"))
    given = parser.parse_args(arguments)
    if given.child:
        import pyarrow.parquet as pq

        answer(ENGINES[given.child[0]](pq.read_table(given.child[1])))
        return
    say("\n".join(settings()))
    for n in (int(s) for s in given.sizes.split(",")):
        say(f"{n:,} records")
        found = measure(n, repeats=given.repeats, engines=tuple(e.strip() for e in given.engines.split(";")))
        store(n, found, folder)
        for row in lines(n, found):
            say("  " + ", ".join(f"{k} {v}" for k, v in row.items() if not k.startswith("_")))


if __name__ == "__main__":
    main()
