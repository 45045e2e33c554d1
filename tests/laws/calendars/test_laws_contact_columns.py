"""Columns of sends: joining further ones equals sorting all of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crmcore.calendars.contact_columns import Sends

ROWS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 30)), max_size=20)


@given(ROWS, ROWS)
def test_joined_sends_are_all_of_them_in_order(old: list[tuple[int, int]], new: list[tuple[int, int]]) -> None:
    def columns(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
        return np.array([row for row, _ in pairs], np.intp), np.array([us for _, us in pairs], np.int64)

    def offsets(pairs: list[tuple[int, int]]) -> list[int]:
        return [sum(row < r for row, _ in pairs) for r in range(6)]

    got = Sends.of(columns(sorted(old))[1], np.array(offsets(old))).joined(*columns(new))
    assert got.us.tolist() == [us for _, us in sorted(old + new)]
    assert got.offsets.tolist() == offsets(old + new)
