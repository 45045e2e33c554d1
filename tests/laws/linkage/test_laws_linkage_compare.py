"""The column kernel says what the scalar form says, of every kind, in either direction."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.linkage.compare import SWAPPED, Comparer, one_level, record_levels
from crmcore.linkage.fields import DEFINITIONS, Comparison, Kind
from crmcore.linkage.records import Records

ALPHABET = {
    Comparison.DATE: "0123",
    Comparison.CODE: "0123+",
    Comparison.EMAIL: "ab.@",
    Comparison.POSTCODE: "ab12",
    Comparison.COMPANY: "ab &",
}


@st.composite
def words(draw: st.DrawFn, kind: Kind) -> list[str | None]:
    """A few words and their misspellings, so that most pairs are near to each other."""
    letters = ALPHABET.get(DEFINITIONS[kind].comparison, "abcé")
    out: list[str | None] = [None]
    for _ in range(draw(st.integers(1, 3))):
        fixed = 8 if kind is Kind.BIRTH_DATE and draw(st.booleans()) else None
        base = draw(st.text(letters, min_size=fixed or 1, max_size=fixed or 14))
        out.append(base)
        for _ in range(draw(st.integers(0, 4))):
            word = list(base)
            for _ in range(draw(st.integers(0, 3))):
                at = draw(st.integers(0, len(word)))
                if fixed or draw(st.booleans()):
                    word[at : at + 1] = list(draw(st.text(letters, min_size=1, max_size=1)))[: len(word[at : at + 1])]
                else:
                    word[at : at + draw(st.integers(0, 1))] = list(draw(st.text(letters, max_size=1)))
                if at + 1 < len(word) and draw(st.booleans()):
                    word[at], word[at + 1] = word[at + 1], word[at]
            out.append("".join(word) or None)
    return out


@given(st.data(), st.sampled_from(list(Kind)))
@settings(max_examples=150)
def test_the_kernel_is_the_scalar_form_and_symmetric(data, kind):
    cells = data.draw(words(kind))
    comparer = Comparer.of(Records.from_columns({"x": cells}, {"x": kind}))
    i, j = (m.ravel() for m in np.indices((len(cells), len(cells))))
    forth, back = comparer.levels(i, j)[:, 0], comparer.levels(j, i)[:, 0]
    assert (forth == back).all()
    assert forth.tolist() == [one_level(kind, cells[a], cells[b]) for a, b in zip(i, j, strict=True)]
    same = np.array([cells[a] is not None and cells[a] == cells[b] for a, b in zip(i, j, strict=True)])
    assert ((forth == 1) == same).all()
    assert forth.max(initial=0) <= len(DEFINITIONS[kind].levels)


@given(st.data())
def test_whole_records_swapped_names_included(data):
    names = st.one_of(st.none(), st.sampled_from(["ann", "anne", "robert", "li", "smith", "smyth", "ng"]))
    n = data.draw(st.integers(2, 8))
    kinds = {"g": Kind.GIVEN_NAME, "s": Kind.SURNAME, "d": Kind.BIRTH_DATE}
    rows = [
        [data.draw(names), data.draw(names), data.draw(st.sampled_from([None, "19800101", "19800110"]))]
        for _ in range(n)
    ]
    comparer = Comparer.of(Records.from_columns({k: [r[f] for r in rows] for f, k in enumerate(kinds)}, kinds))
    i, j = np.triu_indices(n, 1)
    found, back = comparer.levels(i, j), comparer.levels(j, i)
    assert (found == back).all()
    for a, b, levels in zip(i, j, found.tolist(), strict=True):
        assert levels == record_levels(list(kinds.values()), rows[a], rows[b])
    assert ((found[:, 0] != SWAPPED) | (found[:, 1] == 0)).all()
