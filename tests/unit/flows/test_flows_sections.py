"""The section of identify: what it says, and what it must not say."""

from __future__ import annotations

import re

import numpy as np
import pytest

from crmcore import flows
from crmcore.datasets import Brand, simulate_brand
from crmcore.flows import Figure, Heading, Section, Table
from crmcore.flows.reporting import brand_truth
from crmcore.flows.sections.quality import between_sources, share_linked_by_values, true_codes, true_pairs
from crmcore.idic import identify
from crmcore.idic.identify import People
from crmcore.linkage.quality import evaluate


@pytest.fixture(scope="module")
def brand() -> Brand:
    return simulate_brand(400, seed=5)


@pytest.fixture(scope="module")
def people(brand: Brand) -> People:
    return identify.resolve(dict(brand.sources))


@pytest.fixture(scope="module")
def section(people: People, brand: Brand) -> Section:
    return flows.identify_section(people, brand_truth(brand))


@pytest.fixture(scope="module")
def html(people: People, brand: Brand) -> str:
    return flows.report(people, truth=brand_truth(brand)).to_html()


def test_the_page_tells_the_story_in_order(section: Section) -> None:
    headings = [b.text for b in section.blocks if isinstance(b, Heading)]
    assert headings[:4] == ["How close to the truth", "Sources", "Preparation", "What each field says"]
    assert {"Pairs", "One pair, explained", "Customers", "Some profiles", "Worth a look", "The model"} <= set(headings)


def test_every_picture_has_a_caption_and_says_how_to_read_it(section: Section) -> None:
    figures = [b for b in section.blocks if isinstance(b, Figure)]
    assert len(figures) >= 5
    assert all(f.caption and f.reading for f in figures)


def test_key_figures_are_those_of_the_people(section: Section, people: People, brand: Brand) -> None:
    key = {k.label: k for k in section.key}
    assert key["Records read"].value == f"{len(people.table):,}"
    assert key["Customers found"].value == f"{len(people):,}"
    assert key["Customers found"].detail == "true: 400"
    quality = people.evaluate(brand_truth(brand))
    assert key["Pair F1"].value == f"{quality.pair_f1.value:.3f}"


def test_without_a_truth_nothing_is_said_about_it(people: People) -> None:
    section = flows.identify_section(people)
    assert "How close to the truth" not in {b.text for b in section.blocks if isinstance(b, Heading)}
    assert "Pair F1" not in {k.label for k in section.key}


def test_no_person_stands_on_the_page_in_clear(html: str, people: People) -> None:
    spoken = " ".join(re.findall(r'aria-label="([^"]*)"', html))
    text = re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)) + spoken
    private = ("mobile", "email", "ship_phone", "caller_phone", "linked_phone", "linked_email", "address", "handle")
    names = ("customer_name", "display_name", "spoken_name", "line_user_id", "member_no", "message")
    shown = [
        (column, value)
        for column in (*private, *names)
        for value in people.table.columns[column].values
        if len(value) > 5 and value in text
    ]
    assert not shown


def test_no_record_id_stands_on_the_page(html: str, people: People) -> None:
    assert not [r for r in people.table.record_id.tolist() if r in html or r.partition(":")[2] in html]


def test_the_page_is_small(html: str) -> None:
    assert len(html.encode()) < 1_000_000


def test_shares_of_the_sources_are_those_of_the_records(section: Section, people: People) -> None:
    table = next(
        b for b in section.blocks if isinstance(b, Table) and b.headings[0] == "field" and "distinct" in b.headings
    )
    phone = next(row for row in table.rows if row[0] == "phone")
    column = next(c for c in people.linkage.records.columns if c.name == "phone")
    assert phone[-2].value == pytest.approx(float((column.codes >= 0).mean()))


def test_one_source_without_duplicates_makes_a_page_too() -> None:
    rows = [
        {"name": n, "email": f"{n.split()[0].lower()}@example.org"} for n in ("Ann Lee", "Bo Ray", "Cy Ek", "Di Oh")
    ]
    html = flows.report(identify.resolve(rows)).to_html()
    assert "4 records of 1 source belong to 4 customers" in html
    assert "ann@example.org" not in html


def test_a_brand_is_resolved_and_compared_with_its_truth() -> None:
    page = flows.report(simulate_brand(60, seed=2))
    assert page.title == "A simulated brand and its customers"
    assert "Pair F1" in str(page)


def test_further_sections_follow(people: People) -> None:
    page = flows.report(people, sections=[Section("Value", "To come.")])
    assert [s.title for s in page.sections] == ["Who our customers are", "Value"]


# -- between sources: the kernel against a slow twin ----------------------------------------------------------------


def slow(predicted: list[int], true: list[int], source: list[int], a: int, b: int) -> tuple[int, int, int]:
    put = real = both = 0
    for i in range(len(true)):
        for j in range(i + 1, len(true)):
            if sorted((source[i], source[j])) == [a, b] and true[i] >= 0 and true[j] >= 0:
                put += predicted[i] == predicted[j]
                real += true[i] == true[j]
                both += predicted[i] == predicted[j] and true[i] == true[j]
    return put, real, both


@pytest.mark.parametrize("seed", range(8))
def test_pairs_between_sources_are_counted_as_by_hand(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 60
    predicted, true, source = rng.integers(0, 20, n), rng.integers(-1, 15, n), rng.integers(0, 3, n)
    for found in between_sources(predicted, true, source, ("0", "1", "2")):
        a, b = int(found.left), int(found.right)
        put, real, both = slow(predicted.tolist(), true.tolist(), source.tolist(), a, b)
        assert found.true_pairs == real
        assert found.recall.value == pytest.approx(both / real)
        assert found.f1.value == pytest.approx(2 * both / (put + real))
        assert (found.precision.value == pytest.approx(both / put)) if put else np.isnan(found.precision.value)
        assert found.f1.low <= found.f1.value <= found.f1.high


def test_source_pairs_add_up_to_all_pairs(people: People, brand: Brand) -> None:
    true = true_codes(people, brand_truth(brand))
    parts = between_sources(people.labels, true, people.table.source, people.table.sources)
    lo, _, _ = true_pairs(true)
    assert sum(p.true_pairs for p in parts) == len(lo)
    recall = sum(p.true_pairs * p.recall.value for p in parts) / len(lo)
    assert recall == pytest.approx(evaluate(people.labels, true).pair_recall.value)


def test_records_without_a_true_customer_are_left_out(people: People, brand: Brand) -> None:
    known = dict(list(brand_truth(brand).items())[:200])
    assert (true_codes(people, known) >= 0).sum() == 200


def test_values_link_directly_or_through_others() -> None:
    rows = [
        {"name": "Ann Lee", "email": "ann@example.org", "phone": "+66812345678"},
        {"name": "A. L.", "email": "ann@example.org", "phone": "+66898765432"},
        {"name": "Annie", "email": "other@example.org", "phone": "+66898765432"},
        {"name": "Nobody Else", "email": "none@example.org", "phone": "+66811111119"},
    ]
    people = identify.resolve(rows)
    # 0 and 2 share nothing; 1 stands between them
    assert share_linked_by_values(people, np.array([0, 0, 0, 1])).value == 1.0
    assert share_linked_by_values(people, np.array([0, 1, 0, 2])).value == 0.0
    assert share_linked_by_values(people, np.array([0, 0, 0, 0])).value == 0.5
