"""The how-to page of Spark runs from top to bottom."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import pytest

from tests.unit.test_docs import BLOCK, shape

pytestmark = pytest.mark.spark


def test_the_code_of_the_page_runs(spark: Any, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__page__"}
    for block in BLOCK.finditer((repo / "docs" / "how-to" / "resolve_on_spark.md").read_text(encoding="utf-8")):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block.group(1), "page", "exec"), names)
        like, wanted = block.group(2, 3)
        if wanted is not None:
            assert shape(wanted) == shape(printed.getvalue()) if like else wanted == printed.getvalue()
