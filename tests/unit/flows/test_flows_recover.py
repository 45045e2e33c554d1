"""The chapter of recovery: promises, causes and outcomes of simulated complaints beside what was planted."""

from __future__ import annotations

import pytest

from crmcore.datasets import simulate_brand
from crmcore.flows import Chapter, Figure, Heading, Table
from crmcore.flows.sections.recover import recover
from crmcore.idic import identify


@pytest.fixture(scope="module")
def chapter() -> Chapter:
    brand = simulate_brand(4000, seed=5)
    return recover(brand, identify.resolve(dict(simulate_brand(50, seed=1).sources)))


def test_each_question_has_a_picture_that_says_how_to_read_it(chapter: Chapter) -> None:
    blocks = chapter.section().blocks
    assert [b.text for b in blocks if isinstance(b, Heading)] == [
        "Are promises kept?", "Why do orders fail?", "Does putting it right win customers back?", "Against the truth",
    ]  # fmt: skip
    figures = [b for b in blocks if isinstance(b, Figure)]
    assert len(figures) == 3
    assert all(f.caption and f.reading for f in figures)


def test_the_planted_causes_are_found_and_the_north_is_not_blamed(chapter: Chapter) -> None:
    tables = [b for b in chapter.section().blocks if isinstance(b, Table)]
    causes = [str(row[0]) for row in tables[1].rows]
    assert {"courier = swift", "packaging = new box"} <= set(causes)
    assert not any("region" in cause for cause in causes)


def test_no_recovery_paradox_is_claimed_where_there_is_none(chapter: Chapter) -> None:
    assert chapter.parts[2].key.value == "not shown"
    assert sum(check.covered for check in chapter.checks) >= 1
    assert all(abs(check.estimate.value) < 1.5 for check in chapter.checks)
