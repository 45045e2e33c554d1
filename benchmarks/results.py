"""Write RESULTS.md from the stored tables: `python -m benchmarks.results`. Nobody edits that file by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.common import REPO, RESULTS, Row, load, number

PAGE = REPO / "benchmarks" / "RESULTS.md"
UNITS = (" s", " GB", " MB", " ms", " x", " per record")
SECTIONS = {
    "quality": "Quality: labelled data, default settings, no labels used",
    "peers": "Peers: the same work, in one run",
    "speed": "Speed: where the time goes",
    "scale": "Scale: growth with the number of records",
}
INTRO = """# Results

Written by `python -m benchmarks.results` from `benchmarks/results/*.json`; not edited by hand. How the numbers are made
and what is matched: `docs/explanation/benchmarks.md`. Times are medians of runs in turns, threads pinned; trust ratios
more than seconds, and CPU seconds more than wall seconds.
"""


def render(folder: Path = RESULTS) -> str:
    """The whole page."""
    tables = [load(p) for p in sorted(folder.glob("*.json"))]
    tables.sort(key=lambda t: (list(SECTIONS).index(t[0]["section"]), t[0].get("order", 50), t[0]["name"]))
    parts = [INTRO]
    for section, heading in SECTIONS.items():
        here = [t for t in tables if t[0]["section"] == section]
        if here:
            parts.append(f"## {heading}\n")
            parts += [_table(head, rows) for head, rows in here]
    return "\n".join(parts)


def _table(head: Row, rows: Sequence[Row]) -> str:
    columns = [c for c in dict.fromkeys(k for r in rows for k in r) if not c.startswith("_") and c != "commit"]
    right = [all(_is_number(r.get(c)) for r in rows) for c in columns]
    lines = [f"### {head['title']}\n", head["about"] + "\n", "| " + " | ".join(columns) + " |"]
    lines.append("| " + " | ".join("---:" if r else "---" for r in right) + " |")
    lines += ["| " + " | ".join(cell(r.get(c), c) for c in columns) + " |" for r in rows]
    lines.append("")
    lines += [f"- {note}" for note in head["notes"]]
    packages = ", ".join(f"{k} {v}" for k, v in head["versions"].items())
    commits = ", ".join(dict.fromkeys(r.get("commit", "-") for r in rows))
    lines.append(f"- {head['machine']}; {packages}; last run {head['date']}; commit {commits}\n")
    return "\n".join(lines)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def cell(value: Any, column: str = "") -> str:
    """One cell: words for truth, nothing for nothing, shares (columns without a unit) with four places."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and 0 <= value <= 1 and not column.endswith(UNITS):
        return f"{value:.4f}"
    if isinstance(value, int | float):
        return number(value)
    return str(value).replace("|", "\\|")


def main() -> None:
    """Write the page."""
    PAGE.write_text(render(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(REPO)}")


if __name__ == "__main__":
    main()
