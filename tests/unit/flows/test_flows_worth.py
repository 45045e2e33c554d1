"""The chapter of worth: value, moves and rungs of a simulated brand beside what is true."""

from __future__ import annotations

import pytest

from crmcore.datasets import Brand, simulate_brand
from crmcore.flows import Chapter, Figure, Heading, Table
from crmcore.flows.sections.worth import worth
from crmcore.idic import identify


@pytest.fixture(scope="module")
def brand() -> Brand:
    return simulate_brand(800, seed=5)


@pytest.fixture(scope="module")
def chapter(brand: Brand) -> Chapter:
    return worth(brand, identify.resolve(dict(brand.sources)))


def test_each_question_has_a_picture_that_says_how_to_read_it(chapter: Chapter) -> None:
    blocks = chapter.section().blocks
    assert [b.text for b in blocks if isinstance(b, Heading)][-1] == "Against the truth"
    assert all(f.caption and f.reading for f in blocks if isinstance(f, Figure))


def test_concentration_and_ladder_are_held_against_the_truth(chapter: Chapter) -> None:
    checks = {c.name: c for c in chapter.checks}
    assert checks["Gini of the buyers' money"].covered
    assert (
        abs(checks["buyers who ever became regular"].estimate.value - checks["buyers who ever became regular"].truth)
        < 0.06
    )


def test_every_customer_stands_on_one_rung(chapter: Chapter, brand: Brand) -> None:
    rungs = next(b for b in chapter.section().blocks if isinstance(b, Table) and b.headings[0] == "rung")
    today = {str(row[0]): int(str(row[1])) for row in rungs.rows}
    assert 0 < today["regular"] < today["buyer"]
    assert sum(today.values()) <= 2 * len(brand.people)
