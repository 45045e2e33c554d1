"""The section of measures: estimates of a simulated brand beside what is true."""

from __future__ import annotations

import numpy as np
import pytest

from crmcore import flows
from crmcore.datasets import Brand, simulate_brand
from crmcore.flows import Chapter, Check, Figure, Heading, Section, Table
from crmcore.flows.sections.measures import measures as measures_of
from crmcore.idic import identify
from crmcore.metrics import proportion


@pytest.fixture(scope="module")
def brand() -> Brand:
    return simulate_brand(800, seed=5)


@pytest.fixture(scope="module")
def measures(brand: Brand) -> Chapter:
    return measures_of(brand, identify.resolve(dict(brand.sources)))


@pytest.fixture(scope="module")
def section(measures: Chapter) -> Section:
    return measures.section()


def test_five_questions_are_answered_and_held_against_the_truth(section: Section) -> None:
    assert [b.text for b in section.blocks if isinstance(b, Heading)] == [
        "Would they recommend us?", "How long do they wait?", "What do campaigns add?",
        "Which touchpoint leads to a purchase?", "Do they come back?", "Against the truth",
    ]  # fmt: skip
    assert all(f.caption and f.reading for f in section.blocks if isinstance(f, Figure))


def test_intervals_of_unbiased_samples_hold_the_truth(measures: Chapter) -> None:
    unbiased = [c for c in measures.checks if c.name != "Net Promoter Score of all who were invited"]
    assert len(unbiased) == 10
    assert sum(c.covered for c in unbiased) >= 8  # of ten at 95 %, three misses happen once in 90 draws


def test_silence_of_the_unhappy_is_said_where_it_misleads(measures: Chapter, brand: Brand) -> None:
    check = measures.checks[0]
    would = brand.truth.surveys.would_say
    assert check.truth == pytest.approx(100 * (np.mean(would >= 9) - np.mean(would <= 6)))
    assert check.estimate.value > check.truth
    assert check.texts()[2] == ("yes" if check.covered else "no: the unhappy answered less")


def test_open_cases_are_counted_as_open(section: Section, brand: Brand) -> None:
    waits = next(b for b in section.blocks if isinstance(b, Table) and b.headings[0] == "channel")
    everybody = waits.rows[-1]
    known = brand.complaints["opened_at"] <= np.datetime64("2026-01-01")
    assert everybody[0] == "all"
    assert everybody[1] == known.sum()
    assert sum(row[2] for row in waits.rows[:-1]) == everybody[2]


def test_a_check_says_whether_the_interval_holds_the_truth() -> None:
    share = proportion(30, 1000)
    assert Check("share", share, 0.03).texts() == ("3% [2.11%, 4.25%]", "3%", "yes")
    assert Check("share", share, 0.05).texts()[2] == "no: chance"


def test_the_report_of_a_brand_holds_every_chapter() -> None:
    page = flows.report(simulate_brand(150, seed=2))
    assert [s.title for s in page.sections] == [
        "Who our customers are", "What they say and do", "How they wander", "What they are worth",
        "What they say in public", "How we talk with them", "The right thing for each",
        "What went wrong, and how it was put right",
    ]  # fmt: skip
    assert "<script" not in page.to_html()
