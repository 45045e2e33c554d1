"""A Spark session in which our kernels run: the extra, Java, and the Python of the workers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from crmcore.errors import MissingExtra, MissingProgram

__all__ = ["ready", "start"]

JAVA = 17
_HINT = "install a Java runtime (Debian: apt-get install openjdk-17-jre-headless) or let JAVA_HOME name one"


def start(
    *,
    cores: int = 2,
    memory: str = "4g",
    partitions: int | None = None,
    name: str = "crmcore",
    settings: Mapping[str, str] | None = None,
) -> Any:
    """Start a session on this machine; on a cluster make your own and pass it to `ready`.

    Parameters
    ----------
    cores : worker threads
    memory : of the Java process; the Python workers take theirs beside it
    partitions : of every shuffle; two per core by default
    name : as Spark's pages show it
    settings : further ones of Spark, or in place of these

    Raises
    ------
    MissingExtra
        pyspark or pyarrow is not installed.
    MissingProgram
        No Java, or one older than 17.
    """
    check()
    builder = import_module("pyspark.sql").SparkSession.builder.appName(name)
    ours = {
        "spark.master": f"local[{cores}]",
        "spark.driver.memory": memory,
        "spark.driver.maxResultSize": "0",
        "spark.sql.shuffle.partitions": partitions or 2 * cores,
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    for key, value in {**ours, **(settings or {})}.items():
        builder = builder.config(key, value)
    return ready(builder.getOrCreate())


def ready(spark: Any) -> Any:
    """Make a session fit for our kernels, and hand it back.

    On one machine workers run the interpreter of this process unless `PYSPARK_PYTHON` or `spark.pyspark.python` names
    another. On a cluster each worker needs an environment with crmcore; nothing is changed there.
    """
    context = spark.sparkContext
    named = os.environ.get("PYSPARK_PYTHON") or context.getConf().get("spark.pyspark.python")
    if not named and context.master.startswith("local"):
        context.pythonExec = sys.executable
    return spark


def check() -> None:
    """Raise unless pyspark, pyarrow and Java are there; give workers this Python where nothing else is named."""
    try:
        for library in ("pyarrow", "pyspark"):
            import_module(library)
    except ImportError:
        raise MissingExtra("crmcore.spark", "spark") from None
    found = java_version()
    if found is None or found < JAVA:
        got = "no Java" if found is None else f"Java {found}"
        raise MissingProgram("crmcore.spark", got, f"Java {JAVA} or later", _HINT)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)


def java_version() -> int | None:
    """Main version of the Java that Spark would start, None where there is none."""
    home = os.environ.get("JAVA_HOME")
    program = shutil.which(str(Path(home) / "bin" / "java")) if home else shutil.which("java")
    if program is None:
        return None
    said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(version[1]) if version else None
