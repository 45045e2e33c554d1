"""The code of tutorials and how-tos runs, and the changelog assembles."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
ELSEWHERE = {"index", "resolve_on_spark"}  # tests/spark runs the page of Spark
PAGES = sorted(
    p for shelf in ("tutorial", "how-to") for p in (REPO / "docs" / shelf).glob("*.md") if p.stem not in ELSEWHERE
)
BLOCK = re.compile(
    r"^```python\n(.*?)^```(?:\n\n<!-- output( like)? -->\n```text\n(.*?)^```)?", re.MULTILINE | re.DOTALL
)


def shape(printed: str) -> list[str]:
    """Lines without what a better model may change: numbers, ids, the order of lines, remarks after the bits."""
    words = (
        re.sub(r"(?<=[ch]-)[0-9a-f]{16}", "#", line).partition(" bits;")[0].strip() for line in printed.splitlines()
    )
    return sorted(re.sub(r"[+-]?\d[\d.,:e+-]*", "#", line).strip() for line in words if line)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_the_code_of_a_page_runs_from_top_to_bottom(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = page.read_text(encoding="utf-8")
    blocks = list(BLOCK.finditer(text))
    assert blocks, "a page of this shelf shows code"
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__page__"}
    for block in blocks:
        above = "\n" * text[: block.start(1)].count("\n")  # so that a traceback names the line of the page
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(above + block.group(1), str(page), "exec"), names)
        like, wanted = block.group(2, 3)
        got = printed.getvalue()
        same = wanted is None or (shape(wanted) == shape(got) if like else wanted == got)
        assert same, f"the page says {wanted!r}, the code prints {got!r}"


def test_fragments_become_the_newest_section_of_the_changelog(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("assemble", REPO / "changes" / "assemble.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    log = tmp_path / "CHANGELOG.md"
    log.write_text("# Changelog\n\nWords.\n\n## 0.1.0\n\n- old\n")
    (tmp_path / "b.md").write_text("second\nline\n")
    (tmp_path / "a.md").write_text("first\n")
    log.rename(tmp_path / "LOG")
    assert tool.assemble(tmp_path, tmp_path / "LOG", "0.2.0", "2026-12-01") == 2
    assert (tmp_path / "LOG").read_text() == (
        "# Changelog\n\nWords.\n\n## 0.2.0 (2026-12-01)\n\n- first\n- second line\n\n## 0.1.0\n\n- old\n"
    )
    assert not list(tmp_path.glob("*.md"))


def test_every_fragment_is_a_sentence_or_two() -> None:
    for path in (REPO / "changes").glob("*.md"):
        words = path.read_text(encoding="utf-8").split()
        assert 4 <= len(words) <= 80, path.name
        assert words[-1].endswith((".", "`.")), path.name


def test_the_readme_has_the_test_command_that_ci_runs() -> None:
    assert re.search(r"<!-- tests -->\s*```bash\n.*pytest( -n 2)?\n```", (REPO / "README.md").read_text(), re.DOTALL)


def update(page: Path) -> None:
    """Write what the code of a page prints into the page: `python tests/unit/test_docs.py`, then read the change."""
    text = page.read_text(encoding="utf-8")
    names: dict[str, object] = {"__name__": "__page__"}
    out, end = [], 0
    for block in BLOCK.finditer(text):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block.group(1), str(page), "exec"), names)
        if block.group(3) is not None:
            out += [text[end : block.start(3)], printed.getvalue()]
            end = block.end(3)
    page.write_text("".join([*out, text[end:]]), encoding="utf-8")


if __name__ == "__main__":
    for shown in PAGES:
        if "<!-- output" in shown.read_text(encoding="utf-8"):
            update(shown)
