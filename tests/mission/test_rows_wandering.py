"""Row of the feature list that the ecology of customers owns."""

from __future__ import annotations

import numpy as np
import pytest

from crmcore.errors import EmptyInput, MissingColumn, UnknownName
from crmcore.tables import EventTable
from crmcore.touchpoints.wandering import Ecology, ecology, ecology_of_events, order_effects, wandering

LINKS = {
    "source": ["zoe", "zoe", "zoe", "zoe", "ben", "cyd"],
    "target": ["Facebook", "runners' group", "shop reviews", "ben", "runners' group", "Facebook"],
    "type": ["social platform", "community group", "reviews", "peer", "community group", "social platform"],
    "weight": [6, 3, 2, 1, 4, 1],
}


def test_row_119_nodes_and_edges_by_type_and_influence_sums_to_one() -> None:
    found = ecology(LINKS, customer="zoe", types={"cyd": "peer"})
    assert set(found.by_type()) == {"social platform", "community group", "reviews", "peer"}
    assert sum(found.by_type().values()) == pytest.approx(1)
    assert found.influence.sum() == pytest.approx(1)
    assert len(found.links) == 6
    assert found.strongest(1)[0][0] == "Facebook"


def test_row_119_more_contact_means_more_influence() -> None:
    more = {**LINKS, "weight": [6, 3, 20, 1, 4, 1]}
    before = ecology(LINKS, customer="zoe", types={"cyd": "peer"}).by_type()["reviews"]
    assert ecology(more, customer="zoe", types={"cyd": "peer"}).by_type()["reviews"] > before


def test_row_119_from_events_with_peers_at_the_same_places() -> None:
    events = EventTable.from_frame(
        {"customer": ["zoe", "zoe", "ben", "dee"], "time": ["2026-03-01"] * 4,
         "touchpoint": ["LINE OA", "forum", "forum", "store"]},
        zone="UTC",
    )  # fmt: skip
    types = {"LINE OA": "social platform", "forum": "community group", "store": "store"}
    found = ecology_of_events(events, customer="zoe", types=types, peers=[("zoe", "eve")])
    assert set(found.nodes) == {"LINE OA", "forum", "ben", "eve"}
    assert sum(found.by_type().values()) == pytest.approx(1)
    assert Ecology.from_dict(found.to_dict()).by_type() == found.by_type()


def test_row_119_persons_are_masked_wherever_it_is_printed() -> None:
    found = ecology(LINKS, customer="zoe", types={"cyd": "peer"})
    told = repr(found) + str(found) + found._repr_html_() + found.chart().to_text()
    assert not any(name in told for name in ("zoe", "ben", "cyd"))
    assert "ben" in found.to_frame(backend="polars")["node"].to_list()


def test_row_119_what_is_missing_is_said() -> None:
    with pytest.raises(UnknownName, match="type of the node"):
        ecology(LINKS, customer="zoe")
    with pytest.raises(EmptyInput, match="f•••"):
        ecology(LINKS, customer="fay", types={"cyd": "peer"})
    with pytest.raises(MissingColumn):
        ecology({"source": ["a"]}, customer="a")


class Walks:
    start = np.array([0, 5, 7])
    step = np.array([0, 1, 0, 1, 2, 0, 2])
    steps = ("explore", "evaluate", "buy")


def test_row_119_how_far_customers_wander() -> None:
    found = wandering(Walks())
    assert found.length.tolist() == [5, 2]
    assert found.returns.tolist() == [2, 0]
    assert found.straightness.tolist() == [0.75, 1.0]
    assert found.means()["returns"].value == 1


def test_row_119_whether_order_matters() -> None:
    rng = np.random.default_rng(1)
    ahead = rng.random(600) < 0.5
    goal = rng.random(600) < np.where(ahead, 0.6, 0.2)

    class Pairs:
        start = np.arange(601) * 2
        step = np.stack([np.where(ahead, 0, 1), np.where(ahead, 1, 0)], axis=1).ravel()
        steps = ("review", "ad")

    found = order_effects(Pairs(), goal)
    (only,) = found.found()
    assert (only.first, only.then) == ("review", "ad")
    assert only.difference.low > 0.2
    assert type(found).from_dict(found.to_dict()) == found
    assert len(order_effects(Pairs(), rng.random(600) < 0.4).found()) == 0
