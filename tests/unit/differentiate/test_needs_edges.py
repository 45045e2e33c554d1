"""Latent classes at their edges: what is refused, and the picture."""

from __future__ import annotations

import pytest

from crmcore.errors import EmptyInput, OutOfRange
from crmcore.idic.differentiate.needs import LatentClasses


def test_more_classes_than_distinct_customers_are_refused() -> None:
    with pytest.raises(OutOfRange, match="at most 2"):
        LatentClasses(classes=3).fit(answers={"wants": ["price"] * 9 + ["ease"]}, seed=1)


def test_a_measure_that_does_not_vary_is_refused() -> None:
    with pytest.raises(OutOfRange, match="'visits'"):
        LatentClasses(classes=2).fit(measures={"visits": [3.0] * 9}, seed=1)


def test_the_picture_has_a_row_a_class_and_a_cell_a_level() -> None:
    model = LatentClasses(classes=2).fit(answers={"wants": ["price"] * 6 + ["ease"] * 4}, seed=1)
    assert len(model.chart().rows) == 4
    only = LatentClasses(classes=1).fit(measures={"visits": [1.0, 2.0, 3.0]}, seed=1)
    with pytest.raises(EmptyInput, match="means"):
        only.chart()
