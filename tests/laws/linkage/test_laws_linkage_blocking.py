"""Blocking makes exactly the pairs that share a key in a block of at most `cap` records."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crmcore.linkage.blocking import (
    BlockingKey,
    KeySpace,
    block_pairs,
    expand,
    row_bits,
    union,
    unpack,
    without_large_blocks,
)
from crmcore.linkage.records import Records

word = st.one_of(st.none(), st.text("ab", min_size=1, max_size=4))
PART = {
    "whole": lambda w: w,
    "first 1": lambda w: w[:1],
    "first 3": lambda w: w[:3],
    "last 3": lambda w: w[-3:],
}


def brute(keys: list[object], cap: int) -> set[tuple[int, int]]:
    """All pairs that share a key that at most `cap` records have."""
    blocks = defaultdict(list)
    for row, key in enumerate(keys):
        if key is not None:
            blocks[key].append(row)
    return {pair for rows in blocks.values() if len(rows) <= cap for pair in combinations(rows, 2)}


def unpacked(parts: list[np.ndarray], n: int) -> list[tuple[int, int]]:
    return [(int(a), int(b)) for p in parts for a, b in zip(*unpack(p, row_bits(n)), strict=True)]


@given(st.lists(st.tuples(word, word), min_size=1, max_size=25), st.sampled_from(list(PART)), st.integers(2, 12))
def test_pairs_of_a_key_are_the_brute_force_pairs(rows, part, cap):
    records = Records.from_columns(
        {"g": [r[0] for r in rows], "s": [r[1] for r in rows]}, {"g": "given name", "s": "surname"}
    )
    space, n = KeySpace.of(records), len(rows)
    one, two = BlockingKey.parse(f"g/{part}"), BlockingKey.parse(f"g/{part} + s/whole")
    cut = PART[part]
    alone = [None if g is None else cut(g) for g, _ in rows]
    both = [None if g is None or s is None else (cut(g), s) for g, s in rows]
    for key, wanted in ((one, brute(alone, cap)), (two, brute(both, cap))):
        found = unpacked(list(block_pairs(space.values(key), n=n, cap=cap)), n)
        assert len(found) == len(set(found))
        assert set(found) == wanted
        small = without_large_blocks(space.values(key), cap=cap)
        assert set(unpacked(list(block_pairs(small, n=n, cap=n + 1)), n)) == wanted


@given(st.lists(st.integers(2, 14), min_size=1, max_size=6), st.integers(1, 60))
def test_expanding_in_slices_of_any_size_is_every_pair_once(sizes, most):
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    rows = np.arange(sum(sizes)) * 2 + 1
    found = [
        (int(a), int(b))
        for lo, hi in expand(rows, starts, np.array(sizes), most=most)
        for a, b in zip(lo, hi, strict=True)
    ]
    wanted = {p for s, k in zip(starts, sizes, strict=True) for p in combinations(rows[s : s + k].tolist(), 2)}
    assert len(found) == len(wanted)
    assert set(found) == wanted


@given(st.lists(st.lists(st.integers(0, 30), max_size=10), max_size=6), st.integers(1, 40))
def test_union_is_the_union_of_sets(parts, buffer):
    found = union([np.array(p, np.uint64) for p in parts], buffer=buffer)
    assert found.tolist() == sorted({v for p in parts for v in p})
