"""A worker process that dies in mid-stage changes nothing: two real workers, one of them killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from spark_machine import HERE, skip_without_spark

pytestmark = pytest.mark.spark


def run(work: Path) -> dict[str, Any]:
    """Run the script of this folder in a fresh process: a session with two workers cannot share ours."""
    path = os.pathsep.join([str(HERE.parent.parent), str(HERE)])
    command = [sys.executable, str(HERE / "spark_killed_worker.py"), str(work)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def test_killing_a_worker_in_mid_stage_changes_nothing(tmp_path: Path) -> None:
    skip_without_spark()
    answer = run(tmp_path)
    assert answer["killed"] == 1
    assert answer["n_pairs"][0] == answer["n_pairs"][1]
    assert answer["entities"] == answer["wanted"]
