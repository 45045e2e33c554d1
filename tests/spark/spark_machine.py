"""Whether Spark can run here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


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
