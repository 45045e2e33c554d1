"""The chapter of talking: a plan whose reasons add up, and a forum held against what was planted."""

from __future__ import annotations

import pytest

from crmcore.datasets import simulate_brand
from crmcore.flows import Chapter, Figure, Heading, Table
from crmcore.flows.sections.talk import talk
from crmcore.idic import identify


@pytest.fixture(scope="module")
def chapter() -> Chapter:
    brand = simulate_brand(1500, seed=3)
    return talk(brand, identify.resolve(dict(brand.sources)))


def test_everybody_with_an_address_gets_one_verdict_on_each_message(chapter: Chapter) -> None:
    blocks = chapter.section().blocks
    assert [b.text for b in blocks if isinstance(b, Heading)][:2] == [
        "Who may be written to?",
        "How is the forum doing?",
    ]
    table = next(b for b in blocks if isinstance(b, Table))
    sums = {sum(int(str(cell).replace(",", "")) for cell in row[1:5]) for row in table.rows}
    reachable = chapter.parts[0].key.detail.split()[1].replace(",", "")
    assert sums == {int(reachable)}
    assert all("consent" in str(row[5]) and "cap" in str(row[5]) for row in table.rows)
    assert all(f.caption and f.reading for f in blocks if isinstance(f, Figure))


def test_a_message_of_lower_priority_never_goes_now_where_the_cap_is_taken(chapter: Chapter) -> None:
    rows = next(b for b in chapter.section().blocks if isinstance(b, Table)).rows
    (evening, now, *_), (coupon, later, *_) = rows
    assert (evening, coupon) == ("members' evening", "coupon")
    assert now != "0"
    assert later == "0"


def test_each_closed_door_of_the_examples_has_rule_and_evidence(chapter: Chapter) -> None:
    doors = [b for b in chapter.section().blocks if isinstance(b, Table)][1].rows
    assert {str(row[0]).split()[0] for row in doors if row[0]} == {"send", "defer", "refuse"}
    assert all(row[3] for row in doors if row[1])


def test_the_forum_is_held_against_what_was_planted(chapter: Chapter) -> None:
    assert [c.name for c in chapter.checks] == ["questions answered in a day", "median hours to the first answer"]
    for check in chapter.checks:
        half = (check.estimate.high - check.estimate.low) / 2
        assert abs(check.estimate.value - check.truth) < 2 * half
    assert "facilitator" in chapter.parts[1].key.detail


def test_a_brand_of_one_person_still_has_a_chapter() -> None:
    brand = simulate_brand(1, seed=3)
    found = talk(brand, identify.resolve(dict(brand.sources))).section()
    assert [figure.label for figure in found.key] == ["May be written to", "Answered in a day"]
