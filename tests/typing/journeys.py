"""Types of journeys, as users see them."""

from __future__ import annotations

from typing import assert_type

import numpy as np
from numpy.typing import NDArray

from crmcore.metrics.estimates import Estimate
from crmcore.rules import Rule
from crmcore.tables import TextColumn
from crmcore.touchpoints.journeys import (
    Funnel,
    FunnelTable,
    IdentityMap,
    Journey,
    Journeys,
    follows,
    funnel,
    funnel_by,
    hesitation_rule,
    journeys,
    stitch,
    variants,
)
from crmcore.touchpoints.journeys.following import FollowsGraph
from crmcore.touchpoints.journeys.paths import VariantTable
from crmcore.touchpoints.quality.scoring import Steps


def reads(rows: dict[str, list[str]], links: IdentityMap) -> Steps:
    """Journeys are what the quality of touchpoints reads."""
    assert_type(stitch(rows, links), TextColumn)
    walks = journeys(rows, grain=stitch(rows, links))
    assert_type(walks, Journeys)
    assert_type(walks[0], Journey)
    assert_type(walks.duration_s, NDArray[np.float64])
    assert_type(follows(walks), FollowsGraph)
    assert_type(FollowsGraph.from_dict(follows(walks).to_dict()), FollowsGraph)
    assert_type(variants(walks), VariantTable)
    assert_type(funnel(walks, ["a", ("b", "c")]), Funnel)
    assert_type(funnel(walks, ["a", "b"]).converted, Estimate)
    assert_type(funnel_by(walks, ["a", "b"], ["x", None]), FunnelTable)
    assert_type(hesitation_rule(), Rule)
    return walks
