"""What people do: visits and purchases, posts and followers, deals and staff, counts of a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.metrics.behaviour.acquisition import cac, cac_by_channel
    from crmcore.metrics.behaviour.business import automation_effect, deal_velocity, interactions
    from crmcore.metrics.behaviour.content import content_effect, content_types, link_purchases
    from crmcore.metrics.behaviour.followers import active_followers, follower_cohorts, vanity
    from crmcore.metrics.behaviour.rollups import RollUp, roll_up
    from crmcore.metrics.behaviour.social import brand_mentions, engagement_rate, engagement_rates, share_of_voice
    from crmcore.metrics.behaviour.spreading import spread
    from crmcore.metrics.behaviour.staff import adoption
    from crmcore.metrics.behaviour.web import (
        bounce_rate,
        click_value,
        conversion,
        time_on_site,
        time_on_site_by_page,
        traffic,
    )

__all__ = [
    "RollUp",
    "active_followers",
    "adoption",
    "automation_effect",
    "bounce_rate",
    "brand_mentions",
    "cac",
    "cac_by_channel",
    "click_value",
    "content_effect",
    "content_types",
    "conversion",
    "deal_velocity",
    "engagement_rate",
    "engagement_rates",
    "follower_cohorts",
    "interactions",
    "link_purchases",
    "roll_up",
    "share_of_voice",
    "spread",
    "time_on_site",
    "time_on_site_by_page",
    "traffic",
    "vanity",
]

__getattr__ = lazy_names(
    __name__,
    {
        "RollUp": ".rollups",
        "active_followers": ".followers",
        "adoption": ".staff",
        "automation_effect": ".business",
        "bounce_rate": ".web",
        "brand_mentions": ".social",
        "cac": ".acquisition",
        "cac_by_channel": ".acquisition",
        "click_value": ".web",
        "content_effect": ".content",
        "content_types": ".content",
        "conversion": ".web",
        "deal_velocity": ".business",
        "engagement_rate": ".social",
        "engagement_rates": ".social",
        "follower_cohorts": ".followers",
        "interactions": ".business",
        "link_purchases": ".content",
        "roll_up": ".rollups",
        "share_of_voice": ".social",
        "spread": ".spreading",
        "time_on_site": ".web",
        "time_on_site_by_page": ".web",
        "traffic": ".web",
        "vanity": ".followers",
    },
)
