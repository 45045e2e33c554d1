"""Segments lean on all customers as far as their own evidence is thin, and no further."""

from __future__ import annotations

import numpy as np
import pytest

from crmcore.errors import EmptyInput, OutOfRange, UnknownName
from crmcore.idic.differentiate.buying import (
    BuyingModel,
    PooledModels,
    Purchases,
    RepeatBuying,
    forecast,
    pool_segments,
    simulate_cohort,
)


def world(sizes: list[int], *, spread: float, seed: int) -> tuple[Purchases, list[str], list[BuyingModel]]:
    """Segments whose log r and log alpha are normal around those of all."""
    rng = np.random.default_rng(seed)
    cells, names, truths = [], [], []
    for i, n in enumerate(sizes):
        at = np.log([0.9, 8.0, 0.7, 2.5]) + np.array([0.0, spread, 0.0, 0.0]) * rng.normal()
        truth = BuyingModel(
            model="bg", k=1, theta=tuple(at.tolist()), covariance=None, log_likelihood=0.0, n=n, unit="week"
        )  # fmt: skip
        seen = simulate_cohort(truth, n, age=52, ahead=1, seed=rng).purchases
        cells.append([getattr(seen, k)[seen.row] for k in ("frequency", "recency", "age")])
        names += [f"s{i:02d}"] * n
        truths.append(truth)
    return Purchases.of(*(np.concatenate(c) for c in zip(*cells, strict=True))), names, truths


SIZES = [40] * 10 + [120] * 4 + [900] * 2


def errors(models: list[BuyingModel], truths: list[BuyingModel]) -> float:
    times = [26.0, 52.0]
    return float(
        np.mean([np.abs(np.log(m.expected_new(times) / t.expected_new(times))).mean() for m, t in zip(models, truths, strict=True)])  # noqa: E501
    )  # fmt: skip


def test_pooled_segments_are_nearer_to_the_truth_than_their_own_fits_and_than_all() -> None:
    off = {"pooled": 0.0, "own": 0.0, "all": 0.0}
    for seed in range(3):
        seen, names, truths = world(SIZES, spread=0.4, seed=seed)
        found = pool_segments(seen, names)
        parts = sorted(found.models)
        own = [RepeatBuying().fit(seen.take(np.array(names) == p)) for p in parts]
        off["pooled"] += errors([found.models[p] for p in parts], truths)
        off["own"] += errors(own, truths)
        off["all"] += errors([found.overall] * len(parts), truths)
        assert found.own["s15"] > found.own["s00"]
    assert off["pooled"] < off["own"]
    assert off["pooled"] < off["all"]


def test_segments_by_a_coin_get_nearly_the_model_of_all() -> None:
    seen, _, _ = world([1500], spread=0.0, seed=4)
    found = pool_segments(seen, [f"coin {i % 6}" for i in range(len(seen))])
    assert max(found.own.values()) < 0.35
    report = str(found)
    assert "6 segments of 1,500 customers by BG/NBD" in report
    if found.spread == 0.0:
        assert "no more than by chance" in report
        assert all(m.theta == found.overall.theta for m in found.models.values())


def test_a_report_names_the_segment_that_keeps_most_and_least_and_comes_back_from_json() -> None:
    seen, names, _ = world(SIZES, spread=0.6, seed=1)
    found = pool_segments(seen, names, model="nbd")
    assert "of its own fit" in str(found)
    assert PooledModels.from_dict(found.to_dict()) == found
    frame = found.to_frame(backend="polars")
    assert frame.columns == ["segment", "customers", "own", "r", "alpha"]
    assert frame["customers"].sum() == sum(SIZES)
    assert ((frame["own"] >= 0) & (frame["own"] <= 1)).all()
    assert len(found._repr_html_()) < 6000
    mine = np.array(names) == "s03"
    ahead = forecast(found.models["s03"], seen.take(mine), horizon=10)
    assert ahead.total.method == "laplace"  # the likelihood of the segment alone would undo the pooling
    assert ahead.total.low < ahead.total.value < ahead.total.high


def test_the_order_of_customers_does_not_matter() -> None:
    seen, names, _ = world([60, 200, 30], spread=0.5, seed=6)
    turned = np.random.default_rng(0).permutation(len(seen))
    one, two = pool_segments(seen, names), pool_segments(seen.take(turned), [names[i] for i in turned])
    for name, model in one.models.items():
        assert two.models[name].theta == pytest.approx(model.theta, abs=1e-4)
        assert one.own[name] == pytest.approx(two.own[name], abs=1e-3)


def test_a_segment_of_one_customer_gets_the_model_of_all() -> None:
    seen, names, _ = world([400, 400], spread=0.5, seed=7)
    names[0] = "alone"
    found = pool_segments(seen, names)
    assert found.own["alone"] < 0.2
    assert np.isfinite(found.models["alone"].theta).all()


def test_what_cannot_be_pooled_is_refused() -> None:
    seen, names, _ = world([30, 30], spread=0.0, seed=8)
    with pytest.raises(OutOfRange, match="one a customer"):
        pool_segments(seen, names[:3])
    with pytest.raises(EmptyInput, match="at least two"):
        pool_segments(seen, ["all"] * 60)
    with pytest.raises(OutOfRange, match="a name for every customer"):
        pool_segments(seen, [None, *names[1:]])  # type: ignore[list-item]
    with pytest.raises(UnknownName):
        pool_segments(seen, names, model="bgg")
