"""What all benchmarks share: pinned threads, one meter, fresh child processes in turns, and stored results.

A benchmark measures and stores tables; `python -m benchmarks.results` writes RESULTS.md from what is stored.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import gc
import importlib.metadata
import json
import math
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import attrs

REPO = Path(__file__).resolve().parent.parent
RESULTS = REPO / "benchmarks" / "results"
CORES = 2  # of every engine
PINNED = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "POLARS_MAX_THREADS"), "1"
) | {"PYTHONHASHSEED": "0"}
PACKAGES = ("numpy", "scipy", "rapidfuzz", "narwhals", "pyarrow", "splink", "duckdb")

Row = dict[str, Any]


# --- where and with what -------------------------------------------------------------------------------------------


def machine() -> str:
    """One line about the machine: processor, cores in use and there, memory, system, Python."""
    cpu = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next((x.partition(":")[2].strip() for x in lines if x.startswith("model name")), cpu)
    there = os.cpu_count() or 1
    memory = ""
    with contextlib.suppress(ValueError, OSError, AttributeError):
        memory = f", {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"
    return (
        f"{cpu}, {min(CORES, there)} of {there} cores{memory}, {platform.system()}, Python {platform.python_version()}"
    )


def versions() -> dict[str, str]:
    """Versions of the packages that the numbers depend on, where they are installed."""
    found = {}
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def commit() -> str:
    """Short id of the commit that is measured, "+" where library or benchmark files differ from it."""
    try:
        head = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=REPO, capture_output=True, text=True, check=True
        ).stdout.strip()
        changed = subprocess.run(
            ["git", "status", "--porcelain", "--", "crmcore", "benchmarks/*.py"],
            cwd=REPO, capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return "-"
    return head + ("+" if changed else "")


def data_dir() -> Path:
    """Folder of the labelled data sets: CRMCORE_DATA, or ../shared/data beside the repository."""
    return Path(os.environ.get("CRMCORE_DATA", REPO.parent / "shared" / "data"))


# --- measuring -----------------------------------------------------------------------------------------------------


@attrs.frozen
class Cost:
    """What a piece of work took. `base_mb` is the memory that stood before it began (interpreter, input table)."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    base_mb: float


class Meter:
    """Wall and CPU seconds (all threads) and peak resident memory of the `with` block.

    The peak is the kernel's high-water mark, reset on entry. `ru_maxrss` is not used where that exists: a child
    process inherits it from the parent that started it.
    """

    cost: Cost

    def __enter__(self) -> Meter:
        gc.collect()
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
        self._base = _status("VmRSS")
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        self.cost = Cost(wall, cpu, _status("VmHWM"), self._base)


def _status(field: str) -> float:
    """Megabytes of one field of /proc/self/status; the highest ever where there is no such file."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


class Stages:
    """A progress callback that keeps the time between the first reports of successive stages."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._name, self._since = "start", time.perf_counter()

    def __call__(self, stage: str, _done: int, _total: int, /) -> None:
        if stage != self._name:
            self._close(stage)

    def _close(self, following: str) -> None:
        now = time.perf_counter()
        self.seconds[self._name] = self.seconds.get(self._name, 0.0) + now - self._since
        self._name, self._since = following, now

    def done(self) -> dict[str, float]:
        """Seconds by stage, in the order of their first report."""
        self._close("end")
        return {k: v for k, v in self.seconds.items() if k != "start" or v > 0.01}


# --- child processes -----------------------------------------------------------------------------------------------


def child(module: str, *arguments: str) -> Row:
    """Run `python -m module --child arguments` in a fresh, pinned interpreter; its last line is JSON."""
    command = [sys.executable, "-m", module, "--child", *arguments]
    done = subprocess.run(
        command,
        cwd=REPO,
        env={**os.environ, **PINNED},
        capture_output=True,
        text=True,
        preexec_fn=_two_cores,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[2:])} failed:\n{done.stderr[-4000:]}")
    result: Row = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def _two_cores() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:CORES]))


def in_turns(module: str, engines: Mapping[str, Sequence[str]], *, repeats: int) -> dict[str, list[Row]]:
    """Results of every engine, run A B C A B C ..., so that what else the machine does meets all of them alike."""
    found: dict[str, list[Row]] = {name: [] for name in engines}
    for turn in range(repeats):
        for name, arguments in engines.items():
            found[name].append(child(module, *arguments))
            say(f"  {name}, run {turn + 1} of {repeats}: {found[name][-1]['wall_s']:.2f} s")
    return found


def answer(row: Mapping[str, Any]) -> None:
    """Hand a result to the parent process."""
    print(json.dumps(row))


def say(text: str) -> None:
    """Tell the person who waits."""
    print(text, file=sys.stderr, flush=True)


def middle(rows: Sequence[Row], field: str) -> float:
    """Median of a field."""
    return float(median(r[field] for r in rows))


def spread(rows: Sequence[Row], field: str) -> str:
    """Lowest to highest, as text."""
    values = [r[field] for r in rows]
    return f"{number(min(values))}-{number(max(values))}"


def measure(
    name: str, unit: str, runs: Sequence[Row], field: str, of: int, bar: float | None = None, *, low: bool = False
) -> Row:
    """Row of one measure of several runs; `low` where less is better."""
    value = middle(runs, field)
    met = None if bar is None else value <= bar if low else value >= bar
    return {
        "measure": name, "unit": unit, "of": of, "median": value, "lowest-highest": spread(runs, field),
        "bar": bar, "met": met, "runs": len(runs),
    }  # fmt: skip


def measures(
    many: Mapping[str, tuple[str, str]], runs: Sequence[Row], bars: Mapping[str, float], *, value: str = "value"
) -> list[Row]:
    """A row for each of `many` (what: field, unit) that was measured; seconds should be few, rates should be high."""
    rows: list[Row] = []
    for what, (field, unit) in many.items():
        if field in runs[0]:
            found, bar = middle(runs, field), bars.get(what)
            met = None if bar is None else found <= bar if unit.startswith(("s ", "s,")) else found >= bar
            rows.append({"what": what, value: found, "unit": unit, "bar": bar, "met": met, "runs": len(runs)})
    return rows


# --- storing -------------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Table:
    """One table of RESULTS.md.

    Attributes
    ----------
    name : of its file in benchmarks/results
    section : "quality", "peers", "speed" or "scale"
    title, about : heading, and what is measured how
    rows : flat; fields that begin with "_" are kept in the file and not shown
    key : fields that tell rows apart: a later run replaces rows with the same key and keeps the others
    notes : lines below the table
    order : place within the section
    arrange : values of the first key field in the order of the rows; None: numbers ascending, the rest as it came
    """

    name: str
    section: str
    title: str
    about: str
    rows: Sequence[Row]
    key: tuple[str, ...]
    notes: Sequence[str] = ()
    order: int = 50
    arrange: Sequence[str] | None = None

    def save(self, folder: Path = RESULTS) -> Path:
        """Write the table, merged with the rows of earlier runs: a head line, then one line a row."""
        place = folder / f"{self.name}.json"
        place.parent.mkdir(parents=True, exist_ok=True)
        mark = commit()
        fresh = [{**_plain(r), "commit": mark} for r in self.rows]
        made = {tuple(r.get(k) for k in self.key): r for r in fresh}
        kept = load(place)[1] if place.exists() else []
        merged = [made.pop(k) if (k := tuple(r.get(f) for f in self.key)) in made else r for r in kept]
        head = {
            "name": self.name, "section": self.section, "order": self.order, "title": self.title, "about": self.about,
            "notes": list(self.notes), "machine": machine(), "versions": versions(),
            "date": dt.datetime.now(dt.UTC).date().isoformat(),
        }  # fmt: skip
        lines = [head, *sorted([*merged, *made.values()], key=self._place)]
        place.write_text("".join(json.dumps(x, ensure_ascii=False) + "\n" for x in lines), encoding="utf-8")
        return place

    def _place(self, row: Row) -> float:
        value = row.get(self.key[0])
        if self.arrange is not None:
            return self.arrange.index(value) if value in self.arrange else len(self.arrange)
        return float(value) if isinstance(value, int | float) else 0.0


def load(place: Path) -> tuple[Row, list[Row]]:
    """Head and rows of a stored table."""
    head, *rows = [json.loads(line) for line in place.read_text(encoding="utf-8").splitlines() if line]
    return head, rows


def _plain(row: Row) -> Row:
    """Numbers that JSON knows, rounded so that a file shows what was measured and not noise."""

    def cell(value: Any) -> Any:
        if hasattr(value, "item"):
            value = value.item()
        if isinstance(value, float):
            return None if math.isnan(value) else float(f"{value:.6g}")
        if isinstance(value, dict):
            return {k: cell(v) for k, v in value.items()}
        return [cell(v) for v in value] if isinstance(value, list | tuple) else value

    return {k: cell(v) for k, v in row.items()}


def number(value: float) -> str:
    """A number as a reader wants it: about three significant places, thousands apart."""
    if isinstance(value, int) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
