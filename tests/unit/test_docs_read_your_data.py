"""The how-to page runs from top to bottom."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path


def test_the_how_to_on_reading_runs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "read_your_data.md").read_text("utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL))
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "read_your_data.md", "exec"), {})
    assert "4 records" in printed.getvalue()
