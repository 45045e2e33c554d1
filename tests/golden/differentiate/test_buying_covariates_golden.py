"""Pareto/NBD with and without static covariates on the apparel log, as CLVTools 0.12.1 fits it (its SOURCE.md)."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from crmcore.idic.differentiate.buying import Purchases, fit_covariates
from crmcore.tables import OrderTable

SPLIT, END = datetime(2007, 1, 1, tzinfo=UTC), datetime(2010, 12, 21, tzinfo=UTC)


def rows(place: Path) -> list[dict[str, str]]:
    with gzip.open(place, "rt") as file:
        return list(csv.DictReader(file))


def test_coefficients_likelihood_and_error_are_those_of_clvtools(data_dir: Path) -> None:
    log = rows(data_dir / "apparel_simulated" / "apparelTrans.csv.gz")
    known = {r["Id"]: r for r in rows(data_dir / "apparel_simulated" / "apparelStaticCov.csv.gz")}
    orders = OrderTable.from_frame(
        {k: [r[c] for r in log] for k, c in (("customer", "Id"), ("time", "Date"), ("amount", "Price"))},
        currency="EUR", zone="UTC",
    )  # fmt: skip
    seen = Purchases.of_orders(orders, until=SPLIT)
    assert seen.customers is not None
    covariates = {c: [float(known[i][c]) for i in seen.customers.ids] for c in ("Gender", "Channel")}
    model = fit_covariates(seen, covariates)
    assert model.without == pytest.approx(-5848.098, abs=0.01)
    assert model.log_likelihood == pytest.approx(-5821.063, abs=0.01)
    printed = {
        "r": 1.837843, "alpha": 92.91235, "s": 0.5919985, "beta": 49.62273, "life Gender": -0.6429934,
        "life Channel": 0.7906789, "trans Gender": 0.285874, "trans Channel": 0.6241241,
    }  # fmt: skip
    for name, value in printed.items():
        assert model.parameters[name] == pytest.approx(value, rel=5e-3)
    ahead = model.expected(seen, covariates, horizon=(END - SPLIT).days / 7)
    error = np.abs(ahead - seen.bought_after(orders, since=SPLIT, until=END)).mean()
    assert error == pytest.approx(2.007, abs=5e-4)
