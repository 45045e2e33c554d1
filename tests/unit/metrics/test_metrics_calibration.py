"""Calibration of probabilities: groups keep ties together, the error is that of a plain loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.metrics.calibration import calibration_error, reliability_groups

rows = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]), st.booleans()), min_size=1, max_size=60)


@given(rows, st.integers(1, 12))
def test_the_error_is_that_of_a_loop_over_groups(pairs: list[tuple[float, bool]], bins: int) -> None:
    p, y = np.array([a for a, _ in pairs]), np.array([float(b) for _, b in pairs])
    group = reliability_groups(p, bins=bins)
    plain = sum(abs(p[group == g].mean() - y[group == g].mean()) * (group == g).mean() for g in set(group.tolist()))
    assert calibration_error(p, y, bins=bins) == pytest.approx(plain, abs=1e-12)
    for value in set(p.tolist()):
        assert len(set(group[p == value].tolist())) == 1
    assert (np.diff(group[np.argsort(p, kind="stable")]) >= 0).all()
