"""The likelihood is that of an independent library at the same classes."""

from __future__ import annotations

import numpy as np
import pytest

from crmcore.idic.differentiate.needs import LatentClasses


@pytest.mark.filterwarnings("ignore")
def test_from_the_same_posteriors_the_likelihood_is_that_of_stepmix() -> None:
    stepmix = pytest.importorskip("stepmix")
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 500)
    x = np.stack([np.where(rng.random(500) < 0.8, truth, rng.integers(0, 3, 500)) for _ in range(6)], 1).astype(float)
    x[rng.random(x.shape) < 0.1] = np.nan
    peer = stepmix.StepMix(
        n_components=3, measurement="categorical_nan", random_state=1, max_iter=5000, abs_tol=1e-12, progress_bar=0
    ).fit(x)
    answers = {f"q{j}": [None if np.isnan(v) else str(int(v)) for v in x[:, j]] for j in range(6)}
    model = LatentClasses(classes=3).fit(answers=answers, seed=1, start=peer.predict_proba(x))
    assert model.log_likelihood == pytest.approx(float(peer.score(x)) * 500, abs=1e-4)
