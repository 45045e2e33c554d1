"""Importing is free: what a fresh interpreter loads."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest

HEAVY = (
    "scipy.stats",
    "pandas",
    "polars",
    "pyarrow",
    "duckdb",
    "nltk",
    "matplotlib",
    "altair",
    "vl_convert",
    "narwhals",
)


def loaded_by(statement: str) -> set[str]:
    """Modules that a statement adds to those of a bare interpreter."""
    before = "import sys, json; before = set(sys.modules)"
    code = f"{before}\n{statement}\nprint(json.dumps(sorted(set(sys.modules) - before)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def test_import_crmcore_loads_at_most_45_modules_and_no_numpy() -> None:
    loaded = loaded_by("import crmcore")
    assert len(loaded) <= 45
    assert not {m for m in loaded if m.split(".")[0] in {"numpy", "scipy", "attrs", "attr"}}


@pytest.mark.parametrize(
    "room",
    [
        "values",
        "tables",
        "plugins",
        "calendars",
        "choice",
        "ledger",
        "lifecycle",
        "linkage",
        "metrics",
        "rules",
        "stores",
        "charts",
        "datasets",
        "testing",
        "idic.identify",
        "idic.differentiate",
        "idic.interact",
        "idic.customize",
        "touchpoints",
        "listening",
        "recovery",
        "flows",
    ],
)
def test_importing_a_room_loads_no_heavy_library(room: str) -> None:
    if find_spec(f"crmcore.{room}") is None:
        pytest.skip(f"crmcore.{room} is not built yet")
    loaded = loaded_by(f"import crmcore.{room}")
    assert not {m for m in loaded if m.startswith(HEAVY)}


def test_importing_crmcore_changes_nothing_in_its_host() -> None:
    # numpy sets filters of its own, so it comes first
    code = """
import logging, random, warnings
import attrs, numpy
filters, state, handlers = list(warnings.filters), random.getstate(), list(logging.getLogger().handlers)
import crmcore, crmcore.plugins, crmcore.tables, crmcore.values
assert warnings.filters == filters
assert random.getstate() == state
assert logging.getLogger().handlers == handlers
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
