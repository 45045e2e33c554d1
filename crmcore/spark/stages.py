"""Stages of a run as Parquet in a work folder: a run that failed goes on from its last written stage."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import attrs

from crmcore.spark import functions as sf

__all__ = ["Stage", "Stages"]

FORMAT = 2  # counts up when what a stage holds changes


@attrs.frozen(eq=False)
class Stage:
    """A written stage: its frame, and the key of all that led to it."""

    frame: Any
    key: str


@attrs.frozen(eq=False)
class Stages:
    """Writes and finds stages.

    A stage lies in `<name>-<key>`, and the key is a hash of its settings and of the keys of what it was made from, down
    to the content of the source frames. What is there with Spark's mark of success is read, everything else is made.

    Attributes
    ----------
    spark : session
    folder : that the driver and all workers see
    """

    spark: Any
    folder: str

    def run(self, name: str, made_of: list[str], settings: object, make: Callable[[], Any]) -> Stage:
        """Read a stage, or make and write it.

        Parameters
        ----------
        name : of the stage
        made_of : keys of the stages and frames that it is made from
        settings : whatever else decides about it, as JSON
        make : gives the frame
        """
        key = _key([FORMAT, name, made_of, settings])
        place = f"{self.folder.rstrip('/')}/{name}-{key}"
        if not self._written(place):
            make().write.mode("overwrite").parquet(place)
        return Stage(self.spark.read.parquet(place), key)

    def _written(self, place: str) -> bool:
        jvm = self.spark.sparkContext._jvm
        mark = jvm.org.apache.hadoop.fs.Path(f"{place}/_SUCCESS")
        return bool(mark.getFileSystem(self.spark.sparkContext._jsc.hadoopConfiguration()).exists(mark))


def key_of(df: Any) -> str:
    """Key of what a frame holds, in any order of rows and any number of partitions: one pass over it."""
    names = sorted(df.columns)
    # a missing cell leaves a hash as it was: mark it, or a value that moves to the next column would not be seen
    cells = [sf.coalesce(sf.col(f"`{name}`").cast("string"), sf.lit("\0")) for name in names]
    row = df.select(sf.count(sf.lit(1)), sf.sum(sf.xxhash64(*cells).cast("decimal(20,0)"))).collect()[0]
    return _key([names, int(row[0]), str(row[1])])


def _key(what: object) -> str:
    return blake2b(json.dumps(what, sort_keys=True, default=str).encode(), digest_size=10).hexdigest()
