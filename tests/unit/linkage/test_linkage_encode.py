"""Values as numbers: the parts that blocking uses, and hashes that every process agrees on."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from crmcore.linkage import encode as encode_module
from crmcore.linkage.encode import atom_hashes, encode, value_hashes
from crmcore.linkage.fields import DEFINITIONS, Kind
from crmcore.linkage.records import Column

SAY = (
    "from crmcore.linkage.encode import atom_hashes, value_hashes\n"
    "h = atom_hashes(['straße', 'anna@x.org'], ['whole', 'first 3', 'last 3', 'sound', 'local part', 'district'])\n"
    "print({k: v.tolist() for k, v in h.items()}, value_hashes(['straße', 'anna@x.org']).tolist())\n"
)


def agree(atom: str, a: str, b: str) -> bool:
    """Whether two values have one and the same part."""
    found = atom_hashes([a, b], [atom])[atom]
    return bool(found[0] == found[1] != 0)


def test_hashes_are_the_same_in_every_process():
    def say(seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.run(
            [sys.executable, "-c", SAY], capture_output=True, text=True, check=True, env=environment
        ).stdout

    assert say("1") == say("2") != ""


def test_hashes_are_the_same_in_every_release():
    # A saved model looks its values up by these numbers: if they change, the format of models has to change too.
    assert value_hashes(["smith", "smyth"]).tolist() == [2734873974031412215, 11577120864969103366]
    assert atom_hashes(["smith"], ["first 3"])["first 3"].tolist() == [1292479507]


@pytest.mark.parametrize(
    ("atom", "a", "b", "same"),
    [
        ("whole", "anna", "anna", True),
        ("whole", "anna", "annab", False),
        ("first 3", "anna", "annika", True),
        ("first 3", "anna", "anton", False),
        ("first 3", "an", "an", True),
        ("first 3", "an", "ann", False),
        ("first 1", "anna", "bert", False),
        ("last 3", "hanna", "johanna", True),
        ("last 3", "na", "anna", False),
        ("last 9", "a@shop.org", "b@shop.org", True),
        ("year and day", "19800517", "19801117", True),
        ("year and day", "19800517", "19810517", False),
        ("local part", "anna@x.org", "anna@y.com", True),
        ("local part", "anna@x.org", "anne@x.org", False),
        ("local part", "anna", "anna@x.org", True),
        ("sound", "smith", "smyth", True),
        ("sound", "meyer", "mayr", True),
        ("sound", "robert", "rupert", True),
        ("sound", "smith", "jones", False),
        ("sound", "anna", "enna", True),
        ("district", "sw1a1aa", "sw1a2bb", True),
        ("district", "sw1a1aa", "sw1b1aa", False),
        ("district", "10330", "10399", True),
        ("district", "10330", "10430", False),
        ("area", "sw1a1aa", "sw991zz", True),
        ("area", "sw1a1aa", "s11aa", False),
        ("area", "10330", "10999", True),
        ("area", "10330", "11330", False),
    ],
)
def test_parts_of_values(atom, a, b, same):
    assert agree(atom, a, b) is same


def test_an_address_without_a_local_part_has_no_such_part():
    assert atom_hashes(["@x.org"], ["local part"])["local part"].tolist() == [0]
    assert atom_hashes([""], ["whole", "first 3", "last 3", "sound"]) == {
        "whole": [0],
        "first 3": [0],
        "last 3": [0],
        "sound": [0],
    }


def test_the_place_of_a_value_does_not_matter_even_beyond_one_chunk(monkeypatch):
    values = [f"name{i}" * (1 + i % 3) for i in range(25)]
    atoms = sorted({a for d in DEFINITIONS.values() for a in d.atoms})
    whole, hashes = atom_hashes(values, atoms), value_hashes(values)
    signatures = encode_module._signatures(values, digits=False)
    monkeypatch.setattr(encode_module, "_CHUNK", 4)
    again = atom_hashes(values, atoms)
    assert all((whole[a] == again[a]).all() for a in atoms)
    assert (value_hashes(values) == hashes).all()
    assert all((x == y).all() for x, y in zip(encode_module._signatures(values, digits=False), signatures, strict=True))


def test_no_values_have_no_hashes():
    assert value_hashes([]).tolist() == []
    assert atom_hashes([], ["whole"])["whole"].tolist() == []


def test_whole_values_count_their_first_64_signs():
    a, b = value_hashes(["x" * 64 + "a", "x" * 64 + "b"])
    assert a == b
    assert len(set(value_hashes(["x" * 63 + "a", "x" * 63 + "b"]).tolist())) == 2


def test_many_values_have_as_few_collisions_as_chance():
    values = [f"{i:07d}" for i in range(300_000)]
    assert len(np.unique(value_hashes(values))) == len(values)
    parts = atom_hashes(values, ["whole"])["whole"]
    # 32 bits: k values collide about k^2 / 2^33 = 10.5 times; a bad mix shows as thousands
    assert len(values) - len(np.unique(parts)) < 40


def test_counts_are_of_records_and_missing_cells_count_for_nothing():
    e = encode(Column.of("city", Kind.CITY, ["bath", None, "bath", "", "york"]))
    assert e.counts.tolist() == [2, 1]
    assert e.filled == 3
    assert repr(e) == "Encoded('city', city, 5 rows, 2 values)"


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_encodes_an_empty_column(kind):
    e = encode(Column.of("x", kind, [None, None]))
    assert e.filled == 0
    assert e.codes.tolist() == [-1, -1]
