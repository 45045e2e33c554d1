"""Points in four fields."""

from __future__ import annotations

import json

import pytest

from crmcore.charts import quadrants
from crmcore.errors import BadRows, EmptyInput, OutOfRange
from crmcore.metrics import mean

NAMES = ("top left", "top right", "bottom left", "bottom right")


def _point(value: float) -> object:
    return mean([value - 1, value, value + 1] * 20)


def test_each_point_knows_its_field_and_the_cut_belongs_to_the_upper_one() -> None:
    at = [_point(v) for v in (1.0, 5.0, 1.0, 5.0, 3.0)]
    up = [_point(v) for v in (5.0, 5.0, 1.0, 1.0, 3.0)]
    chart = quadrants(list("abcde"), at, up, cuts=(3.0, 3.0), names=NAMES, title="Four fields")  # type: ignore[arg-type]
    assert [row["field"] for row in chart.rows] == [*NAMES, "top right"]
    assert "top left (1, 5)" in chart.to_text()
    assert json.dumps(chart.to_dict())


def test_points_that_cannot_be_drawn_are_refused() -> None:
    with pytest.raises(EmptyInput):
        quadrants([], [], [], cuts=(0, 0), names=NAMES, title="")
    with pytest.raises(OutOfRange):
        quadrants(["a"], [_point(1)], [], cuts=(0, 0), names=NAMES, title="")  # type: ignore[list-item]
    with pytest.raises(BadRows):
        quadrants(["a"], [_point(1)], [_point(1)], cuts=(0, float("nan")), names=NAMES, title="")  # type: ignore[list-item]


def test_the_picture_is_rendered() -> None:
    pytest.importorskip("vl_convert")
    chart = quadrants(["a", "b"], [_point(1), _point(2)], [_point(3), _point(4)], cuts=(1, 3), names=NAMES, title="T")  # type: ignore[list-item]
    svg = chart.to_svg()
    assert all(name in svg for name in NAMES)
