"""Turn the fragments of `changes/` into a section of CHANGELOG.md: `python changes/assemble.py 0.2.0 [2026-12-01]`."""

from __future__ import annotations

import sys
from pathlib import Path


def assemble(folder: Path, changelog: Path, version: str, day: str = "") -> int:
    """Move all fragments into a new section above the older ones; the number of fragments moved."""
    fragments = sorted(folder.glob("*.md"))
    if not fragments:
        return 0
    notes = "\n".join(f"- {' '.join(path.read_text(encoding='utf-8').split())}" for path in fragments)
    section = f"## {version}{f' ({day})' if day else ''}\n\n{notes}\n"
    head, mark, older = changelog.read_text(encoding="utf-8").partition("\n## ")
    changelog.write_text(f"{head.rstrip()}\n\n{section}{mark}{older}", encoding="utf-8")
    for path in fragments:
        path.unlink()
    return len(fragments)


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    moved = assemble(here, here.parent / "CHANGELOG.md", *sys.argv[1:3])
    sys.stdout.write(f"{moved} fragments moved\n")
