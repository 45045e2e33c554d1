"""The chapter of listening: brands, tone and blame in simulated posts beside what was meant."""

from __future__ import annotations

import pytest

from crmcore.datasets import Brand, simulate_brand
from crmcore.flows import Chapter, Figure, Heading, Table
from crmcore.flows.sections.listen import listen
from crmcore.idic import identify


@pytest.fixture(scope="module")
def brand() -> Brand:
    return simulate_brand(4000, seed=5)


@pytest.fixture(scope="module")
def chapter(brand: Brand) -> Chapter:
    return listen(brand, identify.resolve(dict(simulate_brand(50, seed=1).sources)))


def test_each_question_has_a_picture_that_says_how_to_read_it(chapter: Chapter) -> None:
    blocks = chapter.section().blocks
    assert [b.text for b in blocks if isinstance(b, Heading)] == [
        "What does not belong?", "Who is talked about?", "How do they speak?", "What came up?", "What to do?",
        "Against the truth",
    ]  # fmt: skip
    assert all(f.caption and f.reading for f in blocks if isinstance(f, Figure))


def test_shares_and_tone_are_held_against_the_truth(chapter: Chapter) -> None:
    checks = {c.name: c for c in chapter.checks}
    assert len(checks) == 7
    assert sum(c.covered for c in checks.values()) >= 5
    for check in checks.values():
        assert abs(check.estimate.value - check.truth) < 0.2


def test_the_planted_weakness_of_the_rival_is_among_the_insights(chapter: Chapter) -> None:
    found = next(b for b in chapter.section().blocks if isinstance(b, Table) and b.headings[0] == "about")
    assert any(row[0] == "Kasten & Co" and str(row[1]).startswith("delivery") for row in found.rows)


def test_a_planted_topic_comes_up(chapter: Chapter) -> None:
    found = next(b for b in chapter.section().blocks if isinstance(b, Table) and b.headings[0] == "quarter from")
    assert any("refill" in str(row[1]) or "pouch" in str(row[1]) for row in found.rows)


def test_nobody_who_writes_is_named(chapter: Chapter, brand: Brand) -> None:
    said = " ".join(str(b) for b in chapter.section().blocks)
    assert not any(str(handle) in said for handle in brand.posts["handle"][:300].tolist())
