"""The model file that ships is what its training script writes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality.sentiment_training import FILE


@pytest.mark.slow
def test_training_writes_the_same_file_again(data_dir: Path, tmp_path: Path) -> None:
    written = []
    for name in ("one.npz", "two.npz"):
        command = [
            sys.executable,
            "-m",
            "benchmarks.quality.sentiment_training",
            "--write",
            "--out",
            str(tmp_path / name),
        ]
        env = {**os.environ, "CRMCORE_DATA": str(data_dir), "OMP_NUM_THREADS": "2"}
        subprocess.run(command, check=True, env=env, cwd=Path(__file__).parents[2])
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]
    # other versions of numpy may round otherwise; what ships is the same model all the same
    with np.load(tmp_path / "one.npz") as new, np.load(FILE) as shipped:
        assert new.files == shipped.files
        assert (new["words"] == shipped["words"]).all()
        assert np.abs(new["lexical"] - shipped["lexical"]).max() < 0.02
        assert np.abs(new["weights"].astype(int) - shipped["weights"].astype(int)).max() <= 3
