"""Rows of the feature list that attribution owns."""

from __future__ import annotations

import pytest

from crmcore.touchpoints.attribution import PathCounts, attribute, compare_models

JOURNEYS = ["Facebook ad > review > store", "Google ad > store", "review > Facebook ad", "store"]
GROUP = {"Facebook ad": "paid", "Google ad": "paid", "review": "earned", "store": "owned"}


def test_row_117_credibility_changes_attribution_and_is_stated() -> None:
    paths = PathCounts.of(JOURNEYS)
    plain = attribute(paths, model="linear", draws=0)
    believed = attribute(paths, model="linear", credibility={"review": 2}, draws=0)
    # by hand: 1/3 + 1/2 against 2/4 + 2/3
    assert plain["review"].value == pytest.approx(5 / 6)
    assert believed["review"].value == pytest.approx(7 / 6)
    assert any("credibility" in a and "review x 2" in a for a in believed.assumptions)
    assert sum(e.value for e in believed.credit) == pytest.approx(4)


@pytest.mark.parametrize("model", ["markov", "shapley", "markov 2", "counterfactual"])
def test_row_117_holds_for_every_kind_of_model(model: str) -> None:
    paths = PathCounts.of(JOURNEYS, conversions=[3, 2, 2, 4], nulls=[5, 6, 2, 9])
    more = attribute(paths, model=model, credibility={"review": 4}, draws=0)
    assert more["review"].value > attribute(paths, model=model, draws=0)["review"].value


def test_row_118_paid_media_are_the_first_gateway() -> None:
    first = attribute(PathCounts.of(JOURNEYS), model="first").by(GROUP)
    assert first.shares()["paid"] == pytest.approx(2 / 4)
    assert 0 <= first["paid"].low <= 2 <= first["paid"].high


def test_row_118_shapley_by_hand() -> None:
    found = attribute(PathCounts.of(JOURNEYS), model="shapley", draws=0)
    by_hand = {"Facebook ad": 1 / 3 + 1 / 2, "Google ad": 1 / 2, "review": 1 / 3 + 1 / 2, "store": 1 / 3 + 1 / 2 + 1}
    assert {c: found[c].value for c in found.channels} == pytest.approx(by_hand)


def test_row_118_first_touch_stands_beside_the_full_picture() -> None:
    table = compare_models(PathCounts.of(JOURNEYS), models=["first", "last", "markov", "shapley"])
    assert table.spread()["store"] == pytest.approx(2)
    assert "Facebook ad" in str(table)
