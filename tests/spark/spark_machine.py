"""Whether Spark can run here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
# small data: compiling plans would take longer than running them
QUICK = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}


def skip_without_spark() -> None:
    """Skip with the reason; fail where CRMCORE_SPARK says "required", as continuous integration does."""
    from crmcore.errors import MissingExtra, MissingProgram
    from crmcore.spark.sessions import check

    try:
        check()
    except (MissingExtra, MissingProgram) as error:
        if os.environ.get("CRMCORE_SPARK") == "required":
            raise
        pytest.skip(str(error).splitlines()[0])
