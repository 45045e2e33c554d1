"""The code of tutorials and how-tos runs, and the changelog assembles."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
PAGES = sorted(p for shelf in ("tutorial", "how-to") for p in (REPO / "docs" / shelf).glob("*.md") if p.stem != "index")
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


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
        exec(compile(above + block.group(1), str(page), "exec"), names)


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
    assert re.search(r"<!-- tests -->\s*```bash\n.*pytest\n```", (REPO / "README.md").read_text(), re.DOTALL)
