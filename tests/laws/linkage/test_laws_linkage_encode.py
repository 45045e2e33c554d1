"""Bounds from letter signatures never exclude a pair that a full comparison would keep."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA, JaroWinkler

from crmcore.linkage.compare import Comparer, _distance, _winkler
from crmcore.linkage.encode import _signatures, atom_hashes, encode, value_hashes
from crmcore.linkage.fields import DEFINITIONS, Kind
from crmcore.linkage.records import Column, Records

anything = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=90)
plain = st.text("abcé0199@. ", min_size=1, max_size=80)


@st.composite
def near(draw: st.DrawFn) -> tuple[str, str]:
    """Two texts, a few edits apart or unrelated."""
    a = draw(st.one_of(anything, plain))
    if draw(st.booleans()):
        return a, draw(st.one_of(anything, plain))
    b = list(a)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(b)))
        new = draw(st.text("abzé09", max_size=1))
        b[at : at + draw(st.integers(0, 1))] = list(new)
        if at + 1 < len(b) and draw(st.booleans()):
            b[at], b[at + 1] = b[at + 1], b[at]
    return a, "".join(b) or "x"


@given(near(), st.booleans())
@example(("é" * 70, "e" + "é" * 70), False)
@example(("ab" * 40, "x" + "ab" * 40), True)
def test_one_edit_changes_at_most_two_bits_of_a_signature(pair, digits):
    sig, _, _ = _signatures(list(pair), digits=digits)
    assert int(np.bitwise_count(sig[0] ^ sig[1])) <= 2 * OSA.distance(*pair)


@given(near(), st.sampled_from([Kind.SURNAME, Kind.PHONE]), st.integers(1, 3))
def test_the_pruned_distance_is_the_distance(pair, kind, most):
    e = encode(Column.of("x", kind, pair))
    a, b = e.codes[:1], e.codes[1:]
    assert int(_distance(e, a, b, most)[0]) == min(OSA.distance(*pair), most + 1)


@given(near(), st.sampled_from([0.7, 0.8, 0.88]))
def test_the_pruned_similarity_is_the_similarity_or_below_what_was_asked(pair, least):
    e = encode(Column.of("x", Kind.SURNAME, pair))
    a, b = e.codes[:1], e.codes[1:]
    assert _winkler(e, a, b, least)[0] == JaroWinkler.similarity(*pair, score_cutoff=least)


@given(st.lists(st.one_of(anything, plain), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_hashes_depend_on_the_value_alone(values, random):
    atoms = sorted({a for d in DEFINITIONS.values() for a in d.atoms} | {"area"})
    alone = [{a: int(atom_hashes([v], [a])[a][0]) for a in atoms} for v in values]
    order = random.sample(range(len(values)), len(values))
    together = atom_hashes([values[i] for i in order], atoms)
    hashes = value_hashes([values[i] for i in order])
    for at, i in enumerate(order):
        assert {a: int(together[a][at]) for a in atoms} == alone[i]
        assert hashes[at] == value_hashes([values[i]])[0]


@given(st.lists(st.one_of(st.none(), plain), min_size=2, max_size=8))
def test_equal_cells_and_only_they_are_level_one(cells):
    cells = [None if c is None else c[:60] for c in cells]
    comparer = Comparer.of(Records.from_columns({"x": cells}, {"x": Kind.TEXT}))
    i, j = np.triu_indices(len(cells), 1)
    level = comparer.levels(i, j)[:, 0]
    for a, b, found in zip(i, j, level, strict=True):
        missing = not cells[a] or not cells[b]
        assert (found == 0) == missing
        assert (found == 1) == (not missing and cells[a] == cells[b])
