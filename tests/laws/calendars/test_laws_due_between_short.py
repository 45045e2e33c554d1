"""Law: a short span finds what a long one finds in it, for every day of the year, leap days and zones."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from crmcore.calendars import due_between, local


@pytest.mark.parametrize("policy", ["28 Feb", "1 March", "leap years only"])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/New_York", "Pacific/Pago_Pago"])
def test_a_short_span_finds_what_a_long_one_finds_in_it(policy: str, zone: str) -> None:
    rng = np.random.default_rng(4)
    dates = np.arange("1999-12-01", "2001-02-01", dtype="datetime64[D]")
    dates = np.append(dates, np.datetime64("NaT"))
    start, end = local(2027, 11, 1, zone="UTC"), local(2029, 4, 1, zone="UTC")
    given = {"zone": zone, "leap_day": policy, "at": "00:30"}
    whole = due_between(dates, start, end, **given)
    edges = [start, *(start + timedelta(hours=int(h)) for h in np.sort(rng.integers(0, 12_000, 60))), end]
    spans = [edges[i : i + 2] for i in range(len(edges) - 1) if edges[i] < edges[i + 1]]
    parts = [due_between(dates, *span, **given) for span in spans]
    assert np.concatenate([p.row for p in parts]).tolist() == whole.row.tolist()
    assert (np.concatenate([p.at for p in parts]) == whole.at).all()
    assert np.concatenate([p.years for p in parts]).tolist() == whole.years.tolist()
