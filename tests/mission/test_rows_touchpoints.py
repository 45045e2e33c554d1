"""Rows of the feature list that the catalogue and the quality of touchpoints own."""

from __future__ import annotations

import pytest

from crmcore.tables import EventTable, OrderTable
from crmcore.touchpoints import catalogue, quality

NAMED = {
    "website": "owned",
    "Facebook page": "owned",
    "LINE OA": "owned",
    "reviews in groups": "earned and shared",
    "influencers": "earned and shared",
    "Google Ads": "paid",
    "YouTube Ads": "paid",
}
MADE_OF = {
    "storefronts": "physical",
    "sales staff": "physical",
    "product displays": "physical",
    "packaging": "physical",
    "websites": "digital",
    "applications": "digital",
    "social media": "digital",
    "email": "digital",
    "online advertisements": "digital",
}


def test_row_011_recognition_rate_of_each_touchpoint_from_events() -> None:
    visits = EventTable.from_frame(
        {
            "customer": [f"c{i}" for i in range(80)] + [None] * 20 + ["c1"],
            "time": ["2026-03-01T10:00Z"] * 101,
            "touchpoint": ["store"] * 100 + ["app"],
        }
    )
    store = quality.recognition_rates(visits)["store"]
    assert (store.value, round(store.low, 3), round(store.high, 3)) == (0.80, 0.711, 0.867)


def test_row_065_the_platform_follows_the_purpose() -> None:
    matrix = catalogue.platform_matrix()
    assert matrix.rank("repeat purchase")[0].platform == "LINE OA"
    assert matrix.rank("community")[0].platform == "Facebook group"
    assert matrix.best("repeat purchase").because[:2] == ("messages to known customers", "coupons and cards")


@pytest.mark.parametrize(("name", "group"), NAMED.items())
def test_row_111_touchpoints_are_owned_earned_and_shared_or_paid(name: str, group: str) -> None:
    assert catalogue.standard()[name].media.group == group


def test_row_111_the_map_is_edited() -> None:
    ours = catalogue.standard().replace(catalogue.Touchpoint("influencer", "paid", "digital", also=["influencers"]))
    assert ours["influencers"].media.group == "paid"


@pytest.mark.parametrize(("name", "form"), MADE_OF.items())
def test_row_112_touchpoints_are_physical_or_digital(name: str, form: str) -> None:
    assert catalogue.standard()[name].form == form


def test_row_113_touches_are_before_during_or_after_the_purchase() -> None:
    orders = OrderTable.from_frame({"customer": ["c"], "time": ["2026-03-02T12:00Z"], "amount": [90]}, currency="THB")
    touches = {
        "Facebook ad": ("2026-03-01T09:00Z", "before"),
        "website": ("2026-03-02T09:00Z", "before"),
        "checkout": ("2026-03-02T11:50Z", "during"),
        "cash desk": ("2026-03-02T12:00Z", "during"),
        "review": ("2026-03-09T09:00Z", "after"),
        "packaging": ("2026-03-04T09:00Z", "after"),
    }
    events = EventTable.from_frame(
        {"customer": ["c"] * 6, "touchpoint": list(touches), "time": [t for t, _ in touches.values()]},
        customers=orders.customers,
    )
    assert [p and p.value for p in catalogue.phases(events, orders)] == [phase for _, phase in touches.values()]


def test_row_120_five_criteria_name_the_weakest_and_missing_stays_missing() -> None:
    result = quality.touchpoint_scorecard().score(
        {"simple": 5, "appropriate": 4, "connected to needs": 4, "valuable": 2, "attractive": None}
    )
    assert result.weakest == "valuable"
    assert result.scores["attractive"] is None
    assert result.overall == pytest.approx((1 + 0.75 + 0.75 + 0.25) / 4)
    radar = {row["label"]: row for row in result.chart().rows if row["part"] == "value"}
    assert set(radar) == {"simple", "appropriate", "connected to needs", "valuable"}


def test_row_121_four_touchpoints_fall_into_the_quadrants_as_by_hand() -> None:
    importance = {"app": 0.6, "store": 0.5, "calls": 0.3, "e-mail": 0.2}  # mean 0.40
    performance = {"app": 2.9, "store": 4.2, "calls": 2.5, "e-mail": 4.1}  # mean 3.425
    found = quality.importance_performance(importance, performance)
    assert {row.touchpoint: row.quadrant.value for row in found.rows} == {
        "app": "concentrate here",
        "store": "keep up the good work",
        "calls": "low priority",
        "e-mail": "possible overkill",
    }
    assert found.rows[0].touchpoint == "app"


def test_row_163_an_item_has_a_concept_a_medium_and_a_social_interface() -> None:
    assert catalogue.social_item("podcast").triple == (
        "information",
        "electronic",
        "electronic broadcast or syndication",
    )
    assert catalogue.social_item("flash mob").triple == ("art", "verbal", "community engagement")
    assert catalogue.social_item("leaflet").form.value == "print"
