"""Needs, behaviour and baskets, as the mission states them."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from crmcore.idic.differentiate.baskets import basket_rules
from crmcore.idic.differentiate.needs import LatentClasses, adjusted_rand, assign_content, input_contributions


def test_row_037_five_baskets_by_hand() -> None:
    baskets = {"1": "bread milk", "2": "bread butter milk", "3": "bread butter", "4": "milk", "5": "beer"}
    lines = [(b, i) for b, items in baskets.items() for i in items.split()]
    found = basket_rules([b for b, _ in lines], [i for _, i in lines], alpha=1.0)
    rule = next(r for r in found.rules if r.given == ("bread",) and r.then == "milk")
    assert rule.support.value == pytest.approx(2 / 5)
    assert rule.confidence.value == pytest.approx(2 / 3)
    assert rule.lift == pytest.approx((2 / 3) / (3 / 5))
    assert rule.leverage == pytest.approx(2 / 5 - 9 / 25)
    assert rule.conviction == pytest.approx((2 / 5) / (1 / 3))


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_row_022_three_planted_needs_are_found_and_named(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, 600)
    needs = ("convenience", "price", "status")
    measures = {need: rng.normal(np.where(truth == k, 4.5, 2.0), 0.7) for k, need in enumerate(needs)}
    model = LatentClasses(classes=3).fit(measures=measures, seed=seed)
    label = model.members(measures=measures).label
    assert adjusted_rand(truth.tolist(), label.tolist()) >= 0.9
    for need in needs:
        assert sum(f"{need}: high" in name for name in model.names) == 1


def test_row_024_all_browsers_get_content_b_and_the_log_says_so() -> None:
    when = datetime(2026, 6, 1, tzinfo=UTC)
    segments = ["browsers", "buyers", "browsers", None, "ghosts"]
    customers = [f"c{i}" for i in range(5)]
    content = {"browsers": "B", "buyers": "C"}
    log = assign_content(customers, segments=segments, content=content, default="A", now=when)
    assert log.contents == ("B", "C", "B", "A", "A")
    assert log.reasons[0] == "segment browsers"
    assert log.reasons[4] == "segment ghosts has no content: default"
    longer = assign_content(["c9"], segments=["browsers"], content=content, default="A", now=when, log=log)
    assert len(log) == 5
    assert longer.contents == (*log.contents, "B")
    assert len(longer.to_frame(backend="pandas")) == 6


def test_row_025_four_inputs_alone_and_together() -> None:
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 2, 400)
    gap = {"needs": 4.0, "habits": 1.5, "purchases": 1.5, "feedback": 0.0}
    measures = {name: truth * width + rng.normal(0, 1, 400) for name, width in gap.items()}
    found = input_contributions({name: [name] for name in gap}, classes=2, seed=1, measures=measures)
    by = {c.name: c for c in found}
    assert list(by) == list(gap)
    assert by["needs"].alone > by["habits"].alone
    assert by["needs"].contribution > by["feedback"].contribution
