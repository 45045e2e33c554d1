"""The chapter of customisation: pages that differ, measured on hidden orders, and a conflict with its repair."""

from __future__ import annotations

import pytest

from crmcore.datasets import simulate_brand
from crmcore.flows import Chapter, Figure, Heading, Table
from crmcore.flows.sections.tailor import tailor
from crmcore.idic import identify


@pytest.fixture(scope="module")
def chapter() -> Chapter:
    brand = simulate_brand(1500, seed=3)
    return tailor(brand, identify.resolve(dict(brand.sources)))


def test_two_customers_have_two_pages_and_every_shelf_a_reason(chapter: Chapter) -> None:
    blocks = chapter.section().blocks
    assert [b.text for b in blocks if isinstance(b, Heading)] == ["Who sees what?", "What can be made?"]
    pages = next(b for b in blocks if isinstance(b, Table)).rows
    one, another = ([row[1:] for row in pages if row[0] == who] for who in ("one", "another"))
    assert one != another
    assert all(row[3] for row in pages)
    assert all(f.caption and f.reading for f in blocks if isinstance(f, Figure))


def test_a_conflict_is_told_by_its_rules_and_repaired(chapter: Chapter) -> None:
    rows = [b for b in chapter.section().blocks if isinstance(b, Table)][1].rows
    assert [row[0] for row in rows] == ["wish", "rule", "rule", "repair", "what it costs then"]
    assert "oak instead of pine" in str(rows[3][1])
