"""What a type checker infers for users: the files of tests/typing, checked by mypy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
FOLDER = REPO / "tests" / "typing"


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What mypy --strict says about all files of the folder at once."""
    pytest.importorskip("mypy", reason="type tests need mypy (group test)")
    cache = tmp_path_factory.mktemp("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(cache), "--config-file", "pyproject.toml"]
    env = {**os.environ, "MYPYPATH": str(REPO)}
    done = subprocess.run([*command, str(FOLDER)], cwd=REPO, env=env, capture_output=True, text=True)
    return done.stdout + done.stderr


@pytest.mark.parametrize("file", sorted(p.name for p in FOLDER.glob("*.py")))
def test_types_are_inferred_as_asserted(said: str, file: str) -> None:
    assert "errors prevented" not in said
    assert [line for line in said.splitlines() if f"typing/{file}:" in line and "error:" in line] == []
