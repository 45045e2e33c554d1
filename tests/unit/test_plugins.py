"""A real package is built and installed into a folder; other interpreters then find its plug-ins."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from crmcore.errors import UnknownName, WrongType
from crmcore.plugins import PluginKind, names, resolve
from crmcore.protocols import Comparator, Survivorship


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder into which the example package was installed, without network."""
    pytest.importorskip("hatchling", reason="building the example package needs hatchling (group test)")
    source = Path(__file__).resolve().parent.parent / "plugin_package"
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-build-isolation", "--no-deps", "--no-index"]
    done = subprocess.run(
        [*command, "--disable-pip-version-check", "--target", str(target), str(source)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return target


def ask(site: Path, code: str, *more: Path) -> object:
    """What another interpreter prints as JSON, with `site` on its path."""
    paths = [str(site), *map(str, more), str(Path(__file__).resolve().parents[2])]
    setup = f"import sys, json\nsys.path[:0] = {paths!r}\n"
    done = subprocess.run([sys.executable, "-c", setup + code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_names_are_read_without_importing_the_package(site: Path) -> None:
    code = """
from crmcore.plugins import names
print(json.dumps([names("comparator"), names("survivorship"), "crmcore_example" in sys.modules]))
"""
    found = ask(site, code)
    assert {"broken", "first-letter"} <= set(found[0])
    assert "longest" in found[1]
    assert found[2] is False


def test_the_first_use_loads_the_object_and_it_fulfils_its_contract(site: Path) -> None:
    code = """
import numpy as np
from crmcore.plugins import resolve
from crmcore.protocols import Comparator
found = resolve("comparator", "first-letter", contract=Comparator)
print(json.dumps(found.similarity(["anna", "Arne", "bo"], np.array([0, 0]), np.array([1, 2])).tolist()))
"""
    assert ask(site, code) == [1.0, 0.0]


def test_a_broken_plug_in_fails_only_when_it_is_asked_for(site: Path) -> None:
    code = """
from crmcore.errors import BrokenPlugin
from crmcore.plugins import resolve
resolve("comparator", "first-letter")
try:
    resolve("comparator", "broken")
except BrokenPlugin as error:
    print(json.dumps([str(error), repr(error.__cause__)]))
"""
    said, cause = ask(site, code)
    assert "plug-in 'broken' of kind 'comparator' from crmcore-example" in said
    assert "pass the object itself" in said
    assert "broken on purpose" in cause


def test_two_distributions_that_claim_one_name_are_both_named(site: Path, tmp_path: Path) -> None:
    rival = tmp_path / "rival-2.0.dist-info"
    rival.mkdir()
    (rival / "METADATA").write_text("Metadata-Version: 2.1\nName: rival\nVersion: 2.0\n")
    (rival / "entry_points.txt").write_text("[crmcore.comparator]\nfirst-letter = rival:thing\n")
    code = """
from crmcore.errors import BrokenPlugin
from crmcore.plugins import names, resolve
names("comparator")
try:
    resolve("comparator", "first-letter")
except BrokenPlugin as error:
    print(json.dumps([error.distributions, str(error)]))
"""
    distributions, said = ask(site, code, tmp_path)
    assert distributions == ["crmcore-example", "rival"]
    assert "several distributions claim this name" in said


def test_one_distribution_found_twice_on_the_path_is_no_conflict(site: Path) -> None:
    code = """
from crmcore.plugins import resolve
print(json.dumps(resolve("survivorship", "longest").choose(["a", "abc"], ["x", "y"], [None, None])))
"""
    assert ask(site, code, site) == 1


def test_an_analyzer_is_known_by_its_name_and_keeps_the_contract(site: Path, tmp_path: Path) -> None:
    code = """
from crmcore.listening.sentiment import check_accuracy
from crmcore.plugins import resolve
from crmcore.testing import check_sentiment_analyzer
for check in check_sentiment_analyzer(resolve("sentiment", "exclaims")):
    check()
print(json.dumps(check_accuracy(["Great!", "Hm"], ["positive", "neutral"], analyzer="exclaims").right))
"""
    assert ask(site, code, tmp_path) == 2


def test_a_name_that_nobody_offers_is_an_error() -> None:
    with pytest.raises(UnknownName, match="unknown remedy plug-in 'no-such-remedy'"):
        resolve("remedy", "no-such-remedy")


def test_an_unknown_kind_proposes_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'tokenizer'"):
        names("tokeniser")


def test_an_object_is_accepted_where_a_name_is() -> None:
    class Shortest:
        def choose(self, values: list[str], sources: list[str], times: list[object], /) -> int:
            return min(range(len(values)), key=lambda i: len(values[i]))

    mine = Shortest()
    assert resolve(PluginKind.SURVIVORSHIP, mine, contract=Survivorship) is mine


def test_an_object_that_breaks_the_contract_is_refused_with_what_it_lacks() -> None:
    with pytest.raises(WrongType, match=r"similarity.*\n.*implement crmcore\.protocols\.Comparator"):
        resolve("comparator", object(), contract=Comparator)
    with pytest.raises(WrongType, match="is the class Exact"):
        resolve("comparator", type("Exact", (), {"similarity": None}), contract=Comparator)
