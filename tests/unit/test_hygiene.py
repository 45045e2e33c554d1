"""What must not stand in the repository."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

# written in pieces, so that this file does not refuse itself
PRIVATE = {
    "a path of one machine": re.compile(r"(?<![\w.])/(?:ro" + r"ot|home/\w+|Users/\w+|work|tmp)/[\w.-]+"),
    "the host of a package registry": re.compile(
        r"(?:py" + r"pi\.org|pythonhosted\.org|index-" + r"url|anaconda\.org)"
    ),
    "an unfinished thought": re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|X{3})\b|raise NotImplemented" + r"Error"),
    "the mark of a merge conflict": re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE),
}


def tracked(repo: Path) -> list[Path]:
    if shutil.which("git") is None or not (repo / ".git").exists():
        pytest.skip("not a git checkout: nothing tells which files are tracked")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=repo, capture_output=True, text=True, check=True).stdout
    return [path for name in listed.split("\0") if name and (path := repo / name).is_file()]


def text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


@pytest.mark.parametrize("what", PRIVATE)
def test_no_tracked_file_holds(repo: Path, what: str) -> None:
    found = [f"{p.relative_to(repo)}: {m.group()}" for p in tracked(repo) for m in PRIVATE[what].finditer(text(p))]
    assert not found


def test_no_data_set_is_copied_into_the_repository(repo: Path) -> None:
    large = [p.relative_to(repo) for p in tracked(repo) if p.stat().st_size > 1_000_000]
    assert not large


def test_modules_stay_readable(repo: Path) -> None:
    long = [p.relative_to(repo) for p in (repo / "crmcore").rglob("*.py") if len(text(p).splitlines()) > 800]
    assert not long


def test_library_code_neither_prints_nor_reads_the_clock(repo: Path) -> None:
    calls = re.compile(r"(?<![\w.])print\(|datetime\.now\(|datetime\.utcnow\(|date\.today\(|(?<![\w.])time\.time\(")
    found = [
        f"{p.relative_to(repo)}:{i}"
        for p in (repo / "crmcore").rglob("*.py")
        if p.name != "__main__.py"
        for i, line in enumerate(text(p).splitlines(), 1)
        if calls.search(line) and ">>>" not in line and "..." not in line
    ]
    assert not found
