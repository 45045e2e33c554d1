"""The same linkage on one machine and on Spark: `python -m benchmarks.speed.spark [--sizes 100000,...]`.

Records of the peer benchmark under one model that is fitted beforehand, with its seven blocking rules; every run in its
own fresh process, Spark as `local[2]` with 4 GB for Java. CPU and memory are sums over the process and all its children
(Java, Python workers), looked at five times a second. Needs `crmcore[spark]`, Java and psutil.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.common import RESULTS, Row, Table, answer, in_turns, middle, say, spread
from benchmarks.common_people import KINDS, make_people
from benchmarks.peers.identity import CAP, COLUMNS, keys

SIZES = (100_000, 1_000_000)  # ten millions by hand, without Splink: half an hour
MEMORY = "4g"


class Tree:
    """Wall seconds, CPU seconds and peak memory of this process and all that it started."""

    def __enter__(self) -> Tree:
        import psutil

        self._me, self._cpu, self.peak_mb, self._done = psutil.Process(), dict[int, float](), 0.0, threading.Event()
        self._look()
        self._before = sum(self._cpu.values())
        self._since = time.perf_counter()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._look()
        self._done.set()
        self._thread.join()
        self.wall_s = time.perf_counter() - self._since
        self.cpu_s = sum(self._cpu.values()) - self._before

    def _watch(self) -> None:
        while not self._done.wait(0.2):
            self._look()

    def _look(self) -> None:
        import psutil

        memory = 0
        for process in (self._me, *self._me.children(recursive=True)):
            try:
                used = process.cpu_times()
                memory += process.memory_full_info().pss
            except psutil.Error:
                continue
            self._cpu[process.pid] = max(self._cpu.get(process.pid, 0.0), used.user + used.system)
        self.peak_mb = max(self.peak_mb, memory / 1e6)

    def row(self) -> Row:
        return {"wall_s": self.wall_s, "cpu_s": self.cpu_s, "peak_mb": self.peak_mb}


def records_of(place: Path) -> Any:
    """Records of a Parquet file of normalised text."""
    import pyarrow.parquet as pq

    from crmcore.linkage import Records

    table = pq.read_table(place)
    columns = {c: table[c].to_pylist() for c in COLUMNS}
    return Records.from_columns(columns, {c: KINDS[c] for c in COLUMNS}, ids=table["unique_id"].to_pylist())


def run_local(folder: Path) -> Row:
    """Link on one machine."""
    from crmcore.linkage import LinkageModel, link

    model = LinkageModel.from_dict(json.loads((folder / "model.json").read_text()))
    with Tree() as tree:
        found = link(records_of(folder / "people.parquet"), model=model)
    return {**tree.row(), "pairs": found.n_pairs, "entities": found.clustering.n_clusters}


def run_spark(folder: Path) -> Row:
    """Link on Spark."""
    from crmcore.linkage import LinkageModel
    from crmcore.spark import link, start

    model = LinkageModel.from_dict(json.loads((folder / "model.json").read_text()))
    with tempfile.TemporaryDirectory() as work, Tree() as tree:
        spark = start(cores=2, memory=MEMORY, partitions=8, settings={"spark.local.dir": work})
        begun = time.perf_counter()
        df = spark.read.parquet(str(folder / "people.parquet"))
        found = link(df, model=model, work=f"{work}/stages", id="unique_id")
        entities = found.entities.select("entity").distinct().count()
        ran = time.perf_counter() - begun
        stages = _stages(Path(work) / "stages", time.time() - ran)
        spark.stop()
    return {**tree.row(), "pairs": found.n_pairs, "entities": entities, "start_s": tree.wall_s - ran, "stages": stages}


def _stages(folder: Path, begun: float) -> dict[str, list[float]]:
    """Stage -> seconds since the one before, and megabytes on disk."""
    marks = sorted((m.stat().st_mtime, m.parent) for m in folder.glob("*/_SUCCESS"))
    out: dict[str, list[float]] = {}
    for at, place in marks:
        size = sum(f.stat().st_size for f in place.iterdir()) / 1e6
        out[place.name.rpartition("-")[0]] = [at - begun, size]
        begun = at
    return out


def run_splink(folder: Path) -> Row:
    """Link with Splink on the same Spark, its own training included."""
    from splink import Linker, block_on
    from splink.backends.spark import SparkAPI, similarity_jar_location

    from benchmarks.peers.identity import EM_PAIRS, LINKED, U_PAIRS, splink_settings
    from crmcore.spark import start

    with tempfile.TemporaryDirectory() as work, Tree() as tree:
        jars = {"spark.jars": similarity_jar_location(), "spark.local.dir": work}
        spark = start(cores=2, memory=MEMORY, partitions=8, settings=jars)
        spark.sparkContext.setCheckpointDir(f"{work}/checkpoints")
        api = SparkAPI(spark_session=spark, num_partitions_on_repartition=8)
        df = spark.read.parquet(str(folder / "people.parquet")).select("unique_id", *COLUMNS)
        linker = Linker(api.register(df), splink_settings(), log_level=None)
        rules = [block_on("first_name", "surname", "dob"), block_on("email")]
        linker.training.estimate_probability_two_random_records_match(rules, recall=0.7)
        linker.training.estimate_u_using_random_sampling(max_pairs=U_PAIRS, seed=1)
        for rule in (block_on("first_name", "surname"), block_on("dob")):
            linker.training.estimate_parameters_using_expectation_maximisation(rule, max_pairs=EM_PAIRS)
        begun = time.perf_counter()
        edges = linker.inference.predict(threshold_match_probability=0.01)
        made = linker.clustering.cluster_pairwise_predictions_at_threshold(edges, threshold_match_probability=LINKED)
        entities = made.as_spark_dataframe().select("cluster_id").distinct().count()
        ran = time.perf_counter() - begun
        spark.stop()
    return {**tree.row(), "pairs": None, "entities": entities, "start_s": tree.wall_s - ran, "stages": {}}


ENGINES = {"crmcore, one machine": run_local, "crmcore, Spark": run_spark, "Splink 5, Spark": run_splink}


def prepare(n: int, folder: Path) -> None:
    """Write the records of one size and the model."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from crmcore.linkage import link

    table = make_people(n).to_arrow()
    dob = pa.array([d and d.replace("-", "") for d in table["dob"].to_pylist()], pa.string())
    pq.write_table(table.set_column(table.schema.get_field_index("dob"), "dob", dob), folder / "people.parquet")
    few = folder / "few.parquet"
    pq.write_table(pq.read_table(folder / "people.parquet").slice(0, 100_000), few)
    model = link(records_of(few), keys=keys(), cap=CAP, planned=False).model
    (folder / "model.json").write_text(json.dumps(model.to_dict()))


def measure(n: int, *, repeats: int, engines: Sequence[str]) -> dict[str, list[Row]]:
    """All engines on the records of one size, in turns."""
    folder = Path(tempfile.mkdtemp())
    try:
        prepare(n, folder)
        return in_turns("benchmarks.speed.spark", {e: (e, str(folder)) for e in engines}, repeats=repeats)
    finally:
        shutil.rmtree(folder)


def rows_of(n: int, found: dict[str, list[Row]]) -> list[Row]:
    """One row an engine, as ratios to one machine."""
    base = found.get("crmcore, one machine") or []
    rows: list[Row] = []
    for name, runs in found.items():
        row: Row = {
            "records": n, "engine": name, "runs": len(runs), "wall s": middle(runs, "wall_s"),
            "wall range s": spread(runs, "wall_s"), "CPU s": middle(runs, "cpu_s"),
            "peak GB": middle(runs, "peak_mb") / 1000, "pairs": runs[0]["pairs"], "entities": runs[0]["entities"],
        }  # fmt: skip
        if base:
            for what, field in (("wall", "wall_s"), ("CPU", "cpu_s")):
                row[f"{what}, this / one machine x"] = middle(runs, field) / middle(base, field)
        rows.append(row | {"_stages": runs[0].get("stages"), "_start": runs[0].get("start_s")})
    return rows


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure the sizes and store the table in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--engines", default=";".join(ENGINES), help="separated by semicolons")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--child", nargs=2, metavar=("ENGINE", "FOLDER"))
    given = parser.parse_args(arguments)
    if given.child:
        answer(ENGINES[given.child[0]](Path(given.child[1])))
        return
    for n in map(int, given.sizes.split(",")):
        found = measure(n, repeats=given.repeats, engines=given.engines.split(";"))
        Table(
            name="speed-spark", section="scale", order=30, title="Linkage under a given model: one machine and Spark",
            about="Normalised records of the generated table, 7 blocking rules, blocks above 1,000 records refused "
            "(none up to a million records), one model fitted on 100,000 records; Spark is local[2], 4 GB for Java, 8 "
            "shuffle partitions, its start included.",
            rows=rows_of(n, found), key=("records", "engine"),
            notes=[
                "CPU and peak memory (proportional set size) are sums over the process, Java and the Python workers.",
                "Splink trains its own model; its time includes that, with the settings of the peer benchmark.",
            ],
        ).save(folder)  # fmt: skip
        for name, runs in found.items():
            say(f"{n:,} {name}: {middle(runs, 'wall_s'):.1f} s, {middle(runs, 'cpu_s'):.1f} CPU s")


if __name__ == "__main__":
    main()
