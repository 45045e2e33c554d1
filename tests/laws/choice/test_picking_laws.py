"""Laws of picking: the slow way agrees, and the order of candidates never matters."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.choice import pick
from crmcore.choice.picking import decided_by, first_of

candidates = st.lists(
    st.tuples(st.text("abcde", min_size=1, max_size=3), st.booleans(), st.booleans(), *[st.integers(0, 2)] * 2),
    max_size=8, unique_by=lambda row: row[0],
)  # fmt: skip


@settings(max_examples=150)
@given(candidates, st.randoms(use_true_random=False))
def test_the_pick_is_the_least_of_those_not_refused(rows: list, rng) -> None:
    shuffled = list(rows)
    rng.shuffle(shuffled)
    found = [
        pick(
            [r[0] for r in listed],
            refused={"a": [r[1] for r in listed], "b": [r[2] for r in listed]},
            keys={"first": [r[3] for r in listed], "second": [r[4] for r in listed]},
        )
        for listed in (rows, shuffled)
    ]
    able = sorted((r for r in rows if not (r[1] or r[2])), key=lambda r: (r[3], r[4], r[0]))
    assert found[0] == found[1]
    assert found[0].ranked == tuple(r[0] for r in able)
    assert found[0].chosen == (able[0][0] if able else None)
    told = {r.id: r.reasons for r in found[0].refused}
    assert told == {r[0]: (("a",) * r[1]) + (("b",) * r[2]) for r in rows if r[1] or r[2]}
    if len(able) > 1:
        first, second = able[:2]
        why = "first" if first[3] != second[3] else "second" if first[4] != second[4] else "id"
        assert found[0].decided_by == why


@settings(max_examples=100)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.integers(0, 3)), max_size=9))
def test_the_kernel_finds_the_same_two_as_sorting(rows: list) -> None:
    able = np.array([r[0] for r in rows], np.bool_)
    keys = [np.array([r[k] for r in rows], np.float64) for k in (1, 2)]
    best = first_of(able, keys, np.arange(len(rows))).tolist()
    assert best == sorted((i for i, r in enumerate(rows) if r[0]), key=lambda i: (*rows[i][1:], i))[:2]
    assert decided_by({}, np.array(best[:1], np.intp)) == ("only one" if best else "nobody")
