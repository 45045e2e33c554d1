"""Published numbers: discounted residual orders (BTYD), BG/BB counts of the donors (Fader, Hardie, Shang 2010)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crmcore.idic.differentiate.buying import BuyingModel
from crmcore.idic.differentiate.clv import CustomerRows, CustomerValueModel
from crmcore.idic.differentiate.contracts import BgBbModel
from crmcore.idic.differentiate.spending import GammaGamma


@pytest.fixture(scope="module")
def truth(data_dir: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((data_dir / "clv_truth" / "truth.json").read_text())
    return found


def _pareto(said: dict[str, Any]) -> BuyingModel:
    theta = tuple(np.log([said[k] for k in ("r", "alpha", "s", "beta")]).tolist())
    return BuyingModel(model="pareto", k=1, theta=theta, covariance=None, log_likelihood=0.0, n=2357, unit="week")


def test_value_for_ever_counts_the_published_residual_orders(truth: dict[str, Any]) -> None:
    told = truth["paretonbd_cdnow"]["dert"]
    spend = GammaGamma().fit([1, 2, 3, 4], [10.0, 12, 9, 11])
    model = CustomerValueModel(timing=_pareto(truth["paretonbd_cdnow"]["published"]), spend=spend)
    x, t = np.array(told["x"], float), np.array(told["t_x"], float)
    rows = CustomerRows.of(x, t, np.full(6, told["T"]), mean_spend=np.full(6, 9.0), unit_days=7)
    yearly = float(np.expm1(0.0027 * 365.25 / 7))
    table = model.value(rows, horizon_days=np.inf, annual_discount=yearly)
    assert table["expected"] == pytest.approx(told["DERT"], rel=1e-5)
    assert table["clv"] == pytest.approx(table["expected"] * table["spend"])


def test_donors_by_number_of_gifts(truth: dict[str, Any]) -> None:
    said = truth["bgbb_donations"]
    model = BgBbModel(**said["BTYD"], covariance=None, log_likelihood=0.0, n=11104)
    found = 11104 * model.count_probability([0, 6], rounds=6)
    assert found == pytest.approx([said["in_sample_expected_n"][k] for k in ("x0", "x6")], abs=0.1)
    mean = float(model.count_probability(range(11), rounds=10) @ np.arange(11))
    assert mean == pytest.approx(model.expected_new(10))
