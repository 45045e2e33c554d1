"""Published numbers: Gamma-Gamma (Fader, Hardie 2013), sBG (2007), BG/BB (Fader, Hardie, Shang 2010)."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crmcore.idic.differentiate.contracts import BgBb, ContractCounts, ShiftedBeta
from crmcore.idic.differentiate.spending import GammaGamma

# chances taken, round of the last, donors: Fader, Hardie, Shang (2010), 1995 cohort, 6 rounds
DONORS = np.array(
    [
        (6, 6, 1203), (5, 6, 728), (4, 6, 512), (3, 6, 357), (2, 6, 234), (1, 6, 129), (5, 5, 335), (4, 5, 284),
        (3, 5, 225), (2, 5, 173), (1, 5, 119), (4, 4, 240), (3, 4, 181), (2, 4, 155), (1, 4, 78), (3, 3, 322),
        (2, 3, 255), (1, 3, 129), (2, 2, 613), (1, 2, 277), (1, 1, 1091), (0, 0, 3464),
    ],
    float,
)  # fmt: skip


@pytest.fixture(scope="module")
def truth(data_dir: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((data_dir / "clv_truth" / "truth.json").read_text())
    return found


def test_gamma_gamma_on_cdnow(truth: dict[str, Any], data_dir: Path) -> None:
    with (data_dir / "cdnow" / "summary_39weeks.csv").open() as file:
        rows = [(float(r["frequency"]), float(r["monetary_value"])) for r in csv.DictReader(file)]
    x, z = np.array(rows).T
    model = GammaGamma().fit(x, z)
    said = truth["gammagamma_cdnow"]
    assert [round(model.p, 2), round(model.q, 2), round(model.gamma, 2)] == pytest.approx(
        [6.25, 3.74, 15.44], abs=0.011
    )
    assert model.log_likelihood >= said["LL_CLVTools"] - 0.01
    assert model.n == 946
    first = said["cond_expected_spend_first_10_rows_of_summary"]
    assert model.expected(x[:10], z[:10]) == pytest.approx(first, abs=0.011)


@pytest.mark.parametrize("segment", ["highend", "regular"])
def test_shifted_beta_geometric(truth: dict[str, Any], segment: str) -> None:
    said = truth["sbg"][segment]
    model = ShiftedBeta().fit(ContractCounts.of(said["lost"], survivors=said["survive7"]))
    assert model.alpha == pytest.approx(said["MLE"]["alpha"], rel=1e-5)
    assert model.beta == pytest.approx(said["MLE"]["beta"], rel=1e-5)
    assert model.log_likelihood == pytest.approx(said["MLE"]["LL"], abs=1e-5)
    assert model.survival(np.arange(13)) == pytest.approx(said["S_0_12"], abs=6e-5)


def test_bg_bb_on_the_donors(truth: dict[str, Any]) -> None:
    said = truth["bgbb_donations"]
    x, t, w = DONORS.T
    n = np.full(len(x), 6)
    model = BgBb().fit(x, t, n, weights=w)
    for name, value in said["published"].items():
        mine = model.log_likelihood if name == "LL" else getattr(model, name)
        assert mine == pytest.approx(value, abs=0.006 if name == "LL" else 0.00101)
    assert model.p_alive([0, 2, 6], [0, 4, 6], [6, 6, 6]).round(2).tolist() == [0.11, 0.59, 0.93]
    assert model.total(x, t, n, ahead=5, weights=w).value == pytest.approx(12884.2, abs=0.5)
    assert model.expected_new(10) == pytest.approx(said["expectation_n10"], rel=1e-4)
    assert model.expected([0, 4], [0, 5], [6, 6], ahead=10) == pytest.approx([0.1302169, 3.627858], rel=1e-4)
