"""One Spark session for all tests here; without pyspark or Java they are skipped and say so."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from spark_machine import HERE, QUICK, skip_without_spark


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """A session of two workers; they find the repository and the kernels of these tests."""
    skip_without_spark()
    from crmcore.spark.sessions import start

    path = [str(HERE.parent.parent), str(HERE), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    os.environ["PYTHONPATH"] = os.pathsep.join(path)
    if str(HERE) not in sys.path:
        sys.path.insert(0, str(HERE))
    session = start(cores=2, memory="2g", partitions=2, name="tests", settings=QUICK)
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()
