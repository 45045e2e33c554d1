"""The command line: a simulated brand, one's own files, and errors in plain words."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from crmcore.__main__ import main
from crmcore.linkage.model import LinkageModel


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    repo = Path(__file__).resolve().parents[2]
    paths = os.pathsep.join(filter(None, [str(repo), os.environ.get("PYTHONPATH", "")]))
    return subprocess.run(
        [sys.executable, "-m", "crmcore", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": paths, "PYTHONIOENCODING": "utf-8"},
    )


def test_without_files_a_brand_is_simulated_and_compared_with_its_truth(tmp_path: Path) -> None:
    done = run("--customers", "300", "--seed", "3", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "a simulated brand of 300 people (seed 3)" in done.stdout
    assert re.search(r"customers found +\d+ \(true: 300\)", done.stdout)
    assert re.search(r"pair F1 +0\.\d{3} \[0\.\d{3}, 0\.\d{3}\]  precision", done.stdout)
    assert re.search(r"linked by values +[01]\.\d{3} \[", done.stdout)
    assert re.search(r"members – web_orders +\d+  0\.\d{3} \[", done.stdout)
    assert "<h1>A simulated brand" in (tmp_path / "crmcore-report.html").read_text(encoding="utf-8")
    assert "compare pairs ..." in done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = tmp_path / "exports"
    data.mkdir()
    given, family = ("Ann", "Bo", "Cara", "Dan", "Eva", "Finn"), ("Lee", "Ray", "Stone", "Moor", "Hill", "Ward", "Beck")
    people = [
        (g, f, f"{g}.{f}@example.org".lower(), f"08{i:02}{j}45{j}{i}7")
        for i, g in enumerate(given)
        for j, f in enumerate(family)
    ]
    members = ["no;first_name;last_name;mobile;email;person"]
    members += [f"{k};{g};{f};{phone};{mail};P{k}" for k, (g, f, mail, phone) in enumerate(people)]
    (data / "members.csv").write_text("\n".join(members) + "\n", encoding="utf-8")
    orders = [
        {"order": f"O{k}", "name": f"{g} {f}", "phone": f"+66{phone[1:]}", "email": mail, "person": f"P{k}"}
        for k, (g, f, mail, phone) in enumerate(people)
        if k % 2
    ]
    (data / "orders.jsonl").write_text("\n".join(map(json.dumps, orders)), encoding="utf-8")
    cards = [f"BEGIN:VCARD\nVERSION:4.0\nFN:{g} {f}\nTEL:{phone}\nEND:VCARD\n" for g, f, _, phone in people[:3]]
    (data / "friends.vcf").write_text("".join(cards), encoding="utf-8")
    return data


def test_own_files_become_a_report_profiles_and_a_model(folder: Path, tmp_path: Path) -> None:
    written = ["--out", "page.html", "--profiles", "customers.csv", "--save-model", "model.json"]
    done = run(
        "exports/members.csv", "exports/orders.jsonl", "--region", "TH", "--truth", "person", *written, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "members, orders: 63 records of 2 sources" in done.stdout
    assert re.search(r"customers found +42 \(true: 42\)", done.stdout)
    with (tmp_path / "customers.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 42
    assert {row["records"] for row in rows} == {"1", "2"}
    assert any(row["email"] == "bo.ray@example.org" for row in rows)
    model = LinkageModel.from_dict(json.loads((tmp_path / "model.json").read_text(encoding="utf-8")))
    assert model.n_records == 63
    assert "bo.ray@example.org" not in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_column_that_holds_the_truth_is_no_evidence(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "page.html"
    assert main([str(folder), "--truth", "person", "--quiet", "--out", str(out)]) == 0
    assert "friends, members, orders: 66 records of 3 sources" in capsys.readouterr().out
    said = out.read_text(encoding="utf-8")
    assert "3 records without a known customer are left out" in said
    assert re.search(r"<td[^>]*>person</td><td[^>]*>ignore</td>", said)


def test_without_a_truth_nothing_is_scored(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder / "members.csv"), "--quiet", "--out", str(tmp_path / "page.html")]) == 0
    said = capsys.readouterr()
    assert "customers found" in said.out
    assert "F1" not in said.out
    assert said.err == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.csv"], "a path that does not exist ('missing.csv')"),
        (["exports/members.csv", "--truth", "persn"], "did you mean 'person'?"),
        (["exports/members.csv", "--out", "nowhere/page.html"], "No such file or directory: nowhere"),
        (["--customers", "0"], "n_customers = 0: expected 1 or more"),
        (["--truth", "person"], "the simulation knows its truth"),
        (["exports/members.csv", "--region", "Thailand"], "Thailand"),
        (["--care", "bold"], "invalid choice: 'bold'"),
    ],
)
def test_what_cannot_be_used_is_said_plainly_with_exit_code_2(folder: Path, arguments: list[str], words: str) -> None:
    done = run(*arguments, "--quiet", cwd=folder.parent)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_help_names_every_option_of_the_readme(repo: Path) -> None:
    done = run("--help", cwd=repo)
    offered = set(re.findall(r"--[a-z-]+", done.stdout))
    main_job = (repo / "README.md").read_text(encoding="utf-8").partition("## Run the tests")[0]
    used = {o for line in main_job.splitlines() if "-m crmcore" in line for o in re.findall(r"(?<= )--[a-z-]+", line)}
    assert used
    assert used <= offered
