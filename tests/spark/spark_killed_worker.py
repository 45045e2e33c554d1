"""Link records on two worker processes while one of them is killed; the last line of output is what came of it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pyarrow as pa
from spark_machine import QUICK

from benchmarks.common_people import KINDS, make_people
from crmcore.linkage.linking import link
from crmcore.linkage.records import Records
from crmcore.spark import link as spark_link
from crmcore.spark import start

WORK = Path(sys.argv[1])
PAIRS_DONE = "stages/pairs-*/_SUCCESS"


def kill_one(app: str, killed: list[int]) -> None:
    """Wait until pairs are written, so that the comparison runs, and kill the Java process of one of the workers."""
    while not list(WORK.glob(PAIRS_DONE)):
        time.sleep(0.01)
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            command = place.read_bytes()
            if b"CoarseGrainedExecutorBackend" in command and app.encode() in command:
                os.kill(int(place.parent.name), signal.SIGKILL)
                killed.append(int(place.parent.name))
                return


def groups(ids: list[str], labels: list[int]) -> list[list[str]]:
    made: dict[int, list[str]] = {}
    for i, label in zip(ids, labels, strict=True):
        made.setdefault(label, []).append(i)
    return sorted(sorted(g) for g in made.values())


def main() -> None:
    made = make_people(400)
    columns = {
        name: [None if m else str(v) for v, m in zip(cells, made.missing[name], strict=True)]
        for name, cells in made.columns.items()
    }
    records = Records.from_columns(columns, KINDS, ids=[f"r{i}" for i in range(len(made))])
    local = link(records, model=link(records).model)
    settings = {
        **QUICK,
        "spark.master": "local-cluster[2,1,1024]",
        "spark.executor.memory": "1g",
        "spark.executorEnv.PYTHONPATH": os.environ["PYTHONPATH"],
        "spark.executor.extraJavaOptions": QUICK["spark.driver.extraJavaOptions"],
    }
    spark = start(partitions=2, memory="1g", settings=settings)
    spark.sparkContext.setLogLevel("OFF")
    frame = spark.createDataFrame(pa.table({"id": records.ids.tolist(), **columns})).repartition(4)
    killed: list[int] = []
    killer = threading.Thread(target=kill_one, args=(spark.sparkContext.applicationId, killed), daemon=True)
    killer.start()
    found = spark_link(frame, model=local.model, work=str(WORK / "stages"))
    rows = found.entities.select("id", "entity").collect()
    answer = {
        "killed": len(killed),
        "n_pairs": [found.n_pairs, local.n_pairs],
        "entities": groups([r[0] for r in rows], [r[1] for r in rows]),
        "wanted": groups(records.ids.tolist(), local.labels.tolist()),
    }
    print(json.dumps(answer))
    spark.stop()


main()
