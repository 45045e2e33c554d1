"""The chapter of touchpoints: journeys, funnel, credit and priorities of a simulated brand beside what is true."""

from __future__ import annotations

import pytest

from crmcore.datasets import Brand, simulate_brand
from crmcore.flows import Chapter, Figure, Heading, Table
from crmcore.flows.sections.wander import wander
from crmcore.idic import identify


@pytest.fixture(scope="module")
def brand() -> Brand:
    return simulate_brand(1500, seed=5)


@pytest.fixture(scope="module")
def chapter(brand: Brand) -> Chapter:
    return wander(brand, identify.resolve(dict(brand.sources)))


def test_four_questions_have_pictures_that_say_how_to_read_them(chapter: Chapter) -> None:
    blocks = chapter.section().blocks
    assert [b.text for b in blocks if isinstance(b, Heading)] == [
        "How do visits go?",
        "Where do they drop out?",
        "What are purchases owed to?",
        "Which touchpoint first?",
        "Against the truth",
    ]
    assert all(f.caption and f.reading for f in blocks if isinstance(f, Figure))


def test_intervals_hold_what_was_planted(chapter: Chapter) -> None:
    assert len(chapter.checks) == 4
    assert sum(c.covered for c in chapter.checks) >= 3  # of four at 95 %, two misses happen once in 70 draws


def test_credit_of_every_model_adds_up(chapter: Chapter) -> None:
    table = next(b for b in chapter.section().blocks if isinstance(b, Table) and b.headings[0] == "touchpoint")
    sums = [sum(float(str(row[i]).split()[0].replace(",", "")) for row in table.rows) for i in range(1, 5)]
    assert max(sums) - min(sums) < 0.02 * max(sums)
