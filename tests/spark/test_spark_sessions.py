"""What is missing is said at once: the extra, Java; and importing crmcore never imports Spark."""

from __future__ import annotations

import os
import pickle
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crmcore.errors import MissingExtra, MissingProgram
from crmcore.spark import sessions


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(MissingExtra, match=r"pip install 'crmcore\[spark\]'"):
        sessions.check()


@pytest.mark.parametrize(
    ("said", "got"), [('openjdk version "11.0.2"', "Java 11"), ('java version "1.8.0"', "Java 8"), ("", "no Java")]
)
def test_an_old_or_missing_java_names_the_way_out(
    said: str, got: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for library in ("pyspark", "pyarrow"):
        monkeypatch.setitem(sys.modules, library, type(sys)(library))
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho '{said}' >&2\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(MissingProgram, match=rf"found {got}: expected Java 17 or later\.\n  hint: install") as caught:
        sessions.check()
    assert pickle.loads(pickle.dumps(caught.value)).got == got


def test_no_java_on_the_path_is_no_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert sessions.java_version() is None


def test_importing_the_package_imports_neither_spark_nor_arrow() -> None:
    code = "import sys, crmcore.spark, crmcore.spark.running as r; print({'pyspark', 'pyarrow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.strip() == "set()"


@pytest.mark.spark
def test_workers_run_the_python_of_the_driver(spark: Any) -> None:
    def version(batches: Any) -> Any:
        import pyarrow

        for _ in batches:
            yield pyarrow.RecordBatch.from_pydict({"python": [sys.executable]})

    found = spark.range(4, numPartitions=2).mapInArrow(version, "python string").collect()
    assert {r[0] for r in found} == {sys.executable}


@pytest.mark.spark
def test_a_session_made_elsewhere_is_made_ready(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYSPARK_PYTHON")
    monkeypatch.setattr(spark.sparkContext, "pythonExec", "python3")
    assert sessions.ready(spark).sparkContext.pythonExec == sys.executable
