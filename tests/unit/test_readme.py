"""What the README promises: its example runs, its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest


def test_the_example_of_the_readme_prints_what_it_says(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = re.findall(r"<!-- example -->\s*```python\n(.*?)```", (repo / "README.md").read_text("utf-8"), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {"__name__": "__readme__"})
    printed = capsys.readouterr().out
    said = [line for block in blocks for line in re.findall(r"print\(.*\) +# (.*)", block)]
    assert len(said) >= 6
    assert not [line for line in said if not line.startswith("which") and line not in printed.splitlines()]
    assert "kept" in printed
    assert (tmp_path / "people.html").exists()


def test_the_links_of_the_readme_lead_to_files(repo: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (repo / "README.md").read_text("utf-8"))
    assert links
    assert not [link for link in links if not (repo / link).exists()]


def test_the_readme_has_the_main_job_in_one_line(repo: Path) -> None:
    text = (repo / "README.md").read_text("utf-8")
    assert re.search(r"<!-- main job -->\s*```bash\npython3 -m venv .* -m crmcore\n```", text)
