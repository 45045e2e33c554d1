"""Blocks: which pairs a key makes, what is dropped, and how keys are written."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from crmcore.errors import UnknownName
from crmcore.linkage.blocking import (
    NAMES,
    BlockingKey,
    KeySpace,
    block_pairs,
    default_keys,
    expand,
    pack,
    row_bits,
    union,
    unpack,
    without_large_blocks,
)
from crmcore.linkage.fields import Kind
from crmcore.linkage.records import Records

PEOPLE = Records.from_columns(
    {
        "given": ["somchai", "jaidee", "ann", "anna", None],
        "family": ["jaidee", "somchai", "lee", "lee", "lee"],
        "zip": ["10330", "10330", "sw1a1aa", "sw1a2bb", None],
    },
    {"given": "given name", "family": "surname", "zip": "postcode"},
)


def pairs_of(key: str, records: Records = PEOPLE, cap: int = 30) -> set[tuple[int, int]]:
    space = KeySpace.of(records)
    parts = block_pairs(space.values(BlockingKey.parse(key)), n=len(records), cap=cap)
    found = [unpack(p, row_bits(len(records))) for p in parts]
    return {(int(a), int(b)) for lo, hi in found for a, b in zip(lo, hi, strict=True)}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("surname/first 3 + birth date/whole", (("surname", "first 3"), ("birth date", "whole"))),
        ("email", (("email", "whole"),)),
        ("phone 2/last 6", (("phone 2", "last 6"),)),
        ("a/b/whole", (("a/b", "whole"),)),
    ],
)
def test_a_key_reads_its_written_form(text, parts):
    key = BlockingKey.parse(text)
    assert key.parts == parts
    assert BlockingKey.parse(str(key)) == key


def test_every_key_reads_back_what_it_writes():
    keys = KeySpace.of(PEOPLE).every_key()
    assert [BlockingKey.parse(str(k)) for k in keys] == keys
    assert len(set(keys)) == len(keys) > 20
    assert all(len({f for f, _ in k.parts}) == len(k.parts) for k in keys)  # never two parts of one field


def test_an_unknown_part_proposes_the_nearest():
    with pytest.raises(UnknownName) as error:
        KeySpace.of(PEOPLE).check([BlockingKey.parse("zip/districts")])
    assert "did you mean 'zip/district'?" in str(error.value)
    with pytest.raises(UnknownName, match="family/whole"):
        KeySpace.of(PEOPLE).check([BlockingKey.parse("family/whole"), BlockingKey.parse("famly")])


def test_names_in_either_order_share_a_key():
    assert pairs_of("names/whole") == {(0, 1)}
    assert pairs_of("names/first 3") == {(0, 1), (2, 3)}
    assert pairs_of("given/whole + family/whole") == set()


def test_names_need_both_names():
    assert (NAMES, "whole") not in KeySpace.of(PEOPLE.take(np.arange(5))).atoms or pairs_of("names/whole") == {(0, 1)}
    one = Records.from_columns({"given": ["a", "b"]}, {"given": "given name"})
    assert not any(field == NAMES for field, _ in KeySpace.of(one).atoms)


def test_a_missing_part_puts_a_record_in_no_block():
    assert pairs_of("family/whole") == {(2, 3), (2, 4), (3, 4)}
    assert pairs_of("family/whole + zip/district") == {(2, 3)}


def test_a_block_above_the_cap_is_dropped_and_the_others_stay():
    assert pairs_of("family/whole", cap=2) == set()
    assert pairs_of("zip/whole", cap=2) == {(0, 1)}


def test_values_of_some_rows_are_the_values_of_these_rows():
    space, rows = KeySpace.of(PEOPLE), np.array([3, 0, 4])
    for key in space.every_key():
        assert (space.values(key, rows) == space.values(key)[rows]).all()


@pytest.mark.parametrize("most", [1, 7, 100, 10_000])
def test_a_giant_block_leaves_in_slices_with_every_pair_once(most):
    rows, starts, sizes = np.arange(60) * 3, np.array([0, 40, 42]), np.array([40, 2, 18])
    parts = list(expand(rows, starts, sizes, most=most))
    found = [(int(a), int(b)) for lo, hi in parts for a, b in zip(lo, hi, strict=True)]
    wanted = {
        (int(rows[i]), int(rows[j]))
        for s, k in zip(starts, sizes, strict=True)
        for i in range(s, s + k)
        for j in range(i + 1, s + k)
    }
    assert len(found) == len(set(found))
    assert set(found) == wanted
    assert max(len(lo) for lo, _ in parts) <= max(most, 39)  # at least one first member at a time


def test_slices_bound_memory():
    n = 3000  # 4.5 million pairs: 72 MB as two columns of rows at once
    tracemalloc.start()
    count = sum(len(lo) for lo, _ in expand(np.arange(n), np.array([0]), np.array([n]), most=50_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == n * (n - 1) // 2
    assert peak < 8e6


def test_no_blocks_make_no_pairs():
    assert list(expand(np.arange(3), np.empty(0, np.int64), np.empty(0, np.int64))) == []
    assert list(block_pairs(np.zeros(5, np.uint64), n=5)) == []


def test_large_blocks_are_emptied_and_small_ones_untouched():
    values = np.array([5, 5, 5, 9, 9, 0, 0, 0, 0, 7], np.uint64)
    assert without_large_blocks(values, cap=2).tolist() == [0, 0, 0, 9, 9, 0, 0, 0, 0, 7]
    assert without_large_blocks(values[3:5], cap=2).tolist() == [9, 9]
    assert values.tolist() == [5, 5, 5, 9, 9, 0, 0, 0, 0, 7]


@pytest.mark.parametrize("n", [1, 2, 3, 1000, 2**20, 2**31 - 1])
def test_row_numbers_come_back_from_one_number(n):
    bits = row_bits(n)
    lo, hi = unpack(pack(np.array([0, max(n - 2, 0)]), np.array([n - 1, n - 1]), bits), bits)
    assert lo.tolist() == [0, max(n - 2, 0)]
    assert hi.tolist() == [n - 1, n - 1]


@pytest.mark.parametrize("buffer", [1, 4, 1000])
def test_union_is_the_union_of_sets_whatever_the_buffer(buffer):
    rng = np.random.default_rng(1)
    parts = [rng.integers(0, 50, size).astype(np.uint64) for size in (0, 5, 30, 1, 0, 12)]
    wanted = sorted({int(v) for p in parts for v in p})
    assert union([p.copy() for p in parts], buffer=buffer).tolist() == wanted
    assert union([], buffer=buffer).tolist() == []


@pytest.mark.parametrize("kind", list(Kind))
def test_default_keys_exist_for_every_kind_of_field(kind):
    records = Records.from_columns({"x": ["a1", "b2"]}, {"x": kind})
    keys = default_keys({"x": kind})
    assert keys
    KeySpace.of(records).check(keys)


def test_default_keys_of_people_find_swapped_names_and_stand_alone_parts():
    keys = [str(k) for k in default_keys({"given": Kind.GIVEN_NAME, "family": Kind.SURNAME, "zip": Kind.POSTCODE})]
    assert {"names/whole", "names/first 3", "family/whole + zip/whole"} <= set(keys)
    assert len(keys) == len(set(keys))
    KeySpace.of(PEOPLE).check([BlockingKey.parse(k) for k in keys])
